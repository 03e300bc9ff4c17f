/** A subscription request, from RDF in any format to what is asked for. https://solid.github.io/notifications/protocol#subscription */
import { fh, notify, rdf } from "@freehold/vocab";
import { readBody } from "../body.ts";
import { Problem } from "../errors.ts";
import { parseTarget, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Operation } from "../operation.ts";
import { mediaTypeOf, negotiate, RDF_TYPES } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import type { ChannelKind, NewChannel } from "./channels.ts";

/** What a request says, before anybody was asked who it is from. */
export type Wanted = Omit<NewChannel, "agent" | "sendTo"> & {
  /** Its statements by the local names of their properties: for what a type of channel has of its own. */
  readonly said: Readonly<Record<string, string>>;
};

export const JSON_LD = "application/ld+json";
export const CONTEXT = "https://www.w3.org/ns/solid/notifications-context/v1";
export const SUBSCRIPTION_TYPES: readonly string[] = [
  JSON_LD,
  ...RDF_TYPES.filter((type) => type !== JSON_LD),
];

const PROFILES: ReadonlySet<string> = new Set([
  CONTEXT,
  "http://www.w3.org/ns/json-ld#compacted",
  "http://www.w3.org/ns/json-ld#expanded",
  "http://www.w3.org/ns/json-ld#flattened",
]);
const RATE_MS_MAX = 24 * 3_600_000;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
// Seconds may be written small, as the channel types' own examples have them.
const DURATION = /^P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,3})?)S)?)?$/i;

const invalid = (detail: string, cause?: unknown): Problem =>
  new Problem("subscription-invalid", detail, cause === undefined ? {} : { cause });

/** @throws Problem `content-type-missing`, `unsupported-media-type`: also for a profile that is not known. */
function checkType(header: string | undefined): string {
  if (header === undefined) throw new Problem("content-type-missing");
  const type = mediaTypeOf(header);
  const refused = (detail: string): Problem =>
    new Problem("unsupported-media-type", detail, {
      headers: { "accept-post": SUBSCRIPTION_TYPES.join(", ") },
    });
  if (!SUBSCRIPTION_TYPES.includes(type)) throw refused(`Send ${SUBSCRIPTION_TYPES.join(", ")}`);
  const profile = /;\s*profile\s*=\s*(?:"([^"]*)"|([^;\s]*))/i.exec(header);
  const profiles = (profile?.[1] ?? profile?.[2] ?? "").split(/\s+/).filter(Boolean);
  if (profiles.some((one) => !PROFILES.has(one))) throw refused(`Of profiles, ${CONTEXT} is known here`);
  return type;
}

async function parse(bytes: Uint8Array, type: string, url: string, limits: Limits): Promise<readonly Quad[]> {
  try {
    return await parseRdf(bytes, type, url, limits);
  } catch (error) {
    // Well-formed, but not understood: a context that is not known here.
    const isUnderstood =
      !(error instanceof Problem) ||
      !["rdf-invalid", "context-unknown"].includes(error.code) ||
      type !== JSON_LD;
    if (isUnderstood || !isJson(bytes)) throw error;
    throw invalid(error.detail ?? "This is not understood", error);
  }
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** @throws Problem `subscription-invalid`. */
function momentOf(text: string | undefined, name: string): number | null {
  if (text === undefined) return null;
  const time = DATE_TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw invalid(`${name} is an xsd:dateTime with its time zone, such as 2030-01-31T12:00:00Z`);
  return time;
}

/** @throws Problem `subscription-invalid`. */
function rateOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const [, days, hours, minutes, seconds] = DURATION.exec(text) ?? [];
  const isSaid = [days, hours, minutes, seconds].some((part) => part !== undefined);
  const part = (value: string | undefined): number => Number(value ?? 0);
  const ms = (((part(days) * 24 + part(hours)) * 60 + part(minutes)) * 60 + part(seconds)) * 1_000;
  if (!isSaid || ms > RATE_MS_MAX) throw invalid("rate is an xsd:duration of at most a day, such as PT10S");
  return Math.round(ms);
}

