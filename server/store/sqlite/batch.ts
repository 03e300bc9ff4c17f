/**
 * What the main thread tells the writer, as bytes: one buffer for all that an event-loop turn brings, handed over and not
 * copied. Cloning the same as objects costs more than sealing it. Never on disk, so it has no version.
 */
import type { LookupKey } from "../sealed/seal.ts";
import type { Usage } from "../store.ts";

export const COMMIT = 1;
export const CREATE = 2;
export const PURGE = 3;
export const PING = 4;
/** Give up the reserve: something that must not fail needs room. */
export const ROOM = 5;
/** Make the lookup index anew. Answers 0, or 1 when that is not safe. */
export const REINDEX = 6;
/** From here on tasks carry bytes: bulk.ts. */
export const BULK_FIRST = 16;

/** The writer's answers that are no generation. */
export const ANSWERS = Object.freeze({
  lost: -1, // Something the transaction read has changed.
  full: -2,
  stopped: -3, // A sync failed before: nothing is written any more, nor was this.
  missing: -4, // No such pod.
  failed: -5, // This one only.
  quota: -6, // The pod would hold more than it may.
  unknown: -7, // The disk failed in the middle: only the next start can tell whether it is there.
});

export interface ReadRecord {
  readonly table: number;
  readonly groupKey: LookupKey;
  readonly itemKey: LookupKey;
  /** 0: there was none. */
  readonly version: number;
}

export interface ReadRange {
  readonly table: number;
  /** Null: the whole table. */
  readonly groupKey: LookupKey | null;
  /** The last record that was read, in the order of keys; null: to the end. */
  readonly until: { readonly groupKey: LookupKey; readonly itemKey: LookupKey } | null;
  readonly count: number;
  /** The greatest version in the range; 0 when it is empty. */
  readonly version: number;
}

export interface SealedWrite {
  readonly table: number;
  readonly groupKey: LookupKey;
  readonly itemKey: LookupKey;
  /** Null deletes. */
  readonly sealed: Uint8Array | null;
}

/** An entry of the journal: the leaf is 32 bytes as a Latin-1 string. */
export interface SealedEntry {
  readonly leaf: string;
  readonly sealed: Uint8Array;
}

/** What the pod holds more (or less) after the commit, and how much it may. */
export interface UseChange {
  readonly change: Usage;
  readonly most: Usage;
}

export interface Commit {
  /** The generation that was read: while it is the pod's own, nothing can have changed. */
  readonly generation: number;
  readonly records: readonly ReadRecord[];
  readonly ranges: readonly ReadRange[];
  readonly writes: readonly SealedWrite[];
  readonly entries: readonly SealedEntry[];
  /** 32 bytes as a Latin-1 string, empty without entries: with this key links are made, and nothing is opened. */
  readonly chainKey: string;
  /** Numbers of journal entries whose content goes. */
  readonly forgotten: readonly number[];
  readonly use: UseChange | null;
}

const FIRST_BYTES = 64 * 1024;
const SPARE_MAX = 8; // Of the first size; on their way are rarely more.
const KEY = 16;
const LEAF = 32;
const PLACE = 1 + KEY + KEY;

/** Table, group key and item key of a {@link Task}'s place. */
export function partsOfPlace(place: string): readonly [table: number, group: Uint8Array, item: Uint8Array] {
  const bytes = Buffer.from(place, "latin1");
  return [bytes.readUInt8(0), bytes.subarray(1, 1 + KEY), bytes.subarray(1 + KEY)];
}

export interface Batch {
  /** Bytes so far. */
  size(): number;
  simple(
    kind: typeof CREATE | typeof PURGE | typeof PING | typeof ROOM | typeof REINDEX,
    id: number,
    pod: string,
  ): void;
  /** @param pod Its 16 bytes as a Latin-1 string. */
  commit(id: number, pod: string, commit: Commit): void;
  /** A task of bulk.ts, which knows what the bytes are. */
  bulk(kind: number, id: number, pod: string, payload: Uint8Array): void;
  /** The bytes, to be transferred; the batch is empty again. */
  take(): { readonly buffer: ArrayBuffer; readonly length: number };
  /** A buffer that was taken and has come back: memory that is not asked for anew need not be collected. */
  giveBack(buffer: ArrayBuffer): void;
}

