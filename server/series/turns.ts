/** Reading many pages costs: so many at once, and not all of them for one agent. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent } from "../operation.ts";

export type Turns = <T>(agent: Agent, work: () => Promise<T>) => Promise<T>;

/** @throws Problem `too-many-requests` for who has too many under way, `unavailable` where all have. */
export function createTurns({ seriesRangesPerAgentMax, seriesRangesRunningMax }: Limits): Turns {
  const running = new Map<string, number>();
  let all = 0;
  return async ({ webid }, work) => {
    const key = webid ?? ""; // The public is one.
    const own = running.get(key) ?? 0;
    const headers = { "retry-after": "1" };
    if (own >= seriesRangesPerAgentMax) throw new Problem("too-many-requests", undefined, { headers });
    if (all >= seriesRangesRunningMax) throw new Problem("unavailable", undefined, { headers });
    running.set(key, own + 1);
    all += 1;
    try {
      return await work();
    } finally {
      all -= 1;
      const left = (running.get(key) ?? 1) - 1;
      if (left === 0) running.delete(key);
      else running.set(key, left);
    }
  };
}
