import { cardNumbersIn, ibansIn, isGtin, isIban, passesLuhn } from "@freehold/shapes";
import { expect } from "chai";
import fc from "fast-check";

describe("numbers that carry their own proof", () => {
  const gtins: readonly [string, boolean][] = [
    ["4006381333931", true],
    ["96385074", true],
    ["036000291452", true],
    ["00036000291452", true],
    ["4006381333932", false],
    ["400638133393", false],
    ["", false],
    ["4006381333931 ", false],
    ["４００６３８１３３３９３１", false],
  ];
  for (const [text, good] of gtins)
    it(`${JSON.stringify(text)} is ${good ? "" : "no "}product number`, () =>
      expect(isGtin(text)).to.equal(good));

  const ibans: readonly [string, boolean][] = [
    ["CH93 0076 2011 6238 5295 7", true],
    ["DE89370400440532013000", true],
    ["GB82 WEST 1234 5698 7654 32", true],
    ["CH93 0076 2011 6238 5295 8", false],
    ["CH9300762011623852957X", false],
    ["ch9300762011623852957", false],
    ["", false],
  ];
  for (const [text, good] of ibans)
    it(`${JSON.stringify(text)} is ${good ? "an" : "no"} account number`, () =>
      expect(isIban(text)).to.equal(good));

  it("one wrong digit is always noticed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 20 }), fc.integer({ min: 1, max: 9 }), (place, by) => {
        const right = "CH9300762011623852957";
        const digit = (Number(right[place]) + by) % 10;
        expect(isIban(`${right.slice(0, place)}${digit}${right.slice(place + 1)}`)).to.equal(false);
      }),
    );
  });

  const cards: readonly [why: string, text: string, count: number][] = [
    ["in one piece", "Visa 4111111111111111 exp 12/28", 1],
    ["in fours", "4111 1111 1111 1111", 1],
    ["in fours with hyphens", "card:5500-0000-0000-0004.", 1],
    ["4-6-5", "3782 822463 10005", 1],
    ["two of them", "4111111111111111, 5500000000000004", 2],
    ["an order number in 3-7-7 is none", "303-1234567-1234567 and 404-4444444-4444444", 0],
    ["a wrong last digit is none", "4111111111111112", 0],
    ["a phone number is none", "+41 44 555 01 42", 0],
    ["a payment reference of 27 digits is none", "21 00000 00003 13947 14300 09017", 0],
    ["an account number is none", "CH93 0076 2011 6238 5295 7", 0],
    ["stars are none", "**** **** **** 1111", 0],
    ["a product number from 978 is none", "9783161484100", 0],
  ];
  for (const [why, text, count] of cards)
    it(`cards: ${why}`, () => expect(cardNumbersIn(text)).to.have.length(count));

  it("finds an account number inside a sentence, and only that", () => {
    expect(ibansIn("Refund to CH93 0076 2011 6238 5295 7 RENT MARCH")).to.deep.equal([
      "CH93 0076 2011 6238 5295 7",
    ]);
    expect(ibansIn("Invoice AB12 3456 7890 1234 5678, XCH9300762011623852957")).to.deep.equal([]);
  });

  it("finds every card number that can be made", () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 17 });
    fc.assert(
      fc.property(digits, fc.integer({ min: 2, max: 6 }), (rest, first) => {
        const body = `${first}${rest.join("")}`;
        const last = "0123456789".split("").find((digit) => passesLuhn(body + digit));
        expect(cardNumbersIn(`paid ${body}${last} today`)).to.deep.equal([`${body}${last}`]);
      }),
    );
  });

  it("takes a megabyte of digits and spaces in its stride", () => {
    const started = performance.now();
    cardNumbersIn("1 ".repeat(500_000));
    ibansIn("AB12 ".repeat(200_000));
    expect(performance.now() - started).to.be.below(1_000);
  });
});
