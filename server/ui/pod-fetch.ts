/**
 * The owner's own requests to the pod: an access token bound to a key that lives in this page and cannot leave it.
 * @see https://www.rfc-editor.org/rfc/rfc9449
 */
import { offline, refusalOf } from "./ask.ts";

const encoder = new TextEncoder();

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

const spell = (value: unknown): string => base64url(encoder.encode(JSON.stringify(value)));

let pair: Promise<CryptoKeyPair> | null = null;
let token: { readonly text: string; readonly until: number } | null = null;
/** What the server wants to see in each proof, where it wants something. https://www.rfc-editor.org/rfc/rfc9449#section-9 */
let nonce: string | null = null;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const MARGIN_MS = 20_000; // A token that ends while a request is under way is no use.

async function proof(method: string, url: string): Promise<string> {
  pair ??= crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const { publicKey, privateKey } = await pair;
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const header = { alg: "ES256", typ: "dpop+jwt", jwk: { kty, crv, x, y } };
  const claims: Record<string, unknown> = {
    jti: crypto.randomUUID(),
    htm: method,
    htu: url,
    iat: Math.floor(Date.now() / 1_000),
    ...(nonce === null ? {} : { nonce }),
  };
  if (token)
    claims["ath"] = base64url(
      new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(token.text))),
    );
  const signed = `${spell(header)}.${spell(claims)}`;
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, encoder.encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw offline();
  }
}

async function refreshToken(): Promise<void> {
  if (token && token.until > Date.now() + MARGIN_MS) return;
  token = null;
  const url = new URL("/.oidc/session-token", location.href).href;
  const response = await send(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { dpop: await proof("POST", url), accept: "application/json" },
  });
  if (!response.ok) throw await refusalOf(response);
  const { access_token, expires_in } = (await response.json()) as {
    access_token: string;
    expires_in: number;
  };
  token = { text: access_token, until: Date.now() + expires_in * 1_000 };
}

/**
 * A request to the pod in the owner's name.
 * @param path Canonical path within the server.
 * @throws Refusal
 */
export async function podFetch(
  method: "GET" | "PUT" | "DELETE",
  path: string,
  content?: { readonly body: Blob; readonly contentType: string },
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  await refreshToken();
  const url = new URL(path, location.href).href;
  const request = async (): Promise<RequestInit> => ({
    method,
    credentials: "omit", // Pods know no cookies.
    cache: "no-store",
    headers: {
      authorization: `DPoP ${token?.text ?? ""}`,
      dpop: await proof(method, url),
      ...(content ? { "content-type": content.contentType } : {}),
      ...headers,
    },
    ...(content ? { body: content.body } : {}),
  });
  let response = await send(url, await request());
  const wanted = response.headers.get("dpop-nonce");
  if (wanted !== null) nonce = wanted;
  if (response.status === 401 && wanted !== null) response = await send(url, await request());
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** Hands a file to the browser to keep. */
export function saveAs(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
