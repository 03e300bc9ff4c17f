/**
 * SPARQL over one pod: `GET|POST {pod}/sparql`. The dataset is made of what the agent may read before anything is
 * evaluated, so there is nothing to hide afterwards: a document that may not be read is not there.
 * @see https://jeswr.github.io/solid-sparql-query/
 */
import { createHash } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Agent, Operation, Result } from "../operation.ts";
import { isOpenAtFirst } from "../profile.ts";
import { negotiate } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot } from "../store/store.ts";
import { DESCRIPTION_PREFIXES, describeEndpoint } from "./description.ts";
import { createDocuments, type GraphDocument, type Inventory, type VirtualGraph } from "./documents.ts";
import type { SentDocument } from "./messages.ts";
import { parseQueryRequest, type QueryRequest } from "./protocol.ts";
import { RESULT_TYPES } from "./results.ts";
import { narrow, type Scope, scopeOf } from "./scope.ts";
import type { QueryThread } from "./thread.ts";
import { createQueryThreads } from "./threads.ts";

export interface QueriesDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly log: Log;
  readonly access: {
    /** How the addresses of rules end. */
    readonly language: { readonly ending: ".acl" | ".acr" };
    reader(snapshot: Snapshot, pod: Pod, agent: Agent): Promise<(path: string) => Promise<boolean>>;
  };
  /** Graphs for the pod's owner alone that are no documents; only for a query that names them. */
  readonly ownersGraphs?: (pod: Pod, name: string) => Promise<readonly VirtualGraph[]>;
}

export interface Queries {
  /** Reads the request, which needs no snapshot; null asks for the service description. @throws Problem `bad-request`, … */
  parse(operation: Operation): Promise<QueryRequest | null>;
  /**
   * @throws Problem `query-invalid`, `query-refused`, `query-timeout`, `not-acceptable`, `unavailable`, and for an agent
   * to whom nothing but the profile card is open `forbidden` or `login-required`; none of them depends on anything else
   * that the agent may not read.
   */
  answer(snapshot: Snapshot, pod: Pod, operation: Operation, request: QueryRequest | null): Promise<Result>;
  /** Forgets all documents: for what was erased, no thread may remember. */
  purge(): Promise<void>;
  close(): Promise<void>;
}

type MayRead = (path: string) => Promise<boolean>;

/** Sent to a thread at once: enough to keep it busy, not so much that two copies of a pod are in memory. */
const BATCH_BYTES = 1024 * 1024;

const HEADERS = { "cache-control": "private, no-cache", vary: "Accept, Authorization, Origin" };

