/**
 * Records sealed with their pod's keys. What the disk shows is how many there are and how large.
 *
 * Format 1: format(1) key-version-less-1(2) epoch(2) nonce(12)
 *           AES-256-GCM( group-length(2) item-length(2) group item value ) tag(16).
 * The additional data name the place (pod, table, group key, item key): a record moved elsewhere does not open.
 */
import assert from "node:assert/strict";
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { nextRandom } from "../../random.ts";
import { createMac, type Mac } from "./mac.ts";

const FORMAT = 1;
const HEADER = 17;
const TAG = 16;
const NAMES = 4;
/**
 * Random nonces are good for 2^32 uses of a key (NIST SP 800-38D section 8.3), so every so many commits there is a new key:
 * 2^18 commits of at most 10,000 records (`transactionWritesMax`) stay below it.
 */
const COMMITS_PER_EPOCH = 2 ** 18;
const EPOCHS = 65_536;
const DERIVED_OPEN_MAX = 32;

/** 16 bytes of HMAC-SHA-256 as a Latin-1 string: cheap to hold, to compare and to write. */
export type LookupKey = string & { readonly __brand: "LookupKey" };
/** The item "" needs no hiding: its table already says that groups have one record each. */
const NO_ITEM = "\0".repeat(16) as LookupKey;

/**
 * One pod's keys by purpose. Some stay for ever, for by them things are found: `lookups`, `contents`, `journal`. The rest come
 * from the content key, which has versions: the newest seals, and what an older one sealed is opened until it is destroyed.
 * Key objects, for OpenSSL sets up a raw key anew at each use.
 */
export interface PodKeys {
  readonly id: Buffer;
  readonly idLatin1: string;
  /** Tells these keys from all others of this process: two stores may have pods of one id. */
  readonly serial: number;
  readonly lookups: Mac;
  /** Names blobs by what is in them. */
  readonly contents: KeyObject;
  /** Links the entries of the journal. */
  readonly journal: Mac;
  /** The same for the writer, which makes the links: 32 bytes as a Latin-1 string. */
  readonly journalLatin1: string;
  /** The content key that seals now, from 1 on: may change at any time, so it is asked at each sealing. */
  readonly version: number;
  /** Null for a version that is not there (any more). */
  blobs(version: number): KeyObject | null;
  records(version: number, epoch: number): KeyObject | null;
}

export const STABLE_BYTES = 96;
/** More do not fit into a record's header. */
export const VERSION_MAX = 65_536;

export interface ContentKeys {
  newest(): number;
  find(version: number): KeyObject | null;
}

const derived = (key: KeyObject, id: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, id, `freehold/1/${purpose}`, 32));

/** The keys that stay, of a pod from the time when one key was all there was: it can be destroyed then, and they live on. */
export function stableOf(id: Buffer, pod: KeyObject): Buffer {
  return Buffer.concat(["lookups", "contents", "journal"].map((purpose) => derived(pod, id, purpose)));
}

let serials = 0;

/** @param stable 96 bytes: the keys `lookups`, `contents` and `journal`. */
export function derivePodKeys(id: Buffer, stable: Buffer, contentKeys: ContentKeys): PodKeys {
  const open = new Map<number, KeyObject>();
  function derive(name: number, version: number, purpose: string): KeyObject | null {
    let key = open.get(name);
    if (!key) {
      const content = contentKeys.find(version);
      if (!content) return null;
      key = createSecretKey(derived(content, id, purpose));
      if (open.size >= DERIVED_OPEN_MAX) open.clear();
      open.set(name, key);
    }
    return key;
  }
  return {
    id,
    idLatin1: id.toString("latin1"),
    serial: ++serials,
    lookups: createMac(stable.subarray(0, 32)),
    contents: createSecretKey(stable.subarray(32, 64)),
    journal: createMac(stable.subarray(64, 96)),
    journalLatin1: stable.toString("latin1", 64, 96),
    get version() {
      return contentKeys.newest();
    },
    blobs: (version) => derive(-version, version, "blobs"),
    records(version, epoch) {
      const name = version * EPOCHS + epoch;
      return open.get(name) ?? derive(name, version, `records/${epoch}`);
    },
  };
}

