/** Proving a backup: it is restored to where nobody sees it, opened to the last record, and asked over HTTP. */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { OperatorError } from "../errors.ts";
import { makeFolder, writeDurably } from "../store/durable.ts";
import { encodeRecord } from "../store/record.ts";
import { type PodId, SERVER_POD, type Store } from "../store/store.ts";
import { type Archive, copyOf, openArchive, readKeys } from "./archive-read.ts";
import { noRoom } from "./archive-write.ts";
import { checkStore, type Findings, type Sample } from "./check.ts";
import type { Told } from "./make.ts";
import type { Manifest } from "./manifest.ts";
import { markProved, type Proof } from "./shelf.ts";

/** Where a store is, or is to be. */
export interface Place {
  readonly folder: string;
  readonly rootKeyFile: string;
}

/** A server on a scratch folder, that takes whoever asks for the owner of what is asked for. */
export interface ScratchServer {
  get(
    path: string,
    contentType: string,
  ): Promise<{ readonly status: number; readonly bytes: number; readonly sha256: string }>;
  /** @param heads Heads that were signed when the backup was made. @returns what is wrong. */
  verifyJournal(pod: string, heads: readonly unknown[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What only the composition root can do. */
export interface Scratch {
  /** @param keyring To begin with, in a folder that has none. */
  openStore(this: void, place: Place, keyring: Uint8Array): Promise<Store>;
  serve(this: void, place: Place): Promise<ScratchServer>;
}

/** Keys by which a backup is opened again. */
export interface Keys {
  readonly keyring: Uint8Array;
  /** The root key, or the file that has it. */
  readonly root: { readonly bytes: Uint8Array } | { readonly file: string };
}

export interface Verified extends Findings {
  readonly archive: Archive;
  readonly asked: number;
  readonly seconds: number;
  /** Pods that the keyring has no key for: they were erased since. */
  readonly left: readonly PodId[];
}

const SCRATCH = "freehold-verify-"; // It may lie beside what is somebody else's.
const LEFT = /^freehold-verify-[A-Za-z0-9]{6}$/;
const FORBIDDEN = 403;

/** A folder for keys that is in memory where there is one, so that no disk remembers them. */
async function keysFolder(scratch: string): Promise<string> {
  const memory = "/dev/shm";
  const isThere = process.platform === "linux" && (await stat(memory).catch(() => null))?.isDirectory();
  return mkdtemp(join(isThere ? memory : scratch, "freehold-"));
}

async function makeScratch(near: string): Promise<string> {
  for (const name of await readdir(near).catch(() => []))
    if (LEFT.test(name)) await rm(join(near, name), { recursive: true, force: true }); // Of one that was killed.
  await makeFolder(near);
  return mkdtemp(join(near, SCRATCH));
}

/** @returns how many were given out, and what is wrong. */
async function askAll(
  server: ScratchServer,
  samples: readonly Sample[],
  tell: Told,
): Promise<{ readonly asked: number; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  let asked = 0;
  for (const [index, { path, contentType, bytes, sha256 }] of samples.entries()) {
    tell("Asking", index, samples.length, "items");
    const answer = await server.get(path, contentType);
    if (answer.status === FORBIDDEN) continue; // Its rules leave out the owner too, and they hold.
    asked += 1;
    if (answer.status !== 200) faults.push(`a document is answered with ${answer.status}`);
    else if (answer.sha256 !== sha256 || answer.bytes !== bytes)
      faults.push("a document is answered with other bytes than are stored");
  }
  tell("Asking", samples.length, samples.length, "items");
  return { asked, faults };
}

/** Without the server's records there is no directory: it gets one, so that a server finds the pod. */
async function nameThem(store: Store, manifest: Pick<Manifest, "pods">): Promise<void> {
  await store.write(SERVER_POD, async (transaction) => {
    for (const { id, name, owner } of manifest.pods)
      if (name !== null)
        transaction.put("directory", "", name, encodeRecord({ id, name, owner, created: 0 }));
  });
}

/** For a pod that has keys, which open nothing of it. */
export function notOpened({ file, manifest }: Archive, pod: PodId, cause?: unknown): OperatorError {
  const { name = null } = manifest.pods.find(({ id }) => id === pod) ?? {};
  const what = pod === SERVER_POD ? "the server's records" : `the pod ${name ?? pod}`;
  return new OperatorError(
    `The keys do not open ${what} in ${basename(file)}: they are of another time, before or after new keys were made. Take a newer backup, or name the keys that were backed up with this one with --keys.`,
    { cause },
  );
}

/**
 * @param near On its file system, the backup is restored into a folder of its own, which is gone afterwards.
 * @throws OperatorError when the file is not what it says, does not open, or not all of it is right.
 */
export async function verify(
  { openStore, serve }: Scratch,
  {
    file,
    secrets,
    keys,
    near,
    only = null,
    random = Math.random,
  }: {
    readonly file: string;
    readonly secrets: readonly string[];
    readonly keys: Keys;
    readonly near: string;
    /** This pod alone: the others may open with other keys. */
    readonly only?: PodId | null;
    readonly random?: () => number;
  },
  tell: Told,
): Promise<Verified> {
  const began = performance.now();
  const archive = await openArchive(file, secrets, (done, total) => tell("Reading", done, total, "bytes"));
  const manifest: Manifest =
    only === null
      ? archive.manifest
      : {
          ...archive.manifest,
          isWhole: false,
          pods: archive.manifest.pods.filter(({ id }) => id === only),
        };
  if (manifest.kind !== "data")
    throw new OperatorError(`${basename(file)} holds keys. Give it as --keys, beside a backup of the data.`);
  const folder = await makeScratch(near);
  let forKeys: string | null = null;
  try {
    let rootKeyFile: string;
    if ("file" in keys.root) rootKeyFile = keys.root.file;
    else {
      forKeys = await keysFolder(folder);
      rootKeyFile = join(forKeys, "root.key");
      await writeDurably(rootKeyFile, keys.root.bytes);
    }
    const place = { folder: join(folder, "data"), rootKeyFile };
    const store = await openStore(place, keys.keyring);
    let findings: Findings;
    let left: readonly PodId[];
    try {
      const loaded = await store.load(copyOf(archive, only), (_rows, bytes) =>
        tell("Loading", bytes, manifest.total.bytes, "bytes"),
      );
      ({ left } = loaded);
      if (loaded.otherKeys[0] !== undefined) throw notOpened(archive, loaded.otherKeys[0]);
      findings = await checkStore(store, manifest, new Set(left), random, tell);
      if (!manifest.isWhole) await nameThem(store, manifest);
    } finally {
      await store.close();
    }
    const faults = [...findings.faults];
    const newer = left.filter((id) => !manifest.erased.includes(id));
    if (left.length === manifest.pods.length)
      faults.push("its keys open nothing of it: they are of another time or another server");
    const server = await serve(place);
    let asked: number;
    try {
      const answers = await askAll(server, findings.samples, tell);
      ({ asked } = answers);
      faults.push(...answers.faults);
      for (const { id, name, head } of manifest.pods) {
        // The key that signed is among the server's own records, which a backup of one pod does not have.
        if (!manifest.isWhole || name === null || left.includes(id)) continue;
        const heads = manifest.heads.filter((signed) => {
          const { pod, number } = signed as { readonly pod?: unknown; readonly number?: unknown };
          return pod === name && typeof number === "number" && number <= head.number;
        });
        faults.push(
          ...(await server.verifyJournal(name, heads)).map((what) => `${name}: its journal: ${what}`),
        );
      }
    } finally {
      await server.close();
    }
    if (faults.length > 0)
      throw new OperatorError(
        `${basename(file)} is not a good backup: ${faults.slice(0, 5).join("; ")}${faults.length > 5 ? `; and ${faults.length - 5} more` : ""}. Make a new one, and look at the store if it fails too.`,
      );
    return {
      ...findings,
      archive,
      asked,
      left: newer,
      seconds: (performance.now() - began) / 1_000,
    };
  } catch (error) {
    throw noRoom(
      error,
      `There is no room in ${dirname(folder)} for proving the backup: it is restored there, as large as the data. Free some room, and run this again.`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
    if (forKeys) await rm(forKeys, { recursive: true, force: true });
  }
}

/** From now on the backup counts. */
export async function noteProof(verified: Verified, now: Date): Promise<Proof> {
  const { archive, seconds, asked } = verified;
  const { rows, blobs } = archive.manifest.total;
  const proof: Proof = {
    manifest: archive.manifestHash,
    time: now.toISOString(),
    seconds: Math.round(seconds * 10) / 10,
    rows,
    blobs,
    documents: asked,
  };
  await markProved(archive.file, proof);
  return proof;
}

/** @throws OperatorError when it is no backup of keys, or does not open. */
export async function openKeys(
  file: string,
  secrets: readonly string[],
): Promise<Keys & { readonly archive: Archive; readonly rootKey: Buffer }> {
  const archive = await openArchive(file, secrets);
  if (archive.manifest.kind !== "keys")
    throw new OperatorError(
      `${basename(file)} is no backup of keys. Those are called freehold-keys-….backup.`,
    );
  const { keyring, rootKey } = await readKeys(archive);
  return { archive, keyring, rootKey, root: { bytes: rootKey } };
}

/** @returns `near` for {@link verify}: a folder on the file system of the data, whether or not there are any. */
export async function scratchNear(dataFolder: string): Promise<string> {
  const isThere = (await stat(dataFolder).catch(() => null))?.isDirectory() === true;
  if (isThere) return dataFolder;
  const parent = dirname(dataFolder);
  return (await stat(parent).catch(() => null))?.isDirectory() ? parent : tmpdir();
}
