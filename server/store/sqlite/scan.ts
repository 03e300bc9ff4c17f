/** A read connection of one's own, for going through everything of a pod as it is stored: page by page, never long at once. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../errors.ts";
import { JOURNAL_PLACE } from "../sealed/entries.ts";
import { idOf } from "../sealed/keyring-format.ts";
import type { PodId } from "../store.ts";
import { LOADING, type PodState } from "./bulk.ts";
import { CHECKED_VERSION, isDamage } from "./proof.ts";

/** What one turn of the event loop bears. */
const PAGE = { rows: 2_000, sealed: 256, bytes: 256 * 1024, ms: 4 } as const;

export interface StoredAt {
  readonly table: number;
  /** 32 bytes: group key and item key; of a journal's entry its leaf. */
  readonly place: Buffer;
  /** Of an entry its number. */
  readonly version: number;
  /** Null: forgotten. */
  readonly sealed: Uint8Array | null;
}

export interface ScanPage {
  readonly rows: readonly StoredAt[];
  /** How many were looked at; with `but` that is more than `rows`. */
  readonly seen: number;
  /** After which to go on; null: that was the end. */
  readonly last: StoredAt | null;
}

export interface Scan {
  /** From here on all that is read is of one moment. */
  begin(): void;
  pods(): readonly (PodState & { readonly pod: PodId })[];
  /** Pods that are being loaded, or were when the process was killed. */
  loading(): readonly PodId[];
  /** Records in the order of table and keys. @param but Leaves out what this version of the content key has sealed. */
  records(pod: PodId, after: Pick<StoredAt, "table" | "place"> | null, but: number | null): ScanPage;
  /** How many records and entries; in turns, for there may be millions. */
  count(pod: PodId): Promise<number>;
  /** The journal, from the entry after `after` on. */
  entries(pod: PodId, after: Pick<StoredAt, "version"> | null, but: number | null): ScanPage;
  close(): void;
}

type Raw = [number, Uint8Array, Uint8Array, number, number, Uint8Array | null];
const NO_KEY = Buffer.alloc(0);

export function openScan(file: string): Scan {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const sealed =
    "substr(sealed, 2, 2) IS NOT ? AS wanted, CASE WHEN substr(sealed, 2, 2) IS NOT ? THEN sealed END";
  const recordsWith = (version: string): StatementSync =>
    db.prepare(`SELECT table_number, group_key, item_key, ${version}, ${sealed} FROM record
      WHERE pod_id = ? AND (table_number, group_key, item_key) > (?, ?, ?) ORDER BY table_number, group_key, item_key`);
  const records = recordsWith("version");
  const checkedRecords = recordsWith(CHECKED_VERSION); // A damaged one must not look right in a copy.
  const entries = db.prepare(`SELECT ${JOURNAL_PLACE}, leaf, x'', number, ${sealed} FROM journal
    WHERE pod_id = ? AND number > ? ORDER BY number`);
  const allRecords = db.prepare("SELECT 1 FROM record WHERE pod_id = ?");
  const allEntries = db.prepare("SELECT 1 FROM journal WHERE pod_id = ?");
  for (const statement of [records, checkedRecords, entries, allRecords, allEntries])
    statement.setReturnArrays(true);

  /** @throws Problem `unavailable` for a database that cannot be read. */
  function page(statement: StatementSync, ...parameters: readonly (number | Uint8Array)[]): ScanPage {
    try {
      return readPage(statement, parameters);
    } catch (cause) {
      if (!isDamage(cause)) throw cause;
      throw new Problem("unavailable", "The database is damaged", { cause });
    }
  }
  function readPage(statement: StatementSync, parameters: readonly (number | Uint8Array)[]): ScanPage {
    const rows: StoredAt[] = [];
    const until = performance.now() + PAGE.ms;
    let bytes = 0;
    let seen = 0;
    for (const found of statement.iterate(...parameters)) {
      const [table, first, second, version, wanted, content] = found as unknown as Raw;
      const row = { table, place: Buffer.concat([first, second]), version, sealed: content };
      seen++;
      if (wanted) rows.push(row);
      bytes += content?.length ?? 0;
      const isFull = rows.length >= PAGE.sealed || bytes >= PAGE.bytes || seen >= PAGE.rows;
      if (isFull || (seen % 16 === 0 && performance.now() > until)) return { rows, seen, last: row };
    }
    return { rows, seen, last: null };
  }
  /** As in a record's header; what no record has, when none is to be left out. */
  const headerOf = (version: number | null): Buffer => {
    if (version === null) return NO_KEY;
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(version - 1);
    return bytes;
  };

  return {
    begin() {
      db.exec("BEGIN");
      db.prepare("SELECT count(*) FROM store").get(); // The first look takes the snapshot.
    },
    pods: () =>
      db
        .prepare("SELECT pod_id, generation, bytes, resources, journal_number, journal_hash FROM pod")
        .all()
        .map((row) => ({
          pod: Buffer.from(row.pod_id as Uint8Array).toString("hex") as PodId,
          generation: row.generation as number,
          usage: { bytes: row.bytes as number, resources: row.resources as number },
          head: { number: row.journal_number as number, hash: row.journal_hash as Uint8Array },
        })),
    loading: () =>
      db
        .prepare("SELECT name FROM store WHERE name LIKE ?")
        .all(`${LOADING}%`)
        .map(({ name }) => (name as string).slice(LOADING.length) as PodId),
    records(pod, after, but) {
      const [group, item] = [after?.place.subarray(0, 16) ?? NO_KEY, after?.place.subarray(16) ?? NO_KEY];
      return page(
        but === null ? checkedRecords : records,
        headerOf(but),
        headerOf(but),
        idOf(pod),
        after?.table ?? 0,
        group,
        item,
      );
    },
    entries(pod, after, but) {
      const found = page(entries, headerOf(but), headerOf(but), idOf(pod), after?.version ?? 0);
      // What was forgotten is sealed with no key.
      return but === null ? found : { ...found, rows: found.rows.filter((row) => row.sealed !== null) };
    },
    async count(pod) {
      let count = 0;
      let until = performance.now() + PAGE.ms;
      for (const statement of [allRecords, allEntries]) {
        for (const _ of statement.iterate(idOf(pod))) {
          count++;
          if (count % 256 !== 0 || performance.now() < until) continue;
          await nextTurn();
          until = performance.now() + PAGE.ms;
        }
      }
      return count;
    },
    close: () => db.close(),
  };
}

/** Pods whose loading a crash has cut short. */
export function loadingIn(file: string): readonly PodId[] {
  const scan = openScan(file);
  try {
    return scan.loading();
  } finally {
    scan.close();
  }
}