interface Made {
  readonly serial: number;
  readonly table: number;
  readonly group: string;
  /** Null: it is the group's own key. */
  readonly item: string | null;
  readonly key: LookupKey;
}

/**
 * Lookup keys made lately: a request looks into few groups, and several times. Of all pods together, and no secret to
 * whoever could read this memory. Each has one place, and takes it from whichever was there: a map of names that are put
 * together for it would take longer to ask than the keys take to make.
 */
const made: (Made | undefined)[] = Array.from({ length: 8_192 });
const NAME_CHARS = 12; // Names of one folder differ near their end.

function placeInMade(table: number, item: boolean, name: string): number {
  let mixed = 2 * table + Number(item);
  for (let at = Math.max(0, name.length - NAME_CHARS); at < name.length; at++)
    mixed = Math.imul(mixed ^ name.charCodeAt(at), 0x9e_37_79_b1);
  return (mixed ^ (mixed >>> 15)) & (made.length - 1);
}

/** Where all records of a group are found; equal names in different tables or pods have unrelated keys. */
export function groupKeyOf(keys: PodKeys, table: number, group: string): LookupKey {
  const { serial } = keys;
  const place = placeInMade(table, false, group);
  const known = made[place];
  if (
    known !== undefined &&
    known.table === table &&
    known.serial === serial &&
    known.item === null &&
    known.group === group
  )
    return known.key;
  const key = keys.lookups(`${String.fromCharCode(table)}\u0000`, group).slice(0, 16) as LookupKey;
  made[place] = { serial, table, group, item: null, key };
  return key;
}

/** Bound to the group, so that equal names in different folders do not show. */
export function itemKeyOf(keys: PodKeys, table: number, groupKey: LookupKey, item: string): LookupKey {
  if (item === "") return NO_ITEM;
  const { serial } = keys;
  const place = placeInMade(table, true, item);
  const known = made[place];
  if (
    known !== undefined &&
    known.table === table &&
    known.serial === serial &&
    known.item === item &&
    known.group === groupKey
  )
    return known.key;
  const key = keys.lookups(`${String.fromCharCode(table)}\u0001${groupKey}`, item).slice(0, 16) as LookupKey;
  made[place] = { serial, table, group: groupKey, item, key };
  return key;
}

const CURSOR_MAC = 9;

function cursorMac(keys: PodKeys, table: number, groupKey: LookupKey, item: Uint8Array): Buffer {
  const mac = keys.lookups(`${String.fromCharCode(table)}\u0002${groupKey}`, item);
  return Buffer.from(mac.slice(0, CURSOR_MAC), "latin1");
}

/**
 * Where a page of a group ended, for whoever asks for the next one: the last item's name, which they have just seen, and
 * a keyed hash, so that no other place can be named.
 */
export function cursorOf(keys: PodKeys, table: number, groupKey: LookupKey, item: string): string {
  const name = Buffer.from(item);
  return Buffer.concat([cursorMac(keys, table, groupKey, name), name]).toString("base64url");
}

/** @returns the item's name; null for a cursor that is not of this group. */
export function itemOfCursor(
  keys: PodKeys,
  table: number,
  groupKey: LookupKey,
  cursor: string,
): string | null {
  const bytes = Buffer.from(cursor, "base64url");
  const name = bytes.subarray(CURSOR_MAC);
  const mac = bytes.subarray(0, CURSOR_MAC);
  if (mac.length < CURSOR_MAC || !timingSafeEqual(mac, cursorMac(keys, table, groupKey, name))) return null;
  return name.toString();
}

export const nextNonce = (): Buffer => nextRandom(12);

