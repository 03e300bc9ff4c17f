/** Large binaries: sealed files, named by a keyed hash of what is in them, written durably, removed when nothing uses them. */

import assert from "node:assert/strict";
import { createReadStream, existsSync, rmSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { usedOnce } from "../../spent.ts";
import { draftOf, makeFolder, syncFolder } from "../durable.ts";
import { createPins } from "../pins.ts";
import {
  CHUNK_BYTES,
  FRONT_BYTES,
  lastChunkOf,
  offsetOf,
  openChunk,
  openFront,
  sealedBytesOf,
} from "../sealed/blob-format.ts";
import type { PodKeys } from "../sealed/seal.ts";
import type { Blobs, PodId } from "../store.ts";
import { TABLES } from "../store.ts";
import { CHUNKS_AT_ONCE, pourInto, readAt, resealFile, writeStream } from "./blob-files.ts";

/** Read at once of a sealed file that is copied. */
const PART_BYTES = 256 * 1024;
/** Read at once of a sealed file that is opened. */
const READ_BYTES = CHUNKS_AT_ONCE * (CHUNK_BYTES + 16);
/** Buffers of so many bytes that wait for the next reader: what is asked for anew must be cleared first, and collected. */
const SPARE_MAX = 8;
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
  /** To be awaited before many are asked for. @throws Problem when nothing that is absent can be believed. */
  readonly beSure?: (pod: PodId) => Promise<void>;
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
  /** What was uploaded before has its name when this resolves, and has been sealed with a key that was the newest then. */
  settled(pod: PodId): Promise<void>;
  /** Names of the pod's files, some of which nothing may use. */
  names(pod: PodId): Promise<readonly string[]>;
  /** Seals a file's header with the pod's newest key, durably. @returns false for a file that is damaged or gone. */
  reseal(pod: PodId, hash: string): Promise<boolean>;
  /** From now on no file is removed, until what is returned is called. */
  hold(): () => void;
  /** The sealed file as it is; null when it is missing. */
  stored(
    pod: PodId,
    hash: string,
  ): Promise<{ readonly bytes: number; content(): AsyncIterable<Buffer> } | null>;
  /** Puts a sealed file in its place, durably. @returns its bytes. */
  place(pod: PodId, hash: string, content: AsyncIterable<Uint8Array>): Promise<number>;
  /** Removes files that nothing uses and that are older than `orphanMsKept`. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

export function createBlobs({
  folder,
  keysOf,
  isUsed,
  beSure,
  isErased,
  log,
  now,
  limits,
}: BlobsOptions): BlobFiles {
  const spare: Buffer[] = [];
  const pins = createPins(now, limits.orphanMsKept);
  const drafts = join(folder, "drafts");
  const pathOf = (pod: PodId, hash: string): string => join(folder, pod, hash.slice(0, 2), hash);
  const keyOf = (pod: PodId, hash: string): string => `${pod}/${hash}`;
  const folders = new Map<string, Promise<void>>();
  /** Uploads whose header is sealed and that have no name yet. */
  const naming = new Map<Promise<void>, PodId>();
  let holders = 0;
  /** What would have been removed meanwhile. */
  const postponed = new Map<string, () => unknown>();
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
    const named = Promise.withResolvers<void>();
    let draft = "";
    try {
      draft = draftOf(join(drafts, pod));
      const file = await open(draft, "wx", 0o600);
      let written: { hash: string; bytes: number };
      try {
        written = await pourInto(file, keys, content, bytesMax, () => naming.set(named.promise, pod));
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
    } finally {
      naming.delete(named.promise);
      named.resolve();
    }
  }

  async function place(pod: PodId, hash: string, content: AsyncIterable<Uint8Array>): Promise<number> {
    assert(HASH.test(hash), "a blob's name is a hash");
    const draft = draftOf(join(drafts, pod));
    try {
      const bytes = await writeStream(draft, content);
      const path = pathOf(pod, hash);
      await ensureFolder(dirname(path));
      await rename(draft, path);
      await syncFolder(dirname(path));
      return bytes;
    } catch (error) {
      await rm(draft, { force: true });
      throw explain(error);
    }
  }

  async function stored(pod: PodId, hash: string) {
    const path = pathOf(pod, hash);
    const found = await stat(path).catch(() => null);
    if (!found) return null;
    return { bytes: found.size, content: () => createReadStream(path, { highWaterMark: PART_BYTES }) };
  }

  function hold(): () => void {
    let isHeld = true;
    holders++;
    return () => {
      if (isHeld) holders--;
      isHeld = false;
      if (holders > 0) return;
      const waiting = [...postponed.values()];
      postponed.clear();
      for (const remove of waiting) remove();
    };
  }

  async function erase(pod: PodId): Promise<void> {
    folders.clear();
    if (holders > 0) {
      postponed.set(
        pod,
        () =>
          isOpen &&
          void erase(pod).catch((error: unknown) =>
            log.error("store.sweep.failed", { cause: String(error) }),
          ),
      );
      return;
    }
    await rm(join(folder, pod), { recursive: true, force: true });
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
    const buffers: Buffer[] = [];
    try {
      const head = openFront(keys, hash, await readAt(file, 0, Buffer.alloc(FRONT_BYTES)));
      if (!head) throw damaged("store.blob.damaged");
      const { first, last } = range ?? { first: 0, last: Math.max(0, head.size - 1) };
      if (range && (first > last || last >= head.size || first < 0))
        throw new Problem("range-not-satisfiable", `${head.size} bytes`);
      const end = lastChunkOf(head);
      const lastWanted = Math.floor(last / head.chunkBytes);
      const start = Math.floor(first / head.chunkBytes);
      // Two in turn: what is opened is a copy, so the disk may fill one while the other is being opened.
      const load = (index: number): Promise<Buffer> => {
        const from = offsetOf(index, head);
        const until = Math.min(index + CHUNKS_AT_ONCE - 1, lastWanted);
        const length = offsetOf(until, head) + sealedBytesOf(until, head) - from;
        const turn = ((index - start) / CHUNKS_AT_ONCE) % 2;
        buffers[turn] ??=
          (length <= READ_BYTES && spare.pop()) || Buffer.allocUnsafeSlow(Math.max(length, READ_BYTES));
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
          if (wanted.length > 0) yield usedOnce(wanted);
        }
      }
    } catch (error) {
      throw error instanceof Problem ? error : explain(error);
    } finally {
      await ahead.catch(() => {}); // No read may still be under way when its file is closed.
      for (const buffer of buffers)
        if (buffer.length === READ_BYTES && spare.length < SPARE_MAX) spare.push(buffer);
      await file.close();
    }
  }

  /** In one go with the look for uses: between them nothing can be committed. */
  function removeIfUnused(pod: PodId, hash: string): void {
    if (holders > 0) {
      postponed.set(keyOf(pod, hash), () => isOpen && !isErased(pod) && removeIfUnused(pod, hash));
      return;
    }
    if (!pins.has(keyOf(pod, hash)) && !isUsed(pod, hash)) rmSync(pathOf(pod, hash), { force: true });
  }

  async function sweepPod(pod: PodId): Promise<void> {
    if (isErased(pod)) return erase(pod);
    await beSure?.(pod);
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
    erase,
    async settled(pod) {
      await Promise.all([...naming].filter(([, of]) => of === pod).map(([promise]) => promise));
    },
    async names(pod) {
      const parts = await readdir(join(folder, pod)).catch(() => [] as string[]);
      const names = await Promise.all(parts.map((part) => readdir(join(folder, pod, part))));
      return names.flat().filter((name) => HASH.test(name));
    },
    async reseal(pod, hash) {
      try {
        return await resealFile(pathOf(pod, hash), draftOf(join(drafts, pod)), keysOf(pod), hash);
      } catch (error) {
        throw explain(error);
      }
    },
    hold,
    stored,
    place,
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
