/** The text of a query or an update, how far it is read, and what was said so far that still counts. */
import { Problem } from "../../errors.ts";
import type { LIMITS } from "../../limits.ts";
import { CHAR, CLASS, DIGIT, LETTER, NAME, START } from "../../rdf/characters.ts";
import { codesOf } from "../../rdf/reader.ts";
import { createResolver } from "../../rdf/resolve.ts";
import type { NamedNode } from "../../rdf/terms.ts";
import { type Cursor, endOfPrefix, peek } from "../../rdf/tokens.ts";
import type { Aggregate, Expression, Pattern } from "./algebra.ts";

/** What parsing needs of the limits. */
export type SparqlLimits = Readonly<
  Record<
    Extract<
      keyof typeof LIMITS,
      | "queryDepthMax"
      | "queryPatternsMax"
      | "queryOperatorsMax"
      | "queryRegexBytesMax"
      | "literalBytesMax"
      | "iriBytesMax"
      | "rdfQuadsMax"
      | "queryTextBytesMax"
      | "patchBytesMax"
    >,
    number
  >
>;

/** What brackets `{ … }` hold: its filters apart, because OPTIONAL takes those of its own group as its condition. */
export interface Group {
  readonly pattern: Pattern;
  readonly filter: Expression | null;
}

/** Where aggregates may stand: those found so far, each under the name of its variable. */
export type Aggregates = Map<string, { readonly variable: string; readonly aggregate: Aggregate }>;

export interface Parser extends Cursor {
  readonly limits: SparqlLimits;
  baseIri: string;
  resolve: (reference: string) => string | null;
  /** From prefix to namespace. */
  readonly prefixes: Map<string, string>;
  /** Nodes by how they are spelled; empty again after each declaration. */
  readonly nodes: Map<string, NamedNode>;
  /** How deep the present place is. */
  depth: number;
  patterns: number;
  operators: number;
  /** Triples of INSERT DATA and DELETE DATA. */
  data: number;
  /** How many names were made up. */
  made: number;
  /** Which basic graph pattern is read now, how many there were, and to which each label belongs. */
  block: number;
  blocks: number;
  readonly labels: Map<string, number>;
  /** Labels of INSERT DATA, and in which operation of an update. */
  readonly dataLabels: Map<string, number>;
  /** Variables that are in scope in the group that is read now. https://www.w3.org/TR/sparql11-query/#variableScope */
  scope: Set<string>;
  /** Null where no aggregate may stand. */
  aggregates: Aggregates | null;
  /** Variables of the present expression outside of aggregates; null where nobody asks. */
  free: Set<string> | null;
  /** Set by the part that reads groups, for expressions hold groups and groups hold expressions. */
  readonly readGroup: (parser: Parser) => Group;
  readonly readSubSelect: (parser: Parser) => Pattern;
  /** Of `word`: the keyword that stands at an offset. */
  wordAt: number;
  word: string;
}

/** Beyond these, no shift is worth keeping: places in mistakes are then a little off. */
const SHIFTS_MAX = 1_000;

/** Where the text as it was sent is longer than what is read: from an offset on, by so many units. */
type Shifts = (readonly [number, number])[];

/**
 * `\u0041` may stand anywhere. Only what can be part of a name is put in here: within strings and addresses escapes are
 * read with them, and a quote or a bracket that was escaped never ends anything.
 * @see https://www.w3.org/TR/sparql11-query/#codepointEscape
 */
function withoutEscapes(text: string): { readonly text: string; readonly shifts: Shifts } {
  const shifts: Shifts = [];
  if (!text.includes("\\u") && !text.includes("\\U")) return { text, shifts };
  let removed = 0;
  const plain = text.replaceAll(
    /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[\s\S])/g,
    (escape, short: string | undefined, long: string | undefined, at: number) => {
      const code = Number.parseInt(short ?? long ?? "", 16);
      if (!(code < 0xd8_00 || (code > 0xdf_ff && code <= 0x10_ff_ff))) return escape;
      if (code <= 0xff_ff && (CLASS[code]! & (START | NAME)) === 0) return escape;
      const character = String.fromCodePoint(code);
      removed += escape.length - character.length;
      if (shifts.length < SHIFTS_MAX) shifts.push([at + escape.length - removed, removed]);
      return character;
    },
  );
  return { text: plain, shifts };
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

export function createParser(
  written: string,
  baseIri: string,
  limits: SparqlLimits,
  parts: Pick<Parser, "readGroup" | "readSubSelect">,
): Parser {
  const { text, shifts } = withoutEscapes(written);
  const mistake = (detail: string, offset = parser.start): Problem => {
    const shift = shifts.findLast(([from]) => from <= offset)?.[1] ?? 0;
    const at = placeOf(written, offset + shift);
    return new Problem("query-invalid", `${detail} (line:column ${at})`, { errors: [{ detail, at }] });
  };
  const parser: Parser = {
    text,
    codes: codesOf(text),
    at: 0,
    start: 0,
    mistake,
    limits,
    baseIri,
    resolve: createResolver(baseIri),
    prefixes: new Map(),
    nodes: new Map(),
    depth: 0,
    patterns: 0,
    operators: 0,
    data: 0,
    made: 0,
    block: 0,
    blocks: 0,
    labels: new Map(),
    dataLabels: new Map(),
    scope: new Set(),
    aggregates: null,
    free: null,
    ...parts,
    wordAt: -1,
    word: "",
  };
  if (!text.isWellFormed()) throw mistake("The text holds half a character", 0);
  return parser;
}

