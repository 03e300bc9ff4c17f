/**
 * What becomes of a request, before a person is disturbed with it. Pure: who asks, what was agreed to beforehand and what
 * was refused lately go in, an outcome with its rules and one sentence comes out. In order:
 *
 * 1. what is blocked, closed or never given is refused in silence;
 * 2. what only a person may decide is asked (or waits, when that person was asked often enough lately);
 * 3. what was agreed to beforehand is given, narrowed to that;
 * 4. what was refused lately stays refused in silence, even where it would be asked;
 * 5. what the person has just started is asked at once; all else waits for a summary.
 */
import { isNarrower } from "@freehold/vocab";
import type { Outcome, Policy, Terms } from "../model.ts";
import { agrees } from "./compile.ts";
import { kindsAround, kindsOf } from "./data-kinds.ts";
import { explainAsk, explainDefer, explainDeny, explainGrant } from "./explain.ts";
import { narrow } from "./narrow.ts";
import { FRESH_MS, isFresh, type Preferences, standingOf } from "./preferences.ts";
import { hardReasons } from "./reasons.ts";

const DAY = 86_400_000;

/** After a refusal nobody is asked the same again for this long: half a year, as the EU's Digital Omnibus has it. */
const COOL_DOWN_MS = 183 * DAY;
/** A person who did not start it is asked at most once in this time; what else there is waits for the summary. */
const PROMPT_EVERY_MS = 7 * DAY;
/** What was given without a question can be taken back as if it had not been for this long. */
const UNDO_MS = DAY;
/** A summary is shown when so many wait, or the first has waited so long. */
const DIGEST_SIZE = 5;
const DIGEST_EVERY_MS = 7 * DAY;

/** What is known of whoever asks. */
export interface Vendor {
  /** Kinds of company, as a register has it and not as it says itself. */
  readonly categories: readonly string[];
  /** Whether the person has given this agent, under this controller, anything before. */
  readonly isKnown: boolean;
  /** Whether the person has let this agent keep anything before. */
  readonly hasStored: boolean;
}

export interface Refusal {
  /** A request was refused; or what was given was taken back, given back or rests: then it may be asked for again, but is not given by itself. */
  readonly kind: "refused" | "revoked";
  readonly purposes: readonly string[];
  /** Milliseconds since 1970; without end for what still is so. */
  readonly at: number;
}

export interface DecideContext {
  readonly now: number;
  readonly preferences: Preferences;
  readonly vendor: Vendor;
  /** To what the person has said no, of this agent or its controller, and what of theirs is not to go on by itself. */
  readonly refusals: readonly Refusal[];
  /** Whether the person started it: in this session, proved by the session. */
  readonly userInitiated: boolean;
  /** When the person was asked last without having started it; null: never. */
  readonly askedAt: number | null;
  readonly ownerIsMinor: boolean;
}

export interface Verdict {
  readonly outcome: Outcome;
  /** What is given, narrowed, for "grant" and "narrow"; else what is left of the request to ask about. */
  readonly policies: readonly Policy[];
  readonly rules: readonly string[];
  /** One plain sentence for the owner. */
  readonly explanation: string;
  /** Until when the owner may take it back; null where there is nothing to take back. */
  readonly undoUntil: number | null;
  /** Until when nothing flows: what is kept elsewhere cannot be taken back, so it waits for the undo to be over. */
  readonly heldUntil: number | null;
}

const nothing = (
  outcome: Outcome,
  policies: readonly Policy[],
  rules: readonly string[],
  explanation: string,
): Verdict => ({ outcome, policies, rules, explanation, undoUntil: null, heldUntil: null });

/** Whether one is within the other, whichever way round: who asks for the whole asks for its parts. */
const touches = (a: string, b: string): boolean => isNarrower(a, b) || isNarrower(b, a);

/** Takes out what is never given; null where the vendor cannot do without it, or nothing is left. */
function withoutNever(policies: readonly Policy[], preferences: Preferences): readonly Policy[] | null {
  const { never, holds } = preferences;
  const left: Policy[] = [];
  for (const policy of policies) {
    const kinds = [...(kindsOf(policy, holds) ?? policy.categories), ...kindsAround(policy, holds)];
    const isForbidden = kinds.some((kind) => never.categories.some((root) => touches(kind, root)));
    const purposes = isForbidden
      ? []
      : policy.purposes.filter((purpose) => !never.purposes.some((root) => touches(purpose, root)));
    if (purposes.length > 0)
      left.push(purposes.length === policy.purposes.length ? policy : { ...policy, purposes });
    else if (policy.necessity === "required") return null;
  }
  return left.length > 0 ? left : null;
}

/** Whether the person has said no to any of this since then. */
function hasRefused(policies: readonly Policy[], refusals: readonly Refusal[], since: number): boolean {
  const purposes = policies.flatMap((policy) => policy.purposes);
  return refusals.some(
    ({ at, purposes: refused }) =>
      at > since && refused.some((no) => purposes.some((asked) => touches(asked, no))),
  );
}

