/** One query thread, seen from outside: asked one thing at a time, ended when it takes too long. */
import { Worker } from "node:worker_threads";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Lru } from "../lru.ts";
import { createKnownSets, type KnownSets } from "./known-sets.ts";
import {
  type Answer,
  type Request,
  type Response,
  ROOM,
  type RunTask,
  type Task,
  UNWANTED,
  type WorkerSettings,
} from "./messages.ts";

/** What a thread holds of one pod. Kept by whoever loads. */
export interface Held {
  readonly documents: Set<number>;
  /** Names of the sets of which it holds every document, those that were asked last; of others each document is looked at. */
  readonly sets: Lru<number, true>;
  /** Whether it was given what there was of an index, so that nobody tries again. */
  isOpened: boolean;
  /** Documents that came or went since its index was kept on disk. */
  readonly unkept: Set<number>;
}

export interface Whole {
  readonly kind: "whole";
  readonly bytes: Uint8Array;
  readonly rows: number;
}
/** The thread stays busy until the last piece is read, or until nobody wants it. */
export interface Streamed {
  readonly kind: "streamed";
  readonly pieces: AsyncIterableIterator<Uint8Array>;
}

export interface QueryThread {
  readonly held: Map<string, Held>;
  /** Sets whose numbers were sent and are remembered there. */
  readonly sets: KnownSets<true>;
  readonly isAlive: () => boolean;
  /**
   * @param msMax Milliseconds until the thread is ended.
   * @throws Problem `query-timeout` after that; whatever problem the thread answers with.
   */
  ask(task: Exclude<Task, RunTask>, msMax: number): Promise<Answer>;
  /** @returns null when the thread does not know the set. @throws as `ask`, and so do the pieces. */
  run(task: RunTask): Promise<Whole | Streamed | null>;
  readonly isBusy: () => boolean;
  /** Resolves when nothing that was asked is unanswered any more. */
  atRest(): Promise<void>;
  end(): Promise<void>;
}

const STARTED_MS_MAX = 30_000;
/** The thread looks at the time by itself; only what does not come to looking is ended from outside. */
const GRACE_MS = 250;
const RETRY = { headers: { "retry-after": "5" } };
const problemOf = (answer: Answer & { kind: "problem" }): Problem =>
  new Problem(answer.code, answer.detail, answer.code === "query-timeout" ? RETRY : {});

/** Hears of all that comes for one request. */
interface Listener {
  heard(answer: Answer): void;
  failed(problem: Problem): void;
}

