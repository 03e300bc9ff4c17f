/**
 * PostgreSQL's tables, and how older ones become them. A migration, once released, is never edited: a new one follows it.
 *
 * Every primary key begins with the pod, there are no references, sequences, triggers or procedures: so the tables can be
 * spread over many machines. Citus: `SELECT create_distributed_table(name, 'pod_id', colocate_with => 'pod')` for each of
 * `pod, record, journal, blob, blob_part, keyring, setting, migration` (for `pod` itself without `colocate_with`), before the
 * second pod is made. CockroachDB and YugabyteDB spread them by themselves: `ALTER TABLE … SPLIT AT`, or hash-sharding by the
 * first column of the key.
 */

import { StoreRefused } from "../refused.ts";
import { SERVER_POD } from "../store.ts";
import type { Connection, Database } from "./database.ts";
import { troubleOf } from "./database.ts";

interface Migration {
  readonly number: number;
  readonly about: string;
  readonly statements: readonly string[];
}

const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    about: "pods, their sealed records, journals, files and keys",
    statements: [
      // turn: commits of any kind; who knows it knows that nothing has changed. ticket: of the last commit, to ask for its outcome.
      `CREATE TABLE pod (
        pod_id bytea NOT NULL PRIMARY KEY,
        generation bigint NOT NULL,
        turn bigint NOT NULL,
        key_version bigint NOT NULL,
        bytes bigint NOT NULL,
        resources bigint NOT NULL,
        journal_number bigint NOT NULL,
        journal_hash bytea NOT NULL,
        ticket bytea NOT NULL
      )`,
      `CREATE TABLE record (
        pod_id bytea NOT NULL,
        table_number smallint NOT NULL,
        group_key bytea NOT NULL,
        item_key bytea NOT NULL,
        version bigint NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (pod_id, table_number, group_key, item_key)
      )`,
      `CREATE TABLE journal (
        pod_id bytea NOT NULL,
        number bigint NOT NULL,
        leaf bytea NOT NULL,
        sealed bytea,
        PRIMARY KEY (pod_id, number)
      )`,
      // A file is found by its hash once it is whole; hash null: half written, or removed. named: a record has named it.
      `CREATE TABLE blob (
        pod_id bytea NOT NULL,
        content bytea NOT NULL,
        hash bytea,
        head bytea,
        bytes bigint NOT NULL,
        named boolean NOT NULL,
        changed bigint NOT NULL,
        PRIMARY KEY (pod_id, content)
      )`,
      "CREATE INDEX blob_hash ON blob (pod_id, hash)",
      `CREATE TABLE blob_part (
        pod_id bytea NOT NULL,
        content bytea NOT NULL,
        part integer NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (pod_id, content, part)
      )`,
      `CREATE TABLE keyring (
        pod_id bytea NOT NULL PRIMARY KEY,
        entry bytea NOT NULL
      )`,
      `CREATE TABLE setting (
        pod_id bytea NOT NULL,
        name text NOT NULL,
        value bytea NOT NULL,
        PRIMARY KEY (pod_id, name)
      )`,
    ],
  },
];

const POSTGRES_SCHEMA_NEWEST: number = MIGRATIONS.at(-1)?.number ?? 0;
const SERVER_ID = Buffer.from(SERVER_POD, "hex");
/** Its row is the lock that several servers, starting at once, wait for. */
const LOCK_NUMBER = 0;
const TRIES = 5;

/** Servers that start at the same moment make it at the same moment. */
async function makeMigrationTable(connection: Connection): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await connection.run(
        "CREATE TABLE IF NOT EXISTS migration (pod_id bytea NOT NULL, number integer NOT NULL, applied bigint NOT NULL, about text NOT NULL, PRIMARY KEY (pod_id, number))",
      );
      await connection.run(
        "INSERT INTO migration (pod_id, number, applied, about) VALUES ($1, $2, 0, 'lock') ON CONFLICT DO NOTHING",
        [SERVER_ID, LOCK_NUMBER],
      );
      return;
    } catch (error) {
      if (tries === TRIES || troubleOf(error) === "lost") throw error;
    }
  }
}

/**
 * Brings the database to this server's schema.
 * @param begin Called in the same transaction, under the same lock: what else only one server may do at first.
 * @throws StoreRefused for a newer schema.
 */
export async function migratePostgres<T>(
  database: Database,
  now: () => Date,
  begin: (connection: Connection) => Promise<T>,
): Promise<T> {
  return database.hold("commit", async (connection) => {
    await makeMigrationTable(connection);
    await connection.run("BEGIN");
    await connection.run("SELECT number FROM migration WHERE pod_id = $1 AND number = $2 FOR UPDATE", [
      SERVER_ID,
      LOCK_NUMBER,
    ]);
    const { rows } = await connection.run("SELECT max(number) FROM migration WHERE pod_id = $1", [SERVER_ID]);
    const newest = Number(rows[0]?.[0] ?? 0);
    if (newest > POSTGRES_SCHEMA_NEWEST) {
      throw new StoreRefused(
        `The data were written by a newer Freehold (schema ${newest}; this one knows up to ${POSTGRES_SCHEMA_NEWEST}). Run that version or a newer one.`,
      );
    }
    for (const { number, about, statements } of MIGRATIONS.filter(({ number }) => number > newest)) {
      for (const statement of statements) await connection.run(statement);
      await connection.run("INSERT INTO migration (pod_id, number, applied, about) VALUES ($1, $2, $3, $4)", [
        SERVER_ID,
        number,
        now().getTime(),
        about,
      ]);
    }
    const result = await begin(connection);
    await connection.run("COMMIT");
    return result;
  });
}
