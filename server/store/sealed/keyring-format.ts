/**
 * The keyring's bytes.
 *
 * Format 2: "FHKR" format(1) zero(3) store-id(16) root-check(16) count(4) { pod }…  HMAC-SHA-256(32) of all before it.
 *   pod: pod(16) state(1) content-keys(1) zero(2), and if it is live: stable(96) wrapped, { version(4) key(32) wrapped }…
 *   wrapped: nonce(12) AES-256-GCM(…) tag(16), its additional data naming pod, purpose and version.
 * Format 1 is read: one key per pod, { pod(16) state(1) version(4) key(32) wrapped }…, from which all its keys come.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { StoreRefused } from "../refused.ts";
import type { PodId } from "../store.ts";
import { STABLE_BYTES, stableOf } from "./seal.ts";

const FORMAT = 2;
const HEADER = 44;
const POD = 20;
const SEAL = 28;
const STABLE = STABLE_BYTES + SEAL;
const KEY = 32 + SEAL;
const CONTENT = 4 + KEY;
const ENTRY_1 = 21 + KEY;
const MAC = 32;
const LIVE = 1;
const ERASED = 2;

export type Wrapped = Buffer & { readonly __brand: "Wrapped" };

/** A pod's keys, wrapped. */
export interface HeldKeys {
  stable: Wrapped;
  /** Oldest first. */
  contents: readonly { readonly version: number; readonly wrapped: Wrapped }[];
  /** The version that seals. */
  sealing: number;
}
/** Null: the pod was erased. */
export type HeldPods = Map<PodId, HeldKeys | null>;

/** The root key, and what it does. */
export interface Root {
  readonly key: KeyObject;
  readonly macKey: KeyObject;
  /** Tells whether a keyring is of this root key. */
  readonly check: Buffer;
  wrap(plain: Uint8Array, aad: Buffer): Wrapped;
  /** @throws for what this key did not wrap; the keyring's own hash was right, so it cannot be damage. */
  unwrap(wrapped: Wrapped, aad: Buffer): Buffer;
}

const derive = (root: KeyObject, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync("sha256", root, "", `freehold/1/keyring/${purpose}`, 32)));

export function rootOf(bytes: Uint8Array): Root {
  const key = createSecretKey(Buffer.from(bytes));
  const wrapKey = derive(key, "wrap");
  return {
    key,
    macKey: derive(key, "mac"),
    check: createHmac("sha256", derive(key, "check")).update("root").digest().subarray(0, 16),
    wrap(plain, aad) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", wrapKey, nonce).setAAD(aad);
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]) as Wrapped;
    },
    unwrap(wrapped, aad) {
      const decipher = createDecipheriv("aes-256-gcm", wrapKey, wrapped.subarray(0, 12), {
        authTagLength: 16,
      });
      decipher.setAAD(aad).setAuthTag(wrapped.subarray(-16));
      return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
    },
  };
}

