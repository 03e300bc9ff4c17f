/** Access lists rewritten so that nobody but whom it is about gains or loses anything. */
import { acl } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { namedNode, type Quad, quad } from "../rdf/terms.ts";
import { keyOfNode } from "./acl.ts";

export interface AclPlace {
  /** The list that the quads are from: the subject's own, or the one of a folder above that is effective for it. */
  readonly aclUrl: string;
  readonly subjectUrl: string;
}

/** The nodes that hang on these, as conditions do: what must be copied with them. */
function withDependants(quads: readonly Quad[], roots: Iterable<string>): ReadonlySet<string> {
  const kept = new Set(roots);
  for (const key of kept) {
    for (const { subject, predicate, object } of quads) {
      if (keyOfNode(subject) !== key || object.termType === "Literal") continue;
      if (object.termType === "BlankNode" || predicate.value === acl.condition) kept.add(keyOfNode(object)); // A Set's loop sees what is added.
    }
  }
  return kept;
}

/**
 * A list of the subject's own that says what is in force there now; the same quads if it has one.
 * @returns quads to be stored at `{subjectUrl}.acl`.
 * @throws Problem `acl-invalid` for a list that does not concern the subject.
 */
export function asOwnList(quads: readonly Quad[], { aclUrl, subjectUrl }: AclPlace): readonly Quad[] {
  const source = aclUrl.slice(0, -".acl".length);
  if (source === subjectUrl) return quads;
  if (!subjectUrl.startsWith(source))
    throw new Problem("acl-invalid", "This access list does not concern the resource");
  const inherited = quads.filter(
    ({ predicate, object }) =>
      predicate.value === acl.default && object.termType === "NamedNode" && object.value === source,
  );
  const rules = new Map(inherited.map(({ subject }) => [keyOfNode(subject), subject]));
  const kept = withDependants(quads, rules.keys());
  const moved = (node: Quad["subject"]) => {
    const isOfList =
      kept.has(node.value) && node.termType === "NamedNode" && node.value.startsWith(`${aclUrl}#`);
    return isOfList ? namedNode(`${subjectUrl}.acl${node.value.slice(aclUrl.length)}`) : node;
  };
  const copies = quads
    .filter(
      ({ subject, predicate }) =>
        kept.has(keyOfNode(subject)) && predicate.value !== acl.accessTo && predicate.value !== acl.default,
    )
    .map(({ subject, predicate, object }) =>
      quad(moved(subject), predicate, object.termType === "Literal" ? object : moved(object)),
    );
  const places = subjectUrl.endsWith("/") ? [acl.accessTo, acl.default] : [acl.accessTo];
  const placed = [...rules.values()].flatMap((rule) =>
    places.map((place) => quad(moved(rule), namedNode(place), namedNode(subjectUrl))),
  );
  return [...copies, ...placed];
}

/** Blank nodes that hang on these nodes and on nothing else. */
function onlyUnder(quads: readonly Quad[], roots: ReadonlySet<string>): string[] {
  const hanging = [...withDependants(quads, roots)].filter((key) => key.startsWith("_:") && !roots.has(key));
  const others = quads.filter(
    ({ subject }) => !roots.has(keyOfNode(subject)) && !hanging.includes(keyOfNode(subject)),
  );
  const shared = withDependants(
    quads,
    others.map(({ object }) => keyOfNode(object)),
  );
  return hanging.filter((key) => !shared.has(key));
}

/** The predicates by which an authorization says whom it is for. https://solidproject.org/TR/wac#access-subjects */
export const SUBJECT_PREDICATES: ReadonlySet<string> = new Set([acl.agent, acl.agentClass, acl.agentGroup]);

/**
 * The list without whom `predicate` and `object` name: an agent, a class or a group. What they have as members of a
 * group, or because everybody has it, stays. A rule that is left with nobody goes whole.
 * @returns the same array when nothing names them.
 */
export function withoutNamed(quads: readonly Quad[], predicate: string, object: string): readonly Quad[] {
  const names = (one: Quad): boolean =>
    one.predicate.value === predicate && one.object.termType === "NamedNode" && one.object.value === object;
  const touched = new Set(quads.filter(names).map(({ subject }) => keyOfNode(subject)));
  if (touched.size === 0) return quads;
  const kept = quads.filter((one) => !names(one));
  const inhabited = new Set(
    kept
      .filter((one) => SUBJECT_PREDICATES.has(one.predicate.value))
      .map(({ subject }) => keyOfNode(subject)),
  );
  // An authorization left with origins alone would trust them on behalf of everybody: it goes with its last agent.
  const dead = new Set([...touched].filter((key) => !inhabited.has(key)));
  const gone = new Set([...dead, ...onlyUnder(kept, dead)]);
  return kept.filter(({ subject }) => !gone.has(keyOfNode(subject)));
}
