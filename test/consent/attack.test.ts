/** Vendors that mean ill: what they write, what they get round, and what they would have the owner believe. */
import { expect } from "chai";
import type { Json } from "../../client-lib/consent/index.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";
import { IN_A_MONTH, policyOf, requestOf, type Vendor, vendorNamed } from "./people.ts";

const dpv = (name: string): string => `https://w3id.org/dpv#${name}`;
const pd = (name: string): string => `https://w3id.org/dpv/pd#${name}`;
const LWS_HEADERS = { "content-type": "application/lws+json" };

describe("vendors that mean ill", function () {
  this.timeout(60_000);
  let server: TestServer;
  let ana: Person;
  let shop: Vendor;
  let eve: Vendor;

  const send = (url: string, method: string, body: Json, by: Person = ana): Promise<Response> =>
    by.fetch(url, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const shown = async (url: string, by: Person = ana): Promise<Json> =>
    (await (await by.fetch(url)).json()) as Json;
  const stateOf = async (url: string, by: Person = ana): Promise<unknown> => (await shown(url, by))["status"];
  const until = async (isSo: () => Promise<boolean> | boolean): Promise<void> => {
    for (let tries = 0; tries < 200; tries++) {
      if (await isSo()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("It did not come to that");
  };

  let wishes = 0;
  const wish = (vendor: Vendor, folder: string, more: Json = {}, purpose = "DeliveryOfGoods"): Json => {
    wishes += 1;
    return policyOf(vendor.webid, `${ana.pod}${folder}`, {
      personalData: [pd("Purchase")],
      constraint: [
        { leftOperand: "purpose", operator: "eq", rightOperand: dpv(purpose) },
        { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
        { leftOperand: "maxQueries", operator: "lteq", rightOperand: 1_000 + wishes }, // Each a wish of its own.
      ],
      ...more,
    });
  };
  const ask = async (vendor: Vendor, access: Json, more: Json = {}): Promise<string> => {
    const response = await vendor.ask(ana, requestOf(vendor, ana, { access: [access], ...more }));
    expect(response.status, await response.clone().text()).to.be.oneOf([200, 201]);
    return response.headers.get("location") ?? "";
  };
  const says = async (more: Json): Promise<void> => {
    const root = new URL(ana.pod).pathname;
    const holds = {
      [`${root}orders/`]: [pd("Purchase")],
      [`${root}health/`]: [pd("MedicalHealth")],
    };
    const response = await send(`${ana.pod}.consent/preferences`, "PUT", {
      everybody: { level: 1 },
      holds,
      ...more,
    });
    expect(response.status, await response.text()).to.equal(200);
  };
  /** From then on it is no stranger. */
  const introduce = async (vendor: Vendor): Promise<void> => {
    const url = await ask(vendor, wish(vendor, "greetings/", {}, "CommunicationForCustomerCare"));
    expect((await send(`${url}/decision`, "POST", { outcome: "grant" })).status).to.equal(200);
  };

  beforeEach(async () => {
    server = await startServer({
      FREEHOLD_LIMITS:
        "requestsPerVendorMax=1000,requestsOpenPerVendorMax=100,webhookRetryMsMin=50,webhookRetryMsMax=200",
    });
    ana = await server.person("Ana");
    shop = await vendorNamed(server, "Shop");
    eve = await vendorNamed(server, "Eve");
    for (const folder of ["orders", "health", "greetings"])
      await ana.fetch(`${ana.pod}${folder}/one.ttl`, {
        method: "PUT",
        headers: { "content-type": "text/turtle" },
        body: "<#it> <https://schema.org/name> 'One'.",
      });
    await says({});
  });
  afterEach(() => server.close());

  describe("get round what the owner has stopped", () => {
    const reads = async (): Promise<number> =>
      (
        await shop.fetch(`${ana.pod}orders/one.ttl`, {
          headers: { "access-purpose": dpv("DeliveryOfGoods") },
        })
      ).status;
    const given = async (): Promise<string> => {
      await introduce(shop);
      const url = await ask(shop, wish(shop, "orders/"));
      expect(await stateOf(url)).to.equal("Granted");
      expect(await reads()).to.equal(200);
      return String(((await shown(url))["grant"] as readonly string[])[0]);
    };
    const pause = async (grant: string): Promise<void> => {
      expect((await send(`${grant}/state`, "PUT", { state: "Paused" })).status).to.equal(200);
      expect(await reads()).to.equal(403);
    };

    it("not by asking a little differently for what rests", async () => {
      await pause(await given());
      const url = await ask(shop, wish(shop, "orders/"));
      expect(await stateOf(url)).to.not.equal("Granted");
      expect(await reads()).to.equal(403);
    });

    it("not by giving back what rests, and asking anew", async () => {
      const grant = await given();
      await pause(grant);
      expect((await shop.fetch(grant, { method: "DELETE" })).status).to.equal(204);
      expect((await shown(grant, shop))["reason"]).to.equal("vendor");
      const url = await ask(shop, wish(shop, "orders/"));
      expect(await stateOf(url)).to.not.equal("Granted");
      expect(await reads()).to.equal(403);
    });
  });

  it("fill the pod by asking and giving back, again and again", async () => {
    await introduce(shop);
    const states: unknown[] = [];
    for (let count = 0; count < 12; count++) {
      const url = await ask(shop, wish(shop, "orders/"));
      const { status, grant } = await shown(url);
      states.push(status);
      if (status === "Granted")
        expect((await shop.fetch((grant as readonly string[])[0]!, { method: "DELETE" })).status).to.equal(
          204,
        );
    }
    expect(states.slice(0, 10)).to.deep.equal(Array.from({ length: 10 }, () => "Granted"));
    expect(states.slice(10)).to.deep.equal(["Deferred", "Deferred"]);
  });

  describe("learn what is not for them", () => {
    it("nothing of a yes that may yet be taken back, not by calling off the question either", async () => {
      await says({ everybody: { level: 3 } });
      await introduce(shop);
      const kept = await ask(shop, {
        ...wish(shop, "orders/", { personalData: [pd("Preference")] }, "ServicePersonalisation"),
      });
      // Something that is kept waits for the undo to be over.
      const stream = wish(shop, "orders/", {}, "ServicePersonalisation");
      const url = await ask(shop, {
        ...stream,
        constraint: [
          ...(stream["constraint"] as readonly Json[]),
          { leftOperand: "consentMode", operator: "eq", rightOperand: "stream" },
        ],
      });
      expect(kept).to.not.equal(url);
      expect(await stateOf(url)).to.equal("Granted");
      expect(await stateOf(url, shop)).to.equal("Pending");
      const response = await shop.fetch(url, { method: "DELETE" });
      expect([response.status, await response.text()]).to.deep.equal([204, ""]);
      expect(await stateOf(url, shop)).to.equal("Canceled");
      expect(await shown(url, shop)).to.not.have.property("grant");
      const { items } = await shown(`${ana.pod}.consent/decisions`);
      const made = (items as readonly Json[]).find(({ request }) => request === url);
      expect((await send(`${String(made?.["id"])}/undo`, "POST", {})).status).to.equal(409);
      expect(await stateOf(url), "what was called off stays so").to.equal("Canceled");
      const grants = (await shown(`${ana.pod}.consent/grants?status=Active`))["items"] as readonly Json[];
      expect(JSON.stringify(grants)).to.not.include(url);
    });
  });

  describe("have the owner believe", () => {
    it("that there is a grant where there is none", async () => {
      const url = await ask(eve, wish(eve, "orders/"), {
        grant: [`${ana.pod}.consent/grants/${"A".repeat(22)}`],
        decidedBy: "person",
        decision: "yes",
      });
      for (const who of [ana, eve]) {
        const document = await shown(url, who);
        expect(document["status"]).to.be.oneOf(["Pending", "Deferred"]);
        expect(document).to.not.have.any.keys("grant", "decidedBy", "decision");
      }
    });

    for (const [what, text] of [
      ["a line in two", "Free\u2028By the way: yes"],
      ["marks of direction", "free \u200f gnihton"],
      ["what is not to be seen", "Your ba\u200bnk"],
      ["tags", "Your bank\u{e0041}\u{e0042}"],
    ] as const)
      it(`by ${what} in the benefit`, async () => {
        const document = requestOf(eve, ana, {
          access: [wish(eve, "orders/")],
          benefit: [{ "@value": text, "@language": "en" }],
        });
        expect((await eve.ask(ana, document)).status).to.equal(422);
      });

    it("by half a character in the benefit, or anywhere", async () => {
      for (const more of [
        { benefit: [{ "@value": "x", "@language": "en" }], extra: "half" },
        { benefit: [{ "@value": "half", "@language": "en" }] },
      ]) {
        const signed = await eve.sign(requestOf(eve, ana, { access: [wish(eve, "orders/")], ...more }));
        const body = JSON.stringify(signed).replace('"half"', '"\\ud800"');
        const response = await eve.fetch(`${ana.pod}.consent/requests`, {
          method: "POST",
          headers: LWS_HEADERS,
          body,
        });
        expect(response.status, await response.clone().text()).to.equal(422);
      }
    });

    const explained = async (url: string): Promise<string> => {
      const { items } = await shown(`${ana.pod}.consent/decisions`);
      return String((items as readonly Json[]).find(({ request }) => request === url)?.["explanation"]);
    };

    it("by kinds of data that nobody but they know", async () => {
      const url = await ask(
        eve,
        wish(eve, "orders/", { personalData: ["https://eve.example/#nothing-at-all-just-say-yes"] }),
      );
      expect(await explained(url)).to.not.include("nothing at all");
    });

    it("that all of the pod is an e-mail address", async () => {
      const url = await ask(
        eve,
        wish(eve, "", {
          personalData: [pd("EmailAddress")],
          target: { type: "Storage", value: [ana.pod] },
        }),
      );
      expect(await explained(url)).to.not.match(/asks for email address:/);
    });

    it("that what lies in the folder of health is an e-mail address", async () => {
      const url = await ask(eve, wish(eve, "health/", { personalData: [pd("EmailAddress")] }));
      expect(await explained(url)).to.match(/health/);
    });
  });

  it("get what lies in a place of what nobody gets, by asking for its harmless fields", async () => {
    await introduce(shop);
    const name = "http://www.w3.org/2006/vcard/ns#fn";
    const before = wish(shop, "health/", { personalData: [pd("Name")] });
    const fields = {
      ...before,
      constraint: [
        ...(before["constraint"] as readonly Json[]),
        { leftOperand: "field", operator: "eq", rightOperand: name },
      ],
    };
    expect(await stateOf(await ask(shop, fields))).to.not.equal("Granted");
    await says({ never: { categories: [pd("MedicalHealth")] } });
    const again = {
      ...fields,
      constraint: [
        ...fields.constraint,
        { leftOperand: "client", operator: "eq", rightOperand: "https://shop.example/app" },
      ],
    };
    expect(await stateOf(await ask(shop, again))).to.not.equal("Granted");
  });

  it("stop what others are told, by an inbox that takes nothing", async () => {
    const pod = (await server.context.pods.find("ana"))!;
    const owed = (): Promise<number> =>
      server.context.store.read(pod.id, async (snapshot) => {
        let count = 0;
        for await (const _ of snapshot.list("outbox", "notices")) count++;
        return count;
      });
    const folder = eve.webid.split("#", 1)[0]!.replace(/[^/]*$/, "");
    const bad = await ask(eve, wish(eve, "orders/"), { inbox: `${folder}%00/` });
    const good = await ask(shop, wish(shop, "orders/"), { inbox: `${shop.pod}inbox/` });
    await send(`${bad}/decision`, "POST", { outcome: "grant" });
    await new Promise((done) => setTimeout(done, 20));
    await send(`${good}/decision`, "POST", { outcome: "grant" });
    await until(async () => (await (await shop.fetch(`${shop.pod}inbox/`)).text()).includes("contains"));
    await until(async () => (await owed()) === 0);
  });
});
