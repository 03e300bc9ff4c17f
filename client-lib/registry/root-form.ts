/** What a root's record looks like: every flaw of form is found before a signature is looked at. */

import { decodeBase64url, jcs } from "../passport/bytes.ts";
import {
  type AllowUrl,
  areDistinct,
  flawOfUrl,
  isExactly,
  isHash,
  isList,
  isObject,
  isTime,
  isWhole,
  type Json,
  oddNames,
} from "../passport/form.ts";
import { isZone } from "../passport/identifier.ts";
import { decodeKey } from "../passport/key.ts";
import type { RootRecord, ZoneRecord } from "./model.ts";

const ROOT_KEYS_MAX = 15;
const ZONE_KEYS_MAX = 8;
const URLS_MAX = 32;
const KINDS: readonly unknown[] = ["country", "neutral", "private"] satisfies readonly ZoneRecord["kind"][];
const STATUSES: readonly unknown[] = [
  "active",
  "emergency",
  "failed",
  "delisted",
] satisfies readonly ZoneRecord["status"][];
const ZONE_FIELDS = [
  "operator",
  "kind",
  "urls",
  "log",
  "keys",
  "legalKeys",
  "policy",
  "status",
  "escrow",
] as const satisfies readonly (keyof ZoneRecord)[];
const FIELDS = [
  "v",
  "version",
  "prev",
  "publication",
  "description",
  "keys",
  "services",
  "zones",
  "root",
] as const satisfies readonly (keyof RootRecord)[];

/** As a key's name in a signed note: no spaces, no plus. @see https://c2sp.org/signed-note */
const ORIGIN = /^[\x21-\x2a\x2c-\x7e]{1,160}$/;

const isText = (value: unknown, most: number): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= most && value.isWellFormed();

const isKey = (value: unknown): boolean => decodeKey(value) !== null;

const isSignatures = (value: unknown): boolean =>
  isList(value, 0, ROOT_KEYS_MAX) &&
  value.every(
    (sig, index) =>
      isExactly(sig, ["k", "s"]) &&
      isWhole(sig["k"], index === 0 ? 0 : Number((value[index - 1] as Json)["k"]) + 1, ROOT_KEYS_MAX - 1) &&
      decodeBase64url(sig["s"], 64) !== null,
  );

/** @returns what is wrong with the envelope, or null. */
export function flawOfSigned(value: unknown): string | null {
  if (!isObject(value) || oddNames(value, ["record", "sigs"], ["own"]).length > 0)
    return "It is not an object with record, sigs and perhaps own";
  if (!isSignatures(value["sigs"]) || ("own" in value && !isSignatures(value["own"])))
    return "sigs or own is not a list of signatures with k growing";
  return null;
}

function flawOfKeys(value: unknown, least: number, what: string): string | null {
  const fits = isList(value, least, ZONE_KEYS_MAX) && value.every(isKey) && areDistinct(value);
  return fits ? null : `${what} is not ${least} to ${ZONE_KEYS_MAX} different Ed25519 multikeys`;
}

function flawOfUrls(value: unknown, allow: AllowUrl): string | null {
  if (!isList(value, 1, URLS_MAX) || !areDistinct(value))
    return `urls is not 1 to ${URLS_MAX} different addresses`;
  for (const url of value) {
    const flaw = flawOfUrl(url, allow) ?? (String(url).endsWith("/") ? null : "does not end in a slash");
    if (flaw) return `an address of urls ${flaw}`;
  }
  return null;
}

function flawOfLog(value: unknown, allow: AllowUrl): string | null {
  if (!isExactly(value, ["origin", "key", "url"])) return "log has not exactly origin, key, url";
  if (typeof value["origin"] !== "string" || !ORIGIN.test(value["origin"]))
    return "log.origin is no name of a key";
  if (!isKey(value["key"])) return "log.key is no Ed25519 multikey";
  const flaw =
    flawOfUrl(value["url"], allow) ?? (String(value["url"]).endsWith("/") ? null : "does not end in a slash");
  return flaw && `log.url ${flaw}`;
}

