import { expect } from "chai";
import { Problem } from "../../../server/errors.ts";
import { LIMITS } from "../../../server/limits.ts";
import { compile } from "../../../server/query/engine/compile.ts";
import type { Control } from "../../../server/query/engine/contract.ts";
import { graph, select } from "../../../server/query/engine/evaluate.ts";
import { explain } from "../../../server/query/engine/explain.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { keyOfTriple } from "../../../server/rdf/terms.ts";
import { graphOf } from "../../rdf/same-graph.ts";
import { EX, free, options, orderedRowsOf, planOf, rowsOf, triplesOf, turtle, viewOf } from "./fixture.ts";

const many = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join("\n");

describe("solutions", () => {
  const view = viewOf({ a: many(50, (n) => `:s${n} :p ${(n * 37) % 50} ; :kind :k${n % 3} .`), b: "" });

  it("come in order; equal ones as they came", () => {
    const all = orderedRowsOf("SELECT ?o { ?s :p ?o } ORDER BY ?o", view);
    expect(all).to.deep.equal(Array.from({ length: 50 }, (_, n) => `o=${n}`));
    const down = orderedRowsOf("SELECT ?o { ?s :p ?o } ORDER BY DESC(?o)", view);
    expect(down).to.deep.equal(all.toReversed());
  });
  it("the first few of many are those of the whole order", () => {
    for (const [offset, limit] of [
      [0, 1],
      [0, 7],
      [5, 7],
      [45, 10],
      [60, 3],
      [0, 0],
    ] as const) {
      const text = "SELECT ?k ?o { ?s :p ?o ; :kind ?k } ORDER BY DESC(?k) ?o";
      const whole = orderedRowsOf(text, view);
      expect(orderedRowsOf(`${text} LIMIT ${limit} OFFSET ${offset}`, view)).to.deep.equal(
        whole.slice(offset, offset + limit),
      );
    }
  });
  it("order by what is computed, with errors and what is unbound first", () => {
    const rows = orderedRowsOf('SELECT ?o { VALUES ?o { 2 UNDEF "b" :iri 1 "a" } } ORDER BY ?o', view);
    expect(rows).to.deep.equal(["", "o=:iri", ...rows.slice(2)]);
    expect(rows.indexOf("o=1")).to.be.below(rows.indexOf("o=2"));
    expect(rows.indexOf("o=a")).to.be.below(rows.indexOf("o=b"));
  });
  it("are distinct where that is asked for, whatever is not projected", () => {
    expect(rowsOf("SELECT DISTINCT ?k { ?s :p ?o ; :kind ?k }", view)).to.deep.equal([
      "k=:k0",
      "k=:k1",
      "k=:k2",
    ]);
  });
  it("are grouped by values, an unbound one being one", () => {
    const text =
      "SELECT ?n (COUNT(*) AS ?c) { VALUES (?x ?n) { (1 :a) (2 :a) (3 UNDEF) (4 UNDEF) } } GROUP BY ?n";
    expect(rowsOf(text, view)).to.deep.equal(["c=2", "n=:a c=2"]);
  });
  it("HAVING sees aggregates that are not projected", () => {
    const text = "SELECT ?k { ?s :kind ?k ; :p ?o } GROUP BY ?k HAVING (COUNT(?s) = 17) ORDER BY ?k";
    expect(orderedRowsOf(text, view)).to.deep.equal(["k=:k0", "k=:k1"]);
  });
  it("one plan serves several datasets", () => {
    const plan = planOf("SELECT ?o { :x :p ?o }");
    const answers = ["1, 2", "3"].map((objects) => {
      let count = 0;
      select(plan, viewOf({ a: `:x :p ${objects} .` }), options, () => {
        count++;
        return false;
      });
      return count;
    });
    expect(answers).to.deep.equal([2, 1]);
  });
  it("end when whoever asked has enough", () => {
    let rows = 0;
    select(planOf("SELECT ?s ?t { ?s :p ?o . ?t :p ?q }"), view, options, () => ++rows === 5);
    expect(rows).to.equal(5);
  });
});

