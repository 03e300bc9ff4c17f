/** Stable sorting of row numbers by a column of ids: several passes, the last key first, sort by several columns. */
import { sharedIds } from "./memory.ts";

const DIGIT_BITS_FEW = 8;
const DIGIT_BITS_MANY = 11;
const MANY = 2_048;

export function rowNumbers(length: number): Uint32Array {
  const rows = new Uint32Array(length);
  for (let at = 0; at < length; at++) rows[at] = at;
  return rows;
}

/**
 * @param rows Row numbers in the order they have so far; changed.
 * @param key Of each row, by its number.
 * @param spare As long as `rows`.
 * @returns `rows` or `spare`: the one that holds the result.
 */
export function sortBy(rows: Uint32Array, key: Uint32Array, spare: Uint32Array): Uint32Array {
  const length = rows.length;
  let largest = 0;
  let isSorted = true;
  let before = 0;
  for (let at = 0; at < length; at++) {
    const id = key[rows[at]!]!;
    if (id < before) isSorted = false;
    before = id;
    if (id > largest) largest = id;
  }
  if (isSorted) return rows;
  // One pass over all ids where they are about as many as the rows; else digit by digit.
  if (largest < length * 8) return pass(rows, key, spare, 0, largest + 1, 0xffff_ffff);
  const bits = length < MANY ? DIGIT_BITS_FEW : DIGIT_BITS_MANY;
  let [from, to] = [rows, spare];
  for (let shift = 0; shift < 32 && largest >>> shift !== 0; shift += bits) {
    const result = pass(from, key, to, shift, 1 << bits, (1 << bits) - 1);
    if (result === to) [from, to] = [to, from];
  }
  return from;
}

function pass(
  rows: Uint32Array,
  key: Uint32Array,
  into: Uint32Array,
  shift: number,
  size: number,
  mask: number,
): Uint32Array {
  const starts = new Uint32Array(size + 1);
  for (let at = 0; at < rows.length; at++) starts[((key[rows[at]!]! >>> shift) & mask) + 1]!++;
  for (let digit = 0; digit < size; digit++) starts[digit + 1]! += starts[digit]!;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    into[starts[(key[row]! >>> shift) & mask]!++] = row;
  }
  return into;
}

/** The column in the order of these rows, in shared memory. */
export function gather(column: Uint32Array, rows: Uint32Array): Uint32Array {
  const result = sharedIds(rows.length);
  for (let at = 0; at < rows.length; at++) result[at] = column[rows[at]!]!;
  return result;
}
