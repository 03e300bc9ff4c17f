/** A transaction on top of a snapshot: buffers its writes, and remembers what it read, so that it can be checked at the commit. */

import { createBounds } from "../bounds.ts";
import { sealEntry } from "../sealed/entries.ts";
import { itemKeyOf, type LookupKey, type Plain, type PodKeys, plainOf, sealRecord } from "../sealed/seal.ts";
import type { ReadRange, ReadRecord, SealedEntry, SealedWrite, UseChange } from "../sqlite/batch.ts";
import type { KnownWrite } from "../sqlite/cache.ts";
import { type Entry, type PodId, TABLES, type Table, type Transaction, type Usage } from "../store.ts";
import { createUses } from "../uses.ts";
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

interface PendingWrite extends KnownWrite {
  /** Null deletes. */
  readonly plain: Plain | null;
}

export const placeOf = (table: number, groupKey: LookupKey, itemKey: LookupKey): string =>
  String.fromCharCode(table) + groupKey + itemKey;

export class PostgresTransaction extends PostgresSnapshot implements Transaction {
  readonly #records: ReadRecord[] = [];
  readonly #ranges: ReadRange[] = [];
  readonly #writes = new Map<string, PendingWrite>();
  readonly #bounds = createBounds(this.ground.limits);
  readonly #entries: Uint8Array[] = [];
  readonly #uses = createUses();
  protected override readonly watchesRanges: boolean = true;

  override async get(table: Table, group: string, item: string): Promise<Entry | null> {
    const number = TABLES[table];
    const known = await this.find(number, group, item);
    const own = this.#writes.get(placeOf(number, known.groupKey, known.itemKey));
    if (own) return pendingEntry(own);
    const version = known.entry?.version ?? 0;
    this.#records.push({ table: number, groupKey: known.groupKey, itemKey: known.itemKey, version });
    return known.entry;
  }

  put(table: Table, group: string, item: string, value: Uint8Array): void {
    this.#write(table, group, item, value);
  }

  delete(table: Table, group: string, item: string): void {
    this.#write(table, group, item, null);
  }

  record(entry: Uint8Array): void {
    this.beOpen();
    this.#bounds.checkEntry(entry);
    this.#entries.push(new Uint8Array(entry));
  }

  use(change: Usage, most: Usage): void {
    this.beOpen();
    this.#uses.add(change, most);
  }

  get isEmpty(): boolean {
    return this.#writes.size === 0 && this.#entries.length === 0 && this.#uses.isNothing();
  }

  propose(): Proposal {
    const { pod, keys, keyVersion, generation } = this;
    const known = [...this.#writes.values()];
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
      entries: this.#entries.map((entry) => sealEntry(keys, generation, entry)),
      use: this.#uses.isNothing() ? null : this.#uses.total(),
    };
  }

  #write(name: Table, group: string, item: string, value: Uint8Array | null): void {
    this.beOpen();
    const table = TABLES[name];
    const groupKey = this.groupKey(table, group);
    const itemKey =
      this.ground.cache.group(this.pod, table, group)?.items.get(item)?.itemKey ??
      itemKeyOf(this.keys, table, groupKey, item);
    const place = placeOf(table, groupKey, itemKey);
    const before = this.#writes.get(place);
    this.#bounds.check(name, group, item, value, before ? (before.value?.length ?? 0) : null);
    const plain = value && plainOf(group, item, value);
    this.#writes.set(place, { table, group, groupKey, item, itemKey, value: plain && plain.value, plain });
  }

  protected override rangeRead(range: ReadRange): void {
    this.#ranges.push(range);
  }

  /** Its own writes, as they are at this moment, lie over what is stored. */
  protected override members(table: number, group: string | null): AsyncIterable<Entry> {
    const own = [...this.#writes].filter(
      ([, write]) => write.table === table && (group === null || write.group === group),
    );
    return this.#overlaid(table, group, new Map(own));
  }

  async *#overlaid(
    table: number,
    group: string | null,
    own: ReadonlyMap<string, PendingWrite>,
  ): AsyncGenerator<Entry> {
    for await (const { entry, groupKey, itemKey } of this.stored(table, group)) {
      if (own.size === 0 || !own.has(placeOf(table, groupKey, itemKey))) yield entry;
    }
    for (const write of own.values()) {
      const entry = pendingEntry(write);
      if (entry) yield entry;
    }
  }
}

/** Version 0: not committed yet. */
function pendingEntry({ group, item, value }: PendingWrite): Entry | null {
  return value ? { group, item, version: 0, value } : null;
}
