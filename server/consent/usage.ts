/** Whether a grant has room for a use at a moment, and what it comes to then. Pure: `use.ts` writes it down. */
import { isNarrower } from "@freehold/vocab";
import type { PoliciesOf } from "../access/grants.ts";
import type { Limits } from "../limits.ts";
import { dayOf, type Unusual, unusualIn, withReads } from "./anomaly.ts";
import type { Grant, Policy, PolicyUsage, Usage } from "./model.ts";
import { beginOf, endOf, isSpent, targetsOf } from "./states.ts";

/** What is about to be told, or was written, under a grant. */
export interface Extent {
  readonly act: "look" | "query" | "write";
  /** Canonical paths of what was named; none for a query of whatever is there. */
  readonly paths: readonly string[];
  /** How many documents it tells of. */
  readonly documents: number;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly status: number;
  /** SHA-256 of the query, hex. */
  readonly queryHash: string | null;
  /** For which of the granted purposes, as the decision found. */
  readonly purpose?: string | undefined;
  /** Which policies the decision found; absent: whichever are for this. */
  readonly policies?: PoliciesOf | undefined;
  /** When it was decided. Absent: in the very moment of the use. */
  readonly decided?: Moment | undefined;
}

/** A moment by two clocks, for the first of them may be turned back. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Milliseconds since this process began. */
  readonly tick: number;
}

export type Verdict =
  | { readonly kind: "room"; readonly usage: Usage; readonly policies: readonly number[] }
  /** `waitMs` null: its budget is used up. */
  | { readonly kind: "spent"; readonly waitMs: number | null }
  /** It is not Active: somebody ended it, or the clock did. */
  | { readonly kind: "ended" }
  | { readonly kind: "unused" }
  | { readonly kind: "unknown-client"; readonly usage: Usage }
  | { readonly kind: "unusual-amount"; readonly unusual: Unusual };

const NO_USES: PolicyUsage = Object.freeze({ count: 0, last: null, recent: [] });
const RECENT_MAX = 64; // Moments that are kept apart …
const STRETCHES = 32; // … of more, those in one of so many parts of the time count at the last of them.

export const noUsage = (grant: string): Usage => ({
  grant,
  count: 0,
  firstUse: null,
  lastUse: null,
  policies: [],
  days: [],
  forgiven: null,
  clients: [],
});

/** At the time of the last of each stretch: so a use counts a little longer than it must, and never shorter. */
function together(recent: PolicyUsage["recent"], stretch: number): PolicyUsage["recent"] {
  const stretches = new Map<number, [at: number, count: number]>();
  for (const [at, count] of recent) {
    const name = Math.floor(at / stretch);
    const before = stretches.get(name) ?? [0, 0];
    stretches.set(name, [Math.max(before[0], at), before[1] + count]);
  }
  const few = [...stretches.values()].sort(([one], [other]) => one - other);
  return few.length > RECENT_MAX ? together(few, stretch * 2) : few; // A clock that goes to and fro makes them many.
}

/** The latest moment that any clock has shown here: one that went back makes nothing come free sooner, or once more. */
const latest = ({ last }: PolicyUsage, time: number): number => Math.max(last ?? 0, time);

/** Of what is within the frequency still. */
const within = (used: PolicyUsage, per: number, time: number): PolicyUsage["recent"] =>
  used.recent.filter(([at]) => at > latest(used, time) - per);

/** @returns how long until there is room under the policy: 0 now, null never. */
function waitFor(policy: Policy, used: PolicyUsage, time: number): number | null {
  if (isSpent(policy, used.count)) return null;
  const { frequency } = policy;
  if (!frequency) return 0;
  const recent = within(used, frequency.per, time);
  const uses = recent.reduce((sum, [, count]) => sum + count, 0);
  if (uses < frequency.count) return 0;
  const first = recent[0];
  return first ? Math.max(1, first[0] + frequency.per - time) : frequency.per; // A frequency of none at all: later.
}

function onceMore({ frequency }: Policy, used: PolicyUsage, time: number): PolicyUsage {
  const [count, last] = [used.count + 1, latest(used, time)];
  if (!frequency) return { count, last, recent: [] };
  const recent = [...within(used, frequency.per, time), [last, 1] as const];
  return {
    count,
    last,
    recent: recent.length > RECENT_MAX ? together(recent, frequency.per / STRETCHES) : recent,
  };
}

/** A description is given with what it describes. */
function isAt(places: readonly string[], path: string): boolean {
  const subject = path.endsWith(".meta") ? path.slice(0, -".meta".length) : path;
  return places.some((place) => (place.endsWith("/") ? subject.startsWith(place) : subject === place));
}

/** The policies that a use may be under, whatever the clock says: of its kind, for this application and purpose, at this place. */
function policiesFor({ pod, grant, client, extent }: Judged): readonly number[] {
  const { act, paths, purpose, policies } = extent;
  return grant.policies.flatMap((policy, at) => {
    if (policies && !policies.get(grant.id)?.includes(at)) return [];
    const isKind = policy.actions.some((action) => (action === "read") === (act !== "write"));
    const isClient = policy.clients === null || (client !== null && policy.clients.includes(client));
    const isPurpose =
      purpose === undefined || policy.purposes.some((granted) => isNarrower(purpose, granted));
    if (!isKind || !isClient || !isPurpose) return [];
    const places = targetsOf(pod, grant, at);
    const isPlace = paths.length === 0 ? places.length > 0 : paths.some((path) => isAt(places, path));
    return isPlace ? [at] : [];
  });
}

const isInForce = (grant: Grant, policy: Policy, time: number): boolean =>
  time >= beginOf(grant, policy) && time <= policy.notAfter;

