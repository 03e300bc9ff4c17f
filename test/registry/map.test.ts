/** The prefix map in blocks against the map as the definition has it: one recursive function over all keys. */
import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import {
  EMPTY_HASH,
  type MapChange,
  type MapState,
  proveKey,
  readMap,
  type StoredBlock,
  updateMap,
} from "../../server/registry/map/map.ts";

const SEED = 20_261_122;
const KEY_BYTES = 32;

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash("sha256").update(Buffer.concat(parts)).digest();
const bit = (key: Uint8Array, depth: number): number => ((key[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1;
const leafOf = (key: Uint8Array, commit: Uint8Array): Buffer => sha256(Buffer.of(2), key, commit);

type Entries = readonly (readonly [key: Buffer, commit: Buffer])[];

/** leaf H(2‖key‖commit), parent H(3‖left‖right), nothing 32 zeros, one key alone its leaf. */
function naiveRoot(entries: Entries, depth = 0): Buffer {
  if (entries.length === 0) return Buffer.alloc(32);
  if (entries.length === 1) return leafOf(...(entries[0] as [Buffer, Buffer]));
  const side = (which: number): Buffer =>
    naiveRoot(
      entries.filter(([key]) => bit(key, depth) === which),
      depth + 1,
    );
  return sha256(Buffer.of(3), side(0), side(1));
}

function naivePath(entries: Entries, key: Buffer, depth = 0): readonly string[] {
  if (entries.length < 2) return [];
  const own = entries.filter(([other]) => bit(other, depth) === bit(key, depth));
  const others = entries.filter(([other]) => bit(other, depth) !== bit(key, depth));
  const sibling = others.length === 0 ? "" : naiveRoot(others, depth + 1).toString("base64url");
  return [sibling, ...naivePath(own, key, depth + 1)];
}

/** What a verifier does: from the end of the path up to the root. */
function fold(key: Buffer, end: Buffer, path: readonly string[]): string {
  let node = end;
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const written = path[depth] ?? "";
    const sibling = written === "" ? Buffer.alloc(32) : Buffer.from(written, "base64url");
    node = bit(key, depth) === 1 ? sha256(Buffer.of(3), sibling, node) : sha256(Buffer.of(3), node, sibling);
  }
  return node.toString("base64url");
}

/** Blocks as a store would keep them. */
function createBlocks() {
  const blocks = new Map<string, StoredBlock>();
  return {
    blocks,
    reads: 0,
    async read(prefix: string): Promise<StoredBlock | null> {
      this.reads += 1;
      return blocks.get(prefix) ?? null;
    },
    update(changes: readonly MapChange[]): Promise<MapState> {
      return updateMap(
        (prefix) => this.read(prefix),
        (prefix, value) => void (value ? blocks.set(prefix, { value }) : blocks.delete(prefix)),
        changes,
      );
    },
    prove(key: Buffer) {
      return proveKey((prefix) => this.read(prefix), key);
    },
  };
}

const sortedOf = (model: ReadonlyMap<string, Buffer>): Entries =>
  [...model].map(([key, commit]) => [Buffer.from(key, "hex"), commit] as const);

/** Checks that key's answer is the naive one, and that it folds to the root. */
async function expectProof(
  blocks: ReturnType<typeof createBlocks>,
  model: ReadonlyMap<string, Buffer>,
  key: Buffer,
  root: string,
): Promise<void> {
  const entries = sortedOf(model);
  const proof = await blocks.prove(key);
  const commit = model.get(key.toString("hex")) ?? null;
  expect(proof.path).to.deep.equal(naivePath(entries, key));
  expect(proof.commit).to.equal(commit?.toString("base64url") ?? null);
  if (commit) {
    expect(proof.end).to.equal(null);
    expect(fold(key, leafOf(key, commit), proof.path)).to.equal(root);
    return;
  }
  const { end } = proof;
  if (!end) {
    expect(fold(key, Buffer.alloc(32), proof.path)).to.equal(root);
    return;
  }
  const other = Buffer.from(end.key, "base64url");
  expect(other.equals(key), "the end is another key").to.equal(false);
  // It proves nothing unless the other key's path is the same as far as it goes.
  for (let depth = 0; depth < proof.path.length; depth += 1)
    expect(bit(other, depth)).to.equal(bit(key, depth));
  expect(fold(key, leafOf(other, Buffer.from(end.commit, "base64url")), proof.path)).to.equal(root);
}

/** Every block is below a branch that names it, is as small as it must be, and none is left over. */
function expectSound(blocks: ReadonlyMap<string, StoredBlock>): void {
  for (const [prefix, { value }] of blocks) {
    if (value[0] === 0) expect((value.length - 1) / 64, "keys in a bucket").to.be.within(1, 32);
    if (prefix === "") continue;
    const parent = blocks.get(prefix.slice(0, -1))?.value;
    expect(parent?.[0], `the block above ${prefix}`).to.equal(1);
    const at = 1 + Number.parseInt(prefix.slice(-1), 16) * 38;
    const named = Buffer.from(parent ?? []).readUIntBE(at, 6);
    expect(named, "keys that the block above counts").to.be.greaterThan(0);
    if (value[0] === 0) expect(named).to.equal((value.length - 1) / 64);
  }
}

const random = (seed: string): Buffer => createHash("sha256").update(seed).digest();

describe("the prefix map", () => {
  it("is 32 zero bytes without keys, and a key's leaf with one", async () => {
    const blocks = createBlocks();
    expect(await readMap((prefix) => blocks.read(prefix))).to.deep.equal({ root: EMPTY_HASH, count: 0 });
    const [key, commit] = [random("key"), random("commit")];
    const state = await blocks.update([{ key, commit }]);
    expect(state).to.deep.equal({ root: leafOf(key, commit).toString("base64url"), count: 1 });
    expect(await blocks.prove(key)).to.deep.equal({
      path: [],
      commit: commit.toString("base64url"),
      end: null,
    });
    expect(await blocks.prove(random("other"))).to.deep.equal({
      path: [],
      commit: null,
      end: { key: key.toString("base64url"), commit: commit.toString("base64url") },
    });
    expect(await blocks.update([{ key, commit: null }])).to.deep.equal({ root: EMPTY_HASH, count: 0 });
    expect(blocks.blocks.size, "blocks of an empty map").to.equal(0);
  });

  it("keeps two keys apart that differ in their last bit only, 256 levels down", async () => {
    const blocks = createBlocks();
    const left = Buffer.alloc(KEY_BYTES, 0xaa);
    const right = Buffer.from(left);
    right[31] = 0xab;
    const model = new Map([left, right].map((key) => [key.toString("hex"), random(key.toString("hex"))]));
    const { root } = await blocks.update(sortedOf(model).map(([key, commit]) => ({ key, commit })));
    expect(root).to.equal(naiveRoot(sortedOf(model)).toString("base64url"));
    for (const key of [left, right]) {
      expect((await blocks.prove(key)).path).to.have.length(256);
      await expectProof(blocks, model, key, root);
    }
  });

  it("splits blocks down to the last level, where all keys but their ends are alike, and joins them again", async () => {
    const blocks = createBlocks();
    const model = new Map<string, Buffer>();
    for (let end = 0; end < 256; end += 1) {
      const key = Buffer.alloc(KEY_BYTES, 7);
      key[31] = end;
      model.set(key.toString("hex"), random(String(end)));
    }
    const changes = sortedOf(model).map(([key, commit]) => ({ key, commit }));
    const { root, count } = await blocks.update(changes);
    expect(count).to.equal(256);
    expect(root).to.equal(naiveRoot(sortedOf(model)).toString("base64url"));
    expectSound(blocks.blocks);
    expect([...blocks.blocks.keys()].some((prefix) => prefix.length === 63)).to.equal(true);
    const last = changes.slice(-1);
    const { root: single } = await blocks.update(
      changes.slice(0, -1).map(({ key }) => ({ key, commit: null })),
    );
    expect(single).to.equal(
      leafOf(last[0]?.key ?? random(""), last[0]?.commit ?? random("")).toString("base64url"),
    );
    expect([...blocks.blocks.keys()]).to.deep.equal([""]);
  });

  it("of two changes to one key in one batch takes the later", async () => {
    const blocks = createBlocks();
    const key = random("key");
    const { root } = await blocks.update([
      { key, commit: random("1") },
      { key, commit: random("2") },
    ]);
    expect(root).to.equal(leafOf(key, random("2")).toString("base64url"));
  });

  it("removes nothing for a key that is not there, and writes nothing back for it", async () => {
    const blocks = createBlocks();
    const changes = Array.from({ length: 200 }, (_, index) => ({
      key: random(`k${index}`),
      commit: random("c"),
    }));
    const before = await blocks.update(changes);
    expect(await blocks.update([{ key: random("never"), commit: null }])).to.deep.equal(before);
    expect(await blocks.update([])).to.deep.equal(before);
  });

  it("has the root, the paths and the ends of the naive tree after every batch of inserts, replacements and removals", async function () {
    this.timeout(60_000);
    // Few values for the first bytes, so that blocks fill, split, empty and join.
    const keys = fc
      .tuple(
        fc.constantFrom(0, 1, 0x10, 0x80, 0xff),
        fc.constantFrom(0, 1, 0xf0),
        fc.nat({ max: 255 }),
        fc.nat({ max: 3 }),
      )
      .map(([first, second, third, rest]) => {
        const key = Buffer.alloc(KEY_BYTES, rest);
        key.set([first, second, third]);
        return key;
      });
    const change = fc.record({
      key: keys,
      commit: fc.oneof({ weight: 3, arbitrary: fc.nat() }, { weight: 2, arbitrary: fc.constant(null) }),
    });
    const batches = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.array(change, { maxLength: 120 }) },
        { weight: 1, arbitrary: fc.constantFrom("all but a few", "every second") },
      ),
      { minLength: 1, maxLength: 8 },
    );
    const removals = (model: ReadonlyMap<string, Buffer>, which: string) =>
      sortedOf(model)
        .filter((_, index) => (which === "every second" ? index % 2 === 0 : index % 40 !== 0))
        .map(([key]) => ({ key, commit: null }));
    await fc.assert(
      fc.asyncProperty(batches, fc.array(keys, { minLength: 5, maxLength: 5 }), async (all, others) => {
        const blocks = createBlocks();
        const model = new Map<string, Buffer>();
        for (const one of all) {
          const batch = typeof one === "string" ? removals(model, one) : one;
          const state = await blocks.update(
            batch.map(({ key, commit }) => ({
              key,
              commit: commit === null ? null : random(String(commit)),
            })),
          );
          for (const { key, commit } of batch) {
            if (commit === null) model.delete(key.toString("hex"));
            else model.set(key.toString("hex"), random(String(commit)));
          }
          expect(state).to.deep.equal({
            root: naiveRoot(sortedOf(model)).toString("base64url"),
            count: model.size,
          });
          expect(await readMap((prefix) => blocks.read(prefix))).to.deep.equal(state);
          expectSound(blocks.blocks);
          const some = [
            ...others,
            ...sortedOf(model)
              .map(([key]) => key)
              .slice(0, 5),
            ...batch.map(({ key }) => key).slice(-5),
          ];
          for (const key of some) await expectProof(blocks, model, key, state.root);
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it("comes to the same root whatever the order and however the changes are batched", async () => {
    const changes = Array.from({ length: 500 }, (_, index) => ({
      key: random(`k${index}`),
      commit: random(`c${index}`),
    }));
    const atOnce = await createBlocks().update(changes);
    const oneByOne = createBlocks();
    let state: MapState | null = null;
    for (const one of changes.toReversed()) state = await oneByOne.update([one]);
    expect(state).to.deep.equal(atOnce);
  });

  it("reads as many blocks for a key as the key has levels of four bits, no more", async () => {
    const blocks = createBlocks();
    const changes = Array.from({ length: 5_000 }, (_, index) => ({
      key: random(`k${index}`),
      commit: random("c"),
    }));
    await blocks.update(changes);
    const deepest = Math.max(...[...blocks.blocks.keys()].map((prefix) => prefix.length));
    blocks.reads = 0;
    await blocks.prove(random("k77"));
    expect(blocks.reads).to.be.within(2, deepest + 1);
  });

  it("refuses keys and commitments that are not 32 bytes", async () => {
    for (const wrong of [
      { key: Buffer.alloc(31), commit: random("c") },
      { key: random("k"), commit: Buffer.alloc(33) },
    ]) {
      const error = await createBlocks()
        .update([wrong])
        .then(
          () => null,
          (cause: unknown) => cause,
        );
      expect(error).to.be.instanceOf(Error);
    }
  });
});
