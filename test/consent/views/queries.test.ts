import { expect } from "chai";
import type { Person } from "../../support/server.ts";
import { CONTACT, type Granting, PREFIXES, startGranting } from "./view-fixture.ts";

const VCARD = "http://www.w3.org/2006/vcard/ns#";
const ADDRESS = [`${VCARD}street-address`, `${VCARD}postal-code`];
const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";

describe("views in queries", function () {
  this.timeout(60_000);
  let world: Granting;
  let shop: Person;
  let bank: Person;

  before(async () => {
    world = await startGranting();
    [shop, bank] = [await world.vendor("Shop"), await world.vendor("Bank")];
    await world.put("contacts/me.ttl", CONTACT);
  });
  after(() => world.close());

  const contacts = { target: { kind: "container", values: ["/ana/contacts/"] } } as const;

  function expectNothingHidden(seen: string): void {
    expect(seen).not.to.match(/canary/i);
    for (const hidden of ["contacts/", "me.ttl", "/ana/profile/card#me", "+41"])
      expect(seen).not.to.include(hidden);
  }

  it("a view is a named graph, and a part of the union; nothing else is there", async () => {
    const vendor = await world.vendor("Query");
    const grant = await world.grant(vendor, [{ ...contacts, fields: [`${VCARD}hasEmail`] }]);
    const graphs = await world.query(vendor, "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }");
    expect(graphs.status).to.equal(200);
    expect(graphs.text).to.include(world.viewOf(grant));
    const all = await world.query(vendor, `SELECT * FROM <${UNION}> { ?s ?p ?o }`);
    expect(all.text).to.include("mailto:ana@mail.example");
    const own = await world.query(vendor, `SELECT * { GRAPH <${world.viewOf(grant)}> { ?s ?p ?o } }`);
    expect((JSON.parse(own.text) as { results: { bindings: unknown[] } }).results.bindings).to.have.length(2);
    expectNothingHidden(own.seen);
    // Beside it is what everybody may read.
    expectNothingHidden(all.seen.replaceAll(world.ana.webid, ""));
    expect(graphs.seen).not.to.match(/contacts|canary/);
  });

  it("the source, named, is not there", async () => {
    const source = `${world.ana.pod}contacts/me.ttl`;
    for (const sparql of [
      `SELECT * { GRAPH <${source}> { ?s ?p ?o } }`,
      `SELECT * FROM <${source}> { ?s ?p ?o }`,
      `ASK FROM NAMED <${source}> { GRAPH ?g { ?s ?p ?o } }`,
      `SELECT * FROM <${UNION}> { <${source}#ana> ?p ?o }`,
    ]) {
      const { text } = await world.query(shop, sparql);
      const answer = JSON.parse(text) as { boolean?: boolean; results?: { bindings: unknown[] } };
      expect(answer.boolean ?? (answer.results?.bindings.length ?? 0) > 0, sparql).to.equal(false);
    }
  });

  it("another's view, named, is not there", async () => {
    const grant = await world.grant(bank, [{ ...contacts, fields: [`${VCARD}hasEmail`] }]);
    const { text } = await world.query(shop, `SELECT * { GRAPH <${world.viewOf(grant)}> { ?s ?p ?o } }`);
    expect((JSON.parse(text) as { results: { bindings: unknown[] } }).results.bindings).to.have.length(0);
  });

  it("search finds what is in a view, and names the view", async () => {
    const vendor = await world.vendor("Search");
    const grant = await world.grant(vendor, [{ ...contacts, fields: [ADDRESS[0]!] }]);
    const found = await world.get(vendor, `${world.ana.pod}search?q=Bahnhofstrasse`);
    expect(found.text).to.include(world.viewOf(grant));
    expect(found.text).not.to.match(/contacts|canary/);
    const hidden = await world.get(vendor, `${world.ana.pod}search?q=canary*`);
    expect((JSON.parse(hidden.text) as { total: number }).total).to.equal(0);
  });

  it("a query over all pods has it, too", async () => {
    const vendor = await world.vendor("Everywhere");
    const grant = await world.grant(vendor, [{ ...contacts, fields: [ADDRESS[0]!] }]);
    const ask = async (sparql: string): Promise<string> => {
      const url = `${world.server.baseUrl}.query/sparql`;
      const body = `query=${encodeURIComponent(sparql)}`;
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      return (await vendor.fetch(url, { method: "POST", headers, body })).text();
    };
    const all = await ask("SELECT * { GRAPH ?g { ?s ?p ?o } }");
    expect(all).to.include(world.viewOf(grant)).and.to.include("Bahnhofstrasse 1");
    expect(all).not.to.match(/contacts|canary/);
    const named = await ask(`SELECT * { GRAPH <${world.viewOf(grant)}> { ?s ?p ?o } }`);
    expect(named).to.include("Bahnhofstrasse 1");
  });

  describe("much data", () => {
    it("is made elsewhere, and is all there", async () => {
      const small = await startGranting({ FREEHOLD_LIMITS: "rdfBytesMax=40000" });
      try {
        const vendor = await small.vendor("Shop");
        for (let part = 0; part < 8; part++) {
          const lines = Array.from(
            { length: 200 },
            (_, at) => `<#o${at}> schema:orderNumber "${part}-${at}" ; schema:description "canary" .`,
          );
          await small.put(`orders/${part}.ttl`, PREFIXES + lines.join("\n"));
        }
        const orders = { target: { kind: "container", values: ["/ana/orders/"] } } as const;
        const grant = await small.grant(vendor, [{ ...orders, fields: ["https://schema.org/orderNumber"] }]);
        const view = small.viewOf(grant);
        for (const accept of ["application/n-triples", "text/turtle", "application/ld+json"]) {
          const answer = await small.get(vendor, view, { accept });
          expect(new Set(answer.text.match(/"\d-\d+"/g)).size, accept).to.equal(1_600);
          expect(answer.seen).not.to.match(/canary|orders\//);
        }
        const rows = await small.query(vendor, `SELECT (COUNT(*) AS ?n) { GRAPH <${view}> { ?s ?p ?o } }`);
        expect(rows.text).to.include('"1600"');
      } finally {
        await small.close();
      }
    });
  });
});
