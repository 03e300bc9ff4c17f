/** Queries made to take the server down: each must be answered or refused in time, and the next query must find it well. */
import { expect } from "chai";
import { createTestPod, type TestPod, UNION } from "../fixture.ts";

const many = (count: number, make: (at: number) => string, between = " "): string =>
  Array.from({ length: count }, (_, at) => make(at)).join(between);
const nested = (depth: number, open: string, inside: string, close: string): string =>
  open.repeat(depth) + inside + close.repeat(depth);
const E = "<http://e/p>";
const all = (where: string, head = "SELECT (COUNT(*) AS ?n)"): string =>
  `${head} FROM <${UNION}> { ${where} }`;

/** Name and query; one line each, by what they attack. */
const SHAPES: readonly (readonly [string, string])[] = [
  // The parser: depth, length, numbers of things.
  ["10,000 groups in each other", all(nested(10_000, "{ ", "?s ?p ?o", " }"))],
  ["10,000 brackets in an expression", all(`?s ?p ?o FILTER ${nested(10_000, "(", "?o", ")")}`)],
  ["10,000 negations", all(`?s ?p ?o FILTER (${"!".repeat(10_000)}?o)`)],
  ["10,000 minus signs", all(`?s ?p ?o BIND (${"- ".repeat(10_000)}1 AS ?x)`)],
  ["10,000 blank nodes in each other", all(nested(10_000, `[ ${E} `, "1", " ]"))],
  ["10,000 lists in each other", all(`?s ?p ${nested(10_000, "( ", "1", " )")}`)],
  ["10,000 sub-selects in each other", all(nested(10_000, "{ SELECT * ", "{ ?s ?p ?o }", " }"))],
  ["10,000 optionals in each other", all(nested(10_000, "OPTIONAL { ?s ?p ?o ", "", "}"))],
  ["10,000 EXISTS in each other", all(nested(10_000, "?s ?p ?o FILTER EXISTS { ", "?s ?p ?o", " }"))],
  ["10,000 brackets in a path", all(`?s ${nested(10_000, "(", E, ")")} ?o`)],
  ["10,000 inverses in a path", all(`?s ${"^(".repeat(5_000)}${E}${")".repeat(5_000)} ?o`)],
  ["10,000 IFs in each other", all(`?s ?p ?o BIND (${nested(10_000, "IF(true, ", "1", ", 2)")} AS ?x)`)],
  ["a thousand patterns", all(many(1_000, (at) => `?s${at} ?p${at} ?o${at} .`))],
  ["a thousand unions", all(many(1_000, () => "{ ?s ?p ?o }", " UNION "))],
  ["a thousand optionals in a row", all(`?s ?p ?o ${many(1_000, (at) => `OPTIONAL { ?s ${E} ?o${at} }`)}`)],
  ["a megabyte of text", all(`?s ?p "${"x".repeat(1_000_000)}"`)],
  ["a megabyte of comments", `${`# ${"x".repeat(100)}\n`.repeat(10_000)}${all("?s ?p ?o")}`],
  ["60,000 spaces", all(`?s${" ".repeat(60_000)}?p ?o`)],
  ["5,000 prefixes", `${many(5_000, (at) => `PREFIX p${at}: <http://e/>`, "\n")}\n${all("?s ?p ?o")}`],
  ["5,000 values", all(`VALUES ?x { ${many(5_000, String)} } ?s ?p ?x`)],
  ["5,000 alternatives in IN", all(`?s ?p ?o FILTER (?o IN (${many(5_000, String, ", ")}))`)],
  ["5,000 columns", `SELECT ${many(5_000, (at) => `(1 AS ?x${at})`)} {}`],
  ["5,000 ands", all(`?s ?p ?o FILTER (${many(5_000, () => "?o", " && ")})`)],
  ["a string that does not end", 'SELECT * { ?s ?p "'],
  ["an IRI that does not end", `SELECT * { ?s ?p <http://e/${"a".repeat(50_000)}`],
  ["half a surrogate", `SELECT * { ?s ?p "\ud800" }`],
  ["an escaped half of one", 'SELECT * { ?s ?p "\\uD800" }'],
  [
    "a prefix named like what every object has",
    "PREFIX __proto__: <http://e/> SELECT * { ?constructor __proto__:toString ?__proto__ }",
  ],
  // Joins.
  ["four cross products", all("?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l")],
  [
    "a cross product that is sorted",
    all("?a ?b ?c . ?d ?e ?f . ?g ?h ?i", "SELECT *").concat(" ORDER BY ?c ?f ?i LIMIT 3"),
  ],
  ["a cross product made distinct", all("?a ?b ?c . ?d ?e ?f . ?g ?h ?i", "SELECT DISTINCT *")],
  [
    "a cross product in groups",
    all("?a ?b ?c . ?d ?e ?f . ?g ?h ?i", "SELECT ?c ?f ?i (COUNT(*) AS ?n)").concat(" GROUP BY ?c ?f ?i"),
  ],
  [
    "a cross product of unequals",
    all("?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER (?c != ?f && ?f != ?i && STR(?c) != STR(?i))"),
  ],
  ["a cross product of values", all(many(6, (at) => `VALUES ?x${at} { ${many(100, String)} }`))],
  ["optionals that multiply", all(many(12, (at) => `OPTIONAL { ?s${at} ${E} ?o${at} }`))],
  ["MINUS of cross products", all("?a ?b ?c . ?d ?e ?f MINUS { ?a ?x ?y . ?d ?z ?w . ?k ?l ?m }")],
  [
    "NOT EXISTS of a cross product",
    all("?a ?b ?c FILTER NOT EXISTS { ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER (?f = ?nothing) }"),
  ],
  [
    "EXISTS in EXISTS in EXISTS",
    all(
      "?a ?b ?c FILTER NOT EXISTS { ?d ?e ?f FILTER NOT EXISTS { ?g ?h ?i FILTER NOT EXISTS { ?j ?k ?l FILTER (?l = ?c && ?k = ?x) } } }",
    ),
  ],
  [
    "GRAPH of GRAPH of GRAPH",
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?a ?b ?c } GRAPH ?h { ?d ?e ?f } GRAPH ?i { ?j ?k ?l } GRAPH ?m { ?n ?o ?p } }",
  ],
  ["sub-selects that multiply", all(many(5, (at) => `{ SELECT ?x${at} { ?x${at} ?y ?z } }`))],
  // Paths.
  ["a path of stars of stars", all(`?a (((${E}*)*)*)* ?b . ?c (((${E}*)*)*)* ?d . ?e ?f ?g`)],
  [
    "everything but, from everywhere to everywhere",
    all("?a (!<http://e/none>)* ?b . ?c (!<http://e/none>)* ?d . ?e (!<http://e/none>)* ?f"),
  ],
  [
    "a path back and forth",
    all(`?a (${E}|^${E})* ?b . ?b (${E}|^${E})* ?c . ?c (${E}|^${E})* ?d . ?d (${E}|^${E})* ?e`),
  ],
  ["a sequence of forty steps", all(`?a ${many(40, () => `(${E}|^${E})`, "/")} ?b`)],
  // Expressions.
  [
    "a regular expression that goes back",
    all('BIND ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" AS ?t) FILTER (REGEX(?t, "^(a+)+$"))'),
  ],
  [
    "the same without regard to case",
    all(
      'BIND ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" AS ?t) FILTER (REGEX(?t, "^(([a-z])+.)+[A-Z]([a-z])+$", "i"))',
    ),
  ],
  [
    "a replacement that goes back",
    all('BIND (REPLACE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "(x+x+)+y", "z") AS ?t)'),
  ],
  [
    "alternatives that go back",
    all('FILTER (REGEX("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "^(a|aa|aaa|a?)*c$"))'),
  ],
  [
    "a count of counts in a regular expression",
    all('FILTER (REGEX("aaaaaaaaaaaaaaaa", "((a{1,100}){1,100}){1,100}b"))'),
  ],
  [
    "a regular expression in letters of every script",
    all('FILTER (REGEX("ǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅǅ!", "^(\\\\p{L}+)+$", "i"))'),
  ],
  ["a pattern longer than allowed", all(`FILTER (REGEX("a", "${"a?".repeat(2_000)}"))`)],
  [
    "text doubled forty times",
    all(
      `BIND ("${"x".repeat(1_000)}" AS ?x0) ${many(40, (at) => `BIND (CONCAT(?x${at}, ?x${at}) AS ?x${at + 1})`)}`,
    ),
  ],
  [
    "text replaced by longer text",
    all(
      `BIND ("${"x".repeat(1_000)}" AS ?x0) ${many(8, (at) => `BIND (REPLACE(?x${at}, "x", "xxxxxxxxxx") AS ?x${at + 1})`)}`,
    ),
  ],
  [
    "a number squared forty times",
    all(`BIND (12345678901234567890 AS ?x0) ${many(40, (at) => `BIND (?x${at} * ?x${at} AS ?x${at + 1})`)}`),
  ],
  [
    "a decimal squared forty times",
    all(`BIND (1.2345678901234567890 AS ?x0) ${many(40, (at) => `BIND (?x${at} * ?x${at} AS ?x${at + 1})`)}`),
  ],
  ["a number of 50,000 digits", all(`BIND (${"9".repeat(50_000)} / 7 AS ?x)`)],
  [
    "a year that is far",
    all(
      `BIND (YEAR("${"9".repeat(10_000)}-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>) AS ?x)`,
    ),
  ],
  [
    "everything concatenated",
    all(
      "?a ?b ?c . ?d ?e ?f . ?g ?h ?i",
      '(GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g)); separator="xxxxxxxxxxxxxxxx") AS ?x)',
    ).replace(/^\(/, "SELECT ("),
  ],
  [
    "a hundred thousand new nodes",
    all(
      "?a ?b ?c . ?d ?e ?f BIND (BNODE() AS ?x) BIND (STRUUID() AS ?y)",
      "SELECT (COUNT(DISTINCT ?x) AS ?n) (COUNT(DISTINCT ?y) AS ?m)",
    ),
  ],
  [
    "hashes of hashes for every pair",
    all(
      `?a ?b ?c . ?d ?e ?f BIND (SHA512(CONCAT(STR(?a), STR(?d))) AS ?x0) ${many(8, (at) => `BIND (SHA512(?x${at}) AS ?x${at + 1})`)}`,
    ),
  ],
  // Answers.
  [
    "a graph of every triple with every triple",
    `CONSTRUCT { ?a ?e ?i . ?d ?h ?c . ?g ?b ?f } FROM <${UNION}> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }`,
  ],
  ["a description of everything", `DESCRIBE ?a ?d FROM <${UNION}> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }`],
  [
    "an offset beyond everything",
    all("?a ?b ?c . ?d ?e ?f . ?g ?h ?i", "SELECT *").concat(" OFFSET 99999999999999999999"),
  ],
  [
    "a limit of everything, ordered",
    all("?a ?b ?c . ?d ?e ?f . ?g ?h ?i", "SELECT *").concat(" ORDER BY RAND() LIMIT 999999999"),
  ],
];

const queryMsMax = 600;
/** Reading a refusal, ending a thread and starting another. */
const graceMs = 4_000;

describe("hostile queries", () => {
  let pod: TestPod;
  before(async () => {
    const lines = (at: number): string =>
      many(25, (n) => `<#${n}> ${E} <#${(n * 7 + at) % 25}>, ${n}, "text ${at} ${n}" .`, "\n");
    const documents = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`d${at}.ttl`, lines(at)]));
    const limits = { queryMsMax, queryOwnerMsMax: queryMsMax, queryHeapMbMax: 192 };
    pod = await createTestPod(documents, (_webid, name) => name !== "", { limits });
    await pod.ask("ASK {}"); // Starting a thread takes time that is no query's.
  });
  after(() => pod.close());

  it("are more than 50", () => {
    expect(SHAPES.length).to.be.above(50);
  });

  for (const [what, query] of SHAPES) {
    it(what, async () => {
      const began = performance.now();
      const body = `query=${encodeURIComponent(query.toWellFormed())}`;
      const { status, code, detail, text } = await pod.ask(null, {
        method: "POST",
        body,
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });
      expect(performance.now() - began, "milliseconds").to.be.below(queryMsMax + graceMs);
      if (status === 200) expect(() => void JSON.parse(text)).to.not.throw();
      else
        expect(code, detail).to.be.oneOf([
          "query-invalid",
          "query-refused",
          "query-timeout",
          "body-too-large",
        ]);
      const next = await pod.ask(`ASK FROM <${UNION}> { ?s ?p ?o }`);
      expect(next.text).to.contain("true");
    });
  }
});
