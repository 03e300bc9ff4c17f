/**
 * The prefix map of a zone: key → commitment, 32 bytes each, under one root. A subtree with one key is its leaf, so the
 * tree is as deep as its keys need. Where its blocks stand is the caller's: the item of each is its prefix in hex.
 */
import assert from "node:assert/strict";
import type { MapEnd } from "@freehold/client/registry";
import {
  type Block,
  BRANCH_KEYS_MIN,
  BUCKET_KEYS_MAX,
  type Bucket,
  bitOf,
  branchOf,
  changeBucket,
  childOf,
  countOf,
  decodeBlock,
  EMPTY,
  encodeBlock,
  joinBuckets,
  KEY_BYTES,
  type MapChange,
  NO_KEYS,
  nibbleOf,
  replaceChildren,
  type StoredBlock,
  type Summary,
  siblingOf,
  splitBucket,
  summaryOf,
  walkBucket,
} from "./block.ts";

export type { MapChange, StoredBlock } from "./block.ts";
export { EMPTY_HASH } from "./block.ts";

/** The block with this prefix: lower-case hex digits, none for the top. Null where there is none. */
export type ReadBlock = (prefix: string) => Promise<StoredBlock | null>;
/** Null removes the block. */
export type WriteBlock = (prefix: string, value: Uint8Array | null) => void;

export interface MapState {
  /** 32 bytes, base64url. */
  readonly root: string;
  /** Keys in the map. */
  readonly count: number;
}

/** Whether a key is there, with what proves it either way. */
export interface MapProof {
  /** Siblings from the root down, base64url; "" where there is nothing. */
  readonly path: readonly string[];
  /** Base64url; null for a key that is not there. */
  readonly commit: string | null;
  /** For a key that is not there: what stands at the end of its path. */
  readonly end: MapEnd;
}

const stateOf = ({ hash, count }: Summary): MapState => ({ root: hash, count });

function summaryOfBlock(block: Block, level: number): Summary {
  return block.kind === "branch" ? (block.nodes[1] ?? EMPTY) : summaryOf(block, 4 * level);
}

/** What the map is now. */
export async function readMap(read: ReadBlock): Promise<MapState> {
  const top = await read("");
  return stateOf(top ? summaryOfBlock(decodeBlock(top), 0) : EMPTY);
}

/** Five reads among a million keys. */
export async function proveKey(read: ReadBlock, key: Uint8Array): Promise<MapProof> {
  const path: string[] = [];
  const absent = (end: MapEnd): MapProof => ({ path, commit: null, end });
  let prefix = "";
  for (;;) {
    const stored = await read(prefix);
    if (!stored) {
      assert(prefix === "", "a block of the map is missing");
      return absent(null);
    }
    const block = decodeBlock(stored);
    if (block.kind === "bucket") {
      const found = walkBucket(block, 4 * prefix.length, key, path);
      if (!found) return absent(null);
      const commit = found.commit.toString("base64url");
      if (found.key.equals(key)) return { path, commit, end: null };
      return absent({ key: found.key.toString("base64url"), commit });
    }
    let index = 1;
    for (let depth = 4 * prefix.length; index < 16; depth += 1) {
      const isAlone = (block.nodes[index]?.count ?? 0) < 2;
      const own = 2 * index + bitOf(key, depth);
      // Where one key is alone its leaf stands for the whole subtree, on whichever side it is.
      const next = isAlone && block.nodes[own]?.count === 0 ? own ^ 1 : own;
      if (!isAlone) path.push(siblingOf(block.nodes[own ^ 1] ?? EMPTY));
      index = next;
      if (block.nodes[index]?.count === 0) return absent(null);
    }
    prefix += (index - 16).toString(16);
  }
}

/**
 * Sets and removes keys. Reads first and writes at the end, so both may be those of one transaction, or `write` may keep
 * the blocks for later.
 * @param changes In any order; of two for one key the later counts.
 */
export async function updateMap(
  read: ReadBlock,
  write: WriteBlock,
  changes: readonly MapChange[],
): Promise<MapState> {
  const written = new Map<string, Block | null>();

  async function load(prefix: string): Promise<Block | null> {
    const own = written.get(prefix);
    if (own !== undefined) return own;
    const stored = await read(prefix);
    return stored && decodeBlock(stored);
  }

  /** Writes these keys, and only these, below a prefix where nothing else is. */
  function settle(prefix: string, bucket: Bucket): Summary {
    const count = countOf(bucket);
    if (count <= BUCKET_KEYS_MAX) {
      written.set(prefix, count === 0 ? null : bucket);
      return summaryOf(bucket, 4 * prefix.length);
    }
    const children = splitBucket(bucket, prefix.length).map((child, nibble) =>
      countOf(child) === 0 ? EMPTY : settle(prefix + nibble.toString(16), child),
    );
    const branch = branchOf(children);
    written.set(prefix, branch);
    return summaryOfBlock(branch, prefix.length);
  }

  /** Takes all keys below a prefix out of their blocks. */
  async function gather(prefix: string): Promise<Bucket> {
    const block = await load(prefix);
    written.set(prefix, null);
    if (!block) return NO_KEYS;
    if (block.kind === "bucket") return block;
    const buckets: Bucket[] = [];
    for (let nibble = 0; nibble < 16; nibble += 1)
      if (childOf(block, nibble).count > 0) buckets.push(await gather(prefix + nibble.toString(16)));
    return joinBuckets(buckets);
  }

  async function change(prefix: string, own: readonly MapChange[]): Promise<Summary> {
    const block = (await load(prefix)) ?? NO_KEYS;
    if (block.kind === "bucket") return settle(prefix, changeBucket(block, own));
    const byNibble = new Map<number, MapChange[]>();
    for (const one of own) {
      const nibble = nibbleOf(one.key, prefix.length);
      const others = byNibble.get(nibble);
      if (others) others.push(one);
      else byNibble.set(nibble, [one]);
    }
    const changed = await Promise.all(
      [...byNibble].map(
        async ([nibble, some]) => [nibble, await change(prefix + nibble.toString(16), some)] as const,
      ),
    );
    const branch = replaceChildren(block, new Map(changed));
    written.set(prefix, branch);
    const summary = summaryOfBlock(branch, prefix.length);
    return summary.count < BRANCH_KEYS_MIN ? settle(prefix, await gather(prefix)) : summary;
  }

  const result = stateOf(await change("", sorted(changes)));
  for (const [prefix, block] of written) write(prefix, block && encodeBlock(block));
  return result;
}

function sorted(changes: readonly MapChange[]): readonly MapChange[] {
  const latest = new Map<string, MapChange>();
  for (const one of changes) {
    assert(one.key.length === KEY_BYTES && (one.commit?.length ?? KEY_BYTES) === KEY_BYTES, "32 bytes each");
    latest.set(Buffer.from(one.key).toString("latin1"), one);
  }
  return [...latest.values()].sort((a, b) => Buffer.compare(a.key, b.key));
}
