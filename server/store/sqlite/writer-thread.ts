/** The main thread's end of the writer: gathers what one event-loop turn brings, sends it at once, and hands out the answers. */
import { Worker } from "node:worker_threads";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { PodKeys } from "../sealed/seal.ts";
import { ANSWERS, type Commit, CREATE, createBatch, PING, PURGE, REINDEX, ROOM } from "./batch.ts";
import type { BulkKind } from "./bulk.ts";
import type { WriterData, WriterReply, WriterRequest } from "./writer.ts";

/** More than this is sent before the turn ends, so that the writer starts early. */
const BATCH_BYTES = 48 * 1024;

export interface WriterThread {
  /** @param answered Called once, in the order of the commits, with the new generation or one of {@link ANSWERS}. */
  commit(keys: PodKeys, commit: Commit, answered: (answer: number) => void): void;
  create(pod: Buffer): Promise<void>;
  /** Removes the pod and some of its records; @returns how many, 0 when none are left. */
  purge(pod: Buffer): Promise<number>;
  /** A task of bulk.ts. @returns its answer. @throws Problem for one that means failure. */
  bulk(kind: BulkKind, pod: Buffer, payload: Uint8Array): Promise<number>;
  /** Resolves when a transaction of no effect was committed. @throws Problem `unavailable`. */
  ping(): Promise<void>;
  /** Gives up the reserve. Until there is room again, only what deletes is stored. */
  makeRoom(): Promise<void>;
  /** Makes the lookup index anew from the table. @returns false where that is not safe, so it was not done. */
  reindex(): Promise<boolean>;
  /** Resolves when all that was sent is answered and the database is closed. */
  close(): Promise<void>;
}

/** What an answer that is no generation means to the caller. */
export function problemOf(answer: number): Problem {
  if (answer === ANSWERS.full) return new Problem("storage-full");
  if (answer === ANSWERS.missing) return new Problem("not-found");
  if (answer === ANSWERS.quota) return new Problem("quota-exceeded");
  if (answer === ANSWERS.unknown) return new Problem("outcome-unknown");
  return new Problem("unavailable", "Nothing was stored", { headers: { "retry-after": "30" } });
}

/** @throws whatever keeps the thread from starting. */
export async function startWriter(data: WriterData, log: Log): Promise<WriterThread> {
  const name = import.meta.url.endsWith(".ts") ? "./writer.ts" : "./writer.js"; // The published package has no .ts files.
  const worker = new Worker(new URL(name, import.meta.url), {
    workerData: data,
    name: "freehold-writer",
    execArgv: [], // Those of the process are about its own script.
  });
  const waiting = new Map<number, (answer: number) => void>();
  const batch = createBatch();
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let lastId = 0;
  let isScheduled = false;
  let isOpen = true;

  function settle(id: number, answer: number): void {
    const answered = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref(); // A thread that waits for work keeps no process alive.
    answered?.(answer);
  }

  worker.on("message", (reply: WriterReply) => {
    if (reply.kind === "answers") {
      for (let index = 0; index < reply.pairs.length; index += 2)
        settle(reply.pairs[index] ?? 0, reply.pairs[index + 1] ?? ANSWERS.failed);
      for (const buffer of reply.buffers) batch.giveBack(buffer);
    } else if (reply.kind === "ready") {
      worker.unref();
      ready.resolve();
    } else {
      log.error(`store.writer.${reply.kind}`, { cause: reply.cause });
    }
  });
  worker.on("error", (error) => {
    log.error("store.writer.died", { cause: String(error) });
    ready.reject(error);
  });
  worker.on("exit", () => {
    isOpen = false;
    for (const id of waiting.keys()) settle(id, ANSWERS.unknown);
    ended.resolve();
  });

  function send(): void {
    isScheduled = false;
    if (!isOpen || batch.size() === 0) return;
    const { buffer, length } = batch.take();
    worker.postMessage({ buffer, length } satisfies WriterRequest, [buffer]);
  }

  function enqueue(add: (id: number) => void, answered: (answer: number) => void): void {
    if (!isOpen) {
      answered(ANSWERS.stopped);
      return;
    }
    lastId++;
    if (waiting.size === 0) worker.ref();
    waiting.set(lastId, answered);
    add(lastId);
    if (batch.size() > BATCH_BYTES) send();
    else if (!isScheduled) {
      isScheduled = true;
      setImmediate(send); // After all sockets of this turn have been read.
    }
  }

  const simple = (
    kind: typeof CREATE | typeof PURGE | typeof PING | typeof ROOM | typeof REINDEX,
    pod: Buffer,
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      const answered = (answer: number): void => (answer < 0 ? reject(problemOf(answer)) : resolve(answer));
      enqueue((id) => batch.simple(kind, id, pod.toString("latin1")), answered);
    });

  await ready.promise;
  return {
    commit: (keys, commit, answered) => enqueue((id) => batch.commit(id, keys.idLatin1, commit), answered),
    create: async (pod) => void (await simple(CREATE, pod)),
    purge: (pod) => simple(PURGE, pod),
    bulk: (kind, pod, payload) =>
      new Promise((resolve, reject) => {
        const answered = (answer: number): void => (answer < 0 ? reject(problemOf(answer)) : resolve(answer));
        enqueue((id) => batch.bulk(kind, id, pod.toString("latin1"), payload), answered);
      }),
    ping: async () => void (await simple(PING, Buffer.alloc(16))),
    makeRoom: async () => void (await simple(ROOM, Buffer.alloc(16))),
    reindex: async () => (await simple(REINDEX, Buffer.alloc(16))) === 0,
    async close() {
      send();
      if (isOpen) {
        worker.ref();
        worker.postMessage(null satisfies WriterRequest, []);
      }
      await ended.promise;
    },
  };
}
