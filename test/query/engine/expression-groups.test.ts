import { expect } from "chai";
import fc from "fast-check";
import { createAccumulator } from "../../../server/query/engine/aggregates.ts";
import { compareTerms } from "../../../server/query/engine/compare.ts";
import { ERROR, type Id, UNBOUND } from "../../../server/query/index/view.ts";
import type { Aggregate, Expression } from "../../../server/query/sparql/algebra.ts";
import { blankNode, literal, namedNode, type Value } from "../../../server/rdf/terms.ts";
import { contextOf, createTerms, show } from "./expression-fixture.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";
const typed = (text: string, type: string): Value => literal(text, namedNode(`${XSD}${type}`));
const integer = (text: string): Value => typed(text, "integer");
const decimal = (text: string): Value => typed(text, "decimal");
const double = (text: string): Value => typed(text, "double");
const moment = (text: string): Value => typed(text, "dateTime");
const VARIABLE: Expression = { kind: "variable", name: "a" };

function aggregate(
  name: Aggregate["name"],
  values: readonly (Value | null)[],
  parts: Partial<Aggregate> = {},
): string {
  const terms = createTerms(values.filter((value) => value !== null));
  const full: Aggregate = { name, distinct: false, operand: VARIABLE, separator: " ", ...parts };
  const accumulator = createAccumulator(full, contextOf(terms, ["a"]), [0])();
  for (const value of values) accumulator.add(Uint32Array.of(value ? terms.intern(value) : UNBOUND));
  const id = accumulator.finish();
  return id === ERROR ? "error" : show(terms.get(id));
}

// https://www.w3.org/TR/sparql11-query/#aggregateAlgebra
describe("aggregates", () => {
  const cents = Array.from({ length: 1_000 }, () => decimal("0.01"));
  const DISTINCT = { distinct: true };
  const blank = blankNode("b");
  type Case = readonly [
    says: string,
    name: Aggregate["name"],
    values: readonly (Value | null)[],
    value: string,
    parts?: Partial<Aggregate>,
  ];
  const cases: readonly Case[] = [
    ["COUNT of nothing", "COUNT", [], `"0"^^xsd:integer`],
    ["COUNT passes over what has no value", "COUNT", [integer("1"), null, literal("x")], `"2"^^xsd:integer`],
    ["COUNT(*) does not", "COUNT", [integer("1"), null], `"2"^^xsd:integer`, { operand: null }],
    [
      "COUNT(DISTINCT *) counts solutions that differ",
      "COUNT",
      [null, integer("1"), null, integer("1")],
      `"2"^^xsd:integer`,
      { operand: null, distinct: true },
    ],
    [
      "COUNT(DISTINCT) is about terms, not values",
      "COUNT",
      [integer("1"), integer("01"), integer("1")],
      `"2"^^xsd:integer`,
      DISTINCT,
    ],
    ["SUM of nothing", "SUM", [], `"0"^^xsd:integer`],
    ["SUM of money is exact", "SUM", cents, `"10"^^xsd:decimal`],
    [
      "of mixed digits too",
      "SUM",
      [decimal("1.5"), decimal("0.25"), integer("3"), decimal("10.125")],
      `"14.875"^^xsd:decimal`,
    ],
    [
      "SUM of integers does not overflow",
      "SUM",
      [integer("9007199254740991"), integer("9007199254740991"), integer("1")],
      `"18014398509481983"^^xsd:integer`,
    ],
    [
      "nor does it below zero",
      "SUM",
      [integer("-9007199254740991"), integer("-9007199254740991")],
      `"-18014398509481982"^^xsd:integer`,
    ],
    ["a double makes the sum one", "SUM", [integer("1"), double("0.5")], `"1.5E0"^^xsd:double`],
    ["one that is no number spoils it", "SUM", [integer("1"), literal("2")], "error"],
    ["so does one that is not there", "SUM", [integer("1"), null], "error"],
    [
      "what leaves the safe numbers and comes back is exact",
      "SUM",
      [decimal("-900719925474.0991"), decimal("0.00001"), integer("1800000000001"), decimal("-0.00001")],
      `"899280074526.9009"^^xsd:decimal`,
    ],
    [
      "COUNT(DISTINCT) passes over errors",
      "COUNT",
      [null, literal("x"), literal("x")],
      `"1"^^xsd:integer`,
      DISTINCT,
    ],
    ["SUM(DISTINCT)", "SUM", [integer("1"), integer("2"), integer("1")], `"3"^^xsd:integer`, DISTINCT],
    ["AVG of nothing", "AVG", [], `"0"^^xsd:integer`],
    ["AVG of integers is a decimal", "AVG", [integer("1"), integer("2")], `"1.5"^^xsd:decimal`],
    [
      "AVG without an end",
      "AVG",
      [integer("1"), integer("1"), integer("2")],
      `"1.33333333333333333333"^^xsd:decimal`,
    ],
    ["AVG of a blank node", "AVG", [integer("1"), blank], "error"],
    ["MIN of nothing", "MIN", [], "error"],
    ["MIN", "MIN", [decimal("2.5"), integer("2"), double("3")], `"2"^^xsd:integer`],
    [
      "MAX of moments",
      "MAX",
      [moment("2026-01-01T00:00:00Z"), moment("2026-01-01T00:30:00+01:00")],
      `"2026-01-01T00:00:00Z"^^xsd:dateTime`,
    ],
    ["MAX of strings", "MAX", [literal("b"), literal("a")], `"b"`],
    [
      "MAX takes what is greatest in ORDER BY",
      "MAX",
      [literal("b"), integer("5"), blank],
      `"5"^^xsd:integer`,
    ],
    ["SAMPLE is one of them", "SAMPLE", [null, literal("b")], `"b"`],
    ["SAMPLE of nothing", "SAMPLE", [], "error"],
    [
      "GROUP_CONCAT",
      "GROUP_CONCAT",
      [literal("a", "en"), integer("1"), namedNode("http://e.example/")],
      `"a 1 http://e.example/"`,
    ],
    [
      "GROUP_CONCAT with a separator",
      "GROUP_CONCAT",
      [literal("a"), literal("b"), literal("a")],
      `"a, b"`,
      { distinct: true, separator: ", " },
    ],
    ["GROUP_CONCAT of empty strings", "GROUP_CONCAT", [literal(""), literal("")], `","`, { separator: "," }],
    ["GROUP_CONCAT of nothing", "GROUP_CONCAT", [], `""`],
    ["GROUP_CONCAT of a blank node", "GROUP_CONCAT", [blank], "error"],
  ];
  for (const [says, name, values, value, parts] of cases)
    it(says, () => expect(aggregate(name, values, parts)).to.equal(value));

  it("SUM of an expression", () => {
    const operand: Expression = { kind: "operator", operator: "*", operands: [VARIABLE, VARIABLE] };
    expect(aggregate("SUM", [decimal("1.1"), decimal("2")], { operand })).to.equal(`"5.21"^^xsd:decimal`);
  });

  it("SUM is the exact sum, in whatever order", () => {
    const money = fc.tuple(fc.integer(), fc.nat(8)).map(([units, scale]) => {
      const text = String(Math.abs(units)).padStart(scale + 1, "0");
      return {
        units: BigInt(units),
        scale,
        text: `${units < 0 ? "-" : ""}${scale ? `${text.slice(0, -scale)}.${text.slice(-scale)}` : text}`,
      };
    });
    fc.assert(
      fc.property(fc.array(money, { minLength: 1 }), (values) => {
        const sum = values.reduce((total, { units, scale }) => total + units * 10n ** BigInt(8 - scale), 0n);
        const found = aggregate(
          "SUM",
          values.map(({ text }) => decimal(text)),
        );
        const [, sign = "", whole = "", fraction = ""] = /^"(-?)(\d+)(?:\.(\d+))?"/.exec(found)!;
        expect(BigInt(`${sign}${whole}${fraction.padEnd(8, "0")}`)).to.equal(sum);
      }),
    );
  });
});

