/**
 * What stands around the pattern of a query: what it selects, and its solution modifiers.
 * @see https://www.w3.org/TR/sparql11-query/#sparqlSolMod
 */
import { CHAR } from "../../rdf/characters.ts";
import { peek } from "../../rdf/tokens.ts";
import type { DatasetClause, Expression, Pattern } from "./algebra.ts";
import { chain, readBracketed, readConstraint, readExpression, variableOf } from "./expression.ts";
import { asPattern, join, readAssignment, readGroup, readValues } from "./group.ts";
import {
  type Aggregates,
  CODE,
  countPattern,
  expected,
  madeUp,
  type Parser,
  passes,
  passesWord,
  readVariable,
  take,
  takeCount,
  takeVariable,
  takeWord,
  word,
} from "./parser.ts";
import { takeIri } from "./terms.ts";

interface Assignment {
  readonly variable: string;
  readonly expression: Expression;
}

/** One column of SELECT. */
interface Column {
  readonly variable: string;
  /** Null for a plain variable. */
  readonly expression: Expression | null;
  /** Variables of the expression outside of aggregates. */
  readonly free: ReadonlySet<string>;
  /** Where it is written. */
  readonly at: number;
}

interface Modifiers {
  readonly keys: readonly Assignment[];
  readonly having: Expression | null;
  readonly by: readonly { readonly expression: Expression; readonly descending: boolean }[];
  readonly offset: number;
  readonly limit: number | null;
}

/** A query's pattern, with everything that stands around it. */
export interface Solutions {
  readonly pattern: Pattern;
  /** What SELECT names; for `*`, what is in scope. */
  readonly variables: readonly string[];
}

const MODIFIERS: ReadonlySet<string> = new Set(["GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES"]);

function readWhere(parser: Parser): Pattern {
  passesWord(parser, "WHERE");
  return asPattern(readGroup(parser));
}

/** @returns null where neither FROM nor FROM NAMED (for updates USING) is said. https://www.w3.org/TR/sparql11-query/#rDatasetClause */
export function readDataset(parser: Parser, keyword: "FROM" | "USING" = "FROM"): DatasetClause | null {
  const defaults: string[] = [];
  const named: string[] = [];
  while (passesWord(parser, keyword)) {
    const names = passesWord(parser, "NAMED") ? named : defaults;
    names.push(takeIri(parser).value);
  }
  return defaults.length + named.length === 0 ? null : { defaults, named };
}

/** Reads what follows SELECT. @returns null for `*`. */
function readColumns(parser: Parser): readonly Column[] | null {
  if (passes(parser, CODE.STAR)) return null;
  const columns: Column[] = [];
  const names = new Set<string>();
  for (;;) {
    const next = peek(parser);
    const at = parser.at;
    if (next === CHAR.OPEN_LIST) {
      countPattern(parser); // Each is an operator around all those before it.
      const free = new Set<string>();
      parser.free = free;
      const { variable, expression } = readAssignment(parser);
      parser.free = null;
      if (names.has(variable)) throw parser.mistake(`?${variable} is selected already`, at);
      names.add(variable);
      columns.push({ variable, expression, free, at });
      continue;
    }
    const variable = readVariable(parser);
    if (variable === null) break;
    if (!names.has(variable)) columns.push({ variable, expression: null, free: new Set([variable]), at });
    names.add(variable);
  }
  if (columns.length === 0) throw expected(parser, "“*”, a variable, or “(expression AS ?name)”");
  return columns;
}

function readKeys(parser: Parser): readonly Assignment[] {
  if (!passesWord(parser, "GROUP")) return [];
  takeWord(parser, "BY");
  const keys: Assignment[] = [];
  while (!MODIFIERS.has(word(parser))) {
    const name = readVariable(parser);
    if (name !== null) {
      keys.push({ variable: name, expression: variableOf(name) });
      continue;
    }
    const from = parser.at;
    if (!passes(parser, CHAR.OPEN_LIST)) {
      const expression = readConstraint(parser);
      if (expression === null) break;
      keys.push({ variable: madeUp(parser), expression });
      continue;
    }
    const expression = readExpression(parser);
    let variable = madeUp(parser);
    if (passesWord(parser, "AS")) {
      variable = takeVariable(parser);
      if (parser.scope.has(variable)) throw parser.mistake(`?${variable} has a value already`, from);
      parser.scope.add(variable);
    }
    take(parser, CHAR.CLOSE_LIST);
    keys.push({ variable, expression });
  }
  if (keys.length === 0) throw expected(parser, "what to group by");
  return keys;
}

