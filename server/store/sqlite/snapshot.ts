/** One snapshot of a pod: from the cache as long as that knows, then from the database. And the transaction on top of it. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { createBounds } from "../bounds.ts";
import { sealEntry } from "../sealed/entries.ts";
import {
  cursorOf,
  groupKeyOf,
  itemKeyOf,
  itemOfCursor,
  type LookupKey,
  openRecord,
  type Plain,
  type PodKeys,
  plainOf,
  sealRecord,
} from "../sealed/seal.ts";
import {
  type Entry,
  type Page,
  type PodId,
  type Snapshot,
  TABLES,
  type Table,
  type Transaction,
  type Usage,
} from "../store.ts";
import { createUses } from "../uses.ts";
import type { Commit, ReadRange, ReadRecord } from "./batch.ts";
import type { Known, KnownGroup, KnownWrite, RecordCache } from "./cache.ts";
import { isDamage } from "./proof.ts";
import type { FoundMember, FoundRecord, Reader, Readers } from "./readers.ts";

/** What snapshots stand on. */
export interface Ground {
  readonly cache: RecordCache;
  readonly readers: Readers;
  readonly log: Log;
  readonly limits: Limits;
}

/** Records opened in one go: about a millisecond of work before others have their turn. */
const PAGE = 64;

/** A database that cannot be read is no bug of the caller's. @throws Problem `unavailable` for whatever SQLite says. */
export function look<T>(log: Log, looking: () => T): T {
  try {
    return looking();
  } catch (error) {
    if (!isDamage(error)) throw error;
    log.error("store.read.failed", { cause: String((error as { errstr?: string }).errstr ?? error) });
    throw new Problem("unavailable", undefined, { cause: error });
  }
}

/** Thrown to leave `work` when the database has moved on between the cache's look and its own; never leaves the store. */
const MOVED: unique symbol = Symbol("moved");

/** About what a record takes beside its value. */
const OBJECT_BYTES = 640;
const LARGE_BYTES = 256 * 1024;
/** Some milliseconds of sealing: 200 small records, or a large one. */
const SEALED_AT_ONCE_BYTES = LARGE_BYTES;

interface Member {
  readonly groupKey: LookupKey;
  readonly entry: Entry;
  readonly itemKey: LookupKey;
}

async function* entriesOf(members: AsyncIterable<Member>): AsyncGenerator<Entry> {
  for await (const { entry } of members) yield entry;
}

/** A generator's steps take several times as long, and large folders have many. */
function each(members: readonly Member[]): AsyncIterable<Entry> {
  return {
    [Symbol.asyncIterator]() {
      let index = 0;
      return {
        next() {
          const member = members[index++];
          return Promise.resolve(
            member ? { done: false, value: member.entry } : { done: true, value: undefined },
          );
        },
      };
    },
  };
}

/** A class for its lifetime: it may hold a read connection, until `end`. */
export class SqliteSnapshot implements Snapshot {
  readonly pod: PodId;
  /** The work saw two generations: its outcome counts for nothing, and it runs again on a snapshot held from the start. */
  moved = false;
  protected readonly keys: PodKeys;
  protected readonly ground: Ground;
  #reader: Reader | null;
  /** Groups read from the cache before the first look into the database. */
  readonly #seen: KnownGroup[] = [];
  /** Grows at the first look into the database, if nothing that was read is touched by the commits between. */
  #generation: number;
  /** Somebody knows it, and may have answered from what was kept for it: it cannot grow any more. */
  #isTold = false;
  #isOpen = true;

  /** @param reader A connection whose snapshot is at `generation`, or null to begin one when the cache does not know. */
  constructor(ground: Ground, pod: PodId, keys: PodKeys, generation: number, reader: Reader | null) {
    this.ground = ground;
    this.pod = pod;
    this.keys = keys;
    this.#generation = generation;
    this.#reader = reader;
    if (reader) ground.cache.saw(pod, generation);
  }

  get generation(): number {
    this.#isTold = true;
    return this.#generation;
  }

