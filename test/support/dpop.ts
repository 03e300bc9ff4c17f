/** A client with a key of its own, as small as DPoP allows: for tests that must control each part of a proof. */
import { randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

export interface DpopKey {
  /** @param url Without query and fragment, as RFC 9449 wants it. */
  proof(method: string, url: string, claims?: Record<string, unknown>): Promise<string>;
}

export async function createDpopKey(): Promise<DpopKey> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = await exportJWK(publicKey);
  return {
    proof: (method, url, claims = {}) =>
      new SignJWT({ htm: method, htu: url, jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk })
        .setIssuedAt()
        .sign(privateKey),
  };
}

/** Logs in with client credentials and signs every request afresh; follows redirects by signing again. */
export async function logIn(issuer: string, id: string, secret: string): Promise<Fetch> {
  const key = await createDpopKey();
  const { token_endpoint: endpoint } = (await (
    await fetch(new URL(".well-known/openid-configuration", issuer))
  ).json()) as { token_endpoint: string };
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
      dpop: await key.proof("POST", endpoint),
    },
    body: "grant_type=client_credentials&scope=webid",
  });
  if (!response.ok) throw new Error(`No token: ${response.status} ${await response.text()}`);
  const { access_token: token } = (await response.json()) as { access_token: string };
  return async (url, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `DPoP ${token}`);
    headers.set("dpop", await key.proof(init.method ?? "GET", url.split(/[?#]/, 1)[0] ?? url));
    return fetch(url, {
      ...init,
      headers,
      ...(init.body && typeof init.body === "object" && "getReader" in init.body && { duplex: "half" }),
    });
  };
}
