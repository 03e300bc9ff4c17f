/** What documents say, asked of the pod by the page: kinds of things, rows of one kind, what has a date, what points where. */
import type { Cell } from "@freehold/client";
import { query } from "@freehold/client/query";
import { foaf, rdf, rdfs, schema, vcard, xsd } from "@freehold/vocab";
import type { OwnPod } from "./place.ts";

export type { Cell };

export interface Kind {
  /** Address of the class; null for things that say none. */
  readonly type: string | null;
  readonly count: number;
}

/** Something that a thing is made of, told with it. */
export type Parts = ReadonlyMap<string, readonly Cell[]>;

export interface Value {
  readonly cell: Cell;
  /** What is said of the value itself, where it is a thing of the same document. */
  readonly parts: Parts;
}

export interface Thing {
  readonly document: string;
  readonly id: string;
  readonly values: ReadonlyMap<string, readonly Value[]>;
}

export interface Dated {
  readonly thing: Thing;
  readonly property: string;
  readonly when: Cell;
}

export interface Link {
  readonly from: string;
  readonly property: string;
  readonly to: string;
}

/** What is asked about: a document, or a folder with all below it. */
export interface Scope {
  readonly pod: OwnPod;
  /** Absolute; a folder's ends in `/`. */
  readonly url: string;
}

export interface Wanted {
  readonly type: string | null;
  /** Address of the property to sort by; empty for none. */
  readonly sort: string;
  readonly isDescending: boolean;
  /** Words that a text of the thing must have. */
  readonly words: string;
  readonly offset: number;
  readonly limit: number;
}

const TRIPLES_MAX = 4_000;
const KINDS_MAX = 40;

