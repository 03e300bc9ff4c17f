/**
 * A default graph that is a small part of a large pod: what a shop may read of ten years, or the one document that FROM
 * names. Scans of a whole predicate would test the graph of every row; once that has been paid for a few times, the few
 * triples are put side by side, sorted and each once, and kept as long as the view is.
 */
import { type Id, type Order, type Segment, UNBOUND, type View } from "../index/view.ts";
import { type DefaultGraph, locate, lowerBound, type Range } from "./scan.ts";

/** Larger parts are scanned where they are. */
const QUADS_MAX = 16_384;
/** Smaller shares are worth it. */
const SHARE = 1 / 8;
/** Rows that are tested in the time in which one triple is sorted. */
const TESTS_FOR_ONE = 200;

interface Part {
  /** Quads in the graphs of the default graph. */
  readonly quads: number;
  tested: number;
  graph: DefaultGraph | null;
}

const parts = new WeakMap<View, Part>();

const total = ({ segments }: View): number => segments.reduce((sum, { length }) => sum + length, 0);

function quadsOf(view: View): number {
  let quads = 0;
  for (let slot = 0; slot < view.slotCount; slot++) {
    if (view.defaults[slot] === 0) continue;
    for (const segment of view.segments) quads += segment.graphEnd(slot) - segment.graphStart(slot);
  }
  return quads;
}

function partOf(view: View): Part {
  let part = parts.get(view);
  if (part) return part;
  const quads = view.defaultCount < view.slotCount * SHARE ? quadsOf(view) : Number.POSITIVE_INFINITY;
  const isSmall = quads <= QUADS_MAX && quads < total(view) * SHARE;
  part = { quads: isSmall ? quads : Number.POSITIVE_INFINITY, tested: 0, graph: null };
  parts.set(view, part);
  return part;
}

/**
 * For a scan of which only terms of the query are known: each is UNBOUND where anything fits.
 * @returns the part, where that is the shorter way; else the default graph as it stands.
 */
export function shorterWay(view: View, whole: DefaultGraph, s: Id, p: Id, o: Id): DefaultGraph {
  const part = partOf(view);
  if (part.quads === Number.POSITIVE_INFINITY) return whole;
  let rows = 0;
  const range: Range = { order: view.segments[0]!.spo, lead: 0, low: 0, high: 0, depth: 0 };
  for (const segment of view.segments) {
    locate(segment, s, p, o, range);
    rows += range.high - range.low;
  }
  part.tested += rows;
  if (!part.graph && part.tested > part.quads * TESTS_FOR_ONE) part.graph = sorted(view, part.quads);
  return part.graph && rows > part.quads ? part.graph : whole;
}

type Triples = readonly [subject: Uint32Array, predicate: Uint32Array, object: Uint32Array];

function sorted(view: View, quads: number): DefaultGraph {
  const triples: Triples = [new Uint32Array(quads), new Uint32Array(quads), new Uint32Array(quads)];
  let length = 0;
  for (let slot = 0; slot < view.slotCount; slot++) {
    if (view.defaults[slot] === 0) continue;
    for (const segment of view.segments) {
      const { subject, predicate, object } = segment.byGraph;
      const end = segment.graphEnd(slot);
      for (let at = segment.graphStart(slot); at < end; at++, length++) {
        triples[0][length] = subject[at]!;
        triples[1][length] = predicate[at]!;
        triples[2][length] = object[at]!;
      }
    }
  }
  const all = Uint32Array.from({ length }, (_, at) => at);
  const distinct = sortedBy(all, triples).filter(
    (at, number, rows) => number === 0 || triples.some((column) => column[at] !== column[rows[number - 1]!]),
  );
  const [s, p, o] = triples;
  const segment: Segment = {
    length: distinct.length,
    spo: orderOf(distinct, [s, p, o]),
    pos: orderOf(sortedBy(distinct.slice(), [p, o, s]), [p, o, s]),
    osp: orderOf(sortedBy(distinct.slice(), [o, s, p]), [o, s, p]),
    byGraph: { subject: new Uint32Array(), predicate: new Uint32Array(), object: new Uint32Array() },
    graphStart: () => 0,
    graphEnd: () => 0,
  };
  return { segments: [segment], visible: Uint8Array.of(1), mayRepeat: false };
}

const sortedBy = (rows: Uint32Array, [first, second, third]: Triples): Uint32Array =>
  rows.sort((a, b) => first[a]! - first[b]! || second[a]! - second[b]! || third[a]! - third[b]!);

function orderOf(rows: Uint32Array, columns: Triples): Order {
  const [first, second, third] = columns.map((column) =>
    rows.map((row) => column[row]!),
  ) as unknown as Triples;
  return {
    first,
    second,
    third,
    graph: new Uint32Array(rows.length),
    start: (id) => lowerBound(first, 0, first.length, id),
    end: (id) => (id === UNBOUND ? first.length : lowerBound(first, 0, first.length, id + 1)),
  };
}
