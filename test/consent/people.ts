/** Vendors with keys of their own, and what they ask for. */
import { addProof, generateSigningKey, type Json, type SigningKey } from "../../client-lib/consent/index.ts";
import type { Person, TestServer } from "../support/server.ts";

export interface Vendor extends Person {
  readonly key: SigningKey;
  /** Address of the key. */
  readonly keyId: string;
  sign(document: Json, created?: Date): Promise<Json>;
  /** Asks for access. @param document Signed already, or signed here. */
  ask(of: Person, document: Json): Promise<Response>;
}

/** A person whose WebID document names a key that signs. */
export async function vendorNamed(server: TestServer, name: string): Promise<Vendor> {
  const person = await server.person(name);
  const key = await generateSigningKey();
  const card = person.webid.split("#", 1)[0] ?? "";
  const keyId = `${card}#${key.multikey}`;
  const response = await person.fetch(`${person.pod}.consent/keys/${key.multikey}`, { method: "PUT" });
  if (response.status >= 300) throw new Error(`${response.status} ${await response.text()}`);
  const sign = (document: Json, created = new Date()): Promise<Json> =>
    addProof(document, { key: key.privateKey, verificationMethod: keyId, created });
  return {
    ...person,
    key,
    keyId,
    sign,
    async ask(of, document) {
      const signed = document["proof"] === undefined ? await sign(document) : document;
      return person.fetch(`${of.pod}.consent/requests`, {
        method: "POST",
        headers: { "content-type": "application/lws+json" },
        body: JSON.stringify(signed),
      });
    },
  };
}

export const IN_A_MONTH = (): string =>
  new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 19) + "Z";

/** A policy over one folder or document. @param target Its address. */
export const policyOf = (assignee: string, target: string, more: Json = {}): Json => ({
  type: ["AccessPolicy"],
  action: ["read"],
  assignee,
  necessity: "required",
  target: { type: target.endsWith("/") ? "Container" : "DataResource", value: [target] },
  personalData: ["https://w3id.org/dpv/pd#EmailAddress"],
  constraint: [
    { leftOperand: "purpose", operator: "eq", rightOperand: "https://w3id.org/dpv#ServiceProvision" },
    { leftOperand: "dateTime", operator: "lteq", rightOperand: IN_A_MONTH() },
    { leftOperand: "consentMode", operator: "eq", rightOperand: "view" },
    { leftOperand: "dataLife", operator: "lteq", rightOperand: "P30D" },
  ],
  ...more,
});

/** A whole request, unsigned. */
export const requestOf = (vendor: Person, of: Person, more: Json = {}): Json => ({
  "@context": ["https://www.w3.org/ns/lws/v1", "https://w3id.org/freehold/ns"],
  type: ["AccessRequest"],
  storage: of.pod,
  issued: new Date().toISOString().slice(0, 19) + "Z",
  controller: vendor.webid,
  legalBasis: "https://w3id.org/dpv#Consent",
  notice: "https://shop.example/privacy",
  benefit: [{ "@value": "Free pick-up of your old printer", "@language": "en" }],
  locations: ["https://w3id.org/dpv/loc#DE"],
  access: [policyOf(vendor.webid, `${of.pod}notes/`)],
  ...more,
});
