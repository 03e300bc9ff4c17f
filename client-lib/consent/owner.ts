/** The other side: what a pod's owner says to requests, and does with grants. The same doors as the owner's pages use. */
import { FreeholdError, fetchOk } from "../errors.ts";
import type { Json } from "../passport/form.ts";
import type { Pod } from "../pod.ts";
import {
  type AskOptions,
  accessRequest,
  consentServicesOf,
  documentOf,
  type GrantedAccess,
  grantOf,
  policiesOf,
  type Wish,
} from "./access.ts";
import { LWS_TYPE } from "./model.ts";
import { writeAccess, writePolicy } from "./wire.ts";

const JSON_TYPE = "application/json";

async function send(pod: Pod, method: "PUT" | "POST", url: string, value: unknown): Promise<Json> {
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
async function givenOf(pod: Pod, request: string, access: Wish["access"]): Promise<readonly Json[]> {
  const { document } = await accessRequest(pod, request);
  const [first] = document["access"] as readonly Json[];
  const assignee = String(first?.["assignee"]);
  return access.flatMap((one) => policiesOf(pod, one).map((policy) => writePolicy(policy, assignee)));
}

/**
 * Answers a request.
 * @throws FreeholdError `conflict` for one that has been answered, `consent-invalid` for more than was asked for.
 */
export async function decideRequest(pod: Pod, request: string, decision: Decision): Promise<Decided> {
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

/** Takes back what standing preferences decided, as long as that leaves no trace. */
export async function undoDecision(pod: Pod, decision: string): Promise<void> {
  await (await fetchOk(pod.fetch, `${decision}/undo`, { method: "POST" })).body?.cancel();
}

/**
 * Gives access unasked.
 * @param to WebID.
 * @param supersedes A grant that ends in the same moment.
 */
export async function giveAccess(
  pod: Pod,
  to: string,
  { access, ...terms }: Partial<Wish> & Pick<Wish, "access">,
  supersedes?: string,
  options: AskOptions = {},
): Promise<GrantedAccess> {
  const { grants } = await consentServicesOf(pod, options);
  const document = writeAccess("AccessGrant", {
    storage: pod.url,
    issued: Math.floor(Date.now() / 1_000) * 1_000,
    terms: { ...terms, assignee: to },
    policies: access.flatMap((one) => policiesOf(pod, one)),
  });
  const response = await fetchOk(pod.fetch, grants, {
    method: "POST",
    headers: { "content-type": LWS_TYPE, accept: LWS_TYPE },
    body: JSON.stringify({ ...document, ...(supersedes !== undefined && { supersedes }) }),
    ...(options.signal && { signal: options.signal }),
  });
  return grantOf(await documentOf(response, grants), grants);
}

const setState = async (pod: Pod, grant: string, state: string): Promise<GrantedAccess> =>
  grantOf(await send(pod, "PUT", `${grant}/state`, { state }), grant);

/** Nothing flows until it goes on. */
export const pauseGrant = (pod: Pod, grant: string): Promise<GrantedAccess> => setState(pod, grant, "Paused");

/** What made it rest is thereby seen, and let pass. */
export const resumeGrant = (pod: Pod, grant: string): Promise<GrantedAccess> =>
  setState(pod, grant, "Active");

/** Ends it for good: the next request under it is refused, and what is open is closed. */
export const revokeGrant = (pod: Pod, grant: string): Promise<GrantedAccess> =>
  setState(pod, grant, "Revoked");

/** The owner's standing preferences, as the pod has them. */
export async function preferences(pod: Pod): Promise<Json> {
  const url = `${pod.url}.consent/preferences`;
  return documentOf(await fetchOk(pod.fetch, url, { headers: { accept: JSON_TYPE } }), url);
}

/** Replaces them. @returns what holds from now on. */
export async function setPreferences(pod: Pod, value: Json): Promise<Json> {
  const url = `${pod.url}.consent/preferences`;
  const response = await fetchOk(pod.fetch, url, {
    method: "PUT",
    headers: { "content-type": JSON_TYPE, accept: JSON_TYPE },
    body: JSON.stringify(value),
  });
  return response.status === 204 ? preferences(pod) : documentOf(response, url);
}
