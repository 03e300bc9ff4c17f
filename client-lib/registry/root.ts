/** The root's record: the one thing that a client must trust, and how each version of it follows from the one before. */
import { decodeBase64url, encodeBase64url, jcs, sha256, tagged, utf8 } from "../passport/bytes.ts";
import { type AllowUrl, allowNone } from "../passport/form.ts";
import { JsonError, parseStrictJson } from "../passport/json.ts";
import { type Signer, verifySignature } from "../passport/key.ts";
import type { KeySet } from "../passport/operation.ts";
import { PassportError } from "../passport/verify.ts";
import type { RootRecord, SignedRootRecord } from "./model.ts";
import { flawOfRootRecord, flawOfSigned } from "./root-form.ts";

/** Room for all 1,296 zones that two characters can name; an answer that is longer is not read to its end. */
export const ROOT_RECORD_BYTES_MAX = 4 * 1024 * 1024;

export interface RootOptions {
  /** Exempts origins from the rule that addresses are public and https. */
  readonly allowUrl?: AllowUrl;
}

type Signatures = SignedRootRecord["sigs"];

const bytesOf = (record: RootRecord) => tagged("DCANN-root-v1", jcs(record));

/** What `prev` of the next version names, base64url. */
export async function hashOfRootRecord(record: RootRecord): Promise<string> {
  return encodeBase64url(await sha256(bytesOf(record)));
}

/** RDAP's table of who answers for what, as it follows from the zones. */
export const servicesOf = (zones: RootRecord["zones"]): RootRecord["services"] =>
  Object.keys(zones)
    .toSorted()
    .map((zone) => [[zone], zones[zone]?.urls ?? []] as const);

async function signatures(
  record: RootRecord,
  keys: KeySet,
  signers: readonly Signer[],
): Promise<{ readonly k: number; readonly s: string }[]> {
  const made: { readonly k: number; readonly s: string }[] = [];
  for (const signer of signers) {
    const k = keys.keys.indexOf(signer.key);
    if (k >= 0) made.push({ k, s: encodeBase64url(await signer.sign(bytesOf(record))) });
  }
  return made;
}

const joined = (before: Signatures, more: Signatures): Signatures =>
  [...before.filter(({ k }) => !more.some((one) => one.k === k)), ...more].sort((a, b) => a.k - b.k);

const isSameSet = (a: KeySet, b: KeySet): boolean => jcs(a) === jcs(b);

/**
 * Adds signatures: each holder of a key signs in a place of their own, and hands the file on.
 * @param by Keys of the version before; null for the first version.
 * @throws Error when a signer has none of the keys that count.
 */
export async function signRootRecord(
  signed: SignedRootRecord,
  by: KeySet | null,
  signers: readonly Signer[],
): Promise<SignedRootRecord> {
  const { record } = signed;
  const before = by ?? record.keys;
  const counting = new Set([...before.keys, ...record.keys.keys]);
  if (signers.some(({ key }) => !counting.has(key)))
    throw new Error("A signer is not one of the keys that sign this record");
  const sigs = joined(signed.sigs, await signatures(record, before, signers));
  if (isSameSet(before, record.keys)) return { record, sigs };
  return { record, sigs, own: joined(signed.own ?? [], await signatures(record, record.keys, signers)) };
}

/** @returns how many of the signatures are valid and by different keys; null when one of them is not valid. */
async function countValid(record: RootRecord, sigs: Signatures, { keys }: KeySet): Promise<number | null> {
  const bytes = bytesOf(record);
  for (const { k, s } of sigs) {
    const key = keys[k];
    const signature = decodeBase64url(s, 64);
    if (key === undefined || !signature || !(await verifySignature(key, signature, bytes))) return null;
  }
  return sigs.length; // Distinct by their form: `k` grows.
}

