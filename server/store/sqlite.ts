/**
 * The embedded engine: SQLite through `node:sqlite`, one writer thread, reads on the main thread.
 *
 * A folder holds `freehold.db` (sealed records), `keyring` (wrapped keys; its own backups), `blobs/` (sealed files) and
 * `lock.db`. While a store is open, nothing in its process may open these files another way: closing any handle of a
 * file drops the process's POSIX locks on it. https://www.sqlite.org/howtocorrupt.html
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { clearDraftsOf, makeFolder, syncFolder } from "./durable.ts";
import { lockFolder } from "./lock.ts";
import { keyringFile, openKeyring } from "./sealed/keyring.ts";
import { groupKeyOf, type PodKeys } from "./sealed/seal.ts";
import { createAbsences } from "./sqlite/absences.ts";
import { ANSWERS } from "./sqlite/batch.ts";
import { createBlobs } from "./sqlite/blobs.ts";
import { createCache } from "./sqlite/cache.ts";
import { createCopies } from "./sqlite/copy.ts";
import { createGate } from "./sqlite/gate.ts";
import { createJournal } from "./sqlite/journal.ts";
import { createProofs } from "./sqlite/proof.ts";
import { createReaders, type PodRow } from "./sqlite/readers.ts";
import { createRekeys } from "./sqlite/rekey.ts";
import { loadingIn } from "./sqlite/scan.ts";
import { prepareDatabase } from "./sqlite/schema.ts";
import { type Ground, look, SqliteSnapshot } from "./sqlite/snapshot.ts";
import { SqliteTransaction } from "./sqlite/transaction.ts";
import { refuseDamagedLog } from "./sqlite/wal-check.ts";
import { problemOf, startWriter } from "./sqlite/writer-thread.ts";
import { type PodId, SERVER_POD, type Store, TABLES } from "./store.ts";
import { createTurns, LOST } from "./turns.ts";

export interface SqliteStoreOptions {
  /** Made when it is not there. */
  readonly folder: string;
  /** Made with a new root key when store and file are not there yet. */
  readonly rootKeyFile: string;
  readonly limits: Limits;
  readonly log: Log;
  readonly now: () => Date;
  /** Bytes of a keyring to begin with, where there is none yet: for a restore into a new folder. */
  readonly keyring?: Uint8Array;
}

/** Longer than a server takes to answer its first request. */
const START_MS = 500;
/** Pods with more records than this are proved at the start, before anybody has to wait for it. */
const PROVED_AHEAD = 50_000;

/** What the operator's disk says, as the client should know it. */
function problemOfFile(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code } = error as NodeJS.ErrnoException;
  return new Problem(code === "ENOSPC" || code === "EDQUOT" ? "storage-full" : "unavailable", undefined, {
    cause: error,
  });
}

/**
 * Opens the store in `folder`, or makes it.
 * @throws StoreRefused with what to do: already running, newer schema, SQLite too old, missing or wrong keys.
 */
