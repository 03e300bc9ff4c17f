/** All rules that a signed operation obeys, in one list: client, registry and documentation read this and nothing else. */
import type { OperationType } from "./operation.ts";
import { ALL, type Candidate, type Rule } from "./rule.ts";
import { CHAIN_RULES } from "./rules-of-chain.ts";
import { FORM_RULES } from "./rules-of-form.ts";
import { REGISTRY_RULES } from "./rules-of-registry.ts";

export const RULES: readonly Rule[] = Object.freeze([...FORM_RULES, ...CHAIN_RULES, ...REGISTRY_RULES]);

export type Verdict =
  | { readonly kind: "valid" }
  | { readonly kind: "broken"; readonly rule: Rule; readonly detail: string };

/**
 * Asks the rules in order and reports the first that is broken.
 * @param by Only the rules that these ask. All that everyone asks come before those that a registry does.
 */
export async function judge(candidate: Candidate, by?: Rule["by"]): Promise<Verdict> {
  for (const entry of RULES) {
    if (by !== undefined && entry.by !== by) continue;
    if (entry.by === "registry" && !candidate.options.registry) continue;
    const type = (candidate.signed as { op?: { t?: unknown } } | null)?.op?.t;
    if (entry.on !== ALL && !entry.on.includes(type as OperationType)) continue;
    const detail = await entry.check(candidate);
    if (detail !== null) return { kind: "broken", rule: entry, detail };
  }
  return { kind: "valid" };
}
