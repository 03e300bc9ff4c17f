/** All operators and functions, each case a line: long, for there are many. */
import { expect } from "chai";
import { compileExpression } from "../../../server/query/engine/expression.ts";
import { blankNode, literal, namedNode } from "../../../server/rdf/terms.ts";
import {
  type Bindings,
  contextOf,
  createTerms,
  evaluate,
  passes,
  readExpression,
} from "./expression-fixture.ts";

type Case = readonly [says: string, expression: string, value: string, bindings?: Bindings];

/** Each case twice: with terms of the pod, and with terms that the query computed. */
function table(cases: readonly Case[]): void {
  for (const [says, expression, value, bindings = {}] of cases)
    it(`${says}: ${expression}`, () => {
      expect(evaluate(expression, bindings), "terms of the pod").to.equal(value);
      expect(evaluate(expression, bindings, false), "computed terms").to.equal(value);
    });
}

const TRUE = `"true"^^xsd:boolean`;
const FALSE = `"false"^^xsd:boolean`;
const integer = (text: number | string): string => `"${text}"^^xsd:integer`;
const decimal = (text: string): string => `"${text}"^^xsd:decimal`;
const double = (text: string): string => `"${text}"^^xsd:double`;

// https://www.w3.org/TR/sparql11-query/#OperatorMapping
describe("expressions: numbers", () => {
  table([
    ["integers stay integers", "1 + 2 * 3", integer(7)],
    ["integers divide to a decimal", "7 / 2", decimal("3.5")],
    ["a whole quotient is a decimal too", "6 / 2", decimal("3")],
    ["a quotient without end has 20 digits", "1 / 3", decimal("0.33333333333333333333")],
    ["and is rounded", "2 / 3", decimal("0.66666666666666666667")],
    ["division by zero is an error", "1 / 0", "error"],
    ["also of decimals", "1.5 / 0.0", "error"],
    ["but not of doubles", "1e0 / 0", double("INF")],
    ["nor of nothing by nothing", "0e0 / 0", double("NaN")],
    ["money is exact", "0.1 + 0.2", decimal("0.3")],
    ["and stays exact when it is much", "12345678901234567.89 + 0.01", decimal("12345678901234567.9")],
    ["integers do not overflow", "9007199254740993 + 9007199254740993", integer("18014398509481986")],
    ["nor do products", "99999999999 * 99999999999", integer("9999999999800000000001")],
    ["decimals multiply exactly", "19.99 * 3", decimal("59.97")],
    ["a needless zero is left out", "1.50 + 0.50", decimal("2")],
    ["an integer and a decimal are a decimal", "1 + 1.0", decimal("2")],
    ["a decimal and a double are a double", "1.5 + 1e0", double("2.5E0")],
    [
      "a float and a decimal are a float",
      "?a + 1.5",
      `"2.6E0"^^xsd:float`,
      { a: literal("1.1", namedNode("http://www.w3.org/2001/XMLSchema#float")) },
    ],
    ["minus turns the sign", "-(1.5)", decimal("-1.5")],
    ["zero has no sign", "-(0)", integer(0)],
    ["a string is no number", `1 + "1"`, "error"],
    ["nor is an unbound variable", "1 + ?unbound", "error"],
    ["derived integers compute as integers", `"5"^^xsd:byte + 1`, integer(6)],
    ["a text out of its type's range is no number", `"300"^^xsd:byte + 1`, "error"],
    ["a sign and zeros in front do not matter", `"+007"^^xsd:integer + 0`, integer(7)],
    ["ABS", "ABS(-1.5)", decimal("1.5")],
    ["ABS keeps the type", "ABS(-2e0)", double("2.0E0")],
    ["ROUND goes up at halves", "ROUND(2.5)", decimal("3")],
    ["also below zero", "ROUND(-2.5)", decimal("-2")],
    ["ROUND of a double", "ROUND(-2.5e0)", double("-2.0E0")],
    ["CEIL", "CEIL(-1.5)", decimal("-1")],
    ["FLOOR", "FLOOR(-1.5)", decimal("-2")],
    ["FLOOR of an integer is itself", "FLOOR(7)", integer(7)],
    ["of a string there is none", `CEIL("1.5")`, "error"],
    ["doubles are written canonically", "1e6 * 10", double("1.0E7")],
    ["small ones too", "1e0 / 8", double("1.25E-1")],
  ]);

  it("RAND is a double from 0 to 1, another each time", () => {
    const [one, other] = [evaluate("RAND()"), evaluate("RAND()")];
    expect(one).to.match(/^"\d(?:\.\d+)?E-?\d+"\^\^xsd:double$/);
    expect(one).not.to.equal(other);
    expect(evaluate("RAND() < 1")).to.equal(TRUE);
  });
});

