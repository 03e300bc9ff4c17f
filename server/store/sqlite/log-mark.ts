/**
 * The mark: which frame of the write-ahead log ends the last commit that was acknowledged. See wal-check.ts for its use.
 *
 * A file of its own, `freehold.db-mark`, written without a sync after each commit, which costs some microseconds: a kill leaves it as it is, and a power cut may
 * leave an older one, which claims less. Synced before a checkpoint, so that no page reaches the database of which the
 * mark does not tell. Format 1: format(1) zero(7) salts(8) frame(8) checksum-of-frame(8) CRC-32(4) zero(4).
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";

export const LOG_HEADER_BYTES = 32;
export const FRAME_HEADER_BYTES = 24;
const FORMAT = 1;
const BYTES = 40;
const SUMMED = 32;

export interface LogMark {
  /** Of the log's generation. */
  readonly salts: Buffer;
  /** From 1. */
  readonly frame: number;
  /** The frame's own, which stands for all before it too. */
  readonly sums: Buffer;
}

const fileOf = (database: string): string => `${database}-mark`;

/** @returns null when there is none, or what there is cannot be read: then there is less to check, and nothing wrong. */
export function readMark(database: string): LogMark | null {
  const file = fileOf(database);
  if (!existsSync(file)) return null;
  const bytes = readFileSync(file);
  if (bytes.length !== BYTES || bytes[0] !== FORMAT) return null;
  if (crc32(bytes.subarray(0, SUMMED)) !== bytes.readUInt32BE(SUMMED)) return null;
  return {
    salts: bytes.subarray(8, 16),
    frame: Number(bytes.readBigUInt64BE(16)),
    sums: bytes.subarray(24, 32),
  };
}

export interface LogMarker {
  /** After a commit, before it is told. A mark that cannot be written claims less, and is no reason to fail. */
  mark(): void;
  /** Before a checkpoint. @throws when the disk says no. */
  sync(): void;
  close(): void;
}

/** @param database The writer's own connection to the file `name`. */
export function createLogMarker(database: DatabaseSync, name: string): LogMarker {
  const file = fileOf(name);
  const pageBytes = Number(Object.values(database.prepare("PRAGMA page_size").get() ?? {})[0]);
  const frames = database.prepare("PRAGMA wal_checkpoint(NOOP)"); // Tells where the log stands, and does nothing.
  frames.setReturnArrays(true);
  const handle = openSync(file, existsSync(file) ? "r+" : "wx+", 0o600);
  const head = Buffer.alloc(16);
  const bytes = Buffer.alloc(BYTES);
  bytes[0] = FORMAT;
  let logHandle: number | null = null;

  function note(): void {
    const [, frame = 0] = frames.get() as unknown as number[];
    if (frame <= 0) return;
    logHandle ??= openSync(`${name}-wal`, "r");
    const start = LOG_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + pageBytes);
    if (readSync(logHandle, head, 0, head.length, start + 8) < head.length) return;
    bytes.set(head.subarray(0, 8), 8);
    bytes.writeBigUInt64BE(BigInt(frame), 16);
    bytes.set(head.subarray(8), 24);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, SUMMED)), SUMMED);
    writeSync(handle, bytes, 0, BYTES, 0);
  }

  return {
    mark() {
      try {
        note();
      } catch {
        // The commit is on disk all the same.
      }
    },
    sync: () => fdatasyncSync(handle),
    close() {
      closeSync(handle);
      if (logHandle !== null) closeSync(logHandle);
    },
  };
}
