/** Solutions and what is done with all of them: grouping, order, distinctness, limits. */
import type { Expression, Pattern } from "../sparql/algebra.ts";
import { type Analyse, conjuncts, endsInGroup, mentioned } from "./analysis.ts";
import { Unsupported } from "./contract.ts";
import type { Node, PlaceNumber, Scoped } from "./plan.ts";
import { EMPTY, type Frame, type Places } from "./scopes.ts";

/** What compiles patterns. */
export interface Patterns {
  /** Whether no order may hang on what else is in the pod. */
  readonly isSettled: boolean;
  readonly places: Places;
  readonly analyse: Analyse;
  pattern(pattern: Pattern, frame: Frame, outer: ReadonlySet<string>): Node;
  scoped(expression: Expression, visible: ReadonlySet<string>, frame: Frame, needs: "now"): Scoped;
  extendOver(
    input: Node,
    place: PlaceNumber,
    expression: Expression,
    visible: ReadonlySet<string>,
    frame: Frame,
  ): Node;
}

const copyOf = ({ binds, always, wants }: Node) => ({ binds, always, wants });

/** Whether a pattern ends in an order that is asked for. */
function endsInOrder(pattern: Pattern): boolean {
  switch (pattern.kind) {
    case "order":
      return true;
    case "slice":
    case "distinct":
    case "reduced":
    case "project":
    case "extend":
    case "filter":
      return endsInOrder(pattern.input);
    default:
      return false;
  }
}

/** Whether a pattern has one solution at most: aggregates over all there is. */
function isSingle(pattern: Pattern): boolean {
  if (pattern.kind === "group") return pattern.keys.length === 0;
  const isOver = pattern.kind === "project" || pattern.kind === "extend" || pattern.kind === "filter";
  return isOver && isSingle(pattern.input);
}

/** Blank nodes are no part of a solution. */
const isSeen = (name: string): boolean => !name.startsWith("_:");

/**
 * Its solutions in an order that hangs on nothing but what stands in them.
 * @param isAnswer Whether each of them is a row of the answer.
 */
export function settledRootOf(
  patterns: Patterns,
  pattern: Pattern,
  frame: Frame,
  isAnswer: boolean,
  first: number | null = null,
): Node {
  if (pattern.kind === "reduced") return settledRootOf(patterns, pattern.input, frame, isAnswer, first);
  const input = rootOf(patterns, pattern, frame, first);
  if (pattern.kind === "slice" || endsInOrder(pattern) || isSingle(pattern)) return input;
  const places = [...patterns.analyse(pattern).variables]
    .filter(isSeen)
    .map((name) => frame.scope.place(name));
  return { kind: "order", input, by: [], places, first, tie: places, isAnswer, ...copyOf(input) };
}

/** A pattern with nothing bound before it: the place for grouping, order and limits. */
export function rootOf(
  patterns: Patterns,
  pattern: Pattern,
  frame: Frame,
  first: number | null = null,
): Node {
  switch (pattern.kind) {
    case "slice": {
      const { offset, limit } = pattern;
      const end = limit === null ? null : offset + limit;
      const input = patterns.isSettled
        ? settledRootOf(patterns, pattern.input, frame, false, end)
        : rootOf(patterns, pattern.input, frame, end);
      return { kind: "slice", input, offset, limit, ...copyOf(input) };
    }
    case "reduced":
      return rootOf(patterns, pattern.input, frame, first);
    case "distinct": {
      const input = rootOf(patterns, pattern.input, frame);
      const places = [...patterns.analyse(pattern).variables].map((name) => frame.scope.place(name));
      return { kind: "distinct", input, places, ...copyOf(input) };
    }
    case "project":
      return solutionsOf(patterns, pattern.input, frame, first, new Set(pattern.variables));
    default:
      return solutionsOf(patterns, pattern, frame, first, null);
  }
}

