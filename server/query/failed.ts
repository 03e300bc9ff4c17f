/**
 * Queries that fail when they were evaluated already: that they do tells something of what they ranged over, so whoever
 * counts what is read has to know of that, too.
 */
import { Problem } from "../errors.ts";
import type { Extent } from "../operation.ts";
import type { Pod } from "../store/pods.ts";

/** A pod, and what a query ranged over there. */
export interface RangedOver {
  readonly pod: Pod;
  readonly extent: Extent;
}

const ranged = new WeakMap<Problem, readonly RangedOver[]>();

/** Evaluates; of a refusal it is remembered over what. */
export async function evaluating<T>(over: readonly RangedOver[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) ranged.set(error, over);
    throw error;
  }
}

/** Over what the query ranged that was refused; nothing for all other refusals. */
export const rangedOver = (error: unknown): readonly RangedOver[] =>
  error instanceof Problem ? (ranged.get(error) ?? []) : [];
