/**
 * Large binaries in PostgreSQL: sealed as in files, a row for each chunk. What was written is never changed, only found by its
 * hash or not any more: so a stream that has begun can end, and rows are deleted when nobody can still be reading them.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { lastChunkOf, openChunk, openFront, sealFront } from "../sealed/blob-format.ts";
import { pour } from "../sealed/pour.ts";
import { groupKeyOf, type PodKeys } from "../sealed/seal.ts";
import type { KnownWrite } from "../sqlite/cache.ts";
import { type Blobs, type PodId, TABLES } from "../store.ts";
import type { BlobUses } from "./commits.ts";
import {
  type Connection,
  type Database,
  problemOf,
  type Row,
  type Statement,
  type Value,
} from "./database.ts";
import { BEGIN, COMMIT, LOCK, ROLLBACK } from "./statements.ts";
import { pagesOf, type Walk } from "./walk.ts";

/** Chunks per statement: about 1 MiB. */
const CHUNKS_AT_ONCE = 4;
const SWEEP_MS = 3_600_000;
const HASH = /^[0-9a-f]{64}$/;

const BEGIN_BLOB =
  "INSERT INTO blob (pod_id, content, hash, head, bytes, named, changed) VALUES ($1, $2, NULL, NULL, 0, false, $3)";
const PART: Statement = {
  name: "blob-part",
  text: "INSERT INTO blob_part (pod_id, content, part, sealed) SELECT $1::bytea, $2::bytea, t.part, substring($3::bytea FROM t.at FOR t.size) FROM unnest($4::int[], $5::int[], $6::int[]) AS t(part, at, size) WHERE EXISTS (SELECT 1 FROM blob WHERE pod_id = $1 AND content = $2) ON CONFLICT DO NOTHING",
};
const NAME =
  "UPDATE blob SET hash = $3, head = $4, bytes = $5, changed = $6 WHERE pod_id = $1 AND content = $2";
const FIND: Statement = {
  name: "blob-find",
  text: "SELECT content, head FROM blob WHERE pod_id = $1 AND hash = $2 ORDER BY changed DESC LIMIT 1",
};
const PARTS: Statement = {
  name: "blob-parts",
  text: "SELECT part, sealed FROM blob_part WHERE pod_id = $1 AND content = $2 AND part >= $3 AND part <= $4 ORDER BY part",
};
const THERE = "SELECT DISTINCT hash FROM blob WHERE pod_id = $1 AND hash = ANY($2::bytea[])";
const CLAIM = "UPDATE blob SET named = true WHERE pod_id = $1 AND content = ANY($2::bytea[])";
const USED: Statement = {
  name: "blob-used",
  text: "SELECT 1 FROM record WHERE pod_id = $1 AND table_number = $2 AND group_key = $3 LIMIT 1",
};
const HIDE_NAMED = "UPDATE blob SET hash = NULL, changed = $3 WHERE pod_id = $1 AND hash = $2 AND named";
const HIDE_ONE = "UPDATE blob SET hash = NULL, changed = $3 WHERE pod_id = $1 AND content = $2";
const OTHERS = "SELECT 1 FROM blob WHERE pod_id = $1 AND hash = $2 AND content <> $3 LIMIT 1";
const OLD: Walk = {
  statement: {
    name: "blob-old",
    text: "SELECT pod_id, content, hash FROM blob WHERE changed < $1 AND (pod_id, content) > ($2, $3) ORDER BY pod_id, content LIMIT $4",
  },
  start: [Buffer.alloc(0), Buffer.alloc(0)],
};
const REMOVE_PARTS = "DELETE FROM blob_part WHERE pod_id = $1 AND content = $2";
const REMOVE = "DELETE FROM blob WHERE pod_id = $1 AND content = $2";

/** The pod as it is now. @throws Problem `not-found`. */
export type Stand = (pod: PodId) => Promise<{ readonly keys: PodKeys; readonly keyVersion: number }>;

export interface PostgresBlobsOptions {
  readonly database: Database;
  readonly stand: Stand;
  readonly log: Log;
  readonly now: () => Date;
  readonly limits: Limits;
}

export interface PostgresBlobs extends Blobs, BlobUses {
  sweep(): Promise<void>;
  close(): Promise<void>;
}

interface Pin {
  dropped: number;
  /** Uploaded here, and named by no commit yet. */
  readonly contents: { readonly content: Buffer; readonly since: number }[];
}

