/** Proofs of trees: against vectors of others, against the specification word for word, and against whoever changes one byte. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import {
  decodeBase64,
  EMPTY_ROOT,
  leafHash,
  verifyConsistency,
  verifyInclusion,
} from "../../../client-lib/registry/index.ts";
import { appendLeaves, EMPTY_TREE, rootOf } from "../../../server/registry/log/tree.ts";
import { skip } from "../../support/skip.ts";
import { entriesOf, naiveLeaf, naivePath, naiveProof, naiveRoot } from "./naive.ts";

const FOLDER = join(
  process.env["FREEHOLD_VECTORS"] ?? resolve(import.meta.dirname, "../../../../shared/vectors"),
  "merkle",
);

interface Vector {
  readonly wantErr: boolean;
  readonly desc: string;
  readonly proof: readonly string[] | null;
  readonly root?: string;
  readonly leafHash?: string;
  readonly leafIdx?: number;
  readonly treeSize?: number;
  readonly size1?: number;
  readonly size2?: number;
  readonly root1?: string;
  readonly root2?: string;
}

const bytes = (text: string | undefined) => decodeBase64(text ?? "") ?? new Uint8Array();

function judge(vector: Vector): Promise<boolean> {
  const path = (vector.proof ?? []).map(bytes);
  const { leafIdx, size1 = -1, size2 = -1 } = vector;
  return leafIdx === undefined
    ? verifyConsistency({ size1, size2, root1: bytes(vector.root1), root2: bytes(vector.root2), path })
    : verifyInclusion({
        index: leafIdx,
        size: vector.treeSize ?? -1,
        leafHash: bytes(vector.leafHash),
        root: bytes(vector.root),
        path,
      });
}

describe("proofs of Merkle trees", () => {
  for (const kind of ["inclusion", "consistency"]) {
    it(`agree with every vector of transparency-dev/merkle on ${kind}`, async function () {
      if (!existsSync(FOLDER))
        skip(this, "the vectors are not on this machine: name their folder in FREEHOLD_VECTORS");
      const files = globSync(`${kind}/**/*.json`, { cwd: FOLDER });
      expect(files.length).to.equal(98);
      const wrong: string[] = [];
      for (const file of files) {
        const vector = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Vector;
        if ((await judge(vector)) === vector.wantErr) wrong.push(`${file}: ${vector.desc}`);
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it("of any leaf in any tree hold as the specification makes them, and for no other leaf, index, size or root", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 90 }), fc.nat(), fc.nat(), async (size, pick, spoil) => {
        const entries = entriesOf(size);
        const index = pick % size;
        const proof = {
          index,
          size,
          leafHash: naiveLeaf(entries[index] ?? new Uint8Array()),
          path: naivePath(index, entries),
          root: naiveRoot(entries),
        };
        expect(await verifyInclusion(proof)).to.equal(true);
        expect(await leafHash(entries[index] ?? new Uint8Array())).to.deep.equal(proof.leafHash);
        const other = (hash: Uint8Array) => {
          const changed = new Uint8Array(hash);
          changed[spoil % 32] = (changed[spoil % 32] ?? 0) ^ (1 << (spoil % 8));
          return changed;
        };
        const wrong = [
          { ...proof, leafHash: other(proof.leafHash) },
          { ...proof, root: other(proof.root) },
          { ...proof, index: size },
          { ...proof, index: -1 },
          { ...proof, index: index + 0.5 },
          { ...proof, path: [...proof.path, proof.root] },
          { ...proof, path: [proof.root, ...proof.path] },
          ...(size > 1
            ? [
                { ...proof, index: (index + 1) % size },
                { ...proof, path: proof.path.slice(1) },
              ]
            : []),
          ...proof.path.map((hash, at) => ({ ...proof, path: proof.path.with(at, other(hash)) })),
          ...proof.path.map((hash, at) => ({ ...proof, path: proof.path.with(at, hash.slice(1)) })),
        ];
        for (const one of wrong) expect(await verifyInclusion(one)).to.equal(false);
      }),
      { seed: 20_261, numRuns: 60 },
    );
  });

  it("of consistency hold as the specification makes them, and not when a hash, a size or a root is another", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 90 }), fc.nat(), async (size2, pick) => {
        const entries = entriesOf(size2);
        const size1 = 1 + (pick % size2);
        const [root1, root2] = [naiveRoot(entries.slice(0, size1)), naiveRoot(entries)];
        const proof = { size1, size2, root1, root2, path: naiveProof(size1, entries) };
        expect(await verifyConsistency(proof)).to.equal(true);
        const spoiled = new Uint8Array(root1).with(pick % 32, (root1[pick % 32] ?? 0) ^ 1);
        const wrong = [
          { ...proof, root1: spoiled },
          { ...proof, root2: spoiled },
          { ...proof, size1: 0 },
          { ...proof, size1: size2 + 1 },
          { ...proof, path: [...proof.path, root1] },
          ...proof.path.map((_, at) => ({ ...proof, path: proof.path.with(at, spoiled) })),
          ...proof.path.map((_, at) => ({ ...proof, path: proof.path.toSpliced(at, 1) })),
          ...(size1 < size2
            ? [
                { ...proof, root1: root2, root2: root1 },
                { ...proof, path: [] },
              ]
            : []),
        ];
        for (const one of wrong) expect(await verifyConsistency(one)).to.equal(false);
      }),
      { seed: 20_262, numRuns: 60 },
    );
  });

  it("a tree that grows by pieces has the root of the specification, and its own last leaf's path", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }), async (pieces) => {
        const entries = entriesOf(pieces.reduce((sum, count) => sum + count, 0));
        let tree = { ...EMPTY_TREE, pathOfLast: [] as readonly Uint8Array[] };
        for (const count of pieces)
          tree = { ...appendLeaves(tree, entries.slice(tree.size, tree.size + count)) };
        expect(tree.size).to.equal(entries.length);
        expect(rootOf(tree)).to.deep.equal(naiveRoot(entries));
        expect(tree.frontier.length).to.equal(entries.length.toString(2).replaceAll("0", "").length);
        if (entries.length > 0) expect(tree.pathOfLast).to.deep.equal(naivePath(entries.length - 1, entries));
      }),
      { seed: 20_263, numRuns: 60 },
    );
  });

  it("trees of up to eight leaves have the roots that all Certificate Transparency code is tested with", () => {
    const inputs = [
      "",
      "00",
      "10",
      "2021",
      "3031",
      "40414243",
      "5051525354555657",
      "606162636465666768696a6b6c6d6e6f",
    ];
    const roots = [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    const entries = inputs.map((text) => Buffer.from(text, "hex"));
    for (const [index, root] of roots.entries()) {
      const some = entries.slice(0, index + 1);
      expect(Buffer.from(rootOf(appendLeaves(EMPTY_TREE, some))).toString("hex")).to.equal(root);
      expect(Buffer.from(naiveRoot(some)).toString("hex")).to.equal(root);
    }
  });

  it("the empty tree has the hash of nothing as its root", () => {
    expect(rootOf(EMPTY_TREE)).to.deep.equal(EMPTY_ROOT);
    expect(naiveRoot([])).to.deep.equal(EMPTY_ROOT);
  });
});
