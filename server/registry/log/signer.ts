/** Who signs checkpoints: a log, or a witness with the time. Ed25519 and ML-DSA-44 by the platform. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import {
  type Bytes,
  type NoteSigner,
  signatureLine,
  signedMessage,
  timedSignature,
  type VerifierKey,
  type VerifyMlDsa44,
  verifierKeyOf,
} from "@freehold/client/registry";

export interface CheckpointSigner extends NoteSigner {
  /** With the time of now; type 1 has none. */
  sign(body: string): Bytes;
  /** The line of a signed note, with its newline. @param time Seconds since 1970. */
  lineAt(body: string, time: number): string;
}

export interface SignerOptions {
  readonly name: string;
  /** 1 for a log; 4 (Ed25519) and 6 (ML-DSA-44) for whoever cosigns. */
  readonly type: VerifierKey["type"];
  /** 32 secret bytes. A seed of type 4 must be of one name only: what it signs does not say which. */
  readonly seed: Uint8Array;
  readonly now: () => Date;
}

export const SEED_BYTES = 32;

/** All but the seed of a private key in PKCS #8. @see https://www.rfc-editor.org/rfc/rfc9881#section-6 */
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const ML_DSA_44_PKCS8 = Buffer.from("3034020100300b060960864801650304031104228020", "hex");
const ED25519_SPKI_BYTES = 12;
/** All but the key itself of a public key. */
const ML_DSA_44_SPKI = Buffer.from("30820532300b06096086480165030403110382052100", "hex");

const fromDer = (head: Uint8Array, seed: Uint8Array): KeyObject => {
  if (seed.length !== SEED_BYTES) throw new Error(`A key is made of ${SEED_BYTES} bytes`);
  return createPrivateKey({ key: Buffer.concat([head, seed]), format: "der", type: "pkcs8" });
};

/** Synchronous once it is made. */
export async function createSigner({ name, type, seed, now }: SignerOptions): Promise<CheckpointSigner> {
  const privateKey = fromDer(type === 6 ? ML_DSA_44_PKCS8 : ED25519_PKCS8, seed);
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const raw = spki.subarray(type === 6 ? ML_DSA_44_SPKI.length : ED25519_SPKI_BYTES);
  const key = await verifierKeyOf(name, type, new Uint8Array(raw));
  const signAt = (body: string, time: number): Bytes => {
    const signature = sign(null, signedMessage(key, body, time), privateKey);
    return type === 1 ? new Uint8Array(signature) : timedSignature(time, signature);
  };
  return {
    key,
    sign: (body) => signAt(body, Math.floor(now().getTime() / 1_000)),
    lineAt: (body, time) => signatureLine({ name, id: key.id, bytes: signAt(body, time) }),
  };
}

const publicKeys = new WeakMap<Bytes, KeyObject>();

/** For `verifySignatureOf` and `judgePolicy`: without Web Crypto's way, which is said to be experimental. */
export const verifyMlDsa44: VerifyMlDsa44 = (key, signature, message) => {
  let known = publicKeys.get(key);
  if (!known) {
    known = createPublicKey({ key: Buffer.concat([ML_DSA_44_SPKI, key]), format: "der", type: "spki" });
    publicKeys.set(key, known);
  }
  return verify(null, message, known, signature);
};
