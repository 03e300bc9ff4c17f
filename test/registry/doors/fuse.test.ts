/** Filters of many sizes: never a wrong no, hardly a wrong yes. */
import { createHash } from "node:crypto";
import { expect } from "chai";
import {
  encodeFilter,
  mayHaveChanged,
  PassportError,
  parseFilter,
} from "../../../client-lib/registry/index.ts";
import { makeFilter } from "../../../server/registry/doors/fuse.ts";

const keyOf = (name: string): Uint8Array => new Uint8Array(createHash("sha256").update(name).digest());
const keysOf = (count: number, seed: string): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, at) => keyOf(`${seed} ${at}`));

describe("the filter of a day", () => {
  for (const count of [0, 1, 2, 3, 4, 7, 100, 1_000, 30_000]) {
    it(`of ${count} keys says yes to each of them, and to about one stranger in 256`, async () => {
      const keys = keysOf(count, "in");
      const made = await makeFilter(keys, 5, 9);
      const filter = parseFilter(encodeFilter(made));
      expect(filter).to.deep.include({ count, from: 5, to: 9, seed: made.seed });
      for (const key of keys) expect(await mayHaveChanged(filter, key)).to.equal(true);
      const strangers = keysOf(4_096, "out");
      let wrong = 0;
      for (const key of strangers) if (await mayHaveChanged(filter, key)) wrong += 1;
      expect(wrong).to.be.at.most(count === 0 ? 0 : 64); // 16 are expected; 64 is beyond chance, and the keys are fixed.
    });
  }

  it("takes little more than a byte for a key", async () => {
    const { bytes } = await makeFilter(keysOf(30_000, "in"), 0, 0);
    expect(bytes.length / 30_000).to.be.lessThan(1.35);
  });

  it("is refused when anything of its form is wrong", async () => {
    const file = encodeFilter(await makeFilter(keysOf(100, "in"), 1, 2));
    const changed = (at: number, byte: number): Uint8Array => {
      const copy = file.slice();
      copy[at] = byte;
      return copy;
    };
    const broken = [
      file.slice(0, 39),
      file.slice(0, -1),
      changed(0, 0),
      changed(19, 3),
      changed(16, 255),
      changed(31, 99),
    ];
    for (const bytes of broken) expect(() => parseFilter(bytes)).to.throw(PassportError);
  });
});
