/** Expressions, by the precedence of the grammar. https://www.w3.org/TR/sparql11-query/#rExpression */
import { Problem } from "../../errors.ts";
import { CHAR } from "../../rdf/characters.ts";
import { peek } from "../../rdf/tokens.ts";
import type { Aggregate, Expression, Operator, Pattern } from "./algebra.ts";
import {
  CODE,
  deeper,
  expected,
  madeUp,
  type Parser,
  passes,
  passesWord,
  readVariable,
  take,
  takeVariable,
  word,
} from "./parser.ts";
import { isSignedNumber, readIri, readLiteral, readText } from "./terms.ts";

/** Built-ins by how many operands they take, from and to. https://www.w3.org/TR/sparql11-query/#rBuiltInCall */
const BUILT_INS: readonly (readonly [least: number, most: number, names: string])[] = [
  [0, 0, "RAND NOW UUID STRUUID"],
  [0, 1, "BNODE"],
  [0, Number.POSITIVE_INFINITY, "CONCAT COALESCE"],
  [
    1,
    1,
    "STR LANG DATATYPE BOUND IRI URI ABS CEIL FLOOR ROUND STRLEN UCASE LCASE ENCODE_FOR_URI YEAR MONTH DAY HOURS",
  ],
  [1, 1, "MINUTES SECONDS TIMEZONE TZ MD5 SHA1 SHA256 SHA384 SHA512 ISIRI ISURI ISBLANK ISLITERAL ISNUMERIC"],
  [2, 2, "LANGMATCHES CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER STRLANG STRDT SAMETERM"],
  [2, 3, "SUBSTR REGEX"],
  [3, 3, "IF"],
  [3, 4, "REPLACE"],
];
const OPERANDS: ReadonlyMap<string, readonly [number, number]> = new Map(
  BUILT_INS.flatMap(([least, most, names]) => names.split(" ").map((name) => [name, [least, most]])),
);
/** Two names of one function. */
const SAME: Readonly<Record<string, string>> = { URI: "IRI", ISURI: "ISIRI" };
const AGGREGATES: ReadonlySet<string> = new Set([
  "COUNT",
  "SUM",
  "MIN",
  "MAX",
  "AVG",
  "SAMPLE",
  "GROUP_CONCAT",
]);

/**
 * `&&` and `||` over many operands, as a tree as low as it can be: a long list must not be a deep one. The order stays,
 * and both are associative, errors included. https://www.w3.org/TR/sparql11-query/#evaluation
 */
export function chain(
  operator: "&&" | "||",
  operands: readonly Expression[],
  from = 0,
  to = operands.length,
): Expression {
  if (to - from === 1) return operands[from]!;
  const middle = (from + to + 1) >> 1;
  return operate(operator, chain(operator, operands, from, middle), chain(operator, operands, middle, to));
}

const operate = (operator: Operator, ...operands: Expression[]): Expression => ({
  kind: "operator",
  operator,
  operands,
});

export const variableOf = (name: string): Expression => ({ kind: "variable", name });

/** These nest to the left, so their number is how deep they are. */
function countOperator(parser: Parser): void {
  if (++parser.operators > parser.limits.queryOperatorsMax)
    throw new Problem("query-refused", `A query calculates at most ${parser.limits.queryOperatorsMax} times`);
}

export function readExpression(parser: Parser): Expression {
  return deeper(parser, readOr);
}

function isPair(parser: Parser, code: number): boolean {
  return peek(parser) === code && parser.codes[parser.at + 1] === code;
}

function readOr(parser: Parser): Expression {
  const first = readAnd(parser);
  if (!isPair(parser, CODE.BAR)) return first;
  const operands = [first];
  while (isPair(parser, CODE.BAR)) {
    parser.at += 2;
    operands.push(readAnd(parser));
  }
  return chain("||", operands);
}

function readAnd(parser: Parser): Expression {
  const first = readRelation(parser);
  if (!isPair(parser, CODE.AND)) return first;
  const operands = [first];
  while (isPair(parser, CODE.AND)) {
    parser.at += 2;
    operands.push(readRelation(parser));
  }
  return chain("&&", operands);
}

