/** Small tests of form that the rules are put together from; every one answers for any value at all. */

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The names that are missing or not known; empty when the object has exactly these. */
export function oddNames(
  value: unknown,
  names: readonly string[],
  optional: readonly string[] = [],
): readonly string[] {
  if (!isObject(value)) return names;
  const known = new Set([...names, ...optional]);
  return [
    ...names.filter((name) => !Object.hasOwn(value, name)),
    ...Object.keys(value).filter((name) => !known.has(name)),
  ];
}

export const isExactly = (value: unknown, names: readonly string[]): value is Json =>
  isObject(value) && oddNames(value, names).length === 0;

export const isWhole = (value: unknown, least: number, most: number): value is number =>
  Number.isSafeInteger(value) && !Object.is(value, -0) && Number(value) >= least && Number(value) <= most;

/** 32 bytes in base64url: 43 characters, of which the last has no loose bits. */
export const isHash = (value: unknown): value is string =>
  typeof value === "string" && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(value);

export const isList = (value: unknown, least: number, most: number): value is readonly unknown[] =>
  Array.isArray(value) && value.length >= least && value.length <= most;

export const areDistinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

/** `#pod`: a fragment that may follow a DID. */
export const isFragment = (value: unknown): value is string =>
  typeof value === "string" && /^#[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(value);

export const isFolder = (value: unknown): boolean => typeof value === "string" && value.endsWith("/");

/** UTC to the second, and a day that exists. */
export function isTime(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)) return false;
  const time = new Date(value);
  return !Number.isNaN(time.getTime()) && time.toISOString() === value.replace("Z", ".000Z");
}

export const URL_BYTES_MAX = 512; // Room for any real pod or WebID, none for smuggled text.

/** Says yes for origins that may be named although they are private or without TLS. */
export type AllowUrl = (url: URL) => boolean;

export const allowNone: AllowUrl = () => false;

/** For a server on one's own machine: http and https on the loopback names. */
export const allowLoopback: AllowUrl = (url) =>
  /^https?:$/.test(url.protocol) &&
  /^(?:localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);

/** Narrower than what browsers take: programs in all languages must agree about it. */
const HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

/**
 * @param fragment Whether the address may end in a fragment, as WebIDs do.
 * @returns what is wrong with the address, or null.
 */
export function flawOfUrl(value: unknown, allow: AllowUrl, fragment = false): string | null {
  if (typeof value !== "string" || new TextEncoder().encode(value).length > URL_BYTES_MAX)
    return `is no text of at most ${URL_BYTES_MAX} bytes`;
  if (!URL.canParse(value)) return "is no absolute address";
  const url = new URL(value);
  if (url.href !== value) return "is not in its normal form";
  if (/[<>"{}|\\^`]/.test(value)) return "holds a character that no IRI has"; // Browsers let some of them stand.
  if (url.username !== "" || url.password !== "") return "carries a user name";
  if (url.search !== "" || value.includes("?")) return "carries a query";
  if (!fragment && value.includes("#")) return "carries a fragment";
  if (allow(url)) return null;
  if (url.protocol !== "https:") return "is not https";
  if (/^[\d.]+$|^\[/.test(url.hostname)) return "names a number instead of a host";
  return HOST.test(url.hostname) && !url.hostname.endsWith(".localhost") ? null : "names no public host";
}