/** @returns what stands at the cursor, cut short. */
function found({ text, at }: Parser): string {
  if (at >= text.length) return "the end";
  const [token] = /^(?:[\p{L}\p{N}_:?$@-]{1,32}|[\s\S])/u.exec(text.slice(at, at + 32)) ?? ["?"];
  return `“${token}”`;
}

export function expected(parser: Parser, what: string): Problem {
  peek(parser);
  return parser.mistake(`Expected ${what}, found ${found(parser)}`);
}

/** Runs what is one level deeper. @throws Problem `query-refused` when that is too deep. */
export function deeper<T>(parser: Parser, read: (parser: Parser) => T): T {
  if (++parser.depth > parser.limits.queryDepthMax)
    throw new Problem("query-refused", `A query nests at most ${parser.limits.queryDepthMax} deep`);
  const result = read(parser);
  parser.depth--;
  return result;
}

/** One more of what an evaluator must do for a query. @throws Problem `query-refused` for one too many. */
export function countPattern(parser: Parser): void {
  if (++parser.patterns > parser.limits.queryPatternsMax)
    throw new Problem("query-refused", `A query has at most ${parser.limits.queryPatternsMax} patterns`);
}

/** Data are not evaluated: there may be as many as in a document. */
export function countData(parser: Parser): void {
  if (++parser.data > parser.limits.rdfQuadsMax)
    throw new Problem("query-refused", `An update names at most ${parser.limits.rdfQuadsMax} triples`);
}

/** What comes next is another basic graph pattern. */
export const beginBlock = (parser: Parser): void => void (parser.block = ++parser.blocks);

/** @returns whether that character comes next; then it is moved past. */
export function passes(parser: Parser, code: number): boolean {
  if (peek(parser) !== code) return false;
  parser.at++;
  return true;
}

/** Moves past a character that must come next. */
export function take(parser: Parser, code: number): void {
  if (!passes(parser, code)) throw expected(parser, `“${String.fromCharCode(code)}”`);
}

/** @returns the keyword that comes next, in capitals, and "" where none does: `filter:x` is a name, not a keyword. */
export function word(parser: Parser): string {
  const code = peek(parser);
  if ((CLASS[code]! & LETTER) === 0) return "";
  if (parser.wordAt === parser.at) return parser.word;
  const { codes, at } = parser;
  let end = at + 1;
  while (codes[end]! < 0x80 && (CLASS[codes[end]!]! & START) !== 0) end++;
  const next = codes[end]!;
  const isName =
    (next === CHAR.COLON || next === CHAR.DOT || (CLASS[next]! & NAME) !== 0) && endOfPrefix(codes, at) >= 0;
  parser.wordAt = at;
  parser.word = isName || end - at > 32 ? "" : parser.text.slice(at, end).toUpperCase();
  return parser.word;
}

/** @returns whether that keyword comes next; then it is moved past. */
export function passesWord(parser: Parser, keyword: string): boolean {
  if (word(parser) !== keyword) return false;
  parser.at += keyword.length;
  return true;
}

export function takeWord(parser: Parser, keyword: string): void {
  if (!passesWord(parser, keyword)) throw expected(parser, keyword);
}

/** A name that no text can spell. */
export const madeUp = (parser: Parser, sort: "" | "_:" = ""): string => `${sort}.${++parser.made}`;

const isOfVariable = (code: number): boolean => code !== CHAR.MINUS && (CLASS[code]! & NAME) !== 0;
export const beginsVariable = (code: number): boolean => (CLASS[code]! & START) !== 0;

/** @returns the name of the variable that comes next, or null where none does. https://www.w3.org/TR/sparql11-query/#rVARNAME */
export function readVariable(parser: Parser): string | null {
  const sign = peek(parser);
  const { codes, at } = parser;
  if ((sign !== CODE.QUESTION && sign !== CODE.DOLLAR) || !beginsVariable(codes[at + 1]!)) return null;
  let end = at + 2;
  while (isOfVariable(codes[end]!)) end++;
  parser.at = end;
  return parser.text.slice(at + 1, end);
}

/** @returns a name that must come next. */
export function takeVariable(parser: Parser): string {
  const name = readVariable(parser);
  if (name === null) throw expected(parser, "a variable");
  return name;
}

/** @returns the whole number that must come next. */
export function takeCount(parser: Parser): number {
  peek(parser);
  const { codes, at } = parser;
  let end = at;
  while ((CLASS[codes[end]!]! & DIGIT) !== 0) end++;
  if (end === at) throw expected(parser, "a whole number");
  parser.at = end;
  return Math.min(Number(parser.text.slice(at, end)), Number.MAX_SAFE_INTEGER);
}

// biome-ignore format: a table
/** Characters that mean something in SPARQL and nothing in Turtle. */
export const CODE = {
  BANG: 0x21, DOLLAR: 0x24, AND: 0x26, STAR: 0x2a, SLASH: 0x2f, EQUALS: 0x3d, QUESTION: 0x3f, OPEN: 0x7b, BAR: 0x7c,
  CLOSE: 0x7d,
} as const;
