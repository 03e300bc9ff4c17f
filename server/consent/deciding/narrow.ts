/** Of what is asked for, what somebody has agreed to beforehand: never more than either. */
import { isNarrower } from "@freehold/vocab";
import { type ConsentMode, type Policy, TIERS, type Tier } from "../model.ts";
import { daysOf } from "../odrl/duration.ts";
import { type Allowance, acceptedTerms, allowancesOf } from "./levels.ts";
import type { Standing } from "./preferences.ts";

const DAY = 86_400_000;

export interface Narrowed {
  /** One for each rule that a policy falls under; together they are within the policy and within the rules. */
  readonly policies: readonly Policy[];
  /** Names of the rules. */
  readonly rules: readonly string[];
  /** Whether anything that was asked for is left out. */
  readonly isLess: boolean;
}

/** @returns the coarser of two tiers. */
export const coarser = (a: Tier, b: Tier): Tier => (TIERS.indexOf(a) > TIERS.indexOf(b) ? a : b);

const within = (iri: string, roots: readonly string[]): boolean =>
  roots.some((root) => isNarrower(iri, root));

/** Whether a rule is meant for this purpose and for these kinds of data. */
function covers(allowance: Allowance, purpose: string, kinds: readonly string[]): boolean {
  return (
    within(purpose, allowance.purposes) &&
    !within(purpose, allowance.except) &&
    kinds.every((kind) => within(kind, allowance.categories))
  );
}

/** "view" is least of all: looked at, not kept. */
const modeWithin = (asked: ConsentMode, allowance: Allowance): ConsentMode =>
  allowance.modes.includes(asked) ? asked : "view";

function lifeWithin(asked: string | null, keepDays: number): string {
  const days = asked === null ? null : daysOf(asked);
  return asked !== null && days !== null && days[1] <= keepDays ? asked : `P${keepDays}D`;
}

function piece(policy: Policy, allowance: Allowance, purposes: readonly string[], now: number): Policy {
  return {
    ...policy,
    actions: ["read"],
    purposes,
    notAfter: Math.min(policy.notAfter, now + allowance.grantDays * DAY),
    tier: coarser(policy.tier, allowance.tier),
    mode: modeWithin(policy.mode, allowance),
    dataLife: lifeWithin(policy.dataLife, allowance.keepDays),
  };
}

/** Whether what is given is less than what was asked, in anything that somebody would miss. */
function lacks(asked: Policy, given: readonly Policy[]): boolean {
  const one = given[0];
  return (
    given.length !== 1 ||
    !one ||
    one.purposes.length !== asked.purposes.length ||
    one.actions.length !== asked.actions.length ||
    one.notAfter !== asked.notAfter ||
    one.tier !== asked.tier ||
    one.mode !== asked.mode ||
    (asked.dataLife !== null && one.dataLife !== asked.dataLife)
  );
}

/**
 * Narrows a wish to what somebody has agreed to beforehand.
 * @param kinds What kinds of data a policy is about; null: nobody knows, so no rule is meant for it.
 * @param terms The agreement the vendor names; null: it takes the person's.
 * @returns null when something that the vendor cannot do without is under no rule.
 */
export function narrow(
  policies: readonly Policy[],
  standing: Standing,
  kinds: (policy: Policy) => readonly string[] | null,
  terms: string | null,
  now: number,
): Narrowed | null {
  const all = allowancesOf(standing.level, standing.switches);
  const contributions = all.filter(({ onlyUnder }) => onlyUnder !== null && onlyUnder === terms);
  if (terms !== null && contributions.length === 0 && !acceptedTerms(standing.level).includes(terms))
    return null;
  // An agreement of its own is for its own rules: nothing else is meant by it.
  const allowances =
    contributions.length > 0 ? contributions : all.filter(({ onlyUnder }) => onlyUnder === null);
  const given: Policy[] = [];
  const rules = new Set<string>();
  let isLess = false;
  for (const policy of policies) {
    const known = policy.actions.includes("read") ? kinds(policy) : null;
    const byRule = new Map<Allowance, string[]>();
    for (const purpose of known ? policy.purposes : []) {
      const allowance = allowances.find((each) => covers(each, purpose, known ?? []));
      if (allowance) byRule.set(allowance, [...(byRule.get(allowance) ?? []), purpose]);
    }
    const pieces = [...byRule]
      .map(([allowance, purposes]) => piece(policy, allowance, purposes, now))
      .filter(({ notBefore, notAfter }) => (notBefore ?? now) < notAfter);
    if (pieces.length === 0 && policy.necessity === "required") return null;
    for (const allowance of byRule.keys()) rules.add(allowance.name);
    if (lacks(policy, pieces)) isLess = true;
    given.push(...pieces);
  }
  return given.length === 0 ? null : { policies: given, rules: [...rules], isLess };
}
