/** JSON-LD in: expanded by jsonld.js with contexts that are part of this server, turned into triples by our own code. */
import { readFile } from "node:fs/promises";
import { rdf, xsd } from "@freehold/vocab";
import jsonld from "jsonld";
import { Problem } from "../errors.ts";
import { createBoundedFactory, type RdfLimits } from "./bounded.ts";
import { placeOf, tooDeepJson } from "./depth.ts";
import { decodeUtf8, invalidRdf } from "./parse.ts";
import { isAbsolute } from "./resolve.ts";
import type { Literal, Quad, Subject, Value } from "./terms.ts";

/** Contexts we hold, by the addresses documents name them with. Nothing is ever fetched. */
const CONTEXTS: Readonly<Record<string, string>> = {
  "https://schema.org": "schema",
  "https://schema.org/": "schema",
  "http://schema.org": "schema",
  "http://schema.org/": "schema",
  "https://w3id.org/freehold/ns": "freehold",
  "http://www.w3.org/ns/ldp": "ldp", // As the examples of Linked Data Notifications have it.
  "https://www.w3.org/ns/activitystreams": "activitystreams",
  "https://www.w3.org/ns/lws/v1": "lws",
  "https://www.w3.org/ns/solid/notifications-context/v1": "solid-notifications",
  "https://www.w3.org/ns/solid/notification/v1": "solid-notifications", // As other servers and their clients name it.
};

