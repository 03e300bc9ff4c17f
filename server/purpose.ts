/**
 * What for: the purpose that an agent says, and how it is told that its consents are for another, or for several. What is
 * said gives no access by itself; what is no address, or is said twice, is like no purpose that anybody granted.
 */
import { isNarrower, labelOf } from "@freehold/vocab";
import { Problem } from "./errors.ts";
import type { Agent } from "./operation.ts";

/** What purpose an agent must say to make use of its consents. */
export interface PurposeQuestion {
  /** Whether it said one, which is none of these nor narrower. */
  readonly isStated: boolean;
  /** Addresses of those that this agent was granted here, sorted. */
  readonly accepted: readonly string[];
}

/**
 * @returns `purpose-refused`, or `purpose-required` where the agent said none; each with what would be accepted.
 * @param headers Of the answer.
 */
export function purposeProblem(
  { isStated, accepted }: PurposeQuestion,
  headers: Readonly<Record<string, string>> = {},
): Problem {
  const errors = accepted.map((purpose) => ({ detail: `Accepted: ${labelOf(purpose)}`, at: purpose }));
  return new Problem(isStated ? "purpose-refused" : "purpose-required", undefined, {
    errors,
    headers,
    members: { accepted },
  });
}

const PURPOSE_LENGTH_MAX = 512; // It is kept with subscriptions, and repeated in addresses of live updates.

type Stated = Pick<Agent, "purpose" | "grant">;

/** `{pod}.consent/grants/{id}`, or the id alone. Whatever else is said names no grant. */
const GRANT = /^(?:https?:\/\/[^\s?#]{1,1024}\/\.consent\/grants\/)?([\w-]{1,64})$/;

/**
 * What the header fields `Access-Purpose` and `Access-Grant` say.
 * @param claimed Purpose that the access token is for: what is said must be that, or narrower.
 * @throws Problem `purpose-refused`.
 */
export function statedBy(
  headers: Readonly<Record<string, string | undefined>>,
  claimed: string | null,
): Stated {
  const header = headers["access-purpose"]?.trim();
  const said = header !== undefined && header.length > PURPOSE_LENGTH_MAX ? "" : header;
  const grant = headers["access-grant"]?.trim();
  if (said !== undefined && claimed !== null && !isNarrower(said, claimed))
    throw purposeProblem({ isStated: true, accepted: [claimed] });
  const purpose = said ?? claimed;
  return {
    ...(purpose !== null && { purpose }),
    ...(grant !== undefined && { grant: GRANT.exec(grant)?.[1] ?? "" }),
  };
}

/**
 * The same agent, for a purpose that a request says in another way than by its header.
 * @throws Problem `bad-request` when it says two.
 */
export function withPurpose(agent: Agent, purpose: string | null): Agent {
  if (purpose === null || purpose === agent.purpose) return agent;
  if (agent.purpose !== undefined && !isNarrower(purpose, agent.purpose))
    throw new Problem("bad-request", "The parameter purpose and Access-Purpose, or the token, do not agree");
  return { ...agent, purpose };
}
