/**
 * Sets of documents that a query thread was told of, by their names. The server and the thread remember them by the same
 * rule, told of the same in the same order: so what is forgotten on one side is forgotten on the other, and sent again.
 */
import { Lru } from "../lru.ts";

/** Numbers of all sets that are remembered: twice as many as documents that a thread holds. */
const SET_NUMBERS_MAX = 2_000_000;
/** Of a set with nothing in it, in numbers. */
const SET_WEIGHT = 100;

export interface KnownSets<V> {
  get(id: number): V | undefined;
  /** @param numbers How many are in it. One that is larger than all may be is not remembered, here or there. */
  set(id: number, value: V, numbers: number): void;
}

export function createKnownSets<V>(): KnownSets<V> {
  const sets = new Lru<number, V>(SET_NUMBERS_MAX);
  return {
    get: (id) => sets.get(id),
    set: (id, value, numbers) => sets.set(id, value, numbers + SET_WEIGHT),
  };
}
