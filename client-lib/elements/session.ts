/**
 * Solid-OIDC in a browser, for any app: discovery, registration, a code with PKCE, and tokens bound to a key that cannot
 * leave the browser. https://solidproject.org/TR/oidc
 */
import { type Fetch, FreeholdError, fetchOk } from "../errors.ts";
import { base64url, generateProofKey, proofOf, sha256 } from "./dpop.ts";

/** Who is signed in, and how requests are sent in their name. */
export interface Session {
  /** As the issuer says it. */
  readonly webid: string;
  readonly issuer: string;
  readonly fetch: Fetch;
  /** Forgets the key and the tokens. */
  end(): Promise<void>;
}

/** What an app says of itself when it registers. */
export interface AppDescription {
  /** Address of the app's Client Identifier Document; without one it registers anew at each sign-in. */
  readonly clientId?: string;
  readonly name?: string;
  /** Where people come back to; the page itself, unless said. */
  readonly redirect?: string;
  /** Whether the session is kept in this browser beyond the page. */
  readonly isKept?: boolean;
}

interface Provider {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint?: string;
}

/** What must be known again after the way to the issuer and back. */
interface Attempt {
  readonly provider: Provider;
  readonly clientId: string;
  readonly redirect: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly isKept: boolean;
  readonly key: CryptoKeyPair;
}

interface Kept {
  readonly provider: Provider;
  readonly clientId: string;
  readonly webid: string;
  readonly refreshToken: string;
  readonly key: CryptoKeyPair;
}

interface Tokens {
  readonly access_token: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
}

const DATABASE = "freehold-session";
const TABLE = "kept";
const MARGIN_MS = 20_000; // A token that ends while a request is under way is no use.
const SECONDS_DEFAULT = 300;

/** Keys can be kept there without being read: no other place of a browser takes them. */
async function inDatabase<T>(
  mode: IDBTransactionMode,
  work: (table: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const settle = <R>(request: IDBRequest<R>): Promise<R> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("The browser keeps nothing"));
    });
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(TABLE);
  const database = await settle(opening);
  try {
    return await settle(work(database.transaction(TABLE, mode).objectStore(TABLE)));
  } finally {
    database.close();
  }
}

const recall = <T>(name: string): Promise<T | undefined> =>
  inDatabase<T | undefined>("readonly", (table) => table.get(name) as IDBRequest<T | undefined>);
const keep = (name: string, value: unknown): Promise<unknown> =>
  inDatabase("readwrite", (table) => table.put(value, name));
const forget = (name: string): Promise<unknown> => inDatabase("readwrite", (table) => table.delete(name));

const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));

const failed = (detail: string, next = "Sign in again."): FreeholdError =>
  new FreeholdError("login-failed", "Signing in did not work", { detail, next });

const isWeb = (text: unknown): text is string =>
  typeof text === "string" && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** @throws FreeholdError `input-invalid`, `login-failed`, `unreachable`. */
async function discover(issuer: string): Promise<Provider> {
  const typed = /^[a-z]+:\/\//i.test(issuer) ? issuer : `https://${issuer}`;
  if (!isWeb(typed))
    throw new FreeholdError("input-invalid", "This is not the address of a server", {
      next: "Give an address such as https://pods.example/.",
    });
  const url = new URL(".well-known/openid-configuration", typed.endsWith("/") ? typed : `${typed}/`).href;
  const found = (await (
    await fetchOk(globalThis.fetch, url)
  )
    .json()
    .catch(() => null)) as Partial<Provider> | null;
  const same = (text: string): string => text.replace(/\/$/, "");
  if (
    !found ||
    !isWeb(found.issuer) ||
    same(found.issuer) !== same(typed) ||
    !isWeb(found.authorization_endpoint) ||
    !isWeb(found.token_endpoint)
  )
    throw failed("Nobody can sign in at this address", "Check the address of your pod's server.");
  return found as Provider;
}

