/**
 * The prefix map in pieces: a block is all of a subtree while that is small, or the sixteen subtrees four levels below.
 * Hashes are base64url text, which is what answers carry and, of all encodings, about the cheapest to hash to and from.
 */
import assert from "node:assert/strict";
import { hash } from "node:crypto";

export const KEY_BYTES = 32;
const ENTRY_BYTES = 2 * KEY_BYTES;
const CHILDREN = 16;
const COUNT_BYTES = 6; // Up to 2^48 keys.
const CHILD_BYTES = COUNT_BYTES + KEY_BYTES;
const BUCKET = 0;
const BRANCH = 1;

export const BUCKET_KEYS_MAX = 32; // 2 KiB, and at most 63 hashes for a proof.
export const BRANCH_KEYS_MIN = 17; // Well below the other, so that a key that comes and goes does not split each time.

/** The root of a map without keys: 32 zero bytes. */
export const EMPTY_HASH = Buffer.alloc(KEY_BYTES).toString("base64url");

/** A subtree as its parent sees it. */
export interface Summary {
  readonly count: number;
  readonly hash: string;
}

export const EMPTY: Summary = Object.freeze({ count: 0, hash: EMPTY_HASH });

/** Keys with their commitments, 64 bytes each, in the order of the keys. */
export interface Bucket {
  readonly kind: "bucket";
  readonly entries: Buffer;
  readonly summaries?: Summaries | undefined;
}

/** What was worked out of a bucket's subtrees: by depth, first entry and the one after the last. */
export type Summaries = Map<number, Summary>;

const placeOf = (depth: number, from: number, to: number): number => (depth * 64 + from) * 64 + to;

/** A heap: 1 is the block's own root, 16 to 31 its children. */
export interface Branch {
  readonly kind: "branch";
  readonly nodes: readonly Summary[];
}

export type Block = Bucket | Branch;

const scratch = Buffer.alloc(1 + ENTRY_BYTES);

