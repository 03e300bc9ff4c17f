import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { createTestPod, type TestPod, UNION } from "./fixture.ts";

const BOB = "https://bob.example/#me";
const documents = Object.fromEntries(
  Array.from({ length: 20 }, (_, at) => [
    `d${at}.ttl`,
    Array.from({ length: 20 }, (_, n) => `<#${n}> <http://e/p> ${n} .`).join("\n"),
  ]),
);
const CROSS = `SELECT (COUNT(*) AS ?n) FROM <${UNION}> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }`;

describe("limits of queries", () => {
  let pod: TestPod;
  before(async () => {
    pod = await createTestPod(documents, (_webid, name) => name !== "", {
      limits: {
        queryMsMax: 700,
        queryOwnerMsMax: 1_500,
        queryRowsMax: 50,
        queryOwnerRowsMax: 1_000,
        queryResultBytesMax: 20_000,
      },
    });
    await pod.ask("ASK {}"); // Starting a thread takes time that is no query's.
  });
  after(() => pod.close());

  const endless: readonly (readonly [string, string])[] = [
    ["a cross product", CROSS],
    [
      "a sort of a cross product",
      `SELECT * FROM <${UNION}> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f LIMIT 9`,
    ],
    [
      "a path of paths",
      `SELECT (COUNT(*) AS ?n) FROM <${UNION}> { ?a (<http://e/p>|!<http://e/q>)* ?b . ?c !<http://e/x>* ?d . ?e ?f ?g . ?h ?i ?j }`,
    ],
  ];
  for (const [what, sparql] of endless) {
    it(`${what} is ended at its deadline, and the next query is answered`, async () => {
      const started = performance.now();
      const { status, code, headers } = await pod.ask(sparql, { webid: BOB });
      expect(performance.now() - started).to.be.within(600, 4_000);
      expect([status, code]).to.deep.equal([503, "query-timeout"]);
      expect(Number(headers["retry-after"])).to.be.above(0);
      expect((await pod.ask("ASK {}", { webid: BOB })).status).to.equal(200);
    });
  }

  for (const [what, sparql] of [
    ["regular expression", `ASK { FILTER(REGEX("${"a".repeat(64)}!", "^(a+)+$")) }`],
    ["regular expression without case", `ASK { FILTER(REGEX("${"a".repeat(64)}!", "^(a+)+$", "i")) }`],
    ["replacement", `SELECT (REPLACE("${"a".repeat(64)}!", "^(a|a)*$", "") AS ?x) {}`],
  ] as const) {
    it(`a ${what} takes no longer than its text is long, whatever it is made of`, async () => {
      const started = performance.now();
      expect((await pod.ask(sparql, { webid: BOB })).status).to.equal(200);
      expect(performance.now() - started).to.be.below(300);
    });
  }

  it("the owner has more time, and that has an end too", async () => {
    const started = performance.now();
    expect((await pod.ask(CROSS)).code).to.equal("query-timeout");
    expect(performance.now() - started).to.be.above(1_400);
  });

  it("an answer with too many rows is refused as a whole, with the number", async () => {
    const all = `SELECT * FROM <${UNION}> { ?s ?p ?o }`;
    const { status, code, detail, text } = await pod.ask(all, { webid: BOB });
    expect([status, code, text]).to.deep.equal([400, "query-refused", ""]);
    expect(detail).to.match(/50 rows.*LIMIT/);
    expect((await pod.ask(`${all} LIMIT 50`, { webid: BOB })).status).to.equal(200);
    expect((await pod.ask(all)).status).to.equal(200);
    expect(
      (await pod.ask(`CONSTRUCT { ?s ?p ?o } FROM <${UNION}> { ?s ?p ?o }`, { webid: BOB })).detail,
    ).to.match(/50 triples/);
  });

  it("an answer with too many bytes is refused", async () => {
    const { code, detail } = await pod.ask(
      `SELECT (CONCAT(${Array(21)
        .fill(`"${"x".repeat(1_000)}"`)
        .join(", ")}) AS ?x) {}`,
      { webid: BOB },
    );
    expect([code, detail]).to.deep.equal([
      "query-refused",
      "The answer would have more than 20000 bytes; ask for less, with LIMIT and OFFSET",
    ]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["deep groups", `ASK ${"{".repeat(100)}${"}".repeat(100)}`, /nests/],
    ["100,000 open braces", `ASK ${"{".repeat(60_000)}`, /nests/],
    ["deep expressions", `ASK { FILTER(${"(".repeat(100)}1${")".repeat(100)}) }`, /nests/],
    ["deep negation, which needs no bracket", `ASK { FILTER(${"!".repeat(20_000)}true) }`, /nests/],
    ["deep signs", `SELECT (${"- ".repeat(20_000)}1 AS ?x) {}`, /nests/],
    [
      "many patterns",
      `ASK { ${Array.from({ length: 300 }, (_, at) => `?a <http://e/${at}> ?b${at} .`).join(" ")} }`,
      /patterns/,
    ],
    ["very many patterns", `ASK { ${"?a ?b ?c .".repeat(5_000)} }`, /patterns/],
    ["a long text", `ASK {} #${"x".repeat(70_000)}`, /bytes/],
    ["a long regular expression", `ASK { FILTER(REGEX("a", "${"a?".repeat(600)}")) }`, /regular expression/],
    ["an update", "DELETE WHERE { ?s ?p ?o }", /nothing is changed/i],
    ["CLEAR", "CLEAR ALL", /nothing is changed/i],
  ];
  for (const [what, sparql, detail] of refused) {
    it(`refuses ${what}`, async () => {
      const started = performance.now();
      const answer = await pod.ask(sparql, { webid: BOB });
      expect([answer.status, answer.code]).to.deep.equal([400, "query-refused"]);
      expect(answer.detail).to.match(detail);
      expect(performance.now() - started).to.be.below(600);
    });
  }

  it("brackets in strings, comments and addresses do not count", async () => {
    const sparql = `ASK { # ${"{".repeat(100)}\n BIND("${"{".repeat(100)}" AS ?x) BIND('''${"(".repeat(100)}''' AS ?y) BIND(<http://e/${"(".repeat(100)}> AS ?z) }`;
    expect((await pod.ask(sparql)).status).to.equal(200);
  });

  describe("nothing is fetched for a query", () => {
    const requests: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url);
      response.setHeader("content-type", "text/turtle");
      response.end("<http://e/a> <http://e/b> <http://e/c> .");
    });
    let remote = "";
    before(async () => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      remote = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    });
    after(() => new Promise((resolve) => server.close(resolve)));

    for (const [what, sparql, code] of [
      ["SERVICE", "SELECT * { SERVICE <REMOTE> { ?s ?p ?o } }", "query-refused"],
      ["SERVICE, silently", "SELECT * { SERVICE SILENT <REMOTE> { ?s ?p ?o } }", "query-refused"],
      [
        "SERVICE with a variable",
        "SELECT * { VALUES ?x { <REMOTE> } SERVICE ?x { ?s ?p ?o } }",
        "query-refused",
      ],
      ["SERVICE in a FILTER", "ASK { FILTER EXISTS { SERVICE <REMOTE> { ?s ?p ?o } } }", "query-refused"],
      [
        "SERVICE in a subquery of an OPTIONAL",
        "SELECT * { OPTIONAL { SELECT * { SERVICE <REMOTE> { ?s ?p ?o } } } }",
        "query-refused",
      ],
      [
        "SERVICE in MINUS, spelled with a small letter",
        "SELECT * { BIND(1 AS ?s) MINUS { service <REMOTE> { ?s ?p ?o } } }",
        "query-refused",
      ],
      ["LOAD", "LOAD <REMOTE>", "query-refused"],
      ["FROM", "SELECT * FROM <REMOTE> { ?s ?p ?o }", null],
      ["FROM NAMED", "SELECT * FROM NAMED <REMOTE> { GRAPH ?g { ?s ?p ?o } }", null],
      ["GRAPH", "SELECT * { GRAPH <REMOTE> { ?s ?p ?o } }", null],
      ["DESCRIBE", "DESCRIBE <REMOTE>", null],
    ] as const) {
      it(what, async () => {
        const answer = await pod.ask(sparql.replaceAll("REMOTE", remote));
        expect(answer.code).to.equal(code);
        expect(answer.text).to.not.include("http://e/b");
        expect(requests).to.deep.equal([]);
      });
    }
  });
});

