/** The engines, ready for tests: in memory, or in a folder that is gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS, type Limits } from "../../server/limits.ts";
import { createLog, type Log } from "../../server/log.ts";
import { createMemoryStore } from "../../server/store/memory.ts";
import { openPostgresStore, type PostgresStore } from "../../server/store/postgres.ts";
import { openSqliteStore } from "../../server/store/sqlite.ts";
import type { Store } from "../../server/store/store.ts";
import { postgresMissing, testPostgres } from "./postgres.ts";

export interface TestStore {
  readonly store: Store;
  /** Null in memory. */
  readonly folder: string | null;
  /** Events logged so far, by name. */
  readonly events: readonly string[];
  /** Closes the store and removes its folder. */
  dispose(): Promise<void>;
}

export interface TestStoreOptions {
  readonly limits?: Partial<Record<keyof Limits, number>>;
  readonly now?: () => Date;
}

export type Engine = "memory" | "sqlite" | "postgres";
/** Those that can run here; PostgreSQL's own tests say why it cannot. */
export const ENGINES: readonly Engine[] = postgresMissing
  ? ["memory", "sqlite"]
  : ["memory", "sqlite", "postgres"];

/** A log that remembers the names of its events. */
export function listeningLog(events: string[]): Log {
  return createLog(
    (line) => void events.push((JSON.parse(line) as { event: string }).event),
    () => new Date(0),
  );
}

export async function temporaryFolder(): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "freehold-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Opens the SQLite engine in `folder` with its root key inside. */
export async function openStoreIn(
  folder: string,
  { limits, now = () => new Date() }: TestStoreOptions = {},
  events: string[] = [],
): Promise<Store> {
  return openSqliteStore({
    folder,
    rootKeyFile: join(folder, "root.key"),
    limits: { ...LIMITS, diskReserveBytes: 64 * 1024, ...limits },
    log: listeningLog(events),
    now,
  });
}

/** Opens the PostgreSQL engine on a database, with its root key in `folder`. */
export async function openPostgresIn(
  url: string,
  folder: string,
  { limits, now = () => new Date() }: TestStoreOptions = {},
  events: string[] = [],
  keyring?: Uint8Array,
): Promise<PostgresStore> {
  return openPostgresStore({
    url,
    rootKeyFile: join(folder, "root.key"),
    limits: { ...LIMITS, ...limits },
    log: listeningLog(events),
    now,
    ...(keyring && { keyring }),
  });
}

export async function openTestStore(engine: Engine, options: TestStoreOptions = {}): Promise<TestStore> {
  const { limits, now = () => new Date() } = options;
  const events: string[] = [];
  if (engine === "memory") {
    const store = createMemoryStore({ limits: { ...LIMITS, ...limits }, now });
    return { store, folder: null, events, dispose: () => store.close() };
  }
  const temporary = await temporaryFolder();
  const { folder } = temporary;
  if (engine === "postgres") {
    const postgres = testPostgres();
    const url = await postgres.createDatabase();
    const store = await openPostgresIn(url, folder, options, events);
    return {
      store,
      folder: null,
      events,
      async dispose() {
        await store.close();
        await postgres.dropDatabase(url);
        await temporary.remove();
      },
    };
  }
  const store = await openStoreIn(folder, options, events);
  return {
    store,
    folder,
    events,
    async dispose() {
      await store.close();
      await temporary.remove();
    },
  };
}
