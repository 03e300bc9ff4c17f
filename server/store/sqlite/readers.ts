/** Read connections: each holds one snapshot of the database at a time, shared by all who look at that state; none waits for the writer. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { LookupKey } from "../sealed/seal.ts";
import type { JournalHead, PodId, Usage } from "../store.ts";
import { CHECKED_VERSION } from "./proof.ts";

export interface FoundRecord {
  readonly version: number;
  readonly sealed: Uint8Array;
}
export interface Place {
  readonly groupKey: LookupKey;
  readonly itemKey: LookupKey;
}
export interface FoundMember extends FoundRecord, Place {}

/** One state of the whole database, until it is released. */
export interface Reader {
  /** The pod's generation in this state, or null when there is no such pod. */
  generation(pod: Buffer): number | null;
  get(pod: Buffer, table: number, groupKey: LookupKey, itemKey: LookupKey): FoundRecord | null;
  /** The next records after `after`, in the order of their keys. @param groupKey Null for the whole table. */
  page(
    pod: Buffer,
    table: number,
    groupKey: LookupKey | null,
    after: Place | null,
    most: number,
  ): FoundMember[];
}

/** A pod's own row, as far as it is not about records. */
export interface PodRow {
  readonly usage: Usage;
  readonly head: JournalHead;
}
export interface FoundEntry {
  readonly number: number;
  readonly leaf: Uint8Array;
  /** Null: forgotten. */
  readonly sealed: Uint8Array | null;
}

export interface Readers {
  /** The pod's generation at this moment, or null when there is no such pod. */
  generation(pod: Buffer): number | null;
  /** Whether anything of the pod is there, also of one that is half purged. */
  holds(pod: Buffer): boolean;
  /** As it is at this moment. */
  pod(pod: Buffer): PodRow | null;
  /** Pods with more records than this. */
  largest(records: number): readonly PodId[];
  /** Entries of the journal after a number, oldest first, as they are at this moment. */
  journal(pod: Buffer, after: number, most: number): FoundEntry[];
  /**
   * A state of the database in which the pod is as it is at this moment.
   * @throws Problem `unavailable` while `readersMax` states are held.
   */
  acquire(pod: Buffer): Reader;
  release(reader: Reader): void;
  /** Who acquires from now on sees what is in the database now, whatever the generations say. */
  renew(): void;
  close(): void;
}

/** Connections kept for later; each keeps up to 2 MB of pages. */
const IDLE_MAX = 4;
/** A state held too long keeps the write-ahead log from starting over, so after so many sharers comes a new one. */
const SHARERS_MAX = 256;
const FIRST_KEY = Buffer.alloc(0); // Before every key.

const bytesOf = (key: LookupKey): Buffer => Buffer.from(key, "latin1");
const keyOf = (bytes: unknown): LookupKey => {
  const { buffer, byteOffset, byteLength } = bytes as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1") as LookupKey;
};

interface Connection extends Reader {
  holds(pod: Buffer): boolean;
  pod(pod: Buffer): PodRow | null;
  largest(records: number): readonly PodId[];
  journal(pod: Buffer, after: number, most: number): FoundEntry[];
  /** Snapshots that look at this state now, and since it was begun. */
  holders: number;
  sharers: number;
  begin(): void;
  end(): void;
  close(): void;
}

