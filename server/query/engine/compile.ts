/**
 * From the algebra of a query to a plan. Bindings are passed sideways where that gives what the bottom-up meaning of
 * SPARQL gives; what it would change is evaluated by itself and joined as a table.
 */
import { Problem } from "../../errors.ts";
import { textConditionOf } from "../search/vocabulary.ts";
import type { Expression, Pattern, Query } from "../sparql/algebra.ts";
import {
  type Analyse,
  conjuncts,
  createAnalysis,
  equalTo,
  existsIn,
  isAnchored,
  isAssigned,
  isVolatile,
  isWhole,
  mentioned,
  objectsIn,
} from "./analysis.ts";
import { Unsupported } from "./contract.ts";
import { addPath, joinOf, scanOf, unionOf } from "./leaves.ts";
import {
  type Condition,
  NOWHERE,
  type Node,
  type PlaceNumber,
  type Plan,
  type Scoped,
  type TableNode,
} from "./plan.ts";
import { add, EMPTY, type Frame, flat, noParts, type Parts, Places, restrict } from "./scopes.ts";
import { type Patterns, rootOf, settledRootOf } from "./solutions.ts";

class Compiler implements Patterns {
  readonly isSettled: boolean;
  readonly analyse: Analyse = createAnalysis();
  readonly places = new Places();
  /** Graph places that some table depends on. */
  readonly #depended = new Set<PlaceNumber>();

  constructor(isSettled: boolean) {
    this.isSettled = isSettled;
  }

  /** An expression over a pattern sees the variables of that pattern, and what EXISTS and GRAPH give. */
  scoped(
    expression: Expression,
    visible: ReadonlySet<string>,
    frame: Frame,
    needs: "now" | "end" | ReadonlySet<string>,
  ): Scoped {
    const sees = (name: string): boolean => visible.has(name) || frame.seen.has(name);
    const place = (name: string): PlaceNumber => (sees(name) ? frame.scope.place(name) : NOWHERE);
    const patterns = new Map<Pattern, Node>();
    const places = new Set<PlaceNumber>();
    for (const pattern of existsIn(expression)) {
      const shared = new Set([...this.#namesIn(pattern)].filter(sees));
      const scope = this.places.scope([...shared].map((name) => [name, frame.scope.place(name)]));
      const given = shared;
      patterns.set(pattern, this.pattern(pattern, { scope, graph: frame.graph, given, seen: given }, EMPTY));
      if (frame.graph !== null) places.add(frame.graph);
    }
    if (needs === "end") return { expression, place, patterns, needs: null };
    if (needs !== "now") for (const name of needs) if (sees(name)) places.add(place(name));
    return { expression, place, patterns, needs: [...places] };
  }

  #namesIn(pattern: Pattern): ReadonlySet<string> {
    return mentioned({ kind: "exists", negated: false, pattern });
  }

  /** Whether bindings of `others`, made before it, would change what a pattern means. */
  #clashes(pattern: Pattern, others: ReadonlySet<string>): boolean {
    for (const name of this.analyse(pattern).conflicts) if (others.has(name)) return true;
    return false;
  }

