/**
 * Which texts have a word: for each word the ids of the strings it is in, rising. Made when somebody searches for the
 * first time: a packed part for the terms that are there then, which may be shared between threads and is sealed on disk
 * with them, and a young one for what comes later.
 */
import { isPlain, matches, type Phrase, type TextQuery } from "../search/text-query.ts";
import { wordsOf } from "../search/words.ts";
import { sharedBytes, sharedIds } from "./memory.ts";
import { type Id, KINDS, type Terms } from "./view.ts";

/** The ids of word `w` are `ids` from `idEnds[w - 1]` to `idEnds[w]`; its text is `heap` from `ends[w - 1]` to `ends[w]`. */
export interface PackedTexts {
  /** UTF-8, the words in their order. */
  readonly heap: Uint8Array;
  readonly ends: Uint32Array;
  readonly idEnds: Uint32Array;
  readonly ids: Uint32Array;
}

export interface Texts {
  /** Ids of all texts that match, rising: those of the whole pod, so whoever asks must look which are visible. */
  matching(query: TextQuery, check: () => void): Uint32Array;
  /** Of the terms with ids below `packedSize`. */
  readonly packed: PackedTexts;
  readonly packedSize: number;
}

const EMPTY = new Uint32Array(0);

const isText = (terms: Terms, id: Id): boolean =>
  terms.kind(id) === KINDS.string || terms.kind(id) === KINDS.langString;

class Numbers {
  values = new Uint32Array(1_024);
  length = 0;
  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }
}

function packTexts(terms: Terms): PackedTexts {
  const numbers = new Map<string, number>();
  const counts = new Numbers();
  const lastIds = new Numbers();
  const [words, ids] = [new Numbers(), new Numbers()];
  for (let id = 0; id < terms.size; id++) {
    if (!isText(terms, id)) continue;
    for (const word of wordsOf(terms.get(id).value)) {
      let number = numbers.get(word);
      if (number === undefined) {
        numbers.set(word, (number = numbers.size));
        counts.push(0);
        lastIds.push(0);
      }
      if (lastIds.values[number] === id + 1) continue; // Once is enough.
      lastIds.values[number] = id + 1;
      counts.values[number]!++;
      words.push(number);
      ids.push(id);
    }
  }
  const sorted = [...numbers.keys()].sort();
  const encoded = sorted.map((word) => Buffer.from(word, "utf8"));
  const heap = sharedBytes(encoded.reduce((sum, { length }) => sum + length, 0));
  const packed = {
    heap,
    ends: sharedIds(sorted.length),
    idEnds: sharedIds(sorted.length),
    ids: sharedIds(ids.length),
  };
  const next = new Uint32Array(sorted.length); // By the number that a word had at first: where its next id goes.
  let [end, idEnd] = [0, 0];
  for (const [at, word] of sorted.entries()) {
    heap.set(encoded[at]!, end);
    end += encoded[at]!.length;
    const number = numbers.get(word)!;
    next[number] = idEnd;
    idEnd += counts.values[number]!;
    packed.ends[at] = end;
    packed.idEnds[at] = idEnd;
  }
  for (let at = 0; at < ids.length; at++) packed.ids[next[words.values[at]!]!++] = ids.values[at]!;
  return packed;
}

export function byteCountOfTexts(texts: PackedTexts | null): number {
  return texts ? texts.heap.byteLength + texts.ends.byteLength * 2 + texts.ids.byteLength : 0;
}

/** What both lists have; both rise. */
function intersection(few: Uint32Array, many: Uint32Array): Uint32Array {
  const found = new Uint32Array(few.length);
  let [length, low] = [0, 0];
  for (const id of few) {
    // By steps that double, then by halves: `many` may be very much longer.
    let step = 1;
    while (low + step < many.length && many[low + step]! < id) step *= 2;
    let high = Math.min(low + step, many.length - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (many[middle]! < id) low = middle + 1;
      else high = middle;
    }
    if (many[low] === id) found[length++] = id;
  }
  return found.subarray(0, length);
}

function union(lists: readonly Uint32Array[], size: number): Uint32Array {
  if (lists.length === 1) return lists[0]!;
  const has = new Uint8Array(size);
  let count = 0;
  for (const list of lists)
    for (const id of list) {
      if (has[id] === 1) continue;
      has[id] = 1;
      count++;
    }
  const all = new Uint32Array(count);
  let to = 0;
  for (let id = 0; to < count; id++) if (has[id] === 1) all[to++] = id;
  return all;
}

/** Beyond this share of what is packed, the young part is packed too. */
const YOUNG_SHARE_MAX = 0.25;
const YOUNG_MIN = 1_000;

