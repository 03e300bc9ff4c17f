/** A Merkle tree that only grows, as little of it as is needed to grow: the roots of its full parts. */
import { EMPTY_ROOT } from "@freehold/client/registry";
import { type Hash, leafHash, nodeHash } from "./hash.ts";

export interface Tree {
  /** Leaves. */
  readonly size: number;
  /** One root for each 1 in the binary of `size`, that of the largest part first. */
  readonly frontier: readonly Uint8Array[];
}

export const EMPTY_TREE: Tree = { size: 0, frontier: [] };

/** A tree that has grown. */
export interface Grown extends Tree {
  readonly root: Hash;
  /** The proof that the last leaf is in it: siblings from the leaf up. Empty where nothing was added. */
  readonly pathOfLast: readonly Uint8Array[];
}

/** The tree with these hashes of leaves added. */
export function appendHashes(tree: Tree, hashes: readonly Uint8Array[]): Grown {
  const frontier = [...tree.frontier];
  let { size } = tree;
  let pathOfLast: readonly Uint8Array[] = [];
  for (const [index, leaf] of hashes.entries()) {
    if (index === hashes.length - 1) pathOfLast = rootPathOfLast({ size, frontier });
    let node = leaf;
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2)
      node = nodeHash(frontier.pop() ?? leaf, node);
    frontier.push(node);
    size += 1;
  }
  return { size, frontier, root: rootOf({ size, frontier }), pathOfLast };
}

/** The tree with these entries added. */
export const appendLeaves = (tree: Tree, entries: readonly Uint8Array[]): Grown =>
  appendHashes(tree, entries.map(leafHash));

export function rootOf({ frontier }: Tree): Hash {
  const [last, ...before] = frontier.toReversed();
  if (!last) return EMPTY_ROOT;
  return before.reduce<Hash>((right, left) => nodeHash(left, right), new Uint8Array(last));
}

/**
 * All that stands before a leaf is the proof that it is the last one.
 * @param before The tree without that leaf.
 * @returns siblings from the leaf up.
 */
export const rootPathOfLast = (before: Tree): readonly Uint8Array[] => before.frontier.toReversed();
