/**
 * The inbox: operations that a zone would not take. The zone has a day to take one or to say, for everybody to see, which rule
 * of its own forbids it; else the passport may leave at once.
 */
import {
  type AllowUrl,
  type Bundle,
  hashOfOperation,
  idOfGenesis,
  isExactly,
  isObject,
  isPassportId,
  isTime,
  type Letter,
  type Passport,
  PassportError,
  type PassportId,
  parseStrictJson,
  type RootRecord,
  RULES,
  readSigned,
  type Signed,
  waitMsOf,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Snapshot } from "../../store/store.ts";
import { type Asked, askZone, isBehind, passportOf, readPresent } from "./ask.ts";
import { tell } from "./desk.ts";
import { flawOfOperation, requireOperation } from "./facts.ts";
import { getRecord, type Ledger, listRecords, recordOf } from "./ledger.ts";
import { type InboxRecord, type InboxStanding, type InboxView, viewOfInbox } from "./model.ts";
import type { Fetch } from "./wire.ts";

export interface InboxDeps {
  readonly ledger: Ledger;
  readonly record: () => RootRecord;
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly allowUrl?: AllowUrl | undefined;
}

export interface Inbox {
  /** @throws Problem `operation-invalid`, `input-invalid`, `too-many-requests`. */
  post(source: string | object): Promise<InboxView>;
  /** A zone has taken the operation, or says why not. @throws Problem `not-found`, `operation-invalid`, `input-invalid`. */
  answer(letter: Letter): Promise<InboxView>;
  view(hash: string): Promise<InboxView | null>;
  record(snapshot: Snapshot, hash: string): Promise<InboxRecord | null>;
  /** Everything of the last 90 days, the newest first. */
  list(): Promise<readonly InboxView[]>;
  /** Hashes of the operations for whose sake a passport may leave at once; none when it may not. */
  released(snapshot: Snapshot, id: PassportId): Promise<readonly string[]>;
  tick(): Promise<void>;
}

const INBOX = "inbox"; // item: hash
const OPEN = "inbox-open"; // item: hash
const OF = "inbox-of"; // item: id → hashes, with when they were posted
const DAY_MS = 24 * 3_600_000;
const ANSWER_MS = DAY_MS;
const KEPT_MS = 90 * DAY_MS; // As long as anybody argues about a refusal.
const CLOCKS_APART_MS = 600_000;
const RELEASED_MS = 30 * DAY_MS; // Whoever was kept waiting has a month to leave.
const OPEN_MAX = 3; // Per passport: an owner repeats nothing, a spammer would.
const AGE_SECONDS_MAX = 7 * 86_400;

/** What only the zone can tell, and must be believed at first; everything else was judged when the operation was posted. */
const REASONS: ReadonlySet<string> = new Set([
  ...RULES.filter(({ by }) => by === "registry").map(({ id }) => id),
  "quota",
  "held",
]);

interface OfRecord {
  readonly posted: readonly (readonly [hash: string, at: number])[];
}

const broken = (cause: unknown): unknown =>
  cause instanceof PassportError
    ? new Problem("operation-invalid", `${cause.rule}: ${cause.detail}`, {
        members: { rule: cause.rule },
        cause,
      })
    : cause;

function readPost(source: string | object): { readonly operation: Signed; readonly bundle: object | null } {
  try {
    const value = typeof source === "string" ? parseStrictJson(source, 24) : source;
    if (!isExactly(value, ["operation", "bundle"]) || !isObject(value["operation"]))
      throw new Problem("input-invalid", "It is not an object with operation and bundle");
    const bundle = value["bundle"];
    if (bundle !== null && !isObject(bundle))
      throw new Problem("input-invalid", "bundle is neither an object nor null");
    return { operation: readSigned(value["operation"]), bundle };
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem("input-invalid", (cause as Error).message, { cause });
  }
}

/** Whether a passport shows that it has taken an operation. */
async function hasTaken(
  { head }: Bundle,
  passport: Passport,
  { op }: Signed,
  hash: string,
): Promise<boolean> {
  if (op.t === "create") return true; // It is there.
  if (op.t === "data") return passport.dataHash === hash || passport.state.dseq > op.dseq;
  for (const one of head.auth) if ((await hashOfOperation(one.op)) === hash) return true;
  return false;
}

