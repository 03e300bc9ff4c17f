/**
 * What a query thread begins a pod with: the base of its index, out of another thread's memory or from disk, so that not
 * every document is read again. Only ever a help: whatever is missing or of another version is read as without it.
 */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { Lru } from "../lru.ts";
import type { Pod } from "../store/pods.ts";
import type { PodId, Snapshot, Store } from "../store/store.ts";
import type { Documents, Inventory } from "./documents.ts";
import type { KeptIndexes } from "./index/kept.ts";
import { byteCountOfShared, type SharedIndex } from "./index/pod-index.ts";
import type { OpenTask } from "./messages.ts";
import type { Held, QueryThread } from "./thread.ts";
import type { QueryThreads } from "./threads.ts";

/** Where indexes are between the times that they are in memory. */
export interface IndexStorage {
  readonly read: Store["read"];
  readonly kept: KeptIndexes;
}

export interface Bases {
  /** Gives the thread what there is of the pod, if it has nothing yet. */
  open(thread: QueryThread, held: Held, snapshot: Snapshot, inventory: Inventory): Promise<void>;
  /**
   * Later, when nobody waits: what threads have read of the pod since is shared, and kept on disk.
   * @param isSearched Whether the words of its texts may have been made, so that they are kept, too.
   */
  settleLater(pod: Pod, isSearched: boolean): void;
  /** @param pod Of which nothing may be kept any more; null: of none, but none stays in memory either. */
  forget(pod: PodId | null): Promise<void>;
  close(): Promise<void>;
}

/** The turn in which indexes are put in order; no WebID, so that it takes nobody's. */
const TURN = "index";
/** Fewer documents are read as fast as an index is opened. */
const DOCUMENTS_MIN = 32;
/** An index is kept anew when this share of it has changed since. */
const CHANGED_SHARE = 0.1;
/** Pods of which is remembered that they were searched. */
const SEARCHED_PODS_MAX = 10_000;

export interface BasesDeps {
  readonly storage: IndexStorage | null;
  readonly documents: Documents;
  readonly threads: QueryThreads;
  readonly limits: Limits;
  readonly log: Log;
}

export function createBases({ storage, documents, threads, limits, log }: BasesDeps): Bases {
  let shared = new Lru<string, SharedIndex>(limits.queryIndexBytesMax);
  /** Of pods that were searched: whether their words are on disk with their quads. */
  const words = new Lru<PodId, "wanted" | "kept">(SEARCHED_PODS_MAX);
  const timers = new Map<PodId, NodeJS.Timeout>();
  /** One pod after the other: putting in order must never take more than one thread. */
  let turn: Promise<void> = Promise.resolve();
  let isClosed = false;
  let forgets = 0;

  /** The base of the pod, with the numbers that its documents have in this process: 0 where they changed since. */
  async function find(snapshot: Snapshot, inventory: Inventory): Promise<OpenTask["base"] | null> {
    const known = shared.get(inventory.key);
    if (known) return { kind: "shared", shared: known };
    const kept = await storage?.kept.read(snapshot);
    if (!kept) return null;
    const numbers = kept.slots.map((place) => {
      const { path, version } = kept.documents[place]!;
      const document = inventory.find(path);
      return document?.version === version ? document.number : 0;
    });
    const current = numbers.reduce((count, number) => count + (number > 0 ? 1 : 0), 0);
    return current * 2 < numbers.length ? null : { kind: "packed", packed: kept.packed, numbers };
  }

  /** How many documents a thread holds that are on no disk yet, or not any more, as a share of all. */
  const changedShare = ({ documents: all, unkept }: Held): number => unkept.size / Math.max(1, all.size);

  async function settle(pod: Pod): Promise<void> {
    // Another thread is not started for it, and nobody waits for it: then the next answer is a new occasion.
    if (!storage || isClosed || !threads.isFree(pod.id)) return;
    const before = forgets;
    await threads.run(TURN, pod.id, async (thread) => {
      const { inventory, generation, mark } = await storage.read(pod.id, async (snapshot) => ({
        inventory: await documents.inventory(snapshot, pod),
        generation: snapshot.generation,
        mark: await storage.kept.mark(snapshot),
      }));
      const held = thread.held.get(inventory.key);
      if (!held || held.documents.size < DOCUMENTS_MIN) return;
      const isKept = changedShare(held) > CHANGED_SHARE || words.get(pod.id) === "wanted";
      if (!isKept && shared.get(inventory.key)) return;
      const all = inventory.all();
      const places = new Map(all.map(({ number }, place) => [number, place]));
      const dropped = [...held.documents].filter((number) => !places.has(number));
      const answer = await thread.ask(
        { kind: "settle", pod: inventory.key, dropped, isPacked: isKept },
        limits.queryLoadMsMax,
      );
      if (answer.kind !== "settled" || !answer.shared || forgets > before) return;
      if (dropped.length > 0) held.sets.clear();
      for (const number of dropped) held.documents.delete(number);
      shared.set(inventory.key, answer.shared, byteCountOfShared(answer.shared));
      if (!answer.packed) return;
      const slots = answer.shared.numbers.map((number) => places.get(number)!);
      const index = { packed: answer.packed, generation, documents: all, slots };
      if (!(await storage.kept.keep(pod.id, mark, index))) return;
      held.unkept.clear();
      if (answer.shared.texts) words.set(pod.id, "kept", 1);
      log.debug("query.index-kept", { documents: slots.length, bytes: answer.packed.length });
    });
  }

  function begin(pod: Pod): void {
    timers.delete(pod.id);
    turn = turn
      .then(() => settle(pod))
      .catch((error: unknown) => {
        // The disk may be full.
        if (error instanceof Problem) log.debug("query.index-not-kept", { cause: error.code });
        else log.error("query.index-failed", { cause: String(error) });
      });
  }

  return {
    async open(thread, held, snapshot, inventory) {
      if (held.isOpened || held.documents.size > 0) return;
      held.isOpened = true;
      const base = await find(snapshot, inventory);
      if (!base) return;
      const answer = await thread.ask({ kind: "open", pod: inventory.key, base }, limits.queryLoadMsMax);
      if (answer.kind !== "opened") return;
      for (const number of answer.numbers ?? []) held.documents.add(number);
      for (const key of answer.forgotten) thread.held.delete(key);
      log.debug("query.index-opened", { from: base.kind, documents: held.documents.size });
    },
    settleLater(pod, isSearched) {
      if (isSearched && !words.get(pod.id)) words.set(pod.id, "wanted", 1);
      if (!storage || isClosed || timers.has(pod.id)) return;
      timers.set(pod.id, setTimeout(() => begin(pod), limits.queryIndexRestMs).unref());
    },
    async forget(pod) {
      forgets++;
      shared = new Lru(limits.queryIndexBytesMax);
      if (pod !== null) await storage?.kept.forget(pod);
    },
    async close() {
      isClosed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      await turn;
    },
  };
}
