/**
 * What one looks for in texts: words that must all be there, `"a phrase"`, `begin*` for words that begin so, and `-word`
 * for what must not be there.
 */
import { Lru } from "../../lru.ts";
import { type PlacedWord, placedWords, wordsOf } from "./words.ts";

/** Words that follow each other; of the last one perhaps only the beginning. */
export interface Phrase {
  readonly words: readonly string[];
  readonly isPrefix: boolean;
}

export interface TextQuery {
  /** At least one. */
  readonly wanted: readonly Phrase[];
  readonly unwanted: readonly Phrase[];
}

const QUERY_LENGTH_MAX = 1_024;
const PHRASES_MAX = 32;
const QUERIES_KEPT = 256;
const EXCERPT_BEFORE = 60;
const EXCERPT_LENGTH = 200;
/** Of a text's score: how soon a word that is there again counts for less, and a word in a longer text. */
const SATURATION = 1.2;
const USUAL_LENGTH = 20;

const known = new Lru<string, { readonly query: TextQuery | null }>(QUERIES_KEPT);

function read(text: string): TextQuery | null {
  if (text.length > QUERY_LENGTH_MAX) return null;
  const wanted: Phrase[] = [];
  const unwanted: Phrase[] = [];
  for (const [, sign, quoted, plain = ""] of text.matchAll(/(?:^|(?<=\s))(-?)(?:"([^"]*)"|(\S+))/g)) {
    const words = wordsOf(quoted ?? plain);
    const isPrefix = quoted === undefined && plain.endsWith("*");
    if (words.length > 0) (sign ? unwanted : wanted).push({ words, isPrefix });
  }
  return wanted.length === 0 || wanted.length + unwanted.length > PHRASES_MAX ? null : { wanted, unwanted };
}

/** @returns null for a text that says nothing to look for. */
export function parseTextQuery(text: string): TextQuery | null {
  let found = known.get(text);
  if (!found) known.set(text, (found = { query: read(text) }), 1);
  return found.query;
}

/** Whether the index of words tells all: nothing but words that must be there. */
export const isPlain = ({ wanted, unwanted }: TextQuery): boolean =>
  unwanted.length === 0 && wanted.every(({ words }) => words.length === 1);

function standsAt({ words, isPrefix }: Phrase, all: readonly string[], at: number): boolean {
  return words.every((word, place) => {
    const found = all[at + place];
    if (found === undefined) return false;
    return isPrefix && place === words.length - 1 ? found.startsWith(word) : found === word;
  });
}

const countOf = (phrase: Phrase, all: readonly string[]): number =>
  all.reduce((count, _, at) => (standsAt(phrase, all, at) ? count + 1 : count), 0);
const has = (phrase: Phrase, all: readonly string[]): boolean =>
  all.some((_, at) => standsAt(phrase, all, at));

export function matches({ wanted, unwanted }: TextQuery, text: string): boolean {
  const words = wordsOf(text);
  return wanted.every((phrase) => has(phrase, words)) && !unwanted.some((phrase) => has(phrase, words));
}

/**
 * How well a text fits: more for words that are there often, less for a long text; 0 for one that does not match. It
 * looks at nothing but this text: how rare a word is elsewhere would tell of documents that may not be read.
 */
export function scoreOf(query: TextQuery, text: string): number {
  if (!matches(query, text)) return 0;
  const words = wordsOf(text);
  const weight = SATURATION * (0.25 + (0.75 * words.length) / USUAL_LENGTH);
  return query.wanted.reduce((sum, phrase) => {
    const count = countOf(phrase, words);
    return sum + (count * (SATURATION + 1)) / (count + weight);
  }, 0);
}

/** Where a text matches for the first time; null where it does not. */
function firstPlace({ wanted }: TextQuery, text: string): number | null {
  const longest = Math.max(...wanted.map(({ words }) => words.length));
  const last: PlacedWord[] = [];
  const begins = (): boolean =>
    wanted.some((phrase) =>
      standsAt(
        phrase,
        last.map(({ word }) => word),
        0,
      ),
    );
  for (const placed of placedWords(text)) {
    last.push(placed);
    if (last.length < longest) continue;
    if (begins()) return last[0]!.from;
    last.shift();
  }
  for (; last.length > 0; last.shift()) if (begins()) return last[0]!.from;
  return null;
}

/** The part of a text that shows why it matches, in one line; its ends are not in the middle of words. */
export function excerptOf(query: TextQuery, text: string): string {
  const found = firstPlace(query, text) ?? 0;
  const from = found <= EXCERPT_BEFORE ? 0 : found - EXCERPT_BEFORE;
  const shown = text.slice(from, from + EXCERPT_LENGTH);
  const isWhole = from + EXCERPT_LENGTH >= text.length;
  const words = [...placedWords(shown)];
  // What stands at a cut is left out, unless there is nothing else.
  const start = from === 0 ? 0 : (words.find((word) => word.from > 0)?.from ?? 0);
  const end = isWhole ? shown.length : (words.findLast((word) => word.to < shown.length)?.to ?? shown.length);
  const line = shown
    .slice(Math.min(start, found - from), Math.max(end, start))
    .replace(/\s+/g, " ")
    .trim();
  return `${from > 0 ? "… " : ""}${line.toWellFormed()}${isWhole ? "" : " …"}`;
}
