/** The registry's hashes, at once: what `@freehold/client/registry` makes with Web Crypto, for whoever makes thousands of them. */
import { hash } from "node:crypto";
import {
  commitMessage,
  governancePreimage,
  headKeyPreimage,
  type PassportId,
  type Shard,
} from "@freehold/client/registry";

export type Hash = Uint8Array<ArrayBuffer>;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const sha256 = (bytes: Uint8Array): Hash => hash("sha256", bytes, "buffer");

export const leafHash = (entry: Uint8Array): Hash => sha256(Buffer.concat([LEAF, entry]));

export const nodeHash = (left: Uint8Array, right: Uint8Array): Hash =>
  sha256(Buffer.concat([NODE, left, right]));

export const headKeyOf = (shard: Shard, id: PassportId): Hash => sha256(headKeyPreimage(shard, id));

const HMAC_KEY_BYTES = 64;

/** HMAC in two hashes: the platform's own makes a key object first, which takes many times as long. */
function hmac(key: Uint8Array, message: Uint8Array): Hash {
  if (key.length > HMAC_KEY_BYTES) throw new Error("A key of HMAC that must be hashed first");
  const inner = new Uint8Array(HMAC_KEY_BYTES + message.length).fill(0x36, 0, HMAC_KEY_BYTES);
  const outer = new Uint8Array(HMAC_KEY_BYTES + 32).fill(0x5c, 0, HMAC_KEY_BYTES);
  for (let at = 0; at < key.length; at += 1) {
    inner[at] = (key[at] ?? 0) ^ 0x36;
    outer[at] = (key[at] ?? 0) ^ 0x5c;
  }
  inner.set(message, HMAC_KEY_BYTES);
  outer.set(sha256(inner), HMAC_KEY_BYTES);
  return sha256(outer);
}

export const commitOf = (opening: Uint8Array, headKey: Uint8Array, text: string): Hash =>
  hmac(opening, commitMessage(headKey, text));

export const governanceHash = (record: unknown): Hash => sha256(governancePreimage(record));
