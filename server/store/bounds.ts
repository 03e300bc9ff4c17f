/** What every engine refuses in the same way, so that no feature works on one and fails on another. */
import assert from "node:assert/strict";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Table } from "./store.ts";

/** @throws Problem `body-too-large` for a value over `recordBytesMax` or more than `transactionWritesMax` writes. */
export function checkBounds(
  table: Table,
  group: string,
  item: string,
  value: Uint8Array | null,
  writes: number,
  limits: Limits,
): void {
  const names = Math.max(Buffer.byteLength(group), Buffer.byteLength(item));
  assert(names <= limits.urlBytesMax, `a name in table ${table} is longer than ${limits.urlBytesMax} bytes`);
  if (value && value.length > limits.recordBytesMax)
    throw new Problem("body-too-large", `At most ${limits.recordBytesMax} bytes`);
  if (writes > limits.transactionWritesMax)
    throw new Problem("body-too-large", `At most ${limits.transactionWritesMax} records at once`);
}
