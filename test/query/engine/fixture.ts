/** Queries over small datasets, from their texts: the real parser, index and evaluator. */
import { LIMITS } from "../../../server/limits.ts";
import { compile } from "../../../server/query/engine/compile.ts";
import type { Control } from "../../../server/query/engine/contract.ts";
import { ask, type EvaluationOptions, graph, select } from "../../../server/query/engine/evaluate.ts";
import type { Plan } from "../../../server/query/engine/plan.ts";
import { createPodIndex } from "../../../server/query/index/pod-index.ts";
import { UNBOUND, type View } from "../../../server/query/index/view.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { parseText } from "../../../server/rdf/parse.ts";
import { namedNode, type Quad, quad, type Value } from "../../../server/rdf/terms.ts";

export const EX = "http://example.org/";
const PREFIXES = `PREFIX : <${EX}> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> `;

export const free: Control = { check: () => undefined, hold: () => undefined };
export const options: EvaluationOptions = { control: free, now: new Date("2026-11-22T10:00:00Z") };

/** Turtle with `:` for the example's namespace. */
export const turtle = (text: string): Quad[] => parseText(`@prefix : <${EX}> .\n${text}`, "text/turtle", EX);

export const planOf = (text: string, isSettled = false): Plan =>
  compile(parseQuery(PREFIXES + text, { baseIri: EX, limits: LIMITS }), isSettled);

/** Each document both in the default graph and a named graph, unless said. */
export function viewOf(documents: Readonly<Record<string, string>>, hidden: readonly string[] = []): View {
  const index = createPodIndex();
  const visible: number[] = [];
  for (const [at, [name, text]] of Object.entries(documents).entries()) {
    index.add({ number: at + 1, graph: EX + name, quads: turtle(text) });
    if (!hidden.includes(name)) visible.push(at + 1);
    if (at === 0) index.compact(); // So that there is a base, and something later.
  }
  const numbers = Uint32Array.from(visible);
  return index.view(numbers, numbers);
}

export function show(term: Value): string {
  if (term.termType === "BlankNode") return "_:";
  return term.value.startsWith(EX) ? `:${term.value.slice(EX.length)}` : term.value;
}

/** Rows as lines, `variable=value`, in the order of SELECT; sorted, for the order is free. */
export function rowsOf(text: string, view: View): string[] {
  return [...orderedRowsOf(text, view)].sort();
}

export function orderedRowsOf(text: string, view: View): string[] {
  const plan = planOf(text);
  const rows: string[] = [];
  select(plan, view, options, (row, terms) => {
    const cells = plan.variables.flatMap((name, at) =>
      row[at] === UNBOUND ? [] : [`${name}=${show(terms.get(row[at]!))}`],
    );
    rows.push(cells.join(" "));
    return false;
  });
  return rows;
}

export const truthOf = (text: string, view: View): boolean => ask(planOf(text), view, options);

export function triplesOf(text: string, view: View): Quad[] {
  const quads: Quad[] = [];
  graph(planOf(text), view, options, (s, p, o, terms) => {
    quads.push(quad(terms.get(s) as Quad["subject"], namedNode(terms.get(p).value), terms.get(o)));
    return false;
  });
  return quads;
}
