/**
 * Grants: how they come to be, rest and end. Each change is one transaction with all that belongs to it: the grant, what
 * decisions look at, the journal, and whoever must be told. No access list is touched, so no owner can be locked out.
 */
import { GRANT_RULES, type GrantRule } from "../access/grants.ts";
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import { type By, type ConsentDeed, type GrantsDeps, SERVER, type Settle } from "./change.ts";
import type { Grant, GrantState, Usage } from "./model.ts";
import { each, find, newId, put } from "./records.ts";
import {
  endOf,
  type GrantReason,
  isEnd,
  latestExpiry,
  mayBecome,
  placesOf,
  rulesOf,
  stateAt,
} from "./states.ts";
import { createSweep } from "./sweep.ts";
import { forgiven, noUsage } from "./usage.ts";
import { createUses, type Uses } from "./use.ts";
import { createEnforcing, type EnforcingDeps, refuseSanctioned } from "./vendors.ts";
import { instancesFor } from "./views/instances.ts";

export type { By, ConsentDeed, GrantsDeps } from "./change.ts";

/** What whoever decided has to say; the rest is the server's to fill in. */
export type GrantDraft = Omit<
  Grant,
  "id" | "state" | "issued" | "changed" | "assigner" | "views" | "reason" | "supersedes"
>;

export interface Grants extends Uses {
  /**
   * Makes a grant, Active at once.
   * @param supersedes A grant of the same vendor that ends in the same moment.
   * @throws Problem `input-invalid` for one without end or with one later than 13 months, or of places outside the pod;
   * `vendor-delisted` for a vendor that the registry has suspended or delisted;
   * `conflict` where its request was answered by another decision, where there are too many, or where the grant that it
   * takes the place of has ended.
   */
  create(
    transaction: Transaction,
    pod: Pod,
    draft: GrantDraft,
    by: By,
    supersedes?: string | null,
  ): Promise<Grant>;
  /** With its state by the clock; null when there is none. */
  get(snapshot: Snapshot, id: string): Promise<Grant | null>;
  /** In the order in which they were made, with their states by the clock. @param assignee Only that vendor's. */
  list(snapshot: Snapshot, assignee?: string): Promise<readonly Grant[]>;
  usage(snapshot: Snapshot, id: string): Promise<Usage>;
  /** @throws Problem `not-found`; `conflict` for one that has ended. What is so already stays so. */
  pause(transaction: Transaction, pod: Pod, id: string, by: By, reason?: GrantReason): Promise<Grant>;
  /** What made it rest is thereby seen, and let pass. @throws Problem as {@link Grants.pause}. */
  resume(transaction: Transaction, pod: Pod, id: string, by: By): Promise<Grant>;
  /** Ends it for good. @throws Problem as {@link Grants.pause}. */
  revoke(transaction: Transaction, pod: Pod, id: string, by: By, reason?: GrantReason): Promise<Grant>;
  /** Takes back a grant under which nothing has flowed yet. @throws Problem `conflict` when it is too late. */
  undo(transaction: Transaction, pod: Pod, id: string, by: By): Promise<Grant>;
  /** Ends a grant and makes another in its place: there is no moment with both or with neither. */
  supersede(transaction: Transaction, pod: Pod, id: string, draft: GrantDraft, by: By): Promise<Grant>;
  /** Writes down what the clock has done since: to be called hourly. @returns how many grants changed. */
  sweep(): Promise<number>;
  /** Takes in a grant that came with its pod, as it is. Its uses must be here already. */
  adopt(transaction: Transaction, pod: Pod, grant: Grant): Promise<void>;
  /**
   * Makes all grants fit what the registry says of their vendors.
   * @returns how many changed.
   */
  enforceVendors(commits: Pick<EnforcingDeps, "commit" | "enlist">, signal?: AbortSignal): Promise<number>;
  /** Address of a grant. */
  urlOf(pod: Pod, id: string): string;
}

const DEED_OF: Readonly<Record<GrantState, ConsentDeed["act"]>> = {
  Active: "resume",
  Paused: "pause",
  Revoked: "revoke",
  Expired: "lapse",
  Exhausted: "lapse",
  Superseded: "lapse",
};

