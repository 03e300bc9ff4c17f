/** One query thread, seen from outside: asked one thing at a time, ended when it takes too long. */
import { Worker } from "node:worker_threads";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Answer, Request, Response, Task, WorkerSettings } from "./messages.ts";

export interface QueryThread {
  /** Which documents it holds, by pod. Kept by whoever loads. */
  readonly held: Map<string, Set<number>>;
  readonly isAlive: () => boolean;
  /**
   * @param msMax Milliseconds until the thread is ended.
   * @throws Problem `query-timeout` after that; whatever problem the thread answers with.
   */
  ask(task: Task, msMax: number): Promise<Exclude<Answer, { kind: "problem" }>>;
  end(): Promise<void>;
}

const STARTED_MS_MAX = 30_000;
const RETRY = { headers: { "retry-after": "5" } };

/** @throws Problem `unavailable` when the thread does not start. */
export async function startThread(limits: Limits, log: Log): Promise<QueryThread> {
  const started = performance.now();
  const name = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js"; // The published package has no .ts files.
  const settings: WorkerSettings = { limits };
  const worker = new Worker(new URL(name, import.meta.url), {
    workerData: settings,
    name: "freehold-query",
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: limits.queryHeapMbMax, stackSizeMb: 4 },
  });
  let alive = true;
  let lastId = 0;
  let waiting: PromiseWithResolvers<Answer> | null = Promise.withResolvers<Answer>();
  let waitingId = 0;

  const settle = (done: (waiter: PromiseWithResolvers<Answer>) => void): void => {
    const waiter = waiting;
    waiting = null;
    worker.unref(); // A thread that waits for work keeps no process alive.
    if (waiter) done(waiter);
  };
  const fail = (problem: Problem): void => {
    alive = false;
    settle((waiter) => waiter.reject(problem));
  };
  worker.on("message", ({ id, answer }: Response) => {
    if (id === waitingId) settle((waiter) => waiter.resolve(answer));
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

  async function answerWithin(
    waiter: PromiseWithResolvers<Answer>,
    msMax: number,
    late: () => Problem,
  ): Promise<Answer> {
    worker.ref();
    const timer = setTimeout(() => {
      if (waiting !== waiter) return;
      fail(late());
      void worker.terminate();
    }, msMax);
    try {
      return await waiter.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  await answerWithin(
    waiting,
    STARTED_MS_MAX,
    () => new Problem("unavailable", "The query engine does not start", RETRY),
  );
  log.info("query.thread-started", { ms: Math.round(performance.now() - started) });
  return {
    held: new Map(),
    isAlive: () => alive,
    async ask(task, msMax) {
      if (!alive || waiting) throw new Problem("unavailable", undefined, RETRY);
      const waiter = Promise.withResolvers<Answer>();
      waiting = waiter;
      waitingId = ++lastId;
      worker.postMessage({ id: waitingId, task } satisfies Request, []);
      const answer = await answerWithin(
        waiter,
        Math.max(1, msMax),
        () => new Problem("query-timeout", undefined, RETRY),
      );
      if (answer.kind === "problem") throw new Problem(answer.code, answer.detail);
      return answer;
    },
    async end() {
      alive = false;
      await worker.terminate();
    },
  };
}
