/**
 * Asking a person for access, and what comes of it: requests, decisions and grants as a vendor sees them.
 * @see https://w3c.github.io/lws-protocol/lws10-core/#access-requests-and-grants
 */
import { jsonOf } from "../content.ts";
import { FreeholdError, fetchOk } from "../errors.ts";
import { isObject, type Json } from "../passport/form.ts";
import { pause } from "../pause.ts";
import type { Pod } from "../pod.ts";
import type { SigningIdentity } from "./identity.ts";
import {
  type DraftPolicy,
  GRANT_SERVICE,
  LWS_TYPE,
  type Policy,
  type PolicyTarget,
  REQUEST_SERVICE,
  type Terms,
} from "./model.ts";
import { addProof } from "./proof.ts";
import { readAccess, writeAccess } from "./wire.ts";

/** One thing that is asked for. What is left out is as little as there can be: to read, raw, as a view, without a limit. */
export interface WantedAccess
  extends Partial<Omit<Policy, "target" | "purposes" | "notAfter" | "notBefore">> {
  /** Documents and folders, as places in the pod; a folder is with all below it, the empty text is the whole pod. */
  readonly places?: readonly string[];
  /** Instead of places: a view of the owner's, or things of a shape. */
  readonly target?: PolicyTarget;
  /** DPV purposes, of which any will do. */
  readonly purposes: readonly string[];
  /** At most 13 months from now. */
  readonly until: Date;
  readonly from?: Date;
}

/** As much of a pod as consent needs: where it is, and as whom it is asked. */
export type PodPlace = Pick<Pod, "url" | "fetch" | "at">;

/** What a vendor asks for, and what it says of itself. */
export interface Wish extends Partial<Omit<Terms, "assignee">> {
  readonly access: readonly WantedAccess[];
  /** Address of the privacy notice. */
  readonly notice: string;
  /** What the person gets, by language, at most 140 characters each. */
  readonly benefit: Readonly<Record<string, string>>;
}

/** A request as it stands. */
export interface RequestedAccess {
  readonly id: string;
  /** `Pending`, `Deferred`; and in the end `Granted`, `Denied`, `Canceled`, `Expired`. */
  readonly state: string;
  /** Addresses of the grants that came of it. */
  readonly grants: readonly string[];
  readonly document: Json;
}

/** A grant as it stands. */
export interface GrantedAccess {
  readonly id: string;
  /** `Active`, `Paused`; and in the end `Revoked`, `Expired`, `Exhausted`, `Superseded`. */
  readonly state: string;
  /** Why it is in its state, where the vendor may know. */
  readonly reason: string | null;
  /** Address of the request that it answers. */
  readonly request: string | null;
  /** What may be done, for what, and until when; it may be less than was asked for. */
  readonly policies: readonly DraftPolicy[];
  readonly document: Json;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
}

const STATES_AT_WORK: ReadonlySet<string> = new Set(["Pending", "Deferred"]);
const CONSENT = "https://w3id.org/dpv#Consent";
const POLL_MS = 500;
const POLL_MS_MAX = 60_000;

/** Where a pod takes requests and shows grants, as its description says. */
export async function consentServicesOf(
  pod: PodPlace,
  { signal }: AskOptions = {},
): Promise<{ readonly requests: string; readonly grants: string }> {
  const url = `${pod.url}.well-known/solid`;
  const response = await fetchOk(globalThis.fetch, url, {
    headers: { accept: LWS_TYPE },
    ...(signal && { signal }),
  });
  const { service } = ((await jsonOf(response, url)) ?? {}) as { readonly service?: unknown };
  const services = (Array.isArray(service) ? service : []) as readonly Json[];
  const endpointOf = (relation: string): string => {
    const name = relation.slice(relation.lastIndexOf("#") + 1);
    const found = services.find(({ type }) => [type].flat().includes(name))?.["serviceEndpoint"];
    if (typeof found === "string" && new URL(found).origin === new URL(pod.url).origin) return found;
    throw new FreeholdError("answer-invalid", "This pod takes no access requests", { url });
  };
  return { requests: endpointOf(REQUEST_SERVICE), grants: endpointOf(GRANT_SERVICE) };
}

