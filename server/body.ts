/** Reading a request's content, bounded: nothing is parsed before its size is known to be allowed. */
import { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Problem } from "./errors.ts";
import { usedOnce } from "./spent.ts";

/**
 * What comes, without hanging up on a client whose content is refused half-way: it is still owed an answer. Whoever is done
 * with a part may spend it.
 */
export function chunksOf(body: Readable): AsyncIterable<Uint8Array> {
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  if (!(body instanceof IncomingMessage)) return chunks; // Its bytes may be somebody else's, too.
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const found = await chunks.next();
        if (!found.done) usedOnce(found.value);
        return found;
      },
      return: async () => (await chunks.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

/**
 * By events, for an iterator costs more than most contents.
 * @throws Problem `body-too-large` as soon as more than `bytesMax` bytes have come.
 */
export async function readBody(body: Readable | null, bytesMax: number): Promise<Uint8Array> {
  if (!body) return new Uint8Array();
  return new Promise((resolve, reject) => {
    let whole = new Uint8Array();
    let bytes = 0;
    const leave = (): void => {
      body.off("data", take).off("end", end).off("error", fail).off("close", close);
    };
    function take(chunk: Uint8Array): void {
      if (bytes + chunk.length > bytesMax) {
        body?.pause();
        fail(new Problem("body-too-large", `At most ${bytesMax} bytes`));
        return;
      }
      // Copied together at once: a chunk may be one byte, and costs a hundred.
      if (bytes + chunk.length > whole.length) {
        const wider = new Uint8Array(
          bytes === 0 ? chunk.length : Math.min(bytesMax, 2 * (bytes + chunk.length)),
        );
        wider.set(whole.subarray(0, bytes));
        whole = wider;
      }
      whole.set(chunk, bytes);
      bytes += chunk.length;
    }
    function end(): void {
      leave();
      resolve(bytes === whole.length ? whole : whole.slice(0, bytes)); // Whoever keeps it keeps no more than that.
    }
    function fail(error: Error): void {
      leave();
      reject(error);
    }
    function close(): void {
      fail(body?.errored ?? new Error("The content ended too early"));
    }
    if (body.destroyed) return close();
    body.on("data", take).on("end", end).on("error", fail).on("close", close);
  });
}

/** @throws Problem `input-invalid` when the content is not a JSON object, `body-too-large`. */
export async function readJson(
  body: Readable | null,
  bytesMax: number,
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBody(body, bytesMax);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Problem("input-invalid", "The content is not valid JSON in UTF-8", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Problem("input-invalid", "Send a JSON object");
  return value as Readonly<Record<string, unknown>>;
}

/** A JSON answer of a door. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
) {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: JSON.stringify(value),
  };
}
