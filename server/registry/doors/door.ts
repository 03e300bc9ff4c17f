/** What the registry's doors share: they are for everybody, and their refusals speak the dialects of DIDs and of RDAP. */
import { JsonError, type PassportId, parseStrictJson, readId } from "@freehold/client/passport";
import { readBody } from "../../body.ts";
import { Problem } from "../../errors.ts";
import type { Door, DoorRequest, Result } from "../../operation.ts";
import { mediaTypeOf } from "../../rdf/media.ts";

/** Mounted alike by a pod server and by a registry's own. */
export interface RegistryDoor {
  readonly verb: "get" | "post";
  readonly path: string;
  readonly door: Door;
}

/** @see https://www.rfc-editor.org/rfc/rfc9083#section-4.1 */
export const CONFORMS: readonly string[] = ["rdap_level_0", "dcann_0"];

/** An answer may be kept for a minute, shown while it is renewed, and used for a week when the registry is down. */
export const KEPT = "public, max-age=60, stale-while-revalidate=3600, stale-if-error=604800";
/** For what can never say anything else. */
export const IMMUTABLE = "public, max-age=31536000, immutable";

/** Whoever looks something up may be a page of anybody's; the same for all, so that caches hold one copy. */
export const OPEN: Readonly<Record<string, string>> = Object.freeze({
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "ETag, Link, Location, Retry-After",
  "x-content-type-options": "nosniff",
});

/** Everything here is for everybody, refusals too. */
const open =
  (door: Door): Door =>
  async (request) => {
    try {
      const result = await door(request);
      return { ...result, headers: { ...OPEN, ...result.headers } };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { code, detail, errors, headers, members, alternatives } = error;
      throw new Problem(code, detail, {
        cause: error,
        errors,
        members,
        headers: { ...OPEN, vary: "Accept", ...headers },
        ...(alternatives && { alternatives }),
      });
    }
  };

/** All of these doors answer every origin. */
export const openDoors = (doors: readonly RegistryDoor[]): readonly RegistryDoor[] =>
  doors.map((entry) => ({ ...entry, door: open(entry.door) }));

/** In the words of both dialects that registries speak. @see https://www.w3.org/TR/did-resolution/#errors and RFC 9083 section 6 */
export function inDidWords(
  name: string | null,
  status: number,
  detail: string,
  more: object = {},
): Readonly<Record<string, unknown>> {
  return {
    ...(name !== null && { type: `https://www.w3.org/ns/did#${name}` }),
    errorCode: status,
    description: [detail],
    rdapConformance: CONFORMS,
    ...more,
  };
}

/** @throws Problem `identifier-invalid` that says where to look, and never what would be right. */
export function idOf(text: string): PassportId {
  const reading = readId(text);
  if (reading.kind === "id") return reading.id;
  const { hint } = reading;
  throw new Problem("identifier-invalid", hint, { members: inDidWords("INVALID_DID", 400, hint, { hint }) });
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2: weak comparison */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const bare = etag.replace(/^W\//, "");
  return ifNoneMatch.split(",").some((tag) => ["*", bare].includes(tag.trim().replace(/^W\//, "")));
}

/** A 200 that caches may keep, or the 304 that says that they still may. */
export function cached(
  request: DoorRequest,
  etag: string,
  contentType: string,
  body: string | Uint8Array,
  more: Readonly<Record<string, string>> = {},
): Result {
  const headers = { etag, "cache-control": KEPT, ...more };
  if (isUnchanged(request.headers["if-none-match"], etag)) return { status: 304, headers, body: null };
  return { status: 200, headers: { ...headers, "content-type": contentType }, body };
}

/**
 * The content as strict JSON, and as the text it came in.
 * @throws Problem `unsupported-media-type`, `body-too-large`, `input-invalid`.
 */
export async function readStrict(
  request: DoorRequest,
  bytesMax: number,
): Promise<{ text: string; value: unknown }> {
  const type = mediaTypeOf(request.headers["content-type"]);
  if (type !== "application/json" && !type.endsWith("+json"))
    throw new Problem("unsupported-media-type", "Send application/json");
  // Nobody need wait for what is said beforehand to be too much.
  if (Number(request.headers["content-length"] ?? 0) > bytesMax)
    throw new Problem("body-too-large", `At most ${bytesMax} bytes`);
  const bytes = await readBody(request.body, bytesMax);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, value: parseStrictJson(text) };
  } catch (cause) {
    const detail = cause instanceof JsonError ? cause.message : "The content is not UTF-8";
    throw new Problem("input-invalid", detail, { cause });
  }
}
