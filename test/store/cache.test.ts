/** The cache by itself: what it may answer, and when it must forget. */
import { expect } from "chai";
import type { LookupKey } from "../../server/store/sealed/seal.ts";
import { createCache, type RecordCache } from "../../server/store/sqlite/cache.ts";
import type { PodId } from "../../server/store/store.ts";

const ana = "a".repeat(32) as PodId;
const groupKey = "g".repeat(16) as LookupKey;
const itemKey = "i".repeat(16) as LookupKey;
const TABLE = 1;

/** What a cache at its own generation says of a record: its version, null for known to be absent, undefined for unknown. */
function said(cache: RecordCache, group: string, item: string): number | null | undefined {
  const known = cache.group(ana, TABLE, group);
  const found = known?.items.get(item);
  if (found) return found.entry?.version ?? null;
  return known?.isComplete ? null : undefined;
}

function commit(
  cache: RecordCache,
  generation: number,
  group: string,
  item: string,
  bytes: number | null,
): void {
  cache.commit(ana, generation, [
    { table: TABLE, group, groupKey, item, itemKey, value: bytes === null ? null : new Uint8Array(bytes) },
  ]);
}

/** Somebody reads of the group: from then on it is told of commits. */
const watch = (cache: RecordCache, ...groups: readonly string[]): void => {
  for (const group of groups) cache.watch(ana, TABLE, group, groupKey);
};

function add(cache: RecordCache, group: string, item: string, version: number, generation: number): void {
  const watched = cache.watch(ana, TABLE, group, groupKey);
  if (watched)
    cache.add(
      ana,
      watched,
      item,
      { entry: { group, item, version, value: new Uint8Array(10) }, since: version, itemKey },
      generation,
    );
}

describe("the record cache", () => {
  it("stands where the database stands, and is brought forward by our commits", () => {
    const cache = createCache(1_000_000);
    expect(cache.standsAt(ana, 7, false)).to.equal(true);
    watch(cache, "g");
    commit(cache, 8, "g", "x", 3);
    expect(said(cache, "g", "x")).to.equal(8);
    expect(cache.standsAt(ana, 8, false)).to.equal(true);
    expect(said(cache, "g", "x")).to.equal(8);
  });

  it("keeps nothing of a group that nobody has read", () => {
    const cache = createCache(1_000_000);
    cache.standsAt(ana, 7, false);
    commit(cache, 8, "g", "x", 3);
    expect(cache.group(ana, TABLE, "g")).to.equal(undefined);
    expect(cache.size()).to.equal(0);
  });

  it("waits for a commit that is on its way, and forgets nothing meanwhile", () => {
    const cache = createCache(1_000_000);
    cache.standsAt(ana, 7, false);
    add(cache, "g", "x", 5, 7);
    expect(cache.standsAt(ana, 8, true)).to.equal(false);
    expect(said(cache, "g", "x")).to.equal(5);
    commit(cache, 8, "g", "y", 3);
    expect(cache.standsAt(ana, 8, false)).to.equal(true);
    expect(said(cache, "g", "x")).to.equal(5);
  });

  it("forgets everything of the pod when somebody else has committed", () => {
    const cache = createCache(1_000_000);
    cache.standsAt(ana, 7, false);
    add(cache, "g", "x", 5, 7);
    expect(cache.standsAt(ana, 8, false)).to.equal(true);
    expect(said(cache, "g", "x")).to.equal(undefined);
    add(cache, "g", "x", 8, 8);
    commit(cache, 10, "g", "y", 3); // 9 was not ours.
    expect(said(cache, "g", "x")).to.equal(undefined);
    expect(cache.standsAt(ana, 10, false)).to.equal(true);
  });

  it("does not go back when a commit is announced that was read from disk already", () => {
    const cache = createCache(1_000_000);
    cache.standsAt(ana, 9, false);
    add(cache, "g", "x", 9, 9);
    commit(cache, 8, "g", "x", null);
    expect(said(cache, "g", "x")).to.equal(9);
  });

  it("takes nothing from a snapshot that is older than itself", () => {
    const cache = createCache(1_000_000);
    cache.standsAt(ana, 7, false);
    commit(cache, 8, "g", "x", null);
    add(cache, "g", "x", 5, 7);
    expect(said(cache, "g", "x")).to.equal(undefined);
    commit(cache, 9, "g", "x", null);
    add(cache, "g", "x", 5, 8);
    expect(said(cache, "g", "x")).to.equal(null);
  });

  it("takes a whole group only if nothing in it changed while it was being read", () => {
    for (const [changed, expected] of [
      ["g", undefined],
      ["other", null],
    ] as const) {
      const cache = createCache(1_000_000);
      cache.standsAt(ana, 7, false);
      const watched = cache.watch(ana, TABLE, "g", groupKey);
      commit(cache, 8, changed, "new", 3);
      if (watched) cache.complete(ana, watched, new Map(), 7);
      expect(said(cache, "g", "anything")).to.equal(expected);
    }
  });

  it("keeps whole groups whole through commits", () => {
    const cache = createCache(1_000_000);
    cache.standsAt(ana, 7, false);
    const watched = cache.watch(ana, TABLE, "g", groupKey);
    if (watched) cache.complete(ana, watched, new Map(), 7);
    commit(cache, 8, "g", "x", 3);
    commit(cache, 9, "g", "y", 3);
    commit(cache, 10, "g", "x", null);
    expect([said(cache, "g", "x"), said(cache, "g", "y"), said(cache, "g", "z")]).to.deep.equal([
      null,
      9,
      null,
    ]);
  });

  it("never holds more than its bytes, whatever comes; the least used goes first", () => {
    const cache = createCache(100_000);
    cache.standsAt(ana, 0, false);
    for (let n = 1; n <= 2_000; n++) {
      watch(cache, `group ${n % 300}`, "group 1");
      commit(cache, n, `group ${n % 300}`, `item ${n}`, (n * 37) % 3_000);
      expect(cache.size()).to.be.at.most(100_000);
      commit(cache, n, "group 1", "used", 1);
      cache.group(ana, TABLE, "group 1");
    }
    expect(cache.group(ana, TABLE, "group 1")).not.to.equal(undefined);
    expect(cache.group(ana, TABLE, "group 2")).to.equal(undefined);
    cache.drop(ana);
    expect(cache.size()).to.equal(0);
  });

  it("drops a group that alone is too large, and forgets it consistently", () => {
    const cache = createCache(100_000);
    cache.standsAt(ana, 0, false);
    watch(cache, "huge");
    commit(cache, 1, "huge", "x", 30_000);
    expect(said(cache, "huge", "x")).to.equal(undefined);
    expect(cache.size()).to.equal(0);
  });
});
