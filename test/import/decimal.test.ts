import { expect } from "chai";
import fc from "fast-check";
import {
  add,
  formatDecimal,
  multiply,
  parseDecimal,
  parseLocalDecimal,
  shift,
} from "../../server/import/decimal.ts";

const decimals = fc.record({
  units: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  scale: fc.integer({ min: 0, max: 8 }),
});
const same = (a: { units: bigint; scale: number } | null, b: { units: bigint; scale: number }): boolean =>
  a !== null && a.units * 10n ** BigInt(b.scale) === b.units * 10n ** BigInt(a.scale);

describe("exact decimal numbers", () => {
  it("what is written is read back as the same number", () => {
    fc.assert(fc.property(decimals, (number) => same(parseDecimal(formatDecimal(number)), number)));
  });

  it("adding, multiplying and shifting are exact", () => {
    expect(formatDecimal(add({ units: 1n, scale: 1 }, { units: 2n, scale: 1 }))).to.equal("0.3");
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const minusB = { units: -b.units, scale: b.scale };
        return same(add(add(a, b), minusB), a) && same(multiply(a, b), multiply(b, a));
      }),
    );
    fc.assert(
      fc.property(decimals, fc.integer({ min: -12, max: 12 }), (number, power) =>
        same(shift(shift(number, power), -power), number),
      ),
    );
  });

  it("reads what people write in London, Berlin and Zürich alike", () => {
    const cents = fc.integer({ min: 0, max: 999_999_999 });
    fc.assert(
      fc.property(cents, (amount) => {
        const number = { units: BigInt(amount), scale: 2 };
        return ["en-GB", "de-DE", "de-CH"].every((locale) => {
          const written = new Intl.NumberFormat(locale, { minimumFractionDigits: 2 }).format(amount / 100);
          return same(parseLocalDecimal(written), number);
        });
      }),
    );
  });

  it("is nothing for what is no number", () => {
    for (const text of [
      "",
      "-",
      ".",
      "1.2.3,4,5",
      "0x10",
      "1e5",
      "NaN",
      "Infinity",
      "１２",
      "twelve",
      "9".repeat(31),
    ]) {
      expect(parseDecimal(text), text).to.equal(null);
    }
    for (const text of ["", "-", "CHF", "12 or 13", "=1+1"])
      expect(parseLocalDecimal(text), text).to.equal(null);
  });
});
