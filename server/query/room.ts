/** What bounds one evaluation in its thread: time, what it holds at once, and how far it may run ahead of its reader. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Control } from "./engine/contract.ts";
import { ROOM, UNWANTED } from "./messages.ts";

export interface Room extends Control {
  /** Sends a piece of the answer; waits until there is room for it. @throws Problem `query-timeout` when nobody reads. */
  readonly emit: (bytes: Uint8Array) => void;
}

/**
 * @param msMax Milliseconds; those in which it waits for the reader do not count.
 * @param send Takes the bytes away.
 */
export function createRoom(
  shared: Int32Array<SharedArrayBuffer>,
  msMax: number,
  limits: Limits,
  send: (bytes: Uint8Array) => void,
): Room {
  let until = performance.now() + msMax;
  let waitedMs = 0;
  let held = 0;

  const beWanted = (): void => {
    if (Atomics.load(shared, UNWANTED) === 1)
      throw new Problem("query-timeout", "Nobody reads the answer any more");
  };
  return {
    check() {
      beWanted();
      if (performance.now() > until) throw new Problem("query-timeout");
    },
    hold(count) {
      held += count;
      if (held > limits.queryHeldMax)
        throw new Problem(
          "query-refused",
          `The query holds more than ${limits.queryHeldMax} rows at once; ask for less`,
        );
    },
    emit(bytes) {
      for (;;) {
        beWanted();
        const left = Atomics.load(shared, ROOM);
        if (left > 0) break;
        const began = performance.now();
        const woken = Atomics.wait(shared, ROOM, left, limits.queryStallMsMax);
        const waited = performance.now() - began;
        waitedMs += waited;
        until += waited;
        if (woken === "timed-out" || waitedMs > limits.queryReadMsMax)
          throw new Problem("query-timeout", "The answer was read too slowly");
      }
      Atomics.sub(shared, ROOM, bytes.length);
      send(bytes);
    },
  };
}
