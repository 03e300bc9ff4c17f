/** Triples by what they are about, and which nodes are parts of which. */
import { rdf } from "@freehold/vocab";
import { keyOf, type Quad } from "../../rdf/terms.ts";

export interface Graph {
  /** What is said of a node, by its key. */
  readonly about: ReadonlyMap<string, readonly Quad[]>;
  /** What is said with a node as its object. Nodes of which nothing is said are not in it. */
  readonly pointing: ReadonlyMap<string, readonly Quad[]>;
}

const NONE: readonly Quad[] = [];

export function graphOf(quads: readonly Quad[]): Graph {
  const about = Map.groupBy(quads, ({ subject }) => keyOf(subject));
  const links = quads.filter(
    ({ predicate, object }) =>
      object.termType !== "Literal" && predicate.value !== rdf.type && about.has(keyOf(object)),
  );
  return { about, pointing: Map.groupBy(links, ({ object }) => keyOf(object)) };
}

export const aboutIn = ({ about }: Graph, key: string): readonly Quad[] => about.get(key) ?? NONE;
export const pointingIn = ({ pointing }: Graph, key: string): readonly Quad[] => pointing.get(key) ?? NONE;

/** The classes of a node. */
export const classesOf = (graph: Graph, key: string): readonly string[] =>
  aboutIn(graph, key).flatMap(({ predicate, object }) =>
    predicate.value === rdf.type && object.termType === "NamedNode" ? [object.value] : [],
  );

/**
 * Some nodes, and what belongs to them alone: nodes without a name that nothing else points to.
 * @param roots Keys.
 */
export function withParts(graph: Graph, roots: Iterable<string>): ReadonlySet<string> {
  const found = new Set(roots);
  for (const key of found)
    for (const { object } of aboutIn(graph, key)) {
      const part = keyOf(object);
      if (object.termType !== "BlankNode" || found.has(part)) continue;
      if (pointingIn(graph, part).every(({ subject }) => found.has(keyOf(subject)))) found.add(part);
    }
  return found;
}
