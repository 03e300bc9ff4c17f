/** How deep a text nests, found in one linear pass before any parser that might recurse sees it. */

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** @param offset In UTF-16 units from the start of `text`. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lines = before.split(/\r\n|\r|\n/);
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

// What hides a bracket in Turtle, TriG and SPARQL: long strings, short strings, addresses, comments. Each alternative is linear.
const HIDDEN =
  /"""(?:[^"\\]|\\[\s\S]|"(?!""))*(?:"""|$)|'''(?:[^'\\]|\\[\s\S]|'(?!''))*(?:'''|$)|"(?:[^"\\\r\n]|\\.)*"?|'(?:[^'\\\r\n]|\\.)*'?|<[^\s<>"{}|^`\\]*>|#[^\r\n]*|[[({\])}]/g;

/** @returns offset of the first bracket that opens level `depthMax` + 1, or -1. */
export function tooDeepTurtle(text: string, depthMax: number): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(HIDDEN)) {
    const char = token.length === 1 ? token : "";
    if (char === "[" || char === "(" || char === "{") {
      depth++;
      if (depth > depthMax) return index;
    } else if (char === "]" || char === ")" || char === "}") depth--;
  }
  return -1;
}

/** @returns offset of the first bracket that opens level `depthMax` + 1, or -1. */
export function tooDeepJson(text: string, depthMax: number): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[{\]}]/gs)) {
    if (token === "[" || token === "{") {
      depth++;
      if (depth > depthMax) return index;
    } else if (token === "]" || token === "}") depth--;
  }
  return -1;
}
