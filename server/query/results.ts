/** Answers as bytes: the four formats of SPARQL results, and RDF. */
import { rdf, xsd } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { blankNode, keyOfTriple, type Quad, quad, type Value } from "../rdf/terms.ts";
import { spellTerm } from "../rdf/turtle.ts";
import type { Answers, QueryForm, Row } from "./evaluate.ts";

const JSON_TYPE = "application/sparql-results+json";
const XML_TYPE = "application/sparql-results+xml";
const GRAPH_TYPES = ["text/turtle", "application/ld+json", "application/n-triples"] as const;

/** What each form of query can be answered in, best first. https://jeswr.github.io/solid-sparql-query/#result-formats */
export const RESULT_TYPES: Readonly<Record<QueryForm, readonly string[]>> = {
  select: [JSON_TYPE, XML_TYPE, "text/csv", "text/tab-separated-values", "application/json"],
  ask: [JSON_TYPE, XML_TYPE, "application/json"],
  construct: GRAPH_TYPES,
  describe: GRAPH_TYPES,
};

export interface ResultLimits {
  /** Rows of a table, or triples of a graph. */
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** Inside, a blank node's label tells which document it is of; outside, it is only the n-th of this answer. */
function createRelabel(): (label: string) => string {
  const labels = new Map<string, string>();
  return (label) => {
    let own = labels.get(label);
    if (own === undefined) {
      own = `b${labels.size}`;
      labels.set(label, own);
    }
    return own;
  };
}
type Relabel = ReturnType<typeof createRelabel>;

// oxlint-disable-next-line no-control-regex -- what XML 1.0 has no way to say
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const XML_ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};
const xml = (text: string): string =>
  text.replace(NOT_XML, "\ufffd").replace(/[&<>"\r]/g, (char) => XML_ESCAPES[char] ?? char);
const csv = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const isPlain = (term: Value & { termType: "Literal" }): boolean =>
  term.datatype.value === xsd.string || term.datatype.value === rdf.langString;

function toJson(term: Value, relabel: Relabel): string {
  if (term.termType === "NamedNode") return `{"type":"uri","value":${JSON.stringify(term.value)}}`;
  if (term.termType === "BlankNode") return `{"type":"bnode","value":"${relabel(term.value)}"}`;
  const kind = term.language
    ? `,"xml:lang":${JSON.stringify(term.language)}`
    : isPlain(term)
      ? ""
      : `,"datatype":${JSON.stringify(term.datatype.value)}`;
  return `{"type":"literal","value":${JSON.stringify(term.value)}${kind}}`;
}

function toXml(term: Value, relabel: Relabel): string {
  if (term.termType === "NamedNode") return `<uri>${xml(term.value)}</uri>`;
  if (term.termType === "BlankNode") return `<bnode>${relabel(term.value)}</bnode>`;
  const kind = term.language
    ? ` xml:lang="${xml(term.language)}"`
    : isPlain(term)
      ? ""
      : ` datatype="${xml(term.datatype.value)}"`;
  return `<literal${kind}>${xml(term.value)}</literal>`;
}

interface TableFormat {
  head(variables: readonly string[]): string;
  /** @param isFirst Some formats put something between rows. */
  row(variables: readonly string[], row: Row, isFirst: boolean, relabel: Relabel): string;
  readonly tail: string;
}

const JSON_TABLE: TableFormat = {
  head: (variables) => `{"head":{"vars":${JSON.stringify(variables)}},"results":{"bindings":[`,
  row(variables, row, isFirst, relabel) {
    const members: string[] = [];
    for (const name of variables) {
      const term = row.get(name);
      if (term) members.push(`${JSON.stringify(name)}:${toJson(term, relabel)}`);
    }
    return `${isFirst ? "" : ","}{${members.join(",")}}`;
  },
  tail: "]}}",
};
const XML_HEAD = '<?xml version="1.0"?>\n<sparql xmlns="http://www.w3.org/2005/sparql-results#">';

const TABLES: Readonly<Record<string, TableFormat>> = {
  [JSON_TYPE]: JSON_TABLE,
  "application/json": JSON_TABLE,
  [XML_TYPE]: {
    head: (variables) =>
      `${XML_HEAD}<head>${variables.map((name) => `<variable name="${xml(name)}"/>`).join("")}</head><results>`,
    row: (variables, row, _isFirst, relabel) =>
      `<result>${variables.map((name) => (row.has(name) ? `<binding name="${xml(name)}">${toXml(row.get(name)!, relabel)}</binding>` : "")).join("")}</result>`,
    tail: "</results></sparql>\n",
  },
  "text/csv": {
    head: (variables) => `${variables.map(csv).join(",")}\r\n`,
    row: (variables, row, _isFirst, relabel) => {
      const spell = (term: Value | undefined) =>
        term?.termType === "BlankNode" ? `_:${relabel(term.value)}` : csv(term?.value ?? "");
      return `${variables.map((name) => spell(row.get(name))).join(",")}\r\n`;
    },
    tail: "",
  },
  "text/tab-separated-values": {
    head: (variables) => `${variables.map((name) => `?${name}`).join("\t")}\n`,
    row: (variables, row, _isFirst, relabel) => {
      const spell = (term: Value | undefined) =>
        term?.termType === "BlankNode" ? `_:${relabel(term.value)}` : term ? spellTerm(term) : "";
      return `${variables.map((name) => spell(row.get(name))).join("\t")}\n`;
    },
    tail: "",
  },
};

function askText(value: boolean, contentType: string): string {
  return contentType === XML_TYPE
    ? `${XML_HEAD}<head/><boolean>${value}</boolean></sparql>\n`
    : `{"head":{},"boolean":${value}}`;
}

const tooMany = (limit: string): Problem =>
  new Problem(
    "query-refused",
    `The answer would have more than ${limit}; ask for less, with LIMIT and OFFSET`,
  );

export interface WrittenAnswers {
  readonly bytes: Uint8Array;
  /** Of a table, or triples of a graph; one for a yes or no. */
  readonly rows: number;
}

/**
 * The whole answer, or none of it: a cut table looks like a whole one.
 * @param contentType One of {@link RESULT_TYPES} for the form of the query.
 * @throws Problem `query-refused` beyond a limit, and what evaluation throws.
 */
export async function writeAnswers(
  answers: Answers,
  variables: readonly string[],
  contentType: string,
  limits: ResultLimits,
): Promise<WrittenAnswers> {
  const { rowsMax, bytesMax } = limits;
  const relabel = createRelabel();
  if (answers.kind === "boolean")
    return { bytes: new TextEncoder().encode(askText(answers.value, contentType)), rows: 1 };
  if (answers.kind === "quads") {
    const quads = new Map<string, Quad>();
    const own = <T extends Value>(term: T): T =>
      term.termType === "BlankNode" ? (blankNode(relabel(term.value)) as T) : term;
    for await (const { subject, predicate, object } of answers.quads) {
      const relabelled = quad(own(subject), predicate, own(object));
      quads.set(keyOfTriple(relabelled), relabelled);
      if (quads.size > rowsMax) throw tooMany(`${rowsMax} triples`);
    }
    const bytes = await serializeRdf(quads.values(), contentType);
    if (bytes.length > bytesMax) throw tooMany(`${bytesMax} bytes`);
    return { bytes, rows: quads.size };
  }
  const table = TABLES[contentType]!;
  let text = table.head(variables);
  let rows = 0;
  for await (const row of answers.rows) {
    if (rows === rowsMax) throw tooMany(`${rowsMax} rows`);
    text += table.row(variables, row, rows++ === 0, relabel);
    if (text.length > bytesMax) throw tooMany(`${bytesMax} bytes`);
  }
  const bytes = new TextEncoder().encode(text + table.tail);
  if (bytes.length > bytesMax) throw tooMany(`${bytesMax} bytes`);
  return { bytes, rows };
}