/** No thread is started before the first query. */
export function createQueries({ baseUrl, limits, log, access, ownersGraphs }: QueriesDeps): Queries {
  const origin = baseUrl.slice(0, -1);
  const documents = createDocuments(origin, access.language.ending);
  const threads = createQueryThreads(limits, log);

  /**
   * Documents by the names of their graphs, which are their addresses, spelled exactly. Any other name, and that of
   * what the agent may not read, is that of a graph that is not there.
   */
  function createChoice(inventory: Inventory, mayRead: MayRead, owned: Pod | null) {
    let all: Promise<readonly GraphDocument[]> | null = null;
    const readable = async (candidates: Iterable<GraphDocument>): Promise<readonly GraphDocument[]> => {
      const chosen: GraphDocument[] = [];
      for (const document of candidates) if (await mayRead(document.path)) chosen.push(document);
      return chosen;
    };
    return async (names: Scope["defaults"]): Promise<readonly GraphDocument[]> => {
      if (names === "all") return (all ??= readable(inventory.documents));
      const virtual: GraphDocument[] = [];
      if (owned && ownersGraphs)
        for (const name of names) virtual.push(...documents.number(await ownersGraphs(owned, name)));
      const own = names
        .filter((name) => name.startsWith(`${origin}/`))
        .map((name) => name.slice(origin.length));
      return [...(await readable(own.flatMap((path) => inventory.byPath.get(path) ?? []))), ...virtual];
    };
  }

  /**
   * Sends what the thread does not hold yet. The time for it is not the query's: a slow start must not end the thread.
   * @returns false when the thread had no room and forgot the pod.
   */
  async function load(
    thread: QueryThread,
    snapshot: Snapshot,
    inventory: Inventory,
    needed: readonly GraphDocument[],
  ): Promise<boolean> {
    const until = performance.now() + limits.queryLoadMsMax;
    const current = new Set([...inventory.documents, ...needed].map(({ number }) => number));
    const held = thread.held.get(inventory.key) ?? new Set<number>();
    thread.held.set(inventory.key, held);

    const send = async (batch: readonly SentDocument[], dropped: readonly number[]): Promise<boolean> => {
      if (performance.now() > until)
        throw new Problem("unavailable", "The pod is still being read; ask again", {
          headers: { "retry-after": "2" },
        });
      const answer = await thread.ask(
        { kind: "load", pod: inventory.key, documents: batch, dropped },
        limits.queryLoadMsMax,
      );
      for (const key of answer.kind === "loaded" ? answer.forgotten : []) thread.held.delete(key);
      for (const number of dropped) held.delete(number);
      for (const { number } of batch) held.add(number);
      return thread.held.has(inventory.key);
    };
    const dropped = [...held].filter((number) => !current.has(number));
    if (dropped.length > 0 && !(await send([], dropped))) return false;
    const missing = needed.filter(({ number }) => !held.has(number));
    let batch: SentDocument[] = [];
    let bytes = 0;
    for (const [at, document] of missing.entries()) {
      const sent = await documents.read(snapshot, document);
      batch.push(sent);
      bytes += sent.parts.reduce((sum, part) => sum + part.bytes.length, 256);
      if (bytes < BATCH_BYTES && at < missing.length - 1) continue;
      if (!(await send(batch, []))) return false;
      batch = [];
      bytes = 0;
    }
    return true;
  }

  /** The same for all to whom nothing is open: an empty answer would not say that there is somebody to ask. */
  async function refuseStrangers(
    { documents: all }: Inventory,
    mayRead: MayRead,
    pod: Pod,
    agent: Agent,
  ): Promise<void> {
    for (const { path } of all) if (!isOpenAtFirst(pod.name, path) && (await mayRead(path))) return;
    if (agent.webid === null)
      throw new Problem("login-required", "Nothing but the profile is open to everybody");
    throw new Problem(
      "forbidden",
      "Nothing but the profile is open to you: the owner has granted you nothing, or has taken it back",
    );
  }

  async function evaluate(
    thread: QueryThread,
    snapshot: Snapshot,
    pod: Pod,
    operation: Operation,
    request: QueryRequest,
    inventory: Inventory,
    mayRead: MayRead,
  ) {
    // An app that the owner lets do less is not told what only the owner is.
    const isOwner = operation.agent.webid === pod.owner && (await mayRead(`/${pod.name}/.acl`));
    let left = isOwner ? limits.queryOwnerMsMax : limits.queryMsMax;
    const timed = async (task: Parameters<QueryThread["ask"]>[0]) => {
      const started = performance.now();
      const answer = await thread.ask(task, left);
      left -= performance.now() - started;
      return answer;
    };
    const planned = await timed({ kind: "plan", text: request.text, baseIri: operation.url });
    if (planned.kind !== "planned") throw new Problem("internal");
    const offered = RESULT_TYPES[planned.form];
    const contentType = negotiate(operation.headers.accept, offered);
    if (contentType === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);

    const choose = createChoice(inventory, mayRead, isOwner ? pod : null);
    const scope = narrow(scopeOf(request.description ?? planned.from), planned.reach);
    const [defaults, named] = [await choose(scope.defaults), await choose(scope.named)];
    const needed = [...new Map([...defaults, ...named].map((one) => [one.number, one])).values()];
    // What the thread forgot for lack of room is sent once more, alone: what others may read must not count here.
    const isLoaded =
      (await load(thread, snapshot, inventory, needed)) || (await load(thread, snapshot, inventory, needed));
    if (!isLoaded)
      throw new Problem(
        "query-refused",
        `A query ranges over at most ${limits.queryQuadsMax} statements; name the documents with FROM`,
      );
    const answered = await timed({
      kind: "run",
      pod: inventory.key,
      defaults: Uint32Array.from(defaults, ({ number }) => number),
      named: Uint32Array.from(named, ({ number }) => number),
      contentType,
      limits: {
        rowsMax: isOwner ? limits.queryOwnerRowsMax : limits.queryRowsMax,
        bytesMax: isOwner ? limits.queryOwnerResultBytesMax : limits.queryResultBytesMax,
      },
    });
    if (answered.kind !== "answered") throw new Problem("internal");
    const extent = { rows: answered.rows, documents: needed.length };
    return { contentType, bytes: answered.bytes, extent };
  }

  async function describe(operation: Operation): Promise<Result> {
    const offered = RESULT_TYPES.construct;
    const contentType = negotiate(operation.headers.accept, offered);
    if (contentType === null) throw new Problem("not-acceptable", `Available: ${offered.join(", ")}`);
    const bytes = await serializeRdf(describeEndpoint(operation.url), contentType, {
      prefixes: DESCRIPTION_PREFIXES,
    });
    return respond(operation, contentType, bytes);
  }

  function respond(operation: Operation, contentType: string, bytes: Uint8Array): Result {
    const etag = `"${createHash("sha256").update(contentType).update(bytes).digest("base64url").slice(0, 22)}"`;
    const headers = { ...HEADERS, etag };
    const isRead = operation.method !== "POST";
    const known = operation.headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    if (isRead && (known?.includes(etag) || known?.includes("*")))
      return { status: 304, headers, body: null };
    const isText = contentType.startsWith("text/c") || contentType.startsWith("text/tab");
    return {
      status: 200,
      headers: {
        ...headers,
        "content-type": isText ? `${contentType}; charset=utf-8` : contentType,
        "content-length": String(bytes.length),
      },
      body: operation.method === "HEAD" ? null : bytes,
    };
  }

  return {
    parse: (operation) => parseQueryRequest(operation, limits),
    async answer(snapshot, pod, operation, request) {
      if (request === null) return describe(operation);
      const started = performance.now();
      const inventory = await documents.inventory(snapshot);
      const mayRead = await access.reader(snapshot, pod, operation.agent);
      await refuseStrangers(inventory, mayRead, pod, operation.agent);
      const agent = operation.agent.webid ?? ""; // The public queues as one.
      const { contentType, bytes, extent } = await threads.run(agent, snapshot.pod, (thread) =>
        evaluate(thread, snapshot, pod, operation, request, inventory, mayRead),
      );
      log.debug("query.answered", {
        id: operation.id,
        ms: Math.round(performance.now() - started),
        bytes: bytes.length,
      });
      return { ...respond(operation, contentType, bytes), extent };
    },
    purge: () => threads.purge(),
    close: () => threads.close(),
  };
}
