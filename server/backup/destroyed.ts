/** What is remembered of destroyed keys until a backup without them is made: kept in the store, for a server may stop before. */
import { randomUUID } from "node:crypto";
import type { Log } from "../log.ts";
import type { Pods } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import { noteErased } from "./shelf.ts";

const PLACE = ["setting", "backup", "keys destroyed"] as const;

export interface Destroyed {
  /** Remembers that keys are being destroyed. */
  note(): Promise<void>;
  /** @returns what was noted last; null when a backup was made since. */
  find(): Promise<string | null>;
  /** Unless more was noted meanwhile: then its turn comes next. */
  clear(noted: string): Promise<void>;
  /** Beside the backups, at once: should the disk be lost before the next one, a restore must know. Never throws. */
  listErased(): Promise<void>;
}

/** Does nothing where there is no folder for backups. */
export function createDestroyed({
  store,
  pods,
  log,
  settings: { folder },
}: {
  readonly store: Store;
  readonly pods: Pick<Pods, "list">;
  readonly log: Log;
  readonly settings: { readonly folder: string };
}): Destroyed {
  return {
    async note() {
      if (folder === "") return;
      await store.write(SERVER_POD, async (transaction) =>
        transaction.put(...PLACE, encodeRecord(randomUUID())),
      );
    },
    find: () =>
      store.read(SERVER_POD, async (snapshot) => {
        const entry = await snapshot.get(...PLACE);
        return entry && decodeRecord<string>(entry);
      }),
    async clear(noted) {
      await store.write(SERVER_POD, async (transaction) => {
        const entry = await transaction.get(...PLACE);
        if (entry && decodeRecord<string>(entry) === noted) transaction.delete(...PLACE);
      });
    },
    async listErased() {
      if (folder === "") return;
      try {
        const erased = (await pods.list()).filter((pod) => pod.erased !== undefined);
        if (erased.length > 0)
          await noteErased(
            folder,
            erased.map(({ id }) => id),
          );
      } catch (error) {
        log.error("backup.erased-not-listed", { cause: String(error) }); // The next backup lists them.
      }
    },
  };
}
