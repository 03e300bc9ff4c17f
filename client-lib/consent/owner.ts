/** The other side: what a pod's owner says to requests, and does with grants. The same doors as the owner's pages use. */
import { FreeholdError, fetchOk } from "../errors.ts";
import type { Json } from "../passport/form.ts";
import {
  type AskOptions,
  accessRequest,
  consentServicesOf,
  documentOf,
  type GrantedAccess,
  grantOf,
  type PodPlace,
  policiesOf,
  type Wish,
} from "./access.ts";
import { LWS_TYPE } from "./model.ts";
import { writeAccess, writePolicy } from "./wire.ts";

const JSON_TYPE = "application/json";

async function send(pod: PodPlace, method: "PUT" | "POST", url: string, value: unknown): Promise<Json> {
  const response = await fetchOk(pod.fetch, url, {
    method,
    headers: { "content-type": JSON_TYPE, accept: JSON_TYPE },
    body: JSON.stringify(value),
  });
  return documentOf(response, url);
}

/** What came of an answer. */
export interface Decided {
  readonly id: string;
  readonly outcome: string;
  /** One plain sentence. */
  readonly explanation: string;
  /** Addresses of the grants. */
  readonly grants: readonly string[];
}

/** What an owner answers. */
export type Decision =
  | { readonly outcome: "deny" | "defer" }
  | {
      readonly outcome: "grant";
      /** Only these of what was asked for, by their numbers from 0. */
      readonly policies?: readonly number[];
      /** Instead: written out, and nowhere more than was asked for. */
      readonly access?: Wish["access"];
    };

/** What is given, written out: to whoever asked. */
async function givenOf(pod: PodPlace, request: string, access: Wish["access"]): Promise<readonly Json[]> {
  const { document } = await accessRequest(pod, request);
  const [first] = document["access"] as readonly Json[];
  const assignee = String(first?.["assignee"]);
  return access.flatMap((one) => policiesOf(pod, one).map((policy) => writePolicy(policy, assignee)));
}

/**
 * Answers a request.
 * @throws FreeholdError `conflict` for one that has been answered, `consent-invalid` for more than was asked for.
 */
export async function decideRequest(pod: PodPlace, request: string, decision: Decision): Promise<Decided> {
  const { outcome } = decision;
  const given = outcome === "grant" ? decision : null;
  const document = await send(pod, "POST", `${request}/decision`, {
    outcome,
    ...(given?.policies && { policies: given.policies }),
    ...(given?.access && { access: await givenOf(pod, request, given.access) }),
  });
  const { id, explanation, grants } = document;
  if (typeof id !== "string" || !Array.isArray(grants))
    throw new FreeholdError("answer-invalid", "This is no decision", { url: request });
  return { id, outcome: String(document["outcome"]), explanation: String(explanation), grants };
}

/** One thing that somebody would get, as its owner looks at it. */
export interface PreviewedThing {
  /** Address of its class; null when it names none. */
  readonly kind: string | null;
  readonly says: readonly {
    /** Address of the property. */
    readonly property: string;
    readonly values: readonly string[];
    /** Further values that are not shown. */
    readonly more: number;
  }[];
}

/** What one policy would give now. */
export interface Preview {
  /** Whether it is a view, which gives less than documents. */
  readonly isView: boolean;
  /** Whether only a part was looked at: there is more than the numbers say. */
  readonly isCut: boolean;
  /** Documents that would be given themselves: the first few, and how many there are. */
  readonly documents: number;
  readonly files: readonly { readonly path: string; readonly contentType: string; readonly bytes: number }[];
  /** The first few things, of `total`. */
  readonly things: readonly PreviewedThing[];
  readonly total: number;
  /** Properties that could be left out, each with those by which it is reached. */
  readonly fields: readonly { readonly property: string; readonly via: readonly string[] }[];
}

const previewsIn = (document: Json, url: string): readonly Preview[] => {
  const { policies } = document;
  if (!Array.isArray(policies)) throw new FreeholdError("answer-invalid", "This is no preview", { url });
  return policies as readonly Preview[];
};

/**
 * What whoever asked would get now, one for each policy: made as it would be for them, for the owner alone.
 * @param access Only this of it, as in a {@link Decision}.
 * @throws FreeholdError `consent-invalid` for more than was asked for.
 */
