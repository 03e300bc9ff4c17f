import { expect } from "chai";
import { GENID_PATH } from "../../../server/consent/views/pairwise.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import type { Quad } from "../../../server/rdf/terms.ts";
import type { Person } from "../../support/server.ts";
import { CONTACT, type Granting, PREFIXES, startGranting } from "./view-fixture.ts";

const VCARD = "http://www.w3.org/2006/vcard/ns#";
const ADDRESS = ["street-address", "postal-code", "locality", "region"].map((name) => VCARD + name);
const COUNTRY = "https://schema.org/addressCountry";
const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const TURTLE = { accept: "text/turtle" };

describe("views of a pod for vendors", function () {
  this.timeout(60_000);
  let world: Granting;
  let shop: Person;
  let bank: Person;

  before(async () => {
    world = await startGranting();
    [shop, bank] = [await world.vendor("Shop"), await world.vendor("Bank")];
    await world.put("contacts/me.ttl", CONTACT);
    await world.put("private/health-canary.ttl", `${PREFIXES} <#it> schema:description "canary-health" .`);
  });
  after(() => world.close());

  const triples = async (text: string, type = "text/turtle"): Promise<readonly Quad[]> =>
    parseRdf(Buffer.from(text), type, world.ana.pod);
  const predicates = (quads: readonly Quad[]): readonly string[] =>
    [...new Set(quads.map(({ predicate }) => predicate.value))].sort();
  const contacts = { target: { kind: "container", values: ["/ana/contacts/"] } } as const;

  /** Nothing that a vendor gets says what it was not granted, or where it is from. */
  function expectNothingHidden(seen: string): void {
    expect(seen).not.to.match(/canary/i);
    for (const hidden of ["contacts/", "me.ttl", "private/", "/ana/profile/card#me", "+41"])
      expect(seen).not.to.include(hidden);
  }

  describe("fields", () => {
    it("gives the email, and not the phone", async () => {
      const grant = await world.grant(shop, [{ ...contacts, fields: [`${VCARD}hasEmail`] }]);
      const answer = await world.get(shop, world.viewOf(grant), TURTLE);
      expect(answer.status).to.equal(200);
      expect(predicates(await triples(answer.text))).to.deep.equal([`${VCARD}hasEmail`, `${VCARD}value`]);
      expect(answer.text).to.include("mailto:ana@mail.example");
      expectNothingHidden(answer.seen);
    });

    it("gives five properties of an address, and nothing else of it", async () => {
      const grant = await world.grant(shop, [{ ...contacts, fields: [...ADDRESS, COUNTRY] }]);
      const answer = await world.get(shop, world.viewOf(grant), TURTLE);
      const found = await triples(answer.text);
      expect(predicates(found)).to.deep.equal([...ADDRESS, COUNTRY].sort());
      expect(found).to.have.length(5);
      expect(answer.text).to.include("Bahnhofstrasse 1");
      expectNothingHidden(answer.seen);
    });
  });

  it("things of a shape are given from wherever they are, with what the shape names", async () => {
    const shape = "https://w3id.org/freehold/shapes/profile#PostalAddressShape";
    const grant = await world.grant(shop, [{ target: { kind: "shape", values: [shape] } }]);
    const answer = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(predicates(await triples(answer.text))).to.have.length(9); // The eight that it has, and what it is.
    expect(answer.text).to.include("Bahnhofstrasse 1");
    expectNothingHidden(answer.seen);
  });

  it("a shape that nobody knows gives nothing", async () => {
    const grant = await world.grant(shop, [
      { target: { kind: "shape", values: ["https://elsewhere.example/shapes#Everything"] } },
    ]);
    const answer = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(answer.status).to.equal(200);
    expect(await triples(answer.text)).to.have.length(0);
  });

  describe("tiers", () => {
    it("reduced, an address is its area, and the person has no name", async () => {
      const grant = await world.grant(shop, [{ ...contacts, tier: "reduced" }]);
      const answer = await world.get(shop, world.viewOf(grant), TURTLE);
      expect(answer.text).to.match(/postal-code> "80"|postal-code "80"/);
      for (const raw of ["8001", "Bahnhof", "Ana Example", "ana@mail", "08:00"])
        expect(answer.text).not.to.include(raw);
      expectNothingHidden(answer.seen);
    });

    it("as tags, only what there is", async () => {
      const grant = await world.grant(shop, [{ ...contacts, tier: "tag" }]);
      const answer = await world.get(shop, world.viewOf(grant), TURTLE);
      expect(answer.text).to.include("TagAssignment");
      for (const raw of ["80", "Zürich", "CH"]) expect(answer.text).not.to.include(`"${raw}"`);
      expectNothingHidden(answer.seen);
    });
  });

  it("a data range leaves out what was before and after, and what does not say when it was", async () => {
    const order = (id: string, day: string): string =>
      `<#${id}> a schema:Order ; schema:orderNumber "${id}" ; schema:orderDate "${day}T10:00:00Z"^^xsd:dateTime ;
       schema:orderedItem [ schema:price 5.5 ; schema:name "item-${id}" ] .`;
    await world.put(
      "orders/all.ttl",
      `${PREFIXES}${order("canary-early", "2025-12-31")}${order("within", "2026-01-05")}${order("canary-late", "2026-02-01")}
       <#canary-undated> a schema:Order ; schema:orderNumber "canary-undated" .`,
    );
    const grant = await world.grant(shop, [
      {
        target: { kind: "container", values: ["/ana/orders/"] },
        dataFrom: Date.UTC(2026, 0, 1),
        dataTo: Date.UTC(2026, 0, 31, 23, 59, 59),
      },
    ]);
    const answer = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(answer.text).to.include('"within"').and.to.include("item-within");
    expectNothingHidden(answer.seen.replaceAll("orders/", ""));
    expect(answer.seen).not.to.include("all.ttl");
  });

  it("a part of a thing was when the thing was, also where only parts are given", async () => {
    const order = (id: string, day: string): string =>
      `<#${id}> a schema:Order ; schema:orderDate "${day}"^^xsd:date ;
       schema:orderedItem [ a schema:OrderItem ; schema:orderQuantity 1 ; schema:price "${id}" ] .`;
    await world.put(
      "bought/all.ttl",
      `${PREFIXES}${order("canary-old", "2024-01-01")}${order("new", "2026-06-01")}`,
    );
    const values = ["https://w3id.org/freehold/shapes/commerce#OrderItemShape"];
    const grant = await world.grant(shop, [
      { target: { kind: "shape", values }, dataFrom: Date.UTC(2026, 0, 1) },
    ]);
    const answer = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(answer.text).to.include('"new"').and.not.to.include("2026-06-01");
    expectNothingHidden(answer.seen);
  });

  it("kinds of things and of documents are what was granted", async () => {
    await world.put(
      "mixed/a.ttl",
      `${PREFIXES}<#o> a schema:Order ; schema:orderNumber "wanted" .
      <#p> a schema:Product ; schema:name "canary-product" .`,
    );
    await world.ana.fetch(`${world.ana.pod}mixed/b.nt`, {
      method: "PUT",
      headers: { "content-type": "application/n-triples" },
      body: `<${world.ana.pod}mixed/b.nt#o> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Order> .
<${world.ana.pod}mixed/b.nt#o> <https://schema.org/orderNumber> "canary-lines" .
`,
    });
    const mixed = { target: { kind: "container", values: ["/ana/mixed/"] }, dataTo: null } as const;
    const grant = await world.grant(shop, [
      {
        ...mixed,
        types: ["https://schema.org/Order"],
        mediaTypes: ["text/turtle"],
        fields: ["https://schema.org/orderNumber", "https://schema.org/name"],
      },
    ]);
    const answer = await world.get(shop, world.viewOf(grant), TURTLE);
    expect(answer.text).to.include("wanted");
    expectNothingHidden(answer.seen);
    expect((await world.get(shop, world.viewOf(grant), { accept: "application/ld+json" })).status).to.equal(
      406,
    );
  });

  describe("names", () => {
    it("every thing has a name that says nothing, the same each time", async () => {
      const grant = await world.grant(shop, [{ ...contacts, fields: [...ADDRESS] }]);
      const read = async () =>
        (await world.get(shop, world.viewOf(grant), { accept: "application/n-triples" })).text;
      const first = await read();
      for (const { subject } of await triples(first, "application/n-triples"))
        expect(subject.value).to.match(new RegExp(`^${world.server.baseUrl}${GENID_PATH}[\\w-]{22}$`));
      expect(await read()).to.equal(first);
    });

    it("of one vendor the same in two views, of two vendors never", async () => {
      const one = await world.grant(shop, [{ ...contacts, fields: [ADDRESS[0]!] }]);
      const again = await world.grant(shop, [{ ...contacts, fields: [ADDRESS[0]!, ADDRESS[1]!] }]);
      const other = await world.grant(bank, [{ ...contacts, fields: [ADDRESS[0]!, ADDRESS[1]!] }]);
      const names = async (who: Person, grant: typeof one) =>
        new Set(
          (await triples((await world.get(who, world.viewOf(grant), TURTLE)).text)).map(
            ({ subject }) => subject.value,
          ),
        );
      expect([...(await names(shop, one))]).to.deep.equal([...(await names(shop, again))]);
      expect((await names(bank, other)).isDisjointFrom(await names(shop, again))).to.equal(true);
      expect(other.views[0]).not.to.equal(again.views[0]);
    });
  });

  describe("live", () => {
    it("what is written is there at the next reading", async () => {
      await world.put("live/a.ttl", `${PREFIXES}<#a> schema:name "before" .`);
      const grant = await world.grant(shop, [
        { target: { kind: "resource", values: ["/ana/live/a.ttl"] }, fields: ["https://schema.org/name"] },
      ]);
      expect((await world.get(shop, world.viewOf(grant), TURTLE)).text).to.include("before");
      await world.put("live/a.ttl", `${PREFIXES}<#a> schema:name "after" .`);
      const { text } = await world.get(shop, world.viewOf(grant), TURTLE);
      expect(text).to.include("after").and.not.to.include("before");
    });

    it("what is hidden may change as it likes: neither content nor ETag tell", async () => {
      await world.put("live/b.ttl", `${PREFIXES}<#a> schema:name "seen" ; schema:description "canary-1" .`);
      const grant = await world.grant(shop, [
        { target: { kind: "container", values: ["/ana/live/"] }, fields: ["https://schema.org/gtin"] },
        { target: { kind: "resource", values: ["/ana/live/b.ttl"] }, fields: ["https://schema.org/name"] },
      ]);
      const url = world.viewOf(grant, 1);
      const first = await world.get(shop, url, TURTLE);
      await world.put(
        "live/b.ttl",
        `${PREFIXES}<#a> schema:name "seen" ; schema:description "canary-2", "canary-3" .`,
      );
      const second = await world.get(shop, url, TURTLE);
      expect(second.text).to.equal(first.text);
      expect(second.headers.get("etag")).to.equal(first.headers.get("etag"));
      const third = await world.get(shop, url, { ...TURTLE, "if-none-match": first.headers.get("etag")! });
      expect(third.status).to.equal(304);
    });

    it("what is laid out for thieves is in no view", async () => {
      await world.put("live/honey.ttl", `${PREFIXES}<#a> schema:gtin "canary-honey" .`);
      const { context } = world.server;
      const urls = [`${world.ana.pod}live/honey.ttl`];
      await context.store.write(world.pod.id, (transaction) =>
        context.consent.honey.replace(transaction, world.pod, urls, { agent: world.pod.owner }),
      );
      const grant = await world.grant(shop, [
        { target: { kind: "container", values: ["/ana/live/"] }, fields: ["https://schema.org/gtin"] },
      ]);
      expectNothingHidden((await world.get(shop, world.viewOf(grant), TURTLE)).seen);
    });

    it("what is frozen is in no view", async () => {
      await world.put("live/cold.ttl", `${PREFIXES}<#a> schema:gtin "canary-frozen" .`);
      const grant = await world.grant(shop, [
        { target: { kind: "container", values: ["/ana/live/"] }, fields: ["https://schema.org/gtin"] },
      ]);
      expect((await world.get(shop, world.viewOf(grant), TURTLE)).text).to.include("canary-frozen");
      await world.server.context.ldp.restrictions.restrict(world.pod, "/ana/live/cold.ttl", "owner");
      expectNothingHidden((await world.get(shop, world.viewOf(grant), TURTLE)).seen);
    });
  });

  describe("who may", () => {
    it("nobody but its vendor and the owner, and nobody after it is revoked", async () => {
      const grant = await world.grant(shop, [{ ...contacts, fields: [ADDRESS[0]!] }]);
      const url = world.viewOf(grant);
      const refused = await world.get(bank, url, TURTLE);
      const nothing = await world.get(bank, `${world.ana.pod}.views/${"A".repeat(22)}`, TURTLE);
      expect(refused.status).to.equal(nothing.status).and.to.be.oneOf([403, 404]);
      expect((await fetch(url)).status).to.equal(401);
      expect((await world.get(world.ana, url, TURTLE)).text).to.include("Bahnhofstrasse 1");
      expect((await world.get(shop, url, TURTLE)).status).to.equal(200);
      const { context } = world.server;
      await context.store.write(world.pod.id, (transaction) =>
        context.consent.grants.revoke(transaction, world.pod, grant.id, { agent: world.pod.owner }),
      );
      const after = await world.get(shop, url, TURTLE);
      expect(after.status).to.be.oneOf([403, 404]);
      expect(after.text).not.to.include("Bahnhof");
    });

    it("a pod that everybody may read does not open its views", async () => {
      const open = await world.server.person("Open");
      await open.fetch(`${open.pod}.acl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: `@prefix acl: <http://www.w3.org/ns/auth/acl#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
          <#all> a acl:Authorization ; acl:agentClass foaf:Agent ; acl:accessTo <./> ; acl:default <./> ; acl:mode acl:Read .
          <#own> a acl:Authorization ; acl:agent <${open.webid}> ; acl:accessTo <./> ; acl:default <./> ;
            acl:mode acl:Read, acl:Write, acl:Control .`,
      });
      await open.fetch(`${open.pod}.views/secret`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ title: "canary-title" }),
      });
      for (const path of [".views/secret", ".views/"]) {
        expect((await fetch(`${open.pod}${path}`)).status, path).to.equal(401);
        const answer = await world.get(shop, `${open.pod}${path}`);
        expect(answer.seen, path).not.to.include("canary");
      }
    });
  });

  describe("is counted like any reading", () => {
    const receipt = (link: string | null): string =>
      /<([^>]+)>; rel="https:\/\/w3id\.org\/freehold\/ns#usageReceipt"/.exec(link ?? "")?.[1] ?? "";

    it("by a receipt that says no more than the vendor knows", async () => {
      const grant = await world.grant(shop, [{ ...contacts, fields: [ADDRESS[0]!], mode: "view" }]);
      const answer = await world.get(shop, world.viewOf(grant), TURTLE);
      expect(answer.headers.get("cache-control")).to.include("no-store");
      const shown = await world.get(shop, receipt(answer.headers.get("link")));
      expect(shown.status).to.equal(200);
      expect(shown.text).to.include(world.viewOf(grant));
      expectNothingHidden(shown.seen);
      const vendor = await world.vendor("Counted");
      const queried = await world.grant(vendor, [{ ...contacts, fields: [ADDRESS[0]!] }]);
      const rows = await world.query(vendor, `SELECT * { GRAPH <${world.viewOf(queried)}> { ?s ?p ?o } }`);
      const told = await world.get(vendor, receipt(rows.headers.get("link")));
      expect(told.text).to.include(world.viewOf(queried));
      expectNothingHidden(told.seen);
    });

    it("and at most as often as was granted", async () => {
      const grant = await world.grant(shop, [{ ...contacts, fields: [ADDRESS[0]!], queriesMax: 2 }]);
      const statuses = [];
      for (let at = 0; at < 3; at++)
        statuses.push((await world.get(shop, world.viewOf(grant), TURTLE)).status);
      expect(statuses.slice(0, 2)).to.deep.equal([200, 200]);
      expect(statuses[2]).to.be.oneOf([403, 404, 429]);
    });
  });

  it("for a purpose that was not granted there is none", async () => {
    const grant = await world.grant(shop, [{ ...contacts, fields: [ADDRESS[0]!] }]);
    const purpose = { "access-purpose": "https://w3id.org/dpv#Advertising" };
    expect((await world.get(shop, world.viewOf(grant), { ...TURTLE, ...purpose })).status).to.equal(403);
    const narrower = await world.query(bank, `SELECT * FROM <${UNION}> { ?s ?p ?o }`, purpose);
    expect(narrower.text).not.to.include("Bahnhof");
  });

  describe("how long it took", () => {
    it("does not tell whether it was made anew", async () => {
      await world.put("timed/a.ttl", `${PREFIXES}<#a> schema:name "seen" ; schema:description "hidden" .`);
      const grant = await world.grant(shop, [
        { target: { kind: "resource", values: ["/ana/timed/a.ttl"] }, fields: ["https://schema.org/name"] },
      ]);
      const slot = world.server.context.config.limits.viewAnswerMs;
      await world.get(shop, world.viewOf(grant), TURTLE);
      for (const isNew of [false, true, false, true]) {
        if (isNew)
          await world.put(
            "timed/a.ttl",
            `${PREFIXES}<#a> schema:name "seen" ; schema:text "${Math.random()}" .`,
          );
        const began = performance.now();
        await world.get(shop, world.viewOf(grant), TURTLE);
        expect(performance.now() - began).to.be.greaterThan(slot);
      }
    });
  });

  it("what cannot be made says so to its owner, and nothing to its vendor", async () => {
    const small = await startGranting({ FREEHOLD_LIMITS: "viewTriplesMax=5" });
    try {
      const vendor = await small.vendor("Shop");
      await small.put("contacts/me.ttl", CONTACT);
      const grant = await small.grant(vendor, [{ ...contacts, tier: "reduced" }]);
      const told = await small.get(vendor, small.viewOf(grant), TURTLE);
      expect(told.status).to.equal(503);
      expect(told.seen).not.to.match(/triples|contacts|canary/);
      const asked = await small.query(vendor, "SELECT * { GRAPH ?g { ?s ?p ?o } }");
      expect(asked.status).to.equal(503);
      const owner = await small.get(small.ana, small.viewOf(grant), TURTLE);
      expect(owner.text).to.include("5 triples");
    } finally {
      await small.close();
    }
  });
});
