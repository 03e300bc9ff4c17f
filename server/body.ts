/** Reading a request's content, bounded: nothing is parsed before its size is known to be allowed. */
import type { Readable } from "node:stream";
import { Problem } from "./errors.ts";

/** @throws Problem `body-too-large` as soon as more than `bytesMax` bytes have come. */
export async function readBody(body: Readable | null, bytesMax: number): Promise<Uint8Array> {
  if (!body) return new Uint8Array();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Problem("body-too-large", `At most ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
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
