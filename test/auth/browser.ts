/** A browser and an application, by hand: cookies, redirects, PKCE and proofs. */
import { hash, randomBytes } from "node:crypto";
import { type KeyPair, makeProof } from "./support.ts";

export interface Browser {
  /** The `Cookie` header for a path. */
  cookies(path: string): string;
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

interface Cookie {
  readonly value: string;
  readonly path: string;
  readonly attributes: string;
}

/** @param always Sent everywhere: the account's own cookie, say. */
export function makeBrowser(baseUrl: string, always = ""): Browser & { readonly jar: Map<string, Cookie> } {
  const jar = new Map<string, Cookie>();
  const cookies = (path: string): string =>
    [...jar]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`)
      .concat(always || [])
      .join("; ");
  return {
    jar,
    cookies,
    async fetch(url, init = {}) {
      const target = new URL(url, baseUrl);
      const response = await fetch(target, {
        redirect: "manual",
        ...init,
        headers: { cookie: cookies(target.pathname), ...(init.headers as Record<string, string>) },
      });
      for (const line of response.headers.getSetCookie()) {
        const [pair = "", ...attributes] = line.split("; ");
        const at = pair.indexOf("=");
        const path = attributes.find((attribute) => attribute.startsWith("path="))?.slice(5) ?? "/";
        if (pair.slice(at + 1) === "") jar.delete(pair.slice(0, at));
        else
          jar.set(pair.slice(0, at), { value: pair.slice(at + 1), path, attributes: attributes.join("; ") });
      }
      return response;
    },
  };
}

export interface App {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly secret?: string;
}

export function authorizationUrl(
  baseUrl: string,
  { clientId, redirectUri }: App,
  verifier: string,
  more: Record<string, string | null> = {},
): string {
  const url = new URL(".oidc/auth", baseUrl);
  const parameters: Record<string, string | null> = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid webid offline_access",
    prompt: "consent",
    state: "st",
    code_challenge: hash("sha256", verifier, "base64url"),
    code_challenge_method: "S256",
    ...more,
  };
  for (const [name, value] of Object.entries(parameters))
    if (value !== null) url.searchParams.set(name, value);
  return url.href;
}

/**
 * Says yes on the consent page and follows the redirects.
 * @param chosen `folders` and `modes`, where the person lets the app do other than the usual.
 * @returns the address at the application.
 */
export async function consent(
  browser: Browser,
  baseUrl: string,
  location: string,
  allow = true,
  chosen: Record<string, unknown> = {},
): Promise<URL> {
  const uid = new URL(location).searchParams.get("uid") ?? "";
  const answer = await browser.fetch(`${baseUrl}.oidc/interaction/${uid}`, {
    method: "POST",
    headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
    body: JSON.stringify({ allow, ...chosen }),
  });
  const said = (await answer.json()) as { location?: string };
  if (said.location === undefined) throw new Error(`Refused: ${answer.status} ${JSON.stringify(said)}`);
  const back = await browser.fetch(said.location);
  return new URL(back.headers.get("location") ?? "");
}

export async function login(
  browser: Browser,
  baseUrl: string,
  app: App,
  verifier: string,
  more: Record<string, string | null> = {},
  chosen: Record<string, unknown> = {},
): Promise<URL> {
  const start = await browser.fetch(authorizationUrl(baseUrl, app, verifier, more));
  const location = start.headers.get("location") ?? "";
  return location.startsWith(`${baseUrl}.account/consent`)
    ? consent(browser, baseUrl, location, true, chosen)
    : new URL(location);
}

export const makeVerifier = (): string => randomBytes(32).toString("base64url");

/** A request to the token endpoint. */
export async function requestToken(
  baseUrl: string,
  key: KeyPair | null,
  app: App,
  body: Record<string, string>,
  proof?: string,
): Promise<{ status: number; body: Record<string, string> }> {
  const url = `${baseUrl}.oidc/token`;
  const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded" };
  if (key) headers["dpop"] = proof ?? makeProof(key, "POST", url);
  if (app.secret !== undefined)
    headers["authorization"] =
      `Basic ${btoa(`${encodeURIComponent(app.clientId)}:${encodeURIComponent(app.secret)}`)}`;
  const form = new URLSearchParams(app.secret === undefined ? { client_id: app.clientId, ...body } : body);
  const response = await fetch(url, { method: "POST", headers, body: form });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

export async function register(
  baseUrl: string,
  metadata: Record<string, unknown>,
): Promise<{ status: number; body: Record<string, string> }> {
  const response = await fetch(`${baseUrl}.oidc/reg`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(metadata),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

export function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
}

export function headerOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[0] ?? "", "base64url").toString()) as Record<string, unknown>;
}
