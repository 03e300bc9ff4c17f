/** Whether a witness may sign a checkpoint, decided by what it saw last. @see https://c2sp.org/tlog-witness#add-checkpoint */
import {
  type Bytes,
  type Checkpoint,
  EMPTY_ROOT,
  sameBytes,
  verifyConsistency,
} from "@freehold/client/registry";

/** The newest tree of a log that was cosigned here. */
export interface SeenTree {
  readonly size: number;
  readonly root: Bytes;
}

export type Verdict =
  | { readonly kind: "sign" }
  /** The log has gone on, or somebody else came before: the answer says where the witness stands. */
  | { readonly kind: "conflict"; readonly size: number }
  | { readonly kind: "refused"; readonly status: 400 | 422; readonly reason: string };

const refused = (status: 400 | 422, reason: string): Verdict => ({ kind: "refused", status, reason });

/** The log's signature on `tree` holds already. @param seen Null for a log that was never cosigned. */
export async function judgeTree(
  seen: SeenTree | null,
  { old, path }: { readonly old: number; readonly path: readonly Bytes[] },
  tree: Pick<Checkpoint, "size" | "root">,
): Promise<Verdict> {
  if (old > tree.size) return refused(400, "The old size is larger than the checkpoint's");
  if (old !== (seen?.size ?? 0)) return { kind: "conflict", size: seen?.size ?? 0 };
  if (tree.size === 0 && !sameBytes(tree.root, EMPTY_ROOT))
    return refused(422, "A tree without leaves has another root");
  if (seen && seen.size === tree.size && !sameBytes(seen.root, tree.root))
    return refused(422, "Another checkpoint of this size was cosigned before");
  if (old === 0 || old === tree.size)
    return path.length === 0
      ? { kind: "sign" }
      : refused(422, "Nothing is to be proved here, but a proof was sent");
  const isConsistent =
    seen !== null &&
    (await verifyConsistency({ size1: old, size2: tree.size, root1: seen.root, root2: tree.root, path }));
  return isConsistent
    ? { kind: "sign" }
    : refused(422, "The proof does not lead from the tree cosigned last to this one");
}

/** Two trees of one size: the log has shown one to somebody and another to somebody else. */
export const isContradiction = (seen: SeenTree | null, tree: SeenTree): boolean =>
  seen !== null && seen.size === tree.size && !sameBytes(seen.root, tree.root);
