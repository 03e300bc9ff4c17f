/**
 * DID Resolution over HTTP: `GET /v1/identifiers/{did}`, and DID URLs that lead further.
 * @see https://www.w3.org/TR/did-resolution/#bindings-https
 */
import { didDocument, didOf, isObject, type PassportId } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Door, DoorRequest, Result } from "../../operation.ts";
import { negotiate } from "../../rdf/media.ts";
import { serializeRdf } from "../../rdf/serialize.ts";
import type { Present } from "../port.ts";
import { bundleText } from "./answer.ts";
import { type Leads, leadsOf, partOf, placeOf } from "./dereference.ts";
import { DID_PREFIXES, didQuads } from "./did.ts";
import { cached, idOf, inDidWords, readStrict } from "./door.ts";
import { type Atlas, findPresent, refuseHeld, type Spot, urlOfZone } from "./find.ts";

const PREFIX = "/v1/identifiers/";
const RESOLUTION = "application/did-resolution";
const DEREFERENCING = "application/did-url-dereferencing";
/** The first is what clients get that ask for nothing. */
const RENDERINGS = [
  "application/did",
  "application/did+ld+json",
  "application/did+json",
  RESOLUTION,
  DEREFERENCING,
  "application/ld+json",
  "application/json",
  "text/turtle",
  "text/uri-list", // Where a service is: https://www.w3.org/TR/did-resolution/#dereferencing-algorithm-resource
] as const;
type Rendering = (typeof RENDERINGS)[number];

