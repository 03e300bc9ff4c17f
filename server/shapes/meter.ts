/** Counts the work of one validation, so that no document and no shape can hold the server longer than its budget. */
import { Problem } from "../errors.ts";

export interface Meter {
  /** Starts a new budget. */
  reset(): void;
  /** @throws Problem `shape-invalid` when the time is used up. */
  readonly spend: (steps?: number) => void;
}

/** Asking the time costs more than a step. */
const STEPS_BETWEEN_LOOKS = 1_024;

/** @param clock Milliseconds that only grow. */
export function createMeter(msMax: number, clock: () => number): Meter {
  let end = 0;
  let left = 0;
  return {
    reset() {
      end = clock() + msMax;
      left = STEPS_BETWEEN_LOOKS;
    },
    spend(steps = 1) {
      left -= steps;
      if (left > 0) return;
      left = STEPS_BETWEEN_LOOKS;
      if (clock() > end)
        throw new Problem(
          "shape-invalid",
          `Holding the document against the shape took longer than ${msMax} ms`,
        );
    },
  };
}
