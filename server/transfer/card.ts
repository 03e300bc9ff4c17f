/** The public card moves, too; but who may speak for its owner is what the new place says, not what the archive says. */
import { isProtected, violatesProtected } from "../profile.ts";
import { blankNode, type Quad, quad } from "../rdf/terms.ts";

function withDependants(quads: readonly Quad[], some: readonly Quad[]): readonly Quad[] {
  const kept = new Set(some);
  for (const { object } of kept) {
    if (object.termType !== "BlankNode") continue;
    for (const other of quads)
      if (other.subject.termType === "BlankNode" && other.subject.value === object.value) kept.add(other);
  } // A Set's loop sees what is added.
  return [...kept];
}

/** Blank nodes of two documents must not be taken for one another. */
function relabelled(quads: readonly Quad[]): readonly Quad[] {
  const fresh = new Map<string, ReturnType<typeof blankNode>>();
  const node = <N extends Quad["subject"] | Quad["object"]>(term: N): N => {
    if (term.termType !== "BlankNode") return term;
    const known = fresh.get(term.value) ?? blankNode(`here${fresh.size}`);
    fresh.set(term.value, known);
    return known as unknown as N;
  };
  return quads.map((one) => quad(node(one.subject), one.predicate, node(one.object)));
}

/**
 * @param arriving The archive's card, with the addresses of the new place.
 * @param present The card of the new place.
 * @returns `arriving` itself when it already says what it must.
 */
export function mergedCard(
  arriving: readonly Quad[],
  present: readonly Quad[],
  webid: string,
): readonly Quad[] {
  if (!violatesProtected(present, arriving, webid)) return arriving;
  const claims = arriving.filter((one) => isProtected(one, webid));
  const dropped = new Set(withDependants(arriving, claims));
  const truths = withDependants(
    present,
    present.filter((one) => isProtected(one, webid)),
  );
  return [...arriving.filter((one) => !dropped.has(one)), ...relabelled(truths)];
}
