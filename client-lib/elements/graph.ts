/** Expanded JSON-LD as a graph: what a browser needs to read linked data, without a parser of every format. */
import { rdf, xsd } from "@freehold/vocab";
import { jsonOf } from "../content.ts";
import { type Fetch, FreeholdError, fetchOk } from "../errors.ts";

/** An address, a node without one (`_:b1`), or a text with its type. */
export type Term =
  | { readonly kind: "iri" | "blank"; readonly value: string }
  | {
      readonly kind: "literal";
      readonly value: string;
      readonly datatype: string;
      readonly language: string;
    };

/** The subject is an address, or `_:` and a label. */
export interface Triple {
  readonly subject: string;
  readonly predicate: string;
  readonly object: Term;
}

type Properties = ReadonlyMap<string, readonly Term[]>;

/** By subject, then by property. */
export interface Graph {
  readonly subjects: ReadonlyMap<string, Properties>;
  objects(subject: string, predicate: string): readonly Term[];
  /** The first value, of a property that has one at most. */
  value(subject: string, predicate: string): string | undefined;
  /** Members of an RDF list, which may be broken off. */
  list(head: Term | undefined): readonly Term[];
}

/** A document as it was read, and its version. */
export interface ReadDocument {
  /** Without fragment. */
  readonly url: string;
  readonly graph: Graph;
  readonly etag: string | null;
  /** What the document's folder asks of it, in the order in which the server says it. */
  readonly constraints: readonly string[];
}

const LIST_MAX = 1_000; // A list of choices longer than this is no list for a person.
const EMPTY: Properties = new Map();

export const iri = (value: string): Term => ({ kind: value.startsWith("_:") ? "blank" : "iri", value });
export const literal = (value: string, datatype: string = xsd.string, language = ""): Term => ({
  kind: "literal",
  value,
  datatype: language ? rdf.langString : datatype,
  language,
});

export const sameTerm = (a: Term, b: Term): boolean => keyOf(a) === keyOf(b);

/** Two terms are the same if their keys are. */
export const keyOf = (term: Term): string =>
  term.kind === "literal"
    ? JSON.stringify([term.value, term.datatype, term.language.toLowerCase()])
    : term.value;

export function createGraph(triples: Iterable<Triple>): Graph {
  const subjects = new Map<string, Map<string, Term[]>>();
  for (const { subject, predicate, object } of triples) {
    const properties = subjects.get(subject) ?? new Map<string, Term[]>();
    subjects.set(subject, properties);
    const objects = properties.get(predicate) ?? [];
    properties.set(predicate, objects);
    if (!objects.some((other) => sameTerm(other, object))) objects.push(object);
  }
  const objects = (subject: string, predicate: string): readonly Term[] =>
    (subjects.get(subject) ?? EMPTY).get(predicate) ?? [];
  return {
    subjects,
    objects,
    value: (subject, predicate) => objects(subject, predicate)[0]?.value,
    list(head) {
      const found: Term[] = [];
      for (
        let cell = head;
        cell && cell.value !== rdf.nil && found.length < LIST_MAX;
        cell = objects(cell.value, rdf.rest)[0]
      ) {
        const [first] = objects(cell.value, rdf.first);
        if (first) found.push(first);
        else break;
      }
      return found;
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

const asArray = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as readonly unknown[]) : value === undefined ? [] : [value];

/** @throws TypeError for what is not expanded JSON-LD. */
function* triplesIn(nodes: readonly unknown[], mint: () => string): Generator<Triple, void, undefined> {
  for (const node of nodes as readonly Json[]) {
    if ("@context" in node) throw new TypeError("The server wrote it short; expanded JSON-LD is needed");
    if ("@graph" in node) yield* triplesIn(asArray(node["@graph"]), mint);
    const subject = typeof node["@id"] === "string" ? node["@id"] : mint();
    for (const type of asArray(node["@type"]))
      yield { subject, predicate: rdf.type, object: iri(String(type)) };
    for (const [predicate, values] of Object.entries(node)) {
      if (predicate.startsWith("@")) continue;
      for (const value of asArray(values)) yield* triplesOf(subject, predicate, value as Json, mint);
    }
  }
}

function* triplesOf(
  subject: string,
  predicate: string,
  value: Json,
  mint: () => string,
): Generator<Triple, void, undefined> {
  if ("@value" in value) {
    const text = value["@value"];
    const natural =
      typeof text === "boolean" ? xsd.boolean : typeof text === "number" ? numberType(text) : undefined;
    const datatype = (value["@type"] as string | undefined) ?? natural;
    const language = (value["@language"] as string | undefined) ?? "";
    yield { subject, predicate, object: literal(String(text), datatype, language) };
    return;
  }
  if ("@list" in value) {
    const cells = asArray(value["@list"]).map((item) => ({ item, cell: mint() }));
    yield { subject, predicate, object: iri(cells[0]?.cell ?? rdf.nil) };
    for (const [place, { item, cell }] of cells.entries()) {
      yield* triplesOf(cell, rdf.first, item as Json, mint);
      yield { subject: cell, predicate: rdf.rest, object: iri(cells[place + 1]?.cell ?? rdf.nil) };
    }
    return;
  }
  const id = typeof value["@id"] === "string" ? value["@id"] : mint();
  yield { subject, predicate, object: iri(id) };
  if (Object.keys(value).length > 1) yield* triplesIn([{ ...value, "@id": id }], mint);
}

const numberType = (value: number): string => (Number.isInteger(value) ? xsd.integer : xsd.double);

/** @param expanded What was parsed of JSON-LD without a context. @throws TypeError */
export function readGraph(expanded: unknown): Graph {
  let made = 0;
  return createGraph(triplesIn(asArray(expanded), () => `_:made-${(made += 1)}`));
}

const CONSTRAINED = /<([^>]*)>\s*;\s*rel="http:\/\/www\.w3\.org\/ns\/ldp#constrainedBy"/g;

/**
 * Reads a document of linked data.
 * @param url Its fragment is left aside.
 * @throws FreeholdError the server's refusal, or `answer-invalid`.
 */
export async function readDocument(fetch: Fetch, url: string): Promise<ReadDocument> {
  const address = url.split("#", 1)[0] ?? url;
  const response = await fetchOk(fetch, address, { headers: { accept: "application/ld+json" } });
  try {
    return {
      url: address,
      graph: readGraph(await jsonOf(response, address)),
      etag: response.headers.get("etag"),
      constraints: [...(response.headers.get("link") ?? "").matchAll(CONSTRAINED)].map(
        ([, shape = ""]) => shape,
      ),
    };
  } catch (cause) {
    if (cause instanceof FreeholdError) throw cause;
    throw new FreeholdError("answer-invalid", "This cannot be read as linked data", { url: address, cause });
  }
}
