/**
 * One snapshot of a pod in PostgreSQL: from the cache as long as that knows, then from the database. What is read there comes
 * with the pod's generation in one statement. If that has moved on, and what was found may be of the later state, the snapshot
 * moves on with it where all that was read so far holds there too; else the work runs again, on a database transaction.
 */
import assert from "node:assert/strict";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import { entriesOf, type Member, pageOf } from "../sealed/members.ts";
import { groupKeyOf, itemKeyOf, type LookupKey, openRecord, type PodKeys } from "../sealed/seal.ts";
import type { ReadRange } from "../sqlite/batch.ts";
import type { Known, KnownGroup, RecordCache } from "../sqlite/cache.ts";
import type { FoundMember } from "../sqlite/readers.ts";
import { type Entry, type Page, type PodId, type Snapshot, TABLES, type Table } from "../store.ts";
import type { Row, Statement, Value } from "./database.ts";

/** What snapshots stand on. */
export interface PostgresGround {
  readonly cache: RecordCache;
  /** One statement on its own. */
  readonly read: (statement: Statement, values: readonly Value[]) => Promise<readonly Row[]>;
  /** Resolves when what this server has sent of commits to the pod is answered; null: nothing is on its way. */
  readonly settled: (pod: PodId) => Promise<unknown> | null;
  readonly log: Log;
  readonly limits: Limits;
}

/** Where a snapshot begins. */
export interface Standing {
  readonly pod: PodId;
  readonly keys: PodKeys;
  readonly keyVersion: number;
  readonly generation: number;
  /** Reads in one database transaction, whose state is of this generation; null to read statement by statement. */
  readonly held: PostgresGround["read"] | null;
}

/** Thrown to leave `work` when the database has moved on; never leaves the store. */
const MOVED: unique symbol = Symbol("moved");
/** Records fetched at once. */
const PAGE = 256;
/** About what a record takes beside its value. */
const OBJECT_BYTES = 640;
const FIRST_KEY = Buffer.alloc(0); // Before every key.

const POD = "SELECT p.generation, p.key_version";
const GET: Statement = {
  name: "record-get",
  text: `${POD}, r.version, r.sealed FROM pod p LEFT JOIN record r ON r.pod_id = p.pod_id AND r.table_number = $2 AND r.group_key = $3 AND r.item_key = $4 WHERE p.pod_id = $1`,
};
const pageStatement = (name: string, where: string, most: string): Statement => ({
  name,
  text: `${POD}, r.group_key, r.item_key, r.version, r.sealed FROM pod p LEFT JOIN (SELECT * FROM record WHERE pod_id = $1 AND table_number = $2 AND ${where} ORDER BY group_key, item_key LIMIT ${most}) r ON r.pod_id = p.pod_id WHERE p.pod_id = $1 ORDER BY r.group_key, r.item_key`,
});
const GROUP_PAGE = pageStatement("record-group", "group_key = $3 AND item_key > $4", "$5");
const TABLE_PAGE = pageStatement("record-table", "(group_key, item_key) > ($3, $4)", "$5");
const STATE = `${POD}, (SELECT count(*) FROM record r WHERE r.pod_id = $1 AND r.table_number = $2`;
const stateOf = (name: string, where: string): Statement => ({
  name,
  text: `${STATE}${where}), (SELECT coalesce(max(version), 0) FROM record r WHERE r.pod_id = $1 AND r.table_number = $2${where}) FROM pod p WHERE p.pod_id = $1`,
});
const GROUP_STATE = stateOf("record-group-state", " AND r.group_key = $3");
const TABLE_STATE = stateOf("record-table-state", "");

const bytesOf = (key: LookupKey): Buffer => Buffer.from(key, "latin1");
const keyOf = (bytes: unknown): LookupKey => (bytes as Buffer).toString("latin1") as LookupKey;

/** A class for its lifetime: it ends with `work`. */
export class PostgresSnapshot implements Snapshot {
  readonly pod: PodId;
  readonly keyVersion: number;
  /** The work saw two generations: its outcome counts for nothing, and it runs again on a database transaction. */
  moved = false;
  readonly keys: PodKeys;
  protected readonly ground: PostgresGround;
  readonly #held: PostgresGround["read"] | null;
  /** Groups of which something was read. */
  readonly #seen = new Set<KnownGroup>();
  /** Something was read that the cache does not watch, or somebody knows the generation: it cannot grow any more. */
  #isFixed = false;
  #generation: number;
  #isOpen = true;

  constructor(ground: PostgresGround, { pod, keys, keyVersion, generation, held }: Standing) {
    this.ground = ground;
    this.pod = pod;
    this.keys = keys;
    this.keyVersion = keyVersion;
    this.#generation = generation;
    this.#held = held;
  }

  get generation(): number {
    this.#isFixed = true;
    return this.#generation;
  }

