/** A passport as a DID document, in JSON and in Turtle. https://www.w3.org/TR/did-1.1/ */
import {
  type DataOperation,
  didOf,
  type KeyUse,
  type PassportDid,
  type PassportId,
} from "@freehold/client/passport";
import { literal, namedNode, type Quad, quad } from "../rdf/terms.ts";

interface VerificationMethod {
  readonly id: string;
  readonly type: "Multikey";
  readonly controller: PassportDid;
  readonly publicKeyMultibase: string;
}

interface Service {
  readonly id: string;
  readonly type: string | readonly string[];
  readonly serviceEndpoint: string;
}

export interface DidDocument {
  readonly "@context": readonly string[];
  readonly id: PassportDid;
  readonly alsoKnownAs?: readonly string[];
  readonly verificationMethod?: readonly VerificationMethod[];
  readonly authentication?: readonly string[];
  readonly assertionMethod?: readonly string[];
  readonly service?: readonly Service[];
}

/** @param data Null from a rotation to another host until its first data record: then nothing is known but the name. */
export function didDocument(id: PassportId, data: DataOperation | null): DidDocument {
  const did = didOf(id);
  const head = { "@context": ["https://www.w3.org/ns/did/v1.1"], id: did };
  if (!data) return head;
  const having = (use: KeyUse): readonly string[] =>
    data.keys.filter((key) => key.for.includes(use)).map((key) => `${did}${key.id}`);
  const issuer: Service[] =
    data.oidc === null
      ? []
      : [{ id: `${did}#oidc`, type: "https://www.w3.org/ns/lws#OpenIdProvider", serviceEndpoint: data.oidc }];
  const storages = data.storage.map(
    ({ id: name, url }): Service => ({
      id: `${did}${name}`,
      type: ["SolidStorage", "https://www.w3.org/ns/lws#Storage"],
      serviceEndpoint: url,
    }),
  );
  return {
    ...head,
    alsoKnownAs: data.webid,
    verificationMethod: data.keys.map((key) => ({
      id: `${did}${key.id}`,
      type: "Multikey",
      controller: did,
      publicKeyMultibase: key.key,
    })),
    authentication: having("authentication"),
    assertionMethod: having("assertionMethod"),
    service: [...storages, ...issuer],
  };
}

const SEC = "https://w3id.org/security#";
const DID = "https://www.w3.org/ns/did#";
const LWS = "https://www.w3.org/ns/lws#";
const AS = "https://www.w3.org/ns/activitystreams#";
const SPACE = "http://www.w3.org/ns/pim/space#";
const SOLID = "http://www.w3.org/ns/solid/terms#";
const TYPE = namedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type");

export const DID_PREFIXES: Readonly<Record<string, string>> = {
  sec: SEC,
  did: DID,
  lws: LWS,
  as: AS,
  space: SPACE,
  solid: SOLID,
};

/** The same statements as triples, and with them those that Solid applications look for: storage and issuer. */
export function didQuads(id: PassportId, data: DataOperation | null): readonly Quad[] {
  const document = didDocument(id, data);
  const self = namedNode(document.id);
  const to = (predicate: string, iri: string): Quad => quad(self, namedNode(predicate), namedNode(iri));
  const methods = (document.verificationMethod ?? []).flatMap((method) => {
    const node = namedNode(method.id);
    const multibase = literal(method.publicKeyMultibase, namedNode(`${SEC}multibase`));
    return [
      to(`${SEC}verificationMethod`, method.id),
      quad(node, TYPE, namedNode(`${SEC}Multikey`)),
      quad(node, namedNode(`${SEC}controller`), self),
      quad(node, namedNode(`${SEC}publicKeyMultibase`), multibase),
    ];
  });
  const services = (document.service ?? []).flatMap((service) => {
    const isIssuer = service.id.endsWith("#oidc");
    return [
      to(`${DID}service`, service.id),
      quad(namedNode(service.id), TYPE, namedNode(`${LWS}${isIssuer ? "OpenIdProvider" : "Storage"}`)),
      quad(namedNode(service.id), namedNode(`${DID}serviceEndpoint`), namedNode(service.serviceEndpoint)),
      to(isIssuer ? `${SOLID}oidcIssuer` : `${SPACE}storage`, service.serviceEndpoint),
    ];
  });
  return [
    ...(document.alsoKnownAs ?? []).map((webid) => to(`${AS}alsoKnownAs`, webid)),
    ...methods,
    ...(document.authentication ?? []).map((key) => to(`${SEC}authenticationMethod`, key)),
    ...(document.assertionMethod ?? []).map((key) => to(`${SEC}assertionMethod`, key)),
    ...services,
  ];
}
