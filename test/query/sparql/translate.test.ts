import { expect } from "chai";
import { LIMITS } from "../../../server/limits.ts";
import type { Pattern, Query, UpdateOperation } from "../../../server/query/sparql/algebra.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { reachOf } from "../../../server/query/sparql/reach.ts";
import { parseUpdate } from "../../../server/query/sparql/update.ts";
import { print, printExpression, printPlace } from "./print.ts";

const OPTIONS = { baseIri: "http://a.example/", limits: LIMITS };
const query = (text: string): Query => parseQuery(`PREFIX : <http://a.example/> ${text}`, OPTIONS);
/** The pattern of `{ … }`. */
const group = (text: string): string => print(query(`ASK { ${text} }`).pattern);
const select = (text: string): string => print(query(`SELECT ${text}`).pattern);
function expression(text: string): string {
  const { pattern } = query(`ASK { FILTER(${text}) }`);
  expect(pattern.kind).to.equal("filter");
  return printExpression((pattern as Extract<Pattern, { kind: "filter" }>).condition);
}

function table(
  translate: (text: string) => string,
  cases: readonly (readonly [says: string, text: string, algebra: string])[],
): void {
  for (const [says, text, algebra] of cases) it(says, () => expect(translate(text)).to.equal(algebra));
}

// https://www.w3.org/TR/sparql11-query/#sparqlTranslateGraphPatterns
describe("patterns become algebra", () => {
  table(group, [
    ["nothing matches once", "", "{}"],
    ["triples are one basic graph pattern", "?s :p ?o . ?o :q 1", "{?s <p> ?o . ?o <q> 1}"],
    [
      "a semicolon keeps the subject, a comma the predicate",
      "?s :p 1, 2 ; :q 3 ;",
      "{?s <p> 1 . ?s <p> 2 . ?s <q> 3}",
    ],
    ["`a` is rdf:type", "?s a :C", "{?s <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <C>}"],
    [
      "a filter is of its whole group and ends no pattern",
      "?s :p ?o FILTER(?o) ?o :q ?z",
      "(filter ?o {?s <p> ?o . ?o <q> ?z})",
    ],
    ["several filters hold together", "FILTER(?a) FILTER(?b)", "(filter (&& ?a ?b) {})"],
    [
      "an optional group's own filter is the condition",
      "?a :p ?b OPTIONAL { ?b :q ?c FILTER(?c > 1) }",
      "(leftJoin {?a <p> ?b} {?b <q> ?c} (> ?c 1))",
    ],
    [
      "one in brackets of its own is not",
      "?a :p ?b OPTIONAL { { ?b :q ?c FILTER(?c > 1) } }",
      "(leftJoin {?a <p> ?b} (filter (> ?c 1) {?b <q> ?c}) true)",
    ],
    ["an optional part of nothing", "OPTIONAL { ?a :p ?b }", "(leftJoin {} {?a <p> ?b} true)"],
    [
      "unions go to the left",
      "{ ?a :p 1 } UNION { ?a :p 2 } UNION { ?a :p 3 }",
      "(union (union {?a <p> 1} {?a <p> 2}) {?a <p> 3})",
    ],
    [
      "minus takes from what stands before it only",
      "?a :p 1 MINUS { ?a :q 1 } ?a :r 1",
      "(join (minus {?a <p> 1} {?a <q> 1}) {?a <r> 1})",
    ],
    ["groups are joined", "{ ?a :p 1 } { ?a :q 1 }", "(join {?a <p> 1} {?a <q> 1})"],
    ["a graph", "GRAPH ?g { ?a :p 1 } GRAPH :g { }", "(join (graph ?g {?a <p> 1}) (graph <g> {}))"],
    [
      "BIND extends what stands before it",
      "?a :p ?b BIND(?b + 1 AS ?c) ?a :q ?c",
      "(join (extend ?c (+ ?b 1) {?a <p> ?b}) {?a <q> ?c})",
    ],
    [
      "VALUES of several variables",
      'VALUES (?a ?b) { (1 UNDEF) (:x "y"@en) }',
      '(values ?a ?b (1 UNDEF) (<x> "y"@en))',
    ],
    ["VALUES of one", "VALUES ?a { 1 2 }", "(values ?a (1) (2))"],
    ["a service", "SERVICE SILENT :s { ?a :p 1 }", "(service <s> {?a <p> 1})"],
    ["a blank node is a variable that nobody can name", "_:x :p [ :q 1 ]", "{?_:.1 <q> 1 . ?_:x <p> ?_:.1}"],
    [
      "a list is its cells",
      "?s :p (1 2)",
      "{?_:.1 <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 1 . ?_:.1 <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> ?_:.2 . ?_:.2 <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 2 . ?_:.2 <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil> . ?s <p> ?_:.1}",
    ],
    ["a bracket may be the whole statement", "[ :p 1 ]", "{?_:.1 <p> 1}"],
    [
      "EXISTS holds a group",
      "FILTER NOT EXISTS { ?a :p 1 FILTER(?b) }",
      "(filter (not exists (filter ?b {?a <p> 1})) {})",
    ],
  ]);
});

