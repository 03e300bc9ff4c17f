/**
 * The tables, and how older ones become them. Plain enough for PostgreSQL: blobs are `bytea`, all keys begin with the pod.
 * A migration, once released, is never edited: a new one follows it.
 */
import { DatabaseSync } from "node:sqlite";
import { makePrivate } from "../lock.ts";
import { checkSqlite, StoreRefused } from "../refused.ts";
import { SERVER_POD } from "../store.ts";
import { countAll } from "./proof.ts";

/** Tells our files from other programs' databases: "Frhd". */
const APPLICATION_ID = 0x46_72_68_64;

interface Migration {
  readonly number: number;
  readonly about: string;
  readonly sql: string;
}

const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    about: "pods and their sealed records",
    // Of a record only sizes, counts and its pod's number show: keys are HMACs, the names are in the sealed bytes.
    sql: `
      CREATE TABLE pod (
        pod_id BLOB NOT NULL PRIMARY KEY,
        generation INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE record (
        pod_id BLOB NOT NULL,
        table_number INTEGER NOT NULL,
        group_key BLOB NOT NULL,
        item_key BLOB NOT NULL,
        version INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (pod_id, table_number, group_key, item_key)
      ) STRICT;
      CREATE TABLE store (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    number: 2,
    about: "what each pod holds, and its journal",
    // Of the chain only its end is stored: a table cut short has no end to put in its place.
    sql: `
      ALTER TABLE pod ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE pod ADD COLUMN resources INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE pod ADD COLUMN journal_number INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE pod ADD COLUMN journal_hash BLOB NOT NULL DEFAULT x'${"00".repeat(32)}';
      CREATE TABLE journal (
        pod_id BLOB NOT NULL,
        number INTEGER NOT NULL,
        leaf BLOB NOT NULL,
        sealed BLOB,
        PRIMARY KEY (pod_id, number)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    number: 3,
    about: "proof of absence: how many records a pod has, and a sum over their keys",
    sql: `
      ALTER TABLE pod ADD COLUMN records INTEGER;
      ALTER TABLE pod ADD COLUMN records_sum INTEGER;
      ALTER TABLE pod ADD COLUMN row_check INTEGER;
      ALTER TABLE record ADD COLUMN version_check INTEGER;
    `,
  },
];
/** The first that knows sums: what was there before is counted. */
const SUMS = 3;

export const SCHEMA_NEWEST: number = MIGRATIONS.at(-1)?.number ?? 0;

const integer = (db: DatabaseSync, sql: string): number =>
  Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);

const MIGRATION_TABLE =
  "CREATE TABLE IF NOT EXISTS migration (number INTEGER NOT NULL PRIMARY KEY, applied INTEGER NOT NULL, about TEXT NOT NULL) STRICT";
const tablesOf = (db: DatabaseSync): string =>
  JSON.stringify(
    db
      .prepare(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name",
      )
      .all(),
  );

/** A table whose description has changed by a bit could still be read, as something else. */
function checkSchema(db: DatabaseSync): void {
  const fresh = new DatabaseSync(":memory:");
  try {
    fresh.exec(MIGRATION_TABLE);
    for (const { sql } of MIGRATIONS) fresh.exec(sql);
    if (tablesOf(fresh) === tablesOf(db)) return;
  } finally {
    fresh.close();
  }
  throw new StoreRefused(
    "The database's description of its own tables is damaged. Check the disk, and restore the latest backup.",
  );
}

/**
 * Brings the database to this server's schema, in one transaction.
 * @param storeId Binds a database to its keyring: written into a new one, compared with an old one.
 * @throws StoreRefused when the file is another program's, has a newer schema, or belongs to another keyring.
 */
function migrate(db: DatabaseSync, storeId: Uint8Array, now: () => Date): void {
  checkSqlite(String(db.prepare("SELECT sqlite_version() AS version").get()?.version));
  const application = integer(db, "PRAGMA application_id");
  const tables = integer(db, "SELECT count(*) FROM sqlite_schema");
  if (application !== APPLICATION_ID && (application !== 0 || tables > 0)) {
    throw new StoreRefused(
      "The database file belongs to another program. Give Freehold a data folder of its own.",
    );
  }
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE");
  try {
    if (application !== APPLICATION_ID) db.exec(`PRAGMA application_id = ${APPLICATION_ID}`); // Writes even what is there.
    db.exec(MIGRATION_TABLE);
    const newest = integer(db, "SELECT coalesce(max(number), 0) FROM migration");
    if (newest > SCHEMA_NEWEST) {
      throw new StoreRefused(
        `The data were written by a newer Freehold (schema ${newest}; this one knows up to ${SCHEMA_NEWEST}). Run that version or a newer one.`,
      );
    }
    for (const { number, about, sql } of MIGRATIONS.filter(({ number }) => number > newest)) {
      db.exec(sql);
      db.prepare("INSERT INTO migration (number, applied, about) VALUES (?, ?, ?)").run(
        number,
        now().getTime(),
        about,
      );
    }
    if (newest === 0) {
      db.prepare("INSERT INTO store (name, value) VALUES ('id', ?)").run(storeId);
      db.prepare("INSERT INTO pod (pod_id, generation) VALUES (?, 0)").run(Buffer.from(SERVER_POD, "hex"));
    }
    if (newest < SUMS) countAll(db);
    checkSchema(db);
    const stored = db.prepare("SELECT value FROM store WHERE name = 'id'").get()?.value;
    if (!(stored instanceof Uint8Array) || Buffer.compare(stored, storeId) !== 0) {
      throw new StoreRefused(
        "The keyring belongs to another database. Restore the keyring that was backed up with this one.",
      );
    }
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Makes the database, or brings it to this server's schema; on a full disk with the room that was kept for it.
 * @throws StoreRefused also in SQLite's own words: not a database, disk I/O error, …
 */
export function prepareDatabase(
  file: string,
  storeId: Uint8Array,
  now: () => Date,
  makeRoom: () => void,
): void {
  makePrivate(file);
  const database = new DatabaseSync(file, { timeout: 5_000 });
  try {
    try {
      migrate(database, storeId, now);
    } catch (error) {
      if ((error as { errcode?: number }).errcode === undefined) throw error;
      makeRoom();
      migrate(database, storeId, now);
    }
  } catch (cause) {
    if ((cause as { errcode?: number }).errcode === undefined) throw cause;
    throw new StoreRefused(
      `The database ${file} cannot be opened: ${(cause as Error).message}. If the disk is in order, restore the file from its backup.`,
      { cause },
    );
  } finally {
    database.close();
  }
}
