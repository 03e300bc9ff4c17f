/** Hosts that a pod has had before this one, and what each said of the consents that it kept. */
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot, Transaction } from "../../store/store.ts";
import { keyOfMultikey, type SignedStatement } from "../shared.ts";

const GROUP = "former";

export async function formerHosts(snapshot: Snapshot): Promise<readonly SignedStatement[]> {
  const found: SignedStatement[] = [];
  for await (const entry of snapshot.list("consent", GROUP)) found.push(decodeRecord<SignedStatement>(entry));
  return found.sort((a, b) => (a.statement.taken < b.statement.taken ? -1 : 1));
}

export function putFormerHost(transaction: Transaction, signed: SignedStatement): void {
  transaction.put("consent", GROUP, signed.statement.export, encodeRecord(signed));
}

/** The key at an address, if a former host of this pod signed by it; null for any other. */
export async function formerKey(snapshot: Snapshot, verificationMethod: string): Promise<JsonWebKey | null> {
  for (const { statement } of await formerHosts(snapshot))
    if (statement.receiptKeys.includes(verificationMethod))
      return keyOfMultikey(verificationMethod.slice(verificationMethod.indexOf("#") + 1));
  return null;
}
