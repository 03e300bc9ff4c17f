/**
 * The engine for those who rent pods out: PostgreSQL, and any number of servers that hold nothing but the root key and a cache.
 *
 * Reads are linearizable across servers: each begins with the pod's generation, asked for after the request has come (all that
 * one turn of the event loop asks for goes in one statement). What is cached of that generation is right, whoever committed it.
 * So a commit acknowledged by one server is seen by the next request to any other, without a message between them.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { createPostgresBlobs } from "./postgres/blobs.ts";
import { type Commits, createCommits } from "./postgres/commits.ts";
import { createPostgresCopies } from "./postgres/copy.ts";
import { type Connection, type Database, openDatabase, problemOf, troubleOf } from "./postgres/database.ts";
import { type PodState, podStateOf } from "./postgres/decide.ts";
import { createPostgresJournal } from "./postgres/journal.ts";
import { openPostgresKeys, type PostgresKeys, type Reads } from "./postgres/keys.ts";
import { createNotices, type Notices } from "./postgres/notices.ts";
import { createChores } from "./postgres/purge.ts";
import { migratePostgres } from "./postgres/schema.ts";
import { type PostgresGround, PostgresSnapshot, type Standing } from "./postgres/snapshot.ts";
import { PODS } from "./postgres/statements.ts";
import { PostgresTransaction } from "./postgres/transaction.ts";
import { StoreRefused } from "./refused.ts";
import type { PodKeys } from "./sealed/seal.ts";
import { createCache } from "./sqlite/cache.ts";
import { type PodId, SERVER_POD, type Store } from "./store.ts";
import { createTurns, LOST } from "./turns.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`. Never logged. */
  readonly url: string;
  /** The same bytes on every server of this database. Made where database and file are new. */
  readonly rootKeyFile: string;
  readonly limits: Limits;
  readonly log: Log;
  readonly now: () => Date;
  /** A keyring to begin with, where the database has none. */
  readonly keyring?: Uint8Array;
}

export interface PostgresStore extends Store {
  /** Called for each pod that changed, here or in another server; null after a gap: any may have. @returns what ends it. */
  readonly onChange: Notices["listen"];
}

const AGAIN_MS = 500;
const LOADING = {
  name: "loading",
  text: "SELECT 1 FROM setting WHERE pod_id = $1 AND name = 'loading'",
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for a database that is not up yet: machines start together. @throws StoreRefused when it says no, or never answers. */
async function whenUp<T>(work: () => Promise<T>, log: Log, msMax: number): Promise<T> {
  const until = Date.now() + msMax;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreRefused || error instanceof Problem) throw error;
      const trouble = troubleOf(error);
      if (trouble === "other" && (error as { severity?: unknown }).severity === undefined) throw error;
      const isWaiting = trouble === "lost" || trouble === "again" || trouble === "busy";
      if (!isWaiting || Date.now() > until) {
        throw new StoreRefused(
          `The database cannot be used: ${(error as Error).message}. See FREEHOLD_STORE, and whether the database runs.`,
          { cause: error },
        );
      }
      log.warn("store.database.waiting", { cause: (error as { code?: string }).code ?? trouble });
      await sleep(AGAIN_MS);
    }
  }
}

/** All that one turn of the event loop asks for, in one statement. Null: there is no such pod. */
function createBegins(database: Database) {
  let next: { readonly pods: Set<PodId>; readonly states: Promise<ReadonlyMap<PodId, PodState>> } | null =
    null;

  async function ask(pods: ReadonlySet<PodId>): Promise<ReadonlyMap<PodId, PodState>> {
    await new Promise((resolve) => setImmediate(resolve));
    next = null; // Who comes from now on asks anew: the answer must be later than the question.
    const ids = [...pods].map((pod) => Buffer.from(pod, "hex"));
    const rows = await database.read(PODS, [ids]);
    return new Map(rows.map((row) => [(row[7] as Buffer).toString("hex") as PodId, podStateOf(row)]));
  }
  return async (pod: PodId): Promise<PodState | null> => {
    if (!next) {
      const pods = new Set<PodId>();
      next = { pods, states: ask(pods) };
    }
    next.pods.add(pod);
    return (await next.states).get(pod) ?? null;
  };
}