// https://www.w3.org/TR/sparql11-query/#sparqlTranslatePathExpressions
describe("paths", () => {
  table(group, [
    ["a sequence is a chain of triples", "?a :p/:q ?b", "{?a <p> ?.1 . ?.1 <q> ?b}"],
    ["an inverse is a triple the other way round", "?a ^:p ?b", "{?b <p> ?a}"],
    ["an inverse sequence turns its order too", "?a ^(:p/:q) ?b", "{?b <p> ?.1 . ?.1 <q> ?a}"],
    ["what repeats stays a path", "?a :p*/:q ?b", "(join (path ?a (zeroOrMore <p>) ?.1) {?.1 <q> ?b})"],
    ["`^` binds less than `*`", "?a ^:p* ?b", "(path ?b (zeroOrMore <p>) ?a)"],
    ["`/` binds more than `|`", "?a :p|:q/:r ?b", "(path ?a (<p>|(<q>/<r>)) ?b)"],
    ["`?` behind a name repeats it", "?a :p? ?b", "(path ?a (zeroOrOne <p>) ?b)"],
    ["`?b` behind a name is a variable", "?a :p?b", "{?a <p> ?b}"],
    ["`+` repeats", "?a :p+ ?b", "(path ?a (oneOrMore <p>) ?b)"],
    ["`+1` is a number", "?a :p +1", "{?a <p> +1}"],
    [
      "none of these",
      "?a !(:p|^:q|a) ?b",
      "(path ?a !(<p>|<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>|^<q>) ?b)",
    ],
    ["none at all", "?a !() ?b", "(path ?a !() ?b)"],
  ]);
});

// https://www.w3.org/TR/sparql11-query/#rExpression
describe("expressions", () => {
  table(expression, [
    ["products before sums", "1 + 2 * 3", "(+ 1 (* 2 3))"],
    ["to the left", "1 - 2 - 3", "(- (- 1 2) 3)"],
    ["a sign that touches its number is a sum all the same", "?a+1*2", "(+ ?a (* 1 2))"],
    ["a number with its sign", "-1", "-1"],
    ["a sign before anything else", "- ?a", "(unary- ?a)"],
    ["not before and before or", "!?a && ?b || ?c", "(|| (&& (! ?a) ?b) ?c)"],
    ["a long disjunction is a low tree", "?a || ?b || ?c || ?d", "(|| (|| ?a ?b) (|| ?c ?d))"],
    ["comparisons", "?a<?b&&?c>=?d", "(&& (< ?a ?b) (>= ?c ?d))"],
    ["a list", "?a NOT IN (1, :x)", "(not in ?a [1 <x>])"],
    ["an empty list", "?a IN ()", "(in ?a [])"],
    ["a built-in in any case", "strlen(?a) = 1", "(= (STRLEN ?a) 1)"],
    ["URI is IRI", "isURI(URI(?a))", "(ISIRI (IRI ?a))"],
    ["a cast", "<http://a.example/int>(?a)", "(<http://a.example/int> ?a)"],
    ["strings of every kind", `"a\\n" = 'b' || """c"d""" = "e"^^:t`, '(|| (= "a\n" "b") (= "c"d" "e"^^))'],
    ["keywords as values", "true || FALSE", '(|| "true"^^boolean "false"^^boolean)'],
    ["escapes anywhere", '?\\u0061 = "\\u0022"', '(= ?a """)'],
  ]);
});

