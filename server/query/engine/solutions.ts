/** Solutions and what is done with all of them: grouping, order, distinctness, limits. */
import type { Expression, Pattern } from "../sparql/algebra.ts";
import { type Analyse, conjuncts, endsInGroup } from "./analysis.ts";
import { Unsupported } from "./contract.ts";
import type { Node, PlaceNumber, Scoped } from "./plan.ts";
import { EMPTY, type Frame, type Places } from "./scopes.ts";

/** What compiles patterns. */
export interface Patterns {
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
      const input = rootOf(patterns, pattern.input, frame, limit === null ? null : offset + limit);
      return {
        kind: "slice",
        input,
        offset,
        limit,
        binds: input.binds,
        always: input.always,
        wants: input.wants,
      };
    }
    case "reduced":
      return rootOf(patterns, pattern.input, frame, first);
    case "distinct": {
      const input = rootOf(patterns, pattern.input, frame);
      const places = [...patterns.analyse(pattern).variables].map((name) => frame.scope.place(name));
      return {
        kind: "distinct",
        input,
        places,
        binds: input.binds,
        always: input.always,
        wants: input.wants,
      };
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
      const { binds, always, wants } = input;
      const by = pattern.by.map(({ expression, descending }) => ({
        scoped: patterns.scoped(expression, variables, frame, "now"),
        isDescending: descending,
      }));
      const places = [...variables]
        .filter((name) => wanted?.has(name) ?? true)
        .map((name) => frame.scope.place(name));
      return { kind: "order", input, by, places, first, binds, always, wants };
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

function groupOf(patterns: Patterns, pattern: Pattern & { kind: "group" }, frame: Frame): Node {
  // Inside, variables are its own: a key may have the name of what it is computed from.
  const inner: Frame = {
    ...frame,
    scope: patterns.places.scope([...frame.given].map((name) => [name, frame.scope.place(name)])),
  };
  const { variables, certain } = patterns.analyse(pattern.input);
  const input = patterns.pattern(pattern.input, inner, EMPTY);
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
