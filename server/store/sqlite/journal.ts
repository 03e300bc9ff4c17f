/** A pod's journal in SQLite: read and checked from the first entry on, never changed but by forgetting. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { createChainCheck } from "../sealed/chain.ts";
import { openEntry } from "../sealed/entries.ts";
import type { PodKeys } from "../sealed/seal.ts";
import type { Journal, PodId } from "../store.ts";
import type { PodRow, Readers } from "./readers.ts";
import { look } from "./snapshot.ts";
import { problemOf, type WriterThread } from "./writer-thread.ts";

/** Entries opened in one go: about a millisecond of work before others have their turn. */
const PAGE = 128;

export interface JournalGround {
  readonly keysOf: (pod: PodId) => PodKeys;
  readonly rowOf: (pod: PodId) => PodRow;
  readonly readers: Pick<Readers, "journal">;
  readonly writer: Pick<WriterThread, "commit">;
  readonly log: Log;
}

export function createJournal({ keysOf, rowOf, readers, writer, log }: JournalGround): Journal {
  return {
    async head(pod) {
      return rowOf(pod).head;
    },
    async read(pod, after, most) {
      const keys = keysOf(pod);
      const rows = [];
      for (let last = after; rows.length < most; ) {
        const wanted = Math.min(PAGE, most - rows.length);
        const from = last;
        const found = look(log, () => readers.journal(keys.id, from, wanted));
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
        await nextTurn();
      }
      return rows;
    },
    forget(pod, numbers) {
      const keys = keysOf(pod);
      const commit = {
        generation: -1, // Nothing was read, so nothing can have changed.
        records: [],
        ranges: [],
        writes: [],
        entries: [],
        chainKey: "",
        forgotten: numbers,
        use: null,
      };
      return new Promise((resolve, reject) => {
        writer.commit(keys, commit, (answer) => (answer >= 0 ? resolve() : reject(problemOf(answer))));
      });
    },
    async verify(pod, heads, progress) {
      const keys = keysOf(pod);
      // Of one moment: what is recorded meanwhile is not looked at.
      const { head } = rowOf(pod);
      const check = createChainCheck(keys.journal, head, heads);
      for (let last = 0; last < head.number; ) {
        const from = last;
        const found = look(log, () => readers.journal(keys.id, from, PAGE)).filter(
          ({ number }) => number <= head.number,
        );
        if (found.length === 0) break;
        for (const one of found) {
          const row = openEntry(keys, one);
          check.add(row ?? { ...one, salt: null, entry: null }, row ? undefined : "its content is damaged");
        }
        last = found.at(-1)?.number ?? head.number;
        progress?.(last, head.number);
        await nextTurn();
      }
      return check.report();
    },
  };
}
