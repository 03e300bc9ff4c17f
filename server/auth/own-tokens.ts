/** Tokens that we make and read ourselves, without the library: for the owner's own pages, and for userinfo. */
import { randomUUID } from "node:crypto";
import { json } from "../body.ts";
import type { Config } from "../config.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Door, Result } from "../operation.ts";
import type { Reach } from "../reach.ts";
import { requireSameOrigin } from "../same-origin.ts";
import type { Accounts } from "./accounts.ts";
import type { AgentRequest } from "./agent.ts";
import { challenge, refuseToken } from "./challenge.ts";
import { importJwk, verifySignature } from "./jwk.ts";
import type { ProviderKeys } from "./keys.ts";
import type { Nonces } from "./nonce.ts";
import { createProofVerifier, NonceError, type Proof, ProofError } from "./proof.ts";
import type { ReplayMemory } from "./replay.ts";
import { readToken, type TokenClaims, TokenError } from "./token.ts";

export interface OwnTokensDependencies {
  readonly baseUrl: string;
  readonly bearer: Config["bearer"];
  readonly ath: Config["ath"];
  readonly limits: Limits;
  readonly now: () => Date;
  readonly accounts: Accounts;
  readonly keys: ProviderKeys;
  readonly replay: ReplayMemory;
  /** Null where proofs need none. */
  readonly nonces: Nonces | null;
  /** What a person lets an app do; null when nothing (any more). */
  readonly reachOf: (webid: string, client: string) => Promise<Reach | null>;
}

export interface OwnTokens {
  /** `POST /.oidc/session-token`: the account's cookie and a proof give a short token bound to the proof's key. */
  readonly sessionToken: Door;
  /** Who is logged in, for clients that ask. @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfo */
  readonly userinfo: (request: AgentRequest) => Promise<Result>;
}

/** The client that the owner's own pages are. Nobody else can be called so. */
export const ownPages = (baseUrl: string): string => `${baseUrl}.ui/`;

/** Both doors check proofs as pods do, and share the provider's replay memory. */
export function createOwnTokens(dependencies: OwnTokensDependencies): OwnTokens {
  const { baseUrl, bearer, ath, limits, now, accounts, keys, replay, nonces, reachOf } = dependencies;
  const verifyProof = createProofVerifier({ limits, ath, now, nonces, isReplayed: replay.has });
  // Our own pages prove themselves by the account's cookie; what their key signs is good for nothing without it.
  const verifyOwnPages = createProofVerifier({ limits, ath, now, isReplayed: replay.has });

  function admit({ thumbprint, jti }: Proof, payer: string): string {
    if (!replay.admit(thumbprint, jti, [payer])) throw new ProofError("The proof was used before");
    return thumbprint;
  }

  async function checkOurs(claims: TokenClaims): Promise<void> {
    const jwk = (await keys.publicJwks()).find(({ alg, kid }) => alg === claims.alg && kid === claims.kid);
    const isOurs =
      claims.issuer === baseUrl &&
      jwk !== undefined &&
      (await verifySignature(importJwk(jwk, claims.alg), claims.signed, claims.signature));
    if (!isOurs) throw new TokenError("The access token is not ours");
  }

  async function readOwn({ method, url, headers }: AgentRequest): Promise<TokenClaims> {
    const [, scheme = "", token = ""] = /^(dpop|bearer) +(\S+)$/i.exec(headers["authorization"] ?? "") ?? [];
    if (token === "") throw new TokenError("Send an access token");
    const claims = readToken(token, baseUrl, limits, now);
    await checkOurs(claims);
    const isDpop = scheme.toLowerCase() === "dpop";
    if (isDpop !== (claims.thumbprint !== null) || !(isDpop || bearer)) {
      throw new TokenError("The access token does not fit its scheme");
    }
    if (isDpop) {
      const proof = { method, url, proof: headers["dpop"], accessToken: token };
      const thumbprint = admit(await verifyProof(proof), claims.webid);
      if (thumbprint !== claims.thumbprint) throw new TokenError("The access token is bound to another key");
    }
    if (!(claims.client && (await reachOf(claims.webid, claims.client))))
      throw new TokenError("The person has taken back what this token stands for");
    return claims;
  }

  return {
    async sessionToken(request) {
      requireSameOrigin(request, baseUrl);
      const session = await accounts.sessionOf(request.headers);
      if (!session) throw new Problem("login-required");
      const { method, url, headers } = request;
      let thumbprint: string;
      try {
        const proof = { method, url: url.href, proof: headers["dpop"], accessToken: null };
        thumbprint = admit(await verifyOwnPages(proof), session.webid);
      } catch (error) {
        if (!(error instanceof ProofError)) throw error;
        throw refuseToken(
          { baseUrl, bearer },
          { error: "invalid_dpop_proof", description: error.message },
          error,
        );
      }
      const issued = Math.floor(now().getTime() / 1_000);
      const expiresIn = Math.floor(limits.pageTokenMsMax / 1_000);
      const client = ownPages(baseUrl);
      const whom = {
        iss: baseUrl,
        sub: session.accountId,
        webid: session.webid,
        client_id: client,
        azp: client,
      };
      const what = { aud: "solid", scope: "webid", iat: issued, exp: issued + expiresIn, jti: randomUUID() };
      const token = await keys.sign({ ...whom, ...what, cnf: { jkt: thumbprint } }, "at+jwt");
      return json(200, {
        access_token: token,
        token_type: "DPoP",
        expires_in: expiresIn,
        webid: session.webid,
      });
    },
    async userinfo(request) {
      try {
        const { subject, webid } = await readOwn(request);
        return json(200, { sub: subject, webid });
      } catch (error) {
        if (!(error instanceof ProofError || error instanceof TokenError)) throw error;
        const nonce = error instanceof NonceError ? { "dpop-nonce": error.nonce } : {};
        const fault = error instanceof ProofError ? "invalid_dpop_proof" : "invalid_token";
        const code = error instanceof NonceError ? "use_dpop_nonce" : fault;
        const headers = challenge({ baseUrl, bearer }, { error: code, description: error.message });
        return json(401, { error: code, error_description: error.message }, { ...headers, ...nonce });
      }
    },
  };
}
