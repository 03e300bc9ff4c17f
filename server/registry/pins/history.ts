/** Whether two signed trees are of one history: the smaller is the beginning of the larger, or somebody shows two logs. */
import {
  type FetchTile,
  PassportError,
  proveConsistency,
  type SignedTree,
  sameBytes,
  verifyConsistency,
} from "@freehold/client/registry";

export type Tree = Pick<SignedTree, "size" | "root">;

/**
 * @param fetchTile Of the log, as it is shown here.
 * @returns null when the log does not serve what would be needed to tell.
 */
export async function isOneHistory(fetchTile: FetchTile, one: Tree, other: Tree): Promise<boolean | null> {
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one];
  if (older.size === newer.size) return sameBytes(older.root, newer.root);
  if (older.size === 0) return true;
  try {
    return await verifyConsistency({
      size1: older.size,
      size2: newer.size,
      root1: older.root,
      root2: newer.root,
      path: await proveConsistency(fetchTile, older.size, newer.size),
    });
  } catch (error) {
    if (error instanceof PassportError && error.rule === "tile") return null;
    throw error;
  }
}
