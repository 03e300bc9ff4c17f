/** The pods' own rows during one transaction of the writer: each read once, changed in memory, and written once before the commit. */
import type { DatabaseSync } from "node:sqlite";
import { type NamedRow, openPodRows, SUM_MODULUS, sumOfPlace } from "./proof.ts";

/** A pod's row, to be changed in place; {@link PodRows.flush} writes it. */
export interface WritablePod {
  generation: number;
  bytes: number;
  resources: number;
  journalNumber: number;
  journalHash: Uint8Array;
  records: number;
  recordsSum: number;
}

export interface PodRows {
  /** At the beginning of a transaction: nothing is known. */
  begin(): void;
  /** The row, counted as changed; null when there is no such pod. */
  of(pod: Uint8Array): WritablePod | null;
  /** Writes what has changed, with its check, and forgets it: from here on statements may change the rows themselves. */
  flush(): void;
}

/** A record came to a pod (1), or went (-1). */
export function count(
  row: WritablePod,
  by: 1 | -1,
  table: number,
  group: Uint8Array,
  item: Uint8Array,
): void {
  const sum = sumOfPlace(table, group, item);
  row.records += by;
  row.recordsSum = (row.recordsSum + (by === 1 ? sum : SUM_MODULUS - sum)) % SUM_MODULUS;
}

/** A pod's id as a key of maps. */
export const nameOf = (pod: Uint8Array): string =>
  Buffer.from(pod.buffer, pod.byteOffset, pod.length).toString("latin1");

export function createPodRows(db: DatabaseSync): PodRows {
  const stored = openPodRows(db);
  const known = new Map<string, { readonly pod: Uint8Array; readonly row: WritablePod }>();
  const writable = ({ records, recordsSum, ...row }: NamedRow): WritablePod => ({
    ...row,
    records: records ?? 0,
    recordsSum: recordsSum ?? 0,
  });

  return {
    begin: () => known.clear(),
    of(pod) {
      const name = nameOf(pod);
      const found = known.get(name);
      if (found) return found.row;
      const row = stored.get(pod);
      if (!row) return null;
      const fresh = { pod, row: writable(row) };
      known.set(name, fresh);
      return fresh.row;
    },
    flush() {
      for (const { pod, row } of known.values()) stored.set(pod, row);
      known.clear();
    },
  };
}
