/**
 * Regular expressions as SPARQL has them, read into a tree: those of XPath, and of JavaScript's what people expect besides
 * (`(?:…)`, `\b`, `\/`). Back-references and look-around have no linear time, so they are none.
 * https://www.w3.org/TR/xpath-functions/#regex-syntax
 */

/** Decides about one code point. */
export interface CharacterSet {
  /** The same for two sets that hold the same. */
  readonly key: string;
  readonly has: (codePoint: number) => boolean;
}

export type Place = "start" | "end" | "boundary" | "inside";

export type Node =
  | { readonly kind: "set"; readonly set: CharacterSet; readonly literal: string | null }
  | { readonly kind: "place"; readonly place: Place }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "group"; readonly part: Node; readonly number: number }
  | {
      readonly kind: "repeat";
      readonly part: Node;
      readonly least: number;
      readonly most: number;
      readonly isLazy: boolean;
    };

export interface Syntax {
  readonly root: Node;
  readonly groups: number;
}

export interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
}

const DEPTH_MAX = 64;
const REPEAT_MAX = 1_000;
const NEWLINE = 10;
const RETURN = 13;

class SyntaxProblem extends Error {}

const codeOf = (character: string): number => character.codePointAt(0)!;

// White space is that of XML; a word is made of what is neither punctuation, separator nor control, and of `_`, which
// XML Schema leaves out and nobody else does.
const native = (source: string): CharacterSet["has"] => {
  const expression = new RegExp(`^[${source}]$`, "u");
  return (codePoint) => expression.test(String.fromCodePoint(codePoint));
};
const NAME_START =
  ":A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C-\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const CLASSES: Readonly<Record<string, CharacterSet["has"]>> = {
  d: native("\\p{Nd}"),
  s: (codePoint) => codePoint === 32 || codePoint === 9 || codePoint === NEWLINE || codePoint === RETURN,
  w: native("\\p{L}\\p{M}\\p{N}\\p{S}_"),
  i: native(NAME_START),
  c: native(`${NAME_START}\\-.0-9\\xB7\\u0300-\\u036F\\u203F-\\u2040`),
};
export const isWord = CLASSES["w"]!;
export const isNewline = (codePoint: number): boolean => codePoint === NEWLINE;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function classSet(letter: string): CharacterSet {
  const has = CLASSES[letter.toLowerCase()]!;
  const isNegated = letter !== letter.toLowerCase();
  return { key: `\\${letter}`, has: isNegated ? (codePoint) => !has(codePoint) : has };
}

const categories = new Map<string, CharacterSet["has"]>();
/** @param name Of a general category: `Lu`, `L`. Blocks (`IsGreek`) are not known. */
function categorySet(name: string, isNegated: boolean): CharacterSet {
  if (!/^(?:L[ulmot]?|M[nce]?|N[dlo]?|P[cdseifo]?|Z[slp]?|S[mcko]?|C[cfon]?)$/.test(name))
    throw new SyntaxProblem();
  let has = categories.get(name);
  if (!has) categories.set(name, (has = native(`\\p{${name}}`)));
  const found = has;
  return {
    key: `\\${isNegated ? "P" : "p"}{${name}}`,
    has: isNegated ? (codePoint) => !found(codePoint) : found,
  };
}

/** All that differ from it in case only. https://www.w3.org/TR/xpath-functions/#flags */
function caseVariants(codePoint: number): readonly number[] {
  const found = new Set([codePoint]);
  const add = (text: string): void => {
    const code = codeOf(text);
    if (text.length === String.fromCodePoint(code).length) found.add(code);
  };
  const character = String.fromCodePoint(codePoint);
  const [lower, upper] = [character.toLowerCase(), character.toUpperCase()];
  for (const text of [lower, upper, lower.toUpperCase(), upper.toLowerCase()]) add(text);
  return [...found];
}

class Parser {
  readonly #characters: readonly string[];
  readonly #flags: Flags;
  #at = 0;
  #groups = 0;
  #depth = 0;

