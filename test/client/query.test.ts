import {
  ask,
  construct,
  FreeholdError,
  grant,
  nativeOf,
  openPod,
  type Pod,
  query,
  type Row,
} from "@freehold/client";
import { expect } from "chai";
import fc from "fast-check";
import { rowsOfJson } from "../../client-lib/rows.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

const all = (rows: AsyncIterable<Row>): Promise<Row[]> => Array.fromAsync(rows);

function inPieces(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.subarray(at, (at += size)));
    },
  });
}
const parse = (text: string, size = 7) =>
  Array.fromAsync(rowsOfJson(inPieces(text, size), "https://pod.example/sparql"));

describe("query", () => {
  let server: TestServer;
  let ana: Person;
  let bea: Person;
  let pod: Pod;

  before(async () => {
    server = await startServer();
    [ana, bea] = [await server.person("Ana"), await server.person("Bea")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
    for (const number of [1, 2, 3])
      await pod.writeFile(
        `list/${number}.ttl`,
        `<#it> <https://schema.org/position> ${number} ; <https://schema.org/name> "Nr. \\"${number}\\" {[é"@de .`,
        "text/turtle",
      );
  });
  after(() => server.close());

  const POSITIONS =
    "SELECT ?n ?name { ?s <https://schema.org/position> ?n ; <https://schema.org/name> ?name } ORDER BY ?n";

  it("ranges over all that may be read, without naming it", async () => {
    const rows = await all(query<"n" | "name">(pod, POSITIONS));
    expect(rows.map(({ n }) => nativeOf(n))).to.deep.equal([1, 2, 3]);
    expect(rows[0]?.name).to.deep.equal({ type: "literal", value: 'Nr. "1" {[é', language: "de" });
  });

  it("ranges over the documents the caller names, by option or in the query", async () => {
    const graph = pod.at("list/2.ttl");
    const named = await all(query(pod, POSITIONS, { defaultGraphs: [graph] }));
    const inQuery = await all(query(pod, POSITIONS.replace("{", `FROM <${graph}> {`)));
    expect([named.length, inQuery.length]).to.deep.equal([1, 1]);
    expect(
      await all(query(pod, `SELECT ?g { GRAPH ?g { ?s <https://schema.org/position> 3 } }`)),
    ).to.deep.equal([{ g: { type: "uri", value: pod.at("list/3.ttl") } }]);
    expect(
      await all(
        query(
          pod,
          `# FROM <x>\n${POSITIONS.replace("?n ;", "?n ; <https://schema.org/name> ?x ; ")} LIMIT 1`,
        ),
      ),
    ).to.have.length(1);
  });

  it("gives a stranger what strangers may read, and nothing of the rest", async () => {
    const theirs = await openPod(ana.pod, { fetch: bea.fetch });
    expect(await codeOf(all(query(theirs, POSITIONS))), "nothing but the card is open").to.equal("forbidden");
    await pod.writeFile("open.ttl", "<#it> <https://schema.org/name> 'seen'.", "text/turtle");
    await grant(pod, "open.ttl", { to: "public", modes: ["read"] });
    expect(await all(query(theirs, POSITIONS))).to.deep.equal([]);
    expect(await ask(theirs, `ASK { <${ana.webid}> <http://xmlns.com/foaf/0.1/name> "Ana" }`)).to.equal(true);
    expect(await ask(theirs, "ASK { ?it <https://schema.org/name> 'seen' }")).to.equal(true);
  });

  it("answers ASK with true or false and CONSTRUCT with Turtle", async () => {
    expect(await ask(pod, "ASK { ?s <https://schema.org/position> 3 }")).to.equal(true);
    expect(await ask(pod, "ASK { ?s <https://schema.org/position> 4 }")).to.equal(false);
    expect(await codeOf(ask(pod, POSITIONS))).to.equal("answer-invalid");
    const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError("terminated")) });
    const broken: Pod = { ...pod, fetch: async () => new Response(body) };
    expect(await codeOf(construct(broken, "DESCRIBE <urn:x>"))).to.equal("answer-invalid");
    expect(
      await construct(pod, "CONSTRUCT { <urn:x> <urn:y> ?n } { ?s <https://schema.org/position> ?n }"),
    ).to.match(/urn:x/);
  });

  it("tells the server's reason for a query it refuses", async () => {
    expect(await codeOf(all(query(pod, "SELECT")))).to.equal("query-invalid");
    expect(
      await codeOf(all(query(pod, "SELECT * { SERVICE <https://elsewhere.example/> { ?s ?p ?o } }"))),
    ).to.equal("query-refused");
    expect(await codeOf(all(query({ ...pod, sparql: "http://localhost:1/" }, POSITIONS)))).to.equal(
      "unreachable",
    );
  });

  it("sends nothing until the first row is asked for, and stops when no more is wanted", async () => {
    let sent = 0;
    const counting: Pod = { ...pod, fetch: (url, init) => ((sent += 1), pod.fetch(url, init)) };
    const rows = query(counting, POSITIONS);
    expect(sent).to.equal(0);
    for await (const row of rows) {
      expect(nativeOf(row.n)).to.equal(1);
      break;
    }
    expect(sent).to.equal(1);
  });

  it("can be called off", async () => {
    const stop = AbortSignal.abort();
    expect(await all(query(pod, POSITIONS, { signal: stop })).catch((error: Error) => error.name)).to.equal(
      "AbortError",
    );
  });
});

