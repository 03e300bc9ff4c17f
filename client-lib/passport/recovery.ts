/** The recovery file: the one thing a person keeps so that a passport can never be lost with a host. */
import { decodeBase64url, encodeBase64url } from "./bytes.ts";
import { isExactly, isHash, isList, isObject, isTime, isWhole } from "./form.ts";
import { groupId, isPassportId, type PassportId } from "./identifier.ts";
import { parseStrictJson } from "./json.ts";
import { generateKeyPair, hashOfKey, type KeyPair, keyPairOfSeed, type PublicKey } from "./key.ts";
import type { HashSet, KeySet, RecoverySet } from "./operation.ts";
import { PassportError } from "./verify.ts";

export type KeyRole = "authority" | "next" | "recovery";
/** Keys of an operation that waits, or is on its way: they take over when it counts. */
export type LaterRole = `later-${KeyRole}`;

/** All secrets of a person's passport, or as many of them as somebody has. */
export interface PassportKeys {
  readonly authority: readonly KeyPair[];
  readonly next: readonly KeyPair[];
  readonly recovery: readonly KeyPair[];
}

export interface KeyCounts {
  readonly authority: number;
  readonly next: number;
  readonly recovery: number;
}

/** One key to act, one to follow it, and three guardians of which two are enough. */
export const USUAL_COUNTS: KeyCounts = { authority: 1, next: 1, recovery: 3 };

const times = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

/** New random keys. */
export async function generatePassportKeys(counts: KeyCounts = USUAL_COUNTS): Promise<PassportKeys> {
  return {
    authority: await times(counts.authority, generateKeyPair),
    next: await times(counts.next, generateKeyPair),
    recovery: await times(counts.recovery, generateKeyPair),
  };
}

const majority = (count: number): number => Math.floor(count / 2) + 1;

export const keySetOf = (pairs: readonly KeyPair[], threshold = majority(pairs.length)): KeySet => ({
  keys: pairs.map(({ key }) => key),
  threshold,
});

/** @param threshold More than half by default. */
export async function hashSetOf(
  pairs: readonly KeyPair[],
  threshold = majority(pairs.length),
): Promise<HashSet> {
  return { hashes: await Promise.all(pairs.map(({ key }) => hashOfKey(key))), threshold };
}

/** What a genesis says about a person's keys. */
export async function authorityOf(
  keys: PassportKeys,
): Promise<{ auth: KeySet; next: HashSet; recovery: RecoverySet }> {
  return {
    auth: keySetOf(keys.authority),
    next: await hashSetOf(keys.next),
    recovery: { ...(await hashSetOf(keys.recovery)), delay: "P7D" },
  };
}

interface FileKey {
  readonly role: KeyRole | LaterRole;
  readonly for: string;
  readonly key: PublicKey;
  readonly hash: string;
  readonly secret: string;
}

/** The file as JSON. Other programs may read it, so its names are part of the format: change them only with `version`. */
export interface RecoveryFile {
  readonly format: "dcann-recovery";
  /** 2 when it holds keys for later, which programs that know only 1 would leave out. */
  readonly version: 1 | 2;
  readonly about: string;
  readonly passport: PassportId;
  readonly readAs: string;
  /** UTC to the second. */
  readonly made: string;
  /** `seq` of the authority operation these keys belong to. */
  readonly aseq: number;
  readonly keys: readonly FileKey[];
}

const FOR: Readonly<Record<KeyRole | LaterRole, string>> = {
  authority: "Speaks for you today: it changes where your passport leads and signs for you.",
  next: "Takes over from the authority key: use it to replace a key or a host that you no longer trust. Keep it offline.",
  recovery:
    "Gets your passport back when the keys above are lost. More than half of the recovery keys are needed; you may keep them in different places.",
  "later-authority": "Speaks for you as soon as the change that was begun counts.",
  "later-next": "Takes over from the authority key that speaks for you after the change.",
  "later-recovery": "Gets your passport back after the change.",
};
const ABOUT =
  "The secret keys of your data passport. Whoever has this file can act as you; without it nobody can help you if your host fails. " +
  "Keep it where you keep your most important papers, not on the server.";
const ROLES: readonly KeyRole[] = ["authority", "next", "recovery"];
const isRole = (role: unknown, version: unknown): boolean =>
  ROLES.some((known) => role === known || (version === 2 && role === `later-${known}`));

