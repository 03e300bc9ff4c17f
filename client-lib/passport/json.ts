/** JSON without its traps: whole numbers only, each name once, no lone surrogates, bounded depth. */

// oxlint-disable-next-line no-control-regex -- control characters are what JSON strings must not hold
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)/y;
const WORDS: readonly (readonly [string, boolean | null])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/** What is wrong with a text that should be strict JSON, and at which character (from 0). */
export class JsonError extends Error {
  override readonly name = "JsonError";
  readonly at: number;

  constructor(what: string, at: number) {
    super(`${what} at character ${at}`);
    this.at = at;
  }
}

/**
 * Parses the I-JSON subset that signed operations are written in.
 * @param depthMax Nesting allowed; a recursive parser must not be led to overflow its stack.
 * @throws JsonError for bad syntax, fractions, exponents, unsafe integers, `-0`, repeated names, lone surrogates, depth.
 * @see https://www.rfc-editor.org/rfc/rfc7493
 */
export function parseStrictJson(text: string, depthMax = 16): unknown {
  let at = 0;
  const fail = (what: string): never => {
    throw new JsonError(what, at);
  };
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) return null;
    at += found.length;
    return found;
  };
  const skipWhite = (): void => {
    while (" \t\n\r".includes(text[at] ?? "x")) at += 1;
  };
  const eat = (symbol: string): boolean => {
    skipWhite();
    if (text[at] !== symbol) return false;
    at += 1;
    return true;
  };
  const string = (): string => {
    skipWhite();
    const quoted = take(STRING) ?? fail("A string is expected or not well formed");
    const value = quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
    return value.isWellFormed() ? value : fail("A lone surrogate");
  };
  const integer = (): number => {
    const value = Number(take(INTEGER) ?? fail("A value is expected"));
    if (/[.eE0-9]/.test(text[at] ?? "")) fail("Only whole numbers are allowed");
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : fail("A number is out of range");
  };
  const object = (depth: number): Record<string, unknown> => {
    const members: Record<string, unknown> = {};
    if (eat("}")) return members;
    do {
      const name = string();
      if (name === "__proto__") fail("A name that is not allowed");
      if (Object.hasOwn(members, name)) fail(`The name ${JSON.stringify(name)} is repeated`);
      if (!eat(":")) fail("A colon is expected");
      members[name] = value(depth + 1);
    } while (eat(","));
    return eat("}") ? members : fail("A comma or } is expected");
  };
  const array = (depth: number): unknown[] => {
    const items: unknown[] = [];
    if (eat("]")) return items;
    do items.push(value(depth + 1));
    while (eat(","));
    return eat("]") ? items : fail("A comma or ] is expected");
  };
  const value = (depth: number): unknown => {
    if (depth > depthMax) fail("Too deep");
    if (eat("{")) return object(depth);
    if (eat("[")) return array(depth);
    if (text[at] === '"') return string();
    const word = WORDS.find(([name]) => text.startsWith(name, at));
    if (!word) return integer();
    at += word[0].length;
    return word[1];
  };
  const result = value(0);
  skipWhite();
  return at === text.length ? result : fail("Something follows the value");
}
