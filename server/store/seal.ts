/**
 * Records sealed with their pod's keys. What the disk shows is how many there are and how large.
 *
 * Format 1: format(1) epoch(4) nonce(12) AES-256-GCM( group-length(2) item-length(2) group item value ) tag(16).
 * The additional data name the place (pod, table, group key, item key): a record moved elsewhere does not open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from "node:crypto";

const FORMAT = 1;
const HEADER = 17;
const TAG = 16;
const NAMES = 4;
/**
 * Random nonces are good for 2^32 uses of a key (NIST SP 800-38D section 8.3), so every so many commits there is a new key:
 * 2^18 commits of at most 10,000 records (`transactionWritesMax`) stay below it.
 */
const COMMITS_PER_EPOCH = 2 ** 18;
const EPOCHS_OPEN_MAX = 16;

/** 16 bytes of HMAC-SHA-256 as a Latin-1 string: cheap to hold, to compare and to write. */
export type LookupKey = string & { readonly __brand: "LookupKey" };
/** The item "" needs no hiding: its table already says that groups have one record each. */
const NO_ITEM = "\0".repeat(16) as LookupKey;

/** One pod's keys by purpose. Key objects, for OpenSSL sets up a raw key anew at each use. */
export interface PodKeys {
  readonly id: Buffer;
  readonly idLatin1: string;
  readonly lookups: KeyObject;
  /** Names blobs by what is in them. */
  readonly contents: KeyObject;
  readonly blobs: KeyObject;
  records(epoch: number): KeyObject;
}

export function derivePodKeys(id: Buffer, pod: KeyObject): PodKeys {
  const derive = (purpose: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync("sha256", pod, id, `freehold/1/${purpose}`, 32)));
  const epochs = new Map<number, KeyObject>();
  return {
    id,
    idLatin1: id.toString("latin1"),
    lookups: derive("lookups"),
    contents: derive("contents"),
    blobs: derive("blobs"),
    records(epoch) {
      let key = epochs.get(epoch);
      if (!key) {
        key = derive(`records/${epoch}`);
        if (epochs.size >= EPOCHS_OPEN_MAX) epochs.clear();
        epochs.set(epoch, key);
      }
      return key;
    },
  };
}

/** Where all records of a group are found; equal names in different tables or pods have unrelated keys. */
export function groupKeyOf(keys: PodKeys, table: number, group: string): LookupKey {
  const hmac = createHmac("sha256", keys.lookups).update(
    `${String.fromCharCode(table)}\u0000${group}`,
    "utf8",
  );
  return hmac.digest("binary").slice(0, 16) as LookupKey;
}

/** Bound to the group, so that equal names in different folders do not show. */
export function itemKeyOf(keys: PodKeys, table: number, groupKey: LookupKey, item: string): LookupKey {
  if (item === "") return NO_ITEM;
  const hmac = createHmac("sha256", keys.lookups).update(
    `${String.fromCharCode(table)}\u0001${groupKey}`,
    "latin1",
  );
  return hmac.update(item, "utf8").digest("binary").slice(0, 16) as LookupKey;
}

const nonces = Buffer.alloc(12 * 512);
let nonceAt = nonces.length;

/** Random bytes drawn in bulk: one call to the generator costs more than sealing a small record. */
export function nextNonce(): Buffer {
  if (nonceAt === nonces.length) {
    randomFillSync(nonces);
    nonceAt = 0;
  }
  nonceAt += 12;
  return nonces.subarray(nonceAt - 12, nonceAt);
}

function additional(
  keys: PodKeys,
  epoch: number,
  table: number,
  groupKey: LookupKey,
  itemKey: LookupKey,
): Buffer {
  const bytes = Buffer.allocUnsafe(54);
  bytes[0] = FORMAT;
  bytes.writeUInt32BE(epoch, 1);
  bytes.set(keys.id, 5);
  bytes[21] = table;
  bytes.write(groupKey, 22, "latin1");
  bytes.write(itemKey, 38, "latin1");
  return bytes;
}

/** A record's names and value in one buffer, as they are sealed; `value` is the part that is the value. */
export interface Plain {
  readonly bytes: Buffer;
  readonly value: Uint8Array;
}

/** Copies `value`: the caller may do with its own what it likes, and no larger buffer is kept alive by it. */
export function plainOf(group: string, item: string, value: Uint8Array): Plain {
  const groupBytes = Buffer.byteLength(group);
  const itemBytes = Buffer.byteLength(item);
  const start = NAMES + groupBytes + itemBytes;
  const bytes = Buffer.allocUnsafeSlow(start + value.length);
  bytes.writeUInt16BE(groupBytes, 0);
  bytes.writeUInt16BE(itemBytes, 2);
  bytes.write(group, NAMES);
  bytes.write(item, NAMES + groupBytes);
  bytes.set(value, start);
  return { bytes, value: new Uint8Array(bytes.buffer, start, value.length) };
}

/** @param generation The pod's, to choose the key's epoch; a few commits more or less do not matter. */
export function sealRecord(
  keys: PodKeys,
  generation: number,
  table: number,
  groupKey: LookupKey,
  itemKey: LookupKey,
  plain: Plain,
): Buffer {
  const epoch = Math.floor(generation / COMMITS_PER_EPOCH);
  const nonce = nextNonce();
  const cipher = createCipheriv("aes-256-gcm", keys.records(epoch), nonce);
  cipher.setAAD(additional(keys, epoch, table, groupKey, itemKey));
  const body = cipher.update(plain.bytes);
  cipher.final(); // Empty in this mode, but it makes the tag.
  const sealed = Buffer.allocUnsafe(HEADER + body.length + TAG);
  sealed[0] = FORMAT;
  sealed.writeUInt32BE(epoch, 1);
  sealed.set(nonce, 5);
  sealed.set(body, HEADER);
  sealed.set(cipher.getAuthTag(), HEADER + body.length);
  return sealed;
}

export interface Opened {
  readonly group: string;
  readonly item: string;
  readonly value: Uint8Array;
}

/** @returns null for bytes that this pod did not seal for this place, or that have changed since. */
export function openRecord(
  keys: PodKeys,
  table: number,
  groupKey: LookupKey,
  itemKey: LookupKey,
  sealed: Uint8Array,
): Opened | null {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < HEADER + NAMES + TAG || bytes[0] !== FORMAT) return null;
  const epoch = bytes.readUInt32BE(1);
  const decipher = createDecipheriv("aes-256-gcm", keys.records(epoch), bytes.subarray(5, HEADER), {
    authTagLength: TAG,
  });
  decipher.setAAD(additional(keys, epoch, table, groupKey, itemKey));
  decipher.setAuthTag(bytes.subarray(-TAG));
  const plain = decipher.update(bytes.subarray(HEADER, -TAG));
  try {
    decipher.final();
  } catch {
    return null; // Not ours: what was deciphered so far is worth nothing.
  }
  const groupEnd = NAMES + plain.readUInt16BE(0);
  const itemEnd = groupEnd + plain.readUInt16BE(2);
  return {
    group: plain.toString("utf8", NAMES, groupEnd),
    item: plain.toString("utf8", groupEnd, itemEnd),
    value: new Uint8Array(plain.buffer, plain.byteOffset + itemEnd, plain.length - itemEnd),
  };
}
