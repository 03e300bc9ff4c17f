/** Which graphs a query can look into, so that no others are read. */
import type { Reach } from "../scope.ts";
import type { Expression, Pattern, Query } from "./algebra.ts";

interface Found {
  defaults: boolean;
  anyNamed: boolean;
  readonly named: Set<string>;
}

function ofExpression(expression: Expression, isInGraph: boolean, found: Found): void {
  switch (expression.kind) {
    case "exists":
      return ofPattern(expression.pattern, isInGraph, found);
    case "in":
      ofExpression(expression.operand, isInGraph, found);
      for (const one of expression.list) ofExpression(one, isInGraph, found);
      return;
    case "operator":
    case "call":
    case "function":
      for (const one of expression.operands) ofExpression(one, isInGraph, found);
      return;
    default: // Terms and variables look at nothing.
  }
}

/** @param isInGraph Whether it stands within GRAPH, so that the default graph is none of its business. */
function ofPattern(pattern: Pattern, isInGraph: boolean, found: Found): void {
  const visit = (inner: Pattern): void => ofPattern(inner, isInGraph, found);
  const evaluate = (expression: Expression | null): void => {
    if (expression !== null) ofExpression(expression, isInGraph, found);
  };
  switch (pattern.kind) {
    case "bgp":
      if (!isInGraph && pattern.triples.length > 0) found.defaults = true;
      return;
    case "path":
      if (!isInGraph) found.defaults = true;
      return;
    case "values":
    case "service":
      return;
    case "graph":
      if (pattern.name.termType === "Variable") found.anyNamed = true;
      else found.named.add(pattern.name.value);
      return ofPattern(pattern.input, true, found);
    case "join":
    case "union":
    case "minus":
      visit(pattern.left);
      return visit(pattern.right);
    case "leftJoin":
      visit(pattern.left);
      visit(pattern.right);
      return evaluate(pattern.condition);
    case "filter":
      visit(pattern.input);
      return evaluate(pattern.condition);
    case "extend":
      visit(pattern.input);
      return evaluate(pattern.expression);
    case "group":
      visit(pattern.input);
      for (const { expression } of pattern.keys) evaluate(expression);
      for (const { aggregate } of pattern.aggregates) evaluate(aggregate.operand);
      return;
    case "order":
      visit(pattern.input);
      for (const { expression } of pattern.by) evaluate(expression);
      return;
    default:
      visit(pattern.input);
  }
}

/** Of patterns alone; used for updates, whose WHERE is one. */
export function reachOfPattern(pattern: Pattern): Reach {
  const found: Found = { defaults: false, anyNamed: false, named: new Set() };
  ofPattern(pattern, false, found);
  return { defaults: found.defaults, named: found.anyNamed ? "all" : [...found.named] };
}

/** DESCRIBE describes from the default graph. */
export function reachOf(query: Query): Reach {
  const reach = reachOfPattern(query.pattern);
  return query.form === "describe" ? { ...reach, defaults: true } : reach;
}
