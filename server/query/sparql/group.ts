/**
 * Groups of patterns, and their translation to the algebra as they are read.
 * @see https://www.w3.org/TR/sparql11-query/#sparqlTranslateGraphPatterns
 */
import { CHAR } from "../../rdf/characters.ts";
import { type Literal, type NamedNode, variable } from "../../rdf/terms.ts";
import { peek } from "../../rdf/tokens.ts";
import type { Expression, Pattern, TriplePattern, Variable } from "./algebra.ts";
import { chain, readConstraint, readExpression } from "./expression.ts";
import {
  beginBlock,
  CODE,
  countPattern,
  deeper,
  expected,
  type Group,
  type Parser,
  passes,
  passesWord,
  readVariable,
  take,
  takeVariable,
  takeWord,
  word,
} from "./parser.ts";
import { readIri, readLiteral, takeIri } from "./terms.ts";
import { blankOfPattern, readTriples, type Triples } from "./triples.ts";

const NOTHING: Pattern = Object.freeze({ kind: "bgp", triples: [] });
const isNothing = (pattern: Pattern): boolean => pattern.kind === "bgp" && pattern.triples.length === 0;

/** Joining with the empty pattern changes nothing. https://www.w3.org/TR/sparql11-query/#sparqlSimplification */
export function join(left: Pattern, right: Pattern): Pattern {
  if (isNothing(left)) return right;
  return isNothing(right) ? left : { kind: "join", left, right };
}

export const asPattern = ({ pattern, filter }: Group): Pattern =>
  filter === null ? pattern : { kind: "filter", input: pattern, condition: filter };

/** @returns the name of a graph or a service that must come next. */
function takeName(parser: Parser): NamedNode | Variable {
  const name = readVariable(parser);
  if (name === null) return takeIri(parser);
  parser.scope.add(name);
  return variable(name);
}

/** Reads `{ … }`. Its variables come into the scope around it. */
export function readGroup(parser: Parser): Group {
  take(parser, CODE.OPEN);
  const outer = parser.scope;
  parser.scope = new Set();
  const group = deeper(parser, readElements);
  take(parser, CODE.CLOSE);
  for (const name of parser.scope) outer.add(name);
  parser.scope = outer;
  return group;
}

function readElements(parser: Parser): Group {
  beginBlock(parser);
  if (word(parser) === "SELECT") {
    return { pattern: parser.readSubSelect(parser), filter: null };
  }
  let pattern = NOTHING;
  const filters: Expression[] = [];
  let triples: TriplePattern[] = []; // Of the basic graph pattern that `pattern` ends in.
  const sink: Triples = {
    add(triple) {
      if (triples.length === 0) {
        const own: Pattern = { kind: "bgp", triples }; // Empty still, so not for `join`, which would leave it out.
        pattern = isNothing(pattern) ? own : { kind: "join", left: pattern, right: own };
      }
      triples.push(triple);
    },
    addPath(subject, path, object) {
      pattern = join(pattern, { kind: "path", subject, path, object });
      triples = [];
    },
    blank: blankOfPattern,
    hasVariables: true,
    count: countPattern,
  };
  for (let mayBeTriples = true; ; ) {
    const keyword = word(parser);
    if (keyword === "FILTER") filters.push(readFilter(parser));
    else if ((keyword !== "" && keyword !== "TRUE" && keyword !== "FALSE") || peek(parser) === CODE.OPEN) {
      const after = readElement(parser, keyword, pattern);
      if (after === null) break;
      pattern = after;
      triples = [];
      beginBlock(parser);
    } else {
      if (!mayBeTriples || !readTriples(parser, sink)) break;
      mayBeTriples = false; // Their dots are read: without one, no further triple follows.
      continue;
    }
    passes(parser, CHAR.DOT);
    mayBeTriples = true;
  }
  if (peek(parser) !== CODE.CLOSE) throw expected(parser, "a pattern or “}”");
  return { pattern, filter: filters.length === 0 ? null : chain("&&", filters) };
}

