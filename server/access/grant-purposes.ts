/** For which purpose grants are used: which of their rules it fits, and when it has to be said. Pure. */
import { isNarrower } from "@freehold/vocab";
import type { Agent } from "../operation.ts";
import type { PurposeQuestion } from "../purpose.ts";
import type { GrantRule } from "./grants.ts";

/** Of grants that give the same, those that are tried. */
const GRANTS_TRIED = 16;

/** Whether a rule is for a purpose, or for a broader one. */
export const acceptable = (purpose: string, { purposes }: GrantRule): boolean =>
  purposes.some((granted) => isNarrower(purpose, granted));

function purposesOf(rules: readonly GrantRule[]): ReadonlySet<string> {
  const all = new Set<string>();
  for (const { purposes } of rules) for (const purpose of purposes) all.add(purpose);
  return all;
}

/** The first few grants of rules that a purpose fits: by which of its policies each gives it, and until when. */
export function grantsFor(
  purpose: string,
  rules: readonly GrantRule[],
): ReadonlyMap<string, { readonly policies: number[]; readonly until: number }> {
  const grants = new Map<string, { readonly policies: number[]; readonly until: number }>();
  for (const rule of rules) {
    if (!acceptable(purpose, rule)) continue;
    const known = grants.get(rule.grant);
    if (known) known.policies.push(rule.policy);
    else grants.set(rule.grant, { policies: [rule.policy], until: rule.notAfter });
    if (grants.size === GRANTS_TRIED) break;
  }
  return grants;
}

/** The purpose of a request is one. Null: the agent must say which. */
export function purposeFor(agent: Agent, rules: readonly GrantRule[]): string | null {
  if (agent.purpose !== undefined) return agent.purpose;
  const [purpose, another] = purposesOf(rules);
  return purpose !== undefined && another === undefined ? purpose : null;
}

/** What an agent has to say to make use of some rules. */
export const questionOf = (agent: Agent, rules: readonly GrantRule[]): PurposeQuestion => ({
  isStated: agent.purpose !== undefined,
  accepted: [...purposesOf(rules)].sort(),
});
