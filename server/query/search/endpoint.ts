/**
 * Full-text search as REST: `GET {pod}/search?q=garden&type=…&folder=…&year=…`. A SPARQL query over what the agent may
 * read, like any other; where it is evaluated its rows become hits, one for each thing that a document says something
 * about, with facets, and only the page that is asked for comes here.
 */
import { createHash } from "node:crypto";
import { rdf } from "@freehold/vocab";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Operation, Result } from "../../operation.ts";
import type { Pod } from "../../store/pods.ts";
import type { Snapshot } from "../../store/store.ts";
import { isKnown, QUERY_HEADERS } from "../asking.ts";
import type { Queries } from "../endpoint.ts";
import { JSON_TYPE } from "../output.ts";
import { oneOf, parseParameters } from "../protocol.ts";
import type { SearchRequest } from "./page.ts";
import { parseTextQuery } from "./text-query.ts";
import { DATES, EXCERPT, MATCHES, SCORE } from "./vocabulary.ts";

/** Where search is, after the pod's root. */
export const SEARCH_PATH = "search";

const HITS_PER_PAGE = 20;
const HITS_PER_PAGE_MAX = 100;

function wholeNumber(
  parameters: URLSearchParams,
  name: string,
  [least, most]: readonly [number, number],
): number | null {
  const text = oneOf(parameters, name);
  if (text === null) return null;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < least || value > most)
    throw new Problem("bad-request", `${name} is a whole number from ${least} to ${most}`);
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
    year: wholeNumber(parameters, "year", [0, 9_999]),
    limit: wholeNumber(parameters, "limit", [1, HITS_PER_PAGE_MAX]) ?? HITS_PER_PAGE,
    offset: wholeNumber(parameters, "offset", [0, rowsMax]) ?? 0,
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

export interface Search {
  /** @throws Problem `bad-request`. */
  parse(operation: Operation): SearchRequest;
  /** @throws Problem as a query does: `query-timeout`, `unavailable`, … */
  answer(snapshot: Snapshot, pod: Pod, operation: Operation, request: SearchRequest): Promise<Result>;
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
      const page = { ...request, url: operation.url, rowsMax };
      const result = await queries.answer(snapshot, pod, asked, { text, description: null, pods: [], page });
      const bytes = result.body as Uint8Array; // Made in the thread, and never longer than it can send at once.
      const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
      const headers = { ...QUERY_HEADERS, etag };
      const extent = { rows: 0, documents: 0, ...result.extent };
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
