/** Many at once, but not too many: turns by lane, and a line of rows that waits for whoever takes them. */

/** Lets `max` run at once in each lane; the others wait in the order they came. */
export function createLanes(max: number): <T>(lane: string, work: () => Promise<T>) => Promise<T> {
  const running = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();
  return async (lane, work) => {
    if ((running.get(lane) ?? 0) >= max) {
      await new Promise<void>((go) => waiting.set(lane, [...(waiting.get(lane) ?? []), go]));
    } else {
      running.set(lane, (running.get(lane) ?? 0) + 1);
    }
    try {
      return await work();
    } finally {
      const [next, ...rest] = waiting.get(lane) ?? [];
      waiting.set(lane, rest);
      if (next)
        next(); // Takes over this turn.
      else running.set(lane, (running.get(lane) ?? 1) - 1);
    }
  };
}

export interface Belt<T> {
  /** Waits while the belt is full. */
  put(item: T): Promise<void>;
  /** @param error What the taker gets after what is on the belt. */
  end(error?: unknown): void;
  take(): AsyncGenerator<T, void, undefined>;
}

/** Between many who put and one who takes: at most `max` lie on it, so that a slow taker slows all who put. */
export function createBelt<T>(max: number): Belt<T> {
  const items: T[] = [];
  let putters: (() => void)[] = [];
  let taker: (() => void) | null = null;
  const state: { ended: { readonly error?: unknown } | null } = { ended: null };
  return {
    async put(item) {
      while (items.length >= max && !state.ended) await new Promise<void>((go) => putters.push(go));
      if (state.ended) return;
      items.push(item);
      taker?.();
    },
    end(error) {
      state.ended ??= error === undefined ? {} : { error };
      taker?.();
      for (const go of putters.splice(0)) go();
    },
    async *take() {
      for (;;) {
        while (items.length > 0) {
          const batch = items.splice(0);
          const freed = putters;
          putters = [];
          for (const go of freed) go();
          yield* batch;
        }
        if (state.ended) break;
        await new Promise<void>((go) => (taker = go));
        taker = null;
      }
      if (state.ended?.error !== undefined) throw state.ended.error;
    },
  };
}
