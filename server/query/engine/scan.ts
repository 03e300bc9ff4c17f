/**
 * Triple patterns over sorted segments. The test of a row's graph is in the innermost loop, so what is not visible is
 * never seen by anything else; a triple that several graphs of the default graph say is given once.
 */
import { type Id, type Order, type Segment, UNBOUND, type View } from "../index/view.ts";
import type { Control, Row } from "./contract.ts";
import type { ActiveGraph, PlaceNumber } from "./plan.ts";

/** Does its part for the current row, and calls the next step for each solution. @returns True to stop: enough. */
export interface Step {
  (): boolean;
  /** The last of all, where only the number of solutions counts: told of many at once, without the row. */
  readonly add?: (count: number) => void;
}

/** The first row of a column, from `low`, whose value is `id` or more. */
export function lowerBound(column: Uint32Array, low: number, high: number, id: Id): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (column[middle]! < id) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The end of the run of `id` that begins at `low`; runs are short more often than not. */
export function runEnd(column: Uint32Array, low: number, high: number, id: Id): number {
  let from = low;
  let stride = 1;
  while (from + stride < high && column[from + stride - 1] === id) {
    from += stride;
    stride *= 2;
  }
  return lowerBound(column, from, Math.min(from + stride, high), id + 1);
}

/** Which position an order has first: subject, predicate or object. */
export type Lead = 0 | 1 | 2;

/** The rows of one segment that fit the bound positions of a pattern. */
export interface Range {
  order: Order;
  lead: Lead;
  low: number;
  high: number;
  /** How many of the order's columns are bound: all that are bound come first. */
  depth: number;
}

/** Each of `s`, `p`, `o` is UNBOUND where anything fits. */
export function locate(segment: Segment, s: Id, p: Id, o: Id, range: Range): void {
  let first = s;
  let second = p;
  let third = o;
  if (s !== UNBOUND && (p !== UNBOUND || o === UNBOUND)) {
    range.order = segment.spo;
    range.lead = 0;
  } else if (p !== UNBOUND) {
    range.order = segment.pos;
    range.lead = 1;
    first = p;
    second = o;
    third = s;
  } else if (o !== UNBOUND) {
    range.order = segment.osp;
    range.lead = 2;
    first = o;
    second = s;
    third = p;
  } else {
    range.order = segment.spo;
    range.lead = 0;
    range.low = 0;
    range.high = segment.length;
    range.depth = 0;
    return;
  }
  const { order } = range;
  let low = order.start(first);
  let high = order.end(first);
  range.depth = 1;
  if (second !== UNBOUND && low < high) {
    low = lowerBound(order.second, low, high, second);
    high = runEnd(order.second, low, high, second);
    range.depth = 2;
    if (third !== UNBOUND && low < high) {
      low = lowerBound(order.third, low, high, third);
      high = runEnd(order.third, low, high, third);
      range.depth = 3;
    }
  }
  range.low = low;
  range.high = high;
}

/** The default graph, as segments and which graphs of them are seen. */
export interface DefaultGraph {
  readonly segments: readonly Segment[];
  /** By slot. */
  readonly visible: Uint8Array;
  readonly mayRepeat: boolean;
}

export const defaultGraphOf = ({ segments, defaults, mayRepeat }: View): DefaultGraph => ({
  segments,
  visible: defaults,
  mayRepeat,
});

/** What scans of one evaluation share. */
export interface Access {
  readonly view: View;
  readonly defaults: DefaultGraph;
  readonly control: Control;
  /** Scans begun: many short ones must be stopped as well as one that is long. */
  begun: number;
}

export const CHECK_MASK = 1023;

export interface ScanPlaces {
  readonly subject: PlaceNumber;
  readonly predicate: PlaceNumber;
  readonly object: PlaceNumber;
  readonly graph: ActiveGraph;
}

const emptyRange = (view: View): Range => spareRange(view.segments[0]!.spo);

const spareRange = (order: Order): Range => ({ order, lead: 0, low: 0, high: 0, depth: 0 });