/**
 * @param request Parsed and checked; who signed it and may ask at all is decided before.
 * @returns the outcome. "grant" and "narrow" only within what the person agreed to beforehand; the same for the same input.
 */
export function decide(
  request: Terms & { readonly policies: readonly Policy[] },
  context: DecideContext,
): Verdict {
  const { preferences, now } = context;
  const who = request.assignee;
  const blocked = [request.assignee, request.controller].some((webid) => preferences.blocked.includes(webid));
  if (blocked) return nothing("deny", [], ["blocked"], explainDeny.blocked(who));
  const { standing, rule } = standingOf(preferences, request.assignee, context.vendor.categories);
  if (standing.level === 0) return nothing("deny", [], ["closed", rule], explainDeny.closed(who));
  const policies = withoutNever(request.policies, preferences);
  if (!policies) return nothing("deny", [], ["never"], explainDeny.never(who));

  const refused = context.refusals.filter(({ kind }) => kind === "refused");
  const { holds } = preferences;
  const cooling = hasRefused(policies, refused, now - COOL_DOWN_MS);
  const hard = hardReasons(request, policies, context);
  if (hard.length > 0) {
    if (cooling) return nothing("deny", [], ["cool-down", ...hard], explainDeny.coolDown(who));
    const mayAsk =
      context.userInitiated || context.askedAt === null || now - context.askedAt >= PROMPT_EVERY_MS;
    return mayAsk
      ? nothing("ask", policies, hard, explainAsk(who, policies, holds, hard[0] ?? null))
      : nothing("defer", policies, [...hard, "asked-lately"], explainDefer(who, policies, holds));
  }

  const kinds = (policy: Policy): readonly string[] | null => kindsOf(policy, holds);
  // A later no to this one counts for more than an earlier yes to everybody.
  const isOverruled = hasRefused(policies, context.refusals, standing.confirmed);
  const agreed =
    isFresh(standing.confirmed, now) && !isOverruled
      ? narrow(policies, standing, kinds, request.terms, now)
      : null;
  if (agreed && agrees(preferences, request, context.vendor, agreed.policies, now)) {
    const isWhole = request.policies.every((policy) => policies.includes(policy));
    const isLess = agreed.isLess || !isWhole;
    const undoUntil = now + UNDO_MS;
    const isKept = agreed.policies.some(({ mode }) => mode === "store" || mode === "stream");
    return {
      outcome: isLess ? "narrow" : "grant",
      policies: agreed.policies,
      rules: [rule, ...agreed.rules, `preferences:${preferences.version}`],
      explanation: explainGrant(who, agreed.policies, holds, isLess),
      undoUntil,
      heldUntil: isKept ? undoUntil : null,
    };
  }

  if (cooling) return nothing("deny", [], ["cool-down"], explainDeny.coolDown(who));
  if (context.userInitiated)
    return nothing("ask", policies, ["user-initiated"], explainAsk(who, policies, holds, null));
  return nothing("defer", policies, ["digest"], explainDefer(who, policies, holds));
}

/**
 * Whether what waits is to be shown to the owner now: strangers can have many wait, but nobody is interrupted by them twice a day.
 * @param waiting When each began to wait. @param last When a summary was shown last.
 */
export function digestDue(waiting: readonly number[], now: number, last = 0): boolean {
  if (now - last < DAY) return false;
  return waiting.length >= DIGEST_SIZE || waiting.some((since) => now - since >= DIGEST_EVERY_MS);
}

/**
 * What a grant that was made from preferences may still be after these have changed: at once, and never more than it is.
 * @returns its policies, narrowed; the same list when nothing changes; null when nothing of it may stay.
 */
export function narrowStanding(
  grant: Terms & { readonly policies: readonly Policy[] },
  preferences: Preferences,
  vendor: Vendor,
  now: number,
): readonly Policy[] | null {
  if ([grant.assignee, grant.controller].some((webid) => preferences.blocked.includes(webid))) return null;
  const { standing } = standingOf(preferences, grant.assignee, vendor.categories);
  // What was given is optional by now: the part that may stay, stays.
  const optional: readonly Policy[] = grant.policies.map((policy) => ({ ...policy, necessity: "optional" }));
  const policies = standing.level === 0 ? null : withoutNever(optional, preferences);
  if (!policies || hardReasons(grant, policies, { preferences, vendor, ownerIsMinor: false }).length > 0)
    return null;
  const agreed = narrow(policies, standing, (policy) => kindsOf(policy, preferences.holds), grant.terms, now);
  // What was confirmed long ago gives nothing new, but ends nothing either.
  const readAt = Math.min(now, standing.confirmed + FRESH_MS);
  if (!agreed || !agrees(preferences, grant, vendor, agreed.policies, now, readAt)) return null;
  const isWhole =
    policies.length === optional.length && policies.every((policy) => optional.includes(policy));
  return isWhole && !agreed.isLess ? grant.policies : agreed.policies;
}