/**
 * @param made When, passed in because time is.
 * @param later The keys of an operation that is being sent or waits: with both in one file nothing is lost, whatever
 * becomes of it.
 */
export async function makeRecoveryFile(
  passport: PassportId,
  aseq: number,
  keys: PassportKeys,
  made: Date,
  later?: PassportKeys,
): Promise<RecoveryFile> {
  const entries: { role: KeyRole | LaterRole; pair: KeyPair }[] = [
    ...ROLES.flatMap((role) => keys[role].map((pair) => ({ role, pair }))),
    ...ROLES.flatMap((role) =>
      (later?.[role] ?? []).map((pair) => ({ role: `later-${role}` as const, pair })),
    ),
  ];
  return {
    format: "dcann-recovery",
    version: later ? 2 : 1,
    about: ABOUT,
    passport,
    readAs: groupId(passport),
    made: made.toISOString().replace(/\.\d+Z$/, "Z"),
    aseq,
    keys: await Promise.all(
      entries.map(async ({ role, pair }) => ({
        role,
        for: FOR[role],
        key: pair.key,
        hash: await hashOfKey(pair.key),
        secret: encodeBase64url(pair.seed),
      })),
    ),
  };
}

export const exportRecoveryFile = (file: RecoveryFile): string => `${JSON.stringify(file, null, 2)}\n`;

/** @returns e.g. `freehold-passport-dpzz1-qucj.json`: enough to tell two files apart, and no more. */
export const recoveryFileName = (passport: PassportId): string =>
  `freehold-passport-${passport.slice(0, 5)}-${passport.slice(-4)}.json`;

export interface ImportedFile {
  readonly file: RecoveryFile;
  readonly keys: PassportKeys;
  /** The keys of an operation that was begun when the file was made; null in a file without. */
  readonly later: PassportKeys | null;
}

/**
 * Reads a recovery file and proves that every secret belongs to its key: a damaged file is found out now, not in need.
 * @throws PassportError `recovery-file`.
 */
export async function importRecoveryFile(text: string): Promise<ImportedFile> {
  const file = readFile(text);
  const pairs: { role: KeyRole | LaterRole; pair: KeyPair }[] = [];
  for (const entry of file.keys) {
    const seed = decodeBase64url(entry.secret, 32);
    const pair = seed && (await keyPairOfSeed(seed));
    if (!pair || pair.key !== entry.key || (await hashOfKey(pair.key)) !== entry.hash)
      throw new PassportError("recovery-file", `The ${entry.role} key ${entry.key} is damaged`);
    pairs.push({ role: entry.role, pair });
  }
  const of = (wanted: KeyRole | LaterRole) =>
    pairs.filter(({ role }) => role === wanted).map(({ pair }) => pair);
  return {
    file,
    keys: { authority: of("authority"), next: of("next"), recovery: of("recovery") },
    later:
      file.version === 2
        ? { authority: of("later-authority"), next: of("later-next"), recovery: of("later-recovery") }
        : null,
  };
}

function readFile(text: string): RecoveryFile {
  let value: unknown;
  try {
    value = parseStrictJson(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new PassportError("recovery-file", `It is damaged: ${(cause as Error).message}`);
  }
  if (!isObject(value) || value.format !== "dcann-recovery")
    throw new PassportError("recovery-file", "It is no recovery file of a passport");
  const { version } = value;
  if (version !== 1 && version !== 2)
    throw new PassportError("recovery-file", `Version ${String(version)} is not known to this program`);
  const fits =
    isExactly(value, ["format", "version", "about", "passport", "readAs", "made", "aseq", "keys"]) &&
    isPassportId(value.passport) &&
    isTime(value.made) &&
    isWhole(value.aseq, 0, 1e9) &&
    isList(value.keys, 1, 64) &&
    value.keys.every((key) => isFileKey(key, version));
  if (!fits) throw new PassportError("recovery-file", "Something in it is missing or was changed");
  return value as unknown as RecoveryFile;
}

const isFileKey = (value: unknown, version: 1 | 2): boolean =>
  isExactly(value, ["role", "for", "key", "hash", "secret"]) &&
  isRole(value.role, version) &&
  typeof value.key === "string" &&
  isHash(value.hash) &&
  isHash(value.secret);
