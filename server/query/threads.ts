/** Who may query when: few threads, few queries of one agent at a time, a short line, and then a no. */
import { availableParallelism } from "node:os";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { type QueryThread, startThread } from "./thread.ts";

export interface QueryThreads {
  /**
   * Runs `work` alone on a thread, as soon as it is its turn. The thread is another's only when it is at rest: also after
   * `work` is done, as long as an answer is still being read.
   * @param agent Whose turn it is.
   * @param pod A thread that holds documents under a key that begins so is taken if one is free.
   * @throws Problem `unavailable` with Retry-After when the line is too long, and what `work` throws.
   */
  run<T>(agent: string, pod: string, work: (thread: QueryThread) => Promise<T>): Promise<T>;
  /** Whether a thread that is free now holds documents under a key that begins so. */
  isFree(pod: string): boolean;
  /** Ends all threads, those that are busy after what they do: nothing is remembered of any document. */
  purge(): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly agent: string;
  readonly go: PromiseWithResolvers<void>;
}

/** At most `queriesRunningMax` threads, fewer on a small machine; each begins at the first need for it. */
export function createQueryThreads(limits: Limits, log: Log): QueryThreads {
  const threadsMax = Math.max(1, Math.min(limits.queriesRunningMax, availableParallelism()));
  // One agent never has all threads, if there are two: whoever comes next need not wait for a deadline.
  const perAgentMax = Math.min(limits.queriesPerAgentMax, Math.max(1, threadsMax - 1));
  const idle: QueryThread[] = [];
  const running = new Map<string, number>(); // By agent.
  const line: Waiting[] = [];
  let busy = 0;
  let isClosed = false;
  let purges = 0;
  let retirement: NodeJS.Timeout | undefined;

  const runningOf = (agent: string): number => running.get(agent) ?? 0;
  const mayRun = (agent: string): boolean => busy < threadsMax && runningOf(agent) < perAgentMax;

  function enter(agent: string): void {
    busy++;
    running.set(agent, runningOf(agent) + 1);
  }
  function leave(agent: string): void {
    busy--;
    if (runningOf(agent) > 1) running.set(agent, runningOf(agent) - 1);
    else running.delete(agent);
    // Whoever has the fewest queries running, and of those who came first.
    const ready = line.filter((waiting) => mayRun(waiting.agent));
    const waiting = ready.sort((a, b) => runningOf(a.agent) - runningOf(b.agent))[0];
    if (!waiting) return;
    line.splice(line.indexOf(waiting), 1);
    enter(waiting.agent);
    waiting.go.resolve();
  }

  async function turn(agent: string): Promise<void> {
    if (isClosed) throw new Problem("unavailable");
    if (mayRun(agent)) return enter(agent);
    // One agent cannot fill the line: others find room in the other half.
    const own = line.filter((waiting) => waiting.agent === agent).length;
    if (line.length >= limits.queriesWaitingMax || own >= Math.max(1, limits.queriesWaitingMax / 2)) {
      throw new Problem("unavailable", "Too many queries are running", { headers: { "retry-after": "2" } });
    }
    const go = Promise.withResolvers<void>();
    line.push({ agent, go });
    return go.promise;
  }

  /** Threads that nobody needed for a while end, and give their memory back. */
  function retireLater(): void {
    clearTimeout(retirement);
    retirement = setTimeout(() => {
      for (const thread of idle.splice(0)) void thread.end();
    }, limits.queryIdleMsMax);
    retirement.unref();
  }

  async function take(pod: string): Promise<QueryThread> {
    clearTimeout(retirement);
    const found = idle.findIndex((thread) => [...thread.held.keys()].some((key) => key.startsWith(pod)));
    const [thread] = idle.splice(found < 0 ? 0 : found, 1);
    return thread?.isAlive() ? thread : startThread(limits, log);
  }

  return {
    async run(agent, pod, work) {
      await turn(agent);
      const purged = purges;
      let thread: QueryThread;
      try {
        thread = await take(pod);
      } catch (error) {
        leave(agent);
        throw error;
      }
      const giveBack = async (): Promise<void> => {
        if (thread.isAlive() && !isClosed && purged === purges) idle.push(thread);
        else await thread.end();
        retireLater();
        leave(agent);
      };
      let isOver = false;
      try {
        const result = await work(thread);
        isOver = !thread.isBusy();
        return result;
      } catch (error) {
        isOver = true;
        await thread.atRest();
        throw error;
      } finally {
        if (isOver) await giveBack();
        else void thread.atRest().then(giveBack);
      }
    },
    isFree: (pod) => idle.some((thread) => [...thread.held.keys()].some((key) => key.startsWith(pod))),
    async purge() {
      purges += 1;
      await Promise.all(idle.splice(0).map((thread) => thread.end()));
    },
    async close() {
      isClosed = true;
      clearTimeout(retirement);
      for (const { go } of line.splice(0)) go.reject(new Problem("unavailable"));
      await Promise.all(idle.splice(0).map((thread) => thread.end()));
    },
  };
}
