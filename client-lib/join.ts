/**
 * Joins across pods: what no single pod can answer. Comunica plans the query here and asks each pod's endpoint for its
 * part, as whom the pod was opened; loaded on first use, for it is large.
 */
import { errorOf, FreeholdError } from "./errors.ts";
import type { Pod } from "./pod.ts";
import { type Row, UNION_DEFAULT_GRAPH } from "./query.ts";
import type { Cell } from "./rows.ts";

/** How to call a join off. */
export interface JoinOptions {
  readonly signal?: AbortSignal;
}

interface Term {
  readonly termType: string;
  readonly value: string;
  readonly language?: string;
  readonly datatype?: { readonly value: string };
}

const XSD_STRING = "http://www.w3.org/2001/XMLSchema#string";
const LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString";

function cellOf({ termType, value, language, datatype }: Term): Cell {
  if (termType !== "Literal") return { type: termType === "NamedNode" ? "uri" : "bnode", value };
  if (language) return { type: "literal", value, language };
  const isPlain = !datatype || datatype.value === XSD_STRING || datatype.value === LANG_STRING;
  return { type: "literal", value, ...(!isPlain && { datatype: datatype.value }) };
}

/** Queries range over all that may be read; a plain GET asks what the endpoint is, and has no parameters. */
function addressOf(url: URL, isQuery: boolean): string {
  if (isQuery) url.searchParams.append("default-graph-uri", UNION_DEFAULT_GRAPH);
  return url.href;
}

/**
 * Rows of a SELECT over all pods as if they were one. A pod that refuses ends the query: what is missing from a join
 * could not be seen in its rows. Where each row can be had of one pod alone, `queryAll` is many times faster.
 * @throws FreeholdError while iterating: `query-invalid`, `unreachable`, the server's reason of the pod that refused.
 */
export async function* joinPods<V extends string = string>(
  pods: readonly Pod[],
  sparql: string,
  options: JoinOptions = {},
): AsyncGenerator<Row<V>, void, undefined> {
  const { QueryEngine } = await import("@comunica/query-sparql");
  if (pods.length === 0) throw new FreeholdError("input-invalid", "No pod was named");
  const endpoints = new Map(pods.map((pod) => [pod.sparql, pod]));
  let refused: FreeholdError | null = null;
  const asWhom: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const pod = endpoints.get(`${url.origin}${url.pathname}`);
    // Whatever a query names besides, nothing is fetched for it.
    if (!pod) throw new FreeholdError("input-invalid", "Only pods are asked", { url: url.href });
    const isQuery = init?.method === "POST" || url.searchParams.has("query");
    const headers = new Headers(init?.headers);
    if (isQuery) headers.set("prefer", "handling=strict"); // That nothing was granted is said, not shown as no rows.
    const response = await pod.fetch(addressOf(url, isQuery), {
      ...init,
      headers,
      ...(options.signal && { signal: options.signal }),
    });
    if (!response.ok) refused ??= await errorOf(response.clone());
    return response;
  };
  try {
    const bindings = await new QueryEngine().queryBindings(sparql, {
      sources: [...endpoints.keys()].map((value) => ({ type: "sparql", value })),
      fetch: asWhom,
    });
    for await (const binding of bindings)
      yield Object.fromEntries(
        [...binding].map(([variable, term]) => [variable.value, cellOf(term)]),
      ) as Row<V>;
  } catch (cause) {
    if (refused) throw refused;
    if (cause instanceof FreeholdError || options.signal?.aborted) throw cause;
    throw new FreeholdError("query-invalid", "The query could not be answered across pods", {
      detail: (cause as Error).message,
      cause,
    });
  }
}
