/** Which records the last commits wrote: for whoever keeps something that is made of many records, and brings it forward. */
import {
  type Change,
  type ChangesBetween,
  type Committed,
  type PodId,
  type Store,
  TABLES,
  type Table,
} from "./store.ts";

interface Kept {
  /** Generation of the first of `commits`; those that follow are one apart. */
  first: number;
  commits: (readonly Change[])[];
}

const COMMITS_MAX = 256; // Of one pod; whoever asks less often makes all anew.
const CHANGES_MAX = 2_000; // Of one commit: an import is not followed, but read.
const PODS_MAX = 2_000;

const NAMES: ReadonlyMap<number, Table> = new Map(
  Object.entries(TABLES).map(([name, number]) => [number, name as Table]),
);

/**
 * Wraps a store. Where other processes commit to it too, generations are missing here, and nothing is claimed to be known.
 * @returns the store, and what it knows of its last commits.
 */
export function withChanges<S extends Store>(
  engine: S,
): { readonly store: S; readonly changes: ChangesBetween } {
  const pods = new Map<PodId, Kept>(); // Last written last.

  function note(pod: PodId, { generation, writes }: Committed<unknown>): void {
    if (!writes || writes.length === 0) return;
    const before = pods.get(pod);
    pods.delete(pod);
    if (writes.length > CHANGES_MAX) return;
    const isNext = before !== undefined && before.first + before.commits.length === generation;
    const kept = isNext ? before : { first: generation, commits: [] };
    kept.commits.push(writes.map(({ table, group, item }) => ({ table: NAMES.get(table)!, group, item })));
    if (kept.commits.length > COMMITS_MAX) {
      kept.commits.splice(0, COMMITS_MAX / 2);
      kept.first += COMMITS_MAX / 2;
    }
    pods.set(pod, kept);
    if (pods.size > PODS_MAX) for (const oldest of pods.keys()) return void pods.delete(oldest);
  }

  return {
    store: {
      ...engine,
      async write(pod, work) {
        const committed = await engine.write(pod, work);
        note(pod, committed);
        return committed;
      },
      async erasePod(pod) {
        await engine.erasePod(pod);
        pods.delete(pod);
      },
      async load(copy, progress) {
        pods.clear();
        return engine.load(copy, progress).finally(() => pods.clear());
      },
    },
    changes(pod, after, upTo) {
      const kept = pods.get(pod);
      if (!kept || after > upTo || kept.first > after + 1 || kept.first + kept.commits.length <= upTo)
        return null;
      return kept.commits.slice(after + 1 - kept.first, upTo + 1 - kept.first).flat();
    },
  };
}
