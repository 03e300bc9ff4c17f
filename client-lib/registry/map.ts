/** The prefix map: which keys a zone has, and that it has no others. A subtree with one key is that key's leaf. */
import { type Bytes, decodeBase64url, sameBytes, sha256 } from "../passport/bytes.ts";
import { concat, HASH_BYTES } from "./merkle.ts";

/** The root of a map, or of a part of one, without keys. */
export const EMPTY_MAP: Bytes = new Uint8Array(HASH_BYTES);

/** A sibling as answers write it: where nothing is beside the path, "", and never 32 zero bytes. @returns null for what is none. */
export function readSibling(text: unknown): Bytes | null {
  if (text === "") return EMPTY_MAP;
  const hash = decodeBase64url(text, HASH_BYTES);
  return hash && !sameBytes(hash, EMPTY_MAP) ? hash : null;
}

export const isSibling = (text: unknown): text is string => readSibling(text) !== null;

/** What is hashed of a key and what it is committed to. */
export const mapLeafPreimage = (key: Uint8Array, commit: Uint8Array): Bytes =>
  concat(Uint8Array.of(2), key, commit);

/** What is hashed of two parts, of which at least one has two keys, or both have one. */
export const mapNodePreimage = (left: Uint8Array, right: Uint8Array): Bytes =>
  concat(Uint8Array.of(3), left, right);

/** Bits count from the most significant of the first byte. */
export const bitOf = (key: Uint8Array, index: number): 0 | 1 =>
  (((key[index >> 3] ?? 0) >> (7 - (index & 7))) & 1) === 1 ? 1 : 0;

const shareBits = (a: Uint8Array, b: Uint8Array, count: number): boolean => {
  for (let index = 0; index < count; index += 1) if (bitOf(a, index) !== bitOf(b, index)) return false;
  return true;
};

/** Another key where this one would have to be, or nothing. */
export type PathEnd = { readonly key: Bytes; readonly commit: Bytes } | null;

/**
 * The root that a path leads to.
 * @param commit What the key is committed to; null for the proof that the key is not in the map.
 * @param path Siblings from the root down: the first is that of the key's first bit.
 * @param end With a commit, null. Without, what stands where the path ends.
 * @returns null for what proves nothing: an end that is not on the key's way or is the key itself, a path that goes
 * deeper than the map does, bytes of another length.
 */
export async function rootOfPath(
  key: Bytes,
  commit: Bytes | null,
  path: readonly Bytes[],
  end: PathEnd,
): Promise<Bytes | null> {
  const depth = path.length;
  const found = commit === null ? end : end === null ? { key, commit } : undefined;
  if (found === undefined || depth > HASH_BYTES * 8) return null;
  const hashes = [key, ...path, ...(found ? [found.key, found.commit] : [])];
  if (!hashes.every((hash) => hash.length === HASH_BYTES)) return null;
  if (commit === null && end && (sameBytes(end.key, key) || !shareBits(end.key, key, depth))) return null;
  const deepest = path.at(-1);
  if (deepest && sameBytes(deepest, EMPTY_MAP)) return null; // With nothing beside it, the end would stand higher.
  let hash = found ? await sha256(mapLeafPreimage(found.key, found.commit)) : EMPTY_MAP;
  for (let at = depth - 1; at >= 0; at -= 1) {
    const sibling = path[at] ?? EMPTY_MAP;
    const [left, right] = bitOf(key, at) === 0 ? [hash, sibling] : [sibling, hash];
    hash = await sha256(mapNodePreimage(left, right));
  }
  return hash;
}
