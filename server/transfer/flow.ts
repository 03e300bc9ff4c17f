/** From work that writes to bytes that somebody takes: the work goes no faster than they are taken, and ends with them. */
import { PassThrough } from "node:stream";

const AHEAD_BYTES = 262_144;

/**
 * @param work Begins when the first bytes are asked for. What it throws ends the stream.
 * @param msMax How long it may take.
 * @param tooLong Thrown then.
 */
export async function* flowing(
  work: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
  msMax: number,
  tooLong: () => Error,
): AsyncGenerator<Uint8Array> {
  const out = new PassThrough({ highWaterMark: AHEAD_BYTES });
  const timer = setTimeout(() => out.destroy(tooLong()), msMax).unref();
  const left = (): Error => out.errored ?? new Error("Nobody takes it any more");
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (out.destroyed) throw left();
    if (out.write(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const onDrain = (): void => {
        out.off("close", onClose);
        resolve();
      };
      const onClose = (): void => {
        out.off("drain", onDrain);
        reject(left());
      };
      out.once("drain", onDrain);
      out.once("close", onClose);
    });
  };
  const done = work(write).then(
    () => void out.end(),
    (error: unknown) => void out.destroy(error as Error),
  );
  try {
    yield* out as AsyncIterable<Uint8Array>;
  } finally {
    clearTimeout(timer);
    out.destroy();
    await done;
  }
}