function hashOfLeaf(entries: Buffer, index: number): string {
  scratch[0] = 2;
  entries.copy(scratch, 1, index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
  return hash("sha256", scratch, "base64url");
}

/** A subtree with one key is its leaf, however deep: so nothing below shows. */
function join(left: Summary, right: Summary): Summary {
  const count = left.count + right.count;
  if (count < 2) return left.count === 0 ? right : left;
  scratch[0] = 3;
  scratch.write(left.hash, 1, "base64url");
  scratch.write(right.hash, 1 + KEY_BYTES, "base64url");
  return { count, hash: hash("sha256", scratch, "base64url") };
}

export const countOf = (bucket: Bucket): number => bucket.entries.length / ENTRY_BYTES;

/** From the most significant bit of the first byte on. */
export const bitOf = (key: Uint8Array, depth: number): 0 | 1 =>
  (((key[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) as 0 | 1;

export const nibbleOf = (key: Uint8Array, level: number): number =>
  level % 2 === 0 ? (key[level >> 1] ?? 0) >> 4 : (key[level >> 1] ?? 0) & 15;

/** The first entry of `from` to `to` whose bit is 1. */
function splitOf({ entries }: Bucket, from: number, to: number, depth: number): number {
  const mask = 128 >> (depth & 7);
  const byte = depth >> 3;
  let index = from;
  while (index < to && ((entries[index * ENTRY_BYTES + byte] ?? 0) & mask) === 0) index += 1;
  return index;
}

/** @param depth Bits that all keys of `from` to `to` have in common. */
export function summaryOf(bucket: Bucket, depth: number, from = 0, to: number = countOf(bucket)): Summary {
  if (to - from === 0) return EMPTY;
  const { entries, summaries } = bucket;
  const place = placeOf(depth, from, to);
  const known = summaries?.get(place);
  if (known) return known;
  const made =
    to - from === 1 ? { count: 1, hash: hashOfLeaf(entries, from) } : halvesOf(bucket, depth, from, to);
  summaries?.set(place, made);
  return made;
}

function halvesOf(bucket: Bucket, depth: number, from: number, to: number): Summary {
  const middle = splitOf(bucket, from, to, depth);
  return join(summaryOf(bucket, depth + 1, from, middle), summaryOf(bucket, depth + 1, middle, to));
}

/** As answers write what is beside a path. */
export const siblingOf = ({ count, hash: found }: Summary): string => (count === 0 ? "" : found);

/** Where a key's path ends in this bucket. Adds to `path` the sibling at each level, from the top. @returns null: nowhere. */
export function walkBucket(
  bucket: Bucket,
  top: number,
  key: Uint8Array,
  path: string[],
): { readonly key: Buffer; readonly commit: Buffer } | null {
  let from = 0;
  let to = countOf(bucket);
  for (let depth = top; to - from > 1; depth += 1) {
    const middle = splitOf(bucket, from, to, depth);
    const isRight = bitOf(key, depth) === 1;
    const sibling = isRight
      ? summaryOf(bucket, depth + 1, from, middle)
      : summaryOf(bucket, depth + 1, middle, to);
    path.push(siblingOf(sibling));
    if (isRight) from = middle;
    else to = middle;
  }
  if (from === to) return null;
  const at = from * ENTRY_BYTES;
  return {
    key: bucket.entries.subarray(at, at + KEY_BYTES),
    commit: bucket.entries.subarray(at + KEY_BYTES, at + ENTRY_BYTES),
  };
}

/** @param children Sixteen, in their order. */
export function branchOf(children: readonly Summary[]): Branch {
  assert(children.length === CHILDREN, "a branch has sixteen children");
  const nodes: Summary[] = [...Array<Summary>(CHILDREN).fill(EMPTY), ...children];
  for (let index = CHILDREN - 1; index > 0; index -= 1)
    nodes[index] = join(nodes[2 * index] ?? EMPTY, nodes[2 * index + 1] ?? EMPTY);
  return { kind: "branch", nodes };
}

/** The same with other children; what does not change is not hashed again. */
export function replaceChildren(branch: Branch, changed: ReadonlyMap<number, Summary>): Branch {
  const nodes = [...branch.nodes];
  const parents = new Set<number>();
  for (const [nibble, child] of changed) {
    nodes[CHILDREN + nibble] = child;
    for (let index = (CHILDREN + nibble) >> 1; index > 0; index >>= 1) parents.add(index);
  }
  for (const index of [...parents].sort((a, b) => b - a))
    nodes[index] = join(nodes[2 * index] ?? EMPTY, nodes[2 * index + 1] ?? EMPTY);
  return { kind: "branch", nodes };
}

export const childOf = (branch: Branch, nibble: number): Summary => branch.nodes[CHILDREN + nibble] ?? EMPTY;

export function encodeBlock(block: Block): Buffer {
  if (block.kind === "bucket") return Buffer.concat([Buffer.of(BUCKET), block.entries]);
  const bytes = Buffer.alloc(1 + CHILDREN * CHILD_BYTES);
  bytes[0] = BRANCH;
  for (let nibble = 0; nibble < CHILDREN; nibble += 1) {
    const { count, hash: text } = childOf(block, nibble);
    const at = 1 + nibble * CHILD_BYTES;
    bytes.writeUIntBE(count, at, COUNT_BYTES);
    bytes.write(text, at + COUNT_BYTES, "base64url");
  }
  return bytes;
}

function decodeBranch(bytes: Buffer): Branch {
  assert(bytes.length === 1 + CHILDREN * CHILD_BYTES, "a branch of the map has its length");
  return branchOf(
    Array.from({ length: CHILDREN }, (_, nibble) => {
      const at = 1 + nibble * CHILD_BYTES;
      const count = bytes.readUIntBE(at, COUNT_BYTES);
      return count === 0
        ? EMPTY
        : { count, hash: bytes.toString("base64url", at + COUNT_BYTES, at + CHILD_BYTES) };
    }),
  );
}

/** What the store keeps of a block; the object's identity is stable while it is cached. */
export interface StoredBlock {
  readonly value: Uint8Array;
  /** For who keeps the block, and asks for many proofs in it: three times its own bytes. */
  readonly summaries?: Summaries;
}

/** Branches are few and looked at for every key. Buckets are many: what is remembered of them would only fill the heap. */
const branches = new WeakMap<StoredBlock, Branch>();

export function decodeBlock(stored: StoredBlock): Block {
  const known = branches.get(stored);
  if (known) return known;
  const { value, summaries } = stored;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes[0] === BUCKET) {
    assert(bytes.length % ENTRY_BYTES === 1, "a bucket of the map has whole entries");
    return { kind: "bucket", entries: bytes.subarray(1), summaries };
  }
  assert(bytes[0] === BRANCH, "a block of the map is a bucket or a branch");
  const branch = decodeBranch(bytes);
  branches.set(stored, branch);
  return branch;
}

/** A key's new commitment; null removes it. */
export interface MapChange {
  readonly key: Uint8Array;
  readonly commit: Uint8Array | null;
}

const keyOfEntry = (bucket: Bucket, index: number): Buffer =>
  bucket.entries.subarray(index * ENTRY_BYTES, index * ENTRY_BYTES + KEY_BYTES);

/** @param changes In the order of their keys, each key once. */
export function changeBucket(bucket: Bucket, changes: readonly MapChange[]): Bucket {
  const parts: Uint8Array[] = [];
  const count = countOf(bucket);
  let next = 0;
  for (const { key, commit } of changes) {
    const from = next;
    while (next < count && Buffer.compare(keyOfEntry(bucket, next), key) < 0) next += 1;
    parts.push(bucket.entries.subarray(from * ENTRY_BYTES, next * ENTRY_BYTES));
    if (next < count && keyOfEntry(bucket, next).equals(key)) next += 1;
    if (commit) parts.push(key, commit);
  }
  parts.push(bucket.entries.subarray(next * ENTRY_BYTES));
  return { kind: "bucket", entries: Buffer.concat(parts) };
}

export const NO_KEYS: Bucket = Object.freeze({ kind: "bucket", entries: Buffer.alloc(0) });

/** The keys by their nibble at `level`. */
export function splitBucket(bucket: Bucket, level: number): readonly Bucket[] {
  const count = countOf(bucket);
  let next = 0;
  return Array.from({ length: CHILDREN }, (_, nibble) => {
    const from = next;
    while (next < count && nibbleOf(keyOfEntry(bucket, next), level) === nibble) next += 1;
    return { kind: "bucket", entries: bucket.entries.subarray(from * ENTRY_BYTES, next * ENTRY_BYTES) };
  });
}

/** @param buckets In the order of their keys. */
export const joinBuckets = (buckets: readonly Bucket[]): Bucket => ({
  kind: "bucket",
  entries: Buffer.concat(buckets.map(({ entries }) => entries)),
});