describe("paths", () => {
  const view = viewOf({
    tree: ":a :p :b . :b :p :c . :c :p :a . :c :q :d . :d :p :e .",
    more: ":e :p :f . :a :p :b .",
  });
  const CASES: readonly (readonly [text: string, rows: readonly string[]])[] = [
    ["SELECT ?x { :a :p+ ?x }", ["x=:a", "x=:b", "x=:c"]],
    ["SELECT ?x { :d :p* ?x }", ["x=:d", "x=:e", "x=:f"]],
    ["SELECT ?x { ?x :p+ :f }", ["x=:d", "x=:e"]],
    ["SELECT ?x { :nowhere :p* ?x }", ["x=:nowhere"]],
    ["SELECT ?x { ?x :p? :b }", ["x=:a", "x=:b"]],
    ["SELECT ?x { :c (:p|:q)/:p ?x }", ["x=:b", "x=:e"]],
    ["SELECT ?x { :c !(:p) ?x }", ["x=:d"]],
    ["SELECT ?x { :c !(^:p) ?x }", []],
    ["SELECT ?x { :b !(^:q) ?x }", ["x=:a"]],
    ["SELECT ?x { VALUES ?x { :a :nowhere } ?x :q* ?y }", ["x=:a"]],
    ["SELECT ?x { ?x :p+ ?x }", ["x=:a", "x=:b", "x=:c"]],
    ["SELECT ?g ?x { GRAPH ?g { :d :p+ ?x } }", ["g=:tree x=:e"]],
    ["SELECT ?x { GRAPH :more { :e :p* ?x } }", ["x=:e", "x=:f"]],
  ];
  for (const [text, rows] of CASES)
    it(text, () => {
      expect(rowsOf(text, view)).to.deep.equal([...rows].sort());
    });
});

describe("graphs as answers", () => {
  const view = viewOf({
    a: `:ana :name "Ana" ; :address [ :city "Graz" ; :geo [ :lat 47 ] ] . :ben :name "Ben" .`,
    b: `:ana :name "Ana" . :other :of :ana .`,
  });

  it("CONSTRUCT makes blank nodes anew for each solution, and no triple twice", () => {
    const quads = triplesOf("CONSTRUCT { [] :called ?n . :all :names ?n } { ?x :name ?n }", view);
    const expected = turtle('[] :called "Ana" . [] :called "Ben" . :all :names "Ana", "Ben" .');
    expect(graphOf(quads)).to.equal(graphOf(expected));
  });
  it("CONSTRUCT leaves out what is no triple", () => {
    const quads = triplesOf(
      "CONSTRUCT { ?n :of ?x . ?x ?n 1 . ?x :has ?none . ?x :ok true } { ?x :name ?n }",
      view,
    );
    expect(quads.map(keyOfTriple).sort()).to.deep.equal(
      turtle(":ana :ok true . :ben :ok true .").map(keyOfTriple).sort(),
    );
  });
  it("CONSTRUCT sees of a sub-select what it projects", () => {
    const quads = triplesOf("CONSTRUCT { ?x :is ?n } { SELECT ?x { ?x :name ?n } }", view);
    expect(quads).to.deep.equal([]);
    const counted = triplesOf(
      "CONSTRUCT { ?x :names ?c } { SELECT ?x (COUNT(?n) AS ?c) { ?x :name ?n } GROUP BY ?x }",
      view,
    );
    expect(counted.map(keyOfTriple).sort()).to.deep.equal(
      turtle(":ana :names 1 . :ben :names 1 .").map(keyOfTriple).sort(),
    );
  });
  it("DESCRIBE gives what is said of a resource, and of blank nodes it leads to", () => {
    const quads = triplesOf("DESCRIBE :ana", view);
    expect(graphOf(quads)).to.equal(
      graphOf(turtle(`:ana :name "Ana" ; :address [ :city "Graz" ; :geo [ :lat 47 ] ] .`)),
    );
  });
  it("DESCRIBE of what a pattern finds", () => {
    const quads = triplesOf('DESCRIBE ?x { ?x :name "Ben" }', view);
    expect(quads.map(keyOfTriple)).to.deep.equal(turtle(':ben :name "Ben" .').map(keyOfTriple));
  });
  it("stop when whoever asked has enough", () => {
    let count = 0;
    graph(planOf("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"), view, options, () => ++count === 2);
    expect(count).to.equal(2);
  });
});