export function createBatch(): Batch {
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  const spare: Buffer<ArrayBuffer>[] = [];
  let at = 0;

  function need(more: number): void {
    if (at + more <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, at + more));
    larger.set(bytes.subarray(0, at));
    bytes = larger;
  }
  const number = (value: number): void => void (at = bytes.writeDoubleLE(value, at));
  const byte = (value: number): void => void (at = bytes.writeUInt8(value, at));
  const key = (value: string): void => void (at += bytes.write(value, at, "latin1"));
  function head(kind: number, id: number, pod: string): void {
    need(1 + 8 + KEY);
    byte(kind);
    number(id);
    key(pod);
  }

  return {
    size: () => at,
    simple: head,
    bulk(kind, id, pod, payload) {
      head(kind, id, pod);
      need(8 + payload.length);
      number(payload.length);
      bytes.set(payload, at);
      at += payload.length;
    },
    commit(id, pod, { generation, records, ranges, writes, entries, chainKey, forgotten, use }) {
      head(COMMIT, id, pod);
      need(4 * 8 + records.length * (1 + KEY + KEY + 8) + ranges.length * (3 + 3 * KEY + 16));
      number(generation);
      number(records.length);
      for (const { table, groupKey, itemKey, version } of records) {
        byte(table);
        key(groupKey);
        key(itemKey);
        number(version);
      }
      number(ranges.length);
      for (const { table, groupKey, until, count, version } of ranges) {
        byte(table);
        byte(groupKey === null ? 0 : 1);
        if (groupKey !== null) key(groupKey);
        byte(until === null ? 0 : 1);
        if (until !== null) key(until.groupKey);
        if (until !== null) key(until.itemKey);
        number(count);
        number(version);
      }
      let most = 8; // All at once: to grow by and by would copy the first ones again and again.
      for (const { sealed } of writes) most += 1 + KEY + KEY + 8 + (sealed?.length ?? 0);
      need(most);
      number(writes.length);
      for (const { table, groupKey, itemKey, sealed } of writes) {
        byte(table);
        key(groupKey);
        key(itemKey);
        number(sealed ? sealed.length : -1);
        if (!sealed) continue;
        bytes.set(sealed, at);
        at += sealed.length;
      }
      need(2 * 8 + LEAF + 1 + 4 * 8 + forgotten.length * 8);
      number(forgotten.length);
      for (const one of forgotten) number(one);
      byte(use ? 1 : 0);
      if (use) {
        for (const one of [use.change.bytes, use.change.resources, use.most.bytes, use.most.resources])
          number(one);
      }
      number(entries.length);
      if (entries.length > 0) key(chainKey);
      for (const { leaf, sealed } of entries) {
        need(LEAF + 8 + sealed.length);
        key(leaf);
        number(sealed.length);
        bytes.set(sealed, at);
        at += sealed.length;
      }
    },
    take() {
      const taken = { buffer: bytes.buffer, length: at };
      bytes = spare.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
      at = 0;
      return taken;
    },
    giveBack(buffer) {
      if (buffer.byteLength === FIRST_BYTES && spare.length < SPARE_MAX) spare.push(Buffer.from(buffer));
    },
  };
}

/** The same as the writer reads it: keys are views of the batch, ready to be bound. */
export interface Task {
  readonly kind: number;
  readonly id: number;
  readonly pod: Uint8Array;
  readonly generation: number;
  /** A place is table, group key and item key as a Latin-1 string: the keys are needed for the fewest. */
  readonly records: readonly { readonly place: string; readonly version: number }[];
  readonly ranges: readonly {
    readonly table: number;
    readonly group: Uint8Array | null;
    readonly until: { readonly group: Uint8Array; readonly item: Uint8Array } | null;
    readonly count: number;
    readonly version: number;
  }[];
  readonly writes: readonly {
    readonly place: string;
    readonly table: number;
    readonly group: Uint8Array;
    readonly item: Uint8Array;
    readonly sealed: Uint8Array | null;
  }[];
  readonly entries: readonly { readonly leaf: Uint8Array; readonly sealed: Uint8Array }[];
  readonly chainKey: Uint8Array | null;
  readonly forgotten: readonly number[];
  readonly use: UseChange | null;
  readonly payload: Uint8Array;
}

const NOTHING = Object.freeze({
  generation: 0,
  records: [],
  ranges: [],
  writes: [],
  entries: [],
  chainKey: null,
  forgotten: [],
  use: null,
  payload: new Uint8Array(),
});

export function readBatch(buffer: ArrayBuffer, length: number): Task[] {
  const bytes = Buffer.from(buffer, 0, length);
  let at = 0;
  const byte = (): number => bytes.readUInt8(at++);
  const number = (): number => bytes.readDoubleLE((at += 8) - 8);
  const part = (size: number): Uint8Array => bytes.subarray(at, (at += size));
  const many = <T>(one: () => T): T[] => Array.from({ length: number() }, one);

  const tasks: Task[] = [];
  // oxlint-disable-next-line no-unmodified-loop-condition -- the readers above move `at`
  while (at < length) {
    const kind = byte();
    const id = number();
    const pod = part(KEY);
    if (kind >= BULK_FIRST) {
      tasks.push({ kind, id, pod, ...NOTHING, payload: part(number()) });
      continue;
    }
    if (kind !== COMMIT) {
      tasks.push({ kind, id, pod, ...NOTHING });
      continue;
    }
    const generation = number();
    const placeHere = (): string => bytes.toString("latin1", at, at + PLACE);
    const records = many(() => {
      const place = placeHere();
      at += PLACE;
      return { place, version: number() };
    });
    const ranges = many(() => ({
      table: byte(),
      group: byte() === 1 ? part(KEY) : null,
      until: byte() === 1 ? { group: part(KEY), item: part(KEY) } : null,
      count: number(),
      version: number(),
    }));
    const writes = many(() => {
      const write = { place: placeHere(), table: byte(), group: part(KEY), item: part(KEY) };
      const size = number();
      return { ...write, sealed: size < 0 ? null : part(size) };
    });
    const forgotten = many(number);
    const use =
      byte() === 1
        ? {
            change: { bytes: number(), resources: number() },
            most: { bytes: number(), resources: number() },
          }
        : null;
    const count = number();
    const chainKey = count > 0 ? part(LEAF) : null;
    const entries = Array.from({ length: count }, () => ({ leaf: part(LEAF), sealed: part(number()) }));
    tasks.push({
      kind,
      id,
      pod,
      generation,
      records,
      ranges,
      writes,
      entries,
      chainKey,
      forgotten,
      use,
      payload: NOTHING.payload,
    });
  }
  return tasks;
}
