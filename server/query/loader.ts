/** Brings a query thread to the state of a pod: what it does not hold yet is sent, and what is out of date is dropped. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import type { Snapshot } from "../store/store.ts";
import type { Bases } from "./bases.ts";
import type { Documents, GraphDocument, Inventory, ReadableDocuments } from "./documents.ts";
import type { Chosen, SentDocument } from "./messages.ts";
import type { Held, QueryThread } from "./thread.ts";

/** Documents that a query ranges over. */
export interface Choice {
  readonly chosen: Chosen;
  readonly documents: readonly GraphDocument[];
}

/** Sent to a thread at once: enough to keep it busy, not so much that two copies of a pod are in memory. */
const BATCH_BYTES = 1024 * 1024;
/** Documents that are out of date and may stay where they are: so many, and this share of all. */
const STALE_MIN = 64;
const STALE_SHARE = 0.1;
/** For so many no index is opened. */
const FEW_DOCUMENTS = 16;
/** Of one pod, in one thread: as many groups of agents who may read different things. */
const HELD_SETS_MAX = 1_024;

export interface Loader {
  /**
   * The time for it is not the query's: a slow start must not end the thread.
   * @param isAlone Whether nothing may come along that this query does not need.
   * @param isOfMany Whether the thread holds other pods' documents under the same key: then nothing is out of date for this one.
   * @returns false when the thread had no room and forgot the pod.
   */
  load(
    thread: QueryThread,
    snapshot: Snapshot,
    inventory: Inventory,
    readable: ReadableDocuments,
    choices: readonly Choice[],
    isAlone: boolean,
    isOfMany?: boolean,
  ): Promise<boolean>;
}

export function createLoader(documents: Documents, bases: Bases, limits: Limits): Loader {
  function heldBy(thread: QueryThread, key: string): Held {
    const held = thread.held.get(key) ?? {
      documents: new Set(),
      sets: new Lru(HELD_SETS_MAX),
      isOpened: false,
      unkept: new Set(),
    };
    thread.held.set(key, held);
    return held;
  }

  return {
    async load(thread, snapshot, inventory, readable, choices, isAlone, isOfMany = false) {
      const until = performance.now() + limits.queryLoadMsMax;
      const held = heldBy(thread, inventory.key);
      const wantsSet = choices.some(({ chosen }) => chosen === "set");
      const isSetMissing = wantsSet && held.sets.get(readable.id) === undefined;
      const ofSet = isSetMissing ? readable.documents : [];
      const byName = choices.flatMap(({ chosen, documents: some }) => (chosen === "set" ? [] : some));

      async function send(batch: readonly SentDocument[], dropped: readonly number[]): Promise<boolean> {
        if (performance.now() > until)
          throw new Problem("unavailable", "The pod is still being read; ask again", {
            headers: { "retry-after": "2" },
          });
        const answer = await thread.ask(
          { kind: "load", pod: inventory.key, documents: batch, dropped },
          limits.queryLoadMsMax,
        );
        if (dropped.length > 0) held.sets.clear();
        for (const number of dropped) {
          held.documents.delete(number);
          held.unkept.add(number);
        }
        for (const { number } of batch) {
          held.documents.add(number);
          held.unkept.add(number);
        }
        for (const key of answer.kind === "loaded" ? answer.forgotten : []) thread.held.delete(key);
        return thread.held.get(inventory.key) === held;
      }

      if (!isAlone && ofSet.length + byName.length > FEW_DOCUMENTS)
        await bases.open(thread, held, snapshot, inventory);
      // What is out of date is in no set: it is dropped when there is much of it.
      const { count } = inventory;
      if (!isOfMany && held.documents.size > count + STALE_MIN + count * STALE_SHARE) {
        // What was granted beside documents is in a set that the thread may know already, and in no inventory.
        const wanted = [...inventory.all(), ...ofSet, ...byName, ...readable.granted];
        const current = new Set(wanted.map(({ number }) => number));
        if (
          !(await send(
            [],
            [...held.documents].filter((number) => !current.has(number)),
          ))
        )
          return false;
      }
      const isMissing = ({ number }: GraphDocument): boolean => !held.documents.has(number);
      const missing = [...new Set([...ofSet.filter(isMissing), ...byName.filter(isMissing)])];
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
      if (wantsSet) held.sets.set(readable.id, true, 1);
      return true;
    },
  };
}
