/**
 * Reading many pages costs, and what was read is held until it is sent: so many at once, not all of them for one agent, and
 * none for somebody who does not read on.
 */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Result } from "../operation.ts";

export type Turns = (agent: Agent, work: () => Promise<Result>) => Promise<Result>;

type TurnLimits = Pick<
  Limits,
  "seriesRangesPerAgentMax" | "seriesRangesRunningMax" | "queryStallMsMax" | "queryReadMsMax"
>;

/** @throws Problem `too-many-requests` for who has too many under way, `unavailable` where all have. */
export function createTurns(limits: TurnLimits): Turns {
  const running = new Map<string, number>();
  let all = 0;

  /** @returns what gives it back. */
  function take(key: string): () => void {
    const own = running.get(key) ?? 0;
    const headers = { "retry-after": "1" };
    if (own >= limits.seriesRangesPerAgentMax) throw new Problem("too-many-requests", undefined, { headers });
    if (all >= limits.seriesRangesRunningMax) throw new Problem("unavailable", undefined, { headers });
    running.set(key, own + 1);
    all += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      all -= 1;
      const left = (running.get(key) ?? 1) - 1;
      if (left === 0) running.delete(key);
      else running.set(key, left);
    };
  }

  return async ({ webid }, work) => {
    const release = take(webid ?? ""); // The public is one.
    try {
      const result = await work();
      const { body } = result;
      if (body !== null && typeof body === "object" && !(body instanceof Uint8Array))
        return { ...result, body: untilRead(body, release, limits) };
      release();
      return result;
    } catch (error) {
      release();
      throw error;
    }
  };
}

/**
 * The same content, given up when its reader takes nothing for too long, or is too slow all in all. Not a generator: one
 * that was never begun could not be told that nobody wants it.
 */
function untilRead(
  content: AsyncIterable<Uint8Array>,
  release: () => void,
  { queryStallMsMax, queryReadMsMax }: TurnLimits,
): AsyncIterableIterator<Uint8Array> {
  let inner: AsyncIterator<Uint8Array> | null = content[Symbol.asyncIterator]();
  let leftMs = queryReadMsMax;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;

  function end(): void {
    clearTimeout(timer);
    void inner?.return?.();
    inner = null;
    release();
  }
  function watch(): void {
    since = performance.now();
    timer = setTimeout(end, Math.max(0, Math.min(queryStallMsMax, leftMs))).unref();
  }

  watch();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      clearTimeout(timer);
      leftMs -= performance.now() - since;
      // What was cut off must not look whole.
      if (!inner) throw new Problem("unavailable", "The answer was read too slowly");
      try {
        const step = await inner.next();
        if (step.done) end();
        else watch();
        return step;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      return { done: true, value: undefined };
    },
  };
}
