/** When something is wrong: places that are watched, what the owner is told, and what is told of a breach. Over HTTP. */
import { expect } from "chai";
import type { BreachNotice } from "../../server/consent/breach.ts";
import type { Grant, Policy } from "../../server/consent/model.ts";
import type { Pod } from "../../server/store/pods.ts";
import { setAccess, write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { CARE, DAY, draft, policy } from "./grant-fixture.ts";

const HEALTH = "https://w3id.org/dpv/pd#MedicalHealth";
const CONTACT = "https://w3id.org/dpv/pd#Contact";
const SECRET = "canary-4711";

interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly grant: string | null;
  readonly agent: string | null;
  readonly target: string | null;
  readonly count: number;
}

describe("when something is wrong", () => {
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let other: Person;
  let pod: Pod;

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    shop = await server.person("Shop");
    other = await server.person("Other");
    pod = (await server.context.pods.find("ana"))!;
    for (const name of ["notes/a.ttl", "notes/b.ttl", "notes/passwords.ttl", "open/list.ttl"])
      await write(ana, `${ana.pod}${name}`, `<#it> <https://schema.org/name> "${SECRET}" .`);
  });
  after(() => server.close());

  function give(rest: Partial<Policy> = {}): Promise<Grant> {
    const { consent, store, now } = server.context;
    const notAfter = now().getTime() + 30 * DAY;
    const made = draft([policy({ notAfter, ...rest })], {
      assignee: shop.webid,
      controller: "https://shop.example/#company",
    });
    return store
      .write(pod.id, (transaction) => consent.grants.create(transaction, pod, made, { agent: ana.webid }))
      .then(({ result }) => result);
  }
  const send = (person: Person, method: string, path: string, body?: unknown, accept = "application/json") =>
    person.fetch(`${ana.pod}${path}`, {
      method,
      headers: { accept, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const get = (person: Person, path: string) => person.fetch(`${ana.pod}${path}`);
  const alerts = async (): Promise<readonly Alert[]> =>
    ((await (await send(ana, "GET", ".consent/attention")).json()) as { items: Alert[] }).items;
  const stateOf = (id: string) =>
    server.context.store.read(
      pod.id,
      async (snapshot) => (await server.context.consent.grants.get(snapshot, id))?.state,
    );
  async function eventually(isSo: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if (await isSo()) return;
      await new Promise((done) => setTimeout(done, 10));
    }
    expect.fail("It did not come");
  }

  it("its doors are the owner's alone", async () => {
    for (const [method, path, body] of [
      ["GET", ".consent/honey"],
      ["PUT", ".consent/honey", { targets: [] }],
      ["GET", ".consent/attention"],
      ["DELETE", ".consent/attention/x"],
      ["GET", ".consent/breach?from=2026-01-01"],
    ] as const) {
      expect((await send(shop, method, path, body)).status, `${method} ${path}`).to.equal(403);
      expect((await ana.raw(method, `/ana/${path}`)).status, `${method} ${path}`).to.equal(401);
    }
  });

  describe("a watched place", () => {
    before(async () => {
      const targets = [`${ana.pod}notes/passwords.ttl`, `${ana.pod}open/list.ttl`];
      const answer = await send(ana, "PUT", ".consent/honey", { targets });
      expect(answer.status).to.equal(200);
      expect(((await answer.json()) as { targets: unknown }).targets).to.deep.equal(targets);
    });

    it("is a document of the pod", async () => {
      for (const target of [
        `${ana.pod}notes/`,
        `${ana.pod}notes/a.ttl.acl`,
        `${ana.pod}.consent/honey`,
        shop.pod,
        "https://elsewhere.example/a",
        7,
      ])
        expect(
          (await send(ana, "PUT", ".consent/honey", { targets: [target] })).status,
          `${target}`,
        ).to.equal(400);
      expect((await send(ana, "PUT", ".consent/honey", { targets: "all" })).status).to.equal(400);
      const shown = (await (await send(ana, "GET", ".consent/honey")).json()) as { targets: string[] };
      expect(shown.targets).to.have.length(2);
    });

    it("is answered like any other, and then the grant rests and the owner knows", async () => {
      const { id } = await give();
      const plain = await get(shop, "notes/a.ttl");
      const trapped = await get(shop, "notes/passwords.ttl");
      expect([plain.status, trapped.status]).to.deep.equal([200, 200]);
      expect([...trapped.headers.keys()]).to.deep.equal([...plain.headers.keys()]);
      expect((await get(shop, "notes/a.ttl")).status).to.equal(403);
      expect(await stateOf(id)).to.equal("Paused");
      const [alert] = await alerts();
      expect(alert).to.include({
        kind: "honey",
        agent: shop.webid,
        grant: `${ana.pod}.consent/grants/${id}`,
        target: `${ana.pod}notes/passwords.ttl`,
      });
      const seen = (await (await send(shop, "GET", `.consent/grants/${id}`)).text()).toLowerCase();
      expect(seen, "the vendor is not told why").not.to.match(/honey|password|alarm/);
      expect((await send(ana, "DELETE", `.consent/attention/${alert!.id}`)).status).to.equal(204);
      expect((await send(ana, "DELETE", `.consent/attention/${alert!.id}`)).status).to.equal(404);
      expect(await alerts()).to.deep.equal([]);
    });

    it("is watched for those, too, whom an access list lets in", async () => {
      await setAccess(ana, `${ana.pod}open/list.ttl`, [{ to: other.webid, modes: ["Read"] }]);
      expect((await get(ana, "open/list.ttl")).status).to.equal(200);
      expect((await get(other, "open/list.ttl")).status).to.equal(200);
      await eventually(async () => (await alerts()).length > 0);
      expect((await alerts()).map(({ kind, agent, grant }) => ({ kind, agent, grant }))).to.deep.equal([
        { kind: "honey", agent: other.webid, grant: null },
      ]);
      expect(server.log.filter((line) => line.includes("consent.alarm")).join("")).not.to.include("list.ttl");
    });
  });

  describe("a breach notice", () => {
    let grant: Grant;
    let from: string;
    const notice = async (query: string): Promise<BreachNotice> =>
      (await (await send(ana, "GET", `.consent/breach?${query}`)).json()) as BreachNotice;

    before(async () => {
      from = new Date().toISOString();
      await new Promise((done) => setTimeout(done, 5));
      grant = await give({ categories: [HEALTH, CONTACT] });
      await get(shop, "notes/a.ttl");
      await get(shop, "notes/b.ttl");
      await get(ana, "notes/a.ttl");
      await get(other, "notes/a.ttl");
      const query = new URLSearchParams({ query: "SELECT ?o { GRAPH ?g { ?s ?p ?o } }" });
      expect((await shop.fetch(`${ana.pod}sparql?${query}`)).status).to.equal(200);
      await server.context.store.write(pod.id, (transaction) =>
        server.context.consent.grants.revoke(transaction, pod, grant.id, { agent: ana.webid }),
      );
    });

    it("says who read what, of which kinds, under which consent, and what was done", async () => {
      const found = await notice(`from=${from}&known=2026-11-22T10:00:00Z`);
      const url = `${ana.pod}.consent/grants/${grant.id}`;
      expect(found).to.include({
        type: "BreachNotice",
        storage: ana.pod,
        dataSubject: ana.webid,
        reads: 3,
        authorityBy: "2026-11-25T10:00:00.000Z",
        erasedEntries: 0,
      });
      expect(found.categories.map(({ category, isSpecial }) => [category, isSpecial])).to.deep.equal([
        [CONTACT, false],
        [HEALTH, true],
      ]);
      expect(found.readers).to.have.length(1);
      expect(found.readers[0]).to.deep.include({
        agent: shop.webid,
        controllers: ["https://shop.example/#company"],
        grants: [url],
        purposes: [CARE],
        reads: 3,
        readsWithoutGrant: 0,
        places: ["/ana/notes/a.ttl", "/ana/notes/b.ttl", "/ana/sparql"],
      });
      // Two looks, and a query over the three, with what everybody may read.
      expect(found.readers[0]?.documents).to.be.within(5, 20).and.to.equal(found.documents);
      expect(found.measures.map(({ act, grant: of }) => [act, of])).to.deep.equal([["revoke", url]]);
      expect(JSON.stringify(found)).not.to.include(SECRET);
    });

    it("is of one vendor where one is asked for, and of a time", async () => {
      expect((await notice(`from=${from}&vendor=${encodeURIComponent(other.webid)}`)).readers).to.deep.equal(
        [],
      );
      expect((await notice(`from=2020-01-01&to=2020-02-01`)).reads).to.equal(0);
      for (const query of ["", "from=yesterday", "from=2026-01-01&to=never"])
        expect((await send(ana, "GET", `.consent/breach?${query}`)).status, query).to.equal(400);
    });

    it("is plain words for who asks for text", async () => {
      const answer = await send(ana, "GET", `.consent/breach?from=${from}`, undefined, "text/plain");
      expect(answer.headers.get("content-type")).to.equal("text/plain; charset=utf-8");
      const text = await answer.text();
      expect(text)
        .to.include(`What was read from ${ana.pod}`)
        .and.match(/\d+ documents in 3 requests/);
      expect(text).to.include("Medical Health (special category)").and.include("Access was taken back");
      expect(text).to.include("article 33(3)(c)").and.not.include(SECRET);
    });
  });
});
