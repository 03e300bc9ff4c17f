/** ORDER BY: https://www.w3.org/TR/sparql11-query/#modOrderBy */
import { ERROR, KINDS, UNBOUND } from "../index/view.ts";
import { after, type Builder, type State } from "./build.ts";
import { compareContent, compareTerms } from "./compare.ts";
import type { QueryTerms } from "./contract.ts";
import type { OrderNode } from "./plan.ts";
import { createTable, type Table } from "./rows.ts";
import type { Step } from "./scan.ts";
import { addHash, sortedByHash } from "./settled.ts";

/** With fewer wanted than this, the rest is forgotten on the way. */
const FIRST_MAX = 4_096;

/** Rows that are equal by all keys and by `tie` stay in the order in which they came. */
export function buildOrder(builder: Builder, node: OrderNode, state: State, next: Step): Step {
  const { row, control, terms, atMost } = builder;
  const { input, by, places, first, tie } = node;
  const inside = after(state, input);
  const computes = by.map(({ scoped }) => builder.compute(scoped, inside));
  const signs = by.map(({ isDescending }) => (isDescending ? -1 : 1));
  const compare = compareTerms(terms);
  const byContent = compareContent(terms);
  const keyCount = by.length;
  /** Where the hash stands, of the terms that decide last; -1 without. */
  const tieAt = tie ? keyCount + places.length : -1;
  const width = keyCount + places.length + (tie ? 1 : 0);
  const tieCells = (tie ?? []).map((place) => keyCount + places.indexOf(place));
  const values = new Uint32Array(width);
  let table: Table;

  const compareKeys = (left: number, right: number): number => {
    const { cells } = table;
    for (let at = 0; at < keyCount; at++) {
      const [a, b] = [cells[left * width + at]!, cells[right * width + at]!];
      if (a === b) continue;
      const order = compare(a, b) * signs[at]!;
      if (order !== 0) return order;
    }
    if (tie) {
      const difference = cells[left * width + tieAt]! - cells[right * width + tieAt]!;
      if (difference !== 0) return difference;
      for (const at of tieCells) {
        const order = byContent(cells[left * width + at]!, cells[right * width + at]!);
        if (order !== 0) return order;
      }
    }
    return 0;
  };

  const read = (): void => {
    for (let at = 0; at < keyCount; at++) {
      const value = computes[at]!(row);
      values[at] = value === ERROR ? UNBOUND : value;
    }
    for (let at = 0; at < places.length; at++) values[keyCount + at] = row[places[at]!]!;
    if (!tie) return;
    let hash = 0;
    for (let at = 0; at < tie.length; at++) hash = addHash(hash, terms, row[tie[at]!]!);
    values[tieAt] = hash;
  };

  const isTop = first !== null && first > 0 && first <= FIRST_MAX;
  let kept: Kept | null = null;
  const run = builder.build(input, state, () => {
    read();
    if (kept) {
      // Most rows, when nothing but the hash decides.
      if (keyCount === 0 && values[tieAt]! > kept.last()) return false;
      kept.add(values);
    } else {
      table.push(values);
      if (node.isAnswer) atMost(table.length);
    }
    return false;
  });

  return () => {
    table = createTable(width, control);
    kept = isTop ? createKept(first, table, compareKeys, tieAt) : null;
    run();
    let sorted: Iterable<number>;
    if (kept) sorted = kept.sorted();
    else if (keyCount === 0 && tie)
      sorted = sortedByHash(table.length, (number) => table.cells[number * width + tieAt]!, compareKeys);
    else {
      const numbers = keyCount > 0 ? numbersOf(table, terms) : null;
      const sign = signs[0] ?? 1;
      sorted = Uint32Array.from({ length: table.length }, (_, number) => number).sort((left, right) => {
        if (numbers) {
          const difference = numbers[left]! - numbers[right]!;
          if (difference !== 0) return difference * sign;
        }
        return compareKeys(left, right) || left - right;
      });
    }
    let isEnough = false;
    for (const number of sorted) {
      for (let at = 0; at < places.length; at++)
        row[places[at]!] = table.cells[number * width + keyCount + at]!;
      isEnough = next();
      if (isEnough) break;
    }
    for (const place of places) row[place] = UNBOUND;
    table.release();
    return isEnough;
  };
}

/**
 * The values of the first key, where all are numbers, or all are moments with a zone: if two of these differ, so do the
 * exact values, and in the same direction. Null where that is not so.
 */
function numbersOf({ cells, length, width }: Table, terms: QueryTerms): Float64Array | null {
  const numbers = new Float64Array(length);
  let isMoment: boolean | null = null;
  for (let number = 0; number < length; number++) {
    const id = cells[number * width]!;
    if (id === UNBOUND) return null;
    const kind = terms.kind(id);
    const isNumeric = kind >= KINDS.integer && kind <= KINDS.double;
    if (!isNumeric && kind !== KINDS.dateTime) return null;
    if (isMoment === isNumeric) return null;
    isMoment = !isNumeric;
    const value = terms.num(id);
    if (!Number.isFinite(value)) return null;
    numbers[number] = value;
  }
  return numbers;
}

/** The first so many of all rows that come. */
interface Kept {
  add(values: Uint32Array): void;
  /** The hash of the last of those kept; as large as can be while there is room. */
  last(): number;
  sorted(): Iterable<number>;
}

/**
 * A heap whose first is the last of those kept; the row that is not kept any more gives its place in the table to the
 * next that comes.
 */
function createKept(
  count: number,
  table: Table,
  compareKeys: (left: number, right: number) => number,
  tieAt: number,
): Kept {
  const heap: number[] = [];
  const arrivals: number[] = [];
  let arrival = 0;
  let spare = -1;
  const compare = (left: number, right: number): number =>
    compareKeys(left, right) || arrivals[left]! - arrivals[right]!;

  const rise = (from: number): void => {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (compare(heap[at]!, heap[parent]!) <= 0) return;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  };
  const sink = (): void => {
    let at = 0;
    for (;;) {
      let larger = at * 2 + 1;
      if (larger >= heap.length) return;
      if (larger + 1 < heap.length && compare(heap[larger + 1]!, heap[larger]!) > 0) larger++;
      if (compare(heap[larger]!, heap[at]!) <= 0) return;
      [heap[at], heap[larger]] = [heap[larger]!, heap[at]!];
      at = larger;
    }
  };

  return {
    add(values) {
      if (heap.length < count) {
        arrivals[table.length] = arrival++;
        heap.push(table.length);
        table.push(values);
        rise(heap.length - 1);
        return;
      }
      if (spare < 0) {
        spare = table.length;
        table.push(values);
      } else table.cells.set(values, spare * table.width);
      arrivals[spare] = arrival++;
      if (compare(spare, heap[0]!) >= 0) return;
      [heap[0], spare] = [spare, heap[0]!];
      sink();
    },
    last: () => (heap.length < count ? UNBOUND : table.cells[heap[0]! * table.width + tieAt]!),
    sorted: () => heap.sort(compare),
  };
}
