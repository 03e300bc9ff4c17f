/** What takes many steps: removing what is left of an erased pod, and sealing a pod anew. Each goes on after a restart. */
import { createSecretKey } from "node:crypto";
import type { Log } from "../../log.ts";
import { openFront, sealFront } from "../sealed/blob-format.ts";
import { JOURNAL_PLACE } from "../sealed/entries.ts";
import { idOf } from "../sealed/keyring-format.ts";
import { keysOfPlace, type LookupKey, type PodKeys, resealRecord, versionOf } from "../sealed/seal.ts";
import type { PodId } from "../store.ts";
import { type Connection, type Database, type Row, type Statement, troubleOf } from "./database.ts";
import type { PostgresKeys } from "./keys.ts";
import { ENTRIES, pagesOf, RECORDS, type Walk } from "./walk.ts";

const AT_ONCE = 2_000;

const removal = (table: string, key: string): string =>
  `DELETE FROM ${table} WHERE pod_id = $1 AND (${key}) IN (SELECT ${key} FROM ${table} WHERE pod_id = $1 LIMIT ${AT_ONCE})`;
const REMOVALS = [
  removal("record", "table_number, group_key, item_key"),
  removal("journal", "number"),
  removal("blob_part", "content, part").replace(String(AT_ONCE), "200"),
  removal("blob", "content"),
];
const MARKED: Statement = { name: "marked", text: "SELECT pod_id FROM setting WHERE name = $1" };
const MARK = "INSERT INTO setting (pod_id, name, value) VALUES ($1, $2, '') ON CONFLICT DO NOTHING";
const UNMARK = "DELETE FROM setting WHERE pod_id = $1 AND name = $2";

// Only if nobody has written it meanwhile: then it is sealed with the new key already.
const RESEAL_RECORD: Statement = {
  name: "reseal-record",
  text: "UPDATE record SET sealed = $6 WHERE pod_id = $1 AND table_number = $2 AND group_key = $3 AND item_key = $4 AND version = $5",
};
const RESEAL_ENTRY: Statement = {
  name: "reseal-entry",
  text: "UPDATE journal SET sealed = $3 WHERE pod_id = $1 AND number = $2 AND sealed IS NOT NULL",
};
const BLOBS: Walk = {
  statement: {
    name: "reseal-blobs",
    text: "SELECT content, hash, head FROM blob WHERE pod_id = $1 AND content > $2 ORDER BY content LIMIT $3",
  },
  start: [Buffer.alloc(0)],
};
const RESEAL_BLOB: Statement = {
  name: "reseal-blob",
  text: "UPDATE blob SET head = $3 WHERE pod_id = $1 AND content = $2 AND head IS NOT NULL",
};
const COUNT: Statement = {
  name: "count-all",
  text: "SELECT (SELECT count(*) FROM record WHERE pod_id = $1) + (SELECT count(*) FROM journal WHERE pod_id = $1) + (SELECT count(*) FROM blob WHERE pod_id = $1)",
};

export type Progress = (done: number, total: number) => void;

export interface Chores {
  purge(pod: PodId): Promise<void>;
  rekey(pod: PodId, progress?: Progress): Promise<void>;
  /** Finishes what was cut short. */
  resume(): Promise<void>;
}

