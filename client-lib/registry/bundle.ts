/**
 * An answer of the registry, held against everything that it must be. All of it is checked offline, with the root's record
 * alone; whatever is wrong has a word of its own ({@link ANSWER_RULES}), beside those of the rules of operations.
 */
import { type Bytes, decodeBase64url, jcs, sameBytes } from "../passport/bytes.ts";
import { type AllowUrl, isHash, isList, isObject, isWhole } from "../passport/form.ts";
import { type PassportId, readId, zoneOf } from "../passport/identifier.ts";
import { JsonError, parseStrictJson } from "../passport/json.ts";
import type { HoldOperation } from "../passport/operation.ts";
import { type Passport, PassportError, refuseRollback, type Seen, verifyBundle } from "../passport/verify.ts";
import { type EpochFacts, type Freshness, verifyEpoch } from "./epoch.ts";
import { commitOf, headKeyOf, headRecordText } from "./leaf.ts";
import { isSibling, readSibling, rootOfPath } from "./map.ts";
import type { Absence, Bundle, EpochProof, MapEnd, RootRecord, ZoneRecord } from "./model.ts";

/** What an answer itself may break, in the order in which it is asked. */
export const ANSWER_RULES: Readonly<Record<string, string>> = Object.freeze({
  json: "An answer is strict JSON: each name once, whole numbers, no lone surrogates.",
  answer: "An answer is a bundle or an absence, and has all its parts in canonical form.",
  identifier: "The answer is of the passport that was asked for, and its genesis gives that identifier.",
  bundle: "The chain of authority begins with a create, and the data record is one.",
  zone: "The answer is of the zone that the passport is in: where it began, or where its owner ported it last.",
  "zone-unknown": "The root's record names the zone.",
  "zone-ended": "The zone is active, or an emergency operator runs it.",
  absence: "The path of an absence ends where the passport would be: nowhere, or at another one.",
  "map-path": "The path through the map is one.",
  "map-root": "The path leads to the root of the map that the answer names.",
  note: "The checkpoint is a signed note.",
  checkpoint: "It names a log, the size of its tree and the root of that.",
  origin: "The checkpoint is of the zone's log of that year.",
  "log-signature": "The zone has signed the checkpoint.",
  quorum: "As many witnesses have signed it as the zone's policy asks for.",
  future: "The quorum has not signed in the future.",
  "shard-year": "The log of a year counts until a day after its end.",
  "last-leaf": "The root of the map is the last leaf of the log.",
  inclusion: "The root of the map is in the log.",
  freshness: "A witness has signed lately: within a day, unless the reader asks for less.",
  rollback: "The answer is not older than one that was seen before.",
});

export interface AnswerOptions extends Freshness {
  /** Addresses a passport may name although they are not public. */
  readonly allowUrl?: AllowUrl | undefined;
  /** The newest state that is known; whatever is older is refused. */
  readonly seen?: Seen | null;
  /** The zone that the root's index of ported passports names, for those that are not where they began. */
  readonly zone?: string;
}

/** What stands behind an answer. */
export interface Proven {
  readonly id: PassportId;
  readonly zone: string;
  /** The zone, as the root's record has it. */
  readonly place: ZoneRecord;
  readonly epoch: EpochFacts;
  /** Where the passport is in log and map: it changes there, or not at all. */
  readonly headKey: Bytes;
}

export type VerifiedAnswer =
  | (Proven & {
      readonly kind: "present";
      readonly passport: Passport;
      readonly isDeactivated: boolean;
      /** Why the zone shows that it holds the passport; its keys and data are the owner's all the same. */
      readonly hold: HoldOperation | null;
    })
  | (Proven & { readonly kind: "absent" });

const SHARD = /^[a-z0-9]{2}\/[2-9]\d{3}$/;
const MAP_PATH_MAX = 256;
const LOG_PATH_MAX = 63;
const CHECKPOINT_CHARACTERS_MAX = 65_536;

const fail = (rule: string, detail: string): never => {
  throw new PassportError(rule, detail);
};

const isEnd = (end: unknown): end is MapEnd =>
  end === null || (isObject(end) && isHash(end["key"]) && isHash(end["commit"]));

const isProof = (proof: unknown): proof is EpochProof & { readonly map: readonly string[] } =>
  isObject(proof) &&
  typeof proof["shard"] === "string" &&
  SHARD.test(proof["shard"]) &&
  isObject(proof["rootLeaf"]) &&
  isWhole(proof["rootLeaf"]["epoch"], 1, Number.MAX_SAFE_INTEGER) &&
  isWhole(proof["rootLeaf"]["count"], 0, Number.MAX_SAFE_INTEGER) &&
  isHash(proof["rootLeaf"]["root"]) &&
  isObject(proof["log"]) &&
  isWhole(proof["log"]["index"], 0, Number.MAX_SAFE_INTEGER) &&
  isList(proof["log"]["path"], 0, LOG_PATH_MAX) &&
  proof["log"]["path"].every(isHash) &&
  isList(proof["map"], 0, MAP_PATH_MAX) &&
  proof["map"].every(isSibling);

