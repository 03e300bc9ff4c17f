/**
 * One use of grants, counted in a transaction: whether it may be, what it counts for, its receipt, its entry in the journal,
 * and what comes of it for the grant.
 */
import { Problem } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { retryAfter } from "../rates.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import { attend } from "./attention.ts";
import { type GrantsDeps, SERVER, type Settle } from "./change.ts";
import { isHoney } from "./honey.ts";
import type { Grant, Policy, Usage, UsageReceipt } from "./model.ts";
import { type AttentionKind, dropReceipt, find, put, putReceipt, receiptId } from "./records.ts";
import { type GrantReason, isEnd, isSpent } from "./states.ts";
import { type Extent, isAllSpent, isSignatureDue, judge, type Verdict } from "./usage.ts";

/** Who asks, and for what. */
export type UseOperation = Pick<Operation, "id" | "agent" | "target" | "url">;

export interface CountingDeps extends GrantsDeps {
  readonly settle: Settle;
  readonly usageOf: (snapshot: Snapshot, id: string) => Promise<Usage>;
  /** Makes what decisions look at fit the grant. */
  readonly putRules: (transaction: Transaction, pod: Pod, grant: Grant, usage: Usage) => Promise<void>;
  readonly urlOf: (pod: Pod, id: string) => string;
}

const TARGETS_MAX = 16; // Of one receipt.

export interface Wish {
  readonly pod: Pod;
  readonly operation: UseOperation;
  readonly grants: readonly string[];
  readonly extent: Extent;
}

export type Outcome =
  | {
      readonly kind: "served";
      readonly receipts: readonly UsageReceipt[];
      readonly isView: boolean;
      /** Policies of which it used the last: keys of what is remembered of them. */
      readonly spent: readonly string[];
    }
  | { readonly kind: "refused"; readonly problem: Problem };

/** A grant, and what was found about a use of it. */
interface Case {
  readonly grant: Grant;
  readonly usage: Usage;
  readonly verdict:
    | Verdict
    | { readonly kind: "unsigned" }
    | { readonly kind: "delisted"; readonly says: string };
}

function refusalOf({ grant, verdict }: Case): Problem {
  const members = { grant: grant.id };
  if (verdict.kind === "spent") {
    const headers = verdict.waitMs === null ? {} : retryAfter(verdict.waitMs);
    return new Problem("grant-spent", undefined, { headers, members });
  }
  if (verdict.kind === "delisted") return new Problem("vendor-delisted", verdict.says, { members });
  if (verdict.kind === "ended" && grant.state !== "Paused")
    return new Problem("forbidden", "This grant has ended", { members });
  return new Problem("grant-paused", undefined, { members });
}

/** Policies of which there is nothing left after this. */
const fullOf = (
  { policies }: Grant,
  after: { readonly usage: Usage; readonly policies: readonly number[] },
): readonly number[] =>
  after.policies.filter((at) => isSpent(policies[at]!, after.usage.policies[at]?.count ?? 0));

/** What makes a grant rest; null for what is no reason to. */
function reasonOf({ verdict }: Case): GrantReason | null {
  return verdict.kind === "room" ||
    verdict.kind === "spent" ||
    verdict.kind === "ended" ||
    verdict.kind === "delisted" // Whoever makes all of its grants rest tells their owners.
    ? null
    : verdict.kind;
}

/** Performs one use. With `isDry` nothing is counted; only what must rest is made to. */
export type Count = (transaction: Transaction, wish: Wish, isDry?: boolean) => Promise<Outcome>;

