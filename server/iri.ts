/** Outside text becomes an address once, here: decoded segments inside, one canonical spelling outside. */
import { Problem } from "./errors.ts";
import { LIMITS } from "./limits.ts";

export type Iri = string & { readonly __brand: "Iri" };
export type WebId = Iri & { readonly __webid: "WebId" };

/** `acl`: the rules of a resource, whatever language they are in. */
export type Auxiliary = "acl" | "meta";

/** A place on this server, parsed once from the request target. `path` is canonical and starts with `/`. */
export interface Target {
  /** First path segment: the pod's name. Empty for the server's own root. */
  readonly pod: string;
  /** Canonical percent-encoded path within the server, e.g. `/ana/notes/today.ttl`; containers end in `/`. */
  readonly path: string;
  readonly isContainer: boolean;
  /** Set when the path names an auxiliary resource; `path` is then still the auxiliary's own path. */
  readonly auxiliary: Auxiliary | null;
  /** The resource an auxiliary belongs to; `path` itself otherwise. */
  readonly subject: string;
}

const HTTP = /^https?:\/\//;
// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const FORBIDDEN_IN_IRI = /[\u0000-\u0020<>"{}|\\^`]/;
// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const FORBIDDEN_IN_SEGMENT = /[\u0000-\u001f\u007f/\\]/;

/** @throws Problem `bad-request` when `text` is no absolute IRI of at most `iriBytesMax` bytes. */
export function parseIri(text: string): Iri {
  if (text.length > LIMITS.iriBytesMax || FORBIDDEN_IN_IRI.test(text) || !/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    throw new Problem("bad-request", "Not an absolute IRI");
  }
  return text as Iri;
}

/**
 * @throws Problem `webid-invalid` when `text` is no absolute http(s) IRI without credentials.
 * @see https://www.w3.org/2005/Incubator/webid/spec/identity/
 */
export function parseWebId(text: string): WebId {
  try {
    const url = new URL(parseIri(text));
    if (
      HTTP.test(text) &&
      url.username === "" &&
      url.password === "" &&
      url.href.length <= LIMITS.iriBytesMax
    ) {
      return text as WebId;
    }
  } catch (cause) {
    throw new Problem("webid-invalid", undefined, { cause });
  }
  throw new Problem("webid-invalid");
}

/** What most names are made of: the same encoded and decoded, with nothing to forbid in it. */
const PLAIN = /^[\w~-](?:[\w.~-]{0,200}[\w~-])?$/;

/** The same bytes for the same name: unreserved characters stay, all others are percent-encoded in upper case. */
export function encodeSegment(segment: string): string {
  if (PLAIN.test(segment)) return segment;
  return encodeURIComponent(segment).replace(/%(24|26|2B|2C|3A|3B|3D|40)/g, (escaped) =>
    decodeURIComponent(escaped),
  );
}

/** @throws Problem `path-invalid` for anything that could mean two things. */
function decodeSegment(raw: string): string {
  if (PLAIN.test(raw)) return raw;
  let text: string;
  try {
    text = decodeURIComponent(raw);
  } catch (cause) {
    throw new Problem("path-invalid", "Broken percent-encoding", { cause });
  }
  const unfit =
    text === "" ||
    text === "." ||
    text === ".." ||
    FORBIDDEN_IN_SEGMENT.test(text) ||
    text.endsWith(".") ||
    text !== text.normalize("NFC") ||
    !text.isWellFormed() ||
    Buffer.byteLength(text) > LIMITS.segmentBytesMax;
  if (unfit)
    throw new Problem(
      "path-invalid",
      `The part ${JSON.stringify(raw.slice(0, 64))} of the path is not allowed`,
    );
  return text;
}

/**
 * Also of a name with a line separator in it. A name in `.acr` is that of rules wherever they are policies, so it is no
 * document's anywhere: moved to such a server, it would begin to govern what it stands beside.
 */
const AUXILIARY = /^(.*)\.(acl|acr|meta)$/s;

/** The same few addresses are parsed several times a request. */
const parsed = new Map<string, Target>();
const PARSED_MAX = 1_000;

/**
 * Parses the path of a request target (no query, no fragment) into a canonical {@link Target}.
 * @throws Problem `path-invalid` or `uri-too-long`.
 */
export function parseTarget(rawPath: string): Target {
  let target = parsed.get(rawPath);
  if (target === undefined) {
    target = parse(rawPath);
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(rawPath, target);
  }
  return target;
}

function parse(rawPath: string): Target {
  if (rawPath.length > LIMITS.urlBytesMax) throw new Problem("uri-too-long");
  if (!rawPath.startsWith("/")) throw new Problem("path-invalid", "A path starts with /");
  const isContainer = rawPath.endsWith("/");
  const raw = rawPath.slice(1, isContainer ? -1 : undefined);
  const segments = raw === "" ? [] : raw.split("/").map(decodeSegment);
  if (segments.length > LIMITS.pathSegmentsMax)
    throw new Problem("path-invalid", `At most ${LIMITS.pathSegmentsMax} levels`);
  if (segments.length === 0) return { pod: "", path: "/", isContainer: true, auxiliary: null, subject: "/" };
  const path = `/${segments.map(encodeSegment).join("/")}${isContainer ? "/" : ""}`;
  const last = segments.at(-1) ?? "";
  const found = AUXILIARY.exec(last);
  if (isContainer || !found) {
    if (found) throw new Problem("path-invalid", "A folder's name cannot end in .acl, .acr or .meta");
    return { pod: segments[0] ?? "", path, isContainer, auxiliary: null, subject: path };
  }
  const ending = found[2] as Auxiliary | "acr";
  const auxiliary = ending === "acr" ? "acl" : ending;
  const subject = path.slice(0, -ending.length - 1);
  if (AUXILIARY.test(found[1] ?? ""))
    throw new Problem("path-invalid", "An auxiliary resource has no auxiliary of its own");
  return { pod: segments[0] ?? "", path, isContainer: false, auxiliary, subject };
}

/** Whether a folder on the way to it has a name like rules: by that none can be asked for, so there is none. */
export function isBelowRules(path: string): boolean {
  return /\.(?:acl|acr|meta)\//.test(path);
}

/** The container that holds `path`; `null` for the server's root. */
export function parentOf(path: string): string | null {
  if (path === "/") return null;
  return path.slice(0, path.lastIndexOf("/", path.length - 2) + 1);
}

/** Last segment with its trailing slash, if any: the name of `path` in its container. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/", path.length - 2) + 1);
}
