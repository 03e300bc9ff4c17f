/** Reading an archive that anybody may have made: its directory, checked before anything is unpacked, and its entries. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { callbackify } from "node:util";
import { crc32 } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { isUnsafe } from "./names.ts";

/** A file that can be read anywhere. */
export interface Source {
  readonly bytes: number;
  /** @param first Inclusive. @param last Inclusive. */
  read(first: number, last: number): Readable;
}

export interface Member {
  readonly name: string;
  readonly isFolder: boolean;
  /** When unpacked; what the directory says is checked while it is read. */
  readonly bytes: number;
  readonly crc: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** @throws Problem `archive-invalid` at the end when it is not what the directory says. */
  open(): Promise<Readable>;
}

export interface Directory {
  readonly entries: number;
  /** Unpacked, all entries together, as the directory says. */
  readonly bytes: number;
  /** Null: there is no manifest. */
  readonly manifestBytes: number | null;
  /** Identifies the archive: its directory's names, sizes and check sums. */
  readonly id: string;
}

export const MANIFEST = "manifest.json";
const SYMLINK = 0o120000;
const TYPE_OF_FILE = 0o170000;
const CHUNK_BYTES = 65_536;
const BLOCK_BYTES = 262_144;
const BLOCKS_KEPT = 8;

const bad = (detail: string, cause?: unknown): Problem =>
  new Problem("archive-invalid", detail, cause === undefined ? {} : { cause });

/** A file on disk. The handle is closed by `close`. */
export async function fileSource(path: string): Promise<Source & { close(): Promise<void> }> {
  const handle = await open(path);
  const { size } = await handle.stat();
  async function* chunks(first: number, last: number): AsyncGenerator<Buffer> {
    for (let at = first; at <= last; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(CHUNK_BYTES, last - at + 1)), {
        position: at,
      });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }
  return {
    bytes: size,
    read: (first, last) => Readable.from(chunks(first, last), { objectMode: false }),
    close: () => handle.close(),
  };
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The directory is read in pieces of a few bytes: these come from blocks that are kept. */
async function openZip(source: Source): Promise<ZipFile> {
  const { default: yauzl } = await import("yauzl"); // Most servers never need it.
  const blocks = new Map<number, Promise<Buffer>>();
  function block(index: number): Promise<Buffer> {
    let found = blocks.get(index);
    if (!found) {
      const first = index * BLOCK_BYTES;
      found = collect(source.read(first, Math.min(source.bytes, first + BLOCK_BYTES) - 1));
      blocks.set(index, found);
      if (blocks.size > BLOCKS_KEPT) blocks.delete(blocks.keys().next().value ?? index);
    }
    return found;
  }
  async function fill(target: Buffer, offset: number, length: number, position: number): Promise<void> {
    for (let done = 0; done < length; ) {
      const at = position + done;
      const from = await block(Math.floor(at / BLOCK_BYTES));
      const copied = from.copy(target, offset + done, at % BLOCK_BYTES, (at % BLOCK_BYTES) + length - done);
      if (copied === 0) throw bad("It ends too early");
      done += copied;
    }
  }
  const fillThen = callbackify(fill);
  class Reader extends yauzl.RandomAccessReader {
    override _readStreamForRange(start: number, end: number): Readable {
      return source.read(start, end - 1);
    }
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null) => void,
    ): void {
      fillThen(buffer, offset, length, position, callback);
    }
    override close(callback: (error: Error | null) => void): void {
      callback(null);
    }
  }
  return new Promise((resolve, reject) => {
    yauzl.fromRandomAccessReader(
      new Reader(),
      source.bytes,
      { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true },
      (error, zip) => (error ? reject(bad(`It is no ZIP file: ${error.message}`, error)) : resolve(zip)),
    );
  });
}

/** @throws Problem `archive-invalid` for an entry that is no plain file or folder in the archive. */
function checkEntry(entry: Entry): void {
  const name = entry.fileName;
  const said = JSON.stringify(name.slice(0, 100));
  if (isUnsafe(name)) throw bad(`The name ${said} leads out of the archive`);
  if (((entry.externalFileAttributes >>> 16) & TYPE_OF_FILE) === SYMLINK) throw bad(`${said} is a link`);
  if (entry.isEncrypted()) throw bad(`${said} is encrypted; unpack it and pack it again without a password`);
  if (!entry.canDecodeFileData()) throw bad(`${said} is compressed in a way that is not known here`);
}

/** What comes, counted: its check sum is known only at the end, so nothing of it may count before. */
async function* checked(content: Readable, entry: Entry): AsyncGenerator<Uint8Array> {
  let sum = 0;
  try {
    for await (const chunk of content as AsyncIterable<Uint8Array>) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw bad(`${JSON.stringify(entry.fileName.slice(0, 100))} cannot be unpacked`, error);
  }
  if (sum !== entry.crc32) throw bad(`${JSON.stringify(entry.fileName.slice(0, 100))} is damaged`);
}

function toMember(zip: ZipFile, entry: Entry): Member {
  return {
    name: entry.fileName,
    isFolder: entry.fileName.endsWith("/"),
    bytes: entry.uncompressedSize,
    crc: entry.crc32,
    modified: entry.getLastModDate().getTime(),
    open: () =>
      new Promise((resolve, reject) => {
        zip.openReadStream(entry, (error, stream) => {
          if (error) reject(bad(`${JSON.stringify(entry.fileName.slice(0, 100))} cannot be unpacked`, error));
          else resolve(Readable.from(checked(stream, entry), { objectMode: false }));
        });
      }),
  };
}

/** The entries, in the order of the directory. May be gone through several times. */
export async function* membersOf(source: Source): AsyncGenerator<Member> {
  const zip = await openZip(source);
  try {
    for await (const entry of zip.eachEntry()) {
      checkEntry(entry);
      yield toMember(zip, entry);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw bad(`Its directory cannot be read: ${(error as Error).message}`, error);
  } // Not closed: it holds nothing, and its entries may be opened later.
}

/**
 * Looks through the whole directory, before anything is unpacked.
 * @param bytesMax What may be unpacked at most, and resources there may be: the pod's room.
 * @throws Problem `archive-invalid`, `quota-exceeded`.
 */
export async function readDirectory(
  source: Source,
  room: { readonly bytes: number; readonly resources: number },
  limits: Limits,
): Promise<Directory> {
  const digest = createHash("sha256");
  let entries = 0;
  let bytes = 0;
  let manifestBytes: number | null = null;
  for await (const member of membersOf(source)) {
    entries += 1;
    bytes += member.bytes;
    if (member.name === MANIFEST) manifestBytes = member.bytes;
    digest.update(`${member.name}\0${member.bytes}\0${member.crc}\n`);
    // A resource has at most three entries: itself, its access list, its description.
    if (entries > Math.max(limits.archiveEntriesMax, 3 * room.resources + 10))
      throw new Problem("quota-exceeded", "The archive has more entries than the pod may hold");
  }
  // Past this, the exact count is kept at each commit.
  if (bytes - (manifestBytes ?? 0) > room.bytes)
    throw new Problem("quota-exceeded", "The archive holds more than the pod may");
  if (manifestBytes === null) {
    if (entries > limits.archiveEntriesMax)
      throw bad(`Without a manifest at most ${limits.archiveEntriesMax} entries are taken`);
    if (bytes > limits.archiveRatioMax * source.bytes + limits.archiveSlackBytes)
      throw bad(`It would unpack to more than ${limits.archiveRatioMax} times its size`);
  }
  return { entries, bytes, manifestBytes, id: digest.digest("hex") };
}
