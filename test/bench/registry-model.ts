/** The arithmetic of a registry of any size: how deep its map is, how long a proof, how much a year writes, what caches save. */

/** Chances that grow from 0 to 1 over the whole numbers, summed into a mean. */
function meanOf(atMost: (depth: number) => number, deepest: number): number {
  let mean = 0;
  for (let depth = 0; depth < deepest; depth += 1) mean += 1 - atMost(depth);
  return mean;
}

const DEPTH_MAX = 256;

/**
 * Depth of a leaf in a binary prefix tree over uniformly random keys, where a key alone in its subtree is its leaf: at most
 * `depth`, when none of the others shares so many first bits.
 * @param keys Keys in the map, at least 1.
 * @returns the chance, 0 to 1.
 */
export const chanceOfDepth = (keys: number, depth: number): number =>
  keys === 1 ? 1 : Math.exp((keys - 1) * Math.log1p(-(2 ** -depth)));

/** @returns siblings in the proof of one key: their mean, and the number that all but one in a thousand stay within. */
export function proofDepth(keys: number): { readonly mean: number; readonly rare: number } {
  const atMost = (depth: number): number => chanceOfDepth(keys, depth);
  let rare = 0;
  while (rare < DEPTH_MAX && atMost(rare) < 0.999) rare += 1;
  return { mean: meanOf(atMost, DEPTH_MAX), rare };
}

/**
 * The chance that nothing is beside the path of a key whose leaf is at `depth`. No other key shares `depth` bits with it, and
 * some share all but one; of such sets of keys, those count in which none parts from it at this sibling.
 * @param sibling 1 for that of the first bit, `depth` for the deepest, which is never empty.
 */
export function chanceOfEmpty(keys: number, depth: number, sibling: number): number {
  if (sibling >= depth) return 0;
  const others = keys - 1;
  const nearer = 1 - 2 ** -depth;
  const [here, deepest] = [2 ** -sibling / nearer, 2 ** -depth / nearer];
  if (here + deepest >= 1) return 0;
  const none = (chance: number): number => Math.exp(others * Math.log1p(-chance));
  return (none(here) - none(here + deepest)) / -Math.expm1(others * Math.log1p(-deepest));
}

/** @returns how many siblings of a leaf at `depth` are empty, on average: an answer writes nothing for them. */
export function emptySiblings(keys: number, depth: number): number {
  let sum = 0;
  for (let sibling = 1; sibling < depth; sibling += 1) sum += chanceOfEmpty(keys, depth, sibling);
  return sum;
}

/** Hashes in the inclusion proof of the last leaf of a log: one for each perfect subtree but its own. @param leaves At least 1. */
export function lastLeafPath(leaves: bigint): number {
  // The last leaf's siblings are the perfect subtrees that the bits of its index name.
  let [count, rest] = [0, leaves - 1n];
  for (; rest > 0n; rest >>= 1n) if (rest & 1n) count += 1;
  return count;
}

/** Nodes of the map that an epoch hashes anew. @param changes Random keys that change. */
export function hashesPerEpoch(keys: number, changes: number): number {
  const deepest = Math.ceil(Math.log2(Math.max(2, keys)));
  let sum = changes; // Their leaves.
  for (let depth = 0; depth < deepest; depth += 1) {
    const places = 2 ** depth;
    sum += places * (1 - Math.exp(changes * Math.log1p(-1 / places)));
  }
  return sum;
}

/** Share of reads that a cache answers which forgets after a time. @param reads Per day and passport. @param days Kept. */
export const hitRateOfTtl = (reads: number, days: number): number => (reads * days) / (1 + reads * days);

/** Share of reads that a cache answers which follows the feed, and forgets only what has changed. @param changes Per day. */
export const hitRateOfFeed = (reads: number, changes: number): number => reads / (reads + changes);

/**
 * The same by playing it: reads and changes come as Poisson processes.
 * @param random 0 to 1, seeded.
 * @param ttlDays Null: the cache follows the feed.
 */
export function playCache(
  {
    reads,
    changes,
    ttlDays,
    times,
  }: {
    readonly reads: number;
    readonly changes: number;
    readonly ttlDays: number | null;
    readonly times: number;
  },
  random: () => number,
): number {
  const wait = (rate: number): number => -Math.log(1 - random()) / rate;
  let [now, changed, kept, hits] = [0, wait(changes), -Infinity, 0];
  let isKept = false;
  for (let read = 0; read < times; read += 1) {
    now += wait(reads);
    while (changed < now) {
      if (ttlDays === null) isKept = false;
      changed += wait(changes);
    }
    if (isKept && (ttlDays === null || now - kept < ttlDays)) hits += 1;
    else [isKept, kept] = [true, now];
  }
  return hits / times;
}

/** @returns numbers from 0 to 1 that are the same in every run. @see https://prng.di.unimi.it/splitmix64.c, in 32 bits */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
