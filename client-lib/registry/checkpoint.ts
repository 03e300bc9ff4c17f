/** Checkpoints: what a log says of its whole tree. @see https://c2sp.org/tlog-checkpoint */
import type { Bytes } from "../passport/bytes.ts";
import { PassportError } from "../passport/verify.ts";
import { HASH_BYTES } from "./merkle.ts";
import { decodeBase64, encodeBase64 } from "./note.ts";

export interface Checkpoint {
  /** Which log it is. */
  readonly origin: string;
  /** Leaves of the tree. */
  readonly size: number;
  readonly root: Bytes;
  /** Lines that nobody can audit; our logs have none, and ML-DSA-44 cosignatures do not cover them. */
  readonly extensions: readonly string[];
}

/** A number as checkpoints write it. @returns null for any other spelling, and for more than numbers can count. */
export function parseSize(text: string): number | null {
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : null;
}

/** @param body The text of a signed note. @throws PassportError `checkpoint` */
export function parseCheckpoint(body: string): Checkpoint {
  const lines = body.split("\n");
  const [origin = "", sizeText = "", rootText = "", ...rest] = lines;
  const [size, root] = [parseSize(sizeText), decodeBase64(rootText)];
  if (lines.length < 4 || lines.pop() !== "" || lines.includes(""))
    throw new PassportError("checkpoint", "It is not three or more lines, each with something in it");
  if (size === null) throw new PassportError("checkpoint", "The second line is no size of a tree");
  if (root?.length !== HASH_BYTES)
    throw new PassportError("checkpoint", "The third line is no root of a tree");
  return { origin, size, root, extensions: rest.slice(0, -1) };
}

/** The text to be signed. */
export const formatCheckpoint = (
  checkpoint: Pick<Checkpoint, "origin" | "size" | "root"> & Partial<Checkpoint>,
): string => {
  const { origin, size, root, extensions = [] } = checkpoint;
  return [origin, String(size), encodeBase64(root), ...extensions, ""].join("\n");
};