describe("expressions: comparing", () => {
  table([
    ["an integer equals a decimal", "1 = 1.0", TRUE],
    ["and a double", "1 = 1e0", TRUE],
    ["large integers that differ in the last digit differ", "9007199254740993 = 9007199254740992", FALSE],
    ["and are in order", "9007199254740993 > 9007199254740992", TRUE],
    ["long decimals differ in the last digit", "0.10000000000000000001 > 0.1", TRUE],
    ["NaN equals nothing", `"NaN"^^xsd:double = "NaN"^^xsd:double`, FALSE],
    ["and is not less", `"NaN"^^xsd:double < 1`, FALSE],
    ["strings are compared by code points", `"a" < "b"`, TRUE],
    ["beyond the basic plane too", `"\uFFFD" < "\u{1F600}"`, TRUE],
    ["a string is no number", `"1" < 2`, "error"],
    ["and a number no string", `1 = "1"`, "error"],
    ["strings with a language equal the same", `"chat"@fr = "chat"@FR`, TRUE],
    ["and differ from others", `"chat"@fr = "chat"@en`, FALSE],
    ["and from strings without one", `"chat"@fr != "chat"`, TRUE],
    ["they have no order", `"a"@en < "b"@en`, "error"],
    ["IRIs are equal or not", "ex:a = ex:b", FALSE],
    ["but in no order", "ex:a < ex:b", "error"],
    ["an IRI is no literal", `ex:a != "a"`, TRUE],
    ["unknown datatypes: the same term is equal", `"x"^^ex:t = "x"^^ex:t`, TRUE],
    ["another one may be or not", `"x"^^ex:t = "y"^^ex:t`, "error"],
    ["a text that is none of its type is an error", `"x"^^xsd:integer = 1`, "error"],
    ["booleans", "false < true", TRUE],
    ["0 is false", `"0"^^xsd:boolean = false`, TRUE],
    [
      "moments in two zones",
      `"2026-01-01T12:00:00Z"^^xsd:dateTime = "2026-01-01T13:00:00+01:00"^^xsd:dateTime`,
      TRUE,
    ],
    [
      "a moment without a zone is in UTC",
      `"2026-01-01T12:00:00"^^xsd:dateTime = "2026-01-01T12:00:00Z"^^xsd:dateTime`,
      TRUE,
    ],
    [
      "the end of a day is the next one's beginning",
      `"2025-12-31T24:00:00Z"^^xsd:dateTime = "2026-01-01T00:00:00Z"^^xsd:dateTime`,
      TRUE,
    ],
    [
      "billionths of a second count",
      `"2026-01-01T12:00:00.000000001Z"^^xsd:dateTime > "2026-01-01T12:00:00Z"^^xsd:dateTime`,
      TRUE,
    ],
    [
      "a year before the common era",
      `"-0044-03-15T12:00:00Z"^^xsd:dateTime < "0001-01-01T00:00:00Z"^^xsd:dateTime`,
      TRUE,
    ],
    ["dates", `"2026-02-01"^^xsd:date > "2026-01-31"^^xsd:date`, TRUE],
    ["a date is no moment", `"2026-02-01"^^xsd:date > "2026-01-31T00:00:00Z"^^xsd:dateTime`, "error"],
    ["a day that there is not is no date", `"2026-02-30"^^xsd:date > "2026-01-31"^^xsd:date`, "error"],
    ["times", `"12:00:00"^^xsd:time < "13:00:00"^^xsd:time`, TRUE],
    ["durations of the same length", `"P1Y"^^xsd:yearMonthDuration = "P12M"^^xsd:duration`, TRUE],
    ["days are in order", `"PT25H"^^xsd:dayTimeDuration > "P1D"^^xsd:dayTimeDuration`, TRUE],
    ["months and days are not", `"P1M"^^xsd:duration < "P30D"^^xsd:duration`, "error"],
    [
      "a variable and a constant",
      "?a >= 10",
      TRUE,
      { a: literal("10.0", namedNode("http://www.w3.org/2001/XMLSchema#decimal")) },
    ],
    [
      "the other way around",
      "10 < ?a",
      FALSE,
      { a: literal("10.0", namedNode("http://www.w3.org/2001/XMLSchema#decimal")) },
    ],
    [
      "a float is compared as one",
      `0.1 = ?a`,
      TRUE,
      { a: literal("0.1", namedNode("http://www.w3.org/2001/XMLSchema#float")) },
    ],
    ["a blank node is itself", "?a = ?a", TRUE, { a: blankNode("x") }],
    ["nothing is compared with what is not there", "?unbound = 1", "error"],
    ["sameTerm looks at the text", "SAMETERM(1, 1.0)", FALSE],
    ["and finds the same", "SAMETERM(?a, ex:a)", TRUE, { a: namedNode("http://example.org/a") }],
    ["IN", "2 IN (1, 2.0, 3)", TRUE],
    ["IN finds it though there was an error", `2 IN ("x", 2)`, TRUE],
    ["IN fails when it is not found and there was an error", `3 IN ("x", 2)`, "error"],
    ["IN of nothing", "1 IN ()", FALSE],
    ["NOT IN", "ex:a NOT IN (ex:b, ex:c)", TRUE],
    ["NOT IN fails alike", `3 NOT IN ("x", 2)`, "error"],
    ["IRIs that are one of some", "?a IN (ex:a, ex:b)", TRUE, { a: namedNode("http://example.org/b") }],
  ]);
});

