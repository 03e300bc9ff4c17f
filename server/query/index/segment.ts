/** Quads as numbers in four sorted orders: made once, never changed, so that threads may share them. */

import { sharedIds } from "./memory.ts";
import { gather, rowNumbers, sortBy } from "./sort.ts";
import type { Id, Order, Segment } from "./view.ts";

/** Quads side by side: row `n` is the n-th of each. */
export interface Columns {
  readonly subject: Uint32Array;
  readonly predicate: Uint32Array;
  readonly object: Uint32Array;
  readonly graph: Uint32Array;
}

export interface PackedOrder {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly third: Uint32Array;
  readonly graph: Uint32Array;
  /** Rows of `id` begin at `starts[id]` and end at `starts[id + 1]`; null where searching is cheaper. */
  readonly starts: Uint32Array | null;
}

/** Everything of a segment, as threads share it. Orders but the first are made when they are first needed. */
export interface PackedSegment {
  readonly spo: PackedOrder;
  pos: PackedOrder | null;
  osp: PackedOrder | null;
  byGraph: Omit<Columns, "graph"> | null;
  /** As in an order, but from the first slot that is here: what is new has new slots. */
  readonly firstSlot: number;
  readonly graphStarts: Uint32Array;
  /** The first row in `spo` of each triple that stands in more than one graph. */
  readonly repeats: Uint32Array;
}

const SEARCHED_MAX = 4_096; // Rows of a segment that needs no table of starts.

