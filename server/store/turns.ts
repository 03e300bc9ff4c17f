/** Optimistic transactions that lost a race run again; those that lose twice queue up instead of racing on. */
import { Problem } from "../errors.ts";
import type { PodId } from "./store.ts";

/** What an attempt answers when something it read has changed before its commit. */
export const LOST: unique symbol = Symbol("lost");

export interface Turns {
  /**
   * Runs `attempt` until it does not lose.
   * @throws Problem `write-conflict` after `triesMax` lost races.
   */
  run<T>(pod: PodId, attempt: () => Promise<T | typeof LOST>): Promise<T>;
}

export function createTurns(triesMax: number): Turns {
  const last = new Map<PodId, Promise<void>>();

  /** Of losers only one per pod runs at a time: a hundred writers of one record need a hundred commits, not five thousand. */
  async function takeTurn(pod: PodId): Promise<() => void> {
    const before = last.get(pod);
    const { promise, resolve } = Promise.withResolvers<void>();
    last.set(pod, promise);
    await before;
    return () => {
      if (last.get(pod) === promise) last.delete(pod);
      resolve();
    };
  }

  return {
    async run(pod, attempt) {
      let leave: (() => void) | null = null;
      try {
        for (let tries = 1; tries <= triesMax; tries++) {
          const outcome = await attempt();
          if (outcome !== LOST) return outcome;
          if (tries >= 2) leave ??= await takeTurn(pod);
        }
      } finally {
        leave?.();
      }
      throw new Problem("write-conflict", `Tried ${triesMax} times`);
    },
  };
}
