/** Who asks, proved: the one place that believes an Authorization header. */
import { hash } from "node:crypto";
import type { Config } from "../config.ts";
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { Lru } from "../lru.ts";
import type { Agent } from "../operation.ts";
import { statedBy } from "../purpose.ts";
import type { Reach } from "../reach.ts";
import { type Refusal, refuseToken } from "./challenge.ts";
import { type GrantTokens, isGrantToken } from "./grant-token.ts";
import { createIssuers, type IssuersDependencies } from "./issuers.ts";
import { verifySignature } from "./jwk.ts";
import type { Nonces } from "./nonce.ts";
import { createProofVerifier, NonceError, type Proof, ProofError } from "./proof.ts";
import { createReplayMemory } from "./replay.ts";
import { readToken, type TokenClaims, TokenError } from "./token.ts";

export interface AgentRequest {
  readonly method: string;
  /** Absolute URL, as this server names it. */
  readonly url: string;
  /** Lower-cased; a repeated field is joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly ip: string;
}

/**
 * @returns the agent; without Authorization, the public with its origin.
 * @throws Problem `token-invalid` with the challenge, `too-many-requests` when memory or a budget is full.
 */
export type AgentVerifier = (request: AgentRequest) => Promise<Agent>;

export interface AgentDependencies extends IssuersDependencies {
  readonly bearer: Config["bearer"];
  readonly ath: Config["ath"];
  /** Absent where proofs need none. */
  readonly nonces?: Nonces | null;
  /** Absent where no grants are exchanged for tokens. */
  readonly grantTokens?: Pick<GrantTokens, "verify">;
  readonly limits: Limits;
  readonly log: Log;
  /** What a person of this server lets an app do; null when nothing (any more). */
  readonly reachOf: (webid: string, client: string) => Promise<Reach | null>;
}

/** A token whose signature and issuer were verified. */
interface Known {
  readonly webid: WebId;
  readonly client: string | null;
  readonly issuer: string;
  readonly purpose: string | null;
  readonly thumbprint: string | null;
  readonly until: number;
}

const SPARE_MS = 1_000; // Clocks are read more than once on the way.

function splitAuthorization(value: string): { scheme: string; token: string } {
  const [, scheme = "", token = ""] = /^([a-z]+) +([\w.~+/-]+=*)$/i.exec(value) ?? [];
  return { scheme: scheme.toLowerCase(), token };
}

/** @see https://www.rfc-editor.org/rfc/rfc9449#section-7 https://solidproject.org/TR/oidc#resource */
export function createAgentVerifier(dependencies: AgentDependencies): AgentVerifier {
  const { baseUrl, bearer, ath, nonces = null, grantTokens, limits, now, log, reachOf } = dependencies;
  const issuers = createIssuers(dependencies);
  const known = new Lru<string, Known>(limits.agentsKept);
  const replay = createReplayMemory({
    retentionMs: limits.proofPastMsMax + limits.proofFutureMsMax + SPARE_MS,
    capacity: limits.proofsRemembered,
    perPayerMax: limits.proofsPerKeyMax,
    now,
  });
  const verifyProof = createProofVerifier({ limits, ath, now, nonces, isReplayed: replay.has });

  function refuse(error: Refusal["error"], description: string, cause: unknown, nonce?: string): Problem {
    log.debug("auth.refused", { error, description });
    const refusal = { error, description, ...(nonce !== undefined && { nonce }) };
    return refuseToken({ baseUrl, bearer }, refusal, cause);
  }

  /** Everything in here may fetch, so it comes after all that can be judged locally. */
  async function verifyToken(claims: TokenClaims, ip: string): Promise<Known> {
    const keys = await issuers.keysFor(claims.issuer, claims.alg, claims.kid, ip);
    let isSigned = false;
    for (const key of keys) isSigned ||= await verifySignature(key, claims.signed, claims.signature);
    if (!isSigned) throw new TokenError("The access token's signature is wrong");
    if (!(await issuers.isTrusted(claims.webid, claims.issuer, ip)))
      throw new TokenError("The WebID does not name this issuer");
    const { webid, client, issuer, purpose, thumbprint, expires } = claims;
    return {
      webid,
      client,
      issuer,
      purpose,
      thumbprint,
      until: Math.min(expires, now().getTime() + limits.agentMsKept),
    };
  }

  function checkBinding({ thumbprint }: Pick<Known, "thumbprint">, proof: Proof | null): void {
    if (proof && thumbprint !== proof.thumbprint)
      throw new TokenError("The access token is bound to another key");
    if (!proof && thumbprint !== null)
      throw new TokenError("The access token is bound to a key and needs a proof");
  }

  async function prove(token: string, proof: Proof | null, ip: string): Promise<Known> {
    const key = hash("sha256", token, "base64");
    const found = known.get(key);
    if (found && found.until > now().getTime()) {
      checkBinding(found, proof);
      return found;
    }
    const claims = readToken(token, baseUrl, limits, now);
    checkBinding(claims, proof);
    const verified = await verifyToken(claims, ip);
    known.set(key, verified, 1);
    return verified;
  }

  async function verify({ method, url, headers, ip }: AgentRequest, authorization: string): Promise<Known> {
    const { scheme, token } = splitAuthorization(authorization);
    if (token === "" || (scheme !== "dpop" && scheme !== "bearer"))
      throw new TokenError("Authorization wants DPoP and an access token");
    if (scheme === "bearer" && !bearer) throw new TokenError("Bearer tokens are not accepted");
    if (token.length > limits.tokenBytesMax)
      throw new TokenError(`An access token has at most ${limits.tokenBytesMax} bytes`);
    const proof =
      scheme === "dpop"
        ? await verifyProof({ method, url, proof: headers["dpop"], accessToken: token })
        : null;
    const agent = await prove(token, proof, ip);
    // Ours end before their time when the person shows the app out; access itself is decided at the pod, every time.
    if (agent.issuer === baseUrl && !(agent.client && (await reachOf(agent.webid, agent.client))))
      throw new TokenError("The person has taken back what this token stands for");
    if (proof) {
      // Last, so that only who holds a good token fills the memory; and in one step, so that of fifty one gets in.
      const payers = agent.issuer === baseUrl ? [agent.webid] : [agent.webid, agent.issuer];
      if (!replay.admit(proof.thumbprint, proof.jti, payers))
        throw new ProofError("The proof was used before");
    }
    return agent;
  }

  /** Counts in the pod of its grant alone, and never for what is done with grants themselves. */
  async function byGrant({ url, headers }: AgentRequest, token: string): Promise<Omit<Agent, "origin">> {
    const { pathname } = new URL(url);
    const stated = (token.length <= limits.tokenBytesMax && (await grantTokens?.verify(token))) || null;
    if (!stated) throw new TokenError("The token has ended, or is not of this server");
    const { pod, purpose, ...who } = stated;
    if (!pathname.startsWith(`/${pod}/`) || pathname.startsWith(`/${pod}/.consent/`))
      throw new TokenError("The token stands for a grant, which says nothing of this address");
    return { ...statedBy(headers, purpose), ...who, isOnlyGrant: true };
  }

  return async (request) => {
    const origin = request.headers["origin"] ?? null;
    const authorization = request.headers["authorization"];
    if (authorization === undefined)
      return { webid: null, client: null, issuer: null, origin, ...statedBy(request.headers, null) };
    try {
      const { scheme, token } = splitAuthorization(authorization);
      if (scheme === "bearer" && isGrantToken(token)) return { ...(await byGrant(request, token)), origin };
      const { webid, client, issuer, purpose } = await verify(request, authorization);
      return { webid, client, issuer, origin, ...statedBy(request.headers, purpose) };
    } catch (error) {
      if (error instanceof NonceError) throw refuse("use_dpop_nonce", error.message, error, error.nonce);
      if (error instanceof ProofError) throw refuse("invalid_dpop_proof", error.message, error);
      if (error instanceof TokenError) throw refuse("invalid_token", error.message, error);
      if (error instanceof Problem && error.code === "fetch-failed") {
        const what = error.detail ?? "A document could not be fetched";
        throw refuse("invalid_token", `${what} (needed to verify the access token)`, error);
      }
      // A WebID may be an address that cannot be here: a fault of the token, not of the request.
      const isTheirs =
        error instanceof Problem &&
        error.status < 500 &&
        error.code !== "too-many-requests" &&
        error.code !== "purpose-refused";
      if (isTheirs) throw refuse("invalid_token", "The access token's WebID cannot be read", error);
      throw error;
    }
  };
}
