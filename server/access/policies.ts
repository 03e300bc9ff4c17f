/**
 * Who may do what by Access Control Policy: the whole resolution, pure.
 * https://solid.github.io/authorization-panel/acp-specification/#access-control-resolution
 */
import { acp } from "@freehold/vocab";
import type { Agent, Mode } from "../operation.ts";
import * as wac from "./decide.ts";
import { type Authorization, type Decision, MODES } from "./decide.ts";

/** By which a matcher can describe a request: advertised on every access control resource. */
export const ATTRIBUTES = ["agent", "client", "issuer", "vc"] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

/** Values by attribute; of each attribute that is there, one must fit. */
export type Matcher = { readonly [attribute in Attribute]?: ReadonlySet<string> };

export interface Policy {
  /** The node, in the document that it is from. */
  readonly name: string;
  readonly allow: readonly Mode[];
  readonly deny: readonly Mode[];
  readonly allOf: readonly Matcher[];
  readonly anyOf: readonly Matcher[];
  readonly noneOf: readonly Matcher[];
}

/** Denies everything to everybody. */
export const BROKEN: Policy = Object.freeze({
  name: "",
  allow: [],
  deny: MODES,
  allOf: [],
  anyOf: [{ agent: new Set([acp.PublicAgent]) }],
  noneOf: [],
});

/** What is asked: https://solid.github.io/authorization-panel/acp-specification/#context-graph */
export interface Context {
  readonly agent: string | null;
  readonly client: string | null;
  readonly issuer: string | null;
  readonly owner: string;
  /** Null where nobody is known to have made the resource. */
  readonly creator: string | null;
}

function agentFits(value: string, { agent, owner, creator }: Context): boolean {
  if (value === acp.PublicAgent) return true;
  if (agent === null) return false;
  if (value === acp.AuthenticatedAgent || value === agent) return true;
  return (value === acp.CreatorAgent && creator === agent) || (value === acp.OwnerAgent && owner === agent);
}

const FITS: { readonly [attribute in Attribute]: (value: string, context: Context) => boolean } = {
  agent: agentFits,
  client: (value, { client }) =>
    value === acp.PublicClient ||
    (client !== null && (value === acp.AuthenticatedClient || value === client)),
  issuer: (value, { issuer }) =>
    value === acp.PublicIssuer ||
    (issuer !== null && (value === acp.AuthenticatedIssuer || value === issuer)),
  vc: () => false, // No request to this server presents a credential.
};

/** https://solid.github.io/authorization-panel/acp-specification/#satisfied-matcher */
function isSatisfied(matcher: Matcher, context: Context): boolean {
  let isAny = false;
  for (const attribute of ATTRIBUTES) {
    const values = matcher[attribute];
    if (!values) continue;
    isAny = true;
    let fits = false;
    for (const value of values) fits ||= FITS[attribute](value, context);
    if (!fits) return false;
  }
  return isAny;
}

/** https://solid.github.io/authorization-panel/acp-specification/#satisfied-policy */
export function applies({ allOf, anyOf, noneOf }: Policy, context: Context): boolean {
  if (allOf.length + anyOf.length === 0) return false;
  if (noneOf.some((matcher) => isSatisfied(matcher, context))) return false;
  if (!allOf.every((matcher) => isSatisfied(matcher, context))) return false;
  return anyOf.length === 0 || anyOf.some((matcher) => isSatisfied(matcher, context));
}

/**
 * Exactly the modes that a satisfied policy allows and no satisfied policy denies, in the order of {@link MODES}.
 * https://solid.github.io/authorization-panel/acp-specification/#granted-access-modes
 */
export function grantedModes(policies: readonly Policy[], context: Context): readonly Mode[] {
  const allowed = new Set<Mode>();
  const denied = new Set<Mode>();
  for (const policy of policies) {
    if (!applies(policy, context)) continue;
    for (const mode of policy.allow) allowed.add(mode);
    for (const mode of policy.deny) denied.add(mode);
  }
  return MODES.filter((mode) => allowed.has(mode) && !denied.has(mode));
}

const NOBODY = Object.freeze({
  modes: [],
  everyone: false,
  signedIn: false,
  agents: new Set<string>(),
  groups: [],
  origins: new Set<string>(),
  conditions: [],
}) satisfies Authorization;

/** A policy among rules. To whoever reads it as an authorization it gives nothing to nobody. */
export interface PolicyRule extends Authorization {
  readonly policy: Policy;
  readonly owner: string;
  readonly creator: string | null;
  /** Whether it matters who made the resource. */
  readonly asksForCreator: boolean;
}

/** @param owner Of the pod that it is from. */
export function ruleOf(policy: Policy, owner: string): PolicyRule {
  const { allOf, anyOf, noneOf } = policy;
  const asksForCreator = [...allOf, ...anyOf, ...noneOf].some(({ agent }) => agent?.has(acp.CreatorAgent));
  return { ...NOBODY, policy, owner, creator: null, asksForCreator };
}

/** What the policies grant to the agent, as one authorization: what an operation needs is decided as ever. */
function grantOf(
  rules: readonly Authorization[],
  { webid, client, issuer }: Agent,
): readonly Authorization[] {
  const [first] = rules as readonly PolicyRule[];
  if (!first) return [];
  const { owner, creator } = first;
  const policies = (rules as readonly PolicyRule[]).map(({ policy }) => policy);
  const modes = grantedModes(policies, { agent: webid, client, issuer, owner, creator });
  return modes.length === 0 ? [] : [{ ...NOBODY, modes, everyone: true }];
}

/** @param rules {@link PolicyRule}s, of one resource. */
export function decide(rules: readonly Authorization[], agent: Agent, wanted: readonly Mode[]): Decision {
  return wac.decide(grantOf(rules, agent), agent, wanted);
}

/** @param rules {@link PolicyRule}s, of one resource. */
export function modesOf(rules: readonly Authorization[], agent: Agent): readonly Mode[] {
  return wac.modesOf(grantOf(rules, agent), agent);
}
