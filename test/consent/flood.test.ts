/** Vendors that ask too much, too often, or in too many names; and requests that nobody answers. */
import { expect } from "chai";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { policyOf, requestOf, type Vendor, vendorNamed } from "./people.ts";

describe("a flood of access requests", function () {
  this.timeout(120_000);
  let server: TestServer;
  let ana: Person;
  let ben: Person;
  let shop: Vendor;

  beforeEach(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "requestOpenMsMax=1500,requestsOpenPerPodMax=4" });
    ana = await server.person("Ana");
    ben = await server.person("Ben");
    shop = await vendorNamed(server, "Shop");
  });
  afterEach(() => server.close());

  let wishes = 0;
  const wish = (vendor: Vendor, of = ana) => {
    wishes += 1;
    return requestOf(vendor, of, {
      recipients: [`https://recipient.example/${wishes}`],
      access: [policyOf(vendor.webid, `${of.pod}notes/`)],
    });
  };
  const countOf = async (of: Person): Promise<number> => {
    const list = (await (await of.fetch(`${of.pod}.consent/requests`)).json()) as {
      readonly totalItems: number;
    };
    return list.totalItems;
  };

  it("of one vendor: three are open, the rest is told to wait, and the owner is not buried", async () => {
    const statuses: Record<number, number> = {};
    const signed = await Promise.all(Array.from({ length: 1_000 }, () => shop.sign(wish(shop))));
    const started = performance.now();
    for (let from = 0; from < signed.length; from += 50)
      await Promise.all(
        signed.slice(from, from + 50).map(async (document) => {
          const response = await shop.ask(ana, document);
          if (response.status === 429) expect(Number(response.headers.get("retry-after"))).to.be.at.least(1);
          await response.arrayBuffer();
          statuses[response.status] = (statuses[response.status] ?? 0) + 1;
        }),
      );
    const ms = performance.now() - started;
    expect(Object.keys(statuses).sort()).to.deep.equal(["201", "429"]);
    expect(statuses[201]).to.be.at.most(server.context.config.limits.requestsPerVendorMax);
    // The first three may have ended by then, which makes room for others.
    expect(await countOf(ana)).to.equal(statuses[201]);
    expect(statuses[201]).to.be.at.most(3 * Math.ceil(ms / 1_500 + 1));
    const inbox = await (await ana.fetch(`${ana.pod}inbox/`)).text();
    expect((inbox.match(/ldp:contains|contains>/g) ?? []).length).to.be.at.most(1);
    expect((await ana.fetch(`${ana.pod}inbox/`)).status, "the pod still answers").to.equal(200);
    expect((await shop.ask(ben, wish(shop, ben))).status, "other pods are not in it").to.equal(201);
  });

  it("in many names: a pod has so many open at once, whoever asks", async () => {
    const bank = await vendorNamed(server, "Bank");
    const post = await vendorNamed(server, "Post");
    const statuses: number[] = [];
    for (const vendor of [shop, bank, shop, bank, shop, post])
      statuses.push((await vendor.ask(ana, wish(vendor))).status);
    expect(statuses).to.deep.equal([201, 201, 201, 201, 429, 429]);
  });

  it("does not keep out whom the person sends here, and waits for: once", async () => {
    for (const name of ["Bank", "Post"]) {
      const stranger = await vendorNamed(server, name);
      for (const _ of [1, 2]) expect((await stranger.ask(ana, wish(stranger))).status).to.equal(201);
    }
    expect((await shop.ask(ana, wish(shop))).status).to.equal(429);
    const expected = await ana.fetch(`${ana.pod}.consent/expectations`, { method: "POST" });
    const { nonce } = (await expected.json()) as { readonly nonce: string };
    expect((await shop.ask(ana, { ...wish(shop), nonce: "A".repeat(22) })).status).to.equal(429);
    expect((await shop.ask(ana, { ...wish(shop), nonce })).status).to.equal(201);
    expect((await shop.ask(ana, { ...wish(shop), nonce })).status).to.equal(429);
  });

  it("no answer is never a yes: what nobody answers is Expired, and stays so", async () => {
    const asked = await shop.ask(ana, wish(shop));
    const url = asked.headers.get("location") ?? "";
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    const state = async () => ((await (await shop.fetch(url)).json()) as { readonly status: string }).status;
    expect(await state()).to.equal("Expired");
    await server.context.consent.sweep();
    expect(await state()).to.equal("Expired");
    const late = await ana.fetch(`${url}/decision`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"outcome":"grant"}',
    });
    expect(late.status).to.equal(409);
    expect((await shop.fetch(url, { method: "DELETE" })).status).to.equal(409);
  });

  it("of lists: whoever waits asks for its own request, and not for all there are", async () => {
    const url = (await shop.ask(ana, wish(shop))).headers.get("location") ?? "";
    const list = async (who: Person): Promise<number> => {
      const response = await who.fetch(`${ana.pod}.consent/requests`);
      await response.arrayBuffer();
      return response.status;
    };
    for (let count = 0; count < 30; count++) expect(await list(shop)).to.equal(200);
    expect(await list(shop)).to.equal(429);
    expect(await list(ana), "the owner's is another").to.equal(200);
    expect((await shop.fetch(url)).status).to.equal(200);
  });

  it("is paced before anything of it is read", async () => {
    const strict = await startServer({ FREEHOLD_LIMITS: "requestsPerVendorMax=2" });
    try {
      const [eve, victim] = [await strict.person("Eve"), await strict.person("Victim")];
      const post = () =>
        eve.fetch(`${victim.pod}.consent/requests`, {
          method: "POST",
          headers: { "content-type": "application/lws+json" },
          body: "not even JSON",
        });
      expect([(await post()).status, (await post()).status, (await post()).status]).to.deep.equal([
        400, 400, 429,
      ]);
    } finally {
      await strict.close();
    }
  });

  it("who asks and takes it back, again and again, fills nobody's pod, and a no is not pushed out by it", async () => {
    const small = await startServer({
      FREEHOLD_LIMITS:
        "requestsKeptMax=5,requestsPerVendorMax=1000,requestsPerIpMax=1000,requestsPerPodMax=1000",
    });
    try {
      const owner = await small.person("Owner");
      const vendor = await vendorNamed(small, "Vendor");
      const refused = await vendor.ask(owner, wish(vendor, owner));
      const no = refused.headers.get("location") ?? "";
      await owner.fetch(`${no}/decision`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"outcome":"deny"}',
      });
      const other = await vendorNamed(small, "Other");
      for (let count = 0; count < 20; count++) {
        const { headers } = await other.ask(owner, wish(other, owner));
        await other.fetch(headers.get("location") ?? "", { method: "DELETE" });
      }
      expect(await countOf(owner)).to.be.at.most(5);
      expect((await owner.fetch(no)).status, "the no is remembered").to.equal(200);
      const { totalItems } = (await (await owner.fetch(`${owner.pod}.consent/decisions`)).json()) as {
        readonly totalItems: number;
      };
      expect(totalItems, "decisions go with their requests").to.be.at.most(7);
    } finally {
      await small.close();
    }
  });
});
