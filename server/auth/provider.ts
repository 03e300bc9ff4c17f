/** The Solid-OIDC provider of this server's own people: oidc-provider, with Solid's tokens and our accounts and store. */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { KoaContextWithOIDC, Provider as OidcProvider } from "oidc-provider";
import { json } from "../body.ts";
import type { Config } from "../config.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Door } from "../operation.ts";
import { createBudget, networkOf, type SafeFetch } from "../safe-fetch.ts";
import type { Store } from "../store/store.ts";
import type { Accounts } from "./accounts.ts";
import { type ConsentedApp, createProviderState, type ProviderState } from "./adapter.ts";
import { challenge } from "./challenge.ts";
import { ClientError, checkRedirects, createClientLookup, hashSecret, isSecret } from "./clients.ts";
import { createInteractionDoors, requireSameOrigin } from "./interaction.ts";
import { importJwk, type Jwk, verifySignature } from "./jwk.ts";
import { createProviderKeys, type SigningAlgorithm } from "./keys.ts";
import { createProofVerifier, ProofError } from "./proof.ts";
import { createReplayMemory } from "./replay.ts";
import { changeable, type IdTokenInstance, OIDC_PATH, providerSettings } from "./settings.ts";
import { readToken, TokenError } from "./token.ts";

export interface ProviderDependencies {
  /** The issuer, exactly; ends in `/`. */
  readonly baseUrl: string;
  readonly bearer: Config["bearer"];
  readonly ath: Config["ath"];
  readonly egressAllow: readonly string[];
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly safeFetch: SafeFetch;
}

export interface Provider {
  readonly issuer: string;
  /** Is this a path of {@link Provider.handle}? */
  owns(path: string): boolean;
  /**
   * Answers everything under `/.oidc/` but the doors, and the two discovery documents.
   * @param ip The client's address, when a trusted proxy names it.
   */
  handle(request: IncomingMessage, response: ServerResponse, ip?: string): Promise<void>;
  /** In process; made at the first use. */
  publicKeys(): Promise<readonly Jwk[]>;
  readonly doors: {
    /** `GET /.oidc/interaction/:uid` */
    readonly question: Door;
    /** `POST /.oidc/interaction/:uid` */
    readonly answer: Door;
    /** `POST /.oidc/session-token` */
    readonly sessionToken: Door;
  };
  /** Applications that the account has let in. */
  consentedApps(accountId: string): Promise<readonly ConsentedApp[]>;
  revoke(accountId: string, grantId: string): Promise<boolean>;
  /** To be called when the account logs out of our own pages. */
  signOut(accountId: string): Promise<void>;
  /** Removes expired state; to be called about hourly. */
  sweep(): Promise<number>;
}

