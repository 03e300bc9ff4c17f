/** The text of a query to its algebra. https://www.w3.org/TR/sparql11-query/#sparqlGrammar */
import { Problem } from "../../errors.ts";
import { type NamedNode, variable } from "../../rdf/terms.ts";
import { peek } from "../../rdf/tokens.ts";
import type { Pattern, Place, Query, TriplePattern, Variable } from "./algebra.ts";
import { readGroup } from "./group.ts";
import {
  CODE,
  countPattern,
  createParser,
  expected,
  type Parser,
  passes,
  readVariable,
  type SparqlLimits,
  take,
  word,
} from "./parser.ts";
import { readDataset, readOther, readSelect, readSubSelect } from "./select.ts";
import { readIri, readPrologue } from "./terms.ts";
import { blankOfTemplate, readTriples } from "./triples.ts";

export interface ParseOptions {
  /** What relative IRIs are resolved against unless the text says BASE. */
  readonly baseIri: string;
  readonly limits: SparqlLimits;
}

/** @param bytesMax Of the text in UTF-8. @throws Problem `query-refused`, `query-invalid`. */
export function beginParsing(text: string, { baseIri, limits }: ParseOptions, bytesMax: number): Parser {
  if (text.length > bytesMax || (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax))
    throw new Problem("query-refused", `A query has at most ${bytesMax} bytes`);
  return createParser(text, baseIri, limits, { readGroup, readSubSelect });
}

export function expectEnd(parser: Parser, orWhat: string): void {
  peek(parser);
  if (parser.at < parser.text.length) throw expected(parser, `${orWhat} or the end`);
}

/** Reads `{ … }` of plain triples. */
function readTemplate(parser: Parser): readonly TriplePattern[] {
  const template: TriplePattern[] = [];
  take(parser, CODE.OPEN);
  readTriples(parser, {
    add: (triple) => void template.push(triple),
    addPath: null,
    blank: blankOfTemplate,
    hasVariables: true,
    count: countPattern,
  });
  if (!passes(parser, CODE.CLOSE)) throw expected(parser, "a triple or “}”");
  return template;
}

/** Blank nodes of a template match anything where the template is the pattern too. */
export function patternOf(template: readonly TriplePattern[]): Pattern {
  const inPattern = (place: Place): Place =>
    place.termType === "BlankNode" ? variable(`_:${place.value}`) : place;
  return {
    kind: "bgp",
    triples: template.map(({ subject, predicate, object }) => ({
      subject: inPattern(subject),
      predicate,
      object: inPattern(object),
    })),
  };
}

type Parsed = Query extends infer Form ? (Form extends Query ? Omit<Form, "baseIri"> : never) : never;

function readConstruct(parser: Parser): Parsed {
  if (peek(parser) === CODE.OPEN) {
    const { scope } = parser;
    parser.scope = new Set(); // Variables of the template have no values of its own.
    const template = readTemplate(parser);
    parser.scope = scope;
    const from = readDataset(parser);
    return { form: "construct", from, template, pattern: readOther(parser).pattern };
  }
  const from = readDataset(parser);
  if (word(parser) !== "WHERE") throw expected(parser, "a template, FROM or WHERE");
  parser.at += "WHERE".length;
  let template: readonly TriplePattern[] = [];
  const { pattern } = readOther(parser, () => {
    template = readTemplate(parser);
    return patternOf(template);
  });
  return { form: "construct", from, template, pattern };
}

function readTarget(parser: Parser): NamedNode | Variable | null {
  const name = readVariable(parser);
  if (name !== null) return variable(name);
  return word(parser) === "" ? readIri(parser) : null;
}

function readDescribe(parser: Parser): Parsed {
  const targets: (NamedNode | Variable)[] = [];
  const isAll = passes(parser, CODE.STAR);
  for (let target = isAll ? null : readTarget(parser); target !== null; target = readTarget(parser))
    targets.push(target);
  if (!isAll && targets.length === 0) throw expected(parser, "“*”, a variable or an IRI");
  const from = readDataset(parser);
  const hasWhere = word(parser) === "WHERE" || peek(parser) === CODE.OPEN;
  const { pattern, variables } = readOther(
    parser,
    hasWhere ? undefined : () => ({ kind: "bgp", triples: [] }),
  );
  if (isAll) for (const name of variables) targets.push(variable(name));
  return { form: "describe", from, targets, pattern };
}

function readQuery(parser: Parser): Parsed {
  const keyword = word(parser);
  if (keyword === "SELECT") return { form: "select", ...readSelect(parser, readDataset) };
  if (keyword === "ASK" || keyword === "CONSTRUCT" || keyword === "DESCRIBE") parser.at += keyword.length;
  if (keyword === "CONSTRUCT") return readConstruct(parser);
  if (keyword === "DESCRIBE") return readDescribe(parser);
  if (keyword !== "ASK") throw expected(parser, "SELECT, ASK, CONSTRUCT or DESCRIBE");
  return { form: "ask", from: readDataset(parser), pattern: readOther(parser).pattern };
}

/**
 * @returns a new value each time: nothing of it refers to the text.
 * @throws Problem `query-invalid` with line and column in `errors`; `query-refused` for what is too long, too deep, or
 *   has too many patterns. Never anything else, whatever the text.
 * @see https://www.w3.org/TR/sparql11-query/#sparqlQuery
 */
export function parseQuery(text: string, options: ParseOptions): Query {
  const parser = beginParsing(text, options, options.limits.queryTextBytesMax);
  readPrologue(parser);
  const query = readQuery(parser);
  expectEnd(parser, "a solution modifier");
  return { ...query, baseIri: parser.baseIri };
}
