/** Who may send now: so many at once in all and of each kind, in the order in which they came. */

export interface Slot {
  /** Whether it was to be had at once; else things may have changed meanwhile. */
  readonly isFresh: boolean;
  /** Once only counts. */
  release(): void;
}

export interface Slots {
  /** @param keys Each with how many may be under way at once. @returns null when `signal` was aborted first. */
  take(keys: readonly (readonly [key: string, most: number])[], signal: AbortSignal): Promise<Slot | null>;
}

interface Waiting {
  readonly keys: readonly (readonly [key: string, most: number])[];
  readonly give: (slot: Slot | null) => void;
}

/** @param most In all. */
export function createSlots(most: number): Slots {
  const taken = new Map<string, number>();
  let all = 0;
  let waiting: Waiting[] = [];

  const isFree = (keys: Waiting["keys"]): boolean =>
    all < most && keys.every(([key, keyMost]) => (taken.get(key) ?? 0) < keyMost);

  function change(keys: Waiting["keys"], by: 1 | -1): void {
    all += by;
    for (const [key] of keys) {
      const count = (taken.get(key) ?? 0) + by;
      if (count > 0) taken.set(key, count);
      else taken.delete(key);
    }
  }

  function occupy(keys: Waiting["keys"], isFresh: boolean): Slot {
    change(keys, 1);
    let isReleased = false;
    return {
      isFresh,
      release() {
        if (isReleased) return;
        isReleased = true;
        change(keys, -1);
        // Who waits for a busy target is passed by.
        const rest: Waiting[] = [];
        for (const one of waiting) {
          if (isFree(one.keys)) one.give(occupy(one.keys, false));
          else rest.push(one);
        }
        waiting = rest;
      },
    };
  }

  return {
    take(keys, signal) {
      if (signal.aborted) return Promise.resolve(null);
      if (isFree(keys)) return Promise.resolve(occupy(keys, true));
      return new Promise((resolve) => {
        const one: Waiting = {
          keys,
          give(slot) {
            signal.removeEventListener("abort", leave);
            resolve(slot);
          },
        };
        const leave = (): void => {
          waiting = waiting.filter((other) => other !== one);
          one.give(null);
        };
        signal.addEventListener("abort", leave);
        waiting.push(one);
      });
    },
  };
}
