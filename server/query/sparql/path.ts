/** Property paths. https://www.w3.org/TR/sparql11-query/#rPath */
import { CHAR, CLASS, DIGIT } from "../../rdf/characters.ts";
import type { NamedNode } from "../../rdf/terms.ts";
import { peek } from "../../rdf/tokens.ts";
import type { Path } from "./algebra.ts";
import {
  beginsVariable,
  CODE,
  countPattern,
  deeper,
  expected,
  type Parser,
  passes,
  take,
  word,
} from "./parser.ts";
import { readIri, TYPE } from "./terms.ts";

/** @returns the predicate that comes next, `a` included, or null where none does. */
export function readPredicate(parser: Parser): NamedNode | null {
  if (peek(parser) === CHAR.LOWER_A && word(parser) === "A") {
    parser.at++;
    return TYPE;
  }
  return readIri(parser);
}

export function readPath(parser: Parser): Path {
  const first = readSequence(parser);
  if (peek(parser) !== CODE.BAR) return first;
  const paths = [first];
  while (passes(parser, CODE.BAR)) {
    countPattern(parser);
    paths.push(readSequence(parser));
  }
  return { kind: "alternative", paths };
}

function readSequence(parser: Parser): Path {
  const first = readStep(parser);
  if (peek(parser) !== CODE.SLASH) return first;
  const paths = [first];
  while (passes(parser, CODE.SLASH)) {
    countPattern(parser);
    paths.push(readStep(parser));
  }
  return { kind: "sequence", paths };
}

function readStep(parser: Parser): Path {
  if (!passes(parser, CHAR.CARET)) return readRepeated(parser);
  return { kind: "inverse", path: readRepeated(parser) };
}

function readRepeated(parser: Parser): Path {
  const path = readPrimary(parser);
  const next = peek(parser);
  const after = parser.codes[parser.at + 1]!;
  let kind: "zeroOrMore" | "oneOrMore" | "zeroOrOne" | null = null;
  if (next === CODE.STAR) kind = "zeroOrMore";
  // `?x` is a variable, `+1` and `+.5` are numbers: a word is as long as it can be.
  else if (next === CODE.QUESTION && !beginsVariable(after)) kind = "zeroOrOne";
  else if (next === CHAR.PLUS && (CLASS[after]! & DIGIT) === 0 && after !== CHAR.DOT) kind = "oneOrMore";
  if (kind === null) return path;
  parser.at++;
  return { kind, path };
}

function readPrimary(parser: Parser): Path {
  if (passes(parser, CHAR.OPEN_LIST)) {
    const path = deeper(parser, readPath);
    take(parser, CHAR.CLOSE_LIST);
    return path;
  }
  if (passes(parser, CODE.BANG)) return readNegated(parser);
  const predicate = readPredicate(parser);
  if (predicate === null) throw expected(parser, "a predicate or a path");
  return { kind: "link", predicate };
}

/** `!()` has neither: it is any link forward. With only inverse ones, links forward are none of it. */
function readNegated(parser: Parser): Path {
  const forward: NamedNode[] = [];
  const backward: NamedNode[] = [];
  const readOne = (): void => {
    const links = passes(parser, CHAR.CARET) ? backward : forward;
    const predicate = readPredicate(parser);
    if (predicate === null) throw expected(parser, "a predicate");
    links.push(predicate);
  };
  if (!passes(parser, CHAR.OPEN_LIST)) readOne();
  else if (!passes(parser, CHAR.CLOSE_LIST)) {
    do readOne();
    while (passes(parser, CODE.BAR));
    take(parser, CHAR.CLOSE_LIST);
  }
  return { kind: "not", forward, backward };
}
