/** Whether a signature on a checkpoint holds, and from when it is. @see https://c2sp.org/tlog-cosignature */
import { type Bytes, utf8 } from "../passport/bytes.ts";
import { encodeKey, verifySignature } from "../passport/key.ts";
import { PassportError } from "../passport/verify.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { concat } from "./merkle.ts";
import { isBy, type Note, type NoteSignature, type VerifierKey } from "./note.ts";

/** Verifies ML-DSA-44 where the platform's own way is not the one to take. @returns null where it cannot be had. */
export type VerifyMlDsa44 = (
  key: Bytes,
  signature: Bytes,
  message: Bytes,
) => boolean | null | Promise<boolean | null>;

export interface SignatureOptions {
  readonly verifyMlDsa44?: VerifyMlDsa44;
}

/** `forged`: a line of this key that does not hold; `unknown`: this platform cannot tell, so the line counts for nothing. */
export type SignatureJudgement =
  | { readonly kind: "valid" /** Seconds since 1970; null for type 1. */; readonly time: number | null }
  | { readonly kind: "absent" | "forged" | "unknown" };

const TIME_BYTES = 8;
const ED25519_BYTES = 64;
const ML_DSA_44_BYTES = 2_420;

/** Of what follows the key's id in a line of type 6: the time and the signature. */
export const ML_DSA_44_LINE_BYTES: number = TIME_BYTES + ML_DSA_44_BYTES;

export function encodeU64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** @returns null for what numbers cannot count. */
export function decodeU64(bytes: Uint8Array): number | null {
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}

const prefixed = (bytes: Bytes): Bytes => {
  if (bytes.length < 1 || bytes.length > 255)
    throw new PassportError("checkpoint", "A name of a log or a cosigner has 1 to 255 bytes");
  return concat(Uint8Array.of(bytes.length), bytes);
};

/**
 * The bytes that a key of this type and name signs.
 * @param time Seconds since 1970; not part of what type 1 signs.
 * @throws PassportError `checkpoint` when type 6 is to sign something else.
 */
export function signedMessage(key: Pick<VerifierKey, "type" | "name">, body: string, time: number): Bytes {
  if (key.type === 1) return utf8(body);
  if (key.type === 4) return utf8(`cosignature/v1\ntime ${time}\n${body}`);
  const { origin, size, root } = parseCheckpoint(body);
  return concat(
    utf8("subtree/v1\n\0"),
    prefixed(utf8(key.name)),
    encodeU64(time),
    prefixed(utf8(origin)),
    encodeU64(0), // The tree from its first leaf: a checkpoint.
    encodeU64(size),
    root,
  );
}

/** What follows the key's id in the line of a signature. */
export const timedSignature = (time: number, signature: Uint8Array): Bytes =>
  concat(encodeU64(time), signature);

/** Web Crypto of few platforms knows ML-DSA. @see https://wicg.github.io/webcrypto-modern-algos/ */
const verifyByPlatform: VerifyMlDsa44 = async (key, signature, message) => {
  try {
    const { subtle } = globalThis.crypto;
    const imported = await subtle.importKey("raw-public" as "raw", key, "ML-DSA-44", false, ["verify"]);
    return await subtle.verify("ML-DSA-44", imported, signature, message);
  } catch {
    return null;
  }
};

/** `rest`: what follows the time. */
async function check(
  key: VerifierKey,
  rest: Bytes,
  message: Bytes,
  options: SignatureOptions,
): Promise<boolean | null> {
  if (key.type !== 6) return verifySignature(encodeKey(key.key), rest, message);
  return rest.length === ML_DSA_44_BYTES
    ? (options.verifyMlDsa44 ?? verifyByPlatform)(key.key, rest, message)
    : false;
}

async function judgeLine(
  body: string,
  { bytes }: NoteSignature,
  key: VerifierKey,
  options: SignatureOptions,
): Promise<SignatureJudgement> {
  const isTimed = key.type !== 1;
  const length = (isTimed ? TIME_BYTES : 0) + (key.type === 6 ? ML_DSA_44_BYTES : ED25519_BYTES);
  if (bytes.length !== length) return { kind: "forged" };
  const time = isTimed ? decodeU64(bytes) : 0;
  if (time === null) return { kind: "forged" };
  let message: Bytes;
  try {
    message = signedMessage(key, body, time);
  } catch {
    return { kind: "forged" }; // A cosigner signs nothing but checkpoints.
  }
  const holds = await check(key, isTimed ? bytes.slice(TIME_BYTES) : bytes, message, options);
  if (holds === null) return { kind: "unknown" };
  return holds ? { kind: "valid", time: isTimed ? time : null } : { kind: "forged" };
}

/** Of several lines of one key all must hold, and the newest counts. */
export async function judgeSignature(
  note: Note,
  key: VerifierKey,
  options: SignatureOptions = {},
): Promise<SignatureJudgement> {
  let found: SignatureJudgement = { kind: "absent" };
  for (const line of note.signatures.filter((one) => isBy(one, key))) {
    const judgement = await judgeLine(note.body, line, key, options);
    if (judgement.kind !== "valid") return judgement;
    if (found.kind !== "valid" || (judgement.time ?? 0) > (found.time ?? 0)) found = judgement;
  }
  return found;
}

/** @returns null unless the key signed the note, and every line that says it is of this key holds. */
export async function verifySignatureOf(
  note: Note,
  key: VerifierKey,
  options: SignatureOptions = {},
): Promise<{ readonly time: number | null } | null> {
  const judgement = await judgeSignature(note, key, options);
  return judgement.kind === "valid" ? { time: judgement.time } : null;
}