// https://www.w3.org/TR/sparql11-query/#evaluation
describe("expressions: logic", () => {
  const ERROR = "?unbound";
  const truths = { T: "true", F: "false", E: ERROR };
  const shown = { T: TRUE, F: FALSE, E: "error" };
  // biome-ignore format: the table of the specification
  const rows: readonly (readonly [a: "T" | "F" | "E", b: "T" | "F" | "E", or: "T" | "F" | "E", and: "T" | "F" | "E"])[] = [
    ["T", "T", "T", "T"], ["T", "F", "T", "F"], ["F", "T", "T", "F"], ["F", "F", "F", "F"],
    ["T", "E", "T", "E"], ["E", "T", "T", "E"], ["F", "E", "E", "F"], ["E", "F", "E", "F"], ["E", "E", "E", "E"],
  ];
  for (const [a, b, or, and] of rows)
    it(`${a} and ${b}`, () => {
      expect(evaluate(`${truths[a]} || ${truths[b]}`)).to.equal(shown[or]);
      expect(evaluate(`${truths[a]} && ${truths[b]}`)).to.equal(shown[and]);
    });

  table([
    ["not", "!false", TRUE],
    ["not an error", `!ex:a`, "error"],
    ["the empty string is false", `!""`, TRUE],
    ["zero is false", "!0.0", TRUE],
    ["NaN is false", `!"NaN"^^xsd:double`, TRUE],
    ["a number's type with another text is false", `!"x"^^xsd:integer`, TRUE],
    ["a string with a language is true", `!"a"@en`, FALSE],
    ["a moment is neither", `!"2026-01-01"^^xsd:date`, "error"],
    ["IF", `IF(1 < 2, "yes", "no")`, `"yes"`],
    ["IF looks at one side only", `IF(false, 1/0, 2)`, integer(2)],
    ["IF of an error", "IF(?unbound, 1, 2)", "error"],
    [
      "COALESCE takes the first that is none",
      "COALESCE(?unbound, 1/0, ?a, 3)",
      integer(2),
      { a: literal("2", namedNode("http://www.w3.org/2001/XMLSchema#integer")) },
    ],
    ["COALESCE of errors", "COALESCE(?unbound, 1/0)", "error"],
    ["COALESCE of nothing", "COALESCE()", "error"],
    ["BOUND", "BOUND(?a)", TRUE, { a: literal("x") }],
    ["not BOUND", "BOUND(?unbound)", FALSE],
    ["EXISTS", "EXISTS {}", TRUE],
    ["NOT EXISTS", "NOT EXISTS { ex:a ex:b ex:c }", TRUE],
    ["a function that nobody knows is an error", "ex:function(1)", "error"],
    ["which may not matter", "COALESCE(ex:function(1), 2)", integer(2)],
  ]);

  it("FILTER takes an error for false", () => {
    expect(passes("?unbound")).to.equal(false);
    expect(passes("!?unbound")).to.equal(false);
    expect(passes(`"a"`)).to.equal(true);
    expect(passes("?a > 5", { a: literal("6") })).to.equal(false);
  });
});

