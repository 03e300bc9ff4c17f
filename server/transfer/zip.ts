/**
 * A ZIP file, written from its first byte to its last: for each entry only its line in the directory at the end is kept
 * in memory (about 120 bytes), and nothing is written faster than it is taken. ZIP64 where it is needed.
 *
 * Written here, for a library's time grew with the square of the entries, and a pod has many.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { promisify } from "node:util";
import { constants, crc32, createDeflateRaw, deflateRaw, deflateRawSync } from "node:zlib";

export interface ZipWriter {
  /** A folder. @param name Ends in `/`. */
  folder(name: string, modified: number): Promise<void>;
  /** @param modified Milliseconds since 1970. */
  add(name: string, bytes: Uint8Array, modified: number): Promise<void>;
  /**
   * Content that is not held in memory.
   * @param isLarge Whether it, or what it becomes, may have 4 GiB or more.
   * @param level Of compression, 0 to 9: 0 for what is compressed already.
   */
  stream(
    name: string,
    content: AsyncIterable<Uint8Array>,
    options: { readonly modified: number; readonly isLarge: boolean; readonly level: number },
  ): Promise<void>;
  /** Content that was compressed on the way (raw deflate). */
  deflated(name: string, content: Deflated, modified: number): Promise<void>;
  /** The directory, without which the rest is nothing. */
  end(): Promise<void>;
}

export interface Deflated {
  readonly chunks: readonly Uint8Array[];
  readonly crc: number;
  /** Before it was compressed. */
  readonly bytes: number;
}

interface Header {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly modified: number;
  readonly mode: number;
}
interface Sizes {
  readonly crc: number;
  readonly packed: number;
  readonly bytes: number;
}

const UTF8 = 0x0800;
const SIZES_FOLLOW = 0x0008;
const STORED = 0;
const DEFLATED = 8;
const FILE = 0o100644;
const FOLDER = 0o040755;
const FULL = 0xffff_ffff; // "Look in the ZIP64 field."
const VERSION = 45;
const UNIX = 3;
const SYNC_BYTES_MAX = 16_384; // Up to here a thread's turn costs more than the work.
const PAGE_BYTES = 65_536;
const deflate = promisify(deflateRaw) as (bytes: Uint8Array) => Promise<Buffer>;

/** Two seconds' precision, from 1980 on, and in UTC here, for the time beside it is exact. */
function dosTime(modified: number): { readonly time: number; readonly date: number } {
  const at = new Date(Math.min(Math.max(modified, Date.UTC(1980, 0, 1)), Date.UTC(2107, 11, 31)));
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

/** Info-ZIP's extended timestamp: seconds since 1970. */
function exactTime(modified: number): Buffer {
  const field = Buffer.alloc(9);
  field.writeUInt16LE(0x5455, 0);
  field.writeUInt16LE(5, 2);
  field.writeUInt8(1, 4);
  field.writeInt32LE(Math.max(-0x8000_0000, Math.min(0x7fff_ffff, Math.floor(modified / 1_000))), 5);
  return field;
}

function wide(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, index) => field.writeBigUInt64LE(BigInt(value), 4 + 8 * index));
  return field;
}

