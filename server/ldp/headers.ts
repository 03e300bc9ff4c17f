/** The header fields by which a resource tells a client what it is and what may be done with it. */
import { type Language, languageOf } from "../access/language.ts";
import { parentOf, type Target } from "../iri.ts";
import type { Method } from "../operation.ts";

const LDP = "http://www.w3.org/ns/ldp#";
const SPACE = "http://www.w3.org/ns/pim/space#";
const SOLID = "http://www.w3.org/ns/solid/terms#";
const ACL = "http://www.w3.org/ns/auth/acl#";
const LWS = "https://www.w3.org/ns/lws#";

export const ACCEPT_PATCH = "text/n3, application/sparql-update";
export const ACCEPT_RDF = "text/turtle, application/ld+json, application/n-triples, application/n-quads";
const ACCEPT_ANY = `${ACCEPT_RDF}, */*`;

/** What the resource is, which decides what may be done to it. */
export type Nature =
  | "root"
  | "container"
  | "document"
  | "auxiliary"
  | "root-acl"
  | "endpoint"
  | "update"
  | "type-search"
  | "series"
  | "subscription"
  | "channel"
  | "consents"
  | "consent"
  | "consent-act"
  | "consent-setting"
  | "consent-key"
  | "view"
  | "reserved";

/** Path of the type search in each pod, after the pod's root. */
export const TYPE_SEARCH = ".well-known/lws/search";
/** Path of the type index. */
export const TYPE_INDEX = ".well-known/lws/types";

/** Addresses in each pod that are the server's own: nothing can be stored there. */
function isReserved(name: string): boolean {
  return /^(sparql|sparql-update|search|\.well-known|\.journal|\.notifications|\.series|\.consent|\.views)(\/|$)/.test(
    name,
  );
}

function consentNature(name: string): Nature {
  if (/^(requests|grants)\/?$/.test(name)) return "consents";
  if (/^(requests|grants)\/[\w-]+$/.test(name)) return "consent";
  if (/^(requests\/[\w-]+\/decision|decisions\/[\w-]+\/undo|expectations)$/.test(name)) return "consent-act";
  if (/^(grants\/[\w-]+\/state|receipts\/[\w-]+\/countersignature|preferences|honey)$/.test(name))
    return "consent-setting";
  if (/^keys\/\w+$/.test(name)) return "consent-key";
  return "reserved";
}

/** Of those addresses, what each is. */
function ownNature(name: string): Nature {
  if (name === "sparql") return "endpoint";
  if (name === "sparql-update") return "update";
  if (name === TYPE_SEARCH) return "type-search";
  if (name.startsWith(".series/")) return "series";
  if (name.startsWith(".consent/")) return consentNature(name.slice(".consent/".length));
  if (/^\.views\/[\w-]+$/.test(name)) return "view";
  if (/^\.notifications\/\w+Channel2023$/.test(name)) return "subscription";
  return /^\.notifications\/channels\/\w+$/.test(name) ? "channel" : "reserved";
}

export function natureOf(target: Target, podName: string): Nature {
  if (target.auxiliary)
    return target.auxiliary === "acl" && target.subject === `/${podName}/` ? "root-acl" : "auxiliary";
  const name = target.path.slice(podName.length + 2);
  if (isReserved(name)) return ownNature(name);
  if (!target.isContainer) return "document";
  return target.path === `/${podName}/` ? "root" : "container";
}

/** https://solidproject.org/TR/protocol#server-allow-methods */
export const ALLOWED: Readonly<Record<Nature, readonly Method[]>> = {
  root: ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH"],
  container: ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
  document: ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"],
  auxiliary: ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"],
  "root-acl": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH"], // The root's access list cannot be deleted.
  endpoint: ["GET", "HEAD", "OPTIONS", "POST"],
  update: ["OPTIONS", "POST"],
  "type-search": ["GET", "HEAD", "OPTIONS", "POST"],
  series: ["GET", "HEAD", "OPTIONS", "POST"],
  subscription: ["GET", "HEAD", "OPTIONS", "POST"],
  channel: ["GET", "HEAD", "OPTIONS", "DELETE"],
  consents: ["GET", "HEAD", "OPTIONS", "POST"],
  consent: ["GET", "HEAD", "OPTIONS", "DELETE"],
  "consent-act": ["OPTIONS", "POST"],
  "consent-setting": ["GET", "HEAD", "OPTIONS", "PUT"],
  "consent-key": ["OPTIONS", "PUT", "DELETE"],
  view: ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"],
  reserved: ["GET", "HEAD", "OPTIONS"],
};

/** What a POST may be written in, where it makes no resource. */
const POSTED: Partial<Record<Nature, string>> = {
  endpoint: "application/sparql-query, application/x-www-form-urlencoded",
  update: "application/sparql-update, application/x-www-form-urlencoded",
  "type-search": "application/lws+json",
  series: "application/x-ndjson, text/csv",
  subscription: "application/ld+json, text/turtle, application/n-triples, application/n-quads",
  consents: "application/lws+json, application/ld+json",
  "consent-act": "application/json",
};

