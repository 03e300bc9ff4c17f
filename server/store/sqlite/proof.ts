/**
 * Proof of absence: that a record is not there is believed only once the pod was counted.
 *
 * A flipped bit in a lookup key, or in a page of the tree, puts records out of reach, and the database says of them what
 * it says of those that never were. So the pod's own row holds how many records there are and a sum over their keys,
 * kept true by the writer in each commit; once after each start, before anything is read of a pod, its index is gone
 * through and must give both. A second sum in the row guards the row itself, and each record's version has a check of
 * its own in its row; all else in a record is sealed.
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { keysOfPlace, type LookupKey } from "../sealed/seal.ts";
import type { PodId } from "../store.ts";
import type { Absences } from "./absences.ts";

/** Sums are taken modulo this: exact in a number, and far more than a flipped bit could hit by chance. */
export const SUM_MODULUS: number = 2 ** 48;

/** A version in a row, when its check is right; else one that is greater than any, which every reader refuses. */
export const CHECKED_VERSION: string =
  "CASE WHEN version_check IS NULL OR version_check = version % 65521 THEN version ELSE 9007199254740991 END";
/** @param version The statement's parameter. A bit more or less is never a multiple of the prime. */
export const versionCheck = (version: string): string => `${version} % 65521`;

const KEY_BYTES = 16;
const keys = new Uint8Array(2 * KEY_BYTES);
const words = new Int32Array(keys.buffer);

/** What one record adds to its pod's sum. The keys are pseudorandom already: this only mixes all of their bits. */
export function sumOfPlace(table: number, group: Uint8Array, item: Uint8Array): number {
  if (group.length !== KEY_BYTES || item.length !== KEY_BYTES) return table; // Nobody has written such a key.
  keys.set(group);
  keys.set(item, KEY_BYTES);
  let high = 0x9e_37_79_b9 ^ table;
  let low = 0x85_eb_ca_6b;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    high = Math.imul(high ^ word, 0x85_eb_ca_6b);
    high ^= high >>> 13;
    low = Math.imul(low + word, 0xc2_b2_ae_35);
    low ^= low >>> 15;
  }
  return (high >>> 0) * 65_536 + (low & 0xff_ff);
}

/** A pod's own row, as it is stored. Nulls: from before there were sums. */
export interface NamedRow {
  readonly generation: number;
  readonly bytes: number;
  readonly resources: number;
  readonly journalNumber: number;
  readonly journalHash: Uint8Array;
  readonly records: number | null;
  readonly recordsSum: number | null;
}

function checkOfRow(pod: Uint8Array, row: NamedRow): number {
  const { generation, bytes, resources, journalNumber, records, recordsSum, journalHash } = row;
  const numbers = [generation, bytes, resources, journalNumber, records, recordsSum];
  return crc32(JSON.stringify(numbers), crc32(journalHash, crc32(pod)));
}

export interface StoredPodRows {
  /** @returns the row, and whether its own check is right; null when there is none. */
  get(pod: Uint8Array): (NamedRow & { readonly isChecked: boolean }) | null;
  /** Writes the row with its check. */
  set(pod: Uint8Array, row: NamedRow): void;
}

type PodColumns = [number, number, number, number, Uint8Array, number | null, number | null, number | null];

/** The rows of pods on one connection. */
export function openPodRows(db: DatabaseSync): StoredPodRows {
  const read = db.prepare(
    "SELECT generation, bytes, resources, journal_number, journal_hash, records, records_sum, row_check FROM pod WHERE pod_id = ?",
  );
  read.setReturnArrays(true);
  let write: StatementSync | null = null; // Readers have no use for it.
  return {
    get(pod) {
      const found = read.get(pod) as unknown as PodColumns | undefined;
      if (!found) return null;
      const [generation, bytes, resources, journalNumber, journalHash, records, recordsSum, check] = found;
      const row = { generation, bytes, resources, journalNumber, journalHash, records, recordsSum };
      return { ...row, isChecked: check === checkOfRow(pod, row) };
    },
    set(pod, row) {
      write ??= db.prepare(
        `UPDATE pod SET generation = ?, bytes = ?, resources = ?, journal_number = ?, journal_hash = ?,
         records = ?, records_sum = ?, row_check = ? WHERE pod_id = ?`,
      );
      const { generation, bytes, resources, journalNumber, journalHash, records, recordsSum } = row;
      const check = checkOfRow(pod, row);
      write.run(generation, bytes, resources, journalNumber, journalHash, records, recordsSum, check, pod);
    },
  };
}