/** @param bytes Zeros afterwards. */
export function secretOf(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

export const idOf = (pod: PodId): Buffer => Buffer.from(pod, "hex");
export const stableAad = (pod: Buffer): Buffer => Buffer.concat([Buffer.from("freehold/2/stable/"), pod]);
export const contentAad = (pod: Buffer, version: number): Buffer =>
  Buffer.concat([Buffer.from(`freehold/2/content/${version}/`), pod]);
const podKeyAad = (pod: Buffer, version: number): Buffer =>
  Buffer.concat([Buffer.from(`freehold/1/pod-key/${version}/`), pod]);

export function fitsRoot(bytes: Uint8Array, root: Root): boolean {
  return bytes.length >= HEADER && timingSafeEqual(bytes.subarray(24, 40), root.check);
}

export function encodeKeyring(storeId: Uint8Array, pods: HeldPods, root: Root): Buffer {
  const header = Buffer.alloc(HEADER);
  header.write("FHKR", "latin1");
  header.writeUInt8(FORMAT, 4);
  header.set(storeId, 8);
  header.set(root.check, 24);
  header.writeUInt32BE(pods.size, 40);
  const parts: Buffer[] = [header];
  for (const [pod, held] of pods) {
    const head = Buffer.alloc(POD);
    head.write(pod, "hex");
    head.writeUInt8(held ? LIVE : ERASED, 16);
    head.writeUInt8(held?.contents.length ?? 0, 17);
    parts.push(head);
    if (!held) continue;
    parts.push(held.stable);
    for (const { version, wrapped } of held.contents) {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(version);
      parts.push(number, wrapped);
    }
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([body, createHmac("sha256", root.macKey).update(body).digest()]);
}

/**
 * @param name For messages: "The keyring /data/keyring".
 * @throws StoreRefused when it is damaged, newer than this server, or of another root key.
 */
export function parseKeyring(found: Uint8Array, root: Root, name: string): HeldPods {
  const bytes = Buffer.from(found.buffer, found.byteOffset, found.byteLength);
  const damaged = new StoreRefused(`${name} is damaged. Restore it from its backup.`);
  if (bytes.length < HEADER + MAC || bytes.toString("latin1", 0, 4) !== "FHKR") throw damaged;
  const format = bytes[4];
  if (format !== 1 && format !== FORMAT)
    throw new StoreRefused(`${name} was written by a newer Freehold. Run that version or a newer one.`);
  if (!fitsRoot(bytes, root)) {
    throw new StoreRefused(
      "The root key does not fit this keyring. Put the root key back with which the data were written.",
    );
  }
  const body = bytes.subarray(0, -MAC);
  if (!timingSafeEqual(createHmac("sha256", root.macKey).update(body).digest(), bytes.subarray(-MAC)))
    throw damaged;
  const pods: HeldPods = new Map();
  let at = HEADER;
  for (let count = bytes.readUInt32BE(40); count > 0; count--) {
    if (at + POD > body.length) throw damaged;
    at = format === 1 ? readPod1(body, at, pods, root) : readPod(body, at, pods);
  }
  if (at !== body.length) throw damaged;
  return pods;
}

/** @returns where the next one begins. */
function readPod(bytes: Buffer, from: number, pods: HeldPods): number {
  const pod = bytes.toString("hex", from, from + 16) as PodId;
  let at = from + POD;
  if (bytes[from + 16] !== LIVE) {
    pods.set(pod, null);
    return at;
  }
  const part = (length: number): Wrapped => Buffer.from(bytes.subarray(at, (at += length))) as Wrapped;
  const stable = part(STABLE);
  const contents = Array.from({ length: bytes[from + 17] ?? 0 }, () => {
    const version = bytes.readUInt32BE(at);
    at += CONTENT - KEY;
    return { version, wrapped: part(KEY) };
  });
  pods.set(pod, { stable, contents, sealing: contents.at(-1)?.version ?? 0 });
  return at;
}

/** The pod's one key becomes its content key; what came from it and must stay is kept by itself, so that it can be destroyed. */
function readPod1(bytes: Buffer, from: number, pods: HeldPods, root: Root): number {
  const id = Buffer.from(bytes.subarray(from, from + 16));
  const pod = id.toString("hex") as PodId;
  if (bytes[from + 16] === LIVE) {
    const version = bytes.readUInt32BE(from + 17);
    const key = root.unwrap(
      Buffer.from(bytes.subarray(from + 21, from + ENTRY_1)) as Wrapped,
      podKeyAad(id, version),
    );
    const stable = stableOf(id, createSecretKey(key));
    pods.set(pod, {
      stable: root.wrap(stable, stableAad(id)),
      contents: [{ version, wrapped: root.wrap(key, contentAad(id, version)) }],
      sealing: version,
    });
    key.fill(0);
    stable.fill(0);
  } else pods.set(pod, null);
  return from + ENTRY_1;
}
