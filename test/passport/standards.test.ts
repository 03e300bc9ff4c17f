/** What the standards below passports say of their own examples. */
import { bech32m } from "@scure/base";
import { expect } from "chai";
import { jcs } from "../../client-lib/passport/bytes.ts";
import { JsonError, parseStrictJson, readId } from "../../client-lib/passport/index.ts";

/** @see https://github.com/bitcoin/bips/blob/master/bip-0350.mediawiki#test-vectors-for-bech32m */
describe("bech32m", () => {
  const valid = [
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    `11${"l".repeat(82)}ludsr8`,
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
  ];
  for (const text of valid) {
    it(`takes ${text.slice(0, 40)}, which is no identifier of a passport`, () => {
      const read = bech32m.decode(text as `${string}1${string}`, 90);
      expect(bech32m.encode(read.prefix, read.words, 90)).to.equal(text.toLowerCase());
      expect(readId(text).kind).to.equal("broken");
    });
  }

  const invalid: readonly (readonly [text: string, why: string])[] = [
    ["\u00201xj0phk", "a space in the prefix"],
    ["\u007f1g6xzxy", "a control character in the prefix"],
    ["\u00801vctc34", "a letter beyond ASCII in the prefix"],
    [
      "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
      "too long",
    ],
    ["qyrz8wqd2c9m", "no separator"],
    ["1qyrz8wqd2c9m", "no prefix"],
    ["y1b0jsk6g", "a letter that is no data"],
    ["lt1igcx5c0", "a letter that is no data"],
    ["in1muywd", "a checksum that is too short"],
    ["mm1crxm3i", "a letter in the checksum that is no data"],
    ["au1s5cgom", "a letter in the checksum that is no data"],
    ["M1VUXWEZ", "a checksum of the prefix in upper case"],
    ["16plkw9", "no prefix"],
    ["1p2gdwpf", "no prefix"],
  ];
  for (const [text, why] of invalid) {
    it(`refuses ${JSON.stringify(text).slice(0, 40)}: ${why}`, () => {
      expect(bech32m.decodeUnsafe(text, 90)).to.equal(undefined);
      expect(readId(text).kind).to.equal("broken");
    });
  }

  /** Addresses of another system that are well formed, and some that are not: none must ever be read as a passport. */
  for (const text of [
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
    "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "bc1gmk9yu",
  ]) {
    it(`does not take ${text} for a passport`, () => {
      expect(readId(text).kind).to.equal("broken");
    });
  }
});

/** @see https://www.rfc-editor.org/rfc/rfc8785 */
describe("canonical JSON", () => {
  it("sorts and spells the example of section 3.2.2", () => {
    const text = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(jcs(JSON.parse(text))).to.equal(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("sorts names by UTF-16 units, as in section 3.2.3", () => {
    const text = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
      "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`;
    expect(Object.values(JSON.parse(jcs(JSON.parse(text))) as object)).to.include("Control");
    const names = [...jcs(JSON.parse(text)).matchAll(/"([^"]+)":"/g)].map(([, name]) => name);
    expect(names).to.deep.equal(["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"]);
  });

  /** Appendix B: bits of a double and its spelling. */
  const numbers: readonly (readonly [bits: string, text: string | null])[] = [
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["7fffffffffffffff", null],
    ["7ff0000000000000", null],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ];
  for (const [bits, text] of numbers) {
    it(`${text === null ? "has no number" : `spells ${text}`} for ${bits}`, () => {
      const number = Buffer.from(bits, "hex").readDoubleBE();
      if (text === null) expect(() => jcs(number)).to.throw();
      else expect(jcs(number)).to.equal(text);
    });
  }

  it("is never made of half a character", () => {
    for (const value of ["\ud800", { "\udc00": 1 }, ["a\ud83d"]]) expect(() => jcs(value)).to.throw();
  });
});

/** What other parsers let pass, and what I-JSON forbids. @see https://www.rfc-editor.org/rfc/rfc7493 */
describe("JSON as operations are written", () => {
  const traps: readonly (readonly [text: string, why: string])[] = [
    [String.raw`{"a":1,"\u0061":2}`, "one name in two spellings"],
    ['{"op":{"t":"data","t":"erase"}}', "a name that is repeated further in"],
    [String.raw`{"\ud800":1}`, "half a character in a name"],
    [String.raw`"\udc00\ud800"`, "halves in the wrong order"],
    ['{"__proto__":{"t":"erase"}}', "a name that changes what an object is"],
    [String.raw`{"__pr\u006fto__":{}}`, "the same name in another spelling"],
    ["\ufeff{}", "a byte order mark"],
    ["{} {}", "two values"],
    ["{}\u0000", "a zero byte at the end"],
    ["{}//", "a comment"],
    ["/**/{}", "a comment before"],
    ["{a:1}", "a name without quotes"],
    ["{'a':1}", "single quotes"],
    ['{"a":1,}', "a comma too many"],
    ['{"a" 1}', "no colon"],
    ["[1 2]", "no comma"],
    ["[,1]", "a comma too early"],
    ['["a', "an open string"],
    ["[", "an open list"],
    ['{"a":', "an open object"],
    ['"\t"', "a tab in a string"],
    ['"\u0000"', "a zero byte in a string"],
    [String.raw`"\a"`, "an escape that is none"],
    [String.raw`"\u00g0"`, "an escape with a letter that is no digit"],
    [String.raw`"\u12"`, "an escape that is too short"],
    ["\u000c1", "a form feed"],
    ["\u00a0[]", "a space that is none"],
    ["-", "a sign alone"],
    ["--1", "two signs"],
    ["0x10", "another base"],
    ["1_000", "digits in groups"],
    ["00", "two zeros"],
    ["-01", "a zero first"],
    [".5", "half a number"],
    ["1.", "a point"],
    ["1.0", "a fraction that is none"],
    ["1e0", "an exponent"],
    ["1E400", "more than a number"],
    ["-0", "a zero that is less than itself"],
    ["9007199254740993", "a number that no double is"],
    ["-9007199254740992", "a number at the edge"],
    ["123456789012345678901234567890", "a very long number"],
    ["Infinity", "no number"],
    ["-Infinity", "no number, either"],
    ["undefined", "no value"],
    ["True", "a word in another case"],
    ["truefalse", "two words"],
    ["\uff11", "a digit of another script"],
    ["[".repeat(100_000), "a nest without end"],
  ];
  for (const [text, why] of traps) {
    it(`refuses ${why}`, () => {
      expect(() => parseStrictJson(text)).to.throw(JsonError);
    });
  }

  it("says at which character", () => {
    try {
      parseStrictJson('{"a":1,"a":2}');
      expect.fail("read");
    } catch (error) {
      expect((error as JsonError).at).to.equal(10);
    }
  });
});
