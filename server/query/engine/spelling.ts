/**
 * Texts of the pod tested where they stand, on their bytes: most texts that a filter looks at are not what it looks for,
 * and need be neither decoded nor changed to lower case to tell. What bytes cannot tell is left to the text.
 */
import { ERROR, type Id, KINDS, type Span } from "../index/view.ts";
import type { QueryTerms, Row } from "./contract.ts";
import { FAILED, FALSE, TRUE, type Truth } from "./values.ts";

/** Of an expression: the text of a variable, as it is or changed, so that its bytes can stand for it. */
export interface Spelling {
  /** Of the variable. */
  readonly place: number;
  /** As LCASE and UCASE change it. `regex`: only ASCII letters are alike, and nothing is changed. */
  readonly fold: Fold;
  /** Whether it is the text of any term, as STR gives it; else only of a string. */
  readonly isAny: boolean;
}
export type Fold = "none" | "lower" | "upper" | "regex";
export type Where = "start" | "end" | "anywhere";

const ASCII_MAX = 0x7f;
const CASE = 0x20;
/** Longer ones are left to what looks at the time, too. */
const SPAN_MAX = 10_000; // Bytes.
const NEEDLE_MAX = 1_024; // Characters.

const tableOf = (from: string, shift: number): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => {
    const first = from.charCodeAt(0);
    return byte >= first && byte < first + 26 ? byte + shift : byte;
  });
const TO_LOWER = tableOf("A", CASE);
const TO_UPPER = tableOf("a", -CASE);
const SAME = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const TABLES: Readonly<Record<Fold, Uint8Array>> = {
  none: SAME,
  lower: TO_LOWER,
  upper: TO_UPPER,
  regex: TO_LOWER,
};

/**
 * Whether a text in which the bytes are not found does not hold them, whatever else than ASCII it holds. Two characters
 * become ASCII in lower case: the Kelvin sign a k, and the dotted I an i that a dot follows, which then is the last.
 * https://www.unicode.org/Public/UCD/latest/ucd/SpecialCasing.txt
 */
const isCertain = (needle: string, fold: Fold): boolean =>
  fold === "none" || (fold === "lower" && !needle.includes("k") && !needle.endsWith("i"));

/** Two bytes as ten bits: letters in both cases are the same, and what else is the same is told apart by the whole look. */
const pairOf = (first: number, second: number): number => ((first & 31) << 5) | (second & 31);

/**
 * Horspool's way, by pairs: after a look at the two bytes that would be the last, on by as many as cannot be a match.
 * https://doi.org/10.1002/spe.4380100608
 * @param startsAt Whether the bytes stand there.
 */
function createFinder(
  bytes: Uint8Array,
  startsAt: (heap: Uint8Array, from: number) => boolean,
): (heap: Uint8Array, from: number, to: number) => boolean {
  const { length } = bytes;
  if (length < 2)
    return (heap, from, to) => {
      for (let at = from; at <= to - length; at++) if (startsAt(heap, at)) return true;
      return false;
    };
  const steps = new Uint16Array(1_024).fill(length - 1);
  for (let at = 1; at < length - 1; at++) steps[pairOf(bytes[at - 1]!, bytes[at]!)] = length - 1 - at;
  const last = pairOf(bytes[length - 2]!, bytes[length - 1]!);
  const afterLast = steps[last]!;
  steps[last] = 0;
  return (heap, from, to) => {
    for (let at = from + length - 1; at < to; ) {
      const step = steps[((heap[at - 1]! & 31) << 5) | (heap[at]! & 31)]!;
      if (step === 0 && startsAt(heap, at - length + 1)) return true;
      at += step === 0 ? afterLast : step;
    }
    return false;
  };
}

/** @returns null for what must be looked for in the text itself. */
function searchFor(
  needle: string,
  fold: Fold,
  where: Where,
): ((heap: Uint8Array, from: number, to: number) => Truth) | null {
  // A half of a pair has no bytes.
  if (!needle.isWellFormed() || needle.length > NEEDLE_MAX) return null;
  const bytes = Buffer.from(needle, "utf8");
  const isAscii = bytes.length === needle.length;
  if (fold === "regex" && !isAscii) return null;
  const table = TABLES[fold];
  if (fold === "regex") for (let at = 0; at < bytes.length; at++) bytes[at] = TO_LOWER[bytes[at]!]!;
  const { length } = bytes;
  const isSure = isAscii && isCertain(needle, fold);

  const isAsciiText = (heap: Uint8Array, from: number, to: number): boolean => {
    for (let at = from; at < to; at++) if (heap[at]! > ASCII_MAX) return false;
    return true;
  };
  const startsAt = (heap: Uint8Array, from: number): boolean => {
    for (let at = 0; at < length; at++) if (table[heap[from + at]!] !== bytes[at]) return false;
    return true;
  };
  const isIn = createFinder(bytes, startsAt);
  const found = (heap: Uint8Array, from: number, to: number): boolean => {
    if (where === "anywhere") return isIn(heap, from, to);
    return to - from >= length && startsAt(heap, where === "start" ? from : to - length);
  };
  return (heap, from, to) => {
    // What is not ASCII may change its length, and become another: only where nothing is folded are all bytes alike.
    if (fold !== "none" && !isAscii) return isAsciiText(heap, from, to) ? FALSE : FAILED;
    if (found(heap, from, to)) return TRUE;
    return fold === "none" || isSure || isAsciiText(heap, from, to) ? FALSE : FAILED;
  };
}

/**
 * Whether the text of a spelling holds a constant text, begins or ends with it.
 * @param byText The same, by the text itself: for what its bytes cannot tell.
 */
export function spellingTest(
  terms: QueryTerms,
  { place, fold, isAny }: Spelling,
  needle: string,
  where: Where,
  byText: (row: Row) => Truth,
): (row: Row) => Truth {
  const search = searchFor(needle, fold, where);
  if (!search || !terms.span) return byText;
  const span: Span = { heap: new Uint8Array(), from: 0, to: 0 };
  let lastId: Id = ERROR;
  let lastTruth: Truth = FAILED;
  const decide = (id: Id, row: Row): Truth => {
    const kind = terms.kind(id);
    if (!isAny && kind !== KINDS.string && kind !== KINDS.langString) return FAILED;
    if (!terms.span!(id, span) || span.to - span.from > SPAN_MAX) return byText(row);
    const truth = search(span.heap, span.from, span.to);
    return truth === FAILED ? byText(row) : truth;
  };
  return (row) => {
    const id = row[place]!;
    if (id >= ERROR) return FAILED;
    if (id !== lastId) {
      lastTruth = decide(id, row);
      lastId = id;
    }
    return lastTruth;
  };
}
