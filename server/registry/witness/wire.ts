/** What is sent to a witness, and how it is read: lines, each with one meaning. @see https://c2sp.org/tlog-witness */
import { type Bytes, decodeBase64, encodeBase64, parseSize } from "@freehold/client/registry";

/** Content type of the size of a tree, alone on a line. */
export const SIZE_TYPE = "text/x.tlog.size";

export interface AddCheckpoint {
  /** Size of the tree that the witness saw last. */
  readonly old: number;
  /** Consistency from there. */
  readonly path: readonly Uint8Array[];
  /** The checkpoint, signed by its log. */
  readonly note: string;
}

const PATH_HASHES_MAX = 63;
const HASH_BYTES = 32;

export const encodeAddCheckpoint = ({ old, path, note }: AddCheckpoint): string =>
  [`old ${old}`, ...path.map(encodeBase64), "", note].join("\n");

/** @returns null for what is no such request. */
export function parseAddCheckpoint(
  text: string,
): (AddCheckpoint & { readonly path: readonly Bytes[] }) | null {
  const end = text.indexOf("\n\n");
  if (end === -1) return null;
  const [first = "", ...lines] = text.slice(0, end).split("\n");
  const old = first.startsWith("old ") ? parseSize(first.slice(4)) : null;
  const path = lines.map(decodeBase64);
  const isPath = path.every((hash): hash is Bytes => hash?.length === HASH_BYTES);
  if (old === null || !isPath || path.length > PATH_HASHES_MAX) return null;
  return { old, path, note: text.slice(end + 2) };
}
