/** The only file here that knows an RDF parser; loaded on first use, so that a page that only asks queries stays light. */
import { DataFactory, type NamedNode, Parser, type Quad, type Term, Writer } from "n3";
import { FreeholdError } from "./errors.ts";

export type { NamedNode, Quad, Term } from "n3";

export const namedNode = (iri: string): NamedNode => DataFactory.namedNode(iri);
export const quad = (subject: Quad["subject"], predicate: string, object: Quad["object"]): Quad =>
  DataFactory.quad(subject, DataFactory.namedNode(predicate), object);

/** @throws FreeholdError `answer-invalid` for what is no Turtle. */
export function parseTurtle(text: string, baseUrl: string): Quad[] {
  try {
    return new Parser({ baseIRI: baseUrl, format: "text/turtle" }).parse(text);
  } catch (cause) {
    throw new FreeholdError("answer-invalid", "The server sent RDF that cannot be read", {
      url: baseUrl,
      detail: (cause as Error).message,
      cause,
    });
  }
}

/** @param prefixes Short name to namespace. */
export function writeTurtle(
  quads: readonly Quad[],
  prefixes: Readonly<Record<string, string>>,
): Promise<string> {
  const writer = new Writer({ prefixes: { ...prefixes } });
  writer.addQuads([...quads]);
  return new Promise((resolve, reject) => {
    writer.end((error: Error | null, text: string) => (error ? reject(error) : resolve(text)));
  });
}

/** Objects of `subject predicate ?object` that are IRIs. */
export function irisOf(quads: readonly Quad[], subject: string, predicate: string): readonly string[] {
  return quads
    .filter(
      (one) =>
        one.subject.value === subject &&
        one.predicate.value === predicate &&
        one.object.termType === "NamedNode",
    )
    .map(({ object }) => object.value);
}

/** Subjects that are IRIs of `?subject predicate object`. */
export function subjectsOf(quads: readonly Quad[], predicate: string, object: string): readonly string[] {
  const found = quads.filter(
    (one: Quad) =>
      one.predicate.value === predicate &&
      one.object.value === object &&
      isIri(one.object) &&
      isIri(one.subject),
  );
  return [...new Set(found.map(({ subject }) => subject.value))];
}

const isIri = (term: Term): boolean => term.termType === "NamedNode";
