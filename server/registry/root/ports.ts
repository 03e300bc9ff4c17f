/**
 * Passports that leave a zone. The owner signs, the gaining zone sponsors, the zone that is left is told and has no say; for
 * five days the owner can end it, then the root orders it.
 */
import {
  type AllowUrl,
  encodeBase64url,
  hashOfOperation,
  isExactly,
  isList,
  isObject,
  type Letter,
  PassportError,
  type PassportId,
  type PassportState,
  PORT_WAIT_MS,
  parseStrictJson,
  portedKeyOf,
  type RootRecord,
  readSigned,
  type Signed,
  stateAfter,
  zoneOf,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Snapshot } from "../../store/store.ts";
import { type Asked, askZone, isBehind, passportOf, readPresent } from "./ask.ts";
import { tell } from "./desk.ts";
import { requireOperation } from "./facts.ts";
import { getRecord, type Ledger, listRecords, recordOf } from "./ledger.ts";
import { type PortRecord, type PortStanding, type PortView, portOf, viewOfPort } from "./model.ts";
import type { Fetch } from "./wire.ts";

export interface PortsDeps {
  readonly ledger: Ledger;
  readonly record: () => RootRecord;
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly allowUrl?: AllowUrl | undefined;
  /** Whether the passport may leave at once: its zone did not answer the inbox. Of which operation, if an unlock. */
  readonly released: (snapshot: Snapshot, id: PassportId) => Promise<readonly string[]>;
}

export interface Ports {
  /** @throws Problem `operation-invalid`, `conflict`, `input-invalid`. */
  request(source: string | object): Promise<PortView>;
  /** The owner ends it, or guardians who recover the passport. @throws Problem `not-found`, `operation-invalid`, `conflict`. */
  veto(source: string | object): Promise<PortView>;
  /** The losing zone shows that the owner is having the passport erased. */
  object(letter: Letter): Promise<PortView>;
  view(hash: string): Promise<PortView | null>;
  record(snapshot: Snapshot, hash: string): Promise<PortRecord | null>;
  /** Orders what has waited long enough. */
  tick(): Promise<void>;
}

const PORT = "port"; // item: hash
const WAITING = "port-waiting"; // item: id → hash
/** What is asked before a notice of five days can be older; what is asked at the order is of this moment or not at all. */
const REQUEST_AGE_SECONDS_MAX = 7 * 86_400;
const ORDER_AGE_SECONDS_MAX = 86_400;

const refused = (cause: unknown): Problem =>
  cause instanceof PassportError
    ? new Problem("operation-invalid", `${cause.rule}: ${cause.detail}`, {
        members: { rule: cause.rule },
        cause,
      })
    : (cause as Problem);

function readRequest(source: string | object): {
  readonly operations: readonly Signed[];
  readonly bundle: object;
} {
  let value: unknown;
  try {
    value = typeof source === "string" ? parseStrictJson(source, 24) : source;
  } catch (cause) {
    throw new Problem("input-invalid", (cause as Error).message, { cause });
  }
  if (
    !isExactly(value, ["operations", "bundle"]) ||
    !isList(value["operations"], 1, 2) ||
    !isObject(value["bundle"])
  )
    throw new Problem(
      "input-invalid",
      "It is not an object with operations (a port, perhaps after an unlock) and bundle",
    );
  const operations = value["operations"].map((one) => readSigned(isObject(one) ? one : {}));
  const [first, last] = [operations[0]?.op?.t, operations.at(-1)?.op?.t];
  if (last !== "port" || (operations.length === 2 && first !== "unlock"))
    throw new Problem("input-invalid", "operations is not a port, or an unlock and a port");
  return { operations, bundle: value["bundle"] };
}

