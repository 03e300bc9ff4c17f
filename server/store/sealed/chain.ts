/**
 * The journal's chain: each link is a keyed hash of the one before it, the entry's number, and its leaf. Only the last link
 * is stored, so who has the disk and not the keys can neither make a link nor find an earlier one to go back to.
 *
 * link(0) = 32 zeros; link(n) = HMAC-SHA-256(chain key, link(n-1) number(8) leaf(32)); leaf = SHA-256(salt(16) entry).
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { JournalHead, JournalReport, JournalRow } from "../store.ts";
import type { Mac } from "./mac.ts";

export const SALT_BYTES = 16;
const LEAF_BYTES = 32;
export const ZERO_HEAD: JournalHead = Object.freeze({ number: 0, hash: new Uint8Array(LEAF_BYTES) });
/** Told one by one; what comes after them is only counted. */
const FAULTS_MAX = 20;

export function leafOf(salt: Uint8Array, entry: Uint8Array): Uint8Array {
  return hash("sha256", Buffer.concat([salt, entry]), "buffer");
}

/** The link after `head` for the next leaf. */
export function nextHead(mac: Mac, head: JournalHead, leaf: Uint8Array): JournalHead {
  const number = head.number + 1;
  const bytes = Buffer.allocUnsafe(LEAF_BYTES + 8 + LEAF_BYTES);
  bytes.set(head.hash, 0);
  bytes.writeUInt32BE(Math.floor(number / 2 ** 32), LEAF_BYTES);
  bytes.writeUInt32BE(number % 2 ** 32, LEAF_BYTES + 4);
  bytes.set(leaf, LEAF_BYTES + 8);
  return { number, hash: Buffer.from(mac("", bytes), "latin1") };
}

export function headOf(mac: Mac, from: JournalHead, rows: Iterable<Pick<JournalRow, "leaf">>): JournalHead {
  let head = from;
  for (const { leaf } of rows) head = nextHead(mac, head, leaf);
  return head;
}

export interface ChainCheck {
  /** The next row as it was found. @param fault What is wrong with its content, if that is known already. */
  add(row: JournalRow, fault?: string): void;
  report(): JournalReport;
}

/**
 * @param stored What the store says the head is.
 * @param known Earlier heads: signed ones, or those of a backup.
 */
export function createChainCheck(mac: Mac, stored: JournalHead, known: readonly JournalHead[]): ChainCheck {
  const expected = Map.groupBy(known, ({ number }) => number);
  const forgotten: number[] = [];
  const faults: string[] = [];
  let unsaid = 0;
  let head = ZERO_HEAD;
  let entries = 0;

  function fault(text: string): void {
    if (faults.length < FAULTS_MAX) faults.push(text);
    else unsaid++;
  }
  function compare(): void {
    for (const { hash: earlier } of expected.get(head.number) ?? []) {
      if (!timingSafeEqual(earlier, head.hash))
        fault(`Up to entry ${head.number} the journal is not what a signed head says it was`);
    }
    expected.delete(head.number);
  }

  compare();
  return {
    add({ number, leaf, salt, entry }, broken) {
      if (number !== head.number + 1)
        fault(`After entry ${head.number} comes ${number}: entries are missing or out of order`);
      entries++;
      if (broken !== undefined) fault(`Entry ${number}: ${broken}`);
      else if (salt === null || entry === null) forgotten.push(number);
      else if (!timingSafeEqual(leafOf(salt, entry), leaf)) fault(`Entry ${number} is not what was recorded`);
      head = nextHead(mac, head, leaf);
      compare();
    },
    report() {
      if (stored.number !== head.number)
        fault(`The journal ends at entry ${head.number}, but ${stored.number} were recorded`);
      else if (!timingSafeEqual(stored.hash, head.hash))
        fault("The chain of entries does not lead to its stored end");
      for (const number of expected.keys()) fault(`A signed head names entry ${number}, which is not there`);
      if (unsaid > 0) faults.push(`… and ${unsaid} more`);
      return { entries, forgotten, faults };
    },
  };
}