  /**
   * A pattern that is evaluated with the bindings of what stands before it.
   * @param outer Names that may be bound then.
   */
  pattern(pattern: Pattern, frame: Frame, outer: ReadonlySet<string>, more: readonly Condition[] = []): Node {
    const parts = noParts();
    if (this.#clashes(pattern, outer)) parts.items.push(this.#table(pattern, frame));
    else this.#collect(pattern, frame, outer, outer, parts);
    parts.conditions.push(...more);
    const node = joinOf(parts);
    const { graph } = frame;
    if (graph === null || isAnchored(pattern) || node.wants.includes(graph)) return node;
    // It may have solutions in a graph where nothing is found: which graph it is must be known before.
    this.#depended.add(graph);
    return { ...node, wants: [...node.wants, graph] };
  }

  /** Puts a pattern into a join. @param others What other parts of the join, or what stands before it, may bind. */
  #collect(
    pattern: Pattern,
    frame: Frame,
    others: ReadonlySet<string>,
    outer: ReadonlySet<string>,
    parts: Parts,
  ): void {
    if (pattern.kind !== "join" && this.#clashes(pattern, others)) {
      if (!parts.first && !this.#clashes(pattern, outer)) parts.first = this.pattern(pattern, frame, outer);
      else parts.items.push(this.#table(pattern, frame));
      return;
    }
    if (isWhole(pattern)) {
      parts.items.push(this.#table(pattern, frame));
      return;
    }
    switch (pattern.kind) {
      case "bgp":
        for (const triple of pattern.triples) parts.items.push(scanOf(this.places, triple, frame));
        return;
      case "path":
        return addPath(this.places, pattern, frame, parts);
      case "join": {
        const [left, right] = [this.analyse(pattern.left), this.analyse(pattern.right)];
        this.#collect(pattern.left, frame, add(others, right.variables), outer, parts);
        this.#collect(pattern.right, frame, add(others, left.variables), outer, parts);
        return;
      }
      case "filter": {
        this.#collect(pattern.input, frame, others, outer, parts);
        const { variables, certain } = this.analyse(pattern.input);
        for (const each of conjuncts(pattern.condition)) {
          const known = equalTo(each);
          if (known && certain.has(known.name)) {
            const places = [frame.scope.place(known.name)];
            const rows = known.terms.map((term) => [term]);
            parts.items.push({ kind: "values", places, rows, binds: places, always: places, wants: [] });
            continue;
          }
          const texts = textConditionOf(each);
          if (texts && objectsIn(pattern.input).has(texts.variable)) {
            // What the index of words finds sooner than a test of each text.
            const place = frame.scope.place(texts.variable);
            const { query } = texts;
            parts.items.push({ kind: "texts", place, query, binds: [place], always: [place], wants: [] });
          } else parts.conditions.push(...this.#tests(each, variables, frame, parts.optionals.length));
        }
        return;
      }
      case "leftJoin":
        this.#collect(pattern.left, frame, others, outer, parts);
        parts.optionals.push(this.#optional(pattern, frame));
        return;
      case "union":
        parts.items.push(this.#union(pattern, frame, others));
        return;
      case "minus":
        return this.#minus(pattern, frame, others, outer, parts);
      case "extend":
        return this.#extend(pattern, frame, others, outer, parts);
      case "values": {
        const places = pattern.variables.map((name) => frame.scope.place(name));
        const always = places.filter((_, at) => pattern.rows.every((row) => row[at] !== null));
        parts.items.push({ kind: "values", places, rows: pattern.rows, binds: places, always, wants: [] });
        return;
      }
      case "graph":
        return this.#graph(pattern, frame, others, outer, parts);
      case "project": {
        // A sub-select without grouping, order or limit: its variables that are not projected are its own.
        const projected = new Set(pattern.variables);
        const scope = this.places.scope(pattern.variables.map((name) => [name, frame.scope.place(name)]));
        const given = restrict(frame.given, projected);
        const inner = { scope, graph: frame.graph, given, seen: given };
        this.#collect(pattern.input, inner, restrict(others, projected), restrict(outer, projected), parts);
        return;
      }
      case "service":
        throw new Problem("query-refused", "SERVICE is not done here: nothing is fetched for a query");
      default:
        throw new Unsupported(`A pattern of kind ${pattern.kind}`);
    }
  }

  #tests(condition: Expression, visible: ReadonlySet<string>, frame: Frame, after: number): Condition[] {
    return conjuncts(condition).map((expression) => {
      const needs = isVolatile(expression) ? "end" : mentioned(expression);
      return { kind: "test", scoped: this.scoped(expression, visible, frame, needs), after };
    });
  }

  #optional(pattern: Pattern & { kind: "leftJoin" }, frame: Frame): Node {
    const [left, right] = [this.analyse(pattern.left), this.analyse(pattern.right)];
    const visible = add(left.variables, right.variables);
    const tests = pattern.condition
      ? this.#tests(pattern.condition, visible, frame, Number.MAX_SAFE_INTEGER)
      : [];
    return this.pattern(pattern.right, frame, left.variables, tests);
  }

  #union(pattern: Pattern & { kind: "union" }, frame: Frame, others: ReadonlySet<string>): Node {
    const branches: Node[] = [];
    const open: Pattern[] = [pattern];
    for (let next = open.pop(); next; next = open.pop()) {
      if (next.kind === "union") open.push(next.right, next.left);
      else branches.push(this.pattern(next, frame, others));
    }
    return unionOf(branches);
  }

  #minus(
    pattern: Pattern & { kind: "minus" },
    frame: Frame,
    others: ReadonlySet<string>,
    outer: ReadonlySet<string>,
    parts: Parts,
  ): void {
    const [left, right] = [this.analyse(pattern.left), this.analyse(pattern.right)];
    const shared = [...left.variables].filter((name) => right.variables.has(name));
    if (shared.length === 0) return this.#collect(pattern.left, frame, others, outer, parts);
    const places = shared.map((name) => frame.scope.place(name));
    const isCertain = shared.every((name) => left.certain.has(name) && right.certain.has(name));
    const graph = frame.graph === null ? [] : [frame.graph];
    if (isCertain && !isWhole(pattern.right) && !this.#clashes(pattern.right, new Set(shared))) {
      this.#collect(pattern.left, frame, others, outer, parts);
      const given = restrict(frame.given, this.#namesIn(pattern.right));
      const scope = this.places.scope([...shared, ...given].map((name) => [name, frame.scope.place(name)]));
      const inner = { scope, graph: frame.graph, given, seen: given };
      const node = this.pattern(pattern.right, inner, new Set(shared));
      parts.conditions.push({
        kind: "absent",
        right: node,
        needs: [...places, ...graph],
        after: parts.optionals.length,
      });
      return;
    }
    const input = this.pattern(pattern.left, frame, others);
    const table = this.#table(pattern.right, frame, new Set(shared));
    const { binds, always } = input;
    const wants = flat([input.wants, table.wants.filter((place) => !always.includes(place))]);
    parts.items.push({ kind: "minus", input, right: table, binds, always, wants });
  }

  #extend(
    pattern: Pattern & { kind: "extend" },
    frame: Frame,
    others: ReadonlySet<string>,
    outer: ReadonlySet<string>,
    parts: Parts,
  ): void {
    const { expression, variable, input } = pattern;
    const { variables, certain } = this.analyse(input);
    const place = frame.scope.place(variable);
    if (isVolatile(expression)) {
      if (others.size > 0 || parts.items.length > 0) parts.items.push(this.#table(pattern, frame));
      else
        parts.items.push(
          this.extendOver(this.pattern(input, frame, outer), place, expression, variables, frame),
        );
      return;
    }
    const needs = restrict(mentioned(expression), variables);
    const isEarly = [...needs].every((name) => certain.has(name) || isAssigned(input, name));
    if (!isEarly) {
      parts.items.push(
        this.extendOver(this.pattern(input, frame, others), place, expression, variables, frame),
      );
      return;
    }
    this.#collect(input, frame, others, outer, parts);
    const scoped = this.scoped(expression, variables, frame, mentioned(expression));
    parts.assignments.push({ place, scoped });
  }

  extendOver(
    input: Node,
    place: PlaceNumber,
    expression: Expression,
    visible: ReadonlySet<string>,
    frame: Frame,
  ): Node {
    return {
      kind: "extend",
      input,
      place,
      scoped: this.scoped(expression, visible, frame, "now"),
      binds: flat([input.binds, [place]]),
      always: expression.kind === "term" ? flat([input.always, [place]]) : input.always,
      wants: input.wants,
    };
  }

  #graph(
    pattern: Pattern & { kind: "graph" },
    frame: Frame,
    others: ReadonlySet<string>,
    outer: ReadonlySet<string>,
    parts: Parts,
  ): void {
    const { name, input } = pattern;
    const graph = this.places.position(name, frame.scope);
    // By the letter only the join binds the variable; every engine shows it to the filters inside, and queries count on it.
    const seen = name.termType === "Variable" ? add(frame.seen, new Set([name.value])) : frame.seen;
    const inner = name.termType === "Variable" ? add(others, new Set([name.value])) : others;
    const before = name.termType === "Variable" ? add(outer, new Set([name.value])) : outer;
    this.#collect(input, { ...frame, graph, seen }, inner, before, parts);
    if (isAnchored(input) && !this.#depended.has(graph)) return;
    parts.items.push({ kind: "graphs", name: graph, binds: [graph], always: [graph], wants: [] });
  }

  /** A pattern by itself, whatever is bound where it stands. @param only Columns that are wanted; all without. */
  #table(pattern: Pattern, frame: Frame, only?: ReadonlySet<string>): TableNode {
    const { variables, certain } = this.analyse(pattern);
    const { graph } = frame;
    const scope = this.places.scope();
    const isSelect = isWhole(pattern) || pattern.kind === "project";
    const given = isSelect ? EMPTY : restrict(frame.given, this.#namesIn(pattern));
    const shares = [...given].map((name) => ({ from: frame.scope.place(name), to: scope.place(name) }));
    const root = rootOf(this, pattern, { scope, graph, given, seen: given });
    const depends = shares.map(({ from }) => from);
    const wants: PlaceNumber[] = [];
    if (graph !== null) {
      depends.push(graph);
      wants.push(graph);
      this.#depended.add(graph);
    }
    const columns = [...variables]
      .filter((name) => only?.has(name) ?? true)
      .map((name) => ({
        from: scope.place(name),
        to: frame.scope.place(name),
        isCertain: certain.has(name),
      }));
    const binds = columns.map(({ to }) => to);
    const always = columns.filter(({ isCertain }) => isCertain).map(({ to }) => to);
    return { kind: "table", root, columns, depends, given: shares, binds, always, wants };
  }
}

/**
 * A query as a plan that serves any dataset.
 * @param isSettled Whether the order of the answer must not tell what else is in the pod: for whoever may not read it all.
 * @throws Unsupported for what this evaluator does not do; Problem `query-refused` for SERVICE.
 * @see https://www.w3.org/TR/sparql11-query/#sparqlAlgebraEval
 */
export function compile(query: Query, isSettled: boolean): Plan {
  const compiler = new Compiler(isSettled);
  const scope = compiler.places.scope();
  const frame = { scope, graph: null, given: EMPTY, seen: EMPTY };
  // Triples are settled when all are there; but blank nodes are made for one solution after another.
  const isOrdered = isSettled && (query.form === "select" || query.form === "construct");
  const root = isOrdered
    ? settledRootOf(compiler, query.pattern, frame, query.form === "select")
    : rootOf(compiler, query.pattern, frame);
  const variables = query.form === "select" ? query.variables : [];
  const targets = query.form === "describe" ? query.targets : [];
  // Where the whole pattern is a sub-select, what it does not project is its own.
  const visible = compiler.analyse(query.pattern).variables;
  const find = (name: string): PlaceNumber => (visible.has(name) ? scope.find(name) : NOWHERE);
  return {
    form: query.form,
    isSettled,
    baseIri: query.baseIri,
    root,
    variables,
    places: variables.map(find),
    template: query.form === "construct" ? query.template : [],
    targets: targets.map((target) =>
      target.termType === "Variable" ? find(target.value) : compiler.places.position(target, scope),
    ),
    place: find,
    constants: compiler.places.constants,
    names: compiler.places.names,
    width: compiler.places.width,
  };
}