function additional(
  keys: PodKeys,
  version: number,
  epoch: number,
  table: number,
  groupKey: LookupKey,
  itemKey: LookupKey,
): Buffer {
  const bytes = Buffer.allocUnsafe(54);
  bytes[0] = FORMAT;
  bytes.writeUInt16BE(version - 1, 1);
  bytes.writeUInt16BE(epoch, 3);
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
  plain: Pick<Plain, "bytes">,
): Buffer {
  const { version } = keys;
  const epoch = Math.floor(generation / COMMITS_PER_EPOCH);
  assert(epoch < EPOCHS, "a pod has been written to 2^34 times");
  const key = keys.records(version, epoch);
  assert(key, "the newest content key is always there");
  const nonce = nextNonce();
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(additional(keys, version, epoch, table, groupKey, itemKey));
  const body = cipher.update(plain.bytes);
  cipher.final(); // Empty in this mode, but it makes the tag.
  const sealed = Buffer.allocUnsafe(HEADER + body.length + TAG);
  sealed[0] = FORMAT;
  sealed.writeUInt16BE(version - 1, 1);
  sealed.writeUInt16BE(epoch, 3);
  sealed.set(nonce, 5);
  sealed.set(body, HEADER);
  sealed.set(cipher.getAuthTag(), HEADER + body.length);
  return sealed;
}

/** The version of the content key that sealed this record, as its header says. */
export function versionOf(sealed: Uint8Array): number {
  return (((sealed[1] ?? 0) << 8) | (sealed[2] ?? 0)) + 1;
}

export interface Opened {
  readonly group: string;
  readonly item: string;
  readonly value: Uint8Array;
}

function openBytes(
  keys: PodKeys,
  table: number,
  groupKey: LookupKey,
  itemKey: LookupKey,
  sealed: Uint8Array,
): Buffer | null {
  if (!(sealed instanceof Uint8Array)) return null; // A damaged row may hold another type of value.
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < HEADER + NAMES + TAG || bytes[0] !== FORMAT) return null;
  const version = versionOf(bytes);
  const epoch = bytes.readUInt16BE(3);
  const key = keys.records(version, epoch);
  if (!key) return null; // Destroyed: what it sealed is erased.
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(5, HEADER), { authTagLength: TAG });
  decipher.setAAD(additional(keys, version, epoch, table, groupKey, itemKey));
  decipher.setAuthTag(bytes.subarray(-TAG));
  const plain = decipher.update(bytes.subarray(HEADER, -TAG));
  try {
    decipher.final();
  } catch {
    return null; // Not ours: what was deciphered so far is worth nothing.
  }
  return plain;
}

/** @returns null for bytes that this pod did not seal for this place, or that have changed since. */
export function openRecord(
  keys: PodKeys,
  table: number,
  groupKey: LookupKey,
  itemKey: LookupKey,
  sealed: Uint8Array,
): Opened | null {
  const plain = openBytes(keys, table, groupKey, itemKey, sealed);
  if (!plain) return null;
  const groupEnd = NAMES + plain.readUInt16BE(0);
  const itemEnd = groupEnd + plain.readUInt16BE(2);
  return {
    group: plain.toString("utf8", NAMES, groupEnd),
    item: plain.toString("utf8", groupEnd, itemEnd),
    value: new Uint8Array(plain.buffer, plain.byteOffset + itemEnd, plain.length - itemEnd),
  };
}

/**
 * The same record, sealed with the pod's newest key: of the same epoch, so that no key is used more often than before.
 * @returns null for a record that does not open.
 */
export function resealRecord(
  keys: PodKeys,
  table: number,
  groupKey: LookupKey,
  itemKey: LookupKey,
  sealed: Uint8Array,
): Buffer | null {
  const bytes = openBytes(keys, table, groupKey, itemKey, sealed);
  const generation = (((sealed[3] ?? 0) << 8) | (sealed[4] ?? 0)) * COMMITS_PER_EPOCH;
  return bytes && sealRecord(keys, generation, table, groupKey, itemKey, { bytes });
}

/** Group key and item key, of their 32 bytes. */
export function keysOfPlace(place: Uint8Array): readonly [LookupKey, LookupKey] {
  const text = Buffer.from(place.buffer, place.byteOffset, place.byteLength).toString("latin1");
  return [text.slice(0, 16) as LookupKey, text.slice(16) as LookupKey];
}