function connect(file: string): Connection {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let found = prepared.get(sql);
    if (!found) {
      found = db.prepare(sql);
      found.setReturnArrays(true);
      prepared.set(sql, found);
    }
    return found;
  };
  const row = (found: unknown): readonly unknown[] | undefined => found as readonly unknown[] | undefined;
  const where = "FROM record WHERE pod_id = ? AND table_number = ?";
  const columns = `item_key, ${CHECKED_VERSION}, sealed`;
  const begin = statement("BEGIN");
  const commit = statement("COMMIT");
  /** Asked several times of one state, in which it stays as it is. */
  let seen: { readonly pod: Buffer; readonly generation: number | null } | null = null;
  let isHeld = false;
  const generationOf = statement("SELECT generation FROM pod WHERE pod_id = ?");
  const podOf = statement("SELECT bytes, resources, journal_number, journal_hash FROM pod WHERE pod_id = ?");
  const held = statement(
    `SELECT ${["pod", "record", "journal"].map((name) => `EXISTS (SELECT 1 FROM ${name} WHERE pod_id = ?1)`).join(" OR ")}`,
  );
  const entries = statement(
    "SELECT number, leaf, sealed FROM journal WHERE pod_id = ? AND number > ? ORDER BY number LIMIT ?",
  );
  const one = statement(`SELECT ${CHECKED_VERSION}, sealed ${where} AND group_key = ? AND item_key = ?`);

  return {
    holders: 0,
    sharers: 0,
    begin() {
      begin.run();
      isHeld = true;
    },
    end() {
      isHeld = false;
      seen = null;
      commit.run();
    },
    close: () => db.close(),
    generation(pod) {
      if (seen?.pod.equals(pod)) return seen.generation;
      const generation = (row(generationOf.get(pod))?.[0] as number | undefined) ?? null;
      if (isHeld) seen = { pod, generation };
      return generation;
    },
    holds: (pod) => row(held.get(pod))?.[0] === 1,
    pod(pod) {
      const found = row(podOf.get(pod));
      if (!found) return null;
      const [bytes, resources, number, hash] = found as [number, number, number, Uint8Array];
      return { usage: { bytes, resources }, head: { number, hash } };
    },
    largest(records) {
      const rows = statement(
        "SELECT lower(hex(pod_id)) FROM pod WHERE records > ? ORDER BY records DESC",
      ).all(records) as unknown as [PodId][];
      return rows.map(([pod]) => pod);
    },
    journal(pod, after, most) {
      const rows = entries.all(pod, after, most) as unknown as [number, Uint8Array, Uint8Array | null][];
      return rows.map(([number, leaf, sealed]) => ({ number, leaf, sealed }));
    },
    get(pod, table, groupKey, itemKey) {
      const found = row(one.get(pod, table, bytesOf(groupKey), bytesOf(itemKey)));
      return found ? { version: found[0] as number, sealed: found[1] as Uint8Array } : null;
    },
    page(pod, table, groupKey, after, most) {
      const item = after ? bytesOf(after.itemKey) : FIRST_KEY;
      const group = groupKey === null ? (after ? bytesOf(after.groupKey) : FIRST_KEY) : bytesOf(groupKey);
      if (groupKey !== null) {
        const next = statement(
          `SELECT ${columns} ${where} AND group_key = ? AND item_key > ? ORDER BY item_key LIMIT ?`,
        );
        const rows = next.all(pod, table, group, item, most) as unknown as [unknown, number, Uint8Array][];
        return rows.map(([item, version, sealed]) => ({ groupKey, itemKey: keyOf(item), version, sealed }));
      }
      const next = statement(
        `SELECT group_key, ${columns} ${where} AND (group_key, item_key) > (?, ?) ORDER BY group_key, item_key LIMIT ?`,
      );
      const rows = next.all(pod, table, group, item, most) as unknown as [
        unknown,
        unknown,
        number,
        Uint8Array,
      ][];
      return rows.map(([group, item, version, sealed]) => ({
        groupKey: keyOf(group),
        itemKey: keyOf(item),
        version,
        sealed,
      }));
    },
  };
}

/** @param most States of the database held at once. */
export function createReaders(file: string, most: number, log: Log): Readers {
  const watcher = connect(file);
  const idle: Connection[] = [];
  const busy = new Set<Connection>();
  let shared: Connection | null = null;

  return {
    generation: (pod) => watcher.generation(pod),
    holds: (pod) => watcher.holds(pod),
    pod: (pod) => watcher.pod(pod),
    largest: (records) => watcher.largest(records),
    journal: (pod, after, most) => watcher.journal(pod, after, most),
    acquire(pod) {
      // The pod is as it is now, whatever happened to others since that state began.
      if (!shared || shared.sharers >= SHARERS_MAX || shared.generation(pod) !== watcher.generation(pod)) {
        if (busy.size >= most)
          throw new Problem("unavailable", "Too many reads at once", { headers: { "retry-after": "1" } });
        const connection = idle.pop() ?? connect(file);
        try {
          connection.begin();
          connection.generation(pod); // The first look takes the snapshot.
        } catch (error) {
          connection.close();
          throw error;
        }
        busy.add(connection);
        connection.holders = 0;
        connection.sharers = 0;
        shared = connection;
      }
      shared.holders++;
      shared.sharers++;
      return shared;
    },
    renew: () => void (shared = null),
    release(reader) {
      const connection = reader as Connection;
      connection.holders--;
      if (connection.holders > 0) return;
      if (shared === connection) shared = null;
      busy.delete(connection);
      try {
        connection.end();
        if (idle.length < IDLE_MAX) idle.push(connection);
        else connection.close();
      } catch (error) {
        log.error("store.reader.failed", { cause: String(error) });
        connection.close();
      }
    },
    close() {
      for (const connection of [watcher, ...idle, ...busy]) connection.close();
      idle.length = 0;
      busy.clear();
      shared = null;
    },
  };
}
