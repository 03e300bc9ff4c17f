/**
 * Full-text search as REST: `GET {pod}/search?q=garden&type=…&folder=…&year=…`. A SPARQL query over what the agent may
 * read, like any other; its rows become hits, one for each thing that a document says something about, with facets.
 */
import { createHash } from "node:crypto";
import { dcterms, fh, rdf, schema, sosa } from "@freehold/vocab";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Operation, Result } from "../../operation.ts";
import type { Pod } from "../../store/pods.ts";
import type { Snapshot } from "../../store/store.ts";
import { isKnown, QUERY_HEADERS } from "../asking.ts";
import type { Queries } from "../endpoint.ts";
import { JSON_TYPE } from "../output.ts";
import { oneOf, parseParameters } from "../protocol.ts";
import { parseTextQuery } from "./text-query.ts";
import { EXCERPT, MATCHES, SCORE } from "./vocabulary.ts";

/** Where search is, after the pod's root. */
export const SEARCH_PATH = "search";

const HITS_PER_PAGE = 20;
const HITS_PER_PAGE_MAX = 100;
/** Values of one facet that are told, those with most hits first. */
const FACET_VALUES_MAX = 50;

/** What says of when something is: the first that a thing has. */
const DATES: readonly string[] = [
  schema.datePublished,
  schema.dateCreated,
  schema.orderDate,
  schema.startDate,
  dcterms.created,
  dcterms.modified,
  sosa.resultTime,
  fh.bookingDate,
];

export interface SearchRequest {
  readonly text: string;
  /** IRIs: one of them. */
  readonly types: readonly string[];
  /** The address of a folder; with all below. */
  readonly folder: string | null;
  readonly year: number | null;
  readonly limit: number;
  readonly offset: number;
}

/** One thing of one document. */
interface Hit {
  readonly document: string;
  readonly subject: string;
  property: string;
  excerpt: string;
  score: number;
  readonly types: Set<string>;
  year: number | null;
}

type Row = Readonly<Record<string, { readonly type: string; readonly value: string } | undefined>>;

function wholeNumber(parameters: URLSearchParams, name: string, most: number): number | null {
  const text = oneOf(parameters, name);
  if (text === null) return null;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value > most)
    throw new Problem("bad-request", `${name} is a number up to ${most}`);
  return value;
}

/** @throws Problem `bad-request`. */
export function parseSearch({ query }: Pick<Operation, "query">, rowsMax: number): SearchRequest {
  const parameters = parseParameters(query);
  const text = oneOf(parameters, "q") ?? "";
  if (parseTextQuery(text) === null)
    throw new Problem("bad-request", "The parameter q says what to look for: words, at most 1024 characters");
  return {
    text,
    types: parameters.getAll("type"),
    folder: oneOf(parameters, "folder"),
    year: wholeNumber(parameters, "year", 9_999),
    limit: wholeNumber(parameters, "limit", HITS_PER_PAGE_MAX) ?? HITS_PER_PAGE,
    offset: wholeNumber(parameters, "offset", rowsMax) ?? 0,
  };
}

function sparqlOf(text: string, rowsMax: number): string {
  const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const wanted = `"${text.replace(/[\\"\n\r\t]/g, (found) => escapes[found] ?? `\\${found}`)}"`;
  const dates = DATES.map((iri) => `<${iri}>`).join(", ");
  return `SELECT ?document ?subject ?property ?excerpt ?score ?type ?dated ?date {
    GRAPH ?document {
      ?subject ?property ?text . ?text <${MATCHES}> ${wanted} .
      OPTIONAL { ?subject <${rdf.type}> ?type }
      OPTIONAL { ?subject ?dated ?date FILTER(?dated IN (${dates})) }
    }
    BIND(<${EXCERPT}>(?text, ${wanted}) AS ?excerpt) BIND(<${SCORE}>(?text, ${wanted}) AS ?score)
  } LIMIT ${rowsMax}`;
}

/** Rows of one thing come once for each of its types, dates and texts. */
function hitsOf(rows: readonly Row[]): readonly Hit[] {
  const hits = new Map<string, Hit & { dated: number }>();
  for (const { document, subject, property, excerpt, score, type, dated, date } of rows) {
    if (!document || !subject || !property || !excerpt) continue;
    const name = subject.type === "bnode" ? `_:${subject.value}` : subject.value;
    const key = `${document.value} ${name}`;
    const value = Number(score?.value);
    let hit = hits.get(key);
    if (!hit) {
      hit = {
        document: document.value,
        subject: name,
        property: property.value,
        excerpt: excerpt.value,
        score: value,
        types: new Set(),
        year: null,
        dated: DATES.length,
      };
      hits.set(key, hit);
    }
    if (value > hit.score || (value === hit.score && property.value < hit.property)) {
      hit.score = value;
      hit.property = property.value;
      hit.excerpt = excerpt.value;
    }
    if (type) hit.types.add(type.value);
    const rank = DATES.indexOf(dated?.value ?? "");
    const year = /^(\d{4})-\d\d/.exec(date?.value ?? "")?.[1];
    if (year !== undefined && rank >= 0 && rank < hit.dated) {
      hit.dated = rank;
      hit.year = Number(year);
    }
  }
  return [...hits.values()];
}

