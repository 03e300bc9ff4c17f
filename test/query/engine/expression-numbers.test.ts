import { expect } from "chai";
import fc from "fast-check";
import * as decimal from "../../../server/query/engine/decimal.ts";
import * as moments from "../../../server/query/engine/moments.ts";

/** A fraction of whole numbers: the oracle, which knows nothing of digits. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}
const fractionOf = (text: string): Fraction => {
  const [whole = "", digits = ""] = text.replace("+", "").split(".");
  return { over: BigInt(`${whole}${digits}`), under: 10n ** BigInt(digits.length) };
};
const equal = (a: Fraction, b: Fraction): boolean => a.over * b.under === b.over * a.under;

const digits = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const numbers = fc
  .tuple(
    fc.oneof(
      digits,
      fc.bigInt({ min: -1_000n, max: 1_000n }),
      fc.constantFrom(0n, 9_007_199_254_740_991n, -9_007_199_254_740_992n),
    ),
    fc.nat(22),
  )
  .map(([units, scale]) => {
    const text = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
    return `${units < 0n ? "-" : ""}${scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`}`;
  });
const parse = (text: string): decimal.Decimal => decimal.parseDecimal(text)!;
const spell = (value: decimal.Decimal | null): string => decimal.spellDecimal(value!);

describe("exact decimals", () => {
  it("add, subtract and multiply as fractions do", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [x, y] = [fractionOf(a), fractionOf(b)];
        const under = x.under * y.under;
        const sum = { over: x.over * y.under + y.over * x.under, under };
        const difference = { over: x.over * y.under - y.over * x.under, under };
        expect(equal(fractionOf(spell(decimal.add(parse(a), parse(b)))), sum)).to.equal(true);
        expect(equal(fractionOf(spell(decimal.subtract(parse(a), parse(b)))), difference)).to.equal(true);
        expect(
          equal(fractionOf(spell(decimal.multiply(parse(a), parse(b)))), { over: x.over * y.over, under }),
        ).to.equal(true);
        const order = decimal.compareDecimals(parse(a), parse(b));
        expect(order).to.equal(difference.over < 0n ? -1 : difference.over > 0n ? 1 : 0);
      }),
      { numRuns: 1_000 },
    );
  });

  it("divide to within half of the twentieth digit", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [x, y] = [fractionOf(a), fractionOf(b)];
        const quotient = decimal.divide(parse(a), parse(b));
        if (y.over === 0n) {
          expect(quotient).to.equal(null);
          return;
        }
        const found = fractionOf(spell(quotient));
        // |found - x / y| <= 0.5e-20
        const over = found.over * x.under * y.over - found.under * x.over * y.under;
        const under = found.under * x.under * y.over;
        const size = (value: bigint): bigint => (value < 0n ? -value : value);
        expect(2n * size(over) * 10n ** 20n <= size(under)).to.equal(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are written in one way, and read back", () => {
    fc.assert(
      fc.property(numbers, (text) => {
        const spelled = spell(parse(text));
        expect(spelled).to.match(/^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/);
        expect(spelled).not.to.equal("-0");
        expect(equal(fractionOf(spelled), fractionOf(text))).to.equal(true);
        expect(decimal.toNumber(parse(text))).to.equal(Number(text) || 0);
      }),
    );
  });

  it("become whole as numbers do", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (units) => {
        const value = { units, scale: 2 };
        expect(Number(spell(decimal.toWhole(value, "floor")))).to.equal(Math.floor(units / 100));
        expect(Number(spell(decimal.toWhole(value, "ceiling")))).to.equal(Math.ceil(units / 100) || 0);
        expect(Number(spell(decimal.toWhole(value, "half")))).to.equal(Math.round(units / 100) || 0);
        expect(Number(spell(decimal.toWhole(value, "truncate")))).to.equal(Math.trunc(units / 100) || 0);
      }),
    );
  });

  it("refuse what would take for ever", () => {
    expect(decimal.parseDecimal("9".repeat(100_000))).to.equal(null);
    let value: decimal.Decimal | null = parse("9".repeat(1_000));
    for (let times = 0; times < 60 && value; times++) value = decimal.multiply(value, value);
    expect(value).to.equal(null);
  });

  it("are what a double says in the fewest digits", () => {
    fc.assert(
      fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (value) => {
        const found = decimal.decimalOf(value);
        expect(found === null || Number(spell(found)) === value).to.equal(true);
      }),
    );
  });
});

describe("moments", () => {
  it("are those of the calendar", () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date("0001-01-01T00:00:00Z"),
          max: new Date("9999-12-31T23:59:59Z"),
          noInvalidDate: true,
        }),
        (date) => {
          const found = moments.parseMoment(date.toISOString(), "dateTime")!;
          expect(moments.instantOf(found)).to.equal(date.getTime());
          const day = moments.calendarDay(moments.dayNumberOf(found.clock));
          expect(day).to.deep.equal({
            year: date.getUTCFullYear(),
            month: date.getUTCMonth() + 1,
            day: date.getUTCDate(),
          });
          expect(new Date(moments.momentLiteral(found, "dateTime").value).getTime()).to.equal(date.getTime());
        },
      ),
    );
  });

  it("days have one number each, in every era", () => {
    fc.assert(
      fc.property(fc.integer({ min: -4_000_000, max: 4_000_000 }), (days) => {
        const { year, month, day } = moments.calendarDay(days);
        expect(moments.daysOf(year, month, day)).to.equal(days);
      }),
    );
  });

  // biome-ignore format: a list
  for (const text of ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:01Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+15:00", "26-01-01T00:00:00Z", "02026-01-01T00:00:00Z", "2026-01-01", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00.Z"])
    it(`${text} is none`, () => expect(moments.parseMoment(text, "dateTime")).to.equal(null));

  const durations: readonly (readonly [
    text: string,
    months: number,
    milliseconds: number,
    spelled: string,
  ])[] = [
    ["P1Y2M3DT4H5M6.5S", 14, 273_906_500, "P1Y2M3DT4H5M6.5S"],
    ["-P1Y", -12, 0, "-P1Y"],
    ["PT0S", 0, 0, "PT0S"],
    ["PT36H", 0, 129_600_000, "P1DT12H"],
    ["-PT0.001S", 0, -1, "-PT0.001S"],
  ];
  for (const [text, months, milliseconds, spelled] of durations)
    it(`${text} is a duration`, () => {
      const found = moments.parseDuration(text)!;
      expect(found).to.deep.equal({ months, milliseconds });
      expect(moments.durationLiteral(found).value).to.equal(spelled);
    });
  for (const text of ["P", "PT", "1Y", "P1H", "P1.5Y", "PT1.S", "P-1Y"])
    it(`${text} is none`, () => expect(moments.parseDuration(text)).to.equal(null));
});
