import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { sourceOf } from "../../server/query/comunica.ts";
import { createQueryTerms } from "../../server/query/engine/terms.ts";
import { hashOf } from "../../server/query/index/lexicon.ts";
import { createPodIndex } from "../../server/query/index/pod-index.ts";
import { JSON_TYPE } from "../../server/query/output.ts";
import { createPlans } from "../../server/query/plans.ts";
import { keyOf, literal, namedNode, type Quad, type Value } from "../../server/rdf/terms.ts";
import { makeGraphs, makeQuery } from "./oracle/cases.ts";
import { type Chance, createChance } from "./oracle/chance.ts";
import { answerBytes, type GraphDocument } from "./oracle/engines.ts";

const BASE = "http://e/";
const CASES = 300;
const PREFIXES = "PREFIX : <http://e/> PREFIX d: <http://d/> ";
const plans = createPlans(LIMITS);

interface PodOf {
  answer(text: string): Promise<string>;
  /** What the other engine gets, in its order. */
  triples(): string[];
}

/** Labels of blank nodes are not shown to anybody as they are. */
const spell = ({ subject, predicate, object, graph }: Quad): string =>
  [subject, predicate, object, graph]
    .map((term) => (term.termType === "BlankNode" ? "_:" : keyOf(term as Value)))
    .join(" ");