describe("what an evaluation may take", () => {
  const view = viewOf({ a: many(300, (n) => `:s${n} :p ${n} .`) });
  const stoppedAfter = (checks: number): Control => {
    let left = checks;
    return {
      hold: () => undefined,
      check() {
        if (--left < 0) throw new Problem("query-timeout");
      },
    };
  };
  const ENDLESS = [
    "SELECT (COUNT(*) AS ?n) { ?a :p ?x . ?b :p ?y . ?c :p ?z . ?d :p ?w }",
    "SELECT ?a { ?a :p ?x . ?b :p ?y . ?c :p ?z . ?d :p ?w FILTER (?x + ?y + ?z + ?w < 0) }",
    "SELECT ?a { ?a :p ?x . ?b :p ?y . ?c :p ?z FILTER EXISTS { ?d :p ?w . ?e :p ?v FILTER (?w + ?v < ?x) } }",
    "SELECT ?a { ?a :p ?x MINUS { ?a :p ?x . ?b :p ?y . ?c :p ?z . ?d :p ?w FILTER (?w < 0) } }",
    "SELECT ?a { { SELECT ?a ?b ?c { ?a :p ?x . ?b :p ?y . ?c :p ?z } LIMIT 100000000 } FILTER (?a = 1) }",
  ] as const;
  for (const text of ENDLESS)
    it(`ends in time: ${text}`, () => {
      const control = stoppedAfter(20);
      const run = (): void => select(planOf(text), view, { ...options, control }, () => false);
      expect(run).to.throw(Problem).with.property("code", "query-timeout");
    });

  for (const text of [
    "SELECT DISTINCT ?a ?b { ?a :p ?x . ?b :p ?y }",
    "SELECT ?a ?b { ?a :p ?x . ?b :p ?y } ORDER BY ?x",
    "SELECT ?a ?b (COUNT(*) AS ?n) { ?a :p ?x . ?b :p ?y } GROUP BY ?a ?b",
    "SELECT ?a { { SELECT ?a ?b { ?a :p ?x . ?b :p ?y } LIMIT 80000 } }",
    "SELECT (COUNT(DISTINCT *) AS ?n) { ?a :p ?x . ?b :p ?y }",
  ])
    it(`says how much it holds: ${text}`, () => {
      let held = 0;
      const control: Control = {
        check: () => undefined,
        hold(count) {
          held += count;
          if (held > 10_000) throw new Problem("query-refused");
        },
      };
      const run = (): void => select(planOf(text), view, { ...options, control }, () => false);
      expect(run).to.throw(Problem).with.property("code", "query-refused");
    });

  it("gives back what it does not hold any more", () => {
    const loop = viewOf({ a: many(600, (n) => `:s${n} :p :s${(n + 1) % 600} .`), b: ":s1 :q :s2 ." });
    for (const text of [
      "SELECT (COUNT(*) AS ?n) { ?a :p+ ?b }",
      "SELECT (COUNT(*) AS ?n) { GRAPH ?g { SELECT DISTINCT ?a { ?a :p ?b } ORDER BY ?a } }",
      "SELECT (COUNT(*) AS ?n) { ?x :p ?y FILTER EXISTS { { ?x :p ?z OPTIONAL { ?z :q ?w } } { ?w :p ?v } UNION { ?x :p ?v } } }",
    ]) {
      let [held, most] = [0, 0];
      const control: Control = {
        check: () => undefined,
        hold(count) {
          held += count;
          most = Math.max(most, held);
        },
      };
      select(planOf(text), loop, { ...options, control }, () => false);
      expect(most, text).to.be.below(5_000);
    }
  });

  it("LIMIT looks at no more than it needs", () => {
    let checks = 0;
    const control: Control = { hold: () => undefined, check: () => void checks++ };
    const text = "SELECT ?a { ?a :p ?x . ?b :p ?y . ?c :p ?z } LIMIT 10";
    select(planOf(text), view, { ...options, control }, () => false);
    expect(checks).to.be.below(5);
  });

  it("a query as deep and as wide as may be is planned in no time", () => {
    const deep = (levels: number): string =>
      levels === 0
        ? "?a :p ?b . ?b :p ?c . ?c :p ?d"
        : `{ ${deep(levels - 1)} } UNION { ?a :p ?b FILTER EXISTS { ?b :p ?z } } ?a :q ?c OPTIONAL { ?c :r ?d }`;
    const wide = Array.from({ length: 150 }, (_, n) => `?v${n} :p ?v${n + 1}`).join(" . ");
    for (const text of [`ASK { ${deep(25)} }`, `ASK { ${wide} }`]) {
      const before = process.cpuUsage().user;
      explain(planOf(text), view, options);
      expect((process.cpuUsage().user - before) / 1_000, "ms").to.be.below(500);
    }
  });

  it("SERVICE is refused", () => {
    const parse = (): unknown =>
      compile(
        parseQuery("SELECT * { SERVICE <http://e/> { ?s ?p ?o } }", { baseIri: EX, limits: LIMITS }),
        false,
      );
    expect(parse).to.throw(Problem).with.property("code", "query-refused");
  });
});

