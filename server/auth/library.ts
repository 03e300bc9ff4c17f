/** oidc-provider, loaded at its first use and taught what Solid wants of it. */
import type { EventEmitter } from "node:events";
import type { ParsedUrlQuery } from "node:querystring";
import type { KoaContextWithOIDC, Provider as OidcProvider } from "oidc-provider";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { SafeFetch } from "../safe-fetch.ts";
import type { Store } from "../store/store.ts";
import type { Accounts } from "./accounts.ts";
import { createProviderState, type ProviderState } from "./adapter.ts";
import {
  ClientError,
  checkRedirects,
  checkSize,
  createClientLookup,
  hashSecret,
  isSecret,
} from "./clients.ts";
import { decodePart, type Jwk } from "./jwk.ts";
import type { ProviderKeys, SigningAlgorithm } from "./keys.ts";
import type { ReplayMemory } from "./replay.ts";
import { changeable, type IdTokenInstance, OIDC_PATH, providerSettings } from "./settings.ts";

export interface LibraryDependencies {
  readonly baseUrl: string;
  readonly bearer: boolean;
  readonly dpopNonce: boolean;
  readonly egressAllow: readonly string[];
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly safeFetch: SafeFetch;
  readonly keys: ProviderKeys;
  readonly replay: ReplayMemory;
  /** Address of the client whose request is being answered: fetches are on its budget. */
  readonly currentIp: () => string | undefined;
}

export interface Library {
  readonly state: ProviderState;
  /** The same each time, until its keys are renewed; a failed start is tried again. */
  readonly load: () => Promise<OidcProvider>;
}

/** Makers of the library's own errors, which are known only after it is loaded. */
interface Errors {
  readonly usedTwice: () => Error;
  readonly invalidClient: (message: string) => Error;
  readonly tooMany: () => Error;
}

const END_SESSION = `${OIDC_PATH}session/end`;

/**
 * At a logout the hint names the client already. The library compares a `client_id` beside it to the hint's audience as a
 * whole, and so would refuse the right one; a wrong one stays, and is refused.
 */
function withoutTwin(query: ParsedUrlQuery): ParsedUrlQuery {
  const { client_id: client, id_token_hint: hint, ...rest } = query;
  if (typeof client !== "string" || typeof hint !== "string") return query;
  return decodePart(hint.split(".")[1] ?? "")?.["azp"] === client ? { ...rest, id_token_hint: hint } : query;
}