describe("many queries at once", () => {
  it("wait in a short line, and then are told to come back", async () => {
    const pod = await createTestPod(documents, () => true, {
      limits: { queriesWaitingMax: 4, queriesPerAgentMax: 1, queryMsMax: 1_000, queryOwnerMsMax: 1_000 },
    });
    try {
      const answers = await Promise.all(Array.from({ length: 8 }, () => pod.ask(CROSS)));
      const busy = answers.filter(({ code }) => code === "unavailable");
      expect(busy.length).to.equal(5); // One runs, and one agent fills but half of the line.
      expect(
        busy.every(({ status, headers }) => status === 503 && Number(headers["retry-after"]) > 0),
      ).to.equal(true);
      expect(answers.filter(({ code }) => code === "query-timeout").length).to.equal(3);
    } finally {
      await pod.close();
    }
  });

  it("one agent's endless query does not keep another from an answer", async () => {
    const pod = await createTestPod(documents, () => true, { limits: { queryMsMax: 2_000 } });
    try {
      await pod.ask("ASK {}");
      let isOver = false;
      const endless = pod.ask(CROSS, { webid: BOB }).finally(() => {
        isOver = true;
      });
      expect((await pod.ask("ASK {}")).status).to.equal(200);
      expect(isOver).to.equal(false);
      await pod.close(); // Ends what is idle; what runs is ended at its deadline.
      expect((await endless).code).to.equal("query-timeout");
    } finally {
      await pod.close();
    }
  });

  it("more statements than a thread holds are refused, but not because of what others may read", async () => {
    const pod = await createTestPod(
      documents,
      (webid, name) => (webid !== BOB ? name !== "" : name === "d1.ttl"),
      { limits: { queryQuadsMax: 410 } },
    );
    try {
      const count = `SELECT (COUNT(*) AS ?n) FROM <${UNION}> { ?s ?p ?o }`;
      expect(await pod.values(count, "n")).to.deep.equal(["400"]);
      await pod.put("d20.ttl", documents["d1.ttl"] ?? "");
      expect((await pod.ask(count)).code).to.equal("query-refused");
      expect(await pod.values(count, "n", { webid: BOB })).to.deep.equal(["20"]);
      expect(
        await pod.values(`SELECT ?o FROM <${pod.root}d3.ttl> { <${pod.root}d3.ttl#3> ?p ?o }`, "o"),
      ).to.deep.equal(["3"]);
    } finally {
      await pod.close();
    }
  });

  it("what a query holds at once has an end", async () => {
    const pod = await createTestPod(documents, () => true);
    try {
      const sparql = `SELECT * FROM <${UNION}> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?f`;
      const { code, detail } = await pod.ask(sparql);
      expect([code, detail]).to.deep.equal([
        "query-refused",
        "The query holds more than 2000000 rows at once; ask for less",
      ]);
    } finally {
      await pod.close();
    }
  });

  it("a thread that runs out of memory ends alone", async () => {
    const pod = await createTestPod(documents, () => true, {
      limits: {
        queryHeapMbMax: 64,
        queryHeldMax: 1_000_000_000,
        queryOwnerMsMax: 25_000,
        queryOwnerRowsMax: 10_000_000,
        queryOwnerResultBytesMax: 1_000_000_000,
      },
    });
    try {
      const { code } = await pod.ask(
        `SELECT ?x FROM <${UNION}> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i BIND(CONCAT(STR(?a), STR(?d), STR(?g)) AS ?x) } ORDER BY ?x`,
      );
      expect(code).to.equal("query-timeout");
      expect((await pod.ask("ASK {}")).status).to.equal(200);
    } finally {
      await pod.close();
    }
  }).timeout(40_000);
});
