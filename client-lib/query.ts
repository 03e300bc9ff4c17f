/** SPARQL over a pod: plain patterns in, rows out, one after the other as they arrive. */
import { jsonOf, textOf } from "./content.ts";
import { type Fetch, FreeholdError, fetchOk } from "./errors.ts";
import { type Cell, rowsOfJson } from "./rows.ts";

/** All graphs the asker may read, as one. @see https://jeswr.github.io/solid-sparql-query/#union-default-graph */
export const UNION_DEFAULT_GRAPH = "http://www.w3.org/ns/solid/sparql#union-default-graph";

/** A row by the names of its variables; one that is not bound is not there. */
export type Row<V extends string = string> = { readonly [name in V]?: Cell };

/** What can be queried: any pod, or a SPARQL endpoint anywhere. */
export interface Endpoint {
  /** Address of the SPARQL endpoint. */
  readonly sparql: string;
  readonly fetch: Fetch;
}

/** Which graphs a query ranges over, and a way to call it off. */
export interface QueryOptions {
  /** Documents that make the default graph, instead of all that may be read. */
  readonly defaultGraphs?: readonly string[];
  /** Documents that `GRAPH` finds, instead of all that may be read. */
  readonly namedGraphs?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Strings, addresses and comments, in which FROM is only a word. */
const NOT_KEYWORDS =
  /"""(?:[^"\\]|\\[^]|"(?!""))*"""|'''(?:[^'\\]|\\[^]|'(?!''))*'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'|<[^\s<>"{}|^`\\]*>|#[^\n\r]*/g;

/** A query of which only keywords, names and numbers are left. */
export const withoutText = (sparql: string): string => sparql.replace(NOT_KEYWORDS, "<>");

const namesGraphs = (sparql: string): boolean => /(?:^|[\s}>])FROM[\s<]/i.test(withoutText(sparql));

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
    headers: {
      accept,
      "content-type": "application/x-www-form-urlencoded",
      prefer: "handling=strict", // That nothing was granted is said, not shown as an empty answer.
    },
    body: parametersOf(sparql, options).toString(),
    ...(options.signal && { signal: options.signal }),
  });
}

const JSON_RESULTS = "application/sparql-results+json";

/**
 * Rows of a SELECT. Nothing is sent before the first row is asked for; leaving the loop early stops the transfer.
 * A query that names no graphs ranges over everything the asker may read.
 * ```ts
 * for await (const { name } of query<"name">(pod, "SELECT ?name { ?who <https://schema.org/name> ?name }"))
 *   console.log(nativeOf(name));
 * ```
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
  const answer = (await jsonOf(response, pod.sparql)) as { boolean?: unknown } | null;
  if (typeof answer?.boolean === "boolean") return answer.boolean;
  throw new FreeholdError("answer-invalid", "The answer is neither true nor false", {
    url: pod.sparql,
    detail: "Is the query an ASK?",
  });
}

/** The graph of a CONSTRUCT or DESCRIBE, as Turtle. @throws FreeholdError */
export async function construct(pod: Endpoint, sparql: string, options: QueryOptions = {}): Promise<string> {
  return textOf(await send(pod, sparql, "text/turtle", options), pod.sparql);
}

/** One step of a {@link QueryPlan}. */
export interface PlanStep {
  /** How deep it is inside other steps. */
  readonly depth: number;
  readonly step: string;
  /** How many solutions each run of it may give; null where that is not estimated. */
  readonly rows: number | null;
}

/** What an endpoint would do for a query. */
export interface QueryPlan {
  /** Which of the server's engines would answer; of what `comunica` does, no steps are told. */
  readonly engine: string;
  readonly steps: readonly PlanStep[];
}

const PLAN = "application/vnd.freehold.query-plan+json";

/**
 * What the server would do for a query, instead of its answer: for the pod's owner, who wonders why it takes long.
 * ```ts
 * for (const { depth, step, rows } of (await explain(pod, sparql)).steps)
 *   console.log(" ".repeat(depth * 2) + step, rows ?? "");
 * ```
 * @throws FreeholdError `not-acceptable` for anybody but the owner, `query-invalid`, …
 */
export async function explain(pod: Endpoint, sparql: string, options: QueryOptions = {}): Promise<QueryPlan> {
  const response = await send(pod, sparql, PLAN, options);
  const plan = (await jsonOf(response, pod.sparql)) as Partial<QueryPlan> | null;
  if (typeof plan?.engine === "string" && Array.isArray(plan.steps)) return plan as QueryPlan;
  throw new FreeholdError("answer-invalid", "This is not a plan", { url: pod.sparql });
}
