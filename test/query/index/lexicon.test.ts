import { expect } from "chai";
import fc from "fast-check";
import { kindOf, numberOf } from "../../../server/query/index/kinds.ts";
import { createLexicon, emptyTerms } from "../../../server/query/index/lexicon.ts";
import { KINDS } from "../../../server/query/index/view.ts";
import { keyOf, literal, namedNode } from "../../../server/rdf/terms.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("5", "05", "true", "2024-02-29", "a:b"),
);
const term = fc.oneof(
  text.map((value) => namedNode(`https://ana.example/${value}`)),
  text.map((value) => literal(value)),
  fc.tuple(text, fc.constantFrom("en", "EN", "de-AT", "x")).map(([value, tag]) => literal(value, tag)),
  fc
    .tuple(text, fc.oneof(fc.constantFrom("integer", "double", "boolean", "date", "gDay"), text))
    .map(([value, type]) => literal(value, namedNode(XSD + type))),
);

describe("the terms of an index", () => {
  it("have the same number exactly if they are the same, and come back as they went in", () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 60 }), fc.nat(60), (terms, packedAfter) => {
        let lexicon = createLexicon(emptyTerms());
        const ids = new Map<string, number>();
        for (const [at, one] of terms.entries()) {
          if (at === packedAfter) lexicon = createLexicon(lexicon.pack(null));
          // A lone surrogate is no character: it comes back as the sign for what cannot be read, and so does every other.
          const key = keyOf(one).toWellFormed();
          const id = lexicon.intern(one);
          expect(id).to.equal(ids.get(key) ?? ids.size);
          ids.set(key, id);
        }
        expect(lexicon.size).to.equal(ids.size);
        for (const [key, id] of ids) {
          expect(keyOf(lexicon.get(id))).to.equal(key);
          expect(lexicon.find(lexicon.get(id))).to.equal(id);
        }
        expect(lexicon.find(namedNode("https://bea.example/"))).to.equal(-1);
      }),
    );
  });

  it("keep their numbers' order when some are taken out", () => {
    const lexicon = createLexicon(emptyTerms());
    const names = ["a", "b", "ü", "d", "e"].map((name) => namedNode(`https://ana.example/${name}`));
    for (const name of names) lexicon.intern(name);
    const blank = lexicon.addBlank();
    expect(lexicon.kind(blank)).to.equal(KINDS.blank);
    const rest = createLexicon(lexicon.pack(Uint8Array.of(0, 1, 1, 0, 1, 1)));
    expect([0, 1, 2].map((id) => rest.get(id).value.at(-1))).to.deep.equal(["b", "ü", "e"]);
    expect(rest.kind(3)).to.equal(KINDS.blank);
    expect(names.map((name) => rest.find(name))).to.deep.equal([-1, 0, 1, -1, 2]);
    expect(rest.intern(names[0]!)).to.equal(4);
  });

  const kinds: readonly (readonly [
    datatype: string,
    text: string,
    kind: keyof typeof KINDS,
    number: number,
  ])[] = [
    ["string", "5", "string", Number.NaN],
    ["integer", "+05", "integer", 5],
    ["integer", "5.0", "other", Number.NaN],
    ["integer", " 5", "other", Number.NaN],
    ["byte", "127", "integer", 127],
    ["byte", "128", "other", Number.NaN],
    ["unsignedLong", "18446744073709551615", "integer", 2 ** 64],
    ["unsignedLong", "18446744073709551616", "other", Number.NaN],
    ["positiveInteger", "0", "other", Number.NaN],
    ["nonPositiveInteger", "-0", "integer", -0],
    ["decimal", ".5", "decimal", 0.5],
    ["decimal", "5e1", "other", Number.NaN],
    ["double", "5e1", "double", 50],
    ["double", "-INF", "double", Number.NEGATIVE_INFINITY],
    ["double", "NaN", "double", Number.NaN],
    ["double", "Infinity", "other", Number.NaN],
    ["double", "0x10", "other", Number.NaN],
    ["float", "0.1", "float", Math.fround(0.1)],
    ["boolean", "1", "boolean", 1],
    ["boolean", "TRUE", "other", Number.NaN],
    ["dateTime", "1970-01-01T00:00:00Z", "dateTime", 0],
    ["dateTime", "1970-01-01T00:00:00", "localDateTime", 0],
    ["dateTime", "1970-01-01T01:00:00.25+01:00", "dateTime", 250],
    ["dateTime", "1969-12-31T24:00:00Z", "dateTime", 0],
    ["dateTime", "2024-02-29T12:00:00-05:00", "dateTime", Date.UTC(2024, 1, 29, 17)],
    ["dateTime", "2023-02-29T12:00:00Z", "other", Number.NaN],
    ["dateTime", "1900-02-29T12:00:00Z", "other", Number.NaN],
    ["dateTime", "2024-01-01T24:00:01Z", "other", Number.NaN],
    ["dateTime", "2024-01-01T12:00:00+14:01", "other", Number.NaN],
    ["dateTime", "-0044-03-15T12:00:00Z", "dateTime", new Date("-000044-03-15T12:00:00Z").getTime()],
    ["dateTime", "24-01-01T12:00:00Z", "other", Number.NaN],
    ["dateTimeStamp", "2024-01-01T12:00:00", "other", Number.NaN],
    ["date", "1970-01-02", "date", 86_400_000],
    ["date", "1970-01-02+01:00", "date", 82_800_000],
    ["time", "00:00:01.5Z", "time", 1_500],
    ["duration", "P1Y2M3DT4H5M6.7S", "duration", Number.NaN],
    ["duration", "P1Y2M3DT", "other", Number.NaN],
    ["duration", "P", "other", Number.NaN],
    ["dayTimeDuration", "P1M", "other", Number.NaN],
    ["anyURI", "x", "other", Number.NaN],
    ["nothing", "5", "other", Number.NaN],
  ];
  for (const [datatype, lexical, kind, number] of kinds) {
    it(`"${lexical}" as xsd:${datatype} is of kind ${kind}`, () => {
      const found = kindOf(XSD + datatype, lexical);
      expect(found).to.equal(KINDS[kind]);
      expect(numberOf(found, lexical)).to.deep.equal(number);
    });
  }

  it("days are counted as the calendar has them", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(numberOf(KINDS.dateTime, date.toISOString())).to.equal(date.getTime());
        },
      ),
    );
  });
});
