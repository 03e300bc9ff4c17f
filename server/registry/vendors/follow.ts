/**
 * Follows what zones say of vendors. A record counts when the newest of its run is signed by a key that the root's record
 * has for the zone, and the chain from what is known already leads to it without a gap; else nothing changes. What is known
 * is kept in the server's own records, so that a start without the registry forgets no sanction. A registry that cannot be
 * reached delists nobody, and reinstates nobody.
 */
import {
  applyGovernance,
  createGovernance,
  type Governance,
  type GovernanceOptions,
  hashOfGovernance,
  judgeGovernance,
  PassportError,
  type PublicKey,
  readGovernance,
  type SignedGovernance,
  verifyGovernance,
} from "@freehold/client/registry";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import { SERVER_POD, type Snapshot, type Store } from "../../store/store.ts";

/** Where a zone's records come from: the book in this process, or a registry elsewhere. */
export interface GovernanceSource {
  readonly zone: string;
  /** Keys that the root's record has for the zone today. */
  keys(): Promise<readonly PublicKey[]>;
  /** Records after number `after`, oldest first; some of them, where there are many. */
  records(after: number): Promise<readonly (SignedGovernance | object)[]>;
  /** Tells at once when there is more; where it cannot, it is asked by the clock. */
  readonly onChange?: (listener: () => void) => () => void;
}

export interface FollowDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly sources: readonly GovernanceSource[];
  readonly limits: Pick<Limits, "governancePollMs">;
  readonly log: Log;
  /** Told of what a zone says now: at the start, and after each change. */
  readonly changed: (governance: Governance) => Promise<void> | void;
}

export interface Follower {
  /** Reads what is known from before: to be awaited before anybody is served. */
  load(): Promise<void>;
  /** Goes on by itself from now on. */
  begin(): void;
  /** Asks now. @returns how many records were new. Never rejects: what fails is logged, and tried again. */
  ask(): Promise<number>;
  close(): Promise<void>;
}

const groupOf = (zone: string): string => `follow/${zone}`;
const itemOf = (n: number): string => String(n).padStart(10, "0");
/** Which addresses may be private is for the zone to say: nothing here is fetched from them. */
const TAKEN: GovernanceOptions = { allowUrl: () => true };
const RUN_MAX = 100_000; // More records than a zone makes in a lifetime: a source that never ends is no source.

/**
 * A run of records whose last is signed by a key of today. Those before it are held by their hashes, so a zone's older keys
 * need not be known for ever.
 * @throws PassportError.
 */
async function checkRun(
  state: Governance,
  run: readonly SignedGovernance[],
  keys: readonly PublicKey[],
): Promise<void> {
  let [n, hash] = [state.n, state.hash];
  for (const { record } of run) {
    if (record.n !== n + 1) throw new PassportError("number", `${record.n} does not follow ${n}`);
    if (record.prev !== hash) throw new PassportError("prev", "It is of another chain than what is known");
    n = record.n;
    hash = await hashOfGovernance(record);
  }
  const last = run.at(-1);
  if (last) await verifyGovernance(last, keys);
}

export function createFollower({ store, sources, limits, log, changed }: FollowDeps): Follower {
  const states = new Map<string, Governance>();
  const busy = new Map<string, Promise<number>>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const stops: (() => void)[] = [];

  /** Applies all that is stored: what this process, or another on the same store, has taken in. */
  async function replay(snapshot: Snapshot, zone: string): Promise<Governance> {
    const state = states.get(zone) ?? createGovernance(zone);
    for (;;) {
      const entry = await snapshot.get("registry", groupOf(zone), itemOf(state.n + 1));
      if (!entry) break;
      const signed = decodeRecord<SignedGovernance>(entry);
      await applyGovernance(state, signed, [signed.key], TAKEN);
    }
    states.set(zone, state);
    return state;
  }

  async function fetchRun(source: GovernanceSource, after: number): Promise<readonly SignedGovernance[]> {
    const run: SignedGovernance[] = [];
    for (;;) {
      const page = (await source.records(after + run.length)).map((one) => readGovernance(one));
      const follows = page[0]?.record.n === after + run.length + 1;
      run.push(...page);
      if (!follows || run.length > RUN_MAX) return run; // What does not follow is refused as it is.
    }
  }

  /** What the rules would not have allowed is not taken from a zone either, whoever signed it. */
  async function take(zone: string, run: readonly SignedGovernance[]): Promise<void> {
    for (const signed of run) {
      const state = await store.read(SERVER_POD, (snapshot) => replay(snapshot, zone));
      if (signed.record.n <= state.n) continue;
      const broken = await judgeGovernance(state, signed.record, TAKEN);
      if (broken) throw new PassportError(broken.rule.id, broken.detail);
      await verifyGovernance(signed, [signed.key]);
      await store.write(SERVER_POD, async (transaction) =>
        transaction.put("registry", groupOf(zone), itemOf(signed.record.n), encodeRecord(signed)),
      );
    }
  }

  async function askOne(source: GovernanceSource): Promise<number> {
    const { zone } = source;
    const known = states.get(zone)?.n ?? 0;
    let state = await store.read(SERVER_POD, (snapshot) => replay(snapshot, zone));
    try {
      const run = await fetchRun(source, state.n);
      if (run.length > 0) {
        await checkRun(state, run, await source.keys());
        await take(zone, run);
      }
    } catch (error) {
      const isRefused = error instanceof PassportError;
      if (isRefused) log.error("governance.refused", { zone, rule: error.rule });
      else log.warn("governance.unreachable", { zone, cause: String(error) });
    }
    state = await store.read(SERVER_POD, (snapshot) => replay(snapshot, zone));
    if (state.n > known) await changed(state);
    return state.n - known;
  }

  /** One at a time for each zone; who asks meanwhile waits for the next look. */
  function inTurn(source: GovernanceSource): Promise<number> {
    const before = busy.get(source.zone) ?? Promise.resolve(0);
    const next = before
      .then(() => (isClosed ? 0 : askOne(source)))
      .catch((error: unknown) => {
        log.error("governance.not-followed", { zone: source.zone, cause: String(error) });
        return 0;
      });
    busy.set(source.zone, next);
    return next;
  }

  async function ask(): Promise<number> {
    const counts = await Promise.all(sources.map(inTurn));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  function again(): void {
    if (isClosed) return;
    const { governancePollMs } = limits;
    // Not all servers at once.
    const wait = governancePollMs * (0.8 + 0.2 * Math.random());
    timer = setTimeout(() => void ask().finally(again), wait).unref();
  }

  return {
    async load() {
      for (const { zone } of sources) {
        const state = await store.read(SERVER_POD, (snapshot) => replay(snapshot, zone));
        if (state.n > 0) await changed(state);
      }
    },
    begin() {
      for (const source of sources)
        if (source.onChange) stops.push(source.onChange(() => void inTurn(source)));
      void ask().finally(again);
    },
    ask,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      for (const stop of stops) stop();
      await Promise.all(busy.values());
    },
  };
}