/** Nothing is loaded before the first use: the library is heavy, and many pods have no login for days. */
export function createLibrary(dependencies: LibraryDependencies): Library {
  const {
    baseUrl,
    bearer,
    dpopNonce,
    egressAllow,
    limits,
    now,
    log,
    store,
    accounts,
    safeFetch,
    keys,
    replay,
    currentIp,
  } = dependencies;
  const clients = createClientLookup({ baseUrl, accounts, safeFetch, egressAllow, limits, now });
  const epoch = (): number => Math.floor(now().getTime() / 1_000);
  let errors: Errors = {
    usedTwice: () => new Error("used twice"),
    invalidClient: (text) => new Error(text),
    tooMany: () => new Error("too many requests"),
  };
  let loading: { readonly keys: string; readonly library: Promise<OidcProvider> } | undefined;

  const state = createProviderState({
    store,
    now,
    alreadyUsed: () => errors.usedTwice(),
    prepareClient(metadata) {
      try {
        checkRedirects(metadata, egressAllow);
        checkSize(metadata, limits.egressClientBytesMax);
      } catch (cause) {
        throw errors.invalidClient((cause as Error).message);
      }
      const { client_secret: secret, ...rest } = metadata;
      return typeof secret === "string" ? { ...rest, client_secret: hashSecret(secret) } : rest;
    },
  });

  /** Our refusals in the library's words. */
  function translate(error: unknown): unknown {
    if (error instanceof ClientError) return errors.invalidClient(error.message);
    if (!(error instanceof Problem)) return error;
    if (error.code === "fetch-failed") {
      return errors.invalidClient("The application's document could not be fetched");
    }
    return error.code === "too-many-requests" ? errors.tooMany() : error;
  }

  /** Registered clients come from the store; all others from their documents and the accounts. */
  const adapter: ProviderState["adapter"] = (model) => {
    const stored = state.adapter(model);
    if (model !== "Client") return stored;
    return {
      ...stored,
      async find(id) {
        try {
          const found = (await clients.find(id, currentIp())) ?? (await stored.find(id));
          return found ? { ...found, dpop_bound_access_tokens: !bearer } : undefined;
        } catch (error) {
          throw translate(error);
        }
      },
    };
  };

  /** An ID token of Solid-OIDC. @see https://solidproject.org/TR/oidc#tokens-id */
  function signIdToken(
    claims: Readonly<Record<string, unknown>>,
    clientId: string,
    jkt: string | undefined,
    alg: SigningAlgorithm = "ES256",
  ): Promise<string> {
    const times = { iat: epoch(), exp: epoch() + Math.floor(limits.credentialTokenMsMax / 1_000) };
    const confirmation = jkt === undefined ? {} : { cnf: { jkt } };
    const audience = { aud: [clientId, "solid"], azp: clientId };
    return keys.sign({ ...claims, iss: baseUrl, ...audience, ...times, ...confirmation }, "JWT", alg);
  }

  async function issueIdToken(token: IdTokenInstance): Promise<string> {
    const { clientId, idTokenSignedResponseAlg } = token.client;
    const { AccessToken } = (token.ctx?.oidc.entities ?? {}) as { AccessToken?: { jkt?: string } };
    return signIdToken(await token.payload(), clientId, AccessToken?.jkt, idTokenSignedResponseAlg);
  }

  /** A program's answer says who it acts for, too: clients read the WebID from an ID token. */
  async function addIdToken({ oidc, body }: KoaContextWithOIDC): Promise<void> {
    const { ClientCredentials: token } = (oidc?.entities ?? {}) as {
      ClientCredentials?: { clientId: string; jkt?: string };
    };
    if (!token || typeof body !== "object" || body === null || !("access_token" in body)) return;
    const credential = await accounts.credentialOf(token.clientId);
    if (!credential) return;
    const claims = { sub: credential.webid, webid: credential.webid };
    const idToken = await signIdToken(claims, token.clientId, token.jkt);
    Object.assign(body, { scope: "openid webid", id_token: idToken });
  }

  /** Whatever else the library wants to read goes through the one gate. */
  async function fetchForLibrary(input: string | URL | Request): Promise<Response> {
    const ip = currentIp();
    const { bytes, headers, status } = await safeFetch(input instanceof Request ? input.url : String(input), {
      accept: "application/json",
      bytesMax: limits.egressClientBytesMax,
      kind: "client",
      ...(ip === undefined ? {} : { ip }),
    });
    return new Response(Buffer.from(bytes), {
      status,
      headers: { "content-type": headers["content-type"] ?? "" },
    });
  }

  function teach(oidc: OidcProvider): void {
    oidc.proxy = true; // Host and scheme are what `handle` says they are: those of the base URL.
    const report = (error: Error): void => log.error("oidc.failed", { cause: error.stack ?? error.message });
    oidc.on("server_error", (_, error) => report(error));
    (oidc as EventEmitter).on("error", report);
    oidc.use(async (ctx, next) => {
      if (ctx.path === END_SESSION) ctx.query = withoutTwin(ctx.query);
      await next();
      await addIdToken(ctx as KoaContextWithOIDC);
    });
    const { Client, IdToken, ReplayDetection } = changeable(oidc);
    // At a logout the library looks for the client by the hint's whole audience, which for Solid is two.
    const find = Client.find.bind(Client);
    Client.find = (id) => find(Array.isArray(id) ? String(id.find((one) => one !== "solid")) : id);
    Client.prototype.compareClientSecret = function compareClientSecret(given) {
      return isSecret(this.clientSecret, given);
    };
    const { issue } = IdToken.prototype;
    IdToken.prototype.issue = function issueSolid(options) {
      return options.use === "idtoken" ? issueIdToken(this) : issue.call(this, options);
    };
    // Exact and in memory, instead of a record for each request.
    ReplayDetection.unique = async (client, jti) => {
      try {
        return replay.admit(client, jti, [client]);
      } catch (error) {
        throw translate(error);
      }
    };
  }

  async function start(jwks: readonly Jwk[]): Promise<OidcProvider> {
    const [{ Provider, errors: made }, cookieSecrets] = await Promise.all([
      import("oidc-provider"),
      keys.cookieSecrets(),
    ]);
    errors = {
      usedTwice: () => new made.InvalidGrant("used twice at once"),
      invalidClient: (text) => new made.InvalidClientMetadata(text),
      tooMany: () =>
        Object.assign(new made.TemporarilyUnavailable("too many requests"), { status: 429, statusCode: 429 }),
    };
    const settings = { baseUrl, bearer, dpopNonce, limits, accounts, jwks, cookieSecrets, errors: made, now };
    const oidc = new Provider(
      baseUrl,
      providerSettings({ ...settings, state: { ...state, adapter }, fetch: fetchForLibrary }),
    );
    teach(oidc);
    return oidc;
  }

  return {
    state,
    async load() {
      const jwks = await keys.privateJwks();
      const kids = jwks.map((jwk) => String(jwk["kid"])).join();
      // With other keys it is another one; what it remembers is in the store, not in it.
      if (loading?.keys !== kids) {
        const library = start(jwks);
        const mine = { keys: kids, library };
        loading = mine;
        library.catch(() => {
          if (loading === mine) loading = undefined;
        });
      }
      return loading.library;
    },
  };
}