/**
 * Opens the store in a database, or makes it there.
 * @throws StoreRefused with what to do: no database, newer schema, missing or wrong root key.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { url, rootKeyFile, limits, log, now } = options;
  const database = await openDatabase({ url, log, limits });
  try {
    const keyring = await whenUp(
      () =>
        migratePostgres(database, now, (connection) =>
          openPostgresKeys(connection, { database, rootKeyFile, given: options.keyring }),
        ),
      log,
      limits.databaseStartMsMax,
    );
    return createStore(database, keyring, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

type Kind<S extends PostgresSnapshot> = new (ground: PostgresGround, standing: Standing) => S;

function createStore(
  database: Database,
  keyring: PostgresKeys,
  { limits, log, now }: PostgresStoreOptions,
): PostgresStore {
  const cache = createCache(limits.recordCacheBytesMax);
  const turns = createTurns(limits.transactionTriesMax);
  const ask = createBegins(database);
  /** The `key_version` that the cache is of. Another one means other keys, or another life of the pod. */
  const lives = new Map<PodId, number>();
  let isOpen = true;

  const notices = createNotices(database, log, (pod, generation) => {
    const at = cache.at(pod);
    if (at !== null && at < generation && !commits.settled(pod)) cache.drop(pod);
  });
  const commits: Commits = createCommits({
    database,
    cache,
    blobs: () => blobs,
    announce: (pod, generation) => notices.changed(pod, generation),
    log,
    limits,
  });
  const ground: PostgresGround = { cache, read: database.read, settled: commits.settled, log, limits };

  function forget(pod: PodId): void {
    cache.drop(pod);
    commits.forget(pod);
    keyring.forget(pod);
    lives.delete(pod);
  }

  function beOpen(): void {
    if (!isOpen) throw new Problem("unavailable", "The store is closed");
  }

  /** The pod as it is now, with its keys. @throws Problem `not-found` for a pod that was erased or never was. */
  async function stand(
    pod: PodId,
    on?: Reads,
  ): Promise<{ readonly state: PodState; readonly keys: PodKeys; readonly keyVersion: number }> {
    for (;;) {
      beOpen();
      const [row] = on ? await on(PODS, [[Buffer.from(pod, "hex")]]) : [];
      const state = on ? (row ? podStateOf(row) : null) : await ask(pod);
      if (!state) {
        forget(pod);
        if ((await database.read(LOADING, [Buffer.from(pod, "hex")])).length > 0)
          throw new Problem("unavailable", "The pod is being restored", { headers: { "retry-after": "30" } });
        throw new Problem("not-found");
      }
      const { keyVersion } = state;
      const keys = await keyring.of(pod, keyVersion, on);
      const life = lives.get(pod) ?? 0;
      if (on || life === keyVersion) return { state, keys, keyVersion };
      if (life > keyVersion) continue; // Somebody has seen a later one meanwhile.
      cache.drop(pod);
      commits.forget(pod);
      lives.set(pod, keyVersion);
      return { state, keys, keyVersion };
    }
  }

  /** A snapshot that reads statement by statement: at what the cache knows, if that is no older than what was asked for. */
  async function begin<S extends PostgresSnapshot>(kind: Kind<S>, pod: PodId): Promise<S> {
    for (;;) {
      const { state, keys, keyVersion } = await stand(pod);
      const flight = commits.settled(pod);
      if (flight && (cache.at(pod) ?? -1) < state.generation) await flight; // Our own commit: its answer says what it changed.
      if (lives.get(pod) !== keyVersion) continue;
      commits.saw(pod, state);
      const at = cache.at(pod);
      if (at === null || at < state.generation) cache.standsAt(pod, state.generation, false);
      const generation = Math.max(at ?? 0, state.generation);
      return new kind(ground, { pod, keys, keyVersion, generation, held: null });
    }
  }

  /** On one database transaction, from the start. Null: its connection was lost. */
  async function runHeld<S extends PostgresSnapshot, T>(
    kind: Kind<S>,
    pod: PodId,
    work: (snapshot: S) => Promise<T>,
  ): Promise<{ readonly snapshot: S; readonly result: T } | null> {
    let isLost = false;
    const reads =
      (connection: Connection): Reads =>
      (statement, values) =>
        connection.run(statement, values).then(
          ({ rows }) => rows,
          (error: unknown) => {
            isLost ||= ["lost", "again"].includes(troubleOf(error));
            throw problemOf(error, log);
          },
        );
    try {
      return await database.hold("snapshot", async (connection) => {
        const held = reads(connection);
        await connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        const { state, keys, keyVersion } = await stand(pod, held);
        const snapshot = new kind(ground, { pod, keys, keyVersion, generation: state.generation, held });
        try {
          const result = await work(snapshot);
          if (isLost) return null;
          await connection.run("COMMIT");
          return { snapshot, result };
        } finally {
          snapshot.end();
        }
      });
    } catch (error) {
      if (isLost) return null;
      throw problemOf(error, log);
    }
  }

  /** Runs `work` on one snapshot; if it turned out to be two, once more on one that is held. */
  async function runOn<S extends PostgresSnapshot, T>(
    kind: Kind<S>,
    pod: PodId,
    work: (snapshot: S) => Promise<T>,
  ): Promise<{ readonly snapshot: S; readonly result: T }> {
    const snapshot = await begin(kind, pod);
    try {
      const result = await work(snapshot);
      if (!snapshot.moved) return { snapshot, result };
    } catch (error) {
      if (!snapshot.moved) throw error;
    } finally {
      snapshot.end();
    }
    const until = Date.now() + limits.databaseWaitMsMax;
    for (;;) {
      const held = await runHeld(kind, pod, work);
      if (held) return held;
      if (Date.now() > until)
        throw new Problem("unavailable", undefined, { headers: { "retry-after": "5" } });
      await sleep(AGAIN_MS);
    }
  }

  /** What may be done twice. */
  async function persist<T>(work: () => Promise<T>): Promise<T> {
    const until = Date.now() + limits.databaseWaitMsMax;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const mayTry = !(error instanceof Problem) && ["lost", "again"].includes(troubleOf(error));
        if (!mayTry || Date.now() > until) throw problemOf(error, log);
        await sleep(AGAIN_MS);
      }
    }
  }

  const blobs = createPostgresBlobs({ database, stand, log, now, limits });
  const chores = createChores(database, keyring, log);
  const background = chores
    .resume()
    .then(() => blobs.sweep())
    .catch((error: unknown) => log.error("store.sweep.failed", { cause: String(error) }));

  return {
    async read(pod, work) {
      return (await runOn(PostgresSnapshot, pod, work)).result;
    },
    write: (pod, work) =>
      turns.run(pod, async () => {
        const { snapshot: transaction, result } = await runOn(PostgresTransaction, pod, work);
        if (transaction.isEmpty) return { result, generation: transaction.generation };
        const generation = await commits.commit(transaction.propose());
        return generation === LOST ? LOST : { result, generation, writes: [...transaction.writes] };
      }),
    usage: async (pod) => (await stand(pod)).state.usage,
    journal: createPostgresJournal({ database, stand, log }),
    async createPod() {
      beOpen();
      const pod = randomBytes(16).toString("hex") as PodId;
      await keyring.add(pod).catch((error: unknown) => Promise.reject(problemOf(error, log)));
      return pod;
    },
    async erasePod(pod) {
      assert(pod !== SERVER_POD, "the server's own pod is never erased");
      beOpen();
      await persist(() => keyring.erase(pod)); // From here on nobody can open what is left.
      forget(pod);
      await persist(() => chores.purge(pod));
    },
    async rekey(pod, progress) {
      await stand(pod);
      await persist(() => chores.rekey(pod, progress));
    },
    ...createPostgresCopies({ database, keyring, clear: (pod) => chores.purge(pod), forget, now }),
    keyring: () => keyring.bytes(),
    async rotateRootKey() {
      throw new StoreRefused(
        "The root key of a database with several servers is not replaced by one of them. Stop all, move the pods to a new database with a new root key.",
      );
    },
    blobs,
    onChange: notices.listen,
    async check() {
      beOpen();
      await stand(SERVER_POD);
      try {
        const { rows } = await database.hold("commit", (connection) =>
          connection.run("SHOW transaction_read_only"),
        );
        if (String(rows[0]?.[0]) === "on") throw new Problem("unavailable", "The database takes no writes");
      } catch (error) {
        throw problemOf(error, log);
      }
    },
    async close() {
      isOpen = false;
      await background;
      await blobs.close();
      await notices.close();
      await database.close();
    },
  };
}
