/**
 * A sealed file: a header that binds it to its name, then chunks that open one by one.
 *
 * Format 2: two slots of 4,096 bytes, then chunks. A slot is format(1) chunk-size-log2(1) key-version-less-1(2) nonce(12)
 * AES-256-GCM( file-key(32) size(8) ) tag(16), then noise. One slot is enough: a rekey writes the other one, so that whatever
 * a power cut leaves of it, the file opens. No disk writes two of them in one go.
 * A chunk is AES-256-GCM under the file's own key, its nonce being zero(7) index(4) last(1). So a chunk that was moved,
 * dropped or repeated does not open, nor does a file cut short, nor one that bears another's name.
 * Format 1 is read: one header of 72 bytes (its key version is 1), and the chunks follow at once.
 */
import assert from "node:assert/strict";
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
  randomFillSync,
} from "node:crypto";
import { nextNonce, type PodKeys } from "./seal.ts";

const FORMAT = 2;
const TAG = 16;
const HEAD = 72;
const SLOT_BYTES = 4_096;
/** Before the first chunk. */
export const FRONT_BYTES: number = 2 * SLOT_BYTES;
const CHUNK_LOG2 = 18;
/** 256 KiB: large enough for speed (64 KiB costs a quarter more), small enough for short ranges. */
export const CHUNK_BYTES: number = 2 ** CHUNK_LOG2;

/** What the chunks need to be found and opened. */
export interface BlobShape {
  /** Of the content, in bytes. */
  readonly size: number;
  readonly chunkBytes: number;
  /** Where the first chunk begins. */
  readonly start: number;
}

export interface BlobHead extends BlobShape {
  readonly key: KeyObject;
  /** Of the content key that sealed the header. */
  readonly version: number;
  /** The slot it was found in; null in format 1, which has none. */
  readonly slot: 0 | 1 | null;
}

function additional(keys: PodKeys, hash: string, first: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`freehold/${first[0]}/blob/`), keys.id, Buffer.from(hash, "hex"), first]);
}

/** A slot's 4,096 bytes, sealed with the pod's newest key. */
export function sealSlot(keys: PodKeys, hash: string, { key, size }: Pick<BlobHead, "key" | "size">): Buffer {
  const { version } = keys;
  const sealing = keys.blobs(version);
  assert(sealing, "the newest content key is always there");
  const first = Buffer.from([FORMAT, CHUNK_LOG2, (version - 1) >>> 8, (version - 1) & 0xff]);
  const nonce = nextNonce();
  const plain = Buffer.alloc(40);
  plain.set(key.export());
  plain.writeBigUInt64BE(BigInt(size), 32);
  const cipher = createCipheriv("aes-256-gcm", sealing, nonce).setAAD(additional(keys, hash, first));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  const slot = randomFillSync(Buffer.allocUnsafe(SLOT_BYTES)); // Noise takes room on every disk: later it is written over.
  Buffer.concat([first, nonce, body, cipher.getAuthTag()]).copy(slot);
  return slot;
}

/** What is before the chunks of a new file. Written last, when size and hash are known. */
export function sealFront(keys: PodKeys, hash: string, head: Pick<BlobHead, "key" | "size">): Buffer {
  const empty = randomFillSync(Buffer.allocUnsafe(SLOT_BYTES));
  empty[0] = 0; // No format.
  return Buffer.concat([sealSlot(keys, hash, head), empty]);
}

/** Where a slot is in the file. */
export const offsetOfSlot = (slot: 0 | 1): number => slot * SLOT_BYTES;

/**
 * @param front The first bytes of the file, {@link FRONT_BYTES} of them if it has so many.
 * @returns null when no header opens: damaged, or of another name, or sealed with a key that is destroyed.
 */
export function openFront(keys: PodKeys, hash: string, front: Buffer): BlobHead | null {
  if (front[0] === 1) return openHead(keys, hash, front.subarray(0, HEAD), null);
  const heads = ([0, 1] as const).map((slot) =>
    openHead(keys, hash, front.subarray(offsetOfSlot(slot), offsetOfSlot(slot) + HEAD), slot),
  );
  const [one, other] = heads;
  if (one && other) return one.version > other.version ? one : other;
  return one ?? other ?? null;
}

