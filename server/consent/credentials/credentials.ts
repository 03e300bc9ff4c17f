/**
 * Access requests and grants as signed credentials, for clients of that contract: asked for, approved, denied, looked up,
 * taken back, and exchanged for a token. They are the same requests and grants as on the LWS wire: what is granted here is
 * seen, paused and revoked there, and the other way round. Such a request is not signed by who asks, and says little of
 * itself: no standing preference says yes to it, only the owner does.
 */
import { Problem } from "../../errors.ts";
import { parseTarget } from "../../iri.ts";
import type { Limits } from "../../limits.ts";
import type { Agent } from "../../operation.ts";
import type { Pod, Pods } from "../../store/pods.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot, Store, Transaction } from "../../store/store.ts";
import type { GrantDraft, Grants } from "../grants.ts";
import type { IsInboxOf } from "../inboxes.ts";
import type { AccessRequest, Grant } from "../model.ts";
import type { Notices } from "../notices.ts";
import { find, newId, put } from "../records.ts";
import type { Requests } from "../requests-port.ts";
import type { Json, Signed } from "../shared.ts";
import { isEnd, isUnknownToVendor } from "../states.ts";
import { type Claims, type CredentialKind, credentialOf, type Example, fits } from "./claims.ts";
import { claimsIn, claimsOf, documentOf, isCredential, policiesOf, termsOf } from "./terms.ts";

export interface CredentialsDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pods;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly grants: Grants;
  readonly requests: Pick<Requests, "pace" | "submit" | "decide" | "cancel" | "shown" | "list">;
  readonly notices: Pick<Notices, "enlist">;
  /** Whether the agent has Control of the whole pod. */
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
  readonly isInboxOf: IsInboxOf;
  readonly sign: (document: Json, created: Date, isPlain: boolean) => Promise<Signed>;
}

/** A credential as it is found: whose it is, and how things stand with what it says. */
export interface Found {
  readonly pod: Pod;
  readonly kind: CredentialKind;
  /** Of the request, the grant or the decision. */
  readonly ref: string;
  readonly claims: Claims;
  readonly subject: string;
  readonly issued: number;
  /** As status words of this contract have it. */
  readonly status: "Pending" | "Denied" | "Granted" | "Canceled" | "Expired" | "Active" | "Revoked";
}

/** Who is at the door. */
export interface Asker {
  readonly agent: Agent;
  /** The client's network address: for rate limits. */
  readonly ip: string;
  /** Id of the request, as in the log. */
  readonly request: string;
}

export interface Credentials {
  /** @throws Problem `input-invalid`, `forbidden`, `conflict`, `too-many-requests`. */
  issue(asker: Asker, claims: Claims): Promise<Signed>;
  /** @throws Problem `not-found` also for what is somebody else's. */
  show(agent: Agent, id: string): Promise<Signed>;
  /** What an address names, whoever asks; null for what is no credential of this server. */
  find(id: string): Promise<Found | null>;
  /** Ends a grant, or takes a request back. @throws Problem `not-found`, `forbidden`, `conflict`. */
  revoke(asker: Asker, id: string): Promise<void>;
  /** Those of the agent, as owner or as vendor, that an example fits; the newest first. */
  search(agent: Agent, example: Example): Promise<readonly Found[]>;
  signed(found: Found): Promise<Signed>;
  urlOf(found: Pick<Found, "pod" | "kind" | "ref">): string;
}

const SEARCHED_PODS_MAX = 1_000;

/** What the credential said beyond what every grant says. */
interface Kept {
  readonly kind: CredentialKind;
  readonly claims: Claims;
  readonly subject: string;
  readonly issued: number;
}

