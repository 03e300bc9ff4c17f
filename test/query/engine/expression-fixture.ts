/** Expressions by themselves: read by the real parser, compiled for the real terms of a pod, and evaluated on one row. */
import { xsd } from "@freehold/vocab";
import { LIMITS } from "../../../server/limits.ts";
import type { Control, ExpressionContext, QueryTerms } from "../../../server/query/engine/contract.ts";
import { compileExpression, compileTest } from "../../../server/query/engine/expression.ts";
import { createQueryTerms } from "../../../server/query/engine/terms.ts";
import { createLexicon, emptyTerms } from "../../../server/query/index/lexicon.ts";
import { ERROR, type Id, UNBOUND } from "../../../server/query/index/view.ts";
import type { Expression, Pattern } from "../../../server/query/sparql/algebra.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { literal, namedNode, type Value } from "../../../server/rdf/terms.ts";

export const BASE = "https://pod.example/ana/sparql";
const PREFIXES = `PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> PREFIX ex: <http://example.org/> `;
/** Variables of every row, in the order of their places. */
export const VARIABLES = ["a", "b", "c", "unbound"];

export const unlimited: Control = { check: () => undefined, hold: () => undefined };

/** The first expression that a query with these bindings evaluates. */
export function readExpression(text: string): Expression {
  const query = parseQuery(`${PREFIXES} SELECT (${text} AS ?result) {}`, { baseIri: BASE, limits: LIMITS });
  const find = (pattern: Pattern): Expression | null =>
    pattern.kind === "extend" ? pattern.expression : "input" in pattern ? find(pattern.input) : null;
  const found = query.form === "select" ? find(query.pattern) : null;
  if (!found) throw new Error(`no expression in ${text}`);
  return found;
}

export function createTerms(known: readonly Value[] = []): QueryTerms {
  const lexicon = createLexicon(emptyTerms());
  for (const term of known) if (term.termType !== "BlankNode") lexicon.intern(term);
  return createQueryTerms(lexicon, unlimited);
}

export function contextOf(terms: QueryTerms, variables: readonly string[] = VARIABLES): ExpressionContext {
  let solutions = 0;
  return {
    terms,
    control: unlimited,
    place: (variable) => variables.indexOf(variable),
    baseIri: BASE,
    now: literal("2026-11-22T10:00:00Z", namedNode(xsd.dateTime)),
    solution: () => solutions++,
    exists: (pattern) => () => pattern.kind === "bgp" && pattern.triples.length === 0,
  };
}

/** As one writes it in Turtle, with `xsd:` for its namespace; a blank node is `_:`. */
export function show(term: Value | null): string {
  if (term === null) return "error";
  if (term.termType === "NamedNode") return `<${term.value}>`;
  if (term.termType === "BlankNode") return "_:";
  if (term.language) return `"${term.value}"@${term.language}`;
  const { value } = term.datatype;
  if (value === xsd.string) return `"${term.value}"`;
  const prefix = "http://www.w3.org/2001/XMLSchema#";
  return `"${term.value}"^^${value.startsWith(prefix) ? `xsd:${value.slice(prefix.length)}` : `<${value}>`}`;
}

export type Bindings = Readonly<Record<string, Value>>;

/** @param known Whether the bound terms are in the pod, or computed by the query. */
export function evaluate(text: string, bindings: Bindings = {}, known = true): string {
  const terms = createTerms(known ? Object.values(bindings) : []);
  const row = Uint32Array.from(
    VARIABLES,
    (name): Id => (bindings[name] ? terms.intern(bindings[name]) : UNBOUND),
  );
  const id = compileExpression(readExpression(text), contextOf(terms))(row);
  return id === ERROR ? "error" : show(terms.get(id));
}

/** What FILTER makes of it. */
export function passes(text: string, bindings: Bindings = {}): boolean {
  const terms = createTerms(Object.values(bindings));
  const row = Uint32Array.from(
    VARIABLES,
    (name): Id => (bindings[name] ? terms.intern(bindings[name]) : UNBOUND),
  );
  return compileTest(readExpression(text), contextOf(terms))(row);
}
