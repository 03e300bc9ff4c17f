/** Companies that may make offers ask whether they may speak to a person now, over HTTP. */
import { expect } from "chai";
import type { Json } from "../../client-lib/consent/index.ts";
import { put } from "../../server/consent/records.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { IN_A_MONTH, policyOf, requestOf, type Vendor, vendorNamed } from "./people.ts";

const MARKETING = "https://w3id.org/dpv#DirectMarketing";

describe("campaigns, at the door", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let shop: Vendor;
  let bank: Vendor;
  let grant = "";

  const send = (by: Person, path: string, method: string, body: Json): Promise<Response> =>
    by.fetch(`${ana.pod}.consent/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const wants = async (campaigns: Json): Promise<void> => {
    const response = await send(ana, "preferences", "PUT", { everybody: { level: 1 }, campaigns });
    expect(response.status, await response.text()).to.equal(200);
  };
  const asks = async (body: Json, by: Person = shop): Promise<unknown> => {
    const response = await send(by, "campaigns", "POST", body);
    return response.status === 200 ? response.json() : response.status;
  };

  before(async () => {
    server = await startServer();
    ana = await server.person("Ana");
    shop = await vendorNamed(server, "Shop");
    bank = await vendorNamed(server, "Bank");
    const asked = await shop.ask(
      ana,
      requestOf(shop, ana, {
        access: [
          policyOf(shop.webid, `${ana.pod}notes/`, {
            constraint: [
              { leftOperand: "purpose", operator: "eq", rightOperand: MARKETING },
              { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
            ],
          }),
        ],
      }),
    );
    expect(asked.status, await asked.clone().text()).to.equal(201);
    const answered = await ana.fetch(`${asked.headers.get("location")}/decision`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ outcome: "grant" }),
    });
    grant = answered.headers.get("location") ?? "";
    expect(grant).to.contain("/.consent/grants/");
  });
  after(() => server.close());

  it("nothing said is no", async () => {
    expect(await asks({ channel: "email" })).to.deep.equal({ allowed: false, because: "no" });
  });

  it("yes counts: two in a week, then later; and the preferences are as they were said", async () => {
    await wants({ channels: ["email"], places: ["DE"], maxPerWeek: 2 });
    expect(await asks({ channel: "phone", place: "DE" })).to.deep.equal({ allowed: false, because: "no" });
    expect(await asks({ channel: "email", place: "FR" })).to.deep.equal({ allowed: false, because: "no" });
    expect(await asks({ channel: "email", place: "DE-BY" })).to.deep.equal({ allowed: true, because: null });
    expect(await asks({ channel: "email", place: "DE" })).to.deep.equal({ allowed: true, because: null });
    expect(await asks({ channel: "email", place: "DE" })).to.deep.equal({ allowed: false, because: "later" });
    const said = (await (await ana.fetch(`${ana.pod}.consent/preferences`)).json()) as { campaigns: Json };
    expect(said.campaigns).to.deep.include({ channels: ["email"], places: ["DE"], maxPerWeek: 2 });
  });

  it("where nobody counts, a yes is written down a thousand times a week, and not for ever", async () => {
    await wants({ channels: ["email"] });
    const pod = (await server.context.pods.find("ana"))!;
    const times = (count: number) =>
      server.context.store.write(pod.id, async (transaction) =>
        put(transaction, "campaigns", "recent", { times: Array.from({ length: count }, () => Date.now()) }),
      );
    await times(999);
    expect(await asks({ channel: "email" })).to.deep.equal({ allowed: true, because: null });
    expect(await asks({ channel: "email" })).to.deep.equal({ allowed: false, because: "later" });
    await times(0);
  });

  it("the same preferences stand in RDF, for other programs", async () => {
    const text = await (
      await ana.fetch(`${ana.pod}.consent/preferences`, { headers: { accept: "text/turtle" } })
    ).text();
    expect(text).to.contain("OptInLevel").and.contain("CommunicationPreference").and.contain("permission");
  });

  it("quiet hours are later, too: nobody learns which it was", async () => {
    await wants({ channels: ["email"], quiet: [{ from: "00:00", until: "00:00" }] });
    expect(await asks({ channel: "email" })).to.deep.equal({ allowed: false, because: "later" });
  });

  it("refuses what is no question", async () => {
    expect(await asks({ channel: "pigeon" })).to.equal(400);
    expect(await asks({ channel: "email", place: 7 })).to.equal(400);
  });

  it("is for nobody without a grant for offers, and closes with it", async () => {
    await wants({ channels: ["email"] });
    expect(await asks({ channel: "email" }, bank)).to.equal(403);
    expect(
      (
        await fetch(`${ana.pod}.consent/campaigns`, {
          method: "POST",
          body: '{"channel":"email"}',
          headers: { "content-type": "application/json" },
        })
      ).status,
    ).to.equal(401);
    expect(await asks({ channel: "email" })).to.deep.equal({ allowed: true, because: null });
    const revoked = await ana.fetch(grant, { method: "DELETE" });
    expect(revoked.status).to.be.lessThan(300);
    expect(await asks({ channel: "email" })).to.equal(403);
  });

  it("who has taken a grant back is not overruled by what was said to everybody before", async () => {
    const again = await shop.ask(
      ana,
      requestOf(shop, ana, {
        access: [
          policyOf(shop.webid, `${ana.pod}notes/`, {
            constraint: [
              { leftOperand: "purpose", operator: "eq", rightOperand: MARKETING },
              { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
              { leftOperand: "tier", operator: "eq", rightOperand: "tag" },
            ],
          }),
        ],
      }),
    );
    const url = again.headers.get("location") ?? "";
    expect(((await (await ana.fetch(url)).json()) as Json)["status"]).to.equal("Deferred");
  });
});
