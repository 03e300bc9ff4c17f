/**
 * Whether the write-ahead log is whole, looked at before SQLite is.
 *
 * SQLite reads the log up to the first frame whose checksum is wrong, and takes what follows for a write that a crash cut
 * short. That is right after a crash, and wrong when a bit of the log has flipped: acknowledged commits behind it vanish
 * without a word, and pages of theirs that a checkpoint had already copied are mixed with older ones. So before the
 * database is opened, two proofs are tried. Neither can come from an honest crash, whatever a power cut leaves:
 *
 * 1. The mark. After each synced commit, before anybody hears of it, the writer notes in the file `freehold.db-mark` which frame was
 *    its last (log-mark.ts). The note is not synced itself, so after a power cut it may be an older one, but never one of
 *    a commit that was not on disk. If the log is of the mark's generation (same salts) and its whole part ends before the
 *    marked frame, or has another frame there, something acknowledged is gone.
 * 2. The chain. A frame's checksum continues that of the frame before it, and nothing is appended behind a transaction
 *    that has not been synced. So a frame that continues a commit frame's checksum proves that this commit was synced.
 *    If that commit frame lies behind the first bad frame, the log was damaged before it. What honest crashes leave
 *    behind the first bad frame is without such a pair: a torn transaction has its one commit frame at its end, and
 *    left-overs of one that failed on a full disk do not continue what was written over their beginning.
 *
 * Frames with other salts are of an older generation of the log and count for nothing. The header is 32 bytes in one
 * sector, and synced before any frame of its generation is written: so a header that is neither right nor all zeros is
 * damaged, and so is one of zeros before frames. A log with its header and nothing else wrong is not ours to judge.
 *
 * https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { StoreRefused } from "../refused.ts";
import { FRAME_HEADER_BYTES, LOG_HEADER_BYTES, type LogMark, readMark } from "./log-mark.ts";

const MAGIC_LITTLE = 0x37_7f_06_82;
const MAGIC_BIG = 0x37_7f_06_83;
const VERSION = 3_007_000;
const FRAMES_AT_ONCE = 256;

/** The two running sums, each of 32 bits. */
interface Sums {
  a: number;
  b: number;
}

/** Continues `sums` over whole pairs of words. */
function addTo(sums: Sums, bytes: DataView, from: number, until: number, little: boolean): void {
  let { a, b } = sums;
  for (let at = from; at < until; at += 8) {
    a = (a + bytes.getUint32(at, little) + b) | 0;
    b = (b + bytes.getUint32(at + 4, little) + a) | 0;
  }
  sums.a = a;
  sums.b = b;
}

export interface LogVerdict {
  /** Frames up to and with the last whole commit: what SQLite will see. */
  readonly committed: number;
  /** What cannot be explained by a crash; null when all can. */
  readonly damage: string | null;
}

/** @param mark Null when there is none, or it cannot be read. */
export function checkLog(file: string, mark: LogMark | null): LogVerdict {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { committed: 0, damage: null };
    throw error;
  }
  try {
    return check(handle, mark);
  } finally {
    closeSync(handle); // SQLite has no locks on this file.
  }
}

const damaged = (committed: number, damage: string): LogVerdict => ({ committed, damage });

function check(handle: number, mark: LogMark | null): LogVerdict {
  const size = fstatSync(handle).size;
  const head = Buffer.alloc(LOG_HEADER_BYTES);
  if (size < LOG_HEADER_BYTES || readSync(handle, head, 0, LOG_HEADER_BYTES, 0) < LOG_HEADER_BYTES)
    return { committed: 0, damage: null }; // Not even its first write is whole.
  const magic = head.readUInt32BE(0);
  const little = magic === MAGIC_LITTLE;
  const pageBytes = head.readUInt32BE(8);
  const sums: Sums = { a: 0, b: 0 };
  addTo(sums, new DataView(head.buffer, head.byteOffset), 0, 24, little);
  const isWhole =
    (little || magic === MAGIC_BIG) &&
    head.readUInt32BE(4) === VERSION &&
    sums.a === head.readInt32BE(24) &&
    sums.b === head.readInt32BE(28);
  if (!isWhole) {
    const isEmpty = size === LOG_HEADER_BYTES || !hasFrames(handle, size);
    const isZero = head.every((byte) => byte === 0);
    return isZero && isEmpty ? { committed: 0, damage: null } : damaged(0, "its header is damaged");
  }
  return checkFrames(handle, { size, pageBytes, little, salts: head.subarray(16, 24), sums, mark });
}

