/** Receipts of consents and of uses: what they say, what they must not say, and that they hold for whoever is shown them. */
import { expect } from "chai";
import type { Grant, UsageReceipt } from "../../../server/consent/model.ts";
import {
  consentReceipt,
  consentReceiptIds,
  receiptNamed,
} from "../../../server/consent/receipts/consent-receipt.ts";
import { createConsentKeys } from "../../../server/consent/receipts/keys.ts";
import { usageReceipt } from "../../../server/consent/receipts/usage-receipt.ts";
import { type Json, type Proof, verifyProof } from "../../../server/consent/shared.ts";
import { LIMITS } from "../../../server/limits.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import { createShapes } from "../../../server/shapes/validate.ts";
import { createMemoryStore } from "../../../server/store/memory.ts";

const BASE = "https://pods.example/";
const STORAGE = `${BASE}ana/`;
const SHOP = "https://shop.example/card#us";
const ANA = `${STORAGE}profile/card#me`;
const ISSUED = Date.parse("2026-11-22T10:00:00Z");
const DPV = "https://w3id.org/dpv#";

const GRANT: Grant = {
  id: "AAAAAAAAAAAAAAAAAAAAAA",
  state: "Active",
  issued: ISSUED,
  changed: ISSUED,
  assigner: ANA,
  assignee: SHOP,
  controller: SHOP,
  legalBasis: `${DPV}Consent`,
  recipients: ["https://courier.example/card#us"],
  locations: ["https://w3id.org/dpv/loc#CH"],
  automation: null,
  decidesAboutPerson: false,
  notice: "https://shop.example/privacy",
  benefit: { en: "Parcels find you", de: "Pakete finden dich" },
  price: null,
  terms: "https://w3id.org/dpv/standards/ieee/7012#SD-BASE",
  inbox: null,
  policies: [
    {
      actions: ["read"],
      target: { kind: "resource", values: ["/ana/contacts/me.ttl"] },
      necessity: "required",
      clients: null,
      mediaTypes: null,
      types: null,
      purposes: [`${DPV}DeliveryOfGoods`],
      notBefore: null,
      notAfter: ISSUED + 90 * 86_400_000,
      tier: "raw",
      mode: "store",
      categories: ["https://w3id.org/dpv/pd#Address"],
      fields: null,
      dataFrom: null,
      dataTo: null,
      dataLife: "P90D",
      frequency: null,
      queriesMax: null,
    },
    {
      actions: ["create"],
      target: { kind: "container", values: ["/ana/from/shop/"] },
      necessity: "optional",
      clients: null,
      mediaTypes: null,
      types: null,
      purposes: [`${DPV}ServiceProvision`],
      notBefore: null,
      notAfter: ISSUED + 90 * 86_400_000,
      tier: "raw",
      mode: "view",
      categories: [],
      fields: null,
      dataFrom: null,
      dataTo: null,
      dataLife: null,
      frequency: null,
      queriesMax: null,
    },
  ],
  request: "RRRRRRRRRRRRRRRRRRRRRR",
  decision: null,
  supersedes: null,
  decidedBy: "person",
  views: [null, null],
  reason: null,
  heldUntil: null,
};
const USE: UsageReceipt = {
  id: `${GRANT.id}.1`,
  grant: GRANT.id,
  actor: SHOP,
  client: "https://shop.example/app",
  purpose: `${DPV}DeliveryOfGoods`,
  act: "query",
  queryHash: "0".repeat(64),
  targets: [`${STORAGE}contacts/me.ttl`],
  documents: 1,
  rows: 2,
  bytes: 300,
  status: 200,
  published: ISSUED + 1_000,
};
const PLACE = { storage: STORAGE, requested: ISSUED - 60_000 };