// https://www.w3.org/TR/sparql11-query/#modOrderBy
describe("the order of terms", () => {
  const ordered: readonly (Value | null)[] = [
    null,
    blankNode("b"),
    namedNode("http://a.example/"),
    namedNode("http://b.example/"),
    literal("A"),
    literal("a"),
    literal("a\uFFFD"),
    literal("a\u{1F600}"),
    literal("a", "de"),
    literal("a", "en"),
    double("NaN"),
    double("-INF"),
    integer("-1"),
    decimal("0.1"),
    decimal("0.10000000000000000001"),
    double("2"),
    integer("9007199254740992"),
    integer("9007199254740993"),
    typed("false", "boolean"),
    typed("true", "boolean"),
    moment("2025-12-31T23:59:59"),
    moment("2026-01-01T00:00:00Z"),
    typed("2026-01-01", "date"),
    typed("PT1H", "duration"),
    typed("P1M", "duration"),
    literal("x", namedNode("http://types.example/a")),
    literal("x", namedNode("http://types.example/b")),
    typed("y", "integer"),
  ];
  const terms = createTerms(ordered.filter((term) => term !== null));
  const compare = compareTerms(terms);
  const ids = ordered.map((term): Id => (term === null ? UNBOUND : terms.intern(term)));

  it("is from nothing over blank nodes and IRIs to literals by their values", () => {
    for (const [at, id] of ids.entries())
      for (const [place, other] of ids.entries())
        expect(Math.sign(compare(id, other)), `${at} ${place}`).to.equal(Math.sign(at - place));
  });

  it("does not tell equal values apart", () => {
    expect(compare(terms.intern(integer("1")), terms.intern(decimal("1.0")))).to.equal(0);
    const [here, there] = [moment("2026-01-01T12:00:00Z"), moment("2026-01-01T13:00:00+01:00")];
    expect(compare(terms.intern(here), terms.intern(there))).to.equal(0);
  });
});
