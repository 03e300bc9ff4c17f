/**
 * SPARQL over all pods of this server that granted the asker something, or over those that are named: `/.query/sparql`. The
 * dataset is the readable documents of these pods side by side, so counts, sums and the first ten are those of all of them.
 * No query service in the sense of the draft, which is of one storage: each pod has its own, and this is none of theirs.
 */
import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { Lru } from "../lru.ts";
import type { Agent, Extent, Result } from "../operation.ts";
import { purposeProblem, withPurpose } from "../purpose.ts";
import { untilSlot } from "../slots.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { Snapshot, Store } from "../store/store.ts";
import {
  type Asking,
  describeTo,
  isKnown,
  isStrict,
  negotiated,
  QUERY_HEADERS,
  resultOf,
  runOn,
  type Wanted,
} from "./asking.ts";
import type { Documents, GraphDocument, Inventory, ReadableDocuments } from "./documents.ts";
import { evaluating, type RangedOver } from "./failed.ts";
import type { Choice, Loader } from "./loader.ts";
import type { Chosen, SentDocument } from "./messages.ts";
import { partsOfPods } from "./pods-graph.ts";
import type { QueryRequest } from "./protocol.ts";
import { narrow, type Scope, scopeOf } from "./scope.ts";
import type { Sources } from "./sources.ts";
import { type Times, usefulAmong } from "./sparql/times.ts";
import type { QueryThread } from "./thread.ts";
import type { QueryThreads } from "./threads.ts";

/** A request to all pods at once. */
export interface QueryEverywhere extends Wanted {
  readonly id: string;
  /** Of this endpoint. */
  readonly url: string;
  readonly agent: Agent;
  /** Names of pods to be left out, and named as such. */
  readonly except?: ReadonlySet<string>;
}

export interface Everywhere {
  /**
   * @returns the answer, and every pod that it was made of: each is to be told before anything is sent.
   * @throws as the query of one pod does; a pod that cannot be read is left out and named, or with `handling=strict` thrown.
   */
  answer(
    asked: QueryEverywhere,
    request: QueryRequest | null,
  ): Promise<{ readonly result: Result; readonly pods: readonly RangedOver[] }>;
}

export interface EverywhereDeps {
  /** Canonical, ends in `/`. */
  readonly baseUrl: string;
  readonly limits: Limits;
  readonly log: Log;
  readonly store: Pick<Store, "read">;
  readonly pods: Pick<Pods, "find" | "list">;
  readonly documents: Documents;
  readonly sources: Sources;
  readonly loader: Loader;
  readonly threads: QueryThreads;
  readonly asking: Asking;
}

/** Under this key a thread holds the documents of all pods, as those of one. */
const KEY = "*";
/** Others have their turn after so many pods. */
const PODS_AT_ONCE = 32;
const SET_NUMBERS_KEPT = 2_000_000; // In the sets that are kept: about 10 MB.
/** Why a pod alone is left out. */
const PODS_OWN: ReadonlySet<string> = new Set(["unavailable", "not-found", "purpose-required"]);

/** What a query finds in one pod. */
interface Found {
  readonly pod: Pod;
  readonly documents: number;
  readonly readable: ReadableDocuments;
  readonly defaults: readonly GraphDocument[];
  readonly named: readonly GraphDocument[];
  /** Whether all that may be read is asked for, but pages of streams that the query can make no use of are left out. */
  readonly isLess: boolean;
}
/** All of it, in the thread. */
interface Ready {
  readonly found: readonly Found[];
  readonly leftOut: readonly string[];
  readonly namesAll: boolean; // Whether it says of each document that may be read in which pod it is.
  readonly set: Merged;
  readonly defaults: Chosen;
  readonly named: Chosen;
}
interface Merged {
  readonly id: number; // Below 0: those of single pods are above.
  readonly numbers: Uint32Array;
}

