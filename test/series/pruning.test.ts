import { expect } from "chai";
import fc from "fast-check";
import { LIMITS } from "../../server/limits.ts";
import { parseQuery } from "../../server/query/sparql/query.ts";
import { overlaps, timesOf } from "../../server/query/sparql/times.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { draftPage } from "../../server/series/page.ts";
import { linesOf } from "../query/oracle/compare.ts";
import { type GraphDocument, ours } from "../query/oracle/engines.ts";

const BASE = "https://pod.example/ana/";
const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const DAYS = 12;
const RUNS = 400;
const PREFIXES = `PREFIX sosa: <http://www.w3.org/ns/sosa/> PREFIX tree: <https://w3id.org/tree#>
  PREFIX schema: <https://schema.org/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>`;

interface Page {
  readonly graph: GraphDocument;
  readonly first: number;
  readonly last: number;
}

const graphOf = async (name: string, turtle: Uint8Array): Promise<GraphDocument> => ({
  name,
  quads: await parseRdf(turtle, "text/turtle", name, LIMITS),
  isDefault: true,
  isNamed: true,
});

/** A page for each day, of two meters. */
async function pagesOf(chance: (day: number) => number): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (let day = 0; day < DAYS; day += 1) {
    const draft = draftPage(null);
    const times = [0, 8, 16].map((hour) => START + day * DAY_MS + hour * 3_600_000);
    for (const time of times)
      draft.add({ time, value: chance(day), sensor: `urn:meter:${day % 2}`, property: "urn:power" });
    const name = `${BASE}meter/2026-01/${day}.ttl`;
    pages.push({ graph: await graphOf(name, draft.bytes()), first: times[0]!, last: times[2]! });
  }
  return pages;
}

const bound = fc
  .tuple(fc.constantFrom("<", "<=", ">", ">=", "="), fc.integer({ min: -1, max: DAYS * 3 }), fc.boolean())
  .map(([sign, third, isMirrored]) => {
    const time = `"${new Date(START + (third * DAY_MS) / 3).toISOString()}"^^xsd:dateTime`;
    return isMirrored ? `${time} ${sign} ?t` : `?t ${sign} ${time}`;
  });
const condition = fc.oneof(
  bound,
  fc.tuple(bound, bound).map(([left, right]) => `${left} && ${right}`),
  fc.tuple(bound, bound).map(([left, right]) => `${left} || ${right}`),
  fc.constantFrom(
    "?v > 2",
    "BOUND(?n)",
    "NOT EXISTS { ?o sosa:hasSimpleResult 3 }",
    "EXISTS { ?m schema:name ?n }",
  ),
);
const filter = condition.map((text) => `FILTER(${text})`);
const about = fc.constantFrom("?o", "?q");
const triple = fc.oneof(
  fc.tuple(about, fc.constantFrom("sosa:resultTime ?t", "sosa:resultTime ?u", "sosa:hasSimpleResult ?v", "sosa:madeBySensor ?m", "a sosa:Observation", "?p ?v", "?p 2")).map(([subject, rest]) => `${subject} ${rest} .`),
  fc.constantFrom("?m schema:name ?n .", "?e tree:member ?o .", "?m a schema:Thing .", "?o sosa:madeBySensor/schema:name ?n .", "?m schema:sameAs* ?k ."),
); // biome-ignore format: a list
const group: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("?o sosa:resultTime ?t .", "?q sosa:resultTime ?t . ?q sosa:hasSimpleResult ?v .", ""),
    fc.array(triple, { minLength: 1, maxLength: 3 }),
    fc.array(filter, { maxLength: 2 }),
  )
  .map(([star, triples, filters]) => [star, ...triples, ...filters].join(" "));
const pattern = fc.oneof(
  group,
  fc.tuple(group, fc.constantFrom("OPTIONAL", "MINUS"), group).map(([left, word, right]) => `${left} ${word} { ${right} }`),
  fc.tuple(group, fc.constantFrom("OPTIONAL", "MINUS"), triple, filter).map(([left, word, right, last]) => `${left} ${word} { ${right} } ${last}`),
  fc.tuple(group, group).map(([left, right]) => `{ ${left} } UNION { ${right} }`),
  fc.tuple(group, group).map(([outer, inner]) => `${outer} { SELECT DISTINCT ?o ?t { ${inner} } }`),
  fc.tuple(group, filter).map(([inner, outer]) => `{ ${inner} } ${outer}`),
); // biome-ignore format: a list
const query = fc.oneof(
  pattern.map((text) => `SELECT ?o ?t ?v ?m ?n { ${text} } LIMIT 2000`),
  pattern.map((text) => `SELECT ?m (COUNT(*) AS ?c) (SUM(?v) AS ?s) { ${text} } GROUP BY ?m`),
);

describe("a query without the pages that it makes no use of", () => {
  it("has the answer that it has with all of them", async function () {
    this.timeout(60_000);
    const pages = await pagesOf((day) => day % 5);
    const others = await graphOf(
      `${BASE}devices.ttl`,
      Buffer.from(`<urn:meter:0> a <https://schema.org/Thing> ; <https://schema.org/name> "Heat" ; <https://schema.org/sameAs> <urn:meter:1> .
        <urn:meter:1> <https://schema.org/name> "Light" .`),
    );
    const whole = ours.open([others, ...pages.map(({ graph }) => graph)]);
    let [left, narrowed] = [0, 0];
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        const asked = `${PREFIXES} ${text}`;
        const times = timesOf(parseQuery(asked, { baseIri: BASE, limits: LIMITS }));
        const useful = pages.filter((page) => overlaps(times, page));
        left += pages.length - useful.length;
        if (useful.length < pages.length) narrowed += 1;
        const part = ours.open([others, ...useful.map(({ graph }) => graph)]);
        const [expected, found] = [await whole(asked, BASE), await part(asked, BASE)];
        fc.pre(expected.kind === "rows" && expected.rows.length < 2_000); // Of more, which ones come is left open.
        expect(found.kind).to.equal("rows");
        if (expected.kind === "rows" && found.kind === "rows")
          expect(linesOf(found.rows).sort()).to.deep.equal(linesOf(expected.rows).sort());
      }),
      { numRuns: RUNS },
    );
    expect(narrowed, "queries that read less").to.be.greaterThan(RUNS / 20);
    expect(left).to.be.greaterThan(RUNS / 5);
  });
});
