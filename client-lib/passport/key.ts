/** Ed25519 keys: one spelling, one hash, one strict verification on every platform. */
import { base58 } from "@scure/base";
import { type Bytes, decodeBase64url, encodeBase64url, randomBytes, sha256, tagged } from "./bytes.ts";

/** A public key as multibase text: `z6Mk…`. @see https://www.w3.org/TR/cid-1.0/#Multikey */
export type PublicKey = string;

/** Signs; the secret may be one that cannot be exported. */
export interface Signer {
  readonly key: PublicKey;
  sign(bytes: Bytes): Promise<Bytes>;
}

/** A key whose secret is at hand, so that it can be written to a file. */
export interface KeyPair extends Signer {
  /** 32 bytes. */
  readonly seed: Bytes;
}

const MULTICODEC = [0xed, 0x01];
const PKCS8 = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The y of every point of small order: as a key or a commitment they would make one signature fit many messages. */
const SMALL_ORDER: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  P - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** A canonical point that is not of small order; the platform checks that it is on the curve. */
function isSoundPoint(bytes: Uint8Array): boolean {
  const y = littleEndian(bytes) & (2n ** 255n - 1n);
  return y < P && !SMALL_ORDER.has(y);
}

export const encodeKey = (raw: Uint8Array): PublicKey =>
  `z${base58.encode(new Uint8Array([...MULTICODEC, ...raw]))}`;

interface KnownKey {
  readonly raw: Bytes;
  imported: Promise<CryptoKey> | null;
}

const KEYS_KNOWN_MAX = 256;

/** Sound ones, those that were known last: of an operation several rules look at a key, and of a registrar many operations. */
const known = new Map<PublicKey, KnownKey>();

function knownKey(text: unknown): KnownKey | null {
  const found = known.get(text as PublicKey);
  if (found) return found;
  const raw = readKey(text);
  if (!raw) return null;
  const key: KnownKey = { raw, imported: null };
  for (const [oldest] of known) {
    if (known.size < KEYS_KNOWN_MAX) break;
    known.delete(oldest);
  }
  known.set(text as PublicKey, key);
  return key;
}

/** @returns the 32 bytes, or null when `text` is no canonical, sound Ed25519 multikey. */
export const decodeKey = (text: unknown): Bytes | null => knownKey(text)?.raw.slice() ?? null;

function readKey(text: unknown): Bytes | null {
  if (typeof text !== "string" || text.length !== 48 || !text.startsWith("z6Mk")) return null;
  try {
    const bytes = new Uint8Array(base58.decode(text.slice(1)));
    const raw = bytes.slice(2);
    const isEd25519 = bytes.length === 34 && bytes[0] === MULTICODEC[0] && bytes[1] === MULTICODEC[1];
    return isEd25519 && isSoundPoint(raw) && encodeKey(raw) === text ? raw : null;
  } catch {
    return null;
  }
}

/** What a pre-rotation or recovery set commits to: the key stays hidden until it is needed. */
export async function hashOfKey(key: PublicKey): Promise<string> {
  return encodeBase64url(await sha256(tagged("DCANN-key-v1", key)));
}

/** @param seed 32 secret bytes. */
export async function keyPairOfSeed(seed: Bytes): Promise<KeyPair> {
  const { subtle } = globalThis.crypto;
  const pkcs8 = new Uint8Array([...PKCS8, ...seed]);
  const privateKey = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const raw = decodeBase64url((await subtle.exportKey("jwk", privateKey)).x, 32);
  if (!raw) throw new Error("This platform did not derive an Ed25519 public key");
  return {
    key: encodeKey(raw),
    seed,
    sign: async (bytes) => new Uint8Array(await subtle.sign("Ed25519", privateKey, bytes)),
  };
}

export const generateKeyPair = (): Promise<KeyPair> => keyPairOfSeed(randomBytes(32));

/**
 * Accepts what every careful implementation accepts, so that no two verifiers of a passport can disagree: canonical,
 * full-order key and commitment, canonical scalar, and then the platform's cofactorless equation.
 * @see https://www.rfc-editor.org/rfc/rfc8032#section-5.1.7 and https://wicg.github.io/webcrypto-secure-curves/
 */
export async function verifySignature(key: PublicKey, signature: Bytes, bytes: Bytes): Promise<boolean> {
  const own = knownKey(key);
  if (!own || signature.length !== 64) return false;
  if (!isSoundPoint(signature.subarray(0, 32)) || littleEndian(signature.subarray(32)) >= ORDER) return false;
  try {
    const { subtle } = globalThis.crypto;
    own.imported ??= subtle.importKey("raw", own.raw, "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", await own.imported, signature, bytes);
  } catch {
    return false; // Bytes that are no point on the curve.
  }
}
