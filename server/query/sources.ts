/**
 * What the documents of a pod say, whoever asks: for views, which give others less of it. Evaluated as every query is, in a
 * thread that can be ended, over the documents that the caller chooses.
 */
import { createHash } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot } from "../store/store.ts";
import { type Asking, runOn } from "./asking.ts";
import type { Documents, GraphDocument, Inventory, ReadableDocuments } from "./documents.ts";
import type { Choice, Loader } from "./loader.ts";
import type { QueryThread } from "./thread.ts";
import type { QueryThreads } from "./threads.ts";

/** Some documents of a pod, as they are in one snapshot. */
export interface SourceSet {
  /** In this process the same for the same documents in the same versions, and for nothing else. */
  readonly version: string;
  /**
   * @param text A CONSTRUCT; its default graph is all of them together, and its named graphs are each of them.
   * @param agent Whose turn it is.
   * @returns N-Triples.
   * @throws Problem `query-refused` for too much, `query-timeout`, `unavailable`.
   */
  construct(text: string, agent: string, triplesMax: number): Promise<Uint8Array>;
}

export interface Sources {
  /**
   * Documents that are RDF, for which the test holds; no listings, descriptions and rules.
   * @param name Of the test, in this pod: the same for the same.
   */
  choose(
    snapshot: Snapshot,
    pod: Pod,
    name: string,
    isWanted: (path: string) => boolean | Promise<boolean>,
  ): Promise<SourceSet>;
  /** In this snapshot everything is evaluated in a thread that is the caller's already: it cannot wait for itself. */
  useThread(snapshot: Snapshot, thread: QueryThread): void;
  /** @throws Problem `query-invalid`, and `query-refused` for what is no CONSTRUCT or names the documents itself. */
  check(text: string, pod: Pod, agent: string): Promise<void>;
}

export interface SourcesDeps {
  /** Of all addresses; no slash at the end. */
  readonly origin: string;
  readonly limits: Limits;
  readonly documents: Documents;
  readonly loader: Loader;
  readonly threads: QueryThreads;
  readonly asking: Asking;
}

interface Chosen {
  readonly documents: readonly GraphDocument[];
  readonly version: string;
}
const CHOSEN_DOCUMENTS_MAX = 500_000; // Of one pod, for all that is chosen there.

/** Nothing is asked for as the set of somebody. */
const NOBODYS: ReadableDocuments = {
  id: 0,
  documents: [],
  numbers: new Uint32Array(),
  hasPages: false,
  hasControl: false,
  isOpened: false,
  granted: [],
  slotMs: 0,
  has: () => false,
  grantsOf: () => [],
  purpose: null,
  question: null,
};

export function createSources(deps: SourcesDeps): Sources {
  const { origin, limits, documents, loader, threads, asking } = deps;
  const threadOf = new WeakMap<Snapshot, QueryThread>();
  /** As long as a pod's documents are what they are. */
  const chosenOf = new WeakMap<Inventory, Lru<string, Chosen>>();
  const baseOf = ({ name }: Pod): string => `${origin}/${name}/`;

  async function construct(
    snapshot: Snapshot,
    pod: Pod,
    inventory: Inventory,
    chosen: readonly GraphDocument[],
    [text, agent, triplesMax]: readonly [string, string, number],
  ): Promise<Uint8Array> {
    const choice: Choice = { chosen: Uint32Array.from(chosen, ({ number }) => number), documents: chosen };
    const evaluate = async (thread: QueryThread): Promise<Uint8Array> => {
      const load = (isAlone: boolean) => loader.load(thread, snapshot, inventory, NOBODYS, [choice], isAlone);
      if (!(await load(false)) && !(await load(true)))
        throw new Problem("query-refused", `A view is made of at most ${limits.queryQuadsMax} statements`);
      const answered = await runOn(thread, {
        kind: "run",
        text,
        baseIri: baseOf(pod),
        pod: inventory.key,
        set: { id: NOBODYS.id, numbers: null },
        defaults: choice.chosen,
        named: choice.chosen,
        contentType: "application/n-triples",
        isSettled: true,
        limits: { rowsMax: triplesMax, bytesMax: limits.queryOwnerResultBytesMax },
        msMax: limits.queryMsMax,
      });
      if (answered.kind === "whole") return answered.bytes;
      return Buffer.concat(await Array.fromAsync(answered.pieces));
    };
    const own = threadOf.get(snapshot);
    return own ? evaluate(own) : threads.run(agent, snapshot.pod, evaluate);
  }

  return {
    async choose(snapshot, pod, name, isWanted) {
      const inventory = await documents.inventory(snapshot, pod);
      const known = chosenOf.get(inventory) ?? new Lru<string, Chosen>(CHOSEN_DOCUMENTS_MAX);
      chosenOf.set(inventory, known);
      let chosen = known.get(name);
      if (!chosen) {
        const found: GraphDocument[] = [];
        for (const document of inventory.all()) {
          const wanted = document.kind === "rdf" && isWanted(document.path);
          if (typeof wanted === "boolean" ? wanted : await wanted) found.push(document);
        }
        const numbers = Uint32Array.from(found, ({ number }) => number);
        chosen = { documents: found, version: createHash("sha256").update(numbers).digest("base64url") };
        known.set(name, chosen, found.length + name.length);
      }
      const { version, documents: found } = chosen;
      return {
        version,
        construct: (...asked) => construct(snapshot, pod, inventory, found, asked),
      };
    },
    useThread: (snapshot, thread) => void threadOf.set(snapshot, thread),
    async check(text, pod, agent) {
      const facts = await threads.run(agent, pod.id, (thread) =>
        asking.factsOf(thread, text, baseOf(pod), limits.queryMsMax),
      );
      if (facts.form !== "construct") throw new Problem("query-refused", "A view is made by a CONSTRUCT");
      if (facts.from !== null)
        throw new Problem("query-refused", "Say what a view is made of in its places, not with FROM");
    },
  };
}
