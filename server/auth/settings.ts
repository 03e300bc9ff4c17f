/** How the provider library is set up: every choice in one place. */
import type {
  Configuration,
  KoaContextWithOIDC,
  errors as OidcErrors,
  Provider as OidcProvider,
} from "oidc-provider";
import type { Limits } from "../limits.ts";
import type { Accounts } from "./accounts.ts";
import type { ProviderState } from "./adapter.ts";
import { SCOPES } from "./clients.ts";
import { type Jwk, SIGNING_ALGORITHMS } from "./jwk.ts";
import type { SigningAlgorithm } from "./keys.ts";
import { nonceKey } from "./nonce.ts";
import { errorPage, loggedOutPage, logoutPage } from "./pages.ts";

/** All doors of the provider lie under this path; no other looks at its cookies. */
export const OIDC_PATH = "/.oidc/";

export interface SettingsInput {
  readonly baseUrl: string;
  readonly bearer: boolean;
  readonly dpopNonce: boolean;
  readonly limits: Limits;
  readonly accounts: Accounts;
  readonly state: ProviderState;
  readonly jwks: readonly Jwk[];
  readonly cookieSecrets: readonly string[];
  readonly fetch: NonNullable<Configuration["fetch"]>;
  readonly errors: typeof OidcErrors;
  readonly now: () => Date;
}

const seconds = (ms: number): number => Math.max(1, Math.floor(ms / 1_000));

/** @returns the claims that every access token carries; Solid servers know people by WebID. */
async function webIdClaims(
  { accounts, errors }: SettingsInput,
  token: { readonly kind: string; readonly accountId?: string; readonly clientId?: string | undefined },
): Promise<Record<string, unknown>> {
  const webid =
    token.kind === "ClientCredentials"
      ? ((await accounts.credentialOf(token.clientId ?? ""))?.webid ?? null)
      : await accounts.webIdOf(token.accountId ?? "");
  if (webid === null) throw new errors.InvalidGrant("There is no account for this token");
  return { webid, azp: token.clientId };
}

/** A client may have its token made for one purpose: then it is good for no consent for another. */
function purposeClaim({ oidc }: KoaContextWithOIDC): Record<string, unknown> {
  const purpose = oidc.body?.["purpose"];
  return typeof purpose === "string" && PURPOSE.test(purpose) ? { purpose } : {};
}
const PURPOSE = /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]{1,500}$/i;

/** A consent is remembered with the account, not with the browser. */
async function loadExistingGrant({ state }: SettingsInput, { oidc }: KoaContextWithOIDC) {
  const { accountId } = oidc.session ?? {};
  const clientId = oidc.client?.clientId;
  if (accountId === undefined || clientId === undefined) return undefined;
  const remembered = await state.grantIdFor(accountId, clientId);
  return remembered === null ? undefined : oidc.provider.Grant.find(remembered);
}

