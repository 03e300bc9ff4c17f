/**
 * Which pages of streams a query can make use of, so that the others are not read: a pod with years of observations is
 * asked about one month, or about something else altogether.
 *
 * A page says of its observations what {@link SAID_IN_PAGES} lists, and nothing else. So a page plays no part where no
 * pattern of the query can match that, or where every pattern that can is about an observation whose time the query
 * bounds, and the page has none of that time. When something was observed is what its page says: a document that gives an
 * observation of a page a second time beside the first does not count here.
 */
import { ldes, rdf, sosa, tree } from "@freehold/vocab";
import type { Expression, Path, Pattern, Place, Query, TriplePattern } from "./algebra.ts";

/** Milliseconds since 1970, both included; nothing at all when `from` is after `to`. */
export interface Times {
  readonly from: number;
  readonly to: number;
}

export const ALWAYS: Times = { from: -Infinity, to: Infinity };
const NEVER: Times = { from: Infinity, to: -Infinity };

const SAID_IN_PAGES: ReadonlySet<string> = new Set([
  rdf.type,
  sosa.madeBySensor,
  sosa.observedProperty,
  sosa.resultTime,
  sosa.hasSimpleResult,
  tree.member,
  ldes.immutable,
]);
const TYPES_IN_PAGES: ReadonlySet<string> = new Set([sosa.Observation, tree.Node]);

const hull = (all: readonly Times[]): Times => ({
  from: Math.min(Infinity, ...all.map(({ from }) => from)),
  to: Math.max(-Infinity, ...all.map(({ to }) => to)),
});

const nameOf = (place: Place): string | null => (place.termType === "Variable" ? place.value : null);

function canBeInPage({ predicate, object }: TriplePattern): boolean {
  if (predicate.termType === "Variable") return true;
  if (!SAID_IN_PAGES.has(predicate.value)) return false;
  return predicate.value !== rdf.type || object.termType === "Variable" || TYPES_IN_PAGES.has(object.value);
}

/** The variable for the observation that a pattern is about: what a page says of a stream is about its member. */
const aboutOf = ({ subject, predicate, object }: TriplePattern): string | null =>
  predicate.value === tree.member && predicate.termType === "NamedNode" ? nameOf(object) : nameOf(subject);

function ofPath(path: Path): Times {
  switch (path.kind) {
    case "link":
      return SAID_IN_PAGES.has(path.predicate.value) ? ALWAYS : NEVER;
    case "inverse":
    case "oneOrMore":
      return ofPath(path.path);
    case "sequence":
    case "alternative":
      return hull(path.paths.map(ofPath));
    default:
      return ALWAYS; // Of no length, it leads from every node of the data to itself; or it is anything but a few.
  }
}

/** Patterns that all must hold together, with what is asked of their variables. */
interface Conjunction {
  readonly required: TriplePattern[];
  /** Those that add something where they hold. */
  readonly optional: TriplePattern[];
  readonly conditions: Expression[];
  readonly others: Times[];
}

function collect(pattern: Pattern, found: Conjunction): void {
  switch (pattern.kind) {
    case "bgp":
      found.required.push(...pattern.triples);
      return;
    case "join":
      collect(pattern.left, found);
      return collect(pattern.right, found);
    case "leftJoin":
      collect(pattern.left, found);
      if (pattern.right.kind === "bgp") found.optional.push(...pattern.right.triples);
      else found.others.push(ofPattern(pattern.right));
      if (pattern.condition) found.others.push(ofExpression(pattern.condition));
      return;
    case "minus":
      found.others.push(ofPattern(pattern.right));
      return collect(pattern.left, found);
    case "filter":
      found.conditions.push(pattern.condition);
      found.others.push(ofExpression(pattern.condition));
      return collect(pattern.input, found);
    case "extend":
      found.others.push(ofExpression(pattern.expression));
      return collect(pattern.input, found);
    default:
      found.others.push(ofPattern(pattern));
  }
}

/** Milliseconds of a time with a zone; null for all else. */
function momentOf(expression: Expression | undefined): number | null {
  if (expression?.kind !== "term" || expression.term.termType !== "Literal") return null;
  const { value } = expression.term;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value)) return null;
  const moment = Date.parse(value);
  return Number.isNaN(moment) ? null : moment;
}

