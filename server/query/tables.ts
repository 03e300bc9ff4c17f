/** The four formats of SPARQL results, from rows of ids. */
import { rdf, xsd } from "@freehold/vocab";
import type { Value } from "../rdf/terms.ts";
import { spellTerm } from "../rdf/turtle.ts";
import type { QueryTerms } from "./engine/contract.ts";
import { createFragments, type Spell } from "./fragments.ts";
import { type Id, type Terms, UNBOUND } from "./index/view.ts";
import { JSON_TYPE, type Output, XML_TYPE } from "./output.ts";

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

/** https://www.w3.org/TR/sparql11-results-json/#select-encode-terms */
const toJson: Spell = (term, label) => {
  if (term.termType === "NamedNode") return `{"type":"uri","value":${JSON.stringify(term.value)}}`;
  if (term.termType === "BlankNode") return `{"type":"bnode","value":"${label(term)}"}`;
  const kind = term.language
    ? `,"xml:lang":${JSON.stringify(term.language)}`
    : isPlain(term)
      ? ""
      : `,"datatype":${JSON.stringify(term.datatype.value)}`;
  return `{"type":"literal","value":${JSON.stringify(term.value)}${kind}}`;
};

/** https://www.w3.org/TR/rdf-sparql-XMLres/#vb-results */
const toXml: Spell = (term, label) => {
  if (term.termType === "NamedNode") return `<uri>${xml(term.value)}</uri>`;
  if (term.termType === "BlankNode") return `<bnode>${label(term)}</bnode>`;
  const kind = term.language
    ? ` xml:lang="${xml(term.language)}"`
    : isPlain(term)
      ? ""
      : ` datatype="${xml(term.datatype.value)}"`;
  return `<literal${kind}>${xml(term.value)}</literal>`;
};

/** https://www.w3.org/TR/sparql11-results-csv-tsv/#csv-terms */
const toCsv: Spell = (term, label) => (term.termType === "BlankNode" ? `_:${label(term)}` : csv(term.value));
/** https://www.w3.org/TR/sparql11-results-csv-tsv/#tsv-terms */
const toTsv: Spell = (term, label) => (term.termType === "BlankNode" ? `_:${label(term)}` : spellTerm(term));

interface TableFormat {
  readonly spell: Spell;
  head(variables: readonly string[]): string;
  /** What stands before each row but the first, and around its cells. */
  readonly betweenRows: string;
  readonly row: readonly [begin: string, end: string];
  /** What stands before and after a value; `first` where no value of the row is before it. */
  cell(variable: string): { readonly first: string; readonly next: string; readonly end: string };
  /** For columns that are always there, value or not: what is between two. Null: a value that is not there leaves no trace. */
  readonly betweenCells: string | null;
  readonly tail: string;
}

const JSON_TABLE: TableFormat = {
  spell: toJson,
  head: (variables) => `{"head":{"vars":${JSON.stringify(variables)}},"results":{"bindings":[`,
  betweenRows: ",",
  row: ["{", "}"],
  cell: (variable) => ({
    first: `${JSON.stringify(variable)}:`,
    next: `,${JSON.stringify(variable)}:`,
    end: "",
  }),
  betweenCells: null,
  tail: "]}}",
};
const XML_HEAD = '<?xml version="1.0"?>\n<sparql xmlns="http://www.w3.org/2005/sparql-results#">';
const NO_CELL = { first: "", next: "", end: "" };

const TABLES: Readonly<Record<string, TableFormat>> = {
  [JSON_TYPE]: JSON_TABLE,
  "application/json": JSON_TABLE,
  [XML_TYPE]: {
    spell: toXml,
    head: (variables) =>
      `${XML_HEAD}<head>${variables.map((name) => `<variable name="${xml(name)}"/>`).join("")}</head><results>`,
    betweenRows: "",
    row: ["<result>", "</result>"],
    cell: (variable) => {
      const begin = `<binding name="${xml(variable)}">`;
      return { first: begin, next: begin, end: "</binding>" };
    },
    betweenCells: null,
    tail: "</results></sparql>\n",
  },
  "text/csv": {
    spell: toCsv,
    head: (variables) => `${variables.map(csv).join(",")}\r\n`,
    betweenRows: "",
    row: ["", "\r\n"],
    cell: () => NO_CELL,
    betweenCells: ",",
    tail: "",
  },
  "text/tab-separated-values": {
    spell: toTsv,
    head: (variables) => `${variables.map((name) => `?${name}`).join("\t")}\n`,
    betweenRows: "",
    row: ["", "\n"],
    cell: () => NO_CELL,
    betweenCells: "\t",
    tail: "",
  },
};

export function askText(value: boolean, contentType: string): string {
  return contentType === XML_TYPE
    ? `${XML_HEAD}<head/><boolean>${value}</boolean></sparql>\n`
    : `{"head":{},"boolean":${value}}`;
}

export interface TableWriter {
  /** @throws Problem `query-refused` beyond a limit. */
  row(row: ArrayLike<Id>, terms: QueryTerms): void;
  end(): void;
}

/** @param pod The terms of the pod, of which spellings are kept. */
export function createTableWriter(
  contentType: string,
  variables: readonly string[],
  pod: Terms,
  output: Output,
): TableWriter {
  const format = TABLES[contentType]!;
  let fragment: ((id: Id) => string) | null = null;
  const cells = variables.map((name) => format.cell(name));
  const [begin, end] = format.row;
  const { betweenRows, betweenCells } = format;
  let isFirst = true;
  output.write(format.head(variables));
  return {
    row(row, terms) {
      output.count("rows");
      fragment ??= createFragments(pod, terms, format.spell);
      let text = isFirst ? begin : betweenRows + begin;
      isFirst = false;
      let isFirstCell = true;
      for (let at = 0; at < cells.length; at++) {
        if (betweenCells !== null && at > 0) text += betweenCells;
        const id = row[at]!;
        if (id === UNBOUND) continue;
        const cell = cells[at]!;
        text += (isFirstCell ? cell.first : cell.next) + fragment(id) + cell.end;
        isFirstCell = false;
      }
      output.write(text + end);
    },
    end: () => output.write(format.tail),
  };
}
