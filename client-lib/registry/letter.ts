/**
 * What zones and the root tell each other: short statements, signed by a key that the root's record names, addressed and
 * dated, so that none can be shown to somebody else, or much later.
 */
import { type Bytes, decodeBase64url, encodeBase64url, jcs, tagged } from "../passport/bytes.ts";
import { isExactly } from "../passport/form.ts";
import { isZone } from "../passport/identifier.ts";
import { JsonError, parseStrictJson } from "../passport/json.ts";
import { type PublicKey, type Signer, verifySignature } from "../passport/key.ts";
import { PassportError } from "../passport/verify.ts";
import type { RootRecord } from "./model.ts";

/** In place of a zone's name. */
export const ROOT_NAME = "root";

export interface Letter<T extends string = string, B = unknown> {
  readonly v: 1;
  readonly t: T;
  /** A zone, or `root`. */
  readonly from: string;
  /** A zone, or `root`. */
  readonly to: string;
  /** UTC to the second. */
  readonly at: string;
  readonly body: B;
}

export interface SignedLetter<L extends Letter = Letter> {
  readonly letter: L;
  readonly s: string;
}

const APART_MS_MAX = 300_000; // As much as clocks may differ; a letter that was overheard is soon worth nothing.
const DEPTH_MAX = 24; // A letter may carry a passport.

const bytesOf = (letter: Letter): Bytes => tagged("DCANN-letter-v1", jcs(letter));

/** `2026-11-21T12:00:00Z` */
export const secondsOf = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

export async function signLetter<L extends Letter>(letter: L, signer: Signer): Promise<SignedLetter<L>> {
  return { letter, s: encodeBase64url(await signer.sign(bytesOf(letter))) };
}

/** The keys that sign in somebody's name; none for a name that the record does not have. */
export const lettersKeysOf = (record: RootRecord, name: string): readonly PublicKey[] => {
  if (name === ROOT_NAME) return record.root.keys;
  return Object.hasOwn(record.zones, name) ? (record.zones[name]?.keys ?? []) : [];
};

const isParty = (name: unknown): boolean => name === ROOT_NAME || isZone(name);

const isLetter = (value: unknown): value is SignedLetter =>
  isExactly(value, ["letter", "s"]) &&
  isExactly(value["letter"], ["v", "t", "from", "to", "at", "body"]) &&
  value["letter"]["v"] === 1 &&
  isParty(value["letter"]["from"]) &&
  isParty(value["letter"]["to"]) &&
  typeof value["letter"]["at"] === "string";

const broken = (detail: string): PassportError => new PassportError("letter", detail);

/** Who reads, when, and what they know. */
export interface LetterReader {
  readonly record: RootRecord;
  readonly to: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** For statements that are kept, such as orders: any date will do. */
  readonly isKept?: boolean;
}

/** Opens a letter of a kind that is expected; what is in it is still anything. @throws PassportError `letter`. */
export async function openLetter<T extends string>(
  source: string | object,
  t: T,
  { record, to, now, isKept = false }: LetterReader,
): Promise<Letter<T>> {
  let value: unknown;
  try {
    value = parseStrictJson(typeof source === "string" ? source : jcs(source), DEPTH_MAX);
  } catch (cause) {
    throw broken(cause instanceof JsonError ? cause.message : "It is not JSON");
  }
  if (!isLetter(value) || value.letter.t !== t) throw broken(`It is no letter ${t}`);
  const { letter, s } = value;
  if (letter.to !== to) throw broken("It is addressed to somebody else");
  const at = Date.parse(letter.at);
  if (Number.isNaN(at) || secondsOf(at) !== letter.at) throw broken("It has no date");
  if (!isKept && Math.abs(now - at) > APART_MS_MAX) throw broken("It is not of these minutes");
  const signature = decodeBase64url(s, 64);
  for (const key of signature ? lettersKeysOf(record, letter.from) : [])
    if (signature && (await verifySignature(key, signature, bytesOf(letter)))) return letter as Letter<T>;
  throw broken(`It is not signed by ${letter.from}`);
}
