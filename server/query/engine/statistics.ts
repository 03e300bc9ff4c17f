/**
 * How many solutions a pattern may have. Only what the asker may see is counted, so that the order of a join does not tell
 * of the rest: exactly in short ranges, once for each view in long ones, and by samples in very long ones.
 */
import { type Id, type Segment, UNBOUND, type View } from "../index/view.ts";
import { locate, lowerBound, type Range } from "./scan.ts";

const SAMPLES = 24;
/** Rows of a run that are looked at. */
const RUN_MAX = 64;
/** Longer counts are kept. */
const KEPT_MIN = 256;
const COUNTED_MAX = 262_144;
const COUNT_SAMPLES = 4_096;
/** Of a predicate that is not known. */
const TRIPLES_OF_A_SUBJECT = 8;
const TRIPLES_OF_AN_OBJECT = 16;
const PREDICATES = 32;

/** How many triples with the same predicate have the same subject, and how many the same object. */
interface PredicateShape {
  readonly ofSubject: number;
  readonly ofObject: number;
}

interface Statistics {
  readonly counts: Map<string, number>;
  readonly shapes: Map<Id, PredicateShape>;
}
const defaultStatistics = new WeakMap<View, Statistics>();
const namedStatistics = new WeakMap<View, Statistics>();

function statisticsOf(view: View, isNamed: boolean): Statistics {
  const all = isNamed ? namedStatistics : defaultStatistics;
  let known = all.get(view);
  if (!known) all.set(view, (known = { counts: new Map(), shapes: new Map() }));
  return known;
}

const rangeOf = ({ spo }: Segment): Range => ({ order: spo, lead: 0, low: 0, high: 0, depth: 0 });

function countRange({ order: { graph }, low, high }: Range, visible: Uint8Array): number {
  const length = high - low;
  let count = 0;
  if (length <= COUNTED_MAX) {
    for (let at = low; at < high; at++) count += visible[graph[at]!]!;
    return count;
  }
  for (let sample = 0; sample < COUNT_SAMPLES; sample++)
    count += visible[graph[low + Math.floor(((sample + 0.5) * length) / COUNT_SAMPLES)]!]!;
  return (count * length) / COUNT_SAMPLES;
}

/**
 * Visible quads that fit: each of `s`, `p`, `o` is UNBOUND where anything does.
 * @param slot Null for the default graph, -1 for any named graph.
 */
export function countQuads(view: View, s: Id, p: Id, o: Id, slot: number | null): number {
  const { size } = view.terms;
  for (const id of [s, p, o]) if (id !== UNBOUND && id >= size) return 0;
  if (slot !== null && slot >= 0) {
    let length = 0;
    for (const segment of view.segments) length += segment.graphEnd(slot) - segment.graphStart(slot);
    return Math.min(length, countAll(view, s, p, o, view.named, true));
  }
  return slot === null
    ? countAll(view, s, p, o, view.defaults, false)
    : countAll(view, s, p, o, view.named, true);
}

function countAll(view: View, s: Id, p: Id, o: Id, visible: Uint8Array, isNamed: boolean): number {
  let rows = 0;
  const ranges = view.segments.map((segment) => {
    const range = rangeOf(segment);
    locate(segment, s, p, o, range);
    rows += range.high - range.low;
    return range;
  });
  const count = (): number => ranges.reduce((sum, range) => sum + countRange(range, visible), 0);
  if (rows < KEPT_MIN) return count();
  const { counts } = statisticsOf(view, isNamed);
  const key = `${s} ${p} ${o}`;
  let known = counts.get(key);
  if (known === undefined) counts.set(key, (known = count()));
  return known;
}

/** From a few rows, each as likely as any other: the mean of 1/n over rows is the share of distinct values. */
function look(view: View, predicate: Id, visible: Uint8Array): PredicateShape {
  const [segment] = view.segments;
  if (!segment) return { ofSubject: 1, ofObject: 1 };
  const { pos } = segment;
  const [low, high] = [pos.start(predicate), pos.end(predicate)];
  const range = rangeOf(segment);
  let [samples, subjects, objects] = [0, 0, 0];
  const length = high - low;
  for (let sample = 0; sample < Math.min(SAMPLES, length); sample++) {
    const at = low + Math.floor(((sample + 0.5) * length) / Math.min(SAMPLES, length));
    if (visible[pos.graph[at]!] === 0) continue;
    samples++;
    const object = pos.second[at]!;
    objects +=
      1 / visibleIn(lowerBound(pos.second, low, at, object), high, pos.second, object, pos.graph, visible);
    locate(segment, pos.third[at]!, predicate, UNBOUND, range);
    const { second, graph } = range.order;
    subjects += 1 / visibleIn(range.low, range.high, second, predicate, graph, visible);
  }
  return samples === 0
    ? { ofSubject: 1, ofObject: 1 }
    : { ofSubject: samples / subjects, ofObject: samples / objects };
}

/** Visible rows of a run of `id`; at least one. A long run is taken to go on as it begins. */
function visibleIn(
  low: number,
  high: number,
  column: Uint32Array,
  id: Id,
  graph: Uint32Array,
  visible: Uint8Array,
): number {
  const end = lowerBound(column, low, high, id + 1);
  const looked = Math.min(end, low + RUN_MAX);
  let count = 0;
  for (let at = low; at < looked; at++) count += visible[graph[at]!]!;
  return Math.max(1, (count * (end - low)) / Math.max(1, looked - low));
}

function shapeOf(view: View, predicate: Id, isNamed: boolean): PredicateShape {
  const { shapes } = statisticsOf(view, isNamed);
  let shape = shapes.get(predicate);
  if (!shape) shapes.set(predicate, (shape = look(view, predicate, isNamed ? view.named : view.defaults)));
  return shape;
}

/** `true`: bound to a value that is not known yet; `false`: free. */
export type Known = Id | boolean;

/**
 * How many rows one run of a scan gives.
 * @param count Quads that fit its terms. @param slot As for `countQuads`, or `true` for a named graph that is not known yet.
 */
export function estimateScan(
  view: View,
  count: number,
  s: Known,
  p: Known,
  o: Known,
  slot: number | true | null,
): number {
  if (count === 0) return 0;
  let rows = slot === true ? Math.min(count, (count * 4) / Math.max(4, view.namedCount)) : count;
  const isLooked = typeof p === "number" && p < view.terms.size && (s === true || o === true);
  const shape = isLooked ? shapeOf(view, p, slot !== null) : null;
  if (s === true) rows = Math.min(rows, shape ? shape.ofSubject : TRIPLES_OF_A_SUBJECT);
  if (p === true) rows /= PREDICATES;
  if (o === true) {
    const isSubjectKnown = s === true || typeof s === "number";
    rows = isSubjectKnown
      ? rows / Math.max(2, rows)
      : Math.min(rows, shape?.ofObject ?? TRIPLES_OF_AN_OBJECT);
  }
  return rows;
}
