/** Putting a copy into a store: the same for every engine, which only says where rows and files go. */
import assert from "node:assert/strict";
import { StoreRefused } from "./refused.ts";
import { JOURNAL_PLACE } from "./sealed/entries.ts";
import type { PodState } from "./sqlite/bulk.ts";
import { type BulkRow, bytesOfRow } from "./sqlite/bulk.ts";
import type { Copy, Loaded, PodId, StoredRow } from "./store.ts";

/** Rows handed over at once. */
const BATCH = { rows: 512, bytes: 256 * 1024 } as const;

export interface LoadTarget {
  readonly storeId: Uint8Array;
  /** Whether the pod has keys here, and they open this (the first that the copy has of it). */
  opens(pod: PodId, sealed: Uint8Array | null): boolean;
  /** From here on nobody else reads or writes the pod. Removes what is there of it. */
  begin(pod: PodId): Promise<void>;
  rows(pod: PodId, rows: readonly BulkRow[]): Promise<void>;
  /** @returns bytes of the file, durable. */
  blob(pod: PodId, hash: string, content: AsyncIterable<Uint8Array>): Promise<number>;
  /** The pod is whole, durably. Not called for any pod unless all went well. */
  finish(pod: PodId, state: PodState): Promise<void>;
}

function bulkRowOf(row: Exclude<StoredRow, { readonly kind: "pod" }>): BulkRow {
  if (row.kind === "journal")
    return { table: JOURNAL_PLACE, place: row.leaf, version: row.number, sealed: row.sealed };
  const { table, groupKey, itemKey, version, sealed } = row;
  return { table, place: Buffer.concat([groupKey, itemKey]), version, sealed };
}

/** @throws StoreRefused for a copy that belongs to another keyring. */
export async function loadCopy(
  copy: Copy,
  target: LoadTarget,
  progress: (rows: number, bytes: number) => void = () => {},
): Promise<Loaded> {
  if (Buffer.compare(copy.storeId, target.storeId) !== 0) {
    throw new StoreRefused(
      "The copy belongs to another keyring. Restore it with the keyring that was backed up with it.",
    );
  }
  const left: PodId[] = [];
  const otherKeys: PodId[] = [];
  const states = new Map<PodId, PodState>();
  const sum = { rows: 0, blobs: 0, bytes: 0 };
  let pod: PodId | null = null;
  let state: PodState | null = null;
  let batch: BulkRow[] = [];
  let batchBytes = 0;

  async function flush(): Promise<void> {
    if (pod && batch.length > 0) await target.rows(pod, batch);
    sum.rows += batch.length;
    sum.bytes += batchBytes;
    batch = [];
    batchBytes = 0;
    progress(sum.rows, sum.bytes);
  }
  /** With the first row of a pod, or with none: only then it is known that its keys open it. */
  async function begin(sealed: Uint8Array | null): Promise<void> {
    if (!pod || !state || states.has(pod)) return;
    if (target.opens(pod, sealed)) {
      states.set(pod, state);
      await target.begin(pod);
    } else {
      left.push(pod);
      if (target.opens(pod, null)) otherKeys.push(pod);
      pod = null;
    }
  }

  for await (const row of copy.rows()) {
    if (row.kind === "pod") {
      await begin(null);
      await flush();
      pod = row.pod;
      state = row;
      continue;
    }
    await begin(row.sealed);
    if (!pod) continue;
    assert.equal(row.pod, pod, "rows follow the row of their pod");
    const one = bulkRowOf(row);
    batch.push(one);
    batchBytes += bytesOfRow(one);
    if (batch.length >= BATCH.rows || batchBytes >= BATCH.bytes) await flush();
  }
  await begin(null);
  await flush();
  for await (const blob of copy.blobs()) {
    if (!states.has(blob.pod)) continue;
    sum.bytes += await target.blob(blob.pod, blob.hash, blob.content());
    sum.blobs++;
    progress(sum.rows, sum.bytes);
  }
  for (const [one, whole] of states) await target.finish(one, whole);
  return { pods: states.size, ...sum, left, otherKeys };
}
