import { expect } from "chai";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const LWS = "https://www.w3.org/ns/lws#";
const LWS_TYPE = "application/lws+json";
const PERSON = "https://schema.org/Person";
const EVENT = "https://schema.org/Event";
const SECRET = "https://example.org/health#Diagnosis";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly type: string;
    readonly totalItems: number;
    readonly items: readonly { readonly id: string; readonly type: string | readonly string[] }[];
  };
}

/** Names are the anchors of https://w3c.github.io/lws-protocol/lws10-core/ and …/lws10-searchindex/. */
describe("Linked Web Storage beside Solid", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const at = (path: string) => `${ana.pod}${path}`;
  const ask = async (who: Person["fetch"], url: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await who(url, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as Answer["body"] };
  };
  const index = () => at(".well-known/lws/types");
  const search = (...groups: readonly string[]) =>
    `${at(".well-known/lws/search")}?${new URLSearchParams(groups.map((group) => ["type", group]))}`;
  const post = (who: Person["fetch"], body: unknown, type = LWS_TYPE) =>
    ask(who, at(".well-known/lws/search"), {
      method: "POST",
      headers: { "content-type": type },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const idsOf = ({ body }: Answer) => body.items.map(({ id }) => id.slice(ana.pod.length));

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "pageMembersMax=3" });
    [ana, ben] = [await server.person("ana"), await server.person("ben")];
    await write(ana, at("people/ana.ttl"), `<#me> a <${PERSON}>, <http://xmlns.com/foaf/0.1/Person> .`);
    await write(
      ana,
      at("people/cy.ttl"),
      `<> a <${PERSON}> . <https://example.org/else> a <urn:x:Elsewhere> .`,
    );
    await write(ana, at("people/do.jsonld"), `{"@id":"#it","@type":"${EVENT}"}`, "application/ld+json");
    await write(ana, at("people/photo.png"), "not really", "image/png");
    await write(ana, at("secret/one.ttl"), `<#it> a <${SECRET}>, <${PERSON}> .`);
    await setAccess(ana, at("people/"), [{ to: ben.webid, modes: ["Read"] }]);
    await setAccess(ana, at("people/cy.ttl"), []);
  });
  after(() => server.close());

  it("a storage describes itself, and its description itself (storage-description-data-model, storage-description-representation)", async () => {
    const response = await fetch(at(".well-known/solid"), { headers: { accept: LWS_TYPE } });
    expect(response.headers.get("content-type")).to.equal(LWS_TYPE);
    expect(await response.json()).to.deep.equal({
      "@context": "https://www.w3.org/ns/lws/v1",
      id: ana.pod,
      type: "Storage",
      service: [
        { type: "StorageDescription", serviceEndpoint: at(".well-known/solid") },
        { type: "TypeIndexService", serviceEndpoint: index() },
        { type: "TypeSearchService", serviceEndpoint: at(".well-known/lws/search") },
        {
          type: "AccessRequestService",
          serviceEndpoint: at(".consent/requests"),
          conformsTo: ["https://www.w3.org/ns/lws#AccessProfile"],
        },
        {
          type: "AccessGrantService",
          serviceEndpoint: at(".consent/grants"),
          conformsTo: ["https://www.w3.org/ns/lws#AccessProfile"],
        },
      ],
    });
    expect(
      (await fetch(at(".well-known/solid"))).headers.get("content-type"),
      "Solid's own is the usual",
    ).to.equal("text/turtle");
  });

  it("each resource leads to it, and to its folder (storage-description-binding, metadata)", async () => {
    for (const [path, up] of [
      ["people/ana.ttl", "people/"],
      ["people/photo.png", "people/"],
      ["people/", ""],
    ] as const) {
      for (const method of ["GET", "HEAD"]) {
        const link = (await ana.fetch(at(path), { method })).headers.get("link");
        expect(link).to.include(`<${at(".well-known/solid")}>; rel="${LWS}storageDescription"`);
        expect(link).to.include(`<${at(up)}>; rel="up"`);
      }
    }
    expect((await ana.fetch(ana.pod)).headers.get("link"), "the root is in nothing").not.to.include(
      'rel="up"',
    );
  });

  it("the index has each type once, of what the agent may read (type-index-get)", async () => {
    const pages = [await ask(ben.fetch, index())];
    expect(pages[0]!.headers.get("content-type")).to.equal(LWS_TYPE);
    expect(pages[0]!.headers.get("cache-control")).to.equal("private, no-store");
    expect(pages[0]!.body.type).to.equal("TypeIndex");
    for (;;) {
      const link = pages.at(-1)!.headers.get("link") ?? "";
      expect(link).to.match(/rel="first"/);
      const next = /<([^>]+)>; rel="next"/.exec(link)?.[1];
      if (next === undefined) break;
      pages.push(await ask(ben.fetch, next));
    }
    const types = pages.flatMap(({ body }) => body.items.map(({ id }) => id));
    expect(types).to.include.members([PERSON, EVENT, `${LWS}Container`, `${LWS}DataResource`]);
    expect(new Set(types).size).to.equal(types.length);
    expect(pages[0]!.body.totalItems).to.equal(types.length);
    expect(types, "nor what a document says of others").not.to.include.members([SECRET]);
    expect(types).not.to.include("urn:x:Elsewhere");
  });

  const FILTERS: readonly (readonly [what: string, groups: readonly string[], ids: readonly string[]])[] = [
    ["one type", [PERSON], ["people/ana.ttl"]],
    ["one of two", [`${PERSON},${EVENT}`], ["people/ana.ttl", "people/do.jsonld"]],
    ["both of two", [PERSON, "http://xmlns.com/foaf/0.1/Person"], ["people/ana.ttl"]],
    ["both, and nothing is both", [PERSON, EVENT], []],
    ["containers", [`${LWS}Container`], ["people/"]],
    ["what is data and an event", [EVENT, `${LWS}DataResource`], ["people/do.jsonld"]],
    ["what nobody has", ["https://example.org/Nothing"], []],
    ["what is there, and may not be read", [SECRET], []],
    ["empty groups, which count for nothing", ["", EVENT, ","], ["people/do.jsonld"]],
  ];
  for (const [what, groups, ids] of FILTERS) {
    it(`the search finds ${what}, by GET and POST alike (type-search-get, type-search-post)`, async () => {
      const got = await ask(ben.fetch, search(...groups));
      expect(got.status).to.equal(200);
      expect(got.body.type).to.equal("ContainerPage");
      expect(idsOf(got)).to.deep.equal(ids);
      expect(got.body.totalItems, "counts what is shown").to.equal(ids.length);
      const posted = await post(ben.fetch, { type: groups.map((group) => group.split(",")) });
      expect(posted.body).to.deep.equal(got.body);
    });
  }

  it("without a filter all is found, page by page, and nothing else", async () => {
    const found: string[] = [];
    let url: string | undefined = search();
    while (url !== undefined) {
      const page: Answer = await ask(ben.fetch, url);
      expect(page.body.items.length).to.be.within(1, 3);
      found.push(...page.body.items.map(({ id }) => id));
      url = /<([^>]+)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
      expect(page.body.totalItems).to.equal(6);
    }
    expect(found.map((id) => id.slice(ana.pod.length))).to.deep.equal([
      "people/",
      "people/ana.ttl",
      "people/do.jsonld",
      "people/photo.png",
      "profile/card",
      "settings/publicTypeIndex.ttl",
    ]);
  });

  it("tells each agent of its own view: the owner of all, the public of what is public (security-authorization)", async () => {
    expect(idsOf(await ask(ana.fetch, search(SECRET)))).to.deep.equal(["secret/one.ttl"]);
    expect(idsOf(await ask(ana.fetch, search(PERSON)))).to.deep.equal([
      "people/ana.ttl",
      "people/cy.ttl",
      "secret/one.ttl",
    ]);
    expect(idsOf(await ask(fetch, search()))).to.deep.equal(["profile/card", "settings/publicTypeIndex.ttl"]);
    for (const who of [fetch, ben.fetch]) {
      const hidden = await ask(who, search(SECRET));
      const nothing = await ask(who, search("https://example.org/Nothing"));
      expect(hidden.body, "hidden is as absent").to.deep.equal(nothing.body);
      expect(JSON.stringify(hidden)).not.to.match(/secret|Diagnosis/);
    }
  });

  it("forgets at once what may be read no more, also on the next page (security-authorization)", async () => {
    await setAccess(ana, at("people/"), [{ to: ben.webid, modes: ["Read"] }]);
    const first = await ask(ben.fetch, search());
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    await setAccess(ana, at("people/"), []);
    const second = await ask(ben.fetch, next);
    expect(JSON.stringify(second.body)).not.to.include("people/");
    expect(idsOf(await ask(ben.fetch, search(PERSON)))).to.deep.equal([]);
    expect((await ask(ben.fetch, index())).body.items.map(({ id }) => id)).not.to.include(PERSON);
    await setAccess(ana, at("people/"), [{ to: ben.webid, modes: ["Read"] }]);
  });

  it("knows what was written at once, and forgets what was deleted (type-derivation)", async () => {
    await write(ana, at("people/new.ttl"), "<> a <urn:x:New> .");
    expect(idsOf(await ask(ben.fetch, search("urn:x:New")))).to.deep.equal(["people/new.ttl"]);
    await write(ana, at("people/new.ttl"), "<> a <urn:x:Newer> .");
    expect(idsOf(await ask(ben.fetch, search("urn:x:New")))).to.deep.equal([]);
    expect(idsOf(await ask(ben.fetch, search("urn:x:Newer")))).to.deep.equal(["people/new.ttl"]);
    await ana.fetch(at("people/new.ttl"), { method: "DELETE" });
    expect(idsOf(await ask(ben.fetch, search("urn:x:Newer")))).to.deep.equal([]);
  });

  it("a relation that is not indexed finds nothing, and is no error (type-search-get)", async () => {
    const url = `${search(PERSON)}&describedby=${encodeURIComponent("https://shapes.example/Person")}`;
    const nothing = await ask(ben.fetch, search("https://example.org/Nothing"));
    expect((await ask(ben.fetch, url)).body).to.deep.equal(nothing.body);
    const posted = await post(ben.fetch, { type: [PERSON], describedby: ["https://shapes.example/Person"] });
    expect(posted.body).to.deep.equal(nothing.body);
  });

  describe("refuses what is no filter (request-equivalence-errors)", () => {
    for (const [what, body, type, status] of [
      ["no JSON", "{", LWS_TYPE, 400],
      ["an array", "[]", LWS_TYPE, 400],
      ["a type that is no array", { type: PERSON }, LWS_TYPE, 400],
      ["a group of numbers", { type: [[1]] }, LWS_TYPE, 400],
      ["a group in a group", { type: [[[PERSON]]] }, LWS_TYPE, 400],
      ["a name that is no address", { type: ["Person"] }, LWS_TYPE, 400],
      ["an address with a space", { type: ["https://schema.org/A B"] }, LWS_TYPE, 400],
      ["another format", { type: [PERSON] }, "application/json", 415],
      ["too many addresses", { type: Array.from({ length: 65 }, (_, at) => `urn:x:${at}`) }, LWS_TYPE, 400],
      ["too long ones", { type: [`urn:x:${"x".repeat(5_000)}`] }, LWS_TYPE, 400],
    ] as const) {
      it(`${what}: ${status}`, async () => {
        expect((await post(ben.fetch, body, type)).status).to.equal(status);
      });
    }
    it("in an address, too", async () => {
      expect((await ask(ben.fetch, search("Person"))).status).to.equal(400);
      const many = Array.from({ length: 65 }, (_, number) => `urn:x:${number}`).join(",");
      expect((await ask(ben.fetch, search(many))).status).to.equal(400);
    });
    it("a page that was never given: 404", async () => {
      for (const cursor of ["nonsense", "e30", Buffer.from('{"types":"x","after":""}').toString("base64url")])
        expect((await ask(ben.fetch, `${at(".well-known/lws/search")}?cursor=${cursor}`)).status).to.equal(
          404,
        );
    });
    it("another format of the answer: 406; and other methods: 405", async () => {
      const headers = { accept: "text/turtle" };
      expect((await ask(ben.fetch, search(PERSON), { headers })).status).to.equal(406);
      for (const url of [index(), at(".well-known/lws/search")]) {
        for (const method of ["PUT", "PATCH", "DELETE"]) {
          const refused = await ana.fetch(url, { method, headers: { "content-type": LWS_TYPE }, body: "{}" });
          expect(refused.status, `${method} ${url}`).to.equal(405);
        }
      }
      expect((await ana.fetch(index(), { method: "POST", body: "{}" })).status).to.equal(405);
    });
  });

  it("says the same as JSON and JSON-LD (content-negotiation), and answers other origins", async () => {
    const texts = await Promise.all(
      [LWS_TYPE, "application/ld+json", "application/json"].map(async (accept) => {
        const response = await ben.fetch(search(PERSON), {
          headers: { accept, origin: "https://app.example" },
        });
        expect(response.headers.get("content-type")).to.equal(accept);
        expect(response.headers.get("access-control-allow-origin")).to.equal("https://app.example");
        return response.text();
      }),
    );
    expect(new Set(texts).size).to.equal(1);
  });

  it("stands in the owner's journal as a query by somebody else", async () => {
    await ask(ben.fetch, search(EVENT));
    const journal = await (await ana.fetch(at(".journal/"))).text();
    expect(journal).to.include(".journal/");
    const pages = [...journal.matchAll(/<([^>]*\.journal\/[^>]+)>/g)].map(([, page = ""]) => page);
    const texts = await Promise.all([...new Set(pages)].map(async (page) => (await ana.fetch(page)).text()));
    expect(texts.join()).to.include(".well-known/lws/search");
  });
});
