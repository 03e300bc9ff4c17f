/** Relative IRIs against a base, by the basic algorithm. https://www.rfc-editor.org/rfc/rfc3986#section-5.2 */

export const isAbsolute = (iri: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(iri);

// Scheme; authority; path; query. What comes after `#` is no part of a base.
const BASE = /^([a-z][a-z0-9+.-]*:)(\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?/i;
const REFERENCE = /^(\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?(#[\s\S]*)?$/;
const DOTS = /(?:^|\/)\.\.?(?:\/|$)/;

/** One pass, whatever the path. https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4 */
function withoutDots(path: string): string {
  if (!DOTS.test(path)) return path;
  const start = /^(?:\.\.?\/)*/.exec(path)![0].length;
  const rest = path.slice(start);
  if (rest === "." || rest === "..") return "";
  const kept: string[] = [];
  const pieces = rest.match(/\/[^/]*|^[^/]+/g) ?? [];
  pieces.forEach((piece, at) => {
    const isUp = piece === "/..";
    if (isUp) kept.pop();
    if (!isUp && piece !== "/.") kept.push(piece);
    else if (at === pieces.length - 1) kept.push("/");
  });
  return kept.join("");
}

/**
 * @param base Absolute, or there is nothing to resolve against and relative references stay as they are.
 * @returns a function from a reference to its IRI, or null where the reference is none: its first segment has a colon
 *   and is no scheme. Absolute IRIs stay as they are written. https://www.w3.org/TR/turtle/#sec-iri-references
 */
export function createResolver(base: string): (reference: string) => string | null {
  const parts = BASE.exec(base);
  if (!parts) return (reference) => reference;
  const [whole, scheme = "", authority = "", path = "", query = ""] = parts;
  const folder = authority && !path ? "/" : path.slice(0, path.lastIndexOf("/") + 1);
  return (reference) => {
    if (reference === "" || reference.startsWith("#")) return whole + reference;
    if (isAbsolute(reference)) return reference;
    const [, host, way = "", ask, fragment = ""] = REFERENCE.exec(reference)!;
    if (host !== undefined) return `${scheme}${host}${withoutDots(way)}${ask ?? ""}${fragment}`;
    if (way === "") return `${scheme}${authority}${path}${ask ?? query}${fragment}`;
    if (/^[^/]*:/.test(way)) return null;
    const target = withoutDots(way.startsWith("/") ? way : folder + way);
    return `${scheme}${authority}${target}${ask ?? ""}${fragment}`;
  };
}
