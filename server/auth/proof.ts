/** DPoP proofs: the checks of RFC 9449 section 4.3, the cheap ones first, and nothing fetched for any of them. */
import { hash } from "node:crypto";
import { encodeSegment } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import { COMPACT_JWT, decodePart, importJwk, type VerificationKey, verifySignature } from "./jwk.ts";
import type { Nonces } from "./nonce.ts";

export interface ProofRequest {
  readonly method: string;
  /** Absolute URL as this server names it; query and fragment do not matter. */
  readonly url: string;
  /** Value of the one `DPoP` field; repeated fields arrive joined by a comma, and so are no JWT. */
  readonly proof: string | undefined;
  /** The access token that came with it; null at the token endpoint. */
  readonly accessToken: string | null;
}

export interface Proof {
  /** Thumbprint of the key that signed it: what `cnf.jkt` of the token must equal. */
  readonly thumbprint: string;
  readonly jti: string;
}

/** The proof is not acceptable; `message` says why, in words that may be shown. */
export class ProofError extends Error {
  override readonly name = "ProofError";
}

/** The proof lacks the server's number, or has an old one: the client may try again with this one. */
export class NonceError extends ProofError {
  readonly nonce: string;

  constructor(nonce: string) {
    super("The proof needs this server's nonce; send it again with the one in DPoP-Nonce");
    this.nonce = nonce;
  }
}

export interface ProofOptions {
  readonly limits: Pick<Limits, "dpopBytesMax" | "proofPastMsMax" | "proofFutureMsMax">;
  readonly ath: "required" | "when-present";
  readonly now: () => Date;
  /** Where each proof must hold a number of the server's own; null where none need. */
  readonly nonces?: Nonces | null;
  /** Saves the signature's cost for a proof that was used before. */
  readonly isReplayed?: (thumbprint: string, jti: string) => boolean;
}

const KEYS_KEPT_BYTES = 4 * 1024 * 1024; // A client's proofs all have the same header, so its key is imported once.
const JTI_LENGTH_MAX = 256;

/**
 * One spelling of a URL without query and fragment: RFC 3986 section 6.2.2 and 6.2.3, and escapes as in our paths.
 * @returns null for what is no URL.
 */
function normalizeHtu(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return null;
  try {
    return (
      url.origin +
      url.pathname
        .split("/")
        .map((segment) => encodeSegment(decodeURIComponent(segment)))
        .join("/")
    );
  } catch {
    return null;
  }
}

function sameTarget(htu: string, url: string): boolean {
  if (htu === url) return true;
  const asked = normalizeHtu(htu);
  return asked !== null && asked === normalizeHtu(url);
}

/** @returns the function that verifies one proof. @throws ProofError (it), for every proof that is not acceptable. */
export function createProofVerifier({
  limits,
  ath,
  now,
  nonces = null,
  isReplayed,
}: ProofOptions): (request: ProofRequest) => Promise<Proof> {
  const keys = new Lru<string, VerificationKey>(KEYS_KEPT_BYTES);

  function keyOf(part: string): VerificationKey {
    const cached = keys.get(part);
    if (cached) return cached;
    const header = decodePart(part);
    if (!header) throw new ProofError("The proof is no JWT");
    if (header["typ"] !== "dpop+jwt") throw new ProofError("The proof's typ is not dpop+jwt");
    if ("crit" in header || "b64" in header)
      throw new ProofError("The proof asks for an extension that is not known here");
    let key: VerificationKey;
    try {
      key = importJwk(header["jwk"], header["alg"]);
    } catch (cause) {
      throw new ProofError(`The proof's key was not accepted: ${(cause as Error).message}`, { cause });
    }
    keys.set(part, key, part.length + 512);
    return key;
  }

  function checkClaims(
    claims: Readonly<Record<string, unknown>>,
    { method, url, accessToken }: ProofRequest,
  ): string {
    const { htm, htu, iat, jti, exp } = claims;
    const at = now().getTime();
    if (htm !== method) throw new ProofError("The proof is for another method");
    if (typeof htu !== "string" || !sameTarget(htu, url))
      throw new ProofError("The proof is for another address");
    if (typeof iat !== "number" || !Number.isFinite(iat))
      throw new ProofError("The proof does not say when it was made");
    if (at - iat * 1_000 > limits.proofPastMsMax) throw new ProofError("The proof is too old");
    if (iat * 1_000 - at > limits.proofFutureMsMax) throw new ProofError("The proof is from the future");
    if (exp !== undefined && !(typeof exp === "number" && exp * 1_000 > at))
      throw new ProofError("The proof has expired");
    if (typeof jti !== "string" || jti === "" || jti.length > JTI_LENGTH_MAX)
      throw new ProofError(`The proof's jti has 1 to ${JTI_LENGTH_MAX} characters`);
    if (accessToken !== null && (claims["ath"] !== undefined || ath === "required")) {
      if (claims["ath"] !== hash("sha256", accessToken, "base64url"))
        throw new ProofError("The proof is for another access token");
    }
    return jti;
  }

  return async (request) => {
    const { proof } = request;
    if (proof === undefined) throw new ProofError("There is no DPoP proof");
    if (proof.length > limits.dpopBytesMax)
      throw new ProofError(`A proof has at most ${limits.dpopBytesMax} bytes`);
    const [, header = "", payload = "", signature = ""] = COMPACT_JWT.exec(proof) ?? [];
    if (signature === "") throw new ProofError("The DPoP field is not one JWT");
    const claims = decodePart(payload);
    if (!claims) throw new ProofError("The proof is no JWT");
    const jti = checkClaims(claims, request);
    const key = keyOf(header);
    if (isReplayed?.(key.thumbprint, jti)) throw new ProofError("The proof was used before");
    const isSigned = await verifySignature(
      key,
      proof.slice(0, header.length + 1 + payload.length),
      signature,
    );
    if (!isSigned) throw new ProofError("The proof's signature is wrong");
    if (nonces && !(await nonces.isGood(claims["nonce"]))) throw new NonceError(await nonces.current());
    return { thumbprint: key.thumbprint, jti };
  };
}