// https://www.w3.org/TR/sparql11-query/#sparqlSolMod
describe("around the pattern", () => {
  table(select, [
    ["what is named", "?b ?a ?b { ?a :p ?b }", "(project [?b ?a] {?a <p> ?b})"],
    [
      "everything in scope, in the order of the text",
      "* { ?b :p ?a . _:x :p ?c MINUS { ?z :p 1 } FILTER EXISTS { ?y :p 1 } }",
      "(project [?b ?a ?c] (filter (exists {?y <p> 1}) (minus {?b <p> ?a . ?_:x <p> ?c} {?z <p> 1})))",
    ],
    [
      "distinct within a slice",
      "DISTINCT ?a { ?a :p ?b } ORDER BY DESC(?b) ?a LIMIT 5 OFFSET 2",
      "(slice 2 5 (distinct (project [?a] (order [desc ?b, ?a] {?a <p> ?b}))))",
    ],
    [
      "an expression with a name",
      "(?a + 1 AS ?c) { ?a :p ?b }",
      "(project [?c] (extend ?c (+ ?a 1) {?a <p> ?b}))",
    ],
    [
      "what stands in no pattern may be selected, though it is grouped: it has no value",
      "?x (COUNT(*) AS ?n) { ?a :p ?b }",
      "(project [?x ?n] (extend ?n ?.1 (group [] [(?.1 COUNT *)] {?a <p> ?b})))",
    ],
    [
      "a variable that is not grouped by is one of its values, in HAVING and ORDER BY",
      "?a { ?a :p ?b } GROUP BY ?a HAVING(?b > 1) ORDER BY ?b ?a",
      "(project [?a] (order [?.1, ?a] (filter (> ?.1 1) (group [(?a ?a)] [(?.1 SAMPLE ?b)] {?a <p> ?b}))))",
    ],
    [
      "one group without keys",
      "(COUNT(*) AS ?n) { ?a :p ?b }",
      "(project [?n] (extend ?n ?.1 (group [] [(?.1 COUNT *)] {?a <p> ?b})))",
    ],
    [
      "the same aggregate twice is one",
      "?a (SUM(?b) AS ?n) { ?a :p ?b } GROUP BY ?a HAVING(SUM(?b) > 1) ORDER BY SUM( ?b )",
      "(project [?a ?n] (order [?.1] (extend ?n ?.1 (filter (> ?.1 1) (group [(?a ?a)] [(?.1 SUM ?b)] {?a <p> ?b})))))",
    ],
    [
      "keys that are calculated",
      "?k { ?a :p ?b } GROUP BY (STR(?b) AS ?k) STRLEN(?a)",
      "(project [?k] (group [(?k (STR ?b)) (?.2 (STRLEN ?a))] [] {?a <p> ?b}))",
    ],
    [
      "values behind the query are joined",
      "* { ?a :p ?b } VALUES ?c { 1 }",
      "(project [?a ?b ?c] (join {?a <p> ?b} (values ?c (1))))",
    ],
    [
      "only what a sub-select names is in scope",
      "* { ?x :p 1 { SELECT ?a { ?a :p ?b } LIMIT 1 } }",
      "(project [?x ?a] (join {?x <p> 1} (slice 0 1 (project [?a] {?a <p> ?b}))))",
    ],
  ]);

  it("knows the form, the dataset and the base", () => {
    const parsed = query("BASE <http://b.example/x/> SELECT * FROM <d> FROM NAMED <../n> { ?s ?p <#o> }");
    expect(parsed).to.deep.include({
      form: "select",
      variables: ["s", "p"],
      baseIri: "http://b.example/x/",
      from: { defaults: ["http://b.example/x/d"], named: ["http://b.example/n"] },
    });
    expect(print(parsed.pattern)).to.contain("<http://b.example/x/#o>");
    expect(query("ASK {}").from).to.equal(null);
  });

  it("keeps blank nodes of a template as they are, and those of the pattern apart", () => {
    const parsed = query("CONSTRUCT { _:x :p [] } WHERE { ?a :p _:x }");
    expect(parsed).to.have.property("form", "construct");
    const { template, pattern } = parsed as Extract<Query, { form: "construct" }>;
    expect(template.map(({ subject, object }) => [printPlace(subject), printPlace(object)])).to.deep.equal([
      ["_:x", "_:.1"],
    ]);
    expect(print(pattern)).to.equal("{?a <p> ?_:x}");
  });

  it("takes a template for the pattern where only one is written", () => {
    const parsed = query("CONSTRUCT WHERE { ?a :p _:b } LIMIT 3") as Extract<Query, { form: "construct" }>;
    expect(print(parsed.pattern)).to.equal("(slice 0 3 {?a <p> ?_:b})");
    expect(parsed.template).to.have.length(1);
  });

  it("describes IRIs, variables, or all that is in scope", () => {
    const targets = (text: string) =>
      (query(text) as Extract<Query, { form: "describe" }>).targets.map(printPlace);
    expect(targets("DESCRIBE :x ?a { ?a :p ?b }")).to.deep.equal(["<x>", "?a"]);
    expect(targets("DESCRIBE * { ?a :p ?b }")).to.deep.equal(["?a", "?b"]);
    expect(targets("DESCRIBE :x")).to.deep.equal(["<x>"]);
  });
});

