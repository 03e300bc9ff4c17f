/**
 * Keys: the root key (a file of its own) wraps one random key per pod; the wrapped keys are the keyring, one small file.
 * The keyring has its own backups, kept shorter than those of the data: what is erased from it is gone for good.
 *
 * Format 1: "FHKR" format(1) zero(3) store-id(16) root-check(16) count(4)
 *           { pod(16) state(1) version(4) nonce(12) wrapped(32) tag(16) }…  HMAC-SHA-256(32) of all before it.
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
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder, writeDurably } from "./durable.ts";
import { StoreRefused } from "./refused.ts";
import { derivePodKeys, type PodKeys } from "./seal.ts";
import { type PodId, SERVER_POD } from "./store.ts";

const MAGIC = Buffer.from("FHKR\u0001\0\0\0", "latin1");
const HEADER = 44;
const ENTRY = 81;
const MAC = 32;
const LIVE = 1;
const ERASED = 2;
/** Unwrapped keys held in memory: opening one costs some tens of microseconds. */
const OPEN_MAX = 4_096;

export interface Keyring {
  readonly storeId: Uint8Array;
  /** The pod's keys; null for a pod that was erased or never was. */
  keys(pod: PodId): PodKeys | null;
  /** Resolves when the new pod's key is on disk. */
  add(pod: PodId): Promise<void>;
  /** Resolves when no version of the pod's key is in the file on disk. */
  erase(pod: PodId): Promise<void>;
  isErased(pod: PodId): boolean;
  /** Pods whose key was destroyed; their data may still have to be purged. */
  erased(): readonly PodId[];
}

const derive = (root: KeyObject, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync("sha256", root, "", `freehold/1/keyring/${purpose}`, 32)));

/**
 * @returns null when there is no file.
 * @throws StoreRefused for a file that others may read or that is not 32 bytes.
 */
