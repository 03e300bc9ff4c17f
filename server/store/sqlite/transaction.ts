/** A transaction on top of a snapshot: buffers its writes, and remembers what it read, so that the writer can tell whether that is still so. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { createPending, type PendingWrite, placeOf } from "../pending.ts";
import { sealEntry } from "../sealed/entries.ts";
import { sealRecord } from "../sealed/seal.ts";
import { type Entry, TABLES, type Table, type Transaction, type Usage } from "../store.ts";
import type { Commit, ReadRange, ReadRecord } from "./batch.ts";
import type { KnownWrite } from "./cache.ts";
import { LARGE_BYTES, OBJECT_BYTES, SqliteSnapshot } from "./snapshot.ts";

const costOf = ({ plain }: PendingWrite): number => OBJECT_BYTES + (plain?.bytes.length ?? 0);

export class SqliteTransaction extends SqliteSnapshot implements Transaction {
  /** By place: what is read several times is held against the others' writes once. */
  readonly #records = new Map<string, ReadRecord>();
  readonly #ranges: ReadRange[] = [];
  readonly #pending = createPending(this.ground, this.pod, this.keys);
  readonly #ahead = new Map<PendingWrite, { readonly version: number; readonly sealed: Uint8Array | null }>();

  /** Not async, for it is known at once, and asked very often. */
  override get(table: Table, group: string, item: string): Promise<Entry | null> {
    try {
      return Promise.resolve(this.#get(table, group, item));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #get(table: Table, group: string, item: string): Entry | null {
    const number = TABLES[table];
    const { entry, groupKey, itemKey } = this.find(number, group, item);
    const own = this.#pending.find(number, groupKey, itemKey);
    if (own !== undefined) return own;
    const place = placeOf(number, groupKey, itemKey);
    if (!this.#records.has(place))
      this.#records.set(place, { table: number, groupKey, itemKey, version: entry?.version ?? 0 });
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

  get writes(): IterableIterator<KnownWrite> {
    return this.#pending.writes.values();
  }

  /** Seals what takes long in turns, so that {@link seal} finds it done. To be called after `work`. */
  async sealAhead(): Promise<void> {
    let bytes = 0;
    for (const write of this.#pending.writes.values()) {
      bytes += costOf(write);
      if (bytes > LARGE_BYTES) {
        await nextTurn();
        bytes = 0;
      }
      this.#ahead.set(write, { version: this.keys.version, sealed: this.#sealOne(write) });
    }
  }

  #sealOne({ table, groupKey, itemKey, plain }: PendingWrite): Uint8Array | null {
    return plain && sealRecord(this.keys, this.generation, table, groupKey, itemKey, plain);
  }

  /** Whether sealing it in one go would keep others waiting. */
  get isLarge(): boolean {
    let bytes = 0;
    for (const write of this.#pending.writes.values()) bytes += costOf(write);
    return bytes > LARGE_BYTES;
  }

  /** What the writer needs, with the writes sealed. To be handed over in the same turn: the key may have a new version later. */
  seal(): Commit {
    const writes = [...this.#pending.writes.values()].map((write) => {
      const { table, groupKey, itemKey } = write;
      const ahead = this.#ahead.get(write);
      const isDone = ahead?.version === this.keys.version;
      return { table, groupKey, itemKey, sealed: isDone ? ahead.sealed : this.#sealOne(write) };
    });
    const { keys, generation } = this;
    const { entries } = this.#pending;
    return {
      generation,
      records: [...this.#records.values()],
      ranges: this.#ranges,
      writes,
      entries: entries.map((entry) => sealEntry(keys, generation, entry)),
      chainKey: entries.length > 0 ? keys.journalLatin1 : "",
      forgotten: [],
      use: this.#pending.sum(),
    };
  }

  protected override rangeRead(range: () => ReadRange): void {
    this.#ranges.push(range());
  }

  protected override members(table: number, group: string | null): AsyncIterable<Entry> {
    return this.#pending.over(table, group, () => this.stored(table, group));
  }
}