export async function openSqliteStore({
  folder,
  rootKeyFile,
  limits,
  log,
  now,
  keyring: givenKeyring,
}: SqliteStoreOptions): Promise<Store> {
  await makeFolder(folder);
  const unlock = lockFolder(folder);
  const closers: (() => unknown)[] = [unlock];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const file = join(folder, "freehold.db");
    await clearDraftsOf(join(folder, "keyring"));
    const keyring = await openKeyring({
      place: keyringFile(join(folder, "keyring")),
      rootKeyFile,
      hasData: existsSync(file),
      given: givenKeyring,
    });
    const reserveFile = join(folder, "reserve");
    refuseDamagedLog(file); // Before SQLite sees it, and cuts it off where it is damaged.
    prepareDatabase(file, keyring.storeId, now, () => rmSync(reserveFile, { force: true }));
    await syncFolder(folder);
    const writer = await startWriter({ file, reserveFile, reserveBytes: limits.diskReserveBytes }, log);
    closers.push(() => writer.close());
    const readers = createReaders(file, limits.readersMax, log);
    closers.push(() => readers.close());
    const cache = createCache(limits.recordCacheBytesMax);
    const absences = createAbsences();
    const ground: Ground = { cache, readers, absences, log, limits };
    const proofs = createProofs({ file, absences, log, reindex: () => writer.reindex() });
    const turns = createTurns(limits.transactionTriesMax);
    const unanswered = new Map<PodId, number>();
    let isOpen = true;
    const loading = new Set(loadingIn(file));
    const started = Promise.withResolvers<void>(); // Whatever else begins with the store has begun, or it is closed already.
    const startTimer = setTimeout(started.resolve, START_MS).unref();
    closers.push(() => clearTimeout(startTimer));

    function beOpen(): void {
      if (!isOpen) throw new Problem("unavailable", "The store is closed");
    }

    /** @throws Problem `not-found` for a pod that was erased or never was, `unavailable` for one that is being loaded. */
    function keysOf(pod: PodId): PodKeys {
      beOpen();
      const keys = keyring.keys(pod);
      if (!keys) throw new Problem("not-found");
      if (loading.has(pod)) throw new Problem("unavailable", "The pod is being restored");
      return keys;
    }

    /** What is not about records, as it is at this moment. */
    function rowOf(pod: PodId): PodRow {
      const { id } = keysOf(pod);
      const row = look(log, () => readers.pod(id));
      if (!row) throw new Problem("not-found");
      return row;
    }

    /** A snapshot on the cache where it is up to date, else on a read connection from the start. */
    function begin<S extends SqliteSnapshot>(
      kind: new (...args: ConstructorParameters<typeof SqliteSnapshot>) => S,
      pod: PodId,
      pinned: boolean,
    ): S {
      const keys = keysOf(pod);
      // The folder is locked, so all commits are ours: the cache, brought forward by each answer, is a state that was.
      const acknowledged = pinned ? null : cache.at(pod);
      if (acknowledged !== null) return new kind(ground, pod, keys, acknowledged, null);
      const generation = look(log, () => readers.generation(keys.id));
      if (generation === null) throw new Problem("not-found");
      if (!pinned && cache.standsAt(pod, generation, unanswered.has(pod)))
        return new kind(ground, pod, keys, generation, null);
      const reader = look(log, () => readers.acquire(keys.id));
      const held = reader.generation(keys.id);
      if (held === null) {
        readers.release(reader);
        throw new Problem("not-found");
      }
      return new kind(ground, pod, keys, held, reader);
    }

    /** To be awaited before anything is read: what is not there is not believed before. @throws Problem `unavailable`. */
    async function beSure(pod: PodId): Promise<void> {
      keysOf(pod);
      if (proofs.has(pod)) return;
      await proofs.prove(pod).catch((error: unknown) => {
        keysOf(pod); // Erased meanwhile: then it is not damaged.
        throw error;
      });
    }

    /** Ahead of the first who asks: of a million records, that takes about a second. */
    async function proveLargest(): Promise<void> {
      const pods = readers.largest(PROVED_AHEAD);
      if (pods.length > 0) await started.promise;
      for (const pod of pods) {
        if (isOpen) await beSure(pod).catch(() => {}); // Told to who asks for the pod.
      }
    }

    /** Runs `work` on one snapshot; if it turned out to be two, once more on one that is held. */
    async function runOn<S extends SqliteSnapshot, T>(
      kind: new (...args: ConstructorParameters<typeof SqliteSnapshot>) => S,
      pod: PodId,
      work: (snapshot: S) => Promise<T>,
    ): Promise<{ readonly snapshot: S; readonly result: T }> {
      if (!proofs.has(pod)) await beSure(pod);
      for (let pinned = false; ; pinned = true) {
        const snapshot = begin(kind, pod, pinned);
        try {
          const result = await work(snapshot);
          if (!snapshot.moved) return { snapshot, result };
        } catch (error) {
          if (!snapshot.moved) throw error;
        } finally {
          snapshot.end();
        }
        assert(!pinned, "a held snapshot cannot move");
      }
    }

    function expect(pod: PodId, by: 1 | -1): void {
      const count = (unanswered.get(pod) ?? 0) + by;
      if (count > 0) unanswered.set(pod, count);
      else unanswered.delete(pod);
    }

    /** A writer that stopped leaves commits on disk perhaps that nobody announces any more. */
    function lookAgain(pod: PodId, keys: PodKeys): void {
      try {
        if (readers.generation(keys.id) !== cache.at(pod)) cache.drop(pod);
      } catch (error) {
        log.error("store.read.failed", { cause: String(error) }); // The disk may be gone: what is cached is still right.
      }
    }

    function commit(transaction: SqliteTransaction): Promise<number | typeof LOST> {
      const { pod } = transaction;
      const keys = keysOf(pod);
      const sealed = transaction.seal();
      const finish = blobs.beforeCommit(pod, transaction.writes);
      // Before the writer hears of it: from then on it may be there.
      for (const { table, groupKey, itemKey, value } of transaction.writes)
        if (value) absences.note(pod, table, groupKey, itemKey);
      expect(pod, 1);
      cache.pend(pod, transaction.writes, 1);
      return new Promise((resolve, reject) => {
        // The cache is brought forward in the writer's order, before anybody hears of the commit.
        writer.commit(keys, sealed, (answer) => {
          expect(pod, -1);
          cache.pend(pod, transaction.writes, -1);
          if (answer === ANSWERS.unknown) lookAgain(pod, keys);
          if (answer >= 0) cache.commit(pod, answer, transaction.writes);
          finish(answer >= 0);
          if (answer >= 0) resolve(answer);
          else if (answer === ANSWERS.lost) resolve(LOST);
          else reject(problemOf(answer));
        });
      });
    }

    const blobs = createBlobs({
      folder: join(folder, "blobs"),
      keysOf,
      log,
      now,
      limits,
      // In one go, so that nothing can be committed between this look and what the caller does about it.
      isUsed(pod, hash) {
        if (!proofs.has(pod)) return true; // Who is not sure removes nothing.
        const keys = keysOf(pod);
        const reader = readers.acquire(keys.id);
        try {
          return reader.page(keys.id, TABLES.blob, groupKeyOf(keys, TABLES.blob, hash), null, 1).length > 0;
        } finally {
          readers.release(reader);
        }
      },
      beSure,
      isErased: (pod) => keyring.isErased(pod),
    });
    closers.push(() => blobs.close());

    /** For what must not fail because the disk is full: then it may use the reserve. */
    async function withRoom<T>(work: () => Promise<T>): Promise<T> {
      try {
        return await work();
      } catch (error) {
        if (problemOfFile(error).code !== "storage-full") throw problemOfFile(error);
      }
      await writer.makeRoom();
      return work().catch((error: unknown) => Promise.reject(problemOfFile(error)));
    }

    const gate = createGate();
    const rekeys = createRekeys({
      file,
      keyring,
      writer,
      readers,
      blobs,
      gate,
      log,
      isOpen: () => isOpen,
      keysOf,
      beSure,
      withRoom,
    });
    const copies = createCopies({
      file,
      keyring,
      writer,
      readers,
      cache,
      blobs,
      gate,
      log,
      loading,
      beOpen,
      beSure,
      proofs,
      absences,
    });

    async function purge(pod: PodId): Promise<void> {
      const id = Buffer.from(pod, "hex");
      cache.drop(pod);
      absences.drop(pod);
      while ((await writer.purge(id)) > 0);
      await blobs.erase(pod);
    }

    /** Erasures that a crash cut short: their keys are gone, so their bytes may go as well. */
    async function purgeErased(): Promise<void> {
      for (const pod of keyring.erased()) {
        // Of thousands that were erased in all the years, there is nothing left to do.
        if (isOpen && look(log, () => readers.holds(Buffer.from(pod, "hex")))) await purge(pod);
      }
    }

    await blobs.clearDrafts();
    if (!keyring.keys(SERVER_POD)) throw new Error("the keyring has no key for the server's own records");
    const background = purgeErased()
      .then(() => rekeys.resume())
      .then(() => proveLargest())
      .then(() => blobs.sweep())
      .catch((error: unknown) => log.error("store.sweep.failed", { cause: String(error) }));

    return {
      async read(pod, work) {
        return (await runOn(SqliteSnapshot, pod, work)).result;
      },
      write: (pod, work) =>
        turns.run(pod, async () => {
          const { snapshot: transaction, result } = await runOn(SqliteTransaction, pod, work);
          if (transaction.isEmpty) return { result, generation: transaction.generation };
          if (transaction.isLarge) await transaction.sealAhead();
          const generation = await commit(transaction);
          return generation === LOST ? LOST : { result, generation, writes: [...transaction.writes] };
        }),
      async usage(pod) {
        await beSure(pod);
        return rowOf(pod).usage;
      },
      journal: createJournal({ keysOf, rowOf, readers, writer, log }),
      async createPod() {
        const id = randomBytes(16);
        const pod = id.toString("hex") as PodId;
        await keyring.add(pod).catch((error: unknown) => Promise.reject(problemOfFile(error))); // Before there is anything to seal.
        await writer.create(id);
        proofs.isNew(pod);
        return pod;
      },
      async erasePod(pod) {
        assert(pod !== SERVER_POD, "the server's own pod is never erased");
        await withRoom(() => keyring.erase(pod)); // From here on nobody can open what is left.
        await purge(pod);
      },
      rekey: (pod, progress) => rekeys.rekey(pod, progress),
      ...copies,
      keyring: () => keyring.bytes(),
      async rotateRootKey() {
        beOpen();
        await keyring.rotateRoot();
      },
      async prove(pod) {
        keysOf(pod);
        proofs.forget(pod);
        await beSure(pod);
      },
      blobs,
      async check() {
        keysOf(SERVER_POD);
        assert(
          readers.generation(Buffer.from(SERVER_POD, "hex")) !== null,
          "the server's own pod is always there",
        );
        await writer.ping();
      },
      async close() {
        isOpen = false;
        started.resolve();
        await background;
        await rekeys.settled();
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
