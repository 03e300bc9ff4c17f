/** SPARQL Update over a pod: changes in several documents that happen together or not at all. */
import { type Fetch, fetchOk } from "./errors.ts";
import { type QueryOptions, UNION_DEFAULT_GRAPH, withoutText } from "./query.ts";

/** What can be changed by SPARQL: any pod. */
export interface UpdateEndpoint {
  /** Address that takes SPARQL Update. */
  readonly sparqlUpdate: string;
  readonly fetch: Fetch;
}

/** What is said of the dataset is said of each WHERE; then the update itself has no USING and no WITH. */
export type UpdateOptions = QueryOptions;

const namesGraphs = (sparql: string): boolean =>
  /(?:^|[\s;}>])(?:USING|WITH)[\s<]/i.test(withoutText(sparql));

/**
 * Changes documents: `GRAPH <document>` is that document. One that is not there is made; one that was emptied stays, and
 * DROP deletes it. As with `query`, a WHERE for which no graphs are named ranges over everything the asker may read.
 * ```ts
 * await update(pod, `
 *   PREFIX schema: <https://schema.org/>
 *   DELETE { GRAPH ?list { ?item schema:status "open" } }
 *   INSERT { GRAPH ?list { ?item schema:status "done" } }
 *   WHERE  { GRAPH ?list { ?item schema:status "open" } }`);
 * ```
 * @throws FreeholdError when nothing was changed: `query-invalid`, `query-refused`, `login-required`, `forbidden` for a
 * document that the asker may not change so, `shape-violation`, `conflict` for what is there already, or is not there,
 * `write-conflict` when others keep changing the same, `quota-exceeded`, …
 */
export async function update(
  pod: UpdateEndpoint,
  sparql: string,
  { defaultGraphs = [], namedGraphs = [], signal }: UpdateOptions = {},
): Promise<void> {
  const parameters = new URLSearchParams({ update: sparql });
  for (const graph of defaultGraphs) parameters.append("using-graph-uri", graph);
  for (const graph of namedGraphs) parameters.append("using-named-graph-uri", graph);
  const isPlain = defaultGraphs.length === 0 && namedGraphs.length === 0 && !namesGraphs(sparql);
  if (isPlain) parameters.append("using-graph-uri", UNION_DEFAULT_GRAPH);
  const response = await fetchOk(pod.fetch, pod.sparqlUpdate, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: parameters.toString(),
    ...(signal && { signal }),
  });
  await response.body?.cancel();
}
