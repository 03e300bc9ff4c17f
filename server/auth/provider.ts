/** The Solid-OIDC provider of this server's own people: its doors, its addresses, and what it owes other origins. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "../body.ts";
import type { Config } from "../config.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Door, Result } from "../operation.ts";
import { createRate, networkOf, retryAfter } from "../rates.ts";
import { type Reach, UNNARROWED } from "../reach.ts";
import type { SafeFetch } from "../safe-fetch.ts";
import type { Store } from "../store/store.ts";
import type { Accounts } from "./accounts.ts";
import type { ProviderState } from "./adapter.ts";
import { createInteractionDoors } from "./interaction.ts";
import { createProviderKeys, type ProviderKeys } from "./keys.ts";
import { createLibrary } from "./library.ts";
import { createNonces, type Nonces, nonceKey } from "./nonce.ts";
import { createOwnTokens, ownPages } from "./own-tokens.ts";
import { createReplayMemory } from "./replay.ts";
import { OIDC_PATH } from "./settings.ts";

export interface ProviderDependencies {
  /** The issuer, exactly; ends in `/`. */
  readonly baseUrl: string;
  readonly bearer: Config["bearer"];
  readonly ath: Config["ath"];
  readonly dpopNonce: Config["dpopNonce"];
  readonly egressAllow: readonly string[];
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly safeFetch: SafeFetch;
}

/** Beside its doors: what the account pages may ask of it, and its upkeep. */
export interface Provider
  extends Pick<ProviderState, "consentedApps" | "narrow" | "revoke" | "signOut" | "forget" | "sweep"> {
  readonly issuer: string;
  /**
   * What a person lets a client do at the pods of this server. The person's own programs (client credentials) and our
   * own pages are not narrowed; null is for apps that were never let in or were shown out, and programs disconnected.
   */
  readonly reachOf: (webid: string, client: string) => Promise<Reach | null>;
  /** Is this a path of {@link Provider.handle}? */
  readonly owns: (path: string) => boolean;
  /**
   * Answers everything under `/.oidc/` but the doors, and the two discovery documents.
   * @param ip The client's address, when a trusted proxy names it.
   */
  readonly handle: (request: IncomingMessage, response: ServerResponse, ip?: string) => Promise<void>;
  /** The pods' own, from the provider's secret; null where proofs need none. */
  readonly nonces: Nonces | null;
  /** In process; made at the first use. */
  readonly publicKeys: ProviderKeys["publicJwks"];
  /** For what the server says in its own name, under the keys that {@link Provider.publicKeys} shows. */
  readonly signing: Pick<ProviderKeys, "sign" | "signText">;
  readonly doors: {
    /** `GET /.oidc/interaction/:uid` */
    readonly question: Door;
    /** `POST /.oidc/interaction/:uid` */
    readonly answer: Door;
    /** `POST /.oidc/session-token` */
    readonly sessionToken: Door;
  };
}

const DISCOVERY: ReadonlySet<string> = new Set([
  "/.well-known/openid-configuration",
  "/.well-known/oauth-authorization-server",
]);
const USERINFO = `${OIDC_PATH}userinfo`;
const OPEN_TO_ALL_ORIGINS: ReadonlySet<string> = new Set([
  ...DISCOVERY,
  USERINFO,
  ...["jwks", "token", "token/revocation", "reg", "request"].map((name) => OIDC_PATH + name),
]);
/** The library's router forgives spellings; here an address is what it is, so that no budget can be gone around. */
const ROUTES =
  /^\/\.oidc\/(?:auth(?:\/[\w-]+)?|session\/end(?:\/confirm|\/success)?|jwks|request|reg|token(?:\/revocation)?)$/;
const CORS_SECONDS = "7200";
const PROOF_WINDOW_MS = 2 * 300_000 + 1_000; // The library takes proofs up to five minutes early or late.
const SECURITY_HEADERS = Object.entries({
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  // No script at all: what people upload into pods has this origin, too.
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
});

/** Credentials of the browser count at none of these, so every origin may read. @returns true when that was all. */
function answerCors(request: IncomingMessage, response: ServerResponse, path: string): boolean {
  if (!OPEN_TO_ALL_ORIGINS.has(path)) return false;
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-expose-headers", "WWW-Authenticate, Retry-After, DPoP-Nonce");
  if (request.method !== "OPTIONS") return false;
  response.writeHead(204, {
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers":
      request.headers["access-control-request-headers"] ?? "authorization, content-type, dpop",
    "access-control-max-age": CORS_SECONDS,
  });
  response.end();
  return true;
}

