/** Merkle trees as logs have them: proofs that an entry is in a tree, and that one tree is the beginning of another. */
import { type Bytes, sameBytes, sha256 } from "../passport/bytes.ts";

export const HASH_BYTES = 32;

/** The root of a tree without leaves: the hash of nothing. @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1 */
export const EMPTY_ROOT: Bytes = Uint8Array.from([
  0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
  0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

const PATH_HASHES_MAX = 64; // No tree that numbers can count is deeper.

/** The bytes together, in their order. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** What is hashed of an entry; for those who hash by other means than this file. */
export const leafPreimage = (entry: Uint8Array): Bytes => concat(Uint8Array.of(0), entry);

/** What is hashed of two subtrees. */
export const nodePreimage = (left: Uint8Array, right: Uint8Array): Bytes =>
  concat(Uint8Array.of(1), left, right);

export const leafHash = (entry: Uint8Array): Promise<Bytes> => sha256(leafPreimage(entry));

export const nodeHash = (left: Uint8Array, right: Uint8Array): Promise<Bytes> =>
  sha256(nodePreimage(left, right));

const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.every((hash) => hash.length === HASH_BYTES);

const half = (value: number): number => Math.floor(value / 2); // Shifts would cut at 32 bits.

export interface InclusionProof {
  readonly index: number;
  /** Leaves of the tree. */
  readonly size: number;
  readonly leafHash: Bytes;
  /** Siblings from the leaf up. */
  readonly path: readonly Bytes[];
  readonly root: Bytes;
}

/** @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2 */
export async function verifyInclusion(proof: InclusionProof): Promise<boolean> {
  const { index, size, path, root } = proof;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (path.length > PATH_HASHES_MAX || !areHashes([proof.leafHash, root, ...path])) return false;
  let [node, last, hash] = [index, size - 1, proof.leafHash];
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = await nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = await nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameBytes(hash, root);
}

export interface ConsistencyProof {
  /** Of the older tree; at least 1, for nothing needs to be proved of an empty one. */
  readonly size1: number;
  readonly size2: number;
  readonly root1: Bytes;
  readonly root2: Bytes;
  readonly path: readonly Bytes[];
}

/** @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4.2 */
export async function verifyConsistency(proof: ConsistencyProof): Promise<boolean> {
  const { size1, size2, root1, root2, path } = proof;
  if (!Number.isSafeInteger(size1) || !Number.isSafeInteger(size2) || size1 < 1 || size1 > size2)
    return false;
  if (size1 === size2) return path.length === 0 && sameBytes(root1, root2);
  if (path.length > PATH_HASHES_MAX || !areHashes([root1, root2, ...path])) return false;
  let [node, last] = [size1 - 1, size2 - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  const [first, ...rest] = node === 0 ? [root1, ...path] : path; // Of a full tree the root itself is the beginning.
  if (!first || path.length === 0) return false;
  let [older, newer] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [older, newer] = [await nodeHash(hash, older), await nodeHash(hash, newer)];
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newer = await nodeHash(newer, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameBytes(older, root1) && sameBytes(newer, root2);
}
