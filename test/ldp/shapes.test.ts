import { shapeNamed } from "@freehold/shapes";
import { expect } from "chai";
import { Parser } from "n3";
import { setAccess } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const CONTACT = shapeNamed("Contact").iri;
const CONSTRAINED_BY = "http://www.w3.org/ns/ldp#constrainedBy";
const SH = "http://www.w3.org/ns/shacl#";
const TURTLE = { "content-type": "text/turtle" };
const person = (properties: string) =>
  `@prefix vcard: <http://www.w3.org/2006/vcard/ns#> . <#it> a vcard:Individual ; ${properties} .`;
const GOOD = person('vcard:fn "Zoë"');
const BAD = person('vcard:note "4111 1111 1111 1111"'); // No name, and a card number.

describe("A folder that asks for a shape", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const url = (path: string) => `${ana.pod}${path}`;
  const put = (path: string, body: string, headers: Record<string, string> = {}, who = ana) =>
    who.fetch(url(path), { method: "PUT", headers: { ...TURTLE, ...headers }, body });
  const update = (path: string, body: string, who = ana, headers: Record<string, string> = {}) =>
    who.fetch(url(path), {
      method: "PATCH",
      headers: { "content-type": "application/sparql-update", ...headers },
      body,
    });

  before(async () => {
    server = await startServer();
    ana = await server.person("ana");
    ben = await server.person("ben");
    await put("people/", "");
    await put("people/.meta", `<./> <${CONSTRAINED_BY}> <${CONTACT}> .`);
  });
  after(() => server.close());

  it("says so (server-resource-constraints-advertisement)", async () => {
    for (const method of ["GET", "HEAD"])
      expect((await ana.fetch(url("people/"), { method })).headers.get("link")).to.include(
        `<${CONTACT}>; rel="${CONSTRAINED_BY}"`,
      );
    expect((await ana.fetch(ana.pod)).headers.get("link")).not.to.include(CONSTRAINED_BY);
  });

  it("takes what fits", async () => {
    expect((await put("people/good.ttl", GOOD)).status).to.equal(201);
  });

  for (const [what, send] of [
    ["PUT", () => put("people/bad.ttl", BAD)],
    [
      "POST",
      () => ana.fetch(url("people/"), { method: "POST", headers: { ...TURTLE, slug: "bad.ttl" }, body: BAD }),
    ],
    ["PUT of something else", () => put("people/bad.ttl", "<#it> a <urn:x:Tree> .")],
    ["PUT of a binary", () => put("people/bad.ttl", "x", { "content-type": "image/png" })],
    [
      "PATCH that creates",
      () => update("people/bad.ttl", "INSERT DATA { <#it> a <http://www.w3.org/2006/vcard/ns#Individual> }"),
    ],
    [
      "PATCH that spoils",
      () => update("people/good.ttl", 'DELETE DATA { <#it> <http://www.w3.org/2006/vcard/ns#fn> "Zoë" }'),
    ],
  ] as const) {
    it(`refuses with 422 what does not: ${what}; nothing is stored`, async () => {
      const before = await (await ana.fetch(url("people/"))).text();
      const response = await send();
      expect(response.status).to.equal(422);
      expect(response.headers.get("link")).to.include(`<${CONTACT}>; rel="${CONSTRAINED_BY}"`);
      const problem = (await response.json()) as {
        type: string;
        detail: string;
        errors: { detail: string }[];
      };
      expect(problem.type).to.match(/#shape-violation$/);
      expect(problem.detail).to.include(CONTACT);
      expect(problem.errors).not.to.deep.equal([]);
      expect(await (await ana.fetch(url("people/"))).text()).to.equal(before);
      expect((await ana.fetch(url("people/bad.ttl"))).status).to.equal(404);
      expect(await (await ana.fetch(url("people/good.ttl"))).text()).to.include("Zoë");
    });
  }

  it("says what is wrong in RDF to who asks for it", async () => {
    for (const accept of [
      "text/turtle",
      "application/n-triples",
      "text/turtle, application/problem+json;q=0.5",
    ]) {
      const response = await put("people/bad.ttl", BAD, { accept });
      expect(response.status).to.equal(422);
      expect(response.headers.get("content-type")).to.equal(accept.split(",")[0]);
      const report = new Parser().parse(await response.text());
      const has = (predicate: string, value?: string) =>
        report.some(
          (quad) =>
            quad.predicate.value === `${SH}${predicate}` &&
            (value ?? quad.object.value) === quad.object.value,
        );
      expect(has("conforms", "false")).to.equal(true);
      expect(has("resultPath", "http://www.w3.org/2006/vcard/ns#fn")).to.equal(true);
      expect(has("resultMessage")).to.equal(true);
    }
    const json = await put("people/bad.ttl", BAD, { accept: "application/ld+json" });
    expect(json.headers.get("content-type")).to.equal("application/ld+json");
    expect(JSON.stringify(await json.json())).to.include("ValidationReport");
    for (const accept of ["*/*", "application/json", "application/problem+json, text/turtle"])
      expect((await put("people/bad.ttl", BAD, { accept })).headers.get("content-type")).to.equal(
        "application/problem+json",
      );
  });

  it("other refusals have no such report", async () => {
    const response = await put("people/bad.ttl", "nonsense", { accept: "text/turtle" });
    expect(response.status).to.equal(400);
    expect(response.headers.get("content-type")).to.equal("application/problem+json");
  });

  it("does not tell who may only add to a document what else is in it", async () => {
    await put(
      "people/secret.ttl",
      person('vcard:fn "Zoë" ; vcard:given-name "Zoë"').replace("#it", "#hidden-name"),
    );
    await setAccess(ana, url("people/secret.ttl"), [{ to: ben.webid, modes: ["Append"] }]);
    const insert = `INSERT DATA { <#hidden-name> <http://www.w3.org/2006/vcard/ns#given-name> "Ben" . <#x> a <http://www.w3.org/2006/vcard/ns#Individual> }`;
    for (const accept of ["application/json", "text/turtle"]) {
      const refused = await update("people/secret.ttl", insert, ben, { accept });
      expect(refused.status).to.equal(422);
      expect(refused.headers.get("content-type")).to.equal("application/problem+json");
      const text = await refused.text();
      expect(text)
        .to.include(CONTACT)
        .and.not.match(/Zoë|hidden|"errors"/);
    }
    const told = await update("people/secret.ttl", insert);
    expect(await told.text()).to.include("hidden-name");
  });

  it("cannot be made to ask for it by who may only add to it", async () => {
    await put("open/", "");
    await setAccess(ana, url("open/"), [{ to: "public", modes: ["Read", "Append"] }]);
    const ask = `INSERT DATA { <${url("open/")}> <${CONSTRAINED_BY}> <${CONTACT}> }`;
    for (const path of ["open/", "open/.meta"]) expect((await update(path, ask, ben)).status).to.equal(403);
    expect(
      (await ben.fetch(url("open/"), { method: "POST", headers: TURTLE, body: "<> <urn:x:is> 1 ." })).status,
    ).to.equal(201);
  });
});
