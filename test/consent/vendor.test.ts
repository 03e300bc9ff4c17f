/** The vendor's side in the client library, against a real server: asking under a grant, being told, writing back, reckoning. */
import { appendFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  accessGrants,
  countersign,
  createLedger,
  FreeholdError,
  generateSigningKey,
  giveAccess,
  type Ledger,
  openPod,
  type Pod,
  pauseGrant,
  publishSigningKey,
  queryUnder,
  reconcile,
  resumeGrant,
  revokeGrant,
  type SigningIdentity,
  under,
  watch,
  watchByWebhook,
  writeBack,
} from "@freehold/client";
import { fileLedger, listenToWebhooks } from "@freehold/client/node";
import { expect } from "chai";
import { addProof, type Json } from "../../client-lib/consent/index.ts";
import { type Person, startServer, type TestServer } from "../support/server.ts";

const DELIVERY = "https://w3id.org/dpv#DeliveryOfGoods";
const ADDRESS = "SELECT ?street { ?home <http://www.w3.org/2006/vcard/ns#street-address> ?street }";
const HOUR = 3_600_000;

const addressAt = (street: string): string =>
  `<#home> <http://www.w3.org/2006/vcard/ns#street-address> "${street}" .`;

describe("a vendor with the client library", function () {
  this.timeout(30_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let own: Pod;
  let asked: Pod;
  let identity: SigningIdentity;
  let ledger: Ledger;
  let webhooks: Awaited<ReturnType<typeof listenToWebhooks>>;
  const told: string[] = [];

  const give = async (places: readonly string[], rest = {}): Promise<string> => {
    const access = [{ places, purposes: [DELIVERY], until: new Date(Date.now() + HOUR), ...rest }];
    return (await giveAccess(own, shop.webid, { access })).id;
  };
  const codeOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "no error",
      (error: unknown) => (error instanceof FreeholdError ? error.code : String(error)),
    );
  const streets = async (grant: string, more = {}): Promise<readonly (string | undefined)[]> =>
    Array.fromAsync(
      queryUnder<"street">(asked, { grant, ledger, ...more }, ADDRESS),
      ({ street }) => street?.value,
    );

  before(async () => {
    webhooks = await listenToWebhooks(0, ({ object }) => told.push(object));
    server = await startServer({ FREEHOLD_EGRESS_ALLOW: `http://127.0.0.1:${webhooks.port}` });
    [ana, shop] = [await server.person("Ana"), await server.person("Shop")];
    own = await openPod(ana.pod, { fetch: ana.fetch });
    asked = await openPod(ana.pod, { fetch: shop.fetch });
    identity = await publishSigningKey(
      await openPod(shop.pod, { fetch: shop.fetch }),
      await generateSigningKey(),
    );
    await own.writeFile("contacts/other.ttl", addressAt("Canary Street 9"), "text/turtle");
  });
  beforeEach(async () => {
    ledger = createLedger();
    await own.writeFile("contacts/me.ttl", addressAt("Old Lane 1"), "text/turtle");
  });
  after(async () => {
    webhooks?.close();
    await server?.close();
  });

  it("asks under a grant, and has a receipt of each answer", async () => {
    const grant = await give(["contacts/me.ttl"]);
    expect(await streets(grant)).to.deep.equal(["Old Lane 1"]);
    const pod = under(asked, { grant, purpose: DELIVERY, ledger });
    expect(await (await pod.readFile("contacts/me.ttl")).text()).to.include("Old Lane");
    expect(await codeOf(pod.readFile("contacts/other.ttl"))).to.equal("forbidden");
    const uses = await ledger.uses(grant);
    expect(uses).to.have.length(2);
    expect(uses[0]?.queryHash).to.match(/^[0-9a-f]{64}$/);
    expect(uses[1]?.queryHash).to.equal(null);
    expect(await reconcile(asked, grant, ledger)).to.deep.include({ matched: 2, agrees: true });
  });

  it("asks at the same time as another, each under its own grant", async () => {
    const paper = await server.person("Paper");
    const theirs = await openPod(ana.pod, { fetch: paper.fetch });
    const grant = await give(["contacts/me.ttl"]);
    const access = [
      { places: ["contacts/me.ttl"], purposes: [DELIVERY], until: new Date(Date.now() + HOUR) },
    ];
    const other = (await giveAccess(own, paper.webid, { access })).id;
    const ask = (pod: Pod, basis: string): Promise<readonly (string | undefined)[]> =>
      Array.fromAsync(
        queryUnder<"street">(pod, { grant: basis, purpose: DELIVERY }, ADDRESS),
        ({ street }) => street?.value,
      );
    for (let times = 0; times < 2; times++)
      expect(await Promise.all([ask(asked, grant), ask(theirs, other)])).to.deep.equal([
        ["Old Lane 1"],
        ["Old Lane 1"],
      ]);
    expect(await codeOf(ask(theirs, grant)), "by another's").to.equal("forbidden");
  });

  it("is never given what another was granted, also where each has one grant alike", async () => {
    const [cem, one, two] = [
      await server.person("Cem"),
      await server.person("One"),
      await server.person("Two"),
    ];
    const pod = await openPod(cem.pod, { fetch: cem.fetch });
    const ask = async (vendor: Person, place: string): Promise<() => Promise<readonly unknown[]>> => {
      await pod.writeFile(place, addressAt(place), "text/turtle");
      const access = [{ places: [place], purposes: [DELIVERY], until: new Date(Date.now() + HOUR) }];
      const grant = (await giveAccess(pod, vendor.webid, { access })).id;
      const theirs = await openPod(cem.pod, { fetch: vendor.fetch });
      return () =>
        Array.fromAsync(queryUnder<"street">(theirs, { grant }, ADDRESS), ({ street }) => street?.value);
    };
    const asks = [await ask(one, "one.ttl"), await ask(two, "two.ttl")];
    expect(await Promise.all(asks.map((each) => each()))).to.deep.equal([["one.ttl"], ["two.ttl"]]);
    expect(await asks[1]!()).to.deep.equal(["two.ttl"]);
    expect(await asks[0]!()).to.deep.equal(["one.ttl"]);
  });

  it("is told of changes by a stream, until the grant is taken back", async () => {
    const grant = await give(["contacts/me.ttl"]);
    const seen: (string | undefined)[] = [];
    const listening = (async () => {
      for await (const _ of watch(under(asked, { grant, ledger }), "contacts/me.ttl"))
        seen.push((await streets(grant))[0]);
    })();
    await until(() => seen.length === 1);
    await own.writeFile("contacts/me.ttl", addressAt("New Street 2"), "text/turtle");
    await until(() => seen.length === 2); // It has read, and not only heard.
    await own.writeFile("contacts/other.ttl", addressAt("Canary Street 10"), "text/turtle");
    await revokeGrant(own, grant);
    expect(await codeOf(listening)).to.equal("forbidden");
    expect(seen).to.deep.equal(["Old Lane 1", "New Street 2"]);
    const books = await reconcile(asked, grant, ledger);
    expect(books, "to listen is a use, too").to.deep.include({ matched: 3, agrees: true });
  });

  it("stops listening when it is called off", async () => {
    const grant = await give(["contacts/me.ttl"]);
    const stop = new AbortController();
    const listening = Array.fromAsync(
      watch(under(asked, { grant }), "contacts/me.ttl", { signal: stop.signal }),
      () => stop.abort(),
    );
    expect(await listening).to.have.length(1);
  });

  it("begins anew when the connection breaks, and so misses nothing", async () => {
    const grant = await give(["contacts/me.ttl"]);
    let opened = 0;
    const shaky: Pod = {
      ...asked,
      fetch: async (url, init) => {
        const response = await asked.fetch(url, init);
        if (!/\.notifications\/channels\//.test(url) || ++opened > 1) return response;
        await response.body?.cancel();
        return new Response("\n"); // It ends at once.
      },
    };
    const seen: string[] = [];
    for await (const { type } of watch(under(shaky, { grant }), "contacts/me.ttl")) {
      seen.push(type);
      if (seen.length === 2) await own.writeFile("contacts/me.ttl", addressAt("New Street 2"), "text/turtle");
      if (seen.length === 3) break;
    }
    expect(seen).to.deep.equal(["Begin", "Begin", "Update"]);
  });

  it("is told of changes by a webhook", async () => {
    const grant = await give(["contacts/me.ttl"]);
    const sendTo = `http://127.0.0.1:${webhooks.port}/told`;
    const hook = await watchByWebhook(under(asked, { grant }), "contacts/me.ttl", sendTo);
    await own.writeFile("contacts/me.ttl", addressAt("Third Road 3"), "text/turtle");
    await until(() => told.length === 1);
    expect(told[0]).to.equal(`${ana.pod}contacts/me.ttl`);
    await hook.end();
    await own.writeFile("contacts/me.ttl", addressAt("Old Lane 1"), "text/turtle");
    await new Promise((done) => setTimeout(done, 200));
    expect(told).to.have.length(1);
  });

  it("adds to a folder what fits its shape, and can neither change nor read it", async () => {
    const folder = `${ana.pod}from/shop/`;
    await ana.fetch(folder, { method: "PUT", headers: { "content-type": "text/turtle" } });
    const shape = "https://w3id.org/freehold/shapes/commerce#OrderShape";
    await ana.fetch(`${folder}.meta`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: `<${folder}> <http://www.w3.org/ns/ldp#constrainedBy> <${shape}> .`,
    });
    const grant = await give(["from/shop/"], { actions: ["create"] });
    const order = `@prefix schema: <https://schema.org/> .
      <#it> a schema:Order ; schema:orderNumber "303-7" ; schema:orderDate "2026-03-02"^^<http://www.w3.org/2001/XMLSchema#date> ;
        schema:seller <#seller> ; schema:priceCurrency "EUR" ; schema:orderedItem <#item> .
      <#seller> a schema:Organization ; schema:name "shop.example" .
      <#item> a schema:OrderItem ; schema:orderedItem <#ink> ; schema:orderQuantity 2 ; schema:price 19.9 .`;
    const made = await writeBack(asked, { grant, ledger }, "from/shop/", order, { name: "order-7" });
    expect(made).to.match(/\/from\/shop\/order-7/);
    expect(await (await ana.fetch(made)).text()).to.include("303-7");
    expect(
      await codeOf(writeBack(asked, { grant }, "from/shop/", "<#it> a <https://schema.org/Order> .")),
    ).to.equal("shape-violation");
    const pod = under(asked, { grant });
    expect(await codeOf(pod.readFile(made))).to.equal("forbidden");
    expect(
      (await pod.fetch(made, { method: "PUT", headers: { "content-type": "text/turtle" }, body: order }))
        .status,
    ).to.equal(403);
    expect((await pod.fetch(made, { method: "DELETE" })).status).to.equal(403);
    expect(await codeOf(writeBack(asked, { grant }, "contacts/", order))).to.equal("forbidden");
    expect(await reconcile(asked, grant, ledger)).to.deep.include({ matched: 1, agrees: true });
  });

  it("sees its own grants only, and what became of them", async () => {
    const grant = await give(["contacts/me.ttl"]);
    const stateOf = async () => (await accessGrants(asked)).find(({ id }) => id === grant)?.state;
    expect(await stateOf()).to.equal("Active");
    await pauseGrant(own, grant);
    expect(await stateOf()).to.equal("Paused");
    expect(await codeOf(streets(grant))).to.be.oneOf(["forbidden", "grant-paused"]);
    await resumeGrant(own, grant);
    expect(await streets(grant)).to.deep.equal(["Old Lane 1"]);
    const bank = await server.person("Bank");
    expect(await accessGrants(await openPod(ana.pod, { fetch: bank.fetch }))).to.deep.equal([]);
  });

  describe("and its books", () => {
    it("find what the pod noted and the vendor did not, and the other way round", async () => {
      const grant = await give(["contacts/me.ttl"]);
      await streets(grant);
      const [use] = await ledger.uses(grant);
      const silent = createLedger();
      await streets(grant, { ledger: silent });
      expect(await reconcile(asked, grant, ledger)).to.deep.include({
        matched: 1,
        onlyPod: [use!.receipt.replace(/1$/, "2")],
        agrees: false,
      });
      for (const noted of await silent.uses(grant)) await ledger.note(noted);
      expect((await reconcile(asked, grant, ledger)).agrees).to.equal(true);
      await ledger.note({ ...use!, receipt: `${use!.receipt}7` });
      expect((await reconcile(asked, grant, ledger)).onlyVendor).to.deep.equal([`${use!.receipt}7`]);
    });

    it("are in a file that a power cut does not spoil", async () => {
      const folder = await mkdtemp(join(tmpdir(), "freehold-ledger-"));
      const path = join(folder, "uses.jsonl");
      try {
        const grant = await give(["contacts/me.ttl"]);
        await streets(grant, { ledger: fileLedger(path) });
        await appendFile(path, '{"receipt":"https://');
        expect(await fileLedger(path).uses(grant)).to.have.length(1);
        expect((await reconcile(asked, grant, fileLedger(path))).agrees).to.equal(true);
        await streets(grant, { ledger: fileLedger(path) });
        const books = await reconcile(asked, grant, fileLedger(path));
        expect(books, "what comes after the broken line is not lost with it").to.include({
          matched: 2,
          agrees: true,
        });
        expect((await stat(path)).mode & 0o077).to.equal(0);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it("find where both say something else of the same use", async () => {
      const grant = await give(["contacts/me.ttl"]);
      await streets(grant);
      const [use] = await ledger.uses(grant);
      const other = createLedger();
      await other.note({ ...use!, queryHash: "0".repeat(64) });
      expect(await reconcile(asked, grant, other)).to.deep.include({
        matched: 0,
        differing: [use!.receipt],
        agrees: false,
      });
    });

    it("believe no receipt that the pod's server did not sign", async () => {
      const grant = await give(["contacts/me.ttl"]);
      await streets(grant);
      const lying = {
        ...asked,
        fetch: async (url: string, init?: RequestInit) => {
          const response = await asked.fetch(url, init);
          const text = await response.text();
          return new Response(text.replace(/"fh:documents":\d+/, '"fh:documents":99'), response);
        },
      };
      const found = await reconcile(lying, grant, ledger);
      expect(found.unsigned).to.have.length(1);
      expect(found.agrees).to.equal(false);
      expect(await codeOf(countersign(lying, grant, identity))).to.equal("no error");
    });

    it("say whether both have signed the consent", async () => {
      const grant = await give(["contacts/me.ttl"]);
      expect((await reconcile(asked, grant, ledger)).isCountersigned).to.equal(false);
      await countersign(asked, grant, identity);
      expect((await reconcile(asked, grant, ledger)).isCountersigned).to.equal(true);
      expect((await reconcile(asked, grant, ledger, identity)).isCountersigned).to.equal(true);
      expect(await codeOf(countersign(asked, grant, identity, () => false))).to.equal("receipt-refused");
    });

    it("take no pod's word that they signed it themselves", async () => {
      const grant = await give(["contacts/me.ttl"]);
      const forger = await generateSigningKey();
      const lying = {
        ...asked,
        fetch: async (url: string, init?: RequestInit) => {
          const response = await asked.fetch(url, init);
          if (!url.endsWith("/receipts")) return response;
          const page = (await response.json()) as { "as:items": { "@list": Json[] } };
          const [consent, ...uses] = page["as:items"]["@list"];
          const { verificationMethod } = identity;
          const forged = await addProof(consent!, {
            key: forger.privateKey,
            verificationMethod,
            created: new Date(),
          });
          return Response.json({ ...page, "as:items": { "@list": [forged, ...uses] } });
        },
      };
      expect((await reconcile(lying, grant, ledger, identity)).isCountersigned).to.equal(false);
    });
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !isTrue(); await new Promise((done) => setTimeout(done, 10)))
    if (Date.now() > end) throw new Error("Not in time");
}
