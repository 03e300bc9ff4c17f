/** Functions on strings. https://www.w3.org/TR/sparql11-query/#func-strings */
import { Lru } from "../../lru.ts";
import { type Code, define, type Function, numberCode, type Tools, textCode, truthCode } from "./code.ts";
import type { Row } from "./contract.ts";
import { integerOf, type Numeric, toDouble, whole } from "./numbers.ts";
import { compileRegex, type Regex } from "./regex.ts";
import { type Fold, spellingTest, type Where } from "./spelling.ts";
import { FAILED, FALSE, TEXT_LENGTH_MAX, type Text, TRUE, type Truth } from "./values.ts";

const REGEXES_KEPT = 256;
const PATTERN_LENGTH_MAX = 1_024;

const plain = (value: string): Text => ({ value, language: "" });

/** A text in another case: it keeps the language. */
const inCase = (fold: Fold, change: (value: string) => string) =>
  define(([operand], tools) => {
    const { spelling, text: textOf } = operand!;
    const code = textCode(tools, (row) => {
      const text = textOf(row);
      if (text === null) return null;
      const value = change(text.value);
      return value.length > TEXT_LENGTH_MAX ? null : { value, language: text.language };
    });
    return spelling?.fold === "none" ? { ...code, spelling: { ...spelling, fold } } : code;
  }, 1);

/** https://www.w3.org/TR/sparql11-query/#func-arg-compatibility */
const areCompatible = (text: Text, { language }: Text): boolean =>
  language === "" || language === text.language;

const tested = (where: Where, test: (value: string, other: string) => boolean) =>
  define(([first, second], tools) => {
    const decide = (text: Text | null, other: Text | null): Truth => {
      if (text === null || other === null || !areCompatible(text, other)) return FAILED;
      return test(text.value, other.value) ? TRUE : FALSE;
    };
    const byText = (row: Row): Truth => decide(first!.text(row), second!.text(row));
    const other = second!.constant === null ? null : second!.text(new Uint32Array(0));
    if (!first!.spelling || !other || other.language !== "") return truthCode(tools, byText);
    return truthCode(tools, spellingTest(tools.context.terms, first!.spelling, other.value, where, byText));
  }, 2);

