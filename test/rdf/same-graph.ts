/** Whether two sets of quads say the same, whatever their blank nodes are called. */
import { keyOf, type Quad, type Term } from "../../server/rdf/terms.ts";

/** Each quad as a line, blank nodes named after what is said of them, nearer and nearer until no two groups split any more. */
function canonical(quads: Iterable<Quad>): string[] {
  const all = [...quads];
  const colours = new Map<string, string>();
  const spell = (term: Term, self: Term | null): string =>
    term.termType === "BlankNode"
      ? self && term.value === self.value
        ? "_:self"
        : `_:${colours.get(term.value) ?? ""}`
      : keyOf(term);
  const line = ({ subject, predicate, object, graph }: Quad, self: Term | null): string =>
    [subject, predicate, object, graph].map((term) => spell(term, self)).join(" ");
  const nodes = new Map<string, Term>();
  for (const { subject, object, graph } of all)
    for (const term of [subject, object, graph])
      if (term.termType === "BlankNode") nodes.set(term.value, term);
  for (let round = 0; round <= nodes.size; round++) {
    const next = new Map<string, string>();
    const known = new Map<string, number>();
    const texts = [...nodes.values()].map((node) => {
      const about = all.filter((quad) =>
        [quad.subject, quad.object, quad.graph].some(
          (term) => term.termType === "BlankNode" && term.value === node.value,
        ),
      );
      return [
        node.value,
        about
          .map((quad) => line(quad, node))
          .sort((a, b) => (a < b ? -1 : 1))
          .join("\n"),
      ] as const;
    });
    for (const text of texts.map(([, text]) => text).sort((a, b) => (a < b ? -1 : 1)))
      if (!known.has(text)) known.set(text, known.size);
    for (const [label, text] of texts) next.set(label, `c${known.get(text)}`);
    const settled = new Set(next.values()).size === new Set(colours.values()).size;
    for (const [label, colour] of next) colours.set(label, colour);
    if (settled) break;
  }
  return [...new Set(all.map((quad) => line(quad, null)))].sort((a, b) => (a < b ? -1 : 1));
}

export function graphOf(quads: Iterable<Quad>): string {
  return canonical(quads).join("\n");
}
