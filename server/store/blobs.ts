/** Large binaries: sealed files, named by a keyed hash of what is in them, written durably, removed when nothing uses them. */
import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import {
  CHUNK_BYTES,
  HEADER_BYTES,
  lastChunkOf,
  offsetOf,
  openChunk,
  openHead,
  sealChunk,
  sealedBytesOf,
  sealHead,
} from "./blob-format.ts";
import { draftOf, makeFolder, syncFolder } from "./durable.ts";
import { createPins } from "./pins.ts";
import type { PodKeys } from "./seal.ts";
import type { Blobs, PodId } from "./store.ts";
import { TABLES } from "./store.ts";

/** Chunks per read or write of the disk: about 1 MiB. */
const CHUNKS_AT_ONCE = 4;
/** Folders known to be durable, so that they are synced once. */
const FOLDERS_MAX = 10_000;
const SWEEP_MS = 3_600_000;
const HASH = /^[0-9a-f]{64}$/;
const POD = /^[0-9a-f]{32}$/;

export interface BlobsOptions {
  readonly folder: string;
  /** @throws Problem `not-found` for a pod that was erased or never was. */
  readonly keysOf: (pod: PodId) => PodKeys;
  /** Whether a committed record of table `blob` names the file; at once, not later. */
  readonly isUsed: (pod: PodId, hash: string) => boolean;
  readonly isErased: (pod: PodId) => boolean;
  readonly log: Log;
  readonly now: () => Date;
  readonly limits: Limits;
}

interface BlobWrite {
  readonly table: number;
  readonly group: string;
  readonly value: Uint8Array | null;
}

export interface BlobFiles extends Blobs {
  /**
   * Holds the files that a commit names until it is decided. @returns what tells how it ended.
   * @throws Problem `unavailable` when such a file is gone: no record may name what is not there.
   */
  beforeCommit(pod: PodId, writes: Iterable<BlobWrite>): (committed: boolean) => void;
  erase(pod: PodId): Promise<void>;
  /** At start, before the first upload: what is half written now was left by a crash. */
  clearDrafts(): Promise<void>;
  /** Removes files that nothing uses and that are older than `orphanMsKept`. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

export function createBlobs({ folder, keysOf, isUsed, isErased, log, now, limits }: BlobsOptions): BlobFiles {
  const pins = createPins(now, limits.orphanMsKept);
  const drafts = join(folder, "drafts");
  const pathOf = (pod: PodId, hash: string): string => join(folder, pod, hash.slice(0, 2), hash);
  const keyOf = (pod: PodId, hash: string): string => `${pod}/${hash}`;
  const folders = new Map<string, Promise<void>>();
  let isOpen = true;
  let sweeping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void sweep(), SWEEP_MS).unref();

  /** @throws Problem `storage-full`, `unavailable` for what the file system says; all else as it is. */
  function explain(error: unknown): unknown {
    const code = codeOf(error);
    if (code === "ENOSPC" || code === "EDQUOT")
      return new Problem("storage-full", undefined, { cause: error });
    if (!/^E[A-Z0-9]+$/.test(code) || (error as NodeJS.ErrnoException).syscall === undefined) return error;
    log.error("store.blob.failed", { cause: code });
    return new Problem("unavailable", "Nothing was stored", { cause: error });
  }

  /** A new folder must be durable before anybody says that a file in it is: also for the second who needs it. */
  function ensureFolder(path: string): Promise<void> {
    let ensured = folders.get(path);
    if (!ensured) {
      if (folders.size >= FOLDERS_MAX) folders.clear();
      ensured = mkdir(path, { recursive: true, mode: 0o700 })
        .then(() => syncFolder(dirname(path)))
        .then(() => syncFolder(folder));
      folders.set(path, ensured);
      ensured.catch(() => folders.delete(path));
    }
    return ensured;
  }