/** For a database from before there were sums: what is there now is what counts. Once, while it is migrated. */
export function countAll(db: DatabaseSync): void {
  const rows = openPodRows(db);
  for (const { pod_id: id } of db.prepare("SELECT pod_id FROM pod").all()) {
    const pod = id as Uint8Array;
    const row = rows.get(pod);
    const { count, sum } = addByTable(db, pod);
    if (row) rows.set(pod, { ...row, records: count, recordsSum: sum });
  }
}

const PAGE = 2_000;

interface Sum {
  count: number;
  sum: number;
}

/** What no pod holds: the index is not in order. */
const DISORDER: Sum = Object.freeze({ count: -1, sum: -1 });

type OnPlace = (table: number, groupKey: LookupKey, itemKey: LookupKey) => void;

type PageOfKeys = [
  count: number,
  text: string | null,
  firstPod: unknown,
  lastPod: unknown,
  firstTable: number,
  lastTable: number,
  blobs: number,
];

/**
 * Gone through by the index that lookups use, in turns, for there may be a million: others wait for it, but not the whole
 * process. SQLite trusts the order of an index: going along, it does not look whether an entry is still of this pod and
 * table, and a lookup does not find what stands in the wrong place. So all of an entry is looked at, and the order, too.
 * The keys of a page come as one string, which takes a third of the time that rows do.
 * @param found Told of each record.
 */
async function addByIndex(db: DatabaseSync, pod: Uint8Array, found: OnPlace): Promise<Sum> {
  const tableAfter = db.prepare("SELECT min(table_number) FROM record WHERE pod_id = ? AND table_number > ?");
  const keysAfter = db.prepare(
    `SELECT count(*), group_concat(hex(group_key) || hex(item_key), ''),
       min(pod_id), max(pod_id), min(table_number), max(table_number),
       sum(typeof(group_key) = 'blob' AND typeof(item_key) = 'blob')
     FROM (SELECT pod_id, table_number, group_key, item_key FROM record
       WHERE pod_id = ? AND table_number = ? AND (group_key, item_key) > (?, ?)
       ORDER BY group_key, item_key LIMIT ${PAGE})`,
  );
  tableAfter.setReturnArrays(true);
  keysAfter.setReturnArrays(true);
  const total = { count: 0, sum: 0 };
  const isPod = (found: unknown): boolean => found instanceof Uint8Array && Buffer.compare(found, pod) === 0;
  for (let table = -1; ; ) {
    const [next] = tableAfter.get(pod, table) as unknown as [number | null];
    if (next === null) return total;
    table = next;
    let last: Uint8Array = new Uint8Array();
    for (let rows = PAGE; rows === PAGE; ) {
      const after = [last.subarray(0, KEY_BYTES), last.subarray(KEY_BYTES)] as const;
      const page = keysAfter.get(pod, table, ...after) as unknown as PageOfKeys;
      const [count, text, firstPod, lastPod, firstTable, lastTable, blobs] = page;
      rows = count;
      if (rows === 0) break;
      const bytes = Buffer.from(text ?? "", "hex");
      if (blobs !== rows || bytes.length !== rows * 2 * KEY_BYTES || !isPod(firstPod) || !isPod(lastPod))
        return DISORDER;
      if (firstTable !== table || lastTable !== table) return DISORDER;
      for (let at = 0; at < bytes.length; at += 2 * KEY_BYTES) {
        const place = bytes.subarray(at, at + 2 * KEY_BYTES);
        if (Buffer.compare(last, place) >= 0) return DISORDER;
        const sum = sumOfPlace(table, place.subarray(0, KEY_BYTES), place.subarray(KEY_BYTES));
        total.sum = (total.sum + sum) % SUM_MODULUS;
        found(table, ...keysOfPlace(place));
        last = place;
      }
      total.count += rows;
      if (rows === PAGE) await nextTurn();
    }
  }
}

/** Goes through the whole table, so it is done only when the index is wrong, or while a database is migrated. */
function addByTable(db: DatabaseSync, pod: Uint8Array): Sum {
  const places = db.prepare(
    "SELECT table_number, group_key, item_key FROM record NOT INDEXED WHERE pod_id = ?",
  );
  places.setReturnArrays(true);
  const total = { count: 0, sum: 0 };
  for (const place of places.iterate(pod)) {
    const [table, group, item] = place as unknown as [number, Uint8Array, Uint8Array];
    total.count++;
    total.sum = (total.sum + sumOfPlace(table, group, item)) % SUM_MODULUS;
  }
  return total;
}

type Verdict = "whole" | "no row" | "row damaged" | "index damaged" | "records damaged";

