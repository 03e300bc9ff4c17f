/** Proofs on requests and receipts: the W3C's own example, and everything that must not pass. */
import { expect } from "chai";
import {
  addProof,
  generateSigningKey,
  keyOfMultikey,
  multikeyOf,
  type Signed,
  type SigningKey,
  verifyProof,
} from "../../client-lib/consent/proof.ts";

/** Of the specification: https://www.w3.org/TR/vc-di-eddsa/#representation-eddsa-jcs-2022 */
const MULTIKEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
const CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"];
const ALUMNA = {
  "@context": CONTEXT,
  id: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
  type: ["VerifiableCredential", "AlumniCredential"],
  name: "Alumni Credential",
  description: "A minimum viable example of an Alumni Credential.",
  issuer: "https://vc.example/issuers/5678",
  validFrom: "2023-01-01T00:00:00Z",
  credentialSubject: { id: "did:example:abcdefgh", alumniOf: "The School of Examples" },
  proof: {
    type: "DataIntegrityProof",
    cryptosuite: "eddsa-jcs-2022",
    created: "2023-02-24T23:36:38Z",
    verificationMethod: `did:key:${MULTIKEY}#${MULTIKEY}`,
    proofPurpose: "assertionMethod",
    "@context": CONTEXT,
    proofValue: "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX",
  },
};

const KEY = "https://shop.example/card#key";
const NOW = new Date("2026-11-22T10:00:00.000Z");
const request = {
  "@context": ["https://www.w3.org/ns/lws/v1"],
  type: ["AccessRequest"],
  storage: "https://pods.example/ana/",
  price: { amount: "4.50", weight: 0.25 },
};