async function register(
  provider: Provider,
  { name, clientId }: AppDescription,
  redirect: string,
): Promise<string> {
  if (clientId !== undefined && clientId !== "") return clientId;
  if (!isWeb(provider.registration_endpoint))
    throw failed("The server lets no apps in that it does not know");
  const response = await fetchOk(globalThis.fetch, provider.registration_endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: name ?? document.title,
      redirect_uris: [redirect],
      application_type: "web",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      scope: "openid webid offline_access",
    }),
  });
  const { client_id } = (await response.json()) as { readonly client_id?: unknown };
  if (typeof client_id !== "string") throw failed("The server gave this app no name");
  return client_id;
}

/** Leaves the page for the issuer's. @throws FreeholdError */
export async function signIn(issuer: string, app: AppDescription = {}): Promise<never> {
  const provider = await discover(issuer.trim());
  const redirect = app.redirect || location.href.split(/[?#]/, 1)[0] || location.href;
  const attempt: Attempt = {
    provider,
    redirect,
    clientId: await register(provider, app, redirect),
    state: random(),
    nonce: random(),
    verifier: random(),
    isKept: app.isKept ?? false,
    key: await generateProofKey(),
  };
  await keep("attempt", attempt);
  const url = new URL(provider.authorization_endpoint);
  const asked = {
    response_type: "code",
    client_id: attempt.clientId,
    redirect_uri: redirect,
    scope: attempt.isKept ? "openid webid offline_access" : "openid webid",
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await sha256(attempt.verifier),
    code_challenge_method: "S256",
    ...(attempt.isKept ? { prompt: "consent" } : {}), // Nothing that lasts is given without asking.
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  location.assign(url);
  return new Promise<never>(() => undefined); // The page goes.
}

async function askTokens(
  provider: Provider,
  key: CryptoKeyPair,
  fields: Record<string, string>,
): Promise<Tokens> {
  const url = provider.token_endpoint;
  const send = async (nonce: string | null): Promise<Response> =>
    globalThis.fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        dpop: await proofOf(key, { method: "POST", url, nonce }),
      },
      body: new URLSearchParams(fields).toString(),
    });
  let response = await send(null);
  const nonce = response.headers.get("dpop-nonce");
  if (!response.ok && nonce !== null) response = await send(nonce);
  const answer = (await response.json().catch(() => ({}))) as Partial<Tokens> & {
    error_description?: string;
  };
  if (!response.ok || typeof answer.access_token !== "string")
    throw failed(answer.error_description ?? `The server answered ${response.status}`);
  return answer as Tokens;
}

interface Claims {
  readonly iss?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nonce?: unknown;
  readonly webid?: unknown;
  readonly sub?: unknown;
}

function claimsOf(token: string): Claims {
  try {
    const [, body = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(body.replaceAll("-", "+").replaceAll("_", "/")), (sign) =>
      sign.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes)) as Claims;
  } catch {
    throw failed("The server's answer cannot be read");
  }
}

/** The token came from the issuer itself, over its own connection. https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation */
function webidOf(token: string | undefined, { provider, clientId, nonce }: Attempt): string {
  const { iss, aud, exp, webid, sub, nonce: said } = claimsOf(token ?? "");
  if (iss !== provider.issuer || ![aud].flat().includes(clientId))
    throw failed("The answer is meant for somebody else");
  if (said !== nonce) throw failed("The answer is not to this question");
  if (typeof exp !== "number" || exp * 1_000 < Date.now()) throw failed("The answer is out of date");
  const found = webid ?? sub;
  if (!isWeb(found)) throw failed("The server does not say who you are");
  return found;
}

interface Held {
  readonly provider: Provider;
  readonly clientId: string;
  readonly webid: string;
  readonly key: CryptoKeyPair;
  readonly isKept: boolean;
}