/** What the same documents are in an index where others stand too, or do not. */
function worldOf(
  steps: readonly GraphDocument[],
  isVisible: (graph: GraphDocument) => boolean,
  at: number,
): PodOf {
  const index = createPodIndex();
  const numbers = steps.map((graph, number) => {
    // Names of hidden documents are of documents that are not there otherwise.
    const name = isVisible(graph) ? graph.name : `http://hidden/${number}`;
    index.add({ number: number + 1, graph: name, quads: graph.quads });
    if (number === at) index.compact();
    return number + 1;
  });
  const those = (key: "isDefault" | "isNamed") =>
    Uint32Array.from(numbers.filter((_, which) => isVisible(steps[which]!) && steps[which]![key]));
  const view = index.view(those("isDefault"), those("isNamed"));
  return {
    triples: () => Array.from(sourceOf(view, true).match(), spell),
    async answer(text) {
      const planned = plans.get(text, BASE, true);
      const isGraph = planned.query.form === "construct" || planned.query.form === "describe";
      try {
        const type = isGraph ? "text/turtle" : JSON_TYPE;
        return new TextDecoder().decode((await answerBytes(planned, view, type, 20_000)).bytes);
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}

/** Queries that leave the order open, each of which takes something of it. */
function orderless(chance: Chance): string {
  const pattern = chance.pick([
    "{ ?s ?p ?o }",
    "{ ?s :p ?o }",
    "{ ?s :p ?o . ?s ?p ?x }",
    "{ GRAPH ?g { ?s ?p ?o } }",
    "{ ?s ?p ?o OPTIONAL { ?o :q ?x } }",
    "{ { ?s :p ?o } UNION { ?s :q ?o } }",
    "{ ?s (:p|:q)+ ?o }",
    "{ ?s :q ?x { SELECT ?s (SAMPLE(?v) AS ?o) { ?s ?p ?v } GROUP BY ?s } }",
    "{ { SELECT ?s ?o { ?s ?p ?o } LIMIT 2 } }",
    '{ ?s ?p ?x BIND (CONCAT("c", STR(?x)) AS ?o) }',
  ]);
  return (
    PREFIXES +
    chance.pick([
      `SELECT * ${pattern}`,
      `SELECT ?s ${pattern} LIMIT ${1 + chance.below(4)}`,
      `SELECT ?o ${pattern} OFFSET ${chance.below(3)} LIMIT 2`,
      `SELECT DISTINCT ?s ${pattern} LIMIT 2`,
      `SELECT REDUCED ?o ${pattern}`,
      `SELECT ?s ?o ${pattern} ORDER BY ?s LIMIT 3`,
      `SELECT ?s ?o ${pattern} ORDER BY DESC(DATATYPE(?o)) LIMIT 3`,
      `SELECT (SAMPLE(?o) AS ?z) ${pattern}`,
      `SELECT ?s (SAMPLE(?o) AS ?z) (GROUP_CONCAT(STR(?o)) AS ?y) ${pattern} GROUP BY ?s`,
      `SELECT (GROUP_CONCAT(DISTINCT STR(?o); separator="|") AS ?z) ${pattern}`,
      `SELECT (MIN(?o) AS ?y) (MAX(?o) AS ?z) ${pattern}`,
      `SELECT (SUM(?o * 0.1e0) AS ?z) (AVG(?o) AS ?y) ${pattern.replace("{ ", "{ FILTER(isNumeric(?o)) ")}`,
      `SELECT ?o (COUNT(*) AS ?n) ${pattern} GROUP BY ?o`,
      `SELECT ?s ?b ${pattern.replace(/\}$/, "BIND (BNODE() AS ?b) }")} ORDER BY ?b LIMIT 1`,
      `CONSTRUCT { ?s :made ?o } ${pattern}`,
      `CONSTRUCT { [] :of ?s ; :is :thing . _:n :and ?o } ${pattern} LIMIT 4`,
      `DESCRIBE ?s ${pattern} LIMIT 1`,
      `DESCRIBE ?s ?o ${pattern}`,
    ])
  );
}

/** RAND and what is new each time are not asked for; blank nodes are, and their labels tell nothing. */
describe("the order of an answer", () => {
  it(`is the same whatever is hidden, before or after: ${CASES} datasets`, async () => {
    let filled = 0;
    for (let seed = 0; seed < CASES; seed++) {
      const chance = createChance(3_000_000 + seed);
      const visible = makeGraphs(chance);
      const hide = (): GraphDocument[] =>
        makeGraphs(chance).map((graph) => ({ ...graph, quads: graph.quads.toReversed() }));
      const [first, second] = [hide(), hide()];
      const isVisible = (graph: GraphDocument): boolean => visible.includes(graph);
      const worlds = [
        worldOf(visible, isVisible, -1),
        worldOf([...first, ...visible], isVisible, -1),
        worldOf([...second, ...visible, ...first], isVisible, chance.below(8)),
        worldOf(
          visible.flatMap((graph, at) => [graph, ...second.slice(at, at + 1)]),
          isVisible,
          1,
        ),
      ];
      for (const world of worlds) expect(world.triples()).to.deep.equal(worlds[0]!.triples());
      for (const text of [makeQuery(chance).text, orderless(chance), orderless(chance)]) {
        const [expected, ...others] = await Promise.all(worlds.map((world) => world.answer(text)));
        for (const [at, found] of others.entries())
          expect(found, `seed ${seed}, world ${at + 1}: ${text}`).to.equal(expected);
        if (expected!.length > 80) filled++;
      }
    }
    expect(filled, "answers with something in them").to.be.above(CASES);
  });

  it("is that of the specification where the query asks for one", async () => {
    const graphs = makeGraphs(createChance(5), 20).map((graph) => ({ ...graph, isDefault: true }));
    const world = worldOf(graphs, () => true, -1);
    const objects = async (text: string): Promise<number[]> => {
      const { results } = JSON.parse(await world.answer(PREFIXES + text)) as {
        results: { bindings: { o: { value: string } }[] };
      };
      return results.bindings.map(({ o }) => Number(o.value));
    };
    const all = await objects("SELECT ?o { ?s ?p ?o FILTER (isNumeric(?o)) } ORDER BY ?o");
    expect(all.length).to.be.above(20);
    expect(all).to.deep.equal(all.toSorted((a, b) => a - b));
    const sliced = await objects(
      "SELECT ?o { ?s ?p ?o FILTER (isNumeric(?o)) } ORDER BY ?o OFFSET 3 LIMIT 7",
    );
    expect(sliced).to.deep.equal(all.slice(3, 10));
  });

  it("is one: pages with OFFSET and LIMIT give each row once", async () => {
    const graphs = makeGraphs(createChance(5), 20).map((graph) => ({ ...graph, isDefault: true }));
    const world = worldOf(graphs, () => true, -1);
    const rows = async (text: string): Promise<string[]> =>
      (await world.answer(PREFIXES + text))
        .split('{"s"')
        .slice(1)
        .map((row) => row.replace(/\}[,\]}]*$/, "}"));
    const text = "SELECT ?s ?p ?o { ?s ?p ?o FILTER (!isBlank(?s) && !isBlank(?o)) }";
    const all = await rows(text);
    const pages: string[] = [];
    for (let offset = 0; offset < all.length; offset += 7)
      pages.push(...(await rows(`${text} OFFSET ${offset} LIMIT 7`)));
    expect(all.length).to.be.above(40);
    expect(pages).to.deep.equal(all);
  });

  it("… and what a query holds, are the same whether a computed term stands in the pod or not", () => {
    const index = createPodIndex();
    index.add({ number: 1, graph: "http://d/0", quads: makeGraphs(createChance(5))[0]!.quads });
    const { terms } = index.view(Uint32Array.of(1), Uint32Array.of(1));
    const heldFor = (name: string): number => {
      let held = 0;
      const own = createQueryTerms(terms, {
        check: () => undefined,
        hold: (count) => void (held += count),
      });
      for (let times = 0; times < 3; times++) own.intern(namedNode(name));
      return held;
    };
    expect(terms.find(namedNode("http://e/p"))).to.be.at.least(0);
    expect(heldFor("http://e/p")).to.equal(heldFor("http://e/not-there"));
    const own = createQueryTerms(terms, { check: () => undefined, hold: () => undefined });
    for (const term of [literal("x", "EN"), literal("1", namedNode("http://e/type")), literal("é")])
      expect(own.hash(own.intern(term))).to.equal(hashOf(term));
    const there = terms.find(namedNode("http://e/p"));
    expect(terms.hash(there)).to.equal(hashOf(namedNode("http://e/p")));
  });
});