export function createChores(database: Database, keyring: PostgresKeys, log: Log): Chores {
  const running = new Map<PodId, Promise<void>>();
  const commit = <T>(work: (connection: Connection) => Promise<T>): Promise<T> =>
    database.hold("commit", work);
  const run = (
    statement: Statement | string,
    ...values: Parameters<Connection["run"]>[1] & {}
  ): Promise<number> => commit(async (connection) => (await connection.run(statement, values)).count);

  async function purge(pod: PodId): Promise<void> {
    for (const statement of REMOVALS) while ((await run(statement, idOf(pod))) > 0);
    await run(UNMARK, idOf(pod), "purge");
  }

  /** All in one transaction, sent without waiting. */
  async function reseal(
    updates: readonly (readonly [Statement, ...(Parameters<Connection["run"]>[1] & {})])[],
  ): Promise<void> {
    if (updates.length === 0) return;
    await commit(async (connection) => {
      await Promise.all([
        connection.run("BEGIN"),
        ...updates.map(([statement, ...values]) => connection.run(statement, values)),
        connection.run("COMMIT"),
      ]);
    });
  }

  function recordUpdate(keys: PodKeys, row: Row) {
    const [table, group, item, version, sealed] = row as readonly [number, Buffer, Buffer, number, Buffer];
    if (versionOf(sealed) === keys.version) return null;
    const [groupKey, itemKey] = [group, item].map((key) => key.toString("latin1") as LookupKey) as [
      LookupKey,
      LookupKey,
    ];
    const fresh = resealRecord(keys, table, groupKey, itemKey, sealed);
    if (!fresh) log.error("store.record.damaged", { table }); // No key opens it: nothing is lost with the old one.
    return fresh && ([RESEAL_RECORD, keys.id, table, group, item, version, fresh] as const);
  }
  function entryUpdate(keys: PodKeys, row: Row) {
    const [number, leaf, sealed] = row as readonly [number, Buffer, Buffer | null];
    if (!sealed || versionOf(sealed) === keys.version) return null;
    const fresh = resealRecord(keys, JOURNAL_PLACE, ...keysOfPlace(leaf), sealed);
    if (!fresh) log.error("store.journal.damaged", { number });
    return fresh && ([RESEAL_ENTRY, keys.id, number, fresh] as const);
  }
  function blobUpdate(keys: PodKeys, row: Row) {
    const [content, hash, front] = row as readonly [Buffer, Buffer | null, Buffer | null];
    if (!hash || !front) return null;
    const name = hash.toString("hex");
    const head = openFront(keys, name, front);
    if (!head) log.error("store.blob.damaged");
    if (!head || head.version === keys.version) return null;
    const secret = createSecretKey(head.key.export());
    return [RESEAL_BLOB, keys.id, content, sealFront(keys, name, { key: secret, size: head.size })] as const;
  }

  async function finish(pod: PodId, progress: Progress): Promise<void> {
    const ring = await keyring.ring(pod);
    const keys = ring.keys(pod);
    if (!keys) return;
    const id = idOf(pod);
    const total = Number((await database.read(COUNT, [id]))[0]?.[0] ?? 0);
    let done = 0;
    const walk = async (
      rows: Walk,
      update: (keys: PodKeys, row: Row) => Parameters<typeof reseal>[0][number] | null,
    ): Promise<void> => {
      for await (const page of pagesOf(database.read, rows, id)) {
        await reseal(page.map((row) => update(keys, row)).filter((one) => one !== null));
        done += page.length;
        progress(Math.min(done, total), total);
      }
    };
    await walk(RECORDS, recordUpdate);
    await walk(ENTRIES, entryUpdate);
    await walk(BLOBS, blobUpdate);
    await ring.retire(pod);
    await run(UNMARK, id, "rekey");
  }

  async function rekey(pod: PodId, isFresh: boolean, progress: Progress): Promise<void> {
    const ring = await keyring.ring(pod);
    if (ring.versions(pod).length > 1) await finish(pod, progress);
    if (!isFresh) return;
    await run(MARK, idOf(pod), "rekey"); // Before the second key: whoever starts next knows that there is something to finish.
    await (await keyring.ring(pod)).renew(pod);
    await finish(pod, progress);
  }

  /** One after the other. */
  function inTurn(pod: PodId, work: () => Promise<void>): Promise<void> {
    const done = (running.get(pod) ?? Promise.resolve()).catch(() => {}).then(work);
    running.set(pod, done);
    return done.finally(() => {
      if (running.get(pod) === done) running.delete(pod);
    });
  }

  const marked = async (name: string): Promise<PodId[]> =>
    (await database.read(MARKED, [name])).map((row) => (row[0] as Buffer).toString("hex") as PodId);

  return {
    purge,
    rekey: (pod, progress = () => {}) => inTurn(pod, () => rekey(pod, true, progress)),
    async resume() {
      for (const pod of await marked("purge")) await purge(pod);
      for (const pod of await marked("rekey")) {
        await inTurn(pod, () => rekey(pod, false, () => {})).catch((error: unknown) => {
          log.warn("store.rekey.unfinished", { cause: troubleOf(error) }); // At the next start, or the next rekey.
        });
      }
    },
  };
}
