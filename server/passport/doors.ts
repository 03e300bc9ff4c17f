/** The registry's doors. All they show is public; all they take is signed. */

import {
  didOf,
  isObject,
  JsonError,
  type PassportId,
  parseStrictJson,
  RULES,
  readId,
} from "@freehold/client/passport";
import { readBody } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Door, DoorRequest, Result } from "../operation.ts";
import { mediaTypeOf, negotiate } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { DID_PREFIXES, didDocument, didQuads } from "./did.ts";
import type { Found, Registry } from "./registry.ts";

const RESOLUTION = "application/did-resolution";
/** The first is what clients get that ask for nothing. */
const RENDERINGS = [
  "application/did",
  "application/did+ld+json",
  RESOLUTION,
  "application/ld+json",
  "application/json",
  "text/turtle",
];
const CONFORMS = ["rdap_level_0", "dcann_0"];
const RESOLVED_AT_ONCE = 50; // One snapshot each, so that a long list holds no snapshot open while a slow client reads.
const BATCH_BYTES_PER_ID = 80; // An identifier as a DID, quoted, with a comma and room to breathe.

/** A resolver's answer may be kept for a minute, shown while it is renewed, and used for a week when the registry is down. */
const KEPT = "public, max-age=60, stale-while-revalidate=3600, stale-if-error=604800";
const OPEN = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "ETag, Link, Retry-After",
};

/** Everything here is for everybody, refusals too. */
const open =
  (door: Door): Door =>
  async (request) => {
    try {
      const result = await door(request);
      return { ...result, headers: { ...OPEN, ...result.headers } };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { code, detail, errors, headers, members } = error;
      throw new Problem(code, detail, { cause: error, errors, members, headers: { ...OPEN, ...headers } });
    }
  };

/** In the words of both dialects that registries speak. @see https://www.w3.org/TR/did-resolution/#errors and RFC 9083 section 6 */
function inDidWords(
  name: string,
  status: number,
  detail: string,
  more: object = {},
): Readonly<Record<string, unknown>> {
  return {
    type: `https://www.w3.org/ns/did#${name}`,
    errorCode: status,
    description: [detail],
    rdapConformance: CONFORMS,
    ...more,
  };
}

function idOf(text: string): PassportId {
  const reading = readId(text);
  if (reading.kind === "id") return reading.id;
  const { hint } = reading;
  throw new Problem("identifier-invalid", hint, { members: inDidWords("INVALID_DID", 400, hint, { hint }) });
}

const absent = (registry: Registry): Problem => {
  const detail = `No such passport in the registry of ${registry.zones.join(", ")}`;
  return new Problem("not-found", detail, { members: inDidWords("NOT_FOUND", 404, detail) });
};

function isUnchanged(request: DoorRequest, etag: string): boolean {
  const asked = request.headers["if-none-match"];
  return asked !== undefined && asked.split(",").some((tag) => ["*", etag, `W/${etag}`].includes(tag.trim()));
}

function cached(request: DoorRequest, etag: string, contentType: string, body: string | Uint8Array): Result {
  const headers = { etag, "cache-control": KEPT, vary: "Accept" };
  if (isUnchanged(request, etag)) return { status: 304, headers, body: null };
  return { status: 200, headers: { ...headers, "content-type": contentType }, body };
}

async function present(registry: Registry, id: PassportId): Promise<Found> {
  const found = await registry.find(id);
  if (!found) throw absent(registry);
  return found;
}

/** The answer to clients that want the whole resolution result, failures included. @see https://www.w3.org/TR/did-resolution/#bindings-https */
function failedResolution(problem: Problem): Result {
  const { type } = problem.members;
  const error = {
    type: type ?? "https://www.w3.org/ns/did#INTERNAL_ERROR",
    status: problem.status,
    detail: problem.detail,
  };
  const metadata = { contentType: RESOLUTION, error };
  const body = JSON.stringify({
    didDocument: null,
    didResolutionMetadata: metadata,
    didDocumentMetadata: {},
  });
  return {
    status: problem.status,
    headers: { "content-type": RESOLUTION, "cache-control": "no-store" },
    body,
  };
}

async function identify(registry: Registry, request: DoorRequest): Promise<Result> {
  const type = negotiate(request.headers.accept, RENDERINGS);
  if (!type) {
    const detail = `Ask for one of ${RENDERINGS.join(", ")}`;
    throw new Problem("not-acceptable", detail, {
      members: inDidWords("REPRESENTATION_NOT_SUPPORTED", 406, detail),
    });
  }
  try {
    return await render(registry, request, type);
  } catch (error) {
    if (type === RESOLUTION && error instanceof Problem) return failedResolution(error);
    throw error;
  }
}

