/** The shapes that a container asks of its members: named in its description, advertised, and explained in refusals. */
import { ldp } from "@freehold/vocab";
import { Problem, type ProblemDetail } from "../errors.ts";
import { RDF_TYPES } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import { decodeDocument } from "../store/record.ts";
import type { Entry } from "../store/store.ts";

const SHAPES_MAX = 8; // Each is held against each member that is written; and a header has an end.

const known = new WeakMap<Entry, readonly string[]>();

/** @param meta The container's description. @see https://www.w3.org/TR/ldp/#ldpr-constraints */
export async function shapesIn(meta: Entry, containerUrl: string): Promise<readonly string[]> {
  let shapes = known.get(meta);
  if (!shapes) {
    const { bytes, contentType } = decodeDocument(meta);
    const named = (await parseRdf(bytes, contentType, `${containerUrl}.meta`)).filter(
      ({ subject, predicate, object }) =>
        subject.value === containerUrl &&
        predicate.value === ldp.constrainedBy &&
        object.termType === "NamedNode",
    );
    shapes = [...new Set(named.map(({ object }) => object.value))].slice(0, SHAPES_MAX);
    known.set(meta, shapes);
  }
  return shapes;
}

/** https://solidproject.org/ED/protocol#server-resource-constraints-advertisement */
export function constraintLinks(shapes: readonly string[]): readonly string[] {
  return shapes.map(
    (iri) => `<${iri.toWellFormed().replace(/[^!-~]/gu, encodeURIComponent)}>; rel="${ldp.constrainedBy}"`,
  );
}

/** What keeps a document out, in words and in the terms of SHACL. */
export interface Violation {
  readonly errors: readonly ProblemDetail[];
  readonly report: readonly Quad[];
}

/**
 * The refusal of a document that does not fit.
 * @param mayRead Whether the agent may know the whole document: what is wrong with a patched one tells what else is in it.
 */
export function shapeProblem(shape: string, { errors, report }: Violation, mayRead: boolean): Problem {
  const headers = { link: constraintLinks([shape]).join(", ") };
  if (!mayRead) return new Problem("shape-violation", `The folder wants ${shape}`, { headers });
  return new Problem("shape-violation", `The folder wants ${shape}`, {
    headers,
    errors,
    alternatives: { contentTypes: RDF_TYPES, write: (contentType) => serializeRdf(report, contentType) },
  });
}
