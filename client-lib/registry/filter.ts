/**
 * The filter of a day: whether a passport changed on it, asked of a file that is the same for everybody, so that nobody
 * learns which passport it was. A no is certain; one yes in 256 is wrong, and costs a look.
 *
 * A binary fuse filter of 8 bits (https://arxiv.org/abs/2201.01174) over the keys of the map. The file: `DCANNbf8`, then in
 * big-endian a seed (1 byte), three zero bytes, and as 32 bits each: how many keys, the length of a segment (a power of
 * two), how many segments count; then as 64 bits each the first leaf of the day and the first after it; then one byte for
 * each place of `segments + 2`.
 *
 * For a key: digest = SHA-256("DCANN-filter-v1\0" ‖ seed ‖ key); a, b, c = its bytes 4–7, 8–11, 12–15. Its three places are
 * p = a mod (segments · length), (p + length) xor (b mod length), (p + 2 · length) xor (c mod length); the key may be in
 * the filter when its digest's first byte is the xor of the bytes at the three places.
 */
import { type Bytes, sha256, utf8 } from "../passport/bytes.ts";
import { PassportError } from "../passport/verify.ts";
import { concat, HASH_BYTES } from "./merkle.ts";

const MAGIC = utf8("DCANNbf8");
const TAG = utf8("DCANN-filter-v1\0");
const HEADER_BYTES = 40;
const SEGMENT_LENGTH_MAX = 2 ** 18;

export interface Filter {
  readonly seed: number;
  /** Keys in it. */
  readonly count: number;
  readonly segmentLength: number;
  readonly segments: number;
  /** Leaves that it is made of: from the first, up to the second. */
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** What is hashed for a key; for those who hash by other means. */
export const filterPreimage = (seed: number, headKey: Uint8Array): Bytes =>
  concat(TAG, Uint8Array.of(seed), headKey);

/** @param digest Of {@link filterPreimage}. */
export function filterPlaces(
  digest: Uint8Array,
  { segmentLength, segments }: Pick<Filter, "segmentLength" | "segments">,
): readonly [first: number, second: number, third: number] {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  const first = view.getUint32(4) % (segments * segmentLength);
  const second = (first + segmentLength) ^ (view.getUint32(8) % segmentLength);
  const third = (first + 2 * segmentLength) ^ (view.getUint32(12) % segmentLength);
  return [first, second, third];
}

export function encodeFilter({ seed, count, segmentLength, segments, from, to, bytes }: Filter): Bytes {
  const file = new Uint8Array(HEADER_BYTES + bytes.length);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint8(8, seed);
  view.setUint32(12, count);
  view.setUint32(16, segmentLength);
  view.setUint32(20, segments);
  view.setBigUint64(24, BigInt(from));
  view.setBigUint64(32, BigInt(to));
  file.set(bytes, HEADER_BYTES);
  return file;
}

/** @throws PassportError `filter` for bytes that are none. */
export function parseFilter(file: Uint8Array): Filter {
  const fail = (detail: string): never => {
    throw new PassportError("filter", detail);
  };
  if (file.length < HEADER_BYTES || MAGIC.some((byte, at) => file[at] !== byte)) fail("This is no filter");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [seed, count, segmentLength, segments] = [
    view.getUint8(8),
    view.getUint32(12),
    view.getUint32(16),
    view.getUint32(20),
  ];
  const [from, to] = [Number(view.getBigUint64(24)), Number(view.getBigUint64(32))];
  const isLength = segmentLength > 0 && segmentLength <= SEGMENT_LENGTH_MAX;
  if (!isLength || (segmentLength & (segmentLength - 1)) !== 0 || segments < 1)
    fail("The filter's segments are none");
  const bytes = file.subarray(HEADER_BYTES);
  if (bytes.length !== (segments + 2) * segmentLength) fail("The filter is not whole");
  if (!Number.isSafeInteger(to) || from > to) fail("The filter's leaves are none");
  return { seed, count, segmentLength, segments, from, to, bytes };
}

/** Whether a passport may have changed on that day. @param headKey By `headKeyOf`, with the shard of that year. */
export async function mayHaveChanged(filter: Filter, headKey: Uint8Array): Promise<boolean> {
  if (headKey.length !== HASH_BYTES) throw new Error("A key of the map has 32 bytes");
  if (filter.count === 0) return false;
  const digest = await sha256(filterPreimage(filter.seed, headKey));
  const [first, second, third] = filterPlaces(digest, filter);
  const { bytes } = filter;
  return digest[0] === ((bytes[first] ?? 0) ^ (bytes[second] ?? 0) ^ (bytes[third] ?? 0));
}
