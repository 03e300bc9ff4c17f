/**
 * The owner's own requests to the pod: an access token bound to a key that lives in this page and cannot leave it.
 * @see https://www.rfc-editor.org/rfc/rfc9449
 */
import { generateProofKey, proofOf } from "@freehold/client/elements/dpop";
import { offline, refusalOf } from "./ask.ts";

let pair: Promise<CryptoKeyPair> | null = null;
let token: { readonly text: string; readonly until: number } | null = null;
/** What a server wants to see in each proof, where it wants something. https://www.rfc-editor.org/rfc/rfc9449#section-9 */
const nonces = new Map<string, string>();

const MARGIN_MS = 20_000; // A token that ends while a request is under way is no use.

async function proof(method: string, url: string, nonce?: string): Promise<string> {
  pair ??= generateProofKey();
  return proofOf(await pair, { method, url, token: token?.text, nonce });
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
 * Sends a request in the owner's name, as `fetch` does: for the functions of `@freehold/client`. Other servers know this
 * server's people, so it serves for pods anywhere.
 * @throws Refusal when there is no connection, or nobody is signed in.
 */
export async function ownFetch(input: string, init: RequestInit = {}): Promise<Response> {
  await refreshToken();
  const url = new URL(input, location.href).href;
  const { origin } = new URL(url);
  const request = async (): Promise<RequestInit> => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `DPoP ${token?.text ?? ""}`);
    headers.set("dpop", await proof(init.method ?? "GET", url, nonces.get(origin)));
    return { ...init, credentials: "omit", cache: "no-store", headers }; // Pods know no cookies.
  };
  const response = await send(url, await request());
  const wanted = response.headers.get("dpop-nonce");
  if (wanted !== null) nonces.set(origin, wanted);
  return response.status === 401 && wanted !== null ? send(url, await request()) : response;
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
  const response = await ownFetch(path, {
    method,
    headers: { ...(content ? { "content-type": content.contentType } : {}), ...headers },
    ...(content ? { body: content.body } : {}),
  });
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
