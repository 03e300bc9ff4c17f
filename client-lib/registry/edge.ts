/** The right edge of a log: with it, leaves can be added and the root of the tree told, though all before is forgotten. */
import type { Bytes } from "../passport/bytes.ts";
import { EMPTY_ROOT, nodeHash } from "./merkle.ts";

export interface Edge {
  readonly size: number;
  /** Complete subtrees, the largest first. */
  readonly roots: readonly Bytes[];
}

export const EMPTY_EDGE: Edge = Object.freeze({ size: 0, roots: [] });

/** How many subtrees a leaf completes: one for each bit that is set at the end of the number of leaves before it. */
function completed(size: number): number {
  let count = 0;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) count += 1;
  return count;
}

/** @param hash Of the leaf. */
export async function addLeaf({ size, roots }: Edge, hash: Bytes): Promise<Edge> {
  let root = hash;
  const keep = roots.length - completed(size);
  for (let index = roots.length - 1; index >= keep; index -= 1)
    root = await nodeHash(roots[index] as Bytes, root);
  return { size: size + 1, roots: [...roots.slice(0, keep), root] };
}

export async function rootOfEdge({ roots }: Edge): Promise<Bytes> {
  let root = roots.at(-1) ?? EMPTY_ROOT;
  for (const left of roots.slice(0, -1).toReversed()) root = await nodeHash(left, root);
  return root;
}

/**
 * From the proof that a leaf is the last of a tree: all its siblings are complete subtrees to its left.
 * @param path From the leaf up, as `verifyInclusion` has found it to be right.
 */
export const edgeOfLast = (size: number, hash: Bytes, path: readonly Bytes[]): Promise<Edge> =>
  addLeaf({ size: size - 1, roots: path.toReversed() }, hash);
