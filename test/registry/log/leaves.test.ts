/** Leaves, commitments, paths through the map, and receipts: their bytes, and that nothing else passes for them. */
import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import {
  commitOf,
  decodeLeaf,
  encodeLeaf,
  formatProof,
  governanceHash,
  headKeyOf,
  headRecordText,
  type Leaf,
  PassportError,
  type PassportId,
  parseProof,
  parseShard,
  rootOfPath,
  shardOf,
} from "../../../client-lib/registry/index.ts";
import * as sync from "../../../server/registry/log/hash.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const ID = "dpch1qqucj2802nagrsht74gtkfnsmzp75h8geuv2qutwgyxwc2vv" as PassportId;
const sha256 = (...parts: readonly (Uint8Array | string)[]): Bytes =>
  new Uint8Array(
    createHash("sha256")
      .update(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))))
      .digest(),
  );
const filled = (byte: number): Bytes => new Uint8Array(32).fill(byte);

describe("leaves of a log", () => {
  it("a head key hashes tag, shard and identifier; another shard or zone gives another", async () => {
    const key = await headKeyOf("ch/2026", ID);
    expect(key).to.deep.equal(sha256("DCANN-head-v1\0", "ch/2026\0", ID));
    expect(new Uint8Array(sync.headKeyOf("ch/2026", ID))).to.deep.equal(key);
    expect(await headKeyOf("ch/2027", ID)).not.to.deep.equal(key);
    expect(await headKeyOf("root/2026", ID)).not.to.deep.equal(key);
  });

  it("a commitment is the HMAC of tag, key and canonical record under the opening", async () => {
    const text = headRecordText({ dseq: 1, d: "d", aseq: 2, a: "a" });
    expect(text).to.equal('{"a":"a","aseq":2,"d":"d","dseq":1}');
    const expected = createHmac("sha256", filled(1))
      .update("DCANN-commit-v1\0")
      .update(filled(2))
      .update(text)
      .digest();
    expect(await commitOf(filled(1), filled(2), text)).to.deep.equal(new Uint8Array(expected));
    expect(new Uint8Array(sync.commitOf(filled(1), filled(2), text))).to.deep.equal(new Uint8Array(expected));
    expect(await commitOf(filled(3), filled(2), text)).not.to.deep.equal(new Uint8Array(expected));
  });

  it("a head without data says so, and a hold is there only while it holds", () => {
    expect(headRecordText({ a: "a", aseq: 0, d: null, dseq: 0 })).to.equal(
      '{"a":"a","aseq":0,"d":null,"dseq":0}',
    );
    expect(headRecordText({ a: "a", aseq: 0, d: null, dseq: 0, h: "h" })).to.equal(
      '{"a":"a","aseq":0,"d":null,"dseq":0,"h":"h"}',
    );
    const more = { a: "a", aseq: 0, d: null, dseq: 0, name: "Ana" };
    expect(headRecordText(more)).not.to.contain("Ana");
  });

  it("a record of governance is hashed in canonical form under its own tag", async () => {
    const hash = await governanceHash({ b: 1, a: [true] });
    expect(hash).to.deep.equal(sha256('DCANN-gov-v1\0{"a":[true],"b":1}'));
    expect(new Uint8Array(sync.governanceHash({ b: 1, a: [true] }))).to.deep.equal(hash);
  });

  const leaves: readonly (readonly [Leaf, number, number])[] = [
    [{ kind: "set", headKey: filled(1), commit: filled(2) }, 1, 65],
    [{ kind: "root", epoch: 77, count: 2 ** 33, root: filled(3) }, 2, 49],
    [{ kind: "delete", headKey: filled(4) }, 3, 33],
    [{ kind: "governance", hash: filled(5) }, 4, 33],
  ];
  for (const [leaf, first, length] of leaves) {
    it(`a leaf ${leaf.kind} has ${length} bytes that begin with ${first}, and no more and no fewer`, () => {
      const bytes = encodeLeaf(leaf);
      expect([bytes[0], bytes.length]).to.deep.equal([first, length]);
      expect(decodeLeaf(bytes)).to.deep.equal(leaf);
      for (const other of [
        bytes.slice(0, -1),
        new Uint8Array([...bytes, 0]),
        bytes.with(0, 9),
        new Uint8Array(),
      ])
        expect(() => decodeLeaf(other)).to.throw(PassportError);
    });
  }

  it("numbers of a root leaf that cannot be counted are refused, and keys of another length not written", () => {
    const bytes = encodeLeaf({ kind: "root", epoch: 1, count: 1, root: filled(3) });
    expect(() => decodeLeaf(bytes.with(1, 0xff))).to.throw(PassportError);
    expect(() => encodeLeaf({ kind: "delete", headKey: new Uint8Array(31) })).to.throw("other bytes");
  });
});