const RDF_JSON = `${rdf.type.slice(0, -"type".length)}JSON`;
const DEFINITIONS_MAX = 2_000; // Contexts people write define a few hundred terms; jsonld.js copies all of them for each context.
const COPIES_MAX = 3_000_000; // Terms copied while contexts are applied: about half a second.
const ARRAYS_IN_ARRAYS_MAX = 10_000; // jsonld.js copies an array for each array directly in it.
const BUNDLED_SIZE = 150; // Terms of the largest bundled context.

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Node = { readonly [key: string]: Json };
const isNode = (value: Json | undefined): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const asArray = (value: Json | undefined): readonly Json[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? (value as readonly Json[]) : [value];

/**
 * What applying the contexts will cost, before it is paid: contexts are small in bytes and quadratic in work.
 * @returns what is too much, or null.
 */
function excessOf(document: Json): string | null {
  let copies = 0;
  let definitions = 0;
  let arraysInArrays = 0;
  let scoped = 0;
  const define = (context: Json): number => {
    if (!isNode(context)) return typeof context === "string" ? BUNDLED_SIZE : 0;
    let size = 0;
    for (const definition of Object.values(context)) {
      size++;
      if (isNode(definition) && definition["@context"] !== undefined) {
        for (const inner of asArray(definition["@context"])) scoped += define(inner) + 1;
      }
    }
    definitions += size;
    return size;
  };
  const visit = (value: Json, active: number): void => {
    if (copies > COPIES_MAX || definitions > DEFINITIONS_MAX) return;
    if (Array.isArray(value)) {
      for (const item of value as readonly Json[]) {
        if (Array.isArray(item)) arraysInArrays++;
        visit(item, active);
      }
      return;
    }
    if (!isNode(value)) return;
    let size = active;
    for (const context of asArray(value["@context"])) {
      size += define(context);
      copies += size;
    }
    if (scoped > 0) copies += size + scoped;
    for (const [key, inner] of Object.entries(value)) if (key !== "@context") visit(inner, size);
  };
  visit(document, 0);
  if (definitions > DEFINITIONS_MAX) return `Contexts define at most ${DEFINITIONS_MAX} terms`;
  if (copies > COPIES_MAX) return "Contexts are repeated or scoped too often; name one context at the top";
  return arraysInArrays > ARRAYS_IN_ARRAYS_MAX
    ? `At most ${ARRAYS_IN_ARRAYS_MAX} arrays directly in arrays`
    : null;
}

/** Reads a context of ours, once. */
function createLoader(): (url: string) => Promise<Json> {
  const loaded = new Map<string, Promise<Json>>();
  return (url) => {
    const name = CONTEXTS[url];
    if (name === undefined)
      throw new Problem(
        "context-unknown",
        `JSON-LD: the context ${url.slice(0, 200)} is not known here, and contexts are never fetched; write it into the document`,
      );
    let context = loaded.get(name);
    if (context === undefined) {
      context = readFile(new URL(`./contexts/${name}.jsonld`, import.meta.url), "utf8").then(
        (text) => JSON.parse(text) as Json,
      );
      loaded.set(name, context);
    }
    return context;
  };
}
const loadContext = createLoader();

/** JSON Canonicalization Scheme, for literals that hold JSON. https://www.rfc-editor.org/rfc/rfc8785 */
function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(",")}]`;
  if (!isNode(value)) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)); // By UTF-16 units, as the scheme wants.
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
}

const isLabel = (id: string): boolean => id.startsWith("_:");

/**
 * Expanded JSON-LD to triples: every triple of every graph. Unlike the node map of the usual algorithm this is one
 * linear pass, and blank nodes keep their labels.
 * @see https://www.w3.org/TR/json-ld11-api/#deserialize-json-ld-to-rdf-algorithm
 */
function triplesOf(expanded: Json, limits: RdfLimits): Quad[] {
  const quads: Quad[] = [];
  const make = createBoundedFactory(limits, (detail) => {
    throw invalidRdf("JSON-LD", { detail });
  });
  const nodeOf = (id: string): Subject => (isLabel(id) ? make.blankNode(id.slice(2)) : make.namedNode(id));
  const isRelative = (id: string): boolean => !isLabel(id) && !isAbsolute(id);
  const say = (subject: Subject, predicate: string, object: Value): void => {
    quads.push(make.quad(subject, make.namedNode(predicate), object));
  };

  const literalOf = (item: Node): Literal => {
    const value = item["@value"] as Json;
    const type = item["@type"] as string | undefined;
    if (type === "@json") return make.literal(canonicalJson(value), make.namedNode(RDF_JSON));
    if (typeof value === "boolean") return make.literal(String(value), make.namedNode(type ?? xsd.boolean));
    if (typeof value === "number") {
      const isInteger = type !== xsd.double && Number.isInteger(value) && Math.abs(value) < 1e21;
      const text = isInteger ? value.toFixed(0) : value.toExponential(15).replace(/(\d)0*e\+?/, "$1E");
      return make.literal(text, make.namedNode(type ?? (isInteger ? xsd.integer : xsd.double)));
    }
    const text = value as string; // Expansion leaves nothing else.
    if (!text.isWellFormed()) throw invalidRdf("JSON-LD", { detail: "A string holds half a character" });
    const language = item["@language"] as string | undefined;
    return language === undefined
      ? make.literal(text, make.namedNode(type ?? xsd.string))
      : make.literal(text, language);
  };

  /** @returns null for what is not RDF: a relative address. */
  const valueOf = (item: Json): Value | null => {
    if (!isNode(item)) return null;
    if ("@value" in item) return literalOf(item);
    if ("@list" in item) return listOf(asArray(item["@list"]));
    return describe(item);
  };

  const listOf = (items: readonly Json[]): Subject => {
    const values = items.map(valueOf);
    let rest: Subject = make.namedNode(rdf.nil);
    for (const value of values.reverse()) {
      const cell = make.blankNode();
      if (value) say(cell, rdf.first, value);
      say(cell, rdf.rest, rest);
      rest = cell;
    }
    return rest;
  };

  const describe = (node: Node): Subject | null => {
    const id = node["@id"] as string | undefined;
    for (const inner of [...asArray(node["@graph"]), ...asArray(node["@included"])]) valueOf(inner);
    if (id !== undefined && isRelative(id)) return null;
    const subject = id === undefined ? make.blankNode() : nodeOf(id);
    for (const type of asArray(node["@type"]) as readonly string[])
      if (!isRelative(type)) say(subject, rdf.type, nodeOf(type));
    for (const [property, items] of Object.entries(node)) {
      if (property.startsWith("@") || isLabel(property) || isRelative(property)) continue;
      for (const item of asArray(items)) {
        const value = valueOf(item);
        if (value) say(subject, property, value);
      }
    }
    const reverse = node["@reverse"];
    for (const [property, items] of isNode(reverse) ? Object.entries(reverse) : []) {
      for (const item of asArray(items)) {
        const from = valueOf(item);
        if (from && from.termType !== "Literal" && !isLabel(property) && !isRelative(property))
          say(from, property, subject);
      }
    }
    return subject;
  };

  for (const item of asArray(expanded)) valueOf(item);
  return quads;
}

/** @throws Problem `rdf-invalid`, `context-unknown` with the name of one that is not bundled. */
export async function parseJsonLd(bytes: Uint8Array, baseIri: string, limits: RdfLimits): Promise<Quad[]> {
  const text = decodeUtf8(bytes, "JSON-LD");
  const deep = tooDeepJson(text, limits.jsonDepthMax);
  if (deep >= 0) {
    const { line, column } = placeOf(text, deep);
    throw invalidRdf("JSON-LD", {
      detail: `JSON nests at most ${limits.jsonDepthMax} deep`,
      at: `${line}:${column}`,
    });
  }
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch (cause) {
    const { message } = cause as Error;
    const position = / at position (\d+)/.exec(message)?.[1];
    const detail = message.replace(/ in JSON at position.*$/s, "").slice(0, 200);
    if (position === undefined) throw invalidRdf("JSON-LD", { detail }, cause);
    const { line, column } = placeOf(text, Number(position));
    throw invalidRdf("JSON-LD", { detail, at: `${line}:${column}` }, cause);
  }
  const excess = excessOf(document);
  if (excess !== null) throw invalidRdf("JSON-LD", { detail: excess });
  let unknown: Problem | null = null;
  const documentLoader = async (url: string): Promise<never> => {
    try {
      return { contextUrl: undefined, documentUrl: url, document: await loadContext(url) } as never;
    } catch (error) {
      if (error instanceof Problem) unknown = error;
      throw error;
    }
  };
  try {
    return triplesOf(
      (await jsonld.expand(document as never, { base: baseIri, documentLoader })) as Json,
      limits,
    );
  } catch (error) {
    if (unknown) throw unknown;
    if (error instanceof Problem) throw error;
    throw invalidRdf("JSON-LD", { detail: (error as Error).message.slice(0, 200) }, error);
  }
}
