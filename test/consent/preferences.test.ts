/** What was said beforehand, at work over HTTP: given without a question, taken back without a trace, narrowed at once. */
import { expect } from "chai";
import type { Json } from "../../client-lib/consent/index.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { IN_A_MONTH, policyOf, requestOf, type Vendor, vendorNamed } from "./people.ts";

const PD = "https://w3id.org/dpv/pd#";

describe("standing preferences at work", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let shop: Vendor;

  beforeEach(async () => {
    server = await startServer({ FREEHOLD_LIMITS: "requestsPerVendorMax=1000,requestsOpenPerVendorMax=100" });
    ana = await server.person("Ana");
    shop = await vendorNamed(server, "Shop");
    await ana.fetch(`${ana.pod}orders/one.ttl`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: '<#it> <https://schema.org/orderNumber> "1" .',
    });
  });
  afterEach(() => server.close());

  const json = async (response: Response): Promise<Json> => (await response.json()) as Json;
  const prefer = (body: Json, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    ana.fetch(`${ana.pod}.consent/preferences`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const OPEN = {
    everybody: { level: 1, switches: [] },
    holds: { "/ana/orders/": [`${PD}Purchase`] },
  };
  let wishes = 0;
  const wish = (more: Json = {}, mode = "view"): Json => {
    wishes += 1;
    const c = (leftOperand: string, operator: string, rightOperand: unknown): Json => ({
      leftOperand,
      operator,
      rightOperand,
    });
    return requestOf(shop, ana, {
      access: [
        policyOf(shop.webid, `${ana.pod}orders/`, {
          personalData: [`${PD}Purchase`],
          constraint: [
            c("purpose", "eq", "https://w3id.org/dpv#CustomerOrderManagement"),
            c("dateTime", "lteq", IN_A_MONTH()),
            c("consentMode", "eq", mode),
            c("dataLife", "lteq", "P30D"),
            c("maxQueries", "lteq", 1_000 + wishes),
          ],
        }),
      ],
      ...more,
    });
  };
  const ask = async (document: Json): Promise<Json & { readonly id: string; readonly status: string }> => {
    const response = await shop.ask(ana, document);
    expect(response.status, await response.clone().text()).to.equal(201);
    return (await json(response)) as Json & { readonly id: string; readonly status: string };
  };
  const decide = (id: string, outcome: string): Promise<Response> =>
    ana.fetch(`${id}/decision`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ outcome }),
    });
  /** The first time somebody asks, a person decides. */
  const meet = async (): Promise<void> => {
    const { id, status } = await ask(wish());
    expect(status).to.be.oneOf(["Pending", "Deferred"]);
    const response = await decide(id, "grant");
    expect(response.status).to.equal(200);
    await shop.fetch(response.headers.get("location") ?? "", { method: "DELETE" }); // It gives back what it had.
  };
  const isRead = async (): Promise<boolean> => (await shop.fetch(`${ana.pod}orders/one.ttl`)).status === 200;
  const decisions = async (): Promise<readonly Json[]> =>
    (await json(await ana.fetch(`${ana.pod}.consent/decisions`)))["items"] as readonly Json[];

  it("gives what was agreed to beforehand, tells the owner, and the owner takes it back", async () => {
    expect((await prefer(OPEN)).status).to.equal(200);
    await meet();
    const { id, status } = await ask(wish());
    expect(status, JSON.stringify(await decisions())).to.equal("Granted");
    expect(await isRead()).to.equal(true);
    const [decision] = await decisions();
    expect(decision).to.include({ request: id, decidedBy: "policy" });
    expect(decision?.["explanation"])
      .to.be.a("string")
      .that.matches(/^\S.*\.$/);
    const undo = await ana.fetch(`${String(decision?.["id"])}/undo`, { method: "POST" });
    expect(undo.status, await undo.text()).to.equal(204);
    expect(await isRead()).to.equal(false);
    expect((await json(await shop.fetch(id)))["status"]).to.equal("Pending");
    expect((await ask(wish())).status, "a no is not forgotten").to.not.equal("Granted");
    expect((await ana.fetch(`${String(decision?.["id"])}/undo`, { method: "POST" })).status).to.equal(409);
  });

  it("what would be kept elsewhere waits until it cannot be undone, and leaves no trace when it is", async () => {
    await prefer({ everybody: { level: 3, switches: [] }, holds: { "/ana/orders/": [`${PD}Purchase`] } });
    await meet();
    const streamed = await ask(
      wish({
        inbox: `${shop.pod}inbox/`,
        access: [
          policyOf(shop.webid, `${ana.pod}orders/`, {
            personalData: [`${PD}Purchase`],
            constraint: [
              {
                leftOperand: "purpose",
                operator: "eq",
                rightOperand: "https://w3id.org/dpv#ServicePersonalisation",
              },
              { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
              { leftOperand: "consentMode", operator: "eq", rightOperand: "stream" },
              { leftOperand: "tier", operator: "eq", rightOperand: "aggregate" },
              { leftOperand: "dataLife", operator: "lteq", rightOperand: "P30D" },
            ],
          }),
        ],
      }),
    );
    expect(streamed.status, "as the vendor knows it").to.equal("Pending");
    const grants = async (who: Person): Promise<readonly Json[]> =>
      (await json(await who.fetch(`${ana.pod}.consent/grants?status=Active`)))["items"] as readonly Json[];
    expect(await grants(shop), "the vendor hears nothing of it").to.deep.equal([]);
    const [held] = await grants(ana);
    expect(held, JSON.stringify(await decisions())).to.include({ decidedBy: "policy" });
    expect((await shop.fetch(String(held?.["id"]))).status).to.equal(404);
    expect(await isRead()).to.equal(false);
    const [decision] = await decisions();
    expect((await ana.fetch(`${String(decision?.["id"])}/undo`, { method: "POST" })).status).to.equal(204);
    expect((await json(await shop.fetch(streamed.id)))["status"]).to.equal("Pending");
    expect((await shop.fetch(String(held?.["id"]))).status, "nor that it was there").to.equal(404);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const inbox = await (await shop.fetch(`${shop.pod}inbox/`)).text();
    expect(inbox, "nor by a notice").to.not.match(/contains/);
  });

  it("closed is closed, and no one is asked", async () => {
    await prefer({ everybody: { level: 0, switches: [] } });
    const { status } = await ask(wish());
    expect(status).to.equal("Denied");
    expect((await ana.fetch(`${ana.pod}inbox/`)).status).to.equal(200);
    expect(await (await ana.fetch(`${ana.pod}inbox/`)).text()).to.not.match(/contains/);
  });

  it("a change counts at once for what was given by it, and not for what the person gave", async () => {
    await prefer(OPEN);
    await meet();
    const byPolicy = await ask(wish());
    const byPerson = (
      await decide(
        (
          await ask(wish({ automation: "https://w3id.org/dpv#FullAutomation", decidesAboutPerson: true }))
        ).id,
        "grant",
      )
    ).headers.get("location");
    const grant = ((await json(await shop.fetch(byPolicy.id)))["grant"] as readonly string[])[0] ?? "";
    await prefer({ ...OPEN, blocked: [shop.webid] });
    expect((await json(await ana.fetch(grant)))["status"]).to.equal("Revoked");
    expect((await json(await ana.fetch(byPerson ?? "")))["status"]).to.equal("Active");
  });

  it("is read as JSON and as ODRL, and replaced only by who saw what it was", async () => {
    const first = await prefer(OPEN, { "if-match": '"0"' });
    expect([first.status, first.headers.get("etag")]).to.deep.equal([200, '"1"']);
    expect((await prefer(OPEN, { "if-match": '"0"' })).status).to.equal(412);
    const turtle = await ana.fetch(`${ana.pod}.consent/preferences`, { headers: { accept: "text/turtle" } });
    expect(turtle.headers.get("content-type")).to.equal("text/turtle");
    expect(await turtle.text()).to.include("CustomerOrderManagement");
    expect((await prefer({ ...OPEN, everybody: { level: 9 } })).status).to.equal(400);
    expect((await prefer({ ...OPEN, forever: true })).status).to.equal(400);
  });

  it("a person who sends a vendor here is asked at once, and the nonce is good once", async () => {
    await prefer(OPEN);
    await meet();
    const expected = await ana.fetch(`${ana.pod}.consent/expectations`, { method: "POST" });
    expect(expected.status).to.equal(201);
    const { nonce } = (await json(expected)) as { readonly nonce: string };
    const other = { purpose: "https://w3id.org/dpv#ServiceOptimisation" };
    const odd = (more: Json): Json =>
      wish({
        ...more,
        access: [
          policyOf(shop.webid, `${ana.pod}orders/`, {
            personalData: [`${PD}Purchase`],
            constraint: [
              { leftOperand: "purpose", operator: "eq", rightOperand: other.purpose },
              { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
              { leftOperand: "maxQueries", operator: "lteq", rightOperand: 5_000 + wishes },
            ],
          }),
        ],
      });
    expect((await ask(odd({}))).status).to.equal("Deferred");
    expect((await ask(odd({ nonce }))).status).to.equal("Pending");
    expect((await ask(odd({ nonce }))).status, "once").to.equal("Deferred");
    expect((await ask(odd({ nonce: "A".repeat(22) }))).status, "not made up").to.equal("Deferred");
    expect((await shop.fetch(`${ana.pod}.consent/expectations`, { method: "POST" })).status).to.equal(403);
  });

  it("what waits is shown all at once, and not again and again", async () => {
    await prefer(OPEN);
    await meet();
    const before = await server.context.journal.length((await server.context.pods.find("ana"))!);
    expect(before).to.be.greaterThan(0);
    for (let count = 0; count < 6; count++)
      await ask(
        wish({
          terms: "https://w3id.org/dpv/standards/ieee/7012#SD-BASE-ATP",
          access: [
            policyOf(shop.webid, `${ana.pod}orders/`, {
              constraint: [
                {
                  leftOperand: "purpose",
                  operator: "eq",
                  rightOperand: "https://w3id.org/dpv#ServiceOptimisation",
                },
                { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
                { leftOperand: "maxQueries", operator: "lteq", rightOperand: 9_000 + count },
              ],
            }),
          ],
        }),
      );
    const notices = async (): Promise<readonly string[]> => {
      const listing = await (await ana.fetch(`${ana.pod}inbox/`)).text();
      const names = [...new Set([...listing.matchAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g)].map(([name]) => name))];
      return Promise.all(names.map(async (name) => (await ana.fetch(`${ana.pod}inbox/${name}`)).text()));
    };
    const digests = async (): Promise<number> =>
      (await notices()).filter((text) => text.includes("status=Deferred")).length;
    expect(await digests()).to.equal(0);
    await server.context.consent.sweep();
    expect(await digests()).to.equal(1);
    await server.context.consent.sweep();
    expect(await digests()).to.equal(1);
  });
});
