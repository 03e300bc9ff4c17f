/** A request, read as its pod reads it. */
import { type DraftPolicy, type Json, readAccess } from "@freehold/client/consent";

const STATED = ["@context", "type", "storage", "issued", "access"] as const;

/** @returns what is asked for; empty for what cannot be read. */
export function policiesIn(document: Json): readonly DraftPolicy[] {
  const stated = Object.fromEntries(STATED.map((name) => [name, document[name]]));
  return readAccess({ ...stated, type: ["AccessRequest"] }, "AccessRequest").draft?.policies ?? [];
}
