/**
 * The type index and the type search of a pod. Both are made of what the agent may read, anew for each request: nothing
 * else is counted, listed, or told by a difference.
 * @see https://w3c.github.io/lws-protocol/lws10-searchindex/#security-authorization
 */
import type { PathReader } from "../access/authorize.ts";
import { extentWith } from "../access/demand.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Operation, Result } from "../operation.ts";
import { mediaTypeOf, negotiate } from "../rdf/media.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot } from "../store/store.ts";
import { LWS_CONTEXT, LWS_TYPE } from "./description.ts";
import { cursorOf, type Filter, parseSearch, type Search } from "./filter.ts";
import { createTypes, LWS, type Typed } from "./types.ts";

/** The same bytes under three names. https://w3c.github.io/lws-protocol/lws10-core/#content-negotiation */
const TYPES = [LWS_TYPE, "application/ld+json", "application/json"] as const;

export interface TypeSearchDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly access: {
    reader(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<PathReader>;
  };
}

export interface TypeSearch {
  /** For what was erased: nothing of it is remembered. */
  forget(): void;
  /** @throws Problem `bad-request`, `unsupported-media-type`, `not-found`. */
  parse(operation: Operation): Promise<Search>;
  /** The distinct types of what the agent may read. @throws Problem `not-acceptable`, `unavailable`, `too-many-requests`. */
  index(snapshot: Snapshot, pod: Pod, operation: Operation, search: Search): Promise<Result>;
  /** What the agent may read and the filter fits. @throws Problem `not-acceptable`, `unavailable`, `too-many-requests`. */
  search(snapshot: Snapshot, pod: Pod, operation: Operation, search: Search): Promise<Result>;
}

function fits({ types, isEmpty }: Filter, resource: Typed): boolean {
  return !isEmpty && types.every((group) => group.some((type) => resource.types.includes(type)));
}

/** The native classes by their short names, as the context has them. */
const shortName = (type: string): string => (type.startsWith(LWS) ? type.slice(LWS.length) : type);

export function createTypeSearch({ baseUrl, limits, access }: TypeSearchDeps): TypeSearch {
  const origin = baseUrl.slice(0, -1);
  const types = createTypes(origin, limits);
  const running = new Map<string, number>();
  let all = 0;

  /** Reading a whole pod costs: so many at once, and not all of them for one agent. */
  async function inTurn<T>(agent: Agent, work: () => Promise<T>): Promise<T> {
    const key = agent.webid ?? ""; // The public is one.
    const own = running.get(key) ?? 0;
    if (own >= limits.searchesPerAgentMax)
      throw new Problem("too-many-requests", undefined, { headers: { "retry-after": "1" } });
    if (all >= limits.searchesRunningMax)
      throw new Problem("unavailable", undefined, { headers: { "retry-after": "1" } });
    running.set(key, own + 1);
    all++;
    try {
      return await work();
    } finally {
      all--;
      const left = (running.get(key) ?? 1) - 1;
      if (left === 0) running.delete(key);
      else running.set(key, left);
    }
  }

  function visible(
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
  ): Promise<{ readonly resources: Typed[]; readonly reader: PathReader }> {
    return inTurn(agent, async () => {
      const reader = await access.reader(snapshot, pod, agent);
      return { resources: await types.typesOf(snapshot, reader), reader };
    });
  }

  /** One page of items that are ordered by their keys. https://w3c.github.io/lws-protocol/lws10-core/#pagination */
  function respond<T>(
    operation: Operation,
    { filter, after }: Search,
    type: string,
    items: readonly { readonly key: string; readonly item: T }[],
    documents: number,
    reader: PathReader,
  ): Result {
    const contentType = negotiate(operation.headers.accept, TYPES);
    if (contentType === null) throw new Problem("not-acceptable", `Available: ${TYPES.join(", ")}`);
    const rest = items.filter(({ key }) => key > after);
    const page = rest.slice(0, limits.pageMembersMax);
    const last = page.at(-1);
    const address = (from: string): string => `${operation.url}?${cursorOf(filter.types, from)}`;
    const links =
      items.length <= limits.pageMembersMax
        ? []
        : [
            `<${address("")}>; rel="first"`,
            ...(last && rest.length > page.length ? [`<${address(last.key)}>; rel="next"`] : []),
          ];
    const body = JSON.stringify({
      "@context": LWS_CONTEXT,
      type,
      totalItems: items.length,
      items: page.map(({ item }) => item),
    });
    return {
      status: 200,
      headers: {
        "content-type": contentType,
        "cache-control": "private, no-store",
        vary: "Accept, Authorization, Origin",
        "x-content-type-options": "nosniff",
        ...(links.length > 0 && { link: links.join(", ") }),
      },
      body,
      extent: extentWith(reader, { rows: page.length, documents }),
    };
  }

  return {
    forget: () => types.forget(),
    parse: (operation) => parseSearch(operation, limits),
    async index(snapshot, pod, operation, search) {
      const { resources, reader } = await visible(snapshot, pod, operation.agent);
      const distinct = [...new Set(resources.flatMap((resource) => resource.types))].sort();
      const items = distinct.map((id) => ({ key: id, item: { id } }));
      return respond(operation, search, "TypeIndex", items, resources.length, reader);
    },
    async search(snapshot, pod, operation, search) {
      const { resources, reader } = await visible(snapshot, pod, operation.agent);
      const items = resources
        .filter((resource) => fits(search.filter, resource))
        .map(({ path, record, types: own }) => ({
          key: path,
          item: {
            id: `${origin}${path}`,
            type: own.length === 1 ? shortName(own[0] ?? "") : own.map(shortName),
            ...(record.kind !== "container" && {
              mediaType: mediaTypeOf(record.contentType),
              size: record.bytes,
            }),
            modified: new Date(record.modified).toISOString(),
          },
        }));
      return respond(operation, search, "ContainerPage", items, resources.length, reader);
    },
  };
}
