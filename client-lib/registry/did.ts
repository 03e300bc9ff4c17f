/** A passport as a DID document, in JSON. https://www.w3.org/TR/did-1.1/ */
import { didOf, type PassportDid, type PassportId } from "../passport/identifier.ts";
import type { DataOperation, KeyUse } from "../passport/operation.ts";

export interface VerificationMethod {
  readonly id: string;
  readonly type: "Multikey";
  readonly controller: PassportDid;
  readonly publicKeyMultibase: string;
}

export interface Service {
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
