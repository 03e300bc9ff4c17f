/** Statements that only the server makes: who is in a folder, and what it says of its members. */
import { dcterms, ldp, posix, rdf } from "@freehold/vocab";
import type { Quad } from "../rdf/terms.ts";

const MEASURED: ReadonlySet<string> = new Set([posix.size, posix.mtime, dcterms.modified, dcterms.format]);
const KINDS: ReadonlySet<string> = new Set([ldp.Resource, ldp.Container, ldp.BasicContainer]);

/** https://solidproject.org/TR/protocol#server-protect-contained-resource-metadata */
export function isServerManaged({ subject, predicate, object }: Quad, containerUrl: string): boolean {
  if (predicate.value === ldp.contains) return true;
  if (predicate.value === rdf.type && KINDS.has(object.value)) return true;
  return subject.value.startsWith(containerUrl) && MEASURED.has(predicate.value);
}