function send(response: ServerResponse, { status, headers, body }: Result): void {
  response.writeHead(status, headers as Record<string, string>);
  response.end(body);
}

/** @see https://solidproject.org/TR/oidc */
export function createProvider(dependencies: ProviderDependencies): Provider {
  const { baseUrl, limits, now, store, accounts } = dependencies;
  const { host, origin, protocol } = new URL(baseUrl);
  const caller = new AsyncLocalStorage<{ readonly ip: string }>();
  const keys = createProviderKeys({ store, now, limits });
  const registrations = createRate(limits.registrationsPerIpMax, 60_000, limits.ratesRemembered, now);
  const authorizations = createRate(limits.authorizationsPerIpMax, 60_000, limits.ratesRemembered, now);
  const replay = createReplayMemory({
    retentionMs: PROOF_WINDOW_MS,
    capacity: limits.proofsRemembered,
    perPayerMax: limits.proofsPerKeyMax,
    now,
  });
  const { load, state } = createLibrary({
    ...dependencies,
    keys,
    replay,
    currentIp: () => caller.getStore()?.ip,
  });
  const reachOf: Provider["reachOf"] = async (webid, client) => {
    if (client === ownPages(baseUrl)) return UNNARROWED;
    const [reach, program] = await Promise.all([state.reachOf(webid, client), accounts.credentialOf(client)]);
    return reach ?? (program?.webid === webid ? UNNARROWED : null);
  };
  const nonces = dependencies.dpopNonce
    ? createNonces(async () => nonceKey((await keys.cookieSecrets())[0] ?? ""), now)
    : null;
  const { sessionToken, userinfo } = createOwnTokens({ ...dependencies, keys, replay, nonces, reachOf });
  const { question, answer } = createInteractionDoors({
    ...dependencies,
    provider: load,
    noteConsent: state.noteConsent,
    reachOf: state.reachOf,
    grantIdFor: state.grantIdFor,
    resource: baseUrl,
  });

  /** What makes a record costs a try. @returns how long the network must wait, in ms. */
  function waitFor(method: string | undefined, path: string, ip: string): number {
    if (method === "POST" && path === `${OIDC_PATH}reg`) return registrations(networkOf(ip));
    if (path === `${OIDC_PATH}auth` || path === `${OIDC_PATH}request`) return authorizations(networkOf(ip));
    return 0;
  }

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    ip = request.socket.remoteAddress ?? "",
  ): Promise<void> {
    const { headers, method = "GET" } = request;
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
    if (answerCors(request, response, path)) return;
    const wait = waitFor(method, path, ip);
    if (wait > 0) {
      const busy = { error: "temporarily_unavailable", error_description: "Too many requests" };
      send(response, json(429, busy, retryAfter(wait)));
      return;
    }
    if (path === USERINFO && (method === "GET" || method === "POST")) {
      const proof = headers["dpop"];
      const fields = {
        authorization: headers.authorization,
        dpop: proof === undefined ? proof : String(proof),
      };
      send(response, await userinfo({ method, url: origin + path, headers: fields, ip }));
      return;
    }
    if (!ROUTES.test(path) && !DISCOVERY.has(path)) {
      send(response, json(404, { error: "invalid_request", error_description: "There is nothing here" }));
      return;
    }
    const oidc = await load();
    // The library makes addresses from these; nobody but the operator says where this server is.
    Object.assign(headers, { host, "x-forwarded-host": host, "x-forwarded-proto": protocol.slice(0, -1) });
    delete headers["x-forwarded-for"];
    await caller.run({ ip }, () => oidc.callback()(request, response));
  }

  const onBudgetOf =
    (door: Door): Door =>
    (request) =>
      caller.run({ ip: request.ip }, () => door(request));

  return {
    issuer: baseUrl,
    owns: (path) => path.startsWith(OIDC_PATH) || DISCOVERY.has(path),
    handle,
    publicKeys: keys.publicJwks,
    nonces,
    signing: keys,
    doors: { question: onBudgetOf(question), answer: onBudgetOf(answer), sessionToken },
    reachOf,
    consentedApps: state.consentedApps,
    narrow: state.narrow,
    revoke: state.revoke,
    signOut: state.signOut,
    forget: state.forget,
    async sweep() {
      await keys.renew();
      return state.sweep();
    },
  };
}