async function readRootKey(file: string): Promise<KeyObject | null> {
  let bytes: Buffer;
  try {
    const { mode } = await stat(file);
    // Windows has no such bits; its folders are closed by their access lists.
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new StoreRefused(`The root key ${file} can be opened by other users. Run: chmod 600 ${file}`);
    }
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  if (bytes.length !== 32)
    throw new StoreRefused(
      `The root key ${file} has ${bytes.length} bytes instead of 32. Restore it from its backup.`,
    );
  return createSecretKey(bytes);
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export interface KeyringOptions {
  readonly file: string;
  readonly rootKeyFile: string;
  /** Whether there is a database already: then neither key may be made anew. */
  readonly hasData: boolean;
}

/**
 * Opens the keyring, or makes it and the root key for a new store.
 * @throws StoreRefused when a key is missing, wrong or damaged.
 */
export async function openKeyring({ file, rootKeyFile, hasData }: KeyringOptions): Promise<Keyring> {
  const found = await readIfThere(file);
  let root = await readRootKey(rootKeyFile);
  if (!root) {
    if (found || hasData) {
      throw new StoreRefused(
        `The root key ${rootKeyFile} is missing, and without it the data cannot be opened. Restore it from its backup, or name its place in FREEHOLD_ROOT_KEY_FILE.`,
      );
    }
    await makeFolder(dirname(rootKeyFile));
    await writeDurably(rootKeyFile, randomBytes(32));
    root = await readRootKey(rootKeyFile);
    if (!root) throw new StoreRefused(`The root key ${rootKeyFile} could not be read back.`);
  }
  if (!found && hasData)
    throw new StoreRefused(
      `The keyring ${file} is missing, and without it the data cannot be opened. Restore it from its backup.`,
    );
  const keyring = createKeyring(file, root, found);
  if (!found) await keyring.add(SERVER_POD);
  else if (!hasData && keyring.size() > 1) {
    throw new StoreRefused(
      "The keyring knows pods, but their database is missing. Restore the database from its backup.",
    );
  }
  return keyring;
}

function createKeyring(file: string, root: KeyObject, found: Buffer | null): Keyring & { size(): number } {
  const wrapKey = derive(root, "wrap");
  const macKey = derive(root, "mac");
  const rootCheck = createHmac("sha256", derive(root, "check")).update("root").digest().subarray(0, 16);
  const entries = new Map<PodId, Buffer>();
  const open = new Map<PodId, PodKeys>();
  let storeId: Buffer = randomBytes(16); // Binds the database to this keyring.
  if (found) storeId = parse(found);

  function parse(bytes: Buffer): Buffer {
    const damaged = new StoreRefused(`The keyring ${file} is damaged. Restore it from its backup.`);
    if (bytes.length < HEADER + MAC || bytes.subarray(0, 4).toString("latin1") !== "FHKR") throw damaged;
    if (bytes[4] !== MAGIC[4])
      throw new StoreRefused(
        `The keyring ${file} was written by a newer Freehold. Run that version or a newer one.`,
      );
    if (!timingSafeEqual(bytes.subarray(24, 40), rootCheck)) {
      throw new StoreRefused(
        "The root key does not fit this keyring. Put the root key back with which the data were written.",
      );
    }
    const body = bytes.subarray(0, -MAC);
    if (!timingSafeEqual(createHmac("sha256", macKey).update(body).digest(), bytes.subarray(-MAC)))
      throw damaged;
    const count = bytes.readUInt32BE(40);
    if (body.length !== HEADER + count * ENTRY) throw damaged;
    for (let at = HEADER; at < body.length; at += ENTRY) {
      entries.set(bytes.toString("hex", at, at + 16) as PodId, bytes.subarray(at, at + ENTRY));
    }
    return bytes.subarray(8, 24);
  }

  function encode(): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(entries.size);
    const body = Buffer.concat([MAGIC, storeId, rootCheck, count, ...entries.values()]);
    return Buffer.concat([body, createHmac("sha256", macKey).update(body).digest()]);
  }

  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  /** Whoever comes while the file is being written shares the next writing. */
  function save(): Promise<void> {
    next ??= running.then(async () => {
      next = null;
      const writing = writeDurably(file, encode());
      running = writing.catch(() => {}); // Told to those who wait for it; the next writing tries again.
      await writing;
    });
    return next;
  }

  const aadOf = (pod: Buffer, version: number): Buffer =>
    Buffer.concat([Buffer.from(`freehold/1/pod-key/${version}/`), pod]);

  function wrap(pod: PodId, version: number): Buffer {
    const id = Buffer.from(pod, "hex");
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", wrapKey, nonce).setAAD(aadOf(id, version));
    const wrapped = Buffer.concat([cipher.update(randomBytes(32)), cipher.final()]);
    const head = Buffer.alloc(5);
    head.writeUInt8(LIVE, 0);
    head.writeUInt32BE(version, 1);
    return Buffer.concat([id, head, nonce, wrapped, cipher.getAuthTag()]);
  }

  function unwrap(entry: Buffer): PodKeys {
    const decipher = createDecipheriv("aes-256-gcm", wrapKey, entry.subarray(21, 33));
    decipher.setAAD(aadOf(entry.subarray(0, 16), entry.readUInt32BE(17))).setAuthTag(entry.subarray(65, 81));
    const key = Buffer.concat([decipher.update(entry.subarray(33, 65)), decipher.final()]);
    const keys = derivePodKeys(Buffer.from(entry.subarray(0, 16)), createSecretKey(key));
    key.fill(0);
    return keys;
  }

  const isErased = (pod: PodId): boolean => entries.get(pod)?.[16] === ERASED;

  return {
    storeId,
    size: () => entries.size,
    keys(pod) {
      const known = open.get(pod);
      if (known) return known;
      const entry = entries.get(pod);
      if (!entry || entry[16] !== LIVE) return null;
      const keys = unwrap(entry);
      if (open.size >= OPEN_MAX) open.delete(open.keys().next().value as PodId);
      open.set(pod, keys);
      return keys;
    },
    async add(pod) {
      entries.set(pod, wrap(pod, 1));
      try {
        await save();
      } catch (error) {
        entries.delete(pod);
        throw error;
      }
    },
    async erase(pod) {
      const tombstone = Buffer.alloc(ENTRY);
      tombstone.write(pod, "hex");
      tombstone.writeUInt8(ERASED, 16);
      entries.set(pod, tombstone);
      open.delete(pod);
      await save();
    },
    isErased,
    erased: () => [...entries.keys()].filter(isErased),
  };
}
