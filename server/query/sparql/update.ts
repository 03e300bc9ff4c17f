/** The text of an update to its operations. https://www.w3.org/TR/sparql11-update/ */
import { CHAR } from "../../rdf/characters.ts";
import { type NamedNode, variable } from "../../rdf/terms.ts";
import type {
  DatasetClause,
  GraphReference,
  Pattern,
  QuadPattern,
  TriplePattern,
  Update,
  UpdateOperation,
  Variable,
} from "./algebra.ts";
import { asPattern, join, readGroup } from "./group.ts";
import {
  beginBlock,
  CODE,
  countData,
  countPattern,
  expected,
  type Parser,
  passes,
  passesWord,
  readVariable,
  take,
  takeWord,
  word,
} from "./parser.ts";
import { beginParsing, expectEnd, type ParseOptions, patternOf } from "./query.ts";
import { readDataset } from "./select.ts";
import { readIri, readPrologue, takeIri } from "./terms.ts";
import { blankOfTemplate, readTriples, type Triples } from "./triples.ts";

/** What quads may be made of, by where they stand. */
type Use = "insertData" | "deleteData" | "insert" | "delete" | "deleteWhere";

function blankOf(use: Use): Triples["blank"] {
  return (parser, label) => {
    if (use !== "insert" && use !== "insertData") throw parser.mistake("What is deleted has no blank nodes");
    if (use === "insertData" && label !== null) {
      if ((parser.dataLabels.get(label) ?? parser.block) !== parser.block)
        throw parser.mistake(`The blank node _:${label.slice(0, 64)} stands in another operation already`);
      parser.dataLabels.set(label, parser.block);
    }
    return blankOfTemplate(parser, label);
  };
}

/** Reads `{ … GRAPH … { … } … }`. https://www.w3.org/TR/sparql11-query/#rQuads */
function readQuads(parser: Parser, use: Use): readonly QuadPattern[] {
  const quads: QuadPattern[] = [];
  let graph: NamedNode | Variable | null = null;
  const isData = use === "insertData" || use === "deleteData";
  const sink: Triples = {
    add: (triple) => void quads.push({ ...triple, graph }),
    addPath: null,
    blank: blankOf(use),
    hasVariables: !isData,
    count: isData ? countData : countPattern,
  };
  take(parser, CODE.OPEN);
  readTriples(parser, sink);
  while (passesWord(parser, "GRAPH")) {
    const name = readVariable(parser);
    if (name !== null && isData) throw parser.mistake("Data have no variables");
    graph = name === null ? takeIri(parser) : variable(name);
    take(parser, CODE.OPEN);
    readTriples(parser, sink);
    if (!passes(parser, CODE.CLOSE)) throw expected(parser, "a triple or “}”");
    graph = null;
    passes(parser, CHAR.DOT);
    readTriples(parser, sink);
  }
  if (!passes(parser, CODE.CLOSE)) throw expected(parser, "a triple, GRAPH or “}”");
  return quads;
}

/** What DELETE WHERE deletes is what it looks for. */
function patternOfQuads(quads: readonly QuadPattern[]): Pattern {
  const byGraph = new Map<
    string,
    { readonly graph: QuadPattern["graph"]; readonly triples: TriplePattern[] }
  >();
  for (const { graph, ...triple } of quads) {
    const key = graph === null ? "" : `${graph.termType} ${graph.value}`;
    const known = byGraph.get(key);
    if (known) known.triples.push(triple);
    else byGraph.set(key, { graph, triples: [triple] });
  }
  let pattern: Pattern = { kind: "bgp", triples: [] };
  for (const { graph, triples } of byGraph.values()) {
    const input = patternOf(triples);
    pattern = join(pattern, graph === null ? input : { kind: "graph", name: graph, input });
  }
  return pattern;
}

const EVERYTHING: Readonly<Record<string, "default" | "named" | "all">> = {
  DEFAULT: "default",
  NAMED: "named",
  ALL: "all",
};

function readReference(parser: Parser): GraphReference {
  const keyword = word(parser);
  const kind = EVERYTHING[keyword];
  if (kind !== undefined) {
    parser.at += keyword.length;
    return { kind };
  }
  if (!passesWord(parser, "GRAPH")) throw expected(parser, "GRAPH, DEFAULT, NAMED or ALL");
  return { kind: "graph", name: takeIri(parser).value };
}

