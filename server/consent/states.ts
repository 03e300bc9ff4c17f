/** What a grant's state means: by the clock, for how long at most, and which rules come of it. Pure. */
import type { GrantRule } from "../access/grants.ts";
import type { Mode } from "../operation.ts";
import { type Grant, type GrantState, MODE_OF, type Policy, type Usage } from "./model.ts";
import { isViewed, viewPath } from "./views/instances.ts";

/** Why a grant is in the state that it is in. */
export type GrantReason =
  | "owner"
  | "operator"
  | "vendor" // It gave back what it had.
  | "vendor-at-rest" // It gave back what rested: the same is not given again by itself.
  | "preference" // The owner's standing preferences have become narrower.
  | "undone" // The owner took the decision back while nothing had flowed yet.
  | "superseded"
  | "expired"
  | "spent" // All of its budgets.
  | "unused"
  | "unsigned" // The vendor did not countersign the receipt in time.
  | "moved" // It came with an archive that is old: what was revoked since might be in it.
  | "delisted" // The registry has struck its vendor off, or taken it back.
  | "unusual-amount"
  | "unknown-client"
  | "honey";

/** A vendor is not told what gave it away. */
const KEPT_FROM_VENDORS: ReadonlySet<string> = new Set(["unusual-amount", "unknown-client", "honey"]);

/** @returns the reason as the vendor is told it. */
export function reasonForVendor(reason: string | null): string | null {
  if (reason === "vendor-at-rest") return "vendor";
  return reason !== null && KEPT_FROM_VENDORS.has(reason) ? "owner" : reason;
}

const NEXT: Readonly<Record<GrantState, readonly GrantState[]>> = {
  Active: ["Paused", "Revoked", "Expired", "Exhausted", "Superseded"],
  Paused: ["Active", "Revoked", "Expired", "Superseded"],
  Revoked: [],
  Expired: [],
  Exhausted: [],
  Superseded: [],
};

export const mayBecome = (from: GrantState, to: GrantState): boolean => NEXT[from].includes(to);
export const isEnd = (state: GrantState): boolean => NEXT[state].length === 0;

const MONTHS_MAX = 13;

/** @returns the last moment that a grant of this moment may name: 13 months by the calendar, in UTC; never a day that is not in the month. */
export function latestExpiry(issued: number): number {
  const date = new Date(issued);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + MONTHS_MAX + 1, 0); // The last day of the month that it is.
  date.setUTCDate(Math.min(day, date.getUTCDate()));
  return date.getTime();
}

/** When the last of its policies ends. */
export const endOf = ({ policies }: Pick<Grant, "policies">): number =>
  Math.max(...policies.map(({ notAfter }) => notAfter));

/** The state by the clock, whether or not anything has run since. @param time Milliseconds since 1970. */
export function stateAt(grant: Grant, time: number): GrantState {
  return !isEnd(grant.state) && time > endOf(grant) ? "Expired" : grant.state;
}

/**
 * Whether its vendor knows nothing of it: while the owner may still take it back without a trace, and for good once that has
 * happened. @param time Milliseconds since 1970.
 */
export const isUnknownToVendor = ({ heldUntil, reason, changed }: Grant, time: number): boolean =>
  heldUntil !== null && (time < heldUntil || (reason === "undone" && changed <= heldUntil));

/** When data may begin to flow under a policy: never before the grant was made, nor while the owner may still undo it. */
export const beginOf = ({ issued, heldUntil }: Grant, { notBefore }: Policy): number =>
  Math.max(issued, notBefore ?? issued, heldUntil ?? issued);

export const isSpent = ({ queriesMax }: Policy, count: number): boolean =>
  queriesMax !== null && count >= queriesMax;

/** Places of the pod only, and folders only where a folder is meant: what is named otherwise is given to nobody. */
export function placesOf(pod: string, { target: { kind, values } }: Policy): readonly string[] {
  const root = `/${pod}/`;
  if (kind === "storage") return values.includes(root) ? [root] : [];
  if (kind === "container") return values.filter((path) => path.startsWith(root) && path.endsWith("/"));
  if (kind === "resource") return values.filter((path) => path.startsWith(root) && !path.endsWith("/"));
  return [];
}

/** A view can only be read; and who may remove something may not therefore change it, so that is no mode. */
function modesOf({ actions }: Policy, isView: boolean): readonly Mode[] {
  const modes = new Set(actions.flatMap((action) => (action === "delete" ? [] : [MODE_OF[action]])));
  return [...modes].filter((mode) => !isView || mode === "read");
}

/** Where a policy gives something: its view if it has one, and nothing if it needs one that was not made. */
export function targetsOf(pod: string, grant: Grant, at: number): readonly string[] {
  const policy = grant.policies[at]!;
  const view = grant.views[at] ?? null;
  if (view !== null) return [viewPath(pod, view)];
  return isViewed(policy) ? [] : placesOf(pod, policy);
}

/**
 * Whether what was begun to be told under a grant may be told to its end: the last that it was given it may have.
 * @param among Places of the policies that gave it; undefined: any.
 * @param time Milliseconds since 1970.
 */
export function mayGoOn(
  grant: Grant,
  client: string | null,
  among: readonly number[] | undefined,
  time: number,
): boolean {
  if (grant.state !== "Active" && grant.state !== "Exhausted") return false;
  return grant.policies.some((policy, at) => {
    const isClient = policy.clients === null || (client !== null && policy.clients.includes(client));
    const isInForce = beginOf(grant, policy) <= time && time <= policy.notAfter;
    return isClient && isInForce && (among?.includes(at) ?? true);
  });
}

/** What a grant permits now, for decisions; nothing unless it is Active. */
export function rulesOf(pod: string, grant: Grant, usage: Usage): readonly GrantRule[] {
  if (grant.state !== "Active") return [];
  return grant.policies.flatMap((policy, at): GrantRule[] => {
    const targets = targetsOf(pod, grant, at);
    const isView = (grant.views[at] ?? null) !== null;
    const modes = modesOf(policy, isView);
    const removes = !isView && policy.actions.includes("delete");
    if (targets.length === 0 || isSpent(policy, usage.policies[at]?.count ?? 0)) return [];
    if (modes.length === 0 && !removes) return [];
    return [
      {
        grant: grant.id,
        policy: at,
        assignee: grant.assignee,
        clients: policy.clients,
        // What these ask of a resource, a view gives only that of.
        mediaTypes: isView ? null : policy.mediaTypes,
        types: isView ? null : policy.types,
        modes,
        removes,
        targets,
        purposes: policy.purposes,
        notBefore: beginOf(grant, policy),
        notAfter: policy.notAfter,
      },
    ];
  });
}
