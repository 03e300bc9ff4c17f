/** Joins with tables: VALUES, and patterns that are evaluated by themselves. */
import { textsOf } from "../index/texts.ts";
import { type Id, UNBOUND } from "../index/view.ts";
import { parseTextQuery } from "../search/text-query.ts";
import { BOUND, type Builder, PERHAPS, type State } from "./build.ts";
import type { PlaceNumber, TableNode, TextsNode, ValuesNode } from "./plan.ts";
import { createRowSet, createTable, type RowSet, type Table } from "./rows.ts";
import type { Step } from "./scan.ts";

export interface Source {
  readonly columns: readonly { readonly to: PlaceNumber; readonly isCertain: boolean }[];
  /** Evaluates it where that is not done yet; another object where the rows are others. */
  table(): Table;
}

export function valuesSource({ terms, control }: Builder, { places, rows, always }: ValuesNode): Source {
  let known: Table | null = null;
  return {
    columns: places.map((to) => ({ to, isCertain: always.includes(to) })),
    table() {
      if (known) return known;
      known = createTable(places.length, control);
      for (const row of rows) known.push(row.map((term) => (term ? terms.intern(term) : UNBOUND)));
      return known;
    },
  };
}

/** Ids of all texts of the pod that match, visible or not. */
export function textsFor({ view, control }: Builder, { query }: TextsNode): Uint32Array {
  const found = parseTextQuery(query);
  return found ? textsOf(view.terms).matching(found, () => control.check()) : new Uint32Array();
}

export function textsSource(builder: Builder, node: TextsNode): Source {
  let known: Table | null = null;
  return {
    columns: [{ to: node.place, isCertain: true }],
    table() {
      if (known) return known;
      known = createTable(1, builder.control);
      for (const id of textsFor(builder, node)) known.push([id]);
      return known;
    },
  };
}

export function tableSource(builder: Builder, { root, columns, depends, given }: TableNode): Source {
  const { row, control } = builder;
  const width = columns.length;
  const cells = new Uint32Array(width);
  const state = builder.start.slice();
  for (const place of depends) state[place] = BOUND; // Graphs; what is given has places of its own:
  for (const { to } of given) state[to] = PERHAPS;
  let known: Table | null = null;
  let filling: Table = createTable(width, control);
  let valuesThen: Id[] = [];
  let run: Step | null = null;
  return {
    columns,
    table() {
      if (known && depends.every((place, at) => row[place] === valuesThen[at])) return known;
      run ??= builder.build(root, state, () => {
        for (let at = 0; at < width; at++) cells[at] = row[columns[at]!.from]!;
        filling.push(cells);
        return false;
      });
      valuesThen = depends.map((place) => row[place]!);
      filling.release();
      filling = createTable(width, control);
      for (const { from, to } of given) row[to] = row[from]!;
      run();
      for (const { to } of given) row[to] = UNBOUND;
      known = filling;
      return known;
    },
  };
}

interface Probe {
  /** Rows of the table that agree with the current row in what both always bind. @param visit True to stop. */
  some(visit: (cells: Uint32Array, start: number) => boolean): boolean;
  /** The join of the current row with the table. */
  join(next: Step): Step;
}

/** Rows of a table by some of its columns. */
interface Index {
  readonly keys: RowSet;
  readonly first: readonly number[];
  /** The next row with the same key; -1 after the last. */
  readonly following: Int32Array;
}

export function createProbe(builder: Builder, source: Source, state: State): Probe {
  const { row, control } = builder;
  const { columns } = source;
  const width = columns.length;
  const keyColumns = columns.flatMap(({ to, isCertain }, at) =>
    isCertain && state[to] === BOUND ? [at] : [],
  );
  const keyPlaces = keyColumns.map((at) => columns[at]!.to);
  const key = new Uint32Array(keyColumns.length);
  let indexed: Table | null = null;
  let index: Index | null = null;

  const indexOf = (table: Table): Index => {
    if (index && indexed === table) return index;
    const keys = createRowSet(keyColumns.length, control);
    const first: number[] = [];
    const following = new Int32Array(table.length);
    for (let number = table.length - 1; number >= 0; number--) {
      for (const [at, column] of keyColumns.entries()) key[at] = table.cells[number * width + column]!;
      const group = keys.add(key);
      following[number] = first[group] ?? -1;
      first[group] = number;
    }
    indexed = table;
    index = { keys, first, following };
    return index;
  };

  const some: Probe["some"] = (visit) => {
    const table = source.table();
    if (keyColumns.length === 0) {
      for (let number = 0; number < table.length; number++) {
        if ((number & 1023) === 1023) control.check();
        if (visit(table.cells, number * width)) return true;
      }
      return false;
    }
    const { keys, first, following } = indexOf(table);
    for (const [at, place] of keyPlaces.entries()) key[at] = row[place]!;
    const group = keys.find(key);
    if (group < 0) return false;
    for (let number = first[group]!; number >= 0; number = following[number]!)
      if (visit(table.cells, number * width)) return true;
    return false;
  };

  const join: Probe["join"] = (next) => {
    const before = new Uint32Array(width);
    const places = columns.map(({ to }) => to);
    const visit = (cells: Uint32Array, start: number): boolean => {
      for (let at = 0; at < width; at++) {
        const [ours, theirs] = [before[at]!, cells[start + at]!];
        if (ours === UNBOUND) row[places[at]!] = theirs;
        else {
          if (theirs !== UNBOUND && theirs !== ours) return false;
          row[places[at]!] = ours;
        }
      }
      return next();
    };
    return () => {
      for (let at = 0; at < width; at++) before[at] = row[places[at]!]!;
      const isEnough = some(visit);
      for (let at = 0; at < width; at++) row[places[at]!] = before[at]!;
      return isEnough;
    };
  };
  return { some, join };
}
