import { expect } from "chai";
import { LIMITS } from "../../../server/limits.ts";
import { createPlans } from "../../../server/query/plans.ts";
import { skipWithoutVectors, vectors } from "../../rdf/vectors.ts";
import { difference } from "../oracle/compare.ts";
import { comunica, type Engine, type GraphDocument, ours, reference } from "../oracle/engines.ts";
import { isThere, readGraph, readResult, readTests, textOf } from "./manifest.ts";

const FOLDERS = [
  "aggregates",
  "bind",
  "bindings",
  "cast",
  "construct",
  "exists",
  "functions",
  "grouping",
  "negation",
  "project-expression",
  "property-path",
  "subquery",
  "syntax-query",
] as const;

/** Tests that an engine does not pass, and why. */
const KNOWN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Comunica: {
    "aggregates/agg-empty-group-count-graph": "a graph in which nothing matches has no group",
    "bindings/graph": "VALUES inside GRAPH is not joined with the name of the graph",
  },
};

const EXACT =
  /^(aggregates\/agg-(max-01|sample-01|err-01|sample-distinct)|grouping\/group0[34]|subquery\/subquery1[14]|functions\/|cast\/)/;

/** The definitions know few functions, and say so where more than one answer is right. */
const ENGINES: readonly { readonly engine: Engine; readonly leavesOut: RegExp | null }[] = [
  { engine: ours, leavesOut: null },
  { engine: comunica, leavesOut: null },
  { engine: reference, leavesOut: EXACT },
];

/** `FROM` and `FROM NAMED` of the suite, in which nothing else can look like them. */
function graphsOf(
  text: string,
  data: readonly string[],
  graphs: readonly string[],
  base: string,
): GraphDocument[] {
  const from = [...text.matchAll(/\bFROM\s+(NAMED\s+)?<([^>]*)>/gi)].map(([, named, name]) => ({
    name: new URL(name!, base).href,
    isNamed: named !== undefined,
  }));
  const chosen = (isNamed: boolean) =>
    from.filter((each) => each.isNamed === isNamed).map(({ name }) => name);
  const [defaults, named] = from.length > 0 ? [chosen(false), chosen(true)] : [data, graphs];
  return [...new Set([...defaults, ...named])].map((name) => ({
    name,
    quads: isThere(name) ? readGraph(name) : [],
    isDefault: defaults.includes(name),
    isNamed: named.includes(name),
  }));
}

for (const { engine, leavesOut } of ENGINES)
  describe(`W3C SPARQL 1.1 query tests: ${engine.name}`, () => {
    const tests = vectors("sparql11") ? FOLDERS.flatMap((folder) => readTests(folder)) : [];

    it("are 328", function () {
      skipWithoutVectors(this, "sparql11");
      expect(tests.length).to.equal(328);
    });

    if (engine === ours)
      it("all of them are answered by our own evaluator", () => {
        const plans = createPlans(LIMITS);
        const queries = tests.filter(({ type }) => type === "QueryEvaluationTest");
        const declined = queries.filter(({ query }) => plans.get(textOf(query), query, true).plan === null);
        expect(declined.map(({ id }) => id)).to.deep.equal([]);
      });

    for (const { id, type, query, data, graphs, result } of tests) {
      if (leavesOut?.test(id)) continue;
      const known = KNOWN[engine.name]?.[id];
      it(`${id}${known ? ` (fails: ${known})` : ""}`, async () => {
        const text = textOf(query);
        if (type.endsWith("SyntaxTest11")) {
          const fault = await engine.parse(text, query);
          if (type.startsWith("Negative")) expect(fault).to.be.a("string");
          else expect(fault).to.equal(null);
          return;
        }
        const outcome = await engine.open(graphsOf(text, data, graphs, query))(text, query);
        const isOrdered =
          engine !== reference && /\bORDER\s+BY\b/i.test(text) && result?.endsWith(".srx") === true;
        const found = difference(outcome, readResult(result!), { isOrdered });
        expect(known ? null : found).to.equal(null);
        if (known) expect(found, "passes now: take it off the list").to.not.equal(null);
      });
    }
  });
