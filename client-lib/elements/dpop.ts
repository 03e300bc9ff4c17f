/** Proofs that a request comes from who holds a key. https://www.rfc-editor.org/rfc/rfc9449 */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const encoder = new TextEncoder();

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

export const sha256 = async (text: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));

const spell = (value: unknown): string => base64url(encoder.encode(JSON.stringify(value)));

/** The private half cannot leave the browser. */
export const generateProofKey = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);

/** What a proof is for. */
export interface Proved {
  readonly method: string;
  /** Query and fragment are left out, as the RFC wants. */
  readonly url: string;
  /** The access token that is sent with it. */
  readonly token?: string | undefined;
  /** What the server wants to see, where it wants something. */
  readonly nonce?: string | null | undefined;
}

export async function proofOf(
  { publicKey, privateKey }: CryptoKeyPair,
  { method, url, token, nonce }: Proved,
): Promise<string> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const header = { alg: "ES256", typ: "dpop+jwt", jwk: { kty, crv, x, y } };
  const { origin, pathname } = new URL(url);
  const claims = {
    jti: crypto.randomUUID(),
    htm: method,
    htu: `${origin}${pathname}`,
    iat: Math.floor(Date.now() / 1_000),
    ...(nonce ? { nonce } : {}),
    ...(token === undefined ? {} : { ath: await sha256(token) }),
  };
  const signed = `${spell(header)}.${spell(claims)}`;
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, encoder.encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}
