import { expect } from "chai";
import { exampleBundle } from "../bench/registry-bundle.ts";
import {
  chanceOfDepth,
  chanceOfEmpty,
  emptySiblings,
  hashesPerEpoch,
  hitRateOfFeed,
  hitRateOfTtl,
  lastLeafPath,
  playCache,
  proofDepth,
  seeded,
} from "../bench/registry-model.ts";

/** Keys as texts of bits, long enough that no two are the same. */
function randomKeys(count: number, random: () => number): readonly string[] {
  const bits = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(2)
      .padStart(32, "0");
  return [...new Set(Array.from({ length: count }, () => bits() + bits()))].sort();
}

/** Depths of all leaves of a prefix tree, by cutting the sorted keys in two again and again. */
function depthsOf(keys: readonly string[], depth = 0): readonly number[] {
  if (keys.length <= 1) return keys.map(() => depth);
  const half = keys.findIndex((key) => key[depth] === "1");
  const at = half === -1 ? keys.length : half;
  return [...depthsOf(keys.slice(0, at), depth + 1), ...depthsOf(keys.slice(at), depth + 1)];
}

/** For each leaf of the same tree, from the root down: whether nothing is beside its path. */
function emptinessOf(
  keys: readonly string[],
  depth = 0,
  above: readonly boolean[] = [],
): readonly (readonly boolean[])[] {
  if (keys.length <= 1) return keys.map(() => above);
  const half = keys.findIndex((key) => key[depth] === "1");
  const at = half === -1 ? keys.length : half;
  const [left, right] = [keys.slice(0, at), keys.slice(at)];
  return [
    ...emptinessOf(left, depth + 1, [...above, right.length === 0]),
    ...emptinessOf(right, depth + 1, [...above, left.length === 0]),
  ];
}

describe("the arithmetic of a registry of any size", () => {
  const random = seeded(7);
  const keys = randomKeys(20_000, random);

  it("says how deep a map is as a map that is really built does", () => {
    const depths = depthsOf(keys);
    const mean = depths.reduce((sum, depth) => sum + depth, 0) / depths.length;
    expect(proofDepth(keys.length).mean).to.be.closeTo(mean, 0.05);
    for (const depth of [12, 14, 16, 20]) {
      const share = depths.filter((one) => one <= depth).length / depths.length;
      expect(chanceOfDepth(keys.length, depth), `depth ${depth}`).to.be.closeTo(share, 0.02);
    }
    expect(proofDepth(1)).to.deep.equal({ mean: 0, rare: 0 });
  });

  it("says how many siblings are empty as a map that is really built does", () => {
    const paths = emptinessOf(keys);
    const emptyIn = (path: readonly boolean[]): number => path.filter((isEmpty) => isEmpty).length;
    for (const depth of [13, 14, 15, 16, 18, 20]) {
      const some = paths.filter((path) => path.length === depth);
      const mean = some.reduce((sum, path) => sum + emptyIn(path), 0) / some.length;
      expect(emptySiblings(keys.length, depth), `depth ${depth} of ${some.length}`).to.be.closeTo(mean, 0.25);
      for (const sibling of [depth, depth - 1, depth - 3, 1]) {
        const share = some.filter((path) => path[sibling - 1]).length / some.length;
        const chance = chanceOfEmpty(keys.length, depth, sibling);
        expect(chance, `sibling ${sibling} at depth ${depth}`).to.be.closeTo(share, 0.1);
      }
    }
    // As many as there are depths at which a leaf can be, each with its chance: one in all.
    expect(paths.reduce((sum, path) => sum + emptyIn(path), 0) / paths.length).to.be.closeTo(1, 0.05);
  });

  it("counts the nodes that an epoch changes as a walk over the changed keys does", () => {
    for (const changes of [1, 10, 300]) {
      const counts = Array.from({ length: 20 }, () => {
        const some = Array.from({ length: changes }, () => keys[Math.floor(random() * keys.length)] ?? "");
        const deepest = Math.ceil(Math.log2(keys.length));
        const nodes = new Set(
          some.flatMap((key) => Array.from({ length: deepest }, (_, depth) => key.slice(0, depth))),
        );
        return nodes.size + changes;
      });
      const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      expect(hashesPerEpoch(keys.length, changes) / mean, `${changes} changes`).to.be.within(0.97, 1.03);
    }
  });

  it("counts the siblings of a log's last leaf as the tree of RFC 6962 has them", () => {
    /** PATH(n − 1, D[n]) of section 2.1.3.1 of RFC 9162: a sibling for each split on the way. */
    const pathOf = (leaves: number): number => {
      if (leaves <= 1) return 0;
      const left = 2 ** Math.floor(Math.log2(leaves - 1));
      return 1 + pathOf(leaves - left);
    };
    for (let leaves = 1; leaves <= 300; leaves += 1)
      expect(lastLeafPath(BigInt(leaves)), String(leaves)).to.equal(pathOf(leaves));
    expect(lastLeafPath(2n ** 34n)).to.equal(34);
  });

  it("says how often a cache has the answer as a cache that is played does", () => {
    const changes = 0.01;
    for (const [reads, ttlDays] of [
      [1, 1 / 24],
      [5, 1],
      [20, 5 / 1_440],
    ] as const) {
      const played = playCache({ reads, changes, ttlDays, times: 40_000 }, random);
      expect(hitRateOfTtl(reads, ttlDays)).to.be.closeTo(played, 0.01);
    }
    const followed = playCache({ reads: 1, changes, ttlDays: null, times: 40_000 }, random);
    expect(hitRateOfFeed(1, changes)).to.be.closeTo(followed, 0.005);
  });

  it("keeps a bundle within 6,500 bytes at 2^33 passports and 2^34 leaves", async () => {
    const size = { rotations: 1, logPath: 34, leaves: 2n ** 34n, keys: 2 ** 33, witnesses: 3 };
    const { mean, rare } = proofDepth(2 ** 33);
    const of = (mapPath: number) => ({ mapPath, emptySiblings: emptySiblings(size.keys, mapPath) });
    const usual = await exampleBundle({ ...size, ...of(Math.ceil(mean)) });
    expect(usual.size.total).to.be.within(5_500, 6_500);
    const bare = await exampleBundle({ ...size, ...of(0), logPath: 0 });
    const hashes = Math.ceil(mean) + 34 - Math.floor(of(Math.ceil(mean)).emptySiblings);
    expect(usual.size.total - bare.size.total, `${hashes} hashes`).to.be.closeTo(46 * hashes, 16);
    const deep = await exampleBundle({ ...size, ...of(rare) });
    expect(deep.size.total, "all but one in a thousand").to.be.at.most(6_500);
  });
});
