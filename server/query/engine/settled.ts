/**
 * Orders that hang on nothing but what terms say. Ids are given in the order in which terms first came, whoever wrote
 * them; so what comes first by ids tells whether a term also stands in documents that may not be read.
 */
import { type Id, UNBOUND } from "../index/view.ts";
import { compareContent } from "./compare.ts";
import type { QueryTerms } from "./contract.ts";
import type { Table } from "./rows.ts";

/** Beside 32 bits of a hash, so many rows fit into a number exactly. */
const ROWS_MAX = 2 ** 21;
const NO_TERM = 1;

/** One number of several terms. */
export function addHash(sum: number, terms: QueryTerms, id: Id): number {
  const mixed = Math.imul(sum ^ (id === UNBOUND ? NO_TERM : terms.hash(id)), 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/**
 * Numbers from 0 to `count - 1`, by hash first.
 * @param compare Decides where hashes are equal; what is equal by it stays in its order.
 */
export function sortedByHash(
  count: number,
  hashOf: (number: number) => number,
  compare: (left: number, right: number) => number,
): Uint32Array {
  const numbers = new Uint32Array(count);
  if (count > ROWS_MAX) {
    const hashes = Float64Array.from(numbers, (_, number) => hashOf(number));
    for (let number = 0; number < count; number++) numbers[number] = number;
    return numbers.sort((a, b) => hashes[a]! - hashes[b]! || compare(a, b) || a - b);
  }
  // Without a function that compares, sorting numbers is many times as fast.
  const keys = new Float64Array(count);
  for (let number = 0; number < count; number++) keys[number] = hashOf(number) * ROWS_MAX + number;
  keys.sort();
  for (let at = 0; at < count; at++) numbers[at] = keys[at]! % ROWS_MAX;
  for (let from = 0; from < count; ) {
    const hash = Math.floor(keys[from]! / ROWS_MAX);
    let to = from + 1;
    while (to < count && Math.floor(keys[to]! / ROWS_MAX) === hash) to++;
    if (to - from > 1) numbers.subarray(from, to).sort((a, b) => compare(a, b) || a - b);
    from = to;
  }
  return numbers;
}

/** Triples by what they say, those of one subject together. */
export function settledTriples({ cells, length }: Table, terms: QueryTerms): Uint32Array {
  const byContent = compareContent(terms);
  const hash = (number: number, at: number): number => addHash(0, terms, cells[number * 3 + at]!);
  return sortedByHash(
    length,
    (number) => hash(number, 0),
    (left, right) => {
      for (let at = 0; at < 3; at++) {
        const [a, b] = [cells[left * 3 + at]!, cells[right * 3 + at]!];
        if (a === b) continue;
        const order = hash(left, at) - hash(right, at) || byContent(a, b);
        if (order !== 0) return order;
      }
      return 0;
    },
  );
}