  async get(table: Table, group: string, item: string): Promise<Entry | null> {
    const number = TABLES[table];
    const cached = this.#cached(number, group, item);
    return cached === undefined ? (await this.find(number, group, item)).entry : cached;
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
    const load = async (last: LookupKey | null, wanted: number): Promise<FoundMember[]> => {
      const found = await this.#page(table, groupKey, last && { groupKey, itemKey: last }, wanted);
      this.#isFixed = true;
      return found;
    };
    const open = (one: FoundMember): Entry => this.#open(table, group, groupKey, one.itemKey, one);
    return pageOf({ keys: this.keys, table, groupKey, atOnce: PAGE, load, open }, after, most);
  }

  end(): void {
    this.#isOpen = false;
  }

  protected beOpen(): void {
    assert(this.#isOpen, "a snapshot was used after its end");
  }

  /** What the cache knows of the group, if that is no older than this snapshot. */
  #known(table: number, group: string): KnownGroup | undefined {
    const known = this.ground.cache.group(this.pod, table, group);
    return known && known.pod.generation >= this.#generation ? known : undefined;
  }

  /** Undefined: the cache does not know. The shortest way, for most reads end here. */
  #cached(table: number, group: string, item: string): Entry | null | undefined {
    this.beOpen();
    const known = this.#known(table, group);
    if (!known) return undefined;
    const found = known.items.get(item);
    const entry = found
      ? found.since <= this.#generation
        ? found.entry
        : undefined
      : known.isComplete && known.since <= this.#generation
        ? null
        : undefined;
    if (entry !== undefined) this.#seen.add(known);
    return entry;
  }

  protected groupKey(table: number, group: string): LookupKey {
    return this.ground.cache.group(this.pod, table, group)?.groupKey ?? groupKeyOf(this.keys, table, group);
  }

  /** What the cache or the database knows of a record, with its keys. */
  protected async find(
    table: number,
    group: string,
    item: string,
  ): Promise<Known & { readonly groupKey: LookupKey }> {
    this.beOpen();
    const known = this.ground.cache.group(this.pod, table, group);
    const groupKey = known?.groupKey ?? groupKeyOf(this.keys, table, group);
    const before = known?.items.get(item);
    const itemKey = before?.itemKey ?? itemKeyOf(this.keys, table, groupKey, item);
    const cached = this.#cached(table, group, item);
    if (cached !== undefined)
      return { entry: cached, since: cached?.version ?? this.#generation, groupKey, itemKey };
    const values = [this.keys.id, table, bytesOf(groupKey), bytesOf(itemKey)];
    // A record of an older version was the same in all states between: then it does not matter that the pod has moved on.
    const [row, at] = await this.#look(
      GET,
      values,
      ([one]) => Number(one?.[2] ?? Infinity) <= this.#generation,
    );
    const [, , version, sealed] = row[0] ?? [];
    const found =
      version === null || version === undefined
        ? null
        : { version: version as number, sealed: sealed as Buffer };
    const entry =
      found &&
      (before?.entry?.version === found.version
        ? before.entry // Opened already, and parsed perhaps.
        : this.#open(table, group, groupKey, itemKey, found));
    const fresh = { entry, since: entry?.version ?? at, itemKey };
    const watched = this.#watch(table, group, groupKey);
    if (watched) this.ground.cache.add(this.pod, watched, item, fresh, at);
    return { ...fresh, groupKey };
  }

  /** The group in the cache, for what is about to be put there. What it does not watch, it cannot vouch for later. */
  #watch(table: number, group: string, groupKey: LookupKey): KnownGroup | null {
    const watched = this.ground.cache.watch(this.pod, table, group, groupKey);
    if (watched?.isWatched) this.#seen.add(watched);
    else this.#isFixed = true;
    return watched;
  }

  /**
   * @param isFine Whether what was found is right for this snapshot, though the pod has moved on.
   * @returns the rows, and the generation that they are of.
   */
  async #look(
    statement: Statement,
    values: readonly Value[],
    isFine: (rows: readonly Row[]) => boolean,
  ): Promise<readonly [readonly Row[], number]> {
    for (;;) {
      if (this.moved) throw MOVED;
      const rows = await (this.#held ?? this.ground.read)(statement, values);
      this.beOpen();
      const [generation, keyVersion] = (rows[0] ?? []) as readonly (number | undefined)[];
      if (generation === undefined) throw new Problem("not-found"); // Erased meanwhile.
      if (this.#held) return [rows, generation];
      if (keyVersion === this.keyVersion) {
        if (generation === this.#generation || (generation > this.#generation && isFine(rows)))
          return [rows, generation];
        if (generation < this.#generation) continue; // It has grown since this was sent.
        await this.ground.settled(this.pod); // Our own commits: their answers say what they have changed.
        if (this.#grow(generation)) {
          if (generation === this.#generation) return [rows, generation];
          continue;
        }
      }
      this.moved = true;
      throw MOVED;
    }
  }

  /** Goes on to a later state, if all that was read is the same there. */
  #grow(generation: number): boolean {
    if (generation <= this.#generation) return true;
    if (this.#isFixed) return false;
    const { cache } = this.ground;
    const at = cache.at(this.pod);
    if (this.#seen.size > 0) {
      if (at === null || at < generation) return false;
      for (const group of this.#seen) if (!group.isWatched || group.since > this.#generation) return false;
    } else if (at === null || at < generation) cache.standsAt(this.pod, generation, false);
    this.#generation = generation;
    return true;
  }

  /** @throws Problem `unavailable` for a damaged record: no answer is better than a wrong one. */
  #open(
    table: number,
    group: string | null,
    groupKey: LookupKey,
    itemKey: LookupKey,
    found: { readonly version: number; readonly sealed: Uint8Array },
  ): Entry {
    const opened = openRecord(this.keys, table, groupKey, itemKey, found.sealed);
    if (!opened || found.version > this.#generation || (group !== null && opened.group !== group)) {
      this.ground.log.error("store.record.damaged", { table });
      throw new Problem("unavailable", "A record is damaged");
    }
    return { group: group ?? opened.group, item: opened.item, version: found.version, value: opened.value };
  }

  /** Called when a range is read. */
  protected rangeRead(_range: ReadRange): void {}
  /** Whether `rangeRead` wants to know. */
  protected readonly watchesRanges: boolean = false;

  protected members(table: number, group: string | null): AsyncIterable<Entry> {
    return entriesOf(this.stored(table, group));
  }

  protected async *stored(table: number, group: string | null): AsyncGenerator<Member> {
    this.beOpen();
    const known = group === null ? undefined : this.#known(table, group);
    if (!known?.isComplete || known.since > this.#generation) {
      yield* this.#load(table, group);
      return;
    }
    this.#seen.add(known);
    const found: Member[] = [];
    for (const { entry, itemKey } of known.items.values())
      if (entry) found.push({ entry, groupKey: known.groupKey, itemKey });
    const version = found.reduce((most, { entry }) => Math.max(most, entry.version), 0);
    this.rangeRead({ table, groupKey: known.groupKey, until: null, count: found.length, version });
    yield* found;
  }

  /** The next records after `after`; all of one state, which is this snapshot's. */
  async #page(
    table: number,
    groupKey: LookupKey | null,
    after: Pick<FoundMember, "groupKey" | "itemKey"> | null,
    most: number,
  ): Promise<FoundMember[]> {
    const group = groupKey === null ? (after ? bytesOf(after.groupKey) : FIRST_KEY) : bytesOf(groupKey);
    const item = after ? bytesOf(after.itemKey) : FIRST_KEY;
    const statement = groupKey === null ? TABLE_PAGE : GROUP_PAGE;
    const [rows] = await this.#look(statement, [this.keys.id, table, group, item, most], () => false);
    return rows
      .filter((row) => row[4] !== null)
      .map(([, , group, item, version, sealed]) => ({
        groupKey: keyOf(group),
        itemKey: keyOf(item),
        version: version as number,
        sealed: sealed as Buffer,
      }));
  }

  /** Reads a range from the database; a group is kept whole if it is not too large, and nothing changes it meanwhile. */
  async *#load(table: number, group: string | null): AsyncGenerator<Member> {
    const groupKey = group === null ? null : this.groupKey(table, group);
    const first = await this.#page(table, groupKey, null, PAGE);
    const watched = group === null || groupKey === null ? null : this.#watch(table, group, groupKey);
    if (!watched || first.length === PAGE) this.#isFixed = true; // The rest must be of the same state.
    if (first.length < PAGE) {
      const version = first.reduce((most, one) => Math.max(most, one.version), 0);
      this.rangeRead({ table, groupKey, until: null, count: first.length, version });
    } else if (this.watchesRanges) this.rangeRead(await this.#state(table, groupKey));
    const items = new Map<string, Known>();
    const bytesMax = watched ? this.ground.limits.recordCacheBytesMax / 4 : 0;
    let bytes = 0;
    for (let page = first; ; ) {
      for (const found of page) {
        const opened = this.#open(table, group, found.groupKey, found.itemKey, found);
        const before = watched?.items.get(opened.item)?.entry;
        const entry = before?.version === opened.version ? before : opened;
        bytes += entry.value.length + OBJECT_BYTES;
        if (bytes < bytesMax) items.set(entry.item, { entry, since: entry.version, itemKey: found.itemKey });
        else items.clear();
        yield { groupKey: found.groupKey, itemKey: found.itemKey, entry };
      }
      if (page.length < PAGE) break;
      page = await this.#page(table, groupKey, page.at(-1) ?? null, PAGE);
    }
    if (watched && bytes < bytesMax) this.ground.cache.complete(this.pod, watched, items, this.#generation);
  }

  async #state(table: number, groupKey: LookupKey | null): Promise<ReadRange> {
    const [rows] =
      groupKey === null
        ? await this.#look(TABLE_STATE, [this.keys.id, table], () => false)
        : await this.#look(GROUP_STATE, [this.keys.id, table, bytesOf(groupKey)], () => false);
    return { table, groupKey, until: null, count: Number(rows[0]?.[2]), version: Number(rows[0]?.[3]) };
  }
}