function readEnd(parser: Parser): GraphReference {
  if (passesWord(parser, "DEFAULT")) return { kind: "default" };
  passesWord(parser, "GRAPH");
  const node = word(parser) === "" ? readIri(parser) : null;
  if (node === null) throw expected(parser, "DEFAULT or the IRI of a graph");
  return { kind: "graph", name: node.value };
}

function readModify(parser: Parser): UpdateOperation {
  const given = passesWord(parser, "WITH") ? takeIri(parser).value : null;
  const isDelete = passesWord(parser, "DELETE");
  const remove = isDelete ? readQuads(parser, "delete") : [];
  const isInsert = passesWord(parser, "INSERT");
  if (!isDelete && !isInsert) throw expected(parser, "DELETE or INSERT");
  const insert = isInsert ? readQuads(parser, "insert") : [];
  const using: DatasetClause | null = readDataset(parser, "USING");
  takeWord(parser, "WHERE");
  parser.scope = new Set();
  return { kind: "modify", with: given, using, remove, insert, where: asPattern(readGroup(parser)) };
}

/** What begins with INSERT or DELETE. */
function readChange(parser: Parser, keyword: "INSERT" | "DELETE"): UpdateOperation {
  const begun = parser.at;
  parser.at += keyword.length;
  if (passesWord(parser, "DATA")) {
    const kind = keyword === "INSERT" ? "insertData" : "deleteData";
    return { kind, quads: readQuads(parser, kind) };
  }
  if (keyword === "DELETE" && passesWord(parser, "WHERE")) {
    const remove = readQuads(parser, "deleteWhere");
    return { kind: "modify", with: null, using: null, remove, insert: [], where: patternOfQuads(remove) };
  }
  parser.at = begun;
  return readModify(parser);
}

/** @returns the operation that comes next, or null where none does. */
function readOperation(parser: Parser): UpdateOperation | null {
  const keyword = word(parser);
  if (keyword === "INSERT" || keyword === "DELETE") return readChange(parser, keyword);
  if (keyword === "WITH") return readModify(parser);
  const begun = parser.at;
  parser.at += keyword.length;
  const passesSilent = (): boolean => passesWord(parser, "SILENT");
  switch (keyword) {
    case "LOAD": {
      const silent = passesSilent();
      const from = takeIri(parser).value;
      if (!passesWord(parser, "INTO")) return { kind: "load", silent, from, into: null };
      takeWord(parser, "GRAPH");
      return { kind: "load", silent, from, into: takeIri(parser).value };
    }
    case "CLEAR":
    case "DROP": {
      const kind = keyword === "CLEAR" ? "clear" : "drop";
      return { kind, silent: passesSilent(), graph: readReference(parser) };
    }
    case "CREATE": {
      const silent = passesSilent();
      takeWord(parser, "GRAPH");
      return { kind: "create", silent, graph: takeIri(parser).value };
    }
    case "ADD":
    case "MOVE":
    case "COPY": {
      const kind = keyword === "ADD" ? "add" : keyword === "MOVE" ? "move" : "copy";
      const silent = passesSilent();
      const from = readEnd(parser);
      takeWord(parser, "TO");
      return { kind, silent, from, to: readEnd(parser) };
    }
    default:
      parser.at = begun;
      return null;
  }
}

/**
 * @throws Problem `query-invalid` with line and column in `errors`; `query-refused` for what is too long, too deep, or
 *   has too many patterns. Never anything else, whatever the text.
 * @see https://www.w3.org/TR/sparql11-query/#sparqlUpdate
 */
export function parseUpdate(text: string, options: ParseOptions): Update {
  const parser = beginParsing(text, options, options.limits.patchBytesMax);
  const operations: UpdateOperation[] = [];
  for (let isSeparated = true; isSeparated; isSeparated = passes(parser, CHAR.SEMICOLON)) {
    readPrologue(parser);
    beginBlock(parser);
    const operation = readOperation(parser);
    if (operation === null) {
      expectEnd(parser, "an operation");
      return { baseIri: parser.baseIri, operations };
    }
    operations.push(operation);
  }
  expectEnd(parser, "“;”");
  return { baseIri: parser.baseIri, operations };
}
