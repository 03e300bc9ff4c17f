/** What every engine refuses in the same way, so that no feature works on one and fails on another. */
import assert from "node:assert/strict";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Table } from "./store.ts";

export interface Bounds {
  /**
   * To be asked before each write of one transaction.
   * @param before Size of the value that this transaction has put at the same place already; null when it has not.
   * @throws Problem `body-too-large` over `recordBytesMax`, `transactionWritesMax` or `transactionBytesMax`.
   */
  check(table: Table, group: string, item: string, value: Uint8Array | null, before: number | null): void;
  /** To be asked before each journal entry of one transaction. @throws Problem like {@link Bounds.check}. */
  checkEntry(entry: Uint8Array): void;
}

/** Names and numbers, never values: more is a mistake. */
const ENTRY_BYTES_MAX = 64 * 1024;

export function createBounds(limits: Limits): Bounds {
  let writes = 0;
  let bytes = 0;

  return {
    check(table, group, item, value, before) {
      const names = Math.max(Buffer.byteLength(group), Buffer.byteLength(item));
      assert(
        names <= limits.urlBytesMax,
        `a name in table ${table} is longer than ${limits.urlBytesMax} bytes`,
      );
      const size = value?.length ?? 0;
      if (size > limits.recordBytesMax)
        throw new Problem("body-too-large", `At most ${limits.recordBytesMax} bytes`);
      writes += before === null ? 1 : 0;
      if (writes > limits.transactionWritesMax)
        throw new Problem("body-too-large", `At most ${limits.transactionWritesMax} records at once`);
      bytes += size - (before ?? 0);
      if (bytes > limits.transactionBytesMax)
        throw new Problem("body-too-large", `At most ${limits.transactionBytesMax} bytes at once`);
    },
    checkEntry(entry) {
      assert(entry.length <= ENTRY_BYTES_MAX, `a journal entry has more than ${ENTRY_BYTES_MAX} bytes`);
      writes++;
      if (writes > limits.transactionWritesMax)
        throw new Problem("body-too-large", `At most ${limits.transactionWritesMax} records at once`);
    },
  };
}
