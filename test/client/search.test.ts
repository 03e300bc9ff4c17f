import { type Fetch, FreeholdError, grant, type Hit, openPod, type Pod, search } from "@freehold/client";
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { codeOf } from "./codes.ts";

const SCHEMA = "https://schema.org/";

describe("full-text search, by the client", () => {
  let server: TestServer;
  let ana: Person;
  let bea: Person;
  let pod: Pod;
  let theirs: Pod;

  before(async () => {
    server = await startServer();
    [ana, bea] = [await server.person("Ana"), await server.person("Bea")];
    pod = await openPod(ana.pod, { fetch: ana.fetch });
    theirs = await openPod(ana.pod, { fetch: bea.fetch });
    const documents: Readonly<Record<string, string>> = {
      "notes/party.ttl": `a <${SCHEMA}Message> ; <${SCHEMA}text> "The garden party begins at noon" ; <${SCHEMA}datePublished> "2025-05-01"`,
      "notes/soil.ttl": `a <${SCHEMA}Message> ; <${SCHEMA}text> "Soil for the garden, Garden shears" ; <${SCHEMA}datePublished> "2026-03-01"`,
      "orders/shears.ttl": `a <${SCHEMA}Order> ; <${SCHEMA}text> "Shears for the garden"`,
      "diary/secret.ttl": `<${SCHEMA}text> "My secret garden & its 100 % \\"roses\\""`,
    };
    for (const [path, text] of Object.entries(documents))
      await pod.writeFile(path, `<#it> ${text} .`, "text/turtle");
  });
  after(() => server.close());

  const namesOf = (hits: readonly Hit[]): string[] =>
    hits.map(({ document }) => document.slice(ana.pod.length));
  const namesFor = async (text: string, options?: Parameters<typeof search>[2]): Promise<string[]> =>
    namesOf((await search(pod, text, options)).hits).sort();
  /** @returns the pod, with a fetch that answers so to searches. */
  const answering = (answer: (url: string) => unknown): Pod => ({
    ...pod,
    fetch: async (url) => new Response(JSON.stringify(answer(url))),
  });

  it("says of each hit where it is, what it is about and why it is one, the best first", async () => {
    const { total, complete, hits } = await search(pod, "garden");
    expect([total, complete]).to.deep.equal([4, true]);
    expect(hits[0]).to.deep.include({
      document: pod.at("notes/soil.ttl"),
      subject: pod.at("notes/soil.ttl#it"),
      property: `${SCHEMA}text`,
      excerpt: "Soil for the garden, Garden shears",
      types: [`${SCHEMA}Message`],
      year: 2026,
    });
    expect(hits.map(({ score }) => score)).to.deep.equal(
      hits.map(({ score }) => score).sort((a, b) => b - a),
    );
  });

  it("counts by type, folder and year, and narrows by them", async () => {
    const { facets } = await search(pod, "garden");
    expect(facets.types[0]).to.deep.equal({ value: `${SCHEMA}Message`, count: 2 });
    expect(facets.folders[0]).to.deep.equal({ value: pod.at("notes/"), count: 2 });
    expect(facets.years.map(({ value }) => value)).to.have.members([2025, 2026]);
    const notes = ["notes/party.ttl", "notes/soil.ttl"];
    expect(await namesFor("garden", { types: [`${SCHEMA}Order`] })).to.deep.equal(["orders/shears.ttl"]);
    expect(await namesFor("garden", { types: [`${SCHEMA}Order`, `${SCHEMA}Message`] })).to.have.length(3);
    expect(await namesFor("garden", { folder: "notes" })).to.deep.equal(notes);
    expect(await namesFor("garden", { folder: pod.at("notes/"), year: 2025 })).to.deep.equal([notes[0]]);
  });

  it("takes every character as it is", async () => {
    expect(await namesFor('"100 % roses" -party & gard*')).to.deep.equal(["diary/secret.ttl"]);
    expect(await namesFor('x" . ?s ?p ?o } #\\\n&type=y')).to.deep.equal([]);
  });

  it("goes through all pages, and loads none that nobody wants", async () => {
    let sent = 0;
    const counting: Pod = { ...pod, fetch: (url, init) => ((sent += 1), pod.fetch(url, init)) };
    const first = await search(counting, "garden", { perPage: 2 });
    const second = await first.nextPage();
    expect([first.hits.length, second?.hits.length, await second?.nextPage()]).to.deep.equal([2, 2, null]);
    expect([first.total, second?.total, sent]).to.deep.equal([4, 4, 2]);
    const all = await Array.fromAsync(await search(pod, "garden", { perPage: 3, folder: "" }));
    expect(new Set(namesOf(all)).size).to.equal(4);
    for await (const hit of first) {
      expect(hit).to.equal(first.hits[0]);
      break;
    }
    expect(sent).to.equal(2);
  });

  it("finds for others what they may read, and counts nothing else", async () => {
    expect(await codeOf(search(theirs, "garden")), "nothing granted").to.equal("forbidden");
    expect(await codeOf(search({ ...theirs, fetch }, "garden")), "nobody").to.equal("login-required");
    await grant(pod, "notes/party.ttl", { to: bea.webid, modes: ["read"] });
    const found = await search(theirs, "garden");
    expect([found.total, namesOf(found.hits)]).to.deep.equal([1, ["notes/party.ttl"]]);
    expect(found.facets.folders).to.deep.equal([{ value: pod.at("notes/"), count: 1 }]);
    const hidden = await search(theirs, "secret");
    expect([hidden.total, hidden.hits, await hidden.nextPage()]).to.deep.equal([0, [], null]);
    expect(await Array.fromAsync(hidden)).to.deep.equal([]);
    expect(JSON.stringify(hidden)).not.to.include("diary");
  });

  it("tells the server's reason", async () => {
    expect(await codeOf(search(pod, ""))).to.equal("bad-request");
    expect(await codeOf(search(pod, "-garden"))).to.equal("bad-request");
    expect(await codeOf(search(pod, "garden", { perPage: 1_000 }))).to.equal("bad-request");
    expect(await codeOf(search(pod, "garden", { year: 1.5 }))).to.equal("bad-request");
    expect(await codeOf(search(pod, "garden", { folder: bea.pod }))).to.equal("input-invalid");
    const off = search(pod, "garden", { signal: AbortSignal.abort() });
    expect(await off.catch((error: Error) => error.name)).to.equal("AbortError");
  });

  it("believes no answer that is none", async () => {
    const facets = { types: [], folders: [], years: [] };
    for (const answer of [null, [], "x", { total: 1 }, { total: 0, hits: [], facets, next: "x" }])
      expect(await codeOf(search(answering(() => answer), "a")), JSON.stringify(answer)).to.equal("answer-invalid"); // biome-ignore format: one line
    const page: Fetch = async () => new Response("<html></html>");
    expect(await codeOf(search({ ...pod, fetch: page }, "a"))).to.equal("answer-invalid");
  });

  it("is not led elsewhere, nor round in circles", async () => {
    const asked: string[] = [];
    const facets = { types: [], folders: [], years: [] };
    const ending = (hits: readonly unknown[], next: (url: string) => string): Pod =>
      answering((url) => (asked.push(url), { total: 9, complete: true, hits, facets, next: next(url) }));
    const away = await search(
      ending([{}], () => "https://stranger.example/search?q=a"),
      "a",
    );
    expect(await codeOf(away.nextPage())).to.equal("answer-invalid");
    expect(await Array.fromAsync(away).catch((error: unknown) => error)).to.be.instanceOf(FreeholdError);
    const round = await search(
      ending([], (url) => url),
      "a",
    );
    expect(await Array.fromAsync(round)).to.deep.equal([]);
    expect(asked).to.have.length(2);
    expect(await codeOf(search(pod, "garden", { perPage: 0 })), "a page has room for a hit").to.equal(
      "bad-request",
    );
  });
});