function targetOf(pod: PodPlace, { places, target }: WantedAccess): readonly PolicyTarget[] {
  if (target) return [target];
  const all = (places ?? [""]).map((place) => (place === "" ? pod.url : pod.at(place)));
  if (all.includes(pod.url)) return [{ kind: "storage", values: [pod.url] }];
  const folders = all.filter((one) => one.endsWith("/"));
  const documents = all.filter((one) => !one.endsWith("/"));
  return [
    ...(documents.length > 0 ? [{ kind: "resource" as const, values: documents }] : []),
    ...(folders.length > 0 ? [{ kind: "container" as const, values: folders }] : []),
  ];
}

export function policiesOf(pod: PodPlace, wanted: WantedAccess): readonly Policy[] {
  const { places: _places, target: _target, until, from, ...rest } = wanted;
  return targetOf(pod, wanted).map((target) => ({
    actions: ["read"],
    necessity: "required",
    clients: null,
    mediaTypes: null,
    types: null,
    tier: "raw",
    mode: "view",
    categories: [],
    fields: null,
    dataFrom: null,
    dataTo: null,
    dataLife: null,
    frequency: null,
    queriesMax: null,
    ...rest,
    target,
    notBefore: from?.getTime() ?? null,
    notAfter: until.getTime(),
  }));
}

export async function documentOf(response: Response, url: string): Promise<Json> {
  const value = await jsonOf(response, url);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new FreeholdError("answer-invalid", "The server did not answer with a document", { url });
}

async function read(pod: PodPlace, url: string, signal?: AbortSignal): Promise<Json> {
  const init = { headers: { accept: LWS_TYPE }, ...(signal && { signal }) };
  return documentOf(await fetchOk(pod.fetch, url, init), url);
}

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const texts = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : []).filter((one) => typeof one === "string");

export const requestOf = (document: Json, url: string): RequestedAccess => ({
  id: text(document["id"]) ?? url,
  state: text(document["status"]) ?? "Pending",
  grants: texts(document["grant"]),
  document,
});

const STATEMENTS = ["@context", "type", "storage", "issued", "access"] as const;

export function grantOf(document: Json, url: string): GrantedAccess {
  const stated = Object.fromEntries(STATEMENTS.map((name) => [name, document[name]]));
  return {
    id: text(document["id"]) ?? url,
    state: text(document["status"]) ?? "Active",
    reason: text(document["reason"]),
    request: text(document["request"]),
    policies: readAccess(stated, "AccessGrant").draft?.policies ?? [],
    document,
  };
}

/**
 * Asks for access, signed. The same wish again is the same request.
 * ```ts
 * const { id } = await requestAccess(pod, {
 *   access: [{ places: ["contacts/me.ttl"], purposes: ["https://w3id.org/dpv#DeliveryOfGoods"], until }],
 *   notice: "https://shop.example/privacy", benefit: { en: "Parcels find you" },
 * }, identity);
 * ```
 * @throws FreeholdError `consent-invalid` or `shape-violation` with each thing that is wrong, `proof-invalid`,
 * `too-many-requests`, `input-invalid` for a place outside the pod.
 */
export async function requestAccess(
  pod: PodPlace,
  wish: Wish,
  identity: SigningIdentity,
  options: AskOptions = {},
): Promise<RequestedAccess> {
  const { access, ...terms } = wish;
  const { webid, key, verificationMethod } = identity;
  const now = new Date();
  const document = writeAccess("AccessRequest", {
    storage: pod.url,
    issued: Math.floor(now.getTime() / 1_000) * 1_000,
    terms: { controller: webid, legalBasis: CONSENT, ...terms, assignee: webid },
    policies: access.flatMap((one) => policiesOf(pod, one)),
  });
  const { requests } = await consentServicesOf(pod, options);
  const response = await fetchOk(pod.fetch, requests, {
    method: "POST",
    headers: { "content-type": LWS_TYPE, accept: LWS_TYPE },
    body: JSON.stringify(await addProof(document, { key, verificationMethod, created: now })),
    ...(options.signal && { signal: options.signal }),
  });
  await response.body?.cancel();
  const location = response.headers.get("location");
  if (location === null)
    throw new FreeholdError("answer-invalid", "The server did not say where the request is", {
      url: requests,
    });
  return accessRequest(pod, new URL(location, requests).href, options);
}

