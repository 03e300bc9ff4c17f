import { expect } from "chai";
import { parseRdf } from "../../../server/rdf/parse.ts";
import type { Quad } from "../../../server/rdf/terms.ts";
import type { Person } from "../../support/server.ts";
import { CONTACT, type Granting, startGranting } from "./view-fixture.ts";

const VCARD = "http://www.w3.org/2006/vcard/ns#";
const TURTLE = { accept: "text/turtle" };

describe("views that the owner defines", function () {
  this.timeout(60_000);
  let world: Granting;
  let shop: Person;

  before(async () => {
    world = await startGranting();
    shop = await world.vendor("Shop");
    await world.put("contacts/me.ttl", CONTACT);
  });
  after(() => world.close());

  const triples = async (text: string): Promise<readonly Quad[]> =>
    parseRdf(Buffer.from(text), "text/turtle", world.ana.pod);
  const put = (name: string, body: string, headers: Record<string, string> = {}) =>
    world.ana.fetch(`${world.ana.pod}.views/${name}`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...headers },
      body,
    });

  it("a CONSTRUCT is a view: its vendor gets what it makes, and does not see the definition", async () => {
    const construct = `PREFIX vcard: <${VCARD}> PREFIX schema: <https://schema.org/>
      CONSTRUCT { ?who schema:addressLocality ?town } WHERE { ?who vcard:hasAddress/vcard:locality ?town }`;
    const made = await world.ana.fetch(`${world.ana.pod}.views/town`, {
      method: "PUT",
      headers: { "content-type": "application/sparql-query" },
      body: construct,
    });
    expect(made.status).to.equal(201);
    const shown = await world.get(world.ana, `${world.ana.pod}.views/town`);
    expect((JSON.parse(shown.text) as { construct: string }).construct).to.equal(construct);
    expect((await world.get(world.ana, `${world.ana.pod}.views/town`, TURTLE)).text).to.include("Zürich");
    const grant = await world.grant(shop, [{ target: { kind: "view", values: ["town"] } }]);
    const answer = await world.get(shop, world.viewOf(grant), TURTLE);
    expect((await triples(answer.text)).map(({ predicate }) => predicate.value)).to.deep.equal([
      "https://schema.org/addressLocality",
    ]);
    expect(answer.seen).not.to.match(/canary|contacts|card#me/);
    for (const name of ["town", ""]) {
      const listed = await world.get(shop, `${world.ana.pod}.views/${name}`);
      expect(listed.seen).not.to.match(/CONSTRUCT|vcard|town"/);
    }
  });

  it("the owner is listed all of them, a vendor what it may read", async () => {
    const grant = await world.grant(shop, [{ target: { kind: "view", values: ["town"] } }]);
    const list = async (who: Person) =>
      JSON.parse((await world.get(who, `${world.ana.pod}.views/`)).text) as {
        readonly views: readonly { readonly id: string; readonly grant?: string }[];
        readonly given?: readonly { readonly id: string; readonly assignee: string }[];
      };
    const own = await list(world.ana);
    expect(own.views.map(({ id }) => id)).to.deep.equal([`${world.ana.pod}.views/town`]);
    expect(own.given?.map(({ id }) => id)).to.include(world.viewOf(grant));
    const theirs = await list(shop);
    expect(theirs.views.map(({ id }) => id)).to.include(world.viewOf(grant));
    expect(theirs).not.to.have.property("given");
    expect(theirs.views.find(({ id }) => id === world.viewOf(grant))?.grant).to.equal(
      `${world.ana.pod}.consent/grants/${grant.id}`,
    );
    expect((await list(await world.vendor("Stranger"))).views).to.deep.equal([]);
    expect((await fetch(`${world.ana.pod}.views/`)).status).to.equal(401);
  });

  it("a grant in a coarser tier gets less of it", async () => {
    const grant = await world.grant(shop, [{ target: { kind: "view", values: ["town"] }, tier: "reduced" }]);
    const answer = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(answer.text).not.to.include("Zürich");
  });

  it("is changed by who says which version, and deleted; then its views are empty", async () => {
    const url = `${world.ana.pod}.views/short`;
    expect((await put("short", JSON.stringify({ places: [`${world.ana.pod}contacts/`] }))).status).to.equal(
      201,
    );
    const grant = await world.grant(shop, [{ target: { kind: "view", values: ["short"] } }]);
    expect((await world.get(shop, world.viewOf(grant), TURTLE)).text).to.include("Ana Example");
    expect((await put("short", "{}", { "if-none-match": "*" })).status).to.equal(412);
    const etag = (await world.get(world.ana, url)).headers.get("etag")!;
    const narrow = JSON.stringify({
      fields: [`${VCARD}postal-code`],
      places: ["/ana/contacts/"],
      tier: "reduced",
    });
    expect((await put("short", narrow, { "if-match": etag })).status).to.equal(204);
    expect((await put("short", "{}", { "if-match": etag })).status).to.equal(412);
    const less = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(less.text).to.include('"80"').and.not.to.include("Ana Example");
    expect((await world.ana.fetch(url, { method: "DELETE" })).status).to.equal(204);
    const none = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(await triples(none.text)).to.have.length(0);
  });

  it("what is wrong with one is said, all at once", async () => {
    const wrong = await put(
      "wrong",
      JSON.stringify({ tier: "finest", places: ["/ben/"], fields: [], from: "yesterday", unknown: 1 }),
    );
    expect(wrong.status).to.equal(400);
    const { errors } = (await wrong.json()) as { errors: { at: string }[] };
    expect(errors.map(({ at }) => at).sort()).to.deep.equal(
      ["/fields", "/from", "/places", "/tier", "/unknown"].sort(),
    );
    for (const construct of [
      "SELECT * { ?s ?p ?o }",
      "CONSTRUCT { ?s ?p ?o } FROM <https://elsewhere.example/> WHERE { ?s ?p ?o }",
      "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <https://elsewhere.example/> { ?s ?p ?o } }",
      "CONSTRUCT {",
    ])
      expect((await put("wrong", JSON.stringify({ construct }))).status, construct).to.equal(400);
    expect((await put("Not%20a%20name", "{}")).status).to.equal(400);
  });

  it("nobody else writes any", async () => {
    for (const method of ["PUT", "DELETE"]) {
      const answer = await shop.fetch(`${world.ana.pod}.views/town`, {
        method,
        headers: { "content-type": "application/json" },
        ...(method === "PUT" && { body: "{}" }),
      });
      expect(answer.status).to.be.oneOf([403, 404]);
    }
  });
});
