import { expect } from "chai";
import { Parser } from "n3";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const SOLID = "http://www.w3.org/ns/solid/terms#";
const PIM = "http://www.w3.org/ns/pim/space#";
const LDP = "http://www.w3.org/ns/ldp#";
const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const TURTLE = { "content-type": "text/turtle" };

/** Names are the anchors of https://solid.github.io/webid-profile/ and https://solid.github.io/type-indexes/. */
describe("The WebID profile of a pod", () => {
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  const at = (path: string) => `${ana.pod}${path}`;
  const update = (path: string, body: string) =>
    ana.fetch(at(path), {
      method: "PATCH",
      headers: { "content-type": "application/sparql-update" },
      body,
    });
  const textOf = async (path: string) => (await ana.fetch(at(path))).text();
  const objects = async (path: string, subject: string, predicate: string) =>
    new Parser({ baseIRI: at(path) })
      .parse(await textOf(path))
      .filter((quad) => quad.subject.value === subject && quad.predicate.value === predicate)
      .map(({ object }) => object.value);

  before(async () => {
    server = await startServer();
    [ana, ben] = [await server.person("ana"), await server.person("ben")];
  });
  after(() => server.close());

  it("is there for everybody, as Turtle and JSON-LD (reader-application-webid-profile)", async () => {
    for (const accept of ["text/turtle", "application/ld+json"]) {
      const card = await fetch(ana.webid, { headers: { accept } });
      expect(card.status).to.equal(200);
      expect(card.headers.get("content-type")).to.equal(accept);
    }
  });

  it("has all that its model asks for (webid-profile-data-model)", async () => {
    const of = (predicate: string) => objects("profile/card", ana.webid, predicate);
    expect(await of(`${RDF}type`)).to.include("http://xmlns.com/foaf/0.1/Agent");
    expect(await of(`${PIM}preferencesFile`)).to.deep.equal([at("settings/prefs.ttl")]);
    expect(await of(`${PIM}storage`)).to.deep.equal([ana.pod]);
    expect(await of(`${LDP}inbox`)).to.deep.equal([at("inbox/")]);
    expect(await of(`${SOLID}oidcIssuer`)).to.deep.equal([server.baseUrl]);
    expect(await of(`${SOLID}publicTypeIndex`)).to.deep.equal([at("settings/publicTypeIndex.ttl")]);
    expect(await of(`${SOLID}privateTypeIndex`), "is told to nobody").to.deep.equal([]);
  });

  it("says in a header, too, who may log its person in: what the document says (oidc-issuer-discovery-link-headers)", async () => {
    const said = await objects("profile/card", ana.webid, `${SOLID}oidcIssuer`);
    const rows = said.map((issuer) => `<${issuer}>; rel="${SOLID}oidcIssuer"; anchor="#me"`);
    for (const method of ["GET", "HEAD"])
      expect(
        ((await fetch(at("profile/card"), { method })).headers.get("link") ?? "").split(", "),
      ).to.include.members(rows);
    expect((await ana.fetch(at("settings/prefs.ttl"))).headers.get("link")).not.to.include("oidcIssuer");
  });

  it("leads to preferences that lead back, for the owner alone (preferences-document)", async () => {
    expect(await objects("settings/prefs.ttl", at("settings/prefs.ttl"), `${RDF}type`)).to.deep.equal([
      `${PIM}ConfigurationFile`,
    ]);
    expect(await objects("settings/prefs.ttl", ana.webid, `${SOLID}privateTypeIndex`)).to.deep.equal([
      at("settings/privateTypeIndex.ttl"),
    ]);
    for (const path of ["settings/prefs.ttl", "settings/privateTypeIndex.ttl", "settings/"]) {
      expect((await fetch(at(path))).status, path).to.equal(401);
      expect((await ben.fetch(at(path))).status, path).to.equal(403);
    }
  });

  it("has a public type index that everybody reads and only its owner writes (public-type-index)", async () => {
    const index = "settings/publicTypeIndex.ttl";
    expect(await objects(index, at(index), `${RDF}type`)).to.have.members([
      `${SOLID}TypeIndex`,
      `${SOLID}ListedDocument`,
    ]);
    const registration = `INSERT DATA { <#notes> a <${SOLID}TypeRegistration>; <${SOLID}forClass> <https://schema.org/Note>; <${SOLID}instanceContainer> <${at("notes/")}> }`;
    const byBen = await ben.fetch(at(index), {
      method: "PATCH",
      headers: { "content-type": "application/sparql-update" },
      body: registration,
    });
    expect(byBen.status).to.equal(403);
    expect((await update(index, registration)).ok).to.equal(true);
    expect(await (await fetch(at(index))).text()).to.include("https://schema.org/Note");
    const secret = "settings/privateTypeIndex.ttl";
    expect((await update(secret, registration.replace("Note", "Diary"))).ok).to.equal(true);
    expect(await (await fetch(at(index))).text()).not.to.include("Diary");
  });

  describe("keeps what only the account page may change (server-update-protected-triples)", () => {
    for (const [what, change] of [
      ["another log-in service", `INSERT DATA { <#me> <${SOLID}oidcIssuer> <https://evil.example/> }`],
      [
        "no log-in service",
        `DELETE { <#me> <${SOLID}oidcIssuer> ?i } WHERE { <#me> <${SOLID}oidcIssuer> ?i }`,
      ],
      ["another storage", `INSERT DATA { <#me> <${PIM}storage> <https://evil.example/> }`],
    ] as const) {
      it(`${what}: 409, with the clause`, async () => {
        const before = await textOf("profile/card");
        const refused = await update("profile/card", change);
        expect(refused.status).to.equal(409);
        expect(refused.headers.get("link")).to.include(
          `<https://solid.github.io/webid-profile/#server-update-protected-triples>; rel="${LDP}constrainedBy"`,
        );
        expect(await textOf("profile/card")).to.equal(before);
      });
    }
  });

  describe("stays a profile (server-unprocessable-content)", () => {
    for (const [what, path, change] of [
      ["two preferences", "profile/card", `INSERT DATA { <#me> <${PIM}preferencesFile> </ana/other.ttl> }`],
      [
        "no preferences",
        "profile/card",
        `DELETE { <#me> <${PIM}preferencesFile> ?p } WHERE { <#me> <${PIM}preferencesFile> ?p }`,
      ],
      [
        "no public type index",
        "profile/card",
        `DELETE { <#me> <${SOLID}publicTypeIndex> ?p } WHERE { <#me> <${SOLID}publicTypeIndex> ?p }`,
      ],
      ["two inboxes", "profile/card", `INSERT DATA { <#me> <${LDP}inbox> </ana/other/> }`],
      [
        "an inbox that is no address",
        "profile/card",
        `DELETE { <#me> <${LDP}inbox> ?p } INSERT { <#me> <${LDP}inbox> "here" } WHERE { <#me> <${LDP}inbox> ?p }`,
      ],
      ["no type", "profile/card", `DELETE { <#me> a ?t } WHERE { <#me> a ?t }`],
      [
        "preferences without a private type index",
        "settings/prefs.ttl",
        `DELETE { ?me <${SOLID}privateTypeIndex> ?p } WHERE { ?me <${SOLID}privateTypeIndex> ?p }`,
      ],
    ] as const) {
      it(`${what}: 422, and nothing changes`, async () => {
        const before = await textOf(path);
        const refused = await update(path, change);
        expect(refused.status).to.equal(422);
        const problem = (await refused.json()) as { type: string; errors: unknown[] };
        expect(problem.type).to.match(/#profile-invalid$/);
        expect(problem.errors).to.have.length(1);
        expect(await textOf(path)).to.equal(before);
      });
    }
    it("also when it is put whole, and when it is no RDF", async () => {
      const kept = (await textOf("profile/card")).replace(/<[^>]*preferencesFile> <[^>]*>\s*;\s*/, "");
      expect(
        (await ana.fetch(at("profile/card"), { method: "PUT", headers: TURTLE, body: kept })).status,
      ).to.equal(422);
      for (const path of ["profile/card", "settings/prefs.ttl"]) {
        const image = { "content-type": "image/png" };
        const refused = await ana.fetch(at(path), { method: "PUT", headers: image, body: "x" });
        expect(refused.status, path).to.be.oneOf([409, 422]);
        expect((await ana.fetch(at(path))).headers.get("content-type")).to.equal("text/turtle");
      }
      const context = '{"@context":"https://evil.example/c","@id":"#me"}';
      const unknown = await ana.fetch(at("profile/card"), {
        method: "PUT",
        headers: { "content-type": "application/ld+json" },
        body: context,
      });
      expect(unknown.status, "a context that nobody knows").to.equal(422);
    });
    it("and takes whatever else its owner wants to say", async () => {
      const more = `INSERT DATA { <#me> <http://xmlns.com/foaf/0.1/nick> "An"; <http://www.w3.org/2000/01/rdf-schema#seeAlso> </ana/profile/more> }`;
      expect((await update("profile/card", more)).status).to.equal(204);
      const moved = `DELETE { <#me> <${LDP}inbox> ?p } INSERT { <#me> <${LDP}inbox> </ana/letters/> } WHERE { <#me> <${LDP}inbox> ?p }`;
      expect((await update("profile/card", moved)).status).to.equal(204);
      expect((await fetch(ana.webid)).headers.get("link")).to.include(
        `<${at("letters/")}>; rel="${LDP}inbox"`,
      );
      const back = `DELETE { <#me> <${LDP}inbox> ?p } INSERT { <#me> <${LDP}inbox> </ana/inbox/> } WHERE { <#me> <${LDP}inbox> ?p }`;
      expect((await update("profile/card", back)).status).to.equal(204);
    });
  });

  it("can be extended by documents of their own (writer-application-link-extended-profile-webid)", async () => {
    const body = `<${ana.webid}> <http://xmlns.com/foaf/0.1/phone> <tel:+49123>; <http://xmlns.com/foaf/0.1/isPrimaryTopicOf> <> .`;
    expect((await ana.fetch(at("profile/more"), { method: "PUT", headers: TURTLE, body })).status).to.equal(
      201,
    );
    const seeAlso = "http://www.w3.org/2000/01/rdf-schema#seeAlso";
    expect(
      (await update("profile/card", `INSERT DATA { <#me> <${seeAlso}> </ana/profile/more> }`)).ok,
    ).to.equal(true);
    expect(await objects("profile/card", ana.webid, seeAlso)).to.deep.equal([at("profile/more")]);
    expect((await fetch(at("profile/more"))).status, "for the owner until she shares it").to.equal(401);
  });

  for (const path of [
    "profile/card",
    "settings/prefs.ttl",
    "settings/publicTypeIndex.ttl",
    "settings/privateTypeIndex.ttl",
  ]) {
    it(`leads to no void: ${path} cannot be deleted while something leads to it`, async () => {
      expect((await ana.fetch(at(path), { method: "DELETE" })).status).to.equal(409);
      expect((await ana.fetch(at(path))).status).to.equal(200);
    });
  }

  it("may lead to an address that is none: that stops no other write", async () => {
    const cleo = await server.person("cleo");
    const card = `${cleo.pod}profile/card`;
    const { status } = await cleo.fetch(card, {
      method: "PATCH",
      headers: { "content-type": "application/sparql-update" },
      body: `DELETE DATA { <${cleo.webid}> <${PIM}preferencesFile> <${cleo.pod}settings/prefs.ttl> };
             INSERT DATA { <${cleo.webid}> <${PIM}preferencesFile> <${cleo.pod}x.acl.meta> }`,
    });
    expect(status).to.be.lessThan(300);
    const url = `${cleo.pod}note.ttl`;
    expect((await cleo.fetch(url, { method: "PUT", headers: TURTLE, body: "<#a> <#b> 1." })).status).to.equal(
      201,
    );
    expect((await cleo.fetch(url, { method: "DELETE" })).status).to.equal(205);
  });

  it("lets go of what nothing leads to any more", async () => {
    const index = "settings/newIndex.ttl";
    const body = `<> a <${SOLID}TypeIndex>, <${SOLID}UnlistedDocument> .`;
    await ana.fetch(at(index), { method: "PUT", headers: TURTLE, body });
    const move = `DELETE { ?me <${SOLID}privateTypeIndex> ?p } INSERT { ?me <${SOLID}privateTypeIndex> <newIndex.ttl> } WHERE { ?me <${SOLID}privateTypeIndex> ?p }`;
    expect((await update("settings/prefs.ttl", move)).status).to.equal(204);
    expect((await ana.fetch(at("settings/privateTypeIndex.ttl"), { method: "DELETE" })).ok).to.equal(true);
    expect((await ana.fetch(at(index), { method: "DELETE" })).status).to.equal(409);
  });
});
