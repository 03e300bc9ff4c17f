/** Taking a grant back, over HTTP and while the vendor reads: what begins after the answer gets nothing, at any door. */
import { expect } from "chai";
import type { Grant } from "../../server/consent/model.ts";
import type { Pod } from "../../server/store/pods.ts";
import { write } from "../doors/people.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { DAY, draft, policy } from "./grant-fixture.ts";

const ROUNDS = 15;
const READERS = 4;

describe("a grant that is taken back", () => {
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let pod: Pod;

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "grantUsesPerMinuteMax=1000000" });
    ana = await server.person("Ana");
    shop = await server.person("Shop");
    pod = (await server.context.pods.find("ana"))!;
    await write(ana, `${ana.pod}notes/a.ttl`, '<#it> <https://schema.org/name> "canary" .');
  });
  after(() => server.close());

  async function give(): Promise<Grant> {
    const { consent, store, now } = server.context;
    const made = draft([policy({ notAfter: now().getTime() + 30 * DAY })], { assignee: shop.webid });
    const by = { agent: ana.webid };
    return (await store.write(pod.id, (transaction) => consent.grants.create(transaction, pod, made, by)))
      .result;
  }
  const url = (path: string): string => `${ana.pod}${path}`;
  const query = new URLSearchParams({ query: "SELECT * { GRAPH ?g { ?s ?p ?o } }" });
  const doors = [
    { name: "a document", path: "notes/a.ttl", refused: 403, shows: /canary/ },
    { name: "a folder", path: "notes/", refused: 403, shows: /a\.ttl/ },
    { name: "a query", path: `sparql?${query}`, refused: 200, shows: /canary/ },
    { name: "a search", path: "search?q=canary", refused: 200, shows: /a\.ttl/ },
  ];

  it("gives nothing to any request that begins after the answer", async () => {
    let reads = 0;
    let late = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await give();
      const end = { isThere: false };
      let answered = Number.POSITIVE_INFINITY;
      const readers = Array.from({ length: READERS }, async () => {
        while (!end.isThere) {
          const began = performance.now();
          const { status } = await shop.fetch(url("notes/a.ttl"));
          if (status !== 200) continue;
          reads++;
          if (began > answered) late++;
        }
      });
      await new Promise((done) => setTimeout(done, 10));
      const answer = await ana.fetch(url(`.consent/grants/${id}`), { method: "DELETE" });
      answered = performance.now();
      expect(answer.status).to.equal(204);
      expect((await shop.fetch(url("notes/a.ttl"))).status).to.equal(403);
      end.isThere = true;
      await Promise.all(readers);
    }
    expect(reads, "it is no test where nothing was read").to.be.greaterThan(ROUNDS);
    expect(late).to.equal(0);
  });

  for (const { name, path, refused, shows } of doors)
    it(`gives nothing by ${name}`, async () => {
      const { id } = await give();
      const before = await shop.fetch(url(path));
      expect(before.status).to.equal(200);
      expect(await before.text()).to.match(shows);
      await ana.fetch(url(`.consent/grants/${id}`), { method: "DELETE" });
      const after = await shop.fetch(url(path));
      expect(after.status).to.equal(refused);
      expect(await after.text()).not.to.match(shows);
    });

  it("leaves the owner everything", async () => {
    const { id } = await give();
    await ana.fetch(url(`.consent/grants/${id}`), { method: "DELETE" });
    expect((await ana.fetch(url("notes/a.ttl"))).headers.get("wac-allow")).to.match(/user="[^"]*control/);
    expect((await ana.fetch(url(".acl"))).status).to.equal(200);
  });
});
