/** Receipts over HTTP, and the keys by which vendors sign: who gets them, who may sign, and what is refused. */
import {
  consentReceiptOf,
  countersign,
  generateSigningKey,
  openPod,
  type Pod,
  publishSigningKey,
  receipts,
  type SigningIdentity,
  verificationMethodOf,
} from "@freehold/client";
import { expect } from "chai";
import type { Grant } from "../../../server/consent/model.ts";
import { addProof, type Json } from "../../../server/consent/shared.ts";
import { type Person, startServer, type TestServer } from "../../support/server.ts";
import { draft, policy } from "../grant-fixture.ts";

const HOUR = 3_600_000;

describe("the doors of receipts", function () {
  this.timeout(30_000);
  let server: TestServer;
  let ana: Person;
  let shop: Person;
  let bank: Person;
  let identity: SigningIdentity;
  let asked: Pod;

  async function give(rest: Partial<Parameters<typeof draft>[1]> = {}): Promise<string> {
    const { context } = server;
    const pod = (await context.pods.find("ana"))!;
    const until = Date.now() + HOUR;
    const given = draft([policy({ notAfter: until })], {
      assignee: shop.webid,
      controller: shop.webid,
      ...rest,
    });
    const { result } = await context.store.write<Grant>(pod.id, (transaction) =>
      context.consent.grants.create(transaction, pod, given, { agent: ana.webid }),
    );
    return `${ana.pod}.consent/grants/${result.id}`;
  }
  const receiptUrl = (grant: string): string => grant.replace("/grants/", "/receipts/");
  const put = (person: Person, url: string, body: unknown): Promise<Response> =>
    person.fetch(`${url}/countersignature`, {
      method: "PUT",
      headers: { "content-type": "application/ld+json" },
      body: JSON.stringify(body),
    });
  const problemOf = async (response: Response): Promise<string> =>
    `${response.status} ${((await response.json()) as { readonly type?: string }).type?.split("#")[1]}`;

  before(async () => {
    server = await startServer();
    [ana, shop, bank] = [
      await server.person("Ana"),
      await server.person("Shop"),
      await server.person("Bank"),
    ];
    const own = await openPod(shop.pod, { fetch: shop.fetch });
    identity = await publishSigningKey(own, await generateSigningKey());
    asked = await openPod(ana.pod, { fetch: shop.fetch });
  });
  after(() => server.close());

  it("a vendor's key stands in its card, for everybody, beside what was there", async () => {
    const card = await (await fetch(shop.webid)).text();
    expect(card).to.include(identity.verificationMethod.split("#")[1]).and.include("oidcIssuer");
    expect(card).to.match(/assertionMethod/);
  });

  it("nobody else puts a key into it, and no app does so by writing the card", async () => {
    const { multikey } = await generateSigningKey();
    const url = `${shop.pod}.consent/keys/${multikey}`;
    expect((await bank.fetch(url, { method: "PUT" })).status).to.equal(403);
    expect((await fetch(url, { method: "PUT" })).status).to.equal(401);
    expect(
      await problemOf(await shop.fetch(`${shop.pod}.consent/keys/nonsense`, { method: "PUT" })),
    ).to.equal("400 bad-request");
    const patch = await shop.fetch(shop.webid.split("#")[0]!, {
      method: "PATCH",
      headers: { "content-type": "application/sparql-update" },
      body: `INSERT DATA { <${shop.webid}> <https://w3id.org/security#assertionMethod> <#evil> }`,
    });
    expect(patch.status).to.equal(409);
    expect(await (await fetch(shop.webid)).text()).to.not.include(multikey);
  });

  it("nor does an app put its own key in the place of one that is there, or end one", async () => {
    const card = identity.webid.split("#")[0]!;
    const before = await (await fetch(card)).text();
    const own = identity.verificationMethod.split("#")[1]!;
    const { multikey } = await generateSigningKey();
    const sec = "https://w3id.org/security#";
    const key = `<${identity.verificationMethod}>`;
    for (const body of [
      `DELETE DATA { ${key} <${sec}publicKeyMultibase> "${own}" } ; INSERT DATA { ${key} <${sec}publicKeyMultibase> "${multikey}" }`,
      `INSERT DATA { ${key} <${sec}publicKeyMultibase> "${multikey}" }`,
      `DELETE DATA { ${key} <${sec}publicKeyMultibase> "${own}" }`,
      `INSERT DATA { ${key} <${sec}revoked> "2020-01-01T00:00:00Z" }`,
    ]) {
      const headers = { "content-type": "application/sparql-update" };
      expect((await shop.fetch(card, { method: "PATCH", headers, body })).status, body).to.equal(409);
    }
    const headers = { "content-type": "text/turtle" };
    const other = before.replaceAll(`"${own}"`, `"${multikey}"`);
    expect(other, "the test says something").to.not.equal(before);
    expect((await shop.fetch(card, { method: "PUT", headers, body: other })).status).to.equal(409);
    expect(await (await fetch(card)).text()).to.equal(before);
  });

  it("a key can be taken out again", async () => {
    const key = await generateSigningKey();
    const own = await openPod(shop.pod, { fetch: shop.fetch });
    const { verificationMethod } = await publishSigningKey(own, key);
    const url = `${shop.pod}.consent/keys/${key.multikey}`;
    expect((await shop.fetch(url, { method: "DELETE" })).status).to.equal(204);
    const card = await (await fetch(shop.webid)).text();
    expect(card).to.include(identity.verificationMethod.split("#")[1]);
    expect(card).to.not.include(key.multikey);
    const grant = await give();
    const gone = { ...identity, key: key.privateKey, verificationMethod };
    const error = await countersign(asked, grant, gone).catch((caught: { code: string }) => caught);
    expect(error).to.include({ code: "proof-invalid", status: 422 });
  });

  it("owner and vendor get the same receipt; anybody else is told that there is none", async () => {
    const grant = await give();
    const [own, theirs] = await Promise.all(
      [ana, shop].map(async (person) => (await person.fetch(receiptUrl(grant))).json()),
    );
    expect(own).to.deep.equal(theirs);
    expect(JSON.stringify(own)).to.include(shop.webid);
    for (const url of [receiptUrl(grant), `${grant}/receipts`, `${receiptUrl(grant)}.1`]) {
      const other = await bank.fetch(url);
      expect(await problemOf(other), url).to.equal("404 not-found");
      expect((await fetch(url)).status, url).to.equal(401);
    }
  });

  it("gives a receipt as Turtle, too, with its signature", async () => {
    const grant = await give();
    const turtle = await (await shop.fetch(receiptUrl(grant), { headers: { accept: "text/turtle" } })).text();
    expect(turtle).to.include("ConsentReceipt").and.include("eddsa-jcs-2022");
  });

  it("both have signed once the vendor has, and what they signed stays as it is", async () => {
    const grant = await give();
    const both = await countersign(asked, grant, identity);
    expect(both.document.proof).to.have.length(2);
    const again = await countersign(asked, grant, identity);
    expect(again.document, "twice is once").to.deep.equal(both.document);
    expect(await (await ana.fetch(receiptUrl(grant))).json()).to.deep.equal(both.document);
    const { context } = server;
    const pod = (await context.pods.find("ana"))!;
    await context.store.write(pod.id, (transaction) =>
      context.consent.grants.revoke(transaction, pod, grant.split("/").at(-1)!, { agent: ana.webid }),
    );
    expect(await (await shop.fetch(receiptUrl(grant))).json()).to.deep.equal(both.document);
    const all = await Array.fromAsync(receipts(asked, grant));
    expect(all.map(({ id }) => id)).to.deep.equal([receiptUrl(grant), `${receiptUrl(grant)}.end`]);
    expect(JSON.stringify(all[1]?.document)).to.include("dpv:ConsentWithdrawn");
  });

  it("signed three times at once is signed once, as the shape of receipts has it", async () => {
    const grant = await give();
    const { key, verificationMethod } = identity;
    let document: Json = (await consentReceiptOf(asked, grant)).document;
    for (const seconds of [0, 1, 2])
      document = await addProof(document, {
        key,
        verificationMethod,
        created: new Date(Date.now() + seconds * 1_000),
      });
    expect((await put(shop, receiptUrl(grant), document)).status).to.equal(200);
    expect(((await (await ana.fetch(receiptUrl(grant))).json()) as Json)["proof"]).to.have.length(2);
  });

  it("a grant that rests for want of a signature goes on when there is one, and no other does", async () => {
    const { context } = server;
    const pod = (await context.pods.find("ana"))!;
    const rest = (id: string, reason: "unsigned" | "owner") =>
      context.store.write(pod.id, (transaction) =>
        context.consent.grants.pause(transaction, pod, id, { agent: ana.webid }, reason),
      );
    const stateOf = async (grant: string) =>
      ((await (await ana.fetch(grant)).json()) as { readonly status: string }).status;
    for (const [reason, after] of [
      ["unsigned", "Active"],
      ["owner", "Paused"],
    ] as const) {
      const grant = await give();
      await rest(grant.split("/").at(-1)!, reason);
      expect(await stateOf(grant)).to.equal("Paused");
      await countersign(asked, grant, identity);
      expect(await stateOf(grant), reason).to.equal(after);
    }
  });

  describe("does not take as signed", () => {
    let grant: string;
    let receipt: Json;
    before(async () => {
      grant = await give();
      receipt = (await consentReceiptOf(asked, grant)).document;
    });
    const sign = (
      document: Json,
      rest: Partial<SigningIdentity> = {},
      created = new Date(),
    ): Promise<Json> => {
      const { key, verificationMethod } = { ...identity, ...rest };
      return addProof(document, { key, verificationMethod, created });
    };
    const cases: Readonly<Record<string, () => Promise<unknown>>> = {
      "the receipt with the pod's signature alone": async () => receipt,
      "another document": async () => sign({ ...receipt, "dct:publisher": "https://evil.example/" }),
      "one with something added": async () => sign({ ...receipt, "fh:note": "and more" }),
      "a signature by a key that the vendor's card does not name": async () =>
        sign(receipt, { key: (await generateSigningKey()).privateKey }),
      "a signature by somebody else's key": async () => {
        const key = await generateSigningKey();
        const theirs = await publishSigningKey(await openPod(bank.pod, { fetch: bank.fetch }), key);
        return sign(receipt, theirs);
      },
      "a key of the vendor's that claims to be elsewhere": async () =>
        sign(receipt, { verificationMethod: verificationMethodOf("https://evil.example/card#me", "z6Mkx") }),
      "a proof from before the grant": async () => sign(receipt, {}, new Date(Date.now() - 24 * HOUR)),
      "a proof from the future": async () => sign(receipt, {}, new Date(Date.now() + 24 * HOUR)),
      "a signature with a bit turned": async () => {
        const signed = (await sign(receipt)) as { readonly proof: readonly Json[] };
        const [ours, theirs] = signed.proof;
        const value = String(theirs!["proofValue"]);
        const turned = `${value.slice(0, -1)}${value.endsWith("1") ? "2" : "1"}`;
        return { ...signed, proof: [ours, { ...theirs, proofValue: turned }] };
      },
      "the receipt of another grant": async () =>
        sign((await consentReceiptOf(asked, await give())).document),
    };
    for (const [what, make] of Object.entries(cases))
      it(what, async () => {
        expect(await problemOf(await put(shop, receiptUrl(grant), await make()))).to.equal(
          "422 proof-invalid",
        );
        expect(((await (await ana.fetch(receiptUrl(grant))).json()) as Json)["proof"]).to.not.be.an("array");
      });

    it("what the owner signs, or a stranger", async () => {
      const signed = await sign(receipt);
      expect(await problemOf(await put(ana, receiptUrl(grant), signed))).to.equal("403 forbidden");
      expect(await problemOf(await put(bank, receiptUrl(grant), signed))).to.equal("404 not-found");
    });

    it("what comes after the consent has ended", async () => {
      const { context } = server;
      const pod = (await context.pods.find("ana"))!;
      const signed = await sign(receipt);
      await context.store.write(pod.id, (transaction) =>
        context.consent.grants.revoke(transaction, pod, grant.split("/").at(-1)!, { agent: ana.webid }),
      );
      expect(await problemOf(await put(shop, receiptUrl(grant), signed))).to.equal("409 conflict");
    });
  });

  it("a grant that may still be undone is not there for its vendor", async () => {
    const grant = await give({ heldUntil: Date.now() + HOUR });
    expect((await shop.fetch(receiptUrl(grant))).status).to.equal(404);
    expect((await ana.fetch(receiptUrl(grant))).status).to.equal(200);
  });
});
