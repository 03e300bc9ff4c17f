/** Sealed files as files: read and written in parts, and given a new header. */
import { randomBytes } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { spend, usedOnce } from "../../spent.ts";
import { syncFolder } from "../durable.ts";
import { FRONT_BYTES, offsetOfSlot, openFront, sealFront, sealSlot } from "../sealed/blob-format.ts";
import { secretOf } from "../sealed/keyring-format.ts";
import { pour } from "../sealed/pour.ts";
import type { PodKeys } from "../sealed/seal.ts";

/** Chunks per read or write of the disk: about 1 MiB. */
export const CHUNKS_AT_ONCE = 4;
/** Copied at once. */
const PART_BYTES = 1024 * 1024;

/** @returns the part of `buffer` that was filled: less than all of it means a file cut short, which will not open. */
export async function readAt(file: FileHandle, position: number, buffer: Buffer): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
  return buffer.subarray(0, bytesRead);
}

export async function writeAll(file: FileHandle, parts: readonly Buffer[], position: number): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytesWritten } = await file.writev(parts, position);
  if (bytesWritten === length) return;
  if (bytesWritten === 0) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
  await writeAll(file, [Buffer.concat(parts).subarray(bytesWritten)], position + bytesWritten); // A disk nearly full takes a part.
}

/** Writes and syncs a new file. @returns its bytes. */
export async function writeStream(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    let position = 0;
    for await (const part of content) {
      if (part.length === 0) continue;
      await writeAll(file, [Buffer.from(part.buffer, part.byteOffset, part.byteLength)], position);
      position += part.length;
    }
    await file.sync();
    return position;
  } finally {
    await file.close();
  }
}

async function* partsFrom(file: FileHandle, front: Buffer, start: number): AsyncGenerator<Buffer> {
  yield front;
  for (let position = start; ; ) {
    const part = await readAt(file, position, Buffer.allocUnsafe(PART_BYTES));
    if (part.length === 0) return;
    position += part.length;
    yield part;
  }
}

/**
 * Seals the header with the pod's newest key: into the slot that does not count, so that at every moment one does. A file of
 * format 1 has no slots: it is written anew, which needs as much room as it has bytes.
 * @param draft A name that no other writer uses.
 * @returns false for a file that is gone, or whose header opens with no key.
 */
export async function resealFile(path: string, draft: string, keys: PodKeys, hash: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    const head = openFront(keys, hash, await readAt(file, 0, Buffer.alloc(FRONT_BYTES)));
    if (!head) return false;
    if (head.slot !== null) {
      if (head.version === keys.version) return true;
      await writeAll(file, [sealSlot(keys, hash, head)], offsetOfSlot(head.slot === 0 ? 1 : 0));
      await file.sync();
      return true;
    }
    try {
      await writeStream(draft, partsFrom(file, sealFront(keys, hash, head), head.start));
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  } finally {
    await file.close();
  }
  // In one go, so that what was removed meanwhile stays so.
  if (!existsSync(path)) {
    await rm(draft, { force: true });
    return false;
  }
  renameSync(draft, path);
  await syncFolder(dirname(path));
  return true;
}

/**
 * Seals what comes into the file; the disk writes one part while the next is sealed.
 * @param sealing Called just before the file's header is sealed.
 */
export async function pourInto(
  file: FileHandle,
  keys: PodKeys,
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
  sealing: () => void,
): Promise<{ hash: string; bytes: number }> {
  const key = secretOf(randomBytes(32));
  let position = FRONT_BYTES;
  const poured = await pour(keys, key, content, bytesMax, CHUNKS_AT_ONCE, async (_first, chunks) => {
    const parts = chunks.flat();
    const at = position;
    position += parts.reduce((sum, part) => sum + part.length, 0);
    await writeAll(file, parts, at);
    for (const part of parts) spend(usedOnce(part));
  });
  sealing();
  await writeAll(file, [sealFront(keys, poured.hash, { key, size: poured.bytes })], 0);
  return poured;
}
