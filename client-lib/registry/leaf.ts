/** What stands in a log and in a map: commitments that say nothing to who does not hold the opening. */
import { type Bytes, jcs, sha256, tagged, utf8 } from "../passport/bytes.ts";
import type { PassportId } from "../passport/identifier.ts";
import { PassportError } from "../passport/verify.ts";
import { decodeU64, encodeU64 } from "./cosignature.ts";
import { concat, HASH_BYTES } from "./merkle.ts";
import type { Leaf, Shard } from "./model.ts";

/** Which operations are the newest of a passport. */
export interface HeadRecord {
  /** Hash of the newest authority operation, and its `seq`. */
  readonly a: string;
  readonly aseq: number;
  /** Hash of the data record; null when there is none. */
  readonly d: string | null;
  /** 0 when there is none: the head alone must do to make this. */
  readonly dseq: number;
  /** Hash of the hold; only while the zone holds the passport. */
  readonly h?: string;
}

/** What is hashed for {@link headKeyOf}; for those who hash by other means. The id counts as its 53 lower-case characters. */
export const headKeyPreimage = (shard: Shard, id: PassportId): Bytes =>
  tagged("DCANN-head-v1", `${shard}\0${id}`);

/** Where a passport stands in the map of a shard: other shards know it by another key. */
export const headKeyOf = (shard: Shard, id: PassportId): Promise<Bytes> => sha256(headKeyPreimage(shard, id));

/** The text that is committed to; only what {@link HeadRecord} names goes in. */
export function headRecordText({ a, aseq, d, dseq, h }: HeadRecord): string {
  // Without a data record its number is 0: a reader has nothing to know an ended one's from.
  return jcs({ a, aseq, d, dseq: d === null ? 0 : dseq, ...(h !== undefined && { h }) });
}

/** What the HMAC of {@link commitOf} is made over. */
export const commitMessage = (headKey: Uint8Array, text: string): Bytes =>
  concat(utf8("DCANN-commit-v1\0"), headKey, utf8(text));

/** @param opening 32 random bytes: once they are gone, the commitment is noise. */
export async function commitOf(opening: Bytes, headKey: Uint8Array, text: string): Promise<Bytes> {
  if (opening.length !== HASH_BYTES || headKey.length !== HASH_BYTES)
    throw new Error("An opening and a key of the map have 32 bytes");
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("raw", opening, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", key, commitMessage(headKey, text)));
}

const LEAF_KINDS = { set: 1, root: 2, delete: 3, governance: 4 } as const;
const LEAF_BYTES = { set: 65, root: 49, delete: 33, governance: 33 } as const;

/** The bytes of an entry of the log. */
export function encodeLeaf(leaf: Leaf): Bytes {
  const kind = Uint8Array.of(LEAF_KINDS[leaf.kind]);
  const bytes = concat(kind, ...partsOf(leaf));
  if (bytes.length !== LEAF_BYTES[leaf.kind]) throw new Error(`A leaf ${leaf.kind} has other bytes`);
  return bytes;
}

function partsOf(leaf: Leaf): readonly Uint8Array[] {
  if (leaf.kind === "set") return [leaf.headKey, leaf.commit];
  if (leaf.kind === "root") return [encodeU64(leaf.epoch), encodeU64(leaf.count), leaf.root];
  return [leaf.kind === "delete" ? leaf.headKey : leaf.hash];
}

/** @throws PassportError `leaf` for any other bytes. */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  const first = bytes[0];
  if (first === LEAF_KINDS.set && bytes.length === LEAF_BYTES.set)
    return { kind: "set", headKey: bytes.slice(1, 33), commit: bytes.slice(33) };
  if (first === LEAF_KINDS.delete && bytes.length === LEAF_BYTES.delete)
    return { kind: "delete", headKey: bytes.slice(1) };
  if (first === LEAF_KINDS.governance && bytes.length === LEAF_BYTES.governance)
    return { kind: "governance", hash: bytes.slice(1) };
  if (first === LEAF_KINDS.root && bytes.length === LEAF_BYTES.root) {
    const [epoch, count] = [decodeU64(bytes.subarray(1)), decodeU64(bytes.subarray(9))];
    if (epoch !== null && count !== null) return { kind: "root", epoch, count, root: bytes.slice(17) };
  }
  throw new PassportError("leaf", "These bytes are no leaf of a registry's log");
}

/** What is hashed for {@link governanceHash}. */
export const governancePreimage = (record: unknown): Bytes => tagged("DCANN-gov-v1", jcs(record));

/** What the log says of a record of a registrar, vendor, sanction, pin or refusal. */
export const governanceHash = (record: unknown): Promise<Bytes> => sha256(governancePreimage(record));
