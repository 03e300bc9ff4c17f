/** A copy of one moment of a PostgreSQL store, and the way back. */
import { randomBytes } from "node:crypto";
import { Problem } from "../../errors.ts";
import { loadCopy } from "../load.ts";
import { CHUNK_BYTES, FRONT_BYTES } from "../sealed/blob-format.ts";
import { JOURNAL_PLACE } from "../sealed/entries.ts";
import { idOf } from "../sealed/keyring-format.ts";
import { versionOf } from "../sealed/seal.ts";
import type { BulkRow, PodState as LoadedState } from "../sqlite/bulk.ts";
import type { Copy, PodId, Store, StoredBlob, StoredRow } from "../store.ts";
import type { Connection, Database, Row } from "./database.ts";
import type { PostgresKeys } from "./keys.ts";
import { ENTRIES, pagesOf, RECORDS, type Walk } from "./walk.ts";

const HEAD_1_BYTES = 72;
const TAG = 16;

const PODS =
  "SELECT pod_id, generation, bytes, resources, journal_number, journal_hash FROM pod ORDER BY pod_id";
const BLOBS: Walk = {
  statement: {
    name: "copy-blobs",
    text: "SELECT hash, content, head FROM blob WHERE pod_id = $1 AND hash IS NOT NULL AND named AND hash > $2 ORDER BY hash, changed DESC LIMIT $3",
  },
  start: [Buffer.alloc(0)],
};
const SIZE = {
  name: "copy-size",
  text: "SELECT coalesce(sum(octet_length(sealed)), 0)::bigint FROM blob_part WHERE pod_id = $1 AND content = $2",
};
const PART = {
  name: "copy-part",
  text: "SELECT sealed FROM blob_part WHERE pod_id = $1 AND content = $2 AND part = $3",
};
const PUT_RECORD = {
  name: "load-record",
  text: "INSERT INTO record (pod_id, table_number, group_key, item_key, version, sealed) VALUES ($1, $2, $3, $4, $5, $6)",
};
const PUT_ENTRY = {
  name: "load-entry",
  text: "INSERT INTO journal (pod_id, number, leaf, sealed) VALUES ($1, $2, $3, $4)",
};
const PUT_POD =
  "INSERT INTO pod (pod_id, generation, turn, key_version, bytes, resources, journal_number, journal_hash, ticket) VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8)";

export interface PostgresCopyGround {
  readonly database: Database;
  readonly keyring: PostgresKeys;
  /** Removes all rows and files of a pod, but its keys. */
  readonly clear: (pod: PodId) => Promise<void>;
  readonly forget: (pod: PodId) => void;
  readonly now: () => Date;
}

