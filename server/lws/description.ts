/**
 * Linked Web Storage beside Solid: an adapter for what of the drafts of June 2026 is stable enough. Here and in `types.ts`,
 * `filter.ts` and `search.ts`, and nowhere else but for two relations in `ldp/headers.ts`, stand these clauses:
 *
 * - lws10-core: #storage-description-data-model, #storage-description-binding (`Link: rel=lws:storageDescription` on every
 *   answer, a `StorageDescription` service), #storage-description-representation (`application/lws+json`), and of
 *   #metadata `Link: rel="up"`;
 * - lws10-searchindex: all of it. Types come from what documents say and from what the server knows; no relation but
 *   `type` is indexed. Links declared by clients are not kept.
 *
 * Access requests and grants (lws10-core: #access-requests-and-grants) are in `server/consent/`. Not here, for they still
 * move or contradict Solid: linksets, containers as `application/lws+json`, operations, token exchange.
 * @see https://w3c.github.io/lws-protocol/lws10-core/
 * @see https://w3c.github.io/lws-protocol/lws10-searchindex/
 */
import { json } from "../body.ts";
import type { Result } from "../operation.ts";

export const LWS_TYPE = "application/lws+json";
export const LWS_CONTEXT = "https://www.w3.org/ns/lws/v1";

/** Where the services of a storage are, below its root. */
export interface ServicePaths {
  readonly description: string;
  readonly index: string;
  readonly search: string;
}

/**
 * @param storage Root of the pod; ends in `/`.
 * @param others Services that are described whole.
 * @see https://w3c.github.io/lws-protocol/lws10-core/#storage-description
 */
export function describeLws(
  storage: string,
  paths: ServicePaths,
  others: readonly { readonly type: string; readonly serviceEndpoint: string }[] = [],
): Result {
  const service = (type: string, path: string) => ({ type, serviceEndpoint: `${storage}${path}` });
  const description = {
    "@context": LWS_CONTEXT,
    id: storage,
    type: "Storage",
    service: [
      service("StorageDescription", paths.description),
      service("TypeIndexService", paths.index),
      service("TypeSearchService", paths.search),
      ...others,
    ],
  };
  return json(200, description, {
    "content-type": LWS_TYPE,
    "cache-control": "public, max-age=300",
    vary: "Accept",
  });
}
