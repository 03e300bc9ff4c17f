/**
 * SPARQL over one pod: `GET|POST {pod}/sparql`. The dataset is made of what the agent may read before anything is
 * evaluated, so there is nothing to hide afterwards: a document that may not be read is not there.
 * @see https://jeswr.github.io/solid-sparql-query/
 */
import { createHash } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Agent, Extent, Operation, Result } from "../operation.ts";
import { purposeProblem, withPurpose } from "../purpose.ts";
import { untilSlot } from "../slots.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { ChangesBetween, PodId, Snapshot, Store } from "../store/store.ts";
import {
  createAsking,
  describeTo,
  isKnown,
  isStrict,
  negotiated,
  QUERY_HEADERS,
  resultOf,
  runOn,
} from "./asking.ts";
import { createBases, type IndexStorage } from "./bases.ts";
import {
  createDocuments,
  type GraphDocument,
  type Inventory,
  type QueryAccess,
  type ReadableDocuments,
  type VirtualGraph,
} from "./documents.ts";
import { createEverywhere, type Everywhere } from "./everywhere.ts";
import { evaluating } from "./failed.ts";
import type { GrantedGraphs } from "./granted.ts";
import { type Choice, createLoader } from "./loader.ts";
import { parseQueryRequest, type QueryRequest } from "./protocol.ts";
import { narrow, type Scope, scopeOf } from "./scope.ts";
import { isSearch } from "./search/vocabulary.ts";
import { createSources, type Sources } from "./sources.ts";
import { ALWAYS, type Times, usefulAmong } from "./sparql/times.ts";
import type { QueryThread } from "./thread.ts";
import { createQueryThreads, type QueryThreads } from "./threads.ts";

export interface QueriesDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly log: Log;
  readonly access: QueryAccess;
  readonly changes: ChangesBetween;
  /** For queries over all of them. */
  readonly pods?: Pick<Pods, "find" | "list">;
  readonly store?: Pick<Store, "read">;
  /** Where indexes are kept; without, only in memory. */
  readonly indexes?: IndexStorage;
  /** Graphs for the pod's owner alone that are no documents; only for a query that names them. */
  readonly ownersGraphs?: (pod: Pod, name: string) => Promise<readonly VirtualGraph[]>;
  /** Graphs that somebody was granted beside documents: in every query that ranges over all that may be read. */
  readonly granted?: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<GrantedGraphs>;
}

export interface Queries {
  /** Over all pods; null where nobody said which there are. */
  readonly everywhere: Everywhere | null;
  /** For updates, which wait in the same line. */
  readonly threads: Pick<QueryThreads, "run">;
  /** For what is made of documents. */
  readonly sources: Sources;
  /** Reads the request, which needs no snapshot; null asks for the service description. @throws Problem `bad-request`, … */
  parse(operation: Pick<Operation, "method" | "headers" | "query" | "body">): Promise<QueryRequest | null>;
  /**
   * A long answer is a stream, which breaks where evaluation fails; all others are whole. To whom nothing is open, nothing
   * is there; who prefers `handling=strict` is told that instead.
   * @throws Problem `query-invalid`, `query-refused`, `query-timeout`, `not-acceptable`, `unavailable`, and for an agent
   * who wants to be told that nothing but the profile is open `forbidden` or `login-required`; none of them depends on anything else
   * that the agent may not read.
   */
  answer(snapshot: Snapshot, pod: Pod, operation: Operation, request: QueryRequest | null): Promise<Result>;
  /**
   * Forgets all documents: for what was erased, no thread may remember.
   * @param pod Of which nothing is kept on disk, either; null when the pod itself is gone.
   */
  purge(pod: PodId | null): Promise<void>;
  close(): Promise<void>;
}

/** Who asks, and of what. */
interface Asked {
  readonly snapshot: Snapshot;
  readonly pod: Pod;
  readonly operation: Operation;
  readonly inventory: Inventory;
  readonly readable: ReadableDocuments;
  /** An app that the owner lets do less is not told what only the owner is. */
  readonly isOwner: boolean;
}

