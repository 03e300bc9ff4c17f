/** Access lists as documents: which authorizations they hold, and which lists are refused when they are written. */
import { acl, foaf, rdf } from "@freehold/vocab";
import { Problem, type ProblemDetail } from "../errors.ts";
import type { WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Mode } from "../operation.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Authorization, Condition, Group, Permitted } from "./decide.ts";

const NAMESPACE = acl.Access.slice(0, -"Access".length);
const CLIENT_CONDITION = `${NAMESPACE}ClientCondition`;
const ISSUER_CONDITION = `${NAMESPACE}IssuerCondition`;

/** The types of condition that are evaluated: advertised on every access list. https://solidproject.org/TR/wac#server-link-condition */
export const CONDITION_TYPES: readonly string[] = Object.freeze([CLIENT_CONDITION, ISSUER_CONDITION]);

export const MODE_IRIS: Readonly<Record<Mode, string>> = Object.freeze({
  read: acl.Read,
  append: acl.Append,
  write: acl.Write,
  control: acl.Control,
});
const MODE_OF: ReadonlyMap<string, Mode> = new Map(
  Object.entries(MODE_IRIS).map(([mode, iri]) => [iri, mode as Mode]),
);
const NOBODY: ReadonlySet<string> = new Set();

/** What a document says of one node: predicate → objects. */
export type Description = ReadonlyMap<string, readonly Quad["object"][]>;

/** A string for a node that no other node of the document has. */
export function keyOfNode(node: Quad["object"]): string {
  return node.termType === "BlankNode" ? `_:${node.value}` : node.value;
}

/** Node → what the default graph says of it. */
export function describe(quads: Iterable<Quad>): ReadonlyMap<string, Description> {
  const nodes = new Map<string, Map<string, Quad["object"][]>>();
  for (const { subject, predicate, object, graph } of quads) {
    if (graph.termType !== "DefaultGraph") continue;
    const key = keyOfNode(subject);
    let description = nodes.get(key);
    if (!description) nodes.set(key, (description = new Map()));
    const objects = description.get(predicate.value);
    if (objects) objects.push(object);
    else description.set(predicate.value, [object]);
  }
  return nodes;
}

/** A literal names nobody and nothing. */
export function irisOf(description: Description, predicate: string): string[] {
  const objects = description.get(predicate) ?? [];
  return objects.filter((object) => object.termType === "NamedNode").map((object) => object.value);
}

function groupsOf(description: Description, predicate: string): Group[] {
  return irisOf(description, predicate).map((iri) => ({ iri, members: NOBODY }));
}

/** What a broken origin becomes: no header can hold it, so it matches nothing, but the authorization still names origins. */
export const NO_ORIGIN = "\u0000";

/** `https://app.example/` → `https://app.example`: an Origin header has no path. https://www.rfc-editor.org/rfc/rfc6454#section-6.2 */
function originOf(node: Quad["object"]): string {
  const url = node.termType === "NamedNode" && URL.canParse(node.value) ? new URL(node.value) : null;
  return url && url.origin !== "null" && url.href === `${url.origin}/` ? url.origin : NO_ORIGIN;
}

function permittedOf(condition: Description, property: "client" | "issuer"): Permitted {
  return {
    anyone: irisOf(condition, `${NAMESPACE}${property}Class`).includes(foaf.Agent),
    iris: new Set(irisOf(condition, `${NAMESPACE}${property}`)),
    groups: groupsOf(condition, `${NAMESPACE}${property}Group`),
  };
}

/** A node with several types holds only if each of them does; one that is not described here never does. */
function conditionsOf(condition: Description | undefined): Condition[] {
  const types = condition
    ? irisOf(condition, rdf.type).filter((type) => type !== `${NAMESPACE}Condition`)
    : [];
  if (!condition || types.length === 0) return [{ kind: "unknown" }];
  return types.map((type) => {
    if (type === CLIENT_CONDITION) return { kind: "client", permitted: permittedOf(condition, "client") };
    if (type === ISSUER_CONDITION) return { kind: "issuer", permitted: permittedOf(condition, "issuer") };
    return { kind: "unknown" };
  });
}

