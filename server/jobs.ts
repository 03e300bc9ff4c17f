/** Long work for whoever runs the server: what is under way, how far it is, and how it ended. Kept in memory, and it names no content. */
import { setTimeout as later } from "node:timers/promises";
import { OperatorError, Problem } from "./errors.ts";
import { PROBLEMS } from "./problems.ts";
import { randomHex } from "./random.ts";

export interface JobProgress {
  readonly stage: string;
  readonly done: number;
  /** Null: nobody knows. */
  readonly total: number | null;
  readonly unit: "bytes" | "items";
}

export interface Job {
  readonly id: string;
  /** Such as `backup`, `scrub`, `export`. */
  readonly what: string;
  /** Who began it. */
  readonly by: "command line" | "hosting page" | "owner" | "clock";
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly ended: number | null;
  /** `found` is for what ran to its end and says that something is wrong. */
  readonly state: "running" | "done" | "found" | "failed";
  readonly progress: JobProgress | null;
  /** Why it failed; null when it did not. */
  readonly why: string | null;
}

export interface Jobs {
  /** The newest first. */
  list(): readonly Job[];
  /** Waits for what is under way, for a while: to be called while the store is still open. */
  settled(): Promise<void>;
  /**
   * Runs a piece of work where it can be watched.
   * @param isWell Of what it came to: whether all is well.
   * @throws what the work throws.
   */
  watch<T>(
    what: string,
    by: Job["by"],
    work: (report: (progress: JobProgress) => void) => Promise<T>,
    isWell?: (result: T) => boolean,
  ): Promise<T>;
}

const SETTLE_MS_MAX = 10_000; // How long work may hold up the server's end.
const JOBS_KEPT = 100; // More than anybody looks back at.

/** Whatever has a slash in it may be a place in somebody's pod. */
export const withoutPlaces = (text: string): string => text.replace(/\S*\/\S*/g, "…");

/** A failure in words that tell of no content: those of our own mistakes may hold anything, and are for the log. */
function whyOf(error: unknown): string {
  if (error instanceof OperatorError) return withoutPlaces(error.message);
  if (error instanceof Problem) return `${PROBLEMS[error.code].title}. ${PROBLEMS[error.code].next}`;
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall === undefined
    ? "The server made a mistake; its log says which."
    : `The operating system refused (${code ?? syscall}).`;
}

export function createJobs(now: () => Date): Jobs {
  const jobs: Job[] = [];
  const running = new Set<Promise<unknown>>();
  return {
    async settled() {
      const patience = new AbortController();
      await Promise.race([
        Promise.allSettled(running),
        later(SETTLE_MS_MAX, null, { signal: patience.signal }).catch(() => null),
      ]);
      patience.abort();
    },
    list: () => [...jobs].reverse(),
    async watch(what, by, work, isWell = () => true) {
      let job: Job = {
        id: randomHex(8),
        what,
        by,
        began: now().getTime(),
        ended: null,
        state: "running",
        progress: null,
        why: null,
      };
      jobs.push(job);
      const change = (fields: Partial<Job>): void => {
        const place = jobs.indexOf(job);
        job = { ...job, ...fields };
        if (place !== -1) jobs[place] = job;
      };
      while (jobs.length > JOBS_KEPT) {
        const oldest = jobs.findIndex(({ ended }) => ended !== null);
        if (oldest === -1) break; // All of them run.
        jobs.splice(oldest, 1);
      }
      try {
        const working = work((progress) => change({ progress }));
        running.add(working);
        const result = await working.finally(() => running.delete(working));
        change({ ended: now().getTime(), state: isWell(result) ? "done" : "found" });
        return result;
      } catch (error) {
        change({ ended: now().getTime(), state: "failed", why: whyOf(error) });
        throw error;
      }
    },
  };
}
