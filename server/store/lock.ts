/** One process at a time: a lock that the operating system lets go when its process dies, however it dies. */
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreRefused } from "./refused.ts";

/** Makes an empty file that only this user can read, if there is none: SQLite would let others read its files. */
export function makePrivate(file: string): void {
  // Never opened when it is there: closing it would drop the locks that this process may have on it.
  if (!existsSync(file)) closeSync(openSync(file, "ax", 0o600));
}

/**
 * @returns what unlocks the folder.
 * @throws StoreRefused while another store, in this process or another, has it open.
 */
export function lockFolder(folder: string): () => void {
  makePrivate(join(folder, "lock.db"));
  const lock = new DatabaseSync(join(folder, "lock.db"), { timeout: 0 });
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new StoreRefused(
      `Freehold is already running on ${folder}. Stop the other process, or give this one a folder of its own.`,
      { cause },
    );
  }
  return () => lock.close();
}