/** The first row whose id is not less. */
function lowerBound(column: Uint32Array, id: Id): number {
  let [from, to] = [0, column.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (column[middle]! < id) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** @param largest Of the ids in the column, which need not be sorted. @param least That the table begins with. */
function startsOf(column: Uint32Array, largest: Id, least: Id = 0): Uint32Array {
  const starts = sharedIds(Math.max(0, largest - least) + 2);
  for (let row = 0; row < column.length; row++) starts[column[row]! - least + 1]!++;
  for (let at = 1; at < starts.length; at++) starts[at]! += starts[at - 1]!;
  return starts;
}

function packOrder(
  first: Uint32Array,
  second: Uint32Array,
  third: Uint32Array,
  graph: Uint32Array,
): PackedOrder {
  const largest = first.at(-1) ?? -1;
  const isSearched = first.length <= SEARCHED_MAX && largest > first.length;
  return { first, second, third, graph, starts: isSearched ? null : startsOf(first, largest) };
}

/** Stable, the last key first. @returns row numbers. */
function sorted(keys: readonly Uint32Array[]): Uint32Array {
  let rows = rowNumbers(keys[0]!.length);
  let spare: Uint32Array = new Uint32Array(rows.length);
  for (const key of keys) {
    const result = sortBy(rows, key, spare);
    if (result === spare) [rows, spare] = [spare, rows];
  }
  return rows;
}

/** Sorts; a quad that is there twice stays once. @param columns In any order. */
export function packSegment(columns: Columns): PackedSegment {
  const rows = sorted([columns.graph, columns.object, columns.predicate, columns.subject]);
  const kept = withoutRepeated(columns, rows);
  return packSorted({
    subject: gather(columns.subject, kept),
    predicate: gather(columns.predicate, kept),
    object: gather(columns.object, kept),
    graph: gather(columns.graph, kept),
  });
}

/** @param columns Sorted by (s, p, o, g), each quad once, in shared memory: they become part of the segment. */
export function packSorted({ subject, predicate, object, graph }: Columns): PackedSegment {
  let [firstSlot, lastSlot] = [graph[0] ?? 0, -1];
  for (let row = 0; row < graph.length; row++) {
    const slot = graph[row]!;
    if (slot > lastSlot) lastSlot = slot;
    if (slot < firstSlot) firstSlot = slot;
  }
  return {
    spo: packOrder(subject, predicate, object, graph),
    pos: null,
    osp: null,
    byGraph: null,
    firstSlot,
    graphStarts: startsOf(graph, lastSlot, firstSlot),
    repeats: repeatsOf(subject, predicate, object),
  };
}

// From (s p o g), a stable sort by o gives (o s p g), and one more by p gives (p o s g).
function ospOf({ spo: { first, second, third, graph } }: PackedSegment): PackedOrder {
  const rows = sorted([third]);
  return packOrder(gather(third, rows), gather(first, rows), gather(second, rows), gather(graph, rows));
}
function posOf({ spo: { first, second, third, graph } }: PackedSegment): PackedOrder {
  const rows = sorted([third, second]);
  return packOrder(gather(second, rows), gather(third, rows), gather(first, rows), gather(graph, rows));
}

function byGraphOf({
  spo: { first, second, third, graph },
  firstSlot,
  graphStarts,
}: PackedSegment): Omit<Columns, "graph"> {
  const next = graphStarts.slice();
  const [subject, predicate, object] = [
    sharedIds(graph.length),
    sharedIds(graph.length),
    sharedIds(graph.length),
  ];
  for (let row = 0; row < graph.length; row++) {
    const to = next[graph[row]! - firstSlot]!++;
    subject[to] = first[row]!;
    predicate[to] = second[row]!;
    object[to] = third[row]!;
  }
  return { subject, predicate, object };
}

/** Makes all orders that are not made yet, as for other threads. */
export function complete(packed: PackedSegment): PackedSegment {
  packed.pos ??= posOf(packed);
  packed.osp ??= ospOf(packed);
  packed.byGraph ??= byGraphOf(packed);
  return packed;
}

/** @param rows Sorted; its beginning is overwritten by the result. */
function withoutRepeated({ subject, predicate, object, graph }: Columns, rows: Uint32Array): Uint32Array {
  let count = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const before = count === 0 ? -1 : rows[count - 1]!;
    const isSame =
      before >= 0 &&
      subject[row] === subject[before] &&
      object[row] === object[before] &&
      predicate[row] === predicate[before] &&
      graph[row] === graph[before];
    if (!isSame) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

function repeatsOf(subject: Uint32Array, predicate: Uint32Array, object: Uint32Array): Uint32Array {
  const isSame = (row: number): boolean =>
    subject[row] === subject[row - 1] &&
    object[row] === object[row - 1] &&
    predicate[row] === predicate[row - 1];
  const found: number[] = [];
  for (let row = 1; row < subject.length; row++)
    if (isSame(row) && !(row > 1 && isSame(row - 1))) found.push(row - 1);
  const repeats = sharedIds(found.length);
  repeats.set(found);
  return repeats;
}

function openOrder({ first, second, third, graph, starts }: PackedOrder): Order {
  const length = first.length;
  if (starts === null) {
    return {
      start: (id) => lowerBound(first, id),
      end: (id) => lowerBound(first, id + 1),
      first,
      second,
      third,
      graph,
    };
  }
  const last = starts.length - 1;
  return {
    start: (id) => (id < last ? starts[id]! : length),
    end: (id) => (id < last ? starts[id + 1]! : length),
    first,
    second,
    third,
    graph,
  };
}

export function openSegment(packed: PackedSegment): Segment {
  const length = packed.spo.first.length;
  const { graphStarts, firstSlot } = packed;
  const last = firstSlot + graphStarts.length - 1;
  const isHere = (slot: number): boolean => slot >= firstSlot && slot < last;
  const spo = openOrder(packed.spo);
  let pos: Order | null = null;
  let osp: Order | null = null;
  return {
    length,
    spo,
    get pos() {
      return (pos ??= openOrder((packed.pos ??= posOf(packed))));
    },
    get osp() {
      return (osp ??= openOrder((packed.osp ??= ospOf(packed))));
    },
    get byGraph() {
      return (packed.byGraph ??= byGraphOf(packed));
    },
    graphStart: (slot) => (isHere(slot) ? graphStarts[slot - firstSlot]! : 0),
    graphEnd: (slot) => (isHere(slot) ? graphStarts[slot - firstSlot + 1]! : 0),
  };
}

/** Of all orders, those that are not made yet included. */
export const byteCountOf = ({ spo, graphStarts, repeats }: PackedSegment): number =>
  spo.first.byteLength * 15 + (spo.starts?.byteLength ?? 0) * 2 + graphStarts.byteLength + repeats.byteLength;

/** Whether `segment` has the triple in a slot that `isMeant`. */
export function hasTriple(
  { spo }: Segment,
  subject: Id,
  predicate: Id,
  object: Id,
  isMeant: (slot: number) => boolean,
): boolean {
  let [from, to] = [spo.start(subject), spo.end(subject)];
  const end = to;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const before =
      spo.second[middle]! < predicate || (spo.second[middle] === predicate && spo.third[middle]! < object);
    if (before) from = middle + 1;
    else to = middle;
  }
  for (; from < end && spo.second[from] === predicate && spo.third[from] === object; from++)
    if (isMeant(spo.graph[from]!)) return true;
  return false;
}