const folderOf = (document: string): string =>
  document.slice(0, document.replace(/\/$/, "").lastIndexOf("/") + 1);

interface FacetValue {
  readonly value: string | number;
  readonly count: number;
}

function facet(
  hits: readonly Hit[],
  valuesOf: (hit: Hit) => Iterable<string | number>,
): readonly FacetValue[] {
  const counts = new Map<string | number, number>();
  for (const hit of hits) for (const value of valuesOf(hit)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, FACET_VALUES_MAX);
}

/** What a search answers, before it is JSON. */
function answerOf(request: SearchRequest, rows: readonly Row[], isComplete: boolean, url: string) {
  const { text, types, folder, year, limit, offset } = request;
  const hits = hitsOf(rows)
    .filter((hit) => types.length === 0 || types.some((type) => hit.types.has(type)))
    .filter((hit) => folder === null || hit.document.startsWith(folder.endsWith("/") ? folder : `${folder}/`))
    .filter((hit) => year === null || hit.year === year)
    .sort(
      (a, b) => b.score - a.score || (`${a.document} ${a.subject}` < `${b.document} ${b.subject}` ? -1 : 1),
    );
  const next = new URLSearchParams({ q: text, limit: String(limit), offset: String(offset + limit) });
  for (const type of types) next.append("type", type);
  if (folder !== null) next.set("folder", folder);
  if (year !== null) next.set("year", String(year));
  return {
    query: text,
    total: hits.length,
    complete: isComplete,
    hits: hits
      .slice(offset, offset + limit)
      .map(({ document, subject, property, excerpt, score, types, year }) => ({
        document,
        subject,
        property,
        excerpt,
        score: Math.round(score * 1_000) / 1_000,
        types: [...types].sort(),
        year,
      })),
    facets: {
      types: facet(hits, (hit) => hit.types),
      folders: facet(hits, (hit) => [folderOf(hit.document)]),
      years: facet(hits, (hit) => (hit.year === null ? [] : [hit.year])),
    },
    next: offset + limit < hits.length ? `${url}?${next}` : null,
  };
}

export interface Search {
  /** @throws Problem `bad-request`. */
  parse(operation: Operation): SearchRequest;
  /** @throws Problem as a query does: `query-timeout`, `unavailable`, … */
  answer(snapshot: Snapshot, pod: Pod, operation: Operation, request: SearchRequest): Promise<Result>;
}

async function textOf({ body }: Result): Promise<string> {
  if (body === null) return "";
  if (typeof body === "string") return body;
  return Buffer.concat(body instanceof Uint8Array ? [body] : await Array.fromAsync(body)).toString("utf8");
}

export function createSearch(queries: Pick<Queries, "answer">, limits: Limits): Search {
  const rowsMax = limits.queryRowsMax;
  return {
    parse: (operation) => parseSearch(operation, rowsMax),
    async answer(snapshot, pod, operation, request) {
      const asked: Operation = {
        ...operation,
        method: "GET",
        query: "",
        headers: { ...operation.headers, accept: JSON_TYPE, "if-none-match": undefined },
      };
      const text = sparqlOf(request.text, rowsMax);
      const result = await queries.answer(snapshot, pod, asked, { text, description: null, pods: [] });
      const { results } = JSON.parse(await textOf(result)) as {
        readonly results: { readonly bindings: readonly Row[] };
      };
      const rows = results.bindings;
      const found = answerOf(request, rows, rows.length < rowsMax, operation.url);
      const bytes = Buffer.from(JSON.stringify(found));
      const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
      const headers = { ...QUERY_HEADERS, etag };
      const extent = { documents: 0, ...result.extent, rows: found.hits.length };
      if (isKnown(operation, etag)) return { status: 304, headers, body: null, extent };
      return {
        status: 200,
        headers: { ...headers, "content-type": "application/json", "content-length": String(bytes.length) },
        body: operation.method === "HEAD" ? null : bytes,
        extent,
      };
    },
  };
}