// https://www.w3.org/TR/sparql11-query/#func-rdfTerms
describe("expressions: terms", () => {
  const blank = { a: blankNode("x") };
  table([
    ["isIRI", "isIRI(ex:a)", TRUE],
    ["isURI is the same", `isURI("a")`, FALSE],
    ["isBlank", "isBlank(?a)", TRUE, blank],
    ["isLiteral", "isLiteral(1)", TRUE],
    ["isNumeric", "isNumeric(1.5)", TRUE],
    ["isNumeric of a number's type with another text", `isNumeric("x"^^xsd:integer)`, FALSE],
    ["isNumeric of a string", `isNumeric("1")`, FALSE],
    ["of nothing there is no kind", "isIRI(?unbound)", "error"],
    ["STR of an IRI", "STR(ex:a)", `"http://example.org/a"`],
    ["STR keeps the text", `STR("01"^^xsd:integer)`, `"01"`],
    ["STR loses the language", `STR("a"@en)`, `"a"`],
    ["STR of a blank node", "STR(?a)", "error", blank],
    ["LANG", `LANG("a"@en-GB)`, `"en-gb"`],
    ["LANG of none", "LANG(1)", `""`],
    ["LANG of an IRI", "LANG(ex:a)", "error"],
    ["DATATYPE of a string", `DATATYPE("a")`, "<http://www.w3.org/2001/XMLSchema#string>"],
    [
      "DATATYPE of one with a language",
      `DATATYPE("a"@en)`,
      "<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>",
    ],
    ["IRI makes one", `IRI("http://example.org/b")`, "<http://example.org/b>"],
    ["against the base", `IRI("../x#y")`, "<https://pod.example/x#y>"],
    ["of a computed string", `IRI(CONCAT("a", "b"))`, "<https://pod.example/ana/ab>"],
    ["an IRI stays", "IRI(ex:a)", "<http://example.org/a>"],
    ["not with spaces", `IRI("a b")`, "error"],
    ["not of a number", "IRI(1)", "error"],
    ["STRDT", `STRDT("1", xsd:integer)`, integer(1)],
    ["STRDT of what has a language", `STRDT("1"@en, xsd:integer)`, "error"],
    ["STRDT with what is no IRI", `STRDT("1", "x")`, "error"],
    ["STRLANG", `STRLANG("chat", "FR")`, `"chat"@fr`],
    ["STRLANG of what has one", `STRLANG("chat"@en, "fr")`, "error"],
    ["STRLANG with what is no tag", `STRLANG("chat", "")`, "error"],
    ["BNODE", "BNODE()", "_:"],
    ["BNODE with a label", `isBlank(BNODE("a"))`, TRUE],
    ["BNODE of a number", "BNODE(1)", "error"],
    ["UUID", "isIRI(UUID())", TRUE],
    ["UUID is a name", `REGEX(STR(UUID()), "^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")`, TRUE],
    ["STRUUID", "STRLEN(STRUUID())", integer(36)],
  ]);
});

// https://www.w3.org/TR/sparql11-query/#func-bnode
describe("expressions: BNODE with a label", () => {
  const terms = createTerms();
  const context = { ...contextOf(terms), solution: () => solution };
  let solution = 0;
  // Each expression of a query has a context of its own.
  const compute = (text: string) => compileExpression(readExpression(text), { ...context });
  const [first, second, other] = [`BNODE("x")`, `BNODE("x")`, `BNODE("y")`].map(compute);
  const row = new Uint32Array(4);

  it("is the same node within a solution", () => {
    expect(first!(row)).to.equal(second!(row));
    expect(first!(row)).not.to.equal(other!(row));
  });
  it("and another in the next", () => {
    const before = first!(row);
    solution++;
    expect(second!(row)).not.to.equal(before);
  });
  it("BNODE() is another each time", () => {
    const fresh = compute("BNODE()");
    expect(fresh(row)).not.to.equal(fresh(row));
  });
});