/** What a PUT may be written in, where it makes no resource. */
const PUT_TYPES: Partial<Record<Nature, string>> = {
  "consent-setting": "application/json, application/ld+json",
  view: "application/json, application/sparql-query",
};

const OWN: ReadonlySet<Nature> = new Set([
  "endpoint",
  "update",
  "type-search",
  "series",
  "subscription",
  "channel",
  "consents",
  "consent",
  "consent-act",
  "consent-setting",
  "consent-key",
  "view",
  "reserved",
]);

/** Whether the address is the server's own in each pod: no resource, so nothing can be stored there. */
export const isOwnAddress = (nature: Nature): boolean => OWN.has(nature);

const abilities = new Map<Nature, Readonly<Record<string, string>>>();

/** Allow, Accept-Patch, Accept-Post, Accept-Put, MS-Author-Via: in step with {@link ALLOWED}. */
export function abilityHeaders(nature: Nature): Readonly<Record<string, string>> {
  let headers = abilities.get(nature);
  if (!headers) {
    const allowed = ALLOWED[nature];
    headers = Object.freeze({
      allow: allowed.join(", "),
      ...(allowed.includes("PATCH") && { "accept-patch": ACCEPT_PATCH, "ms-author-via": "SPARQL" }),
      ...(allowed.includes("POST") && { "accept-post": POSTED[nature] ?? ACCEPT_ANY }),
      ...(allowed.includes("PUT") && {
        "accept-put": PUT_TYPES[nature] ?? (nature === "document" ? ACCEPT_ANY : ACCEPT_RDF),
      }),
    });
    abilities.set(nature, headers);
  }
  return headers;
}

/**
 * Where the storage is described: in all answers to GET, HEAD and OPTIONS, refusals too. It hangs on the address alone.
 * https://solidproject.org/ED/protocol#server-storage-description
 */
export function describedStorage(base: string, { pod }: Target): string {
  const description = `<${base}${pod}/.well-known/solid>`;
  return `${description}; rel="${SOLID}storageDescription", ${description}; rel="${LWS}storageDescription"`;
}

/**
 * The Link header of a resource.
 * @param base The server's base URL, ending in `/`.
 * @param language Of the rules.
 * @see https://solidproject.org/TR/protocol#server-link-auxiliary-type
 */
export function linkHeader(
  base: string,
  target: Target,
  nature: Nature,
  owner: string,
  language: Language = languageOf("wac"),
): string {
  const origin = base.slice(0, -1);
  const storage = `${base}${target.pod}/`;
  const links = [describedStorage(base, target)];
  if (isOwnAddress(nature)) return links.join(", ");
  if (target.auxiliary) {
    if (target.auxiliary === "meta")
      links.push(
        `<${origin}${target.subject}>; rel="describes"`,
        `<${origin}${target.subject}${language.ending}>; rel="acl"`,
      );
    else
      links.push(
        `<${origin}${target.subject}>; rel="${ACL}accessTo"`,
        ...language.links,
        `<${origin}${target.path}>; rel="acl"`,
      );
  } else {
    links.push(
      `<${origin}${target.path}${language.ending}>; rel="acl"`,
      `<${origin}${target.path}.meta>; rel="describedby"`,
    );
  }
  links.push(`<${LDP}Resource>; rel="type"`);
  if (nature !== "root" && !target.auxiliary)
    links.push(`<${origin}${parentOf(target.path) ?? "/"}>; rel="up"`); // https://w3c.github.io/lws-protocol/lws10-core/#metadata
  if (target.isContainer) links.push(`<${LDP}Container>; rel="type"`, `<${LDP}BasicContainer>; rel="type"`);
  if (nature === "root") {
    links.push(
      `<${SPACE}Storage>; rel="type"`,
      `<${owner}>; rel="${SOLID}owner"`,
      `<${storage}sparql>; rel="http://www.w3.org/ns/solid/sparql#endpoint"`,
    );
  }
  return links.join(", ");
}

/** Types that a browser would run or render as a page of this origin. */
const ACTIVE =
  /^(text\/html|application\/xhtml\+xml|image\/svg\+xml|text\/xml|application\/xml|application\/pdf|text\/javascript|application\/javascript|application\/ecmascript|text\/ecmascript|multipart\/related|message\/rfc822|application\/x-mimearchive|text\/xsl|application\/mathml\+xml|application\/x-shockwave-flash)$|\+xml$/;

/** What users uploaded is served inert: no script runs, no cookie is reachable, nothing is guessed. */
export function inertHeaders(contentType: string): Readonly<Record<string, string>> {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return ACTIVE.test(type) ? INERT_ATTACHED : INERT;
}

const INERT = Object.freeze({
  "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "cross-origin",
  "referrer-policy": "no-referrer",
});
const INERT_ATTACHED = Object.freeze({ ...INERT, "content-disposition": "attachment" });