describe("EXPLAIN", () => {
  const view = viewOf({
    a: many(200, (n) => `:s${n} :kind :common ; :name "${n}" .`),
    b: ":s7 :kind :rare . :s7 :friend :s8 .",
  });
  const steps = (text: string): string[] => explain(planOf(text), view, options).map(({ step }) => step);

  it("begins with what is rare, wherever it stands", () => {
    const found = steps("SELECT ?n { ?s :name ?n . ?s :kind :common . ?s :kind :rare }").join("\n");
    expect(found.indexOf(":rare") < 0 && found.indexOf("rare>")).to.be.below(found.indexOf("name>"));
    expect(found.indexOf("rare>")).to.be.below(found.indexOf("common>"));
  });
  it("says where filters stand, and what is evaluated by itself", () => {
    const found = steps(
      "SELECT ?n { ?s :name ?n ; :kind ?k FILTER (?n > 5) { SELECT ?k (COUNT(*) AS ?c) { ?x :kind ?k } GROUP BY ?k } OPTIONAL { ?s :friend ?f } }",
    );
    expect(found).to.include("filter of ?n");
    expect(found).to.include("optional");
    expect(found.join("\n")).to.match(
      /table of \?k \?c, evaluated by itself\n\?c as an expression of an aggregate\ngroup by \?k/,
    );
  });
  it("is the same whatever there is that may not be seen", () => {
    const documents = { open: many(40, (n) => `:s${n} :a ${n} ; :b ${n % 4} ; :c :t${n % 2} .`) };
    const secret = many(900, (n) => `:s${n % 50} :c :t1 , :u${n} . :x${n} :b 1 .`);
    const text = "SELECT ?s { ?s :a ?x . ?s :c :t1 . ?s :b 1 . ?y :c ?t . ?y :b ?z OPTIONAL { ?s :d ?w } }";
    const some = explain(planOf(text), viewOf({ ...documents, secret }, ["secret"]), options);
    expect(some).to.deep.equal(explain(planOf(text), viewOf(documents), options));
    const all = explain(planOf(text), viewOf({ ...documents, secret }), options);
    expect(some).to.not.deep.equal(all);
  });
  it("evaluates nothing", () => {
    const control: Control = { ...free, check: () => expect.fail("it looked") };
    explain(planOf("SELECT ?a { ?a ?b ?c . ?d ?e ?f }"), view, { ...options, control });
  });
});