function readHaving(parser: Parser): Expression | null {
  if (!passesWord(parser, "HAVING")) return null;
  const conditions: Expression[] = [];
  while (!MODIFIERS.has(word(parser))) {
    const condition = readConstraint(parser);
    if (condition === null) break;
    conditions.push(condition);
  }
  if (conditions.length === 0) throw expected(parser, "a condition");
  return chain("&&", conditions);
}

function readOrder(parser: Parser): Modifiers["by"] {
  if (!passesWord(parser, "ORDER")) return [];
  takeWord(parser, "BY");
  const by: { expression: Expression; descending: boolean }[] = [];
  for (let keyword = word(parser); !MODIFIERS.has(keyword); keyword = word(parser)) {
    const descending = keyword === "DESC";
    if (descending || keyword === "ASC") {
      parser.at += keyword.length;
      by.push({ expression: readBracketed(parser), descending });
      continue;
    }
    const name = readVariable(parser);
    const expression = name === null ? readConstraint(parser) : variableOf(name);
    if (expression === null) break;
    by.push({ expression, descending });
  }
  if (by.length === 0) throw expected(parser, "what to order by");
  return by;
}

/** https://www.w3.org/TR/sparql11-query/#rSolutionModifier */
function readModifiers(parser: Parser, aggregates: Aggregates): Modifiers {
  const keys = readKeys(parser);
  parser.aggregates = aggregates;
  const having = readHaving(parser);
  const by = readOrder(parser);
  parser.aggregates = null;
  let offset: number | null = null;
  let limit: number | null = null;
  for (;;) {
    if (limit === null && passesWord(parser, "LIMIT")) limit = takeCount(parser);
    else if (offset === null && passesWord(parser, "OFFSET")) offset = takeCount(parser);
    else return { keys, having, by, offset: offset ?? 0, limit };
  }
}

/** Of a grouped query's variables, only keys and what is made of them or of aggregates can be selected. */
function checkColumns(parser: Parser, columns: readonly Column[] | null, keys: readonly Assignment[]): void {
  if (columns === null) throw parser.mistake("SELECT * cannot be grouped: name what to select");
  const known = new Set(keys.map(({ variable }) => variable));
  for (const { variable, free, at } of columns) {
    for (const name of free)
      if (!known.has(name) && parser.scope.has(name))
        throw parser.mistake(`?${name} is neither grouped by nor aggregated`, at);
    known.add(variable);
  }
}

/**
 * A variable of the pattern that is neither grouped by nor aggregated is one of its values in the group, in HAVING and
 * ORDER BY. https://www.w3.org/TR/sparql11-query/#sparqlGroupAggregate
 */
function withSamples(expression: Expression, sampleOf: (name: string) => string): Expression {
  const inner = (one: Expression): Expression => withSamples(one, sampleOf);
  switch (expression.kind) {
    case "variable":
      return variableOf(sampleOf(expression.name));
    case "in":
      return { ...expression, operand: inner(expression.operand), list: expression.list.map(inner) };
    case "operator":
    case "call":
    case "function":
      return { ...expression, operands: expression.operands.map(inner) };
    default:
      return expression;
  }
}

/** @returns what stands for a variable outside of aggregates. @param given Names that have their value after grouping. */
function sampler(parser: Parser, aggregates: Aggregates, given: ReadonlySet<string>) {
  return (name: string): string => {
    if (given.has(name) || !parser.scope.has(name)) return name;
    const aggregate = { name: "SAMPLE", distinct: false, operand: variableOf(name), separator: " " } as const;
    const known = aggregates.get(name) ?? { variable: madeUp(parser), aggregate };
    aggregates.set(name, known);
    return known.variable;
  };
}

