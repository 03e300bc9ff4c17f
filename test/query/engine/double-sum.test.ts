import { expect } from "chai";
import fc from "fast-check";
import { DoubleSum } from "../../../server/query/engine/double-sum.ts";

function sumOf(values: readonly number[]): number {
  const sum = new DoubleSum();
  for (const value of values) sum.add(value);
  return sum.total();
}

describe("sums of doubles", () => {
  it("are the same in any order", () => {
    const values = fc.array(fc.oneof(fc.double(), fc.constantFrom(1e308, -1e308, 1e16, 1, -1e16, 0.1)), {
      minLength: 1,
      maxLength: 30,
    });
    const both = values.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(both, ([values, shuffled]) => {
        expect(sumOf(shuffled)).to.deep.equal(sumOf(values));
      }),
      { numRuns: 2_000 },
    );
  });
  it("are exact, rounded once", () => {
    expect(sumOf([1e16, 1, -1e16])).to.equal(1);
    expect(sumOf(Array.from({ length: 10 }, () => 0.1))).to.equal(1);
    expect(sumOf([1e308, 1e308, -1e308])).to.equal(1e308);
    expect(sumOf([1, 2 ** -53, 2 ** -106])).to.equal(1 + 2 ** -52);
  });
  it("know what is no number, and what is below zero", () => {
    expect(sumOf([1, Number.POSITIVE_INFINITY])).to.equal(Number.POSITIVE_INFINITY);
    expect(sumOf([Number.NEGATIVE_INFINITY, 1, Number.POSITIVE_INFINITY])).to.deep.equal(Number.NaN);
    expect(Object.is(sumOf([-0, -0]), -0)).to.equal(true);
    expect(Object.is(sumOf([-0, 0]), 0)).to.equal(true);
  });
});
