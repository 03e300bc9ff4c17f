/** Between documents and records: addresses on the wire are places of a pod here, and what a document left open is filled in. */
import { createHash } from "node:crypto";
import { readBody } from "../body.ts";
import { Problem, type ProblemDetail } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Operation, Result } from "../operation.ts";
import { tooDeepJson } from "../rdf/depth.ts";
import { mediaTypeOf, negotiate, RDF_TYPES } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { AccessRequest, Grant, Policy, PolicyTarget, Terms } from "./model.ts";
import { PREFIXES } from "./rdf.ts";
import {
  CONTEXTS,
  type Draft,
  type DraftPolicy,
  isObject,
  type Json,
  LWS_TYPE,
  writeAccess,
  writeMoment,
} from "./shared.ts";
import { latestExpiry } from "./states.ts";

const JSON_LD = "application/ld+json";
const JSON_TYPE = "application/json";
/** The same bytes under three names. https://w3c.github.io/lws-protocol/lws10-core/#content-negotiation */
const JSON_TYPES: readonly string[] = [LWS_TYPE, JSON_LD, JSON_TYPE];
const CONSENT = "https://w3id.org/dpv#Consent";

/** @throws Problem `consent-invalid`, saying everything that is wrong. */
export function refuseDocument(errors: readonly ProblemDetail[]): never {
  throw new Problem("consent-invalid", errors[0]?.detail, { errors });
}

async function readText(
  operation: Operation,
  limits: Pick<Limits, "consentBytesMax" | "jsonDepthMax">,
): Promise<Json> {
  const bytes = await readBody(operation.body, limits.consentBytesMax);
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (tooDeepJson(text, limits.jsonDepthMax) >= 0) throw new RangeError("Too deep");
    value = JSON.parse(text);
  } catch (cause) {
    throw new Problem("input-invalid", "The content is not valid JSON in UTF-8", { cause });
  }
  if (!isObject(value)) throw new Problem("input-invalid", "Send a JSON object");
  return value;
}

/** @throws Problem `unsupported-media-type`, `body-too-large`, `input-invalid`. */
export function readDocument(
  operation: Operation,
  limits: Pick<Limits, "consentBytesMax" | "jsonDepthMax">,
): Promise<Json> {
  const type = mediaTypeOf(operation.headers["content-type"]);
  if (type !== LWS_TYPE && type !== JSON_LD)
    throw new Problem("unsupported-media-type", `Send ${LWS_TYPE} or ${JSON_LD}`, {
      headers: { "accept-post": `${LWS_TYPE}, ${JSON_LD}` },
    });
  return readText(operation, limits);
}

/** Of the owner's doors: plain JSON. @throws Problem `unsupported-media-type`, `body-too-large`, `input-invalid`. */
export function readInput(
  operation: Operation,
  limits: Pick<Limits, "consentBytesMax" | "jsonDepthMax">,
): Promise<Json> {
  if (!JSON_TYPES.includes(mediaTypeOf(operation.headers["content-type"]) ?? ""))
    throw new Problem("unsupported-media-type", `Send ${JSON_TYPE}`);
  return readText(operation, limits);
}

const VIEWS = ".views/";

/** @returns the canonical path of an address in the pod; null where nothing of the owner's can stand there. */
function pathOf(address: string, baseUrl: string, pod: Pod, isOwn: (path: string) => boolean): string | null {
  try {
    const { path, auxiliary } = parseTarget(address.slice(baseUrl.length - 1));
    // Rules are changed by nobody's grant, and what is the server's own is no content.
    return auxiliary !== null || !path.startsWith(`/${pod.name}/`) || isOwn(path) ? null : path;
  } catch {
    return null;
  }
}

/** Targets as places. @param isOwn Whether a path is one of the server's own addresses. */
export function placedTarget(
  target: PolicyTarget,
  baseUrl: string,
  pod: Pod,
  isOwn: (path: string) => boolean,
): PolicyTarget | null {
  if (target.kind === "shape") return target;
  if (target.kind === "view") {
    const root = `${baseUrl}${pod.name}/${VIEWS}`;
    const names = target.values.map((one) => (one.startsWith(root) ? one.slice(root.length) : ""));
    return names.every((name) => /^[\w-]{1,64}$/.test(name)) ? { ...target, values: names } : null;
  }
  const paths = target.values.map((one) => pathOf(one, baseUrl, pod, isOwn));
  return paths.includes(null) ? null : { ...target, values: paths as string[] };
}

/** Targets as addresses. */
export function addressedTarget(target: PolicyTarget, baseUrl: string, pod: Pod): PolicyTarget {
  if (target.kind === "shape") return target;
  const prefix = target.kind === "view" ? `${baseUrl}${pod.name}/${VIEWS}` : baseUrl.slice(0, -1);
  return { ...target, values: target.values.map((one) => `${prefix}${one}`) };
}

/** What a document left open, as little of it as there can be; its end is never later than grants may have. */
export function completePolicy(policy: DraftPolicy, received: number): Policy {
  const last = latestExpiry(received);
  return {
    ...policy,
    notAfter: Math.min(policy.notAfter ?? last, last),
    tier: policy.tier ?? "raw",
    mode: policy.mode ?? "view",
    necessity: policy.necessity ?? "required",
  };
}