const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=" };

/** What a condition lets through of a variable. Milliseconds are what pages count in: a finer bound is widened to them. */
function boundsOf(condition: Expression, variable: string): Times {
  if (condition.kind !== "operator") return ALWAYS;
  const { operator, operands } = condition;
  if (operator === "&&") {
    const both = operands.map((operand) => boundsOf(operand, variable));
    return {
      from: Math.max(...both.map(({ from }) => from)),
      to: Math.min(...both.map(({ to }) => to)),
    };
  }
  const [left, right] = operands;
  const isVariable = (one: Expression | undefined): boolean =>
    one?.kind === "variable" && one.name === variable;
  const moment = isVariable(left) ? momentOf(right) : isVariable(right) ? momentOf(left) : null;
  if (moment === null) return ALWAYS;
  const sign = isVariable(left) ? operator : MIRRORED[operator];
  return {
    from: sign === ">" || sign === ">=" || sign === "=" ? moment : -Infinity,
    to: sign === "<" || sign === "<=" || sign === "=" ? moment + 1 : Infinity,
  };
}

function ofConjunction(pattern: Pattern): Times {
  const found: Conjunction = { required: [], optional: [], conditions: [], others: [] };
  collect(pattern, found);
  const known = new Map<string, Times>();
  for (const { subject, predicate, object } of found.required) {
    const [about, time] = [nameOf(subject), nameOf(object)];
    if (predicate.value !== sosa.resultTime || about === null || time === null) continue;
    const all = found.conditions.map((condition) => boundsOf(condition, time));
    known.set(about, {
      from: Math.max(known.get(about)?.from ?? -Infinity, ...all.map(({ from }) => from)),
      to: Math.min(known.get(about)?.to ?? Infinity, ...all.map(({ to }) => to)),
    });
  }
  const needed = [...found.required, ...found.optional]
    .filter(canBeInPage)
    .map((triple) => known.get(aboutOf(triple) ?? "") ?? ALWAYS);
  return hull([...needed, ...found.others]);
}

/** Of an expression only EXISTS looks at data. */
function ofExpression(expression: Expression): Times {
  switch (expression.kind) {
    case "exists":
      return ofPattern(expression.pattern);
    case "in":
      return hull([expression.operand, ...expression.list].map(ofExpression));
    case "operator":
    case "call":
    case "function":
      return hull(expression.operands.map(ofExpression));
    default:
      return NEVER;
  }
}

function ofPattern(pattern: Pattern): Times {
  switch (pattern.kind) {
    case "bgp":
    case "join":
    case "leftJoin":
    case "minus":
    case "filter":
    case "extend":
      return ofConjunction(pattern);
    case "path":
      return ofPath(pattern.path);
    case "values":
      return NEVER;
    case "union":
      return hull([ofPattern(pattern.left), ofPattern(pattern.right)]);
    case "group":
      return hull([
        ofPattern(pattern.input),
        ...pattern.keys.map(({ expression }) => ofExpression(expression)),
        ...pattern.aggregates.map(({ aggregate: { operand } }) => (operand ? ofExpression(operand) : NEVER)),
      ]);
    case "order":
      return hull([
        ofPattern(pattern.input),
        ...pattern.by.map(({ expression }) => ofExpression(expression)),
      ]);
    case "project":
    case "distinct":
    case "reduced":
    case "slice":
      return ofPattern(pattern.input);
    default:
      return ALWAYS; // GRAPH names documents, pages too; and of SERVICE nothing is known.
  }
}

/** @returns from when to when a page must have something for the answer to hang on it. */
export function timesOf(query: Query): Times {
  return query.form === "describe" ? ALWAYS : ofPattern(query.pattern);
}

export const overlaps = (
  { from, to }: Times,
  page: { readonly first: number; readonly last: number },
): boolean => page.last >= from && page.first <= to;

/** Documents without the pages that have nothing of these times; the list itself when all are left. */
export function usefulAmong<T extends { readonly page?: { readonly first: number; readonly last: number } }>(
  documents: readonly T[],
  times: Times,
): readonly T[] {
  const isUseful = ({ page }: T): boolean => !page || overlaps(times, page);
  return documents.every(isUseful) ? documents : documents.filter(isUseful);
}
