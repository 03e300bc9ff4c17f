/** Writing a backup: members → tar → age → a draft that is synced before it has its name. Nothing is on disk unsealed. */
import { createHash, type Hash } from "node:crypto";
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createTarPacker } from "modern-tar";
import { OperatorError } from "../errors.ts";
import { draftOf, makeFolder, syncFolder } from "../store/durable.ts";
import { encodeMembers, type Manifest, type Member } from "./manifest.ts";
import { type Sealing, seal } from "./seal.ts";

const WRITE_BYTES = 1024 * 1024;
const LISTED_MAX = 20_000; // Members that one members-….json names: some 3 MiB.
const TURN_BYTES = 256 * 1024; // What is packed before others have their turn: some 2 ms.

export interface ArchiveWriter {
  /** @param bytes Of the content, exactly. */
  add(name: string, bytes: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  addBytes(name: string, content: Uint8Array): Promise<void>;
}

/** What the manifest says beyond its members. */
export type Description = Omit<Manifest, "members" | "total"> & {
  readonly total: Pick<Manifest["total"], "rows" | "blobs">;
};

export interface Written {
  readonly file: string;
  /** Of the sealed file. */
  readonly bytes: number;
  readonly sha256: string;
  readonly manifest: Manifest;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** @returns a full disk in words for the operator; anything else as it is. */
export function noRoom(error: unknown, words: string): unknown {
  const { code } = error as { readonly code?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || code === "storage-full"
    ? new OperatorError(words, { cause: error })
    : error;
}

/**
 * @param fill Adds the members, then says what they are.
 * @param time Of the members: nothing else of this moment or machine is in the archive.
 */
async function pack(
  fill: (writer: ArchiveWriter) => Promise<Description>,
  time: Date,
  controller: ReturnType<typeof createTarPacker>["controller"],
): Promise<Manifest> {
  let listed: Member[] = [];
  const lists: Member[] = [];
  const total = { members: 0, bytes: 0 };
  let sinceTurn = 0;

  async function add(name: string, bytes: number, content: AsyncIterable<Uint8Array>): Promise<Member> {
    const writer = controller
      .add({ name, size: bytes, mtime: time, mode: 0o600, uid: 0, gid: 0 })
      .getWriter();
    const hash: Hash = createHash("sha256");
    let written = 0;
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length; at += TURN_BYTES) {
        const some = chunk.subarray(at, at + TURN_BYTES);
        hash.update(some);
        await writer.write(some);
        written += some.length;
        sinceTurn += some.length;
        if (sinceTurn < TURN_BYTES) continue;
        sinceTurn = 0;
        await nextTurn();
      }
    }
    if (written !== bytes)
      throw new OperatorError(
        `${name} has ${written} bytes instead of ${bytes}: the store is damaged there.`,
      );
    await writer.close();
    total.members += 1;
    total.bytes += bytes;
    return { name, bytes, sha256: hash.digest("hex") };
  }
  async function list(): Promise<void> {
    const bytes = encodeMembers(listed);
    listed = [];
    lists.push(
      await add(`members-${String(lists.length + 1).padStart(6, "0")}.json`, bytes.length, one(bytes)),
    );
  }
  async function addListed(name: string, bytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    listed.push(await add(name, bytes, content));
    if (listed.length >= LISTED_MAX) await list();
  }

  const description = await fill({
    add: addListed,
    addBytes: (name, bytes) => addListed(name, bytes.length, one(bytes)),
  });
  if (listed.length > 0) await list();
  const manifest: Manifest = { ...description, members: lists, total: { ...total, ...description.total } };
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  await add("manifest.json", bytes.length, one(bytes));
  controller.finalize();
  return manifest;
}

/**
 * Writes a backup at `file`: there is the whole of it or nothing of it, whenever the power fails.
 * @throws OperatorError when there is no room.
 */
export async function writeArchive(
  file: string,
  sealing: Sealing,
  time: Date,
  fill: (writer: ArchiveWriter) => Promise<Description>,
): Promise<Written> {
  const folder = dirname(file);
  await makeFolder(folder);
  const draft = draftOf(file);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const handle = await open(draft, "wx", 0o600);
    let manifest: Manifest;
    try {
      const { readable, controller } = createTarPacker();
      const sealed = await seal(readable, sealing);
      const packing = pack(fill, time, controller);
      packing.catch((error: unknown) => controller.error(error)); // So that the reading ends with it too.
      let waiting: Uint8Array[] = [];
      let size = 0;
      const write = async (): Promise<void> => {
        const piece = Buffer.concat(waiting, size);
        waiting = [];
        size = 0;
        hash.update(piece);
        for (let at = 0; at < piece.length; ) at += (await handle.write(piece, at)).bytesWritten;
        bytes += piece.length;
      };
      try {
        for await (const chunk of sealed) {
          waiting.push(chunk);
          size += chunk.length;
          if (size >= WRITE_BYTES) await write();
        }
        await write();
      } catch (error) {
        controller.error(error);
        await packing.catch(() => {}); // Nothing of it goes on in the background.
        throw error;
      }
      manifest = await packing;
      await handle.sync(); // The bytes, before the name points at them.
    } finally {
      await handle.close();
    }
    await rename(draft, file);
    await syncFolder(folder); // The name itself.
    return { file, bytes, sha256: hash.digest("hex"), manifest };
  } catch (error) {
    await rm(draft, { force: true });
    throw noRoom(
      error,
      `There is no room for the backup in ${folder}. Nothing of it was kept, and the store is as it was; free some room, or back up elsewhere with --to.`,
    );
  }
}

/** Removes what backups left that were broken off. To be called while none is being written. */
export async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    if (/^freehold-.*\.backup\.[0-9a-f]{12}\.draft$/.test(basename(name)))
      await rm(join(folder, name), { force: true });
}
