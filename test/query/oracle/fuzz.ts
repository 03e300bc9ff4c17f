/** Pairs of a dataset and a query by chance, and what several engines say to each. */

import { keyOf, type Value } from "../../../server/rdf/terms.ts";
import { makeGraphs, makeQuery, type QueryCase } from "./cases.ts";
import { createChance } from "./chance.ts";
import { difference, linesOf } from "./compare.ts";
import {
  comunica,
  type Engine,
  type GraphDocument,
  type Outcome,
  reference,
  type Solution,
} from "./engines.ts";
import { compare, Failed } from "./reference-values.ts";

const BASE = "http://e/";

/**
 * Where the others do not say what the definitions and ours say. Each is a difference that was looked at; what fits none
 * of them is unexplained. Read in this order; the pattern is looked for in the query and the data.
 */
const KNOWN: readonly (readonly [what: string, engine: string, where: RegExp])[] = [
  ["no MIN and MAX of what is no literal", "Comunica", /\b(MIN|MAX)\(/],
  ["no row for an aggregate over no solutions", "Comunica", /\b(AVG|SUM|COUNT|GROUP_CONCAT)\(/],
  ["a negated path from a variable to itself", "Comunica", /(\?\w) \S*!\S*( \S+)* \1/],
  ["strings are compared as a language orders them", "Comunica", /[<>]=? /],
  ["MINUS inside GRAPH", "Comunica", /GRAPH.*MINUS/],
  ["no truth value of text with a language", "Comunica", /FILTER|IF/],
  ["a number is its value, however it is spelled", "Oxigraph", /"01"|2\.0|e0|STR\(/],
  ["VALUES without rows, and no group", "Oxigraph", /VALUES \([^)]*\) \{ {2}\}/],
  ["an empty path from a term that is nowhere", "Oxigraph", /[)*?+] |\| /],
];

export interface Findings {
  /** Pairs that were compared with at least one other engine's answer. */
  pairs: number;
  /** Pairs whose answer the specification leaves open. */
  free: number;
  /** Pairs in which the answer has something in it. */
  filled: number;
  readonly explained: Map<string, number>;
  readonly unexplained: string[];
}

export const noFindings = (): Findings => ({
  pairs: 0,
  free: 0,
  filled: 0,
  explained: new Map(),
  unexplained: [],
});

function show(seed: number, { text }: QueryCase, graphs: readonly GraphDocument[], what: string): string {
  const data = graphs.map(
    ({ name, quads, isDefault, isNamed }) =>
      `${name}${isDefault ? " default" : ""}${isNamed ? " named" : ""}: ${quads
        .map((each) => [each.subject, each.predicate, each.object].map(keyOf).join(" "))
        .join(" . ")}`,
  );
  return `seed ${seed}\n${text}\n${data.join("\n")}\n${what}`;
}

/** What comes before what, as far as it is defined; null where it is not. https://www.w3.org/TR/sparql11-query/#modOrderBy */
function orderOf(a: Value | undefined, b: Value | undefined): number | null {
  const rank = (term: Value | undefined): number =>
    term ? ["BlankNode", "NamedNode", "Literal"].indexOf(term.termType) : -1;
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (!a || !b) return 0;
  if (keyOf(a) === keyOf(b)) return 0;
  if (a.termType === "BlankNode") return null;
  if (a.termType === "NamedNode") return a.value < b.value ? -1 : 1;
  try {
    return compare(a, b);
  } catch (error) {
    if (error instanceof Failed) return null;
    throw error;
  }
}

/** Two rows that stand in the wrong order. */
function orderFault(rows: readonly Solution[], { order }: QueryCase): string | null {
  for (let at = 1; at < rows.length; at++)
    for (const { variable, descending } of order) {
      const [a, b] = [rows[at - 1]!.get(variable), rows[at]!.get(variable)];
      const by = orderOf(a, b);
      if (by === null || (descending ? by > 0 : by < 0)) break;
      if (by !== 0) return `rows ${at - 1} and ${at}: ${a?.value} before ${b?.value}`;
    }
  return null;
}

/** OFFSET and LIMIT: as many rows as there must be, and none that is not in the whole. */
function sliceFault(found: Outcome, whole: Outcome, { offset, limit }: QueryCase): string | null {
  if (found.kind !== "rows" || whole.kind !== "rows") return `${found.kind} of ${whole.kind}`;
  const count = Math.min(limit ?? Number.POSITIVE_INFINITY, Math.max(0, whole.rows.length - offset));
  if (found.rows.length !== count) return `${found.rows.length} rows where ${count} are due`;
  if (whole.rows.some((row) => [...row.values()].some(({ termType }) => termType === "BlankNode")))
    return null;
  const left = new Map<string, number>();
  for (const line of linesOf(whole.rows)) left.set(line, (left.get(line) ?? 0) + 1);
  for (const line of linesOf(found.rows)) {
    const times = left.get(line) ?? 0;
    if (times === 0) return `a row that is not in the whole: ${line}`;
    left.set(line, times - 1);
  }
  return null;
}

/**
 * Asks the engine under test, the definitions, and one or two others; each gets the same graphs.
 * @param others Comunica if none are given. @param times How much larger the data are than usual.
 */
export async function comparePair(
  seed: number,
  engine: Engine,
  findings: Findings,
  others: readonly Engine[] = [comunica],
  times = 1,
): Promise<void> {
  const chance = createChance(seed);
  const graphs = makeGraphs(chance, times);
  const query = makeQuery(chance);
  const text = query.whole ?? query.text;
  const how = { isReduced: query.isReduced };
  const defined = await reference.open(graphs)(text, BASE);
  if (defined.kind === "refused") {
    findings.free += 1;
    return;
  }
  const report = (what: string): void => void findings.unexplained.push(show(seed, query, graphs, what));
  const answer = engine.open(graphs);
  const found = await answer(text, BASE);
  const fault = difference(found, defined, how);
  if (fault !== null) report(`${engine.name} and ${reference.name}: ${fault}`);
  findings.pairs += 1;
  if (
    found.kind === "boolean" ||
    (found.kind === "rows" ? found.rows : found.kind === "graph" ? found.quads : []).length > 0
  )
    findings.filled += 1;

  const explain = (why: string): void =>
    void findings.explained.set(why, (findings.explained.get(why) ?? 0) + 1);
  for (const other of others) {
    const said = await other.open(graphs)(text, BASE);
    const against = difference(found, said, how);
    if (against !== null && fault === null) {
      const shown = show(seed, query, graphs, "");
      const known = KNOWN.find(([, name, pattern]) => name === other.name && pattern.test(shown));
      if (said.kind === "refused") explain(`${other.name}: fails`);
      else if (known) explain(`${other.name}: ${known[0]}`);
      else report(`${engine.name} and ${other.name}: ${against}`);
    }
  }
  const disorder = found.kind === "rows" ? orderFault(found.rows, query) : null;
  if (disorder !== null) report(`order: ${disorder}`);
  if (query.whole !== null) {
    const wrong = sliceFault(await answer(query.text, BASE), found, query);
    if (wrong !== null) report(`slice: ${wrong}`);
  }
}
