/** What a 401 tells a client: which scheme, which algorithms, and where to log in. */
import { Problem } from "../errors.ts";
import { SIGNING_ALGORITHMS } from "./jwk.ts";

export interface ChallengeSettings {
  /** Issuer of this server's own people; ends in `/`. */
  readonly baseUrl: string;
  readonly bearer: boolean;
}

export interface Refusal {
  readonly error: "invalid_token" | "invalid_dpop_proof" | "use_dpop_nonce";
  readonly description: string;
  /** For the next try. https://www.rfc-editor.org/rfc/rfc9449#section-9 */
  readonly nonce?: string;
}

/**
 * Headers of every 401 of a pod.
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1 https://solidproject.org/TR/oidc#authorization-server-discovery
 */
export function challenge(
  { baseUrl, bearer }: ChallengeSettings,
  refusal?: Refusal,
): Readonly<Record<"www-authenticate" | "link", string>> {
  const where = `realm="${baseUrl}", as_uri="${baseUrl}"`;
  // A quoted string of a header field holds visible ASCII without quotes and backslashes.
  const why = refusal
    ? `, error="${refusal.error}", error_description="${refusal.description.replace(/[^ !#-[\]-~]/g, " ")}"`
    : "";
  // First, for clients that exchange a credential for a token look at the first alone; and only where nothing was sent yet.
  const uma = refusal ? [] : [`UMA as_uri="${baseUrl}", ticket="credential"`];
  const schemes = [...uma, `DPoP ${where}, algs="${SIGNING_ALGORITHMS.join(" ")}"${why}`];
  if (bearer) schemes.push(`Bearer ${where}${why}`);
  return {
    "www-authenticate": schemes.join(", "),
    link: `<${baseUrl}>; rel="http://openid.net/specs/connect/1.0/issuer"`,
  };
}

/** The 401 for a token or proof that was not accepted. */
export function refuseToken(settings: ChallengeSettings, refusal: Refusal, cause?: unknown): Problem {
  return new Problem("token-invalid", refusal.description, {
    headers: {
      ...challenge(settings, refusal),
      ...(refusal.nonce !== undefined && { "dpop-nonce": refusal.nonce, "cache-control": "no-store" }),
    },
    ...(cause === undefined ? {} : { cause }),
  });
}