describe("receipts", () => {
  const keys = createConsentKeys(createMemoryStore(), BASE);
  const shapes = createShapes(LIMITS);
  const SHAPES = "https://w3id.org/freehold/shapes/consent#";

  async function expectShape(document: Json, name: string): Promise<void> {
    const quads = await parseRdf(
      new TextEncoder().encode(JSON.stringify(document)),
      "application/ld+json",
      STORAGE,
    );
    const { conforms, errors } = await shapes.validate(quads, `${SHAPES}${name}Shape`);
    expect(errors, name).to.deep.equal([]);
    expect(conforms, name).to.equal(true);
  }
  const statuses = (document: Json): readonly string[] => {
    const record = document["dpv:hasRecordOfActivity"] as Json;
    return (record["dpv:hasConsentStatus"] as readonly Json[]).flatMap(
      (one) => [one["@type"]].flat()[0] as string,
    );
  };

  it("of a consent has what ISO/IEC TS 27560 asks of a record, in the words of DPV's profile", async () => {
    const receipt = await keys.sign(consentReceipt(GRANT, "given", PLACE), new Date(ISSUED));
    await expectShape(receipt, "ConsentReceipt");
    await expectShape(receipt, "ConsentRecord");
    const record = receipt["dpv:hasRecordOfActivity"] as Json;
    expect(receipt).to.include({ "schema:recipient": SHOP, "dct:publisher": STORAGE });
    expect(record).to.include({ "dpv:hasDataSubject": ANA, "dpv:hasDataController": SHOP });
    const [first, second] = record["dpv:hasProcess"] as readonly Json[];
    expect(first).to.deep.include({
      "dpv:hasPurpose": `${DPV}DeliveryOfGoods`,
      "dpv:hasProcessing": ["dpv:Access", "dpv:Store"],
      "dpv:hasRecipient": [SHOP, "https://courier.example/card#us"],
      "odrl:target": `${STORAGE}contacts/me.ttl`,
    });
    expect(second).to.include({ "dpv:hasProcessing": "dpv:Record", "dpv:hasNecessity": "dpv:Optional" });
    expect(statuses(receipt)).to.deep.equal(["dpv:ConsentRequested", "dpv:ConsentGiven"]);
  });

  const endings: readonly (readonly [Partial<Grant>, string, string])[] = [
    [{ state: "Revoked", reason: "owner" }, "dpv:ConsentWithdrawn", ANA],
    [{ state: "Revoked", reason: "vendor" }, "dpv:ConsentRevoked", SHOP],
    [{ state: "Superseded", reason: "superseded" }, "dpv:ConsentWithdrawn", ANA],
    [{ state: "Expired", reason: "expired" }, "dpv:ConsentExpired", ANA],
    [{ state: "Exhausted", reason: "spent" }, "dpv:ConsentExpired", ANA],
  ];
  for (const [change, status, by] of endings)
    it(`of a grant that is ${change.state} (${change.reason}) says ${status}, beside the one of its beginning`, async () => {
      const grant = { ...GRANT, ...change, changed: ISSUED + 5_000 };
      const receipt = await keys.sign(consentReceipt(grant, "ended", PLACE), new Date(grant.changed));
      await expectShape(receipt, "ConsentReceipt");
      await expectShape(receipt, "ConsentRecord");
      expect(statuses(receipt).at(-1)).to.equal(status);
      expect(JSON.stringify(receipt)).to.include(`"dpv:isIndicatedBy":"${by}"`);
      expect(consentReceiptIds(grant)).to.deep.equal([GRANT.id, `${GRANT.id}.end`]);
      // What was given, both have signed: it must be the same document as long as there is one.
      expect(consentReceipt(grant, "given", PLACE)).to.deep.equal(consentReceipt(GRANT, "given", PLACE));
    });

  it("of a grant that rests is that of its beginning: a rest is no end", () => {
    expect(consentReceiptIds({ ...GRANT, state: "Paused" })).to.deep.equal([GRANT.id]);
  });

  it("of a view names the view, and nothing of what it was made from", () => {
    const [policy] = GRANT.policies;
    const hidden = {
      ...GRANT,
      policies: [
        {
          ...policy!,
          target: { kind: "container" as const, values: ["/ana/health/"] },
          tier: "tag" as const,
        },
      ],
      views: ["VVVVVVVVVVVVVVVVVVVVVV"],
    };
    const text = JSON.stringify(consentReceipt(hidden, "given", PLACE));
    expect(text).to.include(`${STORAGE}.views/VVVVVVVVVVVVVVVVVVVVVV`).and.not.include("health");
    const unmade = { ...hidden, views: [null] };
    expect(JSON.stringify(consentReceipt(unmade, "given", PLACE))).to.not.include("health");
  });

  it("of a use says who, what for and how much", async () => {
    const receipt = await keys.sign(usageReceipt(USE, STORAGE), new Date(USE.published));
    await expectShape(receipt, "UsageReceipt");
    expect(receipt).to.include({
      "@id": `${STORAGE}.consent/receipts/${USE.id}`,
      "fh:grant": `${STORAGE}.consent/grants/${GRANT.id}`,
      "fh:queryHash": USE.queryHash,
      "fh:rows": 2,
      "as:actor": SHOP,
    });
    const look = { ...USE, queryHash: null, client: null, rows: null, bytes: null };
    await expectShape(await keys.sign(usageReceipt(look, STORAGE), new Date()), "UsageReceipt");
  });

  it("are the same each time, signature included", async () => {
    const sign = () => keys.sign(usageReceipt(USE, STORAGE), new Date(USE.published));
    expect(await sign()).to.deep.equal(await sign());
  });

  it("hold for whoever has the published key, and not if a word was changed", async () => {
    const { body } = await keys.publishedKeys({} as never);
    const published = JSON.parse(body as string) as { readonly assertionMethod: readonly string[] };
    const receipt = await keys.sign(usageReceipt(USE, STORAGE), new Date(USE.published));
    expect(published.assertionMethod).to.deep.equal([(receipt.proof as Proof).verificationMethod]);
    expect(published.assertionMethod[0]).to.match(
      /^https:\/\/pods\.example\/\.well-known\/freehold\/consent-key#z6Mk/,
    );
    expect((await verifyProof(receipt, (method) => keys.keyOf(method))).isValid).to.equal(true);
    expect(
      (await verifyProof({ ...receipt, "fh:rows": 1 }, (method) => keys.keyOf(method))).isValid,
    ).to.equal(false);
    const elsewhere = createConsentKeys(createMemoryStore(), "https://other.example/");
    expect(
      (await verifyProof(receipt, (method) => elsewhere.keyOf(method))).isValid,
      "another server's keys",
    ).to.equal(false);
  });

  it("names are told apart by their form alone", () => {
    const { id } = GRANT;
    expect(receiptNamed(id)).to.deep.equal({ kind: "given", grant: id });
    expect(receiptNamed(`${id}.end`)).to.deep.equal({ kind: "ended", grant: id });
    expect(receiptNamed(`${id}.17`)).to.deep.equal({ kind: "use", grant: id });
    for (const odd of [
      "",
      `${id}.0`,
      `${id}.01`,
      `${id}.`,
      `${id}.end.end`,
      `${id}/x`,
      id.slice(1),
      `${id}.99999999999`,
    ])
      expect(receiptNamed(odd), odd).to.equal(null);
  });
});
