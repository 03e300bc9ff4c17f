/**
 * How a version of the root's record comes about: somebody writes a draft, each holder of a key signs it in a place of their
 * own, and when enough have, it takes the place of the record. The files go from hand to hand; no key ever does.
 */
import { chmod, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type AllowUrl,
  decodeBase64url,
  encodeBase64url,
  generateKeyPair,
  hashOfRootRecord,
  isExactly,
  type KeyPair,
  type KeySet,
  keyPairOfSeed,
  PassportError,
  parsePolicy,
  type RootRecord,
  readRootRecord,
  type SignedRootRecord,
  secondsOf,
  servicesOf,
  signRootRecord,
  verifyRootRecord,
  type ZoneRecord,
} from "@freehold/client/registry";
import { OperatorError } from "../../errors.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";

const RECORD_FILE = "record.json";
const DRAFT_FILE = "draft.json";
const OWNER_ONLY = 0o600;

async function readFileOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function readSignedOrNull(path: string, allowUrl: AllowUrl): Promise<SignedRootRecord | null> {
  const text = await readFileOrNull(path);
  if (text === null) return null;
  try {
    return readRootRecord(text, { allowUrl });
  } catch (error) {
    if (!(error instanceof PassportError)) throw error;
    throw new OperatorError(`${path} is no record of a root: ${error.detail}`, { cause: error });
  }
}

const write = (path: string, value: unknown): Promise<void> =>
  writeDurably(path, Buffer.from(`${JSON.stringify(value, null, 2)}\n`));

/** What the root's server publishes; null before the first. */
export const readRecord = (folder: string, allowUrl: AllowUrl): Promise<SignedRootRecord | null> =>
  readSignedOrNull(join(folder, RECORD_FILE), allowUrl);

export const readDraft = (folder: string, allowUrl: AllowUrl): Promise<SignedRootRecord | null> =>
  readSignedOrNull(join(folder, DRAFT_FILE), allowUrl);

/** A holder's key, for one person to keep. @throws OperatorError when the file is there. */
export async function makeHolderKey(path: string): Promise<KeyPair> {
  if ((await readFileOrNull(path)) !== null)
    throw new OperatorError(`${path} is there already. A key is never replaced: name another file.`);
  const pair = await generateKeyPair();
  await write(path, { key: pair.key, secret: encodeBase64url(pair.seed) });
  await chmod(path, OWNER_ONLY);
  return pair;
}

/** @throws OperatorError */
export async function readHolderKey(path: string): Promise<KeyPair> {
  const text = await readFileOrNull(path);
  let value: unknown = null;
  try {
    value = text && JSON.parse(text);
  } catch {} // It is said below that it is no key.
  const seed = isExactly(value, ["key", "secret"]) ? decodeBase64url(value["secret"], 32) : null;
  const pair = seed && (await keyPairOfSeed(seed));
  if (!pair || pair.key !== (value as { readonly key?: unknown }).key)
    throw new OperatorError(`${path} is no file of a holder's key, or it is damaged`);
  return pair;
}

export interface FirstRecord {
  readonly description: string;
  readonly keys: KeySet;
  readonly root: RootRecord["root"];
}

/** The draft of the first version. @throws OperatorError where there is a record already. */
export async function beginRecord(
  folder: string,
  { description, keys, root }: FirstRecord,
  at: Date,
  allowUrl: AllowUrl,
): Promise<SignedRootRecord> {
  if ((await readFileOrNull(join(folder, RECORD_FILE))) !== null)
    throw new OperatorError(`${folder} has a record already: change it with registry root zone`);
  const record: RootRecord = {
    v: 1,
    version: 1,
    prev: null,
    publication: secondsOf(at.getTime()),
    description,
    keys,
    services: [],
    zones: {},
    root,
  };
  return saveDraft(folder, record, allowUrl);
}

async function saveDraft(folder: string, record: RootRecord, allowUrl: AllowUrl): Promise<SignedRootRecord> {
  const draft: SignedRootRecord = { record, sigs: [] };
  try {
    readRootRecord(draft, { allowUrl });
    for (const { policy } of [record.root, ...Object.values(record.zones)]) await parsePolicy(policy);
  } catch (error) {
    if (!(error instanceof PassportError)) throw error;
    throw new OperatorError(`That would be no record of a root: ${error.detail}`, { cause: error });
  }
  await makeFolder(folder);
  await write(join(folder, DRAFT_FILE), draft);
  return draft;
}

export type RecordChange = Partial<Pick<RootRecord, "description" | "keys" | "zones" | "root">>;

/**
 * Changes the draft, or begins one after the record. Signatures under it end, for they were given to another text.
 * @throws OperatorError
 */
export async function changeDraft(
  folder: string,
  change: (record: RootRecord) => RecordChange,
  at: Date,
  allowUrl: AllowUrl,
): Promise<SignedRootRecord> {
  const draft = await readDraft(folder, allowUrl);
  const current = await readRecord(folder, allowUrl);
  const base = draft?.record ?? current?.record;
  if (!base) throw new OperatorError(`There is no root in ${folder}. Make one: freehold registry root init`);
  const next: RootRecord =
    draft || !current ? base : { ...base, version: base.version + 1, prev: await hashOfRootRecord(base) };
  const changed = { ...next, ...change(next), publication: secondsOf(at.getTime()) };
  return saveDraft(folder, { ...changed, services: servicesOf(changed.zones) }, allowUrl);
}

/** @param zone Null takes it off the list. */
export const withZone =
  (name: string, zone: ZoneRecord | null) =>
  ({ zones }: RootRecord): RecordChange => {
    const { [name]: _, ...others } = zones;
    return { zones: zone ? { ...others, [name]: zone } : others };
  };

/** Signs the draft with a holder's key. @returns how many signatures it has, and needs. */
export async function signDraft(
  folder: string,
  holder: KeyPair,
  allowUrl: AllowUrl,
): Promise<{ readonly signed: SignedRootRecord; readonly count: number; readonly threshold: number }> {
  const draft = await readDraft(folder, allowUrl);
  if (!draft) throw new OperatorError(`There is no draft in ${folder} to be signed`);
  const before =
    draft.record.version === 1 ? null : ((await readRecord(folder, allowUrl))?.record.keys ?? null);
  const keys = before ?? draft.record.keys;
  if (![...keys.keys, ...draft.record.keys.keys].includes(holder.key))
    throw new OperatorError(`The key ${holder.key} is none of those that sign this record`);
  const signed = await signRootRecord(draft, before, [holder]);
  await write(join(folder, DRAFT_FILE), signed);
  return { signed, count: signed.sigs.length, threshold: keys.threshold };
}

/** The draft becomes the record: the server takes it up within seconds. @throws PassportError when too few have signed. */
export async function publishDraft(folder: string, allowUrl: AllowUrl): Promise<RootRecord> {
  const draft = await readDraft(folder, allowUrl);
  if (!draft) throw new OperatorError(`There is no draft in ${folder} to be published`);
  const current = await readRecord(folder, allowUrl);
  const record = await verifyRootRecord(draft, current?.record ?? null, { allowUrl });
  await write(join(folder, RECORD_FILE), draft);
  await write(join(folder, `record-${record.version}.json`), draft);
  await rm(join(folder, DRAFT_FILE));
  return record;
}
