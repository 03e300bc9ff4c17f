/** Read connections: each holds one snapshot of the database at a time, shared by all who look at that state; none waits for the writer. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { LookupKey } from "./seal.ts";

export interface FoundRecord {
  readonly version: number;
  readonly sealed: Uint8Array;
}
export interface FoundMember extends FoundRecord {
  readonly groupKey: LookupKey;
  readonly itemKey: LookupKey;
}

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
    after: FoundMember | null,
    most: number,
  ): FoundMember[];
  /** How many records, and their greatest version. */
  state(
    pod: Buffer,
    table: number,
    groupKey: LookupKey | null,
  ): { readonly count: number; readonly version: number };
}

export interface Readers {
  /** The pod's generation at this moment, or null when there is no such pod. */
  generation(pod: Buffer): number | null;
  /**
   * A state of the database in which the pod is as it is at this moment.
   * @throws Problem `unavailable` while `readersMax` states are held.
   */
  acquire(pod: Buffer): Reader;
  release(reader: Reader): void;
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
  const columns = "item_key, version, sealed";
  const sums = "SELECT count(*), coalesce(max(version), 0)";
  const begin = statement("BEGIN");
  const commit = statement("COMMIT");
  const generationOf = statement("SELECT generation FROM pod WHERE pod_id = ?");
  const one = statement(`SELECT version, sealed ${where} AND group_key = ? AND item_key = ?`);

  return {
    holders: 0,
    sharers: 0,
    begin: () => void begin.run(),
    end: () => void commit.run(),
    close: () => db.close(),
    generation: (pod) => (row(generationOf.get(pod))?.[0] as number | undefined) ?? null,
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
    state(pod, table, groupKey) {
      const found = row(
        groupKey === null
          ? statement(`${sums} ${where}`).get(pod, table)
          : statement(`${sums} ${where} AND group_key = ?`).get(pod, table, bytesOf(groupKey)),
      );
      return { count: found?.[0] as number, version: found?.[1] as number };
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
