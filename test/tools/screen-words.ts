/** The words that the pages show, read out of their templates; and how hard they are to read. */

/** One piece of text of a screen, with what was put into it at run time taken as one plain word. */
export interface ScreenText {
  readonly file: string;
  readonly text: string;
}

/** Attributes that are read out or shown. */
const SPOKEN = /\b(?:aria-label|title|placeholder|alt)=(?:"([^"]*)"|'([^']*)')/g;

/** From the backtick on: where the template ends, and its text with `…` for what is put in; templates within are left to the caller's search. */
function templateAt(source: string, start: number): { readonly end: number; readonly text: string } {
  let text = "";
  let at = start + 1;
  while (at < source.length && source[at] !== "`") {
    if (source.startsWith("${", at)) {
      at = expressionEnd(source, at + 2);
      text += "…";
    } else {
      text += source[at];
      at += source[at] === "\\" ? 2 : 1;
    }
  }
  return { end: at, text };
}

/** Where the expression that begins here has its closing brace, plus one. */
function expressionEnd(source: string, start: number): number {
  let depth = 1;
  let at = start;
  while (at < source.length && depth > 0) {
    const letter = source[at];
    if (letter === "`") at = templateAt(source, at).end;
    else if (letter === '"' || letter === "'") at = source.indexOf(letter, at + 1);
    else if (letter === "{") depth += 1;
    else if (letter === "}") depth -= 1;
    at += 1;
  }
  return at;
}

/** Texts of all `html` templates of a module, and what stands in it as a sentence: begins with a capital and has more than one word. */
export function wordsOf(file: string, source: string): readonly ScreenText[] {
  const found: string[] = [];
  for (const { index } of source.matchAll(/\bhtml`/g)) {
    const { text } = templateAt(source, index + "html".length);
    for (const [, double, single] of text.matchAll(SPOKEN)) found.push(double ?? single ?? "");
    const blocks = text
      .replace(/<!--.*?-->/gs, "")
      .replace(/<\/?(?:b|strong|em|small|span|a|code|br|i)\b(?:"[^"]*"|'[^']*'|[^>"'])*>/g, " ")
      .split(/<(?:"[^"]*"|'[^']*'|[^>"'])*>/);
    found.push(...blocks);
  }
  for (const { index } of source.matchAll(/(?<!html)`(?=[A-Z][a-z]*\s)/g))
    found.push(templateAt(source, index).text);
  for (const [, text] of source.matchAll(/"([A-Z][a-z]*,?\s[^"\n]*)"/g)) found.push(text ?? "");
  return [...new Set(found)]
    .map((text) =>
      text
        .replaceAll(/&[a-z]+;/g, " ")
        .replaceAll(/\s+/g, " ")
        .trim(),
    )
    .filter((text) => /[A-Za-z]{3}/.test(text))
    .map((text) => ({ file, text }));
}

/** @returns sentences of at least three words; what was put in counts as a word. */
export const sentencesOf = (text: string): readonly string[] =>
  text
    .split(/(?<=[.:;?])\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.split(/\s+/).length >= 3);

export const wordCount = (sentence: string): number =>
  sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}…]/u.test(word)).length;

/** Groups of vowels, but for a silent e at the end: good to about one in ten. */
function syllables(word: string): number {
  const letters = word
    .toLowerCase()
    .replace(/[^a-z]/g, "")
    .replace(/(?:[^laeiouy]es|[^td]ed|[^laeiouy]e)$/, "");
  return Math.max(1, letters.match(/[aeiouy]{1,2}/g)?.length ?? 0);
}

/** School grade by Flesch and Kincaid. https://apps.dtic.mil/sti/citations/ADA006655 */
export function gradeOf(sentences: readonly string[]): number {
  const words = sentences.flatMap((sentence) =>
    sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}…]/u.test(word)),
  );
  const all = words.reduce((sum, word) => sum + syllables(word), 0);
  return 0.39 * (words.length / sentences.length) + 11.8 * (all / words.length) - 15.59;
}
