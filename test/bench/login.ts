/** What a script does to speak for a person: client credentials for a DPoP-bound token, and a fresh proof a request. */
import { generateKeyPairSync, hash, type JsonWebKey, type KeyObject, randomUUID, sign } from "node:crypto";

export interface DpopKey {
  readonly key: KeyObject;
  /** The private key. */
  readonly jwk: JsonWebKey;
}

export interface Credentials {
  readonly id: string;
  readonly secret: string;
}

export interface Login {
  readonly token: string;
  readonly key: DpopKey;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export function createDpopKey(): DpopKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { key: privateKey, jwk: privateKey.export({ format: "jwk" }) };
}

/**
 * @param token The access token it goes with, if any: the proof then names its hash.
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.2
 */
export function signProof({ key, jwk }: DpopKey, method: string, url: string, token?: string): string {
  const { kty, crv, x, y } = jwk;
  const header = encode({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } });
  const claims = encode({
    htm: method,
    htu: url,
    iat: Math.floor(Date.now() / 1000),
    jti: randomUUID(),
    ...(token ? { ath: hash("sha256", token, "base64url") } : {}),
  });
  const input = `${header}.${claims}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** @throws when the issuer refuses. @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
export async function logIn(issuer: string, { id, secret }: Credentials): Promise<Login> {
  const key = createDpopKey();
  const found = (await (await fetch(new URL(".well-known/openid-configuration", issuer))).json()) as {
    token_endpoint: string;
  };
  const answer = await fetch(found.token_endpoint, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
      dpop: signProof(key, "POST", found.token_endpoint),
    },
    body: "grant_type=client_credentials&scope=webid",
  });
  if (!answer.ok)
    throw new Error(`${found.token_endpoint} answered ${answer.status}: ${await answer.text()}`);
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return { token, key };
}

/** One request by the logged-in person. @throws when the answer is no success. */
export async function fetchAs({ token, key }: Login, url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("authorization", `DPoP ${token}`);
  headers.set("dpop", signProof(key, init.method ?? "GET", url, token));
  const answer = await fetch(url, { ...init, headers });
  if (!answer.ok)
    throw new Error(`${init.method ?? "GET"} ${url} answered ${answer.status}: ${await answer.text()}`);
  return answer;
}