describe("rows out of JSON that arrives in pieces", () => {
  const cell = fc.record({
    type: fc.constantFrom("uri", "literal", "bnode"),
    value: fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
  });
  const answer = fc.array(fc.dictionary(fc.string(), cell).map((row) => ({ ...row })));

  it("are those that were sent, whatever they hold and however they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        answer,
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(undefined, 1),
        async (bindings, size, indent) => {
          const text = JSON.stringify(
            { head: { vars: ["{", "["], link: [] }, results: { ordered: true, bindings } },
            null,
            indent,
          );
          const rows = await parse(text, size);
          expect(JSON.parse(JSON.stringify(rows))).to.deep.equal(JSON.parse(JSON.stringify(bindings)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("come before the answer is complete", async () => {
    let push: (text: string) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (push = (text) => controller.enqueue(new TextEncoder().encode(text))),
    });
    const rows = rowsOfJson(body, "https://pod.example/sparql");
    push('{"results":{"bindings":[{"x":{"type":"uri","value":"a"}},{"x');
    expect((await rows.next()).value).to.deep.equal({ x: { type: "uri", value: "a" } });
    await rows.return();
  });

  const broken: readonly (readonly [string, string])[] = [
    ["cut off", '{"results":{"bindings":[{"x":{"type":"uri","value":"a"}}'],
    ["empty", ""],
    ["a web page", "<html></html>"],
    ["crossed brackets", '{"results":{"bindings":[}]}'],
    ["a row that is no JSON", '{"results":{"bindings":[{x:1}]}}'],
  ];
  for (const [name, text] of broken) {
    it(`are refused when the answer is ${name}`, async () => {
      expect(await codeOf(parse(text))).to.equal("answer-invalid");
    });
  }

  it("become JavaScript's values by their datatype", () => {
    const xsd = (type: string) => `http://www.w3.org/2001/XMLSchema#${type}`;
    const typed = (value: string, type: string) => nativeOf({ type: "literal", value, datatype: xsd(type) });
    expect([
      typed("12.40", "decimal"),
      typed("true", "boolean"),
      typed("0", "boolean"),
      typed("-INF", "double"),
      typed("x", "string"),
    ]).to.deep.equal([12.4, true, false, -Infinity, "x"]);
    expect(typed("2026-03-01T12:00:00Z", "dateTime")).to.deep.equal(new Date(Date.UTC(2026, 2, 1, 12)));
    expect([typed("2026-03-01", "date"), nativeOf(undefined)]).to.deep.equal(["2026-03-01", undefined]);
  });
});

describe("FreeholdError", () => {
  it("is one that can be switched on and thrown on", () => {
    const error = new FreeholdError("forbidden", "No access", { status: 403, detail: "Missing: read" });
    expect(error)
      .to.be.instanceOf(Error)
      .and.include({ code: "forbidden", status: 403, message: "No access: Missing: read" });
  });
});