export function createPostgresBlobs({
  database,
  stand,
  log,
  now,
  limits,
}: PostgresBlobsOptions): PostgresBlobs {
  const pins = new Map<string, Pin>();
  const keyOf = (pod: PodId, hash: string): string => `${pod}/${hash}`;
  const idOf = (pod: PodId): Buffer => Buffer.from(pod, "hex");
  let isOpen = true;
  let sweeping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void sweep(), SWEEP_MS).unref();

  function pinOf(pod: PodId, hash: string): Pin {
    const key = keyOf(pod, hash);
    let pin = pins.get(key);
    if (!pin) pins.set(key, (pin = { dropped: 0, contents: [] }));
    return pin;
  }
  function tidy(pod: PodId, hash: string): void {
    const pin = pins.get(keyOf(pod, hash));
    if (pin?.dropped === 0 && pin.contents.length === 0) pins.delete(keyOf(pod, hash));
  }

  /** One statement that may be sent twice. @throws Problem. */
  async function persist(statement: Statement | string, values: readonly Value[]): Promise<number> {
    try {
      return await database.hold(
        "commit",
        async (connection) => (await connection.run(statement, values)).count,
      );
    } catch (error) {
      throw problemOf(error, log);
    }
  }

  /** Under the pod's lock, with what else its commits do. @returns null when there is no such pod. */
  async function locked<T>(
    pod: PodId,
    work: (connection: Connection, row: Row) => Promise<T>,
  ): Promise<T | null> {
    try {
      return await database.hold("commit", async (connection) => {
        await connection.run(BEGIN);
        const { rows } = await connection.run(LOCK, [idOf(pod)]);
        const result = rows[0] ? await work(connection, rows[0]) : null;
        await connection.run(rows[0] ? COMMIT : ROLLBACK);
        return result;
      });
    } catch (error) {
      throw problemOf(error, log);
    }
  }

  async function write(
    pod: PodId,
    content: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<{ hash: string; bytes: number }> {
    const { keys } = await stand(pod);
    const id = randomBytes(16);
    await persist(BEGIN_BLOB, [keys.id, id, now().getTime()]);
    try {
      const fileKey = createSecretKey(randomBytes(32));
      const poured = await pour(keys, fileKey, content, bytesMax, CHUNKS_AT_ONCE, async (first, chunks) => {
        const parts = chunks.map((chunk) => Buffer.concat(chunk));
        const sizes = parts.map(({ length }) => length);
        const ats = sizes.map((_, index) => 1 + sizes.slice(0, index).reduce((sum, size) => sum + size, 0));
        const numbers = parts.map((_, index) => first + index);
        if ((await persist(PART, [keys.id, id, Buffer.concat(parts), numbers, ats, sizes])) === 0)
          throw new Problem("not-found"); // Erased meanwhile.
      });
      for (let named: boolean | null = false; !named; ) {
        // Sealed with the keys of this moment, under the lock that a new key waits for.
        const { keys: newest, keyVersion } = await stand(pod);
        const head = sealFront(newest, poured.hash, { key: fileKey, size: poured.bytes });
        named = await locked(pod, async (connection, row) => {
          if (row[2] !== keyVersion) return false;
          const hash = Buffer.from(poured.hash, "hex");
          await connection.run(NAME, [keys.id, id, hash, head, poured.bytes, now().getTime()]);
          return true;
        });
        if (named === null) throw new Problem("not-found");
      }
      pinOf(pod, poured.hash).contents.push({ content: id, since: now().getTime() });
      return poured;
    } catch (error) {
      await persist(REMOVE_PARTS, [keys.id, id]).catch(() => {}); // Or the sweeper does.
      await persist(REMOVE, [keys.id, id]).catch(() => {});
      throw error;
    }
  }

  async function* contentOf(
    pod: PodId,
    hash: string,
    range: { first: number; last: number } | undefined,
  ): AsyncGenerator<Buffer> {
    const { keys } = await stand(pod);
    const damaged = (event: string): Problem => {
      log.error(event);
      return new Problem("unavailable", "A file is damaged");
    };
    const [found] = HASH.test(hash) ? await database.read(FIND, [keys.id, Buffer.from(hash, "hex")]) : [];
    if (!found) throw damaged("store.blob.missing");
    const content = Buffer.from(found[0] as Buffer);
    const head = openFront(keys, hash, found[1] as Buffer);
    if (!head) throw damaged("store.blob.damaged");
    const { first, last } = range ?? { first: 0, last: Math.max(0, head.size - 1) };
    if (range && (first > last || last >= head.size || first < 0))
      throw new Problem("range-not-satisfiable", `${head.size} bytes`);
    const end = lastChunkOf(head);
    const lastWanted = Math.floor(last / head.chunkBytes);
    const load = (index: number): Promise<readonly Row[]> => {
      const rows = database.read(PARTS, [
        keys.id,
        content,
        index,
        Math.min(index + CHUNKS_AT_ONCE - 1, lastWanted),
      ]);
      rows.catch(() => {}); // Told when it is awaited, if it ever is.
      return rows;
    };
    let ahead = load(Math.floor(first / head.chunkBytes));
    for (let index = Math.floor(first / head.chunkBytes); index <= lastWanted; index += CHUNKS_AT_ONCE) {
      const rows = await ahead;
      if (index + CHUNKS_AT_ONCE <= lastWanted) ahead = load(index + CHUNKS_AT_ONCE); // Comes while we open these.
      for (let one = index; one <= Math.min(index + CHUNKS_AT_ONCE - 1, lastWanted); one++) {
        const row = rows[one - index];
        const chunk = row?.[0] === one ? openChunk(head.key, one, one === end, row[1] as Buffer) : null;
        if (!chunk) throw damaged("store.blob.damaged");
        const from = one * head.chunkBytes;
        const wanted = range ? chunk.subarray(Math.max(0, first - from), last - from + 1) : chunk;
        if (wanted.length > 0) yield wanted;
      }
    }
  }

  async function isUsed(connection: Connection, keys: PodKeys, hash: string): Promise<boolean> {
    const group = Buffer.from(groupKeyOf(keys, TABLES.blob, hash), "latin1");
    return (await connection.run(USED, [keys.id, TABLES.blob, group])).rows.length > 0;
  }

  /** Not found any more, if no record names it. @param content Only this one; null: all that records have named. */
  async function hide(pod: PodId, hash: string, content: Buffer | null): Promise<void> {
    if (!HASH.test(hash)) return;
    const { keys } = await stand(pod);
    const bytes = Buffer.from(hash, "hex");
    await locked(pod, async (connection) => {
      const used = await isUsed(connection, keys, hash);
      if (content === null) {
        if (!used) await connection.run(HIDE_NAMED, [keys.id, bytes, now().getTime()]);
        return;
      }
      const { rows } = await connection.run(OTHERS, [keys.id, bytes, content]);
      if (!used || rows.length > 0) await connection.run(HIDE_ONE, [keys.id, content, now().getTime()]);
    });
  }

  async function sweepAll(): Promise<void> {
    const oldest = now().getTime() - limits.orphanMsKept;
    for (const [key, { contents }] of pins) {
      if (contents.length > 0 && contents.every(({ since }) => since < oldest)) pins.delete(key);
    }
    for await (const page of pagesOf(database.read, OLD, oldest))
      for (const [id, content, hash] of page as readonly [Buffer, Buffer, Buffer | null][]) {
        if (!isOpen) return;
        if (hash) {
          await sweepOne(id.toString("hex") as PodId, hash.toString("hex"), content);
          continue;
        }
        await persist(REMOVE_PARTS, [id, content]);
        await persist(REMOVE, [id, content]);
      }
  }

  async function sweepOne(pod: PodId, hash: string, content: Buffer): Promise<void> {
    const known = await stand(pod).catch(() => null); // Of an erased pod everything goes another way.
    if (!known) return;
    await locked(pod, async (connection) => {
      if (!(await isUsed(connection, known.keys, hash)))
        await connection.run(HIDE_ONE, [known.keys.id, content, now().getTime()]);
    });
  }

  function sweep(): Promise<void> {
    sweeping = sweeping
      .then(sweepAll)
      .catch((error: unknown) => log.error("store.sweep.failed", { cause: String(error) }));
    return sweeping;
  }

  return {
    write,
    read: (pod, hash, range) => Readable.from(contentOf(pod, hash, range), { highWaterMark: CHUNKS_AT_ONCE }),
    async release(pod, hash) {
      const pin = pinOf(pod, hash);
      let content: Buffer | null = null;
      if (pin.dropped > 0) pin.dropped--;
      else content = pin.contents.pop()?.content ?? null;
      tidy(pod, hash);
      await hide(pod, hash, content).catch((error: unknown) => {
        if (!(error instanceof Problem && error.code === "not-found")) throw error; // Erased: there is nothing to do.
      });
    },
    async claim(connection, pod, writes: readonly KnownWrite[]) {
      const blobWrites = writes.filter(({ table }) => table === TABLES.blob);
      const named = [...new Set(blobWrites.filter(({ value }) => value).map(({ group }) => group))];
      const dropped = blobWrites.filter(({ value }) => !value).map(({ group }) => group);
      const gone = new Problem("unavailable", "The uploaded content is gone; send it again");
      if (!named.every((hash) => HASH.test(hash))) throw gone;
      const taken: (readonly [string, Pin["contents"][number]])[] = [];
      if (named.length > 0) {
        const { rows } = await connection.run(THERE, [
          idOf(pod),
          named.map((hash) => Buffer.from(hash, "hex")),
        ]);
        if (rows.length < named.length) throw gone;
        for (const hash of named) {
          const one = pins.get(keyOf(pod, hash))?.contents.shift();
          if (one) taken.push([hash, one]);
        }
        await connection.run(CLAIM, [idOf(pod), taken.map(([, { content }]) => content)]);
      }
      return (committed) => {
        if (committed) for (const hash of dropped) pinOf(pod, hash).dropped++;
        else for (const [hash, one] of taken) pinOf(pod, hash).contents.push(one);
        for (const hash of named) tidy(pod, hash);
      };
    },
    sweep,
    async close() {
      isOpen = false;
      clearInterval(timer);
      await sweeping;
    },
  };
}
