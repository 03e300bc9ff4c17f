/** An app that a person of a running server lets in, and the requests it makes with its own key. */
import { expect } from "chai";
import type { TestServer } from "../support/server.ts";
import {
  type App,
  type Browser,
  login,
  makeBrowser,
  makeVerifier,
  register,
  requestToken,
} from "./browser.ts";
import { type KeyPair, makeKey, makeProof } from "./support.ts";

export const REDIRECT = "https://app.example/callback";

export interface LetIn {
  readonly app: App;
  readonly key: KeyPair;
  readonly tokens: Readonly<Record<string, string>>;
  /** A request with the app's access token and a fresh proof. */
  send(method: string, url: string, body?: string, headers?: Record<string, string>): Promise<Response>;
}

/** The browser of somebody who has an account here, signed in. */
export async function signIn({ baseUrl }: TestServer, name: string): Promise<Browser> {
  const answer = await fetch(`${baseUrl}.account/login`, {
    method: "POST",
    headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
    body: JSON.stringify({ pod: name.toLowerCase(), password: `a long password of ${name}` }),
  });
  expect(answer.status, await answer.text()).to.equal(200);
  return makeBrowser(baseUrl, answer.headers.getSetCookie()[0]?.split(";")[0] ?? "");
}

export function sender(key: KeyPair, token: string): LetIn["send"] {
  return (method, url, body, headers = {}) =>
    fetch(url, {
      method,
      redirect: "manual",
      headers: {
        authorization: `DPoP ${token}`,
        dpop: makeProof(key, method, url.split(/[?#]/, 1)[0] ?? ""),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
}

/**
 * @param chosen `folders` and `modes` as on the consent page; none is a plain yes.
 * @param more Parameters of the authorization request that differ.
 */
export async function letIn(
  { baseUrl }: TestServer,
  browser: Browser,
  chosen: Record<string, unknown> = {},
  known?: App,
  more: Record<string, string | null> = {},
): Promise<LetIn> {
  let app = known;
  if (!app) {
    const { body } = await register(baseUrl, {
      client_name: "Notes",
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    });
    app = { clientId: body["client_id"] ?? "", redirectUri: REDIRECT };
  }
  const verifier = makeVerifier();
  const back = await login(browser, baseUrl, app, verifier, more, chosen);
  const key = makeKey();
  const { body: tokens } = await requestToken(baseUrl, key, app, {
    grant_type: "authorization_code",
    code: back.searchParams.get("code") ?? "",
    code_verifier: verifier,
    redirect_uri: app.redirectUri,
  });
  expect(tokens, "what the app gets").to.include.keys("access_token");
  return { app, key, tokens, send: sender(key, tokens["access_token"] ?? "") };
}
