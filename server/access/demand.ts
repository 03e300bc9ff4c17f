/** Asks for all that an operation needs, and refuses what is missing: what is left says by which grants it was given. */
import { Problem } from "../errors.ts";
import type { Target } from "../iri.ts";
import type { Agent, Extent, Mode, Operation, Result } from "../operation.ts";
import { purposeProblem } from "../purpose.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import type { PathReader } from "./authorize.ts";
import type { Decision } from "./decide.ts";

/** By which grants something was given, beside the rules: none where these suffice. Whoever acts on it counts their use. */
export interface Authority {
  readonly grants: readonly string[];
  readonly purpose: string | undefined;
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
  return {
    grants: [...new Set([...one.grants, ...other.grants])],
    purpose: other.purpose ?? one.purpose,
    reads: one.reads || other.reads,
  };
}

/** How much an answer tells, with the grants by which its reader could read what it was made of. */
export function extentWith(reader: Pick<PathReader, "grants" | "purpose">, extent: Extent): Extent {
  const grants = reader.grants();
  if (grants.length === 0) return extent;
  return { ...extent, grants, ...(reader.purpose !== undefined && { purpose: reader.purpose }) };
}

/** What a decision that granted something was made by. */
export function authorityOf(
  decision: Extract<Decision, { readonly kind: "granted" }>,
  modes: readonly Mode[],
): Authority {
  const { grants = [], purpose, beyondRules = modes } = decision;
  return grants.length === 0 ? BY_RULES : { grants, purpose, reads: beyondRules.includes("read") };
}

/** @throws Problem `login-required`, `restricted`, `purpose-required`, `purpose-refused`, `forbidden`. */
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
    const decision = await access.authorize(snapshot, pod, agent, target, modes, removes);
    if (decision.kind === "denied") throw refusalOf(decision, agent, headers, placeOf(target));
    authority = together(authority, authorityOf(decision, modes));
  }
  return authority;
}
