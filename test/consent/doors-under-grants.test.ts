/** Every door of a real server, before, under and after a grant: nothing else is seen, and each look has a receipt. Long, for the doors are many. */
import { request } from "node:http";
import { expect } from "chai";
import type { GrantDraft } from "../../server/consent/grants.ts";
import type { Policy } from "../../server/consent/model.ts";
import { parseTarget } from "../../server/iri.ts";
import type { Pod } from "../../server/store/pods.ts";
import { listen, put, sleep, stream, subscribe, ask as subscribeTo, until } from "../notify/support.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const DPV = "https://w3id.org/dpv#";
const SERVICE = `${DPV}ServiceProvision`;
const MARKETING = `${DPV}Marketing`;
const RECEIPT = "https://w3id.org/freehold/ns#usageReceipt";
const UNION = "http://www.w3.org/ns/solid/sparql#union-default-graph";
const DAY = 86_400_000;

type Answer = Pick<Response, "status" | "headers"> & { readonly text: string };
type Init = { method?: string; headers?: Record<string, string>; body?: string };

describe("doors under a grant", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let bank: Person;
  let pod: Pod;

  before(async () => {
    server = await startServer({
      FREEHOLD_LIMITS:
        "grantReadsUnremarkable=1000000,grantUsesPerMinuteMax=100000,listenerPingMs=200,queryRowsMax=100000",
    });
    [ana, shop, bank] = await Promise.all([
      server.person("Ana"),
      server.person("Shop"),
      server.person("Bank"),
    ]);
    pod = (await server.context.pods.find("ana"))!;
    await put(ana, "contacts/me.ttl", `<#me> a <urn:x:Card> ; <urn:x:says> "CANARY-card" .`);
    await put(ana, "contacts/other.ttl", `<#o> a <urn:x:Note> ; <urn:x:says> "CANARY-other" .`);
    await put(ana, "health/blood.ttl", `<#h> a <urn:x:Blood> ; <urn:x:says> "CANARY-blood" .`);
    const long = "x".repeat(200); // More in all than sockets hold for a reader that takes nothing.
    for (const name of ["all.ttl", "more.ttl", "most.ttl"]) {
      const lines = Array.from(
        { length: 13_000 },
        (_, at) => `<#n${at}> <urn:x:number> "CANARY-number ${at} ${long}" .`,
      );
      await put(ana, `numbers/${name}`, lines.join("\n"));
    }
    const batch = `sensor,property,time,value\n${["00", "10"].map((minute) => `https://x.example/meter,https://x.example/power,2026-03-01T10:${minute}:00Z,4711`).join("\n")}\n`;
    const added = await ana.fetch(`${ana.pod}.series/meter/`, {
      method: "POST",
      headers: { "content-type": "text/csv" },
      body: batch,
    });
    expect(added.status, await added.clone().text()).to.be.oneOf([200, 201]);
  });
  after(() => server.close());

  const policy = (values: readonly string[], rest: Partial<Policy> = {}): Policy => ({
    actions: ["read"],
    target: { kind: values[0]?.endsWith("/") ? "container" : "resource", values },
    necessity: "required",
    clients: null,
    mediaTypes: null,
    types: null,
    purposes: [SERVICE],
    notBefore: null,
    notAfter: Date.now() + 30 * DAY,
    tier: "raw",
    mode: "store",
    categories: [],
    fields: null,
    dataFrom: null,
    dataTo: null,
    dataLife: null,
    frequency: null,
    queriesMax: null,
    ...rest,
  });
  const draft = (whom: Person, policies: readonly Policy[]): GrantDraft => ({
    assignee: whom.webid,
    controller: whom.webid,
    legalBasis: `${DPV}Consent`,
    recipients: [],
    locations: [],
    automation: null,
    decidesAboutPerson: false,
    notice: "https://shop.example/privacy",
    benefit: { en: "Quicker help" },
    price: null,
    terms: null,
    inbox: null,
    policies,
    request: null,
    decision: null,
    decidedBy: "person",
    heldUntil: null,
  });
  const given: string[] = [];
  async function give(whom: Person, ...policies: readonly Policy[]): Promise<string> {
    const { store, consent } = server.context;
    const { result } = await store.write(pod.id, (transaction) =>
      consent.grants.create(transaction, pod, draft(whom, policies), { agent: ana.webid }),
    );
    given.push(result.id);
    return result.id;
  }
  async function turn(id: string, how: "revoke" | "pause" | "resume"): Promise<void> {
    const { store, consent } = server.context;
    await store.write(pod.id, (transaction) =>
      consent.grants[how](transaction, pod, id, { agent: ana.webid }),
    );
  }
  afterEach(async () => {
    for (const id of given.splice(0)) await turn(id, "revoke").catch(() => {}); // It has ended already.
  });
  const usesOf = (id: string) =>
    server.context.store.read(pod.id, async (snapshot) => server.context.consent.grants.usage(snapshot, id));

  async function ask(whom: Person, url: string, init: Init = {}): Promise<Answer> {
    const response = await whom.fetch(url, init);
    const { status, headers } = response;
    return { status, headers, text: await response.text() };
  }
  const sparql = (
    whom: Person,
    query: string,
    more = "",
    headers: Record<string, string> = {},
  ): Promise<Answer> =>
    ask(whom, `${ana.pod}sparql?query=${encodeURIComponent(query)}${more}`, {
      headers: { accept: "application/sparql-results+json", ...headers },
    });
  const receiptsIn = ({ headers }: Pick<Answer, "headers">): readonly string[] =>
    (headers.get("link") ?? "").split(/,(?=\s*<)/).filter((link) => link.includes(RECEIPT));

  /** Each door asked for all that it could tell. */
  const DOORS: Readonly<Record<string, (whom: Person) => Promise<Answer>>> = {
    "GET of a document": (whom) => ask(whom, `${ana.pod}contacts/me.ttl`),
    "GET of it in another format": (whom) =>
      ask(whom, `${ana.pod}contacts/me.ttl`, { headers: { accept: "application/ld+json" } }),
    "GET of its folder": (whom) => ask(whom, `${ana.pod}contacts/`),
    "a page of its folder": (whom) => ask(whom, `${ana.pod}contacts/?max-member-count=1`),
    "a query of everything": (whom) =>
      sparql(whom, "SELECT * { ?s ?p ?o }", `&default-graph-uri=${encodeURIComponent(UNION)}`),
    "a query of graphs": (whom) => sparql(whom, "SELECT * { GRAPH ?g { ?s ?p ?o } }"),
    "a query of all pods": (whom) =>
      ask(
        whom,
        `${server.baseUrl}.query/sparql?query=${encodeURIComponent("SELECT * { GRAPH ?g { ?s ?p ?o } }")}`,
      ),
    async search(whom) {
      const answer = await ask(whom, `${ana.pod}search?q=CANARY`);
      return { ...answer, text: answer.text.replace('"query":"CANARY"', "") };
    },
    "search of types": (whom) => ask(whom, `${ana.pod}.well-known/lws/search`),
    "the index of types": (whom) => ask(whom, `${ana.pod}.well-known/lws/types`),
  };
  /** What each of them shows of the granted folder; nothing else of the pod may be in any. */
  const SHOWN: Readonly<Record<string, RegExp>> = {
    "GET of a document": /CANARY-card/,
    "GET of it in another format": /CANARY-card/,
    "GET of its folder": /me\.ttl/,
    "a page of its folder": /\.ttl/,
    "a query of everything": /CANARY-card[^]*CANARY-other|CANARY-other[^]*CANARY-card/,
    "a query of graphs": /CANARY-card[^]*CANARY-other|CANARY-other[^]*CANARY-card/,
    "a query of all pods": /CANARY-card[^]*CANARY-other|CANARY-other[^]*CANARY-card/,
    search: /contacts\/me\.ttl/,
    "search of types": /contacts\/me\.ttl/,
    "the index of types": /urn:x:Card/,
  };
  const SECRET = /CANARY|contacts\/(me|other)|urn:x:|blood|health\/|numbers\//;
  const ELSEWHERE = /blood|health\/|Blood|numbers\/|CANARY-number/;

  for (const [name, door] of Object.entries(DOORS)) {
    it(`${name}: nothing before, what was granted during, nothing from the next request after`, async () => {
      for (const whom of [shop, bank]) expect((await door(whom)).text, name).to.not.match(SECRET);
      const id = await give(shop, policy(["/ana/contacts/"]));
      const during = await door(shop);
      expect(during.status, during.text).to.equal(200);
      expect(during.text).to.match(SHOWN[name]!);
      expect(during.text).to.not.match(ELSEWHERE);
      expect(receiptsIn(during), "its receipt").to.have.length(1);
      expect((await usesOf(id)).count).to.equal(1);
      expect((await door(bank)).text, "somebody else").to.not.match(SECRET);
      await turn(id, "pause");
      expect((await door(shop)).text, "paused").to.not.match(SECRET);
      await turn(id, "resume");
      expect((await door(shop)).text, "resumed").to.match(SHOWN[name]!);
      await turn(id, "revoke");
      const after = await door(shop);
      expect(after.text, "revoked").to.not.match(SECRET);
      expect(receiptsIn(after)).to.deep.equal([]);
      expect((await usesOf(id)).count).to.equal(2);
    });
  }

  it("a stream under a grant is shown and queried as one, and ends with it", async () => {
    const id = await give(shop, policy(["/ana/meter/"]));
    const shown = () =>
      ask(shop, `${ana.pod}.series/meter/?from=2026-01-01T00:00:00Z`, { headers: { accept: "text/csv" } });
    const during = await shown();
    expect(during.text).to.include("4711");
    expect(receiptsIn(during)).to.have.length(1);
    expect((await ask(bank, `${ana.pod}.series/meter/`)).status).to.equal(403);
    await turn(id, "revoke");
    const after = await shown();
    expect([after.status, after.text.includes("4711")]).to.deep.equal([403, false]);
  });

  it("a stream is added to by whoever may create in it, and read by nobody for that", async () => {
    const observed = (minute: string) =>
      ask(shop, `${ana.pod}.series/meter/`, {
        method: "POST",
        headers: { "content-type": "text/csv" },
        body: `sensor,property,time,value\nhttps://x.example/meter,https://x.example/power,2026-03-01T10:${minute}:00Z,1\n`,
      });
    expect((await observed("30")).status).to.equal(403);
    const id = await give(shop, policy(["/ana/meter/"], { actions: ["create"] }));
    for (const minute of ["30", "40"]) {
      const added = await observed(minute);
      expect([added.status, JSON.parse(added.text)], added.text).to.deep.equal([
        200,
        { stored: 1, repeated: 0, pages: [] },
      ]);
      expect(receiptsIn(added)).to.have.length(1);
    }
    expect((await usesOf(id)).count).to.equal(2);
    expect((await ask(shop, `${ana.pod}.series/meter/`)).status).to.equal(403);
    await turn(id, "revoke");
    expect((await observed("50")).status).to.equal(403);
  });

  it("queries, counts and ETags tell nothing of what was not granted", async () => {
    await give(shop, policy(["/ana/contacts/"]));
    const count = async () => {
      const answer = await sparql(
        shop,
        "SELECT (COUNT(*) AS ?n) { ?s <urn:x:says> ?o }",
        `&default-graph-uri=${encodeURIComponent(UNION)}`,
      );
      return [/"value":\s*"(\d+)"/.exec(answer.text)?.[1], answer.headers.get("etag")];
    };
    const before = await count();
    expect(before[0]).to.equal("2");
    await put(ana, "health/more.ttl", `<#m> <urn:x:says> "CANARY-more" .`);
    expect(await count()).to.deep.equal(before);
    const named = await sparql(
      shop,
      "ASK { ?s ?p ?o }",
      `&default-graph-uri=${encodeURIComponent(`${ana.pod}health/blood.ttl`)}`,
    );
    expect(named.text).to.match(/"boolean":\s*false/);
    const filtered = await sparql(shop, 'ASK { GRAPH ?g { ?s ?p ?o } FILTER(CONTAINS(STR(?g), "health")) }');
    expect(filtered.text).to.match(/"boolean":\s*false/);
  });

  it("the rules of places stay their owner's, and WAC-Allow says what the grant gives and no more", async () => {
    await give(shop, policy(["/ana/"], { actions: ["read", "create", "modify", "delete"] }));
    for (const place of [".acl", "contacts/.acl", "contacts/me.ttl.acl"]) {
      const answer = await ask(shop, `${ana.pod}${place}`);
      expect(answer.status, place).to.equal(403);
      const written = await ask(shop, `${ana.pod}${place}`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: `<#x> a <http://www.w3.org/ns/auth/acl#Authorization>; <http://www.w3.org/ns/auth/acl#agent> <${shop.webid}>; <http://www.w3.org/ns/auth/acl#accessTo> <./>; <http://www.w3.org/ns/auth/acl#mode> <http://www.w3.org/ns/auth/acl#Control> .`,
      });
      expect(written.status, place).to.equal(403);
    }
    const { headers } = await ask(shop, `${ana.pod}contacts/me.ttl`);
    expect(headers.get("wac-allow")).to.equal('user="read write append",public=""');
    for (const own of [".journal/", ".consent/preferences", ".consent/honey", ".consent/breach"])
      expect((await ask(shop, `${ana.pod}${own}`)).status, own).to.be.oneOf([403, 404]);
  });

  describe("the list of a place", () => {
    const list = async (init: Init = {}): Promise<Answer> => ask(ana, `${ana.pod}.acl`, init);

    it("shows the grants on it beside what is stored, for its owner; its ETag follows them, and it can be written still", async () => {
      const before = await list();
      const id = await give(shop, policy(["/ana/"]));
      const during = await list();
      expect(during.text).to.include(`${ana.pod}.consent/grants/${id}#grantee`);
      expect(during.headers.get("etag")).to.not.equal(before.headers.get("etag"));
      const again = await list({ headers: { "if-none-match": during.headers.get("etag")! } });
      expect(again.status).to.equal(304);
      const jsonLd = await list({ headers: { accept: "application/ld+json" } });
      expect(jsonLd.text).to.include(id);
      await turn(id, "pause");
      const paused = await list({ headers: { "if-none-match": during.headers.get("etag")! } });
      expect([paused.status, paused.text.includes(id)]).to.deep.equal([200, false]);
      expect(paused.headers.get("etag")).to.equal(before.headers.get("etag"));
      await turn(id, "resume");
      // A client that writes back what it read changes nothing by it: neither while the grant lasts, nor afterwards.
      const written = await list({
        method: "PUT",
        headers: { "content-type": "text/turtle", "if-match": (await list()).headers.get("etag")! },
        body: (await list()).text,
      });
      expect(written.status, written.text).to.be.oneOf([200, 204]);
      await turn(id, "revoke");
      expect((await list()).text, "stored now").to.include(id);
      for (const whom of [shop, bank])
        expect(
          (await ask(whom, `${ana.pod}contacts/me.ttl`)).status,
          "a stored group lets nobody in",
        ).to.equal(403);
      expect((await ask(ana, `${ana.pod}contacts/me.ttl`)).status).to.equal(200);
      await list({ method: "PUT", headers: { "content-type": "text/turtle" }, body: before.text });
    });

    it("a place without a list of its own has none by a grant: that would cut it off from its folder's", async () => {
      await give(shop, policy(["/ana/contacts/me.ttl"]));
      expect((await ask(ana, `${ana.pod}contacts/me.ttl.acl`)).status).to.equal(404);
    });
  });

  describe("what for", () => {
    it("must be said where there are several; and must be granted", async () => {
      const first = await give(shop, policy(["/ana/contacts/"]));
      const second = await give(shop, policy(["/ana/contacts/"], { purposes: [MARKETING] }));
      const url = `${ana.pod}contacts/me.ttl`;
      const unsaid = await ask(shop, url);
      expect(unsaid.status).to.equal(428);
      expect(JSON.parse(unsaid.text)).to.deep.include({ accepted: [MARKETING, SERVICE] });
      expect(unsaid.text).to.not.include("CANARY");
      for (const [purpose, status, id] of [
        [SERVICE, 200, first],
        [`${DPV}RequestedServiceProvision`, 200, first],
        [`${DPV}DirectMarketing`, 200, second],
        [`${DPV}Purpose`, 403, null],
        ["nonsense", 403, null],
      ] as const) {
        const answer = await ask(shop, url, { headers: { "access-purpose": purpose } });
        expect(answer.status, purpose).to.equal(status);
        if (id) expect(receiptsIn(answer)[0], purpose).to.include(id);
        else expect(answer.text).to.include("purpose-refused");
      }
      const chosen = await ask(shop, url, {
        headers: { "access-grant": `${ana.pod}.consent/grants/${second}` },
      });
      expect(receiptsIn(chosen)[0]).to.include(second);
      expect((await ask(bank, url)).text).to.not.include(SERVICE);
    });

    it("is asked by queries, too: in the address, and of all pods", async () => {
      await give(shop, policy(["/ana/contacts/"]));
      await give(shop, policy(["/ana/health/"], { purposes: [MARKETING] }));
      const query = "SELECT ?o { GRAPH ?g { ?s <urn:x:says> ?o } }";
      expect((await sparql(shop, query)).status).to.equal(428);
      const served = await sparql(shop, query, `&purpose=${encodeURIComponent(SERVICE)}`);
      expect(served.text)
        .to.match(/CANARY-card/)
        .and.not.match(/blood/);
      const marketing = await sparql(shop, query, "", { "access-purpose": MARKETING });
      expect(marketing.text)
        .to.match(/CANARY-blood/)
        .and.not.match(/CANARY-card/);
      const other = await sparql(
        shop,
        query,
        `&purpose=${encodeURIComponent(`${DPV}ResearchAndDevelopment`)}`,
      );
      expect(other.status).to.equal(403);
      expect((await sparql(bank, query)).status).to.equal(200);
      const everywhere = `${server.baseUrl}.query/sparql?query=${encodeURIComponent(query)}`;
      const left = await ask(
        shop,
        `${everywhere}&pod=${encodeURIComponent(ana.pod)}&pod=${encodeURIComponent(shop.pod)}`,
      );
      expect(left.headers.get("freehold-left-out")).to.include(ana.pod);
      expect(left.text).to.not.match(/CANARY/);
      const named = await ask(shop, `${everywhere}&purpose=${encodeURIComponent(MARKETING)}`);
      expect(named.text)
        .to.match(/CANARY-blood/)
        .and.not.match(/CANARY-card/);
      expect(receiptsIn(named)).to.have.length(1);
    });
  });

  it("a grant that is used up takes nothing from a query of all pods but its own pod", async () => {
    const dan = await server.person("Dan");
    const theirs = (await server.context.pods.find("dan"))!;
    await put(dan, "contacts/me.ttl", `<#me> <urn:x:says> "CANARY-dan" .`);
    const spent = policy(["/dan/contacts/"], { queriesMax: 5, frequency: { count: 1, per: DAY } });
    await server.context.store.write(theirs.id, (transaction) =>
      server.context.consent.grants.create(transaction, theirs, draft(shop, [spent]), { agent: dan.webid }),
    );
    const id = await give(shop, policy(["/ana/contacts/"]));
    const query = encodeURIComponent("SELECT ?o { GRAPH ?g { ?s <urn:x:says> ?o } }");
    const everywhere = (headers: Record<string, string> = {}) =>
      ask(shop, `${server.baseUrl}.query/sparql?query=${query}`, { headers });
    const first = await everywhere();
    expect(first.text)
      .to.match(/CANARY-dan/)
      .and.match(/CANARY-card/);
    expect(receiptsIn(first)).to.have.length(2);
    const second = await everywhere();
    expect([second.status, second.headers.get("freehold-left-out")]).to.deep.equal([200, "*"]);
    expect(second.text)
      .to.match(/CANARY-card/)
      .and.not.match(/CANARY-dan/);
    expect(receiptsIn(second)).to.have.length(1);
    expect((await usesOf(id)).count, "each answer counts once").to.equal(2);
    expect((await everywhere({ prefer: "handling=strict" })).status).to.equal(429);
    const alone = await ask(
      shop,
      `${server.baseUrl}.query/sparql?query=${query}&pod=${encodeURIComponent(dan.pod)}`,
    );
    expect([alone.status, alone.text.includes("CANARY")]).to.deep.equal([429, false]);
  });

  describe("writing", () => {
    const turtle = { "content-type": "text/turtle" };

    it("creates where it may, changes and removes nothing by that, and stands in the journal with grant and purpose", async () => {
      const id = await give(shop, policy(["/ana/from-shop/"], { actions: ["create"] }));
      await put(ana, "from-shop/owners.ttl", `<#x> <urn:x:says> "CANARY-own" .`);
      const made = await ask(shop, `${ana.pod}from-shop/`, {
        method: "POST",
        headers: { ...turtle, slug: "order.ttl" },
        body: "<#o> <urn:x:is> 1 .",
      });
      expect(made.status, made.text).to.equal(201);
      expect(receiptsIn(made)).to.have.length(1);
      for (const [method, path] of [
        ["PUT", "from-shop/owners.ttl"],
        ["DELETE", "from-shop/owners.ttl"],
        ["DELETE", "from-shop/order.ttl"],
        ["GET", "from-shop/owners.ttl"],
        ["GET", "from-shop/"],
        ["PUT", "from-shop/.meta"],
        ["PATCH", "from-shop/.meta"],
        ["PATCH", "from-shop/owners.ttl"],
        ["PATCH", "from-shop/"],
        ["PUT", "contacts/new.ttl"],
        ["DELETE", "from-shop/"],
      ] as const) {
        const answer = await ask(shop, `${ana.pod}${path}`, {
          method,
          headers:
            { PUT: turtle, PATCH: { "content-type": "application/sparql-update" } }[method as string] ?? {},
          ...(method === "PUT" && { body: "<#x> <urn:x:is> 2 ." }),
          ...(method === "PATCH" && { body: "INSERT DATA { <> <urn:x:is> 2 }" }),
        });
        expect(answer.status, `${method} ${path}`).to.equal(403);
        expect(answer.text).to.not.include("CANARY");
      }
      const { journal } = server.context;
      await journal.flush();
      const last = await journal.length(pod);
      const entries = (await journal.read(pod, Math.max(0, last - 100), 100)).map(({ entry }) => entry);
      const path = new URL(made.headers.get("location")!).pathname;
      expect(entries.find((one) => one?.path === path && one.act === "create")).to.include({
        agent: shop.webid,
        grant: `${ana.pod}.consent/grants/${id}`,
        purpose: SERVICE,
      });
      expect((await usesOf(id)).count).to.equal(1);
    });

    it("changes by every way to change, and by none when it is over", async () => {
      const id = await give(shop, policy(["/ana/shared/"], { actions: ["read", "modify"] }));
      const doc = `${ana.pod}shared/list.ttl`;
      await put(ana, "shared/list.ttl", "<#x> <urn:x:is> 1 .");
      const ways: Readonly<Record<string, () => Promise<Answer>>> = {
        PUT: () => ask(shop, doc, { method: "PUT", headers: turtle, body: "<#x> <urn:x:is> 2 ." }),
        PATCH: () =>
          ask(shop, doc, {
            method: "PATCH",
            headers: { "content-type": "application/sparql-update" },
            body: "DELETE { ?s <urn:x:is> ?o } INSERT { ?s <urn:x:is> 3 } WHERE { ?s <urn:x:is> ?o }",
          }),
        update: () =>
          ask(shop, `${ana.pod}sparql-update`, {
            method: "POST",
            headers: { "content-type": "application/sparql-update" },
            body: `DELETE { GRAPH <${doc}> { ?s <urn:x:is> ?o } } INSERT { GRAPH <${doc}> { ?s <urn:x:is> 4 } } WHERE { GRAPH <${doc}> { ?s <urn:x:is> ?o } }`,
          }),
      };
      let seen = 0;
      for (const [name, way] of Object.entries(ways)) {
        const answer = await way();
        expect(answer.status, `${name} ${answer.text}`).to.be.oneOf([200, 204, 205]);
        const { count } = await usesOf(id);
        expect(count, name).to.be.greaterThan(seen);
        seen = count;
      }
      expect((await ask(shop, doc, { method: "DELETE" })).status, "nor is it deleted").to.equal(403);
      const dropped = await ask(shop, `${ana.pod}sparql-update`, {
        method: "POST",
        headers: { "content-type": "application/sparql-update" },
        body: `DROP GRAPH <${doc}>`,
      });
      expect(dropped.status).to.equal(403);
      await turn(id, "revoke");
      expect((await ways["PUT"]!()).status).to.equal(403);
      expect((await ways["PATCH"]!()).status).to.equal(403);
      expect((await ways["update"]!()).status, "what is not readable matches nothing").to.equal(204);
      const data = await ask(shop, `${ana.pod}sparql-update`, {
        method: "POST",
        headers: { "content-type": "application/sparql-update" },
        body: `INSERT DATA { GRAPH <${doc}> { <urn:x:a> <urn:x:is> 9 } }`,
      });
      expect(data.status).to.equal(403);
      expect((await ask(ana, doc)).text).to.match(/urn:x:is>\s+"?4/);
    });

    it("copies nothing out of what it may read without its being counted", async () => {
      const reads = await give(shop, policy(["/ana/contacts/"], { queriesMax: 1 }));
      await give(shop, policy(["/ana/from-shop/"], { actions: ["create", "modify", "read"] }));
      const copy = (at: number) =>
        ask(shop, `${ana.pod}sparql-update`, {
          method: "POST",
          headers: { "content-type": "application/sparql-update" },
          body: `INSERT { GRAPH <${ana.pod}from-shop/copy${at}.ttl> { ?s ?p ?o } } WHERE { GRAPH <${ana.pod}contacts/me.ttl> { ?s ?p ?o } }`,
        });
      expect((await copy(1)).status).to.equal(204);
      expect((await usesOf(reads)).count).to.equal(1);
      await copy(2);
      expect((await ask(ana, `${ana.pod}from-shop/copy2.ttl`)).text).to.not.include("CANARY");
      expect((await ask(shop, `${ana.pod}contacts/me.ttl`)).status).to.be.oneOf([403, 429]);
    });
  });

  it("a frozen place is nobody's but its owner's, by whatever grant", async () => {
    await give(shop, policy(["/ana/contacts/", "/ana/health/"]));
    await server.context.ldp.restrictions.restrict(pod, "/ana/contacts/", "owner");
    try {
      for (const [name, door] of Object.entries(DOORS))
        expect((await door(shop)).text, name).to.not.match(/CANARY-(card|other)|contacts\/me/);
    } finally {
      await server.context.ldp.restrictions.release(pod, "/ana/contacts/", "owner");
    }
  });

  describe("what goes on for long", () => {
    const STREAM = "StreamingHTTPChannel2023";
    const EVENTS = "EventSourceChannel2023";
    const SOCKET = "WebSocketChannel2023";

    it("subscriptions need the grant, count as a look, and end within a second of its end", async () => {
      const topic = `${ana.pod}contacts/me.ttl`;
      expect((await subscribeTo(shop.fetch, ana.pod, STREAM, topic)).status).to.equal(403);
      const id = await give(shop, policy(["/ana/contacts/"]));
      expect((await subscribeTo(bank.fetch, ana.pod, STREAM, topic)).status).to.equal(403);
      expect((await subscribeTo(shop.fetch, ana.pod, STREAM, `${ana.pod}health/`)).status).to.equal(403);
      const one = await stream(shop.fetch, (await subscribe(shop.fetch, ana.pod, STREAM, topic)).receiveFrom);
      const two = await stream(shop.fetch, (await subscribe(shop.fetch, ana.pod, EVENTS, topic)).receiveFrom);
      const three = await listen((await subscribe(shop.fetch, ana.pod, SOCKET, topic)).receiveFrom);
      expect((await usesOf(id)).count).to.equal(3);
      await put(ana, "contacts/me.ttl", `<#me> a <urn:x:Card> ; <urn:x:says> "CANARY-card" .`);
      await until("a message each", () => three.notes.length === 1);
      const began = Date.now();
      await turn(id, "revoke");
      await until("the end of all", () => one.isOver && two.isOver && three.closed !== null, 1_000);
      expect(Date.now() - began).to.be.below(1_000);
      expect(three.closed?.code).to.equal(1008);
    });

    /** Reads the beginning of an answer, and nothing more of it until the connection ends. */
    function slowly(
      whom: Person,
      url: string,
    ): Promise<{ readonly bytes: () => number; readonly isOver: () => boolean }> {
      return new Promise((resolve, reject) => {
        whom
          .fetch(url)
          .then(async (response) => {
            const { status, body } = response;
            if (status !== 200) throw new Error(`${status} ${await response.text()}`);
            const reader = body!.getReader();
            let bytes = (await reader.read()).value?.length ?? 0;
            let isOver = false;
            resolve({
              bytes: () => bytes,
              isOver: () => isOver,
            });
            const rest = async (): Promise<void> => {
              for (;;) {
                await sleep(100);
                const { done, value } = await reader.read();
                if (done) return;
                bytes += value.length;
              }
            };
            await rest().catch(() => {});
            isOver = true;
          })
          .catch(reject);
      });
    }

    it("a long answer that is being read breaks off within a second of the revocation", async () => {
      const id = await give(shop, policy(["/ana/numbers/"]));
      const query = "SELECT * { GRAPH ?g { ?a <urn:x:number> ?b } }";
      const answer = await slowly(shop, `${ana.pod}sparql?query=${encodeURIComponent(query)}`);
      await sleep(200);
      expect(answer.isOver()).to.equal(false);
      await turn(id, "revoke");
      await until("its end", answer.isOver, 5_000);
      const bytes = answer.bytes();
      await sleep(300);
      expect(answer.bytes(), "nothing comes after it").to.equal(bytes);
      expect((await sparql(shop, query)).text).to.not.include("CANARY");
    });

    it("a document that leaves slowly is cut off at the socket", async () => {
      const id = await give(shop, policy(["/ana/numbers/"]));
      const url = new URL(`${ana.pod}numbers/all.ttl`);
      // What the socket of the client holds back, the server holds, too.
      const headers: Record<string, string> = {};
      await shop.fetch(url.href).then(async (response) => {
        headers["content-length"] = response.headers.get("content-length") ?? "";
        await response.body?.cancel();
      });
      expect(Number(headers["content-length"])).to.be.greaterThan(1_000_000);
      const { underGrants } = server.context;
      let isCut = false;
      const agent = { webid: shop.webid as never, client: null, issuer: null, origin: null };
      const guarded = underGrants.guard(
        pod,
        {
          id: "r",
          agent,
          target: { pod: "ana", path: "/ana/", isContainer: true, auxiliary: null, subject: "/ana/" },
          url: url.href,
          method: "GET",
        },
        "look",
        { grants: [id], purpose: SERVICE, reads: true },
        { status: 200, headers: {}, body: null },
        underGrants.moment(),
      );
      guarded.whileSent!(() => void (isCut = true));
      await sleep(50);
      expect(isCut).to.equal(false);
      await turn(id, "revoke");
      await until("the cut", () => isCut, 1_000);
    });

    it("what goes on ends by the clock as it does by a revocation", async () => {
      const id = await give(shop, policy(["/ana/contacts/"], { notAfter: Date.now() + 1_500 }));
      const topic = `${ana.pod}contacts/me.ttl`;
      const one = await stream(shop.fetch, (await subscribe(shop.fetch, ana.pod, STREAM, topic)).receiveFrom);
      const two = await listen((await subscribe(shop.fetch, ana.pod, SOCKET, topic)).receiveFrom);
      let isCut = false;
      const { underGrants } = server.context;
      const agent = { webid: shop.webid as never, client: null, issuer: null, origin: null };
      const asked = {
        id: "r",
        agent,
        target: parseTarget("/ana/contacts/me.ttl"),
        url: topic,
        method: "GET",
      } as const;
      const by = { grants: [id], purpose: SERVICE, reads: true };
      const answer = { status: 200, headers: {}, body: null };
      underGrants.guard(pod, asked, "look", by, answer, underGrants.moment()).whileSent!(() => {
        isCut = true;
      });
      await sleep(200);
      expect([one.isOver, two.closed, isCut]).to.deep.equal([false, null, false]);
      await until("the end of all", () => one.isOver && two.closed !== null && isCut, 4_000);
      expect((await ask(shop, topic)).status).to.equal(403);
    });

    it("pages of a long listing end with the grant", async () => {
      for (let at = 0; at < 3; at++) await put(ana, `many/n${at}.ttl`, "<#x> <urn:x:is> 1 .");
      const id = await give(shop, policy(["/ana/many/"]));
      const first = await ask(shop, `${ana.pod}many/?max-member-count=1`);
      const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1];
      expect(next).to.be.a("string");
      expect((await ask(shop, next!)).status).to.equal(200);
      await turn(id, "revoke");
      expect((await ask(shop, next!)).status).to.equal(403);
      expect((await usesOf(id)).count).to.equal(2);
    });
  });

  it("of a pod that has moved, or is erased, nothing is given by any grant", async () => {
    const cleo = await server.person("Cleo");
    const theirs = (await server.context.pods.find("cleo"))!;
    await put(cleo, "contacts/me.ttl", `<#me> <urn:x:says> "CANARY-cleo" .`);
    const places = policy(["/cleo/contacts/"]);
    await server.context.store.write(theirs.id, (transaction) =>
      server.context.consent.grants.create(transaction, theirs, draft(shop, [places]), { agent: cleo.webid }),
    );
    const doors = [
      `${cleo.pod}contacts/me.ttl`,
      `${cleo.pod}sparql?query=${encodeURIComponent("SELECT * { GRAPH ?g { ?s ?p ?o } }")}`,
      `${server.baseUrl}.query/sparql?query=${encodeURIComponent("SELECT * { GRAPH ?g { ?s ?p ?o } }")}`,
    ];
    const shown = () =>
      Promise.all(doors.map(async (url) => (await shop.fetch(url, { redirect: "manual" })).text()));
    for (const text of await shown()) expect(text).to.include("CANARY-cleo");
    await server.context.pods.change("cleo", { movedTo: "https://elsewhere.example/cleo/" });
    for (const text of await shown()) expect(text, "moved").to.not.include("CANARY");
    await server.context.pods.change("cleo", { movedTo: undefined });
    await server.context.ldp.erasure.erasePod(theirs);
    for (const text of await shown()) expect(text, "erased").to.not.include("CANARY");
  });

  it("a revocation is in force with the next request, a hundred times", async () => {
    for (let round = 0; round < 100; round++) {
      const id = await give(shop, policy(["/ana/contacts/me.ttl"]));
      expect((await ask(shop, `${ana.pod}contacts/me.ttl`)).status).to.equal(200);
      await turn(id, "revoke");
      expect((await ask(shop, `${ana.pod}contacts/me.ttl`)).status).to.equal(403);
    }
  });

  it("without a token there is nothing, whatever is said in headers", async () => {
    const id = await give(shop, policy(["/ana/contacts/"]));
    const headers = { "access-purpose": SERVICE, "access-grant": `${ana.pod}.consent/grants/${id}` };
    for (const path of ["contacts/me.ttl", "contacts/", "sparql?query=SELECT+*+{GRAPH+?g+{?s+?p+?o}}"]) {
      const response = await fetch(`${ana.pod}${path}`, { headers });
      expect(await response.text(), path).to.not.include("CANARY");
    }
    const raw = await new Promise<number>((resolve) =>
      request(`${ana.pod}contacts/me.ttl`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).end(),
    );
    expect(raw).to.equal(401);
  });
});
