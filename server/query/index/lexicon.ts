/**
 * The terms of one pod by number. Long, for how a term is spelled, hashed, found and moved is one thing. Texts stand in
 * one heap of UTF-8 and are decoded when somebody asks; whether two literals are the same term, of which kind, and which
 * number they stand for, is decided once, when they come in. A packed part, which never changes and may be shared between
 * threads, and a young one that grows.
 */
import { blankNode, type Literal, literal, namedNode, type Value } from "../../rdf/terms.ts";
import { datatypeAt, kindAt, numberOf, placeOfDatatype } from "./kinds.ts";
import { sharedBytes, sharedIds, sharedNumbers } from "./memory.ts";
import { type Id, KINDS, type Kind, type Terms } from "./view.ts";

/** Everything of some terms, as it can be stored, and shared when it stands in shared memory. Term `id` is `heap` from `ends[id - 1]` to `ends[id]`. */
export interface PackedTerms {
  readonly heap: Uint8Array;
  readonly ends: Uint32Array;
  /** How the text is to be read. */
  readonly types: Uint8Array;
  readonly kinds: Uint8Array;
  readonly numbers: Float64Array;
  /** Open addressing by hash: id + 1, or 0. Its length is a power of two. Blank nodes are not in it. */
  readonly table: Uint32Array;
  /** Of the hash: chosen by chance, so that nobody can write terms that all have the same. */
  readonly seed: number;
}

export interface Lexicon extends Terms {
  readonly byteCount: number;
  /** Adds a term that is not there yet. Not for blank nodes: those are made by {@link addBlank}. */
  intern(term: Exclude<Value, { termType: "BlankNode" }>): Id;
  /** A blank node that no other is. Its label is made of its number. */
  addBlank(): Id;
  /**
   * All terms side by side, in shared memory where they are not side by side yet.
   * @param kept By id, 1 for those that stay: they keep their order and move together. Null: all.
   */
  pack(kept: Uint8Array | null): PackedTerms;
}

const IRI = 0;
const BLANK = 1;
/** Text: length of the language tag, a colon, the tag, the value. */
const LANGUAGE = 2;
/** Text: as of a language tag, with the IRI of the datatype. */
const DATATYPE = 3;
/** And above it the datatypes that have a number. */
const KNOWN = 4;
const STRING = KNOWN;

const TABLE_MIN = 16;
const DECODED_KEPT = 4_096; // A power of two.
const DECODED_LENGTH_MAX = 1_024; // Characters: a kept term may not weigh more than decoding it again.
const EXACT_DIGITS_MAX = 15; // Of a decimal number, a double holds as many.
const MILLISECONDS_LENGTH = "2026-01-01T00:00:00.000Z".length;
const ZONE_UTC = 0x5a; // "Z"
const COLON = 0x3a;
const ZERO = 0x30;
const HASH_FACTOR = 0x0100_0193;
const ASCII_MAX = 0x7f;
/** Of `hash`: the same everywhere, so that what is sorted by it is in the same order in every thread, and tomorrow. */
const CONTENT_SEED = 0x811c_9dc5;

/** Twice as many places as terms, so that most are found at the first look. */
function tableSizeFor(count: number): number {
  let size = TABLE_MIN;
  while (size < count * 1.6) size *= 2;
  return size;
}

const spread = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
};

function hashBytes(bytes: Uint8Array, from: number, to: number, type: number, seed: number): number {
  let hash = seed ^ type;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, HASH_FACTOR);
  return spread(hash);
}

export const emptyTerms = (): PackedTerms => ({
  heap: sharedBytes(0),
  ends: sharedIds(0),
  types: sharedBytes(0),
  kinds: sharedBytes(0),
  numbers: sharedNumbers(0),
  table: sharedIds(TABLE_MIN),
  seed: crypto.getRandomValues(new Uint32Array(1))[0]!,
});

/** The same terms in shared memory; themselves if they are there already. */
export function shareTerms(terms: PackedTerms): PackedTerms {
  if (terms.heap.buffer instanceof SharedArrayBuffer) return terms;
  const bytes = (column: Uint8Array): Uint8Array => {
    const copy = sharedBytes(column.length);
    copy.set(column);
    return copy;
  };
  const ids = (column: Uint32Array): Uint32Array => {
    const copy = sharedIds(column.length);
    copy.set(column);
    return copy;
  };
  const numbers = sharedNumbers(terms.numbers.length);
  numbers.set(terms.numbers);
  return {
    heap: bytes(terms.heap),
    ends: ids(terms.ends),
    types: bytes(terms.types),
    kinds: bytes(terms.kinds),
    numbers,
    table: ids(terms.table),
    seed: terms.seed,
  };
}

