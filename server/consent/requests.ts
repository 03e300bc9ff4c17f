/**
 * Requests for access: taken in, decided about by the owner's standing preferences or by the owner, answered once. Each
 * change is one transaction with the grants that come of it, the journal's entry, and what is to be told.
 */
import type { Problem as ProblemType } from "../errors.ts";
import { Problem } from "../errors.ts";
import { createRate, networkOf, retryAfter } from "../rates.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import { type By, SERVER } from "./change.ts";
import type { AccessRequest, Decision, Grant, Outcome, RequestState } from "./model.ts";
import type { Happening } from "./notices.ts";
import { each, find, newId, put } from "./records.ts";
import { dropBeyond } from "./request-drop.ts";
import { type Answer, isOpen, type Judgement, type Requests, type RequestsDeps } from "./requests-port.ts";
import { endOf, isUnknownToVendor } from "./states.ts";
import { refuseSanctioned, refuseUnregistered } from "./vendors.ts";
import { digestOf, termsOf } from "./wire.ts";

const STATE_OF: Readonly<Record<Outcome, RequestState>> = {
  grant: "Granted",
  narrow: "Granted",
  deny: "Denied",
  defer: "Deferred",
  ask: "Pending",
};
const SECOND_THOUGHT_MS = 600_000; // To take back one's own answer: a wrong button is noticed at once.
const RENEWAL_MS = 30 * 24 * 3_600_000; // So long before a grant ends, the same may be asked for again.

/** What the vendor is told of the state that its request has now. */
const NEWS: Readonly<Partial<Record<RequestState, readonly string[]>>> = {
  Granted: ["Update", "Accept"],
  Denied: ["Update", "Reject"],
  Deferred: ["Update", "TentativeReject"],
};