  constructor(pattern: string, flags: Flags) {
    this.#characters = Array.from(pattern);
    this.#flags = flags;
  }

  parse(): Syntax {
    const root = this.#choice();
    if (this.#at < this.#characters.length) throw new SyntaxProblem();
    return { root, groups: this.#groups };
  }

  #take(expected: string): boolean {
    if (this.#characters[this.#at] !== expected) return false;
    this.#at++;
    return true;
  }

  #choice(): Node {
    if (++this.#depth > DEPTH_MAX) throw new SyntaxProblem();
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (
      let next = this.#characters[this.#at];
      next !== undefined && next !== "|" && next !== ")";
      next = this.#characters[this.#at]
    )
      parts.push(this.#repeated(this.#atom()));
    return { kind: "sequence", parts };
  }

  #repeated(part: Node): Node {
    const range = this.#range();
    if (!range) return part;
    if (part.kind === "place") throw new SyntaxProblem();
    const isLazy = this.#take("?");
    if (this.#range()) throw new SyntaxProblem();
    return { kind: "repeat", part, least: range[0], most: range[1], isLazy };
  }

  #range(): readonly [least: number, most: number] | null {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    if (this.#characters[this.#at] !== "{") return null;
    const text = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.#characters.slice(this.#at, this.#at + 12).join(""));
    if (!text) throw new SyntaxProblem();
    this.#at += text[0].length;
    const least = Number(text[1]);
    const most = text[2] === "" ? least : text[3] === "" ? Number.POSITIVE_INFINITY : Number(text[3]);
    const isTooLong = least > REPEAT_MAX || (Number.isFinite(most) && most > REPEAT_MAX);
    if (most < least || isTooLong) throw new SyntaxProblem();
    return [least, most];
  }

  #atom(): Node {
    const character = this.#characters[this.#at++]!;
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", set: this.#class(), literal: null };
      case "\\":
        return this.#escape();
      case ".":
        return this.#dot();
      case "^":
        return { kind: "place", place: "start" };
      case "$":
        return { kind: "place", place: "end" };
      case "*":
      case "+":
      case "?":
      case "{":
        throw new SyntaxProblem();
      default:
        return this.#single(character);
    }
  }

  #group(): Node {
    if (this.#take("?")) {
      if (!this.#take(":")) throw new SyntaxProblem();
      const part = this.#choice();
      if (!this.#take(")")) throw new SyntaxProblem();
      return part;
    }
    const number = ++this.#groups;
    const part = this.#choice();
    if (!this.#take(")")) throw new SyntaxProblem();
    return { kind: "group", part, number };
  }

  #dot(): Node {
    const set: CharacterSet = this.#flags.dotAll
      ? { key: "any", has: () => true }
      : { key: "dot", has: (codePoint) => codePoint !== NEWLINE && codePoint !== RETURN };
    return { kind: "set", set, literal: null };
  }

  #single(character: string): Node {
    const code = codeOf(character);
    if (!this.#flags.ignoreCase)
      return { kind: "set", set: { key: character, has: (found) => found === code }, literal: character };
    const variants = caseVariants(code);
    return {
      kind: "set",
      set: {
        key: `i${character}`,
        has: (found) => variants.includes(found) || caseVariants(found).includes(code),
      },
      literal: variants.length === 1 ? character : null,
    };
  }

  /** After a backslash, of a set of characters; null for what stands for one character. */
  #escapedSet(letter: string): CharacterSet | null {
    if (/^[dswicDSWIC]$/.test(letter)) return classSet(letter);
    if (letter !== "p" && letter !== "P") return null;
    const name = /^\{([A-Za-z]{1,40})\}/.exec(this.#characters.slice(this.#at, this.#at + 44).join(""));
    if (!name) throw new SyntaxProblem();
    this.#at += name[0].length;
    return categorySet(name[1]!, letter === "P");
  }

  #escapedCharacter(letter: string): string {
    const known = ESCAPES[letter];
    if (known === undefined && /^[A-Za-z0-9]$/.test(letter)) throw new SyntaxProblem();
    return known ?? letter;
  }