const OPTIONS_BYTES_MAX = 4_096;
/** What resolvers may be asked that changes nothing here: every address is whole already, and nothing is cached. */
const SWITCHES: ReadonlySet<string> = new Set(["noCache", "expandRelativeUrls"]);
const FORMER: ReadonlySet<string> = new Set(["versionTime", "versionId"]);
/** Of a DID URL that names a part. */
const LEADING: ReadonlySet<string> = new Set(["service", "serviceType", "relativeRef"]);
/** @see https://www.w3.org/TR/did-1.1/#did-syntax */
const DID = /^did:([a-z0-9]+):(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+(?::(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+)*$/;

/** What was asked for, whole. */
interface Asked {
  readonly id: PassportId;
  readonly leads: Leads;
}

const refuse = (
  code: "identifier-invalid" | "bad-request" | "not-supported" | "not-found" | "not-acceptable",
  name: string,
  status: number,
  detail: string,
  more: object = {},
): never => {
  throw new Problem(code, detail, { members: inDidWords(name, status, detail, more) });
};

/** The DID URL is what comes after the door's address: as it is, or percent-encoded as clients must where they have options. */
function didUrlOf({ url }: DoorRequest): string {
  const raw = url.pathname.slice(PREFIX.length);
  try {
    return decodeURIComponent(raw);
  } catch {
    return refuse("identifier-invalid", "INVALID_DID", 400, "The address is not percent-encoded UTF-8");
  }
}

function checkOptions(options: ReadonlyMap<string, string>): void {
  for (const [name, value] of options) {
    if (FORMER.has(name))
      refuse("not-supported", "FEATURE_NOT_SUPPORTED", 501, "Former states of a passport are not shown");
    if (SWITCHES.has(name) && value !== "true" && value !== "false")
      refuse("bad-request", "INVALID_OPTIONS", 400, `${name} is true or false`);
    if (!SWITCHES.has(name) && !LEADING.has(name))
      refuse("not-supported", "FEATURE_NOT_SUPPORTED", 501, "This registry does not know this option");
  }
}

/** @throws Problem in the words of DID Resolution. */
function parseAsked(text: string, options: ReadonlyMap<string, string>): Asked {
  const [, did = "", path = "", query = "", fragment = ""] =
    /^([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text) ?? [];
  const method = DID.exec(did)?.[1];
  if (method === undefined)
    refuse("identifier-invalid", "INVALID_DID", 400, "A DID begins with did:dcann:", {
      hint: "prefix: did:dcann:",
    });
  if (method !== "dcann")
    refuse("not-supported", "METHOD_NOT_SUPPORTED", 501, "This registry resolves did:dcann only");
  const id = idOf(did);
  const all = new Map([...new URLSearchParams(query), ...options]);
  checkOptions(all);
  if (path !== "") refuse("not-found", "NOT_FOUND", 404, "A passport has no path");
  return { id, leads: leadsOf(all, fragment.slice(1)) };
}

const metadataOf = ({ finding }: Spot<Present>): object => ({
  created: inSeconds(finding.created),
  updated: inSeconds(finding.updated),
  ...(finding.deactivated && { deactivated: true }),
  versionId: `${finding.state.head.seq}.${finding.data?.op.dseq ?? 0}`,
  canonicalId: didOf(finding.id),
});

/** UTC to the second, as XML Schema and both registries' dialects write it. */
const inSeconds = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** The whole result, for who asks for it: of resolving, or of following a DID URL. */
function wholeResult(
  type: Rendering,
  content: unknown,
  contentType: string | null,
  metadata: object,
): string {
  const about = contentType === null ? {} : { contentType };
  return JSON.stringify(
    type === DEREFERENCING
      ? { dereferencingMetadata: about, contentStream: content, contentMetadata: metadata }
      : { didDocument: content, didResolutionMetadata: about, didDocumentMetadata: metadata },
  );
}

/** Failures, too, for clients that want the whole result. An erased passport is deactivated for good, which is no failure. */
function failedResult(
  type: typeof RESOLUTION | typeof DEREFERENCING,
  problem: Problem,
  baseUrl: string,
): Result {
  const { absence, checkpoint, type: known = `${baseUrl}ns/problems#${problem.code}` } = problem.members;
  const isGone = problem.code === "gone";
  const error = { type: known, status: problem.status, detail: problem.detail };
  const about = {
    contentType: type,
    ...(!isGone && { error }),
    ...(absence !== undefined && { absence, checkpoint }), // The proof that there is nothing.
  };
  const metadata = isGone ? { deactivated: true } : {};
  const body = JSON.stringify(
    type === DEREFERENCING
      ? { dereferencingMetadata: about, contentStream: null, contentMetadata: metadata }
      : { didDocument: null, didResolutionMetadata: about, didDocumentMetadata: metadata },
  );
  const headers = { ...problem.headers, "content-type": type, "cache-control": "no-store", vary: "Accept" };
  return { status: problem.status, headers, body };
}

export interface IdentifierDeps extends Atlas {
  /** Ends in a slash. */
  readonly baseUrl: string;
}

/** @returns the door for GET, and the one for POST, which has its options in its content. */
export function createIdentifierDoors(deps: IdentifierDeps): { readonly get: Door; readonly post: Door } {
  /** What is at rest is gone until it is woken: no document, and the status that says so. */
  function atRest(spot: Spot<Present>, type: Rendering): Result {
    const metadata = metadataOf(spot);
    const headers = { "cache-control": "no-store", vary: "Accept" };
    if (type === RESOLUTION || type === DEREFERENCING)
      return {
        status: 410,
        headers: { ...headers, "content-type": type },
        body: wholeResult(type, null, type, metadata),
      };
    const detail = "The owner of this passport has put it to rest";
    throw new Problem("gone", detail, {
      headers,
      members: inDidWords(null, 410, detail, { deactivated: true }),
    });
  }

  async function render(request: DoorRequest, asked: Asked, type: Rendering): Promise<Result> {
    const { id, leads } = asked;
    const path = `${request.url.pathname.slice(1)}${request.url.search}`;
    const spot = await findPresent(deps, id, path);
    if (!spot.finding) return { ...spot.result, headers: { ...spot.result.headers, vary: "Accept" } };
    const { finding, published } = spot;
    if (finding.hold) refuseHeld(spot, bundleText(finding, published), urlOfZone(deps, published.zone));
    if (finding.deactivated) return atRest(spot, type);
    const data = finding.data?.op ?? null;
    let document = didDocument(id, data);
    // Each rendering has bytes of its own.
    const etag = `"${finding.commit}.${RENDERINGS.indexOf(type)}"`;
    const more = {
      vary: "Accept",
      link: `<${deps.baseUrl}v1/passports/${id}>; rel="describedby"; type="application/json"`,
    };
    if (leads.kind === "service") {
      const place = placeOf(document, leads);
      if (type === "text/uri-list" || type === DEREFERENCING)
        return {
          status: 303,
          headers: { ...more, location: place.url, "cache-control": "public, max-age=60" },
          body: null,
        };
      document = { ...document, service: [place.service] };
    }
    if (leads.kind === "fragment") {
      const part = partOf(document, leads.fragment);
      if (type === DEREFERENCING)
        return cached(request, etag, type, wholeResult(type, part, type, metadataOf(spot)), more);
      if (type !== "text/turtle") return cached(request, etag, type, JSON.stringify(part), more);
      refuse("not-found", "NOT_FOUND", 404, "A part of the document is shown as JSON only");
    }
    if (type === "text/turtle") {
      const text = await serializeRdf(didQuads(document), type, { prefixes: DID_PREFIXES });
      return cached(request, etag, type, text, more);
    }
    if (type === RESOLUTION)
      return cached(
        request,
        etag,
        type,
        wholeResult(type, document, "application/did", metadataOf(spot)),
        more,
      );
    if (type === DEREFERENCING)
      return cached(request, etag, type, wholeResult(type, document, DEREFERENCING, metadataOf(spot)), more);
    return cached(request, etag, type, JSON.stringify(document), more);
  }

  async function answer(request: DoorRequest, options: ReadonlyMap<string, string>): Promise<Result> {
    const type = negotiate(request.headers["accept"], RENDERINGS) as Rendering | null;
    if (!type)
      return refuse(
        "not-acceptable",
        "REPRESENTATION_NOT_SUPPORTED",
        406,
        `Ask for one of ${RENDERINGS.join(", ")}`,
      );
    try {
      const asked = parseAsked(didUrlOf(request), options);
      if (type === "text/uri-list" && asked.leads.kind !== "service")
        refuse("not-acceptable", "REPRESENTATION_NOT_SUPPORTED", 406, "Only a service is an address");
      if (type === RESOLUTION && asked.leads.kind !== "document")
        refuse("identifier-invalid", "INVALID_DID", 400, "This is a DID URL: ask for its dereferencing");
      return await render(request, asked, type);
    } catch (error) {
      if ((type === RESOLUTION || type === DEREFERENCING) && error instanceof Problem)
        return failedResult(type, error, deps.baseUrl);
      throw error;
    }
  }

  return {
    get: (request) => answer(request, new Map(request.url.searchParams)),
    async post(request) {
      const { value } = request.body ? await readStrict(request, OPTIONS_BYTES_MAX) : { value: {} };
      if (!isObject(value)) throw new Problem("input-invalid", "Send the options as a JSON object");
      const options = Object.entries(value).map(([name, option]) => [name, String(option)] as const);
      return answer(request, new Map([...request.url.searchParams, ...options]));
    },
  };
}
