/** Access control resources rewritten so that nobody but whom it is about gains or loses anything. */
import { acp, rdf } from "@freehold/vocab";
import type { Mode } from "../operation.ts";
import { blankNode, namedNode, type Quad, quad } from "../rdf/terms.ts";
import { describe, irisOf, keyOfNode, MODE_IRIS } from "./acl.ts";
import { type AcrPlace, acrNodes } from "./acr.ts";

type Node = Quad["subject"];

const say = (subject: Node, property: string, object: Quad["object"]): Quad =>
  quad(subject, namedNode(property), object);

/** One that says nothing yet. */
export function emptyAcr({ acrUrl, subjectUrl }: AcrPlace): readonly Quad[] {
  const acr = namedNode(acrUrl);
  return [
    say(acr, rdf.type, namedNode(acp.AccessControlResource)),
    say(acr, acp.resource, namedNode(subjectUrl)),
  ];
}

/** Names after `#` that no node of the document has. */
function namer(quads: readonly Quad[], acrUrl: string): (word: string) => Node {
  const used = new Set(quads.flatMap(({ subject, object }) => [subject.value, object.value]));
  return (word) => {
    let name = `${acrUrl}#${word}`;
    for (let number = 2; used.has(name); number += 1) name = `${acrUrl}#${word}-${number}`;
    used.add(name);
    return namedNode(name);
  };
}

/**
 * With a policy that allows the modes to the agent, for a folder in all of it.
 * @param agent A WebID, or one of ACP's named agents.
 */
export function withAllowed(
  quads: readonly Quad[],
  place: AcrPlace,
  agent: string,
  modes: readonly Mode[],
): readonly Quad[] {
  const nameOf = namer(quads, place.acrUrl);
  const [control, policy, matcher] = [nameOf("shared"), nameOf("shared-policy"), nameOf("shared-with")];
  const links = place.subjectUrl.endsWith("/")
    ? [acp.accessControl, acp.memberAccessControl]
    : [acp.accessControl];
  const [acr = ""] = acrNodes(describe(quads), place);
  const node = quads.find(({ subject }) => keyOfNode(subject) === acr)?.subject ?? namedNode(place.acrUrl);
  return [
    ...quads,
    ...links.map((link) => say(node, link, control)),
    say(control, rdf.type, namedNode(acp.AccessControl)),
    say(control, acp.apply, policy),
    say(policy, rdf.type, namedNode(acp.Policy)),
    ...modes.map((mode) => say(policy, acp.allow, namedNode(MODE_IRIS[mode]))),
    say(policy, acp.anyOf, matcher),
    say(matcher, rdf.type, namedNode(acp.Matcher)),
    say(matcher, acp.agent, namedNode(agent)),
  ];
}

/**
 * Without what the policies here allow to an agent by name. What they deny, and whom they leave out, stays: a matcher may
 * serve several policies, so a policy that is touched gets matchers of its own, and one that nobody is left in allows
 * nothing any more.
 * @returns the same array when nothing is allowed to them here.
 */
export function withoutAllowed(quads: readonly Quad[], place: AcrPlace, agent: string): readonly Quad[] {
  const nodes = describe(quads);
  const nodeOf = new Map<string, Node>(quads.map(({ subject }) => [keyOfNode(subject), subject]));
  const names = (matcher: string): boolean =>
    irisOf(nodes.get(matcher) ?? new Map(), acp.agent).includes(agent);
  let result = quads;
  const nameOf = namer(quads, place.acrUrl);
  for (const [key, policy] of nodes) {
    const node = nodeOf.get(key);
    if (!node || !policy.has(acp.allow)) continue;
    const matchers = (property: string) => (policy.get(property) ?? []).map(keyOfNode);
    const [all, any] = [matchers(acp.allOf), matchers(acp.anyOf)];
    if (![...all, ...any].some(names)) continue;
    const isLeft = (matcher: string): boolean =>
      !names(matcher) || (nodes.get(matcher)?.get(acp.agent) ?? []).length > 1;
    const anyLeft = any.filter(isLeft);
    const allowed = result.filter(
      ({ subject, predicate }) => keyOfNode(subject) === key && predicate.value === acp.allow,
    );
    result = result.filter((one) => !allowed.includes(one));
    if (!all.every(isLeft) || (any.length > 0 && anyLeft.length === 0)) continue; // Nobody could meet it.
    const rest = nameOf("others");
    const copyOf = (matcher: string): readonly [Node, readonly Quad[]] => {
      const copy = blankNode();
      const said = quads.filter(
        ({ subject, predicate, object }) =>
          keyOfNode(subject) === matcher && !(predicate.value === acp.agent && object.value === agent),
      );
      return [copy, said.map(({ predicate, object }) => quad(copy, predicate, object))];
    };
    const linked = ([property, keys]: readonly [string, readonly string[]]): Quad[] =>
      keys.flatMap((matcher) => {
        const [copy, said] = copyOf(matcher);
        return [say(rest, property, copy), ...said];
      });
    const controls = quads.filter(
      ({ predicate, object }) => predicate.value === acp.apply && keyOfNode(object) === key,
    );
    result = [
      ...result,
      ...controls.map(({ subject }) => say(subject, acp.apply, rest)),
      say(rest, rdf.type, namedNode(acp.Policy)),
      ...allowed.map(({ object }) => say(rest, acp.allow, object)),
      ...[[acp.allOf, all] as const, [acp.anyOf, anyLeft] as const].flatMap(linked),
      ...(policy.get(acp.noneOf) ?? []).map((matcher) => say(rest, acp.noneOf, matcher)),
    ];
  }
  return result;
}