const DISCOVERY: ReadonlySet<string> = new Set(["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]);
const OPEN_TO_ALL_ORIGINS: ReadonlySet<string> = new Set([
  ...DISCOVERY,
  ...["jwks", "token", "token/revocation", "reg", "request", "userinfo"].map((name) => OIDC_PATH + name),
]);
const CORS_SECONDS = "7200";
const LIBRARY_PROOF_WINDOW_MS = 2 * 300_000; // The library takes proofs up to five minutes early or late.
const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'",
} as const;

export function createProvider(dependencies: ProviderDependencies): Provider {
  const { baseUrl, bearer, ath, egressAllow, limits, now, log, store, accounts, safeFetch } = dependencies;
  const { host, protocol, origin } = new URL(baseUrl);
  const keys = createProviderKeys(store);
  const clients = createClientLookup({ accounts, safeFetch, egressAllow, limits, now });
  const caller = new AsyncLocalStorage<{ readonly ip: string | undefined }>();
  const registrations = createBudget(limits.registrationsPerIpMax, 60_000, now);
  const authorizations = createBudget(limits.authorizationsPerIpMax, 60_000, now);
  const replay = createReplayMemory({
    retentionMs: LIBRARY_PROOF_WINDOW_MS + 1_000,
    capacity: limits.proofsRemembered,
    perPayerMax: limits.proofsPerKeyMax,
    now,
  });
  const verifyProof = createProofVerifier({ limits, ath, now, isReplayed: replay.has });
  const epoch = (): number => Math.floor(now().getTime() / 1_000);
  const state = createProviderState({
    store,
    now,
    alreadyUsed: () => alreadyUsed(),
    prepareClient: (metadata) => {
      try {
        checkRedirects(metadata, egressAllow);
      } catch (cause) {
        throw invalidClient((cause as Error).message);
      }
      const { client_secret: secret, ...rest } = metadata;
      return typeof secret === "string" ? { ...rest, client_secret: hashSecret(secret) } : rest;
    },
  });
  let alreadyUsed = (): Error => new Error("used twice");
  let invalidClient = (message: string): Error => new Error(message);
  let loading: Promise<OidcProvider> | undefined;

  /** Registered clients come from the store; all others from here. */
  function withClients(adapter: ProviderState["adapter"]): ProviderState["adapter"] {
    return (model) => {
      const stored = adapter(model);
      if (model !== "Client") return stored;
      return {
        ...stored,
        find: async (id) => {
          try {
            const found = (await clients.find(id, caller.getStore()?.ip)) ?? (await stored.find(id));
            return found ? { ...found, dpop_bound_access_tokens: !bearer } : undefined;
          } catch (error) {
            if (error instanceof ClientError) throw invalidClient(error.message);
            if (error instanceof Problem && error.code === "fetch-failed") throw invalidClient("The application's document could not be fetched");
            throw error;
          }
        },
      };
    };
  }

  /** An ID token of Solid-OIDC. @see https://solidproject.org/TR/oidc#tokens-id */
  async function issueIdToken(token: IdTokenInstance): Promise<string> {
    const { clientId, idTokenSignedResponseAlg = "ES256" } = token.client;
    const { AccessToken } = (token.ctx?.oidc.entities ?? {}) as { AccessToken?: { jkt?: string } };
    return signIdToken(await token.payload(), clientId, AccessToken?.jkt, idTokenSignedResponseAlg as SigningAlgorithm);
  }

  function signIdToken(claims: Readonly<Record<string, unknown>>, clientId: string, jkt: string | undefined, alg: SigningAlgorithm = "ES256"): Promise<string> {
    const times = { iat: epoch(), exp: epoch() + Math.floor(limits.credentialTokenMsMax / 1_000) };
    const confirmation = jkt === undefined ? {} : { cnf: { jkt } };
    return keys.sign({ ...claims, iss: baseUrl, aud: [clientId, "solid"], azp: clientId, ...times, ...confirmation }, "JWT", alg);
  }

  /** A program's token answers who it acts for, too: clients read the WebID from an ID token. */
  async function addIdToken({ oidc, body }: KoaContextWithOIDC): Promise<void> {
    const { ClientCredentials } = (oidc?.entities ?? {}) as { ClientCredentials?: { clientId: string; jkt?: string } };
    if (!ClientCredentials || typeof body !== "object" || body === null || !("access_token" in body)) return;
    const credential = await accounts.credentialOf(ClientCredentials.clientId);
    if (!credential) return;
    const claims = { sub: credential.webid, webid: credential.webid };
    Object.assign(body, { scope: "openid webid", id_token: await signIdToken(claims, ClientCredentials.clientId, ClientCredentials.jkt) });
  }

  async function load(): Promise<OidcProvider> {
    const [{ Provider: Library, errors }, jwks, cookieSecrets] = await Promise.all([
      import("oidc-provider"),
      keys.privateJwks(),
      keys.cookieSecrets(),
    ]);
    alreadyUsed = () => new errors.InvalidGrant("used twice at once");
    invalidClient = (message) => new errors.InvalidClientMetadata(message);
    const oidc = new Library(
      baseUrl,
      providerSettings({
        baseUrl, bearer, limits, accounts, jwks, cookieSecrets, errors, now,
        state: { ...state, adapter: withClients(state.adapter) },
        fetch: fetchForLibrary,
      }),
    );
    oidc.proxy = true; // Host and scheme are what handle() says they are: those of the base URL.
    oidc.on("server_error", (_, error) => log.error("oidc.failed", { cause: error.stack ?? error.message }));
    (oidc as EventEmitter).on("error", (error: Error) => log.error("oidc.failed", { cause: error.stack ?? error.message }));
    oidc.use(async (ctx, next) => {
      await next();
      await addIdToken(ctx as KoaContextWithOIDC);
    });
    const { Client, IdToken, ReplayDetection } = changeable(oidc);
    Client.prototype.compareClientSecret = function compareClientSecret(given) {
      return isSecret(this.clientSecret, given);
    };
    const issue = IdToken.prototype.issue;
    IdToken.prototype.issue = function issueSolid(options) {
      return options.use === "idtoken" ? issueIdToken(this) : issue.call(this, options);
    };
    // Exact and in memory, instead of a record for each request.
    ReplayDetection.unique = async (client, jti) => replay.admit(client, jti, [client]);
    return oidc;
  }

  function provider(): Promise<OidcProvider> {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  /** Whatever the library wants to read elsewhere goes through the one gate. */
  async function fetchForLibrary(input: string | URL | Request): Promise<Response> {
    const ip = caller.getStore()?.ip;
    const { bytes, headers, status } = await safeFetch(input instanceof Request ? input.url : String(input), {
      accept: "application/json",
      bytesMax: limits.egressClientBytesMax,
      kind: "client",
      ...(ip === undefined ? {} : { ip }),
    });
    return new Response(Buffer.from(bytes), { status, headers: { "content-type": headers["content-type"] ?? "" } });
  }

  function sendJson(response: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
    response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
    response.end(JSON.stringify(value));
  }

  /** No credentials of the browser count here, so every origin may read. @returns true when that was the whole answer. */
  function answerCors(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    if (!OPEN_TO_ALL_ORIGINS.has(path)) return false;
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "WWW-Authenticate, Retry-After");
    if (request.method !== "OPTIONS") return false;
    response.writeHead(204, {
      "access-control-allow-methods": "GET, HEAD, POST",
      "access-control-allow-headers": request.headers["access-control-request-headers"] ?? "authorization, content-type, dpop",
      "access-control-max-age": CORS_SECONDS,
    });
    response.end();
    return true;
  }

  function isWithinBudget(method: string | undefined, path: string, ip: string): boolean {
    const network = networkOf(ip);
    if (method === "POST" && path === `${OIDC_PATH}reg`) return registrations(network);
    if (path === `${OIDC_PATH}auth` || path === `${OIDC_PATH}request`) return authorizations(network);
    return true;
  }

  /** Who is logged in, for clients that want to ask. @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfo */
  async function answerUserinfo(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const [, scheme = "", token = ""] = /^(dpop|bearer) +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    try {
      if (token === "") throw new TokenError("Send an access token");
      const claims = readToken(token, baseUrl, limits, now);
      const jwk = (await keys.publicJwks()).find(({ alg, kid }) => alg === claims.alg && kid === claims.kid);
      const isOurs = claims.issuer === baseUrl && jwk !== undefined && (await verifySignature(importJwk(jwk, claims.alg), claims.signed, claims.signature));
      if (!isOurs) throw new TokenError("The access token is not ours");
      if (scheme.toLowerCase() === "bearer" ? claims.thumbprint !== null || !bearer : claims.thumbprint === null) {
        throw new TokenError("The access token does not fit its scheme");
      }
      if (claims.thumbprint !== null) {
        const proof = [request.headers["dpop"]].flat().join(", ") || undefined;
        const { thumbprint, jti } = await verifyProof({ method: request.method ?? "", url: origin + path, proof, accessToken: token });
        if (thumbprint !== claims.thumbprint) throw new TokenError("The access token is bound to another key");
        if (!replay.admit(thumbprint, jti, [claims.webid])) throw new ProofError("The proof was used before");
      }
      sendJson(response, 200, { sub: claims.subject, webid: claims.webid });
    } catch (error) {
      if (!(error instanceof ProofError || error instanceof TokenError)) throw error;
      const refusal = { error: error instanceof ProofError ? "invalid_dpop_proof" : "invalid_token", description: error.message } as const;
      sendJson(response, 401, { error: refusal.error, error_description: refusal.description }, { "www-authenticate": challenge({ baseUrl, bearer }, refusal)["www-authenticate"] });
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse, ip = request.socket.remoteAddress ?? ""): Promise<void> {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    if (answerCors(request, response, path)) return;
    if (!isWithinBudget(request.method, path, ip)) {
      sendJson(response, 429, { error: "temporarily_unavailable", error_description: "Too many requests" }, { "retry-after": "60" });
      return;
    }
    if (path === `${OIDC_PATH}userinfo` && /^(?:GET|POST)$/.test(request.method ?? "")) {
      await answerUserinfo(request, response, path);
      return;
    }
    const oidc = await provider();
    // The library makes addresses from these; nobody but the operator says where this server is.
    Object.assign(request.headers, { host, "x-forwarded-host": host, "x-forwarded-proto": protocol.slice(0, -1) });
    delete request.headers["x-forwarded-for"];
    await caller.run({ ip }, () => oidc.callback()(request, response));
  }

  const { question, answer } = createInteractionDoors({
    baseUrl, limits, accounts, resource: baseUrl,
    provider: async () => provider(),
  });

  return {
    issuer: baseUrl,
    owns: (path) => path.startsWith(OIDC_PATH) || DISCOVERY.has(path),
    handle,
    publicKeys: keys.publicJwks,
    doors: {
      question: (request) => caller.run({ ip: request.ip }, () => question(request)),
      answer: (request) => caller.run({ ip: request.ip }, () => answer(request)),
      /** The owner's own pages use the pod like any application: with a token of their own, bound to a key. */
      async sessionToken(request) {
        requireSameOrigin(request, baseUrl);
        const session = await accounts.sessionOf(request.headers);
        if (!session) throw new Problem("login-required");
        const proof = await verifyProof({ method: request.method, url: request.url.href, proof: request.headers["dpop"], accessToken: null }).catch((error: unknown) => {
          throw error instanceof ProofError ? new Problem("token-invalid", error.message, { cause: error }) : error;
        });
        if (!replay.admit(proof.thumbprint, proof.jti, [session.webid])) throw new Problem("token-invalid", "The proof was used before");
        const expiresIn = Math.floor(limits.pageTokenMsMax / 1_000);
        const client = `${baseUrl}.ui/`;
        const accessToken = await keys.sign(
          {
            iss: baseUrl, sub: session.accountId, webid: session.webid, aud: "solid", client_id: client, azp: client, scope: "webid",
            iat: epoch(), exp: epoch() + expiresIn, jti: randomUUID(), cnf: { jkt: proof.thumbprint },
          },
          "at+jwt",
        );
        return json(200, { access_token: accessToken, token_type: "DPoP", expires_in: expiresIn, webid: session.webid });
      },
    },
    consentedApps: state.consentedApps,
    revoke: state.revoke,
    signOut: state.signOut,
    sweep: state.sweep,
  };
}
