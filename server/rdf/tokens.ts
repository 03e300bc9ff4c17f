/** The words of Turtle and N-Triples: where each ends, and what its escapes mean. https://www.w3.org/TR/turtle/#terminals */
import type { Problem } from "../errors.ts";
import { BASE, CHAR, CLASS, DIGIT, HEX, IRI, LETTER, NAME, START, STOP } from "./characters.ts";

/** A text and how far it is read. */
export interface Cursor {
  readonly text: string;
  /** Its UTF-16 units, and `CHAR.END` behind them: reading a number is faster than asking a string for one. */
  readonly codes: Uint16Array;
  /** Offset of what comes next, in UTF-16 units. */
  at: number;
  /** Where the token began that is read now. */
  start: number;
  /** @param offset Where the mistake is; without, where the token began. @returns what is then thrown. */
  mistake(detail: string, offset?: number): Problem;
}

const isA = (flags: number, codes: Uint16Array, at: number): boolean => (CLASS[codes[at]!]! & flags) !== 0;

/** Moves past white space and comments. @returns the character that comes next. */
export function peek(cursor: Cursor): number {
  const { text, codes } = cursor;
  let { at } = cursor;
  let inComment = false;
  for (; at < text.length; at++) {
    const code = codes[at]!;
    if (code === CHAR.LF || code === CHAR.CR) inComment = false;
    else if (!inComment && code !== CHAR.SPACE && code !== CHAR.TAB) {
      if (code !== CHAR.HASH) {
        cursor.at = cursor.start = at;
        return code;
      }
      inComment = true;
    }
  }
  cursor.at = cursor.start = at;
  return CHAR.END;
}

/** Moves past white space within a line. @returns the character that comes next. */
export function peekInLine(cursor: Cursor): number {
  const { codes } = cursor;
  let { at } = cursor;
  while (codes[at] === CHAR.SPACE || codes[at] === CHAR.TAB) at++;
  cursor.at = cursor.start = at;
  return codes[at]!;
}

/** Moves past the rest of a line and all empty ones after it, where a comment may stand but nothing else. */
export function endLine(cursor: Cursor): void {
  const code = peekInLine(cursor);
  if (code !== CHAR.HASH && code !== CHAR.LF && code !== CHAR.CR && cursor.at < cursor.text.length)
    throw cursor.mistake("Expected the end of the line");
  peek(cursor);
}

/** @returns offset after the four or eight digits of `\u` or `\U`. */
function endOfUnicodeEscape(cursor: Cursor, backslash: number): number {
  const { codes } = cursor;
  const kind = codes[backslash + 1]!;
  const end = backslash + (kind === CHAR.LOWER_U ? 6 : kind === CHAR.UPPER_U ? 10 : 0);
  for (let at = backslash + 2; at < end; at++)
    if (!isA(HEX, codes, at)) throw cursor.mistake("An escape \\u has four digits, \\U has eight", backslash);
  if (end === backslash) throw cursor.mistake("Expected \\u or \\U after the backslash", backslash);
  return end;
}

// biome-ignore format: pairs
const ECHAR: Readonly<Record<string, string>> = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f", '"': '"', "'": "'", "\\": "\\" };

/** @returns what the text between two offsets means. Looks no further than that. */
function unescape(cursor: Cursor, from: number, to: number, isString: boolean): string {
  const written = cursor.text.slice(from, to);
  let backslash = written.indexOf("\\");
  if (backslash < 0) return written;
  let value = "";
  let start = 0;
  for (; backslash >= 0; backslash = written.indexOf("\\", start)) {
    value += written.slice(start, backslash);
    const short = isString ? ECHAR[written[backslash + 1]!] : undefined;
    if (short === undefined) {
      start = endOfUnicodeEscape(cursor, from + backslash) - from;
      const code = Number.parseInt(written.slice(backslash + 2, start), 16);
      if (code > 0x10_ff_ff || (code >= 0xd8_00 && code <= 0xdf_ff))
        throw cursor.mistake(`There is no character U+${code.toString(16).toUpperCase()}`, from + backslash);
      value += String.fromCodePoint(code);
    } else {
      value += short;
      start = backslash + 2;
    }
  }
  return value + written.slice(start);
}

/** Moves past an address in its brackets. */
export function passIri(cursor: Cursor): void {
  const { text, codes, at: start } = cursor;
  let at = start + 1;
  for (;;) {
    while (isA(IRI, codes, at)) at++;
    const code = codes[at]!;
    if (code === CHAR.CLOSE_IRI) break;
    if (code !== CHAR.BACKSLASH)
      throw cursor.mistake(
        at < text.length
          ? "An address holds a character that addresses do not have"
          : "An address is left open",
        start,
      );
    at = endOfUnicodeEscape(cursor, at);
  }
  cursor.at = at + 1;
}

/** @param from Offset of the opening bracket of an address that ends before the cursor. */
export const iriFrom = (cursor: Cursor, from: number): string =>
  unescape(cursor, from + 1, cursor.at - 1, false);

/** Reads a string in one pair of quotes, which ends in its line. */
export function readShortString(cursor: Cursor): string {
  const { text, codes, at: start } = cursor;
  const quote = codes[start]!;
  let isPlain = true;
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = codes[at]!;
    if ((CLASS[code]! & STOP) === 0) continue;
    if (code === quote) {
      cursor.at = at + 1;
      return isPlain ? text.slice(start + 1, at) : unescape(cursor, start + 1, at, true);
    }
    if (code === CHAR.BACKSLASH) {
      isPlain = false;
      at++;
    } else if (code === CHAR.LF || code === CHAR.CR) break;
  }
  throw cursor.mistake("A string is left open at the end of its line", start);
}

