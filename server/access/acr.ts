/**
 * Access control resources as documents: which policies they hold, and which are refused when they are written.
 * https://solid.github.io/authorization-panel/acp-specification/#authorization-graph
 */
import { acp, dcterms, rdf, rdfs } from "@freehold/vocab";
import { Problem, type ProblemDetail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Mode } from "../operation.ts";
import type { Quad } from "../rdf/terms.ts";
import { type Description, describe, irisOf, keyOfNode, MODE_IRIS } from "./acl.ts";
import { MODES } from "./decide.ts";
import { ATTRIBUTES, type Attribute, BROKEN, type Matcher, type Policy } from "./policies.ts";

/** The policies of one access control resource: for what it belongs to, and for everything below that. */
export interface PolicyList {
  readonly own: readonly Policy[];
  readonly inherited: readonly Policy[];
}

export interface AcrPlace {
  readonly acrUrl: string;
  /** The resource that it belongs to. */
  readonly subjectUrl: string;
}

/** What may stand on a matcher and is no attribute: names and remarks. */
const REMARKS: ReadonlySet<string> = new Set([rdf.type, rdfs.label, rdfs.comment, ...Object.values(dcterms)]);
const ATTRIBUTE_OF: ReadonlyMap<string, Attribute> = new Map(
  ATTRIBUTES.map((name) => [acp[name], name] as const),
);

/** Says why an access control resource cannot be taken at its word. */
class Unclear extends Error {}

/** What the document says of its nodes. */
interface Nodes {
  readonly described: ReadonlyMap<string, Description>;
  readonly acrUrl: string;
}

const NOTHING: Description = new Map();

/**
 * The nodes that a property leads to. One of this document's own of which it says nothing is empty; what is described
 * elsewhere could say anything.
 */
function follow(nodes: Nodes, from: Description, property: string): [key: string, node: Description][] {
  return (from.get(property) ?? []).map((object) => {
    const key = keyOfNode(object);
    const isOwn =
      object.termType === "BlankNode" ||
      (object.termType === "NamedNode" && key.startsWith(`${nodes.acrUrl}#`));
    const node = object.termType === "Literal" ? undefined : (nodes.described.get(key) ?? (isOwn && NOTHING));
    if (!node) throw new Unclear(`${object.value} is not described in this document`);
    return [key, node];
  });
}

/** A literal keeps its quotes: it is equal to no IRI. https://solid.github.io/authorization-panel/acp-specification/#satisfied-matcher */
const spell = (object: Quad["object"]): string =>
  object.termType === "Literal" ? JSON.stringify(object.value) : keyOfNode(object);

function matcherOf(node: Description): Matcher {
  const matcher: { -readonly [K in keyof Matcher]: Matcher[K] } = {};
  for (const [predicate, objects] of node) {
    const attribute = ATTRIBUTE_OF.get(predicate);
    if (attribute) matcher[attribute] = new Set(objects.map(spell));
    else if (!REMARKS.has(predicate))
      throw new Unclear(`A matcher cannot be matched by ${predicate}, which is not known here`);
  }
  return matcher;
}

function modesIn(node: Description, property: string): Mode[] {
  const iris = irisOf(node, property);
  return MODES.filter((mode) => iris.includes(MODE_IRIS[mode]));
}

function policyOf(nodes: Nodes, name: string, node: Description): Policy {
  const matchers = (property: string): Matcher[] =>
    follow(nodes, node, property).map(([, matcher]) => matcherOf(matcher));
  return {
    name,
    allow: modesIn(node, acp.allow),
    deny: modesIn(node, acp.deny),
    allOf: matchers(acp.allOf),
    anyOf: matchers(acp.anyOf),
    noneOf: matchers(acp.noneOf),
  };
}

/** The nodes that stand for the resource's own rules: what says so, or the document itself. */
export function acrNodes(
  nodes: ReadonlyMap<string, Description>,
  { acrUrl, subjectUrl }: AcrPlace,
): string[] {
  return [...nodes].flatMap(([key, node]) => {
    const resources = (node.get(acp.resource) ?? []).map(spell);
    const saysSo =
      irisOf(node, rdf.type).includes(acp.AccessControlResource) ||
      node.has(acp.accessControl) ||
      node.has(acp.memberAccessControl);
    const isOurs = resources.includes(subjectUrl) || (resources.length === 0 && key === acrUrl && saysSo);
    return isOurs ? [key] : [];
  });
}

/** @throws Unclear */
function readPolicies(described: ReadonlyMap<string, Description>, place: AcrPlace): PolicyList {
  const nodes = { described, acrUrl: place.acrUrl };
  const policies = (property: string): Policy[] => {
    const found = new Map<string, Policy>();
    for (const acr of acrNodes(described, place))
      for (const [, control] of follow(nodes, described.get(acr) ?? NOTHING, property))
        for (const [key, policy] of follow(nodes, control, acp.apply))
          if (!found.has(key)) found.set(key, policyOf(nodes, key, policy));
    return [...found.values()];
  };
  return { own: policies(acp.accessControl), inherited: policies(acp.memberAccessControl) };
}

/** What stands for one that cannot be read: nobody knows whom it would have denied. */
export const UNREADABLE: PolicyList = Object.freeze({ own: [BROKEN], inherited: [BROKEN] });

/**
 * Reads a whole access control resource once. Rules about other resources are left out.
 * @see https://solid.github.io/authorization-panel/acp-specification/#effective-policies
 */
export function readPolicyList(quads: Iterable<Quad>, place: AcrPlace): PolicyList {
  try {
    return readPolicies(describe(quads), place);
  } catch (error) {
    if (error instanceof Unclear) return UNREADABLE;
    throw error;
  }
}

/**
 * Asked when an access control resource is written; what is refused leaves the old one in force.
 * @throws Problem `acl-invalid` for what speaks of something else than the resource, names what it does not describe, matches by what is
 * not known here, or is too long.
 */
export function checkAcr(quads: readonly Quad[], place: AcrPlace, limits: Limits): void {
  const errors: ProblemDetail[] = [];
  const nodes = describe(quads);
  if (quads.length > 0 && acrNodes(nodes, place).length === 0)
    errors.push({
      detail: "There is no acp:AccessControlResource here with acp:resource this resource",
      at: place.subjectUrl,
    });
  try {
    const { own, inherited } = readPolicies(nodes, place);
    const most = limits.aclAuthorizationsMax;
    const matchers = [...own, ...inherited].reduce(
      (sum, { allOf, anyOf, noneOf }) => sum + allOf.length + anyOf.length + noneOf.length,
      0,
    );
    if (own.length + inherited.length > most || matchers > most)
      errors.push({ detail: `An access control resource has at most ${most} policies and ${most} matchers` });
  } catch (error) {
    if (!(error instanceof Unclear)) throw error;
    errors.push({ detail: error.message });
  }
  if (errors.length > 0) throw new Problem("acl-invalid", errors[0]?.detail, { errors });
}