/**
 * What a use counts for. A look, or a write, is under any policy that is in force. A query has told of all that could be read
 * when it was decided: if a policy of that moment is not in force any more, so may something that it tells of.
 */
function inForce(judged: Judged, used: (at: number) => PolicyUsage): readonly number[] {
  const { grant, extent, time } = judged;
  const { act, decided } = extent;
  /** Whether the decision knew that there is nothing left of it. */
  function wasSpent(at: number): boolean {
    const { count, last } = used(at);
    if (!decided || !isSpent(grant.policies[at]!, count)) return isSpent(grant.policies[at]!, count);
    const tick = judged.spentAt(at);
    return tick === undefined ? (last ?? 0) < decided.time : tick < decided.tick;
  }
  const all = policiesFor(judged).filter((at) => act !== "query" || !wasSpent(at));
  const now = all.filter((at) => isInForce(grant, grant.policies[at]!, time));
  const isLess =
    decided !== undefined &&
    all.some((at) => !now.includes(at) && isInForce(grant, grant.policies[at]!, decided.time));
  return act === "query" && isLess ? [] : now;
}

/** Which of them it counts in; else how long to wait, null for ever. A query needs room under each. */
function roomUnder(
  { grant, extent: { act }, time }: Judged,
  policies: readonly number[],
  used: (at: number) => PolicyUsage,
): { readonly policies: readonly number[] } | { readonly waitMs: number | null } {
  if (act === "write") return { policies };
  const waits = policies.map((at) => waitFor(grant.policies[at]!, used(at), time));
  const free = policies.filter((_, at) => waits[at] === 0);
  if (act === "query" ? free.length === policies.length : free.length > 0) return { policies: free };
  const known = waits.filter((wait) => wait !== null && wait > 0) as readonly number[];
  if (act === "query") return { waitMs: waits.includes(null) ? null : Math.max(...known) };
  return { waitMs: known.length === 0 ? null : Math.min(...known) };
}

/** Since when nobody has used it, or else could have. */
const restingSince = (grant: Grant, { lastUse }: Pick<Usage, "lastUse">): number =>
  Math.max(grant.changed, grant.heldUntil ?? 0, lastUse ?? 0);

/** Whether it has lain unused for so long that it is to rest. */
export const isUnused = (
  grant: Grant,
  usage: Pick<Usage, "lastUse">,
  time: number,
  { grantUnusedMsMax }: Pick<Limits, "grantUnusedMsMax">,
): boolean => time - restingSince(grant, usage) > grantUnusedMsMax;

/** Whether the vendor has had its time to countersign; what the owner gave unasked needs no signature. */
export const isSignatureDue = (
  grant: Grant,
  time: number,
  { countersignMsMax }: Pick<Limits, "countersignMsMax">,
): boolean => grant.request !== null && time - grant.changed > countersignMsMax;

export interface Judged {
  /** Name of the pod. */
  readonly pod: string;
  readonly grant: Grant;
  readonly usage: Usage;
  readonly client: string | null;
  readonly extent: Extent;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** When the last of a policy was used, if that was by this process: milliseconds since it began. */
  readonly spentAt: (policy: number) => number | undefined;
}

/** A folder is given for one reason, and may be used by any application of the vendor's: but not by another than before. */
function isUnknownClient({ grant, usage, client }: Judged, policies: readonly number[]): boolean {
  if (usage.clients.length === 0 || usage.clients.includes(client ?? "")) return false;
  return policies.some((at) => !grant.policies[at]!.clients?.includes(client ?? ""));
}

/** Judges one use of a grant that a decision named a moment ago. Writes count, but need no room: budgets are of reads. */
export function judge(judged: Judged, limits: Limits): Verdict {
  const { grant, usage, client, extent, time } = judged;
  if (grant.state !== "Active" || time > endOf(grant)) return { kind: "ended" };
  const used = (at: number): PolicyUsage => usage.policies[at] ?? NO_USES;
  const policies = inForce(judged, used);
  if (policies.length === 0) return { kind: "ended" };
  if (isUnused(grant, usage, time, limits)) return { kind: "unused" };
  const clients = [...new Set([...usage.clients, client ?? ""])];
  if (isUnknownClient(judged, policies)) return { kind: "unknown-client", usage: { ...usage, clients } };
  const room = roomUnder(judged, policies, used);
  if ("waitMs" in room) return { kind: "spent", waitMs: room.waitMs };
  const today = dayOf(time);
  const isRead = extent.act !== "write";
  const unusual = isRead ? unusualIn(usage, today, extent.documents, limits) : null;
  if (unusual) return { kind: "unusual-amount", unusual };
  return {
    kind: "room",
    policies: room.policies,
    usage: {
      ...usage,
      count: usage.count + 1,
      firstUse: usage.firstUse ?? time,
      lastUse: Math.max(usage.lastUse ?? 0, time),
      policies: isRead
        ? grant.policies.map((policy, at) =>
            room.policies.includes(at) ? onceMore(policy, used(at), time) : used(at),
          )
        : usage.policies,
      days: isRead ? withReads(usage.days, today, extent.documents) : usage.days,
      clients,
    },
  };
}

/** Whether no policy of it can be used any more. */
export const isAllSpent = (grant: Grant, usage: Usage): boolean =>
  grant.policies.every((policy, at) => isSpent(policy, usage.policies[at]?.count ?? 0));

/** What the owner has seen and let pass is not held against the vendor again that day. */
export function forgiven(usage: Usage, time: number): Usage {
  const today = dayOf(time);
  const reads = usage.days.find(([day]) => day === today)?.[1] ?? 0;
  return { ...usage, forgiven: [today, reads] };
}