/** @param packed What was packed of the terms with ids below `size`. */
function createTexts(terms: Terms, packed: PackedTexts, size: number): Texts {
  const heap = Buffer.from(packed.heap.buffer, packed.heap.byteOffset, packed.heap.byteLength);
  const wordAt = (at: number): string =>
    heap.toString("utf8", at === 0 ? 0 : packed.ends[at - 1]!, packed.ends[at]);
  const idsAt = (from: number, to: number): Uint32Array =>
    to <= from
      ? EMPTY
      : packed.ids.subarray(from === 0 ? 0 : packed.idEnds[from - 1]!, packed.idEnds[to - 1]);
  const young = new Map<string, number[]>();
  let youngEnd = size;
  const found = new WeakMap<TextQuery, { readonly size: number; readonly ids: Uint32Array }>();

  /** The first word that is not less. */
  function lowerBound(word: string): number {
    let [low, high] = [0, packed.ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (wordAt(middle) < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function bringForward(): void {
    for (; youngEnd < terms.size; youngEnd++) {
      if (!isText(terms, youngEnd)) continue;
      for (const word of new Set(wordsOf(terms.get(youngEnd).value))) {
        const ids = young.get(word);
        if (ids) ids.push(youngEnd);
        else young.set(word, [youngEnd]);
      }
    }
  }

  function idsOf(word: string, isPrefix: boolean): Uint32Array {
    const at = lowerBound(word);
    const lists: Uint32Array[] = [];
    if (isPrefix) {
      for (let next = at; next < packed.ends.length && wordAt(next).startsWith(word); next++)
        lists.push(idsAt(next, next + 1));
      for (const [other, ids] of young) if (other.startsWith(word)) lists.push(Uint32Array.from(ids));
    } else {
      if (at < packed.ends.length && wordAt(at) === word) lists.push(idsAt(at, at + 1));
      const ids = young.get(word);
      if (ids) lists.push(Uint32Array.from(ids));
    }
    return lists.length === 0 ? EMPTY : union(lists, terms.size);
  }

  const listsOf = ({ words, isPrefix }: Phrase): readonly Uint32Array[] =>
    words.map((word, at) => idsOf(word, isPrefix && at === words.length - 1));

  return {
    matching(query, check) {
      const known = found.get(query);
      if (known?.size === terms.size) return known.ids;
      bringForward();
      const lists = query.wanted.flatMap(listsOf).sort((a, b) => a.length - b.length);
      let ids = lists.reduce((few, many) => (few.length === 0 ? few : intersection(few, many)));
      if (!isPlain(query))
        ids = ids.filter((id, at) => {
          if ((at & 255) === 255) check();
          return matches(query, terms.get(id).value);
        });
      found.set(query, { size: terms.size, ids });
      return ids;
    },
    packed,
    packedSize: size,
  };
}

const made = new WeakMap<Terms, Texts>();
/** Terms that took the place of some that were searched. */
const successors = new WeakSet<Terms>();
/** What was packed of terms that nobody has searched since. */
const adopted = new WeakMap<Terms, { readonly size: number; readonly find: () => PackedTexts | null }>();

/** The texts that there are already. */
function knownTexts(terms: Terms): Texts | null {
  const given = adopted.get(terms);
  adopted.delete(terms);
  const packed = given?.find();
  if (given && packed) made.set(terms, createTexts(terms, packed, given.size));
  return made.get(terms) ?? null;
}

/** The texts among some terms; made when they are asked for. */
export function textsOf(terms: Terms): Texts {
  let texts = knownTexts(terms);
  const young = texts ? terms.size - texts.packedSize : 0;
  if (!texts || young > Math.max(YOUNG_MIN, texts.packedSize * YOUNG_SHARE_MAX))
    made.set(terms, (texts = createTexts(terms, packTexts(terms), terms.size)));
  return texts;
}

/** Gives terms the texts that were packed of the same. @param find Called when they are needed. */
export function adoptTexts(terms: Terms, find: () => PackedTexts | null): void {
  adopted.set(terms, { size: terms.size, find });
}

/** Whoever searched the pod will search it again: what is made anew gets its texts before it is kept. */
export function passOnSearch(from: Terms, to: Terms): void {
  if (from !== to && (knownTexts(from) || successors.has(from))) successors.add(to);
}

/** All texts among some terms, to be shared and kept; null where nobody ever searched. */
export function packedTextsOf(terms: Terms): PackedTexts | null {
  const texts = knownTexts(terms);
  if (!texts && !successors.has(terms)) return null;
  if (texts?.packedSize !== terms.size) made.delete(terms);
  return textsOf(terms).packed;
}

export const textBytesOf = (terms: Terms): number => byteCountOfTexts(made.get(terms)?.packed ?? null);
