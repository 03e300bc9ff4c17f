/** What a transaction has written and not committed yet: the same buffer for every engine. */
import type { Limits } from "../limits.ts";
import { createBounds } from "./bounds.ts";
import type { Member } from "./sealed/members.ts";
import { groupKeyOf, itemKeyOf, type LookupKey, type Plain, type PodKeys, plainOf } from "./sealed/seal.ts";
import type { UseChange } from "./sqlite/batch.ts";
import type { KnownWrite, RecordCache } from "./sqlite/cache.ts";
import { type Entry, type PodId, TABLES, type Table, type Usage } from "./store.ts";
import { createUses } from "./uses.ts";

export interface PendingWrite extends KnownWrite {
  /** Null deletes. */
  readonly plain: Plain | null;
}

export interface Pending {
  /** In the order of their first writing. */
  readonly writes: ReadonlyMap<string, PendingWrite>;
  readonly entries: readonly Uint8Array[];
  /** @param value Null deletes. @throws Problem `body-too-large`. */
  write(table: Table, group: string, item: string, value: Uint8Array | null): void;
  record(entry: Uint8Array): void;
  use(change: Usage, most: Usage): void;
  isEmpty(): boolean;
  /** What is to be added to the pod's usage; null: nothing. */
  sum(): UseChange | null;
  /** What it has written there: null for what it has deleted, undefined for what it has not touched. */
  find(table: number, groupKey: LookupKey, itemKey: LookupKey): Entry | null | undefined;
  /** The transaction's own writes, as they are at this moment, over what is stored. */
  over(table: number, group: string | null, stored: () => Members): AsyncIterable<Entry>;
}

export const placeOf = (table: number, groupKey: LookupKey, itemKey: LookupKey): string =>
  String.fromCharCode(table) + groupKey + itemKey;

/** Version 0: not committed yet. */
const entryOf = ({ group, item, value }: PendingWrite): Entry | null =>
  value ? { group, item, version: 0, value } : null;

type Members = AsyncIterable<Member> | readonly Member[];

async function* overlaid(
  stored: () => Members,
  table: number,
  own: ReadonlyMap<string, PendingWrite>,
): AsyncGenerator<Entry> {
  for await (const { entry, groupKey, itemKey } of stored()) {
    if (own.size === 0 || !own.has(placeOf(table, groupKey, itemKey))) yield entry;
  }
  for (const write of own.values()) {
    const entry = entryOf(write);
    if (entry) yield entry;
  }
}

export function createPending(
  { cache, limits }: { readonly cache: RecordCache; readonly limits: Limits },
  pod: PodId,
  keys: PodKeys,
): Pending {
  const bounds = createBounds(limits);
  const uses = createUses();
  const writes = new Map<string, PendingWrite>();
  const entries: Uint8Array[] = [];

  return {
    writes,
    entries,
    write(name, group, item, value) {
      const table = TABLES[name];
      const known = cache.group(pod, table, group);
      const groupKey = known?.groupKey ?? groupKeyOf(keys, table, group);
      const itemKey = known?.items.get(item)?.itemKey ?? itemKeyOf(keys, table, groupKey, item);
      const place = placeOf(table, groupKey, itemKey);
      const before = writes.get(place);
      bounds.check(name, group, item, value, before ? (before.value?.length ?? 0) : null);
      const plain = value && plainOf(group, item, value);
      writes.set(place, { table, group, groupKey, item, itemKey, value: plain && plain.value, plain });
    },
    record(entry) {
      bounds.checkEntry(entry);
      entries.push(new Uint8Array(entry));
    },
    use: (change, most) => uses.add(change, most),
    isEmpty: () => writes.size === 0 && entries.length === 0 && uses.isNothing(),
    sum: () => (uses.isNothing() ? null : uses.total()),
    find(table, groupKey, itemKey) {
      const own = writes.size === 0 ? undefined : writes.get(placeOf(table, groupKey, itemKey));
      return own && entryOf(own);
    },
    over(table, group, stored) {
      const own = [...writes].filter(
        ([, write]) => write.table === table && (group === null || write.group === group),
      );
      return overlaid(stored, table, new Map(own));
    },
  };
}
