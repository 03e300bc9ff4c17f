/** Leaving: what an account is, for its owner to take along, and its end. */
import { SERVER_POD, type Store } from "../store/store.ts";
import type { AccountService } from "./accounts.ts";
import type { ConsentedApps } from "./owner.ts";
import { accountOfPod, dropAccount } from "./records.ts";

/** What is known of the owner of a pod, without anything that could sign in; null where there is no account. */
export async function accountToExport(
  accounts: Pick<AccountService, "credentials" | "sessions" | "deps">,
  apps: ConsentedApps,
  pod: string,
): Promise<object | null> {
  const account = await accounts.deps.store.read(SERVER_POD, (snapshot) => accountOfPod(snapshot, pod));
  if (!account) return null;
  const { id, name, webid, passport, recoverySaved, journalChecked, created, password } = account;
  const at = (ms: number): string => new Date(ms).toISOString();
  return {
    name,
    pod,
    webid,
    passport,
    created: at(created),
    recoverySaved: recoverySaved === null ? null : at(recoverySaved),
    journalChecked: journalChecked ? at(journalChecked.at) : null,
    hasPassword: password !== null,
    passkeys: account.passkeys.map((passkey) => ({ name: passkey.name, created: at(passkey.created) })),
    programs: (await accounts.credentials.list(id)).map((one) => ({
      name: one.name,
      created: at(one.created),
    })),
    sessions: (await accounts.sessions.list(id)).map((one) => ({ device: one.device, seen: at(one.seen) })),
    apps: (await apps.consentedApps(id)).map((one) => ({
      name: one.name,
      address: one.address,
      since: at(one.since),
    })),
  };
}

/** What the identity provider keeps of an account. */
export interface ClosingApps extends ConsentedApps {
  /** Everything, also of logins that were never finished. */
  forget(accountId: string): Promise<void>;
}

/**
 * Removes the account of a pod with its passkeys, programs and sessions, and what apps were let in. Idempotent; the account
 * itself goes last, so that what is cut short is found again.
 * @returns whether there was one.
 */
export async function closeAccount(store: Store, apps: ClosingApps, pod: string): Promise<boolean> {
  const account = await store.read(SERVER_POD, (snapshot) => accountOfPod(snapshot, pod));
  if (!account) return false;
  for (const { grantId } of await apps.consentedApps(account.id)) await apps.revoke(account.id, grantId);
  await apps.signOut(account.id);
  await apps.forget(account.id);
  await store.write(SERVER_POD, async (transaction) => {
    const current = await accountOfPod(transaction, pod);
    if (!current) return;
    for await (const { item } of transaction.list("credential", current.id)) {
      transaction.delete("credential", "id", item);
      transaction.delete("credential", current.id, item);
    }
    for await (const { item } of transaction.list("session", current.id))
      transaction.delete("session", current.id, item);
    dropAccount(transaction, current);
  });
  return true;
}