// https://www.w3.org/TR/sparql11-query/#func-strings
describe("expressions: strings", () => {
  table([
    ["STRLEN counts characters", `STRLEN("日本")`, integer(2)],
    ["not halves of them", `STRLEN("a😀b")`, integer(3)],
    ["STRLEN of a number", "STRLEN(12)", "error"],
    ["SUBSTR", `SUBSTR("motor car", 6)`, `" car"`],
    ["SUBSTR with a length", `SUBSTR("metadata", 4, 3)`, `"ada"`],
    ["SUBSTR rounds", `SUBSTR("12345", 1.5, 2.6)`, `"234"`],
    ["SUBSTR from before the beginning", `SUBSTR("12345", 0, 3)`, `"12"`],
    ["SUBSTR of nothing", `SUBSTR("12345", 5, -3)`, `""`],
    ["SUBSTR keeps the language", `SUBSTR("hello"@en, 2)`, `"ello"@en`],
    ["SUBSTR counts characters", `SUBSTR("a😀b", 2, 1)`, `"😀"`],
    ["UCASE", `UCASE("straße"@de)`, `"STRASSE"@de`],
    ["LCASE", `LCASE("ÀB")`, `"àb"`],
    ["STRSTARTS", `STRSTARTS("foobar", "foo")`, TRUE],
    ["STRENDS", `STRENDS("foobar"@en, "bar")`, TRUE],
    ["CONTAINS", `CONTAINS("foobar"@en, "oba"@en)`, TRUE],
    ["languages must agree", `CONTAINS("foobar"@en, "oba"@fr)`, "error"],
    ["a language in a string without one", `CONTAINS("foobar", "oba"@en)`, "error"],
    ["STRBEFORE", `STRBEFORE("abc"@en, "b")`, `"a"@en`],
    ["STRBEFORE of what is not there", `STRBEFORE("abc"@en, "x")`, `""`],
    ["STRBEFORE of nothing", `STRBEFORE("abc"@en, "")`, `""@en`],
    ["STRAFTER", `STRAFTER("abc", "b")`, `"c"`],
    ["STRAFTER of nothing", `STRAFTER("abc"@en, ""@en)`, `"abc"@en`],
    ["STRAFTER of another language", `STRAFTER("abc"@en, "b"@fr)`, "error"],
    ["CONCAT", `CONCAT("a", "b", "c")`, `"abc"`],
    ["CONCAT of one language", `CONCAT("a"@en, "b"@en)`, `"ab"@en`],
    ["CONCAT of two", `CONCAT("a"@en, "b"@fr)`, `"ab"`],
    ["CONCAT with and without", `CONCAT("a"@en, "b")`, `"ab"`],
    ["CONCAT of nothing", "CONCAT()", `""`],
    ["CONCAT of a number", `CONCAT("a", 1)`, "error"],
    [
      "ENCODE_FOR_URI",
      `ENCODE_FOR_URI("Los Angeles/100%~bébé!"@en)`,
      `"Los%20Angeles%2F100%25~b%C3%A9b%C3%A9%21"`,
    ],
    ["LANGMATCHES", `LANGMATCHES("en-GB", "EN")`, TRUE],
    ["LANGMATCHES is about parts", `LANGMATCHES("eng", "en")`, FALSE],
    ["any language", `LANGMATCHES("fr", "*")`, TRUE],
    ["no language", `LANGMATCHES("", "*")`, FALSE],
    ["REGEX", `REGEX("Alice"@en, "^al", "i")`, TRUE],
    ["REGEX that is none", `REGEX("Alice", "(")`, "error"],
    ["REGEX with flags that are none", `REGEX("Alice", "a", "z")`, "error"],
    ["REGEX from a variable", `REGEX("Alice", ?a)`, TRUE, { a: literal("l.c") }],
    ["REPLACE", `REPLACE("abcd"@en, "b", "Z")`, `"aZcd"@en`],
    ["REPLACE of groups", `REPLACE("abcd", "(ab)|(a)", "[1=$1][2=$2]")`, `"[1=ab][2=]cd"`],
    ["REPLACE of nothing", `REPLACE("abcd", "x*", "-")`, "error"],
    ["MD5", `MD5("abc")`, `"900150983cd24fb0d6963f7d28e17f72"`],
    ["SHA1", `SHA1("abc")`, `"a9993e364706816aba3e25717850c26c9cd0d89d"`],
    ["SHA256 of UTF-8", `SHA256("日")`, `"85217f7aff77841438439fb3e7cf37bb3062fb026453c7692247d3a5641a0115"`],
    ["hashes of what has a language", `MD5("abc"@en)`, "error"],
    ["computed strings are compared", `LCASE("ABC") = "abc"`, TRUE],
    ["also with a language", `LCASE("ABC"@en) = "abc"`, FALSE],
    ["with a number", `LCASE("1") = 1`, "error"],
    ["and are in order", `UCASE("a") < "B"`, TRUE],
  ]);

  it("a text that would fill the memory is an error", () => {
    const bindings = { a: literal("x".repeat(1_000)) };
    const joined = (count: number) =>
      `STRLEN(CONCAT(${Array.from({ length: count }, () => "?a").join(",")}))`;
    expect(evaluate(joined(4_000), bindings)).to.equal(integer(4_000_000));
    expect(evaluate(joined(5_000), bindings)).to.equal("error");
  });
});