describe("what a query can reach", () => {
  for (const [text, defaults, named] of [
    ["ASK {}", false, []],
    ["ASK { ?a :p ?b }", true, []],
    ["ASK { GRAPH :g { ?a :p* ?b } }", false, ["http://a.example/g"]],
    ["ASK { GRAPH ?g { ?a :p ?b } GRAPH :g {} }", false, "all"],
    ["ASK { GRAPH :g { FILTER EXISTS { ?a :p ?b } } }", false, ["http://a.example/g"]],
    ["ASK { FILTER EXISTS { ?a :p ?b } }", true, []],
    ["ASK { GRAPH :g { GRAPH :h { ?a :p ?b } } }", false, ["http://a.example/g", "http://a.example/h"]],
    [
      "SELECT (IF(EXISTS { GRAPH :g {} }, 1, 2) AS ?x) {} ORDER BY (EXISTS { GRAPH :h {} })",
      false,
      ["http://a.example/g", "http://a.example/h"],
    ],
    ["DESCRIBE :x", true, []],
    ["SELECT (COUNT(?a) AS ?n) { { SELECT ?a { ?a :p+ ?b } } }", true, []],
  ] as const)
    it(text, () => expect(reachOf(query(text))).to.deep.equal({ defaults, named }));
});

// https://www.w3.org/TR/sparql11-update/
describe("updates", () => {
  const operations = (text: string): readonly UpdateOperation[] =>
    parseUpdate(`PREFIX : <http://a.example/> ${text}`, OPTIONS).operations;
  const quads = (list: Extract<UpdateOperation, { quads: unknown }>["quads"]): string[] =>
    list.map(({ subject, predicate, object, graph }) =>
      [subject, predicate, object, ...(graph === null ? [] : [graph])].map(printPlace).join(" "),
    );

  it("names the graph of each quad", () => {
    const [data] = operations("INSERT DATA { :a :p 1 . GRAPH :g { :a :p [ :q 2 ] } :a :p 3 }");
    expect(data).to.have.property("kind", "insertData");
    expect(quads((data as Extract<UpdateOperation, { quads: unknown }>).quads)).to.deep.equal([
      "<a> <p> 1", "_:.1 <q> 2 <g>", "<a> <p> _:.1 <g>", "<a> <p> 3",
    ]); // biome-ignore format: a list
  });

  it("looks for what DELETE WHERE deletes", () => {
    const [modify] = operations("DELETE WHERE { ?a :p ?b . GRAPH ?g { ?b :q ?c } }");
    const { where, remove, insert } = modify as Extract<UpdateOperation, { kind: "modify" }>;
    expect(print(where)).to.equal("(join {?a <p> ?b} (graph ?g {?b <q> ?c}))");
    expect(quads(remove)).to.deep.equal(["?a <p> ?b", "?b <q> ?c ?g"]);
    expect(insert).to.deep.equal([]);
  });

  it("reads several operations, each with its prologue", () => {
    const list = operations(
      `WITH :g DELETE { ?a :p ?b } INSERT { _:n :p ?b } USING :u USING NAMED :v WHERE { ?a :p ?b } ;
       BASE <http://b.example/> LOAD SILENT <x> INTO GRAPH <y> ; CLEAR NAMED ; DROP GRAPH :g ; CREATE SILENT GRAPH :g ;
       COPY DEFAULT TO :g ; MOVE GRAPH :g TO DEFAULT ; ADD :g TO :h ;`,
    );
    expect(list[0]).to.deep.include({
      kind: "modify",
      with: "http://a.example/g",
      using: { defaults: ["http://a.example/u"], named: ["http://a.example/v"] },
    });
    expect(list.slice(1)).to.deep.equal([
      { kind: "load", silent: true, from: "http://b.example/x", into: "http://b.example/y" },
      { kind: "clear", silent: false, graph: { kind: "named" } },
      { kind: "drop", silent: false, graph: { kind: "graph", name: "http://a.example/g" } },
      { kind: "create", silent: true, graph: "http://a.example/g" },
      {
        kind: "copy",
        silent: false,
        from: { kind: "default" },
        to: { kind: "graph", name: "http://a.example/g" },
      },
      {
        kind: "move",
        silent: false,
        from: { kind: "graph", name: "http://a.example/g" },
        to: { kind: "default" },
      },
      {
        kind: "add",
        silent: false,
        from: { kind: "graph", name: "http://a.example/g" },
        to: { kind: "graph", name: "http://a.example/h" },
      },
    ]);
  });

  it("may say nothing", () => expect(operations("")).to.deep.equal([]));
});
