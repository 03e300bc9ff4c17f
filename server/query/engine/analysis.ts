/**
 * What can be said of a pattern before any data is seen: which variables it can bind, which it always binds, and which
 * must not be bound before it, because the meaning of SPARQL is bottom-up and the evaluator passes bindings sideways.
 */
import { xsd } from "@freehold/vocab";
import { keyOf, type Literal, type NamedNode } from "../../rdf/terms.ts";
import type { Expression, Pattern, Place } from "../sparql/algebra.ts";

export interface Analysis {
  /** In scope: https://www.w3.org/TR/sparql11-query/#variableScope */
  readonly variables: ReadonlySet<string>;
  /** Those that have a value in every solution. */
  readonly certain: ReadonlySet<string>;
  /**
   * Those that, bound before the pattern is evaluated, could change its solutions by more than leaving out what does
   * not fit: `OPTIONAL` and `FILTER` over what the pattern itself may leave unbound.
   */
  readonly conflicts: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

export function union<T>(...sets: readonly ReadonlySet<T>[]): ReadonlySet<T> {
  const filled = sets.filter(({ size }) => size > 0);
  if (filled.length === 0) return new Set();
  return filled.length === 1 ? filled[0]! : new Set(filled.flatMap((set) => [...set]));
}

const placeVariables = (...places: readonly Place[]): ReadonlySet<string> =>
  new Set(places.flatMap((place) => (place.termType === "Variable" ? [place.value] : [])));

/** Variables that an expression looks at, those of patterns in EXISTS included. */
export function mentioned(expression: Expression): ReadonlySet<string> {
  const found = new Set<string>();
  collectMentioned(expression, found);
  return found;
}

function collectMentioned(expression: Expression, found: Set<string>): void {
  if (expression.kind === "variable") found.add(expression.name);
  else if (expression.kind === "exists") collectPattern(expression.pattern, found);
  else {
    if (expression.kind === "in") collectMentioned(expression.operand, found);
    for (const operand of operandsOf(expression)) collectMentioned(operand, found);
  }
}

function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "operator":
    case "call":
    case "function":
      return expression.operands;
    case "in":
      return expression.list;
    default:
      return [];
  }
}

/** All that a pattern names, where a substituted value would matter. */
function collectPattern(pattern: Pattern, found: Set<string>): void {
  const addPlaces = (...places: readonly Place[]): void => {
    for (const name of placeVariables(...places)) found.add(name);
  };
  switch (pattern.kind) {
    case "bgp":
      for (const { subject, predicate, object } of pattern.triples) addPlaces(subject, predicate, object);
      return;
    case "path":
      return addPlaces(pattern.subject, pattern.object);
    case "join":
    case "union":
    case "minus":
    case "leftJoin":
      collectPattern(pattern.left, found);
      collectPattern(pattern.right, found);
      if (pattern.kind === "leftJoin" && pattern.condition) collectMentioned(pattern.condition, found);
      return;
    case "values":
      for (const name of pattern.variables) found.add(name);
      return;
    case "project":
      for (const name of pattern.variables) found.add(name); // All else inside is its own.
      return;
    case "filter":
      collectMentioned(pattern.condition, found);
      break;
    case "extend":
      found.add(pattern.variable);
      collectMentioned(pattern.expression, found);
      break;
    case "graph":
    case "service":
      addPlaces(pattern.name);
      break;
    default:
      break;
  }
  collectPattern(pattern.input, found);
}

/** Patterns in EXISTS, wherever they stand in an expression. */
export function existsIn(expression: Expression): readonly Pattern[] {
  if (expression.kind === "exists") return [expression.pattern];
  const inner = operandsOf(expression).flatMap(existsIn);
  return expression.kind === "in" ? [...existsIn(expression.operand), ...inner] : inner;
}

const VOLATILE = new Set(["RAND", "UUID", "STRUUID", "BNODE"]);

/** Whether it can give something else each time. */
export function isVolatile(expression: Expression): boolean {
  if (expression.kind === "call" && VOLATILE.has(expression.name)) return true;
  if (expression.kind === "in" && isVolatile(expression.operand)) return true;
  return operandsOf(expression).some(isVolatile);
}

/** `a && b && c` as three; an error in one of them fails all, as it does together. */
export function conjuncts(expression: Expression): readonly Expression[] {
  return expression.kind === "operator" && expression.operator === "&&"
    ? expression.operands.flatMap(conjuncts)
    : [expression];
}

