/** The doors of access requests: where vendors ask, and where the owner answers. */
import { isNarrower, SHAPES_NAMESPACE } from "@freehold/vocab";
import { json } from "../body.ts";
import { Problem, type ProblemDetail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Result } from "../operation.ts";
import { createRate, networkOf, retryAfter } from "../rates.ts";
import { RDF_TYPES } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Store } from "../store/store.ts";
import type { By } from "./change.ts";
import { REQUESTS_PATH } from "./discovery.ts";
import { type Call, type ConsentDoor, namedAgent } from "./doors.ts";
import { type IsInboxOf, NOT_THEIR_INBOX } from "./inboxes.ts";
import { answerList, listedIn } from "./listing.ts";
import type { AccessRequest, Decision, Policy, RequestState } from "./model.ts";
import type { Previews } from "./previews/previews.ts";
import { statementQuads } from "./rdf.ts";
import { each, find } from "./records.ts";
import type { Requests } from "./requests-port.ts";
import { type Draft, type Json, readAccess, verifyProof, writeMoment } from "./shared.ts";
import type { KeyOf } from "./vendor-keys.ts";
import {
  answerDocument,
  completePolicy,
  completeTerms,
  placedTarget,
  readDocument,
  readInput,
  refuseDocument,
  requestDocument,
} from "./wire.ts";
import { isWithin } from "./within.ts";

export interface RequestDoorsDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Pick<Store, "read" | "write">;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly requests: Requests;
  readonly previews: Previews;
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
  /** What is wrong by a shape; null when nothing is. */
  readonly validate: (
    quads: readonly Quad[],
    shape: string,
  ) => Promise<{ readonly errors: readonly ProblemDetail[]; readonly report: readonly Quad[] } | null>;
  readonly keyOf: KeyOf;
  readonly isInboxOf: IsInboxOf;
  /** Whether a path is one of the server's own addresses. */
  readonly isOwnAddress: (path: string) => boolean;
}

const SHAPE = `${SHAPES_NAMESPACE}consent#AccessRequestShape`;
const CLOCKS_MS = 300_000; // By which the clocks of vendors may differ from ours.

/** On whose behalf something is changed, as the journal has it. */
export const byOf = ({ operation }: Call): By => ({
  agent: operation.agent.webid ?? "",
  client: operation.agent.client,
  request: operation.id,
});