async function render(registry: Registry, request: DoorRequest, type: string): Promise<Result> {
  const asked = request.params.did ?? "";
  if (asked.startsWith("did:") && !asked.startsWith("did:dcann:")) {
    const detail = "This registry resolves did:dcann only";
    throw new Problem("not-supported", detail, { members: inDidWords("METHOD_NOT_SUPPORTED", 501, detail) });
  }
  if (!asked.startsWith("did:")) {
    const detail = "A DID begins with did:dcann:";
    throw new Problem("identifier-invalid", detail, {
      members: inDidWords("INVALID_DID", 400, detail, { hint: "prefix: did:dcann:" }),
    });
  }
  if (request.url.searchParams.has("versionTime") || request.url.searchParams.has("versionId")) {
    const detail = "Former states of a passport are not shown";
    throw new Problem("not-supported", detail, { members: inDidWords("FEATURE_NOT_SUPPORTED", 501, detail) });
  }
  const id = idOf(asked);
  const { bundle, tag } = await present(registry, id);
  const data = bundle.head.data?.op ?? null;
  const etag = `"${tag}.${RENDERINGS.indexOf(type)}"`; // Each rendering has bytes of its own.
  if (type === "text/turtle") {
    return cached(
      request,
      etag,
      type,
      await serializeRdf(didQuads(id, data), type, { prefixes: DID_PREFIXES }),
    );
  }
  const document = didDocument(id, data);
  if (type !== RESOLUTION) return cached(request, etag, type, JSON.stringify(document));
  const metadata = { versionId: `${bundle.head.auth.length - 1}.${data?.dseq ?? 0}`, canonicalId: didOf(id) };
  const whole = {
    didDocument: document,
    didResolutionMetadata: { contentType: "application/did" },
    didDocumentMetadata: metadata,
  };
  return cached(request, etag, type, JSON.stringify(whole));
}

/** One line for each identifier, in their order; each has a status of its own. */
async function* resolveAll(registry: Registry, asked: readonly string[]): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let start = 0; start < asked.length; start += RESOLVED_AT_ONCE) {
    const readings = asked
      .slice(start, start + RESOLVED_AT_ONCE)
      .map((text) => ({ text, reading: readId(text) }));
    const ids = readings.flatMap(({ reading }) => (reading.kind === "id" ? [reading.id] : []));
    const found = (await registry.findAll(ids)).values();
    const lines = readings.map(({ text, reading }) => {
      if (reading.kind === "broken")
        return { id: text, status: 400, title: "This is not a passport identifier", hint: reading.hint };
      const one = found.next().value;
      return one
        ? { id: text, status: 200, bundle: one.bundle }
        : { id: text, status: 404, title: "No such passport" };
    });
    yield encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}

async function readStrict(request: DoorRequest, bytesMax: number): Promise<{ text: string; value: unknown }> {
  const type = mediaTypeOf(request.headers["content-type"]);
  if (type !== "application/json" && !type.endsWith("+json"))
    throw new Problem("unsupported-media-type", "Send application/json");
  const bytes = await readBody(request.body, bytesMax);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, value: parseStrictJson(text) };
  } catch (cause) {
    const detail = cause instanceof JsonError ? cause.message : "The content is not UTF-8";
    throw new Problem("input-invalid", detail, { cause });
  }
}

async function batch(registry: Registry, request: DoorRequest): Promise<Result> {
  const most = registry.limits.batchIdentifiersMax;
  const { value } = await readStrict(request, most * BATCH_BYTES_PER_ID);
  const ids = isObject(value) ? value.ids : null;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string"))
    throw new Problem("input-invalid", 'Send {"ids":[…]}');
  if (ids.length > most) throw new Problem("input-invalid", `At most ${most} identifiers at once`);
  return {
    status: 200,
    headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
    body: resolveAll(registry, ids),
  };
}

async function take(registry: Registry, request: DoorRequest): Promise<Result> {
  const { text } = await readStrict(request, 2 * registry.limits.operationBytesMax);
  const { isNew, ...accepted } = await registry.submit(text);
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    location: `/v1/passports/${accepted.id}`,
  };
  return { status: isNew ? 201 : 200, headers, body: JSON.stringify({ ...accepted, state: "effective" }) };
}

async function bundle(registry: Registry, request: DoorRequest): Promise<Result> {
  const { bundle, tag } = await present(registry, idOf(request.params.id ?? ""));
  return cached(request, `"${tag}"`, "application/json", JSON.stringify(bundle));
}

/** What this registry is and by which rules it takes operations. */
function help(registry: Registry): Result {
  const body = {
    rdapConformance: CONFORMS,
    notices: [
      {
        title: "Registry of data passports",
        description: [
          "Zone and registrar are named here; every answer can be verified without trusting this server.",
        ],
      },
    ],
    zones: registry.zones,
    registrar: registry.registrar,
    limits: {
      operationBytes: registry.limits.operationBytesMax,
      batchIdentifiers: registry.limits.batchIdentifiersMax,
    },
    doors: {
      identifiers: "/v1/identifiers/{did}",
      passports: "/v1/passports/{id}",
      resolve: "/v1/resolve",
      ops: "/v1/ops",
    },
    rules: RULES.map(({ id, says, on, by }) => ({ id, says, on, by })),
  };
  return {
    status: 200,
    headers: { "content-type": "application/json", "cache-control": "public, max-age=3600" },
    body: JSON.stringify(body),
  };
}

export interface PassportDoor {
  readonly verb: "get" | "post";
  readonly path: string;
  readonly door: Door;
}

/** All of them answer every origin: who resolves a passport may be a page of anybody's. */
export function passportDoors(registry: Registry): readonly PassportDoor[] {
  const doors: readonly PassportDoor[] = [
    { verb: "get", path: "/v1/identifiers/:did", door: (request) => identify(registry, request) },
    { verb: "post", path: "/v1/resolve", door: (request) => batch(registry, request) },
    { verb: "post", path: "/v1/ops", door: (request) => take(registry, request) },
    { verb: "get", path: "/v1/passports/:id", door: (request) => bundle(registry, request) },
    { verb: "get", path: "/v1/help", door: async () => help(registry) },
  ];
  return doors.map((entry) => ({ ...entry, door: open(entry.door) }));
}
