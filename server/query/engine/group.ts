/** Grouping and aggregates: https://www.w3.org/TR/sparql11-query/#aggregateAlgebra */
import { xsd } from "@freehold/vocab";
import { literal, namedNode } from "../../rdf/terms.ts";
import { ERROR, type Id, UNBOUND } from "../index/view.ts";
import { createAccumulator } from "./aggregates.ts";
import { after, BOUND, type Builder, type State } from "./build.ts";
import type { Accumulator } from "./contract.ts";
import { type GroupNode, NOWHERE, type PlaceNumber } from "./plan.ts";
import { createRowSet, type RowSet } from "./rows.ts";
import type { Step } from "./scan.ts";

const INTEGER = namedNode(xsd.integer);

/** One aggregate over all groups, by the number of the group. */
interface Column {
  add(group: number): void;
  /** Many rows at once, where what is in them does not matter. */
  readonly addMany?: (count: number) => void;
  finish(group: number): Id;
}

type Aggregate = GroupNode["aggregates"][number];

/** COUNT without DISTINCT of what is always bound needs no look at the row. */
function countingColumn(builder: Builder): Column {
  const counts: number[] = [];
  return {
    add: (group) => {
      counts[group] = (counts[group] ?? 0) + 1;
    },
    addMany: (count) => {
      counts[0] = (counts[0] ?? 0) + count;
    },
    finish: (group) => builder.terms.intern(literal(String(counts[group] ?? 0), INTEGER)),
  };
}

/** `COUNT(DISTINCT ?x)`: terms are the same exactly if their ids are. */
function distinctColumn(builder: Builder, place: PlaceNumber): Column {
  const { row, control, terms } = builder;
  const sets: RowSet[] = [];
  const value = new Uint32Array(1);
  return {
    add(group) {
      value[0] = row[place]!;
      if (value[0] !== UNBOUND) (sets[group] ??= createRowSet(1, control)).add(value);
    },
    finish: (group) => terms.intern(literal(String(sets[group]?.table.length ?? 0), INTEGER)),
  };
}

function columnOf(
  builder: Builder,
  { aggregate, scoped }: Aggregate,
  visible: GroupNode["visible"],
  state: State,
): Column {
  const { row } = builder;
  const isCount = aggregate.name === "COUNT" && !aggregate.distinct;
  if (isCount && aggregate.operand === null) return countingColumn(builder);
  if (
    isCount &&
    aggregate.operand?.kind === "variable" &&
    state[scoped!.place(aggregate.operand.name)] === BOUND
  )
    return countingColumn(builder);
  if (aggregate.operand === null) return distinctSolutions(builder, visible);
  if (aggregate.name === "COUNT" && aggregate.distinct && aggregate.operand.kind === "variable")
    return distinctColumn(builder, scoped!.place(aggregate.operand.name));
  const create = createAccumulator(aggregate, builder.context(scoped!, state));
  const groups: Accumulator[] = [];
  return {
    add: (group) => (groups[group] ??= create()).add(row),
    finish: (group) => (groups[group] ?? create()).finish(),
  };
}

/** `COUNT(DISTINCT *)` */
function distinctSolutions(builder: Builder, visible: GroupNode["visible"]): Column {
  const { row, control, terms } = builder;
  const seen = createRowSet(visible.length + 1, control);
  const values = new Uint32Array(visible.length + 1);
  const counts: number[] = [];
  return {
    add(group) {
      values[0] = group;
      for (const [at, place] of visible.entries()) values[at + 1] = row[place]!;
      const known = seen.table.length;
      if (seen.add(values) === known) counts[group] = (counts[group] ?? 0) + 1;
    },
    finish: (group) => terms.intern(literal(String(counts[group] ?? 0), INTEGER)),
  };
}

/** Without keys there is one group, be there solutions or not; with keys only those that have solutions. */
export function buildGroup(builder: Builder, node: GroupNode, state: State, next: Step): Step {
  const { row, control } = builder;
  const { input, keys, aggregates, visible } = node;
  const inside = after(state, input);
  const computes = keys.map(({ scoped }) => builder.compute(scoped, inside));
  /** Where a key stands, if it is a variable; else NOWHERE. */
  const keyPlaces = keys.map(({ scoped }) =>
    scoped.expression.kind === "variable" ? scoped.place(scoped.expression.name) : NOWHERE,
  );
  const values = new Uint32Array(keys.length);
  let groups: RowSet;
  let columns: readonly Column[];
  const sink = (): boolean => {
    let group = 0;
    if (computes.length > 0) {
      for (let at = 0; at < computes.length; at++) {
        const place = keyPlaces[at]!;
        const value = place === NOWHERE ? computes[at]!(row) : row[place]!;
        values[at] = value === ERROR ? UNBOUND : value;
      }
      group = groups.add(values);
    }
    for (let at = 0; at < columns.length; at++) columns[at]!.add(group);
    return false;
  };
  const start = (): void => {
    groups = createRowSet(keys.length, control);
    columns = aggregates.map((aggregate) => columnOf(builder, aggregate, visible, inside));
  };
  start();
  const isCount = keys.length === 0 && columns!.every(({ addMany }) => addMany);
  const counting = (count: number): void => {
    for (const { addMany } of columns) addMany!(count);
  };
  const run = builder.build(input, state, isCount ? Object.assign(sink, { add: counting }) : sink);
  return () => {
    start();
    run();
    const length = keys.length === 0 ? 1 : groups.table.length;
    let isEnough = false;
    for (let group = 0; group < length && !isEnough; group++) {
      if ((group & 1023) === 1023) control.check();
      for (let at = 0; at < keys.length; at++)
        row[keys[at]!.place] = groups.table.cells[group * keys.length + at]!;
      for (const [at, { place }] of aggregates.entries()) {
        const value = columns[at]!.finish(group);
        row[place] = value === ERROR ? UNBOUND : value;
      }
      isEnough = next();
    }
    groups.table.release();
    for (const { place } of keys) row[place] = UNBOUND;
    for (const { place } of aggregates) row[place] = UNBOUND;
    return isEnough;
  };
}
