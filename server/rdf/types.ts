/** Which classes a document says of itself, or of what it names with a fragment. */
import { rdf } from "@freehold/vocab";
import type { Quad } from "./terms.ts";

/**
 * @param url Of the document: what it says of anything else are no types of its own.
 * @returns each once, in the order in which they are said.
 */
export function ownTypes(quads: readonly Quad[], url: string): readonly string[] {
  const types = new Set<string>();
  for (const { subject, predicate, object } of quads) {
    const isOwn = predicate.value === rdf.type && subject.value.split("#", 1)[0] === url;
    if (isOwn && object.termType === "NamedNode") types.add(object.value);
  }
  return [...types];
}