export function createEverywhere(deps: EverywhereDeps): Everywhere {
  const { baseUrl, limits, log, store, pods, documents, sources, loader, threads, asking } = deps;
  const origin = baseUrl.slice(0, -1);
  /** Which document is in which pod: a graph for whoever names it. */
  const podsGraph = `${baseUrl}.query/pods`;
  const merged = new Lru<string, Merged>(SET_NUMBERS_KEPT);
  let lastMerged = 0;

  const nameOf = (path: string): string => (path.startsWith("/") ? origin + path : path); // A view's is whole.
  const isHere = (pod: Pod): boolean => pod.erased === undefined && pod.movedTo === undefined;

  /** A name of nothing is that of a pod that granted nothing. */
  async function chosenPods({ pods: roots = [] }: QueryRequest): Promise<readonly Pod[]> {
    const names = new Set(
      roots.map((root) => (root.startsWith(baseUrl) ? root.slice(baseUrl.length).split("/", 1)[0]! : "")),
    );
    const found =
      roots.length === 0 ? await pods.list() : await Promise.all([...names].map((name) => pods.find(name)));
    const here = found.filter((pod) => pod !== null).filter(isHere);
    // Of names, whether they are there or not: else it would tell which are.
    if ((roots.length === 0 ? here.length : names.size) > limits.queryPodsMax)
      throw new Problem(
        "query-refused",
        `A query is asked of at most ${limits.queryPodsMax} pods; name them with the parameter pod`,
      );
    return here;
  }

  /** All that may be read, or those that have these names. */
  function pick(names: Scope["defaults"], { find }: Inventory, readable: ReadableDocuments) {
    if (names === "all") return readable.documents;
    const own = names
      .filter((name) => name.startsWith(`${origin}/`))
      .flatMap((name) => find(name.slice(origin.length)) ?? [])
      .filter((document) => readable.has(document));
    return [...own, ...readable.granted.filter(({ path }) => names.includes(path))];
  }

  /** @returns null where nothing was granted, or nothing is named; false when the thread has no room. */
  async function bring(
    thread: QueryThread,
    snapshot: Snapshot,
    pod: Pod,
    agent: Agent,
    scope: Scope,
    times: Times,
  ): Promise<Found | null | false> {
    const inventory = await documents.inventory(snapshot, pod);
    sources.useThread(snapshot, thread);
    const readable = await documents.readable(snapshot, pod, agent, inventory);
    // Granted for other purposes than the one that was said, it is not there; for several, nobody knows.
    if (readable.question && !readable.question.isStated) throw purposeProblem(readable.question);
    if (!readable.isOpened) return null;
    const picked = pick(scope.defaults, inventory, readable);
    const defaults = scope.defaults === "all" && readable.hasPages ? usefulAmong(picked, times) : picked;
    const named = pick(scope.named, inventory, readable);
    const isLess = defaults !== picked;
    const count = new Set([...(defaults === named ? [] : defaults), ...named]).size;
    if (count === 0) return null;
    const choiceOf = (names: Scope["defaults"], some: readonly GraphDocument[]): Choice => ({
      chosen: names === "all" ? "set" : Uint32Array.from(some, ({ number }) => number),
      documents: some,
    });
    const choices = [choiceOf(isLess ? [] : scope.defaults, defaults), choiceOf(scope.named, named)];
    const isLoaded = await loader.load(
      thread,
      snapshot,
      { ...inventory, key: KEY },
      readable,
      choices,
      true,
      true,
    );
    return isLoaded && { pod, documents: count, readable, defaults, named, isLess };
  }

  /** What every pod has for the query, in turn and with the same share of everything; null when the thread has no room. */
  async function gather(
    thread: QueryThread,
    all: readonly Pod[],
    asked: QueryEverywhere,
    scope: Scope,
    times: Times,
  ): Promise<{ readonly found: readonly Found[]; readonly leftOut: readonly string[] } | null> {
    const found: Found[] = [];
    const leftOut: string[] = [];
    let unclear: Problem | null = null;
    const until = performance.now() + limits.queryLoadMsMax;
    for (const [at, pod] of all.entries()) {
      if (asked.except?.has(pod.name)) leftOut.push(`${baseUrl}${pod.name}/`);
      if (asked.except?.has(pod.name)) continue;
      // What was read so far stays: the next time goes on from there.
      if (performance.now() > until)
        throw new Problem("unavailable", "The pods are still being read; ask again", {
          headers: { "retry-after": "2" },
        });
      if (at % PODS_AT_ONCE === PODS_AT_ONCE - 1) await nextTurn();
      try {
        const one = await store.read(pod.id, (snapshot) =>
          bring(thread, snapshot, pod, asked.agent, scope, times),
        );
        if (one === false) return null;
        if (one) found.push(one);
      } catch (error) {
        const isTheirs = error instanceof Problem && PODS_OWN.has(error.code);
        if (!isTheirs || !thread.isAlive() || isStrict(asked)) throw error;
        if (error.code === "purpose-required") unclear = error;
        else log.warn("query.pod-left-out", { cause: error.code });
        leftOut.push(`${baseUrl}${pod.name}/`);
      }
    }
    if (unclear && found.length === 0) throw unclear;
    return { found, leftOut };
  }

  /** Everything that may be read in all these pods, under one name as long as it is the same. */
  function setOf(found: readonly Found[]): Merged {
    const key = found.map(({ readable }) => readable.id).join();
    let set = merged.get(key);
    if (!set) {
      const length = found.reduce((sum, { readable }) => sum + readable.numbers.length, 0);
      const numbers = new Uint32Array(length);
      let at = 0;
      for (const { readable } of found) {
        numbers.set(readable.numbers, at);
        at += readable.numbers.length;
      }
      merged.set(key, (set = { id: --lastMerged, numbers }), length + key.length);
    }
    return set;
  }

  /** The thread may have to forget other pods, or this one. @returns whether it still holds all of these. */
  async function load(
    thread: QueryThread,
    sent: readonly SentDocument[],
    dropped: readonly number[],
  ): Promise<boolean> {
    const answer = await thread.ask(
      { kind: "load", pod: KEY, documents: sent, dropped },
      limits.queryLoadMsMax,
    );
    for (const key of answer.kind === "loaded" ? answer.forgotten : []) thread.held.delete(key);
    return thread.held.has(KEY);
  }

  /** Says of each document that the answer is made of in which pod it is. @returns null when there is no room for it. */
  async function loadPodsGraph(
    thread: QueryThread,
    found: readonly Found[],
    set: Merged,
  ): Promise<number | null> {
    const bytes = async (): Promise<Uint8Array> =>
      partsOfPods(
        found.map(({ pod, readable }) => ({
          root: `${baseUrl}${pod.name}/`,
          documents: readable.documents.map(({ path }) => nameOf(path)),
        })),
      );
    const [document] = documents.number([
      { graph: podsGraph, version: `pods ${set.id}`, contentType: "application/n-triples", bytes },
    ]);
    const held = thread.held.get(KEY);
    if (document && held && !held.documents.has(document.number)) {
      const sent = {
        number: document.number,
        graph: podsGraph,
        parts: [{ contentType: "application/n-triples", bytes: await bytes() }],
      };
      if (!(await load(thread, [sent], []))) return null;
      held.documents.add(document.number);
    }
    return document!.number;
  }

  /** What is out of date, or was somebody else's, is dropped when it is most of what the thread holds. */
  async function tidy(thread: QueryThread, found: readonly Found[]): Promise<void> {
    const held = thread.held.get(KEY);
    const count = found.reduce((sum, { readable }) => sum + readable.numbers.length, 0);
    if (!held || held.documents.size < 2 * count + 1_000) return;
    const current = new Set(found.flatMap(({ readable }) => [...readable.numbers]));
    const dropped = [...held.documents].filter((number) => !current.has(number));
    await load(thread, [], dropped);
    held.sets.clear();
    for (const number of dropped) held.documents.delete(number);
  }

  /** Brings all of it into the thread. @returns null when there is no room: then the thread holds nothing of any pod here. */
  async function prepare(
    thread: QueryThread,
    all: readonly Pod[],
    asked: QueryEverywhere,
    request: QueryRequest,
    scope: Scope,
    times: Times,
  ): Promise<Ready | null> {
    const gathered = await gather(thread, all, asked, scope, times);
    if (!gathered) return null;
    const { found } = gathered;
    const set = setOf(found);
    let namesAll = false;
    const chosen = async (which: "defaults" | "named"): Promise<Chosen | null> => {
      // Only who names it sees it: a graph that nobody has is in no other answer.
      const isNamed =
        scope[which] === "all"
          ? which === "named" && request.text.includes(podsGraph)
          : scope[which].includes(podsGraph);
      const isLess = which === "defaults" && found.some((one) => one.isLess);
      if (scope[which] === "all" && !isNamed && !isLess) return "set";
      const numbers = found.flatMap((one) => one[which].map(({ number }) => number));
      if (isNamed && set.numbers.length > 0) {
        namesAll = true;
        const number = await loadPodsGraph(thread, found, set);
        if (number === null) return null;
        numbers.push(number);
      }
      return Uint32Array.from(new Set(numbers));
    };
    const defaults = await chosen("defaults");
    const named = defaults && (await chosen("named"));
    return defaults && named && { ...gathered, namesAll, set, defaults, named };
  }

  async function evaluate(
    thread: QueryThread,
    asked: QueryEverywhere,
    request: QueryRequest,
  ): Promise<{ readonly result: Result; readonly pods: readonly RangedOver[] }> {
    const facts = await asking.factsOf(thread, request.text, asked.url, limits.queryMsMax);
    const contentType = negotiated(facts, asked, false);
    const scope = narrow(scopeOf(request.description ?? facts.from), facts.reach);
    const began = performance.now();
    const all = await chosenPods(request);
    const ready =
      (await prepare(thread, all, asked, request, scope, facts.times)) ??
      // What the thread held for others must not count.
      (await prepare(thread, all, asked, request, scope, facts.times));
    if (!ready)
      throw new Problem(
        "query-refused",
        `A query ranges over at most ${limits.queryQuadsMax} statements; name fewer pods with the parameter pod`,
      );
    const { found, leftOut, namesAll, set, defaults, named } = ready;
    // Whether what was granted was made for this query, or before, is nobody's to know.
    const slotMs = found.reduce((sum, { readable }) => sum + readable.slotMs, 0);
    await untilSlot(began, slotMs);
    const etag = asking.etagOf({ request, baseIri: asked.url, contentType }, [set.id, ...leftOut]);
    const headers = {
      ...QUERY_HEADERS,
      ...(etag && { etag }),
      // Which pods there are is told to nobody: their names are repeated to whoever named them.
      ...(leftOut.length > 0 && { "freehold-left-out": request.pods?.length ? leftOut.join(" ") : "*" }),
    };
    const count = found.reduce((sum, one) => sum + one.documents, 0);
    const pods = found.map((one) => ({ pod: one.pod, extent: extentOf(one, request.text, namesAll) }));
    if (isKnown(asked, etag))
      return { result: { status: 304, headers, body: null, extent: { rows: 0, documents: count } }, pods };
    const task = {
      kind: "run",
      text: request.text,
      baseIri: asked.url,
      pod: KEY,
      set,
      defaults,
      named,
      contentType,
      isSettled: true,
      limits: { rowsMax: limits.queryRowsMax, bytesMax: limits.queryResultBytesMax },
      msMax: limits.queryMsMax,
    } as const;
    const answered = await evaluating(pods, () => runOn(thread, task));
    const result = await resultOf(answered, asked, contentType, headers, count);
    if (answered.kind === "whole") await tidy(thread, found);
    return { result, pods };
  }

  /** By which grants a pod's documents could be read: of those that were chosen, or of all where all are named. */
  function extentOf(one: Found, text: string, namesAll: boolean): Extent {
    const { readable, defaults, named, documents } = one;
    const grants = readable.grantsOf(namesAll ? null : [...defaults, ...named]);
    if (grants.length === 0) return { rows: null, documents };
    const questionHash = createHash("sha256").update(text).digest("hex");
    return { rows: null, documents, grants, questionHash, purpose: readable.purpose ?? undefined };
  }

  return {
    async answer(asked, request) {
      if (request === null) return { result: await describeTo(asked), pods: [] };
      const whose = { ...asked, agent: withPurpose(asked.agent, request.purpose ?? null) };
      return threads.run(asked.agent.webid ?? "", KEY, (thread) => evaluate(thread, whose, request));
    },
  };
}
