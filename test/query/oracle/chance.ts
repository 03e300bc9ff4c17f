/** Chance that can be repeated: the same seed, the same choices. */
export interface Chance {
  /** @returns from 0 up to, and without, `end`. */
  below(end: number): number;
  /** True in `percent` of 100 cases. */
  is(percent: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** One of them, each as often as its weight says. */
  weighted<T>(list: readonly (readonly [weight: number, value: T])[]): T;
}

export function createChance(seed: number): Chance {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0;
  // mulberry32: one 32-bit state, good enough to choose test cases.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    below,
    is: (percent) => next() * 100 < percent,
    pick: (list) => list[below(list.length)]!,
    weighted(list) {
      let at = below(list.reduce((sum, [weight]) => sum + weight, 0));
      for (const [weight, value] of list) if ((at -= weight) < 0) return value;
      throw new Error("nothing to choose from");
    },
  };
}
