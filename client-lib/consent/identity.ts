/** By what a vendor is known: a WebID, and the key it signs with, which stands in the WebID's document. */
import { FreeholdError, fetchOk } from "../errors.ts";
import type { Pod } from "../pod.ts";
import type { SigningKey } from "./proof.ts";

/** Who signs, and where the public key stands. */
export interface SigningIdentity {
  readonly webid: string;
  /** Ed25519, private. */
  readonly key: JsonWebKey | CryptoKey;
  /** Address of the public key. */
  readonly verificationMethod: string;
}

/** Where a key stands in a WebID's document. */
export const verificationMethodOf = (webid: string, multikey: string): string =>
  `${webid.split("#", 1)[0]}#${multikey}`;

/**
 * Puts a public key into the WebID document of the pod's owner, so that others can check what is signed by it. For WebIDs
 * of a Freehold pod; whose WebID is anywhere else writes there by hand what {@link describeKey} gives.
 * @param pod The vendor's own, opened as its owner.
 * @throws FreeholdError `forbidden` for anybody else, `conflict` for one key too many.
 */
export async function publishSigningKey(
  pod: Pod,
  { privateKey, multikey }: SigningKey,
): Promise<SigningIdentity> {
  if (pod.owner === null) throw new FreeholdError("pod-unknown", "This pod names no owner", { url: pod.url });
  const response = await fetchOk(pod.fetch, `${pod.url}.consent/keys/${multikey}`, { method: "PUT" });
  await response.body?.cancel();
  return {
    webid: pod.owner,
    key: privateKey,
    verificationMethod: verificationMethodOf(pod.owner, multikey),
  };
}

/** Takes it out again: what was signed by it cannot be checked any more. */
export async function withdrawSigningKey(pod: Pod, multikey: string): Promise<void> {
  const response = await fetchOk(pod.fetch, `${pod.url}.consent/keys/${multikey}`, { method: "DELETE" });
  await response.body?.cancel();
}

/** What a WebID document must say of a key, in Turtle. */
export function describeKey(webid: string, multikey: string): string {
  const sec = "https://w3id.org/security#";
  const key = `<${verificationMethodOf(webid, multikey)}>`;
  return `<${webid}> <${sec}assertionMethod> ${key} .
${key} a <${sec}Multikey> ; <${sec}controller> <${webid}> ; <${sec}publicKeyMultibase> "${multikey}" .
`;
}
