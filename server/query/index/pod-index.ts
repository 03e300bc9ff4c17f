/**
 * The quads of one pod's documents. A large base that is sorted once, and what came since in small segments that are
 * merged step by step; what is dropped is left out of every view, and taken out when the base is made anew.
 */
import { namedNode, type Quad, type Value } from "../../rdf/terms.ts";
import {
  byteCountOf as byteCountOfTerms,
  createLexicon,
  emptyTerms,
  type Lexicon,
  type PackedTerms,
  shareTerms,
} from "./lexicon.ts";
import { sharedIds } from "./memory.ts";
import {
  byteCountOf,
  type Columns,
  complete,
  hasTriple,
  type PackedSegment,
  packSegment,
} from "./segment.ts";
import { Slots } from "./slots.ts";
import {
  adoptTexts,
  byteCountOfTexts,
  type PackedTexts,
  packedTextsOf,
  passOnSearch,
  textBytesOf,
} from "./texts.ts";
import type { Id, View } from "./view.ts";
import { createView, type Part, partOf } from "./visible.ts";

/** One version of one document. */
export interface IndexedDocument {
  /** Stands for it, and never for anything else. */
  readonly number: number;
  /** The name of its graph: no two documents of one view have the same. */
  readonly graph: string;
  /** What graph they say they are in does not matter. */
  readonly quads: Iterable<Quad>;
  /** Told which blank node a label became: for updates, which must find it in the document again. Stays so while nothing is dropped. */
  readonly onBlank?: (label: string, id: Id) => void;
}

/** The base of an index in shared memory: any thread may read it, none changes it. */
export interface SharedIndex {
  readonly terms: PackedTerms;
  readonly segment: PackedSegment;
  /** The words of the terms; null where nobody has searched. */
  readonly texts: PackedTexts | null;
  /** By slot: its document's number (0: dropped since), the id of its name, how many quads it has. */
  readonly numbers: Uint32Array;
  readonly names: Uint32Array;
  readonly quads: Uint32Array;
}

export interface PodIndex {
  add(document: IndexedDocument): void;
  /** Forgets documents; numbers that it does not have are ignored. */
  drop(numbers: Iterable<number>): void;
  has(number: number): boolean;
  /** The numbers of all documents. */
  numbers(): Uint32Array;
  /**
   * Stays as it is whatever is added and dropped later.
   * @param defaults Numbers of the documents whose merge is the default graph. @param named Those that are named graphs.
   * @throws Error for a document that was not added.
   */
  view(defaults: Uint32Array, named: Uint32Array): View;
  /** Quads of all documents. */
  readonly quadCount: number;
  /** All that the index takes, in bytes. */
  readonly byteCount: number;
  /** Share of what is not in the base, or in it and dropped. */
  readonly wornShare: number;
  /** Makes the base anew, of all documents. For when nobody waits: about a microsecond for each quad. */
  compact(): void;
  /** The base with all its orders, compacted first unless nothing has changed. */
  share(): SharedIndex;
}

/** Beyond this share of the base, a view makes it anew before it answers. */
const DELTA_SHARE_MAX = 0.25;
/** … but not while there is so little that sorting it is nothing. */
const DELTA_QUADS_MIN = 32_768;
/** Versions that are gone and still have a slot, beyond one for each that is there: their terms are there as well. */
const DEAD_SLOTS_MIN = 4_096;
/** What is new goes into the last of these segments that has room for it, together with all smaller ones. */
const LATER_QUADS_MAX = [Number.POSITIVE_INFINITY, 32_768, 1_024] as const;

/** All that it takes in memory, with the orders that are not made yet. */
export const byteCountOfShared = ({ terms, segment, texts, numbers }: SharedIndex): number =>
  byteCountOfTerms(terms) + byteCountOf(segment) + byteCountOfTexts(texts) + numbers.byteLength * 3;

/** Columns that grow. */
class Pending {
  length = 0;
  columns: Columns = createColumns(256);
  push(subject: Id, predicate: Id, object: Id, graph: number): void {
    if (this.length === this.columns.subject.length) {
      const larger = createColumns(this.length * 2);
      larger.subject.set(this.columns.subject);
      larger.predicate.set(this.columns.predicate);
      larger.object.set(this.columns.object);
      larger.graph.set(this.columns.graph);
      this.columns = larger;
    }
    const at = this.length++;
    const { columns } = this;
    columns.subject[at] = subject;
    columns.predicate[at] = predicate;
    columns.object[at] = object;
    columns.graph[at] = graph;
  }
}

const createColumns = (length: number): Columns => ({
  subject: new Uint32Array(length),
  predicate: new Uint32Array(length),
  object: new Uint32Array(length),
  graph: new Uint32Array(length),
});

