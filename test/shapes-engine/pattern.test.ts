import { expect } from "chai";
import fc from "fast-check";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import { compilePattern } from "../../server/shapes/pattern.ts";

const test = (pattern: string, text: string, flags = "") =>
  compilePattern(pattern, flags, LIMITS)(text, () => undefined);

describe("patterns: what matches", () => {
  const cases: readonly [pattern: string, flags: string, yes: string[], no: string[]][] = [
    ["^[A-Z]{3}$", "", ["EUR"], ["EURO", "eur", "EU", ""]],
    ["b", "", ["abc"], ["aBc", ""]],
    ["b", "i", ["aBc"], ["ac"]],
    ["^a|b$", "", ["ax", "xb"], ["xa", "bx"]],
    ["^(ab)*$", "", ["", "ab", "abab"], ["aba"]],
    ["^(?:ab)+?$", "", ["ab"], [""]],
    ["^a{2,3}$", "", ["aa", "aaa"], ["a", "aaaa"]],
    ["^a{2,}$", "", ["aa", "aaaaaa"], ["a"]],
    ["^(a{2}|b){2}$", "", ["aaaa", "baa", "bb"], ["a", "aab2"]],
    ["^\\d{4}-\\d{2}$", "", ["2026-11"], ["2026-1x"]],
    ["^[^@\\s]+@[^@\\s]+\\.[a-z]+$", "", ["a@b.example"], ["a@@b.example", "a b@c.example", "a@b"]],
    ["^\\+?[0-9()/ .-]+$", "", ["+49 (30) 1/2-3"], ["+", "x"]],
    ["^[\\w\\-.]+$", "", ["a_b-c.d"], ["a b", ""]],
    ["^.$", "", ["a", "é", "😀"], ["\n", "ab", ""]],
    ["^.$", "s", ["\n"], [""]],
    ["^a$", "m", ["b\na\nc"], ["ba"]],
    ["^\\p{Lu}\\p{L}*$", "", ["Öl", "Ελλάς"], ["öl", "1a"]],
    ["\\bcat\\b", "", ["a cat!"], ["concat"]],
    ["\\Bcat", "", ["concat"], ["cat"]],
    ["^\\[\\]\\{\\}\\$\\\\$", "", ["[]{}$\\"], ["[]"]],
    ["^[]]$".replace("[]]", "[\\]]"), "", ["]"], ["["]],
    ["^\\u0041\\x42\\t$", "", ["AB\t"], ["AB"]],
    ["", "", ["", "x"], []],
    ["^https?://", "", ["https://x", "http://x"], ["ftp://x", " https://x"]],
    ["^ß$", "i", ["ß"], ["ss"]],
    ["(a*)*b", "", ["aab", "b"], ["aaa"]],
    ["^(|a)(b|)$", "", ["", "a", "b", "ab"], ["ba"]],
  ];
  for (const [pattern, flags, yes, no] of cases) {
    it(`/${pattern}/${flags}`, () => {
      for (const text of yes) expect(test(pattern, text, flags), text).to.equal(true);
      for (const text of no) expect(test(pattern, text, flags), text).to.equal(false);
    });
  }

  it("agrees with the language's own engine on random patterns", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      "c",
      ".",
      "[ab]",
      "[^a]",
      "\\w",
      "\\d",
      "^",
      "$",
      "\\b",
      "\\B",
      "[a-c]",
      "\\.",
    );
    const { expression } = fc.letrec<{ expression: string; part: string }>((tie) => ({
      part: fc.oneof(
        { maxDepth: 3, depthSize: "small" },
        atom,
        fc
          .tuple(tie("expression"), fc.constantFrom("", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"))
          .map(([inner, range]) => `(${inner})${range}`),
      ),
      expression: fc.oneof(
        fc.array(tie("part"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
        fc.tuple(tie("part"), tie("part")).map((parts) => parts.join("|")),
      ),
    }));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", ".", "\n", " "), maxLength: 8 });
    const flags = fc.subarray(["i", "s", "m"]).map((some) => some.join(""));
    fc.assert(
      fc.property(
        expression,
        flags,
        fc.array(text, { minLength: 1, maxLength: 4 }),
        (pattern, flags, texts) => {
          const native = new RegExp(pattern, `${flags}u`);
          for (const one of texts)
            expect(test(pattern, one, flags), JSON.stringify({ pattern, flags, one })).to.equal(
              native.test(one),
            );
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe("patterns: what is refused", () => {
  const refused = [
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<!a)",
    "(?<name>a)",
    "(?i)a",
    "(a)\\1",
    "\\k<name>",
    "a**",
    "a{2}{3}",
    "*a",
    "a{",
    "a{,2}",
    "a{3,2}",
    "}",
    "]",
    "[a",
    "(a",
    "a)",
    "a\\",
    "[[a]]",
    "\\i",
    "\\p{IsGreek}",
    "[z-a]",
    "^*",
    "a{99}{99}",
    "((a{99}){99}){99}",
    "((((){9999}){9999}){9999}){9999}",
    "(".repeat(500),
    "a".repeat(1_001),
  ];
  for (const pattern of refused) {
    it(`/${pattern.slice(0, 40)}/`, () => {
      expect(() => compilePattern(pattern, "", LIMITS))
        .to.throw(Problem)
        .with.property("code", "shape-invalid");
    });
  }
  for (const flags of ["x", "q", "g", "y", "iiii"]) {
    it(`the flags ${flags}`, () => expect(() => compilePattern("a", flags, LIMITS)).to.throw(Problem));
  }
});

describe("patterns: what they cost", () => {
  for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"]) {
    it(`/${pattern}/ takes steps in proportion to the text`, () => {
      const matcher = compilePattern(pattern, "", LIMITS);
      const stepsOf = (length: number): number => {
        let steps = 0;
        expect(matcher(`${"a".repeat(length)}!`, (more = 1) => (steps += more))).to.equal(false);
        return steps;
      };
      expect(stepsOf(20_000)).to.be.below(stepsOf(10_000) * 2.2);
      expect(stepsOf(10_000)).to.be.below(10_000 * 100);
    });
  }
});