  #escape(): Node {
    const letter = this.#characters[this.#at++];
    if (letter === undefined) throw new SyntaxProblem();
    if (letter === "b" || letter === "B")
      return { kind: "place", place: letter === "b" ? "boundary" : "inside" };
    const set = this.#escapedSet(letter);
    return set ? { kind: "set", set, literal: null } : this.#single(this.#escapedCharacter(letter));
  }

  /** After the bracket that opens it. */
  #class(): CharacterSet {
    if (++this.#depth > DEPTH_MAX) throw new SyntaxProblem();
    const from = this.#at;
    const isNegated = this.#take("^");
    const tests: CharacterSet["has"][] = [];
    let without: CharacterSet["has"] | null = null;
    for (let isFirst = true; ; isFirst = false) {
      const character = this.#characters[this.#at++];
      if (character === undefined) throw new SyntaxProblem();
      if (character === "]" && !isFirst) break;
      if (character === "]") throw new SyntaxProblem();
      if (character === "-" && !isFirst && this.#take("[")) {
        without = this.#class().has;
        if (!this.#take("]")) throw new SyntaxProblem();
        break;
      }
      tests.push(this.#member(character));
    }
    this.#depth--;
    const key = `[${this.#flags.ignoreCase ? "i" : ""}${this.#characters.slice(from, this.#at).join("")}`;
    const isIn: CharacterSet["has"] = (codePoint) => tests.some((test) => test(codePoint));
    const isAny: CharacterSet["has"] = this.#flags.ignoreCase
      ? (codePoint) => caseVariants(codePoint).some(isIn)
      : isIn;
    const except = without;
    return { key, has: (codePoint) => isAny(codePoint) !== isNegated && !except?.(codePoint) };
  }

  /** One character, a range, or an escaped set, within a class. */
  #member(first: string): CharacterSet["has"] {
    let start = first;
    if (first === "\\") {
      const letter = this.#characters[this.#at++];
      if (letter === undefined) throw new SyntaxProblem();
      const set = this.#escapedSet(letter);
      if (set) return set.has;
      start = this.#escapedCharacter(letter);
    }
    const from = codeOf(start);
    const [dash, end] = [this.#characters[this.#at], this.#characters[this.#at + 1]];
    if (dash !== "-" || end === undefined || end === "]" || end === "[")
      return (codePoint) => codePoint === from;
    this.#at += 2;
    let last = end;
    if (end === "\\") {
      const letter = this.#characters[this.#at++];
      if (letter === undefined || /^[dswicpDSWICP]$/.test(letter)) throw new SyntaxProblem();
      last = this.#escapedCharacter(letter);
    }
    const to = codeOf(last);
    if (to < from) throw new SyntaxProblem();
    return (codePoint) => codePoint >= from && codePoint <= to;
  }
}

/** `x`: white space is no part of the pattern, but within a class. */
function withoutSpace(pattern: string): string {
  let isClass = false;
  let isEscaped = false;
  let kept = "";
  for (const character of pattern) {
    if (!isEscaped && character === "[") isClass = true;
    else if (!isEscaped && character === "]") isClass = false;
    if (isClass || !/^[ \t\n\r]$/.test(character)) kept += character;
    isEscaped = !isEscaped && character === "\\";
  }
  return kept;
}

/** @returns null for what is no regular expression here. */
export function parseSyntax(
  pattern: string,
  flags: string,
): { readonly syntax: Syntax; readonly flags: Flags } | null {
  if (!/^[smixq]*$/.test(flags)) return null;
  const has = (flag: string): boolean => flags.includes(flag);
  const parsed: Flags = { ignoreCase: has("i"), dotAll: has("s"), multiline: has("m") };
  const source = has("q")
    ? pattern.replace(/[\\^$.*+?()[\]{}|-]/g, "\\$&")
    : has("x")
      ? withoutSpace(pattern)
      : pattern;
  try {
    return { syntax: new Parser(source, parsed).parse(), flags: parsed };
  } catch (error) {
    if (error instanceof SyntaxProblem) return null;
    throw error;
  }
}