export function createInbox(deps: InboxDeps): Inbox {
  const { ledger, now, allowUrl } = deps;
  const asking = () => ({
    fetch: deps.fetch,
    record: deps.record(),
    now: now().getTime(),
    maxAgeSeconds: AGE_SECONDS_MAX,
    allowUrl,
  });

  async function settle(hash: string, standing: InboxStanding, due?: number): Promise<InboxView> {
    return ledger.change<InboxView>(async (snapshot) => {
      const item = await getRecord<InboxRecord>(snapshot, INBOX, hash);
      if (!item) throw new Problem("not-found", "There is no such operation in the inbox");
      if (item.standing.state !== "open" && item.standing.state !== "pending")
        return { change: null, result: viewOfInbox(item) };
      const isOver = standing.state !== "pending";
      const after: InboxRecord = {
        ...item,
        ...(isOver && { operation: null, bundle: null }), // What is settled is nobody's business any more.
        due: due ?? item.due,
        standing,
      };
      return {
        change: {
          records: [recordOf(INBOX, hash, after), ...(isOver ? [recordOf(OPEN, hash, null)] : [])],
          statements: [{ v: 1, t: "inbox", ...viewOfInbox(after) }],
        },
        result: viewOfInbox(after),
      };
    });
  }

  /** @throws Problem `operation-invalid` unless the bundle shows that the operation was taken. */
  async function requireTaken(item: InboxRecord, asked: Asked): Promise<void> {
    const { operation, hash } = item;
    const isTaken =
      operation !== null &&
      asked.kind === "present" &&
      (await hasTaken(asked.bundle, asked.answer.passport, operation, hash));
    if (!isTaken)
      throw new Problem("operation-invalid", "The bundle does not show that the operation was taken");
  }

  /** An operation waits for as long as its kind does, and is not said to wait twice. */
  async function requireWait(
    { operation, bundle, standing }: InboxRecord,
    effectiveAt: number,
  ): Promise<void> {
    const state = bundle && (await passportOf(bundle, { record: deps.record(), allowUrl })).state;
    const waitMs = operation ? waitMsOf(operation.op, state) : 0;
    if (waitMs === 0 || standing.state !== "open" || effectiveAt > now().getTime() + waitMs + CLOCKS_APART_MS)
      throw new Problem("operation-invalid", "The operation does not wait that long");
  }

  /** Why an operation can never count any more, as the zone proves it; null when it can. */
  async function reasonOf({ operation, bundle }: InboxRecord, asked: Asked): Promise<string | null> {
    if (asked.kind === "absent") return "absent";
    if (!operation || asked.kind !== "present") return null;
    if (await isBehind(asked, bundle, { record: deps.record(), allowUrl })) return null; // Of before it was posted.
    const judging = { record: deps.record(), now: now().getTime(), allowUrl, facts: null };
    return (await flawOfOperation(operation, asked.answer.passport.state, judging))?.rule ?? null;
  }

  async function answer({ from, body }: Letter): Promise<InboxView> {
    if (!isObject(body) || typeof body["of"] !== "string")
      throw new Problem("input-invalid", "An answer says of what");
    const { of } = body;
    const item = await ledger.read((snapshot) => getRecord<InboxRecord>(snapshot, INBOX, of));
    if (item?.zone !== from) throw new Problem("not-found", "There is no such operation for this zone");
    if (!item.operation) return viewOfInbox(item); // It is settled: the answer to the answer was lost.
    const { outcome } = body;
    if (outcome === "included" && isExactly(body, ["of", "outcome", "bundle"]) && isObject(body["bundle"])) {
      const asked = await readPresent(body["bundle"], item.id, asking()).catch((cause: unknown) => {
        throw broken(cause);
      });
      await requireTaken(item, asked);
      return settle(of, { state: "included", at: now().getTime() });
    }
    if (
      outcome === "pending" &&
      isExactly(body, ["of", "outcome", "effectiveAt"]) &&
      isTime(body["effectiveAt"])
    ) {
      const effectiveAt = Date.parse(body["effectiveAt"]);
      await requireWait(item, effectiveAt);
      return settle(of, { state: "pending", effectiveAt }, effectiveAt + ANSWER_MS);
    }
    if (outcome === "outdated" && isExactly(body, ["of", "outcome", "answer"]) && isObject(body["answer"])) {
      const asked = await readPresent(body["answer"], item.id, asking()).catch((cause: unknown) => {
        throw broken(cause);
      });
      const reason = await reasonOf(item, asked);
      if (reason === null)
        throw new Problem("operation-invalid", "The operation still follows what the answer proves");
      return settle(of, { state: "refused", at: now().getTime(), reason, detail: "" });
    }
    if (outcome === "refused" && isExactly(body, ["of", "outcome", "reason", "detail"])) {
      const { reason, detail } = body;
      if (typeof reason !== "string" || !REASONS.has(reason))
        throw new Problem(
          "operation-invalid",
          "That is no reason: the operation keeps all rules that everybody can judge",
        );
      return settle(of, {
        state: "refused",
        at: now().getTime(),
        reason,
        detail: typeof detail === "string" ? detail.slice(0, 200) : "",
      });
    }
    throw new Problem(
      "input-invalid",
      "An answer is included with a bundle, pending with a time, outdated with what proves it, or refused with a reason",
    );
  }

  async function post(source: string | object): Promise<InboxView> {
    const { operation, bundle } = readPost(source);
    const { op } = operation;
    const at = now().getTime();
    const isCreate = op?.t === "create";
    if (!isCreate && !(isObject(op) && isPassportId((op as { readonly id?: unknown }).id)))
      throw new Problem("input-invalid", "The operation names no passport");
    if (op.t === "hold" || op.t === "unhold") throw new Problem("input-invalid", "A hold is the zone's own");
    if (!isCreate && !bundle) throw new Problem("input-invalid", "The passport's bundle is missing");
    const asked =
      bundle && !isCreate
        ? await readPresent(bundle, (op as { readonly id: PassportId }).id, asking()).catch(
            (cause: unknown) => {
              throw broken(cause);
            },
          )
        : null;
    if (asked && asked.kind !== "present")
      throw new Problem("not-found", "The bundle proves that there is no passport");
    const state = asked?.kind === "present" ? asked.answer.passport.state : null;
    await requireOperation(operation, state, { record: deps.record(), now: at, allowUrl, facts: null });
    const id = op.t === "create" ? await idOfGenesis(op) : op.id;
    const zone = op.t === "create" ? op.zone : (state?.zone ?? "");
    if (!deps.record().zones[zone]) throw new Problem("operation-invalid", `zone: there is no zone ${zone}`);
    const hash = await hashOfOperation(op);
    return ledger.change<InboxView>(async (snapshot) => {
      const known = await getRecord<InboxRecord>(snapshot, INBOX, hash);
      if (known) return { change: null, result: viewOfInbox(known) };
      const posted = ((await getRecord<OfRecord>(snapshot, OF, id))?.posted ?? []).filter(
        ([, when]) => when > at - RELEASED_MS - DAY_MS,
      );
      let open = 0;
      for (const [one] of posted) if (await snapshot.get("registry", OPEN, one)) open += 1;
      if (open >= OPEN_MAX)
        throw new Problem(
          "too-many-requests",
          `${OPEN_MAX} operations of this passport wait in the inbox already`,
          {
            headers: { "retry-after": "3600" },
          },
        );
      const made: InboxRecord = {
        hash,
        id,
        zone,
        operation,
        bundle: asked?.kind === "present" ? asked.bundle : null,
        at,
        due: at + ANSWER_MS,
        standing: { state: "open" },
      };
      return {
        change: {
          records: [
            recordOf(INBOX, hash, made),
            recordOf(OPEN, hash, { hash }),
            recordOf(OF, id, { posted: [...posted, [hash, at]] } satisfies OfRecord),
            ...(await tell(snapshot, [[zone, { kind: "inbox", hash }]])),
          ],
          statements: [{ v: 1, t: "inbox", ...viewOfInbox(made) }],
        },
        result: viewOfInbox(made),
      };
    });
  }

  /** Perhaps the zone took it and said nothing. */
  async function close(item: InboxRecord): Promise<void> {
    const asked = await askZone(item.zone, item.id, asking());
    const isTaken = await requireTaken(item, asked).then(
      () => true,
      () => false,
    );
    const at = now().getTime();
    const reason = isTaken ? null : await reasonOf(item, asked);
    if (reason !== null && reason !== "absent")
      await settle(item.hash, { state: "refused", at, reason, detail: "" });
    else await settle(item.hash, { state: isTaken ? "included" : "overdue", at });
  }

  return {
    post,
    answer,
    record: (snapshot, hash) => getRecord<InboxRecord>(snapshot, INBOX, hash),
    async view(hash) {
      const item = await ledger.read((snapshot) => getRecord<InboxRecord>(snapshot, INBOX, hash));
      return item && viewOfInbox(item);
    },
    list: () =>
      ledger.read(async (snapshot) =>
        (await listRecords<InboxRecord>(snapshot, INBOX)).map(viewOfInbox).sort((a, b) => b.at - a.at),
      ),
    async released(snapshot, id) {
      const posted = (await getRecord<OfRecord>(snapshot, OF, id))?.posted ?? [];
      const found: string[] = [];
      for (const [hash] of posted) {
        const item = await getRecord<InboxRecord>(snapshot, INBOX, hash);
        if (item?.standing.state === "overdue" && item.standing.at > now().getTime() - RELEASED_MS)
          found.push(hash);
      }
      return found;
    },
    async tick() {
      const at = now().getTime();
      const { due, old } = await ledger.read(async (snapshot) => {
        const open = await listRecords<{ hash: string }>(snapshot, OPEN);
        const items = await Promise.all(
          open.map(({ hash }) => getRecord<InboxRecord>(snapshot, INBOX, hash)),
        );
        const all = await listRecords<InboxRecord>(snapshot, INBOX);
        return {
          due: items.filter((item): item is InboxRecord => item !== null && item.due <= at),
          old: all.filter((item) => item.at < at - KEPT_MS && item.operation === null),
        };
      });
      for (const item of due) await close(item);
      if (old.length === 0) return;
      const records = old.flatMap(({ hash, id }) => [recordOf(INBOX, hash, null), recordOf(OF, id, null)]);
      await ledger.change(async () => ({ change: { records }, result: null }));
    },
  };
}