function sessionOf(held: Held, first: Tokens | null, refreshToken: string | null): Session {
  const { provider, clientId, webid, key, isKept } = held;
  const untilOf = ({ expires_in = SECONDS_DEFAULT }: Tokens): number => Date.now() + expires_in * 1_000;
  let current = first && { token: first.access_token, until: untilOf(first) };
  let refresh = refreshToken;
  let renewing: Promise<void> | null = null;
  let isOver = false;
  const nonces = new Map<string, string>(); // By origin.

  const over = (): FreeholdError =>
    new FreeholdError("login-required", "You are not signed in any more", { next: "Sign in again." });

  async function renew(): Promise<void> {
    if (refresh === null) throw over();
    const tokens = await askTokens(provider, key, {
      grant_type: "refresh_token",
      refresh_token: refresh,
      client_id: clientId,
    });
    if (isOver) throw over(); // They signed out while it was on its way: nothing of it is kept.
    current = { token: tokens.access_token, until: untilOf(tokens) };
    refresh = tokens.refresh_token ?? refresh;
    if (isKept)
      await keep("session", { provider, clientId, webid, key, refreshToken: refresh } satisfies Kept);
  }

  async function tokenNow(): Promise<string> {
    if (!current || current.until < Date.now() + MARGIN_MS) {
      renewing ??= renew().finally(() => (renewing = null));
      await renewing;
    }
    return current?.token ?? "";
  }

  return {
    webid,
    issuer: provider.issuer,
    async fetch(input, init = {}) {
      const { origin } = new URL(input, location.href);
      const url = new URL(input, location.href).href;
      const method = (init.method ?? "GET").toUpperCase();
      const send = async (): Promise<Response> => {
        const token = await tokenNow();
        const headers = new Headers(init.headers);
        headers.set("authorization", `DPoP ${token}`);
        headers.set("dpop", await proofOf(key, { method, url, token, nonce: nonces.get(origin) ?? null }));
        return globalThis.fetch(url, { ...init, method, headers, credentials: "omit" });
      };
      const response = await send();
      const nonce = response.headers.get("dpop-nonce");
      if (nonce !== null) nonces.set(origin, nonce);
      const isStream = init.body instanceof ReadableStream; // Sent once, it is gone.
      return response.status === 401 && nonce !== null && !isStream ? send() : response;
    },
    async end() {
      isOver = true;
      current = null;
      refresh = null;
      await forget("session");
    },
  };
}

const PARAMETERS = ["code", "state", "iss", "error", "error_description"] as const;

/**
 * The session of this page: the one that somebody comes back with from the issuer, or the one that is kept.
 * @returns null when nobody is signed in.
 * @throws FreeholdError `login-failed` when they come back without one.
 */
export async function resume(): Promise<Session | null> {
  const here = new URL(location.href);
  const said = Object.fromEntries(PARAMETERS.map((name) => [name, here.searchParams.get(name)]));
  const attempt = said["state"] === null ? undefined : await recall<Attempt>("attempt");
  if (attempt && attempt.state === said["state"]) {
    await forget("attempt"); // It works once.
    for (const name of PARAMETERS) here.searchParams.delete(name);
    history.replaceState(history.state, "", here); // The code is for nobody else to see.
    if (said["error"]) throw failed(said["error_description"] ?? "You did not go on at your pod");
    // https://www.rfc-editor.org/rfc/rfc9207
    if (said["iss"] !== null && said["iss"] !== attempt.provider.issuer)
      throw failed("Another server answered");
    const tokens = await askTokens(attempt.provider, attempt.key, {
      grant_type: "authorization_code",
      code: said["code"] ?? "",
      redirect_uri: attempt.redirect,
      client_id: attempt.clientId,
      code_verifier: attempt.verifier,
    });
    const webid = webidOf(tokens.id_token, attempt);
    const refreshToken = tokens.refresh_token ?? null;
    const { provider, clientId, key, isKept } = attempt;
    if (isKept && refreshToken !== null)
      await keep("session", { provider, clientId, webid, key, refreshToken } satisfies Kept);
    return sessionOf({ provider, clientId, webid, key, isKept }, tokens, refreshToken);
  }
  const kept = await recall<Kept>("session");
  return kept ? sessionOf({ ...kept, isKept: true }, null, kept.refreshToken) : null;
}
