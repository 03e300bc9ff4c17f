/**
 * The words of a text, as full-text search compares them: without case, accents and compatibility forms. Where a script
 * writes no spaces between words (Chinese, Japanese), each character is one, and a word of several is a phrase.
 */

// A word is of letters, digits and their marks.
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[[\p{L}\p{N}\p{M}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]]+/gv;
const ASCII_WORD = /[a-z0-9]+/g;
// oxlint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\u0000-\u007f]*$/;
/** Longer ones are no words: keys, images in base64. */
const WORD_LENGTH_MAX = 64;

function fold(word: string): string {
  return word
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}+/gu, "");
}

const isWord = (word: string): boolean => word !== "" && word.length <= WORD_LENGTH_MAX;

/** In the order of the text. */
export function wordsOf(text: string): readonly string[] {
  if (ASCII.test(text)) return (text.toLowerCase().match(ASCII_WORD) ?? []).filter(isWord);
  return (text.match(WORD) ?? []).map(fold).filter(isWord);
}

export interface PlacedWord {
  readonly word: string;
  /** Where it begins and ends in the text. */
  readonly from: number;
  readonly to: number;
}

/** One after the other, for a text may be long and what one looks for at its beginning. */
export function* placedWords(text: string): Generator<PlacedWord> {
  for (const { 0: found, index } of text.matchAll(WORD)) {
    const word = fold(found);
    if (isWord(word)) yield { word, from: index, to: index + found.length };
  }
}