describe("paths through the map", () => {
  interface Item {
    readonly key: Bytes;
    readonly commit: Bytes;
  }
  const bit = (key: Uint8Array, at: number) => ((key[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
  const EMPTY = new Uint8Array(32);
  const leafOf = ({ key, commit }: Item) => sha256(Uint8Array.of(2), key, commit);

  /** The whole map, by its definition. */
  function rootOf(items: readonly Item[], depth = 0): Bytes {
    const [only] = items;
    if (!only) return EMPTY;
    if (items.length === 1) return leafOf(only);
    const half = (side: number) =>
      rootOf(
        items.filter(({ key }) => bit(key, depth) === side),
        depth + 1,
      );
    return sha256(Uint8Array.of(3), half(0), half(1));
  }

  /** Siblings from the root down, and what stands at the end. */
  function pathOf(items: readonly Item[], key: Uint8Array, depth = 0): { path: Bytes[]; end: Item | null } {
    if (items.length <= 1) return { path: [], end: items[0] ?? null };
    const of = (side: number) => items.filter((one) => bit(one.key, depth) === side);
    const side = bit(key, depth);
    const { path, end } = pathOf(of(side), key, depth + 1);
    return { path: [rootOf(of(1 - side), depth + 1), ...path], end };
  }

  /** Keys that share long beginnings, so that paths are deep. */
  const keys = fc
    .tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 40 }),
      fc.uint8Array({ minLength: 2, maxLength: 2 }),
    )
    .map(([first, at, tail]) => {
      const key = filled(0).with(0, first << 6);
      key.set(tail, Math.min(at, 30));
      return key;
    });
  const maps = fc.uniqueArray(keys, { maxLength: 12, selector: (key) => Buffer.from(key).toString("hex") });
  const flipped = (bytes: Bytes): Bytes => bytes.with(31, (bytes[31] ?? 0) ^ 1);

  it("prove every key that is there, and every absence; no key has both, and no changed byte proves anything", async () => {
    await fc.assert(
      fc.asyncProperty(maps, keys, async (all, wanted) => {
        const items = all.map((key, at) => ({ key, commit: filled(at + 10) }));
        const root = rootOf(items);
        const { path, end } = pathOf(items, wanted);
        const isThere = end !== null && Buffer.compare(end.key, wanted) === 0;
        const commit = isThere ? end.commit : null;
        const same = async (...[k, c, p, e]: Parameters<typeof rootOfPath>) => {
          const found = await rootOfPath(k, c, p, e);
          return found !== null && Buffer.compare(found, root) === 0;
        };
        expect(await same(wanted, commit, path, isThere ? null : end)).to.equal(true);
        if (isThere) {
          expect(await same(wanted, null, path, end)).to.equal(false);
          expect(await same(wanted, null, path, null)).to.equal(false);
          expect(await same(wanted, flipped(end.commit), path, null)).to.equal(false);
          expect(await rootOfPath(wanted, end.commit, path, end)).to.equal(null);
        } else {
          expect(await same(wanted, filled(9), path, null)).to.equal(false);
          if (end) {
            expect(await same(wanted, null, path, { ...end, commit: flipped(end.commit) })).to.equal(false);
            expect(await same(wanted, null, path, null)).to.equal(false);
          }
        }
        const places = [...new Set([0, path.length >> 1, path.length - 1])].filter((at) => at in path);
        for (const [at, hash] of places.map((at) => [at, path[at] ?? EMPTY] as const))
          expect(await same(wanted, commit, path.with(at, flipped(hash)), isThere ? null : end)).to.equal(
            false,
          );
        if (path.length > 0)
          expect(await same(wanted, commit, path.slice(1), isThere ? null : end)).to.equal(false);
      }),
      { seed: 20_266, numRuns: 100 },
    );
  });

  it("an end that is not on the way of the key proves no absence", async () => {
    const [here, there, other] = [filled(0), filled(0).with(0, 0x80), filled(0).with(0, 0x40)];
    const items = [here, there].map((key) => ({ key, commit: filled(7) }));
    const [first, second] = items.map((item) => sha256(Uint8Array.of(2), item.key, item.commit)) as [
      Bytes,
      Bytes,
    ];
    expect(await rootOfPath(here, null, [first], { key: there, commit: filled(7) })).to.equal(null);
    expect(await rootOfPath(other, null, [second], { key: here, commit: filled(7) })).to.deep.equal(
      rootOf(items),
    );
  });

  it("a path that goes deeper than the map, or has parts of another length, proves nothing", async () => {
    expect(await rootOfPath(filled(1), filled(2), [EMPTY], null)).to.equal(null);
    expect(await rootOfPath(filled(1), null, [EMPTY], null)).to.equal(null);
    expect(await rootOfPath(filled(1), filled(2), Array<Bytes>(257).fill(filled(3)), null)).to.equal(null);
    expect(await rootOfPath(filled(1), filled(2), [new Uint8Array(31)], null)).to.equal(null);
    expect(await rootOfPath(new Uint8Array(31), filled(2), [], null)).to.equal(null);
    expect(await rootOfPath(filled(1), new Uint8Array(33), [], null)).to.equal(null);
    expect(await rootOfPath(filled(1), null, [], { key: filled(1), commit: filled(2) })).to.equal(null);
    expect(await rootOfPath(filled(1), null, [], null)).to.deep.equal(EMPTY);
  });
});

