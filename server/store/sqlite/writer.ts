/**
 * The one thread that writes. It takes all that waits, checks and applies it in one SQLite transaction, syncs once,
 * and only then answers. It holds no keys: what it writes is sealed already.
 */
import { statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { nextHead } from "../sealed/chain.ts";
import { createMac } from "../sealed/mac.ts";
import type { JournalHead } from "../store.ts";
import { isOver } from "../uses.ts";
import {
  ANSWERS,
  BULK_FIRST,
  COMMIT,
  CREATE,
  PING,
  PURGE,
  partsOfPlace,
  REINDEX,
  ROOM,
  readBatch,
  type Task,
} from "./batch.ts";
import { createBulk, FOLD, RESEAL } from "./bulk.ts";
import { createLogMarker } from "./log-mark.ts";
import { count, createPodRows, nameOf, type WritablePod } from "./pod-rows.ts";
import { mendIndex, versionCheck } from "./proof.ts";
import { createRecent } from "./recent.ts";
import { createReserve } from "./reserve.ts";

/** Whatever takes longer in one go keeps the others waiting. */
const TASKS_PER_COMMIT_MAX = 1_024;
const PURGED_AT_ONCE = 500;
/** Checkpoints come after the answers, and not at every commit: others wait about 8 ms for so much. Less than the reserve (`diskReserveBytes`). */
const CHECKPOINT_BYTES = 2 * 1024 * 1024;
/** A write-ahead log that readers did not let start over for so long is waited for. */
const TRUNCATE_BYTES = 256 * 1024 * 1024;

const LAST_KEY = Buffer.alloc(16, 0xff); // No key comes after it.
/** A deletion's stamps; more is no deletion. */
const SMALL_BYTES = 4_096;
/** What a journal entry takes beside its content. */
const ENTRY_BYTES = 256;
/** How long readers may keep the log from being emptied when somebody asks for it. */
const FOLD_MS = 20;
/** How often to see whether there is room again. */
const ASK_MS = 1_000;

const NO_USE = { change: { bytes: 0, resources: 0 }, most: { bytes: 0, resources: 0 } } as const;

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
  | { readonly kind: "answers"; readonly pairs: Float64Array; readonly buffers: readonly ArrayBuffer[] }
  | { readonly kind: "stopped"; readonly cause: string }
  | { readonly kind: "full"; readonly cause: string }
  | { readonly kind: "failed"; readonly cause: string };

/** A write that was accepted. */
interface Unstored {
  readonly pod: Uint8Array;
  readonly row: WritablePod;
  readonly version: number;
  readonly write: Task["writes"][number];
}

const codeOf = (error: unknown): number => (error as { errcode?: number }).errcode ?? 0;
const causeOf = (error: unknown): string =>
  `${(error as { errstr?: string }).errstr ?? String(error)} (${codeOf(error)})`;

function run(port: NonNullable<typeof parentPort>, { file, reserveFile, reserveBytes }: WriterData): void {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  // FULL: the log is synced at each commit. https://www.sqlite.org/pragma.html#pragma_synchronous
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8000; PRAGMA secure_delete = FAST",
  );
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const addEntry = db.prepare("INSERT INTO journal (pod_id, number, leaf, sealed) VALUES (?, ?, ?, ?)");
  const forgetEntry = db.prepare("UPDATE journal SET sealed = NULL WHERE pod_id = ? AND number = ?");
  const addPod = db.prepare("INSERT INTO pod (pod_id, generation) VALUES (?, 0) ON CONFLICT DO NOTHING");
  const dropPod = db.prepare("DELETE FROM pod WHERE pod_id = ?");
  const purge = db.prepare(
    "DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE pod_id = ? LIMIT ?)",
  );
  const purgeJournal = db.prepare(
    "DELETE FROM journal WHERE pod_id = ?1 AND number IN (SELECT number FROM journal WHERE pod_id = ?1 LIMIT ?2)",
  );
  const place = "pod_id = ? AND table_number = ? AND group_key = ? AND item_key = ?";
  const versionOf = db.prepare(`SELECT version FROM record WHERE ${place}`);
  const remove = db.prepare(`DELETE FROM record WHERE ${place}`);
  // Two statements and no upsert, for records are counted: it does not say whether there was one.
  const replace = db.prepare(
    `UPDATE record SET version = ?5, sealed = ?6, version_check = ${versionCheck("?5")}
    WHERE pod_id = ?1 AND table_number = ?2 AND group_key = ?3 AND item_key = ?4`,
  );
  const insert = db.prepare(
    `INSERT INTO record (pod_id, table_number, group_key, item_key, version, sealed, version_check)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ${versionCheck("?5")})`,
  );
  // No more than one beyond what was read: a million records need not be counted to see that they are not a few.
  const range = (bounds: string): StatementSync =>
    db.prepare(`SELECT count(*), coalesce(max(version), 0) FROM
      (SELECT version FROM record WHERE pod_id = ? AND table_number = ? AND ${bounds} LIMIT ?)`);
  const tableState = range("(group_key, item_key) <= (?, ?)");
  const groupState = range("group_key = ? AND item_key <= ?");
  const freePages = db.prepare("PRAGMA freelist_count");
  const pageBytes = db.prepare("PRAGMA page_size");
  for (const statement of [freePages, pageBytes, versionOf, tableState, groupState])
    statement.setReturnArrays(true);
  const row = (found: unknown): readonly number[] | undefined => found as readonly number[] | undefined;

  const marker = createLogMarker(db, file);
  const pods = createPodRows(db);
  const recent = createRecent();
  const bulk = createBulk(db, pods);
  const reserve = createReserve(reserveFile, reserveBytes);
  let isScarce = false;
  let recorded = 0; // Bytes, since the disk is full.
  let askedAt = 0;
  let stopped = false;
  let checkpointed = 0;

  /** What the commits of this transaction wrote last at each place: a folder's stamp is written by all, and stored once. */
  const unstored = new Map<string, Map<string, Unstored>>();

  function store(): void {
    if (unstored.size === 0) return;
    for (const writes of unstored.values()) for (const write of writes.values()) put(write);
    unstored.clear();
  }

  function isUnchanged(task: Task): boolean {
    const isUntouched = recent.isUntouched(nameOf(task.pod), task.generation, task.records);
    if (isUntouched === false) return false;
    if (!isUntouched || task.ranges.length > 0) store(); // To be held against what is there.
    for (const { place, version } of isUntouched ? [] : task.records) {
      if ((row(versionOf.get(task.pod, ...partsOfPlace(place)))?.[0] ?? 0) !== version) return false;
    }
    for (const { table, group, until, count, version } of task.ranges) {
      const state = row(
        group
          ? groupState.get(task.pod, table, group, until?.item ?? LAST_KEY, count + 1)
          : tableState.get(task.pod, table, until?.group ?? LAST_KEY, until?.item ?? LAST_KEY, count + 1),
      );
      if (state?.[0] !== count || state[1] !== version) return false;
    }
    return true;
  }

  /** Deletes, and puts next to nothing. */
  function isShrinking({ kind, writes, forgotten }: Task): boolean {
    const bytes = writes.reduce((sum, { sealed }) => sum + (sealed?.length ?? 0), 0);
    const isLess = writes.some(({ sealed }) => !sealed) || forgotten.length > 0;
    return kind === PURGE || kind === RESEAL || (kind === COMMIT && bytes <= SMALL_BYTES && isLess);
  }

  /** Records, and changes nothing: who may read must not be shut out by a full disk, as long as deletions have room as well. */
  function isAffordable({ kind, writes, entries }: Task): boolean {
    if (kind !== COMMIT || writes.length > 0 || entries.length === 0) return false;
    recorded += entries.reduce((sum, { sealed }) => sum + ENTRY_BYTES + sealed.length, 0);
    return recorded <= reserveBytes / 4;
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
    if (!isScarce) {
      port.postMessage({ kind: "full", cause: "the reserve is in use" } satisfies WriterReply);
      recorded = 0;
    }
    isScarce = true;
    askedAt = performance.now();
    reserve.giveUp();
    fold("TRUNCATE");
  }

  function put({ pod, row, version, write: { table, group, item, sealed } }: Unstored): void {
    if (sealed === null) {
      if (remove.run(pod, table, group, item).changes === 1) count(row, -1, table, group, item);
    } else if (replace.run(pod, table, group, item, version, sealed).changes === 0) {
      insert.run(pod, table, group, item, version, sealed);
      count(row, 1, table, group, item);
    }
  }

  function commitOne(task: Task): number {
    const row = pods.of(task.pod);
    if (!row) return ANSWERS.missing;
    if (row.generation !== task.generation && !isUnchanged(task)) return ANSWERS.lost;
    const { change, most } = task.use ?? NO_USE;
    if (
      isOver(row.bytes, change.bytes, most.bytes) ||
      isOver(row.resources, change.resources, most.resources)
    )
      return ANSWERS.quota;
    if (task.writes.length > 0) {
      const name = nameOf(task.pod);
      row.generation++; // Who only records changes nothing that was read.
      recent.note(name, row.generation, task.writes);
      let writes = unstored.get(name);
      if (!writes) unstored.set(name, (writes = new Map()));
      const version = row.generation;
      for (const write of task.writes) writes.set(write.place, { pod: task.pod, row, version, write });
    }
    for (const number of task.forgotten) forgetEntry.run(task.pod, number);
    let head: JournalHead = { number: row.journalNumber, hash: row.journalHash };
    if (task.chainKey) {
      const mac = createMac(task.chainKey);
      for (const { leaf, sealed } of task.entries) {
        head = nextHead(mac, head, leaf);
        addEntry.run(task.pod, head.number, leaf, sealed);
      }
    }
    row.journalNumber = head.number;
    row.journalHash = head.hash;
    row.bytes += change.bytes;
    row.resources += change.resources;
    return row.generation;
  }

  function perform(task: Task): number {
    if (task.kind === PING || task.kind === ROOM || task.kind === FOLD) return 0;
    if (task.kind === REINDEX) return mendIndex(db) ? 0 : 1;
    if (isScarce && !isShrinking(task) && !isAffordable(task) && !hasRoom()) return ANSWERS.full;
    if (task.kind === COMMIT) return commitOne(task);
    recent.forget(nameOf(task.pod));
    store();
    pods.flush(); // The others change rows by statements of their own …
    const answer = performAlone(task);
    pods.flush();
    pods.of(task.pod); // … and what they made of it gets its check.
    return answer;
  }

  function performAlone(task: Task): number {
    if (task.kind >= BULK_FIRST) return bulk.perform(task.kind, task.pod, task.payload);
    if (task.kind === CREATE) {
      addPod.run(task.pod);
      return 0;
    }
    dropPod.run(task.pod);
    const purged = Number(purge.run(task.pod, PURGED_AT_ONCE).changes);
    return purged || Number(purgeJournal.run(task.pod, PURGED_AT_ONCE).changes);
  }

  function stop(error: unknown): void {
    stopped = true;
    port.postMessage({ kind: "stopped", cause: causeOf(error) } satisfies WriterReply);
  }

  /** All in one transaction. If one of them fails, each gets a transaction of its own, so that it hurts no other. */
  function commitTogether(tasks: readonly Task[]): number[] {
    if (stopped) return tasks.map(() => ANSWERS.stopped);
    try {
      pods.begin();
      unstored.clear();
      begin.run();
      const answers = tasks.map(perform);
      store();
      pods.flush();
      commit.run(); // Returns after the sync.
      marker.mark();
      return answers;
    } catch (error) {
      recent.clear();
      const code = codeOf(error);
      const isFull = code === SQLITE_FULL || code === SQLITE_IOERR_SHMSIZE;
      if (!isFull && FATAL.has(code & 0xff)) {
        stop(error);
        return tasks.map(() => ANSWERS.unknown);
      }
      try {
        if (db.isTransaction) db.exec("ROLLBACK");
      } catch (rollbackError) {
        stop(rollbackError);
        return tasks.map(() => ANSWERS.unknown);
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
      marker.sync();
      db.exec(`PRAGMA wal_checkpoint(${how})`);
      checkpointed = 0;
    } catch (error) {
      const code = codeOf(error);
      const isFull =
        code === SQLITE_FULL ||
        code === SQLITE_IOERR_SHMSIZE ||
        (error as NodeJS.ErrnoException).code === "ENOSPC";
      if (!isFull && (code === 0 || FATAL.has(code & 0xff))) stop(error); // 0: the mark could not be synced.
    }
  }

  /** Nobody waits long for it: others have work. @returns whether the log is empty. */
  function emptyLog(): boolean {
    if (stopped) return false;
    db.exec(`PRAGMA busy_timeout = ${FOLD_MS}`);
    fold("TRUNCATE");
    db.exec("PRAGMA busy_timeout = 5000");
    return logBytes() === 0;
  }

  /** @param buffers What the tasks are views of: they go back with the answers, for nobody looks at them any more. */
  function answer(tasks: readonly Task[], buffers: ArrayBuffer[]): void {
    if (tasks.some(({ kind }) => kind === ROOM)) beScarce();
    const answers = commitTogether(tasks);
    if (tasks.some(({ kind }) => kind === FOLD)) {
      const isHeld = !emptyLog();
      tasks.forEach(({ kind }, index) => {
        if (kind === FOLD && answers[index] === 0) answers[index] = isHeld ? 1 : 0;
      });
    }
    const pairs = new Float64Array(tasks.length * 2);
    tasks.forEach((task, index) => {
      pairs[index * 2] = task.id;
      pairs[index * 2 + 1] = answers[index] ?? ANSWERS.failed;
    });
    for (const { writes, entries, payload } of tasks) {
      checkpointed += 2 * payload.length;
      for (const { sealed } of writes) checkpointed += 4_096 + (sealed?.length ?? 0);
      for (const { sealed } of entries) checkpointed += 256 + sealed.length;
    }
    port.postMessage({ kind: "answers", pairs, buffers } satisfies WriterReply, [pairs.buffer, ...buffers]);
  }

  port.on("message", (first: WriterRequest) => {
    let request: WriterRequest | undefined = first;
    let isEnd = false;
    while (request !== undefined) {
      const tasks: Task[] = [];
      const buffers: ArrayBuffer[] = [];
      while (request !== undefined && tasks.length < TASKS_PER_COMMIT_MAX) {
        if (request) {
          tasks.push(...readBatch(request.buffer, request.length));
          buffers.push(request.buffer);
        } else isEnd = true;
        request = receiveMessageOnPort(port)?.message;
      }
      if (tasks.length > 0) answer(tasks, buffers);
      checkpoint();
    }
    if (!isEnd) return;
    marker.close();
    db.close(); // The last to close folds the log into the database.
    port.close();
  });
  port.postMessage({ kind: "ready" } satisfies WriterReply);
  isScarce = !reserve.hold(); // Before the first task, but nobody has to wait for it.
}

if (parentPort) run(parentPort, workerData as WriterData);