async function requireSigned(
  record: RootRecord,
  sigs: Signatures,
  keys: KeySet,
  whose: string,
): Promise<void> {
  const count = await countValid(record, sigs, keys);
  if (count === null)
    throw new PassportError("root-signature", `A signature by the keys ${whose} is not valid`);
  if (count < keys.threshold)
    throw new PassportError(
      "root-threshold",
      `${count} of ${keys.threshold} signatures by the keys ${whose}`,
    );
}

/** @throws PassportError `root-form`. */
export function readRootRecord(source: string | object, options: RootOptions = {}): SignedRootRecord {
  let value: unknown;
  try {
    const text = typeof source === "string" ? source : jcs(source);
    if (utf8(text).length > ROOT_RECORD_BYTES_MAX)
      throw new PassportError("root-form", `It has more than ${ROOT_RECORD_BYTES_MAX} bytes`);
    value = parseStrictJson(text);
  } catch (cause) {
    if (cause instanceof PassportError) throw cause;
    throw new PassportError("root-form", cause instanceof JsonError ? cause.message : "It is not JSON");
  }
  const flaw = flawOfSigned(value);
  if (flaw) throw new PassportError("root-form", flaw);
  const signed = value as SignedRootRecord;
  const wrong = flawOfRootRecord(signed.record, options.allowUrl ?? allowNone);
  if (wrong) throw new PassportError("root-form", wrong);
  return signed;
}

/**
 * Whether a record may be trusted by somebody who trusts `pinned`: the same one, or the next version, signed by enough of
 * the keys that `pinned` names. Versions in between must be followed one by one ({@link followRootRecord}).
 * @param pinned Null on first use: then the record is only held to be signed by its own keys, and whoever sends it is
 * believed to be the root.
 * @throws PassportError `root-form`, `root-signature`, `root-threshold`, `root-rollback` (older), `root-fork` (another
 * record of the same version, or one that does not follow), `root-gap` (versions between are missing).
 */
export async function verifyRootRecord(
  source: string | object,
  pinned: RootRecord | null,
  options: RootOptions = {},
): Promise<RootRecord> {
  const { record, sigs, own } = readRootRecord(source, options);
  if (record.version === 1 || own || !pinned)
    await requireSigned(record, own ?? sigs, record.keys, "it names");
  if (!pinned) return record;
  const { version } = pinned;
  if (record.version < version)
    throw new PassportError("root-rollback", `Version ${version} was seen, and this is ${record.version}`);
  const hash = await hashOfRootRecord(pinned);
  if (record.version === version) {
    if ((await hashOfRootRecord(record)) === hash) return pinned;
    throw new PassportError("root-fork", `Another version ${version} was seen before`);
  }
  if (record.version > version + 1)
    throw new PassportError("root-gap", `Version ${version + 1} must be seen before ${record.version}`);
  if (record.prev !== hash)
    throw new PassportError(
      "root-fork",
      `Version ${record.version} does not follow the version ${version} that was seen`,
    );
  if (!own && !isSameSet(pinned.keys, record.keys))
    throw new PassportError(
      "root-threshold",
      "New keys must sign the version that names them, beside the old ones",
    );
  await requireSigned(record, sigs, pinned.keys, `of version ${version}`);
  return record;
}

/**
 * From a record that is trusted to the newest, through every version between.
 * @param fetchVersion The signed record of a version; only asked for those between.
 * @throws PassportError as {@link verifyRootRecord}.
 */
export async function followRootRecord(
  pinned: RootRecord | null,
  newest: string | object,
  fetchVersion: (version: number) => Promise<string | object>,
  options: RootOptions = {},
): Promise<RootRecord> {
  const target = readRootRecord(newest, options).record.version;
  let trusted = pinned;
  while (trusted && trusted.version + 1 < target) {
    const next = await verifyRootRecord(await fetchVersion(trusted.version + 1), trusted, options);
    if (next.version !== trusted.version + 1)
      throw new PassportError(
        "root-gap",
        `Version ${trusted.version + 1} was asked for, and another one came`,
      );
    trusted = next;
  }
  return verifyRootRecord(newest, trusted, options);
}