const intersect = (left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...left].filter((name) => right.has(name)));
const without = (left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...left].filter((name) => !right.has(name)));

export type Analyse = (pattern: Pattern) => Analysis;

/** Each pattern is looked at once, however deep the query. */
export function createAnalysis(): Analyse {
  const known = new Map<Pattern, Analysis>();
  const analyse = (pattern: Pattern): Analysis => {
    let found = known.get(pattern);
    if (!found) known.set(pattern, (found = look(pattern)));
    return found;
  };

  const look = (pattern: Pattern): Analysis => {
    switch (pattern.kind) {
      case "bgp": {
        const variables = placeVariables(
          ...pattern.triples.flatMap((t) => [t.subject, t.predicate, t.object]),
        );
        return { variables, certain: variables, conflicts: NONE };
      }
      case "path": {
        const variables = placeVariables(pattern.subject, pattern.object);
        return { variables, certain: variables, conflicts: NONE };
      }
      case "values": {
        const certain = pattern.variables.filter((_, at) => pattern.rows.every((row) => row[at] !== null));
        return { variables: new Set(pattern.variables), certain: new Set(certain), conflicts: NONE };
      }
      case "join": {
        const [left, right] = [analyse(pattern.left), analyse(pattern.right)];
        return {
          variables: union(left.variables, right.variables),
          certain: union(left.certain, right.certain),
          conflicts: union(left.conflicts, right.conflicts),
        };
      }
      case "union": {
        const [left, right] = [analyse(pattern.left), analyse(pattern.right)];
        return {
          variables: union(left.variables, right.variables),
          certain: intersect(left.certain, right.certain),
          conflicts: union(left.conflicts, right.conflicts),
        };
      }
      case "leftJoin": {
        const [left, right] = [analyse(pattern.left), analyse(pattern.right)];
        const variables = union(left.variables, right.variables);
        const looked = pattern.condition ? intersect(mentioned(pattern.condition), variables) : NONE;
        const conflicts = without(union(right.variables, looked), left.certain);
        return { variables, certain: left.certain, conflicts: union(left.conflicts, conflicts) };
      }
      case "minus": {
        const [left, right] = [analyse(pattern.left), analyse(pattern.right)];
        const shared = without(intersect(left.variables, right.variables), left.certain);
        return { ...left, conflicts: union(left.conflicts, shared) };
      }
      case "filter": {
        const input = analyse(pattern.input);
        const looked = without(intersect(mentioned(pattern.condition), input.variables), input.certain);
        return { ...input, conflicts: union(input.conflicts, looked) };
      }
      case "extend": {
        const input = analyse(pattern.input);
        const looked = without(intersect(mentioned(pattern.expression), input.variables), input.certain);
        const { expression, variable } = pattern;
        const isCertain =
          expression.kind === "term" ||
          (expression.kind === "variable" && input.certain.has(expression.name));
        return {
          variables: union(input.variables, new Set([variable])),
          certain: isCertain ? union(input.certain, new Set([variable])) : input.certain,
          conflicts: union(input.conflicts, looked),
        };
      }
      case "graph":
      case "service": {
        const input = analyse(pattern.input);
        const name = placeVariables(pattern.name);
        return { ...input, variables: union(input.variables, name), certain: union(input.certain, name) };
      }
      case "project": {
        const input = analyse(pattern.input);
        const variables = new Set(pattern.variables);
        return {
          variables,
          certain: intersect(input.certain, variables),
          conflicts: intersect(input.conflicts, variables),
        };
      }
      case "group": {
        const input = analyse(pattern.input);
        const keys = pattern.keys.filter(
          ({ expression }) =>
            expression.kind === "term" ||
            (expression.kind === "variable" && input.certain.has(expression.name)),
        );
        const counts = pattern.aggregates.filter(({ aggregate }) => aggregate.name === "COUNT");
        return {
          variables: new Set([...pattern.keys, ...pattern.aggregates].map(({ variable }) => variable)),
          certain: new Set([...keys, ...counts].map(({ variable }) => variable)),
          conflicts: NONE,
        };
      }
      default:
        return { ...analyse(pattern.input), conflicts: NONE }; // Order, distinct, reduced and slice are evaluated by themselves.
    }
  };
  return analyse;
}

