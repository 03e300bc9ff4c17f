/** What the server and a query thread say to each other about the WHERE of an update: documents go in, quads come out. */
import { blankNode, literal, namedNode, type Quad, quad, type Subject, type Value } from "../../rdf/terms.ts";
import type { DatasetClause } from "../sparql/algebra.ts";
import type { ByGraph, GraphName, Matched } from "./perform.ts";

/** One document that WHERE can look into. */
export interface SentGraph {
  readonly number: number;
  readonly graph: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly isDefault: boolean;
  readonly isNamed: boolean;
}

export interface MatchTask {
  readonly kind: "match";
  readonly text: string;
  readonly baseIri: string;
  /** Which operation of the update. */
  readonly at: number;
  /** What the protocol's parameters say of the dataset; null leaves it to the text. */
  readonly using: DatasetClause | null;
  readonly documents: readonly SentGraph[];
  readonly msMax: number;
}

/** A term without its methods, which do not pass between threads. */
type SentTerm = readonly [
  value: string,
  kind: "iri" | "blank" | "literal",
  language?: string,
  datatype?: string,
];
export type SentQuad = readonly [graph: GraphName, subject: SentTerm, predicate: SentTerm, object: SentTerm];
export interface SentMatch {
  readonly remove: readonly SentQuad[];
  readonly insert: readonly SentQuad[];
}

function send(term: Value): SentTerm {
  if (term.termType === "Literal") return [term.value, "literal", term.language, term.datatype.value];
  return [term.value, term.termType === "NamedNode" ? "iri" : "blank"];
}

const sendAll = (byGraph: ByGraph): SentQuad[] =>
  [...byGraph].flatMap(([name, triples]) =>
    triples.map(
      ({ subject, predicate, object }): SentQuad => [name, send(subject), send(predicate), send(object)],
    ),
  );

function receive([value, kind, language, datatype]: SentTerm): Value {
  if (kind === "iri") return namedNode(value);
  return kind === "blank" ? blankNode(value) : literal(value, language || namedNode(datatype!));
}

function receiveAll(quads: readonly SentQuad[]): ByGraph {
  const byGraph = new Map<GraphName, Quad[]>();
  for (const [name, subject, predicate, object] of quads) {
    const triples = byGraph.get(name) ?? [];
    byGraph.set(name, triples);
    triples.push(quad(receive(subject) as Subject, namedNode(predicate[0]), receive(object)));
  }
  return byGraph;
}

export const sendMatch = ({ remove, insert }: Matched): SentMatch => ({
  remove: sendAll(remove),
  insert: sendAll(insert),
});

export const receiveMatch = ({ remove, insert }: SentMatch): Matched => ({
  remove: receiveAll(remove),
  insert: receiveAll(insert),
});
