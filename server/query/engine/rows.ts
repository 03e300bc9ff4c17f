/** Rows kept beside the current one: sets of them, and tables, in flat arrays of numbers. */
import { type Id, UNBOUND } from "../index/view.ts";
import type { Control } from "./contract.ts";

const FIRST_ROWS = 16;

/** Rows of one width, one after the other. */
export interface Table {
  readonly width: number;
  readonly length: number;
  /** Row `n` stands from `n * width`; valid until the next `push`. */
  readonly cells: Uint32Array;
  push(values: ArrayLike<Id>): void;
  /** Says that it is not held any more. */
  release(): void;
}

class FlatTable implements Table {
  readonly width: number;
  length = 0;
  cells: Uint32Array;
  readonly #control: Control;
  #held = 0;

  constructor(width: number, control: Control) {
    this.width = width;
    this.cells = new Uint32Array(FIRST_ROWS * width);
    this.#control = control;
  }

  push(values: ArrayLike<Id>): void {
    const { width } = this;
    const start = this.length * width;
    if (start + width > this.cells.length) {
      this.#control.hold(this.length);
      this.#held += this.length;
      const larger = new Uint32Array(this.cells.length * 2);
      larger.set(this.cells);
      this.cells = larger;
    }
    const { cells } = this;
    for (let at = 0; at < width; at++) cells[start + at] = values[at]!;
    this.length++;
  }

  release(): void {
    if (this.#held > 0) this.#control.hold(-this.#held);
    this.#held = 0;
  }
}

export const createTable = (width: number, control: Control): Table => new FlatTable(width, control);

/** Distinct rows, numbered in the order in which they came. */
export interface RowSet {
  readonly table: Table;
  /** @returns Its number; `size` before the call if it is new. */
  add(values: ArrayLike<Id>): number;
  /** @returns -1 when it is not there. */
  find(values: ArrayLike<Id>): number;
}

class HashedRows implements RowSet {
  readonly table: FlatTable;
  /** Number of the row, plus one; open addressing. */
  #buckets = new Uint32Array(FIRST_ROWS * 2);

  constructor(width: number, control: Control) {
    this.table = new FlatTable(width, control);
  }

  #bucketOf(values: ArrayLike<Id>): number {
    const { width, cells } = this.table;
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    let bucket = hash(values, 0, width) & mask;
    for (;;) {
      const number = buckets[bucket]!;
      if (number === 0) return bucket;
      const start = (number - 1) * width;
      let at = 0;
      while (at < width && cells[start + at] === values[at]) at++;
      if (at === width) return bucket;
      bucket = (bucket + 1) & mask;
    }
  }

  add(values: ArrayLike<Id>): number {
    const bucket = this.#bucketOf(values);
    const known = this.#buckets[bucket]!;
    if (known !== 0) return known - 1;
    const { table } = this;
    table.push(values);
    this.#buckets[bucket] = table.length;
    if (table.length * 2 > this.#buckets.length) this.#grow();
    return table.length - 1;
  }

  find(values: ArrayLike<Id>): number {
    return this.#buckets[this.#bucketOf(values)]! - 1;
  }

  #grow(): void {
    const { width, cells, length } = this.table;
    const buckets = new Uint32Array(this.#buckets.length * 2);
    const mask = buckets.length - 1;
    for (let row = 0; row < length; row++) {
      let bucket = hash(cells, row * width, width) & mask;
      while (buckets[bucket] !== 0) bucket = (bucket + 1) & mask;
      buckets[bucket] = row + 1;
    }
    this.#buckets = buckets;
  }
}

function hash(values: ArrayLike<Id>, start: number, width: number): number {
  let sum = 0;
  for (let at = start; at < start + width; at++) {
    sum = Math.imul(sum ^ values[at]!, 0x9e3779b1);
    sum ^= sum >>> 15;
  }
  return sum;
}

/** The same for one column, which most groups and most DISTINCT are of. */
class HashedIds implements RowSet {
  readonly table: FlatTable;
  #buckets = new Uint32Array(FIRST_ROWS * 2);
  /** Runs are common: the last that was asked for, and its number. */
  #last: Id = UNBOUND;
  #lastNumber = -1;

  constructor(control: Control) {
    this.table = new FlatTable(1, control);
  }

  add(values: ArrayLike<Id>): number {
    const id = values[0]!;
    if (id === this.#last && this.#lastNumber >= 0) return this.#lastNumber;
    const { table } = this;
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    const { cells } = table;
    let bucket = hashId(id) & mask;
    let number = buckets[bucket]!;
    while (number !== 0 && cells[number - 1] !== id) {
      bucket = (bucket + 1) & mask;
      number = buckets[bucket]!;
    }
    if (number === 0) {
      table.push(values);
      number = table.length;
      buckets[bucket] = number;
      if (number * 2 > buckets.length) this.#grow();
    }
    this.#last = id;
    this.#lastNumber = number - 1;
    return number - 1;
  }

  find(values: ArrayLike<Id>): number {
    const id = values[0]!;
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    let bucket = hashId(id) & mask;
    let number = buckets[bucket]!;
    while (number !== 0 && this.table.cells[number - 1] !== id) {
      bucket = (bucket + 1) & mask;
      number = buckets[bucket]!;
    }
    return number - 1;
  }

  #grow(): void {
    const { cells, length } = this.table;
    const buckets = new Uint32Array(this.#buckets.length * 2);
    const mask = buckets.length - 1;
    for (let row = 0; row < length; row++) {
      let bucket = hashId(cells[row]!) & mask;
      while (buckets[bucket] !== 0) bucket = (bucket + 1) & mask;
      buckets[bucket] = row + 1;
    }
    this.#buckets = buckets;
  }
}

function hashId(id: Id): number {
  const mixed = Math.imul(id, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

export const createRowSet = (width: number, control: Control): RowSet =>
  width === 1 ? new HashedIds(control) : new HashedRows(width, control);
