/**
 * The one thread that writes. It takes all that waits, checks and applies it in one SQLite transaction, syncs once,
 * and only then answers. It holds no keys: what it writes is sealed already.
 */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { ANSWERS, COMMIT, CREATE, PING, PURGE, ROOM, readBatch, type Task } from "./batch.ts";
import { createReserve } from "./reserve.ts";

/** Whatever takes longer in one go keeps the others waiting. */
const TASKS_PER_COMMIT_MAX = 1_024;
const PURGED_AT_ONCE = 500;
/** Checkpoints come after the answers, and not at every commit. Less than the reserve (`diskReserveBytes`). */
const CHECKPOINT_BYTES = 8 * 1024 * 1024;
/** A write-ahead log that readers did not let start over for so long is waited for. */
const TRUNCATE_BYTES = 256 * 1024 * 1024;

/** A deletion's stamps; more is no deletion. */
const SMALL_BYTES = 4_096;
/** How often to see whether there is room again. */
const ASK_MS = 1_000;

const SQLITE_FULL = 13;
const SQLITE_IOERR_SHMSIZE = 4_874; // No room for the write-ahead log's index.
/** What says that the file or the disk cannot be trusted; after a failed sync, a later one that succeeds proves nothing. */
const FATAL: ReadonlySet<number> = new Set([3, 8, 10, 11, 14, 15, 23, 26]);

export interface WriterData {
  readonly file: string;
  readonly reserveFile: string;
  readonly reserveBytes: number;
}
/** From the main thread: a batch, or `null` to end. */
export type WriterRequest = { readonly buffer: ArrayBuffer; readonly length: number } | null;
/** To the main thread: pairs of task and answer; or why the writer stopped. */
export type WriterReply =
  | { readonly kind: "ready" }
  | { readonly kind: "answers"; readonly pairs: Float64Array }
  | { readonly kind: "stopped"; readonly cause: string }
  | { readonly kind: "full"; readonly cause: string }
  | { readonly kind: "failed"; readonly cause: string };

const codeOf = (error: unknown): number => (error as { errcode?: number }).errcode ?? 0;
const causeOf = (error: unknown): string =>
  `${(error as { errstr?: string }).errstr ?? String(error)} (${codeOf(error)})`;

