import { expect } from "chai";
import { Problem } from "../../../server/errors.ts";
import { LIMITS } from "../../../server/limits.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { parseUpdate } from "../../../server/query/sparql/update.ts";

const OPTIONS = { baseIri: "http://a.example/", limits: LIMITS };
type Parse = (text: string, options: typeof OPTIONS) => unknown;

function problemOf(text: string, parse: Parse = parseQuery): Problem {
  try {
    parse(text, OPTIONS);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error(`read without complaint: ${text.slice(0, 100)}`);
}

describe("what is wrong with a query is said with its place", () => {
  for (const [text, at, detail] of [
    ["", "1:1", "Expected SELECT, ASK, CONSTRUCT or DESCRIBE, found the end"],
    ["SELECT ?a WHERE { ?a ?b }", "1:25", "Expected a term or a variable, found “}”"],
    ["SELECT ?a\nWHERE {\n  ?a <p ?b }", "3:6", "An address holds a character that addresses do not have"],
    ["SELECT * { ?a ex:p 1 }", "1:15", "The prefix “ex:” is not declared"],
    ["SELECT * { ?a ?b 1 ?c ?d 2 }", "1:20", "Expected a pattern or “}”, found “?c”"],
    ["SELECT * { ?a ?b 'x\n' }", "1:18", "A string is left open at the end of its line"],
    ["SELECT * { ?a ?b 1 } LIMIT", "1:27", "Expected a whole number, found the end"],
    ["SELECT * { ?a ?b 1 } LIMIT -1", "1:28", "Expected a whole number, found “-1”"],
    ["SELECT * { ?a ?b 1 } nonsense", "1:22", "Expected a solution modifier or the end, found “nonsense”"],
    ["SELECT * { FILTER(?a = ) }", "1:24", "Expected an expression, found “)”"],
    ["SELECT * { FILTER ?a }", "1:19", "Expected a condition, found “?a”"],
    ["SELECT * { FILTER(NOSUCH(?a)) }", "1:19", "Expected an expression, found “NOSUCH”"],
    ["SELECT * { FILTER(STRLEN(?a, ?b)) }", "1:19", "STRLEN takes 1 operands, not 2"],
    [
      "SELECT * { FILTER(COUNT(?a) > 1) }",
      "1:19",
      "COUNT cannot stand here: only in SELECT, HAVING and ORDER BY",
    ],
    ["SELECT (SUM(MAX(?a)) AS ?b) {}", "1:13", "MAX cannot stand here: only in SELECT, HAVING and ORDER BY"],
    ["SELECT ?a { ?a ?p ?o } GROUP BY ?p", "1:8", "?a is neither grouped by nor aggregated"],
    ["SELECT ?a { ?a ?p ?o } HAVING(COUNT(*) > 1)", "1:8", "?a is neither grouped by nor aggregated"],
    [
      "SELECT (STR(?a) AS ?b) (COUNT(*) AS ?n) { ?a ?p ?o }",
      "1:8",
      "?a is neither grouped by nor aggregated",
    ],
    ["SELECT (1 AS ?a) { ?a ?b 1 }", "1:8", "?a has a value in the pattern already"],
    ["SELECT * { ?a ?b 1 BIND(2 AS ?a) }", "1:24", "BIND gives ?a a value, which has one before it"],
    [
      "SELECT * { { ?a ?b 1 } OPTIONAL { ?c ?d 1 } BIND(2 AS ?c) }",
      "1:49",
      "BIND gives ?c a value, which has one before it",
    ],
    [
      "SELECT * { _:x ?p 1 OPTIONAL { _:x ?q 1 } }",
      "1:32",
      "The blank node _:x stands in another group of patterns already",
    ],
    [
      "SELECT * { _:x ?p 1 BIND(1 AS ?b) _:x ?q 1 }",
      "1:35",
      "The blank node _:x stands in another group of patterns already",
    ],
    ["SELECT * { VALUES (?a ?b) {\n(1) } }", "2:1", "A row of VALUES has 2 values, not 1"],
    ["SELECT * { VALUES ?a { ?b } }", "1:24", "Expected an IRI, a literal or UNDEF, found “?b”"],
    ["CONSTRUCT { ?a <p>* ?b } { ?a ?b ?c }", "1:19", "Expected a term or a variable, found “*”"],
    ["CONSTRUCT { ?a ?b 1 FILTER(1) } { }", "1:21", "Expected a triple or “}”, found “FILTER”"],
    ["SELECT * { ?a ?b 1 } \u{1f600}", "1:22", "Expected a solution modifier or the end, found “\u{1f600}”"],
    ["\\u0041SK { ?a nope }", "1:15", "Expected a predicate or a path, found “nope”"],
    ["ASK { ?a ?b '\\uD800' }", "1:14", "There is no character U+D800"],
    [
      "ASK { ?a ?b <\\u003E> }",
      "1:13",
      "The IRI <http://a.example/>> holds a character that IRIs do not have",
    ],
  ] as const)
    it(JSON.stringify(text), () => {
      const problem = problemOf(text);
      expect(problem.code).to.equal("query-invalid");
      expect(problem.errors).to.deep.equal([{ detail, at }]);
      expect(problem.detail).to.equal(`${detail} (line:column ${at})`);
    });

  for (const [text, at, detail] of [
    ["SELECT * { ?a ?b ?c }", "1:1", "Expected an operation or the end, found “SELECT”"],
    ["INSERT DATA { ?a <p> 1 }", "1:15", "Data have no variables"],
    ["INSERT DATA { GRAPH ?g { <a> <p> 1 } }", "1:21", "Data have no variables"],
    ["DELETE DATA { _:a <p> 1 }", "1:15", "What is deleted has no blank nodes"],
    ["DELETE WHERE { ?a <p> [] }", "1:24", "What is deleted has no blank nodes"],
    ["DELETE { ?a <p> (1) } WHERE { ?a <p> 1 }", "1:18", "What is deleted has no blank nodes"],
    ["INSERT DATA { <a> <p>/<q> 1 }", "1:22", "Expected a term or a variable, found “/”"],
    ["INSERT { <a> <p> 1 }", "1:21", "Expected WHERE, found the end"],
    ["CLEAR GRAPH", "1:12", "Expected an IRI, found the end"],
    ["CLEAR ALL ;; CLEAR ALL", "1:12", "Expected an operation or the end, found “;”"],
  ] as const)
    it(JSON.stringify(text), () => {
      const problem = problemOf(text, parseUpdate);
      expect(problem.code).to.equal("query-invalid");
      expect(problem.errors).to.deep.equal([{ detail, at }]);
    });
});

describe("what would be too much is refused, and nothing overflows", () => {
  const deep = (open: string, close: string, core = "", times = 100_000) =>
    `${open.repeat(times)}${core}${close.repeat(times)}`;
  const short = (text: string) => text.slice(0, LIMITS.queryTextBytesMax);
  for (const [says, text] of [
    ["a query of one byte too many", `ASK {}${" ".repeat(LIMITS.queryTextBytesMax - 5)}`],
    ["the same in characters of three bytes", `ASK { ?a ?b "${"€".repeat(LIMITS.queryTextBytesMax / 3)}" }`],
    ["groups", short(`ASK ${deep("{", "}")}`)],
    ["brackets in expressions", short(`ASK { FILTER ${deep("(", ")", "1")} }`)],
    ["negations", short(`ASK { FILTER (${"!".repeat(100_000)}1) }`)],
    ["signs", short(`ASK { FILTER (${"- (".repeat(100_000)}1) }`)],
    ["calls", short(`ASK { FILTER ${deep("STR(", ")", "1")} }`)],
    ["lists", short(`ASK { ?a ?b ${deep("(", ")", "1")} }`)],
    ["blank nodes", short(`ASK { ?a ?b ${deep("[ ?p ", "]", "1")} }`)],
    ["blank nodes as subjects", short(`ASK { ${deep("[ ?p ", "]", "1")} }`)],
    ["paths", short(`ASK { ?a ${deep("(", ")", "<p>")} ?b }`)],
    ["inverse paths", short(`ASK { ?a ${deep("^(", ")", "<p>")} ?b }`)],
    ["sub-selects", short(`ASK { ${deep("{ SELECT * {", "}}")} }`)],
    ["EXISTS", short(`ASK { ${deep("FILTER EXISTS {", "}")} }`)],
    ["a long sum", short(`ASK { FILTER (1${"+1".repeat(30_000)}) }`).replace(/.{3}$/, ")}")],
    ["a long product", short(`ASK { FILTER (1${"*1".repeat(30_000)}) }`)],
    ["triples", `ASK { ${"?a ?b 1 . ".repeat(1_000)} }`],
    ["optional parts", `ASK { ${"OPTIONAL {} ".repeat(1_000)} }`],
    ["unions", `ASK { {} ${"UNION {} ".repeat(1_000)} }`],
    ["empty groups", `ASK { ${"{} ".repeat(1_000)} }`],
    [
      "expressions in SELECT",
      `SELECT ${Array.from({ length: 1_000 }, (_, at) => `(1 AS ?v${at})`).join(" ")} {}`,
    ],
    ["steps of a path", `ASK { ?a <p>${"/<p>".repeat(1_000)} ?b }`],
    ["ways of a path", `ASK { ?a <p>${"|<p>".repeat(1_000)} ?b }`],
    ["a long regular expression", `ASK { FILTER REGEX(?a, "${"a".repeat(LIMITS.queryRegexBytesMax + 1)}") }`],
  ] as const)
    it(says, () => expect(problemOf(text).code).to.equal("query-refused"));

  it("but a long list is not a deep one", () => {
    const many = Array.from({ length: 2_000 }, (_, at) => `?a = ${at}`);
    parseQuery(`ASK { FILTER(${many.join(" || ")}) ${"FILTER(?b) ".repeat(500)} }`, OPTIONS);
    parseQuery(`ASK { FILTER(?a IN (${many.map((_, at) => at).join()})) }`, OPTIONS);
    parseQuery(`ASK { VALUES ?a { ${many.map((_, at) => at).join(" ")} } }`, OPTIONS);
  });

  it("and data may be as many as a document has", () => {
    const data = (count: number) => `INSERT DATA { ${"<a><p>1.".repeat(count)} }`;
    parseUpdate(data(LIMITS.rdfQuadsMax), OPTIONS);
    expect(problemOf(data(LIMITS.rdfQuadsMax + 1), parseUpdate).code).to.equal("query-refused");
    expect(problemOf(`${" ".repeat(LIMITS.patchBytesMax)}CLEAR ALL`, parseUpdate).code).to.equal(
      "query-refused",
    );
  });
});

describe("whatever the text", () => {
  const PIECES = [
    "SELECT", "*", "?a", "{", "}", "(", ")", "[", "]", "<p>", "ex:p", "_:b", '"x"', "'''", '"', "'", "<", ">", "=", "!", "^",
    "^^", "@en", "|", "||", "&&", "/", "+", "-", "1", "1.5", "1e3", ".", ";", ",", "FILTER", "OPTIONAL", "UNION", "MINUS",
    "GRAPH", "BIND", "AS", "VALUES", "UNDEF", "EXISTS", "NOT", "IN", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "COUNT",
    "STR", "a", "true", "ASK", "CONSTRUCT", "WHERE", "DESCRIBE", "INSERT DATA", "DELETE", "#c\n", "\\u0041", "\\", "\u0000",
    "\u{1f600}", "\ud800", "é", "PREFIX ex: <http://e/>", "BASE <b>", "$", "?", "::", "%", "DISTINCT", "SEPARATOR",
  ]; // biome-ignore format: a list
  it("it is read, or refused with a reason: 40,000 heaps of words", () => {
    let seed = 7;
    const next = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    let read = 0;
    for (let round = 0; round < 40_000; round++) {
      const words = Array.from({ length: 1 + next(14) }, () => PIECES[next(PIECES.length)]!);
      const text = (round % 2 ? ["ASK {", ...words, "}"] : words).join(next(3) ? " " : "");
      for (const parse of [parseQuery, parseUpdate] as Parse[]) {
        try {
          parse(text, OPTIONS);
          read++;
        } catch (error) {
          if (!(error instanceof Problem)) throw new Error(`at ${JSON.stringify(text)}`, { cause: error });
        }
      }
    }
    expect(read).to.be.above(50);
  });
});
