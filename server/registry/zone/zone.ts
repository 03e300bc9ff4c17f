/** One zone: takes operations, many in an epoch, and answers for what it has published. */
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import {
  type CreateOperation,
  decodeLeaf,
  hashOfOperation,
  idOfGenesis,
  isPassportId,
  judge,
  type Leaf,
  PassportError,
  type PassportId,
  readSigned,
  type Signed,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { decodeRecord } from "../../store/record.ts";
import type { Accepted, OperationStanding, Published, Replica, Submission, Zone } from "../port.ts";
import type { PortOrder, ZoneDeps } from "./deps.ts";
import { putFirstHour, readDue } from "./due.ts";
import { createEpochs } from "./epochs.ts";
import { createFinder } from "./find.ts";
import { readLeaves } from "./leaves.ts";
import { NO_CHANGE } from "./plan.ts";
import { readStanding } from "./standing.ts";
import {
  decodeHead,
  inShard,
  keyGroup,
  REGISTRY,
  readHead,
  readPublished,
  type StoredHead,
} from "./state.ts";
import { type Batch, type DueNow, type Sent, type Taken, takeBatch } from "./taking.ts";
import { recommitAll, sweepYears } from "./years.ts";

const LEAVES_AT_ONCE = 4_096;
const SWEEP_MS = 3_600_000;
const DUE_AT_ONCE = 200;

interface Waiting<T> {
  readonly sent: T;
  /** In the store: it will be published, whatever happens to this process. */
  isStaged: boolean;
  isOver: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Answer {
  readonly taken: Taken;
  readonly published: Published;
}

interface Governed {
  readonly index: number;
  readonly published: Published;
}

const isTooLarge = (error: unknown): boolean => error instanceof Problem && error.code === "body-too-large";

/** For who sent an operation, when its proof does not come. */
function takenLate(isTaken: boolean, cause?: unknown): Problem {
  const detail = isTaken
    ? "It is taken, and will be published as soon as enough witnesses answer"
    : "Too much waits before it; nothing has been taken";
  return new Problem("unavailable", detail, {
    ...(cause !== undefined && { cause }),
    headers: { "retry-after": "10" },
    members: { isTaken },
  });
}

/** Settles what a crash has left, and publishes the first checkpoint of a new zone. */
export async function createZone(deps: ZoneDeps): Promise<Zone> {
  const { name, store, pod, now, log, limits } = deps;
  const folder = join(deps.folder, "registry", name);
  const recommit = recommitAll(limits.epochOperationsMax);
  const epochs = await createEpochs({ ...deps, refill: recommit });
  const finder = createFinder({ store, pod, now, publishedOf: (record) => epochs.publishedOf(record) });
  let queue: Waiting<Sent>[] = [];
  let governance: Waiting<Uint8Array>[] = [];
  /** Staged by this server and not yet published; and since when. */
  const underWay = new Map<string, number>();
  let isWorking = false;
  let isClosed = false;
  let begunAt = -Infinity;
  let sweptAt = -Infinity;

  const yearOf = (shard: string): string => shard.slice(shard.indexOf("/") + 1);
  const isOldYear = (): boolean => yearOf(epochs.published().shard) < String(now().getUTCFullYear());

  /** Everything that waits, in one epoch. */
  async function epoch(
    own: Waiting<Sent>[],
    hashes: Waiting<Uint8Array>[],
    due: readonly DueNow[],
  ): Promise<void> {
    const at = now().getTime();
    try {
      if (isOldYear()) await epochs.beginYear(recommit);
      const facts = await deps.facts(at);
      let batch: Batch | null = null;
      let firstIndex = 0;
      const published = await epochs.run(
        async (snapshot, base) => {
          const sent = own.map((one) => one.sent);
          batch = await takeBatch(deps, facts, at, snapshot, base, sent, due);
          const change = batch.change ?? NO_CHANGE;
          firstIndex = base.size + change.set.length + change.delete.length + change.governance.length;
          if (!batch.change && hashes.length === 0) return null;
          return { ...change, governance: [...change.governance, ...hashes.map(({ sent: hash }) => hash)] };
        },
        () => {
          for (const one of [...own, ...hashes]) one.isStaged = true;
          for (const { sent } of own) underWay.set(sent.hash, at);
        },
      );
      for (const [position, one] of hashes.entries())
        one.resolve({ index: firstIndex + position, published } satisfies Governed);
      const { outcomes } = batch as unknown as Batch; // Assigned by `run`, which resolves only after that.
      for (const one of own) {
        const outcome = outcomes.get(one.sent);
        if (outcome && "taken" in outcome) one.resolve({ taken: outcome.taken, published } satisfies Answer);
        else one.reject(outcome?.error);
      }
    } catch (error) {
      if (isTooLarge(error) && own.length + due.length > 1) return halves(own, hashes, due);
      if (!isClosed) log.error("registry.epoch-failed", { zone: name, cause: String(error) });
      for (const one of [...own, ...hashes]) one.reject(one.isStaged ? takenLate(true, error) : error);
    } finally {
      for (const { sent } of own) underWay.delete(sent.hash);
    }
  }

  /** What does not fit into one commit of the store fits into two, or one operation of it does not fit at all. */
  async function halves(
    own: Waiting<Sent>[],
    hashes: Waiting<Uint8Array>[],
    due: readonly DueNow[],
  ): Promise<void> {
    const [half, halfDue] = [Math.ceil(own.length / 2), Math.ceil(due.length / 2)];
    await epoch(own.slice(0, half), hashes, due.slice(0, halfDue));
    await epoch(own.slice(half), [], due.slice(halfDue));
  }

  /** One epoch after the other, for as long as something waits. */
  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    try {
      while (queue.length + governance.length > 0) {
        const restMs = deps.epochMsMin - (performance.now() - begunAt);
        await (restMs > 0 ? pause(restMs) : nextTurn()); // What is sent at the same time shares an epoch.
        begunAt = performance.now();
        const own = queue.slice(0, limits.epochOperationsMax).filter(({ isOver }) => !isOver);
        queue = queue.slice(limits.epochOperationsMax);
        const hashes = governance;
        governance = [];
        await epoch(own, hashes, []);
      }
    } finally {
      isWorking = false;
    }
  }

  /** @throws Problem `unavailable` when it takes longer than anybody waits; then it says whether it will happen all the same. */
  async function wait<T, R>(sent: T, into: (one: Waiting<T>) => void): Promise<R> {
    if (isClosed) throw new Problem("unavailable", "The registry is closing");
    const trouble = epochs.trouble();
    if (trouble !== null) throw new Problem("unavailable", trouble);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const one: Waiting<T> = { sent, isStaged: false, isOver: false, resolve, reject };
    into(one);
    void work();
    const timer = setTimeout(() => {
      one.isOver = true;
      reject(takenLate(one.isStaged));
    }, limits.integrationMsMax);
    timer.unref();
    try {
      return (await promise) as R;
    } finally {
      clearTimeout(timer);
    }
  }

  /** For what is not even an operation of some passport: the first rule that it breaks. */
  async function refuse(signed: Signed): Promise<never> {
    const options = { operationBytesMax: limits.operationBytesMax };
    const verdict = await judge({ signed, state: null, options });
    const [rule, says, detail] =
      verdict.kind === "broken"
        ? [verdict.rule.id, verdict.rule.says, verdict.detail]
        : ["id", "", "No identifier"];
    throw new Problem("operation-invalid", `${detail} (rule ${rule})`, { members: { rule, says } });
  }

  /** The rules are asked when it is known what is there; this much is needed to find the passport. */
  async function read(source: string | object): Promise<{ signed: Signed; id: PassportId; hash: string }> {
    let signed: Signed;
    try {
      signed = readSigned(source, limits.operationBytesMax);
    } catch (cause) {
      if (!(cause instanceof PassportError)) throw cause;
      throw new Problem("operation-invalid", `${cause.detail} (rule ${cause.rule})`, {
        members: { rule: cause.rule },
      });
    }
    const raw = signed.op as { t?: unknown; id?: unknown } | null | undefined;
    const id =
      raw?.t === "create"
        ? await idOfGenesis(raw as CreateOperation).catch(() => null)
        : isPassportId(raw?.id)
          ? raw.id
          : null;
    if (id === null) return refuse(signed);
    return { signed, id, hash: await hashOfOperation(signed.op) };
  }

  /** Most operations begin a passport, and nearly all of these can be asked while the epoch before is under way. */
  async function isSoundAlone(signed: Signed): Promise<boolean> {
    if (signed.op.t !== "create") return false;
    const { operationBytesMax } = limits;
    const options = { operationBytesMax, ...(deps.allowUrl && { allowUrl: deps.allowUrl }) };
    const verdict = await judge({ signed, state: null, options }, "everyone").catch(() => null);
    return verdict?.kind === "valid";
  }

  const orderOf = async (id: PassportId): Promise<PortOrder | null> => (await deps.portOrder?.(id)) ?? null;

  async function submit(source: string | object, submission: Submission = {}): Promise<Accepted> {
    const { signed, id, hash } = await read(source);
    if (queue.length >= limits.epochQueueMax)
      throw new Problem("unavailable", "Too many operations wait", { headers: { "retry-after": "5" } });
    const order = signed.op.t === "port" || signed.op.t === "unlock" ? await orderOf(id) : null;
    const sent: Sent = {
      signed,
      id,
      hash,
      order,
      arriving: submission.arriving ?? null,
      adopting: submission.adopting ?? null,
      isSoundBeginning: isSoundAlone(signed),
    };
    const { taken, published } = await wait<Sent, Answer>(sent, (one) => queue.push(one));
    if (taken.isNew) log.info("registry.operation", { zone: name, type: signed.op.t });
    return { id, hash, ...taken, published };
  }

  /** @param before The first that was due before this: when it still is, none of its batch could be settled. */
  async function bringDue(before: PassportId | null = null): Promise<void> {
    const at = now().getTime();
    const { due, first } = await store.read(pod, (snapshot) => readDue(snapshot, at, DUE_AT_ONCE));
    if (due.length === 0) {
      // Hours that are over are not looked into again.
      if (first !== null)
        await epochs.run(async (snapshot) => {
          const again = await readDue(snapshot, at, 1);
          const isSame = again.due.length > 0 || again.first === null || again.from === again.first;
          return isSame ? null : { ...NO_CHANGE, records: [putFirstHour(again.first)] };
        });
      return;
    }
    const withOrders = due.map(async (one) => ({
      ...one,
      order: one.kind === "port" ? await orderOf(one.id) : null,
    }));
    await epoch([], [], await Promise.all(withOrders));
    const eldest = due[0]?.id ?? null;
    if (due.length === DUE_AT_ONCE && eldest !== before) await bringDue(eldest);
  }

  const replicaOf = (stored: StoredHead, shard: string): Replica => {
    const { id, headKey, opening, created, updated, parts, ...more } = inShard(stored, shard);
    const { createdAt, authSince, vetoedAt, pending } = more;
    return { id, headKey, opening, head: parts, created, updated, createdAt, authSince, vetoedAt, pending };
  };

  return {
    name,
    shard: () => epochs.published().shard,
    published: () => epochs.published(),
    onPublished: (listener) => epochs.onPublished(listener),
    async find(id) {
      await epochs.renew();
      return finder.find(id);
    },
    async findAll(ids) {
      await epochs.renew();
      return finder.findAll(ids);
    },
    submit,
    async operation(hash) {
      const found = await store.read(pod, (snapshot) => readStanding(snapshot, hash));
      const at = underWay.get(hash);
      return (
        found ??
        (at === undefined ? null : ({ state: "pending", effectiveAt: at } satisfies OperationStanding))
      );
    },
    govern: (hash) => wait<Uint8Array, Governed>(hash, (one) => governance.push(one)),
    async *leaves(from, to): AsyncGenerator<Leaf> {
      const { shard, size } = epochs.published();
      for (let at = from; at < Math.min(to, size); at += LEAVES_AT_ONCE) {
        const end = Math.min(to, size, at + LEAVES_AT_ONCE);
        for (const leaf of await store.read(pod, (snapshot) => readLeaves(snapshot, shard, at, end)))
          yield decodeLeaf(leaf);
      }
    },
    replicas: (after, most) =>
      store.read(pod, async (snapshot) => {
        const shard = (await readPublished(snapshot))?.shard ?? "";
        const { entries, next } = await snapshot.page(REGISTRY, "head", after, most);
        return { heads: entries.map((entry) => replicaOf(decodeHead(entry), shard)), next };
      }),
    replicasOf: (headKeys) =>
      store.read(pod, async (snapshot) => {
        const shard = (await readPublished(snapshot))?.shard ?? "";
        const heads: Replica[] = [];
        for (const headKey of headKeys) {
          const entry = await snapshot.get(REGISTRY, keyGroup(shard), headKey);
          const head =
            entry && (await readHead(snapshot, decodeRecord<{ readonly id: PassportId }>(entry).id));
          if (head) heads.push(replicaOf(head, shard));
        }
        return heads;
      }),
    async tick() {
      await epochs.refresh();
      if (epochs.trouble() !== null || isClosed) return;
      if (isOldYear()) await epochs.beginYear(recommit);
      await bringDue();
      await epochs.renew();
      if (performance.now() - sweptAt < SWEEP_MS) return;
      sweptAt = performance.now();
      await sweepYears(store, pod, folder, epochs.published().shard);
    },
    async close() {
      isClosed = true;
      for (const one of [...queue, ...governance])
        one.reject(new Problem("unavailable", "The registry is closing"));
      queue = [];
      await epochs.close();
    },
  };
}