// https://www.w3.org/TR/sparql11-query/#func-date-time
describe("expressions: dates and times", () => {
  const moment = `"2011-01-10T14:45:13.815-05:00"^^xsd:dateTime`;
  table([
    ["NOW is the same in the whole query", "NOW() = NOW()", TRUE],
    ["NOW", "NOW()", `"2026-11-22T10:00:00Z"^^xsd:dateTime`],
    ["YEAR", `YEAR(${moment})`, integer(2011)],
    ["MONTH", `MONTH(${moment})`, integer(1)],
    ["DAY", `DAY(${moment})`, integer(10)],
    ["HOURS are those of its zone", `HOURS(${moment})`, integer(14)],
    ["MINUTES", `MINUTES(${moment})`, integer(45)],
    ["SECONDS", `SECONDS(${moment})`, decimal("13.815")],
    ["TIMEZONE", `TIMEZONE(${moment})`, `"-PT5H"^^xsd:dayTimeDuration`],
    ["TIMEZONE of UTC", `TIMEZONE("2011-01-10T14:45:13Z"^^xsd:dateTime)`, `"PT0S"^^xsd:dayTimeDuration`],
    ["TIMEZONE of none", `TIMEZONE("2011-01-10T14:45:13"^^xsd:dateTime)`, "error"],
    ["TZ", `TZ(${moment})`, `"-05:00"`],
    ["TZ of UTC", `TZ("2011-01-10T14:45:13Z"^^xsd:dateTime)`, `"Z"`],
    ["TZ of none", `TZ("2011-01-10T14:45:13"^^xsd:dateTime)`, `""`],
    ["YEAR of a date", `YEAR("2026-05-01"^^xsd:date)`, integer(2026)],
    ["HOURS of a date", `HOURS("2026-05-01"^^xsd:date)`, "error"],
    ["YEAR of a string", `YEAR("2026-05-01")`, "error"],
    ["before the common era", `YEAR("-0044-03-15T00:00:00Z"^^xsd:dateTime)`, integer(-44)],
    ["a leap day", `DAY("2024-02-29T00:00:00Z"^^xsd:dateTime)`, integer(29)],
    [
      "days ago",
      `"2026-03-01T10:00:00Z"^^xsd:dateTime - "P1D"^^xsd:dayTimeDuration`,
      `"2026-02-28T10:00:00Z"^^xsd:dateTime`,
    ],
    [
      "a month later",
      `"2026-01-31T10:00:00+01:00"^^xsd:dateTime + "P1M"^^xsd:yearMonthDuration`,
      `"2026-02-28T10:00:00+01:00"^^xsd:dateTime`,
    ],
    ["a year of a date", `"2024-02-29"^^xsd:date + "P1Y"^^xsd:duration`, `"2025-02-28"^^xsd:date`],
    [
      "between two moments",
      `"2026-01-02T00:00:00Z"^^xsd:dateTime - "2026-01-01T12:30:00Z"^^xsd:dateTime`,
      `"PT11H30M"^^xsd:dayTimeDuration`,
    ],
    ["between two dates", `"2026-01-01"^^xsd:date - "2026-01-31"^^xsd:date`, `"-P30D"^^xsd:dayTimeDuration`],
    ["round midnight", `"23:30:00"^^xsd:time + "PT1H"^^xsd:dayTimeDuration`, `"00:30:00"^^xsd:time`],
    [
      "two durations",
      `"P1D"^^xsd:dayTimeDuration + "PT36H"^^xsd:dayTimeDuration`,
      `"P2DT12H"^^xsd:dayTimeDuration`,
    ],
    [
      "of months nothing is left",
      `"P1Y"^^xsd:yearMonthDuration - "P12M"^^xsd:yearMonthDuration`,
      `"P0M"^^xsd:yearMonthDuration`,
    ],
    ["a time has no months", `"10:00:00"^^xsd:time + "P1M"^^xsd:yearMonthDuration`, "error"],
    ["moments are not added", `NOW() + NOW()`, "error"],
    [
      "in a filter of last month",
      `"2026-11-01T00:00:00Z"^^xsd:dateTime > NOW() - "P30D"^^xsd:duration`,
      TRUE,
    ],
  ]);
});

