import { expect } from "chai";
import { createTestPod, type TestPod, UNION } from "./fixture.ts";

const BOB = "https://bob.example/#me";
const SECRET = "private/diary.ttl";

/** Bob may read what is public or his; nobody but the owner sees access lists. */
const mayRead = (webid: string | null, name: string): boolean => {
  if (webid?.startsWith("https://pod.example/ana/")) return true;
  if (name.endsWith(".acl") || name === "") return false;
  return name.startsWith("public/") || (webid === BOB && name.startsWith("for-bob/"));
};

describe("what a query never tells", () => {
  let pod: TestPod;
  let twin: TestPod; // The same pod, had the hidden documents never been written.
  const shared = {
    "public/a.ttl": "<#x> <http://e/p> 1 ; <http://e/same> true .",
    "for-bob/b.ttl":
      "<#y> <http://e/p> 2 ; <http://e/knows> <https://pod.example/ana/private/diary.ttl#secret> .",
  };
  const hidden = {
    [SECRET]:
      "<#secret> <http://e/p> 3 ; <http://e/secret> 'hidden' . <https://pod.example/ana/public/a.ttl#x> <http://e/same> true .",
    "private/deep/other.ttl": "<#o> <http://e/p> 4 .",
    "public/a.ttl.acl": "<#rule> <http://e/p> 5 .",
    ".acl": "<#rule> <http://e/p> 6 .",
  };
  before(async () => {
    pod = await createTestPod({ ...shared, ...hidden }, mayRead);
    twin = await createTestPod(shared, mayRead);
  });
  after(() => Promise.all([pod.close(), twin.close()]));

  const graph = `https://pod.example/ana/${SECRET}`;
  const missing = "https://pod.example/ana/private/nothing.ttl";
  const queries: readonly (readonly [string, string])[] = [
    ["every triple", `SELECT ?s ?p ?o FROM <${UNION}> { ?s ?p ?o }`],
    ["every graph", "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"],
    ["every graph and what is in it", "SELECT ?g ?s ?p ?o { GRAPH ?g { ?s ?p ?o } }"],
    ["counts", `SELECT (COUNT(*) AS ?n) FROM <${UNION}> { ?s ?p ?o }`],
    ["counts by graph", "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"],
    ["sums", `SELECT (SUM(?o) AS ?n) FROM <${UNION}> { ?s <http://e/p> ?o }`],
    ["one graph by name", `SELECT * { GRAPH <${graph}> { ?s ?p ?o } }`],
    ["one graph by FROM", `SELECT * FROM <${graph}> { ?s ?p ?o }`],
    ["one graph by FROM NAMED", `SELECT * FROM NAMED <${graph}> { GRAPH ?g { ?s ?p ?o } }`],
    ["whether a graph is there", `ASK { GRAPH <${graph}> { ?s ?p ?o } }`],
    ["whether a graph is not there", `ASK { FILTER NOT EXISTS { GRAPH <${graph}> { ?s ?p ?o } } }`],
    [
      "differences",
      `SELECT * FROM <${UNION}> { ?s <http://e/p> ?o MINUS { GRAPH <${graph}> { ?x <http://e/p> ?o } } }`,
    ],
    [
      "what a readable document points to",
      `SELECT * FROM <${UNION}> { ?s <http://e/knows> ?k OPTIONAL { ?k ?p ?o } }`,
    ],
    ["descriptions", `DESCRIBE <${graph}#secret> FROM <${UNION}>`],
    ["constructed graphs", `CONSTRUCT { ?s ?p ?o } FROM <${UNION}> { ?s ?p ?o }`],
    ["paths", `SELECT * FROM <${UNION}> { ?s (<http://e/knows>|<http://e/secret>)+ ?o }`],
    ["a mistake while evaluating", `SELECT (<http://e/f>(?o) AS ?x) FROM <${graph}> { ?s ?p ?o }`],
    ["too many rows", `SELECT * FROM <${UNION}> FROM NAMED <${graph}> { ?s ?p ?o GRAPH ?g { ?a ?b ?c } }`],
  ];
  for (const [who, webid] of [
    ["Bob", BOB],
    ["the public", null],
  ] as const) {
    for (const [what, sparql] of queries) {
      it(`${who} cannot see that a document is there: ${what}`, async () => {
        const [answer, same] = [await pod.ask(sparql, { webid }), await twin.ask(sparql, { webid })];
        const order = ({ text }: { text: string }) =>
          [...text.matchAll(/\{[^{}]*\}|[^{}\n]+/g)].map(String).sort((a, b) => (a < b ? -1 : 1));
        expect(order(answer)).to.deep.equal(order(same));
        expect([answer.status, answer.code, answer.detail, answer.headers["content-length"]]).to.deep.equal([
          same.status,
          same.code,
          same.detail,
          same.headers["content-length"],
        ]);
        expect(answer.text).to.not.match(/hidden|other\.ttl|\.acl|diary\.ttl"|http:\/\/e\/secret/);
      });
      it(`${who} gets the same for a document that may not be read and for one that is not: ${what}`, async () => {
        const other = sparql.replaceAll(graph, missing);
        const [answer, same] = [await pod.ask(sparql, { webid }), await pod.ask(other, { webid })];
        expect([answer.status, answer.code]).to.deep.equal([same.status, same.code]);
        if (sparql !== other) expect(answer.text.replaceAll(graph, missing)).to.equal(same.text);
      });
    }
  }

  it("… while the owner sees all of it", async () => {
    expect(await pod.values(`SELECT ?o FROM <${UNION}> { ?s <http://e/p> ?o }`, "o", {})).to.deep.equal([
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
    ]);
    expect(await pod.values("SELECT DISTINCT ?g { GRAPH ?g { ?s <http://e/p> ?o } }", "g", {})).to.include(
      `${pod.root}.acl`,
    );
  });

  it("what one agent's query has read is not there for the next one's", async () => {
    const everything = `SELECT ?o FROM <${UNION}> { ?s <http://e/p> ?o }`;
    for (const [webid, expected] of [
      [pod.pod.owner, 6],
      [BOB, 2],
      [null, 1],
      [pod.pod.owner, 6],
      [null, 1],
    ] as const) {
      expect((await pod.values(everything, "o", { webid })).length).to.equal(expected);
    }
  });

  it("what is hidden changes no ETag, and what is readable does", async () => {
    const changing = await createTestPod({ ...shared, ...hidden }, mayRead);
    try {
      const sparql = `SELECT ?o FROM <${UNION}> { ?s <http://e/p> ?o }`;
      const etag = async (): Promise<unknown> => (await changing.ask(sparql, { webid: BOB })).headers["etag"];
      const first = await etag();
      await changing.put(SECRET, "<#secret> <http://e/p> 33 .");
      expect(await etag()).to.equal(first);
      await changing.put("private/another.ttl", "<#secret> <http://e/p> 34 .");
      await changing.put("private/deep/other.ttl", null);
      expect(await etag()).to.equal(first);
      await changing.put("for-bob/b.ttl", "<#y> <http://e/p> 22 .");
      expect(await etag()).to.not.equal(first);
    } finally {
      await changing.close();
    }
  });

  it("labels of blank nodes do not tell how much was read before", async () => {
    const sparql = "SELECT ?b { BIND(BNODE() AS ?b) }";
    expect((await pod.ask(sparql, { webid: null })).text).to.equal(
      (await twin.ask(sparql, { webid: null })).text,
    );
  });

  it("the order of rows does not tell which terms stand in what may not be read", async () => {
    const queries = [
      "SELECT ?s { ?s <urn:p> 1 } LIMIT 1",
      "SELECT ?s { ?s <urn:p> 1 }",
      "SELECT (SAMPLE(?s) AS ?one) { ?s <urn:p> 1 }",
      "SELECT (GROUP_CONCAT(STR(?s)) AS ?all) { ?s <urn:p> 1 }",
      "SELECT (MIN(?o) AS ?least) { <urn:x:values> <urn:r> ?o }",
      "SELECT (SUM(?o) AS ?sum) { <urn:x:values> <urn:q> ?o }",
      "SELECT ?s (COUNT(*) AS ?n) { ?s <urn:p> 1 } GROUP BY ?s LIMIT 1",
      "SELECT DISTINCT ?s { ?s <urn:p> ?o } LIMIT 1",
      "SELECT ?s ?o { ?s <urn:p> ?o } ORDER BY ?o LIMIT 1",
      "SELECT * { ?s <urn:p> 1 { SELECT ?s { ?s <urn:p> ?o } LIMIT 1 } }",
      "CONSTRUCT { ?s <urn:is> [] } { ?s <urn:p> 1 }",
      "DESCRIBE ?s { ?s <urn:p> 1 }",
      "DESCRIBE ?s { ?s <urn:p> 1 } LIMIT 1",
    ];
    const run = async (hidden: string): Promise<string[]> => {
      const documents = { "private/x.ttl": hidden, "for-bob/a.ttl": "<#y> <urn:q> 2 ." };
      const writable = await createTestPod(documents, mayRead);
      try {
        await writable.ask(`SELECT * FROM <${UNION}> { ?s ?p ?o }`); // The owner's: all is read for it.
        const own = ["first", "secret", "third"].map((name) => `<urn:x:${name}> <urn:p> 1 .`);
        const values = "<urn:x:values> <urn:r> 1, 1.0, 01 ; <urn:q> 1e16, 1e0, -1e16 .";
        await writable.put("for-bob/b.ttl", `${own.join("\n")} ${values}`);
        const query = `default-graph-uri=${encodeURIComponent(UNION)}&query=`;
        const answers: string[] = [];
        for (const text of queries) {
          const asked = { webid: BOB, query: query + encodeURIComponent(text) };
          answers.push((await writable.ask(text, asked)).text);
        }
        return answers;
      } finally {
        await writable.close();
      }
    };
    const expected = await run("<#s> <urn:z> <urn:x:other> .");
    for (const guesses of ["<urn:x:secret>, 1.0, -1e16", "<urn:x:third>, 01, 1e0"])
      expect(await run(`<#s> <urn:z> ${guesses} .`), guesses).to.deep.equal(expected);
  });

  it("rules that change are followed by the next query", async () => {
    let isOpen = false;
    const changing = await createTestPod(
      { "a.ttl": "<#x> <http://e/p> 1 .", "b.ttl": "<#x> <http://e/q> 1 ." },
      (_webid, name) => isOpen || name.endsWith("b.ttl"),
    );
    try {
      const count = () =>
        changing.values("SELECT ?o { GRAPH ?g { ?s <http://e/p> ?o } }", "o", { webid: BOB });
      expect(await count()).to.deep.equal([]);
      isOpen = true;
      expect(await count()).to.deep.equal(["1"]);
      isOpen = false;
      expect(await count()).to.deep.equal([]);
    } finally {
      await changing.close();
    }
  });
});