  async function write(
    pod: PodId,
    content: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<{ hash: string; bytes: number }> {
    const keys = keysOf(pod);
    let draft = "";
    try {
      draft = draftOf(join(drafts, pod));
      const file = await open(draft, "wx", 0o600);
      let written: { hash: string; bytes: number };
      try {
        written = await pour(file, keys, content, bytesMax);
        await file.sync(); // The bytes, before the name points at them.
      } finally {
        await file.close();
      }
      const path = pathOf(pod, written.hash);
      await ensureFolder(dirname(path));
      keysOf(pod); // An erasure meanwhile has the last word.
      pins.add(keyOf(pod, written.hash)); // From the moment it has its name, somebody could remove it.
      try {
        await rename(draft, path); // Over an equal one, if there is one: what was damaged is whole again.
        await syncFolder(dirname(path)); // The name itself.
      } catch (error) {
        pins.used(keyOf(pod, written.hash));
        throw error;
      }
      return written;
    } catch (error) {
      if (draft) await rm(draft, { force: true });
      throw explain(error);
    }
  }

  async function* contentOf(
    pod: PodId,
    hash: string,
    range: { first: number; last: number } | undefined,
  ): AsyncGenerator<Buffer> {
    const keys = keysOf(pod);
    const damaged = (event: string): Problem => {
      log.error(event);
      return new Problem("unavailable", "A file is damaged");
    };
    let file: FileHandle;
    try {
      file = await open(pathOf(pod, hash), "r");
    } catch (error) {
      throw codeOf(error) === "ENOENT" ? damaged("store.blob.missing") : explain(error);
    }
    let ahead: Promise<Buffer | null> = Promise.resolve(null);
    try {
      const head = openHead(keys, hash, await readAt(file, 0, Buffer.alloc(HEADER_BYTES)));
      if (!head) throw damaged("store.blob.damaged");
      const { first, last } = range ?? { first: 0, last: Math.max(0, head.size - 1) };
      if (range && (first > last || last >= head.size || first < 0))
        throw new Problem("range-not-satisfiable", `${head.size} bytes`);
      const end = lastChunkOf(head);
      const lastWanted = Math.floor(last / head.chunkBytes);
      const start = Math.floor(first / head.chunkBytes);
      // Two in turn: what is opened is a copy, so the disk may fill one while the other is being opened.
      const buffers: Buffer[] = [];
      const load = (index: number): Promise<Buffer> => {
        const from = offsetOf(index, head.chunkBytes);
        const until = Math.min(index + CHUNKS_AT_ONCE - 1, lastWanted);
        const length = offsetOf(until, head.chunkBytes) + sealedBytesOf(until, head) - from;
        const turn = ((index - start) / CHUNKS_AT_ONCE) % 2;
        buffers[turn] ??= Buffer.allocUnsafeSlow(length);
        return readAt(file, from, buffers[turn].subarray(0, length));
      };
      ahead = load(start);
      for (let index = start; index <= lastWanted; index += CHUNKS_AT_ONCE) {
        const sealed = (await ahead) ?? Buffer.alloc(0);
        ahead = index + CHUNKS_AT_ONCE <= lastWanted ? load(index + CHUNKS_AT_ONCE) : Promise.resolve(null); // The disk works while we open.
        ahead.catch(() => {}); // Told when it is awaited, if it ever is.
        for (let one = index, at = 0; one <= Math.min(index + CHUNKS_AT_ONCE - 1, lastWanted); one++) {
          const size = sealedBytesOf(one, head);
          const chunk = openChunk(head.key, one, one === end, sealed.subarray(at, at + size));
          if (!chunk) throw damaged("store.blob.damaged");
          at += size;
          const from = one * head.chunkBytes;
          const wanted = range ? chunk.subarray(Math.max(0, first - from), last - from + 1) : chunk;
          if (wanted.length > 0) yield wanted;
        }
      }
    } catch (error) {
      throw error instanceof Problem ? error : explain(error);
    } finally {
      await ahead.catch(() => {}); // No read may still be under way when its file is closed.
      await file.close();
    }
  }

  /** In one go with the look for uses: between them nothing can be committed. */
  function removeIfUnused(pod: PodId, hash: string): void {
    if (!pins.has(keyOf(pod, hash)) && !isUsed(pod, hash)) rmSync(pathOf(pod, hash), { force: true });
  }

  async function sweepPod(pod: PodId): Promise<void> {
    if (isErased(pod)) {
      await rm(join(folder, pod), { recursive: true, force: true });
      return;
    }
    const oldest = now().getTime() - limits.orphanMsKept;
    for (const part of await readdir(join(folder, pod))) {
      for (const hash of await readdir(join(folder, pod, part))) {
        if (!isOpen) return;
        if (!HASH.test(hash)) continue;
        const { mtimeMs } = await stat(join(folder, pod, part, hash));
        if (mtimeMs < oldest) removeIfUnused(pod, hash);
      }
    }
  }

  async function sweepAll(): Promise<void> {
    const names = await readdir(folder).catch(() => [] as string[]);
    for (const pod of names.filter((name) => POD.test(name)) as PodId[]) {
      if (!isOpen) return;
      // A pod that nobody knows may be of a newer backup: its files stay, and the operator hears of it.
      await sweepPod(pod).catch((error: unknown) =>
        log.warn("store.sweep.skipped", { pod, cause: String(error) }),
      );
    }
  }

  function sweep(): Promise<void> {
    sweeping = sweeping
      .then(sweepAll)
      .catch((error: unknown) => log.error("store.sweep.failed", { cause: String(error) }));
    return sweeping;
  }

  return {
    write,
    // Chunk by chunk: as a stream of bytes it would join what waits, and copy it once more.
    read: (pod, hash, range) => Readable.from(contentOf(pod, hash, range), { highWaterMark: CHUNKS_AT_ONCE }),
    async release(pod, hash) {
      pins.released(keyOf(pod, hash));
      if (!isErased(pod)) removeIfUnused(pod, hash);
    },
    beforeCommit(pod, writes) {
      const named = new Set<string>();
      const dropped: string[] = [];
      for (const { table, group, value } of writes) {
        if (table !== TABLES.blob) continue;
        if (value) named.add(group);
        else dropped.push(group);
      }
      for (const hash of named) {
        if (!HASH.test(hash) || !existsSync(pathOf(pod, hash)))
          throw new Problem("unavailable", "The uploaded content is gone; send it again");
      }
      for (const hash of named) pins.add(keyOf(pod, hash));
      return (committed) => {
        for (const hash of named) {
          pins.used(keyOf(pod, hash)); // This commit's own pin …
          if (committed) pins.used(keyOf(pod, hash)); // … and the upload's.
        }
        if (committed) for (const hash of dropped) pins.dropped(keyOf(pod, hash));
      };
    },
    async erase(pod) {
      folders.clear();
      await rm(join(folder, pod), { recursive: true, force: true });
    },
    sweep,
    async clearDrafts() {
      await rm(drafts, { recursive: true, force: true });
      await makeFolder(drafts);
    },
    async close() {
      isOpen = false;
      clearInterval(timer);
      await sweeping;
    },
  };
}

/** @returns the part of `buffer` that was filled: less than all of it means a file cut short, which will not open. */
async function readAt(file: FileHandle, position: number, buffer: Buffer): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
  return buffer.subarray(0, bytesRead);
}