function openHead(keys: PodKeys, hash: string, header: Buffer, slot: 0 | 1 | null): BlobHead | null {
  const log2 = header[1] ?? 0;
  if (header.length !== HEAD || log2 < 10 || log2 > 24) return null;
  if (slot !== null && header[0] !== FORMAT) return null;
  const version = slot === null ? 1 : header.readUInt16BE(2) + 1;
  const opening = keys.blobs(version);
  if (!opening) return null;
  const decipher = createDecipheriv("aes-256-gcm", opening, header.subarray(4, 16), {
    authTagLength: TAG,
  });
  decipher.setAAD(additional(keys, hash, header.subarray(0, 4))).setAuthTag(header.subarray(-TAG));
  const plain = decipher.update(header.subarray(16, 56));
  try {
    decipher.final();
  } catch {
    return null;
  }
  const size = Number(plain.readBigUInt64BE(32));
  const key = createSecretKey(plain.subarray(0, 32));
  plain.fill(0);
  return { key, size, chunkBytes: 2 ** log2, start: slot === null ? HEAD : FRONT_BYTES, version, slot };
}

function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

/** @returns the sealed bytes and their tag, to be written one after the other. */
export function sealChunk(
  key: KeyObject,
  index: number,
  isLast: boolean,
  content: Uint8Array,
): readonly [Buffer, Buffer] {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(index, isLast));
  const body = cipher.update(content);
  cipher.final();
  return [body, cipher.getAuthTag()];
}

/** @returns null when the chunk is not what was written at this place. */
export function openChunk(key: KeyObject, index: number, isLast: boolean, sealed: Buffer): Buffer | null {
  if (sealed.length < TAG) return null;
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(index, isLast), { authTagLength: TAG });
  decipher.setAuthTag(sealed.subarray(-TAG));
  const content = decipher.update(sealed.subarray(0, -TAG));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return content;
}

/** All of a small file, sealed. */
export function sealFile(keys: PodKeys, hash: string, content: Uint8Array): Buffer {
  const key = createSecretKey(randomBytes(32));
  const shape = { size: content.length, chunkBytes: CHUNK_BYTES };
  const last = lastChunkOf(shape);
  const parts = [sealFront(keys, hash, { key, size: content.length })];
  for (let index = 0; index <= last; index++) {
    const from = index * CHUNK_BYTES;
    parts.push(...sealChunk(key, index, index === last, content.subarray(from, from + CHUNK_BYTES)));
  }
  return Buffer.concat(parts);
}

/** @returns null for a file that is damaged, or is not of this name. */
export function openFile(keys: PodKeys, hash: string, sealed: Buffer): Buffer | null {
  const head = openFront(keys, hash, sealed.subarray(0, FRONT_BYTES));
  if (!head) return null;
  const chunks: Buffer[] = [];
  const last = lastChunkOf(head);
  for (let index = 0; index <= last; index++) {
    const from = offsetOf(index, head);
    const chunk = openChunk(
      head.key,
      index,
      index === last,
      sealed.subarray(from, from + sealedBytesOf(index, head)),
    );
    if (!chunk) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An empty file has one empty chunk, so that its end is sealed too. */
export function lastChunkOf({ size, chunkBytes }: Pick<BlobShape, "size" | "chunkBytes">): number {
  return Math.max(1, Math.ceil(size / chunkBytes)) - 1;
}

/** Where the chunk `index` begins in the file. */
export function offsetOf(
  index: number,
  { start, chunkBytes }: Pick<BlobShape, "start" | "chunkBytes">,
): number {
  return start + index * (chunkBytes + TAG);
}

/** Bytes of the sealed chunk `index`, its tag included. */
export function sealedBytesOf(index: number, shape: Pick<BlobShape, "size" | "chunkBytes">): number {
  const isLast = index === lastChunkOf(shape);
  return (isLast ? shape.size - index * shape.chunkBytes : shape.chunkBytes) + TAG;
}
