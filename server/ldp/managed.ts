/** Statements that only the server makes: who is in a folder, and what it says of its members. */
import { dcterms, ldp, MEDIA_TYPE, posix, rdf, space } from "@freehold/vocab";
import type { Quad } from "../rdf/terms.ts";
import { CLAUSES, refusal } from "./constraints.ts";

const MEASURED: ReadonlySet<string> = new Set([posix.size, posix.mtime, dcterms.modified, dcterms.format]);
const KINDS: ReadonlySet<string> = new Set([ldp.Resource, ldp.Container, ldp.BasicContainer, space.Storage]);

/** https://solidproject.org/TR/protocol#server-protect-contained-resource-metadata */
export function isServerManaged({ subject, predicate, object }: Quad, containerUrl: string): boolean {
  if (predicate.value === ldp.contains) return true;
  if (predicate.value === rdf.type && KINDS.has(object.value)) return true;
  return subject.value.startsWith(containerUrl) && isMeasured(predicate.value, object.value);
}

const isMeasured = (predicate: string, object: string): boolean =>
  MEASURED.has(predicate) || (predicate === rdf.type && object.startsWith(MEDIA_TYPE));

/**
 * Whether a statement in a new representation of a container is one that only the server can make: which members there
 * are, and what they are like. What the server says of the container itself a client may send back: it changes nothing.
 * https://solidproject.org/ED/protocol#server-protect-contained-resource-metadata
 */
function isAboutMembers({ subject, predicate, object }: Quad, containerUrl: string): boolean {
  if (predicate.value === ldp.contains) return true;
  const { value } = subject;
  if (value === containerUrl || !value.startsWith(containerUrl)) return false;
  return isMeasured(predicate.value, object.value);
}

/** @throws Problem `conflict` for a new representation of a container that says anything of its members. */
export function checkMembers(containerUrl: string, quads: readonly Quad[]): void {
  const forged = quads.find((quad) => isAboutMembers(quad, containerUrl));
  if (!forged) return;
  if (forged.predicate.value === ldp.contains)
    throw refusal(
      "conflict",
      CLAUSES.containment,
      "What a folder contains is changed by adding and deleting",
    );
  throw refusal(
    "conflict",
    CLAUSES.memberMetadata,
    "What a folder says of its members is the server's to say",
  );
}
