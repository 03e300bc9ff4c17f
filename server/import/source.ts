/** The file as a stream of bytes: counted, hashed, with a look at its beginning. */
import { createHash } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Source } from "./reading.ts";

const HEAD_BYTES = 64 * 1024; // The longest header row and the root element of a feed fit well.

/** @throws Problem `input-invalid`, with the line in `errors[]`. */
export function refuse(detail: string, line?: number, cause?: unknown): never {
  throw new Problem("input-invalid", line ? `Line ${line}: ${detail}` : detail, {
    errors: [{ detail, ...(line ? { at: `${line}:1` } : {}) }],
    ...(cause ? { cause } : {}),
  });
}

export interface OpenSource extends Source {
  /** SHA-256 of what has been read so far, in hexadecimal. */
  hash(): string;
  /** Bytes read so far. */
  size(): number;
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Problem("body-too-large", `At most ${bytesMax} bytes in one file`);
    see(chunk);
    yield chunk;
  }
}

async function* toUtf8(chunks: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  try {
    for await (const chunk of chunks) yield encoder.encode(decoder.decode(chunk, { stream: true }));
    yield encoder.encode(decoder.decode());
  } catch (cause) {
    if (cause instanceof TypeError)
      refuse(
        `The bytes are not ${encoding.toUpperCase()}, although the file begins as if they were`,
        undefined,
        cause,
      );
    throw cause;
  }
}

async function* following(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.(); // Whoever stops reading closes the file.
  }
}

/**
 * @throws Problem `input-invalid` for an empty file, an archive, or bytes that are no text;
 *   `body-too-large` while reading, beyond `bytesMax`.
 */
export async function openSource(content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<OpenSource> {
  const hash = createHash("sha256");
  let size = 0;
  const stream = counted(content, bytesMax, (chunk) => {
    hash.update(chunk);
    size += chunk.length;
  });
  const first: Uint8Array[] = [];
  let firstBytes = 0;
  while (firstBytes < HEAD_BYTES) {
    const next = await stream.next();
    if (next.done) break;
    first.push(next.value);
    firstBytes += next.value.length;
  }
  const start = Buffer.concat(first);
  if (start.length === 0) refuse("The file is empty");
  if (
    start.subarray(0, 4).equals(Buffer.from("PK\u0003\u0004", "latin1")) ||
    start.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))
  ) {
    refuse("This is an archive: unpack it and choose one of the files in it");
  }
  const wide = start.subarray(0, 2).equals(Buffer.from([0xff, 0xfe]))
    ? "utf-16le"
    : start.subarray(0, 2).equals(Buffer.from([0xfe, 0xff]))
      ? "utf-16be"
      : null;
  const mark = start.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  const bytes = following(start.subarray(mark), stream);
  const beginning = start.subarray(mark, HEAD_BYTES); // However large the pieces are.
  const head = wide ? new TextDecoder(wide).decode(beginning) : beginning.toString("latin1");
  if (head.includes("\u0000")) refuse("This is no text file");
  return {
    head,
    encoding: wide || mark > 0 ? "utf-8" : null,
    bytes: wide ? toUtf8(bytes, wide) : bytes,
    hash: () => hash.copy().digest("hex"),
    size: () => size,
  };
}

/**
 * @param encoding A label of the Encoding Standard. @see https://encoding.spec.whatwg.org/#names-and-labels
 * @throws Problem `input-invalid` for an encoding that is not known, and at bytes that it does not have (with the line).
 */
export async function* decodeText(
  bytes: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<string> {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    refuse(`The encoding ${JSON.stringify(encoding.slice(0, 40))} is not known`, 1, cause);
  }
  let lines = 1;
  let chunk: Uint8Array = new Uint8Array();
  try {
    for await (chunk of bytes) {
      const text = decoder.decode(chunk, { stream: true });
      yield text;
      for (const byte of chunk) if (byte === 10) lines += 1;
    }
    yield decoder.decode();
  } catch (cause) {
    // A TypeError here is the decoder's: what the consumer throws does not come back through yield.
    if (cause instanceof TypeError) {
      refuse(`The bytes are not ${encoding.toUpperCase()}`, lineOfFault(chunk, encoding, lines), cause);
    }
    throw cause;
  }
}

/** Only looked for once something is wrong: the first line of the chunk that cannot be decoded by itself. */
function lineOfFault(chunk: Uint8Array, encoding: string, firstLine: number): number {
  let line = firstLine;
  const all = Buffer.from(chunk);
  for (let start = 0; start < all.length; line += 1) {
    const end = all.indexOf(10, start);
    const stop = end < 0 ? all.length : end;
    try {
      new TextDecoder(encoding, { fatal: true }).decode(all.subarray(start, stop));
    } catch {
      if (start > 0 || end >= 0) return line;
    }
    start = stop + 1;
  }
  return firstLine;
}
