/** EXPLAIN: what an evaluation would do, in order, with what it expects of each step. */
import { keyOf } from "../../rdf/terms.ts";
import type { View } from "../index/view.ts";
import { mentioned } from "./analysis.ts";
import { after, type Builder, FREE, type State } from "./build.ts";
import { createBuilder, type EvaluationOptions } from "./evaluate.ts";
import { estimate, schedule } from "./joins.ts";
import { describePath } from "./paths.ts";
import type { JoinNode, Node, PlaceNumber, Plan, Scoped } from "./plan.ts";

export interface Explanation {
  /** How deep it is inside other steps. */
  readonly depth: number;
  readonly step: string;
  /** How many solutions each run of the step may give; null where that is not asked. */
  readonly rows: number | null;
}

class Explainer {
  readonly #builder: Builder;
  readonly #constants: ReadonlyMap<PlaceNumber, string>;
  readonly lines: Explanation[] = [];

  constructor(builder: Builder) {
    this.#builder = builder;
    this.#constants = new Map(builder.plan.constants.map(({ place, term }) => [place, keyOf(term)]));
  }

  #name(place: PlaceNumber): string {
    const variable = this.#builder.plan.names.get(place);
    return this.#constants.get(place) ?? (variable === undefined ? "_" : `?${variable}`);
  }

  #add(depth: number, step: string, rows: number | null = null): void {
    this.lines.push({ depth, step, rows: rows === null ? null : Math.round(rows * 10) / 10 });
  }

  #looksAt(what: string, { expression }: Scoped): string {
    const names = [...mentioned(expression)].map((name) =>
      name.startsWith(".") ? "an aggregate" : `?${name}`,
    );
    return names.length > 0 ? `${what} of ${names.join(" ")}` : what;
  }

  node(node: Node, state: State, depth: number): void {
    const rows = estimate(this.#builder, node, state);
    const where = "graph" in node && node.graph !== null ? ` in graph ${this.#name(node.graph)}` : "";
    const places = (all: readonly PlaceNumber[]): string => all.map((place) => this.#name(place)).join(" ");
    const over = (step: string, input: Node): void => {
      this.#add(depth, step, rows);
      this.node(input, state, depth + 1);
    };
    switch (node.kind) {
      case "scan": {
        const bound = [node.subject, node.predicate, node.object].filter((place) => state[place] !== FREE);
        const how = bound.length === 0 ? "scan" : "look up";
        return this.#add(
          depth,
          `${how} ${places([node.subject, node.predicate, node.object])}${where}`,
          rows,
        );
      }
      case "path":
        return this.#add(
          depth,
          `walk ${this.#name(node.subject)} ${describePath(node.path)} ${this.#name(node.object)}${where}`,
          rows,
        );
      case "values":
        return this.#add(depth, `values ${places(node.places)}`, rows);
      case "texts":
        return this.#add(depth, `texts ${this.#name(node.place)} that match`, rows);
      case "graphs":
        return this.#add(depth, `graphs ${this.#name(node.name)}`, rows);
      case "join":
        return this.#join(node, state, depth);
      case "union":
        this.#add(depth, "union", rows);
        for (const branch of node.branches) this.node(branch, state, depth + 1);
        return;
      case "table":
        this.#add(depth, `table of ${places(node.columns.map(({ to }) => to))}, evaluated by itself`, rows);
        return this.node(node.root, this.#builder.start, depth + 1);
      case "minus":
        over("minus", node.input);
        return this.node(node.right, after(state, node.input), depth + 1);
      case "extend":
        return over(this.#looksAt(`${this.#name(node.place)} as an expression`, node.scoped), node.input);
      case "filter":
        return over(node.conditions.map((each) => this.#looksAt("filter", each)).join(", "), node.input);
      case "group":
        return over(`group by ${places(node.keys.map(({ place }) => place)) || "nothing"}`, node.input);
      case "order":
        return over(node.first === null ? "order" : `order, the first ${node.first}`, node.input);
      case "distinct":
        return over(`distinct ${places(node.places)}`, node.input);
      default:
        return over(`slice from ${node.offset}, ${node.limit ?? "all"}`, node.input);
    }
  }

  #join(node: JoinNode, before: State, depth: number): void {
    this.#add(depth, "join");
    for (const stage of schedule(this.#builder, node, before)) {
      if (stage.kind === "item") this.node(stage.node, stage.state, depth + 1);
      else if (stage.kind === "assignment") {
        const { place, scoped } = stage.assignment;
        this.#add(depth + 1, this.#looksAt(`${this.#name(place)} as an expression`, scoped));
      } else if (stage.kind === "optional") {
        this.#add(depth + 1, "optional");
        this.node(stage.node, stage.state, depth + 2);
      } else if (stage.condition.kind === "test") {
        this.#add(depth + 1, this.#looksAt("filter", stage.condition.scoped));
        for (const pattern of stage.condition.scoped.patterns.values())
          this.node(pattern, stage.state, depth + 2);
      } else {
        this.#add(depth + 1, "minus");
        this.node(stage.condition.right, stage.state, depth + 2);
      }
    }
  }
}

/** Evaluates nothing. */
export function explain(plan: Plan, view: View, options: EvaluationOptions): readonly Explanation[] {
  const builder = createBuilder(plan, view, options);
  const explainer = new Explainer(builder);
  explainer.node(plan.root, builder.start, 0);
  return explainer.lines;
}
