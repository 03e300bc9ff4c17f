/** One snapshot of a pod: from the cache as long as that knows, then from the database. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { entriesOf, type Member, pageOf } from "../sealed/members.ts";
import { groupKeyOf, itemKeyOf, type LookupKey, openRecord, type PodKeys } from "../sealed/seal.ts";
import { type Entry, type Page, type PodId, type Snapshot, TABLES, type Table } from "../store.ts";
import type { Absences, Known as KnownPlaces } from "./absences.ts";
import type { ReadRange } from "./batch.ts";
import type { Known, KnownGroup, RecordCache } from "./cache.ts";
import { isDamage } from "./proof.ts";
import type { FoundMember, FoundRecord, Reader, Readers } from "./readers.ts";

/** What snapshots stand on. */
export interface Ground {
  readonly cache: RecordCache;
  readonly readers: Readers;
  readonly absences: Pick<Absences, "of" | "mayHave">;
  readonly log: Log;
  readonly limits: Limits;
}

type Place = readonly [table: number, groupKey: LookupKey, itemKey: LookupKey];

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
export const OBJECT_BYTES = 640;
/** Opening or sealing as much takes milliseconds: 200 small records, or a large one. */
export const LARGE_BYTES = 256 * 1024;

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
  readonly #places: KnownPlaces | null;
  /** Groups read from the cache before the first look into the database. */
  readonly #seen: KnownGroup[] = [];
  /** Places of which it was known, before that look, that nothing is there. */
  readonly #absent: Place[] = [];
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
    this.#places = ground.absences.of(pod);
    this.#reader = reader;
    if (reader) ground.cache.saw(pod, generation);
  }

  get generation(): number {
    this.#isTold = true;
    return this.#generation;
  }

  async get(table: Table, group: string, item: string): Promise<Entry | null> {
    const number = TABLES[table];
    const cached = this.#cached(this.ground.cache.group(this.pod, number, group), item);
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
    const { keys } = this;
    const load = (last: LookupKey | null, wanted: number): FoundMember[] =>
      this.#look(() =>
        this.#pinned().page(keys.id, table, groupKey, last && { groupKey, itemKey: last }, wanted),
      );
    const open = (one: FoundMember): Entry => {
      const opened = this.#open(table, group, groupKey, one.itemKey, one);
      const before = known?.items.get(opened.item)?.entry; // Perhaps parsed already.
      return before?.version === opened.version ? before : opened;
    };
    return pageOf({ keys, table, groupKey, atOnce: PAGE, load, open }, after, most);
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
  #cached(known: KnownGroup | undefined, item: string): Entry | null | undefined {
    this.beOpen();
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
    const known = this.ground.cache.group(this.pod, table, group);
    const groupKey = known?.groupKey ?? groupKeyOf(this.keys, table, group);
    const before = known?.items.get(item);
    const itemKey = before?.itemKey ?? itemKeyOf(this.keys, table, groupKey, item);
    const cached = this.#cached(known, item);
    if (cached !== undefined)
      return { entry: cached, since: cached?.version ?? this.#generation, groupKey, itemKey };
    if (!this.ground.absences.mayHave(this.#places, table, groupKey, itemKey)) {
      if (!this.#reader) this.#absent.push([table, groupKey, itemKey]);
      return { entry: null, since: this.#generation, groupKey, itemKey };
    }
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
    const isAbsent = (place: Place): boolean => !this.ground.absences.mayHave(this.#places, ...place);
    const isSame = !this.#isTold && this.#seen.every(holds) && this.#absent.every(isAbsent);
    if (generation !== null && generation > this.#generation && isSame) {
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