/** @param wanted What is looked at of each solution; null for all. */
function solutionsOf(
  patterns: Patterns,
  pattern: Pattern,
  frame: Frame,
  first: number | null,
  wanted: ReadonlySet<string> | null,
): Node {
  if (!endsInGroup(pattern)) return patterns.pattern(pattern, frame, EMPTY);
  switch (pattern.kind) {
    case "order": {
      const { variables } = patterns.analyse(pattern.input);
      const input = solutionsOf(patterns, pattern.input, frame, null, null);
      const by = pattern.by.map(({ expression, descending }) => ({
        scoped: patterns.scoped(expression, variables, frame, "now"),
        isDescending: descending,
      }));
      const places = [...variables]
        .filter((name) => wanted?.has(name) ?? true)
        .map((name) => frame.scope.place(name));
      const tie = patterns.isSettled ? places : null;
      return { kind: "order", input, by, places, first, tie, isAnswer: false, ...copyOf(input) };
    }
    case "extend": {
      const input = solutionsOf(patterns, pattern.input, frame, null, null);
      const { variables } = patterns.analyse(pattern.input);
      return patterns.extendOver(
        input,
        frame.scope.place(pattern.variable),
        pattern.expression,
        variables,
        frame,
      );
    }
    case "filter": {
      const input = solutionsOf(patterns, pattern.input, frame, null, null);
      const { variables } = patterns.analyse(pattern.input);
      const { binds, always, wants } = input;
      const conditions = conjuncts(pattern.condition).map((each) =>
        patterns.scoped(each, variables, frame, "now"),
      );
      return { kind: "filter", input, conditions, binds, always, wants };
    }
    case "group":
      return groupOf(patterns, pattern, frame);
    default:
      throw new Unsupported(`A grouping over ${pattern.kind}`);
  }
}

/** GROUP_CONCAT says which solution comes first; what all others say is the same in any order (see `aggregates.ts`). */
function settledGroupInput(
  patterns: Patterns,
  { input: pattern, aggregates }: Pattern & { kind: "group" },
  frame: Frame,
): Node {
  const input = patterns.pattern(pattern, frame, EMPTY);
  const ordered = aggregates.filter(({ aggregate }) => aggregate.name === "GROUP_CONCAT");
  if (!patterns.isSettled || ordered.length === 0) return input;
  const { variables } = patterns.analyse(pattern);
  const placesOf = (names: Iterable<string>) => [...names].map((name) => frame.scope.place(name));
  const looked = new Set(
    ordered.flatMap(({ aggregate: { operand } }) => (operand ? [...mentioned(operand)] : [])),
  );
  const tie = placesOf([...looked].filter((name) => variables.has(name)));
  const places = placesOf(variables);
  return { kind: "order", input, by: [], places, first: null, tie, isAnswer: false, ...copyOf(input) };
}

function groupOf(patterns: Patterns, pattern: Pattern & { kind: "group" }, frame: Frame): Node {
  // Inside, variables are its own: a key may have the name of what it is computed from.
  const inner: Frame = {
    ...frame,
    scope: patterns.places.scope([...frame.given].map((name) => [name, frame.scope.place(name)])),
  };
  const { variables, certain } = patterns.analyse(pattern.input);
  const input = settledGroupInput(patterns, pattern, inner);
  const scoped = (expression: Expression): Scoped => patterns.scoped(expression, variables, inner, "now");
  const keys = pattern.keys.map(({ variable, expression }) => ({
    place: frame.scope.place(variable),
    scoped: scoped(expression),
    isCertain: expression.kind === "variable" && certain.has(expression.name),
  }));
  const aggregates = pattern.aggregates.map(({ variable, aggregate }) => ({
    place: frame.scope.place(variable),
    aggregate,
    scoped: aggregate.operand && scoped(aggregate.operand),
    isCertain: aggregate.name === "COUNT",
  }));
  const binds = [...keys, ...aggregates].map(({ place }) => place);
  const always = [...keys, ...aggregates].filter(({ isCertain }) => isCertain).map(({ place }) => place);
  // Blank nodes and what the translation made up are no part of a solution.
  const visible = [...variables]
    .filter((name) => !/^(_:|\.)/.test(name))
    .map((name) => inner.scope.place(name));
  return { kind: "group", input, keys, aggregates, visible, binds, always, wants: input.wants };
}