function run(port: NonNullable<typeof parentPort>, { file, reserveFile, reserveBytes }: WriterData): void {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  // FULL: the log is synced at each commit. https://www.sqlite.org/pragma.html#pragma_synchronous
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8000",
  );
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const generationOf = db.prepare("SELECT generation FROM pod WHERE pod_id = ?");
  const setGeneration = db.prepare("UPDATE pod SET generation = ? WHERE pod_id = ?");
  const addPod = db.prepare("INSERT INTO pod (pod_id, generation) VALUES (?, 0) ON CONFLICT DO NOTHING");
  const dropPod = db.prepare("DELETE FROM pod WHERE pod_id = ?");
  const purge = db.prepare(
    "DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE pod_id = ? LIMIT ?)",
  );
  const place = "pod_id = ? AND table_number = ? AND group_key = ? AND item_key = ?";
  const versionOf = db.prepare(`SELECT version FROM record WHERE ${place}`);
  const remove = db.prepare(`DELETE FROM record WHERE ${place}`);
  const put =
    db.prepare(`INSERT INTO record (pod_id, table_number, group_key, item_key, version, sealed) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version, sealed = excluded.sealed`);
  const range =
    "SELECT count(*), coalesce(max(version), 0) FROM record WHERE pod_id = ? AND table_number = ?";
  const tableState = db.prepare(range);
  const groupState = db.prepare(`${range} AND group_key = ?`);
  const freePages = db.prepare("PRAGMA freelist_count");
  const pageBytes = db.prepare("PRAGMA page_size");
  for (const statement of [freePages, pageBytes, generationOf, versionOf, tableState, groupState])
    statement.setReturnArrays(true);
  const row = (found: unknown): readonly number[] | undefined => found as readonly number[] | undefined;

  const reserve = createReserve(reserveFile, reserveBytes);
  let isScarce = false;
  let askedAt = 0;
  let stopped = false;
  let checkpointed = 0;

  function isUnchanged(task: Task): boolean {
    for (const { table, group, item, version } of task.records) {
      if ((row(versionOf.get(task.pod, table, group, item))?.[0] ?? 0) !== version) return false;
    }
    for (const { table, group, count, version } of task.ranges) {
      const state = row(group ? groupState.get(task.pod, table, group) : tableState.get(task.pod, table));
      if (state?.[0] !== count || state[1] !== version) return false;
    }
    return true;
  }

  /** Deletes, and puts next to nothing. */
  function isShrinking({ kind, writes }: Task): boolean {
    const bytes = writes.reduce((sum, { sealed }) => sum + (sealed?.length ?? 0), 0);
    return (
      kind === PURGE || (kind === COMMIT && bytes <= SMALL_BYTES && writes.some(({ sealed }) => !sealed))
    );
  }

  /** Whether the scarcity is over: the reserve can be held again, or deletions have made room inside the database. */
  function hasRoom(): boolean {
    const now = performance.now();
    if (now - askedAt < ASK_MS) return !isScarce;
    askedAt = now;
    const free = Number(row(freePages.get())?.[0]) * Number(row(pageBytes.get())?.[0]);
    if (free < reserveBytes) isScarce = !reserve.hold();
    return !isScarce || free >= reserveBytes;
  }

  /** The disk is full: from now on only what makes room is stored, and it may use the reserve. */
  function beScarce(): void {
    if (!isScarce) port.postMessage({ kind: "full", cause: "the reserve is in use" } satisfies WriterReply);
    isScarce = true;
    askedAt = performance.now();
    reserve.giveUp();
    fold("TRUNCATE");
  }

  function perform(task: Task): number {
    if (task.kind === PING || task.kind === ROOM) return 0;
    if (isScarce && !isShrinking(task) && !hasRoom()) return ANSWERS.full;
    if (task.kind === CREATE) {
      addPod.run(task.pod);
      return 0;
    }
    if (task.kind === PURGE) {
      dropPod.run(task.pod);
      return Number(purge.run(task.pod, PURGED_AT_ONCE).changes);
    }
    const current = row(generationOf.get(task.pod))?.[0];
    if (current === undefined) return ANSWERS.missing;
    if (current !== task.generation && !isUnchanged(task)) return ANSWERS.lost;
    const generation = current + 1;
    for (const { table, group, item, sealed } of task.writes) {
      if (sealed) put.run(task.pod, table, group, item, generation, sealed);
      else remove.run(task.pod, table, group, item);
    }
    setGeneration.run(generation, task.pod);
    return generation;
  }

  function stop(error: unknown): void {
    stopped = true;
    port.postMessage({ kind: "stopped", cause: causeOf(error) } satisfies WriterReply);
  }

  /** All in one transaction. If one of them fails, each gets a transaction of its own, so that it hurts no other. */
  function commitTogether(tasks: readonly Task[]): number[] {
    if (stopped) return tasks.map(() => ANSWERS.stopped);
    try {
      begin.run();
      const answers = tasks.map(perform);
      commit.run(); // Returns after the sync.
      return answers;
    } catch (error) {
      const code = codeOf(error);
      const isFull = code === SQLITE_FULL || code === SQLITE_IOERR_SHMSIZE;
      if (!isFull && FATAL.has(code & 0xff)) {
        stop(error);
        return tasks.map(() => ANSWERS.stopped);
      }
      try {
        if (db.isTransaction) db.exec("ROLLBACK");
      } catch (rollbackError) {
        stop(rollbackError);
        return tasks.map(() => ANSWERS.stopped);
      }
      if (isFull && !isScarce) {
        beScarce();
        return commitTogether(tasks);
      }
      if (tasks.length > 1) return tasks.flatMap((task) => commitTogether([task]));
      if (isFull) return [ANSWERS.full];
      port.postMessage({ kind: "failed", cause: causeOf(error) } satisfies WriterReply);
      return [ANSWERS.failed];
    }
  }

  const logBytes = (): number => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;

  /** Ours, not SQLite's own, which would hide that a sync has failed. */
  function checkpoint(): void {
    if (stopped || checkpointed < CHECKPOINT_BYTES) return;
    fold(logBytes() > TRUNCATE_BYTES ? "TRUNCATE" : "PASSIVE");
  }

  function fold(how: "TRUNCATE" | "PASSIVE"): void {
    // The database may grow by as much as the log holds: that must not use up what deletions need.
    if (isScarce && logBytes() > reserveBytes) return;
    try {
      db.exec(`PRAGMA wal_checkpoint(${how})`);
      checkpointed = 0;
    } catch (error) {
      const code = codeOf(error);
      if (code !== SQLITE_FULL && code !== SQLITE_IOERR_SHMSIZE && FATAL.has(code & 0xff)) stop(error);
    }
  }

  function answer(tasks: readonly Task[]): void {
    if (tasks.some(({ kind }) => kind === ROOM)) beScarce();
    const answers = commitTogether(tasks);
    const pairs = new Float64Array(tasks.length * 2);
    tasks.forEach((task, index) => {
      pairs[index * 2] = task.id;
      pairs[index * 2 + 1] = answers[index] ?? ANSWERS.failed;
    });
    port.postMessage({ kind: "answers", pairs } satisfies WriterReply, [pairs.buffer]);
    for (const { writes } of tasks)
      for (const { sealed } of writes) checkpointed += 4_096 + (sealed?.length ?? 0);
  }

  port.on("message", (first: WriterRequest) => {
    let request: WriterRequest | undefined = first;
    let isEnd = false;
    while (request !== undefined) {
      const tasks: Task[] = [];
      while (request !== undefined && tasks.length < TASKS_PER_COMMIT_MAX) {
        if (request) tasks.push(...readBatch(request.buffer, request.length));
        else isEnd = true;
        request = receiveMessageOnPort(port)?.message;
      }
      if (tasks.length > 0) answer(tasks);
      checkpoint();
    }
    if (!isEnd) return;
    db.close(); // The last to close folds the log into the database.
    port.close();
  });
  port.postMessage({ kind: "ready" } satisfies WriterReply);
  isScarce = !reserve.hold(); // Before the first task, but nobody has to wait for it.
}

if (parentPort) run(parentPort, workerData as WriterData);
