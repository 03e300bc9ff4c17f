/**
 * Joins: index nested loops with bindings passed sideways. The order is chosen from the lengths of ranges; filters and
 * assignments stand as early as what they look at is settled; optional parts come last, in the order of the query.
 */
import { type Id, UNBOUND } from "../index/view.ts";
import { after, BOUND, type Builder, FREE, type State } from "./build.ts";
import type { Assignment, Condition, JoinNode, Node, PlaceNumber, ScanNode } from "./plan.ts";
import type { Step } from "./scan.ts";
import { countQuads, estimateScan, type Known } from "./statistics.ts";
import { textsFor } from "./tables.ts";

/** As good as not joined: what is not connected waits. */
const CROSS_PRODUCT = 1_000;
/** Starts that are tried to the end. */
const STARTS = 3;
const PATH_BOUND = 8;
const PATH_FREE = 100_000;

/** How many solutions one run of a node gives for each row that reaches it. */
export function estimate(builder: Builder, node: Node, state: State): number {
  switch (node.kind) {
    case "scan":
      return estimateNode(builder, node, state);
    case "path": {
      const bound = [node.subject, node.object].filter((place) => state[place] !== FREE).length;
      return bound === 2 ? 1 : bound === 1 ? PATH_BOUND : PATH_FREE;
    }
    case "graphs":
      return state[node.name] === FREE ? builder.view.namedCount : 1;
    case "values":
      return node.places.some((place) => state[place] === BOUND) ? 1 : node.rows.length;
    case "texts": {
      const count = textsFor(builder, node).length;
      return state[node.place] === FREE ? count : Math.min(1, count / Math.max(1, builder.view.terms.size));
    }
    case "union":
      return node.branches.reduce((sum, branch) => sum + estimate(builder, branch, state), 0);
    case "join": {
      // Each part is asked once, however deep they stand in each other.
      const parts = node.first ? [node.first, ...node.items] : node.items;
      return parts.reduce((least, part) => Math.min(least, estimate(builder, part, state)), Number.MAX_VALUE);
    }
    case "table":
      return node.columns.some(({ to, isCertain }) => isCertain && state[to] === BOUND)
        ? 1
        : estimate(builder, node.root, builder.start);
    case "slice": {
      const rows = estimate(builder, node.input, state);
      return Math.min(rows, node.limit ?? rows);
    }
    case "group":
      return node.keys.length === 0 ? 1 : estimate(builder, node.input, state) / 4;
    default:
      return estimate(builder, node.input, state);
  }
}

function estimateNode(builder: Builder, node: ScanNode, state: State): number {
  const { row, view, start, counts } = builder;
  const known = (place: PlaceNumber): Known =>
    state[place] === FREE ? false : start[place] === BOUND ? row[place]! : true;
  const { graph } = node;
  const slot =
    graph === null
      ? null
      : start[graph] === BOUND
        ? view.slotOf(row[graph]!)
        : state[graph] === FREE
          ? -1
          : true;
  if (graph !== null && start[graph] === BOUND && slot === -1) return 0; // No such graph.
  let count = counts.get(node);
  if (count === undefined) {
    const [s, p, o] = [node.subject, node.predicate, node.object].map((place) =>
      start[place] === BOUND ? row[place]! : UNBOUND,
    ) as [Id, Id, Id];
    counts.set(node, (count = countQuads(view, s, p, o, slot === true ? -1 : slot)));
  }
  return estimateScan(view, count, known(node.subject), known(node.predicate), known(node.object), slot);
}

interface Ordered {
  readonly items: readonly Node[];
  readonly rows: number;
  /** The sum of what all steps give. */
  readonly cost: number;
}

function isConnected(node: Node, state: State, start: State): boolean {
  let isClosed = true;
  for (const place of node.binds) {
    if (state[place] === FREE) isClosed = false;
    else if (start[place] === FREE) return true;
  }
  return isClosed;
}

/** Where a row stands before the items: what they want is bound by what binds graphs, so that comes before. */
function isReady(node: Node, state: State): boolean {
  return node.wants.every((place) => state[place] === BOUND);
}

function complete(builder: Builder, chosen: Node | null, items: readonly Node[], state: State): Ordered {
  const order: Node[] = [];
  const left = new Set(items);
  let [rows, cost] = [1, 0];
  let now = state;
  let isFirst = true;
  const take = (node: Node, count: number): void => {
    left.delete(node);
    order.push(node);
    rows *= count;
    cost += rows;
    now = after(now, node);
    isFirst = false;
  };
  if (chosen) take(chosen, estimate(builder, chosen, now));
  while (left.size > 0) {
    let [best, bestCount, bestScore]: [Node | null, number, number] = [null, 0, Number.POSITIVE_INFINITY];
    for (const node of left) {
      if (!isReady(node, now)) continue;
      const count = estimate(builder, node, now);
      const isApart = !isFirst && count > 1 && !isConnected(node, now, builder.start);
      const score = isApart ? count * CROSS_PRODUCT : count;
      if (score < bestScore || best === null) [best, bestCount, bestScore] = [node, count, score];
    }
    const next = best ?? [...left][0]!;
    take(next, best ? bestCount : 1);
  }
  return { items: order, rows, cost };
}

