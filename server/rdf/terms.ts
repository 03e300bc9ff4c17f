/** RDF terms and triples: the types everybody uses, and the functions that make them. */

import { rdf, xsd } from "@freehold/vocab";
import type * as RDF from "@rdfjs/types";

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

// Classes, for there are many of them and they are compared often; plain fields, so that two that differ look different.
class Iri {
  readonly termType = "NamedNode";
  declare readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
  equals(other: RDF.Term | null | undefined): boolean {
    return other === this || (other?.termType === "NamedNode" && other.value === this.value);
  }
}

class Blank {
  readonly termType = "BlankNode";
  declare readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
  equals(other: RDF.Term | null | undefined): boolean {
    return other === this || (other?.termType === "BlankNode" && other.value === this.value);
  }
}

class Lexical {
  readonly termType = "Literal";
  declare readonly value: string;
  declare readonly language: string;
  declare readonly datatype: NamedNode;
  constructor(value: string, language: string, datatype: NamedNode) {
    this.value = value;
    this.language = language;
    this.datatype = datatype;
  }
  equals(other: RDF.Term | null | undefined): boolean {
    return (
      other === this ||
      (other?.termType === "Literal" &&
        other.value === this.value &&
        other.language === this.language &&
        !other.direction &&
        other.datatype.value === this.datatype.value)
    );
  }
}

class Statement implements Quad {
  declare readonly subject: Subject;
  declare readonly predicate: NamedNode;
  declare readonly object: Value;
  declare readonly graph: Quad["graph"];
  constructor(subject: Subject, predicate: NamedNode, object: Value, graph: Quad["graph"]) {
    this.subject = subject;
    this.predicate = predicate;
    this.object = object;
    this.graph = graph;
  }
  get termType(): "Quad" {
    return "Quad";
  }
  get value(): "" {
    return "";
  }
  equals(other: RDF.Term | null | undefined): boolean {
    return (
      other === this ||
      (other?.termType === "Quad" &&
        this.subject.equals(other.subject) &&
        this.predicate.equals(other.predicate) &&
        this.object.equals(other.object) &&
        this.graph.equals(other.graph))
    );
  }
}

const DEFAULT_GRAPH: DefaultGraph = {
  termType: "DefaultGraph",
  value: "",
  equals: (other) => other?.termType === "DefaultGraph",
};
const STRING: NamedNode = new Iri(xsd.string);
const LANGUAGE_STRING: NamedNode = new Iri(rdf.langString);
let freshLabels = 0;

export const namedNode = (iri: string): NamedNode => new Iri(iri);
/** @param languageOrDatatype A language tag (kept in lower case), or the datatype; `xsd:string` without. */
export function literal(value: string, languageOrDatatype?: string | NamedNode): Literal {
  if (typeof languageOrDatatype === "object") return new Lexical(value, "", languageOrDatatype);
  return languageOrDatatype
    ? new Lexical(value, languageOrDatatype.toLowerCase(), LANGUAGE_STRING)
    : new Lexical(value, "", STRING);
}
/** @param label Unique in its document; without, one that no other term made here without a label has. */
export const blankNode = (label?: string): BlankNode => new Blank(label ?? `n3-${freshLabels++}`);
export const variable = (name: string): Variable => ({
  termType: "Variable",
  value: name,
  equals: (other) => other?.termType === "Variable" && other.value === name,
});
export const defaultGraph = (): DefaultGraph => DEFAULT_GRAPH;

export function quad(
  subject: Subject,
  predicate: NamedNode,
  object: Value,
  graph: Quad["graph"] = DEFAULT_GRAPH,
): Quad {
  return new Statement(subject, predicate, object, graph);
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
