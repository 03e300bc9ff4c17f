/** Answers that leave at fixed times, so that how long one took tells little of what was done for it. */
import { setTimeout as wait } from "node:timers/promises";

/** Resolves at the next multiple of so many milliseconds after the beginning. @param began As `performance.now()`. */
export async function untilSlot(began: number, slotMs: number): Promise<void> {
  if (slotMs > 0) await wait(slotMs - ((performance.now() - began) % slotMs));
}
