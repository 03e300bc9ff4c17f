import { expect } from "chai";
import { rowsOf, truthOf, viewOf } from "./fixture.ts";

const view = viewOf({
  people: `:ana :knows :ben ; :age 30 . :ben :knows :cleo ; :age 40 . :cleo :age 50 ; :nick "C" .`,
  things: `:ana :likes :tea . :ben :likes :tea, :wine . :tea :price 3 . :wine :price 9 .`,
});

/** What a query means is built from the inside: https://www.w3.org/TR/sparql11-query/#sparqlAlgebra */
const CASES: readonly (readonly [sentence: string, where: string, rows: readonly string[]])[] = [
  [
    "a filter does not see what only the group around it binds",
    "SELECT ?x { ?x :age ?a { ?y :likes :wine FILTER (?a > 0) } }",
    [],
  ],
  [
    "a filter sees its own group whatever stands around it",
    "SELECT ?x { ?x :age ?a { ?x :likes :wine ; :age ?b FILTER (?b > 35) } }",
    ["x=:ben"],
  ],
  [
    "the filter of an OPTIONAL sees both sides",
    "SELECT ?x ?t { ?x :age ?a OPTIONAL { ?x :likes ?t . ?t :price ?p FILTER (?p * 10 > ?a) } }",
    ["x=:ana", "x=:ben t=:wine", "x=:cleo"],
  ],
  [
    "a filter deeper in an OPTIONAL does not",
    "SELECT ?x ?t { ?x :age ?a OPTIONAL { { ?x :likes ?t . ?t :price ?p FILTER (?p * 10 > ?a) } } }",
    ["x=:ana", "x=:ben", "x=:cleo"],
  ],
  [
    "an OPTIONAL in an OPTIONAL matches what the first group binds only if that is joined afterwards",
    "SELECT ?x ?y ?z { ?x :nick ?n OPTIONAL { ?y :knows :ben OPTIONAL { ?x :likes ?z } } }",
    ["x=:cleo"],
  ],
  [
    "what an OPTIONAL leaves open, a later pattern fills",
    "SELECT ?x ?t { ?x :age ?a OPTIONAL { ?x :likes ?t FILTER (?t = :wine) } ?t :price 3 }",
    ["x=:ana t=:tea", "x=:cleo t=:tea"],
  ],
  [
    "the filter of an inner group comes before an OPTIONAL that binds what it saw open",
    "SELECT ?x ?n { { ?x :age ?a OPTIONAL { ?x :nick ?n } FILTER (!BOUND(?n)) } OPTIONAL { ?x :likes ?n } }",
    ["x=:ana n=:tea", "x=:ben n=:tea", "x=:ben n=:wine"],
  ],
  [
    "an OPTIONAL that begins a GRAPH finds nothing in each graph by itself, whatever is joined to it",
    "SELECT ?x ?b { GRAPH ?g { OPTIONAL { ?x :age ?a } VALUES (?x ?b) { (:tea 1) } } }",
    ["x=:tea b=1"],
  ],
  [
    "MINUS takes away nothing where no variable is shared",
    "SELECT ?x { ?x :nick ?n MINUS { ?y :likes ?t } }",
    ["x=:cleo"],
  ],
  ["MINUS takes away what is compatible", "SELECT ?x { ?x :age ?a MINUS { ?x :likes ?t } }", ["x=:cleo"]],
  [
    "a filter inside MINUS sees only what is inside",
    "SELECT ?x { ?x :age ?a MINUS { ?x :likes ?t FILTER (?a > 35) } }",
    ["x=:ana", "x=:ben", "x=:cleo"],
  ],
  [
    "a filter inside NOT EXISTS sees the row it is asked for",
    "SELECT ?x { ?x :age ?a FILTER NOT EXISTS { ?x :likes ?t FILTER (?a > 35) } }",
    ["x=:ana", "x=:cleo"],
  ],
  [
    "MINUS with a variable that may be open compares what there is",
    "SELECT ?x ?t { ?x :age ?a OPTIONAL { ?x :likes ?t } MINUS { VALUES (?x ?t) { (:ben :tea) (:cleo :tea) } } }",
    ["x=:ana t=:tea", "x=:ben t=:wine"],
  ],
  [
    "variables that a sub-select does not project are its own",
    "SELECT ?x ?a { ?x :nick ?a { SELECT ?x { ?x :age ?a } } }",
    ["x=:cleo a=C"],
  ],
  [
    "a limit counts inside its sub-select",
    "SELECT ?x ?t { { SELECT ?x { ?x :age ?a } ORDER BY DESC(?a) LIMIT 2 } ?x :likes ?t }",
    ["x=:ben t=:tea", "x=:ben t=:wine"],
  ],
  [
    "a group without solutions still counts",
    "SELECT (COUNT(*) AS ?n) (SUM(?a) AS ?s) { ?x :nothing ?a }",
    ["n=0 s=0"],
  ],
  [
    "a group with keys and no solutions is none",
    "SELECT ?x (COUNT(*) AS ?n) { ?x :nothing ?a } GROUP BY ?x",
    [],
  ],
  [
    "what BIND computes joins by term, an error leaves it open",
    "SELECT ?x ?b { ?x :age ?a BIND (?a / (40 - ?a) AS ?b) }",
    ["x=:ana b=3", "x=:ben", "x=:cleo b=-5"],
  ],
  ["BIND before a pattern restricts it", "SELECT ?x { BIND (20 + 20 AS ?a) ?x :age ?a }", ["x=:ben"]],
  [
    "BIND beside a group does not reach into its OPTIONAL",
    "SELECT ?x ?t { { ?x :age ?a OPTIONAL { ?x :likes ?t } } { BIND (:tea AS ?t) } }",
    ["x=:ana t=:tea", "x=:ben t=:tea", "x=:cleo t=:tea"],
  ],
  [
    "nor does VALUES",
    "SELECT ?x ?t { { ?x :age ?a OPTIONAL { ?x :likes ?t FILTER (?t != :wine) } } VALUES ?t { :wine } }",
    ["x=:cleo t=:wine"],
  ],
  [
    "two groups that each may bind what the other binds meet as tables",
    "SELECT ?x ?t { { ?x :age ?a OPTIONAL { ?x :nick ?t } } { ?x :knows ?y OPTIONAL { ?x :likes ?t FILTER (?t = :wine) } } }",
    ["x=:ana", "x=:ben t=:wine"],
  ],
  [
    "a filter for one IRI is as good as the IRI",
    "SELECT ?x ?t { ?x :likes ?t FILTER (?t = :wine) FILTER (?x IN (:ben, :ben, :cleo)) }",
    ["x=:ben t=:wine"],
  ],
  [
    "one of several, and a text, likewise",
    'SELECT ?x ?n { ?x :nick ?n FILTER (?n = "C") FILTER (?x = :ben || :cleo = ?x || ?x = :cleo) FILTER SAMETERM(?n, "C") }',
    ["x=:cleo n=C"],
  ],
  [
    "a number is equal by its value",
    "SELECT ?x { ?x :age ?a FILTER (?a = 30.0) FILTER (?a IN (30.0, 1)) }",
    ["x=:ana"],
  ],
  ["the same term is not that", "SELECT ?x { ?x :age ?a FILTER SAMETERM(?a, 30.0) }", []],
  [
    "but not where the variable may be open",
    "SELECT ?x ?t { ?x :age ?a OPTIONAL { ?x :likes ?t } FILTER (?t = :wine) }",
    ["x=:ben t=:wine"],
  ],
  [
    "an alternative keeps what both parts find",
    "SELECT ?x { ?x (:likes|:age)/:price ?p }",
    ["x=:ana", "x=:ben", "x=:ben"],
  ],
  [
    "a grouping in OPTIONAL is by itself",
    "SELECT ?x ?n { ?x :age ?a OPTIONAL { SELECT ?x (COUNT(?t) AS ?n) { ?x :likes ?t } GROUP BY ?x } }",
    ["x=:ana n=1", "x=:ben n=2", "x=:cleo"],
  ],
  [
    "an OPTIONAL that has a sub-select in each graph",
    "SELECT ?g ?x ?n { GRAPH ?g { ?x :age ?a OPTIONAL { SELECT (COUNT(*) AS ?n) { ?s :knows ?o } } } }",
    ["g=:people x=:ana n=2", "g=:people x=:ben n=2", "g=:people x=:cleo n=2"],
  ],
  [
    "the same graph must say both",
    "SELECT ?g { GRAPH ?g { :ana :age ?a } GRAPH ?g { :ben :likes :wine } }",
    [],
  ],
  [
    "a path in each graph by itself",
    "SELECT ?g ?x { GRAPH ?g { :ana :knows+ ?x } }",
    ["g=:people x=:ben", "g=:people x=:cleo"],
  ],
  [
    "VALUES with UNDEF joins with anything",
    "SELECT ?x ?t { VALUES (?x ?t) { (:ana UNDEF) (UNDEF :wine) } ?x :likes ?t }",
    ["x=:ana t=:tea", "x=:ben t=:wine"],
  ],
  [
    "each named graph is matched by itself",
    "SELECT ?g ?x { GRAPH ?g { ?x :likes ?t OPTIONAL { ?x :age ?a } FILTER (!BOUND(?a)) } }",
    ["g=:things x=:ana", "g=:things x=:ben", "g=:things x=:ben"],
  ],
  [
    "a grouping inside GRAPH is one for each graph",
    "SELECT ?g ?n { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }",
    ["g=:people n=6", "g=:things n=5"],
  ],
  ["an empty pattern matches once in each graph", "SELECT ?g { GRAPH ?g {} }", ["g=:people", "g=:things"]],
  ["and not at all in a graph that is not there", "SELECT (1 AS ?one) { GRAPH :none {} }", []],
  [
    "expressions inside GRAPH see which graph it is",
    "SELECT ?g ?n { GRAPH ?g { ?x :age ?n FILTER (?g = :people && ?n > 45) } }",
    ["g=:people n=50"],
  ],
  ["a graph that is no named graph has nothing", "SELECT ?x { GRAPH :none { ?x :age ?a } }", []],
];

describe("the meaning of a query is bottom-up", () => {
  for (const [sentence, text, rows] of CASES)
    it(sentence, () => {
      expect(rowsOf(text, view)).to.deep.equal([...rows].sort());
    });

  it("ASK stops at the first", () => {
    expect(truthOf("ASK { ?x :age ?a FILTER EXISTS { ?x :likes ?t } }", view)).to.equal(true);
    expect(truthOf("ASK { ?x :age 31 }", view)).to.equal(false);
  });
});
