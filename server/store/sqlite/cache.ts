/**
 * Opened records, kept in memory by groups: what was read stays true until a commit says otherwise.
 *
 * Per pod the cache stands at one generation; each acknowledged commit brings it forward by one. What it knows of a
 * record carries the generation since which it is so, and is therefore right for every snapshot from then up to the
 * cache's own generation. If commits come that nobody announced (another process), the pod's part is thrown away.
 */
import type { LookupKey } from "../sealed/seal.ts";
import type { Entry, PodId } from "../store.ts";

/** What is known of one record. */
export interface Known {
  /** Null: there is none. */
  readonly entry: Entry | null;
  /** The generation since which this is so. */
  readonly since: number;
  readonly itemKey: LookupKey;
}

export interface KnownPod {
  /** Where the cache stands: it knows nothing of later commits. */
  generation: number;
  /** The latest state that anybody looked at in the database: what follows may not be older. */
  seen: number;
  readonly tables: (Map<string, KnownGroup> | undefined)[];
}

export interface KnownGroup {
  readonly pod: KnownPod;
  readonly groupKey: LookupKey;
  items: Map<string, Known>;
  /** All records of the group are in `items`: what is not there, is not. */
  isComplete: boolean;
  /** The generation of the last change, or the one at which the cache began to watch it. */
  since: number;
  bytes: number;
  /** False once the group has left the cache: nobody tells it of commits any more. */
  isWatched: boolean;
  readonly home: Map<string, KnownGroup>;
  readonly name: string;
  readonly table: number;
  /** Neighbours in the order of use. A `Set` gets slow when its first members are deleted all the time. */
  less: KnownGroup | null;
  more: KnownGroup | null;
}

export interface KnownWrite {
  readonly table: number;
  readonly group: string;
  readonly groupKey: LookupKey;
  readonly itemKey: LookupKey;
  readonly item: string;
  readonly value: Uint8Array | null;
}

export interface RecordCache {
  /**
   * To be asked at the beginning of each read.
   * @param expected Whether commits of our own to this pod are still unanswered.
   * @returns whether the cache stands at `generation`.
   */
  standsAt(pod: PodId, generation: number, expected: boolean): boolean;
  /** The generation at which the cache stands; null when it knows nothing of the pod, or somebody saw a later state. */
  at(pod: PodId): number | null;
  /** Somebody has looked at a state of the database in which a commit may show before its answer has come. */
  saw(pod: PodId, generation: number): void;
  /** A commit of our own is on its way (+1), or answered (-1). */
  pend(pod: PodId, writes: Iterable<KnownWrite>, by: 1 | -1): void;
  /** Whether what the cache knows of the group holds at `generation`, though commits on their way may lie between. */
  holdsAt(pod: PodId, group: KnownGroup, generation: number): boolean;
  /** The group, if anything of it is known; it counts as used. */
  group(pod: PodId, table: number, group: string): KnownGroup | undefined;
  /** The group, to be filled. Null when the pod has no part in the cache. */
  watch(pod: PodId, table: number, group: string, groupKey: LookupKey): KnownGroup | null;
  /** Adds what a snapshot at `generation` found, if it is still true. */
  add(pod: PodId, group: KnownGroup, item: string, known: Known, generation: number): void;
  /** Adds all records of a group as a snapshot at `generation` found them, if they still are so. */
  complete(pod: PodId, group: KnownGroup, items: Map<string, Known>, generation: number): void;
  /** A commit of our own is on disk. */
  commit(pod: PodId, generation: number, writes: Iterable<KnownWrite>): void;
  drop(pod: PodId): void;
  /** Estimated bytes held. */
  size(): number;
}

/** What objects, map slots and separately allocated bytes take beside the value, measured. */
const OVERHEAD = { present: 640, absent: 250, group: 400 };
const sizeOf = (item: string, { entry }: Known): number =>
  item.length + (entry ? OVERHEAD.present + entry.value.length : OVERHEAD.absent);

