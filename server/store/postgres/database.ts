/** Connections to PostgreSQL: how many, how long, and what to do when they end. The one file that imports `pg`. */
import type { Client as PgClient } from "pg";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { StoreRefused } from "../refused.ts";

/** A named statement is parsed once per connection. The same name always has the same text. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}
export type Value = Buffer | Uint8Array | string | number | null | readonly (number | Buffer | null)[];
/** Columns in order: `bytea` is a Buffer, integers are numbers. */
export type Row = readonly unknown[];
export interface Answer {
  readonly rows: readonly Row[];
  /** Rows that were written. */
  readonly count: number;
  readonly command: string;
}

export interface Connection {
  /** Statements may be sent without waiting for one another; they run in the order in which they were sent. */
  run(statement: Statement | string, values?: readonly Value[]): Promise<Answer>;
}

export interface Database {
  /** One statement that only reads. Sent again when its connection was lost. @throws Problem `unavailable`. */
  readonly read: (statement: Statement, values: readonly Value[]) => Promise<readonly Row[]>;
  /**
   * A connection for one transaction that `work` begins and ends. Commits never wait for what a snapshot holds.
   * @param kind Each has its own connections; `question` is what became of a commit, asked by who still holds one for it.
   * @throws Problem `unavailable` when none is free for `databaseWaitMsMax`; and what the database says.
   */
  hold<T>(kind: "commit" | "snapshot" | "question", work: (connection: Connection) => Promise<T>): Promise<T>;
  /** A connection of its own that stays, for notifications. @param lost Called once, when it ends. */
  listen(channel: string, heard: (payload: string) => void, lost: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export type Trouble = "lost" | "full" | "again" | "busy" | "other";

/** What `pg` says when there is no connection (any more). */
const LOST = /connection|not queryable|timeout/i;

/** What a failure means: whether the outcome is unknown, whether it may be tried again. */
export function troubleOf(error: unknown): Trouble {
  const { code, syscall, severity, message } = error as Record<string, unknown>;
  if (severity === undefined)
    return syscall !== undefined || LOST.test(String(message)) || /^E[A-Z]+$/.test(String(code))
      ? "lost"
      : "other";
  if (code === "40001" || code === "40P01") return "again"; // Serialization failure, deadlock: nothing happened.
  if (code === "53100" || code === "53200") return "full"; // Disk, memory.
  if (code === "53300" || code === "57014" || code === "55P03") return "busy"; // Connections, time, a lock.
  if (/^(?:08|57P)/.test(String(code))) return "lost";
  return "other";
}

/** What the client should know of a failure after which nothing has been stored. */
export function problemOf(error: unknown, log: Log): unknown {
  if (error instanceof Problem || error instanceof StoreRefused) return error;
  const trouble = troubleOf(error);
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  if (trouble === "other" && severity === undefined) return error; // Our own mistake.
  log.error("store.database.failed", { trouble, cause: String(code ?? error) });
  if (trouble === "full") return new Problem("storage-full", undefined, { cause: error });
  return new Problem("unavailable", "Nothing was stored", { cause: error, headers: { "retry-after": "5" } });
}

const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === "t",
  17: (text) => Buffer.from(text.slice(2), "hex"), // `pg` reads binary answers as UTF-8, so bytes come in hexadecimal.
  20: Number,
  21: Number,
  23: Number,
};
const types = { getTypeParser: (oid: number) => parsers[oid] ?? String };

/** Lines that single statements share. */
const LINES = 3;
const QUESTIONS_MAX = 2;
const CONNECT_MS_MAX = 5_000;
/** No statement of ours takes this long on a database that is well. */
const STATEMENT_MS_MAX = 60_000;
const LOCK_MS_MAX = 15_000;
/** A snapshot may be held by a long query over a pod. */
const IDLE_MS_MAX = 120_000;
const AGAIN_MS = 100;

export interface DatabaseOptions {
  readonly url: string;
  readonly log: Log;
  readonly limits: {
    readonly databaseCommitsMax: number;
    readonly databaseSnapshotsMax: number;
    readonly databaseWaitMsMax: number;
  };
}

interface Line extends Connection {
  readonly client: PgClient;
  running: number;
  isLost: boolean;
  end(): Promise<void>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns at once; connections are made when they are needed. */
export async function openDatabase({ url, log, limits }: DatabaseOptions): Promise<Database> {
  const { Client } = await import("pg"); // Only where it is used.
  let isOpen = true;
  const lines: (Promise<Line> | undefined)[] = [];
  const all = new Set<Line>();

  async function connect(): Promise<Line> {
    if (!isOpen) throw new Problem("unavailable", "The store is closed");
    const client = new Client({
      connectionString: url,
      application_name: "freehold",
      connectionTimeoutMillis: CONNECT_MS_MAX,
      statement_timeout: STATEMENT_MS_MAX,
      lock_timeout: LOCK_MS_MAX,
      idle_in_transaction_session_timeout: IDLE_MS_MAX,
      keepAlive: true,
      pipeline: true,
      types,
    });
    const line: Line = {
      client,
      running: 0,
      isLost: false,
      async run(statement, values = []) {
        const { name, text } =
          typeof statement === "string" ? { name: undefined, text: statement } : statement;
        line.running++;
        try {
          const query = {
            ...(name === undefined ? {} : { name }),
            text,
            values,
            rowMode: "array",
          };
          const { rows, rowCount, command } = await client.query<unknown[]>(query);
          return { rows, count: rowCount ?? 0, command };
        } catch (error) {
          if (troubleOf(error) === "lost") line.isLost = true;
          throw error;
        } finally {
          line.running--;
        }
      },
      async end() {
        line.isLost = true;
        all.delete(line);
        await client.end().catch(() => {});
      },
    };
    client.on("error", () => (line.isLost = true)); // Told to whoever waits for an answer, too.
    client.on("end", () => (line.isLost = true));
    await client.connect();
    all.add(line);
    // A server that acknowledges before its log is on disk would make us break our word.
    const { rows } = await line.run("SHOW synchronous_commit");
    if (String(rows[0]?.[0]) === "off") await line.run("SET synchronous_commit = on");
    return line;
  }

  /** The shared line of this number, made again when it was lost. */
  async function lineAt(index: number): Promise<Line> {
    const known = await lines[index]?.catch(() => undefined);
    if (known && !known.isLost) return known;
    if (known) void known.end();
    const next = connect();
    lines[index] = next;
    next.catch(() => {}); // Told to whoever waits for it.
    return next;
  }
  let turn = 0;

  function createPool(most: number) {
    const idle: Line[] = [];
    const waiting: ((line: Line | null) => void)[] = [];
    let count = 0;

    /** A place is free: somebody who waits may make a new connection in it. */
    async function acquire(): Promise<Line> {
      for (let line = idle.pop(); line; line = idle.pop()) {
        if (!line.isLost) return line;
        count--;
        void line.end();
      }
      if (count >= most) {
        const { promise, resolve } = Promise.withResolvers<Line | null>();
        waiting.push(resolve);
        const timer = setTimeout(() => {
          const at = waiting.indexOf(resolve);
          if (at >= 0) waiting.splice(at, 1);
          resolve(null);
        }, limits.databaseWaitMsMax);
        const line = await promise;
        clearTimeout(timer);
        if (!line) throw new Problem("unavailable", "Too many at once", { headers: { "retry-after": "1" } });
        if (!line.isLost) return line;
        void line.end();
      } else count++;
      try {
        return await connect();
      } catch (error) {
        count--;
        throw error;
      }
    }

    function release(line: Line): void {
      const next = waiting.shift();
      if (next) next(line);
      else if (line.isLost || idle.length >= most) {
        count--;
        void line.end();
      } else idle.push(line);
    }
    return { acquire, release };
  }
  const pools = {
    commit: createPool(limits.databaseCommitsMax),
    snapshot: createPool(limits.databaseSnapshotsMax),
    question: createPool(QUESTIONS_MAX),
  };

  return {
    async read(statement, values) {
      const until = Date.now() + limits.databaseWaitMsMax;
      for (;;) {
        try {
          const line = await lineAt(turn++ % LINES);
          return (await line.run(statement, values)).rows;
        } catch (error) {
          const trouble = troubleOf(error);
          if (error instanceof Problem) throw error;
          if ((trouble !== "lost" && trouble !== "again") || Date.now() > until || !isOpen)
            throw problemOf(error, log);
          await sleep(AGAIN_MS);
        }
      }
    },
    async hold(kind, work) {
      const line = await pools[kind].acquire();
      try {
        const result = await work(line);
        return result;
      } catch (error) {
        // Whatever was begun is not ended: such a connection is not used again, unless it says that it is well.
        if (!line.isLost) await line.run("ROLLBACK").catch(() => (line.isLost = true));
        throw error;
      } finally {
        pools[kind].release(line);
      }
    },
    async listen(channel, heard, lost) {
      const line = await connect();
      line.client.on("notification", ({ payload }) => heard(payload ?? ""));
      line.client.once("end", lost);
      await line.run(`LISTEN ${channel}`);
      return () => {
        line.client.removeListener("end", lost);
        return line.end();
      };
    },
    async close() {
      isOpen = false;
      await Promise.all([...all].map((line) => line.end()));
    },
  };
}
