/** What the short way reads is what the parser of all of N3 reads; where they could differ, the short way is not taken. */
import { expect } from "chai";
import fc from "fast-check";
import { parseN3Patch } from "../../server/rdf/n3-patch.ts";
import type { Pattern } from "../../server/rdf/patch.ts";
import { readPlainPatch } from "../../server/rdf/plain-patch.ts";
import { keyOf } from "../../server/rdf/terms.ts";

const HERE = "https://ana.example/people.ttl";
const SOLID = "@prefix solid: <http://www.w3.org/ns/solid/terms#>. @prefix ex: <http://e/>.\n";

const keysOf = (patterns: readonly Pattern[]): string[][] =>
  patterns.map(({ subject, predicate, object }) => [subject, predicate, object].map(keyOf));
const shown = (step: ReturnType<typeof parseN3Patch>) => ({
  conditions: keysOf(step.conditions),
  deletions: keysOf(step.deletions),
  insertions: keysOf(step.insertions),
});

/** Both ways; "refused" for what is no patch. */
function inFull(text: string): unknown {
  try {
    return shown(parseN3Patch(text, HERE));
  } catch {
    return "refused";
  }
}

const TERMS = [
  "<a>",
  "<#it>",
  "<http://e/b>",
  "ex:c",
  "?x",
  "?y",
  '"milk"',
  '"a ?x { } <b>"',
  '"\\"q\\u00e9"@en',
  '"1"^^ex:d',
  "1",
  "-2.50",
  "3e4",
  "true",
  "a",
  "_:b",
  "[]",
  "(1)",
  "{}",
  "'one'",
  "ex:c.d",
  "ex:",
  '"""long"""',
  "<a b>",
  "# note\n",
];
const MARKS = [" .", ".", " ;", " ,", " ", "\n"];
const triple = fc.oneof(
  fc.tuple(
    fc.constantFrom("<a>", "ex:c", "?x", "<#it>"),
    fc.constantFrom("ex:p", "<p>", "a", "?x"),
    fc.constantFrom(...TERMS.slice(0, 14)),
    fc.constantFrom(" .", ".", ";", ", 5 ."),
  ),
  fc.tuple(
    fc.constantFrom(...TERMS),
    fc.constantFrom(...TERMS),
    fc.constantFrom(...TERMS),
    fc.constantFrom(...MARKS),
  ),
);
const formula = fc
  .array(triple, { maxLength: 3 })
  .map((triples) => `{ ${triples.map(([s, p, o, mark]) => `${s} ${p} ${o}${mark}`).join(" ")} }`);
const clause = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom("inserts", "deletes", "where"), formula)
      .map(([name, of]) => `solid:${name} ${of}`),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "a solid:InsertDeletePatch",
      "a <http://www.w3.org/ns/solid/terms#InsertDeletePatch>",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "a solid:Patch",
      "solid:inserts <a>",
      "ex:p 1",
      "<http://www.w3.org/ns/solid/terms#inserts>{}",
    ),
  },
);
const patch = fc
  .tuple(
    fc.constantFrom(
      SOLID,
      SOLID.replaceAll("@prefix", "PREFIX").replaceAll(">.", "> "),
      "",
      `${SOLID}@base <http://o/> .`,
    ),
    fc.constantFrom("_:patch", "<>", "<#p>", "ex:p", "[]"),
    fc.array(clause, { maxLength: 3 }),
    fc.constantFrom(" .", ".", ";.", " ; .\n", "", ". <a> ex:p 1 ."),
    fc.boolean(),
  )
  .map(
    ([prologue, subject, clauses, end, isTyped]) =>
      `${prologue}${subject} ${[...(isTyped ? ["a solid:InsertDeletePatch"] : []), ...clauses].join("; ")}${end}`,
  );

