/** The store, through its port and sealing, beside a bare loop over `node:sqlite`; and how long a write waits at half that load. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../server/limits.ts";
import { createLog } from "../../server/log.ts";
import { openSqliteStore } from "../../server/store/sqlite.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { temporaryFolder } from "../support/store.ts";
import type { Figure } from "./scale.ts";

const PUTS = 64;
const BYTES = 1_024;
const KEY_BYTES = 32;
const MANY = 256;
const WINDOW_MS = 3_000;
const ROUNDS = 3;
const PACED_MS = 6_000;
const TICK_MS = 2;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
export const percentile = (values: Float64Array, share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

export function openBenchStore(folder: string): Promise<Store> {
  return openSqliteStore({
    folder,
    rootKeyFile: join(folder, "root.key"),
    limits: LIMITS,
    log: createLog(
      (line) => void process.stderr.write(`${line}\n`),
      () => new Date(),
      "warn",
    ),
    now: () => new Date(),
  });
}

/** Transactions of 64 synced puts, one after the other; the keys are random, as keyed hashes are. @returns puts a second. */
function bareLoop(file: string): number {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE IF NOT EXISTS record (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT");
  const put = db.prepare("INSERT INTO record VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
  const value = randomBytes(BYTES);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < WINDOW_MS) {
    db.exec("BEGIN IMMEDIATE");
    for (let n = 0; n < PUTS; n++) put.run(randomBytes(KEY_BYTES), value);
    db.exec("COMMIT");
    count += PUTS;
  }
  const seconds = (performance.now() - started) / 1_000;
  db.close();
  return count / seconds;
}

async function putOne(store: Store, pod: PodId, path: string, value: Uint8Array): Promise<void> {
  await store.write(pod, async (transaction) => transaction.put("body", path, "", value));
}

/** Each writer with one synced put at a time. @returns puts a second. */
async function throughStore(store: Store, pod: PodId, round: string, writers = PUTS): Promise<number> {
  const value = randomBytes(BYTES);
  const started = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() - started < WINDOW_MS)
        await putOne(store, pod, `/ana/notes/${round}-${count++}.ttl`, value);
    }),
  );
  return (count / (performance.now() - started)) * 1_000;
}

/** So many puts a second, whether or not the ones before are done. @returns milliseconds each took from when it was due. */
async function paced(store: Store, pod: PodId, perSecond: number): Promise<Float64Array> {
  const value = randomBytes(BYTES);
  const took: number[] = [];
  const running: Promise<void>[] = [];
  const started = performance.now();
  let sent = 0;
  for (let now = started; now - started < PACED_MS; now = performance.now()) {
    for (; sent < ((now - started) / 1_000) * perSecond; sent++) {
      const due = started + (sent / perSecond) * 1_000;
      const done = putOne(store, pod, `/ana/paced/${sent}.ttl`, value);
      running.push(done.then(() => void took.push(performance.now() - due)));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(running);
  return Float64Array.from(took);
}

export async function measureStore(): Promise<readonly Figure[]> {
  const temporary = await temporaryFolder();
  const store = await openBenchStore(temporary.folder);
  try {
    const pod = await store.createPod();
    await throughStore(store, pod, "warm");
    const bare: number[] = [];
    const ours: number[] = [];
    const many: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      bare.push(bareLoop(join(temporary.folder, "bare.db")));
      ours.push(await throughStore(store, pod, `${round}`));
      many.push(await throughStore(store, pod, `many ${round}`, MANY));
    }
    const half = median(ours) / 2;
    const waits = await paced(store, pod, half);
    return [
      { what: "bare node:sqlite, 64 synced puts of 1 KB a transaction", value: median(bare), unit: "puts/s" },
      { what: "the store, 64 writers, sealed and synced", value: median(ours), unit: "puts/s" },
      { what: "share of the bare loop", value: (median(ours) / median(bare)) * 100, unit: "%", least: 50 },
      { what: `the same, ${MANY} writers`, value: median(many), unit: "puts/s" },
      {
        what: `write latency at ${Math.round(half)} a second, p50`,
        value: percentile(waits, 0.5),
        unit: "ms",
      },
      {
        what: `write latency at ${Math.round(half)} a second, p99`,
        value: percentile(waits, 0.99),
        unit: "ms",
        most: 50,
      },
    ];
  } finally {
    await store.close();
    await temporary.remove();
  }
}