/** A policy is lines of visible ASCII; what they mean is read where they are used. */
const isPolicy = (value: unknown): boolean =>
  isText(value, 16_384) && /^[\t\n\x20-\x7e]*$/.test(value) && value.endsWith("\n");

const flawOfPlace = (value: Json, allow: AllowUrl): string | null =>
  flawOfUrls(value["urls"], allow) ??
  flawOfLog(value["log"], allow) ??
  flawOfKeys(value["keys"], 1, "keys") ??
  (isPolicy(value["policy"]) ? null : "policy is not lines of text");

/** @returns what is wrong with a zone's record, or null. */
export function flawOfZoneRecord(value: unknown, allow: AllowUrl): string | null {
  if (!isExactly(value, ZONE_FIELDS))
    return `has not exactly ${ZONE_FIELDS.join(", ")} (${oddNames(value, ZONE_FIELDS).join(", ").slice(0, 100)})`;
  if (!isText(value["operator"], 200)) return "operator is not a name";
  if (!KINDS.includes(value["kind"])) return `kind is not one of ${KINDS.join(", ")}`;
  if (!STATUSES.includes(value["status"])) return `status is not one of ${STATUSES.join(", ")}`;
  if (value["escrow"] !== null && !isText(value["escrow"], 200)) return "escrow is neither a name nor null";
  return flawOfPlace(value, allow) ?? flawOfKeys(value["legalKeys"], 0, "legalKeys");
}

function flawOfKeySet(value: unknown): string | null {
  if (!isExactly(value, ["keys", "threshold"])) return "keys has not exactly keys, threshold";
  const { keys, threshold } = value;
  if (!isList(keys, 1, ROOT_KEYS_MAX) || !keys.every(isKey) || !areDistinct(keys))
    return `keys is not 1 to ${ROOT_KEYS_MAX} different Ed25519 multikeys`;
  return isWhole(threshold, 1, keys.length) ? null : `threshold is not 1 to ${keys.length}`;
}

function flawOfZones(value: unknown, allow: AllowUrl): string | null {
  if (!isObject(value)) return "zones is no object";
  for (const [name, zone] of Object.entries(value)) {
    const flaw = isZone(name) ? flawOfZoneRecord(zone, allow) : "is no name of a zone";
    if (flaw) return `zone ${JSON.stringify(name).slice(0, 20)}: ${flaw}`;
  }
  return null;
}

/** One log is never two: neither by its name nor by its key, or a checkpoint of one could be shown as the other's. */
function flawOfLogs({ zones, root }: RootRecord): string | null {
  const logs = [root.log, ...Object.values(zones).map(({ log }) => log)];
  const areApart = areDistinct(logs.map(({ origin }) => origin)) && areDistinct(logs.map(({ key }) => key));
  return areApart ? null : "two logs share an origin or a key";
}

/** @returns what is wrong with a record by itself, or null. */
export function flawOfRootRecord(value: unknown, allow: AllowUrl): string | null {
  if (!isExactly(value, FIELDS)) return `record has not exactly ${FIELDS.join(", ")}`;
  const record = value as unknown as RootRecord;
  if (record.v !== 1) return "v is not 1";
  if (!isWhole(record.version, 1, 1e9)) return "version is not a number from 1";
  if (record.version === 1 ? record.prev !== null : !isHash(record.prev))
    return "prev is not null in the first version and a hash in all others";
  if (!isTime(record.publication)) return "publication is not UTC to the second";
  if (!isText(record.description, 500)) return "description is not a text of at most 500 characters";
  if (!isExactly(record.root, ["urls", "log", "policy", "keys"]))
    return "root has not exactly urls, log, policy, keys";
  const flaw =
    flawOfKeySet(record.keys) ??
    flawOfZones(record.zones, allow) ??
    flawOfPlace(record.root, allow) ??
    flawOfLogs(record);
  if (flaw) return flaw;
  const services = Object.keys(record.zones)
    .toSorted()
    .map((zone) => [[zone], record.zones[zone]?.urls]);
  return jcs(record.services) === jcs(services)
    ? null
    : "services is not what follows from zones, in their order";
}