function checkDraft(pod: Pod, draft: GrantDraft, issued: number): void {
  const last = latestExpiry(issued);
  const invalid = (detail: string, at: string): never => {
    throw new Problem("input-invalid", detail, { errors: [{ detail, at }] });
  };
  if (draft.policies.length === 0) invalid("A grant gives something", "/access");
  for (const [at, policy] of draft.policies.entries()) {
    const { notAfter, target } = policy;
    // Written so that what is no number fails.
    if (!(notAfter > issued && notAfter <= last))
      invalid(`Its end is after now, and at the latest ${new Date(last).toISOString()}`, `/access/${at}`);
    const isPlaces = target.kind !== "view" && target.kind !== "shape";
    if (isPlaces && placesOf(pod.name, policy).length !== target.values.length)
      invalid("Its targets are places in this pod", `/access/${at}/target`);
    if (policy.purposes.length === 0) invalid("A grant is for a purpose", `/access/${at}/constraint`);
  }
}

/** The only writer of grants' states, and of what decisions look at. */
export function createGrants(deps: GrantsDeps): Grants {
  const { baseUrl, vendors, limits, now, record } = deps;
  const urlOf = (pod: Pod, id: string): string => `${baseUrl}${pod.name}/.consent/grants/${id}`;

  /** Puts what a grant permits now in the place of what it permitted before. */
  async function putRules(transaction: Transaction, pod: Pod, grant: Grant, usage: Usage): Promise<void> {
    const entry = await transaction.get(...GRANT_RULES);
    const before = entry ? decodeRecord<readonly GrantRule[]>(entry) : [];
    const others = before.filter((rule) => rule.grant !== grant.id);
    const own = rulesOf(pod.name, grant, usage);
    if (own.length > 0 && new Set(others.map((rule) => rule.grant)).size >= limits.grantsActiveMax)
      throw new Problem("conflict", `At most ${limits.grantsActiveMax} grants of a pod are Active at once`);
    const after = [...others, ...own];
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    if (after.length > 0) transaction.put(...GRANT_RULES, encodeRecord(after));
    else transaction.delete(...GRANT_RULES);
  }

  const usageOf = async (snapshot: Snapshot, id: string): Promise<Usage> =>
    (await find(snapshot, "usage", id)) ?? noUsage(id);

  const deedOf = (pod: Pod, grant: Grant, act: ConsentDeed["act"], by: By): ConsentDeed => ({
    act,
    agent: by.agent,
    client: by.client ?? null,
    request: by.request ?? null,
    grant: urlOf(pod, grant.id),
    path: grant.policies.flatMap((policy) => placesOf(pod.name, policy))[0] ?? `/${pod.name}/`,
    purpose: grant.policies[0]?.purposes[0] ?? null,
  });

  const settle: Settle = async (transaction, pod, grant, { state, reason, usage: given }, by) => {
    // Only what is Active hangs on how much of it is used: else whoever reads all the time could hold up a revocation.
    const usage = given ?? (state === "Active" ? await usageOf(transaction, grant.id) : noUsage(grant.id));
    const after: Grant = { ...grant, state, reason, changed: now().getTime() };
    put(transaction, "grant", grant.id, after);
    if (given) put(transaction, "usage", grant.id, given);
    await putRules(transaction, pod, after, usage);
    record(transaction, pod, deedOf(pod, after, DEED_OF[state], by));
    await deps.changed?.(transaction, pod, after, grant.state);
    return after;
  };

  const shown = (grant: Grant): Grant => {
    const state = stateAt(grant, now().getTime());
    return state === grant.state ? grant : { ...grant, state, reason: "expired", changed: endOf(grant) };
  };

  async function present(snapshot: Snapshot, id: string): Promise<Grant> {
    const grant = await find(snapshot, "grant", id);
    if (!grant) throw new Problem("not-found", "There is no such grant");
    return grant;
  }

  async function turn(
    transaction: Transaction,
    pod: Pod,
    id: string,
    to: { readonly state: GrantState; readonly reason: GrantReason },
    by: By,
  ): Promise<Grant> {
    const grant = await present(transaction, id);
    const state = stateAt(grant, now().getTime());
    // Who lets rest what rests already for its vendor's sake wants it to stay so when the vendor comes back.
    const isOwnRest = state === "Paused" && to.state === "Paused" && grant.reason === "delisted";
    if (state === to.state && !(isOwnRest && to.reason === "owner")) return shown(grant);
    if (isOwnRest) return settle(transaction, pod, grant, to, by);
    if (!mayBecome(state, to.state)) throw new Problem("conflict", `This grant is ${state}`);
    const isRest = state === "Paused" && to.reason === "vendor";
    if (isRest) return settle(transaction, pod, grant, { ...to, reason: "vendor-at-rest" }, by);
    if (to.state !== "Active") return settle(transaction, pod, grant, to, by);
    refuseSanctioned(vendors, [grant.assignee, grant.controller], false);
    const usage = forgiven(await usageOf(transaction, id), now().getTime());
    return settle(transaction, pod, grant, { ...to, usage }, by);
  }

  /** A request is answered once: a second yes finds the first. */
  async function answer(transaction: Transaction, pod: Pod, draft: GrantDraft, id: string): Promise<void> {
    if (draft.request === null) return;
    const before = await find(transaction, "answered", draft.request);
    const isSame = before !== null && before.decision !== null && before.decision === draft.decision;
    if (before && !isSame)
      for (const other of before.grants) {
        const grant = await find(transaction, "grant", other);
        if (!grant || isEnd(grant.state)) continue;
        if (stateAt(grant, now().getTime()) !== "Expired")
          throw new Problem("conflict", "This request was answered already");
        // Else it would come back with the clock that somebody turns back.
        await settle(transaction, pod, grant, { state: "Expired", reason: "expired" }, { agent: SERVER });
      }
    const grants = isSame ? [...before.grants, id] : [id];
    put(transaction, "answered", draft.request, { decision: draft.decision, grants });
  }

  async function create(
    transaction: Transaction,
    pod: Pod,
    draft: GrantDraft,
    by: By,
    supersedes: string | null = null,
  ): Promise<Grant> {
    const issued = now().getTime();
    refuseSanctioned(vendors, [draft.assignee, draft.controller], true);
    checkDraft(pod, draft, issued);
    if (supersedes !== null) {
      const old = await present(transaction, supersedes);
      if (old.assignee !== draft.assignee) throw new Problem("conflict", "That grant is of somebody else");
      await turn(transaction, pod, supersedes, { state: "Superseded", reason: "superseded" }, by);
    }
    const id = newId();
    await answer(transaction, pod, draft, id);
    const grant: Grant = {
      ...draft,
      id,
      state: "Active",
      issued,
      changed: issued,
      assigner: pod.owner,
      views: instancesFor(draft),
      reason: null,
      supersedes,
    };
    put(transaction, "grant", id, grant);
    await putRules(transaction, pod, grant, noUsage(id));
    record(transaction, pod, deedOf(pod, grant, "grant", by));
    await deps.changed?.(transaction, pod, grant, null);
    return grant;
  }

  const uses = createUses({ ...deps, settle, usageOf, putRules, urlOf });
  const sweep = createSweep({ ...deps, settle, usageOf });

  return {
    ...uses,
    create,
    urlOf,
    sweep,
    async adopt(transaction, pod, grant) {
      await putRules(transaction, pod, grant, await usageOf(transaction, grant.id));
      put(transaction, "grant", grant.id, grant);
      record(transaction, pod, deedOf(pod, grant, "grant", { agent: SERVER }));
      await deps.changed?.(transaction, pod, grant, grant.state);
    },
    enforceVendors: (commits, signal) => createEnforcing({ ...deps, ...commits, settle, urlOf })(signal),
    usage: usageOf,
    async get(snapshot, id) {
      const grant = await find(snapshot, "grant", id);
      return grant && shown(grant);
    },
    async list(snapshot, assignee) {
      const grants: Grant[] = [];
      for await (const grant of each(snapshot, "grant"))
        if (assignee === undefined || grant.assignee === assignee) grants.push(shown(grant));
      return grants.sort((a, b) => a.issued - b.issued || (a.id < b.id ? -1 : 1));
    },
    pause: (transaction, pod, id, by, reason = "owner") =>
      turn(transaction, pod, id, { state: "Paused", reason }, by),
    resume: (transaction, pod, id, by) =>
      turn(transaction, pod, id, { state: "Active", reason: "owner" }, by),
    revoke: (transaction, pod, id, by, reason = "owner") =>
      turn(transaction, pod, id, { state: "Revoked", reason }, by),
    async undo(transaction, pod, id, by) {
      const { heldUntil } = await present(transaction, id);
      if (heldUntil === null || now().getTime() >= heldUntil)
        throw new Problem("conflict", "It is too late to undo this: revoke the grant");
      return turn(transaction, pod, id, { state: "Revoked", reason: "undone" }, by);
    },
    supersede: (transaction, pod, id, draft, by) => create(transaction, pod, draft, by, id),
  };
}