describe("proofs of documents", () => {
  let shop: SigningKey;
  let other: SigningKey;
  let signed: Signed<typeof request>;
  const keyOf = async (method: string) => (method === KEY ? shop.publicKey : null);
  const flaws = async (document: Readonly<Record<string, unknown>>, keys = keyOf) => {
    const { isValid, proofs } = await verifyProof(document, keys);
    expect(isValid).to.equal(proofs.length > 0 && proofs.every(({ flaw }) => flaw === null));
    return proofs.map(({ flaw }) => flaw);
  };

  before(async () => {
    shop = await generateSigningKey();
    other = await generateSigningKey();
    signed = await addProof(request, { key: shop.privateKey, verificationMethod: KEY, created: NOW });
  });

  it("accepts the example of the specification, and not with a letter changed", async () => {
    const keys = async () => keyOfMultikey(MULTIKEY);
    expect(await flaws(ALUMNA, keys)).to.deep.equal([null]);
    expect(await flaws({ ...ALUMNA, name: "alumni Credential" }, keys)).to.deep.equal([
      "The signature is not of this document",
    ]);
  });

  it("accepts what was signed, in any order of its members", async () => {
    const turned = Object.fromEntries(Object.entries(signed).reverse());
    expect(await flaws(turned)).to.deep.equal([null]);
    expect(await flaws(JSON.parse(JSON.stringify(signed)))).to.deep.equal([null]);
    expect((await verifyProof(signed, keyOf)).proofs).to.deep.equal([
      { verificationMethod: KEY, created: NOW.getTime(), flaw: null },
    ]);
  });

  it("says nothing good of a document without proof", async () => {
    expect(await verifyProof(request, keyOf)).to.deep.equal({ isValid: false, proofs: [] });
    expect(await verifyProof({ ...request, proof: [] }, keyOf)).to.deep.equal({ isValid: false, proofs: [] });
  });

  it("a second signer leaves the first one's proof as it is, and both hold", async () => {
    const both = await addProof(signed, {
      key: other.privateKey,
      verificationMethod: "https://pods.example/key#1",
      created: NOW,
    });
    const keys = async (method: string) => (method === KEY ? shop.publicKey : other.publicKey);
    expect(await flaws(both, keys)).to.deep.equal([null, null]);
    expect(await flaws({ ...both, storage: "https://pods.example/bob/" }, keys))
      .to.have.length(2)
      .and.not.include(null);
    expect((await verifyProof(both, keyOf)).isValid, "one of two keys unknown").to.equal(false);
  });

  const forged = (change: (proof: Record<string, unknown>) => Record<string, unknown>) => () => ({
    ...signed,
    proof: change({ ...(signed.proof as unknown as Record<string, unknown>) }),
  });
  const cases: readonly (readonly [what: string, () => Readonly<Record<string, unknown>>])[] = [
    ["a member that was added", () => ({ ...signed, inbox: "https://evil.example/" })],
    ["a member that was taken away", () => ({ ...signed, price: undefined, storage: request.storage })],
    ["a number that was changed", () => ({ ...signed, price: { amount: "4.50", weight: 0.250001 } })],
    [
      "a context that begins otherwise",
      () => ({ ...signed, "@context": ["https://evil.example/", ...request["@context"]] }),
    ],
    ["no context any more", () => ({ ...signed, "@context": [] })],
    ["another day of signing", forged((proof) => ({ ...proof, created: "2026-11-22T10:00:01Z" }))],
    ["a day that does not exist", forged((proof) => ({ ...proof, created: "2026-02-30T10:00:00Z" }))],
    ["another suite", forged((proof) => ({ ...proof, cryptosuite: "eddsa-rdfc-2022" }))],
    ["another type", forged((proof) => ({ ...proof, type: "Ed25519Signature2020" }))],
    ["a purpose that is no assertion", forged((proof) => ({ ...proof, proofPurpose: "authentication" }))],
    ["a domain that nobody checks", forged((proof) => ({ ...proof, domain: "https://pods.example/" }))],
    ["an end that nobody checks", forged((proof) => ({ ...proof, expires: "2026-01-01T00:00:00Z" }))],
    ["a key that is not known", forged((proof) => ({ ...proof, verificationMethod: `${KEY}2` }))],
    ["no key", forged(({ verificationMethod: _method, ...proof }) => proof)],
    ["no signature", forged(({ proofValue: _value, ...proof }) => proof)],
    ["a signature of zeros", forged((proof) => ({ ...proof, proofValue: `z${"1".repeat(64)}` }))],
    [
      "a signature in another base",
      forged((proof) => ({ ...proof, proofValue: `u${String(proof["proofValue"]).slice(1)}` })),
    ],
    [
      "a signature with something behind it",
      forged((proof) => ({ ...proof, proofValue: `${String(proof["proofValue"])}1` })),
    ],
    ["a proof that is a text", () => ({ ...signed, proof: "yes" })],
    ["five proofs", () => ({ ...signed, proof: Array.from({ length: 5 }, () => signed.proof) })],
    [
      "one good proof beside a bad one",
      () => ({ ...signed, proof: [signed.proof, Object.assign({}, signed.proof, { proofValue: "z1" })] }),
    ],
  ];
  for (const [what, make] of cases)
    it(`refuses ${what}`, async () => {
      expect((await verifyProof(JSON.parse(JSON.stringify(make())), keyOf)).isValid).to.equal(false);
    });

  it("refuses the signature of another key, and keys of small order", async () => {
    expect(await flaws(signed, async () => other.publicKey)).to.deep.equal([
      "The signature is not of this document",
    ]);
    const zero = { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) };
    expect(multikeyOf(zero)).to.equal(null);
    expect(await flaws(signed, async () => zero)).to.deep.equal([
      "The key that the proof names is not known, or no Ed25519 key",
    ]);
  });

  it("spells a key in one way", () => {
    expect(keyOfMultikey(shop.multikey)).to.deep.equal(shop.publicKey);
    expect(multikeyOf(shop.publicKey)).to.equal(shop.multikey);
    for (const text of ["", "z6Mk", `${shop.multikey}1`, shop.multikey.toUpperCase(), null, 1])
      expect(keyOfMultikey(text), String(text)).to.equal(null);
    expect(JSON.stringify(signed)).to.not.include(String(shop.privateKey.d));
  });
});