/** @throws Problem `unavailable` when the thread does not start. */
export async function startThread(limits: Limits, log: Log): Promise<QueryThread> {
  const started = performance.now();
  const name = import.meta.url.endsWith(".ts") ? "./start.ts" : "./start.js"; // The published package has no .ts files.
  const room = new Int32Array(new SharedArrayBuffer(8));
  const settings: WorkerSettings = { limits, room };
  const worker = new Worker(new URL(name, import.meta.url), {
    workerData: settings,
    name: "freehold-query",
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: limits.queryHeapMbMax, stackSizeMb: 4 },
  });
  let alive = true;
  let lastId = 0;
  let listener: Listener | null = null;
  let rest = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;

  /** A thread that waits for work keeps no process alive. */
  function settle(): Listener | null {
    const before = listener;
    listener = null;
    clearTimeout(timer);
    worker.unref();
    rest.resolve();
    return before;
  }
  function fail(problem: Problem): void {
    alive = false;
    settle()?.failed(problem);
  }
  function endAfter(ms: number, late: () => Problem): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      fail(late());
      void worker.terminate();
    }, ms);
  }
  const tooLate = (): Problem => new Problem("query-timeout", undefined, RETRY);

  function begin(task: Task | null, ms: number, late: () => Problem, next: Listener): void {
    listener = next;
    rest = Promise.withResolvers<void>();
    worker.ref();
    endAfter(ms, late);
    if (task) worker.postMessage({ id: ++lastId, task } satisfies Request, []);
  }
  function waitFor(task: Task | null, ms: number, late = tooLate): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    begin(task, ms, late, { heard: resolve, failed: reject });
    return promise.then((answer) => {
      if (answer.kind === "problem") throw problemOf(answer);
      return answer;
    });
  }

  worker.on("message", ({ id, answer }: Response) => {
    if (id !== lastId) return;
    if (answer.kind === "piece") listener?.heard(answer);
    else settle()?.heard(answer);
  });
  worker.on("error", (error: Error & { code?: string }) => {
    const isMemory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
    log.error("query.thread-failed", { cause: isMemory ? "memory" : error.message });
    fail(
      isMemory
        ? new Problem("query-timeout", "The query needs too much memory", RETRY)
        : new Problem("internal", undefined, { cause: error }),
    );
  });
  worker.on("exit", () => fail(new Problem("unavailable", "The query was ended", RETRY)));

  await waitFor(
    null,
    STARTED_MS_MAX,
    () => new Problem("unavailable", "The query engine does not start", RETRY),
  );
  log.info("query.thread-started", { ms: Math.round(performance.now() - started) });

  const mayAsk = (): void => {
    if (!alive || listener) throw new Problem("unavailable", undefined, RETRY);
  };
  return {
    held: new Map(),
    sets: createKnownSets(),
    isAlive: () => alive,
    isBusy: () => listener !== null,
    async ask(task, msMax) {
      mayAsk();
      return waitFor(task, Math.max(1, msMax));
    },
    async run(task) {
      mayAsk();
      Atomics.store(room, ROOM, limits.queryRoomBytesMax);
      Atomics.store(room, UNWANTED, 0);
      const first = Promise.withResolvers<Whole | Streamed | null>();
      let stream: ReturnType<typeof createPieces> | null = null;
      begin(task, task.msMax + GRACE_MS, tooLate, {
        heard(answer) {
          if (answer.kind === "piece") {
            if (!stream) {
              stream = createPieces(room);
              first.resolve({ kind: "streamed", pieces: stream.pieces });
              // From now on it may also have to wait for whoever reads.
              endAfter(task.msMax + limits.queryStallMsMax + limits.queryReadMsMax + GRACE_MS, tooLate);
            }
            stream.push(answer.bytes);
          } else if (answer.kind === "answered") {
            if (stream) stream.end(answer.bytes);
            else first.resolve({ kind: "whole", bytes: answer.bytes, rows: answer.rows });
          } else if (answer.kind === "problem") this.failed(problemOf(answer));
          else first.resolve(null);
        },
        failed(problem) {
          if (stream) stream.fail(problem);
          else first.reject(problem);
        },
      });
      return first.promise;
    },
    atRest: () => (listener ? rest.promise : Promise.resolve()),
    async end() {
      alive = false;
      await worker.terminate();
    },
  };
}

/** Pieces that came and were not read yet. Not a generator: one that was never begun could not be told that nobody wants it. */
function createPieces(room: Int32Array<SharedArrayBuffer>) {
  const waiting: Uint8Array[] = [];
  let isOver = false;
  let problem: Problem | null = null;
  let wake: (() => void) | null = null;
  const changed = (): void => {
    wake?.();
    wake = null;
  };
  const pieces: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => pieces,
    async next() {
      for (;;) {
        const piece = waiting.shift();
        if (piece) {
          Atomics.add(room, ROOM, piece.length);
          Atomics.notify(room, ROOM);
          return { done: false, value: piece };
        }
        if (problem) throw problem;
        if (isOver) return { done: true, value: undefined };
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async return() {
      if (!isOver && !problem) {
        Atomics.store(room, UNWANTED, 1);
        Atomics.add(room, ROOM, 1); // So that it does not begin to wait just now.
        Atomics.notify(room, ROOM);
      }
      isOver = true;
      waiting.length = 0;
      changed();
      return { done: true, value: undefined };
    },
  };
  return {
    pieces,
    push(bytes: Uint8Array) {
      if (!isOver) waiting.push(bytes);
      changed();
    },
    end(bytes: Uint8Array) {
      if (!isOver && bytes.length > 0) waiting.push(bytes);
      isOver = true;
      changed();
    },
    fail(why: Problem) {
      problem = why;
      changed();
    },
  };
}
