/** Who may do what: the whole decision of Web Access Control, pure. https://solidproject.org/TR/wac#authorization-evaluation */
import type { Agent, Mode } from "../operation.ts";
import type { PurposeQuestion } from "../purpose.ts";
import type { PoliciesOf } from "./grants.ts";

export const MODES: readonly Mode[] = Object.freeze(["read", "write", "append", "control"]);

/** A `vcard:Group`. Members are looked up before deciding; until then there are none, and it lets nobody in. */
export interface Group {
  readonly iri: string;
  readonly members: ReadonlySet<string>;
}

/** Whom a condition permits as client or as issuer. */
export interface Permitted {
  readonly anyone: boolean;
  readonly iris: ReadonlySet<string>;
  readonly groups: readonly Group[];
}

/** https://solidproject.org/TR/wac#access-conditions */
export type Condition =
  | { readonly kind: "client" | "issuer"; readonly permitted: Permitted }
  /**
   * A condition of a type we do not know. WAC says to leave it out of account; we let it fail, so the authorization
   * grants nothing: whoever wrote the condition meant to narrow, and leaving it out would widen.
   */
  | { readonly kind: "unknown" };

/** One complete `acl:Authorization` that concerns the resource in question. */
export interface Authorization {
  readonly modes: readonly Mode[];
  /** `acl:agentClass foaf:Agent` */
  readonly everyone: boolean;
  /** `acl:agentClass acl:AuthenticatedAgent` */
  readonly signedIn: boolean;
  readonly agents: ReadonlySet<string>;
  readonly groups: readonly Group[];
  /** `acl:origin`, as browsers write it: scheme, host, port. */
  readonly origins: ReadonlySet<string>;
  /** All of them must hold. */
  readonly conditions: readonly Condition[];
}

export type Decision =
  | {
      readonly kind: "granted";
      /** Ids of grants that it took, where the rules do not suffice: of several, any will do; and for which purpose. */
      readonly grants?: readonly string[];
      readonly purpose?: string;
      /** Which of their policies give it: what others of the same grant allow does not count here. */
      readonly policies?: PoliciesOf;
      /** Until when, in milliseconds since 1970: then it has to be decided anew. */
      readonly until?: number;
      /** The modes that it took them for. */
      readonly beyondRules?: readonly Mode[];
    }
  | {
      readonly kind: "denied";
      readonly missing: readonly Mode[];
      /** The rules would grant it, but the owner has frozen the place: told only to whom they would let in. */
      readonly restricted?: true;
      /** The person may, but did not let this app. */
      readonly narrowed?: true;
      /** The agent has a consent for this, but for other purposes than it said, or for several and it said none. */
      readonly purposes?: PurposeQuestion;
    };

const GRANTED: Decision = Object.freeze({ kind: "granted" });

/** Write includes append; nothing else includes anything. https://solidproject.org/TR/wac#access-mode-classes */
function allows(rule: Authorization, mode: Mode): boolean {
  return rule.modes.includes(mode) || (mode === "append" && rule.modes.includes("write"));
}

function isMember(groups: readonly Group[], iri: string): boolean {
  return groups.some((group) => group.members.has(iri));
}

function permits({ anyone, iris, groups }: Permitted, iri: string | null): boolean {
  return anyone || (iri !== null && (iris.has(iri) || isMember(groups, iri)));
}

function holds(condition: Condition, agent: Agent): boolean {
  if (condition.kind === "unknown") return false;
  return permits(condition.permitted, condition.kind === "client" ? agent.client : agent.issuer);
}

/** Whether the rule names the agent: by itself, by a group, or as somebody who has logged in. */
function names(rule: Authorization, { webid }: Agent): boolean {
  return webid !== null && (rule.signedIn || rule.agents.has(webid) || isMember(rule.groups, webid));
}

function namesNobody(rule: Authorization): boolean {
  return !rule.everyone && !rule.signedIn && rule.agents.size === 0 && rule.groups.length === 0;
}

/**
 * An authorization that names agents and origins needs both to match. One that names origins alone trusts those
 * origins on behalf of every agent that another one names. One that names no origin trusts all of them (WAC lets
 * servers trust origins implicitly): browser apps of any origin work with most lists in the world, which name none.
 * https://solidproject.org/TR/wac#web-origin-authorization https://solidproject.org/TR/wac#trusted-origins
 */
function trustsOrigin(
  rules: readonly Authorization[],
  rule: Authorization,
  mode: Mode,
  agent: Agent,
): boolean {
  const { origin } = agent;
  if (origin === null || rule.origins.size === 0 || rule.origins.has(origin)) return true;
  return rules.some(
    (other) =>
      namesNobody(other) &&
      other.origins.has(origin) &&
      allows(other, mode) &&
      other.conditions.every((condition) => holds(condition, agent)),
  );
}

function grants(rules: readonly Authorization[], mode: Mode, agent: Agent): boolean {
  for (const rule of rules) {
    if (!allows(rule, mode)) continue;
    if (!rule.everyone && !names(rule, agent)) continue;
    if (!rule.conditions.every((condition) => holds(condition, agent))) continue;
    if (rule.everyone || trustsOrigin(rules, rule, mode, agent)) return true;
  }
  return false;
}

/**
 * Pure: the same rules, agent and modes give the same answer. A rule more never takes a mode away, a condition more
 * never gives one, and order does not matter.
 * @param rules Those of the effective access list that concern the resource.
 * @param wanted Every one of them is needed; wanting nothing is granted.
 */
export function decide(rules: readonly Authorization[], agent: Agent, wanted: readonly Mode[]): Decision {
  const missing = wanted.filter((mode) => !grants(rules, mode, agent));
  return missing.length === 0 ? GRANTED : { kind: "denied", missing };
}

/** All the modes that an agent has, in the order of {@link MODES}. */
export function modesOf(rules: readonly Authorization[], agent: Agent): readonly Mode[] {
  return MODES.filter((mode) => grants(rules, mode, agent));
}
