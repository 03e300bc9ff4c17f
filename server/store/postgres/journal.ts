/** A pod's journal in PostgreSQL: read and checked from the first entry on, never changed but by forgetting. */
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { createChainCheck } from "../sealed/chain.ts";
import { openEntry } from "../sealed/entries.ts";
import type { PodKeys } from "../sealed/seal.ts";
import type { Journal, PodId } from "../store.ts";
import { type Database, problemOf } from "./database.ts";
import type { PodState } from "./decide.ts";

const PAGE = 256;
const READ = {
  name: "journal-read",
  text: "SELECT number, leaf, sealed FROM journal WHERE pod_id = $1 AND number > $2 ORDER BY number LIMIT $3",
};
const FORGET = "UPDATE journal SET sealed = NULL WHERE pod_id = $1 AND number = ANY($2::bigint[])";

interface FoundEntry {
  readonly number: number;
  readonly leaf: Uint8Array;
  readonly sealed: Uint8Array | null;
}

export interface PostgresJournalGround {
  readonly database: Database;
  /** The pod as it is now, with its keys. */
  readonly stand: (pod: PodId) => Promise<{ readonly state: PodState; readonly keys: PodKeys }>;
  readonly log: Log;
}

export function createPostgresJournal({ database, stand, log }: PostgresJournalGround): Journal {
  async function next(keys: PodKeys, after: number, most: number): Promise<FoundEntry[]> {
    const rows = await database.read(READ, [keys.id, after, most]);
    return rows.map(([number, leaf, sealed]) => ({
      number: number as number,
      leaf: leaf as Buffer,
      sealed: sealed as Buffer | null,
    }));
  }

  return {
    head: async (pod) => (await stand(pod)).state.head,
    async read(pod, after, most) {
      const { keys } = await stand(pod);
      const rows = [];
      for (let last = after; rows.length < most; ) {
        const wanted = Math.min(PAGE, most - rows.length);
        const found = await next(keys, last, wanted);
        for (const one of found) {
          const row = openEntry(keys, one);
          if (!row) {
            log.error("store.journal.damaged", { number: one.number });
            throw new Problem("unavailable", "An entry of the journal is damaged");
          }
          rows.push(row);
        }
        last = found.at(-1)?.number ?? last;
        if (found.length < wanted) break;
      }
      return rows;
    },
    async forget(pod, numbers) {
      const { keys } = await stand(pod);
      await database
        .hold("commit", (connection) => connection.run(FORGET, [keys.id, numbers]))
        .catch((error: unknown) => Promise.reject(problemOf(error, log)));
    },
    async verify(pod, heads, progress) {
      // Of one moment: what is recorded meanwhile is not looked at.
      const { keys, state } = await stand(pod);
      const { head } = state;
      const check = createChainCheck(keys.journal, head, heads);
      for (let last = 0; last < head.number; ) {
        const found = (await next(keys, last, PAGE)).filter(({ number }) => number <= head.number);
        if (found.length === 0) break;
        for (const one of found) {
          const row = openEntry(keys, one);
          check.add(row ?? { ...one, salt: null, entry: null }, row ? undefined : "its content is damaged");
        }
        last = found.at(-1)?.number ?? head.number;
        progress?.(last, head.number);
      }
      return check.report();
    },
  };
}
