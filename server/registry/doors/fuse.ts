/** Makes the filter of a day: every key gets three places, and the bytes there are chosen so that all keys fit at once. */
import { createHash } from "node:crypto";
import { setImmediate as pause } from "node:timers/promises";
import { type Filter, filterPlaces, filterPreimage } from "@freehold/client/registry";

const SEEDS = 256;
const STEPS_AT_ONCE = 16_384; // Some milliseconds; then others have their turn.
const SEGMENT_LENGTH_MAX = 2 ** 18;

/** As the authors of the filter found best. https://arxiv.org/abs/2201.01174 section 4 */
function sizesOf(count: number): Pick<Filter, "segmentLength" | "segments"> {
  if (count < 2) return { segmentLength: 4, segments: 1 };
  const power = Math.floor(Math.log(count) / Math.log(3.33) + 2.25);
  const segmentLength = Math.min(SEGMENT_LENGTH_MAX, 2 ** power);
  const factor = Math.max(1.125, 0.875 + (0.25 * Math.log(1_000_000)) / Math.log(count));
  const segments = Math.max(1, Math.ceil((count * factor) / segmentLength) - 2);
  return { segmentLength, segments };
}

interface Placed {
  /** Three for each key. */
  readonly places: Uint32Array;
  readonly prints: Uint8Array;
}

async function placesOf(
  keys: readonly Uint8Array[],
  seed: number,
  sizes: Pick<Filter, "segmentLength" | "segments">,
): Promise<Placed> {
  const places = new Uint32Array(3 * keys.length);
  const prints = new Uint8Array(keys.length);
  for (const [index, key] of keys.entries()) {
    const digest = createHash("sha256").update(filterPreimage(seed, key)).digest();
    places.set(filterPlaces(digest, sizes), 3 * index);
    prints[index] = digest[0] ?? 0;
    if (index % STEPS_AT_ONCE === STEPS_AT_ONCE - 1) await pause();
  }
  return { places, prints };
}

/**
 * Takes keys away one by one, each by a place that it alone has left.
 * @returns keys and those places, in that order; null when some cannot be told apart.
 */
async function peel(
  { places }: Placed,
  count: number,
  length: number,
): Promise<{ readonly keys: Uint32Array; readonly own: Uint32Array } | null> {
  const users = new Uint32Array(length);
  const together = new Uint32Array(length); // The xor of a place's keys: with one left, its number.
  for (let at = 0; at < places.length; at++) {
    const place = places[at] ?? 0;
    users[place] = (users[place] ?? 0) + 1;
    together[place] = (together[place] ?? 0) ^ Math.floor(at / 3);
  }
  const lone: number[] = [];
  for (let place = 0; place < length; place++) if (users[place] === 1) lone.push(place);
  const keys = new Uint32Array(count);
  const own = new Uint32Array(count);
  let taken = 0;
  for (let place = lone.pop(); place !== undefined; place = lone.pop()) {
    if (users[place] !== 1) continue;
    const key = together[place] ?? 0;
    keys[taken] = key;
    own[taken] = place;
    taken += 1;
    for (let at = 3 * key; at < 3 * key + 3; at++) {
      const other = places[at] ?? 0;
      users[other] = (users[other] ?? 0) - 1;
      together[other] = (together[other] ?? 0) ^ key;
      if (users[other] === 1) lone.push(other);
    }
    if (taken % STEPS_AT_ONCE === 0) await pause();
  }
  return taken === count ? { keys, own } : null;
}

/**
 * @param keys 32 bytes each, none twice.
 * @throws Error when no seed will do, which does not happen for keys that are hashes.
 */
export async function makeFilter(keys: readonly Uint8Array[], from: number, to: number): Promise<Filter> {
  const sizes = sizesOf(keys.length);
  const bytes = new Uint8Array((sizes.segments + 2) * sizes.segmentLength);
  for (let seed = 0; seed < SEEDS; seed++) {
    const placed = await placesOf(keys, seed, sizes);
    const peeled = await peel(placed, keys.length, bytes.length);
    if (!peeled) continue;
    // The last that was taken away is the first that is put back: its own place is in nobody's way any more.
    for (let turn = keys.length - 1; turn >= 0; turn--) {
      const key = peeled.keys[turn] ?? 0;
      const [first = 0, second = 0, third = 0] = placed.places.subarray(3 * key, 3 * key + 3);
      const there = (bytes[first] ?? 0) ^ (bytes[second] ?? 0) ^ (bytes[third] ?? 0);
      bytes[peeled.own[turn] ?? 0] = (placed.prints[key] ?? 0) ^ there;
    }
    return { seed, count: keys.length, ...sizes, from, to, bytes };
  }
  throw new Error("These keys fit no filter");
}
