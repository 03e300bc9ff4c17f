/** The W3C's SPARQL 1.1 test suite: its manifests and its expected answers, as values. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SaxesParser, type SaxesTagNS } from "saxes";
import { parseText } from "../../../server/rdf/parse.ts";
import {
  blankNode,
  literal,
  namedNode,
  type Quad,
  quad,
  type Subject,
  type Value,
} from "../../../server/rdf/terms.ts";
import { mf, rdf } from "../../rdf/names.ts";
import { vectors } from "../../rdf/vectors.ts";
import type { Outcome, Solution } from "../oracle/engines.ts";
import { fromJson, fromTsv } from "../oracle/results.ts";

export const BASE = "http://tests.example/";
const QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#";
const RS = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#";
const RDF = rdf("");

export interface SparqlTest {
  /** `folder/name` */
  readonly id: string;
  /** `QueryEvaluationTest`, `PositiveSyntaxTest11`, … */
  readonly type: string;
  /** The address of the query's file, which is its base. */
  readonly query: string;
  readonly data: readonly string[];
  readonly graphs: readonly string[];
  readonly result: string | null;
}

/** The file behind one of the suite's addresses. */
export function fileOf(address: string): string {
  return join(vectors("sparql11")!, decodeURIComponent(address.slice(BASE.length)));
}
export const textOf = (address: string): string => readFileSync(fileOf(address), "utf8");

/** Tests of one folder, in the order of its manifest. */
export function readTests(folder: string): SparqlTest[] {
  const here = `${BASE}${folder}/manifest.ttl`;
  const quads = parseText(textOf(here), "text/turtle", here);
  const find = (subject: string, predicate: string): string[] =>
    quads.flatMap((each) =>
      each.subject.value === subject && each.predicate.value === predicate ? [each.object.value] : [],
    );
  const tests: SparqlTest[] = [];
  let [at] = find(here, mf("entries"));
  for (; at && at !== rdf("nil"); [at] = find(at, rdf("rest"))) {
    const [entry = ""] = find(at, rdf("first"));
    const [action = ""] = find(entry, mf("action"));
    tests.push({
      id: `${folder}/${entry.split("#")[1]}`,
      type: find(entry, rdf("type"))[0]?.split("#")[1] ?? "",
      query: find(action, `${QT}query`)[0] ?? action,
      data: find(action, `${QT}data`),
      graphs: find(action, `${QT}graphData`),
      result: find(entry, mf("result"))[0] ?? null,
    });
  }
  return tests;
}

/** Whether anything is at an address of the suite. */
export const isThere = (address: string): boolean => address.startsWith(BASE) && existsSync(fileOf(address));

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** XML without entities of its own, as a tree; names with their namespace in front. */
function parseXml(text: string): Element {
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  const parser = new SaxesParser({ xmlns: true });
  parser.on("opentag", ({ uri, local, attributes }: SaxesTagNS) => {
    const own = Object.values(attributes).map((each) => [`${each.uri}${each.local}`, each.value] as const);
    const element: Element = {
      name: `${uri}${local}`,
      attributes: Object.fromEntries(own),
      children: [],
      text: "",
    };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("text", (part) => {
    open.at(-1)!.text += part;
  });
  parser.on("closetag", () => void open.pop());
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(text).close();
  return root.children[0]!;
}

/** As much of RDF/XML as the suite's six files say. */
function parseRdfXml(text: string, baseIri: string): Quad[] {
  const quads: Quad[] = [];
  const resolve = (iri: string): string => new URL(iri, baseIri).href;
  const nodeOf = ({ name, attributes, children }: Element): Subject => {
    const [about, label] = [attributes[`${RDF}about`], attributes[`${RDF}nodeID`]];
    const subject = about === undefined ? blankNode(label) : namedNode(resolve(about));
    if (name !== `${RDF}Description`) quads.push(quad(subject, namedNode(`${RDF}type`), namedNode(name)));
    for (const { name: predicate, attributes: own, children: nested, text: value } of children) {
      const [resource, node, datatype] = [own[`${RDF}resource`], own[`${RDF}nodeID`], own[`${RDF}datatype`]];
      const object =
        resource !== undefined
          ? namedNode(resolve(resource))
          : node !== undefined
            ? blankNode(node)
            : nested[0]
              ? nodeOf(nested[0])
              : literal(value, datatype && namedNode(datatype));
      quads.push(quad(subject, namedNode(predicate), object));
    }
    return subject;
  };
  for (const child of parseXml(text).children) nodeOf(child);
  return quads;
}

/** The triples of one of the suite's documents. */
export function readGraph(address: string): Quad[] {
  if (address.endsWith(".rdf")) return parseRdfXml(textOf(address), address);
  return parseText(
    textOf(address),
    address.endsWith(".nt") ? "application/n-triples" : "text/turtle",
    address,
  );
}

const SRX = "http://www.w3.org/2005/sparql-results#";

function fromXml(text: string): Outcome {
  const root = parseXml(text);
  const inside = ({ children }: Element, name: string): Element[] =>
    children.filter((child) => child.name === `${SRX}${name}`);
  const [boolean] = inside(root, "boolean");
  if (boolean) return { kind: "boolean", value: boolean.text.trim() === "true" };
  const termOf = (binding: Element): Value => {
    const [term] = binding.children;
    if (term!.name === `${SRX}uri`) return namedNode(term!.text);
    if (term!.name === `${SRX}bnode`) return blankNode(term!.text);
    const { datatype } = term!.attributes;
    const language = Object.entries(term!.attributes).find(([name]) => name.endsWith("lang"))?.[1];
    return literal(term!.text, language ?? (datatype ? namedNode(datatype) : undefined));
  };
  const rows = inside(inside(root, "results")[0]!, "result").map(
    (result): Solution =>
      new Map(inside(result, "binding").map((each) => [each.attributes["name"]!, termOf(each)])),
  );
  return { kind: "rows", rows };
}

/** A table of solutions that is written as a graph. @see https://www.w3.org/2001/sw/DataAccess/tests/result-set# */
function fromGraph(quads: Quad[]): Outcome {
  const find = (subject: Value, name: string) =>
    quads.filter((each) => each.subject.equals(subject) && each.predicate.value === `${RS}${name}`);
  const set = quads.find(({ object }) => object.value === `${RS}ResultSet`)?.subject;
  if (!set) return { kind: "graph", quads };
  const rows = find(set, "solution").map(
    ({ object }): Solution =>
      new Map(
        find(object, "binding").map(({ object: binding }) => [
          find(binding, "variable")[0]!.object.value,
          find(binding, "value")[0]!.object,
        ]),
      ),
  );
  return { kind: "rows", rows };
}

/** What a test expects. CSV is left to whoever compares texts: it does not tell terms apart. */
export function readResult(address: string): Outcome {
  const text = textOf(address);
  if (address.endsWith(".srx")) return fromXml(text);
  if (address.endsWith(".srj")) return fromJson(text);
  if (address.endsWith(".tsv")) return fromTsv(text);
  return fromGraph(readGraph(address));
}