/** @returns the comparison that comes next, moved past, or null. */
function passComparison(parser: Parser): Operator | null {
  const code = peek(parser);
  const isWide = parser.codes[parser.at + 1] === CODE.EQUALS;
  let operator: Operator | null = null;
  if (code === CODE.EQUALS) operator = "=";
  else if (code === CHAR.OPEN_IRI) operator = isWide ? "<=" : "<";
  else if (code === CHAR.CLOSE_IRI) operator = isWide ? ">=" : ">";
  else if (code === CODE.BANG && isWide) operator = "!=";
  if (operator !== null) parser.at += operator.length;
  return operator;
}

function readRelation(parser: Parser): Expression {
  const left = readSum(parser);
  const operator = passComparison(parser);
  if (operator !== null) return operate(operator, left, readSum(parser));
  const keyword = word(parser);
  if (keyword !== "IN" && keyword !== "NOT") return left;
  parser.at += keyword.length;
  const negated = keyword === "NOT";
  if (negated && !passesWord(parser, "IN")) throw expected(parser, "IN");
  return { kind: "in", negated, operand: left, list: readList(parser) };
}

/** `1 +2` is a sum though the grammar reads `+2` as one word: it means the same. */
function readSum(parser: Parser): Expression {
  let left = readProduct(parser);
  for (;;) {
    const code = peek(parser);
    if (code !== CHAR.PLUS && code !== CHAR.MINUS) return left;
    parser.at++;
    countOperator(parser);
    left = operate(code === CHAR.PLUS ? "+" : "-", left, readProduct(parser));
  }
}

function readProduct(parser: Parser): Expression {
  let left = readSigned(parser);
  for (;;) {
    const code = peek(parser);
    if (code !== CODE.STAR && code !== CODE.SLASH) return left;
    parser.at++;
    countOperator(parser);
    left = operate(code === CODE.STAR ? "*" : "/", left, readSigned(parser));
  }
}

function readSigned(parser: Parser): Expression {
  const code = peek(parser);
  if (code === CODE.BANG) {
    parser.at++;
    return operate("!", deeper(parser, readSigned));
  }
  if ((code !== CHAR.PLUS && code !== CHAR.MINUS) || isSignedNumber(parser, parser.at))
    return readPrimary(parser);
  parser.at++;
  return operate(code === CHAR.PLUS ? "unary+" : "unary-", deeper(parser, readPrimary));
}

function readPrimary(parser: Parser): Expression {
  const name = readVariable(parser);
  if (name !== null) {
    parser.free?.add(name);
    return variableOf(name);
  }
  if (peek(parser) === CHAR.OPEN_LIST) return readBracketed(parser);
  const call = readCall(parser);
  if (call !== null) return call;
  const term = readLiteral(parser);
  if (term === null) throw expected(parser, "an expression");
  return { kind: "term", term };
}

export function readBracketed(parser: Parser): Expression {
  take(parser, CHAR.OPEN_LIST);
  const expression = readExpression(parser);
  take(parser, CHAR.CLOSE_LIST);
  return expression;
}

/** Reads `( … , … )`, which may be empty. */
function readList(parser: Parser, mayBeDistinct = false): Expression[] {
  take(parser, CHAR.OPEN_LIST);
  if (mayBeDistinct) passesWord(parser, "DISTINCT"); // For aggregates named by an IRI, and none is known here.
  const list: Expression[] = [];
  if (passes(parser, CHAR.CLOSE_LIST)) return list;
  do list.push(readExpression(parser));
  while (passes(parser, CHAR.COMMA));
  take(parser, CHAR.CLOSE_LIST);
  return list;
}

/** @returns the built-in, the function, or the IRI that comes next; null where none does. */
function readCall(parser: Parser): Expression | null {
  const keyword = word(parser);
  if (keyword !== "" && keyword !== "TRUE" && keyword !== "FALSE") return readBuiltIn(parser, keyword);
  const node = readIri(parser);
  if (node === null) return null;
  if (peek(parser) !== CHAR.OPEN_LIST) return { kind: "term", term: node };
  return { kind: "function", iri: node.value, operands: readList(parser, true) };
}

