/** What a vendor with a grant may try to have more of it, or uncounted, over a real server. Long, for there is much to try. */
import { expect } from "chai";
import type { GrantDraft } from "../../server/consent/grants.ts";
import type { Policy } from "../../server/consent/model.ts";
import type { Pod } from "../../server/store/pods.ts";
import { put, sleep, stream, subscribe, until } from "../notify/support.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const DPV = "https://w3id.org/dpv#";
const SERVICE = `${DPV}ServiceProvision`;
const MARKETING = `${DPV}Marketing`;
const DAY = 86_400_000;
const ONCE_A_DAY = { count: 1, per: DAY };
const LINES = 13_000;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
type Init = { method?: string; headers?: Record<string, string>; body?: string };

describe("a vendor with a grant", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let dan: Person;
  let shop: Person;

  before(async () => {
    server = await startServer({
      FREEHOLD_LIMITS: "grantReadsUnremarkable=1000000,grantUsesPerMinuteMax=100000,queryRowsMax=100000",
    });
    [ana, dan, shop] = await Promise.all([server.person("Ana"), server.person("Dan"), server.person("Shop")]);
    await put(ana, "contacts/me.ttl", `<#me> <urn:x:says> "CANARY-card" . <> a <urn:x:Card> .`);
    await put(ana, "contacts/other.ttl", `<#o> <urn:x:says> "CANARY-other" . <> a <urn:x:Note> .`);
    await put(ana, "health/blood.ttl", `<#h> <urn:x:says> "CANARY-blood" .`);
    await put(ana, "open/list.ttl", `<#x> <urn:x:is> 1 .`);
    await put(dan, "contacts/me.ttl", `<#me> <urn:x:says> "CANARY-dan" .`);
    const long = "x".repeat(200); // More in all than sockets hold.
    const lines = Array.from({ length: LINES }, (_, at) => `<#n${at}> <urn:x:number> "${at} ${long}" .`);
    await put(ana, "numbers/all.ttl", `${lines.join("\n")}\n`);
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
  const draft = (policies: readonly Policy[]): GrantDraft => ({
    assignee: shop.webid,
    controller: shop.webid,
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
  const podOf = async (owner: Person): Promise<Pod> =>
    (await server.context.pods.find(new URL(owner.pod).pathname.slice(1, -1)))!;
  const given: (() => Promise<unknown>)[] = [];
  /** To the shop. */
  async function give(owner: Person, ...policies: readonly Policy[]): Promise<string> {
    const { store, consent } = server.context;
    const pod = await podOf(owner);
    const by = { agent: owner.webid };
    const { result } = await store.write(pod.id, (transaction) =>
      consent.grants.create(transaction, pod, draft(policies), by),
    );
    given.push(() =>
      store.write(pod.id, (transaction) => consent.grants.revoke(transaction, pod, result.id, by)),
    );
    return result.id;
  }
  afterEach(async () => {
    for (const end of given.splice(0)) await end().catch(() => {}); // It has ended already.
  });
  async function usesOf(id: string, owner = ana): Promise<number> {
    const { id: pod } = await podOf(owner);
    return server.context.store.read(
      pod,
      async (snapshot) => (await server.context.consent.grants.usage(snapshot, id)).count,
    );
  }

  async function ask(url: string, init: Init = {}, whom = shop): Promise<Answer> {
    const response = await whom.fetch(url, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  const query = (text: string, more = ""): string => `query=${encodeURIComponent(text)}${more}`;
  const update = (body: string): Promise<Answer> =>
    ask(`${ana.pod}sparql-update`, {
      method: "POST",
      headers: { "content-type": "application/sparql-update" },
      body,
    });

  describe("two policies of it at one place", () => {
    const card = (purpose: string) =>
      ask(`${ana.pod}contacts/me.ttl`, { headers: { "access-purpose": purpose } });

    it("are counted apart by purpose: what one is used for takes nothing from the other", async () => {
      await give(
        ana,
        policy(["/ana/contacts/"], { queriesMax: 1 }),
        policy(["/ana/contacts/"], { purposes: [MARKETING], queriesMax: 3 }),
      );
      expect((await card(MARKETING)).status).to.equal(200);
      expect((await card(SERVICE)).status, "its one look").to.equal(200);
      expect((await card(SERVICE)).status).to.be.oneOf([403, 429]);
      expect((await card(MARKETING)).status).to.equal(200);
      expect((await card(MARKETING)).status, "its third").to.equal(200);
      expect((await card(MARKETING)).status).to.be.oneOf([403, 429]);
    });

    it("are counted apart by purpose in queries", async () => {
      await give(
        ana,
        policy(["/ana/contacts/"], { queriesMax: 1 }),
        policy(["/ana/contacts/"], { purposes: [MARKETING], queriesMax: 3 }),
      );
      const text = query("SELECT ?o { GRAPH ?g { ?s <urn:x:says> ?o } }");
      const asked = (purpose: string) =>
        ask(`${ana.pod}sparql?${text}&purpose=${encodeURIComponent(purpose)}`);
      expect((await asked(MARKETING)).text).to.include("CANARY-card");
      expect((await asked(SERVICE)).text).to.include("CANARY-card");
      expect((await asked(SERVICE)).text).to.not.include("CANARY");
    });

    it("do not lend each other their frequency: by purpose", async () => {
      await give(
        ana,
        policy(["/ana/contacts/"], { frequency: ONCE_A_DAY }),
        policy(["/ana/contacts/"], { purposes: [MARKETING] }),
      );
      expect((await card(SERVICE)).status).to.equal(200);
      const again = await card(SERVICE);
      expect([again.status, again.text.includes("CANARY")]).to.deep.equal([429, false]);
    });

    it("do not lend each other their frequency: by what documents are", async () => {
      await give(
        ana,
        policy(["/ana/contacts/"], { types: ["urn:x:Card"], frequency: ONCE_A_DAY }),
        policy(["/ana/contacts/"], { types: ["urn:x:Note"] }),
      );
      expect((await ask(`${ana.pod}contacts/other.ttl`)).status).to.equal(200);
      expect((await ask(`${ana.pod}contacts/me.ttl`)).status).to.equal(200);
      const again = await ask(`${ana.pod}contacts/me.ttl`);
      expect([again.status, again.text.includes("CANARY")]).to.deep.equal([429, false]);
      expect((await ask(`${ana.pod}contacts/other.ttl`)).status).to.equal(200);
    });
  });

  describe("gets the last that there was whole, however long it is", () => {
    it("of a document", async () => {
      const id = await give(ana, policy(["/ana/numbers/"], { queriesMax: 1 }));
      const { status, text } = await ask(`${ana.pod}numbers/all.ttl`);
      expect([status, text.split("\n").length]).to.deep.equal([200, LINES + 1]);
      expect(await usesOf(id)).to.equal(1);
      expect((await ask(`${ana.pod}numbers/all.ttl`)).status).to.equal(403);
    });

    it("of a query", async () => {
      await give(ana, policy(["/ana/numbers/"], { queriesMax: 1 }));
      const url = `${ana.pod}sparql?${query("SELECT ?o { GRAPH ?g { ?s <urn:x:number> ?o } }")}`;
      const { status, text } = await ask(url, { headers: { accept: "text/csv" } });
      expect([status, text.trimEnd().split("\n").length]).to.deep.equal([200, LINES + 1]);
      expect((await ask(url)).text).to.not.include("xxxx");
    });

    it("also of what is laid out for thieves: nothing unusual is seen of that", async () => {
      const { store, consent } = server.context;
      const pod = await podOf(ana);
      const lay = (...urls: readonly string[]) =>
        store.write(pod.id, (transaction) =>
          consent.honey.replace(transaction, pod, urls, { agent: ana.webid }),
        );
      const trap = `${ana.pod}numbers/all.ttl`;
      const text = query("SELECT ?o { ?s <urn:x:number> ?o }");
      await lay(trap);
      try {
        for (const url of [trap, `${ana.pod}sparql?${text}&default-graph-uri=${encodeURIComponent(trap)}`]) {
          await give(ana, policy(["/ana/numbers/"]));
          const got = await ask(url, { headers: { accept: "text/csv, text/turtle" } });
          expect([got.status, got.text.trimEnd().split("\n").length]).to.be.deep.oneOf([
            [200, LINES],
            [200, LINES + 1],
          ]);
          expect((await ask(trap)).status).to.equal(403);
        }
      } finally {
        await lay();
      }
    });

    it("also of the one before, that is being read still", async () => {
      await give(ana, policy(["/ana/numbers/"], { queriesMax: 2 }));
      const url = `${ana.pod}sparql?${query("SELECT ?o { GRAPH ?g { ?s <urn:x:number> ?o } }")}`;
      const both = await Promise.all(
        [1, 2].map(() => ask(url, { headers: { accept: "text/csv" } }).catch(String)),
      );
      for (const one of both)
        expect(typeof one === "string" ? one : one.text.trimEnd().split("\n").length).to.equal(LINES + 1);
    });
  });

  it("is refused nothing while one grant takes the place of another", async () => {
    const { store, consent } = server.context;
    const pod = await podOf(ana);
    let id = await give(ana, policy(["/ana/contacts/"]));
    const over = new AbortController();
    const readOn = async (): Promise<readonly number[]> => {
      const seen = new Set<number>();
      while (!over.signal.aborted) seen.add((await ask(`${ana.pod}contacts/me.ttl`)).status);
      return [...seen];
    };
    const readers = [readOn(), readOn(), readOn()];
    for (let turn = 0; turn < 40; turn++) {
      const { result } = await store.write(pod.id, (transaction) =>
        consent.grants.supersede(transaction, pod, id, draft([policy(["/ana/contacts/"])]), {
          agent: ana.webid,
        }),
      );
      id = result.id;
      await sleep(5);
    }
    over.abort();
    expect(await Promise.all(readers)).to.deep.equal([[200], [200], [200]]);
    await store.write(pod.id, (transaction) =>
      consent.grants.revoke(transaction, pod, id, { agent: ana.webid }),
    );
  });

  it("sees nothing uncounted, however it asks", async () => {
    const id = await give(ana, policy(["/ana/contacts/"]));
    const card = `${ana.pod}contacts/me.ttl`;
    const all = `${ana.pod}sparql?${query("SELECT ?o { GRAPH ?g { ?s <urn:x:says> ?o } }")}`;
    const etagOf = async (url: string) => (await ask(url)).headers.get("etag")!;
    const [one, other] = [await etagOf(card), await etagOf(all)];
    let uses = await usesOf(id);
    for (const [name, url, init, status] of [
      ["HEAD", card, { method: "HEAD" }, 200],
      ["what it has already", card, { headers: { "if-none-match": one } }, 304],
      ["a part", card, { headers: { range: "bytes=0-3" } }, 206],
      ["a listing", `${ana.pod}contacts/`, {}, 200],
      ["a query", all, {}, 200],
      ["HEAD of a query", all, { method: "HEAD" }, 200],
      ["a query that it has already", all, { headers: { "if-none-match": other } }, 304],
      ["search", `${ana.pod}search?q=CANARY`, {}, 200],
      ["types", `${ana.pod}.well-known/lws/types`, {}, 200],
    ] as const) {
      const answer = await ask(url, init);
      expect([name, answer.status, await usesOf(id)]).to.deep.equal([name, status, ++uses]);
      expect(answer.headers.get("link"), name).to.include(`/.consent/receipts/${id}.${uses}>`);
    }
  });

  it("gets no further purpose by exchanging its token for one that stands for a grant", async () => {
    const id = await give(
      ana,
      policy(["/ana/contacts/"]),
      policy(["/ana/contacts/"], { purposes: [MARKETING] }),
    );
    const agent = { webid: shop.webid as never, client: null, issuer: null, origin: null, purpose: SERVICE };
    const token = await server.context.identity.grantTokens.issue(agent, id, "ana");
    const status = async (headers: Record<string, string> = {}) =>
      (
        await fetch(`${ana.pod}contacts/me.ttl`, {
          headers: { authorization: `Bearer ${token}`, ...headers },
        })
      ).status;
    expect(await status()).to.equal(200);
    expect(await status({ "access-purpose": SERVICE })).to.equal(200);
    expect(await status({ "access-purpose": MARKETING })).to.equal(403);
  });

  it("pays for no query of all pods that it does not get", async () => {
    const last = await give(ana, policy(["/ana/contacts/"], { queriesMax: 1 }));
    const rare = await give(dan, policy(["/dan/contacts/"], { frequency: ONCE_A_DAY }));
    expect((await ask(`${dan.pod}contacts/me.ttl`)).status).to.equal(200);
    expect(await usesOf(rare, dan)).to.equal(1);
    const answer = await ask(
      `${server.baseUrl}.query/sparql?${query("SELECT ?o { GRAPH ?g { ?s <urn:x:says> ?o } }")}`,
    );
    expect([answer.status, answer.headers.get("freehold-left-out")]).to.deep.equal([200, "*"]);
    expect(answer.text.includes("CANARY-card")).to.equal((await usesOf(last)) === 1);
    expect(answer.text).to.not.include("CANARY-dan");
  });

  it("learns no names of documents by the graph of all pods without its being counted", async () => {
    const named = await give(ana, policy(["/ana/open/list.ttl"]));
    const other = await give(ana, policy(["/ana/contacts/"]));
    const pods = encodeURIComponent(`${server.baseUrl}.query/pods`);
    const one = encodeURIComponent(`${ana.pod}open/list.ttl`);
    for (const url of [
      `${server.baseUrl}.query/sparql?${query("SELECT * { ?s ?p ?o }")}&default-graph-uri=${pods}&default-graph-uri=${one}`,
      `${server.baseUrl}.query/sparql?${query(
        `PREFIX q: <${server.baseUrl}.query/> SELECT * FROM q:pods FROM <${ana.pod}open/list.ttl> { ?s ?p ?o }`,
      )}`,
    ]) {
      const before = await usesOf(other);
      const answer = await ask(url);
      expect(answer.status, answer.text).to.equal(200);
      expect(answer.text.includes("contacts/me.ttl")).to.equal((await usesOf(other)) > before);
    }
    expect(await usesOf(named)).to.equal(2);
  });

  it("adds nothing to a page of a stream that the owner has frozen", async () => {
    const observed = (time: string, whom = shop) =>
      ask(
        `${ana.pod}.series/meter/`,
        {
          method: "POST",
          headers: { "content-type": "text/csv" },
          body: `sensor,property,time,value\nhttps://x.example/m,https://x.example/p,${time},1\n`,
        },
        whom,
      );
    const first = await observed("2026-03-01T10:00:00Z", ana);
    const [page] = (JSON.parse(first.text) as { pages: string[] }).pages;
    await give(ana, policy(["/ana/meter/"], { actions: ["create"] }));
    expect((await observed("2026-03-01T11:00:00Z")).status).to.equal(200);
    const { restrictions } = server.context.ldp;
    const pod = await podOf(ana);
    const path = new URL(page!).pathname;
    await restrictions.restrict(pod, path, "owner");
    try {
      const before = (await ask(page!, {}, ana)).text;
      expect((await observed("2026-03-01T12:00:00Z")).status).to.equal(403);
      expect((await ask(page!, {}, ana)).text).to.equal(before);
    } finally {
      await restrictions.release(pod, path, "owner");
    }
  });

  describe("reads nothing uncounted by changing something", () => {
    const TURTLE = { "content-type": "text/turtle" };

    it("by copying a document", async () => {
      const reads = await give(ana, policy(["/ana/contacts/"], { queriesMax: 2 }));
      await give(ana, policy(["/ana/from-shop/"], { actions: ["create", "modify"] }));
      await put(ana, "from-shop/first.ttl", "<#x> <urn:x:is> 1 .");
      for (const [at, verb] of ["COPY", "ADD"].entries()) {
        const done = await update(
          `${verb} GRAPH <${ana.pod}contacts/me.ttl> TO GRAPH <${ana.pod}from-shop/copy${at}.ttl>`,
        );
        expect(done.status, done.text).to.equal(204);
        expect(await usesOf(reads), verb).to.equal(at + 1);
      }
      await update(`COPY GRAPH <${ana.pod}contacts/me.ttl> TO GRAPH <${ana.pod}from-shop/copy2.ttl>`);
      expect((await ask(`${ana.pod}from-shop/copy2.ttl`, {}, ana)).text).to.not.include("CANARY");
    });

    it("by patches that fail where a guess is wrong", async () => {
      await put(ana, "shared/list.ttl", `<#x> <urn:x:is> "CANARY" .`);
      const id = await give(ana, policy(["/ana/shared/"], { actions: ["read", "modify"], queriesMax: 2 }));
      const guess = (value: string) =>
        ask(`${ana.pod}shared/list.ttl`, {
          method: "PATCH",
          headers: { "content-type": "text/n3" },
          body: `@prefix solid: <http://www.w3.org/ns/solid/terms#>. <> a solid:InsertDeletePatch; solid:where { ?x <urn:x:is> "${value}" } ; solid:inserts { <urn:x:a> <urn:x:b> "c" } .`,
        });
      for (const uses of [1, 2]) {
        expect((await guess("wrong")).status).to.equal(409);
        expect(await usesOf(id)).to.equal(uses);
      }
      expect((await guess("wrong")).status, "no guess is left").to.equal(403);
      await put(ana, "shared/list.ttl", `<#x> <urn:x:is> "CANARY" .`);
    });

    it("by updates that fail where a guess is wrong, or right", async () => {
      const id = await give(ana, policy(["/ana/contacts/"], { queriesMax: 2 }));
      const guess = (value: string, not: string) =>
        update(
          `INSERT { GRAPH <${ana.pod}health/blood.ttl> { <urn:x:a> <urn:x:b> 1 } } WHERE { GRAPH <${ana.pod}contacts/me.ttl> { ?s ?p ?o } FILTER ${not} EXISTS { GRAPH <${ana.pod}contacts/me.ttl> { ?x <urn:x:says> "${value}" } } }`,
        );
      expect((await guess("wrong", "NOT")).status).to.equal(403);
      expect(await usesOf(id)).to.equal(1);
      expect((await guess("CANARY-card", "")).status).to.equal(403);
      expect(await usesOf(id)).to.equal(2);
      const [right, wrong] = [await guess("CANARY-card", ""), await guess("wrong", "")];
      expect(right.status, "nothing is left to be read").to.equal(wrong.status);
    });

    it("by queries that fail where a guess is right", async () => {
      const id = await give(ana, policy(["/ana/contacts/"], { queriesMax: 2 }));
      const many = (name: string) =>
        `VALUES ?${name} { ${Array.from({ length: 60 }, (_, at) => at).join(" ")} }`;
      const text = query(
        `SELECT ?s ?a ?b ?c { GRAPH ?g { ?s <urn:x:says> "CANARY-card" } ${["a", "b", "c"].map(many).join(" ")} }`,
      );
      const { pod } = ana;
      for (const [at, url] of [`${pod}sparql`, `${server.baseUrl}.query/sparql`].entries()) {
        const response = await shop.fetch(`${url}?${text}`);
        await response.text().catch(() => {}); // It may break off.
        expect([url, await usesOf(id)]).to.deep.equal([url, at + 1]);
      }
      expect((await ask(`${pod}contacts/me.ttl`)).status).to.equal(403);
    });

    it("by putting together what it has for different purposes, without saying for which", async () => {
      await give(ana, policy(["/ana/contacts/"]));
      await give(ana, policy(["/ana/health/"], { purposes: [MARKETING] }));
      await give(ana, policy(["/ana/from-shop/"], { actions: ["create", "modify", "read"] }));
      const done = await update(
        `INSERT { GRAPH <${ana.pod}from-shop/both.ttl> { <urn:x:both> <urn:x:says> ?a , ?b } } WHERE { GRAPH <${ana.pod}contacts/me.ttl> { ?s <urn:x:says> ?a } GRAPH <${ana.pod}health/blood.ttl> { ?t <urn:x:says> ?b } }`,
      );
      const both = await ask(`${ana.pod}from-shop/both.ttl`, {}, ana);
      expect(both.text).to.not.include("CANARY");
      expect(done.status, done.text).to.be.oneOf([204, 428]);
    });

    it("creates nothing by two grants for different purposes", async () => {
      await give(ana, policy(["/ana/from-shop/new.ttl"], { actions: ["create"] }));
      await give(
        ana,
        policy(["/ana/from-shop/"], {
          actions: ["create"],
          types: ["http://www.w3.org/ns/ldp#Container"],
          purposes: [MARKETING],
        }),
      );
      const made = await ask(`${ana.pod}from-shop/new.ttl`, { method: "PUT", headers: TURTLE, body: "" });
      expect(made.status, made.text).to.be.oneOf([403, 428]);
    });
  });

  it("learns nothing of what is there by what it may add", async () => {
    await give(ana, policy(["/ana/contacts/"], { actions: ["create"] }));
    const said = async (name: string, method: string) => {
      const { status, headers } = await ask(`${ana.pod}contacts/${name}`, { method });
      return [status, headers.get("wac-allow")];
    };
    for (const method of ["GET", "HEAD"])
      expect(await said("me.ttl", method), method).to.deep.equal(await said("none.ttl", method));
  });

  it("is told on when the owner gives it more, for something else", async () => {
    const topic = `${ana.pod}contacts/me.ttl`;
    await give(ana, policy(["/ana/contacts/"]));
    const { receiveFrom } = await subscribe(shop.fetch, ana.pod, "StreamingHTTPChannel2023", topic);
    const told = await stream(shop.fetch, receiveFrom);
    await give(ana, policy(["/ana/contacts/"], { purposes: [MARKETING] }));
    await sleep(100);
    await put(ana, "contacts/me.ttl", `<#me> <urn:x:says> "CANARY-card" . <> a <urn:x:Card> .`);
    await until("a message", () => told.text.includes("contacts/me.ttl") || told.isOver);
    expect([told.response.status, told.isOver], told.text).to.deep.equal([200, false]);
  });
});
