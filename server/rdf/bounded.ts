/** Terms of a document, each within its limits: what is too large is refused before there is much of it. */
import type { LIMITS } from "../limits.ts";
import { isAbsolute } from "./resolve.ts";
import {
  type BlankNode,
  blankNode,
  defaultGraph,
  type Literal,
  literal,
  type NamedNode,
  namedNode,
  type Quad,
  quad,
  type Subject,
  type Value,
} from "./terms.ts";

/** What reading RDF needs of the limits. */
export type RdfLimits = Readonly<
  Record<
    Extract<
      keyof typeof LIMITS,
      "rdfBytesMax" | "rdfQuadsMax" | "turtleDepthMax" | "jsonDepthMax" | "literalBytesMax" | "iriBytesMax"
    >,
    number
  >
>;

/** Blank nodes that get no label from the document are called g1, g2, …; a document's own label of that form is renamed. */
const GENERATED = /^g[0-9]+$/;
// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const FORBIDDEN_IN_IRI = /[\u0000-\u0020<>"{}|\\^`]/;

/** @returns what is wrong with an IRI, or null. */
export function faultOfIri(iri: string, iriBytesMax: number): string | null {
  if (iri.length > iriBytesMax || (iri.length * 3 > iriBytesMax && Buffer.byteLength(iri) > iriBytesMax)) {
    return `An IRI has at most ${iriBytesMax} bytes`;
  }
  if (!isAbsolute(iri))
    return `The IRI <${iri.slice(0, 64)}> is relative and there is nothing to resolve it against`;
  if (FORBIDDEN_IN_IRI.test(iri))
    return `The IRI <${iri.slice(0, 64)}> holds a character that IRIs do not have`;
  return iri.isWellFormed() ? null : "An IRI holds half a character";
}

export interface BoundedFactory {
  namedNode(iri: string): NamedNode;
  blankNode(label?: string): BlankNode;
  literal(value: string, languageOrDatatype?: string | NamedNode): Literal;
  quad(subject: Subject, predicate: NamedNode, object: Value, graph?: Quad["graph"]): Quad;
  defaultGraph: typeof defaultGraph;
}

/** @param refuse Throws; called with what is wrong with the term or triple that was to be made. */
export function createBoundedFactory(limits: RdfLimits, refuse: (detail: string) => never): BoundedFactory {
  let quads = 0;
  let labels = 0;
  const labelled = new Map<string, BlankNode>();
  const sound = new Map<string, NamedNode>();
  return {
    defaultGraph,
    namedNode(iri) {
      let node = sound.get(iri);
      if (node === undefined) {
        const fault = faultOfIri(iri, limits.iriBytesMax);
        if (fault !== null) refuse(fault);
        node = namedNode(iri);
        sound.set(iri, node);
      }
      return node;
    },
    blankNode(label) {
      if (label === undefined) return blankNode(`g${++labels}`);
      let node = labelled.get(label);
      if (node === undefined) {
        if (label.length > limits.iriBytesMax)
          refuse(`A blank node's label has at most ${limits.iriBytesMax} bytes`);
        node = blankNode(GENERATED.test(label) ? `g${++labels}` : label);
        labelled.set(label, node);
      }
      return node;
    },
    literal(value, languageOrDatatype) {
      if (value.length * 3 > limits.literalBytesMax && Buffer.byteLength(value) > limits.literalBytesMax) {
        refuse(`A literal has at most ${limits.literalBytesMax} bytes`);
      }
      return literal(value, languageOrDatatype);
    },
    quad(subject, predicate, object, graph) {
      if (++quads > limits.rdfQuadsMax) refuse(`A document has at most ${limits.rdfQuadsMax} triples`);
      return quad(subject, predicate, object, graph);
    },
  };
}