export const byteCountOf = ({ heap, ends, types, kinds, numbers, table }: PackedTerms): number =>
  heap.byteLength +
  ends.byteLength +
  types.byteLength +
  kinds.byteLength +
  numbers.byteLength +
  table.byteLength;

/** The young part: the same columns with room to grow. */
class Growing implements PackedTerms {
  heap = new Uint8Array(1_024);
  ends = new Uint32Array(32);
  types = new Uint8Array(32);
  kinds = new Uint8Array(32);
  numbers = new Float64Array(32);
  table = new Uint32Array(64);
  readonly seed: number;
  size = 0;
  heapLength = 0;
  constructor(seed: number) {
    this.seed = seed;
  }

  /** Room for one more term of so many bytes. */
  reserve(bytes: number): void {
    if (this.heapLength + bytes > this.heap.length)
      this.heap = grown(new Uint8Array(Math.max(this.heap.length * 2, this.heapLength + bytes)), this.heap);
    if (this.size < this.ends.length) return;
    const room = this.size * 2;
    this.ends = grown(new Uint32Array(room), this.ends);
    this.types = grown(new Uint8Array(room), this.types);
    this.kinds = grown(new Uint8Array(room), this.kinds);
    this.numbers = grown(new Float64Array(room), this.numbers);
    this.table = new Uint32Array(tableSizeFor(room));
    fillTable(this, this.size);
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(larger: T, from: T): T {
  larger.set(from);
  return larger;
}

/** Puts the first `size` terms into a table that is empty. */
function fillTable({ heap, ends, types, table, seed }: PackedTerms, size: number): void {
  const mask = table.length - 1;
  let from = 0;
  for (let id = 0; id < size; id++) {
    const to = ends[id]!;
    if (types[id] !== BLANK) {
      let place = hashBytes(heap, from, to, types[id]!, seed) & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = id + 1;
    }
    from = to;
  }
}

// What is looked for, between reading a term and comparing: module state, for this is the innermost loop of all.
let wantedText = "";
let wantedBytes: Uint8Array | null = null; // Null: the text is ASCII, and its characters are its bytes.
let wantedType = IRI;
let wantedHash = 0;

function want(term: Exclude<Value, { termType: "BlankNode" }>, seed: number): void {
  if (term.termType === "NamedNode") {
    wantedType = IRI;
    wantedText = term.value;
  } else setWantedLiteral(term);
  const text = wantedText;
  let hash = seed ^ wantedType;
  let all = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    all |= code;
    hash = Math.imul(hash ^ code, HASH_FACTOR);
  }
  if (all <= ASCII_MAX) {
    wantedBytes = null;
    wantedHash = spread(hash);
  } else {
    wantedBytes = Buffer.from(text, "utf8");
    wantedHash = hashBytes(wantedBytes, 0, wantedBytes.length, wantedType, seed);
  }
}

/** What `hash` would say of a term if it were in a lexicon. */
export function hashOf(term: Value): number {
  if (term.termType === "BlankNode") return 0;
  want(term, CONTENT_SEED);
  return wantedHash;
}

function setWantedLiteral({ value, language, datatype }: Literal): void {
  if (language) {
    const tag = language.toLowerCase();
    wantedType = LANGUAGE;
    wantedText = `${tag.length}:${tag}${value}`;
    return;
  }
  const place = placeOfDatatype(datatype.value);
  wantedType = place < 0 ? DATATYPE : KNOWN + place;
  wantedText = place < 0 ? `${datatype.value.length}:${datatype.value}${value}` : value;
}

/** @returns the number of the wanted term in this part; -1 when it is not there. */
function findIn({ heap, ends, types, table }: PackedTerms): number {
  const mask = table.length - 1;
  const bytes = wantedBytes;
  const text = wantedText;
  const length = bytes ? bytes.length : text.length;
  for (let place = wantedHash & mask; ; place = (place + 1) & mask) {
    const id = table[place]! - 1;
    if (id < 0) return -1;
    const from = id === 0 ? 0 : ends[id - 1]!;
    if (ends[id]! - from !== length || types[id] !== wantedType) continue;
    // From the end: addresses begin alike.
    let at = length - 1;
    if (bytes) while (at >= 0 && heap[from + at] === bytes[at]) at--;
    else while (at >= 0 && heap[from + at] === text.charCodeAt(at)) at--;
    if (at < 0) return id;
  }
}

function addTo(part: Growing, kind: Kind, number: number): number {
  const bytes = wantedBytes;
  const text = wantedText;
  const length = bytes ? bytes.length : text.length;
  part.reserve(length);
  const from = part.heapLength;
  if (bytes) part.heap.set(bytes, from);
  else for (let at = 0; at < length; at++) part.heap[from + at] = text.charCodeAt(at);
  const id = part.size++;
  part.heapLength += length;
  part.ends[id] = part.heapLength;
  part.types[id] = wantedType;
  part.kinds[id] = kind;
  part.numbers[id] = number;
  const mask = part.table.length - 1;
  let place = wantedHash & mask;
  while (part.table[place] !== 0) place = (place + 1) & mask;
  part.table[place] = id + 1;
  return id;
}

/** Where the value of a literal begins whose language or datatype is spelled; -1 where its characters are not its bytes. */
function afterPrefix(heap: Uint8Array, from: number): number {
  let at = from;
  let length = 0;
  for (; heap[at] !== COLON; at++) length = length * 10 + heap[at]! - ZERO;
  const end = at + 1 + length;
  for (; at < end; at++) if (heap[at]! > ASCII_MAX) return -1;
  return end;
}

function decode(type: number, text: string): Value {
  if (type === IRI) return namedNode(text);
  if (type === STRING) return literal(text);
  if (type >= KNOWN) return literal(text, namedNode(datatypeAt(type - KNOWN)));
  const colon = text.indexOf(":");
  const end = colon + 1 + Number(text.slice(0, colon));
  const qualifier = text.slice(colon + 1, end);
  return literal(text.slice(end), type === LANGUAGE ? qualifier : namedNode(qualifier));
}

/** @param base Terms that are there already; they are only read. */
export function createLexicon(base: PackedTerms): Lexicon {
  const baseSize = base.ends.length;
  const { kinds: baseKinds, numbers: baseNumbers } = base;
  const baseHeap = Buffer.from(base.heap.buffer, base.heap.byteOffset, base.heap.byteLength);
  const young = new Growing(base.seed);
  let decoded: (Value | undefined)[] = [];
  let decodedIds = new Uint32Array();

  /** Room for decoded terms, when the first is decoded: most of what is read is never shown. */
  function makeRoom(): void {
    let room = 64;
    while (room < Math.min(lexicon.size, DECODED_KEPT)) room *= 2;
    decoded = Array.from({ length: room });
    decodedIds = new Uint32Array(room).fill(0xffff_ffff);
  }

  function read(id: Id): Value {
    const local = id < baseSize ? id : id - baseSize;
    const part: PackedTerms = id < baseSize ? base : young;
    const type = part.types[local]!;
    if (type === BLANK) return blankNode(`b${id}`);
    const heap = id < baseSize ? baseHeap : Buffer.from(young.heap.buffer);
    return decode(type, heap.toString("utf8", local === 0 ? 0 : part.ends[local - 1]!, part.ends[local]));
  }

  const lexicon: Lexicon = {
    get size() {
      return baseSize + young.size;
    },
    get byteCount() {
      return byteCountOf(base) + byteCountOf(young);
    },
    find(term) {
      if (term.termType === "BlankNode") {
        const id = Number(/^b([0-9]{1,10})$/.exec(term.value)?.[1] ?? -1);
        return id < baseSize + young.size && id >= 0 && lexicon.kind(id) === KINDS.blank ? id : -1;
      }
      want(term, base.seed);
      const found = findIn(base);
      if (found >= 0) return found;
      const recent = findIn(young);
      return recent < 0 ? -1 : baseSize + recent;
    },
    get(id) {
      if (decoded.length === 0) makeRoom();
      const place = id & (decoded.length - 1);
      if (decodedIds[place] === id) return decoded[place]!;
      const term = read(id);
      if (term.value.length > DECODED_LENGTH_MAX) return term;
      decodedIds[place] = id;
      decoded[place] = term;
      return term;
    },
    kind: (id) => (id < baseSize ? baseKinds[id]! : young.kinds[id - baseSize]!) as Kind,
    num: (id) => (id < baseSize ? baseNumbers[id]! : young.numbers[id - baseSize]!),
    exact(id) {
      const local = id < baseSize ? id : id - baseSize;
      const { ends, kinds, heap }: PackedTerms = id < baseSize ? base : young;
      const end = ends[local]!;
      const length = end - (local === 0 ? 0 : ends[local - 1]!);
      if (kinds[local] === KINDS.integer || kinds[local] === KINDS.decimal) return length <= EXACT_DIGITS_MAX;
      return kinds[local] === KINDS.dateTime && length <= MILLISECONDS_LENGTH && heap[end - 1] === ZONE_UTC;
    },
    span(id, into) {
      const local = id < baseSize ? id : id - baseSize;
      const { heap, ends, types }: PackedTerms = id < baseSize ? base : young;
      const type = types[local]!;
      if (type === BLANK) return false;
      into.heap = heap;
      into.from = local === 0 ? 0 : ends[local - 1]!;
      into.to = ends[local]!;
      if (type === LANGUAGE || type === DATATYPE) into.from = afterPrefix(heap, into.from);
      return into.from >= 0;
    },
    hash(id) {
      const local = id < baseSize ? id : id - baseSize;
      const { heap, ends, types }: PackedTerms = id < baseSize ? base : young;
      if (types[local] === BLANK) return 0;
      return hashBytes(heap, local === 0 ? 0 : ends[local - 1]!, ends[local]!, types[local]!, CONTENT_SEED);
    },
    intern(term) {
      const id = lexicon.find(term);
      if (id >= 0) return id;
      let kind: Kind = KINDS.iri;
      if (wantedType === LANGUAGE) kind = KINDS.langString;
      else if (wantedType === DATATYPE) kind = KINDS.other;
      else if (wantedType >= KNOWN) kind = kindAt(wantedType - KNOWN, wantedText);
      return baseSize + addTo(young, kind, numberOf(kind, wantedText));
    },
    addBlank() {
      young.reserve(0);
      const id = young.size++;
      young.ends[id] = young.heapLength;
      young.types[id] = BLANK;
      young.kinds[id] = KINDS.blank;
      young.numbers[id] = Number.NaN;
      return baseSize + id;
    },
    pack(kept) {
      if (young.size === 0 && kept === null) return base;
      return packParts(base, young, kept);
    },
  };
  return lexicon;
}

function packParts(base: PackedTerms, young: Growing, kept: Uint8Array | null): PackedTerms {
  const baseSize = base.ends.length;
  const total = baseSize + young.size;
  let count = 0;
  let bytes = 0;
  for (let id = 0; id < total; id++) {
    if (kept !== null && kept[id] === 0) continue;
    const [part, local] = id < baseSize ? [base, id] : [young, id - baseSize];
    count++;
    bytes += part.ends[local]! - (local === 0 ? 0 : part.ends[local - 1]!);
  }
  const packed: PackedTerms = {
    heap: sharedBytes(bytes),
    ends: sharedIds(count),
    types: sharedBytes(count),
    kinds: sharedBytes(count),
    numbers: sharedNumbers(count),
    table: sharedIds(tableSizeFor(count)),
    seed: base.seed,
  };
  let to = 0;
  let end = 0;
  const stays = (id: Id): boolean => kept === null || kept[id] === 1;
  const copy = (part: PackedTerms, size: number, offset: number): void => {
    for (let local = 0; local < size; ) {
      if (!stays(offset + local)) {
        local++;
        continue;
      }
      // A run of terms that all stay is copied at once.
      const from = local === 0 ? 0 : part.ends[local - 1]!;
      const shift = end - from;
      for (; local < size && stays(offset + local); local++, to++) {
        packed.ends[to] = part.ends[local]! + shift;
        packed.types[to] = part.types[local]!;
        packed.kinds[to] = part.kinds[local]!;
        packed.numbers[to] = part.numbers[local]!;
      }
      packed.heap.set(part.heap.subarray(from, part.ends[local - 1]), end);
      end += part.ends[local - 1]! - from;
    }
  };
  copy(base, baseSize, 0);
  copy(young, young.size, baseSize);
  fillTable(packed, count);
  return packed;
}