export function requestDoors(deps: RequestDoorsDeps): readonly ConsentDoor[] {
  const { baseUrl, store, limits, now, requests, isOwner } = deps;
  const lists = createRate(limits.requestListsMax, 60_000, limits.ratesRemembered, now);

  /** @throws Problem `consent-invalid` for a request that is not for this pod, or about what nobody can be given. */
  function placed(draft: Draft, pod: Pod): readonly Policy[] {
    const at = now().getTime();
    const flaws: ProblemDetail[] = [];
    const policies = draft.policies.map((asked, index) => {
      const place = `/access/${index}`;
      const target = placedTarget(asked.target, baseUrl, pod, deps.isOwnAddress);
      if (!target)
        flaws.push({ at: `${place}/target/value`, detail: "This is nothing that anybody is given here" });
      const policy = completePolicy({ ...asked, target: target ?? asked.target }, at);
      // Written so that what is no time fails.
      if (!(policy.notAfter > at)) flaws.push({ at: place, detail: "The time that ends it has passed" });
      else if (policy.notBefore !== null && policy.notBefore >= policy.notAfter)
        flaws.push({ at: place, detail: "It ends before it begins" });
      if (policy.dataFrom !== null && policy.dataTo !== null && policy.dataFrom > policy.dataTo)
        flaws.push({ at: place, detail: "The range of data ends before it begins" });
      if (policy.purposes.length === 0) flaws.push({ at: place, detail: "Say what it is for: a purpose" });
      return policy;
    });
    if (draft.issued !== null && draft.issued > at + CLOCKS_MS)
      flaws.push({ at: "/issued", detail: "This time has not come yet" });
    if (flaws.length > 0) refuseDocument(flaws);
    return policies;
  }

  async function checkShape(draft: Draft, proofs: number): Promise<void> {
    const quads = statementQuads({ ...draft, id: null, type: "AccessRequest", proofs });
    const found = await deps.validate(quads, SHAPE).catch((cause: unknown) => {
      // The shape is ours, and right: what takes too long to be held against it is what was sent.
      if (!(cause instanceof Problem) || cause.code !== "shape-invalid") throw cause;
      throw new Problem("consent-invalid", "There is too much in it to be checked: ask for less at once", {
        cause,
        errors: [{ at: "/access", detail: "Too much to be checked" }],
      });
    });
    if (!found) return;
    throw new Problem("consent-invalid", `A request fits ${SHAPE}`, {
      errors: found.errors,
      alternatives: { contentTypes: RDF_TYPES, write: (type) => serializeRdf(found.report, type) },
    });
  }

  /** @throws Problem `proof-invalid` unless the vendor has signed this, and lately. */
  async function checkProof(document: Json, webid: string, ip: string): Promise<number> {
    const report = await verifyProof(document, (method) => deps.keyOf(webid, method, ip));
    const at = now().getTime();
    const flaws = report.proofs.flatMap(({ flaw, created }, index): ProblemDetail[] => {
      const place = `/proof/${index}`;
      if (flaw !== null) return [{ at: place, detail: flaw }];
      if (created > at + CLOCKS_MS)
        return [{ at: place, detail: "It was signed at a time that has not come yet" }];
      return at - created > limits.requestProofMsMax
        ? [{ at: place, detail: "It was signed too long ago" }]
        : [];
    });
    if (report.proofs.length === 0)
      flaws.push({ at: "/proof", detail: "A request is signed by whoever asks" });
    if (flaws.length > 0) throw new Problem("proof-invalid", flaws[0]?.detail, { errors: flaws });
    return report.proofs.length;
  }

  async function ask(call: Call): Promise<Result> {
    const { operation, pod, ip } = call;
    const webid = namedAgent(call);
    requests.pace(pod, webid, ip);
    const document = await readDocument(operation, limits);
    const { draft, flaws } = readAccess(document, "AccessRequest");
    if (flaws) return refuseDocument(flaws);
    if (draft.storage !== `${baseUrl}${pod.name}/`)
      return refuseDocument([{ at: "/storage", detail: "The storage is another one" }]);
    if (draft.terms.assignee !== webid) throw new Problem("forbidden", "Everybody asks for themselves only");
    if (webid === pod.owner)
      return refuseDocument([{ at: "/access/0/assignee", detail: "The owner of the pod has access to it" }]);
    const policies = placed(draft, pod);
    const proofs = await checkProof(document, webid, ip);
    await checkShape(draft, proofs);
    const { inbox } = draft.terms;
    if (inbox !== null && !(await deps.isInboxOf(inbox, webid, ip))) refuseDocument(NOT_THEIR_INBOX);
    const wish = {
      terms: completeTerms(draft.terms, webid),
      policies,
      issued: draft.issued ?? now().getTime(),
      document: JSON.stringify(document),
    };
    const { request, isNew } = await requests.submit(pod, operation.agent, wish, draft.nonce, operation.id);
    const url = requests.urlOf(pod, request.id);
    const shown = await store.read(pod.id, (snapshot) => describe(snapshot, pod, request, true));
    const answer = await answerDocument(operation, shown, null, { location: url });
    return { ...answer, status: isNew ? 201 : 200 };
  }

  async function describe(
    snapshot: Snapshot,
    pod: Pod,
    request: AccessRequest,
    forVendor: boolean,
  ): Promise<Json> {
    const told = await requests.tell(snapshot, request, forVendor);
    return requestDocument(request, {
      url: requests.urlOf(pod, request.id),
      state: told.state,
      grants: told.grants.map((id) => `${baseUrl}${pod.name}/.consent/grants/${id}`),
    });
  }

  async function list(call: Call): Promise<Result> {
    const { operation, pod } = call;
    const webid = namedAgent(call);
    const found = await store.read(pod.id, async (snapshot) => {
      const forVendor = !(await isOwner(snapshot, pod, operation.agent));
      const wait = forVendor ? lists(`${pod.id} ${networkOf(call.ip)}`) : 0;
      if (wait > 0)
        throw new Problem("too-many-requests", "Ask for your request by its own address", {
          headers: retryAfter(wait),
        });
      const all = await requests.list(snapshot, forVendor ? webid : undefined);
      return Promise.all(
        all.map(async (request) => ({
          id: request.id,
          document: await describe(snapshot, pod, request, forVendor),
        })),
      );
    });
    const status = new URLSearchParams(operation.query).get("status");
    const some = found.filter(({ document }) => status === null || document["status"] === status);
    return answerList(operation, some, ({ document }) => document);
  }

  /** @throws Problem `not-found` for all but the owner and the vendor: they learn nothing of it, nor that it is there. */
  async function seen(
    snapshot: Snapshot,
    { operation, pod, id }: Call,
  ): Promise<{ readonly request: AccessRequest; readonly isOwners: boolean }> {
    const request = await requests.get(snapshot, id);
    if (!request) throw new Problem("not-found");
    const isOwners = await isOwner(snapshot, pod, operation.agent);
    if (!isOwners && request.assignee !== operation.agent.webid) throw new Problem("not-found");
    return { request, isOwners };
  }

  async function show(call: Call): Promise<Result> {
    namedAgent(call);
    const { operation, pod } = call;
    const document = await store.read(pod.id, async (snapshot) => {
      const { request, isOwners } = await seen(snapshot, call);
      return describe(snapshot, pod, request, !isOwners);
    });
    const { draft } = readAccess(document, "AccessRequest");
    const proofs = document["proof"] === undefined ? 0 : 1;
    const state = document["status"] as RequestState; // As this reader may know it.
    const quads =
      draft && (() => statementQuads({ ...draft, id: operation.url, type: "AccessRequest", proofs, state }));
    return answerDocument(operation, document, quads, listedIn(operation));
  }

  /** By the vendor: it asks no more. By the owner: no. */
  async function remove(call: Call): Promise<Result> {
    namedAgent(call);
    const { pod, id } = call;
    const { isOwners } = await store.read(pod.id, (snapshot) => seen(snapshot, call));
    if (isOwners)
      await requests.decide(pod, id, { outcome: "deny", policies: null, who: "person", by: byOf(call) });
    else await requests.cancel(pod, id, byOf(call));
    return { status: 204, headers: {}, body: null };
  }

  async function ownersRequest(call: Call): Promise<AccessRequest> {
    namedAgent(call);
    return store.read(call.pod.id, async (snapshot) => {
      const { request, isOwners } = await seen(snapshot, call);
      if (!isOwners) throw new Problem("forbidden", "The owner of the pod decides");
      return request;
    });
  }

  /** What the owner gives of what was asked for: by number, or written out; never more. */
  function givenOf(input: Json, request: AccessRequest, pod: Pod): readonly Policy[] | null {
    const { policies: numbers, access } = input;
    if (access === undefined && numbers === undefined) return null;
    if (access === undefined) {
      const isRight =
        Array.isArray(numbers) &&
        numbers.length > 0 &&
        numbers.every((one) => Number.isInteger(one) && one in request.policies);
      if (!isRight) throw new Problem("input-invalid", "policies: the numbers of what is given, from 0");
      return [...new Set(numbers as number[])].map((one) => request.policies[one]!);
    }
    const asked = JSON.parse(request.document) as Json;
    const { draft, flaws } = readAccess({ ...asked, type: ["AccessRequest"], access }, "AccessRequest");
    if (flaws) return refuseDocument(flaws);
    if (draft.terms.assignee !== request.assignee)
      return refuseDocument([{ at: "/access/0/assignee", detail: "Only whoever asked is given anything" }]);
    const given = placed(draft, pod);
    const spent = new Set<Policy>();
    for (const [index, policy] of given.entries()) {
      const found = request.policies.find((one) => !spent.has(one) && isWithin(policy, one, isNarrower));
      if (!found)
        return refuseDocument([{ at: `/access/${index}`, detail: "This is more than was asked for" }]);
      if (found.queriesMax !== null || found.frequency !== null) spent.add(found); // Of two parts each would have all of it.
    }
    return given;
  }

  /** @throws Problem `input-invalid` for a member beside these. */
  function checkMembers(input: Json, known: readonly string[]): void {
    const odd = Object.keys(input).find((name) => !known.includes(name));
    if (odd !== undefined) throw new Problem("input-invalid", `${odd.slice(0, 64)} is not known here`);
  }

  /** What the vendor would get now: all that it asked for, or what the owner has in mind to give. Nothing changes. */
  async function preview(call: Call): Promise<Result> {
    const { operation, pod } = call;
    const request = await ownersRequest(call);
    const input = operation.method === "POST" ? await readInput(operation, limits) : {};
    checkMembers(input, ["policies", "access"]);
    const given = givenOf(input, request, pod) ?? request.policies;
    const policies = await store.read(pod.id, async (snapshot) => {
      await seen(snapshot, call);
      return deps.previews.of(snapshot, pod, given, request.assignee, operation.agent);
    });
    return json(200, { request: requests.urlOf(pod, request.id), policies });
  }

  async function decide(call: Call): Promise<Result> {
    const { operation, pod, id } = call;
    const request = await ownersRequest(call);
    const input = await readInput(operation, limits);
    const { outcome } = input;
    if (outcome !== "grant" && outcome !== "deny" && outcome !== "defer")
      throw new Problem("input-invalid", "outcome: grant, deny or defer");
    checkMembers(input, ["outcome", "policies", "access"]);
    const policies = outcome === "grant" ? givenOf(input, request, pod) : null;
    const made = await requests.decide(pod, id, { outcome, policies, who: "person", by: byOf(call) });
    const grant = made.grants[0];
    const location = grant ? { location: `${baseUrl}${pod.name}/.consent/grants/${grant.id}` } : {};
    return json(200, decisionDocument(pod, made.decision), location);
  }

  const decisionDocument = (pod: Pod, decision: Decision): Json => {
    const consent = `${baseUrl}${pod.name}/.consent/`;
    return {
      id: `${consent}decisions/${decision.id}`,
      type: "Decision",
      request: `${consent}requests/${decision.request}`,
      outcome: decision.outcome,
      decidedBy: decision.by,
      rules: decision.rules,
      explanation: decision.explanation,
      at: writeMoment(decision.at),
      ...(decision.undoUntil !== null && { undoUntil: writeMoment(decision.undoUntil) }),
      grants: decision.grants.map((id) => `${consent}grants/${id}`),
    };
  };

  async function checkOwner(call: Call): Promise<void> {
    namedAgent(call);
    const { operation, pod } = call;
    if (!(await store.read(pod.id, (snapshot) => isOwner(snapshot, pod, operation.agent))))
      throw new Problem("forbidden", "This is for the owner of the pod");
  }

  async function decisions(call: Call): Promise<Result> {
    await checkOwner(call);
    const { operation, pod } = call;
    const all = await store.read(pod.id, async (snapshot) => {
      const found: Decision[] = [];
      for await (const decision of each(snapshot, "decision")) found.push(decision);
      return found.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
    });
    return answerList(operation, all, (decision) => decisionDocument(pod, decision));
  }

  /** What the owner gives to a vendor that is about to ask. */
  async function expect(call: Call): Promise<Result> {
    await checkOwner(call);
    const { result } = await store.write(call.pod.id, async (transaction) => {
      for await (const { item } of transaction.list("consent", "expected")) {
        const old = await find(transaction, "expected", item);
        if (old && old.until <= now().getTime()) transaction.delete("consent", "expected", item);
      }
      return requests.expect(transaction);
    });
    return json(201, { nonce: result.nonce, until: writeMoment(result.until) });
  }

  async function undo(call: Call): Promise<Result> {
    await checkOwner(call);
    await requests.undo(call.pod, call.id, byOf(call));
    return { status: 204, headers: {}, body: null };
  }

  return [
    { verb: "get", path: REQUESTS_PATH, act: list },
    { verb: "post", path: REQUESTS_PATH, act: ask },
    { verb: "get", path: `${REQUESTS_PATH}/:id`, act: show },
    { verb: "delete", path: `${REQUESTS_PATH}/:id`, act: remove },
    { verb: "post", path: `${REQUESTS_PATH}/:id/decision`, act: decide },
    { verb: "get", path: `${REQUESTS_PATH}/:id/preview`, act: preview },
    { verb: "post", path: `${REQUESTS_PATH}/:id/preview`, act: preview },
    { verb: "post", path: ".consent/expectations", act: expect },
    { verb: "get", path: ".consent/decisions", act: decisions },
    { verb: "post", path: ".consent/decisions/:id/undo", act: undo },
  ];
}