/** Code points: a pair of halves counts as one. */
function lengthOf(value: string): number {
  let length = value.length;
  for (let at = 0; at < value.length - 1; at++) {
    const code = value.charCodeAt(at);
    if (code < 0xd800 || code > 0xdbff) continue;
    const next = value.charCodeAt(at + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    length--;
    at++;
  }
  return length;
}

/** https://www.w3.org/TR/xpath-functions/#func-substring: positions from 1, rounded; what lies outside is not there. */
function substring(value: string, start: Numeric, length: Numeric | null): string {
  const first = toDouble(whole(start, "half"));
  const end = length === null ? Number.POSITIVE_INFINITY : first + toDouble(whole(length, "half"));
  if (!(first < end)) return ""; // NaN too.
  const [from, to] = [Math.max(0, first - 1), end - 1];
  if (lengthOf(value) === value.length) return value.slice(from, Math.max(0, to));
  return Array.from(value).slice(from, Math.max(0, to)).join("");
}

const substr = define(
  ([text, start, length], tools) =>
    textCode(tools, (row) => {
      const from = text!.text(row);
      const first = from && start!.number(row);
      if (!from || !first) return null;
      const count = length ? length.number(row) : null;
      if (length && !count) return null;
      return { value: substring(from.value, first, count), language: from.language };
    }),
  2,
  3,
);

/** STRBEFORE and STRAFTER: with the language where something was found. https://www.w3.org/TR/sparql11-query/#func-strbefore */
const around = (cut: (value: string, at: number, length: number) => string) =>
  define(
    ([first, second], tools) =>
      textCode(tools, (row) => {
        const text = first!.text(row);
        const part = text && second!.text(row);
        if (!text || !part || !areCompatible(text, part)) return null;
        const at = text.value.indexOf(part.value);
        if (at < 0) return plain("");
        return { value: cut(text.value, at, part.value.length), language: text.language };
      }),
    2,
  );

const concat = define(
  (operands, tools) =>
    textCode(tools, (row) => {
      let value = "";
      let language: string | null = null;
      for (const operand of operands) {
        const text = operand.text(row);
        if (text === null) return null;
        value += text.value;
        if (value.length > TEXT_LENGTH_MAX) return null;
        if (language === null) language = text.language;
        else if (language !== text.language) language = "";
      }
      return { value, language: language ?? "" };
    }),
  0,
  Number.POSITIVE_INFINITY,
);

/** What a URI's path segment may hold stays. https://www.w3.org/TR/xpath-functions/#func-encode-for-uri */
function encodeForUri(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** https://www.rfc-editor.org/rfc/rfc4647#section-3.3.1 */
function langMatches(tag: string, range: string): boolean {
  if (range === "*") return tag !== "";
  const [found, wanted] = [tag.toLowerCase(), range.toLowerCase()];
  return found === wanted || (wanted !== "" && found.startsWith(`${wanted}-`));
}

/** A pattern that is looked for as it stands: perhaps after `^`, and nothing that means anything else. */
const LITERAL_PATTERN = /^(\^?)([^\\^$.*+?()[\]{}|]+)$/;

/** What a constant pattern tests that is only a text; null for all others. */
function literalTest(
  pattern: Code,
  flags: Code | undefined,
): { readonly needle: string; readonly where: Where; readonly fold: Fold } | null {
  if (pattern.constant === null || (flags && flags.constant === null)) return null;
  const none = new Uint32Array(0);
  const [source, options] = [pattern.text(none), flags ? flags.text(none) : plain("")];
  if (!source || !options || source.language !== "" || options.language !== "") return null;
  if (source.value.length > PATTERN_LENGTH_MAX || !["", "i"].includes(options.value)) return null;
  const found = LITERAL_PATTERN.exec(source.value);
  if (!found) return null;
  const [, start, needle] = found;
  return {
    needle: needle!,
    where: start === "" ? "anywhere" : "start",
    fold: options.value === "" ? "none" : "regex",
  };
}

const regexes = new Lru<string, { readonly regex: Regex | null }>(REGEXES_KEPT);

function regexOf(pattern: string, flags: string): Regex | null {
  if (pattern.length > PATTERN_LENGTH_MAX || flags.length > 16) return null;
  const key = `${flags} ${pattern}`;
  let found = regexes.get(key);
  if (!found) regexes.set(key, (found = { regex: compileRegex(pattern, flags) }), 1);
  return found.regex;
}

/** Patterns are constants nearly always: then they are compiled once. */
function regexCode(pattern: Code, flags: Code | undefined): (row: Row) => Regex | null {
  const read = (row: Row): Regex | null => {
    const source = pattern.text(row);
    const options = flags ? flags.text(row) : plain("");
    if (!source || !options || source.language !== "" || options.language !== "") return null;
    return regexOf(source.value, options.value);
  };
  const isConstant = pattern.constant !== null && (!flags || flags.constant !== null);
  if (!isConstant) return read;
  const regex = read(new Uint32Array(0));
  return () => regex;
}

/** https://www.w3.org/TR/sparql11-query/#func-regex */
const regex = define(
  ([text, pattern, flags], tools) => {
    const find = regexCode(pattern!, flags);
    const { control } = tools.context;
    const byText = (row: Row): Truth => {
      const found = text!.text(row);
      const compiled = found && find(row);
      if (!found || !compiled) return FAILED;
      return compiled.test(found.value, control) ? TRUE : FALSE;
    };
    const literal = literalTest(pattern!, flags);
    if (!literal || text!.spelling?.fold !== "none") return truthCode(tools, byText);
    const { needle, where, fold } = literal;
    return truthCode(
      tools,
      spellingTest(tools.context.terms, { ...text!.spelling, fold }, needle, where, byText),
    );
  },
  2,
  3,
);

/** https://www.w3.org/TR/sparql11-query/#func-replace */
const replace = define(
  ([text, pattern, replacement, flags], tools) => {
    const find = regexCode(pattern!, flags);
    const { control } = tools.context;
    return textCode(tools, (row) => {
      const found = text!.text(row);
      const compiled = found && find(row);
      const by = compiled ? replacement!.text(row) : null;
      if (!found || !compiled || !by || by.language !== "") return null;
      const value = compiled.replace(found.value, by.value, control);
      return value === null || value.length > TEXT_LENGTH_MAX ? null : { value, language: found.language };
    });
  },
  3,
  4,
);

const strlen = ([operand]: readonly Code[], tools: Tools): Code =>
  numberCode(tools, (row) => {
    const text = operand!.text(row);
    return text && integerOf(lengthOf(text.value));
  });

export const TEXT_FUNCTIONS: readonly (readonly [name: string, found: Function])[] = [
  ["STRLEN", define(strlen, 1)],
  ["SUBSTR", substr],
  ["UCASE", inCase("upper", (value) => value.toUpperCase())],
  ["LCASE", inCase("lower", (value) => value.toLowerCase())],
  ["STRSTARTS", tested("start", (value, other) => value.startsWith(other))],
  ["STRENDS", tested("end", (value, other) => value.endsWith(other))],
  ["CONTAINS", tested("anywhere", (value, other) => value.includes(other))],
  ["STRBEFORE", around((value, at) => value.slice(0, at))],
  ["STRAFTER", around((value, at, length) => value.slice(at + length))],
  ["CONCAT", concat],
  [
    "ENCODE_FOR_URI",
    define(
      ([operand], tools) =>
        textCode(tools, (row) => {
          const text = operand!.text(row);
          return text && text.value.length <= TEXT_LENGTH_MAX / 9 ? plain(encodeForUri(text.value)) : null;
        }),
      1,
    ),
  ],
  [
    "LANGMATCHES",
    define(([tag, range], tools) => {
      return truthCode(tools, (row) => {
        const found = tag!.text(row);
        const wanted = found && range!.text(row);
        if (!found || !wanted || found.language !== "" || wanted.language !== "") return FAILED;
        return langMatches(found.value, wanted.value) ? TRUE : FALSE;
      });
    }, 2),
  ],
  ["REGEX", regex],
  ["REPLACE", replace],
];