export function createRequests(deps: RequestsDeps): Requests {
  const { baseUrl, limits, now, grants, notices } = deps;
  const { requestsMsMax, ratesRemembered } = limits;
  const perVendor = createRate(limits.requestsPerVendorMax, requestsMsMax, ratesRemembered, now);
  const perIp = createRate(limits.requestsPerIpMax, requestsMsMax, ratesRemembered, now);
  const perPod = createRate(limits.requestsPerPodMax, requestsMsMax, ratesRemembered, now);
  const urlOf = (pod: Pod, id: string): string => `${baseUrl}${pod.name}/.consent/requests/${id}`;
  const pathOf = (pod: Pod, id: string): string => `/${pod.name}/.consent/requests/${id}`;

  const endsAt = ({ received }: AccessRequest): number => received + limits.requestOpenMsMax;
  /** No answer is never a yes. */
  const shown = (request: AccessRequest): AccessRequest =>
    isOpen(request.state) && now().getTime() > endsAt(request) ? { ...request, state: "Expired" } : request;

  const tooMany = (detail: string, waitMs: number): ProblemType =>
    new Problem("too-many-requests", detail, { headers: retryAfter(waitMs) });

  async function list(snapshot: Snapshot, assignee?: string): Promise<AccessRequest[]> {
    const all: AccessRequest[] = [];
    for await (const request of each(snapshot, "request"))
      if (assignee === undefined || request.assignee === assignee) all.push(shown(request));
    return all.sort((a, b) => b.received - a.received || (a.id < b.id ? -1 : 1));
  }

  async function present(snapshot: Snapshot, id: string): Promise<AccessRequest> {
    const request = await find(snapshot, "request", id);
    if (!request) throw new Problem("not-found");
    return shown(request);
  }

  /** Grants of a request that its vendor does not know of yet, and is not to learn of by what is answered. */
  async function heldOf(snapshot: Snapshot, { grants: ids }: AccessRequest): Promise<readonly Grant[]> {
    const all = await Promise.all(ids.map((id) => grants.get(snapshot, id)));
    return all.filter((one) => one !== null && isUnknownToVendor(one, now().getTime())) as readonly Grant[];
  }

  /** Of the same wish: the one that is still open, or the one whose grant has long to go. */
  async function sameWish(
    snapshot: Snapshot,
    own: readonly AccessRequest[],
    digest: string,
  ): Promise<AccessRequest | null> {
    for (const request of own.filter((one) => one.digest === digest)) {
      if (isOpen(request.state)) return request;
      if (request.state !== "Granted") continue;
      for (const id of request.grants) {
        const grant = await grants.get(snapshot, id);
        const isStanding = grant?.state === "Active" || grant?.state === "Paused";
        if (isStanding && endOf(grant) - now().getTime() > RENEWAL_MS) return request;
      }
    }
    return null;
  }

  /** The grant of the same wish that is about to end: the new one takes its place. */
  async function renewed(
    snapshot: Snapshot,
    own: readonly AccessRequest[],
    digest: string,
  ): Promise<string | null> {
    for (const request of own)
      if (request.digest === digest && request.state === "Granted")
        for (const id of request.grants) if ((await grants.get(snapshot, id))?.state === "Active") return id;
    return null;
  }

  function tellVendor(transaction: Transaction, pod: Pod, request: AccessRequest, from: number | null): void {
    const types = NEWS[request.state];
    if (request.inbox === null || !types) return;
    const happening: Happening = {
      types,
      object: urlOf(pod, request.id),
      objectType: "AccessRequest",
      state: request.state,
      from,
    };
    notices.add(transaction, pod, request.inbox, happening);
  }

  async function give(
    transaction: Transaction,
    pod: Pod,
    request: AccessRequest,
    decision: Decision,
    { policies, heldUntil }: Judgement,
    by: By,
    supersedes: string | null,
  ): Promise<Grant> {
    const draft = {
      ...termsOf(request),
      policies,
      request: request.id,
      decision: decision.id,
      decidedBy: decision.by,
      heldUntil,
    };
    return grants.create(transaction, pod, draft, by, supersedes);
  }

  /** Writes down a decision and all that comes of it. */
  async function settle(
    transaction: Transaction,
    pod: Pod,
    request: AccessRequest,
    judgement: Judgement,
    by: { readonly who: Decision["by"]; readonly on: By },
    supersedes: string | null,
  ): Promise<{
    readonly request: AccessRequest;
    readonly decision: Decision;
    readonly grants: readonly Grant[];
  }> {
    const at = now().getTime();
    const { outcome, rules, explanation, undoUntil } = judgement;
    const made: Decision = {
      id: newId(),
      request: request.id,
      outcome,
      by: by.who,
      rules,
      explanation,
      at,
      undoUntil,
      grants: [],
    };
    const isGiven = outcome === "grant" || outcome === "narrow";
    const given = isGiven ? [await give(transaction, pod, request, made, judgement, by.on, supersedes)] : [];
    const decision = { ...made, grants: given.map(({ id }) => id) };
    const answered: AccessRequest = {
      ...request,
      state: STATE_OF[outcome],
      decision: decision.id,
      grants: decision.grants,
    };
    put(transaction, "decision", decision.id, decision);
    put(transaction, "request", request.id, answered);
    // What was decided at once is in the answer to the request itself, but for what is not to be known yet.
    if (by.who !== "policy" || isGiven) tellVendor(transaction, pod, answered, judgement.heldUntil);
    return { request: answered, decision, grants: given };
  }

  /** Good once, whatever becomes of the request. */
  async function isExpected(transaction: Transaction, nonce: string): Promise<boolean> {
    const expected = await find(transaction, "expected", nonce);
    if (expected) transaction.delete("consent", "expected", nonce);
    return expected !== null && now().getTime() < expected.until;
  }

  return {
    urlOf,
    list,
    shown,
    expect(transaction) {
      const nonce = newId();
      const until = now().getTime() + limits.requestExpectedMsMax;
      put(transaction, "expected", nonce, { until });
      return { nonce, until };
    },
    get: (snapshot, id) => find(snapshot, "request", id).then((request) => request && shown(request)),
    pace(pod, webid, ip) {
      refuseSanctioned(deps.vendors, [webid], true);
      // The pod's own is asked last: who may not go on uses up nothing of what all others have.
      const wait = perVendor(`${pod.id} ${webid}`) || perIp(`${pod.id} ${networkOf(ip)}`) || perPod(pod.id);
      if (wait > 0) throw tooMany("This pod takes only so many requests an hour", wait);
    },
    async submit(pod, agent, { terms, policies, issued, document }, nonce, requestId) {
      refuseSanctioned(deps.vendors, [terms.assignee, terms.controller, agent.client], true);
      refuseUnregistered(deps.vendors, terms.assignee, policies);
      await notices.enlist(pod);
      const digest = digestOf(terms, policies);
      return deps.commit(pod, async (transaction, leave) => {
        const received = now().getTime();
        const all = await list(transaction);
        const own = all.filter(({ assignee }) => assignee === terms.assignee);
        const same = await sameWish(transaction, own, digest);
        if (same) return { request: same, isNew: false };
        const open = all.filter(({ state }) => isOpen(state));
        const ownOpen = own.filter(({ state }) => isOpen(state));
        if (ownOpen.length >= limits.requestsOpenPerVendorMax)
          throw tooMany("You have as many open requests here as there may be", requestsMsMax);
        // Strangers can fill what a pod has open; whoever the person sends here and waits for comes in all the same.
        const isAsking = nonce !== null && (await isExpected(transaction, nonce));
        if (open.length >= limits.requestsOpenPerPodMax && !isAsking)
          throw tooMany("This pod has as many open requests as there may be", requestsMsMax);
        await dropBeyond(transaction, all, limits.requestsKeptMax - 1);
        const request: AccessRequest = {
          ...termsOf(terms),
          id: newId(),
          state: "Pending",
          issued,
          received,
          digest,
          policies,
          document,
          decision: null,
          grants: [],
        };
        const judgement = await deps.judge(transaction, pod, request, all, isAsking);
        const deed = { act: "ask" as const, agent: terms.assignee, path: pathOf(pod, request.id) };
        deps.record(transaction, pod, { ...deed, client: agent.client, request: requestId });
        const by = { who: "policy" as const, on: { agent: SERVER, request: requestId } };
        const supersedes = await renewed(transaction, own, digest);
        const settled = await settle(transaction, pod, request, judgement, by, supersedes);
        if (settled.request.state === "Pending" || settled.grants.length > 0)
          await leave({
            type: settled.grants.length > 0 ? "Accept" : "Offer",
            actor: terms.assignee,
            object: urlOf(pod, request.id),
            summary: judgement.explanation,
            at: received,
          });
        return { request: settled.request, isNew: true };
      });
    },
    async decide(pod, id, { outcome, policies, who, by }) {
      await notices.enlist(pod);
      return deps.commit(pod, async (transaction) => {
        const request = await present(transaction, id);
        if (!isOpen(request.state)) throw new Problem("conflict", `This request is ${request.state}`);
        const given = policies ?? request.policies;
        const isWhole = given === request.policies;
        const judgement: Judgement = {
          outcome: outcome === "grant" && !isWhole ? "narrow" : outcome,
          policies: given,
          rules: [],
          explanation: EXPLANATIONS[who][outcome === "grant" && !isWhole ? "narrow" : outcome],
          undoUntil: now().getTime() + SECOND_THOUGHT_MS,
          heldUntil: null,
        };
        deps.record(transaction, pod, { act: "decide", ...by, path: pathOf(pod, id) });
        const own = await list(transaction, request.assignee);
        const supersedes = await renewed(transaction, own, request.digest);
        return settle(transaction, pod, request, judgement, { who, on: by }, supersedes);
      });
    },
    cancel: (pod, id, by) =>
      deps.commit(pod, async (transaction) => {
        const request = await present(transaction, id);
        if (request.state === "Canceled") return;
        // A yes that its vendor is not told of yet is given back with the question: to the vendor it still is one.
        const held = await heldOf(transaction, request);
        if (!isOpen(request.state) && held.length === 0)
          throw new Problem("conflict", `This request is ${request.state}`);
        for (const grant of held) await grants.revoke(transaction, pod, grant.id, by, "vendor");
        await notices.withdraw(transaction, urlOf(pod, request.id));
        put(transaction, "request", id, { ...request, state: "Canceled", grants: [] });
        deps.record(transaction, pod, { act: "ask", ...by, path: pathOf(pod, id) });
      }),
    undo: (pod, id, by) =>
      deps.commit(pod, async (transaction) => {
        const decision = await find(transaction, "decision", id);
        if (!decision) throw new Problem("not-found");
        const request = await present(transaction, decision.request);
        if (request.state === "Canceled") throw new Problem("conflict", "This request is Canceled");
        if (request.decision !== id || decision.undoUntil === null || now().getTime() >= decision.undoUntil)
          throw new Problem("conflict", "It is too late to undo this: revoke the grant");
        for (const grant of decision.grants) {
          const found = await grants.get(transaction, grant);
          const isHeld = (found?.heldUntil ?? 0) > now().getTime();
          // What its vendor knows of already is taken back in the open.
          if (isHeld) await grants.undo(transaction, pod, grant, by);
          else await grants.revoke(transaction, pod, grant, by, "undone");
        }
        await notices.withdraw(transaction, urlOf(pod, request.id));
        put(transaction, "request", request.id, { ...request, state: "Pending", decision: null, grants: [] });
        put(transaction, "decision", id, { ...decision, undoUntil: null });
        deps.record(transaction, pod, { act: "decide", ...by, path: pathOf(pod, request.id) });
      }),
    async tell(snapshot, request, forVendor) {
      const all = await Promise.all(request.grants.map((id) => grants.get(snapshot, id)));
      const known = all.filter((one) => one !== null);
      const isHeld = forVendor && (await heldOf(snapshot, request)).length > 0;
      return {
        request,
        state: isHeld ? "Pending" : request.state,
        grants: isHeld ? [] : known.map(({ id }) => id),
      };
    },
  };
}

const EXPLANATIONS: Readonly<Record<Answer["who"], Readonly<Record<Answer["outcome"] | "narrow", string>>>> =
  {
    person: {
      grant: "You said yes to this.",
      narrow: "You gave less than was asked for.",
      deny: "You said no to this.",
      defer: "You wanted to decide later.",
    },
    delegate: {
      grant: "This was agreed to in your place.",
      narrow: "Less than this was agreed to in your place.",
      deny: "This was refused in your place.",
      defer: "This was put off in your place.",
    },
  };
