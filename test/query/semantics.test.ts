import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { answerQuery } from "../../server/query/answer.ts";
import { createPodIndex } from "../../server/query/index/pod-index.ts";
import { RESULT_TYPES } from "../../server/query/output.ts";
import { createPlans } from "../../server/query/plans.ts";
import { narrow, scopeOf, UNION_DEFAULT_GRAPH } from "../../server/query/scope.ts";
import { parseText } from "../../server/rdf/parse.ts";
import { skipWithoutVectors, vectors } from "../rdf/vectors.ts";

type Binding = Readonly<Record<string, { readonly value: string }>>;
interface Answer {
  readonly boolean?: boolean;
  readonly results?: { readonly bindings: readonly Binding[] };
}

/** Evaluates over these graphs and no others, as the server does with what an agent may read. */
async function answer(graphs: Readonly<Record<string, string>>, sparql: string): Promise<Answer> {
  const index = createPodIndex();
  const names = Object.keys(graphs);
  for (const [at, name] of names.entries())
    index.add({ number: at + 1, graph: name, quads: parseText(graphs[name]!, "application/trig", name) });
  const planned = createPlans(LIMITS).get(sparql, "https://pod.example/ana/sparql", true);
  const scope = narrow(scopeOf(planned.facts.from), planned.facts.reach);
  const choose = (chosen: "all" | readonly string[]): Uint32Array =>
    Uint32Array.from(
      chosen === "all"
        ? names.keys()
        : chosen.map((name) => names.indexOf(name)).filter((number) => number >= 0),
      (at) => at + 1,
    );
  const { bytes } = await answerQuery(
    planned,
    index.view(choose(scope.defaults), choose(scope.named)),
    {
      contentType: RESULT_TYPES[planned.facts.form][0]!,
      limits: { rowsMax: 1_000, bytesMax: 1_000_000 },
    },
    { check() {}, hold() {}, emit() {} },
  );
  return JSON.parse(new TextDecoder().decode(bytes)) as Answer;
}

interface Case {
  readonly id: string;
  readonly requester: "R" | "public";
  readonly query: string;
  readonly expect: {
    readonly type: string;
    readonly value?: number | boolean;
    readonly var?: string;
    readonly includes?: readonly string[];
    readonly excludes?: readonly string[];
  };
}

describe("Access-Controlled SPARQL Query over a Solid Pod: query semantics", () => {
  const folder = vectors("solid-sparql/query-semantics");
  const cases = folder
    ? (JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as { cases: Case[] }).cases
    : [];
  const readable: Readonly<Record<string, readonly string[]>> = {
    R: ["profile/card", "contacts/bob"],
    public: [],
  };

  it("has 15 cases", function () {
    skipWithoutVectors(this, "solid-sparql/query-semantics");
    expect(cases.length).to.equal(15);
  });
  for (const { id, requester, query, expect: expected } of cases) {
    it(id, async () => {
      const lines = readFileSync(join(folder!, "fixture.nq"), "utf8").split("\n");
      const graphs = Object.fromEntries(
        readable[requester]!.map((path) => {
          const name = `https://alice.pod.example/${path}`;
          return [
            name,
            lines
              .filter((line) => line.endsWith(` <${name}> .`))
              .map((line) => line.replace(` <${name}> .`, " ."))
              .join("\n"),
          ];
        }),
      );
      const { boolean, results } = await answer(graphs, query);
      const found = results?.bindings ?? [];
      switch (expected.type) {
        case "rowCount":
          expect(found.length).to.equal(expected.value);
          break;
        case "ask":
          expect(boolean).to.equal(expected.value);
          break;
        case "count":
          expect(Number(found[0]?.[expected.var!]?.value)).to.equal(expected.value);
          break;
        default: {
          const names = found.map((binding) => binding[expected.var!]?.value);
          for (const name of expected.includes ?? []) expect(names).to.include(name);
          for (const name of expected.excludes ?? []) expect(names).to.not.include(name);
        }
      }
    });
  }
});

describe("the dataset of a query", () => {
  const A = "https://pod.example/ana/a";
  const B = "https://pod.example/ana/b";
  const graphs = {
    [A]: "<#x> <http://e/p> 1, 2 . _:n <http://e/q> <#x> .",
    [B]: `<${A}#x> <http://e/p> 1 . _:n <http://e/q> <${A}#x> . <http://e/s> <http://e/s> <http://e/s> .`,
  };
  const U = `FROM <${UNION_DEFAULT_GRAPH}>`;
  const cases: readonly (readonly [string, string, number])[] = [
    ["a triple that two documents say is one row of the union", `SELECT * ${U} { ?s <http://e/p> 1 }`, 1],
    ["… and two rows of the named graphs", "SELECT * { GRAPH ?g { ?s <http://e/p> 1 } }", 2],
    [
      "blank nodes of two documents are two, whatever their labels",
      `SELECT DISTINCT ?n ${U} { ?n <http://e/q> ?x }`,
      2,
    ],
    ["FROM two documents is their merge", `SELECT * FROM <${A}> FROM <${B}> { ?s <http://e/p> ?o }`, 2],
    ["FROM one document leaves the other out", `SELECT * FROM <${B}> { ?s <http://e/p> ?o }`, 1],
    ["FROM without FROM NAMED leaves no named graphs", `SELECT * FROM <${A}> { GRAPH ?g { ?s ?p ?o } }`, 0],
    ["FROM NAMED without FROM leaves the default graph empty", `SELECT * FROM NAMED <${A}> { ?s ?p ?o }`, 0],
    [
      "FROM NAMED chooses the named graphs",
      `SELECT DISTINCT ?g FROM NAMED <${B}> { GRAPH ?g { ?s ?p ?o } }`,
      1,
    ],
    [
      "the union leaves the named graphs as they stand",
      `SELECT DISTINCT ?g ${U} FROM <${A}> { GRAPH ?g { ?s ?p ?o } }`,
      2,
    ],
    [
      "the union beside FROM NAMED ranges over all",
      `SELECT * ${U} FROM NAMED <${B}> { ?s <http://e/p> ?o }`,
      2,
    ],
    ["a variable used twice must be the same term", `SELECT * ${U} { ?s ?s ?s }`, 1],
    ["… also across graph and subject", "SELECT * { GRAPH ?g { ?g ?p ?o } }", 0],
    ["terms that no document has match nothing", `SELECT * ${U} { ?s <http://e/none> ?o }`, 0],
    ["property paths work over the union", `SELECT * ${U} { ?n <http://e/q>/<http://e/p> 1 }`, 2],
    [
      "EXISTS looks into named graphs",
      `SELECT * ${U} { ?s <http://e/p> ?o FILTER NOT EXISTS { GRAPH <${B}> { ?s <http://e/p> ?o } } }`,
      1,
    ],
    [
      "OPTIONAL and aggregates",
      `SELECT ?s (COUNT(?o) AS ?n) ${U} { ?s <http://e/p> ?o OPTIONAL { ?x <http://e/q> ?s } } GROUP BY ?s`,
      1,
    ],
  ];
  for (const [what, sparql, rows] of cases) {
    it(what, async () => {
      expect((await answer(graphs, sparql)).results?.bindings.length).to.equal(rows);
    });
  }
});