/** Seals what comes into the file, hashing on the way; the disk writes one part while the next is sealed. */
async function pour(
  file: FileHandle,
  keys: PodKeys,
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<{ hash: string; bytes: number }> {
  const fileKey = randomBytes(32);
  const key = createSecretKey(fileKey);
  const hmac = createHmac("sha256", keys.contents);
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let filled = 0;
  let bytes = 0;
  let index = 0;
  let parts: Buffer[] = [];
  let position = HEADER_BYTES;
  let writing: Promise<unknown> = Promise.resolve();

  async function flush(): Promise<void> {
    await writing;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    writing = writeAll(file, parts, position);
    writing.catch(() => {}); // Told at the next flush.
    position += length;
    parts = [];
  }
  function seal(isLast: boolean): void {
    const full = chunk.subarray(0, filled);
    hmac.update(full);
    parts.push(...sealChunk(key, index, isLast, full));
    index++;
    filled = 0;
  }

  try {
    for await (const arrived of content) {
      bytes += arrived.length;
      if (bytes > bytesMax) throw new Problem("body-too-large", `At most ${bytesMax} bytes`);
      for (let at = 0; at < arrived.length; ) {
        if (filled === CHUNK_BYTES) {
          seal(false); // Only now: the last chunk is sealed as the last.
          if (parts.length >= 2 * CHUNKS_AT_ONCE) await flush();
        }
        const taken = Math.min(CHUNK_BYTES - filled, arrived.length - at);
        chunk.set(arrived.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
      }
    }
    seal(true);
    await flush();
  } finally {
    await writing.catch(() => {}); // The file must not be closed under a running write.
  }
  await writing;
  const hash = hmac.digest("hex");
  await writeAll(file, [sealHead(keys, hash, fileKey, bytes)], 0);
  fileKey.fill(0);
  return { hash, bytes };
}

async function writeAll(file: FileHandle, parts: readonly Buffer[], position: number): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytesWritten } = await file.writev(parts, position);
  if (bytesWritten === length) return;
  if (bytesWritten === 0) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
  await writeAll(file, [Buffer.concat(parts).subarray(bytesWritten)], position + bytesWritten); // A disk nearly full takes a part.
}