/** @param shared A base to begin with; documents with number 0 in it are not there. */
export function createPodIndex(shared: SharedIndex | null = null): PodIndex {
  let lexicon: Lexicon = createLexicon(shared?.terms ?? emptyTerms());
  let slots = new Slots();
  let base = partOf(shared?.segment ?? packSegment(createColumns(0)));
  /** What came since, the largest first: one for each of `LATER_QUADS_MAX`. */
  let later: (Part | null)[] = LATER_QUADS_MAX.map(() => null);
  let pending = new Pending();
  /** Triples (s, p, o, s, p, o, …) that stand in more than one segment. */
  let scattered: Id[] = [];
  let baseSlots = 0;
  let droppedQuads = 0; // Of what is in the base.

  if (shared) adopt(shared);
  if (shared) adoptTexts(lexicon, () => shared.texts); // Perhaps still packed: not before somebody searches.
  function adopt({ numbers, names, quads }: SharedIndex): void {
    slots = new Slots(Math.max(64, numbers.length + (numbers.length >>> 3)));
    for (let slot = 0; slot < numbers.length; slot++) {
      const number = numbers[slot]!;
      if (number === 0) slots.addDead(names[slot]!, quads[slot]!);
      else slots.add(number, names[slot]!, quads[slot]!);
    }
    baseSlots = slots.count;
    droppedQuads = base.open.length - slots.liveQuads;
  }

  const isLive = (slot: number): boolean => slots.live[slot] === 1;

  /** Live rows of segments, and the first rows of what is pending, side by side. */
  function collect(parts: readonly Part[], withPending: boolean): Columns {
    let length = withPending ? pending.length : 0;
    for (const { open } of parts) length += open.length;
    const all = createColumns(length);
    let to = 0;
    const take = (
      rows: number,
      subject: Uint32Array,
      predicate: Uint32Array,
      object: Uint32Array,
      graph: Uint32Array,
    ): void => {
      const { live } = slots;
      for (let row = 0; row < rows; row++) {
        const slot = graph[row]!;
        if (live[slot] === 0) continue;
        all.subject[to] = subject[row]!;
        all.predicate[to] = predicate[row]!;
        all.object[to] = object[row]!;
        all.graph[to++] = slot;
      }
    };
    for (const { open } of parts)
      take(open.length, open.spo.first, open.spo.second, open.spo.third, open.spo.graph);
    if (withPending) {
      const { subject, predicate, object, graph } = pending.columns;
      take(pending.length, subject, predicate, object, graph);
    }
    return {
      subject: all.subject.subarray(0, to),
      predicate: all.predicate.subarray(0, to),
      object: all.object.subarray(0, to),
      graph: all.graph.subarray(0, to),
    };
  }

  const parts = (): Part[] => [base, ...later].filter((part) => part !== null);
  const deltaQuads = (): number =>
    later.reduce((sum, part) => sum + (part?.open.length ?? 0), pending.length);

  function flush(): void {
    if (pending.length === 0) return;
    const isLarge = deltaQuads() > Math.max(DELTA_QUADS_MIN, base.open.length * DELTA_SHARE_MAX);
    const isCluttered = slots.count > slots.liveCount * 2 + DEAD_SLOTS_MIN;
    if (isLarge || isCluttered) return compact();
    noteScattered();
    const merged: Part[] = [];
    let sum = pending.length;
    for (let at = later.length - 1; at >= 0; at--) {
      const part = later[at];
      if (part) merged.push(part);
      sum += part?.open.length ?? 0;
      later[at] = null;
      if (sum > LATER_QUADS_MAX[at]!) continue;
      later[at] = partOf(packSegment(collect(merged, true)));
      break;
    }
    pending = new Pending();
  }

  /** Whatever is pending and stands in a segment already is remembered, so that a view knows whether it may see it twice. */
  function noteScattered(): void {
    const { subject, predicate, object } = pending.columns;
    const before = parts();
    for (let row = 0; row < pending.length; row++) {
      const [s, p, o] = [subject[row]!, predicate[row]!, object[row]!];
      if (before.some(({ open }) => hasTriple(open, s, p, o, isLive))) scattered.push(s, p, o);
    }
  }

  function compact(): void {
    const columns = collect(parts(), true);
    const kept = new Slots(Math.max(64, slots.count));
    const slotNow = new Uint32Array(slots.count);
    const isNothingDropped = slots.liveCount === slots.count;
    let used: Uint8Array | null = null;
    if (!isNothingDropped) {
      used = new Uint8Array(lexicon.size);
      for (const column of [columns.subject, columns.predicate, columns.object])
        for (let row = 0; row < column.length; row++) used[column[row]!] = 1;
      for (let slot = 0; slot < slots.count; slot++) if (isLive(slot)) used[slots.names[slot]!] = 1;
    }
    const idNow = used && idsAfter(used);
    for (let slot = 0; slot < slots.count; slot++) {
      if (!isLive(slot)) continue;
      const name = slots.names[slot]!;
      slotNow[slot] = kept.add(slots.numbers[slot]!, idNow ? idNow[name]! : name, slots.quads[slot]!);
    }
    for (let row = 0; row < columns.graph.length; row++) columns.graph[row] = slotNow[columns.graph[row]!]!;
    if (idNow)
      for (const column of [columns.subject, columns.predicate, columns.object])
        for (let row = 0; row < column.length; row++) column[row] = idNow[column[row]!]!;
    const before = lexicon;
    lexicon = createLexicon(before.pack(used));
    passOnSearch(before, lexicon);
    slots = kept;
    base = partOf(packSegment(columns));
    for (let slot = 0; slot < slots.count; slot++)
      slots.setQuads(slot, base.open.graphEnd(slot) - base.open.graphStart(slot)); // What a document says twice counts once.
    later = LATER_QUADS_MAX.map(() => null);
    pending = new Pending();
    scattered = [];
    baseSlots = slots.count;
    droppedQuads = 0;
  }

  const isWorn = (): boolean => deltaQuads() > 0 || baseSlots < slots.count || slots.liveCount < slots.count;

  return {
    add({ number, graph, quads, onBlank }) {
      const before = pending.length;
      const slot = slots.count;
      const blanks = new Map<string, Id>();
      const idOf = (term: Value): Id => {
        if (term.termType !== "BlankNode") return lexicon.intern(term);
        let id = blanks.get(term.value);
        if (id === undefined) {
          blanks.set(term.value, (id = lexicon.addBlank()));
          onBlank?.(term.value, id);
        }
        return id;
      };
      const name = lexicon.intern(namedNode(graph));
      for (const { subject, predicate, object } of quads)
        pending.push(idOf(subject), lexicon.intern(predicate), idOf(object), slot);
      slots.add(number, name, pending.length - before);
    },
    drop(numbers) {
      for (const number of numbers) {
        const slot = slots.slotOf(number);
        if (slot < 0) continue;
        if (slot < baseSlots) droppedQuads += slots.quads[slot]!;
        slots.drop(number);
      }
    },
    has: (number) => slots.slotOf(number) >= 0,
    numbers: () => slots.numbers.slice(0, slots.count).filter((_, slot) => isLive(slot)),
    view(defaults, named) {
      flush();
      const bitmap = (numbers: Uint32Array): Uint8Array => {
        const bits = new Uint8Array(slots.count);
        for (const number of numbers) {
          const slot = slots.slotOf(number);
          if (slot < 0) throw new Error("a view of a document that was not added");
          bits[slot] = 1;
        }
        return bits;
      };
      const defaultBits = bitmap(defaults);
      const namedBits = named === defaults ? defaultBits : bitmap(named);
      return createView(lexicon, slots, parts(), scattered.slice(), defaultBits, namedBits);
    },
    get quadCount() {
      return slots.liveQuads;
    },
    get byteCount() {
      const segments = parts().reduce((sum, { packed }) => sum + byteCountOf(packed), 0);
      return (
        lexicon.byteCount +
        textBytesOf(lexicon) +
        slots.byteCount +
        segments +
        pending.columns.subject.byteLength * 4
      );
    },
    get wornShare() {
      return (deltaQuads() + droppedQuads) / Math.max(1, base.open.length);
    },
    compact,
    share() {
      if (isWorn()) compact();
      const copy = (column: Uint32Array): Uint32Array => {
        const copied = sharedIds(slots.count);
        copied.set(column.subarray(0, slots.count));
        return copied;
      };
      const packed = lexicon.pack(null);
      const terms = shareTerms(packed);
      const before = lexicon;
      if (terms !== packed) lexicon = createLexicon(terms);
      passOnSearch(before, lexicon);
      return {
        terms,
        segment: complete(base.packed),
        texts: packedTextsOf(lexicon),
        numbers: copy(slots.numbers),
        names: copy(slots.names),
        quads: copy(slots.quads),
      };
    },
  };
}

/** New ids of those that stay: in their order, so that what is sorted stays sorted. */
function idsAfter(used: Uint8Array): Uint32Array {
  const ids = new Uint32Array(used.length);
  let next = 0;
  for (let id = 0; id < used.length; id++) if (used[id] === 1) ids[id] = next++;
  return ids;
}