/** @throws Problem `purpose-required`, `purpose-refused`: what an agent was granted is not simply left out of its answers. */
function askPurpose({ question }: ReadableDocuments): void {
  if (question) throw purposeProblem(question);
}

/** No thread is started before the first query. */
export function createQueries(deps: QueriesDeps): Queries {
  const { baseUrl, limits, log, access, changes, pods, store, indexes, ownersGraphs } = deps;
  const origin = baseUrl.slice(0, -1);
  const documents = createDocuments(origin, access, changes, indexes?.kept, deps.granted);
  const threads = createQueryThreads(limits, log);
  const bases = createBases({ storage: indexes ?? null, documents, threads, limits, log });
  const loader = createLoader(documents, bases, limits);
  const asking = createAsking(limits);
  const sources = createSources({ origin, limits, documents, loader, threads, asking });

  /**
   * An empty answer does not say that there is somebody to ask for access, and no other is right for those who did not ask
   * for it: https://jeswr.github.io/solid-sparql-query/#authentication https://www.rfc-editor.org/rfc/rfc7240#section-4.4
   */
  function tellStrangers({ isOpened }: ReadableDocuments, { agent, headers }: Operation): void {
    if (isOpened || !isStrict({ headers })) return;
    if (agent.webid === null)
      throw new Problem("login-required", "Nothing but the profile is open to everybody");
    throw new Problem(
      "forbidden",
      "Nothing but the profile is open to you: the owner has granted you nothing, or has taken it back",
    );
  }

  /** Documents that the query ranges over; "set" is all that the agent may read. */
  async function choose(asked: Asked, names: Scope["defaults"], times: Times): Promise<Choice> {
    const { inventory, readable, isOwner, pod } = asked;
    if (names === "all") return timely(readable, times);
    const virtual: GraphDocument[] = [];
    if (isOwner && ownersGraphs)
      for (const name of names) virtual.push(...documents.number(await ownersGraphs(pod, name)));
    // The names of graphs are their addresses, spelled exactly. Any other name, and that of what the agent may not read,
    // is that of a graph that is not there.
    const own = names
      .filter((name) => name.startsWith(`${origin}/`))
      .flatMap((name) => inventory.find(name.slice(origin.length)) ?? [])
      .filter((document) => readable.has(document));
    const granted = readable.granted.filter(({ path }) => names.includes(path));
    const found = [...new Set([...own, ...granted, ...virtual])];
    return { chosen: Uint32Array.from(found, ({ number }) => number), documents: found };
  }

  async function evaluate(thread: QueryThread, asked: Asked, request: QueryRequest): Promise<Result> {
    const { operation, isOwner, readable, inventory, snapshot } = asked;
    const baseIri = operation.url;
    const msMax = isOwner ? limits.queryOwnerMsMax : limits.queryMsMax;
    const facts = await asking.factsOf(thread, request.text, baseIri, msMax);
    const contentType = negotiated(facts, operation, isOwner);
    const scope = narrow(scopeOf(request.description ?? facts.from), facts.reach);
    // GRAPH with a variable names documents, whatever is in them.
    const [defaults, named] = [
      await choose(asked, scope.defaults, facts.times),
      await choose(asked, scope.named, ALWAYS),
    ];
    const virtual = [...defaults.documents, ...named.documents].filter(({ kind }) => kind === "virtual");
    const etag = asking.etagOf({ request, baseIri, contentType }, [
      readable.id,
      ...virtual.map(({ number }) => number),
    ]);
    const headers = { ...QUERY_HEADERS, ...(etag && { etag }) };
    const extent = extentOf(asked, defaults, named, request);
    if (isKnown(operation, etag)) return { status: 304, headers, body: null, extent: { rows: 0, ...extent } };
    // What the thread forgot for lack of room is sent once more, alone: what others may read must not count here.
    const set = { id: readable.id, numbers: readable.numbers };
    const load = (isAlone: boolean) =>
      loader.load(thread, snapshot, inventory, readable, [defaults, named], isAlone);
    if (!(await load(false)) && !(await load(true)))
      throw new Problem(
        "query-refused",
        `A query ranges over at most ${limits.queryQuadsMax} statements; name the documents with FROM`,
      );
    const task = {
      kind: "run",
      text: request.text,
      baseIri,
      pod: inventory.key,
      set,
      defaults: defaults.chosen,
      named: named.chosen,
      contentType,
      ...(request.page && { page: request.page }),
      isSettled: !isOwner,
      limits: {
        rowsMax: isOwner ? limits.queryOwnerRowsMax : limits.queryRowsMax,
        bytesMax: isOwner ? limits.queryOwnerResultBytesMax : limits.queryResultBytesMax,
      },
      msMax,
    } as const;
    const over = [{ pod: asked.pod, extent: { rows: null, ...extent } }];
    const answered = await evaluating(over, () => runOn(thread, task));
    const result = await resultOf(answered, operation, contentType, headers, countOf(defaults, named));
    return { ...result, extent: { rows: null, ...result.extent, ...extent } };
  }

  const everywhere =
    pods && store
      ? createEverywhere({ baseUrl, limits, log, store, pods, documents, sources, loader, threads, asking })
      : null;
  return {
    threads,
    sources,
    everywhere,
    parse: (operation) => parseQueryRequest(operation, limits),
    async answer(snapshot, pod, operation, request) {
      if (request === null) return describeTo(operation);
      const started = performance.now();
      const agent = withPurpose(operation.agent, request.purpose ?? null);
      const inventory = await documents.inventory(snapshot, pod);
      const readable = await documents.readable(snapshot, pod, agent, inventory);
      // Whether they were made for this query, or before, is nobody's to know.
      await untilSlot(started, readable.slotMs);
      askPurpose(readable);
      tellStrangers(readable, operation);
      const isOwner = agent.webid === pod.owner && readable.hasControl;
      const asked = { snapshot, pod, operation, inventory, readable, isOwner };
      // The public queues as one.
      const result = await threads.run(agent.webid ?? "", snapshot.pod, (thread) =>
        evaluate(thread, asked, request),
      );
      bases.settleLater(pod, isSearch(request.text));
      log.debug("query.answered", { id: operation.id, ms: Math.round(performance.now() - started) });
      return result;
    },
    async purge(pod) {
      documents.forget();
      await bases.forget(pod);
      await threads.purge();
    },
    async close() {
      await bases.close();
      await threads.close();
    },
  };
}

