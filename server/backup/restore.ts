/**
 * Bringing back a backup: the whole of it into an empty folder, or one pod into a store that runs. Nothing is written
 * before all of the backup was read and found whole; what breaks off later is known by a mark, and begins anew.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { OperatorError, Problem } from "../errors.ts";
import { makeFolder, syncFolder, writeDurably } from "../store/durable.ts";
import { createPods, type Pod } from "../store/pods.ts";
import { type Copy, type PodId, SERVER_POD, type Store } from "../store/store.ts";
import { type Archive, copyOf, openArchive } from "./archive-read.ts";
import { noRoom } from "./archive-write.ts";
import type { Told } from "./make.ts";
import { keysFolderOf, listShelf, readErased } from "./shelf.ts";
import { notOpened, openKeys, type Place, type Scratch } from "./verify.ts";

/** While it is there, the folder holds half a store. */
const MARK = "restoring";
/**
 * What is written after a restore must not bear versions, and so ETags, that clients have seen on what was lost: no store
 * gets this far between a backup and its loss.
 */
const GENERATIONS_AHEAD = 2 ** 20;
/** May lie in a folder that counts as empty. */
const NOTHING: ReadonlySet<string> = new Set([MARK, "lost+found", "operator.sock", ".DS_Store"]);

/** Of a folder that may not be there. */
const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);

/** @throws OperatorError for a folder in which a restore was broken off. */
export async function refuseHalfRestored(dataFolder: string): Promise<void> {
  const names = await namesIn(dataFolder);
  if (!names.includes(MARK)) return;
  throw new OperatorError(
    `A restore into ${dataFolder} was broken off, so it holds half of the data. Run the same restore again: it begins anew.`,
  );
}

interface Ground {
  /** Nothing of anybody's is in it. */
  readonly isEmpty: boolean;
  readonly isBrokenOff: boolean;
}