function readBuiltIn(parser: Parser, keyword: string): Expression {
  if (keyword === "EXISTS" || keyword === "NOT") return readExists(parser);
  if (AGGREGATES.has(keyword)) return readAggregate(parser, keyword as Aggregate["name"]);
  const [least, most] = OPERANDS.get(keyword) ?? [0, -1];
  if (most < 0) throw expected(parser, "an expression");
  const from = parser.at;
  parser.at += keyword.length;
  if (keyword === "BOUND") return readBound(parser);
  const operands = readList(parser);
  if (operands.length < least || operands.length > most) {
    const many = least === most ? `${least}` : `${least} to ${most}`;
    throw parser.mistake(`${keyword} takes ${many} operands, not ${operands.length}`, from);
  }
  if (keyword === "REGEX" || keyword === "REPLACE") boundExpression(parser, operands[1]!);
  return { kind: "call", name: SAME[keyword] ?? keyword, operands };
}

function readBound(parser: Parser): Expression {
  take(parser, CHAR.OPEN_LIST);
  const name = takeVariable(parser);
  parser.free?.add(name);
  take(parser, CHAR.CLOSE_LIST);
  return { kind: "call", name: "BOUND", operands: [variableOf(name)] };
}

function boundExpression({ limits }: Parser, pattern: Expression): void {
  if (pattern.kind === "term" && Buffer.byteLength(pattern.term.value) > limits.queryRegexBytesMax)
    throw new Problem("query-refused", `A regular expression has at most ${limits.queryRegexBytesMax} bytes`);
}

/** A group within brackets of its own: what it says of variables is not said outside. */
function readInnerGroup(parser: Parser): Pattern {
  const { scope, aggregates, free, block } = parser;
  parser.scope = new Set();
  parser.aggregates = null;
  parser.free = null;
  const { pattern, filter } = parser.readGroup(parser);
  Object.assign(parser, { scope, aggregates, free, block });
  return filter === null ? pattern : { kind: "filter", input: pattern, condition: filter };
}

function readExists(parser: Parser): Expression {
  const negated = passesWord(parser, "NOT");
  if (!passesWord(parser, "EXISTS")) throw expected(parser, "EXISTS");
  return { kind: "exists", negated, pattern: readInnerGroup(parser) };
}

/** https://www.w3.org/TR/sparql11-query/#rAggregate */
function readAggregate(parser: Parser, name: Aggregate["name"]): Expression {
  const { aggregates, free } = parser;
  if (aggregates === null)
    throw parser.mistake(`${name} cannot stand here: only in SELECT, HAVING and ORDER BY`);
  parser.at += name.length;
  parser.aggregates = null; // None within another.
  parser.free = null;
  take(parser, CHAR.OPEN_LIST);
  const distinct = passesWord(parser, "DISTINCT");
  const operand = name === "COUNT" && passes(parser, CODE.STAR) ? null : readExpression(parser);
  let separator = " ";
  if (name === "GROUP_CONCAT" && passes(parser, CHAR.SEMICOLON)) {
    if (!passesWord(parser, "SEPARATOR")) throw expected(parser, "SEPARATOR");
    take(parser, CODE.EQUALS);
    const text = readText(parser);
    if (text === null) throw expected(parser, "a string");
    separator = text;
  }
  take(parser, CHAR.CLOSE_LIST);
  Object.assign(parser, { aggregates, free });
  const aggregate: Aggregate = { name, distinct, operand, separator };
  const key = JSON.stringify(aggregate); // The same one twice is calculated once.
  let known = aggregates.get(key);
  if (known === undefined) {
    known = { variable: madeUp(parser), aggregate };
    aggregates.set(key, known);
  }
  return variableOf(known.variable);
}

/** What FILTER and HAVING take, or null where it does not come next. https://www.w3.org/TR/sparql11-query/#rConstraint */
export function readConstraint(parser: Parser): Expression | null {
  if (peek(parser) === CHAR.OPEN_LIST) return readBracketed(parser);
  const from = parser.at;
  const call = readCall(parser);
  if (call?.kind === "term") throw parser.mistake("Expected a function and its operands", from);
  return call;
}
