/** JSON with comments and commas at the end, as people write it by hand; what is wrong is named with line and column, never with content. */
import { OperatorError } from "../errors.ts";

const DEPTH_MAX = 32; // Nothing that people write by hand is deeper.
const SKIPPED = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
// oxlint-disable-next-line no-control-regex -- JSON allows no control characters in text
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/**
 * @param name Of the file, for what is wrong.
 * @throws OperatorError `NAME:LINE:COLUMN: …`, also for a key that stands twice.
 */
export function parseJsonc(text: string, name: string): unknown {
  const source = text.replace(/^\uFEFF/, "");
  let at = 0;

  function fail(what: string): never {
    const before = source.slice(0, at).split("\n");
    throw new OperatorError(`${name}:${before.length}:${(before.at(-1) ?? "").length + 1}: ${what}`);
  }
  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0] ?? null;
    if (found !== null) at += found.length;
    return found;
  }
  const next = (): string => {
    take(SKIPPED);
    return source[at] ?? "";
  };

  /** What stands between brackets: `item` takes one, commas part them. */
  function row(close: string, item: () => void): void {
    at += 1;
    while (next() !== close) {
      item();
      if (next() === ",") at += 1;
      else if (source[at] !== close) fail(`a comma or ${close} is missing`);
    }
    at += 1;
  }

  function value(depth: number): unknown {
    if (depth > DEPTH_MAX) fail(`this is nested more than ${DEPTH_MAX} deep`);
    const first = next();
    if (first === "{") {
      const entries = new Map<string, unknown>();
      row("}", () => {
        next();
        const key = take(TEXT) ?? fail('a name in "quotes" is missing');
        const named = JSON.parse(key) as string;
        if (entries.has(named)) fail("this name stands here twice");
        if (next() !== ":") fail("a colon is missing");
        at += 1;
        entries.set(named, value(depth + 1));
      });
      return Object.fromEntries(entries);
    }
    if (first === "[") {
      const items: unknown[] = [];
      row("]", () => items.push(value(depth + 1)));
      return items;
    }
    const word = take(TEXT) ?? take(WORD) ?? fail("this is no JSON value");
    return JSON.parse(word);
  }

  const whole = value(0);
  if (next() !== "") fail("here the file should end");
  return whole;
}