export function createCache(bytesMax: number): RecordCache {
  const pods = new Map<PodId, KnownPod>();
  /** Groups that commits on their way write to, with how many do: all else stays as it is until those are answered. */
  const pendings = new Map<PodId, (Map<string, number> | undefined)[]>();
  let least: KnownGroup | null = null; // Used longest ago …
  let most: KnownGroup | null = null; // … and just now.
  let bytes = 0;

  function unlink(group: KnownGroup): void {
    if (group.less) group.less.more = group.more;
    else least = group.more;
    if (group.more) group.more.less = group.less;
    else most = group.less;
    group.less = null; // An old group that is gone would keep all that came after it from the young generation's collector.
    group.more = null;
  }

  function use(group: KnownGroup): void {
    group.less = most;
    group.more = null;
    if (most) most.more = group;
    else least = group;
    most = group;
  }

  function forget(group: KnownGroup): void {
    if (!group.isWatched) return;
    group.isWatched = false;
    group.home.delete(group.name);
    unlink(group);
    bytes -= group.bytes;
  }

  function grow(group: KnownGroup, by: number): void {
    if (!group.isWatched) return; // Its bytes are not counted any more.
    group.bytes += by;
    bytes += by;
    if (group.bytes > bytesMax / 4) forget(group); // One huge folder must not push out all else.
    // oxlint-disable-next-line no-unmodified-loop-condition -- `forget` moves it
    while (bytes > bytesMax && least) forget(least);
  }

  function set(group: KnownGroup, item: string, known: Known): void {
    const before = group.items.get(item);
    group.items.set(item, known);
    grow(group, sizeOf(item, known) - (before ? sizeOf(item, before) : 0));
  }

  function unset(group: KnownGroup, item: string): void {
    const before = group.items.get(item);
    if (before && group.items.delete(item)) grow(group, -sizeOf(item, before));
  }

  function clear(known: KnownPod): void {
    for (const table of known.tables) for (const group of table?.values() ?? []) forget(group);
  }

  function watch(known: KnownPod, table: number, name: string, groupKey: LookupKey): KnownGroup {
    const home = (known.tables[table] ??= new Map<string, KnownGroup>());
    let group = home.get(name);
    if (!group) {
      group = {
        pod: known,
        groupKey,
        items: new Map(),
        isComplete: false,
        since: known.generation,
        bytes: 0,
        isWatched: true,
        home,
        name,
        table,
        less: null,
        more: null,
      };
      home.set(name, group);
      use(group);
      grow(group, OVERHEAD.group + name.length);
    }
    return group;
  }

  return {
    standsAt(pod, generation, expected) {
      let known = pods.get(pod);
      if (!known) pods.set(pod, (known = { generation, seen: generation, tables: [] }));
      if (known.generation === generation) return true;
      if (expected) return false; // The answer is on its way and will bring the cache forward.
      clear(known);
      known.generation = generation;
      return true;
    },
    at(pod) {
      const known = pods.get(pod);
      return known && known.seen <= known.generation ? known.generation : null;
    },
    saw(pod, generation) {
      const known = pods.get(pod);
      if (known && generation > known.seen) known.seen = generation;
    },
    pend(pod, writes, by) {
      let pending = pendings.get(pod);
      if (!pending) pendings.set(pod, (pending = []));
      for (const { table, group } of writes) {
        const counts = (pending[table] ??= new Map<string, number>());
        const count = (counts.get(group) ?? 0) + by;
        if (count > 0) counts.set(group, count);
        else counts.delete(group);
      }
      if (by < 0 && pending.every((counts) => !counts || counts.size === 0)) pendings.delete(pod);
    },
    holdsAt: (pod, group, generation) =>
      generation <= group.pod.generation || !pendings.get(pod)?.[group.table]?.has(group.name),
    group(pod, table, name) {
      const group = pods.get(pod)?.tables[table]?.get(name);
      if (group && group !== most) {
        unlink(group);
        use(group);
      }
      return group;
    },
    watch(pod, table, name, groupKey) {
      const known = pods.get(pod);
      return known ? watch(known, table, name, groupKey) : null;
    },
    add(pod, group, item, known, generation) {
      const current = pods.get(pod)?.generation;
      if (current === undefined || !group.isWatched || group.isComplete) return;
      // Of a later state, too: it carries its generation, and commits on their way will say what has changed since.
      if (current <= generation) set(group, item, known);
    },
    complete(pod, group, items, generation) {
      const current = pods.get(pod)?.generation;
      if (current === undefined || !group.isWatched || current < generation || group.since > generation)
        return;
      let size = 0;
      for (const [item, known] of items) size += sizeOf(item, known);
      const before = group.bytes;
      group.items = items;
      group.isComplete = true;
      grow(group, size + OVERHEAD.group + group.name.length - before);
    },
    commit(pod, generation, writes) {
      const known = pods.get(pod);
      if (!known || generation <= known.generation) return; // Read from disk already.
      if (generation !== known.generation + 1) clear(known);
      known.generation = generation;
      for (const { table, group: name, item, itemKey, value } of writes) {
        // What nobody has read yet is not kept: most that is written is not read soon, and to keep it costs as much as to store it.
        const group = known.tables[table]?.get(name);
        if (!group) continue;
        group.since = generation;
        if (value)
          set(group, item, {
            entry: { group: name, item, version: generation, value },
            since: generation,
            itemKey,
          });
        else if (group.isComplete) unset(group, item);
        else set(group, item, { entry: null, since: generation, itemKey });
      }
    },
    drop(pod) {
      const known = pods.get(pod);
      if (known) clear(known);
      pods.delete(pod);
    },
    size: () => bytes,
  };
}
