import { xsd } from "@freehold/vocab";
import { expect } from "chai";
import fc from "fast-check";
import { createLexicon, emptyTerms } from "../../../server/query/index/lexicon.ts";
import { blankNode, literal, namedNode, type Value } from "../../../server/rdf/terms.ts";
import { evaluate } from "./expression-fixture.ts";

const YES = '"true"^^xsd:boolean';
const NO = '"false"^^xsd:boolean';

/** Texts that mean trouble: case that is no one-to-one affair, pairs of halves, bytes that look like letters. */
const PIECES = ["a", "B", "k", "K", "i", "I", "s", "S", "ab", "Bab", " ", "\n", "~", "^", "A".repeat(40)];
const STRANGE = ["\u212a", "\u0130", "\u0131", "ſ", "ß", "ŉ", "ﬁ", "Σ", "ς", "é", "É", "日", "😀", "\u0307"];
const spelled = (value: string): string => JSON.stringify(value);

describe("tests of texts on their bytes", () => {
  const text = fc.array(fc.constantFrom(...PIECES, ...STRANGE), { maxLength: 8 }).map((all) => all.join(""));
  const needle = fc
    .array(fc.constantFrom(...PIECES, ...STRANGE), { maxLength: 3 })
    .map((all) => all.join(""));
  const subject = fc.constantFrom(
    "?a",
    "LCASE(?a)",
    "UCASE(?a)",
    "STR(?a)",
    "LCASE(STR(?a))",
    "UCASE(STR(?a))",
  );
  const value = fc.oneof(
    text.map((each) => literal(each)),
    text.map((each) => literal(each, "en-gb")),
    text.map((each) => literal(each, namedNode("https://types.example/ü#t"))),
    text.map((each) => literal(each, namedNode("https://types.example/t"))),
    text.map((each) => namedNode(`https://a.example/${encodeURI(each)}${each.replace(/[^a-z]/gi, "")}`)),
    fc.constant(literal("12", namedNode(xsd.integer)) as Value),
  );

  it("say what the texts say: CONTAINS, STRSTARTS, STRENDS", () => {
    const test = fc.constantFrom("CONTAINS", "STRSTARTS", "STRENDS");
    fc.assert(
      fc.property(test, subject, value, needle, (name, on, a, what) => {
        const expression = `${name}(${on}, ${spelled(what)})`;
        expect(evaluate(expression, { a }, true), expression).to.equal(evaluate(expression, { a }, false));
      }),
      { numRuns: 4_000 },
    );
  });

  it("say what the texts say: REGEX with a pattern that is only a text", () => {
    fc.assert(
      fc.property(
        subject,
        value,
        needle,
        fc.constantFrom("", "^"),
        fc.constantFrom("", ', "i"', ', "s"'),
        (...all) => {
          const [on, a, what, start, flags] = all;
          const expression = `REGEX(${on}, ${spelled(start + what)}${flags})`;
          expect(evaluate(expression, { a }, true), expression).to.equal(evaluate(expression, { a }, false));
        },
      ),
      { numRuns: 4_000 },
    );
  });

  it("only two characters become ASCII in lower case, as it is counted on", () => {
    const found: string[] = [];
    for (let code = 0x80; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      // oxlint-disable-next-line no-control-regex -- all of ASCII
      if (/[\u0000-\u007f]/.test(String.fromCodePoint(code).toLowerCase())) found.push(code.toString(16));
    }
    expect(found).to.deep.equal(["130", "212a"]);
    expect("\u0130".toLowerCase()).to.equal("i\u0307");
  });

  for (const [expression, a, expected] of [
    ['CONTAINS(LCASE(?a), "bicycle winter")', literal("A Bicycle WINTER day"), YES],
    ['CONTAINS(LCASE(?a), "Bicycle")', literal("A Bicycle"), NO],
    ['CONTAINS(LCASE(?a), "k")', literal("300 \u212a"), YES],
    ['CONTAINS(LCASE(?a), "i")', literal("\u0130stanbul"), YES],
    ['CONTAINS(LCASE(?a), "is")', literal("\u0130stanbul"), NO],
    ['CONTAINS(LCASE(?a), "straße")', literal("HAUPTSTRAßE"), YES],
    ['CONTAINS(LCASE(?a), "straße")', literal("Hauptstrasse"), NO],
    ['CONTAINS(UCASE(?a), "STRASSE")', literal("Hauptstraße"), YES],
    ['CONTAINS(?a, "@")', literal("[`@", "en"), YES],
    ['CONTAINS(LCASE(?a), "[")', literal("{", "en"), NO],
    ['STRSTARTS(?a, "2:en")', literal("x", "en"), NO],
    ['STRSTARTS(?a, "x")', literal("x", "en"), YES],
    ['CONTAINS(?a, "x"@en)', literal("x"), "error"],
    ['CONTAINS(?a, "x"@en)', literal("x", "en"), YES],
    ['CONTAINS(?a, "x")', namedNode("https://x.example/"), "error"],
    ['CONTAINS(STR(?a), "x.ex")', namedNode("https://x.example/"), YES],
    ['STRENDS(STR(?a), ".00")', literal("5.00", namedNode(xsd.decimal)), YES],
    ['STRENDS(?a, ".00")', literal("5.00", namedNode(xsd.decimal)), "error"],
    ['CONTAINS(STR(?a), "b")', blankNode("b0"), "error"],
    ['CONTAINS(?a, "")', literal(""), YES],
    ['STRENDS(?a, "longer than it")', literal("than it"), NO],
    ['REGEX(?a, "WINTER", "i")', literal("in winter"), YES],
    ['REGEX(?a, "winter")', literal("in Winter"), NO],
    ['REGEX(?a, "^winter", "i")', literal("in winter"), NO],
    ['REGEX(?a, "s", "i")', literal("\u017f"), YES],
    ['REGEX(?a, "a-c")', literal("a-c"), YES],
    ['REGEX(?a, "w.nter", "i")', literal("Winter"), YES],
  ] as const)
    it(`${expression} of ${"language" in a ? a.value : a.termType}`, () => {
      expect(evaluate(expression, { a })).to.equal(expected);
      expect(evaluate(expression, { a }, false)).to.equal(expected);
    });

  it("terms say where their bytes are, and no more than those", () => {
    const lexicon = createLexicon(emptyTerms());
    const terms = [
      namedNode("https://a.example/é"),
      literal("plain"),
      literal("grüß", "de"),
      literal("other", namedNode("https://t.example/t")),
      literal("12", namedNode(xsd.integer)),
    ];
    const ids = terms.map((term) => lexicon.intern(term));
    for (const lexical of [lexicon, createLexicon(lexicon.pack(null))]) {
      for (const [at, { value: expected }] of terms.entries()) {
        const span = { heap: new Uint8Array(), from: 0, to: 0 };
        expect(lexical.span!(ids[at]!, span)).to.equal(true);
        expect(Buffer.from(span.heap.slice(span.from, span.to)).toString()).to.equal(expected);
      }
      const blank = lexical.addBlank();
      expect(lexical.span!(blank, { heap: new Uint8Array(), from: 0, to: 0 })).to.equal(false);
    }
  });
});
