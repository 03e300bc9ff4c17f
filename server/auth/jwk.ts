/** Public keys and signatures of JOSE, by node:crypto: only what proofs and tokens of Solid-OIDC need. */
import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";

interface Algorithm {
  readonly kty: "EC" | "RSA" | "OKP";
  readonly crv?: string;
  /** Digest name for node:crypto; null when the scheme has its own. */
  readonly digest: string | null;
  /** Bytes of each half of a raw ECDSA signature. */
  readonly half?: number;
  readonly pss?: true;
}

/** Asymmetric only; never `none`, never a MAC. @see https://www.iana.org/assignments/jose/jose.xhtml */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = Object.freeze({
  ES256: { kty: "EC", crv: "P-256", digest: "sha256", half: 32 },
  ES384: { kty: "EC", crv: "P-384", digest: "sha384", half: 48 },
  ES512: { kty: "EC", crv: "P-521", digest: "sha512", half: 66 },
  RS256: { kty: "RSA", digest: "sha256" },
  RS384: { kty: "RSA", digest: "sha384" },
  RS512: { kty: "RSA", digest: "sha512" },
  PS256: { kty: "RSA", digest: "sha256", pss: true },
  EdDSA: { kty: "OKP", crv: "Ed25519", digest: null },
  Ed25519: { kty: "OKP", crv: "Ed25519", digest: null },
});

/** For `algs` in the challenge and for the provider's metadata. */
export const SIGNING_ALGORITHMS: readonly string[] = Object.freeze([
  "ES256",
  "RS256",
  "EdDSA",
  "ES384",
  "ES512",
  "PS256",
]);

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] as const;
const MODULUS_BYTES = { least: 256, most: 512 } as const; // 2048 to 4096 bits: weak below, costly above.
const RSA_PSS_PADDING = 6;
const RSA_PSS_SALT_DIGEST = -1;
const BASE64URL = /^[\w-]+$/;

export type Jwk = Readonly<Record<string, unknown>>;

export interface VerificationKey {
  readonly alg: string;
  readonly key: KeyObject;
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly thumbprint: string;
}

function text(jwk: Jwk, member: string): string {
  const value = jwk[member];
  if (typeof value !== "string" || !BASE64URL.test(value) || value.length > 1_024)
    throw new Error(`The key's ${member} is not as it should be`);
  return value;
}

/** The members a public key consists of, in the order of RFC 7638, and nothing else. */
function publicMembers(jwk: Jwk, algorithm: Algorithm): Record<string, string> {
  if (jwk["kty"] !== algorithm.kty) throw new Error("The key is of another type than the algorithm");
  if (algorithm.kty === "RSA") {
    const n = text(jwk, "n");
    const bytes = Buffer.from(n, "base64url").length;
    if (bytes < MODULUS_BYTES.least || bytes > MODULUS_BYTES.most)
      throw new Error("The RSA key's size is not accepted");
    const e = text(jwk, "e");
    if (e.length > 6) throw new Error("The RSA key's exponent is not accepted"); // Large ones make verification slow.
    return { e, kty: "RSA", n };
  }
  if (jwk["crv"] !== algorithm.crv) throw new Error("The key is on another curve than the algorithm");
  const x = text(jwk, "x");
  return algorithm.kty === "EC"
    ? { crv: algorithm.crv ?? "", kty: "EC", x, y: text(jwk, "y") }
    : { crv: algorithm.crv ?? "", kty: "OKP", x };
}

/**
 * @param alg As in the JOSE header.
 * @throws Error for an algorithm that is not accepted, a private key, or a key that does not fit; the message is safe to show.
 */
export function importJwk(jwk: unknown, alg: unknown): VerificationKey {
  const algorithm = typeof alg === "string" && Object.hasOwn(ALGORITHMS, alg) ? ALGORITHMS[alg] : undefined;
  if (!algorithm) throw new Error("The algorithm is not accepted");
  if (typeof jwk !== "object" || jwk === null) throw new Error("There is no key");
  const given = jwk as Jwk;
  if (PRIVATE_MEMBERS.some((member) => member in given)) throw new Error("The key is not a public one");
  const members = publicMembers(given, algorithm);
  return {
    alg: alg as string,
    key: createPublicKey({ key: members, format: "jwk" }), // Throws for a point that is not on the curve.
    thumbprint: hash("sha256", JSON.stringify(members), "base64url"),
  };
}

function derInteger(half: Uint8Array): Uint8Array {
  let start = 0;
  while (start < half.length - 1 && half[start] === 0) start += 1;
  const isNegative = (half[start] ?? 0) >= 0x80;
  const bytes = new Uint8Array(half.length - start + (isNegative ? 3 : 2));
  bytes[0] = 0x02;
  bytes[1] = bytes.length - 2;
  bytes.set(half.subarray(start), isNegative ? 3 : 2);
  return bytes;
}

/** Raw r‖s to DER: the conversion inside Node costs half as much again as the verification. */
function toDer(raw: Uint8Array): Uint8Array {
  const r = derInteger(raw.subarray(0, raw.length / 2));
  const s = derInteger(raw.subarray(raw.length / 2));
  const length = r.length + s.length;
  const head = length < 0x80 ? [0x30, length] : [0x30, 0x81, length];
  const der = new Uint8Array(head.length + length);
  der.set(head);
  der.set(r, head.length);
  der.set(s, head.length + r.length);
  return der;
}

let isTurnTaken = false; // The first signature of a turn is verified here and now, further ones in the thread pool.

/** @param signed What was signed: header, dot, payload. @param signature base64url. */
export async function verifySignature(
  { alg, key }: VerificationKey,
  signed: string,
  signature: string,
): Promise<boolean> {
  const algorithm = ALGORITHMS[alg];
  if (!algorithm) return false;
  const raw = Buffer.from(signature, "base64url");
  if (algorithm.half !== undefined && raw.length !== algorithm.half * 2) return false;
  const bytes = algorithm.half === undefined ? raw : toDer(raw);
  const input = algorithm.pss ? { key, padding: RSA_PSS_PADDING, saltLength: RSA_PSS_SALT_DIGEST } : key;
  const message = Buffer.from(signed, "latin1");
  if (!isTurnTaken) {
    isTurnTaken = true;
    setImmediate(() => {
      isTurnTaken = false;
    });
    return verify(algorithm.digest, message, input, bytes);
  }
  return new Promise((resolve, reject) => {
    verify(algorithm.digest, message, input, bytes, (error, isValid) =>
      error ? reject(error) : resolve(isValid),
    );
  });
}

/** Three base64url parts; nothing else is a JWT here. */
export const COMPACT_JWT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/** @returns the object in a part of a JWT, or null. */
export function decodePart(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