/** Reads a string in whichever quotes. */
export function readString(cursor: Cursor): string {
  const { text, codes, at: start } = cursor;
  const quote = codes[start]!;
  if (codes[start + 1] !== quote || codes[start + 2] !== quote) return readShortString(cursor);
  for (let at = start + 3; at < text.length; at++) {
    const code = codes[at]!;
    if (code === CHAR.BACKSLASH) at++;
    else if (code === quote && codes[at + 1] === quote && codes[at + 2] === quote) {
      cursor.at = at + 3;
      return unescape(cursor, start + 3, at, true);
    }
  }
  throw cursor.mistake("A long string is left open", start);
}

/** Reads the language tag that begins at the cursor with `@`. https://www.rfc-editor.org/rfc/bcp/bcp47.txt */
export function readLanguage(cursor: Cursor): string {
  const { text, codes, at: start } = cursor;
  let at = start + 1;
  while (isA(LETTER, codes, at)) at++;
  if (at === start + 1) throw cursor.mistake("A language tag begins with a letter");
  while (codes[at] === CHAR.MINUS && isA(LETTER | DIGIT, codes, at + 1)) {
    at++;
    while (isA(LETTER | DIGIT, codes, at)) at++;
  }
  const tag = text.slice(start + 1, at);
  if (/[^-]{9}/.test(tag)) throw cursor.mistake("A part of a language tag has at most 8 characters");
  cursor.at = at;
  return tag;
}

/** @returns offset after the last letter of a name, in which dots may stand but not at its end; `at` if there is none. */
function endOfName(codes: Uint16Array, from: number): number {
  let at = from;
  while (isA(NAME, codes, at) || codes[at] === CHAR.DOT) at++;
  while (at > from && codes[at - 1] === CHAR.DOT) at--;
  return at;
}

/** @returns the label of the blank node that begins at the cursor with `_`. */
export function readLabel(cursor: Cursor): string {
  const { text, codes, at: start } = cursor;
  if (codes[start + 1] !== CHAR.COLON || !isA(START, codes, start + 2))
    throw cursor.mistake("A blank node is written “_:” and a label");
  cursor.at = endOfName(codes, start + 2);
  return text.slice(start + 2, cursor.at);
}

const isLocalEscape = (code: number): boolean =>
  code > CHAR.SPACE && "_~.-!$&'()*+,;=/?#@%".includes(String.fromCharCode(code));

/** @returns offset after the local name that begins at `from`, which may be empty. PN_LOCAL */
function endOfLocal(codes: Uint16Array, from: number): number {
  if (isA(NAME, codes, from) && !isA(START, codes, from)) return from; // A hyphen or an accent does not begin one.
  let end = from;
  for (let at = from; ; ) {
    const code = codes[at]!;
    if ((CLASS[code]! & NAME) !== 0 || code === CHAR.COLON) end = ++at;
    else if (code === CHAR.DOT && at > from) at++;
    else if (code === CHAR.PERCENT && isA(HEX, codes, at + 1) && isA(HEX, codes, at + 2)) end = at += 3;
    else if (code === CHAR.BACKSLASH && isLocalEscape(codes[at + 1]!)) end = at += 2;
    else break;
  }
  return end;
}

/** @returns offset of the colon that ends the prefix at `from`, or -1 where none stands. PNAME_NS */
export function endOfPrefix(codes: Uint16Array, from: number): number {
  if (codes[from] === CHAR.COLON) return from;
  if (!isA(BASE, codes, from)) return -1;
  const end = endOfName(codes, from);
  return codes[end] === CHAR.COLON ? end : -1;
}

/** Moves past a prefixed name. @returns offset of its first colon, or -1 where none stands and nothing is moved past. */
export function passPrefixedName(cursor: Cursor): number {
  const colon = endOfPrefix(cursor.codes, cursor.at);
  if (colon >= 0) cursor.at = endOfLocal(cursor.codes, colon + 1);
  return colon;
}

/** @returns a local name without its escapes; `%` stays as it is. */
export const localName = (written: string): string =>
  written.includes("\\") ? written.replaceAll(/\\(.)/g, "$1") : written;

function endOfDigits(codes: Uint16Array, from: number): number {
  let at = from;
  while (isA(DIGIT, codes, at)) at++;
  return at;
}

/** @returns offset after the exponent at `from`, or `from` where none stands. */
function endOfExponent(codes: Uint16Array, from: number): number {
  if ((codes[from]! | 0x20) !== 0x65) return from;
  const sign = codes[from + 1]!;
  const digits = from + (sign === CHAR.PLUS || sign === CHAR.MINUS ? 2 : 1);
  const end = endOfDigits(codes, digits);
  return end > digits ? end : from;
}

export type NumberKind = "integer" | "decimal" | "double";

/** Moves past a number. @returns its kind, or null where none stands and nothing is moved past. */
export function passNumber(cursor: Cursor): NumberKind | null {
  const { codes, at: start } = cursor;
  const sign = codes[start]!;
  const digits = sign === CHAR.PLUS || sign === CHAR.MINUS ? start + 1 : start;
  const whole = endOfDigits(codes, digits);
  const fraction = codes[whole] === CHAR.DOT ? endOfDigits(codes, whole + 1) : whole;
  const isDecimal = fraction > whole + 1;
  if (whole === digits && !isDecimal) return null;
  const exponent = endOfExponent(codes, fraction);
  cursor.at = exponent > fraction ? exponent : isDecimal ? fraction : whole;
  return exponent > fraction ? "double" : isDecimal ? "decimal" : "integer";
}
