/**
 * By which keys somebody signs: those that the WebID document says they assert with. A key that stands anywhere else is
 * nobody's. https://www.w3.org/TR/cid-1.0/#Multikey https://www.w3.org/TR/cid-1.0/#assertion
 */
import { sec } from "@freehold/vocab";
import type { Quad } from "../rdf/terms.ts";
import { keyOfMultikey } from "./shared.ts";

export interface VendorKeysDeps {
  /** What the document of a WebID says; null when it cannot be had. @param ip Of whoever asks: their budget is spent. */
  readonly documentOf: (webid: string, ip: string) => Promise<readonly Quad[] | null>;
  readonly now: () => Date;
}

/** The public key at an address; null where it may not sign for that person. */
export type KeyOf = (webid: string, verificationMethod: string, ip: string) => Promise<JsonWebKey | null>;

const REVOKED = "https://w3id.org/security#revoked";
const EXPIRES = "https://w3id.org/security#expiration";

const documentOf = (address: string): string => address.split("#", 1)[0] ?? "";

export function createVendorKeys({ documentOf: read, now }: VendorKeysDeps): KeyOf {
  return async (webid, verificationMethod, ip) => {
    // Of the same document: what another says of a key, whoever wrote it could have made up.
    if (documentOf(webid) !== documentOf(verificationMethod) || webid === verificationMethod) return null;
    const quads = (await read(webid, ip)) ?? [];
    const says = (subject: string, predicate: string): readonly string[] =>
      quads
        .filter((one) => one.subject.value === subject && one.predicate.value === predicate)
        .map(({ object }) => object.value);
    if (!says(webid, sec.assertionMethod).includes(verificationMethod)) return null;
    const controllers = says(verificationMethod, sec.controller);
    if (controllers.length > 0 && !controllers.includes(webid)) return null;
    const ends = [...says(verificationMethod, REVOKED), ...says(verificationMethod, EXPIRES)];
    // Written so that what is no time counts as past.
    if (ends.some((end) => !(Date.parse(end) > now().getTime()))) return null;
    const keys = says(verificationMethod, sec.publicKeyMultibase);
    return keys.length === 1 ? keyOfMultikey(keys[0]) : null;
  };
}
