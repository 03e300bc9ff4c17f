/**
 * Keys: the root key (a file of its own) wraps each pod's keys; the wrapped keys are the keyring, one small file.
 * The keyring has its own backups, kept shorter than those of the data: what is erased from it is gone for good.
 *
 * A pod has keys that stay (by them its records and files are found) and a content key, random and of its own, that a rekey
 * replaces: while everything is sealed anew there are two, so two in the keyring mean that a rekey is to be finished.
 * Bytes: keyring-format.ts. Where they are kept is the engine's to say; the root key is always a file. Long, for all that may
 * happen to keys is here and nowhere else.
 */
import assert from "node:assert/strict";
import { type KeyObject, randomBytes } from "node:crypto";
import { readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { makeFolder, syncFolder, writeDurably } from "../durable.ts";
import { StoreRefused } from "../refused.ts";
import { type PodId, SERVER_POD } from "../store.ts";
import {
  contentAad,
  encodeKeyring,
  fitsRoot,
  type HeldKeys,
  type HeldPods,
  idOf,
  parseKeyring,
  type Root,
  rootOf,
  secretOf,
  stableAad,
  type Wrapped,
} from "./keyring-format.ts";
import { derivePodKeys, type PodKeys, STABLE_BYTES, VERSION_MAX } from "./seal.ts";

/** Unwrapped keys held in memory: opening one costs some tens of microseconds. */
const OPEN_MAX = 4_096;
/** Milliseconds of work before others have their turn. */
const TURN_MS = 5;

export interface Keyring {
  readonly storeId: Uint8Array;
  /**
   * The pod's keys; null for a pod that was erased or never was. Who holds them can open what they could open when they
   * were asked for, even if the key is destroyed meanwhile: a snapshot stays whole.
   */
  keys(pod: PodId): PodKeys | null;
  /** Resolves when the new pod's key is on disk. */
  add(pod: PodId): Promise<void>;
  /** Resolves when no version of the pod's key is in the keyring on disk. */
  erase(pod: PodId): Promise<void>;
  isErased(pod: PodId): boolean;
  /** Pods whose key was destroyed; their data may still have to be purged. */
  erased(): readonly PodId[];
  /** Versions of the pod's content key, oldest first; two while a rekey is not finished, none for a pod that is not there. */
  versions(pod: PodId): readonly number[];
  /** Pods with two versions of their content key. */
  unfinished(): readonly PodId[];
  /** Gives the pod a new content key beside its old one; once that is on disk, all that is sealed is sealed with it. */
  renew(pod: PodId): Promise<void>;
  /** Destroys all content keys of the pod but the newest. Resolves when they are not on disk any more. */
  retire(pod: PodId): Promise<void>;
  /** All of it, wrapped, as it is on disk. */
  bytes(): Promise<Uint8Array>;
  /**
   * Wraps everything with a new root key, which takes the place of the old one in its file. Killed at any point, the next
   * start finds a root key that fits.
   * @throws StoreRefused where the file cannot be replaced; then nothing has changed.
   */
  rotateRoot(): Promise<void>;
}

/** Where the wrapped keys are kept. */
export interface KeyringPlace {
  /** For messages: "The keyring /data/keyring". */
  readonly name: string;
  /** @returns null when there are none. */
  load(): Promise<Uint8Array | null>;
  /** Resolves when these bytes have taken the place of the old ones, durably: all of them or none. */
  save(bytes: Uint8Array): Promise<void>;
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export function keyringFile(file: string): KeyringPlace {
  return {
    name: `The keyring ${file}`,
    load: () => readIfThere(file),
    save: (bytes) => writeDurably(file, bytes),
  };
}

/**
 * @returns null when there is no file.
 * @throws StoreRefused for a file that others may read or that is not 32 bytes.
 */
export async function readRootKey(file: string): Promise<Root | null> {
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
  return rootOf(bytes);
}

/** Beside the root key while it is being replaced. */
const nextOf = (rootKeyFile: string): string => `${rootKeyFile}.next`;

async function putInPlace(rootKeyFile: string): Promise<void> {
  await rename(nextOf(rootKeyFile), rootKeyFile);
  await syncFolder(dirname(rootKeyFile));
}

/** The root key that fits; a rotation that was cut short is finished, or undone if it had not reached the keyring. */
async function settleRoot(rootKeyFile: string, found: Uint8Array): Promise<Root | null> {
  const root = await readRootKey(rootKeyFile);
  const next = await readRootKey(nextOf(rootKeyFile));
  if (!next) return root;
  if (fitsRoot(found, next)) {
    await putInPlace(rootKeyFile);
    return next;
  }
  if (root && fitsRoot(found, root)) await rm(nextOf(rootKeyFile), { force: true });
  return root;
}

export interface KeyringOptions {
  readonly place: KeyringPlace;
  readonly rootKeyFile: string;
  /** Whether there is a database already: then neither key may be made anew. */
  readonly hasData: boolean;
  /** A keyring to begin with, where there is none yet: that of a backup. */
  readonly given?: Uint8Array | undefined;
}

/**
 * Opens the keyring, or makes it and the root key for a new store.
 * @throws StoreRefused when a key is missing, wrong or damaged.
 */
export async function openKeyring({
  place,
  rootKeyFile: named,
  hasData,
  given,
}: KeyringOptions): Promise<Keyring> {
  const rootKeyFile = await realpath(named).catch(() => named); // A link stays a link when the key is replaced.
  const stored = await place.load();
  const found = stored ?? given ?? null;
  let root = found ? await settleRoot(rootKeyFile, found) : await readRootKey(rootKeyFile);
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
      `${place.name} is missing, and without it the data cannot be opened. Restore it from its backup.`,
    );
  const pods: HeldPods = found ? parseKeyring(found, root, place.name) : new Map();
  if (stored && given && Buffer.compare(stored.subarray(8, 24), given.subarray(8, 24)) !== 0)
    throw new StoreRefused("There is another store already. Restore into a folder of its own.");
  if (stored && !given && !hasData && pods.size > 1) {
    throw new StoreRefused(
      "The keyring knows pods, but their database is missing. Restore the database from its backup.",
    );
  }
  const storeId = found ? Buffer.from(found).subarray(8, 24) : randomBytes(16); // Binds the database to this keyring.
  const keyring = createKeyring({ place, root, storeId, pods, rootKeyFile });
  if (!found) await keyring.add(SERVER_POD);
  else if (!stored) await keyring.save();
  return keyring;
}

export interface KeyringParts {
  readonly place: KeyringPlace;
  readonly root: Root;
  readonly storeId: Uint8Array;
  readonly pods: HeldPods;
  /** Null: the root key is in memory only. */
  readonly rootKeyFile: string | null;
}

export function createKeyring({
  place,
  root: firstRoot,
  storeId,
  pods,
  rootKeyFile,
}: KeyringParts): Keyring & { save(): Promise<void> } {
  let root = firstRoot;
  const open = new Map<PodId, PodKeys>();
  let tail: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | null = null;
  let saved: Uint8Array | null = null;

  /** One after the other: each failure is told to those who wait for it, and the next one tries again. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = tail.then(work);
    tail = done.catch(() => {});
    return done;
  }
  async function write(bytes: Uint8Array): Promise<void> {
    await place.save(bytes);
    saved = bytes;
  }
  /** Whoever comes while it is being written shares the next writing. */
  function save(): Promise<void> {
    next ??= inTurn(async () => {
      next = null;
      await write(encodeKeyring(storeId, pods, root));
    });
    return next;
  }

  const liveOf = (pod: PodId): HeldKeys => {
    const held = pods.get(pod);
    assert(held, "the pod has keys");
    return held;
  };

  function unwrapAll(pod: PodId, held: HeldKeys): PodKeys {
    const id = idOf(pod);
    const contentOf = ({ version, wrapped }: HeldKeys["contents"][number]): KeyObject =>
      secretOf(root.unwrap(wrapped, contentAad(id, version)));
    const known = new Map(held.contents.map((one) => [one.version, contentOf(one)]));
    const stable = root.unwrap(held.stable, stableAad(id));
    const keys = derivePodKeys(id, stable, {
      newest: () => held.sealing,
      find(version) {
        const key = known.get(version);
        const added = key ? undefined : held.contents.find((one) => one.version === version); // Since they were asked for.
        if (!added) return key ?? null;
        known.set(version, contentOf(added));
        return known.get(version) ?? null;
      },
    });
    stable.fill(0);
    return keys;
  }

  const isErased = (pod: PodId): boolean => pods.get(pod) === null;
  const versions = (pod: PodId): readonly number[] =>
    pods.get(pod)?.contents.map(({ version }) => version) ?? [];

  async function rotateRoot(): Promise<void> {
    const bytes = randomBytes(32);
    const fresh = rootOf(bytes);
    if (rootKeyFile) {
      await save(); // Whatever an attempt that failed has left: it is wrapped by the key in the file now.
      try {
        await writeDurably(rootKeyFile, root.key.export()); // Can it be replaced? Some files are mounted, and cannot.
        await writeDurably(nextOf(rootKeyFile), bytes);
      } catch (cause) {
        throw new StoreRefused(
          `The root key ${rootKeyFile} cannot be replaced (${(cause as NodeJS.ErrnoException).code}). Nothing was changed.`,
          { cause },
        );
      }
    }
    bytes.fill(0);
    const rewrapped = new WeakMap<Wrapped, Wrapped>();
    const rewrap = (wrapped: Wrapped, aad: Buffer): Wrapped => {
      let again = rewrapped.get(wrapped);
      if (!again) {
        const plain = root.unwrap(wrapped, aad);
        again = fresh.wrap(plain, aad);
        plain.fill(0);
        rewrapped.set(wrapped, again);
      }
      return again;
    };
    let since = performance.now();
    for (const [pod, held] of pods) {
      if (held) rewrapAll(pod, held, rewrap);
      if (performance.now() - since < TURN_MS) continue;
      await nextTurn();
      since = performance.now();
    }
    await inTurn(async () => {
      const copy: HeldPods = new Map(
        [...pods].map(([pod, held]) => [pod, held && rewrapAll(pod, held, rewrap)]),
      );
      await write(encodeKeyring(storeId, copy, fresh));
      // Those who came meanwhile wait for the next writing, and are wrapped anew for it.
      for (const [pod, held] of pods) if (held) Object.assign(held, rewrapAll(pod, held, rewrap));
      root = fresh;
    });
    if (rootKeyFile) await putInPlace(rootKeyFile);
  }

  return {
    storeId,
    save,
    keys(pod) {
      const known = open.get(pod);
      if (known) return known;
      const held = pods.get(pod);
      if (!held) return null;
      const keys = unwrapAll(pod, held);
      if (open.size >= OPEN_MAX) open.delete(open.keys().next().value as PodId);
      open.set(pod, keys);
      return keys;
    },
    async add(pod) {
      const id = idOf(pod);
      pods.set(pod, {
        stable: root.wrap(randomBytes(STABLE_BYTES), stableAad(id)),
        contents: [{ version: 1, wrapped: root.wrap(randomBytes(32), contentAad(id, 1)) }],
        sealing: 1,
      });
      try {
        await save();
      } catch (error) {
        pods.delete(pod);
        throw error;
      }
    },
    async erase(pod) {
      pods.set(pod, null);
      open.delete(pod);
      await save();
    },
    isErased,
    erased: () => [...pods.keys()].filter(isErased),
    versions,
    unfinished: () => [...pods.keys()].filter((pod) => versions(pod).length > 1),
    renew: (pod) =>
      inTurn(async () => {
        const held = liveOf(pod);
        assert(held.contents.length === 1, "an earlier rekey is finished first");
        const before = held.contents;
        const version = held.sealing + 1;
        assert(version <= VERSION_MAX, "a pod can be rekeyed 65,535 times");
        held.contents = [
          ...before,
          { version, wrapped: root.wrap(randomBytes(32), contentAad(idOf(pod), version)) },
        ];
        try {
          await write(encodeKeyring(storeId, pods, root));
        } catch (error) {
          held.contents = before;
          throw error;
        }
        held.sealing = version; // Only what is on disk may seal anything.
      }),
    retire: (pod) =>
      inTurn(async () => {
        const held = liveOf(pod);
        const before = held.contents;
        held.contents = before.filter(({ version }) => version === held.sealing);
        try {
          await write(encodeKeyring(storeId, pods, root));
        } catch (error) {
          held.contents = before;
          throw error;
        }
        open.delete(pod); // Who asks from now on cannot open what the others sealed.
      }),
    async bytes() {
      await tail;
      saved ??= await place.load();
      assert(saved, "a keyring is saved when it is made");
      return saved;
    },
    rotateRoot,
  };
}

function rewrapAll(pod: PodId, held: HeldKeys, rewrap: (wrapped: Wrapped, aad: Buffer) => Wrapped): HeldKeys {
  const id = idOf(pod);
  return {
    sealing: held.sealing,
    stable: rewrap(held.stable, stableAad(id)),
    contents: held.contents.map(({ version, wrapped }) => ({
      version,
      wrapped: rewrap(wrapped, contentAad(id, version)),
    })),
  };
}
