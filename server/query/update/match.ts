/**
 * The WHERE of an update over some documents, and what its templates make of each solution.
 * @see https://www.w3.org/TR/sparql11-update/#deleteInsert
 */
import { Problem } from "../../errors.ts";
import { blankNode, keyOfTriple, type Quad, quad, type Value } from "../../rdf/terms.ts";
import { compile } from "../engine/compile.ts";
import { type Control, type QueryTerms, type Row, Unsupported } from "../engine/contract.ts";
import { select } from "../engine/evaluate.ts";
import { createPodIndex } from "../index/pod-index.ts";
import { type Id, UNBOUND } from "../index/view.ts";
import { withSearch } from "../search/rewrite.ts";
import type { Pattern, Place, QuadPattern, Query } from "../sparql/algebra.ts";
import { labelOf } from "./labels.ts";
import type { ByGraph, GraphName, Matched, Modify } from "./perform.ts";

export interface MatchedDocument {
  /** From 1; no two have the same. */
  readonly number: number;
  readonly graph: string;
  readonly quads: Iterable<Quad>;
  readonly isDefault: boolean;
  readonly isNamed: boolean;
}

export interface MatchOptions {
  readonly control: Control;
  readonly now: Date;
  readonly baseIri: string;
  /** Which operation of the update it is: fresh blank nodes of two operations are never the same. */
  readonly at: number;
  /** Of all that is to be removed and inserted. */
  readonly quadsMax: number;
}

function variablesOf(quads: readonly QuadPattern[]): string[] {
  return quads.flatMap(({ subject, predicate, object, graph }) =>
    [subject, predicate, object, graph].flatMap((place) =>
      place?.termType === "Variable" ? [place.value] : [],
    ),
  );
}

/** @returns a query for all that the templates need. */
function queryOf(operation: Modify, baseIri: string): Query & { readonly form: "select" } {
  const variables = [...new Set([...variablesOf(operation.remove), ...variablesOf(operation.insert)])];
  const pattern: Pattern = { kind: "project", input: operation.where, variables };
  return { form: "select", from: null, baseIri, variables, pattern };
}

/** Collects what a template makes, each quad once. */
function createHeap(count: () => void) {
  const byGraph = new Map<GraphName, Map<string, Quad>>();
  return {
    add(name: GraphName, triple: Quad): void {
      let triples = byGraph.get(name);
      if (!triples) byGraph.set(name, (triples = new Map()));
      const key = keyOfTriple(triple);
      if (triples.has(key)) return;
      count();
      triples.set(key, triple);
    },
    all: (): ByGraph => new Map([...byGraph].map(([name, triples]) => [name, [...triples.values()]])),
  };
}

/**
 * @throws Problem `query-refused` for what would change too much, or holds too much; `query-timeout`.
 */
export function match(
  operation: Modify,
  documents: readonly MatchedDocument[],
  options: MatchOptions,
): Matched {
  const { control, quadsMax, at: operationAt } = options;
  const index = createPodIndex();
  const labels = new Map<Id, string>();
  for (const { number, graph, quads } of documents) {
    control.check();
    index.add({ number, graph, quads, onBlank: (label, id) => void labels.set(id, labelOf(number, label)) });
  }
  const numbers = (chosen: readonly MatchedDocument[]) => Uint32Array.from(chosen, ({ number }) => number);
  const view = index.view(
    numbers(documents.filter(({ isDefault }) => isDefault)),
    numbers(documents.filter(({ isNamed }) => isNamed)),
  );
  const query = queryOf(operation, options.baseIri);

  let count = 0;
  const countOne = (): void => {
    if (++count > quadsMax)
      throw new Problem("query-refused", `One operation of an update changes at most ${quadsMax} triples`);
  };
  const [removed, inserted] = [createHeap(countOne), createHeap(countOne)];
  const placeOf = new Map(query.variables.map((name, at) => [name, at]));
  let solution = 0;

  const valueOf = (place: Place, row: Row, terms: QueryTerms): Value | null => {
    if (place.termType === "BlankNode") return blankNode(`new.${operationAt}.${solution}.${place.value}`);
    if (place.termType !== "Variable") return place;
    const id = row[placeOf.get(place.value)!]!;
    if (id === UNBOUND) return null;
    const term = terms.get(id);
    if (term.termType !== "BlankNode") return term;
    return blankNode(labels.get(id) ?? `made.${operationAt}.${term.value}`);
  };
  const fill = (
    template: readonly QuadPattern[],
    heap: typeof removed,
    row: Row,
    terms: QueryTerms,
  ): void => {
    for (const { subject, predicate, object, graph } of template) {
      const s = valueOf(subject, row, terms);
      const p = valueOf(predicate, row, terms);
      const o = valueOf(object, row, terms);
      const g = graph === null ? null : valueOf(graph, row, terms);
      // What would be no quad is left out.
      if (s === null || s.termType === "Literal" || p?.termType !== "NamedNode" || o === null) continue;
      if (graph !== null && g?.termType !== "NamedNode") continue;
      heap.add(g?.value ?? operation.with, quad(s, p, o));
    }
  };
  try {
    // What is written must not hang on what may not be read: which of several rows a sub-select takes, for one.
    select(compile(withSearch(query), true), view, { control, now: options.now }, (row, terms) => {
      if ((++solution & 1023) === 0) control.check();
      fill(operation.remove, removed, row, terms);
      fill(operation.insert, inserted, row, terms);
      return false;
    });
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    throw new Problem("query-refused", "WHERE asks for something that an update cannot", { cause: error });
  }
  return { remove: removed.all(), insert: inserted.all() };
}