function localHeader(
  { name, flags, method, modified }: Header,
  sizes: Sizes | null,
  isWide: boolean,
): Buffer {
  const extra = Buffer.concat([
    exactTime(modified),
    ...(isWide ? [wide([sizes?.bytes ?? 0, sizes?.packed ?? 0])] : []),
  ]);
  const header = Buffer.alloc(30);
  const { time, date } = dosTime(modified);
  header.writeUInt32LE(0x0403_4b50, 0);
  header.writeUInt16LE(isWide ? VERSION : 20, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(method, 8);
  header.writeUInt16LE(time, 10);
  header.writeUInt16LE(date, 12);
  header.writeUInt32LE(sizes?.crc ?? 0, 14);
  header.writeUInt32LE(isWide ? FULL : (sizes?.packed ?? 0), 18);
  header.writeUInt32LE(isWide ? FULL : (sizes?.bytes ?? 0), 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

function directoryLine(
  { name, flags, method, modified, mode }: Header,
  sizes: Sizes,
  offset: number,
): Buffer {
  const values = [sizes.bytes, sizes.packed, offset];
  const far = values.filter((value) => value >= FULL);
  const extra = Buffer.concat([exactTime(modified), ...(far.length > 0 ? [wide(far)] : [])]);
  const line = Buffer.alloc(46);
  const { time, date } = dosTime(modified);
  line.writeUInt32LE(0x0201_4b50, 0);
  line.writeUInt16LE((UNIX << 8) | VERSION, 4);
  line.writeUInt16LE(far.length > 0 ? VERSION : 20, 6);
  line.writeUInt16LE(flags, 8);
  line.writeUInt16LE(method, 10);
  line.writeUInt16LE(time, 12);
  line.writeUInt16LE(date, 14);
  line.writeUInt32LE(sizes.crc, 16);
  line.writeUInt32LE(Math.min(FULL, sizes.packed), 20);
  line.writeUInt32LE(Math.min(FULL, sizes.bytes), 24);
  line.writeUInt16LE(name.length, 28);
  line.writeUInt16LE(extra.length, 30);
  line.writeUInt32LE(((mode << 16) | (mode === FOLDER ? 0x10 : 0)) >>> 0, 38);
  line.writeUInt32LE(Math.min(FULL, offset), 42);
  return Buffer.concat([line, name, extra]);
}

function endOf(entries: number, offset: number, bytes: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(Math.min(0xffff, entries), 8);
  end.writeUInt16LE(Math.min(0xffff, entries), 10);
  end.writeUInt32LE(Math.min(FULL, bytes), 12);
  end.writeUInt32LE(Math.min(FULL, offset), 16);
  if (entries < 0xffff && bytes < FULL && offset < FULL) return end;
  const wideEnd = Buffer.alloc(56);
  wideEnd.writeUInt32LE(0x0606_4b50, 0);
  wideEnd.writeBigUInt64LE(44n, 4);
  wideEnd.writeUInt16LE((UNIX << 8) | VERSION, 12);
  wideEnd.writeUInt16LE(VERSION, 14);
  wideEnd.writeBigUInt64LE(BigInt(entries), 24);
  wideEnd.writeBigUInt64LE(BigInt(entries), 32);
  wideEnd.writeBigUInt64LE(BigInt(bytes), 40);
  wideEnd.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x0706_4b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([wideEnd, locator, end]);
}

/** @param write Resolves when it wants more. */
export function createZipWriter(write: (bytes: Uint8Array) => Promise<void>): ZipWriter {
  const pages: Buffer[] = [];
  let lines: Buffer[] = [];
  let lineBytes = 0;
  let entries = 0;
  let offset = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;

  /** Gathered, for most entries are small and each write costs as much as a page of them. */
  async function send(bytes: Uint8Array): Promise<void> {
    offset += bytes.length;
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes >= PAGE_BYTES) await flush();
  }

  async function flush(): Promise<void> {
    const gathered = waiting.length === 1 ? waiting[0] : Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    if (gathered) await write(gathered);
  }

  function keep(line: Buffer): void {
    entries += 1;
    lines.push(line);
    lineBytes += line.length;
    if (lineBytes < PAGE_BYTES) return;
    pages.push(Buffer.concat(lines)); // One large buffer instead of hundreds of small ones.
    lines = [];
    lineBytes = 0;
  }

  async function whole(header: Header, sizes: Sizes, content: readonly Uint8Array[]): Promise<void> {
    const at = offset;
    await send(localHeader(header, sizes, sizes.bytes >= FULL || sizes.packed >= FULL));
    for (const chunk of content) await send(chunk);
    keep(directoryLine(header, sizes, at));
  }

  return {
    folder: (name, modified) =>
      whole(
        { name: Buffer.from(name), flags: UTF8, method: STORED, modified, mode: FOLDER },
        { crc: 0, packed: 0, bytes: 0 },
        [],
      ),
    async add(name, bytes, modified) {
      const packed = bytes.length > SYNC_BYTES_MAX ? await deflate(bytes) : deflateRawSync(bytes);
      const isSmaller = packed.length < bytes.length;
      const content = isSmaller ? packed : bytes;
      const method = isSmaller ? DEFLATED : STORED;
      await whole(
        { name: Buffer.from(name), flags: UTF8, method, modified, mode: FILE },
        { crc: crc32(bytes), packed: content.length, bytes: bytes.length },
        [content],
      );
    },
    async stream(name, content, { modified, isLarge, level }) {
      const header: Header = {
        name: Buffer.from(name),
        flags: UTF8 | SIZES_FOLLOW,
        method: DEFLATED,
        modified,
        mode: FILE,
      };
      const at = offset;
      await send(localHeader(header, null, isLarge));
      const begun = offset;
      const packer = createDeflateRaw({ level: level === 0 ? constants.Z_NO_COMPRESSION : level });
      let crc = 0;
      let bytes = 0;
      const fed = (async () => {
        for await (const chunk of content) {
          crc = crc32(chunk, crc);
          bytes += chunk.length;
          if (!packer.write(chunk)) await new Promise<void>((resolve) => packer.once("drain", resolve));
        }
        packer.end();
      })();
      fed.catch((error: Error) => packer.destroy(error));
      for await (const chunk of packer as AsyncIterable<Uint8Array>) await send(chunk);
      await fed;
      const sizes = { crc, packed: offset - begun, bytes };
      if (!isLarge && (sizes.bytes >= FULL || sizes.packed >= FULL))
        throw new Error("An entry of the archive is larger than was said");
      const after = Buffer.alloc(isLarge ? 24 : 16);
      after.writeUInt32LE(0x0807_4b50, 0);
      after.writeUInt32LE(crc, 4);
      if (isLarge) {
        after.writeBigUInt64LE(BigInt(sizes.packed), 8);
        after.writeBigUInt64LE(BigInt(bytes), 16);
      } else {
        after.writeUInt32LE(sizes.packed, 8);
        after.writeUInt32LE(bytes, 12);
      }
      await send(after);
      keep(directoryLine(header, sizes, at));
    },
    async deflated(name, { chunks, crc, bytes }, modified) {
      const packed = chunks.reduce((sum, { length }) => sum + length, 0);
      await whole(
        { name: Buffer.from(name), flags: UTF8, method: DEFLATED, modified, mode: FILE },
        { crc, packed, bytes },
        chunks,
      );
    },
    async end() {
      const at = offset;
      for (const page of [...pages, ...lines]) await send(page);
      await send(endOf(entries, at, offset - at));
      await flush();
    },
  };
}
