/**
 * Signatures on requests, receipts and countersignatures: Data Integrity proofs over JSON in its canonical form, so that a
 * document can be kept, sent on and checked by anybody. A document may have several proofs; each is over all but proofs.
 * @see https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022
 */
import { base58 } from "@scure/base";
import { type Bytes, decodeBase64url, encodeBase64url, jcs, sha256, utf8 } from "../passport/bytes.ts";
import { isObject, type Json } from "../passport/form.ts";
import { decodeKey, encodeKey, verifySignature } from "../passport/key.ts";

const CRYPTOSUITE = "eddsa-jcs-2022";
export const PROOFS_MAX = 4; // Of one document: each costs a look at somebody's key.
const METHOD_LENGTH_MAX = 2_048;

/** @see https://www.w3.org/TR/vc-data-integrity/#proofs */
export interface Proof {
  readonly type: "DataIntegrityProof";
  readonly cryptosuite: typeof CRYPTOSUITE;
  /** `xsd:dateTimeStamp`, UTC, to the second. */
  readonly created: string;
  /** Address of the key: in the signer's WebID document, or where a pod's server publishes its own. */
  readonly verificationMethod: string;
  readonly proofPurpose: "assertionMethod";
  readonly "@context"?: unknown;
  /** Multibase, base58btc. */
  readonly proofValue: string;
}

export type Signed<T extends Json = Json> = T & { readonly proof: Proof | readonly Proof[] };

export interface ProofOptions {
  /** Ed25519: private. */
  readonly key: JsonWebKey | CryptoKey;
  readonly verificationMethod: string;
  readonly created: Date;
  /** The proof does not repeat the document's context: for readers that would load it a second time. It is signed all the same. */
  readonly isPlain?: boolean;
}

/** What was found about one proof; `flaw` is null where it holds. */
export interface ProofFinding {
  readonly verificationMethod: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly flaw: string | null;
}

export interface ProofReport {
  /** There is a proof, and each there is holds. */
  readonly isValid: boolean;
  readonly proofs: readonly ProofFinding[];
}

/** A fresh pair. */
export interface SigningKey {
  readonly privateKey: JsonWebKey;
  readonly publicKey: JsonWebKey;
  /** The public one as it stands in a WebID document. @see https://www.w3.org/TR/cid-1.0/#Multikey */
  readonly multikey: string;
}

const ED25519 = "Ed25519";

const publicJwk = (x: string): JsonWebKey => ({ kty: "OKP", crv: ED25519, x });

/** @returns null where it is no Ed25519 key that every implementation takes. */
export function multikeyOf(key: JsonWebKey): string | null {
  const raw = key.kty === "OKP" && key.crv === ED25519 ? decodeBase64url(key.x, 32) : null;
  const multikey = raw && encodeKey(raw);
  return multikey && decodeKey(multikey) ? multikey : null;
}

/** @returns null where the text is no canonical Ed25519 Multikey. */
export function keyOfMultikey(text: unknown): JsonWebKey | null {
  const raw = decodeKey(text);
  return raw && publicJwk(encodeBase64url(raw));
}

export async function generateSigningKey(): Promise<SigningKey> {
  const { subtle } = globalThis.crypto;
  const pair = await subtle.generateKey(ED25519, true, ["sign", "verify"]);
  const { x = "", d = "" } = await subtle.exportKey("jwk", pair.privateKey);
  const publicKey = publicJwk(x);
  return { privateKey: { ...publicKey, d }, publicKey, multikey: multikeyOf(publicKey) ?? "" };
}

/** @see https://www.w3.org/TR/vc-di-eddsa/#hashing-eddsa-jcs-2022 */
async function hashData(document: Json, configuration: Json): Promise<Bytes> {
  const hash = (value: Json): Promise<Bytes> => sha256(utf8(jcs(value)));
  return new Uint8Array([...(await hash(configuration)), ...(await hash(document))]);
}

function proofsOf({ proof }: Json): readonly unknown[] {
  if (proof === undefined) return [];
  return Array.isArray(proof) ? proof : [proof];
}

function withoutProof({ proof: _proof, ...unsecured }: Json): Json {
  return unsecured;
}

/**
 * The document with one more proof; those it has stay.
 * @throws Error for a key that is not Ed25519, and for what JSON cannot say.
 * @see https://www.w3.org/TR/vc-di-eddsa/#create-proof-eddsa-jcs-2022
 */