/** @returns null for an authorization that is not complete. https://solidproject.org/TR/wac#authorization-conformance */
function authorizationOf(
  description: Description,
  nodes: ReadonlyMap<string, Description>,
): Authorization | null {
  if (!irisOf(description, rdf.type).includes(acl.Authorization)) return null;
  const classes = irisOf(description, acl.agentClass);
  const rule: Authorization = {
    modes: [...new Set(irisOf(description, acl.mode).flatMap((iri) => MODE_OF.get(iri) ?? []))],
    everyone: classes.includes(foaf.Agent),
    signedIn: classes.includes(acl.AuthenticatedAgent),
    agents: new Set(irisOf(description, acl.agent)),
    groups: groupsOf(description, acl.agentGroup),
    origins: new Set((description.get(acl.origin) ?? []).map(originOf)),
    conditions: (description.get(acl.condition) ?? []).flatMap((node) =>
      conditionsOf(node.termType === "Literal" ? undefined : nodes.get(keyOfNode(node))),
    ),
  };
  const namesSomebody =
    rule.everyone || rule.signedIn || rule.agents.size + rule.groups.length + rule.origins.size > 0;
  return rule.modes.length > 0 && namesSomebody ? rule : null;
}

/** The authorizations of an access list: for the resource it belongs to, and for what is below that. */
export interface AccessList {
  readonly own: readonly Authorization[];
  readonly inherited: readonly Authorization[];
}

/**
 * Reads a whole list once. Incomplete authorizations, and those about other resources, are left out. Groups have no
 * members yet.
 * @param subjectUrl The resource that the list belongs to.
 * @see https://solidproject.org/TR/wac#access-objects
 */
export function readAccessList(quads: Iterable<Quad>, subjectUrl: string): AccessList {
  const nodes = describe(quads);
  const own: Authorization[] = [];
  const inherited: Authorization[] = [];
  for (const description of nodes.values()) {
    const isOwn = irisOf(description, acl.accessTo).includes(subjectUrl);
    const isInherited = subjectUrl.endsWith("/") && irisOf(description, acl.default).includes(subjectUrl);
    if (!isOwn && !isInherited) continue;
    const rule = authorizationOf(description, nodes);
    if (rule && isOwn) own.push(rule);
    if (rule && isInherited) inherited.push(rule);
  }
  return { own, inherited };
}

export interface AclSubject {
  /** The resource that the list is written for. */
  readonly subjectUrl: string;
  readonly owner: WebId;
  readonly isPodRoot: boolean;
}

/** Control for the owner that hangs on no client, issuer, origin or group. */
function givesControl(rule: Authorization, owner: WebId): boolean {
  return (
    rule.modes.includes("control") &&
    rule.agents.has(owner) &&
    rule.conditions.length === 0 &&
    rule.origins.size === 0
  );
}

/** The groups that a rule needs looked up. */
export function groupsIn({ groups, conditions }: Authorization): readonly Group[] {
  return [
    ...groups,
    ...conditions.flatMap((condition) => (condition.kind === "unknown" ? [] : condition.permitted.groups)),
  ];
}

/**
 * Asked when a list is written; what is refused leaves the old list in force.
 * @throws Problem `acl-invalid` for a list that is too long, or that of a pod's root without Control for the owner.
 * @see https://solidproject.org/TR/wac#server-root-container-acl-authorization-control
 */
export function checkAcl(
  quads: readonly Quad[],
  { subjectUrl, owner, isPodRoot }: AclSubject,
  limits: Limits,
): void {
  const errors: ProblemDetail[] = [];
  const authorizations = [...describe(quads).values()].filter((node) =>
    irisOf(node, rdf.type).includes(acl.Authorization),
  );
  if (authorizations.length > limits.aclAuthorizationsMax) {
    errors.push({ detail: `An access list has at most ${limits.aclAuthorizationsMax} authorizations` });
  }
  const { own, inherited } = readAccessList(quads, subjectUrl);
  const groups = new Set([...own, ...inherited].flatMap((rule) => groupsIn(rule).map(({ iri }) => iri)));
  if (groups.size > limits.aclGroupsMax)
    errors.push({ detail: `An access list names at most ${limits.aclGroupsMax} groups` });
  if (isPodRoot && !own.some((rule) => givesControl(rule, owner))) {
    errors.push({
      detail:
        "The list of a pod's root keeps an acl:Authorization with acl:accessTo the root, acl:agent the owner and acl:mode acl:Control, without conditions",
      at: subjectUrl,
    });
  }
  if (errors.length > 0) throw new Problem("acl-invalid", errors[0]?.detail, { errors });
}
