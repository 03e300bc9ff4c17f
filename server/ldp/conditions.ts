/** Conditional requests and ranges. https://www.rfc-editor.org/rfc/rfc9110#section-13 */
import { Problem } from "../errors.ts";

/** Suffixes that keep the ETags of a version's forms apart. */
export const FORMS: Readonly<Record<string, string>> = {
  "text/turtle": "ttl",
  "application/ld+json": "jsonld",
  "application/n-triples": "nt",
  "application/n-quads": "nq",
};

/** ETag of a version in the form it was stored in; other forms get a suffix, for they are other bytes. */
export function etagOf(version: number, form = ""): string {
  return `"${version.toString(36)}${form && `-${form}`}"`;
}

/** The same for a representation that need not be the same bytes each time: good for If-None-Match, never for If-Match. */
export function weakEtagOf(version: number, form: string): string {
  return `W/${etagOf(version, form)}`;
}

const isWeak = (etag: string): boolean => etag.startsWith("W/");

/** `"k3-jsonld"` and `"k3"` are forms of the same version: a client that read either may write. */
function versionOf(etag: string): string {
  return etag.replace(/^"([^"-]*)(?:-[^"]*)?"$/, "$1");
}

function tagsOf(header: string): readonly string[] {
  return header.split(",").map((part) => part.trim());
}

export function hasWriteConditions(headers: Readonly<Record<string, string | undefined>>): boolean {
  return (
    headers["if-match"] !== undefined ||
    headers["if-none-match"] !== undefined ||
    headers["if-unmodified-since"] !== undefined
  );
}

/**
 * Checks If-Match, If-None-Match and If-Unmodified-Since before a write.
 * @param current ETag of what is there; null when nothing is.
 * @param modified Milliseconds since 1970 of the last change, null when nothing is there.
 * @throws Problem `precondition-failed`.
 */
export function checkWriteConditions(
  headers: Readonly<Record<string, string | undefined>>,
  current: string | null,
  modified: number | null,
): void {
  const match = headers["if-match"];
  if (match !== undefined) {
    const fits =
      match.trim() === "*"
        ? current !== null
        : current !== null && tagsOf(match).some((tag) => versionOf(tag) === versionOf(current));
    if (!fits)
      throw new Problem(
        "precondition-failed",
        current === null ? "There is nothing here" : "If-Match names another version",
      );
  } else if (headers["if-unmodified-since"] !== undefined && modified !== null) {
    const since = Date.parse(headers["if-unmodified-since"]);
    if (Number.isFinite(since) && Math.floor(modified / 1000) * 1000 > since)
      throw new Problem("precondition-failed");
  }
  const noneMatch = headers["if-none-match"];
  if (noneMatch === undefined || current === null) return;
  if (
    noneMatch.trim() === "*" ||
    tagsOf(noneMatch).some((tag) => versionOf(tag.replace(/^W\//, "")) === versionOf(current))
  ) {
    throw new Problem("precondition-failed", "Something is already here");
  }
}

/**
 * Checks If-Match and If-Unmodified-Since before a GET or HEAD, for which each form of a version is another one.
 * @throws Problem `precondition-failed`.
 */
export function checkReadConditions(
  headers: Readonly<Record<string, string | undefined>>,
  etag: string,
  modified: number,
): void {
  const match = headers["if-match"];
  const since = Date.parse(headers["if-unmodified-since"] ?? "");
  const fits =
    match === undefined
      ? !(Math.floor(modified / 1000) * 1000 > since)
      : match.trim() === "*" || (!isWeak(etag) && tagsOf(match).includes(etag));
  if (!fits) throw new Problem("precondition-failed");
}

/** Whether a GET or HEAD may be answered with 304. */
export function isNotModified(
  headers: Readonly<Record<string, string | undefined>>,
  etag: string,
  modified: number,
): boolean {
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) {
    const same = (tag: string): boolean => tag.replace(/^W\//, "") === etag.replace(/^W\//, "");
    return noneMatch.trim() === "*" || tagsOf(noneMatch).some(same);
  }
  const since = headers["if-modified-since"];
  if (since === undefined) return false;
  const time = Date.parse(since);
  return Number.isFinite(time) && Math.floor(modified / 1000) * 1000 <= time;
}

export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * One byte range; several, or another unit, are ignored as the RFC allows.
 * @throws Problem `range-not-satisfiable` with Content-Range.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function parseRange(
  headers: Readonly<Record<string, string | undefined>>,
  bytes: number,
  etag: string,
): ByteRange | null {
  const header = headers.range;
  if (header === undefined) return null;
  const ifRange = headers["if-range"];
  if (ifRange !== undefined && ifRange.trim() !== etag) return null;
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (!found || (found[1] === "" && found[2] === "")) return null;
  const [, from = "", to = ""] = found;
  const first = from === "" ? Math.max(0, bytes - Number(to)) : Number(from);
  const last = from === "" || to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (first >= bytes || first > last || (from === "" && Number(to) === 0)) {
    throw new Problem("range-not-satisfiable", undefined, {
      headers: { "content-range": `bytes */${bytes}` },
    });
  }
  return { first, last };
}