describe("shards and receipts", () => {
  it("a shard is a zone and a year in UTC", () => {
    expect(shardOf("ch", Date.UTC(2026, 11, 31, 23, 59, 59))).to.equal("ch/2026");
    expect(shardOf("ch", Date.UTC(2027, 0, 1))).to.equal("ch/2027");
    expect(parseShard("root/2026")).to.deep.equal({ zone: "root", year: 2026 });
    for (const text of ["ch/026", "CH/2026", "ch/2026/", "ch", "rot/2026", "ch/20266", 2026, null])
      expect(() => parseShard(text)).to.throw(PassportError);
  });

  const checkpoint = "log\n8\nAAAA\n\n— log AAAA\n";

  it("a receipt is read as it was written, with and without what is beside it", () => {
    for (const extra of [null, filled(1)]) {
      const proof = { index: 7, path: [filled(2), filled(3)], checkpoint, extra };
      expect(parseProof(formatProof(proof))).to.deep.equal(proof);
    }
    expect(formatProof({ index: 0, path: [], checkpoint, extra: null })).to.equal(
      `c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoint}`,
    );
  });

  it("no other text is a receipt", () => {
    const good = formatProof({ index: 7, path: [filled(2)], checkpoint, extra: null });
    for (const text of [
      good.replace("@v1", "@v2"),
      good.replace("index 7", "index 07"),
      good.replace("index 7", "7"),
      good.replace("index 7\n", ""),
      good.replace("AgIC", "AgI"),
      good.replaceAll("\n\n", "\n"),
    ])
      expect(() => parseProof(text), text).to.throw(PassportError);
  });
});
