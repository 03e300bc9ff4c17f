/** What standing preferences are told of a request: who asks, what was said beforehand, and what became of earlier requests. */
import type { Snapshot } from "../store/store.ts";
import { type DecideContext, decide, type Verdict } from "./deciding/decide.ts";
import { NO_PREFERENCES, type Preferences } from "./deciding/preferences.ts";
import type { AccessRequest, Decision, Grant } from "./model.ts";
import { each, find } from "./records.ts";

/** What the owner has said beforehand. */
export async function preferencesIn(snapshot: Snapshot): Promise<Preferences> {
  return (await find(snapshot, "preference", "current")) ?? NO_PREFERENCES;
}

async function all<T>(records: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const record of records) found.push(record);
  return found;
}

const isSameVendor = (request: AccessRequest, other: Pick<Grant, "assignee" | "controller">): boolean =>
  other.assignee === request.assignee || other.controller === request.controller;

/** Whether somebody, or something unusual, stopped it: not its vendor by itself, nor a change of preferences. */
const isStopped = ({ state, reason }: Grant): boolean =>
  state === "Paused" || (state === "Revoked" && reason !== "preference" && reason !== "vendor");

const DAY_MS = 86_400_000;
/** So often a day one vendor is given something by preferences; who asks, gives back and asks again fills the pod with it. */
const GIVEN_A_DAY_MAX = 10;

/**
 * @param before All requests of the pod, this one not among them.
 * @param isAsking Whether the person is there and waits for it.
 * @param trial Preferences to be tried out, in the place of those that hold.
 */
export async function judge(
  snapshot: Snapshot,
  request: AccessRequest,
  before: readonly AccessRequest[],
  isAsking: boolean,
  now: number,
  trial: Preferences | null = null,
): Promise<Verdict> {
  const decisions = new Map((await all(each(snapshot, "decision"))).map((one) => [one.id, one]));
  const grants = await all(each(snapshot, "grant"));
  const decided = (one: AccessRequest): Decision | undefined =>
    one.decision === null ? undefined : decisions.get(one.decision);
  const purposesOf = ({ policies }: Pick<Grant, "policies">): readonly string[] =>
    policies.flatMap(({ purposes }) => purposes);
  const denied = before
    .filter((one) => one.state === "Denied" && isSameVendor(request, one) && decided(one)?.by === "person")
    .map((one) => ({
      kind: "refused" as const,
      purposes: purposesOf(one),
      at: decided(one)?.at ?? one.received,
    }));
  // Who takes back what was given says no to it, and who lets it rest says not now: else the same preferences would give it
  // again. To give back what rests does not end the rest.
  const revoked = grants
    .filter((one) => isStopped(one) && isSameVendor(request, one))
    .map((one) => ({
      kind: "revoked" as const,
      purposes: purposesOf(one),
      at: one.state === "Paused" ? Number.POSITIVE_INFINITY : one.changed,
    }));
  const asked = [...decisions.values()].filter(({ outcome }) => outcome === "ask").map(({ at }) => at);
  // What a grant of the other, of whom only one of the two is the same, says nothing of.
  const own = grants.filter(
    ({ assignee, controller }) => assignee === request.assignee && controller === request.controller,
  );
  const lately = own.filter(({ decidedBy, issued }) => decidedBy === "policy" && now - issued < DAY_MS);
  const enough = { kind: "revoked" as const, purposes: purposesOf(request), at: Number.POSITIVE_INFINITY };
  const context: DecideContext = {
    now,
    preferences: trial ?? (await preferencesIn(snapshot)),
    vendor: {
      categories: [], // No register of companies is kept here.
      isKnown: own.length > 0,
      hasStored: own.some(({ policies }) => policies.some(({ mode }) => mode === "store")),
    },
    refusals: [...denied, ...revoked, ...(lately.length >= GIVEN_A_DAY_MAX ? [enough] : [])],
    userInitiated: isAsking,
    askedAt: asked.length === 0 ? null : Math.max(...asked),
    ownerIsMinor: false,
  };
  return decide(request, context);
}
