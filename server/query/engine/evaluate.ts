/** A plan over a dataset: rows, a truth value, or triples, pushed to whoever asked. */
import { xsd } from "@freehold/vocab";
import { blankNode, literal, namedNode } from "../../rdf/terms.ts";
import { type Id, KINDS, UNBOUND, type View } from "../index/view.ts";
import type { Place } from "../sparql/algebra.ts";
import { Builder } from "./build.ts";
import type { Control, QueryTerms, Row } from "./contract.ts";
import type { Plan } from "./plan.ts";
import { createRowSet } from "./rows.ts";
import { createScan } from "./scan.ts";
import { settledTriples } from "./settled.ts";
import { createQueryTerms } from "./terms.ts";

export interface EvaluationOptions {
  readonly control: Control;
  /** NOW(). */
  readonly now: Date;
  /** Told how many rows or triples the answer has by now, before any is given. @throws where those are too many. */
  readonly atMost?: (rows: number) => void;
}

const anyNumber = (): void => undefined;

export function createBuilder(
  plan: Plan,
  view: View,
  { control, now, atMost = anyNumber }: EvaluationOptions,
): Builder {
  const terms = createQueryTerms(view.terms, control);
  return new Builder({
    plan,
    view,
    terms,
    control,
    atMost,
    now: literal(now.toISOString(), namedNode(xsd.dateTime)),
  });
}

/**
 * SELECT.
 * @param sink Called for each solution with the values of `plan.variables`, in their order, in the same array each
 * time: `UNBOUND` where there is none. Returns true when it wants no more.
 */
export function select(
  plan: Plan,
  view: View,
  options: EvaluationOptions,
  sink: (row: Row, terms: QueryTerms) => boolean,
): void {
  const builder = createBuilder(plan, view, options);
  const { row, terms } = builder;
  const { places } = plan;
  const answer = new Uint32Array(places.length);
  const run = builder.build(plan.root, builder.start, () => {
    for (let at = 0; at < places.length; at++) answer[at] = row[places[at]!]!;
    return sink(answer, terms);
  });
  run();
}

/** ASK: stops at the first solution. */
export function ask(plan: Plan, view: View, options: EvaluationOptions): boolean {
  const builder = createBuilder(plan, view, options);
  return builder.build(plan.root, builder.start, () => true)();
}

/**
 * CONSTRUCT and DESCRIBE: distinct triples.
 * @param sink Returns true when it wants no more.
 */
export function graph(
  plan: Plan,
  view: View,
  options: EvaluationOptions,
  sink: (subject: Id, predicate: Id, object: Id, terms: QueryTerms) => boolean,
): void {
  const builder = createBuilder(plan, view, options);
  const { terms, control, atMost } = builder;
  const seen = createRowSet(3, control);
  const triple = new Uint32Array(3);
  const give = (s: Id, p: Id, o: Id): boolean => {
    triple[0] = s;
    triple[1] = p;
    triple[2] = o;
    const known = seen.table.length;
    if (seen.add(triple) !== known) return false;
    if (!plan.isSettled) return sink(s, p, o, terms);
    atMost(known + 1);
    return false;
  };
  if (plan.form === "construct") construct(builder, give);
  else describe(builder, give);
  if (!plan.isSettled) return;
  const { cells } = seen.table;
  for (const number of settledTriples(seen.table, terms))
    if (sink(cells[number * 3]!, cells[number * 3 + 1]!, cells[number * 3 + 2]!, terms)) return;
}

type Give = (subject: Id, predicate: Id, object: Id) => boolean;

/** What would be no triple is left out. https://www.w3.org/TR/sparql11-query/#construct */
function construct(builder: Builder, give: Give): void {
  const { plan, row, terms } = builder;
  const labels = new Map<string, number>();
  let fresh: Id[] = [];
  const valueOf = (place: Place): (() => Id) => {
    if (place.termType === "Variable") {
      const number = plan.place(place.value);
      return () => row[number]!;
    }
    if (place.termType !== "BlankNode") {
      const id = terms.intern(place);
      return () => id;
    }
    let label = labels.get(place.value);
    if (label === undefined) labels.set(place.value, (label = labels.size));
    const number = label;
    return () => (fresh[number] ??= terms.intern(blankNode()));
  };
  const template = plan.template.map(({ subject, predicate, object }) => ({
    subject: valueOf(subject),
    predicate: valueOf(predicate),
    object: valueOf(object),
  }));
  const run = builder.build(plan.root, builder.start, () => {
    fresh = [];
    for (const { subject, predicate, object } of template) {
      const [s, p, o] = [subject(), predicate(), object()];
      if (s === UNBOUND || p === UNBOUND || o === UNBOUND) continue;
      if (terms.kind(s) > KINDS.blank || terms.kind(p) !== KINDS.iri) continue;
      if (give(s, p, o)) return true;
    }
    return false;
  });
  run();
}

const [SUBJECT, PREDICATE, OBJECT, TRASH] = [0, 1, 2, 3];

/**
 * Concise bounded descriptions: all triples of a resource, and of blank nodes that they lead to.
 * https://www.w3.org/submissions/CBD/
 */
function describe(builder: Builder, give: Give): void {
  const { plan, row, access, terms } = builder;
  const described = new Set<Id>();
  const open: Id[] = [];
  const add = (id: Id): void => {
    if (id === UNBOUND || described.has(id)) return;
    described.add(id);
    open.push(id);
  };
  const cells = new Uint32Array(4).fill(UNBOUND);
  const places = { subject: SUBJECT, predicate: PREDICATE, object: OBJECT, graph: null };
  const scan = createScan(access, places, cells, TRASH, () => {
    const [s, p, o] = [cells[SUBJECT]!, cells[PREDICATE]!, cells[OBJECT]!];
    if (terms.kind(o) === KINDS.blank) add(o);
    return give(s, p, o);
  });
  const describeAll = (): boolean => {
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      cells[SUBJECT] = id;
      if (scan()) return true;
    }
    return false;
  };
  const { targets } = plan;
  const run = builder.build(plan.root, builder.start, () => {
    for (const place of targets) add(row[place]!);
    return describeAll();
  });
  if (run()) return;
  // Terms are described whether or not the pattern has a solution.
  for (const place of targets) add(row[place]!);
  describeAll();
}