const text = (value: string): string => JSON.stringify(value.toWellFormed());
const address = (value: string): string => `<${value.replaceAll(/[<>"{}|\\^`\s]/g, encodeURIComponent)}>`;

function within({ url }: Scope): string {
  return url.endsWith("/")
    ? `FILTER(STRSTARTS(STR(?g), ${text(url)}) && !STRENDS(STR(?g), "/") && !STRENDS(STR(?g), ".meta"))`
    : `FILTER(?g = ${address(url)})`;
}

const ofKind = (type: string | null): string =>
  type === null ? "?s ?is ?so . FILTER NOT EXISTS { ?s a ?none }" : `?s a ${address(type)}`;

const NAMED = "FILTER(isIRI(?s))"; // What has no address can be shown only with what it belongs to.

async function rows(
  { pod }: Scope,
  sparql: string,
): Promise<readonly Readonly<Record<string, Cell | undefined>>[]> {
  return Array.fromAsync(query(pod, sparql));
}

export async function kindsIn(scope: Scope): Promise<readonly Kind[]> {
  const found = await rows(
    scope,
    `SELECT ?type (COUNT(DISTINCT ?s) AS ?n) WHERE { GRAPH ?g { ?s a ?type } ${NAMED} ${within(scope)} } GROUP BY ?type ORDER BY DESC(?n) LIMIT ${KINDS_MAX}`,
  );
  const kinds = found.map(({ type, n }) => ({ type: type?.value ?? null, count: Number(n?.value) }));
  if (kinds.length > 0) return kinds;
  const count = await countOf(scope, { type: null, words: "" });
  return count > 0 ? [{ type: null, count }] : [];
}

const having = (words: string): string =>
  words === ""
    ? ""
    : `FILTER EXISTS { GRAPH ?g { ?s ?said ?text . FILTER(isLiteral(?text) && CONTAINS(LCASE(STR(?text)), ${text(words.toLowerCase())})) } }`;

export async function countOf(
  scope: Scope,
  { type, words }: Pick<Wanted, "type" | "words">,
): Promise<number> {
  const [row] = await rows(
    scope,
    `SELECT (COUNT(*) AS ?n) WHERE { SELECT DISTINCT ?g ?s WHERE { GRAPH ?g { ${ofKind(type)} } ${NAMED} ${within(scope)} ${having(words)} } }`,
  );
  return Number(row?.n?.value ?? 0);
}

/** One page of the things of a kind. */
export async function thingsOf(scope: Scope, wanted: Wanted): Promise<readonly Thing[]> {
  const { type, sort, isDescending, words, offset, limit } = wanted;
  const key = sort === "" ? "" : `OPTIONAL { GRAPH ?g { ?s ${address(sort)} ?key } }`;
  const order = sort === "" ? "" : isDescending ? "DESC(?first)" : "?first";
  const page = await rows(
    scope,
    `SELECT ?g ?s ${sort === "" ? "" : "(MIN(?key) AS ?first)"} WHERE { GRAPH ?g { ${ofKind(type)} } ${key} ${NAMED} ${within(scope)} ${having(words)} } GROUP BY ?g ?s ORDER BY ${order} ?g ?s LIMIT ${limit} OFFSET ${offset}`,
  );
  return describe(
    scope,
    page.map(({ g, s }) => ({ document: g?.value ?? "", id: s?.value ?? "" })),
  );
}

/** What is said of things, and of what they are made of, in the order asked for. */
export async function describe(
  scope: Scope,
  wanted: readonly Pick<Thing, "document" | "id">[],
): Promise<readonly Thing[]> {
  if (wanted.length === 0) return [];
  const pairs = wanted.map(({ document, id }) => `(${address(document)} ${address(id)})`).join(" ");
  const found = await rows(
    scope,
    `SELECT ?g ?s ?p ?o ?q ?v WHERE { VALUES (?g ?s) { ${pairs} } GRAPH ?g { ?s ?p ?o . OPTIONAL { ?o ?q ?v } } } LIMIT ${TRIPLES_MAX}`,
  );
  const things = new Map<string, Map<string, Map<string, { cell: Cell; parts: Map<string, Cell[]> }>>>();
  for (const { g, s, p, o, q, v } of found) {
    if (!g || !s || !p || !o) continue;
    const thing = inMap(things, `${g.value} ${s.value}`, () => new Map());
    const values = inMap(thing, p.value, () => new Map());
    const { parts } = inMap(values, `${o.type} ${o.value} ${o.language ?? ""}`, () => ({
      cell: o,
      parts: new Map(),
    }));
    if (q && v) inMap(parts, q.value, (): Cell[] => []).push(v);
  }
  return wanted.map(({ document, id }) => {
    const said = things.get(`${document} ${id}`) ?? new Map();
    return { document, id, values: new Map([...said].map(([path, values]) => [path, [...values.values()]])) };
  });
}

function inMap<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** The latest first. */
export async function datedIn(scope: Scope, limit: number): Promise<readonly Dated[]> {
  const found = await rows(
    scope,
    `SELECT ?g ?s ?p ?when WHERE { GRAPH ?g { ?s ?p ?when } FILTER(DATATYPE(?when) = <${xsd.date}> || DATATYPE(?when) = <${xsd.dateTime}>) ${NAMED} ${within(scope)} } ORDER BY DESC(STR(?when)) LIMIT ${limit}`,
  );
  const things = await describe(
    scope,
    found.map(({ g, s }) => ({ document: g?.value ?? "", id: s?.value ?? "" })),
  );
  return found.flatMap(({ p, when }, place) => {
    const thing = things[place];
    return thing && p && when ? [{ thing, property: p.value, when }] : [];
  });
}

/** What things point to, classes left out: those are no things. */
export async function linksIn(scope: Scope, limit: number): Promise<readonly Link[]> {
  const found = await rows(
    scope,
    `SELECT ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } FILTER(isIRI(?o) && ?p != <${rdf.type}>) ${NAMED} ${within(scope)} } LIMIT ${limit}`,
  );
  return found.flatMap(({ s, p, o }) =>
    s && p && o ? [{ from: s.value, property: p.value, to: o.value }] : [],
  );
}

/** What things are called, by their address; one without a name is not there. */
export async function namesIn(scope: Scope, limit: number): Promise<ReadonlyMap<string, string>> {
  const found = await rows(
    scope,
    `SELECT ?s (SAMPLE(?name) AS ?n) WHERE { VALUES ?p { ${NAMES.map(address).join(" ")} } GRAPH ?g { ?s ?p ?name } ${NAMED} ${within(scope)} } GROUP BY ?s LIMIT ${limit}`,
  );
  return new Map(found.flatMap(({ s, n }) => (s && n ? [[s.value, n.value] as const] : [])));
}

/** Properties by which things are called, the best first. */
const NAMES: readonly string[] = [
  vcard.fn,
  foaf.name,
  schema.name,
  rdfs.label,
  "http://purl.org/dc/terms/title",
  "http://www.w3.org/2004/02/skos/core#prefLabel",
  "http://www.w3.org/2002/12/cal/ical#summary",
];

export function nameOfThing({ id, document, values }: Thing): string {
  for (const property of NAMES) {
    const name = values.get(property)?.find(({ cell }) => cell.type === "literal")?.cell.value;
    if (name) return name;
  }
  const like = [...values].find(([property]) => /(?:name|title|label|summary)$/i.test(property))?.[1][0];
  if (like?.cell.type === "literal") return like.cell.value;
  const part = id.slice(document.length).replace(/^#/, "");
  const file = decodeURIComponent(document.split("/").at(-1) ?? "").replace(
    /\.(?:ttl|jsonld|nt|trig|nq)$/,
    "",
  );
  return part === "" || part === "it" || part === "this" || part === "me" ? file : part;
}
