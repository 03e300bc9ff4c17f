/** Access tokens: everything that can be judged by looking at them, before any key is fetched. */
import { parseWebId, type WebId } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { COMPACT_JWT, decodePart } from "./jwk.ts";

export interface TokenClaims {
  readonly issuer: string;
  readonly subject: string | null;
  readonly webid: WebId;
  readonly client: string | null;
  /** What it may be used for, where its issuer says so: the address of a purpose. */
  readonly purpose: string | null;
  /** `cnf.jkt`: the key it is bound to; null for a bearer token. */
  readonly thumbprint: string | null;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly alg: string;
  readonly kid: string | null;
  readonly signed: string;
  readonly signature: string;
}

/** The token is not acceptable; `message` says why, in words that may be shown. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

const CLOCK_MS = 60_000; // Issuers' clocks may run ahead by this much.
const KID_LENGTH_MAX = 256;
const ACCESS_TOKEN_TYPES: ReadonlySet<unknown> = new Set(["at+jwt", "application/at+jwt"]);
const UNTYPED: ReadonlySet<unknown> = new Set([undefined, "JWT", "jwt"]);
/** Claims that stand in ID tokens only. */
const ID_TOKEN_CLAIMS = ["nonce", "at_hash", "c_hash", "s_hash", "auth_time", "acr", "amr"] as const;

function checkType(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  isOwn: boolean,
): void {
  const { typ } = header;
  if (ACCESS_TOKEN_TYPES.has(typeof typ === "string" ? typ.toLowerCase() : typ)) return;
  // Other issuers may not type their access tokens; an ID token gives itself away by its claims or its audience.
  const audience = [claims["aud"]].flat();
  const isIdToken =
    ID_TOKEN_CLAIMS.some((claim) => claim in claims) ||
    [claims["azp"], claims["client_id"]].some((client) => client !== undefined && audience.includes(client));
  if (isOwn || !UNTYPED.has(typ) || isIdToken) throw new TokenError("This is not an access token");
}

function checkTimes({ exp, iat, nbf }: Readonly<Record<string, unknown>>, at: number): number {
  if (typeof exp !== "number" || !(exp * 1_000 > at)) throw new TokenError("The access token has expired");
  if (typeof iat !== "number" || !(iat * 1_000 <= at + CLOCK_MS))
    throw new TokenError("The access token is from the future");
  if (nbf !== undefined && !(typeof nbf === "number" && nbf * 1_000 <= at + CLOCK_MS))
    throw new TokenError("The access token is not valid yet");
  return exp * 1_000;
}

function checkIssuer(issuer: unknown): string {
  if (typeof issuer !== "string" || issuer.length > 1_024 || !URL.canParse(issuer))
    throw new TokenError("The access token names no issuer");
  const { protocol, search, hash, username, password } = new URL(issuer);
  if (!/^https?:$/.test(protocol) || search || hash || username || password)
    throw new TokenError("The access token names no issuer");
  return issuer;
}

/** What the token says. Only its issuer's signature makes it true. @throws TokenError */
export function readToken(
  token: string,
  ownIssuer: string,
  limits: Pick<Limits, "tokenBytesMax">,
  now: () => Date,
): TokenClaims {
  if (token.length > limits.tokenBytesMax)
    throw new TokenError(`An access token has at most ${limits.tokenBytesMax} bytes`);
  const [, head = "", payload = "", signature = ""] = COMPACT_JWT.exec(token) ?? [];
  const header = decodePart(head);
  const claims = decodePart(payload);
  if (signature === "" || !header || !claims) throw new TokenError("The access token is no JWT");
  const { alg, kid } = header;
  if (typeof alg !== "string" || "crit" in header || "b64" in header)
    throw new TokenError("The access token is signed in a way that is not known here");
  if (kid !== undefined && (typeof kid !== "string" || kid.length > KID_LENGTH_MAX))
    throw new TokenError("The access token's key id is not as it should be");
  const issuer = checkIssuer(claims["iss"]);
  checkType(header, claims, issuer === ownIssuer);
  const expires = checkTimes(claims, now().getTime());
  if (![claims["aud"]].flat().includes("solid")) throw new TokenError("The access token is not for Solid");
  const confirmation = claims["cnf"];
  const thumbprint =
    typeof confirmation === "object" && confirmation !== null
      ? (confirmation as { jkt?: unknown }).jkt
      : undefined;
  if (confirmation !== undefined && typeof thumbprint !== "string")
    throw new TokenError("The access token is bound in a way that is not known here");
  const client = claims["client_id"] ?? claims["azp"];
  const purpose = claims["purpose"] ?? null;
  // What narrows a token must not be passed over for not being understood.
  if (purpose !== null && typeof purpose !== "string")
    throw new TokenError("The access token's purpose is not one address");
  if (typeof claims["webid"] !== "string") throw new TokenError("The access token names no WebID");
  let webid: WebId;
  try {
    webid = parseWebId(claims["webid"]);
  } catch (cause) {
    throw new TokenError("The access token names no WebID", { cause });
  }
  return {
    issuer,
    subject: typeof claims["sub"] === "string" ? claims["sub"] : null,
    webid,
    client: typeof client === "string" ? client : null,
    purpose,
    thumbprint: typeof thumbprint === "string" ? thumbprint : null,
    expires,
    alg,
    kid: typeof kid === "string" ? kid : null,
    signed: token.slice(0, head.length + 1 + payload.length),
    signature,
  };
}
