/** Accounts as the store keeps them, among the server's own records: found by id, by the pod's name, by a passkey. */
import { Problem } from "../errors.ts";
import type { WebId } from "../iri.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Snapshot, Transaction } from "../store/store.ts";

/** A public key that can sign in; the private one never leaves the person's device. */
export interface Passkey {
  /** The authenticator's own id for it, base64url. */
  readonly id: string;
  /** Where it was made, in words for its owner. */
  readonly name: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  /** Grows with each use where the authenticator counts. */
  readonly counter: number;
  readonly transports: readonly string[];
  /** Milliseconds since 1970. */
  readonly created: number;
}

export interface Account {
  readonly id: string;
  /** What the person wants to be called. */
  readonly name: string;
  /** Name of the pod; also what is typed to sign in with a password. */
  readonly pod: string;
  readonly webid: WebId;
  /** PHC string, or null for those who only use passkeys. */
  readonly password: string | null;
  readonly passkeys: readonly Passkey[];
  /** Passport identifier without `did:dcann:`; null where none was made. */
  readonly passport: string | null;
  /** When the owner last said that the recovery file is safe; milliseconds since 1970. */
  readonly recoverySaved: number | null;
  /** When the owner last had the journal checked, and whether nothing was wrong; absent: never. */
  readonly journalChecked?: { readonly at: number; readonly isSound: boolean };
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Whether this person also runs the server; absent for all others. */
  readonly isOperator?: true;
}

const BY_ID = "id";
const BY_POD = "pod";
const BY_PASSKEY = "passkey";

/** @returns null when there is no such account (any more). */
export async function findAccount(snapshot: Snapshot, id: string): Promise<Account | null> {
  const entry = await snapshot.get("account", BY_ID, id);
  return entry && decodeRecord<Account>(entry);
}

async function follow(snapshot: Snapshot, group: string, item: string): Promise<Account | null> {
  const entry = await snapshot.get("account", group, item);
  return entry && findAccount(snapshot, decodeRecord<string>(entry));
}

export const accountOfPod = (snapshot: Snapshot, pod: string): Promise<Account | null> =>
  follow(snapshot, BY_POD, pod);

export const accountOfPasskey = (snapshot: Snapshot, passkeyId: string): Promise<Account | null> =>
  follow(snapshot, BY_PASSKEY, passkeyId);

/** The oldest first. */
export async function listAccounts(snapshot: Snapshot): Promise<readonly Account[]> {
  const accounts: Account[] = [];
  for await (const entry of snapshot.list("account", BY_ID)) accounts.push(decodeRecord<Account>(entry));
  return accounts.sort((a, b) => a.created - b.created);
}

/** Reads one record, however many there are. */
export async function anyAccount(snapshot: Snapshot): Promise<Account | null> {
  const { entries } = await snapshot.page("account", BY_ID, null, 1);
  return entries[0] ? decodeRecord<Account>(entries[0]) : null;
}

/**
 * Writes the account and its indexes, and takes passkeys out of the index that it has no more.
 * @throws Problem `conflict` for a passkey whose identifier another account's has: whoever makes a passkey chooses its
 *   identifier, and could take the other's way in. https://www.w3.org/TR/webauthn-3/#sctn-registering-a-new-credential
 */
export async function putAccount(transaction: Transaction, account: Account): Promise<void> {
  const before = await findAccount(transaction, account.id);
  for (const { id } of before?.passkeys ?? []) {
    if (!account.passkeys.some((passkey) => passkey.id === id)) transaction.delete("account", BY_PASSKEY, id);
  }
  for (const { id } of account.passkeys) {
    if (!before?.passkeys.some((passkey) => passkey.id === id)) {
      if (await transaction.get("account", BY_PASSKEY, id))
        throw new Problem("conflict", "This passkey is known here already; make a new one");
      transaction.put("account", BY_PASSKEY, id, encodeRecord(account.id));
    }
  }
  if (!before) transaction.put("account", BY_POD, account.pod, encodeRecord(account.id));
  transaction.put("account", BY_ID, account.id, encodeRecord(account));
}

/** The account and its indexes. */
export function dropAccount(transaction: Transaction, { id, pod, passkeys }: Account): void {
  for (const passkey of passkeys) transaction.delete("account", BY_PASSKEY, passkey.id);
  transaction.delete("account", BY_POD, pod);
  transaction.delete("account", BY_ID, id);
}
