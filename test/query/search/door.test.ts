/** Full-text search over HTTP: who finds what, and what must not show. */
import { expect } from "chai";
import { setAccess, write } from "../../doors/people.ts";
import type { Fetch } from "../../support/dpop.ts";
import { type Person, startServer, type TestServer } from "../../support/server.ts";
import { UNION } from "../fixture.ts";

interface Hit {
  readonly document: string;
  readonly subject: string;
  readonly property: string;
  readonly excerpt: string;
  readonly types: readonly string[];
  readonly year: number | null;
}
interface Found {
  readonly total: number;
  readonly complete: boolean;
  readonly hits: readonly Hit[];
  readonly facets: Readonly<
    Record<
      "types" | "folders" | "years",
      readonly { readonly value: string | number; readonly count: number }[]
    >
  >;
  readonly next: string | null;
}

const SCHEMA = "https://schema.org/";

describe("search over HTTP", () => {
  let server: TestServer;
  let ana: Person;
  let shop: Person;

  before(async () => {
    server = await startServer();
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
    const note = (type: string, text: string, more = ""): string =>
      `@prefix schema: <${SCHEMA}> . <#it> a schema:${type} ; schema:text "${text}" ${more} .`;
    const documents: Readonly<Record<string, string>> = {
      "notes/party": note(
        "Message",
        "The garden party begins at noon",
        '; schema:datePublished "2025-05-01"',
      ),
      "notes/soil": note(
        "Message",
        "Soil for the garden, garden shears",
        '; schema:datePublished "2026-03-01"',
      ),
      "orders/shears": note("Order", "Shears for the garden", '; schema:orderDate "2026-04-01"'),
      "diary/secret": note("Message", "My secret garden", '; schema:datePublished "2024-01-01"'),
    };
    for (const [name, text] of Object.entries(documents)) await write(ana, ana.pod + name, text);
    for (const name of ["notes/party", "orders/shears"])
      await setAccess(ana, ana.pod + name, [{ to: shop.webid, modes: ["Read"] }]);
  });
  after(() => server.close());

  const get = (who: Fetch, parameters: string, init: RequestInit = {}): Promise<Response> =>
    who(`${ana.pod}search?${parameters}`, init);
  const search = async (who: Fetch, parameters: string): Promise<Found> => {
    const response = await get(who, parameters);
    expect(response.status, await response.clone().text()).to.equal(200);
    expect(response.headers.get("content-type")).to.equal("application/json");
    return (await response.json()) as Found;
  };
  const namesOf = ({ hits }: Found): string[] => hits.map(({ document }) => document.slice(ana.pod.length));

  it("the owner finds all, the best first, with facets", async () => {
    const found = await search(ana.fetch, "q=garden");
    expect(found.total).to.equal(4);
    expect(found.complete).to.equal(true);
    expect(namesOf(found)[0]).to.equal("notes/soil");
    const hit = found.hits.find(({ document }) => document.endsWith("party"))!;
    expect(hit).to.deep.include({
      subject: `${ana.pod}notes/party#it`,
      property: `${SCHEMA}text`,
      excerpt: "The garden party begins at noon",
      types: [`${SCHEMA}Message`],
      year: 2025,
    });
    expect(found.facets).to.deep.equal({
      types: [
        { value: `${SCHEMA}Message`, count: 3 },
        { value: `${SCHEMA}Order`, count: 1 },
      ],
      folders: [
        { value: `${ana.pod}notes/`, count: 2 },
        { value: `${ana.pod}diary/`, count: 1 },
        { value: `${ana.pod}orders/`, count: 1 },
      ],
      years: [
        { value: 2026, count: 2 },
        { value: 2024, count: 1 },
        { value: 2025, count: 1 },
      ],
    });
  });

  it("others find what they may read, and facets count nothing else", async () => {
    const found = await search(shop.fetch, "q=garden");
    expect(namesOf(found).sort()).to.deep.equal(["notes/party", "orders/shears"]);
    expect(found.facets.years.map(({ value }) => value)).to.deep.equal([2025, 2026]);
    const nothing = await search(shop.fetch, "q=secret");
    expect(nothing).to.deep.include({ total: 0, hits: [], next: null });
    expect(JSON.stringify(nothing)).not.to.include("diary");
    expect(await search(fetch, "q=garden")).to.deep.include({ total: 0, hits: [] });
  });

  it("a word that is only in what may not be read answers like one that is nowhere", async () => {
    const [hidden, nowhere] = [await search(shop.fetch, "q=secret"), await search(shop.fetch, "q=nowher")];
    expect({ ...hidden, query: "" }).to.deep.equal({ ...nowhere, query: "" });
  });

  it("what is taken back is not found by the next search, what is granted is", async () => {
    const access = (modes: readonly "Read"[]) =>
      setAccess(ana, `${ana.pod}diary/secret`, modes.length > 0 ? [{ to: shop.webid, modes }] : []);
    await access(["Read"]);
    expect(namesOf(await search(shop.fetch, "q=secret"))).to.deep.equal(["diary/secret"]);
    await access([]);
    expect(namesOf(await search(shop.fetch, "q=secret"))).to.deep.equal([]);
  });

  it("facets narrow", async () => {
    const order = encodeURIComponent(`${SCHEMA}Order`);
    const notes = encodeURIComponent(`${ana.pod}notes/`);
    expect(namesOf(await search(ana.fetch, `q=garden&type=${order}`))).to.deep.equal(["orders/shears"]);
    expect(namesOf(await search(ana.fetch, `q=garden&folder=${notes}`))).to.have.members([
      "notes/party",
      "notes/soil",
    ]);
    expect(namesOf(await search(ana.fetch, "q=garden&year=2026"))).to.have.members([
      "notes/soil",
      "orders/shears",
    ]);
  });

  it("pages follow each other", async () => {
    const seen: string[] = [];
    let next: string | null = `${ana.pod}search?q=garden&limit=3`;
    for (; next; ) {
      const found = (await (await ana.fetch(next)).json()) as Found;
      seen.push(...namesOf(found));
      ({ next } = found);
    }
    expect(seen.length).to.equal(4);
    expect(new Set(seen).size).to.equal(4);
  });

  it("phrases, beginnings, and what must not be there", async () => {
    expect(namesOf(await search(ana.fetch, `q=${encodeURIComponent('"garden party"')}`))).to.deep.equal([
      "notes/party",
    ]);
    expect((await search(ana.fetch, "q=gard*+-secret")).total).to.equal(3);
    // What would end the text of the query is a part of it.
    expect((await search(ana.fetch, `q=${encodeURIComponent('garden" . ?s ?p ?o . #\\\n')}`)).total).to.equal(
      0,
    );
  });

  it("what is written is found by the next search", async () => {
    await write(ana, `${ana.pod}notes/later`, `<#it> <${SCHEMA}name> "A zeppelin" .`);
    expect(namesOf(await search(ana.fetch, "q=zeppelin"))).to.deep.equal(["notes/later"]);
    await write(ana, `${ana.pod}notes/later`, `<#it> <${SCHEMA}name> "A balloon" .`);
    expect((await search(ana.fetch, "q=zeppelin")).total).to.equal(0);
  });

  it("an ETag spares the answer", async () => {
    const response = await get(ana.fetch, "q=garden");
    const etag = response.headers.get("etag")!;
    expect((await get(ana.fetch, "q=garden", { headers: { "if-none-match": etag } })).status).to.equal(304);
    expect(response.headers.get("cache-control")).to.match(/private/);
    const head = await get(ana.fetch, "q=garden", { method: "HEAD" });
    expect([head.status, await head.text()]).to.deep.equal([200, ""]);
  });

  for (const parameters of [
    "",
    "q=",
    "q=-garden",
    "q=a&q=b",
    "q=a&limit=1000",
    "q=a&limit=x",
    "q=a&year=x",
    "q=%FF",
  ])
    it(`refuses ?${parameters}`, async () => {
      const response = await get(ana.fetch, parameters);
      expect(response.status).to.equal(400);
      expect(response.headers.get("content-type")).to.equal("application/problem+json");
    });

  it("a page has at least one hit: a limit of 0 is refused with what it may be, and leads to no page", async () => {
    const response = await get(ana.fetch, "q=garden&limit=0");
    expect(response.status).to.equal(400);
    expect(await response.text())
      .to.include("limit is a whole number from 1 to 100")
      .and.not.include("offset=");
    expect((await search(ana.fetch, "q=garden&limit=1")).next).to.include("offset=1");
  });

  it("nothing can be stored at its address", async () => {
    const response = await ana.fetch(`${ana.pod}search`, {
      method: "PUT",
      body: "",
      headers: { "content-type": "text/turtle" },
    });
    expect(response.status).to.equal(405);
    expect((await get(ana.fetch, "q=a", { method: "OPTIONS" })).headers.get("allow")).to.equal(
      "GET, HEAD, OPTIONS",
    );
  });

  it("the storage description says where it is", async () => {
    const text = await (await fetch(`${ana.pod}.well-known/solid`)).text();
    expect(text).to.include(`${ana.pod}search`);
  });

  it("the same in SPARQL", async () => {
    const query = `PREFIX fh: <https://w3id.org/freehold/ns#> SELECT ?text FROM <${UNION}> { ?note <${SCHEMA}text> ?text . ?text fh:matches "garden -secret" }`;
    const answer = await shop.fetch(`${ana.pod}sparql?query=${encodeURIComponent(query)}`);
    const { results } = (await answer.json()) as { results: { bindings: { text: { value: string } }[] } };
    expect(results.bindings.map(({ text }) => text.value).sort()).to.deep.equal([
      "Shears for the garden",
      "The garden party begins at noon",
    ]);
  });
});
