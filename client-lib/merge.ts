/** Many answers as one: rows of each pod's answer in one order, and each pod's aggregates as those of all. */
import { FreeholdError } from "./errors.ts";
import { add, cellOf, compareExact, exactOf } from "./exact.ts";
import type { Row } from "./query.ts";
import type { Cell } from "./rows.ts";

/** How the values that several pods give for one group become one. A COUNT is a `sum` of counts. */
export type Merging = "sum" | "min" | "max";

/** One condition of ORDER BY. */
export interface Order {
  /** Name of a variable, without `?`. */
  readonly by: string;
  readonly descending?: boolean;
}

const XSD = "http://www.w3.org/2001/XMLSchema#";

/** Unbound, blank nodes, addresses, literals. https://www.w3.org/TR/sparql11-query/#modOrderBy */
function rankOf(cell: Cell | undefined): number {
  return cell === undefined ? 0 : { bnode: 1, uri: 2, literal: 3 }[cell.type];
}

/** By code points, as SPARQL compares text: JavaScript compares halves of characters. */
function compareText(left: string, right: string): number {
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (a === b) continue;
    const isHalf = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
    return isHalf(a) === isHalf(b) ? a - b : isHalf(a) ? 1 : -1;
  }
  return left.length - right.length;
}

const timeOf = ({ datatype, value }: Cell): number | null => {
  if (datatype !== `${XSD}dateTime` && datatype !== `${XSD}date`) return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
};

/** The order of ORDER BY: numbers by value, times by moment, text by code point; what cannot be compared, by type. */
export function compareCells(left: Cell | undefined, right: Cell | undefined): number {
  const ranks = rankOf(left) - rankOf(right);
  if (ranks !== 0 || left === undefined || right === undefined) return ranks;
  if (left.type !== "literal") return compareText(left.value, right.value);
  const [a, b] = [exactOf(left), exactOf(right)];
  if (a && b) return compareExact(a, b);
  const [from, to] = [timeOf(left), timeOf(right)];
  if (from !== null && to !== null && left.datatype === right.datatype && from !== to) return from - to;
  const kinds = compareText(
    a ? "number" : (left.datatype ?? `${XSD}string`),
    b ? "number" : (right.datatype ?? `${XSD}string`),
  );
  return (
    kinds || compareText(left.value, right.value) || compareText(left.language ?? "", right.language ?? "")
  );
}

export function compareRows(order: readonly Order[]): (left: Row, right: Row) => number {
  return (left, right) => {
    for (const { by, descending = false } of order) {
      const compared = compareCells(left[by], right[by]);
      if (compared !== 0) return descending ? -compared : compared;
    }
    return 0;
  };
}

/** @throws FreeholdError `answer-invalid` for a sum of what is no number. */
function mergeCells(how: Merging, name: string, left: Cell | undefined, right: Cell | undefined) {
  if (left === undefined || right === undefined) return left ?? right; // A pod without rows has no MIN.
  if (how !== "sum") {
    const isLess = compareCells(left, right) <= 0;
    return isLess === (how === "min") ? left : right;
  }
  const [a, b] = [exactOf(left), exactOf(right)];
  if (a && b) return cellOf(add(a, b));
  throw new FreeholdError("answer-invalid", "What was to be added is no number", { detail: `?${name}` });
}

const keyOf = (row: Row, names: readonly string[]): string =>
  JSON.stringify(
    names.map((name) => {
      const cell = row[name];
      return cell ? [cell.type, cell.value, cell.datatype ?? "", cell.language?.toLowerCase() ?? ""] : null;
    }),
  );

/** Groups by all columns that `how` does not name. */
export function createGroups(how: Readonly<Record<string, Merging>>): {
  add(row: Row): void;
  rows(): Row[];
} {
  const groups = new Map<string, Record<string, Cell>>();
  return {
    add(row) {
      const keys = Object.keys(row)
        .filter((name) => !(name in how))
        .sort();
      const key = `${keys.join(" ")} ${keyOf(row, keys)}`;
      const known = groups.get(key);
      if (!known) groups.set(key, { ...row } as Record<string, Cell>);
      else
        for (const [name, way] of Object.entries(how)) {
          const cell = mergeCells(way, name, known[name], row[name]);
          if (cell) known[name] = cell;
        }
    },
    rows: () => [...groups.values()],
  };
}
