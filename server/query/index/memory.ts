/** Columns of numbers that threads may share. */

/** Shared memory takes some microseconds to get: what is shorter is rather copied when it goes to another thread. */
const SHARED_BYTES_MIN = 4_096;
const memory = (bytes: number): ArrayBufferLike =>
  bytes < SHARED_BYTES_MIN ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(memory(length));
export const sharedIds = (length: number): Uint32Array => new Uint32Array(memory(length * 4));
export const sharedNumbers = (length: number): Float64Array => new Float64Array(memory(length * 8));