/** Anything but zeros behind the header. */
function hasFrames(handle: number, size: number): boolean {
  const bytes = Buffer.alloc(Math.min(size - LOG_HEADER_BYTES, 1024 * 1024));
  readSync(handle, bytes, 0, bytes.length, LOG_HEADER_BYTES);
  return bytes.some((byte) => byte !== 0);
}

/** What a frame says of itself. */
interface Told {
  readonly isCommit: boolean;
  readonly sums: Sums;
}

interface Frames {
  readonly size: number;
  readonly pageBytes: number;
  readonly little: boolean;
  readonly salts: Buffer;
  /** Of the header: the first frame continues it. */
  readonly sums: Sums;
  readonly mark: LogMark | null;
}

function checkFrames(handle: number, { size, pageBytes, little, salts, sums, mark }: Frames): LogVerdict {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const frames = Math.floor((size - LOG_HEADER_BYTES) / frameBytes);
  const isMarked = mark !== null && mark.salts.equals(salts);
  const buffer = Buffer.alloc(frameBytes * Math.min(FRAMES_AT_ONCE, Math.max(1, frames)));
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  let committed = 0;
  let isBroken = false;
  /** What the frame before says of itself, once the whole part has ended: commit frame or not, and its checksum. */
  let before: Told | null = null;
  let marked: Buffer | null = null;

  for (let first = 0; first < frames; first += FRAMES_AT_ONCE) {
    const here = Math.min(FRAMES_AT_ONCE, frames - first);
    readSync(handle, buffer, 0, here * frameBytes, LOG_HEADER_BYTES + first * frameBytes);
    for (let index = 0; index < here; index++) {
      const at = index * frameBytes;
      const number = first + index + 1;
      const hasSalts = buffer.subarray(at + 8, at + 16).equals(salts);
      const told: Sums = { a: view.getInt32(at + 16), b: view.getInt32(at + 20) };
      const isCommit = view.getUint32(at + 4) !== 0;
      if (!isBroken) {
        addTo(sums, view, at, at + 8, little);
        addTo(sums, view, at + FRAME_HEADER_BYTES, at + frameBytes, little);
        if (hasSalts && sums.a === told.a && sums.b === told.b && view.getUint32(at) !== 0) {
          if (isCommit) committed = number;
          if (isMarked && number === mark.frame) marked = Buffer.from(buffer.subarray(at + 16, at + 24));
          continue;
        }
        isBroken = true;
        if (isMarked && committed < mark.frame) return damaged(committed, lost(number));
        before = hasSalts ? { isCommit: false, sums: told } : null;
        continue;
      }
      if (!hasSalts) {
        before = null;
        continue;
      }
      if (before) {
        const continued: Sums = { ...before.sums };
        addTo(continued, view, at, at + 8, little);
        addTo(continued, view, at + FRAME_HEADER_BYTES, at + frameBytes, little);
        const isNext = continued.a === told.a && continued.b === told.b;
        if (isNext && before.isCommit) return damaged(committed, lost(committed + 1));
        // A commit frame counts when it is whole itself: its bytes continue the frame before.
        before = { isCommit: isCommit && isNext, sums: told };
      } else before = { isCommit: false, sums: told };
    }
  }
  if (isMarked && committed < mark.frame) return damaged(committed, lost(committed + 1));
  if (isMarked && marked !== null && !marked.equals(mark.sums))
    return damaged(committed, `frame ${mark.frame} is not the one that was acknowledged`);
  return { committed, damage: null };
}

const lost = (frame: number): string => `frame ${frame} is damaged, and commits from there on would be lost`;

/**
 * To be called while the folder is locked, before the database is opened.
 * @param database Its file: log and mark lie beside it.
 * @throws StoreRefused with what to do.
 */
export function refuseDamagedLog(database: string): void {
  const file = `${database}-wal`;
  const { damage } = checkLog(file, readMark(database));
  if (damage === null) return;
  throw new StoreRefused(
    `The write-ahead log ${file} is damaged: ${damage}. Nothing was changed. Keep a copy of the folder, check the disk, and restore the latest backup; what was written since then is in the copy.`,
  );
}
