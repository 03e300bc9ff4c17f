/** Triples as they are written, `;`, `,`, lists and brackets included. https://www.w3.org/TR/sparql11-query/#rTriplesBlock */
import { CHAR } from "../../rdf/characters.ts";
import { type BlankNode, blankNode, variable } from "../../rdf/terms.ts";
import { peek, readLabel } from "../../rdf/tokens.ts";
import type { Path, Place, TriplePattern, Variable } from "./algebra.ts";
import { CODE, deeper, expected, madeUp, type Parser, passes, readVariable, take } from "./parser.ts";
import { readPath, readPredicate } from "./path.ts";
import { FIRST, NIL, REST, readIri, readLiteral } from "./terms.ts";

/** Where triples go, and what may stand in them. */
export interface Triples {
  add(triple: TriplePattern): void;
  /** Null where only plain predicates may stand. */
  readonly addPath: ((subject: Place, path: Path, object: Place) => void) | null;
  /** @returns what stands for a blank node: of a label, or of brackets (null). */
  blank(parser: Parser, label: string | null): Place;
  readonly hasVariables: boolean;
  /** Called once for each triple that is written. @throws Problem for one too many. */
  readonly count: (parser: Parser) => void;
}

/**
 * Blank nodes of a pattern are variables, and a label belongs to one basic graph pattern.
 * https://www.w3.org/TR/sparql11-query/#QSynBlankNodes
 */
export function blankOfPattern(parser: Parser, label: string | null): Place {
  if (label === null) return variable(madeUp(parser, "_:"));
  const block = parser.labels.get(label);
  if (block !== undefined && block !== parser.block)
    throw parser.mistake(
      `The blank node _:${label.slice(0, 64)} stands in another group of patterns already`,
    );
  parser.labels.set(label, parser.block);
  return variable(`_:${label}`);
}

/** In a template they are themselves: fresh ones for each solution. Generated labels begin with a dot. */
export const blankOfTemplate = (parser: Parser, label: string | null): BlankNode =>
  blankNode(label ?? madeUp(parser));

const beginsNode = (code: number): boolean => code === CHAR.OPEN_LIST || code === CHAR.OPEN_NODE;

/** @returns the term or variable that comes next, or null where none does or it is in brackets. */
function readPlain(parser: Parser, triples: Triples): Place | null {
  const code = peek(parser);
  if (code === CHAR.UNDERSCORE) return triples.blank(parser, readLabel(parser));
  const name = readVariable(parser);
  if (name === null) return readIri(parser) ?? readLiteral(parser);
  if (!triples.hasVariables) throw parser.mistake("Data have no variables");
  parser.scope.add(name);
  return variable(name);
}

/** Adds a triple, a path by what it means. https://www.w3.org/TR/sparql11-query/#sparqlTranslatePathExpressions */
function addLink(parser: Parser, triples: Triples, subject: Place, path: Path, object: Place): void {
  if (path.kind === "link") return triples.add({ subject, predicate: path.predicate, object });
  if (path.kind === "inverse") return addLink(parser, triples, object, path.path, subject);
  if (path.kind !== "sequence") return triples.addPath!(subject, path, object);
  let from = subject;
  for (const [at, step] of path.paths.entries()) {
    const to = at === path.paths.length - 1 ? object : variable(madeUp(parser));
    addLink(parser, triples, from, step, to);
    from = to;
  }
}

function readVerb(parser: Parser, triples: Triples): Path | Variable {
  const name = readVariable(parser);
  if (name !== null) {
    if (!triples.hasVariables) throw parser.mistake("Data have no variables");
    parser.scope.add(name);
    return variable(name);
  }
  if (triples.addPath !== null) return readPath(parser);
  const predicate = readPredicate(parser);
  if (predicate === null) throw expected(parser, "a predicate");
  return { kind: "link", predicate };
}

/** Whether nothing more can be said of the same subject. */
function endsProperties(code: number): boolean {
  return code === CHAR.DOT || code === CODE.CLOSE || code === CHAR.CLOSE_NODE || code === CHAR.END;
}

function readProperties(parser: Parser, triples: Triples, subject: Place): void {
  for (;;) {
    const verb = readVerb(parser, triples);
    do {
      const object = readNode(parser, triples);
      triples.count(parser);
      if ("termType" in verb) triples.add({ subject, predicate: verb, object });
      else addLink(parser, triples, subject, verb, object);
    } while (passes(parser, CHAR.COMMA));
    if (peek(parser) !== CHAR.SEMICOLON) return;
    while (passes(parser, CHAR.SEMICOLON));
    if (!beginsVerb(parser)) return;
  }
}

/** Behind `;` nothing more need come: a keyword, such as FILTER, may follow. */
function beginsVerb(parser: Parser): boolean {
  const code = peek(parser);
  if (endsProperties(code) || code === CODE.OPEN) return false;
  const { at } = parser;
  const isVerb =
    "!^(".includes(String.fromCharCode(code)) ||
    readVariable(parser) !== null ||
    readPredicate(parser) !== null;
  parser.at = at;
  return isVerb;
}

/** Reads what may stand as an object, and what is said of it in its brackets. */
function readNode(parser: Parser, triples: Triples): Place {
  const code = peek(parser);
  const node = beginsNode(code) ? readBrackets(parser, triples).node : readPlain(parser, triples);
  if (node === null) throw expected(parser, "a term or a variable");
  return node;
}

function readBrackets(parser: Parser, triples: Triples): { readonly node: Place; readonly isEmpty: boolean } {
  const isList = peek(parser) === CHAR.OPEN_LIST;
  parser.at++;
  if (passes(parser, isList ? CHAR.CLOSE_LIST : CHAR.CLOSE_NODE))
    return { node: isList ? NIL : triples.blank(parser, null), isEmpty: true };
  const node = triples.blank(parser, null);
  deeper(parser, () => {
    if (isList) readItems(parser, triples, node);
    else readProperties(parser, triples, node);
  });
  take(parser, isList ? CHAR.CLOSE_LIST : CHAR.CLOSE_NODE);
  return { node, isEmpty: false };
}

/** https://www.w3.org/TR/sparql11-query/#collections */
function readItems(parser: Parser, triples: Triples, first: Place): void {
  let cell = first;
  for (;;) {
    triples.count(parser);
    triples.add({ subject: cell, predicate: FIRST, object: readNode(parser, triples) });
    const isLast = peek(parser) === CHAR.CLOSE_LIST;
    const rest: Place = isLast ? NIL : triples.blank(parser, null);
    triples.add({ subject: cell, predicate: REST, object: rest });
    if (isLast) return;
    cell = rest;
  }
}

/** Reads triples, each but the last with its dot. @returns false where none comes next. */
export function readTriples(parser: Parser, triples: Triples): boolean {
  let isAny = false;
  for (;;) {
    const brackets = beginsNode(peek(parser)) ? readBrackets(parser, triples) : null;
    const subject: Place | null = brackets?.node ?? readPlain(parser, triples);
    if (subject === null) return isAny;
    isAny = true;
    if (brackets === null || brackets.isEmpty || beginsVerb(parser)) readProperties(parser, triples, subject);
    if (!passes(parser, CHAR.DOT)) return isAny;
  }
}