function readFilter(parser: Parser): Expression {
  takeWord(parser, "FILTER");
  const condition = readConstraint(parser);
  if (condition === null) throw expected(parser, "a condition");
  return condition;
}

/** @returns what the group is with one more element; null where none comes next. */
function readElement(parser: Parser, keyword: string, before: Pattern): Pattern | null {
  countPattern(parser);
  if (keyword === "") return join(before, readUnion(parser));
  const begun = parser.at;
  parser.at += keyword.length;
  switch (keyword) {
    case "OPTIONAL": {
      const { pattern, filter } = readGroup(parser);
      return { kind: "leftJoin", left: before, right: pattern, condition: filter };
    }
    case "MINUS": {
      const { scope } = parser; // What it says of variables is not said outside.
      parser.scope = new Set();
      const right = asPattern(readGroup(parser));
      parser.scope = scope;
      return { kind: "minus", left: before, right };
    }
    case "GRAPH": {
      const name = takeName(parser);
      return join(before, { kind: "graph", name, input: asPattern(readGroup(parser)) });
    }
    case "SERVICE": {
      const silent = passesWord(parser, "SILENT");
      const name = takeName(parser);
      return join(before, { kind: "service", name, silent, input: asPattern(readGroup(parser)) });
    }
    case "BIND":
      return readBind(parser, before);
    case "VALUES":
      return join(before, readValues(parser));
    default:
      parser.at = begun;
      return null;
  }
}

function readUnion(parser: Parser): Pattern {
  let pattern = asPattern(readGroup(parser));
  while (passesWord(parser, "UNION")) {
    countPattern(parser);
    pattern = { kind: "union", left: pattern, right: asPattern(readGroup(parser)) };
  }
  return pattern;
}

/** Reads `(expression AS ?name)`. */
export function readAssignment(parser: Parser): {
  readonly variable: string;
  readonly expression: Expression;
} {
  take(parser, CHAR.OPEN_LIST);
  const expression = readExpression(parser);
  takeWord(parser, "AS");
  const name = takeVariable(parser);
  take(parser, CHAR.CLOSE_LIST);
  return { variable: name, expression };
}

function readBind(parser: Parser, input: Pattern): Pattern {
  const from = parser.at;
  const { variable: name, expression } = readAssignment(parser);
  if (parser.scope.has(name))
    throw parser.mistake(`BIND gives ?${name} a value, which has one before it`, from);
  parser.scope.add(name);
  return { kind: "extend", input, variable: name, expression };
}

function readValue(parser: Parser): NamedNode | Literal | null {
  if (passesWord(parser, "UNDEF")) return null;
  const value = readIri(parser) ?? readLiteral(parser);
  if (value === null) throw expected(parser, "an IRI, a literal or UNDEF");
  return value;
}

/** What follows VALUES. https://www.w3.org/TR/sparql11-query/#rDataBlock */
export function readValues(parser: Parser): Pattern {
  const single = readVariable(parser);
  const variables = single === null ? [] : [single];
  if (single === null) {
    take(parser, CHAR.OPEN_LIST);
    while (!passes(parser, CHAR.CLOSE_LIST)) variables.push(takeVariable(parser));
  }
  if (new Set(variables).size < variables.length) throw parser.mistake("VALUES names a variable twice");
  for (const name of variables) parser.scope.add(name);
  const rows: (readonly (NamedNode | Literal | null)[])[] = [];
  take(parser, CODE.OPEN);
  while (!passes(parser, CODE.CLOSE)) {
    if (single !== null) {
      rows.push([readValue(parser)]);
      continue;
    }
    take(parser, CHAR.OPEN_LIST);
    const from = parser.start;
    const row: (NamedNode | Literal | null)[] = [];
    while (!passes(parser, CHAR.CLOSE_LIST)) row.push(readValue(parser));
    if (row.length !== variables.length)
      throw parser.mistake(`A row of VALUES has ${variables.length} values, not ${row.length}`, from);
    rows.push(row);
  }
  return { kind: "values", variables, rows };
}