/** Whether row `at` of an order says what an earlier segment says too, visibly, in the default graph. */
export function isSaidBefore(
  { segments, visible }: DefaultGraph,
  before: number,
  order: Order,
  lead: Lead,
  at: number,
): boolean {
  const [first, second, third] = [order.first[at]!, order.second[at]!, order.third[at]!];
  const spare = spareRange(order);
  for (let number = 0; number < before; number++) {
    const segment = segments[number]!;
    if (lead === 0) locate(segment, first, second, third, spare);
    else if (lead === 1) locate(segment, third, first, second, spare);
    else locate(segment, second, third, first, spare);
    const { graph } = spare.order;
    for (let other = spare.low; other < spare.high; other++) if (visible[graph[other]!] !== 0) return true;
  }
  return false;
}

/** A term that this query computed is in no triple. */
const isStranger = (id: Id, size: number): boolean => id >= size && id !== UNBOUND;

/**
 * @param trash A place that nobody reads.
 * @returns A step that binds the places of a pattern that are not bound, and leaves them unbound again.
 */
export function createScan(
  access: Access,
  places: ScanPlaces,
  row: Row,
  trash: PlaceNumber,
  next: Step,
): Step {
  if (access.view.segments.length === 0) return () => false;
  return places.graph === null
    ? createMergedScan(access, places, row, trash, next)
    : createGraphScan(access, { ...places, graph: places.graph }, row, trash, next);
}

/** The default graph: the merge of its documents. */
function createMergedScan(
  access: Access,
  places: ScanPlaces,
  row: Row,
  trash: PlaceNumber,
  next: Step,
): Step {
  const { view, control, defaults } = access;
  const { segments, visible, mayRepeat } = defaults;
  const { size } = view.terms;
  const { subject, predicate, object } = places;
  const range = emptyRange(view);

  return () => {
    if ((++access.begun & CHECK_MASK) === 0) control.check();
    const s = row[subject]!;
    const p = row[predicate]!;
    const o = row[object]!;
    if (isStranger(s, size) || isStranger(p, size) || isStranger(o, size)) return false;
    const toS = s === UNBOUND ? subject : trash;
    const toP = p === UNBOUND ? predicate : trash;
    const toO = o === UNBOUND ? object : trash;
    let isEnough = false;
    for (let number = 0; number < segments.length && !isEnough; number++) {
      locate(segments[number]!, s, p, o, range);
      const { order, lead, low, high, depth } = range;
      if (low >= high) continue;
      const { first, second, third, graph } = order;
      const toFirst = lead === 0 ? toS : lead === 1 ? toP : toO;
      const toSecond = lead === 0 ? toP : lead === 1 ? toO : toS;
      const toThird = lead === 0 ? toO : lead === 1 ? toS : toP;
      let last = -1;
      for (let at = low; at < high; at++) {
        if ((at & CHECK_MASK) === 0) control.check();
        if (visible[graph[at]!] === 0) continue;
        if (mayRepeat) {
          if (
            last >= 0 &&
            third[at] === third[last] &&
            second[at] === second[last] &&
            first[at] === first[last]
          )
            continue;
          last = at;
          if (number > 0 && isSaidBefore(defaults, number, order, lead, at)) continue;
        }
        if (depth < 3) {
          row[toThird] = third[at]!;
          if (depth < 2) {
            row[toSecond] = second[at]!;
            if (depth === 0) row[toFirst] = first[at]!;
          }
        }
        if (next()) {
          isEnough = true;
          break;
        }
      }
    }
    row[toS] = UNBOUND;
    row[toP] = UNBOUND;
    row[toO] = UNBOUND;
    return isEnough;
  };
}