/** Variables that in every solution are objects of triples: terms of the data, computed by nobody. */
export function objectsIn(pattern: Pattern): ReadonlySet<string> {
  switch (pattern.kind) {
    case "bgp":
      return placeVariables(...pattern.triples.map(({ object }) => object));
    case "join":
      return union(objectsIn(pattern.left), objectsIn(pattern.right));
    case "union":
      return intersect(objectsIn(pattern.left), objectsIn(pattern.right));
    case "leftJoin":
    case "minus":
      return objectsIn(pattern.left);
    case "filter":
    case "extend":
    case "graph":
    case "distinct":
      return objectsIn(pattern.input);
    case "project":
      return intersect(objectsIn(pattern.input), new Set(pattern.variables));
    default:
      return NONE;
  }
}

/** Whether a pattern ends in what needs all its solutions, and so is evaluated by itself. */
export function isWhole(pattern: Pattern): boolean {
  switch (pattern.kind) {
    case "group":
    case "order":
    case "distinct":
    case "reduced":
    case "slice":
      return true;
    case "project":
      return endsInGroup(pattern.input);
    default:
      return false;
  }
}

/** Whether filters and assignments over a pattern are those of a grouping: HAVING, and expressions over aggregates. */
export function endsInGroup(pattern: Pattern): boolean {
  if (pattern.kind === "group" || pattern.kind === "order") return true;
  return (pattern.kind === "extend" || pattern.kind === "filter") && endsInGroup(pattern.input);
}

/** Whether each solution of a pattern, looked for in graphs that are not known yet, is in a graph that it says. */
export function isAnchored(pattern: Pattern): boolean {
  switch (pattern.kind) {
    case "bgp":
      return pattern.triples.length > 0;
    case "path":
      return true;
    case "join":
      return isAnchored(pattern.left) || isAnchored(pattern.right);
    case "union":
      return isAnchored(pattern.left) && isAnchored(pattern.right);
    case "leftJoin":
    case "minus":
      return isAnchored(pattern.left);
    case "filter":
    case "extend":
      return isAnchored(pattern.input);
    case "project":
      return !isWhole(pattern) && isAnchored(pattern.input);
    default:
      return false;
  }
}

interface OneOf {
  readonly name: string;
  readonly terms: readonly (NamedNode | Literal)[];
}

/**
 * `?x = <iri>`, `?x = "text"`, `?x IN (…)` of these, and several joined by `||`: of a variable that is always bound they
 * say no more than VALUES does, which an index can use. Numbers and dates are equal by value, so they are not among them.
 */
export function equalTo(expression: Expression): OneOf | null {
  if (expression.kind === "in") {
    return expression.negated ? null : oneOf(expression.operand, expression.list);
  }
  if (expression.kind === "call" && expression.name === "SAMETERM") {
    const [left, right] = expression.operands;
    return oneOf(left, [right], true) ?? oneOf(right, [left], true);
  }
  if (expression.kind !== "operator") return null;
  const [left, right] = expression.operands;
  if (expression.operator === "=") return oneOf(left, [right]) ?? oneOf(right, [left]);
  if (expression.operator !== "||") return null;
  const each = expression.operands.map(equalTo);
  const name = each[0]?.name;
  const terms = new Map<string, NamedNode | Literal>();
  for (const one of each) {
    if (!one || one.name !== name) return null;
    for (const term of one.terms) terms.set(keyOf(term), term);
  }
  return name === undefined ? null : { name, terms: [...terms.values()] };
}

/** @param isAny Whatever term it is: it is compared as a term. */
function oneOf(
  variable: Expression | undefined,
  list: readonly (Expression | undefined)[],
  isAny = false,
): OneOf | null {
  if (variable?.kind !== "variable") return null;
  const terms = new Map<string, NamedNode | Literal>();
  for (const item of list) {
    if (item?.kind !== "term") return null;
    const { term } = item;
    const isText =
      term.termType === "NamedNode" || term.datatype.value === xsd.string || term.language !== "";
    if (!isText && !isAny) return null;
    terms.set(keyOf(term), term);
  }
  return { name: variable.name, terms: [...terms.values()] };
}

/** Whether a name is bound in a pattern by an assignment alone, above all else. */
export function isAssigned(pattern: Pattern, name: string): boolean {
  if (pattern.kind === "filter") return isAssigned(pattern.input, name);
  return pattern.kind === "extend" && (pattern.variable === name || isAssigned(pattern.input, name));
}