/** What SQLite throws, and what it throws for numbers that no writer of ours has stored. */
export const isDamage = (error: unknown): boolean =>
  (error as { errcode?: number }).errcode !== undefined ||
  (error as { code?: string }).code === "ERR_OUT_OF_RANGE";

async function lookAt(
  file: string,
  pod: Uint8Array,
  expect: (places: number) => void,
  found: OnPlace,
): Promise<Verdict> {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    db.exec("BEGIN"); // One moment: commits meanwhile are not seen.
    const row = openPodRows(db).get(pod);
    if (!row) return "no row";
    if (!row.isChecked) return "row damaged";
    expect(row.records ?? 0);
    const isRight = (found: Sum): boolean => found.count === row.records && found.sum === row.recordsSum;
    try {
      if (isRight(await addByIndex(db, pod, found))) return "whole";
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    return isRight(addByTable(db, pod)) ? "index damaged" : "records damaged";
  } finally {
    db.close();
  }
}

export interface ProofsOptions {
  readonly file: string;
  /** Filled by the count. */
  readonly absences: Absences;
  readonly log: Log;
  /** Makes the index anew from the table, when that is safe. @returns whether it did. */
  readonly reindex: () => Promise<boolean>;
}

export interface Proofs {
  has(pod: PodId): boolean;
  /** A pod that was just made: it holds nothing, so nothing of it can be out of reach. */
  isNew(pod: PodId): void;
  /** @throws Problem `unavailable` when some of the pod cannot be found, and could not be mended. */
  prove(pod: PodId): Promise<void>;
  /** To be proved again: it is whole now, or somebody wants to know. */
  forget(pod: PodId): void;
}

export function createProofs({ file, absences, log, reindex }: ProofsOptions): Proofs {
  const proved = new Set<PodId>();
  const proving = new Map<PodId, Promise<Verdict>>();

  async function settle(pod: PodId): Promise<Verdict> {
    const id = Buffer.from(pod, "hex");
    const begun = absences.begin(pod); // Nobody writes to it before it is proved; and what it knew before is still so.
    const look = (): Promise<Verdict> =>
      lookAt(
        file,
        id,
        (places) => absences.expect(pod, places),
        (...place) => absences.note(pod, ...place),
      );
    const verdict = await look().catch((error: unknown): Verdict => {
      if (!isDamage(error)) throw error;
      log.error("store.read.failed", { cause: String((error as { errstr?: string }).errstr ?? error) });
      return "records damaged";
    });
    if (verdict === "whole") absences.complete(begun);
    if (verdict !== "index damaged") return verdict;
    log.error("store.index.damaged");
    if (!(await reindex().catch(() => false))) return verdict; // A tree that cannot be read cannot be made anew.
    const after = await look();
    if (after === "whole") {
      absences.complete(begun);
      log.warn("store.index.mended");
    }
    return after;
  }

  async function prove(pod: PodId): Promise<void> {
    let looking = proving.get(pod);
    if (!looking) {
      const own = settle(pod);
      looking = own;
      proving.set(pod, own);
      const isStill = (): boolean => proving.get(pod) === own; // Else it is about what the pod held before.
      own.then(
        (verdict) => {
          if (!isStill()) return;
          if (verdict === "whole") proved.add(pod);
          else log.error("store.pod.damaged", { cause: verdict });
          if (verdict === "whole" || verdict === "no row") proving.delete(pod);
        },
        () => isStill() && proving.delete(pod),
      );
    }
    const verdict = await looking;
    if (verdict !== "whole")
      throw new Problem("unavailable", "Some of this pod is damaged, so what is missing cannot be told");
    if (!proved.has(pod)) await prove(pod); // Forgotten meanwhile.
  }

  return {
    has: (pod) => proved.has(pod),
    isNew(pod) {
      absences.complete(absences.begin(pod));
      proved.add(pod);
    },
    prove,
    forget(pod) {
      proved.delete(pod);
      proving.delete(pod);
    },
  };
}

/**
 * Makes the lookup index anew from the table, if what is damaged is only what its entries say: to take apart a tree whose
 * pointers are wrong could take others with it.
 * @returns whether it was done.
 */
export function mendIndex(db: DatabaseSync): boolean {
  const found = db.prepare("PRAGMA integrity_check(record)").all();
  const isStructure = found.some(
    ({ integrity_check: text }) => !/ from index|entries in index|^ok$|non-unique/i.test(String(text)),
  );
  if (isStructure) return false;
  db.exec("REINDEX record");
  return true;
}
