/** What every torture is: trials that go on until their time is over or their number reached, and one row of the table. */
import { postgresMissing } from "../support/postgres.ts";

export interface Order {
  readonly seed: number;
  /** No trial begins after that many … */
  readonly trialsMax: number;
  /** … nor when this says so. */
  readonly isOver?: () => boolean;
  /** Called after each trial. */
  readonly progress?: (trials: number) => void;
}

export interface Outcome {
  /** Null: it was run. Else why it could not be. */
  readonly skipped: string | null;
  readonly trials: number;
  /** What is wrong; empty if nothing is. */
  readonly faults: readonly string[];
  /** Counted and measured, for the table. */
  readonly figures: Readonly<Record<string, number | string>>;
}

export const skipped = (why: string): Outcome => ({ skipped: why, trials: 0, faults: [], figures: {} });

/** A torture that is left out where PostgreSQL is missing. */
export const onPostgres =
  (run: (order: Order) => Promise<Outcome>) =>
  async (order: Order): Promise<Outcome> =>
    postgresMissing === null ? run(order) : skipped(postgresMissing);

/** @param share 0.5 is the median. @returns 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Whether another trial may begin. */
export const goesOn = ({ trialsMax, isOver }: Order, trials: number): boolean =>
  trials < trialsMax && !(isOver?.() ?? false);
