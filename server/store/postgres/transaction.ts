/** A transaction on top of a snapshot: buffers its writes, and remembers what it read, so that it can be checked at the commit. */
import { createPending } from "../pending.ts";
import { sealEntry } from "../sealed/entries.ts";
import { type PodKeys, sealRecord } from "../sealed/seal.ts";
import type { ReadRange, ReadRecord, SealedEntry, SealedWrite, UseChange } from "../sqlite/batch.ts";
import type { KnownWrite } from "../sqlite/cache.ts";
import { type Entry, type PodId, TABLES, type Table, type Transaction, type Usage } from "../store.ts";
import { PostgresSnapshot } from "./snapshot.ts";

/** What a transaction wants to commit. Sealed when its turn comes. */
export interface Proposal {
  readonly pod: PodId;
  readonly keys: PodKeys;
  readonly keyVersion: number;
  /** The generation that was read. */
  readonly generation: number;
  readonly records: readonly ReadRecord[];
  readonly ranges: readonly ReadRange[];
  readonly writes: readonly SealedWrite[];
  readonly known: readonly KnownWrite[];
  readonly entries: readonly SealedEntry[];
  readonly use: UseChange | null;
}

export class PostgresTransaction extends PostgresSnapshot implements Transaction {
  readonly #records: ReadRecord[] = [];
  readonly #ranges: ReadRange[] = [];
  readonly #pending = createPending(this.ground, this.pod, this.keys);
  protected override readonly watchesRanges: boolean = true;

  override async get(table: Table, group: string, item: string): Promise<Entry | null> {
    const number = TABLES[table];
    const { entry, groupKey, itemKey } = await this.find(number, group, item);
    const own = this.#pending.find(number, groupKey, itemKey);
    if (own !== undefined) return own;
    this.#records.push({ table: number, groupKey, itemKey, version: entry?.version ?? 0 });
    return entry;
  }

  put(table: Table, group: string, item: string, value: Uint8Array): void {
    this.beOpen();
    this.#pending.write(table, group, item, value);
  }

  delete(table: Table, group: string, item: string): void {
    this.beOpen();
    this.#pending.write(table, group, item, null);
  }

  record(entry: Uint8Array): void {
    this.beOpen();
    this.#pending.record(entry);
  }

  use(change: Usage, most: Usage): void {
    this.beOpen();
    this.#pending.use(change, most);
  }

  get isEmpty(): boolean {
    return this.#pending.isEmpty();
  }

  get writes(): IterableIterator<{ readonly table: number; readonly group: string; readonly item: string }> {
    return this.#pending.writes.values();
  }

  propose(): Proposal {
    const { pod, keys, keyVersion, generation } = this;
    const known = [...this.#pending.writes.values()];
    return {
      pod,
      keys,
      keyVersion,
      generation,
      records: this.#records,
      ranges: this.#ranges,
      writes: known.map(({ table, groupKey, itemKey, plain }) => ({
        table,
        groupKey,
        itemKey,
        sealed: plain && sealRecord(keys, generation, table, groupKey, itemKey, plain),
      })),
      known,
      entries: this.#pending.entries.map((entry) => sealEntry(keys, generation, entry)),
      use: this.#pending.sum(),
    };
  }

  protected override rangeRead(range: ReadRange): void {
    this.#ranges.push(range);
  }

  protected override members(table: number, group: string | null): AsyncIterable<Entry> {
    return this.#pending.over(table, group, () => this.stored(table, group));
  }
}
