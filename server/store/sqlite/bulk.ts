/**
 * Many rows at once, between the commits of the others: rows sealed anew, and rows that are loaded from a copy.
 * A pod that is being loaded is marked as such in the same database: half of it is never taken for all of it.
 */
import type { DatabaseSync } from "node:sqlite";
import { JOURNAL_PLACE } from "../sealed/entries.ts";
import type { JournalHead, Usage } from "../store.ts";
import { ANSWERS } from "./batch.ts";
import { count, type PodRows } from "./pod-rows.ts";
import { versionCheck } from "./proof.ts";

/** Kinds of tasks beside those of batch.ts, from BULK_FIRST on; all of them carry bytes. */
export const RESEAL = 16;
/** Marks the pod as being loaded, and removes some of what it holds. Answers how many rows it removed. */
export const UNLOAD = 17;
export const LOAD = 18;
/** The pod's own row: it is whole. Answers its generation. */
export const LOADED = 19;
/** Folds the write-ahead log into the database and empties it. Answers 0, or 1 while a reader holds it. */
export const FOLD = 20;
export type BulkKind = typeof RESEAL | typeof UNLOAD | typeof LOAD | typeof LOADED | typeof FOLD;

const REMOVED_AT_ONCE = 500;
const ROW = 1 + 32 + 8 + 8;
const KEY = 16;

/** A row as the writer needs it: a record, or an entry of the journal ({@link JOURNAL_PLACE}). */
export interface BulkRow {
  readonly table: number;
  /** 32 bytes: group key and item key; of an entry its leaf. */
  readonly place: Uint8Array;
  /** Of an entry its number. */
  readonly version: number;
  /** Null: an entry that was forgotten. */
  readonly sealed: Uint8Array | null;
}

export const bytesOfRow = ({ sealed }: BulkRow): number => ROW + (sealed?.length ?? 0);

export function encodeRows(rows: readonly BulkRow[]): Buffer {
  const bytes = Buffer.allocUnsafe(rows.reduce((sum, row) => sum + bytesOfRow(row), 0));
  let at = 0;
  for (const { table, place, version, sealed } of rows) {
    at = bytes.writeUInt8(table, at);
    bytes.set(place, at);
    at = bytes.writeDoubleLE(version, at + 2 * KEY);
    at = bytes.writeDoubleLE(sealed ? sealed.length : -1, at);
    if (sealed) bytes.set(sealed, at);
    at += sealed?.length ?? 0;
  }
  return bytes;
}

function* readRows(bytes: Buffer): Generator<BulkRow> {
  for (let at = 0; at < bytes.length; ) {
    const table = bytes.readUInt8(at);
    const place = bytes.subarray(at + 1, at + 1 + 2 * KEY);
    const version = bytes.readDoubleLE(at + 1 + 2 * KEY);
    const size = bytes.readDoubleLE(at + ROW - 8);
    at += ROW;
    yield { table, place, version, sealed: size < 0 ? null : bytes.subarray(at, at + size) };
    at += Math.max(0, size);
  }
}

/** A pod's own row in a copy. */
export interface PodState {
  readonly generation: number;
  readonly usage: Usage;
  readonly head: JournalHead;
}

export function encodePodState({ generation, usage, head }: PodState): Buffer {
  const numbers = Buffer.from(
    new Float64Array([generation, usage.bytes, usage.resources, head.number]).buffer,
  );
  return Buffer.concat([numbers, head.hash]);
}

function readPodState(bytes: Buffer): PodState {
  const number = (index: number): number => bytes.readDoubleLE(8 * index);
  return {
    generation: number(0),
    usage: { bytes: number(1), resources: number(2) },
    head: { number: number(3), hash: bytes.subarray(32) },
  };
}

/** Name of the mark, in table `store`. */
export const LOADING = "loading/";
const markOf = (pod: Uint8Array): string => LOADING + Buffer.from(pod).toString("hex");

export interface Bulk {
  /** Within the writer's transaction. @returns the answer. */
  perform(kind: number, pod: Uint8Array, payload: Uint8Array): number;
}