describe("A plain N3 Patch", () => {
  it("is read as the parser of all of N3 reads it, or left to that", () => {
    let plain = 0;
    fc.assert(
      fc.property(patch, (text) => {
        const short = readPlainPatch(text, HERE);
        if (short === null) return;
        plain++;
        expect(shown(short)).to.deep.equal(inFull(text));
      }),
      { numRuns: 5_000 },
    );
    expect(plain).to.be.above(200);
  });

  for (const [what, text] of [
    [
      "what counters do",
      `_:patch a solid:InsertDeletePatch; solid:deletes { <#count> ex:value 1 . }; solid:inserts { <#count> ex:value 2 . }.`,
    ],
    [
      "the example of the specification",
      `_:rename a solid:InsertDeletePatch;\n solid:where { ?person ex:familyName "Garcia". };\n solid:inserts { ?person ex:givenName "Alex". };\n solid:deletes { ?person ex:givenName "Claudia". }.`,
    ],
    [
      "an insertion of several, without a last dot",
      `<> solid:inserts { <#a> ex:b "c", "d"; a ex:E. <#b> ex:c <#a> }; a solid:InsertDeletePatch .`,
    ],
    ["nothing to do", `<> a solid:InsertDeletePatch; solid:inserts {}.`],
  ] as const) {
    it(`is ${what}`, () => {
      const short = readPlainPatch(SOLID + text, HERE);
      expect(short && shown(short)).to.deep.equal(inFull(SOLID + text));
    });
  }

  for (const [what, text] of [
    ["a blank node", "<> a solid:InsertDeletePatch; solid:inserts { _:a ex:b 1 }."],
    ["a variable that no condition has", "<> a solid:InsertDeletePatch; solid:inserts { ?a ex:b 1 }."],
    ["a stand-in for a variable", "<> a solid:InsertDeletePatch; solid:inserts { <variable:a> ex:b 1 }."],
    [
      "a declaration in a formula",
      "<> a solid:InsertDeletePatch; solid:inserts { @prefix ex: <http://o/> . <a> ex:b 1 }.",
    ],
    [
      "two formulae of a kind",
      "<> a solid:InsertDeletePatch; solid:inserts { <a> ex:b 1 }; solid:inserts { <a> ex:b 2 }.",
    ],
    ["no type", "<> solid:inserts { <a> ex:b 1 }."],
    ["an unknown prefix", "<> a solid:InsertDeletePatch; solid:inserts { <a> no:b 1 }."],
    ["more after its end", "<> a solid:InsertDeletePatch; solid:inserts { <a> ex:b 1 } . <a> ex:b 1 ."],
    [
      "a variable as a datatype",
      '<> a solid:InsertDeletePatch; solid:where { <a> ex:b ?x }; solid:inserts { <a> ex:b "1"^^?x }.',
    ],
    ["a variable as a part of a name", "<> a solid:InsertDeletePatch; solid:where { <a> ex:b?x }."],
    ["two variables in one", "<> a solid:InsertDeletePatch; solid:where { <a> ?x?y }."],
    ["a number beside a name", "<> a solid:InsertDeletePatch; solid:inserts { <a> ex:b+1 }."],
    ["a number beside a", "<> a solid:InsertDeletePatch; solid:inserts { <b> a.5 }."],
    ["a name after a dot", "<> a solid:InsertDeletePatch; solid:inserts { <a> ex:b ex:.ex:c ex:b 1 }."],
    ["a word of another notation", '<> a solid:InsertDeletePatch; solid:inserts { <a> ex:b "c" @version }.'],
    ["a space that is none", "<> a solid:InsertDeletePatch; solid:inserts\ufeff{ <a> ex:b 1 }."],
    ["a space that is none in a formula", "<> a solid:InsertDeletePatch; solid:inserts {\u00a0}."],
    ["a null character", '<> a solid:InsertDeletePatch; solid:inserts { <a> ex:b "\0" }.'],
    ["a very long text", `<> a solid:InsertDeletePatch; solid:inserts { <a> ex:b "${"x".repeat(20_000)}" }.`],
  ] as const) {
    it(`is none with ${what}`, () => {
      expect(readPlainPatch(SOLID + text, HERE)).to.equal(null);
    });
  }
});
