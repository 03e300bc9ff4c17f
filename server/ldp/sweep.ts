/** Clears away, bit by bit, versions and deletions whose time is over. */
import type { Limits } from "../limits.ts";
import { type Pod, type Pods } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { PodId, Store } from "../store/store.ts";
import type { Edits } from "./edit.ts";
import { dayOf, dueGroup, shortenHistory } from "./history.ts";
import { findTrashed, purgeTrashed, trashedOn } from "./trash.ts";

/** First days that may still hold something, of versions and of deletions. */
interface Reached {
  readonly versions: number;
  readonly trash: number;
}

export interface SweepDeps {
  readonly store: Store;
  readonly pods: Pods;
  readonly edits: Edits;
  readonly limits: Limits;
  readonly now: () => Date;
}

interface Work {
  groups: number;
  items: number;
}

const REACHED = ["version", "", "swept"] as const;

/**
 * @returns a function to be called hourly. Each call does a bounded amount of work in small transactions and goes on where
 * the last one stopped; it resolves with the number of things that were cleared away.
 */
export function createSweep({ store, pods, edits, limits, now }: SweepDeps): () => Promise<number> {
  const reached = new Map<PodId, Reached>();
  let next = 0;

  async function startOf(pod: Pod): Promise<Reached> {
    const entry = await store.read(pod.id, (snapshot) => snapshot.get(...REACHED));
    return entry ? decodeRecord<Reached>(entry) : { versions: dayOf(pod.created), trash: dayOf(pod.created) };
  }

  /** Some of what is over, in one commit. @returns how much; 0 when this day has no more. */
  async function clear(pod: Pod, what: keyof Reached, day: number, here: Reached): Promise<number> {
    const time = now().getTime();
    const found = await store.read(pod.id, async (snapshot) => {
      const names: string[] = [];
      if (what === "trash") {
        const items = await trashedOn(snapshot, day, limits.sweepItemsMax);
        names.push(...items.filter((item) => item.deleted + limits.trashMsKept <= time).map(({ id }) => id));
      } else if (dayOf(time - limits.versionMsKept) > day) {
        // Only days that are over whole: the few hours more cost nothing, and the list of a day goes with its last name.
        for await (const { item } of snapshot.list("version", dueGroup(day))) {
          names.push(item);
          if (names.length === limits.sweepItemsPerCommit) break;
        }
      }
      return names.slice(0, limits.sweepItemsPerCommit);
    });
    if (found.length === 0) return 0;
    await edits.write(pod, async (edit) => {
      for (const name of found) {
        if (what === "trash") {
          const item = await findTrashed(edit.transaction, name);
          if (item) await purgeTrashed(edit, item);
        } else {
          await shortenHistory(edit, name, time - limits.versionMsKept);
          edit.transaction.delete("version", dueGroup(day), name);
        }
      }
      edit.transaction.put(...REACHED, encodeRecord({ ...here, [what]: day }));
    });
    return found.length;
  }

  async function sweepPod(pod: Pod, work: Work): Promise<void> {
    let here = reached.get(pod.id) ?? (await startOf(pod));
    for (const [what, kept] of [
      ["versions", limits.versionMsKept],
      ["trash", limits.trashMsKept],
    ] as const) {
      const last = dayOf(now().getTime() - kept);
      while (here[what] <= last && work.groups > 0 && work.items > 0) {
        work.groups--;
        const cleared = await clear(pod, what, here[what], here);
        work.items -= cleared;
        if (cleared > 0) continue;
        if (here[what] === last) break; // More of this day will be over later.
        here = { ...here, [what]: here[what] + 1 };
      }
    }
    reached.set(pod.id, here);
  }

  return async () => {
    const work: Work = { groups: limits.sweepGroupsMax, items: limits.sweepItemsMax };
    const all = await pods.list();
    for (let count = 0; count < all.length && work.groups > 0 && work.items > 0; count++) {
      const pod = all[next++ % all.length];
      if (pod && pod.erased === undefined) await sweepPod(pod, work);
    }
    return limits.sweepItemsMax - work.items;
  };
}
