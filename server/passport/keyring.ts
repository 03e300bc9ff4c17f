/** Keys this server holds: the registrar's own, and those by which it speaks for the passports it hosts. Sealed by the store. */
import {
  decodeBase64url,
  encodeBase64url,
  generateKeyPair,
  type KeyPair,
  keyPairOfSeed,
  type PassportId,
  type PublicKey,
} from "@freehold/client/passport";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Snapshot, type Store, type Transaction } from "../store/store.ts";

interface SeedRecord {
  /** 32 bytes, base64url. */
  readonly seed: string;
}

interface BegunRecord extends SeedRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
}

async function pairOf(record: SeedRecord): Promise<KeyPair> {
  const seed = decodeBase64url(record.seed, 32);
  if (!seed) throw new Error("A stored key is damaged");
  return keyPairOfSeed(seed);
}

/**
 * A key of the server's own, made the first time it is asked for: the registrar's, and the host's for registries that want
 * to know a host by one key.
 */
export async function serverKey(store: Store, name: "registrar" | "host"): Promise<KeyPair> {
  const item = name === "registrar" ? name : "host-key";
  const found = await store.write(SERVER_POD, async (transaction) => {
    const entry = await transaction.get("setting", "registry", item);
    if (entry) return decodeRecord<SeedRecord>(entry);
    const record: SeedRecord = { seed: encodeBase64url((await generateKeyPair()).seed) };
    transaction.put("setting", "registry", item, encodeRecord(record));
    return record;
  });
  return pairOf(found.result);
}

/** A delegate key for somebody who may open a passport soon. Those that nobody came back for are dropped. */
export async function beginDelegate(
  transaction: Transaction,
  pair: KeyPair,
  at: number,
  keptMs: number,
): Promise<void> {
  for await (const entry of transaction.list("passport", "begun")) {
    if (decodeRecord<BegunRecord>(entry).at < at - keptMs)
      transaction.delete("passport", "begun", entry.item);
  }
  const record: BegunRecord = { seed: encodeBase64url(pair.seed), at };
  transaction.put("passport", "begun", pair.key, encodeRecord(record));
}

interface DelegateRecord extends SeedRecord {
  readonly passport: PassportId;
}

/**
 * A key that was begun belongs to this passport from now on.
 * @returns null for the key of another host, and for one that speaks for another passport.
 */
export async function adoptDelegate(
  transaction: Transaction,
  key: PublicKey,
  passport: PassportId,
): Promise<KeyPair | null> {
  const begun = await transaction.get("passport", "begun", key);
  if (!begun) return findDelegate(transaction, key, passport);
  const { seed } = decodeRecord<BegunRecord>(begun);
  const record: DelegateRecord = { seed, passport };
  transaction.delete("passport", "begun", key);
  transaction.put("passport", "delegate", key, encodeRecord(record));
  return pairOf(record);
}

/** Whether {@link adoptDelegate} would find this key for the passport. */
export async function isDelegate(snapshot: Snapshot, key: PublicKey, passport: PassportId): Promise<boolean> {
  const begun = await snapshot.get("passport", "begun", key);
  return begun !== null || (await findDelegate(snapshot, key, passport)) !== null;
}

/** @returns null for the key of another host, and for one that speaks for another passport. */
export async function findDelegate(
  snapshot: Snapshot,
  key: PublicKey,
  passport: PassportId,
): Promise<KeyPair | null> {
  const entry = await snapshot.get("passport", "delegate", key);
  const record = entry && decodeRecord<DelegateRecord>(entry);
  return record?.passport === passport ? pairOf(record) : null;
}

/** For a passport that is dropped: its key must never speak again. */
export function dropDelegate(transaction: Transaction, key: PublicKey): void {
  transaction.delete("passport", "delegate", key);
}
