/** SPARQL over a pod: plain patterns in, rows out, one after the other as they arrive. */
import { type Fetch, FreeholdError, fetchOk } from "./errors.ts";
import { type Cell, rowsOfJson } from "./rows.ts";

/** All graphs the asker may read, as one. @see https://jeswr.github.io/solid-sparql-query/#union-default-graph */
export const UNION_DEFAULT_GRAPH = "http://www.w3.org/ns/solid/sparql#union-default-graph";

/** A row by the names of its variables; one that is not bound is not there. */
export type Row<V extends string = string> = { readonly [name in V]?: Cell };

export interface Endpoint {
  /** Address of the SPARQL endpoint. */
  readonly sparql: string;
  readonly fetch: Fetch;
}

export interface QueryOptions {
  /** Documents that make the default graph, instead of all that may be read. */
  readonly defaultGraphs?: readonly string[];
  readonly namedGraphs?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Strings, addresses and comments, in which FROM is only a word. */
const NOT_KEYWORDS =
  /"""(?:[^"\\]|\\[^]|"(?!""))*"""|'''(?:[^'\\]|\\[^]|'(?!''))*'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'|<[^\s<>"{}|^`\\]*>|#[^\n\r]*/g;

const namesGraphs = (sparql: string): boolean =>
  /(?:^|[\s}>])FROM[\s<]/i.test(sparql.replace(NOT_KEYWORDS, "<>"));

function parametersOf(
  sparql: string,
  { defaultGraphs = [], namedGraphs = [] }: QueryOptions,
): URLSearchParams {
  const parameters = new URLSearchParams({ query: sparql });
  for (const graph of defaultGraphs) parameters.append("default-graph-uri", graph);
  for (const graph of namedGraphs) parameters.append("named-graph-uri", graph);
  const isPlain = defaultGraphs.length === 0 && namedGraphs.length === 0 && !namesGraphs(sparql);
  if (isPlain) parameters.append("default-graph-uri", UNION_DEFAULT_GRAPH);
  return parameters;
}

async function send(pod: Endpoint, sparql: string, accept: string, options: QueryOptions): Promise<Response> {
  return fetchOk(pod.fetch, pod.sparql, {
    method: "POST",
    headers: { accept, "content-type": "application/x-www-form-urlencoded" },
    body: parametersOf(sparql, options).toString(),
    ...(options.signal && { signal: options.signal }),
  });
}

const JSON_RESULTS = "application/sparql-results+json";

/**
 * Rows of a SELECT. Nothing is sent before the first row is asked for; leaving the loop early stops the transfer.
 * A query that names no graphs ranges over everything the asker may read.
 * @throws FreeholdError while iterating: `query-invalid`, `query-refused`, `query-timeout`, `forbidden`, …
 */
export async function* query<V extends string = string>(
  pod: Endpoint,
  sparql: string,
  options: QueryOptions = {},
): AsyncGenerator<Row<V>, void, undefined> {
  const response = await send(pod, sparql, JSON_RESULTS, options);
  if (!response.body) throw new FreeholdError("answer-invalid", "The answer is empty", { url: pod.sparql });
  yield* rowsOfJson(response.body, pod.sparql) as AsyncGenerator<Row<V>, void, undefined>;
}

/** The answer of an ASK. @throws FreeholdError */
export async function ask(pod: Endpoint, sparql: string, options: QueryOptions = {}): Promise<boolean> {
  const response = await send(pod, sparql, JSON_RESULTS, options);
  const answer = (await response.json().catch(() => null)) as { boolean?: unknown } | null;
  if (typeof answer?.boolean === "boolean") return answer.boolean;
  throw new FreeholdError("answer-invalid", "The answer is neither true nor false", {
    url: pod.sparql,
    detail: "Is the query an ASK?",
  });
}

/** The graph of a CONSTRUCT or DESCRIBE, as Turtle. @throws FreeholdError */
export async function construct(pod: Endpoint, sparql: string, options: QueryOptions = {}): Promise<string> {
  return (await send(pod, sparql, "text/turtle", options)).text();
}
