/** Random bytes by the kilobyte: one call to the generator costs more than sealing a small record. */
import { randomFillSync } from "node:crypto";

const POOL_BYTES = 16 * 1024;
const pool = Buffer.alloc(POOL_BYTES);
let at = POOL_BYTES;

/** @param bytes At most 64. @returns bytes nobody else gets, to be used at once: the next fill of the pool writes over them. */
export function nextRandom(bytes: number): Buffer {
  if (at + bytes > POOL_BYTES) {
    randomFillSync(pool);
    at = 0;
  }
  at += bytes;
  return pool.subarray(at - bytes, at);
}

export const randomHex = (bytes: number): string => nextRandom(bytes).toString("hex");
