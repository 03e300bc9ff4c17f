/** Which document is in which pod, as triples. */
import { dcterms } from "@freehold/vocab";
import { namedNode } from "../rdf/terms.ts";
import { spellTerm } from "../rdf/turtle.ts";

/** @param documents Addresses. @returns N-Triples. */
export function partsOfPods(
  pods: readonly { readonly root: string; readonly documents: readonly string[] }[],
): Uint8Array {
  const partOf = spellTerm(namedNode(dcterms.isPartOf));
  const lines = pods.flatMap(({ root, documents }) =>
    documents.map((one) => `${spellTerm(namedNode(one))} ${partOf} ${spellTerm(namedNode(root))} .`),
  );
  return Buffer.from(lines.join("\n"));
}
