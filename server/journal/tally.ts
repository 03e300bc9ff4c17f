/**
 * What anybody could do as often as they like is counted, and written once a minute: denials, looks at what is open to
 * everybody, what the owner's own apps read, and looks by one who has looked more often than has an entry each. A flood of
 * requests makes a few entries, not a full disk.
 */
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { createRate } from "../rates.ts";
import type { Pod } from "../store/pods.ts";
import type { PodId } from "../store/store.ts";
import { type Deed, SEVERAL } from "./entry.ts";

export interface Tally {
  /** @param deed Its path is kept apart from others as long as there is room, else it is counted under "*". */
  count(pod: Pod, deed: Deed): void;
  /**
   * For a look that must be on record before its bytes leave. The first of its kind since the tally was last written is
   * written by itself and at once, with all that is known of it; the others are counted. It is always clear who it was,
   * and which document as long as the agent does not look at too many of them.
   * @throws What `write` throws: then it is not recorded.
   */
  look(pod: Pod, deed: Deed): Promise<void>;
  /** Writes what was counted. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface TallyDeps {
  readonly limits: Limits;
  readonly log: Log;
  readonly now: () => Date;
  readonly write: (pod: Pod, deeds: readonly Deed[]) => Promise<void>;
}

interface Counted {
  readonly deed: Deed;
  since: number;
  count: number;
  readonly sums: Record<Sum, number>;
}

/** What is added up. */
const SUMS = ["bytes", "rows", "documents"] as const;
type Sum = (typeof SUMS)[number];

interface PodTally {
  readonly pod: Pod;
  readonly counted: Map<string, Counted>;
  /** Different things that each agent was counted for. */
  readonly byAgent: Map<string, number>;
  /** Apart from the others, so that neither crowds out the other. */
  readonly looks: Map<string, Counted>;
  /** By the key of a look: the commit of the first such, which the others wait for. */
  readonly firsts: Map<string, Promise<void>>;
}

const MINUTE_MS = 60_000;
const PATH_LENGTH_MAX = 512; // Strangers choose the addresses that they ask for.
const ENTRIES_PER_COMMIT = 500; // One pod's tally must not hold up all others' commits, nor be too much for one.
const WRITES_AT_ONCE = 16; // Pods whose tallies are written together: enough for one commit to serve many.

export function createTally({ limits, log, now, write }: TallyDeps): Tally {
  let pods = new Map<PodId, PodTally>();
  let keys = 0;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  /** Documents that one agent's counted looks are kept apart for; it outlasts a tally that is written early. */
  const apart = createRate(limits.journalLooksPerAgentMax, MINUTE_MS, limits.ratesRemembered, now);

  const keyOf = ({ act, agent, client, path, decision, status }: Deed): string =>
    JSON.stringify([act, agent, client, path, decision, status]);

  function tallyOf(pod: Pod): PodTally {
    let tally = pods.get(pod.id);
    if (!tally) {
      tally = { pod, counted: new Map(), byAgent: new Map(), looks: new Map(), firsts: new Map() };
      pods.set(pod.id, tally);
    }
    return tally;
  }

  /** What there is no room for is counted with others: first of the same agent, then of everybody. */
  function place(tally: PodTally, deed: Deed): { readonly key: string; readonly deed: Deed } {
    const exact = { key: keyOf(deed), deed };
    if (tally.counted.has(exact.key)) return exact;
    const isTight = tally.counted.size >= limits.journalTallyKeysMax;
    const isGreedy = (tally.byAgent.get(deed.agent ?? "") ?? 0) >= limits.journalTallyKeysPerAgentMax;
    if (!isTight && !isGreedy) return exact;
    const { act, agent = null, decision = "granted", status = null } = deed;
    const ofAgent: Deed = { act, agent, decision, status, path: SEVERAL };
    const known = { key: keyOf(ofAgent), deed: ofAgent };
    if (!isTight || tally.counted.has(known.key)) return known;
    const ofAll: Deed = { act, agent: SEVERAL, decision, status, path: SEVERAL };
    return { key: keyOf(ofAll), deed: ofAll };
  }

  /** Where a look is counted: with others of the same agent when those that are kept apart are too many. */
  function placeLook({ pod, firsts }: PodTally, deed: Deed): { readonly key: string; readonly deed: Deed } {
    const { act, agent = null, status = null, path, request: _request, ...others } = deed;
    for (const sum of SUMS) delete others[sum];
    const exact: Deed = { act, agent, status, path: path ?? null, ...others };
    const key = JSON.stringify(exact);
    const isLong = (path?.length ?? 0) > PATH_LENGTH_MAX;
    if (firsts.has(key) || (!isLong && apart(JSON.stringify([pod.id, agent])) === 0))
      return { key, deed: exact };
    const ofAgent: Deed = { act, agent, status, path: SEVERAL };
    return { key: JSON.stringify(ofAgent), deed: ofAgent };
  }

  const sumsOf = (deed: Deed): Counted["sums"] => ({
    bytes: deed.bytes ?? 0,
    rows: deed.rows ?? 0,
    documents: deed.documents ?? 0,
  });

  /** @returns whether there was nothing of this key yet. */
  function addTo(all: Map<string, Counted>, key: string, { deed, since, count, sums }: Counted): boolean {
    const counted = all.get(key);
    if (!counted) {
      all.set(key, { deed, since, count, sums });
      keys++;
      return true;
    }
    counted.since = Math.min(counted.since, since);
    counted.count += count;
    for (const sum of SUMS) counted.sums[sum] += sums[sum];
    return false;
  }

  function add(tally: PodTally, wanted: Counted): void {
    const { key, deed } = place(tally, wanted.deed);
    if (!addTo(tally.counted, key, { ...wanted, deed })) return;
    const agent = deed.agent ?? "";
    tally.byAgent.set(agent, (tally.byAgent.get(agent) ?? 0) + 1);
  }

  function deedOf({ deed, since, count, sums }: Counted): Deed {
    const or = (sum: number): number | null => (sum > 0 ? sum : null);
    return {
      ...deed,
      since,
      count,
      bytes: or(sums.bytes),
      rows: or(sums.rows),
      documents: or(sums.documents),
    };
  }

  async function writeOne({ pod, counted, looks }: PodTally): Promise<void> {
    const waiting = [
      ...[...counted.values()].map((one) => ({ key: null, one })),
      ...[...looks].map(([key, one]) => ({ key, one })),
    ];
    try {
      while (waiting.length > 0) {
        await write(
          pod,
          waiting.slice(0, ENTRIES_PER_COMMIT).map(({ one }) => deedOf(one)),
        );
        waiting.splice(0, ENTRIES_PER_COMMIT);
      }
    } catch (error) {
      const isGone = (error as { code?: unknown }).code === "not-found";
      log.error("journal.tally-not-written", { pods: 1, kept: !isGone, cause: String(error) });
      if (isGone) return;
      const tally = tallyOf(pod);
      for (const { key, one } of waiting)
        if (key === null) add(tally, one);
        else addTo(tally.looks, key, one);
      arm();
    }
  }

  async function writeAll(): Promise<void> {
    const full = [...pods.values()];
    pods = new Map();
    keys = 0;
    for (let from = 0; from < full.length; from += WRITES_AT_ONCE)
      await Promise.all(full.slice(from, from + WRITES_AT_ONCE).map(writeOne));
  }

  function flush(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    writing = writing.then(writeAll); // One after the other, so that what is kept is not written twice.
    return writing;
  }

  function arm(): void {
    timer ??= setTimeout(() => void flush(), MINUTE_MS).unref();
  }

  function settle(): void {
    if (keys >= limits.journalTallyTotalMax) void flush();
    else arm();
  }

  return {
    count(pod, { path, bytes, ...deed }) {
      const kept =
        path !== undefined && path !== null && path.length > PATH_LENGTH_MAX ? SEVERAL : (path ?? null);
      const sums = sumsOf({ ...deed, bytes: bytes ?? null });
      add(tallyOf(pod), { deed: { ...deed, path: kept }, since: now().getTime(), count: 1, sums });
      settle();
    },
    async look(pod, look) {
      const { firsts } = tallyOf(pod);
      const { key, deed } = placeLook(tallyOf(pod), look);
      const since = now().getTime();
      const first = firsts.get(key);
      if (first) {
        await first;
        // By now it may be another tally's turn.
        addTo(tallyOf(pod).looks, key, { deed, since, count: 1, sums: sumsOf(look) });
        settle();
        return;
      }
      const written = write(pod, [look]);
      firsts.set(key, written);
      keys++;
      settle();
      try {
        await written;
      } catch (error) {
        firsts.delete(key);
        throw error;
      }
    },
    flush,
    close: flush,
  };
}
