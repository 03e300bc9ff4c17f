/** Tiles on disk: what is written, what is read back, and what a crash or a loss leaves. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import {
  decodeEntries,
  encodeEntries,
  leafHash,
  PassportError,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  readLeaves,
  rootOfTiles,
  tilePath,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from "../../../client-lib/registry/index.ts";
import { createTiles, TilesMissing } from "../../../server/registry/log/tiles.ts";
import { appendLeaves, EMPTY_TREE, rootOf } from "../../../server/registry/log/tree.ts";
import { entriesOf, naivePath, naiveProof, naiveRoot } from "./naive.ts";

const rootOfEntries = (entries: readonly Uint8Array[]) => rootOf(appendLeaves(EMPTY_TREE, entries));

async function collect(items: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function ruleOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  return error instanceof PassportError ? error.rule : String(error);
}

describe("tiles of a log", () => {
  const folders: string[] = [];
  const newFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), "freehold-tiles-"));
    folders.push(folder);
    return folder;
  };

  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  for (const [name, path] of [
    [[0, 0, 256], "tile/0/000"],
    [[0, 1_234_067, 256], "tile/0/x001/x234/067"],
    [[2, 5, 17], "tile/2/005.p/17"],
    [["entries", 999, 1], "tile/entries/999.p/1"],
    [["entries", 1_000, 256], "tile/entries/x001/000"],
    [[63, 0, 255], "tile/63/000.p/255"],
  ] as const) {
    it(`${path} is the one spelling of its tile`, () => {
      const [level, index, width] = name;
      expect(tilePath(level, index, width)).to.equal(path);
      expect(parseTilePath(path)).to.deep.equal({ level, index, width });
    });
  }

  it("no other spelling of a tile is understood", () => {
    for (const path of [
      "tile/00/000",
      "tile/64/000",
      "tile/-1/000",
      "tile/0/0",
      "tile/0/0000",
      "tile/0/x000/001",
      "tile/0/x001",
      "tile/0/001/x234",
      "tile/0/000.p/0",
      "tile/0/000.p/256",
      "tile/0/000.p/07",
      "tile/0/000.p/",
      "tile/0/../0/000",
      "tile/0/000/",
      "/tile/0/000",
      "tile/data/000",
      "tile/0/٠٠٠",
    ])
      expect(parseTilePath(path), path).to.equal(null);
  });

  it("a tree of 70,000 leaves has the tiles that the specification counts", () => {
    const widths = (level: number | "entries") =>
      [...Array(300).keys()].map((index) => tileWidth(level, index, 70_000)).filter((width) => width > 0);
    expect(widths(0).filter((width) => width === 256)).to.have.length(273);
    expect(widths(0).at(-1)).to.equal(112);
    expect(widths(1)).to.deep.equal([256, 17]);
    expect(widths(2)).to.deep.equal([1]);
    expect(widths(3)).to.deep.equal([]);
    expect([tileWidth(0, 0, 256), tileWidth(0, 1, 256), tileWidth(1, 0, 256)]).to.deep.equal([256, 0, 1]);
  });

  it("bundles of entries are read as they were written, and not when they end too early", () => {
    const entries = entriesOf(20);
    const bundle = encodeEntries(entries);
    expect(decodeEntries(bundle)).to.deep.equal(entries);
    for (const end of [1, bundle.length - 1])
      expect(() => decodeEntries(bundle.slice(0, end))).to.throw(PassportError);
    expect(() => encodeEntries([new Uint8Array(65_536)])).to.throw("65,535");
  });

  it("whatever pieces a log grows by, its files prove every leaf and every tree before it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.nat(),
        async (pieces, pick, pick2) => {
          const tiles = createTiles(newFolder());
          const entries = entriesOf(pieces.reduce((sum, count) => sum + count, 0));
          let size = 0;
          for (const count of pieces) {
            await tiles.append(size, entries.slice(size, size + count));
            size += count;
            expect(await rootOfTiles(tiles.fetch, size)).to.deep.equal(rootOfEntries(entries.slice(0, size)));
          }
          const index = pick % size;
          const path = await proveInclusion(tiles.fetch, index, size);
          expect(path).to.deep.equal(naivePath(index, entries));
          const root = naiveRoot(entries);
          const leaf = await leafHash(entries[index] ?? new Uint8Array());
          expect(await verifyInclusion({ index, size, leafHash: leaf, path, root })).to.equal(true);
          const size1 = 1 + (pick2 % size);
          const proof = await proveConsistency(tiles.fetch, size1, size);
          expect(proof).to.deep.equal(naiveProof(size1, entries));
          const root1 = naiveRoot(entries.slice(0, size1));
          expect(await verifyConsistency({ size1, size2: size, root1, root2: root, path: proof })).to.equal(
            true,
          );
          expect(await collect(readLeaves(tiles.fetch, index, size, size))).to.deep.equal(
            entries.slice(index),
          );
        },
      ),
      { seed: 20_265, numRuns: 25 },
    );
  });

  it("a tree of 70,000 leaves is proved from its upper tiles", async () => {
    const tiles = createTiles(newFolder());
    const entries = entriesOf(70_000);
    await tiles.bringTo(70_000, async (from, to) => entries.slice(from, to));
    const root = rootOfEntries(entries);
    expect(await rootOfTiles(tiles.fetch, 70_000)).to.deep.equal(root);
    for (const index of [0, 255, 256, 65_535, 65_536, 69_999]) {
      const path = await proveInclusion(tiles.fetch, index, 70_000);
      const leaf = await leafHash(entries[index] ?? new Uint8Array());
      expect(await verifyInclusion({ index, size: 70_000, leafHash: leaf, path, root })).to.equal(true);
    }
    for (const size1 of [1, 256, 65_536, 65_537, 69_999]) {
      const path = await proveConsistency(tiles.fetch, size1, 70_000);
      const root1 = rootOfEntries(entries.slice(0, size1));
      expect(await verifyConsistency({ size1, size2: 70_000, root1, root2: root, path })).to.equal(true);
    }
    expect(readdirSync(join(tiles.folder, "tile"))).to.deep.equal(["0", "1", "2", "entries"]);
  });

  it("of a tile that became full the parts are dropped, and given from it to who still asks", async () => {
    const tiles = createTiles(newFolder());
    const entries = entriesOf(300);
    await tiles.append(0, entries.slice(0, 200));
    const before = await Promise.all(["tile/0/000.p/200", "tile/entries/000.p/200"].map(tiles.fetch));
    await tiles.append(200, entries.slice(200));
    expect(existsSync(join(tiles.folder, "tile/0/000.p"))).to.equal(false);
    expect(await Promise.all(["tile/0/000.p/200", "tile/entries/000.p/200"].map(tiles.fetch))).to.deep.equal(
      before,
    );
    expect(await collect(readLeaves(tiles.fetch, 0, 200, 200))).to.deep.equal(entries.slice(0, 200));
    expect(await tiles.fetch("tile/0/001.p/45")).to.equal(null);
    expect(await tiles.fetch("tile/0/../../secret")).to.equal(null);
  });

  it("a log goes on after a restart, and the same epoch written twice is the same log", async () => {
    const folder = newFolder();
    const entries = entriesOf(600);
    await createTiles(folder).append(0, entries.slice(0, 300));
    const again = createTiles(folder);
    await again.append(300, entries.slice(300, 310));
    await again.append(300, entries.slice(300, 600));
    await createTiles(folder).append(300, entries.slice(300, 600));
    expect(await rootOfTiles(again.fetch, 600)).to.deep.equal(rootOfEntries(entries));
  });

  it("nothing is added to tiles that are not there; they are made again from the log's truth", async () => {
    const entries = entriesOf(700);
    const read = async (from: number, to: number) => entries.slice(from, to);
    const tiles = createTiles(newFolder());
    const error = await tiles.append(600, entries.slice(600)).catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(TilesMissing);
    await tiles.bringTo(700, read);
    expect(await rootOfTiles(tiles.fetch, 700)).to.deep.equal(rootOfEntries(entries));
    const reopened = createTiles(tiles.folder);
    await reopened.bringTo(700, () => expect.fail("everything is there"));
    rmSync(join(tiles.folder, "tile/entries/002.p"), { recursive: true });
    const reads: number[] = [];
    await createTiles(tiles.folder).bringTo(700, async (from, to) => {
      reads.push(from);
      return read(from, to);
    });
    expect(reads).to.deep.equal([512]);
    expect(await collect(readLeaves(tiles.fetch, 600, 700, 700))).to.deep.equal(entries.slice(600));
  });

  it("the end of a log that was damaged is not built upon", async () => {
    const tiles = createTiles(newFolder());
    const entries = entriesOf(20);
    await tiles.append(0, entries);
    for (const [name, place] of [
      ["tile/0/000.p/20", 40],
      ["tile/entries/000.p/20", 0],
      ["tile/entries/000.p/20", 5],
    ] as const) {
      const path = join(tiles.folder, name);
      const good = readFileSync(path);
      writeFileSync(path, good.with(place, 7));
      const error = await createTiles(tiles.folder)
        .append(20, entriesOf(1))
        .catch((cause: unknown) => cause);
      expect(error, name).to.be.instanceOf(TilesMissing);
      await createTiles(tiles.folder).bringTo(20, async (from, to) => entries.slice(from, to));
      expect(readFileSync(path)).to.deep.equal(good);
    }
  });

  it("readers are told of tiles that are missing, cut off or too short", async () => {
    const tiles = createTiles(newFolder());
    await tiles.append(0, entriesOf(300));
    const spoiled =
      (spoil: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | null) => async (path: string) => {
        const bytes = await tiles.fetch(path);
        return bytes && spoil(bytes);
      };
    for (const spoil of [
      () => null,
      (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, -1),
      () => new Uint8Array(),
    ]) {
      expect(await ruleOf(proveInclusion(spoiled(spoil), 299, 300))).to.equal("tile");
      expect(await ruleOf(collect(readLeaves(spoiled(spoil), 0, 300, 300)))).to.equal("tile");
    }
    expect(await ruleOf(proveInclusion(tiles.fetch, 300, 300))).to.contain("RangeError");
    expect(await ruleOf(collect(readLeaves(tiles.fetch, 0, 301, 300)))).to.contain("RangeError");
  });

  it("web servers of other users may read the files, and the checkpoint stands beside them", async () => {
    const tiles = createTiles(join(newFolder(), "zz/2026"));
    expect(await tiles.exists()).to.equal(false);
    await tiles.append(0, entriesOf(3));
    await tiles.writeCheckpoint("log\n3\n…\n");
    expect(await tiles.exists()).to.equal(true);
    expect(readFileSync(join(tiles.folder, "checkpoint"), "utf8")).to.equal("log\n3\n…\n");
    for (const path of ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"])
      expect(statSync(join(tiles.folder, path)).mode & 0o044, path).to.equal(0o044);
  });
});
