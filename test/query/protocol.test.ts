import { expect } from "chai";
import type { Method } from "../../server/operation.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { createTestPod, type TestPod, UNION } from "./fixture.ts";

const JSON_TYPE = "application/sparql-results+json";
const SELECT = `SELECT ?o FROM <${UNION}> { ?s <http://e/p> ?o } ORDER BY ?o`;

describe("the SPARQL Protocol", () => {
  let pod: TestPod;
  before(async () => {
    pod = await createTestPod(
      {
        "a.ttl": `<#x> <http://e/p> 1, "two\\t\\"2\\"", "drei"@de, <http://e/4>, [ <http://e/q> 5 ] .`,
        "b.jsonld": {
          contentType: "application/ld+json; charset=utf-8",
          text: '{"@id": "http://e/g", "@graph": [{"@id": "#j", "http://e/inner": 1}]}',
        },
        "broken.ttl": "this is no Turtle",
        "photo.png": { contentType: "image/png", text: "<#p> <http://e/p> 99 ." },
        ".meta": "<./> <http://e/title> 'Home' .",
        ".acl": "<#owner> a <http://www.w3.org/ns/auth/acl#Authorization> .",
      },
      () => true,
    );
  });
  after(() => pod.close());

  const bindings: readonly (readonly [
    string,
    {
      readonly method?: Method;
      readonly query?: string;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    },
  ])[] = [
    ["GET", {}],
    [
      "POST of a form",
      {
        method: "POST",
        query: "",
        body: `query=${encodeURIComponent(SELECT).replaceAll("%20", "+")}`,
        headers: { "content-type": "application/x-www-form-urlencoded" },
      },
    ],
    [
      "POST of the query",
      {
        method: "POST",
        query: "",
        body: SELECT,
        headers: { "content-type": "application/sparql-query; charset=UTF-8" },
      },
    ],
  ];
  for (const [how, options] of bindings) {
    it(`answers a ${how} alike`, async () => {
      const { status, headers, text } = await pod.ask(SELECT, options);
      expect([status, headers["content-type"]]).to.deep.equal([200, JSON_TYPE]);
      expect((JSON.parse(text) as { results: { bindings: unknown[] } }).results.bindings.length).to.equal(5);
    });
  }

  it("HEAD says what GET would", async () => {
    const [get, head] = [await pod.ask("ASK {}"), await pod.ask("ASK {}", { method: "HEAD" })];
    expect(head.headers).to.deep.equal(get.headers);
    expect(head.text).to.equal("");
  });

  const wrong: readonly (readonly [string, Parameters<TestPod["ask"]>[1], number, string])[] = [
    ["two queries", { query: "query=ASK%20%7B%7D&query=ASK%20%7B%7D" }, 400, "bad-request"],
    [
      "a dataset and no query",
      { query: `default-graph-uri=${encodeURIComponent(UNION)}` },
      400,
      "bad-request",
    ],
    ["an update in the address", { query: "update=CLEAR%20ALL" }, 400, "bad-request"],
    [
      "an update in a form",
      {
        method: "POST",
        query: "",
        body: "update=CLEAR%20ALL",
        headers: { "content-type": "application/x-www-form-urlencoded" },
      },
      400,
      "bad-request",
    ],
    [
      "an update",
      {
        method: "POST",
        query: "",
        body: "CLEAR ALL",
        headers: { "content-type": "application/sparql-update" },
      },
      415,
      "unsupported-media-type",
    ],
    [
      "an update that says it is a query",
      { query: `query=${encodeURIComponent("INSERT DATA { <a> <b> <c> }")}` },
      400,
      "query-refused",
    ],
    [
      "a query in another type",
      { method: "POST", query: "", body: "ASK {}", headers: { "content-type": "text/plain" } },
      415,
      "unsupported-media-type",
    ],
    ["content without a type", { method: "POST", query: "", body: "ASK {}" }, 400, "content-type-missing"],
    [
      "a query in content and address",
      {
        method: "POST",
        query: "query=ASK%20%7B%7D",
        body: "ASK {}",
        headers: { "content-type": "application/sparql-query" },
      },
      400,
      "bad-request",
    ],
    [
      "UTF-16",
      {
        method: "POST",
        query: "",
        body: Buffer.from("ASK {}", "utf16le"),
        headers: { "content-type": "application/sparql-query; charset=UTF-16" },
      },
      415,
      "unsupported-media-type",
    ],
    [
      "bytes that are no UTF-8",
      {
        method: "POST",
        query: "",
        body: Uint8Array.of(0x41, 0xff),
        headers: { "content-type": "application/sparql-query" },
      },
      400,
      "bad-request",
    ],
    ["escapes that are no UTF-8", { query: "query=ASK%20%7B%7D%FF" }, 400, "bad-request"],
    ["a broken query", { query: "query=ASK%20%7B" }, 400, "query-invalid"],
    [
      "an unknown prefix",
      { query: `query=${encodeURIComponent("ASK { nope:a ?p ?o }")}` },
      400,
      "query-invalid",
    ],
    [
      "triple terms, which are of SPARQL 1.2",
      { query: `query=${encodeURIComponent("SELECT (TRIPLE(<http://e/a>, <http://e/b>, 1) AS ?x) {}")}` },
      400,
      "query-invalid",
    ],
    ["other methods", { method: "PUT" }, 405, "method-not-allowed"],
    ["formats we do not have", { accept: "image/png" }, 406, "not-acceptable"],
  ];
  for (const [what, options, status, code] of wrong) {
    it(`refuses ${what}`, async () => {
      const answer = await pod.ask(SELECT, options);
      expect([answer.status, answer.code]).to.deep.equal([status, code]);
    });
  }

  it("an unknown function is an error in the one row, not of the query", async () => {
    // https://www.w3.org/TR/sparql11-query/#extensionFunctions
    expect(await pod.values("SELECT (<http://e/f>(1) AS ?x) (2 AS ?y) {}", "x")).to.deep.equal([""]);
  });

  it("the parameters of the protocol override FROM as a whole", async () => {
    const query = `query=${encodeURIComponent(`SELECT ?o FROM <${UNION}> { ?s <http://e/p> ?o }`)}`;
    const here = encodeURIComponent(`${pod.root}b.jsonld`);
    expect(await pod.values("", "o", { query: `${query}&default-graph-uri=${here}` })).to.deep.equal([]);
    expect(await pod.values("", "o", { query: `${query}&named-graph-uri=${here}` })).to.deep.equal([]);
    expect(
      await pod.values("", "g", {
        query: `query=${encodeURIComponent("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")}&named-graph-uri=${here}`,
      }),
    ).to.deep.equal([`${pod.root}b.jsonld`]);
  });

  describe("result formats", () => {
    it("text/csv", async () => {
      const { headers, text } = await pod.ask(SELECT, { accept: "text/csv" });
      expect(headers["content-type"]).to.equal("text/csv; charset=utf-8");
      expect(text.split("\r\n").sort((a, b) => (a < b ? -1 : 1))).to.deep.equal([
        "",
        '"two\t""2"""',
        "1",
        "_:b0",
        "drei",
        "http://e/4",
        "o",
      ]);
    });
    it("text/tab-separated-values", async () => {
      const { text } = await pod.ask(SELECT, { accept: "text/tab-separated-values" });
      expect(text.split("\n").sort((a, b) => (a < b ? -1 : 1))).to.deep.equal([
        "",
        '"1"^^<http://www.w3.org/2001/XMLSchema#integer>',
        '"drei"@de',
        '"two\\t\\"2\\""',
        "<http://e/4>",
        "?o",
        "_:b0",
      ]);
    });
    it("application/sparql-results+xml", async () => {
      const { text } = await pod.ask(SELECT, { accept: "application/sparql-results+xml" });
      expect(text).to.include('<binding name="o"><literal xml:lang="de">drei</literal></binding>');
      expect(text).to.include("<literal>two\t&quot;2&quot;</literal>");
      expect(text).to.include('<literal datatype="http://www.w3.org/2001/XMLSchema#integer">1</literal>');
      expect((await pod.ask("ASK {}", { accept: "application/sparql-results+xml" })).text).to.include(
        "<boolean>true</boolean>",
      );
    });
    it("ASK in JSON", async () => {
      expect(JSON.parse((await pod.ask("ASK { ?s ?p ?o }")).text)).to.deep.equal({
        head: {},
        boolean: false,
      });
    });
    it("unbound variables are left out, and columns stand in the order of SELECT", async () => {
      const { text } = await pod.ask("SELECT ?b ?a { BIND(1 AS ?a) }");
      const { head, results } = JSON.parse(text) as {
        head: { vars: string[] };
        results: { bindings: object[] };
      };
      expect(head.vars).to.deep.equal(["b", "a"]);
      expect(Object.keys(results.bindings[0]!)).to.deep.equal(["a"]);
    });
    for (const type of ["text/turtle", "application/ld+json", "application/n-triples"]) {
      it(`CONSTRUCT and DESCRIBE as ${type}`, async () => {
        for (const sparql of [
          `CONSTRUCT { <http://e/all> <http://e/is> ?o, ?o } FROM <${UNION}> { ?s <http://e/p> ?o }`,
          `DESCRIBE <${pod.root}a.ttl#x> FROM <${UNION}>`,
        ]) {
          const { headers, text } = await pod.ask(sparql, { accept: type });
          expect(headers["content-type"]).to.equal(type);
          expect((await parseRdf(new TextEncoder().encode(text), type, "http://e/")).length).to.be.at.least(
            5,
          );
        }
      });
    }
    it("without Accept: JSON for tables, Turtle for graphs", async () => {
      expect((await pod.ask("ASK {}")).headers["content-type"]).to.equal(JSON_TYPE);
      expect((await pod.ask("CONSTRUCT { <a> <b> <c> } {}")).headers["content-type"]).to.equal("text/turtle");
    });
  });

  it("no answer may be kept for another agent, and an unchanged one is not sent again", async () => {
    const { headers } = await pod.ask("ASK {}");
    expect(headers["cache-control"]).to.equal("private, no-cache");
    expect(headers.vary).to.match(/Accept.*Authorization/);
    expect(
      (await pod.ask("ASK {}", { headers: { "if-none-match": headers.etag as string } })).status,
    ).to.equal(304);
    expect(
      (await pod.ask("ASK { ?s ?p ?o }", { headers: { "if-none-match": headers.etag as string } })).status,
    ).to.equal(200);
  });

  describe("which documents are graphs", () => {
    const names = () => pod.values("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", "g");
    it("documents, containers and auxiliaries are; binaries and broken documents say nothing", async () => {
      expect(await names()).to.deep.equal(
        ["", ".acl", ".meta", "a.ttl", "b.jsonld"].map((name) => `${pod.root}${name}`),
      );
    });
    it("inner graphs of JSON-LD are flattened, and their names are no graphs", async () => {
      expect(
        await pod.values(`SELECT ?s { GRAPH <${pod.root}b.jsonld> { ?s <http://e/inner> 1 } }`, "s"),
      ).to.deep.equal([`${pod.root}b.jsonld#j`]);
      expect(await pod.values("SELECT ?s { GRAPH <http://e/g> { ?s ?p ?o } }", "s")).to.deep.equal([]);
    });
    it("a container says what its listing says, and what is said about it", async () => {
      const members = await pod.values(
        `SELECT ?m { GRAPH <${pod.root}> { <${pod.root}> <http://www.w3.org/ns/ldp#contains> ?m } }`,
        "m",
      );
      expect(members).to.include(`${pod.root}photo.png`);
      expect(
        await pod.values(`SELECT ?t { GRAPH <${pod.root}> { ?s <http://e/title> ?t } }`, "t"),
      ).to.deep.equal(["Home"]);
    });
    it("a write is seen by the next query, also in the listing", async () => {
      const sizes = () =>
        pod.values(
          `SELECT ?n FROM <${pod.root}> { <${pod.root}new.ttl> <http://www.w3.org/ns/posix/stat#size> ?n }`,
          "n",
        );
      const said = () => pod.values(`SELECT ?o FROM <${UNION}> { ?s <http://e/new> ?o }`, "o");
      expect(await said()).to.deep.equal([]);
      await pod.put("new.ttl", "<#n> <http://e/new> 1 .");
      expect([await said(), await sizes()]).to.deep.equal([["1"], ["23"]]);
      await pod.put("new.ttl", "<#n> <http://e/new> 2222 .");
      expect([await said(), await sizes()]).to.deep.equal([["2222"], ["26"]]);
      await pod.put("new.ttl", null);
      expect([await said(), await sizes()]).to.deep.equal([[], []]);
    });
  });

  it("the owner may ask what would be done instead, and nobody else", async () => {
    const accept = "application/vnd.freehold.query-plan+json";
    const { status, headers, text } = await pod.ask(SELECT, { accept });
    expect([status, headers["content-type"]]).to.deep.equal([200, accept]);
    const { engine, steps } = JSON.parse(text) as { engine: string; steps: { step: string }[] };
    expect(engine).to.equal("freehold");
    expect(steps.map(({ step }) => step).join("\n")).to.include("http://e/p");
    expect((await pod.ask(SELECT, { accept, webid: "https://bob.example/#me" })).status).to.equal(406);
    expect((await pod.ask(SELECT, { accept: "*/*" })).headers["content-type"]).to.equal(JSON_TYPE);
  });

  it("describes itself, the same to everybody, and names no graph", async () => {
    const [owner, stranger] = [await pod.ask(null), await pod.ask(null, { webid: null })];
    expect(owner.text).to.equal(stranger.text);
    const quads = await parseRdf(new TextEncoder().encode(owner.text), "text/turtle", `${pod.root}sparql`);
    const said = quads.map(({ predicate, object }) => `${predicate.value.split("#")[1]} ${object.value}`);
    expect(said).to.include(`endpoint ${pod.root}sparql`);
    expect(said).to.include("feature http://www.w3.org/ns/solid/sparql#UnionDefaultGraphOptIn");
    expect(said).to.include(
      "supportedLanguage http://www.w3.org/ns/sparql-service-description#SPARQL11Query",
    );
    expect(owner.text).to.not.match(/sd:UnionDefaultGraph\b|namedGraph|availableGraphs|\.ttl/);
    expect((await pod.ask(null, { accept: "application/ld+json" })).headers["content-type"]).to.equal(
      "application/ld+json",
    );
  });
});