/** One named graph, or each of them where the place of its name is not bound. */
function createGraphScan(
  access: Access,
  places: ScanPlaces & { readonly graph: PlaceNumber },
  row: Row,
  trash: PlaceNumber,
  next: Step,
): Step {
  const { view, control } = access;
  const { segments, named: visible } = view;
  const { size } = view.terms;
  const { subject, predicate, object, graph: name } = places;
  const range = emptyRange(view);

  /** One slot, whose rows are fewer than what the pattern finds elsewhere. */
  const inSlot = (segment: Segment, slot: number, s: Id, p: Id, o: Id): boolean => {
    const { subject: subjects, predicate: predicates, object: objects } = segment.byGraph;
    let low = segment.graphStart(slot);
    let high = segment.graphEnd(slot);
    if (s !== UNBOUND) {
      low = lowerBound(subjects, low, high, s);
      high = runEnd(subjects, low, high, s);
    }
    const toS = s === UNBOUND ? subject : trash;
    const toP = p === UNBOUND ? predicate : trash;
    const toO = o === UNBOUND ? object : trash;
    let isEnough = false;
    for (let at = low; at < high; at++) {
      if ((at & CHECK_MASK) === 0) control.check();
      if ((p !== UNBOUND && predicates[at] !== p) || (o !== UNBOUND && objects[at] !== o)) continue;
      row[toS] = subjects[at]!;
      row[toP] = predicates[at]!;
      row[toO] = objects[at]!;
      if (next()) {
        isEnough = true;
        break;
      }
    }
    row[toS] = UNBOUND;
    row[toP] = UNBOUND;
    row[toO] = UNBOUND;
    return isEnough;
  };

  /** @param wanted The only slot; -1 for any. */
  const inOrder = (wanted: number, s: Id, p: Id, o: Id): boolean => {
    const { order, lead, low, high } = range;
    const { first, second, third, graph } = order;
    const toS = s === UNBOUND ? subject : trash;
    const toP = p === UNBOUND ? predicate : trash;
    const toO = o === UNBOUND ? object : trash;
    const toFirst = lead === 0 ? toS : lead === 1 ? toP : toO;
    const toSecond = lead === 0 ? toP : lead === 1 ? toO : toS;
    const toThird = lead === 0 ? toO : lead === 1 ? toS : toP;
    let isEnough = false;
    for (let at = low; at < high; at++) {
      if ((at & CHECK_MASK) === 0) control.check();
      const slot = graph[at]!;
      if (wanted < 0) {
        if (visible[slot] === 0) continue;
        row[name] = view.nameOf(slot);
      } else if (slot !== wanted) continue;
      row[toFirst] = first[at]!;
      row[toSecond] = second[at]!;
      row[toThird] = third[at]!;
      if (next()) {
        isEnough = true;
        break;
      }
    }
    if (wanted < 0) row[name] = UNBOUND;
    row[toS] = UNBOUND;
    row[toP] = UNBOUND;
    row[toO] = UNBOUND;
    return isEnough;
  };

  /** Everything in all graphs: one graph after the other. */
  const inEach = (segment: Segment): boolean => {
    let isEnough = false;
    for (let slot = 0; slot < view.slotCount && !isEnough; slot++) {
      if (visible[slot] === 0 || segment.graphStart(slot) === segment.graphEnd(slot)) continue;
      row[name] = view.nameOf(slot);
      isEnough = inSlot(segment, slot, UNBOUND, UNBOUND, UNBOUND);
    }
    row[name] = UNBOUND;
    return isEnough;
  };

  return () => {
    if ((++access.begun & CHECK_MASK) === 0) control.check();
    const s = row[subject]!;
    const p = row[predicate]!;
    const o = row[object]!;
    const g = row[name]!;
    if (isStranger(s, size) || isStranger(p, size) || isStranger(o, size)) return false;
    let wanted = -1;
    if (g !== UNBOUND) {
      wanted = view.slotOf(g);
      if (wanted < 0) return false;
    }
    for (const segment of segments) {
      const length = wanted < 0 ? segment.length : segment.graphEnd(wanted) - segment.graphStart(wanted);
      if (length === 0) continue;
      if (wanted < 0 && s === UNBOUND && p === UNBOUND && o === UNBOUND) {
        if (inEach(segment)) return true;
        continue;
      }
      locate(segment, s, p, o, range);
      if (range.low >= range.high) continue;
      const isDone =
        length < range.high - range.low ? inSlot(segment, wanted, s, p, o) : inOrder(wanted, s, p, o);
      if (isDone) return true;
    }
    return false;
  };
}

/** Whether a term is the subject or the object of a triple of a graph. https://www.w3.org/TR/sparql11-query/#defn_ppPathTerm */
export function isNode(view: View, id: Id, slot: number): boolean {
  if (id >= view.terms.size || view.segments.length === 0) return false;
  const range = emptyRange(view);
  const isSeen = (graph: number): boolean => (slot < 0 ? view.defaults[graph] !== 0 : graph === slot);
  for (const segment of view.segments) {
    for (const [s, o] of [
      [id, UNBOUND],
      [UNBOUND, id],
    ] as const) {
      locate(segment, s, UNBOUND, o, range);
      const { graph } = range.order;
      for (let at = range.low; at < range.high; at++) if (isSeen(graph[at]!)) return true;
    }
  }
  return false;
}
