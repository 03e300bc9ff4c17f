/** A passport's DID document as triples. https://www.w3.org/TR/did-1.1/ */
import type { DidDocument } from "@freehold/client/registry";
import { literal, namedNode, type Quad, quad } from "../../rdf/terms.ts";

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
export function didQuads(document: DidDocument): readonly Quad[] {
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