export async function addProof<T extends Json>(document: T, options: ProofOptions): Promise<Signed<T>> {
  const { subtle } = globalThis.crypto;
  const { key } = options;
  const context = document["@context"];
  const configuration = {
    type: "DataIntegrityProof" as const,
    cryptosuite: CRYPTOSUITE as typeof CRYPTOSUITE,
    created: `${options.created.toISOString().slice(0, 19)}Z`,
    verificationMethod: options.verificationMethod,
    proofPurpose: "assertionMethod" as const,
    ...(context !== undefined && !options.isPlain && { "@context": context }),
  };
  const signer =
    "kty" in key ? await subtle.importKey("jwk", key, ED25519, false, ["sign"]) : (key as CryptoKey);
  const signature = await subtle.sign(ED25519, signer, await hashData(withoutProof(document), configuration));
  const proof: Proof = { ...configuration, proofValue: `z${base58.encode(new Uint8Array(signature))}` };
  const others = proofsOf(document) as readonly Proof[];
  return { ...document, proof: others.length === 0 ? proof : [...others, proof] };
}

const PROOF_MEMBERS: ReadonlySet<string> = new Set([
  "type",
  "cryptosuite",
  "created",
  "verificationMethod",
  "proofPurpose",
  "@context",
  "proofValue",
  "id",
]);

/** `2026-11-22T10:00:00Z`, a moment that exists; null for anything else. */
function momentOf(text: unknown): number | null {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text)) return null;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 19)) ? time : null;
}

function signatureOf(text: unknown): Bytes | null {
  if (typeof text !== "string" || !text.startsWith("z") || text.length > 90) return null;
  try {
    const bytes = new Uint8Array(base58.decode(text.slice(1)));
    return bytes.length === 64 && `z${base58.encode(bytes)}` === text ? bytes : null;
  } catch {
    return null;
  }
}

/** Whether the document's context begins as the one that was signed. */
function beginsWith(context: unknown, signed: unknown): boolean {
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
  const whole = list(context);
  return list(signed).every(
    (one, index) => index < whole.length && JSON.stringify(one) === JSON.stringify(whole[index]),
  );
}

async function flawOf(
  document: Json,
  proof: Json,
  keyOf: (verificationMethod: string) => Promise<JsonWebKey | null>,
): Promise<string | null> {
  const { proofValue, ...configuration } = proof;
  const signature = signatureOf(proofValue);
  if (!signature) return "The proof has no signature of 64 bytes in base58btc";
  let signed = document;
  if (configuration["@context"] !== undefined) {
    if (!beginsWith(document["@context"], configuration["@context"]))
      return "The proof is of another context";
    signed = { ...document, "@context": configuration["@context"] };
  }
  const key = await keyOf(proof["verificationMethod"] as string);
  const multikey = key && multikeyOf(key);
  if (!multikey) return "The key that the proof names is not known, or no Ed25519 key";
  const bytes = await hashData(signed, configuration).catch(() => null);
  if (!bytes) return "The document has no canonical form";
  return (await verifySignature(multikey, signature, bytes)) ? null : "The signature is not of this document";
}

async function findingOf(
  document: Json,
  proof: unknown,
  keyOf: (verificationMethod: string) => Promise<JsonWebKey | null>,
): Promise<ProofFinding> {
  const refuse = (flaw: string, created = 0): ProofFinding => ({ verificationMethod: "", created, flaw });
  if (!isObject(proof)) return refuse("A proof is an object");
  const { type, cryptosuite, proofPurpose, verificationMethod } = proof;
  if (type !== "DataIntegrityProof" || cryptosuite !== CRYPTOSUITE)
    return refuse(`The proof is no DataIntegrityProof of ${CRYPTOSUITE}`);
  if (proofPurpose !== "assertionMethod") return refuse("The purpose of the proof is not assertionMethod");
  const odd = Object.keys(proof).find((name) => !PROOF_MEMBERS.has(name));
  if (odd !== undefined) return refuse(`The proof says what is not understood: ${odd.slice(0, 64)}`);
  if (typeof verificationMethod !== "string" || verificationMethod.length > METHOD_LENGTH_MAX)
    return refuse("The proof names no key");
  const created = momentOf(proof["created"]);
  if (created === null) return { ...refuse("The proof does not say when it was made"), verificationMethod };
  return { verificationMethod, created, flaw: await flawOf(document, proof, keyOf) };
}

/**
 * Checks every proof of a document; it never throws for what the document says. Whether the key may speak for the one it is
 * about, and whether the proof is too old, is for the caller to say.
 * @param keyOf The public key at an address; null where there is none that may sign.
 * @see https://www.w3.org/TR/vc-di-eddsa/#verify-proof-eddsa-jcs-2022
 */
export async function verifyProof(
  document: Json,
  keyOf: (verificationMethod: string) => Promise<JsonWebKey | null>,
): Promise<ProofReport> {
  const all = proofsOf(document);
  if (all.length > PROOFS_MAX)
    return {
      isValid: false,
      proofs: [{ verificationMethod: "", created: 0, flaw: `A document has at most ${PROOFS_MAX} proofs` }],
    };
  const unsecured = withoutProof(document);
  const proofs: ProofFinding[] = [];
  for (const proof of all) proofs.push(await findingOf(unsecured, proof, keyOf));
  return { isValid: proofs.length > 0 && proofs.every(({ flaw }) => flaw === null), proofs };
}
