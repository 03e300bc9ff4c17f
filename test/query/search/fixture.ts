/** Queries over documents in memory: the real parser, plans, index and evaluator. */
import { LIMITS } from "../../../server/limits.ts";
import { ask, select } from "../../../server/query/engine/evaluate.ts";
import { createPodIndex, type PodIndex } from "../../../server/query/index/pod-index.ts";
import { UNBOUND } from "../../../server/query/index/view.ts";
import { createPlans } from "../../../server/query/plans.ts";
import { parseText } from "../../../server/rdf/parse.ts";

export const HOME = "https://pod.example/ana/";
export const PREFIXES = `PREFIX fh: <https://w3id.org/freehold/ns#> PREFIX schema: <https://schema.org/> PREFIX : <${HOME}> `;

const options = {
  control: { check: () => undefined, hold: () => undefined },
  now: new Date("2026-11-22T10:00:00Z"),
};
const plans = createPlans(LIMITS);

/** Documents by their names, in Turtle; their numbers are 1, 2, … in this order. */
export function indexOf(documents: Readonly<Record<string, string>>): PodIndex {
  const index = createPodIndex();
  for (const [at, [name, turtle]] of Object.entries(documents).entries()) {
    const graph = HOME + name;
    const quads = parseText(
      `@prefix : <${HOME}> . @prefix schema: <https://schema.org/> . ${turtle}`,
      "text/turtle",
      graph,
    );
    index.add({ number: at + 1, graph, quads });
  }
  return index;
}

/** Which documents the query sees: those numbers, merged and as named graphs. */
export type Visible = readonly number[];

/** Rows of values with a space between them; unbound is `-`. In order only where the query orders. */
export function rowsOf(index: PodIndex, visible: Visible, text: string): readonly string[] {
  const { plan } = plans.get(PREFIXES + text, HOME, true);
  const numbers = Uint32Array.from(visible);
  const rows: string[] = [];
  select(plan!, index.view(numbers, numbers), options, (row, terms) => {
    rows.push(
      Array.from(row, (id) => (id === UNBOUND ? "-" : terms.get(id).value.replace(HOME, ""))).join(" | "),
    );
    return false;
  });
  return /\bORDER BY\b/.test(text) ? rows : rows.sort();
}

export function isTrue(index: PodIndex, visible: Visible, text: string): boolean {
  const numbers = Uint32Array.from(visible);
  return ask(plans.get(PREFIXES + text, HOME, true).plan!, index.view(numbers, numbers), options);
}
