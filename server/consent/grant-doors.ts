/** The doors of grants: what the owner gave, what a vendor has, and how either ends it. */
import { fh } from "@freehold/vocab";
import { json } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Result } from "../operation.ts";
import { namedNode, type Quad, quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Store, Transaction } from "../store/store.ts";
import { GRANTS_PATH } from "./discovery.ts";
import { type Call, type ConsentDoor, namedAgent } from "./doors.ts";
import type { Grants } from "./grants.ts";
import { type IsInboxOf, NOT_THEIR_INBOX } from "./inboxes.ts";
import { answerList, listedIn } from "./listing.ts";
import type { Grant, GrantState, Policy } from "./model.ts";
import type { Notices } from "./notices.ts";
import type { Previews } from "./previews/previews.ts";
import { granteeQuads, statementQuads } from "./rdf.ts";
import { byOf } from "./request-doors.ts";
import { FREEHOLD, type Json, readAccess } from "./shared.ts";
import { beginOf, endOf, isUnknownToVendor, reasonForVendor } from "./states.ts";
import { isViewed } from "./views/instances.ts";
import {
  addressedTarget,
  answerDocument,
  completePolicy,
  completeTerms,
  grantDocument,
  placedTarget,
  readDocument,
  readInput,
  refuseDocument,
  termsOf,
} from "./wire.ts";

export interface GrantDoorsDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Pick<Store, "read" | "write">;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly grants: Grants;
  readonly notices: Notices;
  readonly previews: Previews;
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
  readonly isOwnAddress: (path: string) => boolean;
  readonly isInboxOf: IsInboxOf;
}

const EVERYBODY: ReadonlySet<string> = new Set([
  "http://xmlns.com/foaf/0.1/Agent",
  "http://www.w3.org/ns/auth/acl#AuthenticatedAgent",
]);

