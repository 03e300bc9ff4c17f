import { expect } from "chai";
import { LIMITS } from "../../server/limits.ts";
import { parseQuery } from "../../server/query/sparql/query.ts";
import { ALWAYS, timesOf } from "../../server/query/sparql/times.ts";

const PREFIXES = `PREFIX sosa: <http://www.w3.org/ns/sosa/> PREFIX tree: <https://w3id.org/tree#>
  PREFIX schema: <https://schema.org/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>`;
const MARCH = Date.UTC(2026, 2, 1);
const APRIL = Date.UTC(2026, 3, 1);
const IN_MARCH = `FILTER(?t >= "2026-03-01T00:00:00Z"^^xsd:dateTime && ?t < "2026-04-01T00:00:00Z"^^xsd:dateTime)`;
const STAR = "?o a sosa:Observation ; sosa:resultTime ?t ; sosa:hasSimpleResult ?v .";

const timesIn = (query: string) =>
  timesOf(parseQuery(`${PREFIXES} ${query}`, { baseIri: "https://pod.example/", limits: LIMITS }));
const isNever = (query: string): boolean => {
  const { from, to } = timesIn(query);
  return from > to;
};

describe("pages that a query can make use of", () => {
  const never: readonly (readonly [string, string])[] = [
    ["are none where nothing is asked that pages say", "SELECT * { ?s schema:name ?n ; schema:knows/schema:name ?f }"],
    ["are none of another type", "SELECT * { ?s a schema:Order }"],
    ["are none for values alone", "SELECT * { VALUES ?x { 1 2 } }"],
    ["are none where two bounds leave nothing", `SELECT * { ${STAR} ${IN_MARCH} FILTER(?t < "2026-01-01T00:00:00Z"^^xsd:dateTime) }`],
  ]; // biome-ignore format: a table
  for (const [name, query] of never) it(name, () => expect(isNever(query)).to.equal(true));

  const march: readonly (readonly [string, string])[] = [
    ["a filter", `SELECT * { ${STAR} ${IN_MARCH} }`],
    ["an aggregate, grouped and in order", `SELECT ?d (AVG(?v) AS ?m) { ${STAR} ${IN_MARCH} } GROUP BY (DAY(?t) AS ?d) ORDER BY ?d`],
    ["a stream that has the observation", `SELECT * { <urn:stream> tree:member ?o . ${STAR} ${IN_MARCH} }`],
    ["more that is said of the meter, in other documents", `SELECT * { ${STAR} ?o sosa:madeBySensor ?m . ?m schema:name ?n ${IN_MARCH} }`],
    ["an optional part about the same observation", `SELECT * { ?o sosa:resultTime ?t OPTIONAL { ?o sosa:hasSimpleResult ?v } ${IN_MARCH} }`],
    ["two filters, written the other way round", `SELECT * { ${STAR} FILTER("2026-03-01T00:00:00Z"^^xsd:dateTime <= ?t) FILTER("2026-04-01T00:00:00Z"^^xsd:dateTime > ?t) }`],
    ["a zone", `SELECT * { ${STAR} FILTER(?t >= "2026-03-01T01:00:00+01:00"^^xsd:dateTime && ?t < "2026-04-01T00:00:00Z"^^xsd:dateTime) }`],
    ["a sub-select", `SELECT * { { SELECT ?o { ${STAR} ${IN_MARCH} } } ?x schema:name ?n }`],
    ["any predicate of that observation", `SELECT * { ?o sosa:resultTime ?t ; ?p ?v ${IN_MARCH} }`],
  ]; // biome-ignore format: a table
  for (const [name, query] of march)
    it(`are those of March by ${name}`, () => {
      const { from, to } = timesIn(query);
      expect(from).to.equal(MARCH);
      expect(to).to.be.within(APRIL - 1, APRIL + 1);
    });

  it("are those of both times where either will do", () => {
    const either = `SELECT * { { ${STAR} ${IN_MARCH} } UNION { ${STAR.replaceAll("?o", "?q")} FILTER(?t = "2026-05-01T00:00:00Z"^^xsd:dateTime) } }`;
    const { from, to } = timesIn(either);
    expect([from, to]).to.deep.equal([MARCH, Date.UTC(2026, 4, 1) + 1]);
  });

  const always: readonly (readonly [string, string])[] = [
    ["no bound", `SELECT * { ${STAR} }`],
    ["a bound that may be passed over", `SELECT * { ${STAR} FILTER(?t > "2026-03-01T00:00:00Z"^^xsd:dateTime || ?v > 1) }`],
    ["a bound on something else", `SELECT * { ${STAR} ?x schema:startTime ?u FILTER(?u > "2026-03-01T00:00:00Z"^^xsd:dateTime) }`],
    ["a time without a zone, which nobody knows to the hour", `SELECT * { ${STAR} FILTER(?t > "2026-03-01T00:00:00"^^xsd:dateTime) }`],
    ["another observation beside, without a bound", `SELECT * { ${STAR} ?q sosa:hasSimpleResult ?w ${IN_MARCH} }`],
    ["all that is said", "SELECT * { ?s ?p ?o }"],
    ["a count of everything", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"],
    ["what is not there", `SELECT * { ?s schema:name ?n FILTER NOT EXISTS { ?o sosa:madeBySensor ?s } }`],
    ["a bound only on what may be missing", `SELECT * { ?s schema:name ?n OPTIONAL { ${STAR} } ${IN_MARCH} }`],
    ["what is taken away", `SELECT * { ${STAR} ${IN_MARCH} MINUS { ?o sosa:hasSimpleResult 1 } }`],
    ["a path of any length", "SELECT * { ?s schema:knows* ?o }"],
    ["all but a few predicates", "SELECT * { ?s !schema:name ?o }"],
    ["documents by name", "SELECT * { GRAPH ?g { ?s schema:name ?n } }"],
    ["a description", "DESCRIBE <urn:x>"],
  ]; // biome-ignore format: a table
  for (const [name, query] of always)
    it(`are all for ${name}`, () => expect(timesIn(query)).to.deep.equal(ALWAYS));
});
