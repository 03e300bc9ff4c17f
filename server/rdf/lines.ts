/** N-Triples and N-Quads: one statement a line. https://www.w3.org/TR/n-triples/#n-triples-grammar https://www.w3.org/TR/n-quads/#sec-grammar */
import type { RdfLimits } from "./bounded.ts";
import { CHAR } from "./characters.ts";
import {
  completeLiteral,
  createReader,
  type Mistake,
  type Reader,
  readBlankNode,
  readIri,
} from "./reader.ts";
import { defaultGraph, type NamedNode, type Quad, type Subject, type Value } from "./terms.ts";
import { endLine, peek, peekInLine, readShortString } from "./tokens.ts";

function readAddress(reader: Reader, what: string): NamedNode {
  if (peekInLine(reader) !== CHAR.OPEN_IRI) throw reader.mistake(`Expected ${what}`);
  return readIri(reader);
}

function readSubject(reader: Reader, what: string): Subject {
  return peekInLine(reader) === CHAR.UNDERSCORE ? readBlankNode(reader) : readAddress(reader, what);
}

function readObject(reader: Reader): Value {
  if (peekInLine(reader) !== CHAR.QUOTE) return readSubject(reader, "an object");
  return completeLiteral(reader, readShortString(reader), peekInLine, (reader) =>
    readAddress(reader, "a datatype"),
  );
}

/**
 * @param hasGraphs Whether a fourth term may name a graph, as in N-Quads.
 * @returns the quads in the order of their lines.
 */
export function scanLines(text: string, hasGraphs: boolean, limits: RdfLimits, mistake: Mistake): Quad[] {
  const quads: Quad[] = [];
  const reader = createReader(text, limits, mistake, (reference) => reference);
  for (peek(reader); reader.at < text.length; endLine(reader)) {
    const subject = readSubject(reader, "a subject");
    const predicate = readAddress(reader, "a predicate");
    const object = readObject(reader);
    const next = peekInLine(reader);
    const isNamed = hasGraphs && (next === CHAR.OPEN_IRI || next === CHAR.UNDERSCORE);
    const graph = isNamed ? readSubject(reader, "a graph") : defaultGraph();
    if (peekInLine(reader) !== CHAR.DOT) throw reader.mistake("Expected the dot that ends the statement");
    reader.at++;
    quads.push(reader.factory.quad(subject, predicate, object, graph));
  }
  return quads;
}
