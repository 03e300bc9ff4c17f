/**
 * Replays a public log: every root of the map that it ever published, from what it says itself. Nothing personal is needed for
 * it, and nothing personal is in it.
 */
import {
  type Bytes,
  decodeLeaf,
  encodeBase64url,
  type FetchTile,
  PassportError,
  readLeaves,
  sameBytes,
} from "@freehold/client/registry";
import { leafHash } from "../log/hash.ts";
import { appendHashes, EMPTY_TREE, rootOf, type Tree } from "../log/tree.ts";
import { EMPTY_HASH, type MapChange, type StoredBlock, updateMap } from "../map/map.ts";

/** A tree that somebody says the log once was: the replay must pass through it. */
export interface Waypoint {
  readonly size: number;
  readonly root: Bytes;
  /** Who says so. */
  readonly by: string;
}

/** What does not hold, and where. */
export interface Fault {
  /** Index of a leaf, or size of a tree. */
  readonly at: number;
  readonly what: string;
  /** For a tree that somebody else was shown: who. */
  readonly by?: string;
}

export interface Replay {
  readonly size: number;
  readonly root: Bytes;
  readonly epochs: number;
  /** Keys in the map at the end. */
  readonly count: number;
  readonly leaves: Readonly<Record<"set" | "delete" | "root" | "governance", number>>;
  readonly faults: readonly Fault[];
}

export interface ReplayOptions {
  readonly fetchTile: FetchTile;
  readonly size: number;
  readonly waypoints?: readonly Waypoint[];
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

const FAULTS_MAX = 100; // A log that is wrong at a hundred places is wrong.
const AT_ONCE = 4_096;

/** @throws PassportError `tile` when an entry is missing: what cannot be read cannot be audited. */
export async function replay({
  fetchTile,
  size,
  waypoints = [],
  progress,
  signal,
}: ReplayOptions): Promise<Replay> {
  const faults: Fault[] = [];
  const blocks = new Map<string, StoredBlock>();
  const counts = { set: 0, delete: 0, root: 0, governance: 0 };
  const stops = [...waypoints].sort((a, b) => a.size - b.size);
  let waiting: MapChange[] = [];
  let map = { root: EMPTY_HASH, count: 0 };
  let tree: Tree = EMPTY_TREE;
  let hashes: Uint8Array[] = [];
  let epoch = 0;
  let last = "";

  const fault = (at: number, what: string, by?: string): void => {
    if (faults.length < FAULTS_MAX) faults.push({ at, what, ...(by !== undefined && { by }) });
  };
  const grow = (): void => {
    tree = appendHashes(tree, hashes);
    hashes = [];
  };
  const compare = (): void => {
    for (let stop = stops[0]; stop && stop.size <= tree.size + hashes.length; stop = stops[0]) {
      grow();
      if (stop.size === tree.size && !sameBytes(rootOf(tree), stop.root))
        fault(stop.size, "The log was another one", stop.by);
      stops.shift();
    }
  };

  async function takeRoot(
    at: number,
    leaf: { readonly epoch: number; readonly count: number; readonly root: Uint8Array },
  ): Promise<void> {
    map = await updateMap(
      async (prefix) => blocks.get(prefix) ?? null,
      (prefix, value) => void (value ? blocks.set(prefix, { value }) : blocks.delete(prefix)),
      waiting,
    );
    waiting = [];
    epoch += 1;
    if (leaf.epoch !== epoch) fault(at, `Epoch ${leaf.epoch} follows ${epoch - 1}`);
    epoch = leaf.epoch;
    if (encodeBase64url(leaf.root) !== map.root)
      fault(at, `The root of the map of epoch ${epoch} does not follow from the log`);
    if (leaf.count !== map.count) fault(at, `Epoch ${epoch} counts ${leaf.count} keys of ${map.count}`);
  }

  let at = 0;
  compare(); // A tree of no leaves.
  for await (const bytes of readLeaves(fetchTile, 0, size, size)) {
    hashes.push(leafHash(bytes));
    try {
      const leaf = decodeLeaf(bytes);
      counts[leaf.kind] += 1;
      last = leaf.kind;
      if (leaf.kind === "set") waiting.push({ key: leaf.headKey, commit: leaf.commit });
      if (leaf.kind === "delete") waiting.push({ key: leaf.headKey, commit: null });
      if (leaf.kind === "root") await takeRoot(at, leaf);
    } catch (error) {
      if (!(error instanceof PassportError)) throw error;
      fault(at, "The entry is no leaf of a registry's log");
    }
    at += 1;
    compare();
    if (at % AT_ONCE === 0) {
      grow();
      signal?.throwIfAborted();
      progress?.(at, size);
    }
  }
  grow();
  if (size > 0 && last !== "root") fault(size - 1, "The log does not end with the root of the map");
  for (const stop of stops) fault(stop.size, "The log was longer than it is now", stop.by);
  progress?.(size, size);
  return { size, root: rootOf(tree), epochs: counts.root, count: map.count, leaves: counts, faults };
}
