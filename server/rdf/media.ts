/** Media types: which of them are RDF, what a header names, and which of our formats a client would rather have. */

/** What a document may be written in. The first is what clients get that ask for nothing. */
export const RDF_TYPES = [
  "text/turtle",
  "application/ld+json",
  "application/n-triples",
  "application/n-quads",
  "application/trig",
] as const;
export type RdfType = (typeof RDF_TYPES)[number];

/** The media type of a `Content-Type` header: lower case, without parameters; empty when there is none. */
export function mediaTypeOf(header: string | undefined): string {
  const end = header?.indexOf(";") ?? -1;
  return (end < 0 ? (header ?? "") : (header ?? "").slice(0, end)).trim().toLowerCase();
}

/** @param contentType May have parameters. */
export function isRdfType(contentType: string): boolean {
  return (RDF_TYPES as readonly string[]).includes(mediaTypeOf(contentType));
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

const RANGES_MAX = 64; // A browser sends about eight; a longer list is noise.

/** Parts of a header field at `separator`, but not at one in a quoted string. */
export function splitField(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === "\\") at++;
    else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseRange(text: string): Range {
  const [type = "", ...rest] = splitField(text, ";").map((part) => part.trim());
  const weight = rest.find((part) => /^q\s*=/i.test(part));
  const quality = weight === undefined ? 1 : Number(weight.slice(weight.indexOf("=") + 1).trim());
  return { type: type.toLowerCase(), quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** How exactly `range` names `type`: 0 for not at all. */
function precision(range: Range, type: string): number {
  // Parameters (a charset, a profile) are taken as a wish that the plain type grants.
  if (range.type === type) return 3;
  if (range.type === "*/*" || range.type === "*") return 1;
  return range.type.endsWith("/*") && type.startsWith(range.type.slice(0, -1)) ? 2 : 0;
}

/**
 * Which of `offered` the client would rather have; the first offered wins ties.
 * @param accept The `Accept` header; without one, everything is acceptable.
 * @param offered Media types without parameters, in lower case, best first.
 * @returns null when none is acceptable.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function negotiate(accept: string | undefined, offered: readonly string[]): string | null {
  if (accept === undefined || accept.trim() === "") return offered[0] ?? null;
  const ranges = splitField(accept, ",").slice(0, RANGES_MAX).map(parseRange);
  let best: string | null = null;
  let most = 0;
  for (const type of offered) {
    let precise = 0;
    let quality = 0;
    for (const range of ranges) {
      const match = precision(range, type);
      // The most precise range decides, not the most generous one: `text/turtle;q=0, */*` wants no Turtle.
      if (match > precise || (match === precise && match > 0 && range.quality > quality)) {
        precise = match;
        quality = range.quality;
      }
    }
    if (quality > most) {
      most = quality;
      best = type;
    }
  }
  return best;
}
