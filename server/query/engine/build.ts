/**
 * From a plan to closures over one row, for one dataset. Each step does its part of the row and calls the next; what
 * it bound it leaves unbound again, whether or not it was stopped. Built from the end, for each step knows the next.
 */
import type { Literal } from "../../rdf/terms.ts";
import { ERROR, type Id, UNBOUND, type View } from "../index/view.ts";
import type { Compute, Control, ExpressionContext, QueryTerms, Row, Test } from "./contract.ts";
import { compileExpression, compileTest } from "./expression.ts";
import { buildGroup } from "./group.ts";
import { buildJoin } from "./joins.ts";
import { createLookup } from "./lookup.ts";
import { shorterWay } from "./narrow.ts";
import { createPath, namedSlots } from "./paths.ts";
import type {
  DistinctNode,
  MinusNode,
  Node,
  PlaceNumber,
  Plan,
  ScanNode,
  Scoped,
  SliceNode,
} from "./plan.ts";
import { createRowSet } from "./rows.ts";
import { type Access, createScan, defaultGraphOf, type Step } from "./scan.ts";
import { buildOrder } from "./sort.ts";
import { createProbe, tableSource, textsSource, valuesSource } from "./tables.ts";

/** What is known of each place before a step. */
export type State = Uint8Array;
export const FREE = 0;
/** It may have a value. */
export const PERHAPS = 1;
export const BOUND = 2;

/** What is known after a step. */
export function after(state: State, { binds, always }: Node): State {
  const changed = state.slice();
  for (const place of binds) if (changed[place] === FREE) changed[place] = PERHAPS;
  for (const place of always) changed[place] = BOUND;
  return changed;
}

export interface Evaluation {
  readonly plan: Plan;
  readonly view: View;
  readonly terms: QueryTerms;
  readonly control: Control;
  readonly now: Literal;
  /** Told how many rows the answer has by now. @throws where those are too many. */
  readonly atMost: (rows: number) => void;
}

export class Builder {
  readonly plan: Plan;
  readonly view: View;
  readonly terms: QueryTerms;
  readonly control: Control;
  readonly atMost: (rows: number) => void;
  readonly row: Row;
  readonly access: Access;
  /** Before anything: only the terms of the query are there. */
  readonly start: State;
  /** A place that nobody reads. */
  readonly trash: PlaceNumber;
  /** Of each scan, the quads that fit its terms. */
  readonly counts = new Map<Node, number>();
  readonly #now: Literal;
  #solution = 0;

  constructor({ plan, view, terms, control, now, atMost }: Evaluation) {
    this.plan = plan;
    this.view = view;
    this.terms = terms;
    this.control = control;
    this.#now = now;
    this.atMost = atMost;
    this.trash = plan.width;
    this.row = new Uint32Array(plan.width + 1).fill(UNBOUND);
    this.start = new Uint8Array(plan.width + 1);
    this.access = { view, control, begun: 0, defaults: defaultGraphOf(view) };
    for (const { place, term } of plan.constants) {
      this.row[place] = terms.intern(term);
      this.start[place] = BOUND;
    }
  }

  /** @param state What is known where the expression is evaluated. */
  context(scoped: Scoped, state: State): ExpressionContext {
    return {
      isSettled: this.plan.isSettled,
      terms: this.terms,
      control: this.control,
      place: (variable) => scoped.place(variable),
      baseIri: this.plan.baseIri,
      now: this.#now,
      solution: () => this.#solution,
      exists: (pattern) => {
        const step = this.build(scoped.patterns.get(pattern)!, state, () => true);
        return () => step();
      },
    };
  }

  compute(scoped: Scoped, state: State): Compute {
    return compileExpression(scoped.expression, this.context(scoped, state));
  }

  test(scoped: Scoped, state: State): Test {
    return compileTest(scoped.expression, this.context(scoped, state));
  }

