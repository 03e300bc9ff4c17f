/** How SPARQL asks for full-text search. */
import { dcterms, fh, schema, sosa } from "@freehold/vocab";
import type { Expression } from "../sparql/algebra.ts";

export const MATCHES: string = fh.matches;
export const SCORE: string = fh.score;
export const EXCERPT: string = fh.excerpt;

/** Whether a query may search texts, as far as a glance can tell. */
export const isSearch = (query: string): boolean => query.includes(MATCHES.slice(MATCHES.indexOf("#") + 1));

/** A condition on a variable that the index of words can answer. */
export interface TextCondition {
  readonly variable: string;
  readonly query: string;
}

/** `fh:matches(?text, "words")`; null for any other expression. */
export function textConditionOf(expression: Expression): TextCondition | null {
  if (expression.kind !== "function" || expression.iri !== MATCHES) return null;
  const [text, query] = expression.operands;
  if (text?.kind !== "variable" || query?.kind !== "term") return null;
  const { term } = query;
  return term.termType === "Literal" ? { variable: text.name, query: term.value } : null;
}

/** What says of when something is: the first that a thing has. */
export const DATES: readonly string[] = [
  schema.datePublished,
  schema.dateCreated,
  schema.orderDate,
  schema.startDate,
  dcterms.created,
  dcterms.modified,
  sosa.resultTime,
  fh.bookingDate,
];
