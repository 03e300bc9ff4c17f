/**
 * Scans of the default graph whose bound positions are known when they are built, which is nearly all of them: the same
 * as in scan.ts, with the order chosen once and a loop for each number of bound columns.
 */
import { type Id, type Order, type Segment, UNBOUND } from "../index/view.ts";
import type { Row } from "./contract.ts";
import type { PlaceNumber } from "./plan.ts";
import { type Access, CHECK_MASK, isSaidBefore, type Lead, lowerBound, runEnd, type Step } from "./scan.ts";

/** Shorter ranges are walked. */
const WALKED_MAX = 12;

function seek(column: Uint32Array, low: number, high: number, id: Id): number {
  if (high - low > WALKED_MAX) return lowerBound(column, low, high, id);
  let at = low;
  while (at < high && column[at]! < id) at++;
  return at;
}

/** The places of an order's columns, and how many of them are bound: the first ones. */
interface Columns {
  readonly lead: Lead;
  readonly depth: number;
  readonly first: PlaceNumber;
  readonly second: PlaceNumber;
  readonly third: PlaceNumber;
}

interface Places {
  readonly subject: PlaceNumber;
  readonly predicate: PlaceNumber;
  readonly object: PlaceNumber;
}

function columnsOf(
  { subject, predicate, object }: Places,
  isBound: (place: PlaceNumber) => boolean,
): Columns {
  const [s, p, o] = [isBound(subject), isBound(predicate), isBound(object)];
  const depth = Number(s) + Number(p) + Number(o);
  if (o && !p) return { lead: 2, depth, first: object, second: subject, third: predicate };
  if (p && !s) return { lead: 1, depth, first: predicate, second: object, third: subject };
  return { lead: 0, depth, first: subject, second: predicate, third: object };
}

/** One order of each segment; those that nobody asks for may not be made yet. */
const ordersOf = (segments: readonly Segment[], lead: Lead): readonly Order[] =>
  segments.map((segment) => (lead === 0 ? segment.spo : lead === 1 ? segment.pos : segment.osp));

/** @param isBound Of each place of the pattern: it has a value whenever the step runs; else it never has. */
export function createLookup(
  access: Access,
  places: Places,
  isBound: (place: PlaceNumber) => boolean,
  row: Row,
  next: Step,
): Step {
  const columns = columnsOf(places, isBound);
  if (next.add) return createCount(access, columns, row, next.add);
  switch (columns.depth) {
    case 0:
      return scanAll(access, columns, row, next);
    case 1:
      return scanFirst(access, columns, row, next);
    case 2:
      return scanSecond(access, columns, row, next);
    default:
      return scanThird(access, columns, row, next);
  }
}

/** One column bound. */
function scanFirst(access: Access, columns: Columns, row: Row, next: Step): Step {
  const { view, control, defaults } = access;
  const { visible, mayRepeat } = defaults;
  const { size } = view.terms;
  const { lead, first: firstPlace, second: secondPlace, third: thirdPlace } = columns;
  const orders = ordersOf(defaults.segments, lead);
  return () => {
    if ((++access.begun & CHECK_MASK) === 0) control.check();
    const a = row[firstPlace]!;
    if (a >= size) return false;
    for (let number = 0; number < orders.length; number++) {
      const order = orders[number]!;
      const high = order.end(a);
      const { second, third, graph } = order;
      let last = -1;
      for (let at = order.start(a); at < high; at++) {
        if ((at & CHECK_MASK) === 0) control.check();
        if (visible[graph[at]!] === 0) continue;
        if (mayRepeat) {
          if (last >= 0 && third[at] === third[last] && second[at] === second[last]) continue;
          last = at;
          if (number > 0 && isSaidBefore(defaults, number, order, lead, at)) continue;
        }
        row[secondPlace] = second[at]!;
        row[thirdPlace] = third[at]!;
        if (next()) {
          row[secondPlace] = UNBOUND;
          row[thirdPlace] = UNBOUND;
          return true;
        }
      }
    }
    row[secondPlace] = UNBOUND;
    row[thirdPlace] = UNBOUND;
    return false;
  };
}

