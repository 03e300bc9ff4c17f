/**
 * Pages of a container's listing, for those who ask for them: `Prefer: return=representation; max-member-count="500"`, or
 * `?max-member-count=500`; the next page is where `Link: rel="next"` says. https://www.w3.org/TR/ldp-paging/
 *
 * A page is answered at once with 200 and not by a redirect: a client's DPoP proof is good for one request only.
 */
import { ldp } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Operation, Result } from "../operation.ts";
import { preferredReturn } from "./prefer.ts";

export interface PageRequest {
  /** Members on the page. */
  readonly most: number;
  /** Where it begins; null for the first page. */
  readonly after: string | null;
  /** Asked for by the Prefer header, so that the answer must say that it was heeded. */
  readonly isPreference: boolean;
}

const COUNT = "max-member-count";
const NUMBER = /^[1-9]\d{0,8}$/;

/** A preference that cannot be understood is none. https://www.rfc-editor.org/rfc/rfc7240#section-2 */
function preferredCount(header: string | undefined): number | null {
  const preference = preferredReturn(header);
  const count = preference?.parameters.get(COUNT) ?? "";
  return preference?.value.toLowerCase() === "representation" && NUMBER.test(count) ? Number(count) : null;
}

/**
 * @param most Members on a page at most: who asks for more gets as many.
 * @returns null when the whole listing is wanted.
 * @throws Problem `input-invalid` for a count that is none.
 */
export function parsePageRequest({ query, headers }: Operation, most: number): PageRequest | null {
  const asked = new URLSearchParams(query);
  const after = asked.get("after");
  const count = asked.get(COUNT);
  const preferred = preferredCount(headers["prefer"]);
  if (after === null && count === null && preferred === null) return null;
  if (count !== null && !NUMBER.test(count))
    throw new Problem("input-invalid", `${COUNT} is a number from 1 to ${most}`);
  const wanted = count === null ? preferred : Number(count);
  return { most: Math.min(wanted ?? most, most), after, isPreference: count === null && preferred !== null };
}

/**
 * A page can be read and nothing else: what is written is written to its container, at the container's own address.
 * @returns null for a write to a resource itself.
 * @see https://solidproject.org/ED/protocol#server-representation-write-redirect
 */
export function writeRedirect({ target, query, url }: Operation): Result | null {
  if (!target.isContainer || query === "") return null;
  const asked = new URLSearchParams(query);
  if (!asked.has("after") && !asked.has(COUNT)) return null;
  return { status: 308, headers: { location: url }, body: null };
}

const addressOf = (url: string, most: number, after: string | null): string =>
  `${url}?${COUNT}=${most}${after === null ? "" : `&after=${encodeURIComponent(after)}`}`;

/** @param next Where the next page begins; null on the last. */
export function pageLinks(url: string, { most }: PageRequest, next: string | null): readonly string[] {
  return [
    `<${ldp.Page}>; rel="type"`,
    `<${url}>; rel="canonical"`,
    `<${addressOf(url, most, null)}>; rel="first"`,
    ...(next === null ? [] : [`<${addressOf(url, most, next)}>; rel="next"`]),
  ];
}

export function pageHeaders(url: string, { most, after, isPreference }: PageRequest): Record<string, string> {
  return {
    "content-location": addressOf(url, most, after),
    ...(isPreference && { "preference-applied": `return=representation; ${COUNT}="${most}"` }),
  };
}