export function grantDoors(deps: GrantDoorsDeps): readonly ConsentDoor[] {
  const { baseUrl, store, limits, now, grants, notices, isOwner } = deps;

  const isHeld = (grant: Grant): boolean => isUnknownToVendor(grant, now().getTime());

  /** A vendor is not told what its views are made of. */
  const policiesFor = (grant: Grant, forVendor: boolean): readonly Policy[] =>
    grant.policies.map((policy, at) => {
      const view = grant.views[at] ?? null;
      if (!forVendor || !isViewed(policy)) return policy;
      return { ...policy, target: { kind: "view", values: view === null ? [] : [view] } };
    });

  function describe(pod: Pod, grant: Grant, forVendor: boolean): Json {
    return grantDocument(grant, {
      url: grants.urlOf(pod, grant.id),
      baseUrl,
      pod,
      reason: forVendor ? reasonForVendor(grant.reason) : grant.reason,
      policies: policiesFor(grant, forVendor),
    });
  }

  /** Whether data may flow under any of it: as the rules have it, which are made of the same. */
  function isFlowing(grant: Grant): boolean {
    const at = now().getTime();
    return (
      grant.state === "Active" &&
      grant.policies.some((policy) => beginOf(grant, policy) <= at) &&
      at <= endOf(grant)
    );
  }

  function quadsOf(pod: Pod, grant: Grant, forVendor: boolean): Quad[] {
    const id = grants.urlOf(pod, grant.id);
    const policies = policiesFor(grant, forVendor).map((policy) => ({
      ...policy,
      target: addressedTarget(policy.target, baseUrl, pod),
    }));
    return [
      ...statementQuads({
        id,
        type: "AccessGrant",
        storage: `${baseUrl}${pod.name}/`,
        issued: grant.issued,
        proofs: 0,
        terms: termsOf(grant),
        policies,
      }),
      quad(namedNode(id), namedNode(fh.status), namedNode(`${FREEHOLD}${grant.state.toLowerCase()}`)),
      ...granteeQuads(id, grant, isFlowing(grant)),
    ];
  }

  /** @throws Problem `not-found` for all but the owner and the grant's vendor: they learn nothing of it, nor that it is there. */
  async function seen(
    snapshot: Snapshot,
    { operation, pod, id }: Call,
  ): Promise<{ readonly grant: Grant; readonly isOwners: boolean }> {
    const grant = await grants.get(snapshot, id);
    if (!grant) throw new Problem("not-found");
    const isOwners = await isOwner(snapshot, pod, operation.agent);
    if (!isOwners && (grant.assignee !== operation.agent.webid || isHeld(grant)))
      throw new Problem("not-found");
    return { grant, isOwners };
  }

  async function list(call: Call): Promise<Result> {
    const { operation, pod } = call;
    const webid = namedAgent(call);
    const status = new URLSearchParams(operation.query).get("status");
    const { all, forVendor } = await store.read(pod.id, async (snapshot) => {
      const vendors = !(await isOwner(snapshot, pod, operation.agent));
      return { all: await grants.list(snapshot, vendors ? webid : undefined), forVendor: vendors };
    });
    const some = all.filter(
      (one) => !(forVendor && isHeld(one)) && (status === null || one.state === status),
    );
    return answerList(operation, some, (grant) => describe(pod, grant, forVendor));
  }

  async function show(call: Call): Promise<Result> {
    namedAgent(call);
    const { operation, pod } = call;
    const { grant, isOwners } = await store.read(pod.id, (snapshot) => seen(snapshot, call));
    const quads = (): readonly Quad[] => quadsOf(pod, grant, !isOwners);
    return answerDocument(operation, describe(pod, grant, !isOwners), quads, listedIn(operation));
  }

  /** What the owner sends to be given, read and placed. @throws Problem `forbidden` for anybody else, `consent-invalid`. */
  async function readGiven(call: Call) {
    const { operation, pod } = call;
    namedAgent(call);
    if (!(await store.read(pod.id, (snapshot) => isOwner(snapshot, pod, operation.agent))))
      throw new Problem("forbidden", "Only the owner of the pod gives access to it; you may ask for it");
    const { supersedes, ...document } = await readDocument(operation, limits);
    const { draft, flaws } = readAccess(document, "AccessGrant");
    if (flaws) return refuseDocument(flaws);
    if (draft.storage !== `${baseUrl}${pod.name}/`)
      return refuseDocument([{ at: "/storage", detail: "The storage is another one" }]);
    const assignee = draft.terms.assignee ?? "";
    if (EVERYBODY.has(assignee) || assignee === pod.owner)
      return refuseDocument([
        { at: "/access/0/assignee", detail: "A grant is for somebody: name one WebID" },
      ]);
    const policies = draft.policies.map((given, at) => {
      const target = placedTarget(given.target, baseUrl, pod, deps.isOwnAddress);
      const place = `/access/${at}`;
      if (!target)
        return refuseDocument([
          { at: `${place}/target/value`, detail: "This is nothing that anybody is given" },
        ]);
      // Here nothing is shortened in silence: whoever gives says until when.
      if (given.notAfter === null)
        return refuseDocument([{ at: `${place}/constraint`, detail: "Say until when: dateTime lteq" }]);
      return { ...completePolicy({ ...given, target }, now().getTime()), notAfter: given.notAfter };
    });
    return { terms: draft.terms, assignee, policies, supersedes };
  }

  /** What somebody would get of it now. Nothing changes. */
  async function preview(call: Call): Promise<Result> {
    const { operation, pod } = call;
    const { assignee, policies } = await readGiven(call);
    const shown = await store.read(pod.id, (snapshot) =>
      deps.previews.of(snapshot, pod, policies, assignee, operation.agent),
    );
    return json(200, { policies: shown });
  }

  /** The owner gives access unasked. */
  async function give(call: Call): Promise<Result> {
    const { operation, pod } = call;
    const { terms, assignee, policies, supersedes } = await readGiven(call);
    const { inbox } = terms;
    if (inbox !== null && !(await deps.isInboxOf(inbox, assignee, call.ip))) refuseDocument(NOT_THEIR_INBOX);
    const before = supersedes === undefined ? null : grantNamed(pod, supersedes);
    await notices.enlist(pod);
    const { result: grant } = await store.write(pod.id, (transaction) =>
      grants.create(
        transaction,
        pod,
        {
          ...completeTerms(terms, assignee),
          policies,
          request: null,
          decision: null,
          decidedBy: "person",
          heldUntil: null,
        },
        byOf(call),
        before,
      ),
    );
    const answer = await answerDocument(operation, describe(pod, grant, false), null, {
      location: grants.urlOf(pod, grant.id),
    });
    return { ...answer, status: 201 };
  }

  function grantNamed(pod: Pod, address: unknown): string {
    const root = grants.urlOf(pod, "");
    if (typeof address === "string" && address.startsWith(root)) return address.slice(root.length);
    return refuseDocument([{ at: "/supersedes", detail: "The address of a grant of this pod" }]);
  }

  const changing = async (
    call: Call,
    work: (transaction: Transaction, isOwners: boolean) => Promise<Grant>,
  ): Promise<Grant> => {
    namedAgent(call);
    const { pod } = call;
    await notices.enlist(pod);
    const { result } = await store.write(pod.id, async (transaction) => {
      const { isOwners } = await seen(transaction, call);
      return work(transaction, isOwners);
    });
    return result;
  };

  /** By the owner: taken back. By the vendor: given back. */
  async function remove(call: Call): Promise<Result> {
    await changing(call, (transaction, isOwners) =>
      grants.revoke(transaction, call.pod, call.id, byOf(call), isOwners ? "owner" : "vendor"),
    );
    return { status: 204, headers: {}, body: null };
  }

  const TURN: Partial<Record<GrantState, "resume" | "pause" | "revoke">> = {
    Active: "resume",
    Paused: "pause",
    Revoked: "revoke",
  };

  async function setState(call: Call): Promise<Result> {
    const { operation, pod, id } = call;
    namedAgent(call);
    const { state, ...more } = await readInput(operation, limits);
    const turn =
      typeof state === "string" && Object.hasOwn(TURN, state) ? TURN[state as GrantState] : undefined;
    if (!turn || Object.keys(more).length > 0)
      throw new Problem("input-invalid", "state: Active, Paused or Revoked, and nothing else");
    const grant = await changing(call, (transaction, isOwners) => {
      if (!isOwners) throw new Problem("forbidden", "The owner of the pod decides");
      return grants[turn](transaction, pod, id, byOf(call));
    });
    return answerDocument(operation, describe(pod, grant, false), null);
  }

  return [
    { verb: "get", path: GRANTS_PATH, act: list },
    { verb: "post", path: GRANTS_PATH, act: give },
    { verb: "post", path: ".consent/preview", act: preview },
    { verb: "get", path: `${GRANTS_PATH}/:id`, act: show },
    { verb: "delete", path: `${GRANTS_PATH}/:id`, act: remove },
    { verb: "put", path: `${GRANTS_PATH}/:id/state`, act: setState },
  ];
}