// https://www.w3.org/TR/sparql11-query/#FunctionMapping
describe("expressions: casts", () => {
  table([
    ["a number to a string", `xsd:string(1.50)`, `"1.5"`],
    ["a double to a string", `xsd:string(1e0)`, `"1"`],
    ["a large double", `xsd:string(1e7)`, `"1.0E7"`],
    ["a truth value to a string", `xsd:string("0"^^xsd:boolean)`, `"false"`],
    ["an IRI to a string", `xsd:string(ex:a)`, `"http://example.org/a"`],
    ["a computed number", `xsd:string(1 + 1)`, `"2"`],
    ["a string to a boolean", `xsd:boolean("1")`, TRUE],
    ["another string", `xsd:boolean("yes")`, "error"],
    ["a number to a boolean", `xsd:boolean(0.0)`, FALSE],
    ["a string to an integer", `xsd:integer(" 13 ")`, integer(13)],
    ["not with a fraction", `xsd:integer("1.5")`, "error"],
    ["a decimal is cut", `xsd:integer(-2.9)`, integer(-2)],
    ["a large double", `xsd:integer(1e20)`, integer("100000000000000000000")],
    ["no infinity", `xsd:integer("INF"^^xsd:double)`, "error"],
    ["a string to a decimal", `xsd:decimal("+33.3300")`, decimal("33.33")],
    ["not with an exponent", `xsd:decimal("1e3")`, "error"],
    ["a double to a decimal", `xsd:decimal(1.25e0)`, decimal("1.25")],
    ["a boolean to a decimal", "xsd:decimal(true)", decimal("1")],
    ["a string to a double", `xsd:double("-10.2E3")`, double("-1.02E4")],
    ["infinity to a double", `xsd:double("-INF")`, double("-INF")],
    ["a string to a float", `xsd:float("0.1")`, `"1.0E-1"^^xsd:float`],
    ["hexadecimal is none", `xsd:double("0x10")`, "error"],
    ["nothing is no number", `xsd:double("")`, "error"],
    ["what has a language", `xsd:integer("1"@en)`, "error"],
    ["a moment", `xsd:dateTime("2002-10-10T17:00:00Z")`, `"2002-10-10T17:00:00Z"^^xsd:dateTime`],
    ["what is no moment", `xsd:dateTime("2002-10-10")`, "error"],
    ["a date to a moment", `xsd:dateTime("2002-10-10"^^xsd:date)`, `"2002-10-10T00:00:00"^^xsd:dateTime`],
    [
      "a moment to its day",
      `xsd:date("2002-10-10T23:00:00-02:00"^^xsd:dateTime)`,
      `"2002-10-10-02:00"^^xsd:date`,
    ],
    ["a moment to its time", `xsd:time("2002-10-10T23:00:01.5Z"^^xsd:dateTime)`, `"23:00:01.5Z"^^xsd:time`],
    ["a duration", `xsd:dayTimeDuration("PT36H")`, `"PT36H"^^xsd:dayTimeDuration`],
    [
      "of months there are no days",
      `xsd:dayTimeDuration("P1M"^^xsd:duration)`,
      `"PT0S"^^xsd:dayTimeDuration`,
    ],
    ["nothing is cast to an IRI's type", `xsd:anyURI("a")`, "error"],
  ]);
});