/** @param pods Where records that are loaded are counted. */
export function createBulk(db: DatabaseSync, pods: Pick<PodRows, "of">): Bulk {
  const place = "pod_id = ? AND table_number = ? AND group_key = ? AND item_key = ?";
  const generationOf = db.prepare("SELECT generation FROM pod WHERE pod_id = ?");
  const reseal = db.prepare(`UPDATE record SET sealed = ? WHERE ${place} AND version = ?`);
  // What was forgotten meanwhile stays so.
  const resealEntry = db.prepare(
    "UPDATE journal SET sealed = ? WHERE pod_id = ? AND number = ? AND sealed IS NOT NULL",
  );
  const add = db.prepare(
    `INSERT INTO record (pod_id, table_number, group_key, item_key, version, sealed, version_check)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ${versionCheck("?5")})`,
  );
  const addEntry = db.prepare("INSERT INTO journal (pod_id, number, leaf, sealed) VALUES (?, ?, ?, ?)");
  const removeSome = db.prepare(
    "DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE pod_id = ? LIMIT ?)",
  );
  const removeEntries = db.prepare(
    "DELETE FROM journal WHERE pod_id = ?1 AND number IN (SELECT number FROM journal WHERE pod_id = ?1 LIMIT ?2)",
  );
  const addPod = db.prepare("INSERT INTO pod (pod_id, generation) VALUES (?, 0) ON CONFLICT DO NOTHING");
  const setPod = db.prepare(
    "UPDATE pod SET generation = ?, bytes = ?, resources = ?, journal_number = ?, journal_hash = ? WHERE pod_id = ?",
  );
  const resetSums = db.prepare("UPDATE pod SET records = 0, records_sum = 0 WHERE pod_id = ?");
  const mark = db.prepare("INSERT INTO store (name, value) VALUES (?, x'') ON CONFLICT DO NOTHING");
  const unmark = db.prepare("DELETE FROM store WHERE name = ?");
  const isMarked = db.prepare("SELECT 1 FROM store WHERE name = ?");

  /** Only what is still as it was when it was read: whoever wrote meanwhile has sealed with the new key already. */
  function resealRows(pod: Uint8Array, rows: Iterable<BulkRow>): number {
    for (const { table, place: where, version, sealed } of rows) {
      if (table === JOURNAL_PLACE) resealEntry.run(sealed, pod, version);
      else reseal.run(sealed, pod, table, where.subarray(0, KEY), where.subarray(KEY), version);
    }
    return 0;
  }

  function loadRows(pod: Uint8Array, rows: Iterable<BulkRow>): number {
    const own = pods.of(pod);
    if (!own || !isMarked.get(markOf(pod))) return ANSWERS.missing;
    for (const { table, place: where, version, sealed } of rows) {
      if (table === JOURNAL_PLACE) addEntry.run(pod, version, where, sealed);
      else {
        const [group, item] = [where.subarray(0, KEY), where.subarray(KEY)];
        add.run(pod, table, group, item, version, sealed);
        count(own, 1, table, group, item);
      }
    }
    return 0;
  }

  function unload(pod: Uint8Array): number {
    mark.run(markOf(pod));
    addPod.run(pod);
    const removed = Number(removeSome.run(pod, REMOVED_AT_ONCE).changes);
    const left = removed || Number(removeEntries.run(pod, REMOVED_AT_ONCE).changes);
    if (left === 0) resetSums.run(pod); // Nothing is there, whatever was counted of a pod that was damaged.
    return left;
  }

  function finish(pod: Uint8Array, { generation: copied, usage, head }: PodState): number {
    const before = generationOf.get(pod)?.generation as number | undefined;
    unmark.run(markOf(pod));
    if (before === undefined) return ANSWERS.missing; // Erased meanwhile.
    // Never backwards: no version may be given a second time, or one ETag would stand for two contents.
    const generation = before > 0 ? Math.max(before + 1, copied) : copied;
    setPod.run(generation, usage.bytes, usage.resources, head.number, head.hash, pod);
    return generation;
  }

  return {
    perform(kind, pod, payload) {
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      if (kind === RESEAL) return resealRows(pod, readRows(bytes));
      if (kind === LOAD) return loadRows(pod, readRows(bytes));
      if (kind === UNLOAD) return unload(pod);
      return kind === LOADED ? finish(pod, readPodState(bytes)) : 0;
    },
  };
}