function orderItems(builder: Builder, { items, first }: JoinNode, before: State): Ordered {
  const state = first ? after(before, first) : before;
  const startRows = first ? estimate(builder, first, before) : 1;
  let best: Ordered;
  if (items.length < 2) best = complete(builder, null, items, state);
  else {
    const starts = items
      .filter((node) => isReady(node, state))
      .map((node) => ({ node, count: estimate(builder, node, state) }))
      .sort((a, b) => a.count - b.count);
    // With something bound already, or next to nothing to begin with, there is no question where to begin.
    const isClear = first !== null || (starts[0]?.count ?? 0) <= 2 || items.length > 12;
    const tried = isClear ? [] : starts.slice(0, STARTS);
    const candidates = [
      complete(builder, null, items, state),
      ...tried.map(({ node }) => complete(builder, node, items, state)),
    ];
    best = candidates.reduce((a, b) => (b.cost < a.cost ? b : a));
  }
  return { ...best, rows: best.rows * startRows };
}

type Stage = { readonly state: State } & (
  | { readonly kind: "item"; readonly node: Node }
  | { readonly kind: "optional"; readonly node: Node }
  | { readonly kind: "condition"; readonly condition: Condition }
  | { readonly kind: "assignment"; readonly assignment: Assignment }
);

/** All that a join does, in order. */
export function schedule(builder: Builder, node: JoinNode, before: State): readonly Stage[] {
  const stages: Stage[] = [];
  let state = before;
  const settled = before.map((known) => (known === BOUND ? 1 : 0));
  let assignments = [...node.assignments];
  let conditions = [...node.conditions];

  const assign = (assignment: Assignment): void => {
    stages.push({ kind: "assignment", assignment, state });
    state = state.slice();
    if (state[assignment.place] === FREE) state[assignment.place] = 1;
    if (assignment.isFinal) settled[assignment.place] = 1;
  };
  const isSettled = (needs: readonly PlaceNumber[] | null): boolean =>
    needs?.every((place) => settled[place] === 1) ?? false;
  const needsOf = (condition: Condition): readonly PlaceNumber[] | null =>
    condition.kind === "test" ? condition.scoped.needs : condition.needs;
  const settle = (): void => {
    for (;;) {
      const ready = assignments.find(({ scoped }) => isSettled(scoped.needs));
      if (!ready) break;
      assignments = assignments.filter((each) => each !== ready);
      assign(ready);
    }
    const ready = conditions.filter((condition) => isSettled(needsOf(condition)));
    conditions = conditions.filter((condition) => !ready.includes(condition));
    for (const condition of ready) stages.push({ kind: "condition", condition, state });
  };
  const step = (kind: "item" | "optional", each: Node): void => {
    stages.push({ kind, node: each, state });
    if (kind === "item") state = after(state, each);
    else {
      state = state.slice();
      for (const place of each.binds) if (state[place] === FREE) state[place] = 1;
    }
    for (const [place, known] of state.entries()) if (known === BOUND) settled[place] = 1;
    settle();
  };

  let items = node.items;
  if (node.first) {
    // A first part that depends on the graph comes after what binds the graph.
    const wants = new Set(node.first.wants.filter((place) => state[place] !== BOUND));
    for (const each of items.filter((item) => item.kind === "graphs" && wants.has(item.name))) {
      step("item", each);
      items = items.filter((item) => item !== each);
    }
    step("item", node.first);
  } else settle();
  const ordered = orderItems(builder, { ...node, first: null, items }, state);
  for (const each of ordered.items) step("item", each);
  for (const assignment of assignments) assign(assignment);
  assignments = [];
  for (const [at, optional] of node.optionals.entries()) {
    const due = conditions.filter((condition) => condition.after <= at);
    conditions = conditions.filter((condition) => condition.after > at);
    for (const condition of due) stages.push({ kind: "condition", condition, state });
    step("optional", optional);
  }
  for (const condition of conditions) stages.push({ kind: "condition", condition, state });
  return stages;
}

export function buildJoin(builder: Builder, node: JoinNode, state: State, next: Step): Step {
  const stages = schedule(builder, node, state);
  let step = next;
  for (let at = stages.length - 1; at >= 0; at--) step = buildStage(builder, stages[at]!, step);
  return step;
}

function buildStage(builder: Builder, stage: Stage, next: Step): Step {
  const { row } = builder;
  switch (stage.kind) {
    case "item":
      return builder.build(stage.node, stage.state, next);
    case "optional": {
      let isMatched = false;
      const inner = builder.build(stage.node, stage.state, () => {
        isMatched = true;
        return next();
      });
      return () => {
        isMatched = false;
        return inner() || (!isMatched && next());
      };
    }
    case "assignment": {
      const { place, scoped } = stage.assignment;
      return builder.assign(place, scoped, stage.state, next);
    }
    default: {
      if (stage.condition.kind === "absent") {
        const isThere = builder.build(stage.condition.right, stage.state, () => true);
        return () => !isThere() && next();
      }
      const test = builder.test(stage.condition.scoped, stage.state);
      return () => test(row) && next();
    }
  }
}