/** @param spentAt When the last of a policy was used, by a key of {@link Outcome}; undefined where this process does not know. */
export function createCounting(deps: CountingDeps, spentAt: (key: string) => number | undefined): Count {
  const { baseUrl, vendors, limits, now, log, record, settle, usageOf, putRules, urlOf } = deps;
  const origin = baseUrl.slice(0, -1);

  async function caseOf(
    transaction: Transaction,
    { pod, operation: { agent }, extent }: Wish,
    id: string,
    time: number,
  ): Promise<Case | null> {
    const grant = await find(transaction, "grant", id);
    if (!grant || grant.assignee !== agent.webid) return null;
    const usage = await usageOf(transaction, id);
    const { client } = agent;
    const known = vendors.find([grant.assignee, grant.controller, client]);
    if (known?.status === "delisted" && !isEnd(grant.state))
      return { grant, usage, verdict: { kind: "delisted", says: `${known.name} is delisted` } };
    const keyed = (policy: number): number | undefined => spentAt(`${id} ${policy}`);
    const verdict = judge({ pod: pod.name, grant, usage, client, extent, time, spentAt: keyed }, limits);
    const isDue = isSignatureDue(grant, time, limits);
    if (verdict.kind !== "room" || !isDue || (await find(transaction, "countersigned", id)))
      return { grant, usage, verdict };
    return { grant, usage, verdict: { kind: "unsigned" } };
  }

  /** Tells the owner that somebody should look at this. */
  async function alarm(
    transaction: Transaction,
    { pod, operation, extent }: Wish,
    { grant, verdict }: Case,
    kind: AttentionKind,
    time: number,
  ): Promise<void> {
    const { webid: agent, client } = operation.agent;
    const path = kind === "honey" ? (extent.paths[0] ?? null) : null;
    const unusual = verdict.kind === "unusual-amount" ? verdict.unusual : {};
    const alert = { kind, grant: grant.id, agent, client, path, ...unusual };
    await attend(transaction, alert, time, limits);
    const of = { grant: urlOf(pod, grant.id), request: operation.id };
    record(transaction, pod, { act: "alarm", agent, client, path, ...of });
    log.warn("consent.alarm", { kind });
  }

  async function rest(transaction: Transaction, wish: Wish, one: Case, time: number): Promise<void> {
    const { grant, verdict } = one;
    const reason = reasonOf(one);
    if (reason === null) return;
    const usage = verdict.kind === "unknown-client" ? { usage: verdict.usage } : {};
    await settle(transaction, wish.pod, grant, { state: "Paused", reason, ...usage }, { agent: SERVER });
    if (reason === "unknown-client" || reason === "unusual-amount")
      await alarm(transaction, wish, one, reason, time);
  }

  function receiptOf(
    { pod, operation: { agent }, extent }: Wish,
    grant: Grant,
    policy: Policy,
    number: number,
    published: number,
  ): UsageReceipt {
    const paths = extent.paths.length > 0 ? extent.paths : [`/${pod.name}/`];
    return {
      id: receiptId(grant.id, number),
      grant: grant.id,
      actor: grant.assignee,
      client: agent.client,
      purpose: extent.purpose ?? agent.purpose ?? policy.purposes[0]!,
      act: extent.act,
      queryHash: extent.queryHash,
      targets: paths.slice(0, TARGETS_MAX).map((path) => `${origin}${path}`),
      documents: extent.documents,
      rows: extent.rows,
      bytes: extent.bytes,
      status: extent.status,
      published,
    };
  }

  /** The journal's entry of a read; a write has its own. */
  function note(transaction: Transaction, { pod, operation, extent }: Wish, receipt: UsageReceipt): void {
    const { act, rows, bytes, documents, status } = extent;
    if (act === "write") return;
    const { webid, ...who } = operation.agent;
    record(transaction, pod, {
      act,
      agent: webid,
      client: who.client,
      issuer: who.issuer,
      origin: who.origin,
      path: operation.target.path,
      purpose: receipt.purpose,
      grant: urlOf(pod, receipt.grant),
      status,
      rows,
      bytes,
      documents: act === "query" ? documents : null,
      request: operation.id,
    });
  }

  /** Counts a use for which there is room. */
  async function count(
    transaction: Transaction,
    wish: Wish,
    one: Case,
    { usage, policies }: Extract<Verdict, { readonly kind: "room" }>,
    time: number,
  ): Promise<UsageReceipt> {
    const { pod, extent } = wish;
    const { grant } = one;
    const receipt = receiptOf(wish, grant, grant.policies[policies[0]!]!, usage.count, time);
    putReceipt(transaction, receipt);
    dropReceipt(transaction, grant.id, usage.count - limits.receiptsPerGrantMax);
    put(transaction, "usage", grant.id, usage);
    note(transaction, wish, receipt);
    const isTrap = await isHoney(transaction, extent.paths);
    const by = { agent: SERVER };
    const isFull = fullOf(grant, { usage, policies }).length > 0;
    // What it was given last it may have; from now on there is nothing left.
    if (isAllSpent(grant, usage))
      await settle(transaction, pod, grant, { state: "Exhausted", reason: "spent", usage }, by);
    else if (isTrap) await settle(transaction, pod, grant, { state: "Paused", reason: "honey", usage }, by);
    else if (isFull) await putRules(transaction, pod, grant, usage);
    // Whoever read it is to notice nothing: the answer is as any other.
    if (isTrap) await alarm(transaction, wish, one, "honey", time);
    return receipt;
  }

  async function perform(transaction: Transaction, wish: Wish, isDry = false): Promise<Outcome> {
    const time = now().getTime();
    const cases: Case[] = [];
    for (const id of new Set(wish.grants)) {
      const found = await caseOf(transaction, wish, id, time);
      if (found) cases.push(found);
      if (wish.extent.act !== "query" && found?.verdict.kind === "room") break; // Any of them will do.
    }
    const chosen = wish.extent.act === "query" ? cases : cases.slice(-1);
    const needed = wish.extent.act === "query" ? new Set(wish.grants).size : 1;
    const isGiven =
      needed > 0 && chosen.length === needed && chosen.every(({ verdict }) => verdict.kind === "room");
    for (const one of cases) await rest(transaction, wish, one, time);
    if (!isGiven) {
      const refused = cases.find(({ verdict }) => verdict.kind === "spent") ?? cases.at(-1);
      return { kind: "refused", problem: refused ? refusalOf(refused) : new Problem("forbidden") };
    }
    const receipts: UsageReceipt[] = [];
    const full: string[] = [];
    let isView = false;
    for (const one of isDry ? [] : chosen) {
      if (one.verdict.kind !== "room") continue;
      receipts.push(await count(transaction, wish, one, one.verdict, time));
      const { grant, verdict } = one;
      isView ||= verdict.policies.some((at) => grant.policies[at]!.mode === "view");
      full.push(...fullOf(grant, verdict).map((at) => `${grant.id} ${at}`));
    }
    return { kind: "served", receipts, isView, spent: full };
  }

  return perform;
}