  build(node: Node, state: State, next: Step): Step {
    const { access, row, trash, terms } = this;
    switch (node.kind) {
      case "scan": {
        let last = next;
        for (const [copy, place] of node.same) {
          const then = last;
          last = () => row[copy] === row[place] && then();
        }
        const { subject, predicate, object, graph } = node;
        if (graph === null && [subject, predicate, object].every((place) => state[place] !== PERHAPS))
          return createLookup(this.#way(node, state), node, (place) => state[place] === BOUND, row, last);
        return createScan(access, node, row, trash, last);
      }
      case "path":
        return createPath(access, terms, node, row, next);
      case "graphs":
        return this.#graphs(node.name, next);
      case "join":
        return buildJoin(this, node, state, next);
      case "union": {
        const branches = node.branches.map((branch) => this.build(branch, state, next));
        return () => branches.some((branch) => branch());
      }
      case "values":
        return createProbe(this, valuesSource(this, node), state).join(next);
      case "texts":
        return createProbe(this, textsSource(this, node), state).join(next);
      case "table":
        return createProbe(this, tableSource(this, node), state).join(next);
      case "minus":
        return this.#minus(node, state, next);
      case "extend": {
        const assign = this.assign(node.place, node.scoped, after(state, node.input), next);
        if (node.input.kind === "extend") return this.build(node.input, state, assign);
        return this.build(node.input, state, () => {
          this.#solution++;
          return assign();
        });
      }
      case "filter": {
        const inner = after(state, node.input);
        const tests = node.conditions.map((scoped) => this.test(scoped, inner));
        return this.build(node.input, state, () => tests.every((test) => test(row)) && next());
      }
      case "group":
        return buildGroup(this, node, state, next);
      case "order":
        return buildOrder(this, node, state, next);
      case "distinct":
        return this.#distinct(node, state, next);
      case "slice":
        return this.#slice(node, state, next);
      default:
        return node satisfies never;
    }
  }

  /** Where to look for a pattern of the default graph. */
  #way({ subject, predicate, object }: ScanNode, state: State): Access {
    const { access, row, start, view } = this;
    const places = [subject, predicate, object];
    if (view.segments.length === 0) return access;
    if (places.some((place) => state[place] === BOUND && start[place] !== BOUND)) return access; // A look for each row.
    const [s, p, o] = places.map((place) => row[place]!) as [Id, Id, Id];
    if ([s, p, o].some((id) => id !== UNBOUND && id >= view.terms.size)) return access;
    const defaults = shorterWay(view, access.defaults, s, p, o);
    return defaults === access.defaults ? access : { ...access, defaults };
  }

  /** A place gets the value of an expression; where it has one already, only the same will do. */
  assign(place: PlaceNumber, scoped: Scoped, state: State, next: Step): Step {
    const { row } = this;
    const compute = this.compute(scoped, state);
    return () => {
      const value: Id = compute(row);
      if (value === ERROR) return next();
      const before = row[place]!;
      if (before !== UNBOUND) return before === value && next();
      row[place] = value;
      const isEnough = next();
      row[place] = UNBOUND;
      return isEnough;
    };
  }

  #graphs(name: PlaceNumber, next: Step): Step {
    const { row, view, control } = this;
    return () => {
      const known = row[name]!;
      if (known !== UNBOUND) return view.slotOf(known) >= 0 && next();
      let isEnough = false;
      for (const slot of namedSlots(view)) {
        control.check();
        row[name] = view.nameOf(slot);
        isEnough = next();
        if (isEnough) break;
      }
      row[name] = UNBOUND;
      return isEnough;
    };
  }

  /** https://www.w3.org/TR/sparql11-query/#defn_algMinus: compatible, and with a variable in common. */
  #minus(node: MinusNode, state: State, next: Step): Step {
    const { row } = this;
    const places = node.right.columns.map(({ to }) => to);
    const width = places.length;
    const probe = createProbe(this, tableSource(this, node.right), after(state, node.input));
    const excludes = (cells: Uint32Array, start: number): boolean => {
      let isShared = false;
      for (let at = 0; at < width; at++) {
        const [ours, theirs] = [row[places[at]!]!, cells[start + at]!];
        if (ours === UNBOUND || theirs === UNBOUND) continue;
        if (ours !== theirs) return false;
        isShared = true;
      }
      return isShared;
    };
    return this.build(node.input, state, () => !probe.some(excludes) && next());
  }

  #distinct({ input, places }: DistinctNode, state: State, next: Step): Step {
    const { row, control } = this;
    const width = places.length;
    const values = new Uint32Array(width);
    let seen = createRowSet(width, control);
    const run = this.build(input, state, () => {
      for (let at = 0; at < width; at++) values[at] = row[places[at]!]!;
      const known = seen.table.length;
      return seen.add(values) === known && next();
    });
    return () => {
      seen = createRowSet(width, control);
      const isEnough = run();
      seen.table.release();
      return isEnough;
    };
  }

  #slice({ input, offset, limit }: SliceNode, state: State, next: Step): Step {
    let toSkip = 0;
    let toGive = 0;
    let isStopped = false;
    const run = this.build(input, state, () => {
      if (toSkip > 0) {
        toSkip--;
        return false;
      }
      toGive--;
      isStopped = next();
      return isStopped || toGive === 0;
    });
    return () => {
      toSkip = offset;
      toGive = limit ?? Number.POSITIVE_INFINITY;
      isStopped = false;
      if (toGive > 0) run();
      return isStopped;
    };
  }
}