/** A request as it stands now. @throws FreeholdError `not-found` for one of somebody else's. */
export async function accessRequest(
  pod: PodPlace,
  id: string,
  { signal }: AskOptions = {},
): Promise<RequestedAccess> {
  return requestOf(await read(pod, id, signal), id);
}

/**
 * Waits until a request is decided: asks again and again, less and less often. A vendor with an `inbox` is told, and need
 * not wait. Nobody answers in place of a person, so this may take days; a request ends by itself after 30.
 * @param onWaiting Told of each answer that is no decision yet.
 * @returns the request, `Granted`, `Denied`, `Canceled` or `Expired`.
 * @throws `AbortError` when called off, FreeholdError for what the server refuses.
 */
export async function waitForDecision(
  pod: PodPlace,
  request: string,
  { signal, onWaiting }: AskOptions & { readonly onWaiting?: (request: RequestedAccess) => void } = {},
): Promise<RequestedAccess> {
  for (let wait = POLL_MS; ; wait = Math.min(wait * 1.5, POLL_MS_MAX)) {
    const found = await accessRequest(pod, request, signal ? { signal } : {});
    if (!STATES_AT_WORK.has(found.state)) return found;
    onWaiting?.(found);
    await pause(wait, signal);
  }
}

/** Takes a request back, before it is decided. */
export async function cancelRequest(pod: PodPlace, request: string): Promise<void> {
  await (await fetchOk(pod.fetch, request, { method: "DELETE" })).body?.cancel();
}

/** A grant as it stands now. @throws FreeholdError `not-found` for one of somebody else's. */
export async function accessGrant(
  pod: PodPlace,
  id: string,
  { signal }: AskOptions = {},
): Promise<GrantedAccess> {
  return grantOf(await read(pod, id, signal), id);
}

/** All that a listing names, page by page. */
async function* listed(
  pod: PodPlace,
  first: string,
  signal?: AbortSignal,
): AsyncGenerator<Json, void, undefined> {
  for (let url: string | null = first; url !== null; ) {
    const page: Json = await read(pod, url, signal);
    const items = Array.isArray(page["items"]) ? (page["items"] as readonly unknown[]) : [];
    for (const one of items) if (isObject(one)) yield one;
    const next = text(page["next"]);
    url = next !== null && new URL(next).origin === new URL(first).origin ? next : null;
  }
}

/** All grants of this pod to whoever asks; for its owner, all there are. */
export async function accessGrants(
  pod: PodPlace,
  options: AskOptions = {},
): Promise<readonly GrantedAccess[]> {
  const { grants } = await consentServicesOf(pod, options);
  return Array.fromAsync(listed(pod, grants, options.signal), (one) => grantOf(one, grants));
}

/** All requests to this pod by whoever asks; for its owner, all there are. The newest first. */
export async function accessRequests(
  pod: PodPlace,
  options: AskOptions = {},
): Promise<readonly RequestedAccess[]> {
  const { requests } = await consentServicesOf(pod, options);
  return Array.fromAsync(listed(pod, requests, options.signal), (one) => requestOf(one, requests));
}

/** Ends a grant: by its vendor, who gives it back, or by the owner, who takes it back. */
export async function endGrant(pod: PodPlace, grant: string): Promise<void> {
  await (await fetchOk(pod.fetch, grant, { method: "DELETE" })).body?.cancel();
}