/** @param rootKeyFile May be there already: it is kept, and must fit. */
export async function lookAt({ folder, rootKeyFile }: Place): Promise<Ground> {
  const key = relative(folder, rootKeyFile);
  const names = await namesIn(folder);
  const isBrokenOff = names.includes(MARK);
  return { isBrokenOff, isEmpty: isBrokenOff || names.every((name) => name === key || NOTHING.has(name)) };
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Empties the folder but for the mark, and for a root key that was there before. */
async function clear({ folder, rootKeyFile }: Place, keepsKey: boolean): Promise<void> {
  for (const name of await namesIn(folder))
    if (
      name !== MARK &&
      !(keepsKey && join(folder, name) === rootKeyFile) &&
      !["lost+found", "operator.sock"].includes(name)
    )
      await rm(join(folder, name), { recursive: true, force: true });
  if (!keepsKey) await rm(rootKeyFile, { force: true });
}

export interface Restored {
  readonly archive: Archive;
  /** Of people: not what the server keeps for itself. */
  readonly pods: number;
  readonly rows: number;
  readonly blobs: number;
  /** Pods that are in the backup and were erased since, by name. */
  readonly erased: readonly string[];
  readonly seconds: number;
}

const ahead = (archive: Archive, only: PodId | null): Copy =>
  copyOf(archive, only, (row) => ({ ...row, generation: row.generation + GENERATIONS_AHEAD }));

/** Erases again whatever is known to be erased, and says so in the directory. */
async function keepErased(store: Store, erased: ReadonlySet<PodId>, now: Date): Promise<readonly string[]> {
  const pods = createPods(store, () => now);
  const again = (await pods.list()).filter(({ id }) => erased.has(id));
  for (const id of erased)
    await store.erasePod(id).catch((error: unknown) => {
      if (!(error instanceof Problem && error.code === "not-found")) throw error;
    });
  for (const { name, erased: at } of again)
    if (at === undefined) await pods.change(name, { erased: now.getTime() });
  return again.map(({ name }) => name);
}

const ENDED_AT_ONCE = 1_000;

/** Whoever was signed in signs in again: a session or a consent that was ended since must not come back. */
async function endSessions(store: Store): Promise<void> {
  const ended = await store.read(SERVER_POD, async (snapshot) => {
    const found: (readonly ["session" | "oidc", string, string])[] = [];
    for await (const { group, item } of snapshot.all("session")) found.push(["session", group, item]);
    // So do apps that were let in: what was taken back from one since must not be good again.
    for await (const { group, item } of snapshot.all("oidc"))
      if (group !== "keys" && group !== "Client") found.push(["oidc", group, item]);
    return found;
  });
  for (let from = 0; from < ended.length; from += ENDED_AT_ONCE)
    await store.write(SERVER_POD, async (transaction) => {
      for (const place of ended.slice(from, from + ENDED_AT_ONCE)) transaction.delete(...place);
    });
}

export interface WholeRestore {
  readonly file: string;
  readonly secrets: readonly string[];
  /** Null: the newest that lies beside the backup. */
  readonly keysFile: string | null;
  readonly place: Place;
  readonly now: () => Date;
}

async function newestKeys(file: string): Promise<string> {
  for (const folder of [keysFolderOf(dirname(file)), dirname(file)]) {
    const newest = (await listShelf(folder)).filter(({ what }) => what === "keys").at(-1);
    if (newest) return newest.file;
  }
  throw new OperatorError(
    `Without its keys ${basename(file)} cannot be opened. Name the newest freehold-keys-….backup with --keys.`,
  );
}

/**
 * @throws OperatorError with what is wrong and what to do; then the folder is as it was.
 */
export async function restoreWhole(
  { openStore }: Pick<Scratch, "openStore">,
  { file, secrets, keysFile, place, now }: WholeRestore,
  tell: Told,
): Promise<Restored> {
  const began = performance.now();
  const ground = await lookAt(place);
  if (!ground.isEmpty)
    throw new OperatorError(
      `${place.folder} is not empty. Restore into an empty folder (--data), or one pod of this store with --pod; nothing was changed.`,
    );
  const archive = await openArchive(file, secrets, (done, total) => tell("Reading", done, total, "bytes"));
  const { manifest } = archive;
  if (manifest.kind !== "data")
    throw new OperatorError(
      `${basename(file)} holds keys. Name it with --keys, beside a backup of the data.`,
    );
  if (!manifest.isWhole)
    throw new OperatorError(`${basename(file)} is a backup of one pod. Restore it into a store with --pod.`);
  const keys = await openKeys(keysFile ?? (await newestKeys(file)), secrets);
  if (keys.archive.manifest.storeId !== manifest.storeId)
    throw new OperatorError(
      `${basename(keys.archive.file)} has the keys of another server. Name those of this one with --keys.`,
    );
  const found = await readIfThere(place.rootKeyFile);
  if (found && !found.equals(keys.rootKey) && !ground.isBrokenOff)
    throw new OperatorError(
      `There is another root key at ${place.rootKeyFile}. Move it away, or name another place with --root-key-file; nothing was changed.`,
    );
  const keepsKey = found !== null && (!ground.isBrokenOff || found.equals(keys.rootKey));
  const erased = new Set([
    ...manifest.erased,
    ...keys.archive.manifest.erased,
    ...(await readErased(dirname(file))),
  ]);

  await makeFolder(place.folder);
  await writeDurably(join(place.folder, MARK), Buffer.from(`${basename(file)}\n`));
  try {
    await clear(place, keepsKey);
    if (!keepsKey) {
      await makeFolder(dirname(place.rootKeyFile));
      await writeDurably(place.rootKeyFile, keys.rootKey);
    }
    const store = await openStore(place, keys.keyring);
    let result: Omit<Restored, "seconds">;
    try {
      const { left, otherKeys, ...loaded } = await store.load(ahead(archive, null), (_rows, bytes) =>
        tell("Loading", bytes, manifest.total.bytes, "bytes"),
      );
      const unopened = otherKeys.find((id) => !erased.has(id));
      if (unopened !== undefined) throw notOpened(archive, unopened);
      const names = await keepErased(store, erased, now());
      const tombs = new Set(
        (await createPods(store, now).list()).flatMap(({ id, erased }) => (erased === undefined ? [] : [id])),
      );
      const lost = left.filter((id) => !erased.has(id) && !tombs.has(id));
      await openOne(
        store,
        manifest.pods.map(({ id }) => id).filter((id) => !left.includes(id) && !erased.has(id)),
        archive,
      );
      if (lost.length > 0) await markLost(store, lost, now());
      await endSessions(store);
      result = {
        archive,
        pods: manifest.pods.filter(({ id, name }) => name !== null && !left.includes(id) && !erased.has(id))
          .length,
        rows: loaded.rows,
        blobs: loaded.blobs,
        erased: [...names, ...namesOf(archive, lost)],
      };
    } finally {
      await store.close();
    }
    await rm(join(place.folder, MARK)); // From now on the folder is a store.
    await syncFolder(place.folder);
    return { ...result, seconds: (performance.now() - began) / 1_000 };
  } catch (error) {
    await clear(place, keepsKey);
    await rm(join(place.folder, MARK), { force: true });
    throw noRoom(
      error,
      `There is no room for the data in ${place.folder}. Nothing of them was kept; free some room, and run this again.`,
    );
  }
}

const namesOf = ({ manifest }: Archive, ids: readonly PodId[]): readonly string[] =>
  manifest.pods.filter(({ id }) => ids.includes(id)).map(({ id, name }) => name ?? id);

/** A pod whose key is in no keyring was erased after the backup: its name stays taken, as with any that is erased. */
async function markLost(store: Store, lost: readonly PodId[], now: Date): Promise<void> {
  const pods = createPods(store, () => now);
  for (const { id, name } of await pods.list())
    if (lost.includes(id)) await pods.change(name, { erased: now.getTime() });
}

/** Keys from before a pod got new ones open nothing of it: found out now, not by its owner. */
async function openOne(store: Store, pods: readonly PodId[], archive: Archive): Promise<void> {
  for (const pod of pods)
    try {
      await store.read(pod, async (snapshot) => {
        for await (const _ of snapshot.all(pod === SERVER_POD ? "directory" : "resource")) break;
      });
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause;
      throw notOpened(archive, pod, cause);
    }
}

/**
 * Puts one pod in place of what the store holds of it. Its journal ends where the backup's did, and then says so.
 * @param archive Opened, and its pod proved by {@link verify} with the store's own keys.
 * @throws OperatorError when the backup has no such pod, or it is another one; then nothing has changed.
 */
export async function restorePod(
  { store, pod }: { readonly store: Store; readonly pod: Pod },
  archive: Archive,
  tell: Told,
): Promise<{ readonly rows: number; readonly blobs: number }> {
  checkPod(pod, archive);
  const { rows, blobs } = await store.load(ahead(archive, pod.id), (rows) =>
    tell("Loading", rows, null, "items"),
  );
  return { rows, blobs };
}

/** @throws OperatorError for a pod that cannot be brought back from this backup. */
export function checkPod(pod: Pod, { file, manifest }: Archive): void {
  if (pod.erased !== undefined)
    throw new OperatorError(
      `The pod ${pod.name} was erased, and what is erased stays so: its key is destroyed.`,
    );
  if (manifest.kind !== "data") throw new OperatorError(`${basename(file)} holds keys, not pods.`);
  if (manifest.pods.some(({ id }) => id === pod.id)) return;
  const isAnother = manifest.pods.some(({ name }) => name === pod.name);
  throw new OperatorError(
    isAnother
      ? `The pod ${pod.name} in ${basename(file)} is another one of the same name. Nothing was changed.`
      : `${basename(file)} has no pod ${pod.name}. Nothing was changed.`,
  );
}
