/** The root's index of passports that have left the zone of their birth: where one is, or the proof that it is at home. */
import { type Bytes, decodeBase64url, sameBytes, sha256, tagged, utf8 } from "../passport/bytes.ts";
import { isExactly, isHash, isList, isObject, isWhole } from "../passport/form.ts";
import { isZone, type PassportId, zoneOf } from "../passport/identifier.ts";
import { PassportError } from "../passport/verify.ts";
import { type EpochFacts, type Freshness, verifyEpoch } from "./epoch.ts";
import { headKeyOf } from "./leaf.ts";
import { ROOT_NAME } from "./letter.ts";
import { isSibling, readSibling, rootOfPath } from "./map.ts";
import { concat } from "./merkle.ts";
import type { EpochProof, MapEnd, RootRecord } from "./model.ts";

/** What the root answers of one key of its index. */
export interface PortedAnswer {
  /** SHA-256 of the identifier, with `root` for a shard: base64url. */
  readonly headKey: string;
  /** Where the passport is; null: where it was born. */
  readonly zone: string | null;
  readonly proof: EpochProof & { readonly map: readonly string[]; readonly end: MapEnd };
  readonly checkpoint: string;
}

/** Where a passport stands in the root's index, in every year. */
export const portedKeyOf = (id: PassportId): Promise<Bytes> => headKeyOf(ROOT_NAME, id);

/** What the index commits to: no secret, for whoever has a copy of the index knows the zone. */
export const portedCommit = (headKey: Uint8Array, zone: string): Promise<Bytes> =>
  sha256(concat(tagged("DCANN-ported-v1", ""), headKey, utf8(zone)));

/** Where a passport is, and the root's tree that says so. */
export interface PortedFacts {
  readonly zone: string;
  readonly epoch: EpochFacts;
}

const SHARD = new RegExp(`^${ROOT_NAME}/[2-9]\\d{3}$`);
const CHECKPOINT_CHARACTERS_MAX = 65_536;

const need = (found: Bytes | null): Bytes => {
  if (!found) throw new PassportError("answer", "A hash is not 32 bytes");
  return found;
};
const bytes = (text: string): Bytes => need(decodeBase64url(text, 32));

/** All of it, to the last hash: what is verified and what is used must be the same. */
function isPortedAnswer(value: unknown): value is PortedAnswer {
  if (!isExactly(value, ["headKey", "zone", "proof", "checkpoint"])) return false;
  const { proof, checkpoint } = value;
  return (
    (value["zone"] === null || isZone(value["zone"])) &&
    typeof checkpoint === "string" &&
    checkpoint.length <= CHECKPOINT_CHARACTERS_MAX &&
    isObject(proof) &&
    typeof proof["shard"] === "string" &&
    isObject(proof["rootLeaf"]) &&
    isWhole(proof["rootLeaf"]["epoch"], 0, Number.MAX_SAFE_INTEGER) &&
    isWhole(proof["rootLeaf"]["count"], 0, Number.MAX_SAFE_INTEGER) &&
    isHash(proof["rootLeaf"]["root"]) &&
    isObject(proof["log"]) &&
    isWhole(proof["log"]["index"], 0, Number.MAX_SAFE_INTEGER) &&
    isList(proof["log"]["path"], 0, 63) &&
    proof["log"]["path"].every(isHash) &&
    isList(proof["map"], 0, 256) &&
    proof["map"].every(isSibling) &&
    (proof["end"] === null ||
      (isExactly(proof["end"], ["key", "commit"]) &&
        isHash(proof["end"]["key"]) &&
        isHash(proof["end"]["commit"])))
  );
}

/**
 * Holds an answer of the index against the root's log, offline.
 * @throws PassportError as `verifyAnswer`.
 */
export async function readPorted(
  value: unknown,
  id: PassportId,
  trust: RootRecord,
  freshness: Freshness = {},
): Promise<PortedFacts> {
  if (!isPortedAnswer(value)) throw new PassportError("answer", "It is no answer of the root's index");
  const { proof, checkpoint, zone } = value;
  const key = await portedKeyOf(id);
  if (!sameBytes(key, bytes(value.headKey)))
    throw new PassportError("identifier", "The answer is of another passport");
  if (!SHARD.test(proof.shard))
    throw new PassportError("zone", `The answer is of ${proof.shard.slice(0, 20)}, not of the root`);
  const end = proof.end && { key: bytes(proof.end.key), commit: bytes(proof.end.commit) };
  const commit = zone === null ? null : await portedCommit(key, zone);
  const path = proof.map.map((text) => need(readSibling(text)));
  const found = await rootOfPath(key, commit, path, end);
  if (!found) throw new PassportError("map-path", "The path is none");
  if (!sameBytes(found, bytes(proof.rootLeaf.root)))
    throw new PassportError("map-root", "The path is not of this map");
  const epoch = await verifyEpoch(proof, checkpoint, trust.root, freshness);
  return { zone: zone ?? zoneOf(id), epoch };
}

/** As {@link readPorted}. @returns the zone that the passport is in. */
export const verifyPorted = async (...given: Parameters<typeof readPorted>): Promise<string> =>
  (await readPorted(...given)).zone;
