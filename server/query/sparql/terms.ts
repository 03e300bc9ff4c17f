/** Terms of a query: addresses, names with prefixes, literals, and what the prologue declares. */
import { rdf, xsd } from "@freehold/vocab";
import { faultOfIri } from "../../rdf/bounded.ts";
import { CHAR, CLASS, DIGIT } from "../../rdf/characters.ts";
import { createResolver } from "../../rdf/resolve.ts";
import { type Literal, literal, type NamedNode, namedNode } from "../../rdf/terms.ts";
import {
  endOfPrefix,
  iriFrom,
  localName,
  type NumberKind,
  passIri,
  passNumber,
  passPrefixedName,
  peek,
  readLanguage,
  readString,
} from "../../rdf/tokens.ts";
import { expected, type Parser, passesWord, takeWord, word } from "./parser.ts";

const NUMBERS: Readonly<Record<NumberKind, NamedNode>> = {
  integer: namedNode(xsd.integer),
  decimal: namedNode(xsd.decimal),
  double: namedNode(xsd.double),
};
const BOOLEAN = namedNode(xsd.boolean);
export const TRUE: Literal = literal("true", BOOLEAN);
export const FALSE: Literal = literal("false", BOOLEAN);
export const TYPE: NamedNode = namedNode(rdf.type);
export const FIRST: NamedNode = namedNode(rdf.first);
export const REST: NamedNode = namedNode(rdf.rest);
export const NIL: NamedNode = namedNode(rdf.nil);

function nodeOf(parser: Parser, spelling: string, iri: string | null): NamedNode {
  if (iri === null) throw parser.mistake("An address has no colon in its first part but after a scheme");
  const fault = faultOfIri(iri, parser.limits.iriBytesMax);
  if (fault !== null) throw parser.mistake(fault);
  const node = namedNode(iri);
  parser.nodes.set(spelling, node);
  return node;
}

function readAddress(parser: Parser): NamedNode {
  const from = parser.at;
  passIri(parser);
  const spelling = parser.text.slice(from, parser.at);
  const known = parser.nodes.get(spelling);
  if (known !== undefined) return known;
  const reference = iriFrom(parser, from);
  return nodeOf(
    parser,
    spelling,
    reference.length > parser.limits.iriBytesMax ? reference : parser.resolve(reference),
  );
}

/** @returns the IRI that comes next, in whichever spelling, or null where none does. */
export function readIri(parser: Parser): NamedNode | null {
  const next = peek(parser);
  if (next === CHAR.OPEN_IRI) return readAddress(parser);
  const from = parser.at;
  const colon = passPrefixedName(parser);
  if (colon < 0) return null;
  const spelling = parser.text.slice(from, parser.at);
  const known = parser.nodes.get(spelling);
  if (known !== undefined) return known;
  const prefix = parser.text.slice(from, colon);
  const namespace = parser.prefixes.get(prefix);
  if (namespace === undefined) throw parser.mistake(`The prefix “${prefix.slice(0, 64)}:” is not declared`);
  return nodeOf(parser, spelling, namespace + localName(spelling.slice(colon - from + 1)));
}

export function takeIri(parser: Parser): NamedNode {
  const node = readIri(parser);
  if (node === null) throw expected(parser, "an IRI");
  return node;
}

/** @returns the string that comes next, or null where none does. */
export function readText(parser: Parser): string | null {
  const next = peek(parser);
  return next === CHAR.QUOTE || next === CHAR.APOSTROPHE ? readString(parser) : null;
}

/** @returns the literal that comes next, or null where none does. Signs belong to numbers. */
export function readLiteral(parser: Parser): Literal | null {
  const from = parser.at;
  const text = readText(parser);
  if (text !== null) {
    const { literalBytesMax } = parser.limits;
    if (text.length * 3 > literalBytesMax && Buffer.byteLength(text) > literalBytesMax)
      throw parser.mistake(`A literal has at most ${literalBytesMax} bytes`, from);
    const next = peek(parser);
    if (next === CHAR.AT) return literal(text, readLanguage(parser));
    if (next !== CHAR.CARET || parser.codes[parser.at + 1] !== CHAR.CARET) return literal(text);
    parser.at += 2;
    return literal(text, takeIri(parser));
  }
  const start = parser.at;
  const kind = passNumber(parser);
  if (kind !== null) return literal(parser.text.slice(start, parser.at), NUMBERS[kind]);
  const keyword = word(parser);
  if (keyword !== "TRUE" && keyword !== "FALSE") return null;
  parser.at += keyword.length;
  return keyword === "TRUE" ? TRUE : FALSE;
}

/** @returns whether a number with a sign stands at an offset, and not a sign before something else. */
export function isSignedNumber({ codes }: Parser, at: number): boolean {
  const first = codes[at + 1]!;
  return (CLASS[first === CHAR.DOT ? codes[at + 2]! : first]! & DIGIT) !== 0;
}

/** Reads BASE and PREFIX as often as they come. https://www.w3.org/TR/sparql11-query/#rPrologue */
export function readPrologue(parser: Parser): void {
  for (;;) {
    const isBase = passesWord(parser, "BASE");
    if (!isBase && word(parser) !== "PREFIX") return;
    let prefix: string | null = null;
    if (!isBase) {
      takeWord(parser, "PREFIX");
      peek(parser);
      const colon = endOfPrefix(parser.codes, parser.at);
      if (colon < 0) throw expected(parser, "a prefix and a colon");
      prefix = parser.text.slice(parser.at, colon);
      parser.at = colon + 1;
    }
    if (peek(parser) !== CHAR.OPEN_IRI) throw expected(parser, "an address in brackets");
    const { value } = readAddress(parser);
    parser.nodes.clear();
    if (prefix === null) {
      parser.baseIri = value;
      parser.resolve = createResolver(value);
    } else parser.prefixes.set(prefix, value);
  }
}
