/**
 * What is surely not there, known without a look into the database: for each pod a Bloom filter over the places of all
 * records that it has, or ever had since it was counted. It is filled by the count that proves the pod (proof.ts), so what
 * it says rests on the same proof; each commit adds its places before the writer hears of it, so it is right for every
 * snapshot up to now. What it does not know may be there, and is looked for.
 * @see https://en.wikipedia.org/wiki/Bloom_filter
 */
import type { LookupKey } from "../sealed/seal.ts";
import type { PodId } from "../store.ts";

/** With four probes, one absent record in 400 is looked for in vain. */
const BITS_PER_PLACE = 16;
const PROBES = 4;
const LEVEL_PLACES_LEAST = 512;
/** Of all pods together: 32 million records. Pods that come later go without. */
const BYTES_MAX = 64 * 1024 * 1024;

/** One of several that a pod fills one after the other, each larger than the last. */
interface Level {
  readonly words: Uint32Array;
  readonly mask: number;
  readonly most: number;
  places: number;
}

/** What is known of one pod. */
interface Filter {
  readonly levels: Level[];
  isWhole: boolean;
}
/** Whoever holds it is told only what is so of the pod as it was then: after a load there are other records. */
export type Known = Readonly<Pick<Filter, "isWhole">>;

export interface Absences {
  /** From here on what is written to the pod is noted. To be called before it is counted. @returns for `complete`. */
  begin(pod: PodId): Known;
  /** Makes room for as many places as the pod is said to have. */
  expect(pod: PodId, places: number): void;
  /** A record was found there, or is going to be written. */
  note(pod: PodId, table: number, groupKey: LookupKey, itemKey: LookupKey): void;
  /** All that was there when it was counted has been noted. Of no effect where `begun` was dropped meanwhile. */
  complete(begun: Known): void;
  /** Nothing is known of the pod any more. */
  drop(pod: PodId): void;
  /** What a snapshot that begins now may ask of. */
  of(pod: PodId): Known | null;
  /** False only where nothing is, nor was in any state that can still be looked at. */
  mayHave(known: Known | null, table: number, groupKey: LookupKey, itemKey: LookupKey): boolean;
}

const codeAt = (key: string, at: number): number =>
  key.charCodeAt(at) |
  (key.charCodeAt(at + 1) << 8) |
  (key.charCodeAt(at + 2) << 16) |
  (key.charCodeAt(at + 3) << 24);

/** The keys are pseudorandom already: two parts of them are two independent hashes. */
const firstOf = (table: number, group: string, item: string): number =>
  codeAt(group, 0) ^ Math.imul(codeAt(item, 0), 0x85_eb_ca_6b) ^ Math.imul(table, 0x9e_37_79_b9);
const stepOf = (group: string, item: string): number =>
  (codeAt(group, 4) ^ Math.imul(codeAt(item, 4), 0xc2_b2_ae_35)) | 1;

function makeLevel(most: number): Level {
  const bits = 2 ** Math.ceil(Math.log2(most * BITS_PER_PLACE));
  return { words: new Uint32Array(bits / 32), mask: bits - 1, most: bits / BITS_PER_PLACE, places: 0 };
}

function isNoted({ levels }: Filter, table: number, groupKey: LookupKey, itemKey: LookupKey): boolean {
  const step = stepOf(groupKey, itemKey);
  const first = firstOf(table, groupKey, itemKey);
  for (const { words, mask } of levels) {
    let at = first;
    let probe = 0;
    for (; probe < PROBES; probe++) {
      const bit = at & mask;
      if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) break;
      at = (at + step) | 0;
    }
    if (probe === PROBES) return true;
  }
  return false;
}

export function createAbsences(): Absences {
  const filters = new Map<PodId, Filter>();
  const dropped = new WeakSet<Known>();
  let bytes = 0;

  function drop(pod: PodId): void {
    const filter = filters.get(pod);
    if (!filter) return;
    for (const { words } of filter.levels.splice(0)) bytes -= words.byteLength;
    filter.isWhole = false; // For those who still hold it: nobody tells it of commits any more.
    dropped.add(filter);
    filters.delete(pod);
  }

  /** @returns null where there is no room for one more. */
  function grow(pod: PodId, { levels }: Filter, places: number): Level | null {
    const level = makeLevel(Math.max(LEVEL_PLACES_LEAST, places));
    bytes += level.words.byteLength;
    levels.push(level);
    if (bytes <= BYTES_MAX) return level;
    drop(pod);
    return null;
  }

  return {
    begin(pod) {
      const filter = filters.get(pod) ?? { levels: [], isWhole: false };
      filters.set(pod, filter);
      return filter;
    },
    expect(pod, places) {
      const filter = filters.get(pod);
      if (filter?.levels.length === 0) grow(pod, filter, places + places / 4);
    },
    note(pod, table, groupKey, itemKey) {
      const filter = filters.get(pod);
      if (!filter || isNoted(filter, table, groupKey, itemKey)) return; // Overwriting takes no room.
      let level: Level | null | undefined = filter.levels.at(-1);
      if (!level || level.places >= level.most) level = grow(pod, filter, 2 * (level?.most ?? 0));
      if (!level) return;
      level.places++;
      const step = stepOf(groupKey, itemKey);
      let at = firstOf(table, groupKey, itemKey);
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = at & level.mask;
        level.words[bit >>> 5]! |= 1 << (bit & 31);
        at = (at + step) | 0;
      }
    },
    complete(begun) {
      if (!dropped.has(begun)) (begun as Filter).isWhole = true;
    },
    drop,
    of: (pod) => filters.get(pod) ?? null,
    mayHave(known, table, groupKey, itemKey) {
      const filter = known as Filter | null;
      return !filter?.isWhole || isNoted(filter, table, groupKey, itemKey);
    },
  };
}
