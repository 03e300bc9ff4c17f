/** Standing preferences, over HTTP: what is given by them, what ends with them, and what a later no means. */
import { expect } from "chai";
import type { Json } from "../../client-lib/consent/index.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { IN_A_MONTH, policyOf, requestOf, type Vendor, vendorNamed } from "./people.ts";

const dpv = (name: string): string => `https://w3id.org/dpv#${name}`;
const pd = (name: string): string => `https://w3id.org/dpv/pd#${name}`;

describe("standing preferences, at the door", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let shop: Vendor;

  const send = (url: string, method: string, body: Json): Promise<Response> =>
    ana.fetch(url, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const says = async (more: Json): Promise<void> => {
    const root = new URL(ana.pod).pathname;
    const holds = { [`${root}orders/`]: [pd("Purchase")], [`${root}health/`]: [pd("MedicalHealth")] };
    const response = await send(`${ana.pod}.consent/preferences`, "PUT", {
      everybody: { level: 1 },
      holds,
      ...more,
    });
    expect(response.status, await response.text()).to.equal(200);
  };
  let wishes = 0;
  const asks = async (purpose: string, folder = "orders", more: readonly Json[] = []): Promise<string> => {
    wishes += 1;
    const constraint = [
      { leftOperand: "purpose", operator: "eq", rightOperand: dpv(purpose) },
      { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
      { leftOperand: "consentMode", operator: "eq", rightOperand: "view" },
      { leftOperand: "maxQueries", operator: "lteq", rightOperand: 1_000 + wishes }, // Each a wish of its own.
      ...more,
    ];
    const access = [
      policyOf(shop.webid, `${ana.pod}${folder}/`, { constraint, personalData: [pd("Purchase")] }),
    ];
    const response = await shop.ask(ana, requestOf(shop, ana, { access }));
    expect(response.status, await response.clone().text()).to.be.oneOf([200, 201, 202]);
    return response.headers.get("location") ?? "";
  };
  const shown = async (url: string, by: Person = ana): Promise<Json> =>
    (await (await by.fetch(url)).json()) as Json;
  const stateOf = async (url: string): Promise<unknown> => (await shown(url))["status"];
  const reads = async (purpose: string): Promise<number> =>
    (await shop.fetch(`${ana.pod}orders/one.ttl`, { headers: { "access-purpose": dpv(purpose) } })).status;
  const grantsOf = async (purpose: string): Promise<readonly Json[]> => {
    const list = (await shown(`${ana.pod}.consent/grants`))["items"] as readonly Json[];
    const all = await Promise.all(list.map(({ id }) => shown(String(id))));
    return all.filter((grant) => JSON.stringify(grant).includes(dpv(purpose)));
  };

  before(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "requestsPerVendorMax=1000,requestsOpenPerVendorMax=100" });
    ana = await server.person("Ana");
    shop = await vendorNamed(server, "Shop");
    for (const folder of ["orders", "health"])
      await ana.fetch(`${ana.pod}${folder}/one.ttl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: "<#it> <https://schema.org/name> 'One'.",
      });
    await says({});
  });
  after(() => server.close());

  it("ask before the first time, whatever was agreed to beforehand", async () => {
    const url = await asks("DeliveryOfGoods");
    expect(await stateOf(url)).to.equal("Pending");
    expect(await reads("DeliveryOfGoods")).to.equal(403);
    expect((await send(`${url}/decision`, "POST", { outcome: "grant" })).status).to.be.lessThan(300);
    expect(await reads("DeliveryOfGoods")).to.equal(200);
  });

  it("then give what was agreed to, at once and with a reason that the owner finds", async () => {
    const url = await asks("CustomerOrderManagement");
    expect(await stateOf(url)).to.equal("Granted");
    expect(await reads("CustomerOrderManagement")).to.equal(200);
    const list = JSON.stringify(await shown(`${ana.pod}.consent/decisions`));
    expect(list).to.contain("as you agreed beforehand").and.contain("serve");
  });

  it("give nothing of health, and nothing for what was not agreed to", async () => {
    expect(await stateOf(await asks("CustomerOrderManagement", "health"))).not.to.equal("Granted");
    expect(await stateOf(await asks("DirectMarketing"))).to.equal("Deferred");
    expect(await reads("DirectMarketing")).to.equal(403);
  });

  it("end at once what they gave when they change, and nothing that the person gave", async () => {
    await says({ everybody: { level: 0 } });
    expect(await reads("CustomerOrderManagement")).to.equal(403);
    expect(await reads("DeliveryOfGoods")).to.equal(200);
    const [grant] = await grantsOf("CustomerOrderManagement");
    expect(grant?.["status"]).to.equal("Revoked");
    expect(await stateOf(await asks("CommunicationForCustomerCare"))).to.equal("Denied");
  });

  it("give again when they are as before; but not what the person took back since", async () => {
    await says({});
    expect(await stateOf(await asks("CustomerOrderManagement"))).to.equal("Granted");
    const active = (await grantsOf("CustomerOrderManagement")).find(({ status }) => status === "Active");
    await ana.fetch(String(active?.["id"]), { method: "DELETE" });
    expect(await reads("CustomerOrderManagement")).to.equal(403);
    expect(await stateOf(await asks("CustomerOrderManagement"))).to.equal("Deferred");
    expect(await reads("CustomerOrderManagement")).to.equal(403);
    await new Promise((done) => setTimeout(done, 5));
    await says({}); // Said again, and so later than the no.
    expect(await stateOf(await asks("CustomerOrderManagement"))).to.equal("Granted");
  });
});
