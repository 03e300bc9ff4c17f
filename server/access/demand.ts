/** Asks for all that an operation needs, and refuses what is missing: what is left says by which grants it was given. */
import { Problem } from "../errors.ts";
import type { Target } from "../iri.ts";
import type { Agent, Extent, Mode, Operation, Result } from "../operation.ts";
import { purposeProblem } from "../purpose.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import type { PathReader } from "./authorize.ts";
import type { Decision } from "./decide.ts";
import type { PoliciesOf } from "./grants.ts";

/** By which grants something was given, beside the rules: none where these suffice. Whoever acts on it counts their use. */
export interface Authority {
  readonly grants: readonly string[];
  readonly purpose: string | undefined;
  /** Which of their policies gave it; absent: whichever are for it. */
  readonly policies?: PoliciesOf | undefined;
  /** Whether it took a grant to read something. */
  readonly reads: boolean;
}

export const BY_RULES: Authority = Object.freeze({ grants: [], purpose: undefined, reads: false });

export interface Demanded {
  readonly target: Target;
  readonly modes: readonly Mode[];
  readonly removes?: string;
}

/** Counts what was written under grants, in its commit. @returns fields of the answer. @throws Problem `grant-paused`, … */
export type CountWrite = (
  transaction: Transaction,
  pod: Pod,
  operation: Operation,
  by: Authority,
  result: Result,
  /** Of its content; null where nobody said. */
  bytes: number | null,
) => Promise<Readonly<Record<string, string>>>;

interface Authorizes {
  authorize(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    target: Target,
    wanted: readonly Mode[],
    removes?: string,
  ): Promise<Decision>;
}

/**
 * The refusal of what was denied.
 * @param headers Of the answer.
 * @param place Named beside what is missing, where it is not the request's own.
 */
export function refusalOf(
  decision: Extract<Decision, { readonly kind: "denied" }>,
  agent: Agent,
  headers: Readonly<Record<string, string>> = {},
  place = "",
): Problem {
  if (agent.webid === null) return new Problem("login-required", undefined, { headers });
  if (decision.restricted) return new Problem("restricted", undefined, { headers });
  if (decision.purposes) return purposeProblem(decision.purposes, headers);
  const app = decision.narrowed ? " (you may, but you did not give it to this app)" : "";
  return new Problem("forbidden", `Missing: ${decision.missing.join(", ")}${app}${place}`, { headers });
}

export function together(one: Authority, other: Authority): Authority {
  if (other.grants.length === 0) return one;
  if (one.grants.length === 0) return other;
  const grants = [...new Set([...one.grants, ...other.grants])];
  const policiesOf = (id: string): readonly number[] =>
    [one, other].flatMap(({ policies }) => policies?.get(id) ?? []);
  return {
    grants,
    purpose: other.purpose ?? one.purpose,
    policies: one.policies && other.policies && new Map(grants.map((id) => [id, policiesOf(id)])),
    reads: one.reads || other.reads,
  };
}

/** How much an answer tells, with the grants by which its reader could read what it was made of. */
export function extentWith(reader: Pick<PathReader, "grants" | "purpose">, extent: Extent): Extent {
  const grants = reader.grants();
  if (grants.length === 0) return extent;
  return { ...extent, grants, ...(reader.purpose !== undefined && { purpose: reader.purpose }) };
}

/** The agent, for the purpose that something was given for already. */
export const forPurpose = (agent: Agent, { purpose }: { readonly purpose?: string | undefined }): Agent =>
  purpose === undefined || agent.purpose !== undefined ? agent : { ...agent, purpose };

/** What a decision that granted something was made by. */
export function authorityOf(
  decision: Extract<Decision, { readonly kind: "granted" }>,
  modes: readonly Mode[],
): Authority {
  const { grants = [], purpose, policies, beyondRules = modes } = decision;
  if (grants.length === 0) return BY_RULES;
  return { grants, purpose, policies, reads: beyondRules.includes("read") };
}

/**
 * All of it is for one purpose: the one that is said, or the only one that the first of the needs was granted for.
 * @throws Problem `login-required`, `restricted`, `purpose-required`, `purpose-refused`, `forbidden`.
 */
export async function demandAll(
  access: Authorizes,
  snapshot: Snapshot,
  pod: Pod,
  agent: Agent,
  needs: readonly Demanded[],
  headers: Readonly<Record<string, string>> = {},
  placeOf: (target: Target) => string = () => "",
): Promise<Authority> {
  let authority = BY_RULES;
  for (const { target, modes, removes } of needs) {
    const asker = forPurpose(agent, authority);
    const decision = await access.authorize(snapshot, pod, asker, target, modes, removes);
    if (decision.kind === "denied") throw refusalOf(decision, agent, headers, placeOf(target));
    authority = together(authority, authorityOf(decision, modes));
  }
  return authority;
}