/**
 * Reads WHERE and everything behind it.
 * @param columns Null for all that is in scope; not used but by SELECT.
 * @param isSelect Whether a mistake in the columns is one.
 */
function readSolutions(
  parser: Parser,
  where: (parser: Parser) => Pattern,
  columns: readonly Column[] | null,
  aggregates: Aggregates,
  isSelect: boolean,
): Solutions & { readonly modifiers: Modifiers } {
  const input = where(parser);
  const modifiers = readModifiers(parser, aggregates);
  const { keys } = modifiers;
  let { having, by } = modifiers;
  const values = passesWord(parser, "VALUES") ? readValues(parser) : null;
  let pattern = input;
  if (keys.length > 0 || aggregates.size > 0) {
    if (isSelect) checkColumns(parser, columns, keys);
    const grouped = keys.map(({ variable }) => variable);
    const named = columns?.map(({ variable }) => variable) ?? [];
    const inHaving = sampler(parser, aggregates, new Set(grouped));
    const inOrder = sampler(parser, aggregates, new Set([...grouped, ...named]));
    having &&= withSamples(having, inHaving);
    by = by.map((one) => ({ ...one, expression: withSamples(one.expression, inOrder) }));
    pattern = { kind: "group", input: pattern, keys, aggregates: [...aggregates.values()] };
  }
  if (having !== null) pattern = { kind: "filter", input: pattern, condition: having };
  if (values !== null) pattern = join(pattern, values);
  const { scope } = parser;
  for (const { variable, expression, at } of columns ?? []) {
    if (expression === null) continue;
    if (scope.has(variable)) throw parser.mistake(`?${variable} has a value in the pattern already`, at);
    pattern = { kind: "extend", input: pattern, variable, expression };
  }
  if (by.length > 0) pattern = { kind: "order", input: pattern, by };
  return { pattern, variables: columns?.map(({ variable }) => variable) ?? [...scope], modifiers };
}

const cut = (input: Pattern, { offset, limit }: Modifiers): Pattern =>
  offset === 0 && limit === null ? input : { kind: "slice", input, offset, limit };

/** Reads from SELECT to the end of the query or the sub-select. */
export function readSelect(
  parser: Parser,
  readFrom: (parser: Parser) => DatasetClause | null,
): Solutions & { readonly from: DatasetClause | null } {
  takeWord(parser, "SELECT");
  const isDistinct = passesWord(parser, "DISTINCT");
  const isReduced = !isDistinct && passesWord(parser, "REDUCED");
  const aggregates: Aggregates = new Map();
  parser.aggregates = aggregates;
  const columns = readColumns(parser);
  parser.aggregates = null;
  const from = readFrom(parser);
  const { pattern, variables, modifiers } = readSolutions(parser, readWhere, columns, aggregates, true);
  let result: Pattern = { kind: "project", input: pattern, variables };
  if (isDistinct || isReduced) result = { kind: isDistinct ? "distinct" : "reduced", input: result };
  return { pattern: cut(result, modifiers), variables, from };
}

/** Reads WHERE and the modifiers of a query that is no SELECT. @returns as variables all that are in scope. */
export function readOther(parser: Parser, where: (parser: Parser) => Pattern = readWhere): Solutions {
  const { pattern, variables, modifiers } = readSolutions(parser, where, null, new Map(), false);
  return { pattern: cut(pattern, modifiers), variables };
}

/** A query within a group: only what it selects is in scope around it. https://www.w3.org/TR/sparql11-query/#subqueries */
export function readSubSelect(parser: Parser): Pattern {
  const { scope, aggregates, free } = parser;
  parser.scope = new Set();
  parser.free = null;
  const { pattern, variables } = readSelect(parser, () => null);
  for (const name of variables) scope.add(name);
  Object.assign(parser, { scope, aggregates, free });
  return pattern;
}
