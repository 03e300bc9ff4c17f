/** RDF terms and triples: the types everybody uses, and the functions that make them. */
import type * as RDF from "@rdfjs/types";
import { DataFactory } from "n3";

export type NamedNode = RDF.NamedNode;
export type BlankNode = RDF.BlankNode;
export type Literal = RDF.Literal;
export type Variable = RDF.Variable;
export type DefaultGraph = RDF.DefaultGraph;
export type Subject = NamedNode | BlankNode;
export type Value = NamedNode | BlankNode | Literal;
export type Term = NamedNode | BlankNode | Literal | Variable | DefaultGraph;

/** A triple of a document (then `graph` is the default graph), or a quad of a dataset. Never a variable, never a quoted triple. */
export interface Quad {
  readonly termType: "Quad";
  readonly value: "";
  readonly subject: Subject;
  readonly predicate: NamedNode;
  readonly object: Value;
  readonly graph: DefaultGraph | NamedNode | BlankNode;
  equals(other: RDF.Term | null | undefined): boolean;
}

export const namedNode = (iri: string): NamedNode => DataFactory.namedNode(iri);
/** @param languageOrDatatype A language tag, or the datatype; `xsd:string` without. */
export const literal = (value: string, languageOrDatatype?: string | NamedNode): Literal =>
  DataFactory.literal(value, languageOrDatatype);
/** @param label Unique in its document; a fresh one without. */
export const blankNode = (label?: string): BlankNode => DataFactory.blankNode(label);
export const variable = (name: string): Variable => DataFactory.variable(name);
export const defaultGraph = (): DefaultGraph => DataFactory.defaultGraph();

export function quad(
  subject: Subject,
  predicate: NamedNode,
  object: Value,
  graph: Quad["graph"] = defaultGraph(),
): Quad {
  return DataFactory.quad(subject, predicate, object, graph) as Quad;
}

/** A string that two terms share exactly if they are the same term. */
export function keyOf(term: Term): string {
  switch (term.termType) {
    case "NamedNode":
      return `<${term.value}>`;
    case "BlankNode":
      return `_:${term.value}`;
    case "Literal":
      return term.language
        ? `"${term.value}"@${term.language.toLowerCase()}`
        : `"${term.value}"^^${term.datatype.value}`;
    case "Variable":
      return `?${term.value}`;
    default:
      return ""; // The default graph.
  }
}

/** A string that two triples share exactly if they say the same, whatever graph they are in. */
export function keyOfTriple({
  subject,
  predicate,
  object,
}: {
  readonly subject: Term;
  readonly predicate: Term;
  readonly object: Term;
}): string {
  return `${keyOf(subject)} ${keyOf(predicate)} ${keyOf(object)}`;
}

/** A string that two quads share exactly if they say the same; a space cannot be part of an IRI or a label. */
export function keyOfQuad({ subject, predicate, object, graph }: Quad): string {
  return `${keyOf(subject)} ${keyOf(predicate)} ${keyOf(graph)} ${keyOf(object)}`;
}