/** All that may be read, but for pages of streams that the query can make no use of. */
function timely(readable: ReadableDocuments, times: Times): Choice {
  const documents = readable.hasPages ? usefulAmong(readable.documents, times) : readable.documents;
  if (documents === readable.documents) return { chosen: "set", documents };
  return { chosen: Uint32Array.from(documents, ({ number }) => number), documents };
}

/** What an answer was made of, and by which grants. */
function extentOf(
  { readable }: Asked,
  defaults: Choice,
  named: Choice,
  { text }: QueryRequest,
): Omit<Extent, "rows"> {
  const documents = countOf(defaults, named);
  const grants = new Set(
    [defaults, named].flatMap(({ chosen, documents: some }) =>
      readable.grantsOf(chosen === "set" ? null : some),
    ),
  );
  if (grants.size === 0) return { documents };
  const isAll = defaults.chosen === "set" || named.chosen === "set";
  const some = isAll ? [] : [...defaults.documents, ...named.documents];
  return {
    documents,
    grants: [...grants],
    purpose: readable.purpose ?? undefined,
    paths: [...new Set(some.filter((one) => readable.grantsOf([one]).length > 0).map(pathOf))],
    questionHash: createHash("sha256").update(text).digest("hex"),
  };
}

/** In the server. */
const pathOf = ({ kind, path }: GraphDocument): string =>
  kind === "virtual" ? new URL(path).pathname : path;

/** How many documents two choices are, together. */
function countOf(one: Choice, other: Choice): number {
  if (one.documents === other.documents || other.documents.length === 0) return one.documents.length;
  if (one.chosen === "set" || one.documents.length === 0)
    // All that may be read, with whatever else is named by itself.
    return one.chosen === "set" && other.chosen !== "set"
      ? one.documents.length + other.documents.filter(({ kind }) => kind === "virtual").length
      : other.documents.length;
  return new Set([...one.documents, ...other.documents]).size;
}