/** The topic as a path of this pod. @throws Problem `subscription-invalid`. */
function topicOf(
  text: string,
  baseUrl: string,
  podName: string,
  isResource: (target: Target) => boolean,
): Target {
  let target: Target;
  try {
    const { href, origin, pathname, search, hash } = new URL(text);
    if (
      !`${origin}${pathname}`.startsWith(`${baseUrl}${podName}/`) ||
      search !== "" ||
      hash !== "" ||
      href.endsWith("?")
    )
      throw invalid(`The topic is a resource of ${baseUrl}${podName}/`);
    target = parseTarget(pathname.slice(new URL(baseUrl).pathname.length - 1));
  } catch (cause) {
    throw cause instanceof Problem && cause.code === "subscription-invalid"
      ? cause
      : invalid("The topic is no address of a resource", cause);
  }
  if (target.pod !== podName || !isResource(target))
    throw invalid("There are no notifications about this address");
  return target;
}

export interface RequestDeps {
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly now: () => Date;
  /** Whether something can be stored there. */
  readonly isResource: (target: Target) => boolean;
}

export interface Asked {
  readonly topic: string;
  readonly startAt?: string | undefined;
  readonly endAt?: string | undefined;
  readonly rate?: string | undefined;
  readonly accept?: string | undefined;
  readonly state?: string | undefined;
  readonly isSubtree?: boolean;
}

/**
 * Checks what is asked for, in whatever form it came.
 * @throws Problem `subscription-invalid`.
 */
export function readAsked(
  asked: Asked,
  { type }: Pick<ChannelKind, "type">,
  podName: string,
  { baseUrl, limits, now, isResource }: RequestDeps,
): Omit<Wanted, "said"> {
  const target = topicOf(asked.topic, baseUrl, podName, isResource);
  const { isSubtree = false, accept, state } = asked;
  if (isSubtree && !target.isContainer) throw invalid("Only a folder has anything below it");
  const at = now().getTime();
  const last = at + limits.channelMsMax;
  const startAt = momentOf(asked.startAt, "startAt");
  const endAt = Math.min(momentOf(asked.endAt, "endAt") ?? last, last);
  if (endAt <= Math.max(at, startAt ?? at)) throw invalid("The channel would end before it begins");
  if (accept !== undefined && negotiate(accept, [JSON_LD, "application/json"]) === null)
    throw invalid(`Notifications are sent as ${JSON_LD}`);
  if (state !== undefined && state.length > 256) throw invalid("state is an ETag");
  return {
    type,
    topic: target.path,
    isSubtree,
    startAt,
    endAt,
    rateMs: rateOf(asked.rate),
    accept: accept ?? null,
    state: state ?? null,
  };
}

/**
 * @throws Problem `content-type-missing`, `unsupported-media-type`, `body-too-large`, `rdf-invalid`, `subscription-invalid`.
 * @see https://solid.github.io/notifications/protocol#subscription-server-subscription-request-unprocessable-entity
 */
export async function readRequest(
  operation: Operation,
  kind: ChannelKind,
  deps: RequestDeps,
): Promise<Wanted> {
  const { headers, body, url, target } = operation;
  const contentType = checkType(headers["content-type"]);
  const bytes = await readBody(body, deps.limits.subscriptionBytesMax);
  const quads = await parse(bytes, contentType, url, deps.limits);
  const about = new Set(
    quads.filter(({ predicate }) => predicate.value === notify.topic).map(({ subject }) => subject.value),
  );
  const [channel] = about;
  if (channel === undefined) throw invalid("The request names no topic");
  if (about.size > 1) throw invalid("A request is for one channel");
  const own = quads.filter(({ subject }) => subject.value === channel);
  const valuesOf = (property: string): readonly string[] => [
    ...new Set(own.filter(({ predicate }) => predicate.value === property).map(({ object }) => object.value)),
  ];
  const said: Record<string, string> = {};
  for (const [name, property] of Object.entries({ ...notify, subtree: fh.subtree })) {
    const [value, another] = valuesOf(property);
    if (another !== undefined) throw invalid(`${name} is said more than once: a channel has one of each`);
    if (value !== undefined) said[name] = value;
  }
  if (!valuesOf(rdf.type).includes(notify[kind.type]))
    throw invalid(`This service makes channels of type ${kind.type}`);
  const { topic = "", startAt, endAt, rate, accept, state, subtree } = said;
  const asked: Asked = {
    topic,
    startAt,
    endAt,
    rate,
    accept,
    state,
    isSubtree: subtree === "true" || subtree === "1",
  };
  return { ...readAsked(asked, kind, target.pod, deps), said };
}