/** The form of an answer alone; says nothing yet of whether it holds. @throws PassportError `json`, `answer`. */
export function readAnswer(source: string | object): Bundle | Absence {
  let value: unknown;
  try {
    value = parseStrictJson(typeof source === "string" ? source : jcs(source));
  } catch (cause) {
    return fail("json", cause instanceof JsonError ? cause.message : "It is not JSON");
  }
  if (!isObject(value) || typeof value["id"] !== "string")
    return fail("answer", "It is no answer of a registry");
  const { checkpoint, proof, absence } = value;
  if (typeof checkpoint !== "string" || checkpoint.length > CHECKPOINT_CHARACTERS_MAX)
    return fail("answer", "There is no checkpoint");
  if (absence !== undefined && proof !== undefined)
    return fail("answer", "It says that the passport is there, and that it is not");
  if (absence !== undefined)
    return isProof(absence) && isEnd((absence as { readonly end?: unknown }).end ?? null) && "end" in absence
      ? (value as unknown as Absence)
      : fail("answer", "The proof of absence is not well formed");
  if (!isProof(proof) || !isHash((proof as { readonly opening?: unknown }).opening))
    return fail("answer", "The proof is missing or not well formed");
  return isObject(value["head"]) ? (value as unknown as Bundle) : fail("answer", "There is no head");
}

function placeOf(trust: RootRecord, zone: string): ZoneRecord {
  const place = Object.hasOwn(trust.zones, zone) ? trust.zones[zone] : undefined;
  if (!place)
    return fail("zone-unknown", `The root's record (version ${trust.version}) names no zone ${zone}`);
  if (place.status !== "active" && place.status !== "emergency")
    fail("zone-ended", `The zone ${zone} is ${place.status}`);
  return place;
}

/** Steps 5 and 6: the head, blinded, is what the map has at the passport's place. */
async function verifyPath(
  shard: string,
  id: PassportId,
  commit: ((headKey: Bytes) => Promise<Bytes>) | null,
  proof: { readonly map: readonly string[]; readonly end: MapEnd; readonly root: string },
): Promise<Bytes> {
  const headKey = await headKeyOf(shard, id);
  const bytes = (text: string): Bytes =>
    decodeBase64url(text, 32) ?? fail("answer", "A hash is not 32 bytes");
  const end = proof.end && { key: bytes(proof.end.key), commit: bytes(proof.end.commit) };
  const path = proof.map.map((text) => readSibling(text) ?? fail("answer", "A sibling is none"));
  const found = await rootOfPath(headKey, commit && (await commit(headKey)), path, end);
  if (!found)
    return fail(
      commit ? "map-path" : "absence",
      commit ? "The path is none" : "The path does not end where the passport would be",
    );
  if (!sameBytes(found, bytes(proof.root)))
    fail("map-root", commit ? "The head is not what the map has" : "The path is not of this map");
  return headKey;
}

async function verifyPresence(
  bundle: Bundle,
  id: PassportId,
  trust: RootRecord,
  options: AnswerOptions,
): Promise<VerifiedAnswer> {
  const { head, proof, checkpoint } = bundle;
  const passport = await verifyBundle({ id: bundle.id, head }, id, {
    ...(options.allowUrl && { allowUrl: options.allowUrl }),
    zoneKeys: (name) => (Object.hasOwn(trust.zones, name) ? (trust.zones[name]?.keys ?? []) : []),
  });
  const { state } = passport;
  const { zone } = state;
  if (options.zone !== undefined && options.zone !== zone)
    fail("zone", `The passport is in ${options.zone} by the root's index, and in ${zone} by its chain`);
  if (proof.shard.slice(0, 2) !== zone)
    fail("zone", `The answer is of ${proof.shard}, the passport of ${zone}`);
  const place = placeOf(trust, zone);
  const text = headRecordText({
    a: state.headHash,
    aseq: state.head.seq,
    d: passport.dataHash,
    dseq: passport.data?.dseq ?? 0,
    ...(state.hold !== null && { h: state.hold }),
  });
  const opening = decodeBase64url(proof.opening, 32) ?? fail("answer", "The opening is not 32 bytes");
  const headKey = await verifyPath(proof.shard, id, (key) => commitOf(opening, key, text), {
    map: proof.map,
    end: null,
    root: proof.rootLeaf.root,
  });
  const epoch = await verifyEpoch(proof, checkpoint, place, options);
  refuseRollback(passport, options.seen ?? null);
  return {
    kind: "present",
    id,
    zone,
    place,
    epoch,
    headKey,
    passport,
    isDeactivated: state.deactivated,
    hold: head.hold?.op ?? null,
  };
}

/**
 * Verifies an answer in nine steps: identifier and genesis (1, 2), the chain of authority (3), the data record (4), the
 * blinded head (5), its path through the map (6), the signatures of zone and witnesses (7), the root of the map at the end of
 * the log and the age of the signatures (8), and that nothing newer was seen (9). An absence skips what it does not have.
 * @param source The bundle, or the content of a 404.
 * @param id The passport that was asked for.
 * @param trust The root's record, verified by `verifyRootRecord`.
 * @throws PassportError with the first rule that is broken: one of {@link ANSWER_RULES}, or of the rules of operations.
 */
export async function verifyAnswer(
  source: string | object,
  id: PassportId,
  trust: RootRecord,
  options: AnswerOptions = {},
): Promise<VerifiedAnswer> {
  const reading = readId(id);
  if (reading.kind === "broken" || reading.id !== id)
    fail("identifier", "What was asked for is no passport identifier");
  const answer = readAnswer(source);
  if (answer.id !== id) fail("identifier", "The answer is of another passport");
  if (!("absence" in answer)) return verifyPresence(answer, id, trust, options);
  const { absence, checkpoint } = answer;
  const zone = options.zone ?? zoneOf(id);
  if (absence.shard.slice(0, 2) !== zone)
    fail("zone", `The answer is of ${absence.shard}, the passport of ${zone}`);
  const place = placeOf(trust, zone);
  const headKey = await verifyPath(absence.shard, id, null, { ...absence, root: absence.rootLeaf.root });
  const epoch = await verifyEpoch(absence, checkpoint, place, options);
  return { kind: "absent", id, zone, place, epoch, headKey };
}