export function createPorts(deps: PortsDeps): Ports {
  const { ledger, now, allowUrl } = deps;
  const asking = (maxAgeSeconds: number) => ({
    fetch: deps.fetch,
    record: deps.record(),
    now: now().getTime(),
    maxAgeSeconds,
    allowUrl,
  });

  async function over(
    snapshot: Snapshot,
    port: PortRecord,
    standing: PortStanding,
    bundle: PortRecord["bundle"] = null,
  ): Promise<{ records: ReturnType<typeof recordOf>[]; statement: object; after: PortRecord }> {
    const after: PortRecord = { ...port, standing, bundle };
    const told = await tell(snapshot, [
      [port.from, { kind: "port", hash: port.hash }],
      [port.to, { kind: "port", hash: port.hash }],
    ]);
    return {
      after,
      records: [recordOf(PORT, port.hash, after), recordOf(WAITING, port.id, null), ...told],
      statement: { v: 1, t: "port", ...viewOfPort(after) },
    };
  }

  /** Ends a port that waits; one that is over stays as it is. */
  async function end(
    hash: string,
    state: "vetoed" | "superseded" | "refused",
    reason: string,
  ): Promise<PortView> {
    return ledger.change<PortView>(async (snapshot) => {
      const port = await getRecord<PortRecord>(snapshot, PORT, hash);
      if (!port) throw new Problem("not-found", "The root knows of no such port");
      if (port.standing.state !== "waiting") return { change: null, result: viewOfPort(port) };
      const { records, statement, after } = await over(snapshot, port, {
        state,
        at: now().getTime(),
        reason,
      });
      return { change: { records, statements: [statement] }, result: viewOfPort(after) };
    });
  }

  async function stateOf(port: PortRecord, fresh: Asked): Promise<PassportState | null> {
    const asking = { record: deps.record(), allowUrl };
    if (fresh.kind === "present" && !(await isBehind(fresh, port.bundle, asking)))
      return fresh.answer.passport.state;
    return port.bundle && (await passportOf(port.bundle, asking)).state;
  }

  const waitingOf = (id: string): Promise<PortRecord | null> =>
    ledger.read(async (snapshot) => {
      const waiting = await getRecord<{ hash: string }>(snapshot, WAITING, id);
      return waiting && getRecord<PortRecord>(snapshot, PORT, waiting.hash);
    });

  async function request(source: string | object): Promise<PortView> {
    const { operations, bundle } = readRequest(source);
    const port = operations.at(-1) as Signed;
    const { op } = port;
    if (op.t !== "port" || typeof op.id !== "string") throw new Problem("input-invalid", "There is no port");
    const record = deps.record();
    const at = now().getTime();
    const asked = await readPresent(bundle, op.id, asking(REQUEST_AGE_SECONDS_MAX)).catch(
      (cause: unknown) => {
        throw refused(cause);
      },
    );
    if (asked.kind !== "present")
      throw new Problem("not-found", "The bundle proves that there is no such passport");
    let { state } = asked.answer.passport;
    const from = state.zone;
    const { seq } = state.head;
    // A proof may be of before a rotation: who has the former keys has nothing to say any more.
    const fresh = await askZone(from, op.id, asking(ORDER_AGE_SECONDS_MAX));
    if (fresh.kind === "present" && fresh.answer.passport.state.head.seq > seq)
      throw new Problem("conflict", "The passport has changed since this bundle was made");
    for (const signed of operations) {
      const isUnlock = signed !== port; // It has waited in the inbox, in vain.
      await requireOperation(signed, state, { record, now: at, allowUrl, facts: { isOrdered: isUnlock } });
      state = await stateAfter(state, signed.op);
    }
    if (record.zones[op.to]?.status !== "active")
      throw new Problem("operation-invalid", `leaves: the zone ${op.to} is not active`, {
        members: { rule: "leaves" },
      });
    const hash = await hashOfOperation(op);
    const unlock = operations.length === 2 ? await hashOfOperation((operations[0] as Signed).op) : null;
    const before = await waitingOf(op.id);
    // Where the chain is proved to have gone on without it, it can never count any more.
    if (before && before.hash !== hash && portOf(before).op.seq <= seq)
      await end(before.hash, "superseded", "The passport has changed since");
    return ledger.change<PortView>(async (snapshot) => {
      const known = await getRecord<PortRecord>(snapshot, PORT, hash);
      if (known) return { change: null, result: viewOfPort(known) };
      const other = await getRecord<{ hash: string }>(snapshot, WAITING, op.id);
      if (other)
        throw new Problem("conflict", "Another port of this passport waits already; it must be vetoed first");
      const released = await deps.released(snapshot, op.id);
      if (unlock !== null && !released.includes(unlock))
        throw new Problem(
          "operation-invalid",
          "locked: the zone has not been given the time to take the unlock",
          {
            members: { rule: "locked" },
          },
        );
      const made: PortRecord = {
        hash,
        id: op.id,
        from,
        to: op.to,
        operations,
        bundle: asked.bundle,
        at,
        effectiveAt: released.length > 0 ? at : at + PORT_WAIT_MS,
        standing: { state: "waiting" },
      };
      const item = { kind: "port", hash } as const;
      const records = [
        recordOf(PORT, hash, made),
        recordOf(WAITING, op.id, { hash }),
        ...(await tell(snapshot, [
          [from, item],
          [op.to, item],
        ])),
      ];
      return {
        change: { records, statements: [{ v: 1, t: "port", ...viewOfPort(made) }] },
        result: viewOfPort(made),
      };
    });
  }

  async function veto(source: string | object): Promise<PortView> {
    const signed = readSigned(source);
    const { op } = signed;
    if (op?.t === "recover") return recovering(signed);
    if (op?.t !== "veto" || typeof op.of !== "string") throw new Problem("input-invalid", "It is no veto");
    const port = await ledger.read((snapshot) => getRecord<PortRecord>(snapshot, PORT, op.of));
    if (!port || port.id !== op.id) throw new Problem("not-found", "The root knows of no such port");
    if (port.standing.state !== "waiting") return viewOfPort(port);
    const fresh = await askZone(port.from, port.id, asking(ORDER_AGE_SECONDS_MAX));
    const state = await stateOf(port, fresh);
    const pending = { hash: port.hash, op: portOf(port).op, at: port.at };
    await requireOperation(signed, state, {
      record: deps.record(),
      now: now().getTime(),
      allowUrl,
      facts: { pending },
    });
    return end(port.hash, "vetoed", "The owner has vetoed it");
  }

  /**
   * Guardians get the passport back: whoever holds all other keys could otherwise leave for another zone each time, for a
   * port waits for a shorter time than they do. No zone can sign as they do, so this gives none of them a veto.
   */
  async function recovering(signed: Signed): Promise<PortView> {
    const { op } = signed;
    if (op.t !== "recover" || typeof op.id !== "string")
      throw new Problem("input-invalid", "It is no recovery");
    const port = await waitingOf(op.id);
    if (!port) throw new Problem("not-found", "The root knows of no port of this passport that waits");
    const fresh = await askZone(port.from, port.id, asking(ORDER_AGE_SECONDS_MAX));
    await requireOperation(signed, await stateOf(port, fresh), {
      record: deps.record(),
      now: now().getTime(),
      allowUrl,
      facts: null,
    });
    return end(port.hash, "refused", "Its guardians are getting the passport back");
  }

  async function object({ from, body }: Letter): Promise<PortView> {
    if (!isExactly(body, ["of", "erase"]) || typeof body["of"] !== "string" || !isObject(body["erase"]))
      throw new Problem("input-invalid", "An objection has of and erase");
    const port = await ledger.read((snapshot) => getRecord<PortRecord>(snapshot, PORT, String(body["of"])));
    if (port?.from !== from) throw new Problem("not-found", "The root knows of no such port from this zone");
    if (port.standing.state !== "waiting") return viewOfPort(port);
    const erase = readSigned(body["erase"]);
    if (erase.op?.t !== "erase" || erase.op.case !== null)
      throw new Problem("operation-invalid", "case-signer: only the owner's own erasure ends a port");
    const state = await stateOf(port, { kind: "unknown" });
    await requireOperation(erase, state, {
      record: deps.record(),
      now: now().getTime(),
      allowUrl,
      facts: null,
    });
    return end(port.hash, "refused", "The owner is having the passport erased");
  }

  /** What has waited long enough counts, if it still follows what the zone has now. */
  async function order(port: PortRecord): Promise<void> {
    const options = asking(ORDER_AGE_SECONDS_MAX);
    const shown = await askZone(port.from, port.id, options);
    const fresh: Asked = (await isBehind(shown, port.bundle, options)) ? { kind: "unknown" } : shown;
    if (fresh.kind === "present") {
      const { headHash } = fresh.answer.passport.state;
      const first = port.operations[0]?.op;
      const isNext = port.operations.some(({ op }) => "prev" in op && op.prev === headHash);
      if (!isNext || !first) {
        await end(port.hash, "superseded", "The passport has changed since");
        return;
      }
    }
    // A zone that hides the passport, or is away, holds nobody back: what it proved last is good enough.
    const bundle = fresh.kind === "present" ? fresh.bundle : port.bundle;
    const headKey = encodeBase64url(await portedKeyOf(port.id));
    await ledger.change<null>(async (snapshot) => {
      const newest = await getRecord<PortRecord>(snapshot, PORT, port.hash);
      if (newest?.standing.state !== "waiting") return { change: null, result: null };
      const { records, statement } = await over(
        snapshot,
        newest,
        { state: "ordered", at: now().getTime() },
        bundle,
      );
      const ported = new Map([[headKey, port.to === zoneOf(port.id) ? null : port.to]]);
      return { change: { records, ported, statements: [statement] }, result: null };
    });
  }

  return {
    request,
    veto,
    object,
    record: (snapshot, hash) => getRecord<PortRecord>(snapshot, PORT, hash),
    async view(hash) {
      const port = await ledger.read((snapshot) => getRecord<PortRecord>(snapshot, PORT, hash));
      return port && viewOfPort(port);
    },
    async tick() {
      const due = await ledger.read(async (snapshot) => {
        const waiting = await listRecords<{ hash: string }>(snapshot, WAITING);
        const ports = await Promise.all(
          waiting.map(({ hash }) => getRecord<PortRecord>(snapshot, PORT, hash)),
        );
        return ports.filter(
          (port): port is PortRecord => port !== null && port.effectiveAt <= now().getTime(),
        );
      });
      for (const port of due) await order(port);
    },
  };
}
