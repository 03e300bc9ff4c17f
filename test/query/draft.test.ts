/**
 * The 16 scenarios of the draft over HTTP, in its order, and what it asks besides.
 * https://jeswr.github.io/solid-sparql-query/#test-scenarios
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parseRdf } from "../../server/rdf/parse.ts";
import { setAccess, write } from "../doors/people.ts";
import { skipWithoutVectors, vectors } from "../rdf/vectors.ts";
import type { Fetch } from "../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { UNION } from "./fixture.ts";

interface Case {
  readonly id: string;
  readonly scenario: number | readonly number[];
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
interface Answer {
  readonly boolean?: boolean;
  readonly results?: { readonly bindings: readonly Readonly<Record<string, { readonly value: string }>>[] };
}
const ALICE = "https://alice.pod.example/";
const NAMES = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }";

describe("Access-Controlled SPARQL Query over a Solid Pod, over HTTP", () => {
  let server: TestServer;
  let alice: Person;
  let rob: Person;
  const folder = vectors("solid-sparql/query-semantics");
  const at = (path: string): string => `${alice.pod}s/${path}`;
  const here = (text: string): string => text.replaceAll(ALICE, at(""));

  before(async () => {
    server = await startServer();
    [alice, rob] = [await server.person("Alice"), await server.person("Rob")];
    const reads = [{ to: rob.webid, modes: ["Read"] as const }];
    // Nothing else of the pod is open, so that what is counted is what the draft counts.
    for (const path of ["profile/card", "settings/publicTypeIndex.ttl"])
      await setAccess(alice, alice.pod + path, []);
    const FOAF = "http://xmlns.com/foaf/0.1/";
    await write(
      alice,
      at("profile/card"),
      `<#me> <${FOAF}name> "Alice" ; <${FOAF}knows> <https://bob.example/card#me> .`,
    );
    await write(alice, at("contacts/bob"), `<https://bob.example/card#me> <${FOAF}name> "Bob" .`);
    await write(alice, at("private/journal"), '<#e1> <http://example.org/ns#secret> "hidden" .');
    for (const path of ["profile/card", "contacts/bob"]) await setAccess(alice, at(path), reads);
    await setAccess(alice, at("private/journal"), []);
  });
  after(() => server.close());

  const endpoint = (): string => `${alice.pod}sparql`;
  const get = (
    who: Fetch,
    query: string,
    more = "",
    headers: Record<string, string> = {},
  ): Promise<Response> => who(`${endpoint()}?query=${encodeURIComponent(query)}${more}`, { headers });
  const answer = async (who: Fetch, query: string, more = ""): Promise<Answer> => {
    const response = await get(who, query, more);
    expect(response.status, await response.clone().text()).to.equal(200);
    return (await response.json()) as Answer;
  };
  const values = async (who: Fetch, query: string, name: string): Promise<string[]> =>
    ((await answer(who, query)).results?.bindings ?? []).map((row) => row[name]?.value ?? "").sort();

  describe("scenarios 2 to 8 and 11 to 13: what a query sees", () => {
    const cases = folder
      ? (JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as { cases: Case[] }).cases
      : [];
    it("has 15 cases", function () {
      skipWithoutVectors(this, "solid-sparql/query-semantics");
      expect(cases.length).to.equal(15);
    });
    for (const { id, scenario, requester, query, expect: expected } of cases) {
      it(`${[scenario].flat().join(", ")}: ${id}`, async () => {
        const { boolean, results } = await answer(requester === "R" ? rob.fetch : fetch, here(query));
        const found = results?.bindings ?? [];
        if (expected.type === "rowCount") expect(found.length).to.equal(expected.value);
        else if (expected.type === "ask") expect(boolean).to.equal(expected.value);
        else if (expected.type === "count")
          expect(Number(found[0]?.[expected.var!]?.value)).to.equal(expected.value);
        else {
          const names = found.map((binding) => binding[expected.var!]?.value);
          for (const name of expected.includes ?? []) expect(names).to.include(here(name));
          for (const name of expected.excludes ?? []) expect(names).to.not.include(here(name));
        }
      });
    }
    it("5: nothing tells an unreadable graph from one that is not there", async () => {
      const seen = async (path: string, more = ""): Promise<unknown> => {
        const response = await get(
          rob.fetch,
          `SELECT * FROM <${at(path)}> FROM NAMED <${at(path)}> { ?s ?p ?o }`,
          more,
        );
        const {
          date: _date,
          "x-request-id": _id,
          etag: _etag,
          ...headers
        } = Object.fromEntries(response.headers);
        return [response.status, headers, await response.text()];
      };
      expect(await seen("private/journal")).to.deep.equal(await seen("no-such"));
      const inParameters = (path: string): string => `&default-graph-uri=${encodeURIComponent(at(path))}`;
      expect(await seen("private/journal", inParameters("private/journal"))).to.deep.equal(
        await seen("private/journal", inParameters("no-such")),
      );
    });
    it("the owner sees rules and folders, and who may read a document does not see its rules", async () => {
      expect(await values(alice.fetch, NAMES, "g")).to.include.members(
        ["", "profile/card", "profile/card.acl", "private/", "private/journal"].map(at),
      );
      expect(await values(rob.fetch, NAMES, "g")).to.deep.equal(["contacts/bob", "profile/card"].map(at));
    });
    it("files that are no RDF are no graphs", async () => {
      await write(alice, at("photo.png"), "<#a> <urn:x:b> <#c> .", "image/png");
      expect(await values(alice.fetch, NAMES, "g")).to.not.include(at("photo.png"));
      expect(await values(alice.fetch, `SELECT * FROM <${at("photo.png")}> { ?s ?p ?o }`, "s")).to.deep.equal(
        [],
      );
    });
  });

  it("1: the three bindings of the protocol answer alike, with the dataset named in the query or beside it", async () => {
    const query = `SELECT ?o { ?s <http://xmlns.com/foaf/0.1/name> ?o } ORDER BY ?o`;
    const union = `default-graph-uri=${encodeURIComponent(UNION)}`;
    const post = (contentType: string, body: string, more = ""): Promise<Response> =>
      rob.fetch(`${endpoint()}${more}`, { method: "POST", headers: { "content-type": contentType }, body });
    const answers = [
      await get(rob.fetch, query, `&${union}`),
      await post("application/x-www-form-urlencoded", `query=${encodeURIComponent(query)}&${union}`),
      await post("application/sparql-query", query, `?${union}`),
      await post("application/sparql-query", query.replace("{", `FROM <${UNION}> {`)),
    ];
    const texts = await Promise.all(answers.map((each) => each.text()));
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
    expect(new Set(texts).size).to.equal(1);
    expect(texts[0]).to.include("Alice").and.include("Bob").and.not.include("hidden");
  });

  it("9, 10: graphs within a document are flattened into its own, and their names are no graphs", async () => {
    const inner = JSON.stringify({
      "@graph": [
        { "@id": "urn:x:outer", "urn:x:in": "outer" },
        { "@id": "urn:x:graph", "@graph": [{ "@id": "urn:x:inner", "urn:x:in": { "@id": "_:same" } }] },
        { "@id": "_:same", "urn:x:in": "same" },
      ],
    });
    await write(alice, at("inner.jsonld"), inner, "application/ld+json");
    await setAccess(alice, at("inner.jsonld"), [{ to: rob.webid, modes: ["Read"] }]);
    expect(
      await values(rob.fetch, `SELECT ?s FROM <${at("inner.jsonld")}> { ?s <urn:x:in> ?o }`, "s"),
    ).to.include.members(["urn:x:inner", "urn:x:outer"]);
    // A blank node is the same in all graphs of one document.
    expect(
      (
        await answer(
          rob.fetch,
          `ASK FROM <${at("inner.jsonld")}> { <urn:x:inner> <urn:x:in> [ <urn:x:in> "same" ] }`,
        )
      ).boolean,
    ).to.equal(true);
    expect(await values(rob.fetch, NAMES, "g")).to.not.include("urn:x:graph");
    expect((await answer(rob.fetch, "ASK { GRAPH <urn:x:graph> { ?s ?p ?o } }")).boolean).to.equal(false);
    await alice.fetch(at("inner.jsonld"), { method: "DELETE" });
  });

  it("14: the description says what there is, names no graph, and is the same to everybody", async () => {
    const texts = await Promise.all(
      [alice.fetch, rob.fetch, fetch].map(async (who) => (await who(endpoint())).text()),
    );
    expect(new Set(texts).size).to.equal(1);
    const quads = await parseRdf(Buffer.from(texts[0]!), "text/turtle", endpoint());
    const said = quads.map(({ predicate, object }) => `${predicate.value} ${object.value}`);
    const SD = "http://www.w3.org/ns/sparql-service-description#";
    expect(said).to.include(`${SD}feature http://www.w3.org/ns/solid/sparql#UnionDefaultGraphOptIn`);
    expect(said).to.include(`${SD}supportedLanguage ${SD}SPARQL11Query`);
    expect(said.filter((each) => each.startsWith(`${SD}resultFormat`)).length).to.be.at.least(6);
    expect(texts[0]).to.not.match(
      /sd:UnionDefaultGraph\b|namedGraph|availableGraphs|defaultDataset|journal|card/,
    );
  });

  it("15: updates are refused, and change nothing", async () => {
    const update = `INSERT DATA { GRAPH <${at("contacts/bob")}> { <urn:x:a> <urn:x:b> <urn:x:c> } }`;
    const direct = await alice.fetch(endpoint(), {
      method: "POST",
      headers: { "content-type": "application/sparql-update" },
      body: update,
    });
    const form = await alice.fetch(endpoint(), {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `update=${encodeURIComponent(update)}`,
    });
    const asQuery = await get(alice.fetch, update);
    expect([direct.status, form.status, asQuery.status]).to.deep.equal([415, 400, 400]);
    expect((await answer(alice.fetch, `ASK FROM <${UNION}> { <urn:x:a> ?p ?o }`)).boolean).to.equal(false);
  });

  it("16: no answer may be kept for somebody else, and an unchanged one is not sent again", async () => {
    const first = await get(rob.fetch, NAMES);
    expect(first.headers.get("cache-control")).to.equal("private, no-cache");
    expect(first.headers.get("vary")).to.match(/Authorization/);
    const etag = first.headers.get("etag")!;
    const again = await get(rob.fetch, NAMES, "", { "if-none-match": etag });
    expect([again.status, await again.text()]).to.deep.equal([304, ""]);
    expect((await get(alice.fetch, NAMES, "", { "if-none-match": etag })).status).to.equal(200);
    expect(
      (await get(rob.fetch, "SELECT ?g { GRAPH ?g { ?s ?p ?o } }", "", { "if-none-match": etag })).status,
    ).to.equal(200);
    expect((await get(rob.fetch, NAMES, "", { "if-none-match": etag, accept: "text/csv" })).status).to.equal(
      200,
    );
    await write(
      alice,
      at("contacts/bob"),
      '<https://bob.example/card#me> <http://xmlns.com/foaf/0.1/name> "Bob" .',
    );
    expect((await get(rob.fetch, NAMES, "", { "if-none-match": etag })).status).to.equal(200);
    const fleeting = "SELECT (NOW() AS ?now) {}";
    expect((await get(rob.fetch, fleeting)).headers.get("etag")).to.equal(null);
  });

  describe("besides", () => {
    it("the endpoint is found from the storage's root and from its description, by whoever may see those", async () => {
      const relation = "http://www.w3.org/ns/solid/sparql#endpoint";
      for (const method of ["GET", "HEAD"]) {
        const links = (await alice.fetch(alice.pod, { method })).headers.get("link") ?? "";
        expect(links).to.include(`<${endpoint()}>; rel="${relation}"`);
      }
      const description = await (await fetch(`${alice.pod}.well-known/solid`)).text();
      const quads = await parseRdf(Buffer.from(description), "text/turtle", alice.pod);
      const found = quads.filter(({ predicate }) => predicate.value === relation);
      expect(found.map(({ subject, object }) => [subject.value, object.value])).to.deep.equal([
        [alice.pod, endpoint()],
      ]);
    });

    it("whoever sends no credentials is the public, and bad ones are refused as everywhere", async () => {
      expect(await answer(fetch, NAMES)).to.deep.include({ results: { bindings: [] } });
      for (const path of [endpoint(), at("contacts/bob")]) {
        const bad = await fetch(`${path}?query=${encodeURIComponent(NAMES)}`, {
          headers: { authorization: "DPoP nonsense", dpop: "nonsense" },
        });
        expect(bad.status).to.equal(401);
      }
    });

    it("who prefers it is told that nothing is open to them; all others get an empty answer", async () => {
      const strict = { prefer: "handling=strict" };
      expect((await get(fetch, NAMES, "", strict)).status).to.equal(401);
      expect((await get(rob.fetch, NAMES, "", strict)).status).to.equal(200);
      const stranger = await server.person("Sue");
      expect((await get(stranger.fetch, NAMES, "", strict)).status).to.equal(403);
      expect(await values(stranger.fetch, NAMES, "g")).to.deep.equal([]);
    });

    it("one pod's endpoint never answers from another pod", async () => {
      await write(rob, `${rob.pod}mine.ttl`, "<#a> <urn:x:mine> 1 .");
      expect(await values(rob.fetch, `SELECT ?s FROM <${rob.pod}mine.ttl> { ?s ?p ?o }`, "s")).to.deep.equal(
        [],
      );
      expect((await answer(rob.fetch, `ASK FROM <${UNION}> { ?s <urn:x:mine> ?o }`)).boolean).to.equal(false);
    });

    const formats: readonly (readonly [string, string | null, string])[] = [
      ["SELECT ?s { GRAPH ?s { ?a ?b ?c } }", null, "application/sparql-results+json"],
      ["ASK {}", null, "application/sparql-results+json"],
      [`DESCRIBE <https://bob.example/card#me> FROM <${UNION}>`, null, "text/turtle"],
      ["CONSTRUCT { <urn:x:a> <urn:x:b> 1 } {}", null, "text/turtle"],
      ["SELECT ?s {}", "application/sparql-results+xml", "application/sparql-results+xml"],
      ["SELECT ?s {}", "text/csv", "text/csv; charset=utf-8"],
      ["SELECT ?s {}", "text/tab-separated-values", "text/tab-separated-values; charset=utf-8"],
      ["ASK {}", "application/sparql-results+xml", "application/sparql-results+xml"],
      ["CONSTRUCT { <urn:x:a> <urn:x:b> 1 } {}", "application/ld+json", "application/ld+json"],
    ];
    for (const [query, accept, expected] of formats) {
      it(`${query.split(" ")[0]} as ${accept ?? "nobody said"} is ${expected}`, async () => {
        const response = await rob.fetch(`${endpoint()}?query=${encodeURIComponent(query)}`, {
          headers: { accept: accept ?? "*/*" },
        });
        expect([response.status, response.headers.get("content-type")]).to.deep.equal([200, expected]);
      });
    }
  });
});
