/**
 * A sealed file: a header that binds it to its name, then chunks that open one by one.
 *
 * Format 1: format(1) chunk-size-log2(1) zero(2) nonce(12) AES-256-GCM( file-key(32) size(8) ) tag(16), then per chunk
 * AES-256-GCM under the file's own key, its nonce being zero(7) index(4) last(1). So a chunk that was moved, dropped or
 * repeated does not open, nor does a file cut short, nor one that bears another's name.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { nextNonce, type PodKeys } from "./seal.ts";

const FORMAT = 1;
const TAG = 16;
export const HEADER_BYTES = 72;
const CHUNK_LOG2 = 18;
/** 256 KiB: large enough for speed (64 KiB costs a quarter more), small enough for short ranges. */
export const CHUNK_BYTES: number = 2 ** CHUNK_LOG2;

export interface BlobHead {
  readonly key: KeyObject;
  /** Of the content, in bytes. */
  readonly size: number;
  readonly chunkBytes: number;
}

function additional(keys: PodKeys, hash: string, start: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from("freehold/1/blob/"), keys.id, Buffer.from(hash, "hex"), start]);
}

/** Written last, when size and hash are known. */
export function sealHead(keys: PodKeys, hash: string, fileKey: Uint8Array, size: number): Buffer {
  const start = Buffer.from([FORMAT, CHUNK_LOG2, 0, 0]);
  const nonce = nextNonce();
  const plain = Buffer.alloc(40);
  plain.set(fileKey);
  plain.writeBigUInt64BE(BigInt(size), 32);
  const cipher = createCipheriv("aes-256-gcm", keys.blobs, nonce).setAAD(additional(keys, hash, start));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([start, nonce, body, cipher.getAuthTag()]);
}

/** @returns null when the header is damaged, or is not of the file of this name. */
export function openHead(keys: PodKeys, hash: string, header: Buffer): BlobHead | null {
  const log2 = header[1] ?? 0;
  if (header.length !== HEADER_BYTES || header[0] !== FORMAT || log2 < 10 || log2 > 24) return null;
  const decipher = createDecipheriv("aes-256-gcm", keys.blobs, header.subarray(4, 16), {
    authTagLength: TAG,
  });
  decipher.setAAD(additional(keys, hash, header.subarray(0, 4))).setAuthTag(header.subarray(-TAG));
  const plain = decipher.update(header.subarray(16, 56));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return {
    key: createSecretKey(plain.subarray(0, 32)),
    size: Number(plain.readBigUInt64BE(32)),
    chunkBytes: 2 ** log2,
  };
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

/** An empty file has one empty chunk, so that its end is sealed too. */
export function lastChunkOf({ size, chunkBytes }: Pick<BlobHead, "size" | "chunkBytes">): number {
  return Math.max(1, Math.ceil(size / chunkBytes)) - 1;
}

/** Where the chunk `index` begins in the file. */
export function offsetOf(index: number, chunkBytes: number): number {
  return HEADER_BYTES + index * (chunkBytes + TAG);
}

/** Bytes of the sealed chunk `index`, its tag included. */
export function sealedBytesOf(index: number, head: Pick<BlobHead, "size" | "chunkBytes">): number {
  const isLast = index === lastChunkOf(head);
  return (isLast ? head.size - index * head.chunkBytes : head.chunkBytes) + TAG;
}