export function createPostgresCopies(ground: PostgresCopyGround): Pick<Store, "copy" | "load"> {
  const { database, keyring, clear, forget, now } = ground;

  const on =
    (connection: Connection) =>
    async (...asked: Parameters<Connection["run"]>): Promise<readonly Row[]> =>
      (await connection.run(...asked)).rows;

  async function* rowsOf(connection: Connection, pods: readonly Row[]): AsyncGenerator<StoredRow> {
    for (const row of pods) {
      const [id, generation, bytes, resources, number, hash] = row as readonly [
        Buffer,
        number,
        number,
        number,
        number,
        Buffer,
      ];
      const pod = id.toString("hex") as PodId;
      yield { kind: "pod", pod, generation, usage: { bytes, resources }, head: { number, hash } };
      for await (const page of pagesOf(on(connection), RECORDS, id))
        for (const row of page) {
          const [table, groupKey, itemKey, version, sealed] = row as readonly [
            number,
            Buffer,
            Buffer,
            number,
            Buffer,
          ];
          yield { kind: "record", pod, table, groupKey, itemKey, version, sealed };
        }
      for await (const page of pagesOf(on(connection), ENTRIES, id))
        for (const [number, leaf, sealed] of page as readonly [number, Buffer, Buffer | null][])
          yield { kind: "journal", pod, number, leaf, sealed };
    }
  }

  async function* contentOf(
    connection: Connection,
    pod: PodId,
    content: Buffer,
    front: Buffer,
  ): AsyncGenerator<Buffer> {
    yield front;
    for (let part = 0; ; part++) {
      const { rows } = await connection.run(PART, [idOf(pod), content, part]);
      if (!rows[0]) return;
      yield rows[0][0] as Buffer;
    }
  }

  async function* blobsOf(connection: Connection, pods: readonly PodId[]): AsyncGenerator<StoredBlob> {
    for (const pod of pods) {
      let last: Buffer = Buffer.alloc(0);
      for await (const page of pagesOf(on(connection), BLOBS, idOf(pod)))
        for (const [hash, content, front] of page as readonly [Buffer, Buffer, Buffer][]) {
          if (hash.equals(last)) continue; // Uploaded twice: the newest came first.
          last = hash;
          const { rows: sizes } = await connection.run(SIZE, [idOf(pod), content]);
          yield {
            pod,
            hash: hash.toString("hex"),
            bytes: front.length + Number(sizes[0]?.[0] ?? 0),
            content: () => contentOf(connection, pod, content, front),
          };
        }
    }
  }

  /** One transaction of many rows, sent without waiting. */
  async function insert(pod: PodId, rows: readonly BulkRow[]): Promise<void> {
    await database.hold("commit", async (connection) => {
      await Promise.all([
        connection.run("BEGIN"),
        ...rows.map(({ table, place, version, sealed }) =>
          table === JOURNAL_PLACE
            ? connection.run(PUT_ENTRY, [idOf(pod), version, Buffer.from(place), sealed])
            : connection.run(PUT_RECORD, [
                idOf(pod),
                table,
                Buffer.from(place.subarray(0, 16)),
                Buffer.from(place.subarray(16)),
                version,
                sealed,
              ]),
        ),
        connection.run("COMMIT"),
      ]);
    });
  }

  async function insertBlob(pod: PodId, hash: string, stream: AsyncIterable<Uint8Array>): Promise<number> {
    const id = randomBytes(16);
    const run = (text: string, ...values: NonNullable<Parameters<Connection["run"]>[1]>): Promise<unknown> =>
      database.hold("commit", (connection) => connection.run(text, values));
    let held = Buffer.alloc(0);
    let bytes = 0;
    let front: Buffer | null = null;
    let part = 0;
    let chunkBytes = CHUNK_BYTES + TAG;
    await run(
      "INSERT INTO blob (pod_id, content, hash, head, bytes, named, changed) VALUES ($1, $2, NULL, NULL, 0, true, $3)",
      idOf(pod),
      id,
      now().getTime(),
    );
    async function drain(isEnd: boolean): Promise<void> {
      if (!front) {
        const size = held[0] === 1 ? HEAD_1_BYTES : FRONT_BYTES;
        if (held.length < size && !isEnd) return;
        front = Buffer.from(held.subarray(0, size));
        chunkBytes = 2 ** (front[front[0] === 0 ? FRONT_BYTES / 2 + 1 : 1] ?? 18) + TAG;
        held = held.subarray(size);
      }
      // oxlint-disable-next-line no-unmodified-loop-condition -- what is held gets less
      while (held.length >= chunkBytes || (isEnd && held.length > 0)) {
        await run(
          "INSERT INTO blob_part (pod_id, content, part, sealed) VALUES ($1, $2, $3, $4)",
          idOf(pod),
          id,
          part++,
          Buffer.from(held.subarray(0, chunkBytes)),
        );
        held = held.subarray(chunkBytes);
      }
    }
    for await (const arrived of stream) {
      bytes += arrived.length;
      held = Buffer.concat([held, arrived]);
      await drain(false);
    }
    await drain(true);
    await run(
      "UPDATE blob SET hash = $3, head = $4, bytes = $5, changed = $6 WHERE pod_id = $1 AND content = $2",
      idOf(pod),
      id,
      Buffer.from(hash, "hex"),
      front ?? Buffer.alloc(0),
      bytes,
      now().getTime(),
    );
    return bytes;
  }

  async function finish(pod: PodId, { generation, usage, head }: LoadedState): Promise<void> {
    await database.hold("commit", async (connection) => {
      await connection.run("BEGIN");
      // A version that no server has seen of this pod: what they have cached of it is of another time.
      await connection.run(PUT_POD, [
        idOf(pod),
        generation,
        now().getTime(),
        usage.bytes,
        usage.resources,
        head.number,
        Buffer.from(head.hash),
        Buffer.alloc(16),
      ]);
      await connection.run("DELETE FROM setting WHERE pod_id = $1 AND name = 'loading'", [idOf(pod)]);
      await connection.run("COMMIT");
    });
    forget(pod);
  }

  return {
    copy: <T>(wanted: readonly PodId[] | null, work: (copy: Copy) => Promise<T>): Promise<T> =>
      database.hold("snapshot", async (connection) => {
        await connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        await connection.run("SET LOCAL idle_in_transaction_session_timeout = 0");
        const { rows } = await connection.run(PODS);
        const podOf = (row: Row): PodId => (row[0] as Buffer).toString("hex") as PodId;
        const chosen = wanted ? rows.filter((row) => wanted.includes(podOf(row))) : rows;
        if (wanted && chosen.length < new Set(wanted).size) throw new Problem("not-found");
        const pods = chosen.map(podOf);
        const result = await work({
          storeId: keyring.storeId,
          pods,
          rows: () => rowsOf(connection, chosen),
          blobs: () => blobsOf(connection, pods),
        });
        await connection.run("COMMIT");
        return result;
      }),
    async load(copy, progress) {
      const versions = await keyring.versions(copy.pods);
      return loadCopy(
        copy,
        {
          storeId: keyring.storeId,
          opens(pod, sealed) {
            const known = versions.get(pod) ?? [];
            return known.length > 0 && (sealed === null || known.includes(versionOf(sealed)));
          },
          async begin(pod) {
            await database.hold("commit", async (connection) => {
              await connection.run("BEGIN");
              await connection.run(
                "INSERT INTO setting (pod_id, name, value) VALUES ($1, 'loading', '') ON CONFLICT DO NOTHING",
                [idOf(pod)],
              );
              await connection.run("DELETE FROM pod WHERE pod_id = $1", [idOf(pod)]);
              await connection.run("COMMIT");
            });
            forget(pod);
            await clear(pod);
          },
          rows: insert,
          blob: insertBlob,
          finish,
        },
        progress,
      );
    },
  };
}