export async function previewRequest(
  pod: PodPlace,
  request: string,
  access?: Wish["access"],
): Promise<readonly Preview[]> {
  const url = `${request}/preview`;
  if (access)
    return previewsIn(await send(pod, "POST", url, { access: await givenOf(pod, request, access) }), url);
  return previewsIn(
    await documentOf(await fetchOk(pod.fetch, url, { headers: { accept: JSON_TYPE } }), url),
    url,
  );
}

/** What somebody would get, before it is given unasked. @param to WebID. */
export async function previewAccess(
  pod: PodPlace,
  to: string,
  { access, ...terms }: Partial<Wish> & Pick<Wish, "access">,
): Promise<readonly Preview[]> {
  const url = `${pod.url}.consent/preview`;
  const response = await fetchOk(pod.fetch, url, {
    method: "POST",
    headers: { "content-type": LWS_TYPE, accept: JSON_TYPE },
    body: JSON.stringify(grantTo(pod, to, terms, access)),
  });
  return previewsIn(await documentOf(response, url), url);
}

/** Takes back what standing preferences decided, within a day, or an answer of one's own, within ten minutes. */
export async function undoDecision(pod: PodPlace, decision: string): Promise<void> {
  await (await fetchOk(pod.fetch, `${decision}/undo`, { method: "POST" })).body?.cancel();
}

const grantTo = (
  pod: PodPlace,
  to: string,
  terms: Omit<Partial<Wish>, "access">,
  access: Wish["access"],
): Json =>
  writeAccess("AccessGrant", {
    storage: pod.url,
    issued: Math.floor(Date.now() / 1_000) * 1_000,
    terms: { ...terms, assignee: to },
    policies: access.flatMap((one) => policiesOf(pod, one)),
  });

/**
 * Gives access unasked.
 * @param to WebID.
 * @param supersedes A grant that ends in the same moment.
 */
export async function giveAccess(
  pod: PodPlace,
  to: string,
  { access, ...terms }: Partial<Wish> & Pick<Wish, "access">,
  supersedes?: string,
  options: AskOptions = {},
): Promise<GrantedAccess> {
  const { grants } = await consentServicesOf(pod, options);
  const document = grantTo(pod, to, terms, access);
  const response = await fetchOk(pod.fetch, grants, {
    method: "POST",
    headers: { "content-type": LWS_TYPE, accept: LWS_TYPE },
    body: JSON.stringify({ ...document, ...(supersedes !== undefined && { supersedes }) }),
    ...(options.signal && { signal: options.signal }),
  });
  return grantOf(await documentOf(response, grants), grants);
}

const setState = async (pod: PodPlace, grant: string, state: string): Promise<GrantedAccess> =>
  grantOf(await send(pod, "PUT", `${grant}/state`, { state }), grant);

/** Nothing flows until it goes on. */
export const pauseGrant = (pod: PodPlace, grant: string): Promise<GrantedAccess> =>
  setState(pod, grant, "Paused");

/** What made it rest is thereby seen, and let pass. */
export const resumeGrant = (pod: PodPlace, grant: string): Promise<GrantedAccess> =>
  setState(pod, grant, "Active");

/** Ends it for good: the next request under it is refused, and what is open is closed. */
export const revokeGrant = (pod: PodPlace, grant: string): Promise<GrantedAccess> =>
  setState(pod, grant, "Revoked");

/** The owner's standing preferences, as the pod has them. */
export async function preferences(pod: PodPlace): Promise<Json> {
  const url = `${pod.url}.consent/preferences`;
  return documentOf(await fetchOk(pod.fetch, url, { headers: { accept: JSON_TYPE } }), url);
}

/** Replaces them. @returns what holds from now on. */
export async function setPreferences(pod: PodPlace, value: Json): Promise<Json> {
  const url = `${pod.url}.consent/preferences`;
  const response = await fetchOk(pod.fetch, url, {
    method: "PUT",
    headers: { "content-type": JSON_TYPE, accept: JSON_TYPE },
    body: JSON.stringify(value),
  });
  return response.status === 204 ? preferences(pod) : documentOf(response, url);
}
