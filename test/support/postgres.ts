/**
 * A real PostgreSQL for tests: made in a temporary folder by Debian's programs, reached by a socket in it, stopped and removed
 * when the test process ends, however it ends. One server per process, a database for each store.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Suite } from "mocha";
import pg from "pg";
import { skip } from "./skip.ts";

/** Immediate shutdown. https://www.postgresql.org/docs/15/server-shutdown.html */
const CLEAR_AWAY = `cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
tries=0
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf "$1"`;
const STARTED_MS_MAX = 30_000;
const LOOK_MS = 50;

export interface TestPostgres {
  /** A new, empty database. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** Ends all at once, as a power cut of the machine would end the processes, and starts it again. */
  restart(): Promise<void>;
  /** `pg_ctl stop -m immediate`: nobody answers until `restart`. */
  kill(): Promise<void>;
  /** kill -9 of all its processes, in no order. */
  slay(): Promise<void>;
}

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** The server refuses to run as root. */
function identity(): Identity {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = ["-u", "-g"].map((flag) =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })),
      );
      return { uid: uid ?? 65_534, gid: gid ?? 65_534 };
    } catch {
      // No such user: the next one.
    }
  }
  return { uid: 65_534, gid: 65_534 };
}

const folderOfPrograms = (): string | undefined =>
  globSync("/usr/lib/postgresql/*/bin")
    .filter((folder) => existsSync(join(folder, "initdb")))
    .sort()
    .at(-1);

/** Why the tests on PostgreSQL cannot run here; null when they can. */
export const postgresMissing: string | null =
  process.platform === "win32" || !folderOfPrograms()
    ? "PostgreSQL's programs are not installed (Debian: apt-get install postgresql)"
    : null;

/** A suite that needs PostgreSQL; where that is missing, one test that says so. */
export function describeOnPostgres(title: string, body: (this: Suite) => void): void {
  if (postgresMissing === null) {
    describe(title, body);
    return;
  }
  describe(title, () => {
    it("needs PostgreSQL", function () {
      skip(this, postgresMissing);
    });
  });
}

/** @returns nothing where there is no `/proc`: they end by themselves, only not as hard. */
function childrenOf(parent: number): readonly number[] {
  return globSync("/proc/[0-9]*/stat").flatMap((path) => {
    try {
      const text = readFileSync(path, "utf8"); // 42 (postgres) S 7 …, where 7 is the parent.
      const above = Number(text.slice(text.lastIndexOf(")") + 1).split(" ")[2]);
      return above === parent ? [Number(path.split("/")[2])] : [];
    } catch {
      return []; // Has ended.
    }
  });
}

function killHard(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Has ended.
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function launch(): TestPostgres {
  const programs = folderOfPrograms();
  if (!programs) throw new Error(String(postgresMissing));
  const who = identity();
  const folder = mkdtempSync(join(tmpdir(), "freehold-pg-"));
  const data = join(folder, "data");
  chmodSync(folder, 0o755); // The root key and sockets of tests are elsewhere, or not secret.
  mkdirSync(data, { mode: 0o700 });
  if (who.uid !== undefined && who.gid !== undefined)
    for (const path of [folder, data]) chownSync(path, who.uid, who.gid);
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C" };
  execFileSync(
    join(programs, "initdb"),
    ["-D", data, "-U", "freehold", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
    { ...who, cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] },
  );
  const urlOf = (database: string): string =>
    `postgres://freehold@localhost/${database}?host=${encodeURIComponent(folder)}`;
  let child: ChildProcess;
  let log = "";

  function start(): void {
    child = spawn(
      join(programs ?? "", "postgres"),
      [
        "-D",
        data,
        "-k",
        folder,
        "-c",
        "listen_addresses=",
        "-c",
        "max_connections=200",
        "-c",
        "fsync=on",
        "-c",
        "shared_buffers=64MB",
        "-c",
        "wal_level=minimal",
        "-c",
        "max_wal_senders=0",
      ],
      { ...who, cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] },
    );
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-10_000)));
    child.unref();
    (child.stderr as unknown as { unref?: () => void } | null)?.unref?.();
  }
  /** Its children end by themselves when they see that it is gone; a server cannot start before they have. */
  const ended = (signal: NodeJS.Signals): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.ref();
      child.once("exit", () => resolve());
      child.kill(signal);
    });

  async function run(database: string, statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: urlOf(database) });
    client.on("error", () => {});
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
  async function untilUp(): Promise<void> {
    const until = Date.now() + STARTED_MS_MAX;
    for (;;) {
      try {
        return await run("postgres", "SELECT 1");
      } catch (error) {
        if (Date.now() > until || child.exitCode !== null)
          throw new Error(`PostgreSQL does not start: ${log}`, { cause: error });
        await sleep(LOOK_MS);
      }
    }
  }

  start();
  let up = untilUp();
  up.catch(() => {}); // Told to the first who wants a database.
  // Waits for the end of this process, however it ends: then its end of the pipe is closed.
  const guard = spawn("sh", ["-c", CLEAR_AWAY, "sh", folder], {
    ...who,
    cwd: "/",
    env,
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();

  return {
    async createDatabase() {
      await up;
      const name = `t${randomBytes(6).toString("hex")}`;
      await run("postgres", `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    async dropDatabase(url) {
      await run("postgres", `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
    },
    async restart() {
      await ended("SIGQUIT");
      start();
      up = untilUp();
      await up;
    },
    kill: () => ended("SIGQUIT"),
    async slay() {
      if (child.pid === undefined) return;
      const children = childrenOf(child.pid);
      const hasEnded = ended("SIGKILL");
      for (const pid of children) killHard(pid);
      await hasEnded;
      // It does not start while one of the old still holds the shared memory.
      while (children.some((pid) => existsSync(`/proc/${pid}/exe`))) await sleep(LOOK_MS);
    },
  };
}

let shared: TestPostgres | null = null;

/** The server of this process, started when it is first asked for. */
export function testPostgres(): TestPostgres {
  shared ??= launch();
  return shared;
}
