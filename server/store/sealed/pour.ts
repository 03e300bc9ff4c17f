/** Content on its way into a sealed file, wherever the engine keeps that. */
import assert from "node:assert/strict";
import { createHmac, type KeyObject } from "node:crypto";
import { Problem } from "../../errors.ts";
import { spend } from "../../spent.ts";
import { CHUNK_BYTES, sealChunk } from "./blob-format.ts";
import type { PodKeys } from "./seal.ts";

/** One chunk, sealed: its bytes and their tag. */
export type SealedChunk = ReturnType<typeof sealChunk>;

/**
 * Seals what comes, hashing on the way; some chunks are sent while the next are sealed, and no more than those are in memory.
 * @param key The file's own.
 * @param atOnce Chunks that are sent in one go.
 * @param send Puts chunks at their place; `first` is the number of the first. Called for one lot after the other.
 * @throws Problem `body-too-large` beyond `bytesMax`, and what `send` throws. Nothing is on its way any more then.
 */
export async function pour(
  keys: PodKeys,
  key: KeyObject,
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
  atOnce: number,
  send: (first: number, chunks: readonly SealedChunk[]) => Promise<void>,
): Promise<{ hash: string; bytes: number }> {
  const hmac = createHmac("sha256", keys.contents);
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let filled = 0;
  let bytes = 0;
  let index = 0;
  let chunks: SealedChunk[] = [];
  let sending: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    await sending;
    sending = send(index - chunks.length, chunks);
    sending.catch(() => {}); // Told at the next flush.
    chunks = [];
  }
  function seal(isLast: boolean): void {
    const full = chunk.subarray(0, filled);
    hmac.update(full);
    chunks.push(sealChunk(key, index, isLast, full));
    index++;
    filled = 0;
  }

  try {
    for await (const arrived of content) {
      bytes += arrived.length;
      if (bytes > bytesMax) throw new Problem("body-too-large", `At most ${bytesMax} bytes`);
      for (let at = 0; at < arrived.length; ) {
        if (filled === CHUNK_BYTES) {
          seal(false); // Only now: the last chunk is sealed as the last.
          if (chunks.length >= atOnce) await flush();
        }
        const taken = Math.min(CHUNK_BYTES - filled, arrived.length - at);
        chunk.set(arrived.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
      }
      spend(arrived);
    }
    seal(true);
    await flush();
  } finally {
    await sending.catch(() => {}); // No file may be closed, and no upload given up, while its bytes are on their way.
  }
  await sending;
  assert(index > 0, "an empty file has one chunk");
  return { hash: hmac.digest("hex"), bytes };
}