/** What a document left open about the vendor. */
export function completeTerms(terms: Draft["terms"], assignee: string): Terms {
  return {
    assignee,
    controller: terms.controller ?? assignee,
    legalBasis: terms.legalBasis ?? CONSENT,
    recipients: terms.recipients ?? [],
    locations: terms.locations ?? [],
    automation: terms.automation,
    decidesAboutPerson: terms.decidesAboutPerson ?? false,
    notice: terms.notice ?? "",
    benefit: terms.benefit ?? {},
    price: terms.price,
    terms: terms.terms,
    inbox: terms.inbox,
  };
}

/** The parts of terms in one order, whatever record they come from. */
export const termsOf = ({ ...all }: Terms): Terms => ({
  assignee: all.assignee,
  controller: all.controller,
  legalBasis: all.legalBasis,
  recipients: all.recipients,
  locations: all.locations,
  automation: all.automation,
  decidesAboutPerson: all.decidesAboutPerson,
  notice: all.notice,
  benefit: all.benefit,
  price: all.price,
  terms: all.terms,
  inbox: all.inbox,
});

const sorted = (values: readonly string[] | null): readonly string[] | null => values && [...values].sort();

/** The same for the same wish, whenever it is made and however it is written. */
export function digestOf(terms: Terms, policies: readonly Policy[]): string {
  const wishes = policies.map(({ notBefore: _from, notAfter: _to, ...policy }) =>
    JSON.stringify([
      sorted(policy.actions),
      policy.target.kind,
      sorted(policy.target.values),
      policy.necessity,
      sorted(policy.clients),
      sorted(policy.mediaTypes),
      sorted(policy.types),
      sorted(policy.purposes),
      policy.tier,
      policy.mode,
      sorted(policy.categories),
      sorted(policy.fields),
      policy.dataFrom,
      policy.dataTo,
      policy.dataLife,
      policy.frequency && [policy.frequency.count, policy.frequency.per],
      policy.queriesMax,
    ]),
  );
  const { assignee, controller, legalBasis, automation, decidesAboutPerson } = terms;
  const vendor = [assignee, controller, legalBasis, automation, decidesAboutPerson];
  const places = [sorted(terms.recipients), sorted(terms.locations)];
  return createHash("sha256")
    .update(JSON.stringify([vendor, places, terms.terms, terms.price, wishes.sort()]))
    .digest("hex");
}

/** Members by which this server tells what became of a request or a grant: what a vendor says under these names is not shown. */
const TOLD: ReadonlySet<string> = new Set([
  ..."id status received grant assigner changed decision decidedBy explanation heldUntil reason receipts".split(
    " ",
  ),
  ..."request rules supersedes undoUntil".split(" "),
]);

/** What is told of a request, beside what the vendor said itself. */
export function requestDocument(
  request: AccessRequest,
  facts: { readonly url: string; readonly state: string; readonly grants: readonly string[] },
): Json {
  const said = Object.entries(JSON.parse(request.document) as Json).filter(([name]) => !TOLD.has(name));
  return {
    ...Object.fromEntries(said),
    id: facts.url,
    status: facts.state,
    received: writeMoment(request.received),
    ...(facts.grants.length > 0 && { grant: facts.grants }),
  };
}

export interface GrantFacts {
  readonly url: string;
  readonly baseUrl: string;
  readonly pod: Pod;
  /** What whoever asks may know of why it is in its state. */
  readonly reason: string | null;
  /** Targets as whoever asks may know them. */
  readonly policies: readonly Policy[];
}

/** A grant as it is told. */
export function grantDocument(grant: Grant, { url, baseUrl, pod, reason, policies }: GrantFacts): Json {
  const address = (kind: string, id: string | null): Json =>
    id === null ? {} : { [kind]: `${baseUrl}${pod.name}/.consent/${kind}s/${id}` };
  const written = writeAccess("AccessGrant", {
    storage: `${baseUrl}${pod.name}/`,
    issued: grant.issued,
    terms: termsOf(grant),
    policies: policies.map((policy) => ({ ...policy, target: addressedTarget(policy.target, baseUrl, pod) })),
  });
  return {
    ...written,
    "@context": CONTEXTS,
    id: url,
    assigner: grant.assigner,
    status: grant.state,
    changed: writeMoment(grant.changed),
    decidedBy: grant.decidedBy,
    ...(reason !== null && { reason }),
    ...address("request", grant.request),
    ...(grant.supersedes !== null && {
      supersedes: `${baseUrl}${pod.name}/.consent/grants/${grant.supersedes}`,
    }),
    receipts: `${url}/receipts`,
  };
}

/**
 * A document in one of the formats that a client takes.
 * @param quads The same in RDF; null where there is none.
 * @throws Problem `not-acceptable`.
 */
export async function answerDocument(
  operation: Operation,
  document: Json,
  quads: (() => readonly Quad[]) | null,
  headers: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const offered = [...JSON_TYPES, ...(quads ? RDF_TYPES.filter((type) => type !== JSON_LD) : [])];
  const isRead = operation.method === "GET" || operation.method === "HEAD";
  // What has been done is not refused for the format in which it is told.
  const type = negotiate(operation.headers.accept, offered) ?? (isRead ? null : LWS_TYPE);
  if (type === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
  const isJson = quads === null || JSON_TYPES.includes(type);
  const body = isJson
    ? JSON.stringify(document)
    : await serializeRdf(quads(), type, { baseIri: operation.url, prefixes: PREFIXES });
  return {
    status: 200,
    headers: { "content-type": type, "cache-control": "no-store", vary: "Accept", ...headers },
    body,
  };
}
