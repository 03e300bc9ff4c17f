/** Merkle trees by the book: RFC 6962 section 2.1, word for word and slow. What the product does must agree with it. */
import { createHash } from "node:crypto";

type Bytes = Uint8Array<ArrayBuffer>;

const sha256 = (...parts: readonly Uint8Array[]): Bytes => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

export const naiveLeaf = (entry: Uint8Array): Bytes => sha256(Uint8Array.of(0), entry);

const largestPowerBelow = (count: number): number => 2 ** Math.ceil(Math.log2(count) - 1);

/** MTH(D[n]) */
export function naiveRoot(entries: readonly Uint8Array[]): Bytes {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return naiveLeaf(entries[0] ?? new Uint8Array());
  const k = largestPowerBelow(entries.length);
  return sha256(Uint8Array.of(1), naiveRoot(entries.slice(0, k)), naiveRoot(entries.slice(k)));
}

/** PATH(m, D[n]) */
export function naivePath(index: number, entries: readonly Uint8Array[]): Bytes[] {
  if (entries.length <= 1) return [];
  const k = largestPowerBelow(entries.length);
  return index < k
    ? [...naivePath(index, entries.slice(0, k)), naiveRoot(entries.slice(k))]
    : [...naivePath(index - k, entries.slice(k)), naiveRoot(entries.slice(0, k))];
}

/** PROOF(m, D[n]) */
export function naiveProof(size: number, entries: readonly Uint8Array[], isWhole = true): Bytes[] {
  if (size === entries.length) return isWhole ? [] : [naiveRoot(entries)];
  const k = largestPowerBelow(entries.length);
  return size <= k
    ? [...naiveProof(size, entries.slice(0, k), isWhole), naiveRoot(entries.slice(k))]
    : [...naiveProof(size - k, entries.slice(k), false), naiveRoot(entries.slice(0, k))];
}

/** Entries that differ, of different lengths. */
export const entriesOf = (count: number): readonly Bytes[] =>
  Array.from(
    { length: count },
    (_, index) => new Uint8Array(Buffer.from(`entry ${index}${" ".repeat(index % 7)}`)),
  );