export function createCredentials(deps: CredentialsDeps): Credentials {
  const { baseUrl, store, pods, now, grants, isOwner, sign } = deps;
  const issuer = `${baseUrl}.vc/`;
  const origin = baseUrl.slice(0, -1);

  const urlOf: Credentials["urlOf"] = ({ pod, kind, ref }) => `${issuer}${pod.name}/${kind}/${ref}`;

  function partsOf(id: string): readonly [pod: string, kind: CredentialKind, ref: string] | null {
    if (!id.startsWith(issuer)) return null;
    const parts = /^([^/]+)\/(request|grant|denial)\/([\w-]{22})$/.exec(id.slice(issuer.length));
    return parts && [parts[1]!, parts[2] as CredentialKind, parts[3]!];
  }

  /** All resources of a credential are in one pod of this server: one owner answers. */
  async function podOf(claims: Claims): Promise<{ readonly pod: Pod; readonly paths: readonly string[] }> {
    const paths = claims.resources.map((resource, at) => {
      const fault = (detail: string): Problem =>
        new Problem("input-invalid", undefined, { errors: [{ at: `forPersonalData/${at}`, detail }] });
      if (!resource.startsWith(baseUrl)) throw fault("It is not on this server");
      try {
        const target = parseTarget(resource.slice(origin.length)); // As it is written: what is shown is what is meant.
        if (target.auxiliary) throw fault("Descriptions and rules are nobody's but the owner's");
        return target.path;
      } catch (error) {
        throw error instanceof Problem && error.code === "input-invalid"
          ? error
          : fault("It is no address of a pod");
      }
    });
    const names = new Set(paths.map((path) => path.split("/", 2)[1] ?? ""));
    const pod = names.size === 1 ? await pods.find([...names][0]!) : null;
    if (!pod || pod.erased !== undefined || pod.movedTo !== undefined)
      throw new Problem("input-invalid", undefined, {
        errors: [{ at: "forPersonalData", detail: "All of it is in one pod of this server" }],
      });
    if (!claims.inherit && paths.some((path) => path.endsWith("/")))
      throw new Problem("input-invalid", undefined, {
        errors: [
          { at: "inherit", detail: "A folder is given with what is in it: name its documents instead" },
        ],
      });
    return { pod, paths };
  }

  const byOf = ({ agent, request }: Asker) => ({ agent: agent.webid ?? "", client: agent.client, request });

  /** What a credential says beside itself is nobody's word: where notices go, the WebID of whoever gets them says. */
  async function inboxOf(claims: Claims, vendor: string, ip: string): Promise<string | null> {
    return claims.inbox !== null && (await deps.isInboxOf(claims.inbox, vendor, ip)) ? claims.inbox : null;
  }

  async function ask({ agent, ip, request: requestId }: Asker, claims: Claims): Promise<Found> {
    const { pod, paths } = await podOf(claims);
    const vendor = agent.webid ?? "";
    const issued = now().getTime();
    if (claims.expires !== null && claims.expires <= issued)
      throw new Problem("input-invalid", undefined, {
        errors: [{ at: "/credential/expirationDate", detail: "It is over already" }],
      });
    if (vendor === pod.owner) throw new Problem("forbidden", "It is your own pod");
    deps.requests.pace(pod, vendor, ip);
    const policies = policiesOf(claims, paths, issued);
    const told: Claims = { ...claims, expires: policies[0]?.notAfter ?? null, counterpart: pod.owner };
    const inbox = await inboxOf(claims, vendor, ip);
    const wish = { terms: termsOf(vendor, inbox), policies, issued, document: documentOf(told) };
    const { request } = await deps.requests.submit(pod, agent, wish, null, requestId);
    return foundRequest(pod, request);
  }

  /** The request that is answered, open still, of the same vendor. */
  async function requestFor(snapshot: Snapshot, pod: Pod, claims: Claims): Promise<AccessRequest | null> {
    if (claims.request === null) return null;
    const parts = partsOf(claims.request);
    const isHere = parts?.[0] === pod.name && parts[1] === "request";
    const request = isHere ? await find(snapshot, "request", parts[2]) : null;
    if (!request || request.assignee !== claims.counterpart)
      throw new Problem("input-invalid", undefined, {
        errors: [{ at: "request", detail: "There is no such request of this vendor" }],
      });
    return request;
  }

  async function deny(pod: Pod, request: AccessRequest | null, asker: Asker, claims: Claims): Promise<Found> {
    const by = byOf(asker);
    const outcome = { outcome: "deny", policies: null, who: "person", by } as const;
    const made = request && (await deps.requests.decide(pod, request.id, outcome)).decision;
    const id = made?.id ?? newId();
    const kept: Kept = { kind: "denial", subject: pod.owner, issued: now().getTime(), claims };
    await store.write(pod.id, async (transaction) => keep(transaction, id, kept));
    return { pod, ref: id, status: "Denied", ...kept };
  }

  async function answer(asker: Asker, claims: Claims): Promise<Found> {
    const { pod, paths } = await podOf(claims);
    const vendor = claims.counterpart;
    const request = await store.read(pod.id, async (snapshot) => {
      if (!(await isOwner(snapshot, pod, asker.agent)))
        throw new Problem("forbidden", "Only the owner of the pod approves or denies");
      return requestFor(snapshot, pod, claims);
    });
    if (vendor === null || vendor === pod.owner)
      throw new Problem("input-invalid", undefined, {
        errors: [{ at: "isProvidedTo", detail: "The WebID of whoever gets it" }],
      });
    if (claims.kind === "denial") return deny(pod, request, asker, claims);
    const [at, by] = [now().getTime(), byOf(asker)];
    const policies = policiesOf(claims, paths, at);
    const grant = request
      ? (await deps.requests.decide(pod, request.id, { outcome: "grant", policies, who: "person", by }))
          .grants[0]
      : await give(pod, { ...termsOf(vendor, await inboxOf(claims, vendor, asker.ip)), policies }, by);
    if (!grant) throw new Error("A yes made no grant");
    const kept: Kept = {
      kind: "grant",
      subject: pod.owner,
      issued: at,
      claims: { ...claims, expires: policies[0]?.notAfter ?? null },
    };
    await store.write(pod.id, async (transaction) => {
      keep(transaction, grant.id, kept);
      // The credential is the record that both sides keep: nothing else is to be countersigned.
      put(transaction, "countersigned", grant.id, { at });
    });
    return { pod, ref: grant.id, status: "Active", ...kept };
  }

  /** Unasked. */
  async function give(
    pod: Pod,
    draft: Pick<GrantDraft, "policies"> & ReturnType<typeof termsOf>,
    by: ReturnType<typeof byOf>,
  ): Promise<Grant> {
    await deps.notices.enlist(pod);
    const { result } = await store.write(pod.id, (transaction) => {
      const unasked = { request: null, decision: null, decidedBy: "person", heldUntil: null } as const;
      return grants.create(transaction, pod, { ...draft, ...unasked }, by);
    });
    return result;
  }

  function keep(transaction: Transaction, ref: string, kept: Kept): void {
    transaction.put("consent", "credential", ref, encodeRecord(kept));
  }

  async function keptOf(snapshot: Snapshot, ref: string): Promise<Kept | null> {
    const entry = await snapshot.get("consent", "credential", ref);
    return entry && decodeRecord<Kept>(entry);
  }

  const STATUS_OF_REQUEST: Readonly<Record<AccessRequest["state"], Found["status"]>> = {
    Pending: "Pending",
    Deferred: "Pending",
    Granted: "Granted",
    Denied: "Denied",
    Canceled: "Canceled",
    Expired: "Expired",
  };

  function foundGrant(pod: Pod, grant: Grant, kept: Kept | null): Found | null {
    const claims = kept?.claims ?? claimsOf(grant, origin);
    if (!claims) return null;
    const status = grant.state === "Active" ? "Active" : grant.state === "Expired" ? "Expired" : "Revoked";
    return { pod, kind: "grant", ref: grant.id, claims, subject: pod.owner, issued: grant.issued, status };
  }

  function foundRequest(pod: Pod, request: AccessRequest): Found {
    return {
      pod,
      kind: "request",
      ref: request.id,
      claims: claimsIn(request),
      subject: request.assignee,
      issued: request.received,
      status: STATUS_OF_REQUEST[deps.requests.shown(request).state],
    };
  }

  async function foundIn(
    snapshot: Snapshot,
    pod: Pod,
    kind: CredentialKind,
    ref: string,
  ): Promise<Found | null> {
    const kept = await keptOf(snapshot, ref);
    if (kind === "grant") {
      const grant = await grants.get(snapshot, ref);
      return grant && foundGrant(pod, grant, kept);
    }
    if (kind === "denial") return kept?.kind === kind ? { pod, ref, status: "Denied", ...kept } : null;
    const request = await find(snapshot, "request", ref);
    return request && isCredential(request) ? foundRequest(pod, request) : null;
  }

  async function findAny(id: string): Promise<Found | null> {
    const parts = partsOf(id);
    const pod = parts && (await pods.find(parts[0]));
    if (!parts || !pod || pod.erased !== undefined || pod.movedTo !== undefined) return null;
    return store.read(pod.id, (snapshot) => foundIn(snapshot, pod, parts[1], parts[2]));
  }

  const vendorOf = ({ kind, subject, claims }: Found): string | null =>
    kind === "request" ? subject : claims.counterpart;

  /** @throws Problem `not-found`: nobody else is told that there is any. */
  async function own(
    agent: Agent,
    id: string,
  ): Promise<{ readonly found: Found; readonly isTheOwner: boolean }> {
    if (agent.webid === null) throw new Problem("login-required");
    const found = await findAny(id);
    const isTheOwner =
      found !== null && (await store.read(found.pod.id, (snapshot) => isOwner(snapshot, found.pod, agent)));
    if (!found || (!isTheOwner && vendorOf(found) !== agent.webid)) throw new Problem("not-found");
    return { found, isTheOwner };
  }

  const signed: Credentials["signed"] = async (found) =>
    sign(
      credentialOf({
        id: urlOf(found),
        issuer,
        subject: found.subject,
        issued: found.issued,
        claims: found.claims,
      }),
      new Date(found.issued),
      true,
    );

  /** Pods that an agent can have something to do with, of those an example names; else of all. */
  async function podsFor(agent: Agent, { resources }: Example): Promise<readonly Pod[]> {
    const names = new Set(
      resources
        .filter((url) => url.startsWith(baseUrl))
        .map((url) => url.slice(baseUrl.length).split("/", 1)[0] ?? ""),
    );
    if (names.size > 0) {
      const found = await Promise.all([...names].map((name) => pods.find(name)));
      return found.flatMap((pod) =>
        pod && pod.erased === undefined && pod.movedTo === undefined ? [pod] : [],
      );
    }
    const all = (await pods.list()).filter(
      ({ erased, movedTo }) => erased === undefined && movedTo === undefined,
    );
    const theirs = all.filter(({ owner }) => owner === agent.webid);
    return [...theirs, ...all.filter((pod) => !theirs.includes(pod))].slice(0, SEARCHED_PODS_MAX);
  }

  async function searchIn(snapshot: Snapshot, pod: Pod, agent: Agent, example: Example): Promise<Found[]> {
    const isTheOwner = await isOwner(snapshot, pod, agent);
    const found: (Found | null)[] = [];
    const whose = isTheOwner ? undefined : (agent.webid ?? "");
    if (example.kinds.includes("grant"))
      for (const grant of await grants.list(snapshot, whose))
        if (!isEnd(grant.state) || (example.withExpired && grant.state === "Expired"))
          if (isTheOwner || !isUnknownToVendor(grant, now().getTime()))
            found.push(foundGrant(pod, grant, await keptOf(snapshot, grant.id)));
    if (example.kinds.includes("request"))
      for (const request of await deps.requests.list(snapshot, whose))
        if (isCredential(request)) found.push(foundRequest(pod, request));
    if (example.kinds.includes("denial"))
      for await (const entry of snapshot.list("consent", "credential"))
        if (decodeRecord<Kept>(entry).kind === "denial")
          found.push(await foundIn(snapshot, pod, "denial", entry.item));
    return found.filter(
      (one): one is Found =>
        one !== null &&
        (isTheOwner || vendorOf(one) === agent.webid) &&
        fits(one.claims, one.subject, example),
    );
  }

  return {
    urlOf,
    signed,
    find: findAny,
    async issue(asker, claims) {
      if (asker.agent.webid === null) throw new Problem("login-required");
      return signed(await (claims.kind === "request" ? ask(asker, claims) : answer(asker, claims)));
    },
    async show(agent, id) {
      return signed((await own(agent, id)).found);
    },
    async revoke(asker, id) {
      const { found, isTheOwner } = await own(asker.agent, id);
      const { pod, kind, ref } = found;
      if (kind === "denial") throw new Problem("conflict", "A denial is over when a request is approved");
      if (kind === "request") {
        if (isTheOwner) throw new Problem("forbidden", "Who asked takes a request back; its owner denies it");
        return deps.requests.cancel(pod, ref, byOf(asker));
      }
      await deps.notices.enlist(pod);
      await store.write(pod.id, (transaction) =>
        grants.revoke(transaction, pod, ref, byOf(asker), isTheOwner ? "owner" : "vendor"),
      );
    },
    async search(agent, example) {
      if (agent.webid === null) throw new Problem("login-required");
      const found: Found[] = [];
      for (const pod of await podsFor(agent, example))
        found.push(...(await store.read(pod.id, (snapshot) => searchIn(snapshot, pod, agent, example))));
      return found.sort((a, b) => b.issued - a.issued);
    },
  };
}
