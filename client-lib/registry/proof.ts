/** Receipts: one text that proves alone that an entry is in a log. @see https://c2sp.org/tlog-proof */
import type { Bytes } from "../passport/bytes.ts";
import { PassportError } from "../passport/verify.ts";
import { parseSize } from "./checkpoint.ts";
import { HASH_BYTES } from "./merkle.ts";
import { decodeBase64, encodeBase64 } from "./note.ts";

export interface LogProof {
  /** Where the entry stands in the log. */
  readonly index: number;
  /** Siblings from the leaf up. */
  readonly path: readonly Bytes[];
  /** The signed note. */
  readonly checkpoint: string;
  /** Proves nothing: whatever helps to find what was logged. */
  readonly extra: Bytes | null;
}

const VERSION = "c2sp.org/tlog-proof@v1";
const PATH_HASHES_MAX = 64;

export function formatProof({ index, path, checkpoint, extra }: LogProof): string {
  const head = [VERSION, ...(extra ? [`extra ${encodeBase64(extra)}`] : []), `index ${index}`];
  return [...head, ...path.map(encodeBase64), "", checkpoint].join("\n");
}

/** Says nothing yet about whether it proves anything. @throws PassportError `proof` */
export function parseProof(text: string): LogProof {
  const end = text.indexOf("\n\n");
  const [version, ...lines] = text.slice(0, end).split("\n");
  const extra = lines[0]?.startsWith("extra ") ? decodeBase64(lines[0].slice(6)) : null;
  if (lines[0]?.startsWith("extra ")) lines.shift();
  const [first = "", ...hashes] = lines;
  const index = first.startsWith("index ") ? parseSize(first.slice(6)) : null;
  const path = hashes.map(decodeBase64);
  const isPath = path.every((hash): hash is Bytes => hash?.length === HASH_BYTES);
  if (end === -1 || version !== VERSION || index === null || !isPath || path.length > PATH_HASHES_MAX)
    throw new PassportError("proof", "It is no proof of a log");
  return { index, path, checkpoint: text.slice(end + 2), extra };
}