/** @see https://github.com/panva/node-oidc-provider/tree/main/docs#configuration-options */
export function providerSettings(input: SettingsInput): Configuration {
  const { baseUrl, bearer, limits, accounts, state, errors, now } = input;
  const isSecure = baseUrl.startsWith("https:");
  const cookie = {
    httpOnly: true,
    sameSite: "lax",
    path: isSecure ? "/" : OIDC_PATH, // As `__Host-` wants it.
    signed: true,
    secure: isSecure,
  } as const;
  // No sister host can plant a login of its own in somebody's browser: that is what `__Host-` is for.
  const prefix = isSecure ? "__Host-" : "";
  return {
    adapter: state.adapter,
    jwks: { keys: input.jwks },
    fetch: input.fetch,
    cookies: {
      keys: [...input.cookieSecrets],
      names: {
        session: `${prefix}oidc-session`,
        interaction: `${prefix}oidc-interaction`,
        resume: `${isSecure ? "__Secure-" : ""}oidc-resume`, // Of one login's path, which the library chooses.
      },
      long: cookie, // Lax: applications send people here from other sites.
      short: cookie,
    },
    routes: {
      authorization: `${OIDC_PATH}auth`,
      end_session: `${OIDC_PATH}session/end`,
      jwks: `${OIDC_PATH}jwks`,
      pushed_authorization_request: `${OIDC_PATH}request`,
      registration: `${OIDC_PATH}reg`,
      revocation: `${OIDC_PATH}token/revocation`,
      token: `${OIDC_PATH}token`,
    },
    discovery: {
      claim_types_supported: ["normal"],
      userinfo_endpoint: `${baseUrl}${OIDC_PATH.slice(1)}userinfo`, // Ours: access tokens are for Solid, which the library's would refuse.
    },
    scopes: [...SCOPES],
    claims: { openid: ["sub", "azp"], webid: ["webid"] },
    subjectTypes: ["public"],
    responseTypes: ["code"],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false, // What is compared is what was said, twice.
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
    clientDefaults: {
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      id_token_signed_response_alg: "ES256",
      dpop_bound_access_tokens: !bearer,
    },
    enabledJWA: {
      idTokenSigningAlgValues: ["ES256", "RS256"],
      dPoPSigningAlgValues: [...SIGNING_ALGORITHMS] as never,
    },
    conformIdTokenClaims: false, // The WebID stands in the ID token, not behind another request.
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: {
        enabled: true,
        ...(input.dpopNonce && {
          nonceSecret: nonceKey(input.cookieSecrets[0] ?? ""),
          requireNonce: () => true,
        }),
      },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      revocation: {
        enabled: true,
        allowedPolicy: async (_, client, token) => client.clientId === token.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => baseUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => {
          if (resource !== baseUrl) throw new errors.InvalidTarget();
          return {
            scope: "webid",
            audience: "solid",
            accessTokenFormat: "jwt",
            jwt: { sign: { alg: "ES256" } },
          };
        },
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => {
          ctx.body = logoutPage(form);
        },
        postLogoutSuccessSource: async (ctx) => {
          ctx.body = loggedOutPage();
        },
      },
    },
    ttl: {
      AccessToken: seconds(limits.accessTokenMsMax),
      AuthorizationCode: 60,
      ClientCredentials: seconds(limits.credentialTokenMsMax),
      Grant: seconds(limits.refreshTokenMsMax),
      IdToken: seconds(limits.credentialTokenMsMax),
      Interaction: seconds(limits.interactionMsMax),
      RefreshToken: (_, token) => {
        const end = (token.iiat ?? now().getTime() / 1_000) * 1_000 + limits.refreshTokenMsMax;
        return seconds(Math.min(limits.refreshTokenIdleMsMax, end - now().getTime()));
      },
      Session: seconds(limits.sessionIdleMsMax),
    },
    rotateRefreshToken: true,
    clientBasedCORS: () => true,
    findAccount: async (_, accountId) => {
      const webid = await accounts.webIdOf(accountId);
      if (webid === null) return undefined;
      return { accountId, claims: async () => ({ sub: accountId, webid }) };
    },
    extraTokenClaims: async (ctx, token) => ({ ...(await webIdClaims(input, token)), ...purposeClaim(ctx) }),
    loadExistingGrant: (ctx) => loadExistingGrant(input, ctx),
    interactions: { url: (_, { uid }) => `${baseUrl}.account/consent?uid=${uid}` },
    renderError: async (ctx, out) => {
      ctx.type = "html";
      ctx.body = errorPage(out);
    },
  };
}

/** The parts of the library's classes that we change. */
export interface Changeable {
  readonly Client: {
    prototype: { clientSecret?: string; compareClientSecret(secret: string): boolean };
    find: (id: string | readonly string[]) => Promise<unknown>;
  };
  readonly IdToken: { prototype: IdTokenInstance };
  readonly ReplayDetection: { unique(issuer: string, jti: string, exp: number): Promise<boolean> };
}

export interface IdTokenInstance {
  readonly client: { readonly clientId: string; readonly idTokenSignedResponseAlg?: SigningAlgorithm };
  readonly ctx?: KoaContextWithOIDC;
  payload(): Promise<Record<string, unknown>>;
  issue: (this: IdTokenInstance, options: { use: string; expiresAt?: number | null }) => Promise<string>;
}

/** The library does not type the places where it may be changed; they are named here, once. */
export function changeable(provider: OidcProvider): Changeable {
  return provider as unknown as Changeable;
}