  async get(table: Table, group: string, item: string): Promise<Entry | null> {
    const number = TABLES[table];
    const cached = this.#cached(number, group, item);
    if (cached !== undefined) return cached;
    const { entry } = this.find(number, group, item);
    if (entry && entry.value.length > LARGE_BYTES) await nextTurn(); // Opening it took milliseconds: now others.
    return entry;
  }

  list(table: Table, group: string): AsyncIterable<Entry> {
    return this.members(TABLES[table], group);
  }

  all(table: Table): AsyncIterable<Entry> {
    return this.members(TABLES[table], null);
  }

  /** Always from the database, and not kept in the cache: a walk through a large group must not push out all else. */
  async page(name: Table, group: string, after: string | null, most: number): Promise<Page> {
    this.beOpen();
    const table = TABLES[name];
    const groupKey = this.groupKey(table, group);
    const known = this.ground.cache.group(this.pod, table, group);
    const from = after === null ? null : itemOfCursor(this.keys, table, groupKey, after);
    if (after !== null && from === null)
      throw new Problem("input-invalid", "This is no place in the listing");
    const entries: Entry[] = [];
    let last = from === null ? null : itemKeyOf(this.keys, table, groupKey, from);
    for (;;) {
      // One more than is wanted tells whether there is another page.
      const wanted = Math.min(PAGE, most + 1 - entries.length);
      const found: FoundMember[] = this.#look(() =>
        this.#pinned().page(this.keys.id, table, groupKey, last && { groupKey, itemKey: last }, wanted),
      );
      for (const one of found) {
        if (entries.length === most)
          return { entries, next: cursorOf(this.keys, table, groupKey, entries.at(-1)?.item ?? "") };
        const opened = this.#open(table, group, groupKey, one.itemKey, one);
        const before = known?.items.get(opened.item)?.entry; // Perhaps parsed already.
        entries.push(before?.version === opened.version ? before : opened);
        last = one.itemKey;
      }
      if (found.length < wanted) return { entries, next: null };
      await nextTurn();
    }
  }

  end(): void {
    this.#isOpen = false;
    if (this.#reader) this.ground.readers.release(this.#reader);
    this.#reader = null;
  }

  protected beOpen(): void {
    assert(this.#isOpen, "a snapshot was used after its end");
  }

  /** Undefined: the cache does not know. The shortest way, for most reads end here. */
  #cached(table: number, group: string, item: string): Entry | null | undefined {
    this.beOpen();
    const known = this.ground.cache.group(this.pod, table, group);
    if (!known || !this.ground.cache.holdsAt(this.pod, known, this.#generation)) return undefined;
    const found = known.items.get(item);
    if (!this.#reader) this.#seen.push(known);
    if (found) return found.since <= this.#generation ? found.entry : undefined;
    return known.isComplete && known.since <= this.#generation ? null : undefined;
  }

  protected groupKey(table: number, group: string): LookupKey {
    return this.ground.cache.group(this.pod, table, group)?.groupKey ?? groupKeyOf(this.keys, table, group);
  }

  /** What the cache or the database knows of a record, with its keys. */
  protected find(table: number, group: string, item: string): Known & { readonly groupKey: LookupKey } {
    this.beOpen();
    const known = this.ground.cache.group(this.pod, table, group);
    const groupKey = known?.groupKey ?? groupKeyOf(this.keys, table, group);
    const before = known?.items.get(item);
    const itemKey = before?.itemKey ?? itemKeyOf(this.keys, table, groupKey, item);
    const cached = this.#cached(table, group, item);
    if (cached !== undefined)
      return { entry: cached, since: cached?.version ?? this.#generation, groupKey, itemKey };
    const found = this.#look(() => this.#pinned().get(this.keys.id, table, groupKey, itemKey));
    const entry = found && this.#open(table, group, groupKey, itemKey, found, before);
    const fresh = { entry, since: entry?.version ?? this.#generation, itemKey };
    const watched = this.ground.cache.watch(this.pod, table, group, groupKey);
    if (watched) this.ground.cache.add(this.pod, watched, item, fresh, this.#generation);
    return { ...fresh, groupKey };
  }

  /** The snapshot's own connection, begun at the first look into the database. */
  #pinned(): Reader {
    this.beOpen();
    if (this.#reader) return this.#reader;
    const reader = this.ground.readers.acquire(this.keys.id);
    this.#reader = reader;
    const generation = reader.generation(this.keys.id);
    if (generation === this.#generation) return reader;
    // Commits on their way lie between. If none of them touches what was read so far, that holds for the later state too.
    const { cache } = this.ground;
    const holds = (group: KnownGroup): boolean =>
      group.isWatched &&
      group.since <= this.#generation &&
      cache.holdsAt(this.pod, group, Number.POSITIVE_INFINITY);
    if (generation !== null && generation > this.#generation && !this.#isTold && this.#seen.every(holds)) {
      cache.saw(this.pod, generation);
      this.#generation = generation;
      return reader;
    }
    this.moved = true;
    throw MOVED;
  }

  #look<T>(looking: () => T): T {
    if (this.moved) throw MOVED;
    return look(this.ground.log, looking);
  }

  /** @throws Problem `unavailable` for a damaged record: no answer is better than a wrong one. */
  #open(
    table: number,
    group: string | null,
    groupKey: LookupKey,
    itemKey: LookupKey,
    found: FoundRecord,
    before?: Known,
  ): Entry {
    if (before?.entry?.version === found.version) return before.entry; // Opened already, and parsed perhaps.
    const opened = openRecord(this.keys, table, groupKey, itemKey, found.sealed);
    if (!opened || found.version > this.#generation || (group !== null && opened.group !== group)) {
      this.ground.log.error("store.record.damaged", { table });
      throw new Problem("unavailable", "A record is damaged");
    }
    return { group: group ?? opened.group, item: opened.item, version: found.version, value: opened.value };
  }

  /** Called when a range was read. */
  protected rangeRead(_range: () => ReadRange): void {}

  protected members(table: number, group: string | null): AsyncIterable<Entry> {
    const stored = this.stored(table, group);
    return Array.isArray(stored) ? each(stored) : entriesOf(stored);
  }

  protected stored(table: number, group: string | null): AsyncIterable<Member> | Member[] {
    this.beOpen();
    if (group === null) return this.#pages(table, null, null);
    const known = this.ground.cache.group(this.pod, table, group);
    const isKnown =
      known?.isComplete &&
      known.since <= this.#generation &&
      this.ground.cache.holdsAt(this.pod, known, this.#generation);
    if (!isKnown) return this.#load(table, group);
    if (!this.#reader) this.#seen.push(known);
    const found: Member[] = [];
    for (const { entry, itemKey } of known.items.values())
      if (entry) found.push({ entry, groupKey: known.groupKey, itemKey });
    this.rangeRead(() => {
      const version = found.reduce((most, { entry }) => Math.max(most, entry.version), 0);
      return { table, groupKey: known.groupKey, until: null, count: found.length, version };
    });
    return found;
  }

  /** Reads a group from the database, and keeps it whole if nothing changes it meanwhile. */
  async *#load(table: number, group: string): AsyncGenerator<Member> {
    const groupKey = this.groupKey(table, group);
    const watched = this.ground.cache.watch(this.pod, table, group, groupKey);
    const items = new Map<string, Known>();
    let bytes = 0;
    for await (const member of this.#pages(table, group, watched)) {
      bytes += member.entry.value.length + OBJECT_BYTES;
      if (bytes < this.ground.limits.recordCacheBytesMax / 4) {
        items.set(member.entry.item, {
          entry: member.entry,
          since: member.entry.version,
          itemKey: member.itemKey,
        });
      } else items.clear();
      yield member;
    }
    if (watched && bytes < this.ground.limits.recordCacheBytesMax / 4)
      this.ground.cache.complete(this.pod, watched, items, this.#generation);
  }

  async *#pages(table: number, group: string | null, watched: KnownGroup | null): AsyncGenerator<Member> {
    const groupKey = group === null ? null : this.groupKey(table, group);
    // Who stops early has read no more than up to there: a million records need not be counted to find one.
    let [count, version] = [0, 0];
    let last: FoundMember | null = null;
    let isWhole = false;
    try {
      for (let after: FoundMember | null = null; ; ) {
        const page: FoundMember[] = this.#look(() =>
          this.#pinned().page(this.keys.id, table, groupKey, after, PAGE),
        );
        for (const found of page) {
          const opened = this.#open(table, group, found.groupKey, found.itemKey, found);
          const before = watched?.items.get(opened.item)?.entry;
          count++;
          version = Math.max(version, found.version);
          last = found;
          yield { ...found, entry: before?.version === opened.version ? before : opened };
        }
        isWhole = page.length < PAGE;
        if (isWhole) return;
        after = page.at(-1) ?? null;
        await nextTurn();
      }
    } finally {
      if (isWhole || last)
        this.rangeRead(() => ({ table, groupKey, until: isWhole ? null : last, count, version }));
    }
  }
}

interface PendingWrite extends KnownWrite {
  /** Null deletes. */
  readonly plain: Plain | null;
}

const placeOf = (table: number, groupKey: LookupKey, itemKey: LookupKey): string =>
  String.fromCharCode(table) + groupKey + itemKey;

/** Buffers its writes, and remembers what it read, so that the writer can tell whether that is still so. */
export class SqliteTransaction extends SqliteSnapshot implements Transaction {
  readonly #records: ReadRecord[] = [];
  readonly #ranges: ReadRange[] = [];
  readonly #writes = new Map<string, PendingWrite>();
  readonly #bounds = createBounds(this.ground.limits);
  readonly #entries: Uint8Array[] = [];
  readonly #uses = createUses();
  readonly #ahead = new Map<PendingWrite, { readonly version: number; readonly sealed: Uint8Array | null }>();

  override async get(table: Table, group: string, item: string): Promise<Entry | null> {
    const number = TABLES[table];
    const known = this.find(number, group, item);
    const own = this.#writes.get(placeOf(number, known.groupKey, known.itemKey));
    if (own) return pendingEntry(own);
    this.#records.push({
      table: number,
      groupKey: known.groupKey,
      itemKey: known.itemKey,
      version: known.entry?.version ?? 0,
    });
    return known.entry;
  }

  put(table: Table, group: string, item: string, value: Uint8Array): void {
    this.#write(table, group, item, value);
  }

  delete(table: Table, group: string, item: string): void {
    this.#write(table, group, item, null);
  }

  get writes(): IterableIterator<KnownWrite> {
    return this.#writes.values();
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

  /** Seals what takes long in turns, so that {@link seal} finds it done. To be called after `work`. */
  async sealAhead(): Promise<void> {
    let bytes = 0;
    for (const write of this.#writes.values()) {
      bytes += OBJECT_BYTES + (write.plain?.bytes.length ?? 0);
      if (bytes > SEALED_AT_ONCE_BYTES) {
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
    for (const { plain } of this.#writes.values()) bytes += OBJECT_BYTES + (plain?.bytes.length ?? 0);
    return bytes > SEALED_AT_ONCE_BYTES;
  }

  /** What the writer needs, with the writes sealed. To be handed over in the same turn: the key may have a new version later. */
  seal(): Commit {
    const writes = [...this.#writes.values()].map((write) => {
      const { table, groupKey, itemKey } = write;
      const ahead = this.#ahead.get(write);
      const isDone = ahead?.version === this.keys.version;
      return { table, groupKey, itemKey, sealed: isDone ? ahead.sealed : this.#sealOne(write) };
    });
    const { keys, generation } = this;
    return {
      generation,
      records: this.#records,
      ranges: this.#ranges,
      writes,
      entries: this.#entries.map((entry) => sealEntry(keys, generation, entry)),
      chainKey: this.#entries.length > 0 ? keys.journal.export().toString("latin1") : "",
      forgotten: [],
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

  protected override rangeRead(range: () => ReadRange): void {
    this.#ranges.push(range());
  }

  /** Its own writes, as they are at this moment, lie over what is stored. */
  protected override members(table: number, group: string | null): AsyncIterable<Entry> {
    const own = new Map(
      [...this.#writes].filter(
        ([, write]) => write.table === table && (group === null || write.group === group),
      ),
    );
    return this.#overlaid(table, group, own);
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
