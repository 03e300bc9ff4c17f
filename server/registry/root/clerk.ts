/**
 * A zone's clerk at the root: fetches what waits there for the zone, has it done, and answers. The zone itself knows no root.
 */
import {
  type AllowUrl,
  type Bundle,
  hashOfOperation,
  idOfGenesis,
  isExactly,
  isObject,
  isPassportId,
  type KeyPair,
  openLetter,
  type PassportId,
  ROOT_NAME,
  type RootRecord,
  RULES,
  readSigned,
  type Signed,
  secondsOf,
  signLetter,
  sponsorOperation,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { PodId, Store } from "../../store/store.ts";
import { type Accepted, absenceOf, type Present, type Zone } from "../port.ts";
import type { PortOrder } from "../zone/deps.ts";
import { REGISTRY } from "../zone/state.ts";
import { readPresent } from "./ask.ts";
import type { DeskNews, PortView } from "./model.ts";
import { createPostponed } from "./postponed.ts";
import { type Fetch, postJson, Refused } from "./wire.ts";

export interface ClerkDeps {
  readonly zone: Zone;
  readonly store: Store;
  /** The zone's own. */
  readonly pod: PodId;
  /** Signs in the zone's name. */
  readonly signer: KeyPair;
  /** Null before the root was reached for the first time. */
  readonly record: () => RootRecord | null;
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly log: Log;
  readonly allowUrl?: AllowUrl | undefined;
}

export interface Clerk {
  /** The zone, with what the root must hear of it at once. */
  readonly zone: Zone;
  /** Sponsors a port that comes here, and sends it to the root. @throws Problem */
  sponsor(request: { readonly operations: readonly Signed[]; readonly bundle: object }): Promise<PortView>;
  /** Fetches news, and does what they ask for. @throws when the root is away: then the next round goes on. */
  tick(): Promise<void>;
}

const ORDER = "port-order"; // item: id
const CURSOR = "desk-cursor";
const NEWS_BYTES_MAX = 16 * 1024 * 1024;
const AGE_SECONDS_MAX = 7 * 86_400;

/** The root's order about a passport, as this zone has heard of it: for {@link ZoneDeps.portOrder}. */
export const portOrderIn =
  (store: Store, pod: PodId) =>
  (id: PassportId): Promise<PortOrder | null> =>
    store.read(pod, async (snapshot) => {
      const entry = await snapshot.get(REGISTRY, ORDER, id);
      return entry && decodeRecord<PortOrder>(entry);
    });

/** A passport as its zone answers with it. */
export function bundleOf({
  published,
  findings,
}: {
  readonly published: Accepted["published"];
  readonly findings: Present;
}): Bundle {
  const { id, head, opening, map } = findings;
  const { shard, rootLeaf, log, checkpoint } = published;
  return {
    id,
    head: JSON.parse(head) as Bundle["head"],
    proof: { shard, rootLeaf, log, opening, map },
    checkpoint,
  };
}

export function createClerk(deps: ClerkDeps): Clerk {
  const { zone, store, pod, signer, fetch, now, log, allowUrl } = deps;
  const known = (): RootRecord => {
    const record = deps.record();
    if (!record) throw new Problem("unavailable", "The root has not been reached yet");
    return record;
  };

  async function toRoot(path: string, value: unknown): Promise<unknown> {
    let cause: unknown;
    for (const url of known().root.urls) {
      try {
        return await postJson(fetch, `${url}${path}`, value, { bytesMax: NEWS_BYTES_MAX });
      } catch (error) {
        if (error instanceof Refused && error.status < 500) throw error;
        cause = error;
      }
    }
    throw new Problem("unavailable", "The root does not answer", { cause });
  }

  const letter = (t: string, body: unknown) =>
    signLetter({ v: 1, t, from: zone.name, to: ROOT_NAME, at: secondsOf(now().getTime()), body }, signer);

  const answer = async (body: unknown): Promise<void> => {
    await toRoot("v1/desk/answer", await letter("inbox-answer", body));
  };

  async function bundleNow(id: PassportId): Promise<Bundle | null> {
    const { published, findings } = await zone.find(id);
    return findings.kind === "present" ? bundleOf({ published, findings }) : null;
  }

  /** The passport as it is now, or the proof that it is not here: an operation may be too late. */
  async function answerNow({ op }: Signed): Promise<object> {
    const { published, findings } = await zone.find(op.t === "create" ? await idOfGenesis(op) : op.id);
    return findings.kind === "present" ? bundleOf({ published, findings }) : absenceOf(published, findings);
  }

  /** An operation of the root's inbox: taken, or not, and the root hears which. */
  async function takeFromInbox({
    hash,
    operation,
  }: Extract<DeskNews, { readonly kind: "inbox" }>): Promise<void> {
    try {
      const { standing, id } = await zone.submit(operation);
      if (standing.state === "pending") {
        await answer({ of: hash, outcome: "pending", effectiveAt: secondsOf(standing.effectiveAt) });
        return;
      }
      const bundle = await bundleNow(id);
      if (bundle) await answer({ of: hash, outcome: "included", bundle });
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error; // The next round tries again.
      const { rule } = error.members;
      const isOwn = RULES.some(({ id, by }) => id === rule && by === "registry");
      const reason = error.code === "too-many-requests" ? "quota" : isOwn ? String(rule) : null;
      if (reason !== null) await answer({ of: hash, outcome: "refused", reason, detail: error.detail ?? "" });
      else await answer({ of: hash, outcome: "outdated", answer: await answerNow(operation) });
    }
  }

  const hear = (id: PassportId, order: PortOrder): Promise<unknown> =>
    store.write(pod, async (transaction) => transaction.put(REGISTRY, ORDER, id, encodeRecord(order)));

  type PortNews = Extract<DeskNews, { readonly kind: "port" }>["port"];

  /** A passport comes here: held against what its zone proved, and taken in with all that it is. */
  async function takeIn({ id, hash, to, operations, bundle, standing }: PortNews): Promise<void> {
    if (standing.state !== "ordered") return;
    await hear(id, { to, hash });
    if (!bundle)
      throw new Problem("input-invalid", "The root has no bundle any more of a port that it orders");
    const at = now().getTime();
    const orderedAgo = Math.max(0, at - standing.at); // It was good enough then; since, we may have been away.
    const asked = await readPresent(bundle, id, {
      record: known(),
      now: at,
      maxAgeSeconds: 2 * AGE_SECONDS_MAX + Math.ceil(orderedAgo / 1_000),
      allowUrl,
    });
    if (asked.kind !== "present") throw new Problem("input-invalid", "The bundle of a port proves nothing");
    const { head } = asked.bundle;
    const seen = head.auth.length;
    const more = operations.slice(0, -1).filter(({ op }) => "seq" in op && op.seq >= seen);
    const arriving = { ...asked.bundle, head: { ...head, auth: [...head.auth, ...more] } } as Bundle;
    await zone.submit(operations.at(-1) as Signed, { arriving });
    log.info("registry.ported-in", { zone: zone.name });
  }

  /** A passport leaves: it is noted while it waits, and let go when the root orders it. */
  async function letGo({ id, hash, to, operations, standing }: PortNews): Promise<void> {
    if (standing.state === "waiting") {
      const { findings } = await zone.find(id);
      const pending = findings.kind === "present" ? findings.pending : null;
      if (pending?.type === "recover") return tellEnd(pending.signed);
      if (pending?.type === "erase") {
        const { signed: erase } = pending;
        await toRoot("v1/desk/answer", await letter("port-objection", { of: hash, erase }));
        return;
      }
    }
    const [first] = operations;
    const unlock = first?.op.t === "unlock" ? { unlock: await hashOfOperation(first.op) } : {};
    if (standing.state === "ordered") await hear(id, { to, hash, ...unlock });
    if (standing.state !== "waiting" && standing.state !== "ordered") return;
    // What its zone would not take, it is not asked to before the root has decided.
    for (const operation of standing.state === "ordered" ? operations : operations.slice(-1)) {
      await zone.submit(operation).catch((error: unknown) => {
        // What the owner has changed since, the root finds out for itself.
        if (!(error instanceof Problem) || error.status >= 500) throw error;
        log.warn("registry.port-not-taken", { zone: zone.name, code: error.code });
      });
    }
  }

  async function heed(news: DeskNews): Promise<void> {
    if (news.kind === "inbox") return takeFromInbox(news);
    const { port } = news;
    if (port.from === zone.name) return letGo(port);
    if (port.to === zone.name) return takeIn(port);
  }

  const postponed = createPostponed({ zone: zone.name, store, pod, now, log }, heed);

  async function cursor(): Promise<number> {
    const entry = await store.read(pod, (snapshot) => snapshot.get(REGISTRY, CURSOR, "root"));
    return entry ? decodeRecord<{ readonly after: number }>(entry).after : 0;
  }

  async function fetchNews(
    after: number,
  ): Promise<{ readonly items: readonly DeskNews[]; readonly next: number }> {
    const source = await toRoot("v1/desk", await letter("desk", { after }));
    const { body, from } = await openLetter(source as object, "news", {
      record: known(),
      to: zone.name,
      now: now().getTime(),
    });
    if (from !== ROOT_NAME || !isExactly(body, ["items", "next"]) || !Array.isArray(body["items"]))
      throw new Problem("input-invalid", "The root's letter is no news");
    return body as unknown as { items: DeskNews[]; next: number };
  }

  const readOrNull = (source: string | object): Signed | null => {
    try {
      return readSigned(source);
    } catch {
      return null;
    }
  };

  /** Whether a recovery, which is about to be sent, takes the place of a port: only then does the root hear of it. */
  async function endsPort(signed: Signed | null): Promise<boolean> {
    if (signed?.op?.t !== "recover" || !isPassportId(signed.op.id)) return false;
    const { findings } = await zone.find(signed.op.id);
    return findings.kind === "present" && findings.pending?.type === "port";
  }

  /** What ends a port counts at the root, wherever it was sent: a veto of the owner, or guardians who recover. */
  async function tellEnd(signed: Signed): Promise<void> {
    if (!deps.record()) return;
    await toRoot("v1/ports/veto", signed).catch((error: unknown) => {
      if (error instanceof Refused && error.status === 404) return; // It was about something else.
      log.warn("registry.veto-not-told", { zone: zone.name, cause: (error as Error).message });
    });
  }

  return {
    zone: {
      ...zone,
      async submit(source, submission) {
        const signed = readOrNull(source);
        const isEnd = signed?.op?.t === "veto" || (await endsPort(signed));
        const accepted = await zone.submit(source, submission);
        if (signed && isEnd) await tellEnd(signed);
        return accepted;
      },
    },
    async sponsor({ operations, bundle }) {
      const port = readSigned(operations.at(-1) ?? {});
      const { op } = port;
      if (op?.t !== "port" || op.to !== zone.name)
        throw new Problem("operation-invalid", `sponsored: the port does not lead to ${zone.name}`, {
          members: { rule: "sponsored" },
        });
      const asked = await readPresent(bundle, op.id, {
        record: known(),
        now: now().getTime(),
        maxAgeSeconds: AGE_SECONDS_MAX,
        allowUrl,
      });
      if (asked.kind !== "present")
        throw new Problem("not-found", "The bundle proves that there is no such passport");
      const sponsored = await sponsorOperation(port, zone.name, signer);
      try {
        const view = await toRoot("v1/ports", {
          operations: [...operations.slice(0, -1), sponsored],
          bundle,
        });
        return view as PortView;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const { rule } = error.members;
        const code =
          error.status === 409 ? "conflict" : error.status === 404 ? "not-found" : "operation-invalid";
        throw new Problem(code, error.detail, {
          members: typeof rule === "string" ? { rule } : {},
          cause: error,
        });
      }
    },
    async tick() {
      if (!isObject(deps.record())) return;
      const after = await cursor();
      const { items, next } = await fetchNews(after);
      for (const news of items) await postponed.heed(news);
      if (next !== after)
        await store.write(pod, async (transaction) =>
          transaction.put(REGISTRY, CURSOR, "root", encodeRecord({ after: next })),
        );
      await postponed.retry();
    },
  };
}