/** Two columns bound. */
function scanSecond(access: Access, columns: Columns, row: Row, next: Step): Step {
  const { view, control, defaults } = access;
  const { visible, mayRepeat } = defaults;
  const { size } = view.terms;
  const { lead, first: firstPlace, second: secondPlace, third: thirdPlace } = columns;
  const orders = ordersOf(defaults.segments, lead);
  return () => {
    if ((++access.begun & CHECK_MASK) === 0) control.check();
    const a = row[firstPlace]!;
    const b = row[secondPlace]!;
    if (a >= size) return false;
    for (let number = 0; number < orders.length; number++) {
      const order = orders[number]!;
      const high = order.end(a);
      const { second, third, graph } = order;
      let last = -1;
      for (let at = seek(second, order.start(a), high, b); at < high && second[at] === b; at++) {
        if ((at & CHECK_MASK) === 0) control.check();
        if (visible[graph[at]!] === 0) continue;
        const c = third[at]!;
        if (mayRepeat) {
          if (c === last) continue;
          last = c;
          if (number > 0 && isSaidBefore(defaults, number, order, lead, at)) continue;
        }
        row[thirdPlace] = c;
        if (next()) {
          row[thirdPlace] = UNBOUND;
          return true;
        }
      }
    }
    row[thirdPlace] = UNBOUND;
    return false;
  };
}

/** All bound: whether the triple is there. */
function scanThird(access: Access, columns: Columns, row: Row, next: Step): Step {
  const { view, control, defaults } = access;
  const { visible } = defaults;
  const { size } = view.terms;
  const { lead, first: firstPlace, second: secondPlace, third: thirdPlace } = columns;
  const orders = ordersOf(defaults.segments, lead);
  return () => {
    if ((++access.begun & CHECK_MASK) === 0) control.check();
    const a = row[firstPlace]!;
    const b = row[secondPlace]!;
    const c = row[thirdPlace]!;
    if (a >= size) return false;
    for (const order of orders) {
      const { second, third, graph } = order;
      const end = order.end(a);
      let at = seek(second, order.start(a), end, b);
      const high = runEnd(second, at, end, b);
      at = seek(third, at, high, c);
      for (; at < high && third[at] === c; at++) if (visible[graph[at]!] !== 0) return next();
    }
    return false;
  };
}

/** Nothing bound. */
function scanAll(access: Access, columns: Columns, row: Row, next: Step): Step {
  const { control, defaults } = access;
  const { segments, visible, mayRepeat } = defaults;
  const { lead, first: firstPlace, second: secondPlace, third: thirdPlace } = columns;
  return () => {
    let isEnough = false;
    for (let number = 0; number < segments.length && !isEnough; number++) {
      const { length, spo: order } = segments[number]!;
      const { first, second, third, graph } = order;
      let last = -1;
      for (let at = 0; at < length; at++) {
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
        row[firstPlace] = first[at]!;
        row[secondPlace] = second[at]!;
        row[thirdPlace] = third[at]!;
        isEnough = next();
        if (isEnough) break;
      }
    }
    row[firstPlace] = UNBOUND;
    row[secondPlace] = UNBOUND;
    row[thirdPlace] = UNBOUND;
    return isEnough;
  };
}

/** How many there are is all that is asked: nothing is bound, and rows are only counted. */
function createCount(access: Access, columns: Columns, row: Row, add: (count: number) => void): Step {
  const { view, control, defaults } = access;
  const { segments, visible, mayRepeat } = defaults;
  const { size } = view.terms;
  const { lead, depth, first: firstPlace, second: secondPlace, third: thirdPlace } = columns;
  const orders = ordersOf(segments, lead);
  return () => {
    if ((++access.begun & CHECK_MASK) === 0) control.check();
    const [a, b, c] = [row[firstPlace]!, row[secondPlace]!, row[thirdPlace]!];
    if (depth > 0 && a >= size) return false;
    let count = 0;
    for (let number = 0; number < orders.length; number++) {
      const order = orders[number]!;
      const { first, second, third, graph } = order;
      let low = depth === 0 ? 0 : order.start(a);
      let high = depth === 0 ? segments[number]!.length : order.end(a);
      if (depth > 1) {
        low = seek(second, low, high, b);
        high = runEnd(second, low, high, b);
      }
      if (depth > 2) {
        low = seek(third, low, high, c);
        high = runEnd(third, low, high, c);
      }
      control.check();
      if (!mayRepeat) {
        for (let at = low; at < high; at++) count += visible[graph[at]!]!;
        continue;
      }
      let last = -1;
      for (let at = low; at < high; at++) {
        if (visible[graph[at]!] === 0) continue;
        if (
          last >= 0 &&
          third[at] === third[last] &&
          second[at] === second[last] &&
          first[at] === first[last]
        )
          continue;
        last = at;
        if (number === 0 || !isSaidBefore(defaults, number, order, lead, at)) count++;
      }
    }
    if (count > 0) add(count);
    return false;
  };
}
