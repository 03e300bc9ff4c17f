/**
 * The words of consent, as they are kept: what vendors ask for, what was decided, what is granted, and what was done with
 * it. Times are milliseconds since 1970 unless they are text on the wire. https://w3c.github.io/lws-protocol/lws10-core/
 */
import type { Mode } from "../operation.ts";
import type { Action, Policy, Signed, Terms } from "./shared.ts";

export {
  type Action,
  type ConsentMode,
  type Frequency,
  type Policy,
  type PolicyTarget,
  type Terms,
  TIERS,
  type Tier,
} from "./shared.ts";

/** States of an access request; the last four are ends. */
export type RequestState = "Pending" | "Deferred" | "Granted" | "Denied" | "Canceled" | "Expired";

/** States of an access grant; Active and Paused lead into each other, the others are ends. */
export type GrantState = "Active" | "Paused" | "Revoked" | "Expired" | "Exhausted" | "Superseded";

/** The LWS actions in the terms of our access modes; none of them gives Control. */
export const MODE_OF: Readonly<Record<Action, Mode>> = Object.freeze({
  read: "read",
  modify: "write",
  create: "append",
  delete: "write",
});

export interface AccessRequest extends Terms {
  /** 22 characters of base64url, random. */
  readonly id: string;
  readonly state: RequestState;
  readonly issued: number;
  readonly received: number;
  /** SHA-256 of what is asked for, without times and signature, hex: the same wish twice is one request. */
  readonly digest: string;
  readonly policies: readonly Policy[];
  /** As it came, signature included: what the vendor is held to. */
  readonly document: string;
  /** Of the decision that ended or deferred it. */
  readonly decision: string | null;
  /** Grants made from it. */
  readonly grants: readonly string[];
}

export interface Grant extends Terms {
  readonly id: string;
  readonly state: GrantState;
  readonly issued: number;
  /** When the state last changed. */
  readonly changed: number;
  /** WebID of the owner. */
  readonly assigner: string;
  readonly policies: readonly Policy[];
  /** The request that it answers; null: the owner gave it unasked. */
  readonly request: string | null;
  readonly decision: string | null;
  readonly supersedes: string | null;
  /** Of whom the decision was: the person, or the person's standing preferences. */
  readonly decidedBy: DecidedBy;
  /** Names of the views of this grant that the server made, by place in `policies`; null where the target is plain. */
  readonly views: readonly (string | null)[];
  /** Why it is paused, revoked, …: one of the reasons in `grants.ts`. */
  readonly reason: string | null;
  /** Until when data may not flow yet, for an owner who may still undo; null: flows at once. */
  readonly heldUntil: number | null;
}

export type DecidedBy = "person" | "policy" | "delegate" | "emergency" | "legal";
export type Outcome = "grant" | "narrow" | "deny" | "defer" | "ask";

/** Every decision about a request, by whomever. */
export interface Decision {
  readonly id: string;
  readonly request: string;
  readonly outcome: Outcome;
  readonly by: DecidedBy;
  /** Which rules led to it: names in `deciding/`, or addresses of the owner's preferences. */
  readonly rules: readonly string[];
  /** One plain sentence for the owner. */
  readonly explanation: string;
  readonly at: number;
  /** Until when the owner may take it back without a trace at the vendor; null: not. */
  readonly undoUntil: number | null;
  readonly grants: readonly string[];
}

/** What was done with a grant: one record for each, changed with every use in the commit that records the use. */
export interface Usage {
  readonly grant: string;
  /** Uses in all: the number of the last usage receipt. */
  readonly count: number;
  readonly firstUse: number | null;
  readonly lastUse: number | null;
  /** By place in the grant's policies. */
  readonly policies: readonly PolicyUsage[];
  /** Documents told of, by day (days since 1970), of the last 30 days: what "usual" means. */
  readonly days: readonly (readonly [day: number, reads: number])[];
  /** Reads of a day that the owner has seen and let pass. */
  readonly forgiven: readonly [day: number, reads: number] | null;
  /** Client applications that used it; the empty text for none. */
  readonly clients: readonly string[];
}

export interface PolicyUsage {
  readonly count: number;
  readonly last: number | null;
  /** Uses within the policy's frequency, oldest first; neighbours are put together when there are many. */
  readonly recent: readonly (readonly [at: number, count: number])[];
}

/** One use of a grant. It says nothing of what was read or written. */
export interface UsageReceipt {
  readonly id: string;
  readonly grant: string;
  readonly actor: string;
  readonly client: string | null;
  readonly purpose: string;
  readonly act: "look" | "query" | "write";
  /** SHA-256 of the query, hex; null for a look. */
  readonly queryHash: string | null;
  /** Addresses: resources, or names of views. At most 16; `documents` counts all. */
  readonly targets: readonly string[];
  readonly documents: number;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly status: number;
  readonly published: number;
  /** As the host signed it that the pod had then; absent: it was this one. */
  readonly document?: Signed;
}
