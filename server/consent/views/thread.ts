/** Where views are made: at once where there is little, in a thread that can be ended where there is much. */
import { Worker } from "node:worker_threads";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { type Derived, derive, type Job } from "./derive.ts";
import type { Request, Response } from "./worker.ts";

export interface Deriving {
  /** @throws Problem `query-refused` for too much, `query-timeout`, `unavailable`. */
  readonly run: (job: Job) => Promise<Derived>;
  /** Ends the thread: nothing is remembered. */
  readonly close: () => Promise<void>;
}

/** Up to this it takes some milliseconds, and a thread would take longer to be told. */
const AT_ONCE_BYTES = 64 * 1024;
const WAITING_MAX = 32;
const HEAP_MB = 512;
const RETRY = { headers: { "retry-after": "5" } };

const sizeOf = (job: Job): number =>
  job.kind === "spell" ? job.bytes.length : job.parts.reduce((sum, { bytes }) => sum + bytes.length, 0);

interface Waiting {
  readonly resolve: (derived: Derived) => void;
  readonly reject: (problem: Problem) => void;
}

export function createDeriving(limits: Limits, log: Log): Deriving {
  let worker: Worker | null = null;
  let lastId = 0;
  let waiting = new Map<number, Waiting>();
  let line: Promise<unknown> = Promise.resolve();
  let count = 0;
  let retirement: NodeJS.Timeout | undefined;

  function fail(problem: Problem): void {
    const left = waiting;
    waiting = new Map();
    for (const { reject } of left.values()) reject(problem);
  }

  function start(): Worker {
    const name = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js"; // The published package has no .ts files.
    const made = new Worker(new URL(name, import.meta.url), {
      workerData: limits,
      name: "freehold-views",
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, stackSizeMb: 4 },
    });
    made.on("message", (response: Response) => {
      const found = waiting.get(response.id);
      waiting.delete(response.id);
      if (response.kind === "derived") found?.resolve(response);
      else found?.reject(new Problem(response.code, response.detail));
    });
    made.on("error", (error: Error) => {
      log.error("consent.view-thread-failed", { cause: error.message });
      if (worker === made) worker = null;
      fail(new Problem("unavailable", undefined, RETRY));
    });
    made.on("exit", () => {
      if (worker === made) worker = null;
      fail(new Problem("unavailable", undefined, RETRY));
    });
    return made;
  }

  async function ask(job: Job): Promise<Derived> {
    clearTimeout(retirement);
    const asked = (worker ??= start());
    const id = ++lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Derived>();
    waiting.set(id, { resolve, reject });
    asked.ref();
    asked.postMessage({ id, job } satisfies Request, []);
    const late = setTimeout(() => {
      if (worker === asked) worker = null;
      waiting.delete(id);
      reject(new Problem("query-timeout", "The view takes too long to make", RETRY));
      void asked.terminate();
    }, limits.viewMsMax);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      asked.unref(); // A thread that waits for work keeps no process alive.
      retirement = setTimeout(() => void close(), limits.queryIdleMsMax).unref();
    }
  }

  async function close(): Promise<void> {
    clearTimeout(retirement);
    const ended = worker;
    worker = null;
    await ended?.terminate();
  }

  return {
    async run(job) {
      if (sizeOf(job) <= AT_ONCE_BYTES) return derive(job, limits);
      if (count >= WAITING_MAX) throw new Problem("unavailable", "Too many views are being made", RETRY);
      count += 1;
      // One after the other.
      const turn = line.then(() => ask(job));
      line = turn.catch(() => undefined);
      try {
        return await turn;
      } finally {
        count -= 1;
      }
    },
    close,
  };
}
