/** The passport identifier: the checksummed hash of a genesis. Nobody assigns it, nobody can take it. */
import { bech32m } from "@scure/base";
import { sha256, tagged } from "./bytes.ts";
import { canonicalText, once } from "./fixed.ts";

export type PassportId = string & { readonly __brand: "PassportId" };
export type PassportDid = string & { readonly __brand: "PassportDid" };

const LENGTH = 53; // dp + zone (4), separator, 42 characters of data, 6 of checksum
const DIGEST_BYTES = 25; // 200 bits: finding two geneses with one id costs 2^100 tries
const VERSION = 0;
const ZONE = /^[a-z0-9]{2}$/;
const DID_PREFIX = "did:dcann:";
const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const NOT_IN_ALPHABET = new RegExp(`[^${ALPHABET}]`);

export const isZone = (text: unknown): text is string => typeof text === "string" && ZONE.test(text);

/** What reading an identifier found. `hint` says where to look, never what the right identifier would be. */
export type IdReading =
  | { readonly kind: "id"; readonly id: PassportId; readonly zone: string; readonly digest: Uint8Array }
  | { readonly kind: "broken"; readonly hint: string };

/**
 * The id of the passport that begins with this genesis (the `op` of its `create`).
 * @throws Error when the genesis names no zone.
 */
export const idOfGenesis: (genesis: { readonly zone: string }) => Promise<PassportId> = once(
  async (genesis: { readonly zone: string }) => {
    if (!isZone(genesis.zone)) throw new Error("A genesis names a zone of two characters a-z, 0-9");
    const hash = await sha256(tagged("DCANN-id-v1", canonicalText(genesis)));
    return encodeId(genesis.zone, hash.subarray(0, DIGEST_BYTES));
  },
);

function encodeId(zone: string, digest: Uint8Array): PassportId {
  return bech32m.encode(`dp${zone}`, bech32m.toWords(new Uint8Array([VERSION, ...digest]))) as PassportId;
}

/** Reads an identifier or its DID, all lower or all upper case. */
export function readId(text: string): IdReading {
  const broken = (hint: string): IdReading => ({ kind: "broken", hint });
  const bare = text.startsWith(DID_PREFIX) ? text.slice(DID_PREFIX.length) : text;
  if (bare.length !== LENGTH) return broken(`length: ${LENGTH} characters, not ${bare.length}`);
  const beyond = bare.search(/[^!-~]/); // Before any change of case: of other scripts, some letters become one of ours.
  if (beyond >= 0) return broken(`alphabet: character ${beyond + 1}`);
  if (bare !== bare.toLowerCase() && bare !== bare.toUpperCase())
    return broken("case: all lower or all upper, not mixed");
  const id = bare.toLowerCase();
  if (!/^dp[a-z0-9]{2}1/.test(id))
    return broken("prefix: an identifier begins with dp, a zone of two characters, and 1");
  const wrong = id.slice(5).search(NOT_IN_ALPHABET);
  if (wrong >= 0) return broken(`alphabet: character ${wrong + 6}`);
  const decoded = bech32m.decodeUnsafe(id, LENGTH);
  if (!decoded) return broken(`checksum${suspect(id)}`);
  const bytes = bech32m.fromWordsUnsafe(decoded.words); // Refuses padding bits that are not zero.
  if (!bytes || bytes.length !== 1 + DIGEST_BYTES) return broken("padding: bits that must be zero are not");
  if (bytes[0] !== VERSION) return broken(`version: ${bytes[0]} is not known`);
  return {
    kind: "id",
    id: id as PassportId,
    zone: id.slice(2, 4),
    digest: Uint8Array.from(bytes.subarray(1)),
  };
}

/** The remainder of bech32's code over these symbols. @see https://github.com/bitcoin/bips/blob/master/bip-0350.mediawiki */
function remainder(symbols: readonly number[], start: number): number {
  const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return symbols.reduce((sum, symbol) => {
    const top = sum >>> 25;
    const shifted = ((sum & 0x1ffffff) << 5) ^ symbol;
    return generator.reduce((next, term, bit) => ((top >>> bit) & 1 ? next ^ term : next), shifted);
  }, start);
}

/** The symbols that are checked: high and low bits of the prefix's letters, then the characters after the separator. */
function symbolsOf(id: string): readonly number[] {
  const prefix = Array.from(id.slice(0, 4), (letter) => letter.charCodeAt(0));
  const after = Array.from(id.slice(5), (letter) => ALPHABET.indexOf(letter));
  return [...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...after];
}

let places: Map<number, number> | null = null;

/** The code is linear: each single mistake leaves a remainder of its own, so a table made once tells where it is. */
function placesOfMistakes(): Map<number, number> {
  const found = new Map<number, number>();
  const zeros = symbolsOf("q".repeat(LENGTH)).map(() => 0);
  for (let place = 0; place < LENGTH - 5; place += 1) {
    for (let change = 1; change < 32; change += 1)
      found.set(remainder(zeros.with(9 + place, change), 0), place + 5);
  }
  for (const letter of [2, 3]) {
    for (let change = 1; change < 128; change += 1) {
      found.set(remainder(zeros.with(letter, change >> 5).with(5 + letter, change & 31), 0), letter);
    }
  }
  return found;
}

/** Where one mistyped character would explain a wrong checksum; the place only, for a guess must never become an id. */
function suspect(id: string): string {
  places ??= placesOfMistakes();
  const place = places.get(remainder(symbolsOf(id), 1) ^ 0x2bc830a3);
  return place === undefined ? "" : `: character ${place + 1}?`;
}

/** @throws PassportIdError with the hint of {@link readId}. */
export function parsePassportId(text: string): PassportId {
  const reading = readId(text);
  if (reading.kind === "broken") throw new PassportIdError(reading.hint);
  return reading.id;
}

export class PassportIdError extends Error {
  override readonly name = "PassportIdError";
  readonly hint: string;

  constructor(hint: string) {
    super(`This is not a passport identifier (${hint})`);
    this.hint = hint;
  }
}

export const isPassportId = (text: unknown): text is PassportId => {
  if (typeof text !== "string" || text.length !== LENGTH) return false;
  const reading = readId(text);
  return reading.kind === "id" && reading.id === text;
};

export const zoneOf = (id: PassportId): string => id.slice(2, 4);

export const didOf = (id: PassportId): PassportDid => `${DID_PREFIX}${id}` as PassportDid;

/** `dpch1 qquc j280 …`: how people read an identifier aloud. */
export const groupId = (id: PassportId): string =>
  [id.slice(0, 5), ...(id.slice(5).match(/.{4}/g) ?? [])].join(" ");

/** From what a person typed or copied: spaces and line breaks do not count. @throws PassportIdError */
export const parseTypedId = (text: string): PassportId => parsePassportId(text.replace(/\s+/g, ""));
