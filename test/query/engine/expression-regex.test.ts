import { expect } from "chai";
import fc from "fast-check";
import { compileRegex } from "../../../server/query/engine/regex.ts";
import { unlimited } from "./expression-fixture.ts";

const test = (pattern: string, text: string, flags = ""): boolean | null =>
  compileRegex(pattern, flags)?.test(text, unlimited) ?? null;
const replace = (text: string, pattern: string, replacement: string, flags = ""): string | null =>
  compileRegex(pattern, flags)?.replace(text, replacement, unlimited) ?? null;

// https://www.w3.org/TR/xpath-functions/#regex-syntax
describe("regular expressions", () => {
  const cases: readonly (readonly [
    pattern: string,
    flags: string,
    yes: readonly string[],
    no: readonly string[],
  ])[] = [
    ["a.c", "", ["abc", "xabcx", "a😀c"], ["ac", "a\nc", "a\rc"]],
    ["a.c", "s", ["a\nc"], []],
    ["^abc$", "", ["abc"], ["abc\n", "xabc"]],
    ["^b$", "m", ["a\nb\nc", "b"], ["ab\nbc"]],
    ["^$", "", [""], ["a"]],
    ["a*", "", ["", "b"], []],
    ["^(ab|cd)+e?$", "", ["ab", "abcde"], ["abc", ""]],
    ["^a{2,3}$", "", ["aa", "aaa"], ["a", "aaaa"]],
    ["^a{2,}$", "", ["aa", "aaaaa"], ["a"]],
    ["^a{2}b{0}$", "", ["aa"], ["aab"]],
    ["^[a-c]+$", "", ["abc"], ["abd"]],
    ["^[^a-c]$", "", ["d", "😀", "\n"], ["a"]],
    ["^[a-z-[aeiou]]+$", "", ["xyz"], ["xay"]],
    ["^[-a]+$", "", ["a-a"], ["b"]],
    ["^[a-]+$", "", ["a-a"], ["b"]],
    ["^[\\]\\\\]+$", "", ["]\\"], ["["]],
    ["^[\\d.]+$", "", ["1.5", "٣"], ["x"]],
    ["\\.", "", ["a.b"], ["ab"]],
    ["\\/", "", ["a/b"], ["ab"]],
    ["^\\d+$", "", ["123", "٣٤"], ["12a"]],
    ["^\\w+$", "", ["aé_1日"], ["a b", "a-b"]],
    ["\\s", "", ["a b", "a\tb"], ["a\u00A0b"]],
    ["^\\S+$", "", ["ab"], ["a b"]],
    ["^\\i\\c*$", "", ["_a-1", ":x"], ["1a"]],
    ["^\\p{Lu}\\P{Lu}+$", "", ["Éa"], ["éa"]],
    ["\\bcat\\b", "", ["a cat.", "cat"], ["concat"]],
    ["\\Bcat", "", ["concat"], ["cat"]],
    ["ALICE", "i", ["alice", "aLiCe"], ["alic"]],
    ["^straße$", "i", ["STRAßE"], ["strasse"]],
    ["[a-z]", "i", ["K"], ["1"]],
    ["[^a]", "i", ["b"], ["A", "a"]],
    ["σ", "i", ["Σ", "ς"], []],
    ["a b # c", "x", ["ab#c"], ["a b"]],
    ["a[ ]b", "x", ["a b"], ["ab"]],
    ["a.b(", "q", ["xa.b(x"], ["aab("]],
    ["A.B", "qi", ["a.b"], ["axb"]],
    ["(?:a|b)c", "", ["bc"], ["c"]],
    ["a*?b", "", ["aab"], ["a"]],
    ["(a|ab)(c|bcd)$", "", ["abcd", "ac"], ["abd"]],
    ["^(|a)b", "", ["b", "ab"], ["aab"]],
    ["(a*)*b", "", ["aab"], ["aa"]],
    ["^.$", "", ["😀"], ["😀😀"]],
  ];
  for (const [pattern, flags, yes, no] of cases)
    it(`${pattern} ${flags}`, () => {
      for (const text of yes) expect(test(pattern, text, flags), text).to.equal(true);
      for (const text of no) expect(test(pattern, text, flags), text).to.equal(false);
    });

  // biome-ignore format: a list
  for (const pattern of ["(", ")", "[", "[]", "a**", "*", "a{2", "a{3,2}", "\\", "(a)\\1", "(?=a)", "(?<n>a)", "\\p{Greek}", "\\y", "[b-a]", "^*", "a{5000}", "(((((a{99}){99}){99}){99}){99})", "(".repeat(100) + ")".repeat(100)])
    it(`${pattern.slice(0, 40)} is none`, () => expect(compileRegex(pattern, "")).to.equal(null));
  it("flags that are none", () => expect(compileRegex("a", "g")).to.equal(null));

  // https://www.w3.org/TR/xpath-functions/#func-replace
  const replaced: readonly (readonly [
    text: string,
    pattern: string,
    by: string,
    result: string | null,
    flags?: string,
  ])[] = [
    ["abracadabra", "bra", "*", "a*cada*"],
    ["abracadabra", "a.*a", "*", "*"],
    ["abracadabra", "a.*?a", "*", "*c*bra"],
    ["abracadabra", "a", "", "brcdbr"],
    ["abracadabra", "a(.)", "a$1$1", "abbraccaddabbra"],
    ["abracadabra", ".*?", "$1", null],
    ["AAAA", "A+", "b", "b"],
    ["AAAA", "A+?", "b", "bbbb"],
    ["darted", "^(.*?)d(.*)$", "$1c$2", "carted"],
    ["abcd", "(ab)|(a)", "[1=$1][2=$2]", "[1=ab][2=]cd"],
    ["a.b", ".", "x", "axb", "q"],
    ["a.b", ".", "$1", "a$1b", "q"],
    ["ab", "(a)", "$12", "a2b"],
    ["ab", "a", "$1", "b"],
    ["ab", "a", "\\$\\\\", "$\\b"],
    ["ab", "a", "\\n", null],
    ["ab", "a", "$", null],
    ["😀a😀", ".", "x", "xxx"],
    ["a\nb", "^", "-", null, "m"],
    ["foo bar", "\\b", "|", "|foo| |bar|"],
    ["a.😀", "\\b", "|", "|a|.|😀|"],
    ["one two", "(\\w+) (\\w+)", "$2 $1", "two one"],
    ["aXbxc", "x", "-", "a-b-c", "i"],
    ["nothing", "x", "y", "nothing"],
  ];
  for (const [text, pattern, by, result, flags = ""] of replaced)
    it(`${text}: ${pattern} by ${by}`, () => expect(replace(text, pattern, by, flags)).to.equal(result));

  it("agrees with the language's own engine wherever that is quick", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      ".",
      "[ab]",
      "[^a]",
      "(a|b)",
      "(ab|a)",
      "(?:b|)",
      "a*",
      "b+",
      "a?",
      "(a*)b",
      "a{1,2}",
      "(a|b)*",
      "a*?",
      "^",
      "$",
      "\\b",
    );
    const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(""));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "\n", " "), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, fc.constantFrom("", "m", "s", "i"), (source, subject, flags) => {
        const native = new RegExp(source, `${flags}gu`);
        const ours = compileRegex(source, flags)!;
        expect(ours.test(subject, unlimited)).to.equal(subject.search(native) >= 0);
        if (new RegExp(source, `${flags}u`).test("")) return;
        expect(ours.replace(subject, "<$1>", unlimited)).to.equal(
          subject.replace(native, (_, first: unknown) => `<${typeof first === "string" ? first : ""}>`),
        );
      }),
      { numRuns: 3_000 },
    );
  });

  describe("takes time that grows with the text only", () => {
    const long = "a".repeat(100_000);
    // biome-ignore format: a list
    for (const [pattern, flags] of [
      ["(a+)+$", ""], ["(a|a)*$", ""], ["(a*)*b", ""], ["(a|aa)+$", "i"], ["(.*)(.*)(.*)(.*)(.*)[^a]x", ""], ["(a?){50}a{50}x", ""],
      ["^(([a-z])+.)+[A-Z]([a-z])+$", ""], ["(x+x+)+y", "i"], ["\\w*\\w*\\w*\\w*!", ""], ["(?:a.*){12}x", "s"],
    ] as const)
      it(`${pattern} ${flags}`, () => {
        const before = process.cpuUsage();
        test(pattern, `${long}!`, flags);
        test(pattern, `${long}\n!`, flags);
        const { user } = process.cpuUsage(before);
        expect(user / 1_000, "milliseconds").to.be.below(500);
      });

    it("and stops when it is told to", () => {
      let checks = 0;
      const stop = {
        check: () => {
          if (++checks > 10) throw new Error("over");
        },
        hold: () => undefined,
      };
      const regex = compileRegex("(a|b)*c(a|b)*d", "")!;
      expect(() => regex.replace(`${"ab".repeat(500_000)}c`, "x", stop)).to.throw("over");
    });
  });
});
