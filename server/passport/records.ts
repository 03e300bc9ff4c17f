/** What the registry keeps of a passport: the chain of authority, the newest data record, and the hashes of all before. */

import {
  type AuthorityOperation,
  type Bundle,
  type DataOperation,
  type PassportId,
  type PassportState,
  type Signed,
} from "@freehold/client/passport";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Snapshot, Transaction } from "../store/store.ts";

/** Table `passport`, group "", item = id. */
export interface PassportRecord {
  readonly id: PassportId;
  /** Number of authority operations so far. */
  readonly length: number;
  readonly headHash: string;
  readonly dseq: number;
  /** Null from a rotation to another host until the next data record. */
  readonly data: Signed<DataOperation> | null;
  readonly dataHash: string | null;
  /** The pod of this server that it leads to; null when it was never opened here. */
  readonly pod: string | null;
  /** Milliseconds since 1970. */
  readonly made: number;
  /** When data records were taken in the last week, and rotations: for the limits on their number. */
  readonly taken: readonly number[];
  readonly rotated: readonly number[];
}

/** Authority operations are numbered in table `operation`; of data records only the hash stays. */
const itemOf = (seq: number): string => `a${String(seq).padStart(9, "0")}`;

/** @returns null for an identifier that is not registered here. */
export async function findPassport(snapshot: Snapshot, id: PassportId): Promise<PassportRecord | null> {
  const entry = await snapshot.get("passport", "", id);
  return entry ? decodeRecord<PassportRecord>(entry) : null;
}

/** @param pod Its name. @returns null for a pod without passport. */
export async function findPassportOfPod(snapshot: Snapshot, pod: string): Promise<PassportRecord | null> {
  const entry = await snapshot.get("passport", "pod", pod);
  return entry ? findPassport(snapshot, decodeRecord<{ id: PassportId }>(entry).id) : null;
}

async function authorityOfRecord(
  snapshot: Snapshot,
  record: PassportRecord,
): Promise<readonly Signed<AuthorityOperation>[]> {
  const chain: Signed<AuthorityOperation>[] = [];
  for (let seq = 0; seq < record.length; seq += 1) {
    const entry = await snapshot.get("operation", record.id, itemOf(seq));
    if (!entry) throw new Error("A passport's chain has a gap");
    chain.push(decodeRecord(entry));
  }
  return chain;
}

/** What the rules are asked about: the newest authority operation. @throws Error for a chain with a gap. */
export async function stateOfRecord(snapshot: Snapshot, record: PassportRecord): Promise<PassportState> {
  const entry = await snapshot.get("operation", record.id, itemOf(record.length - 1));
  if (!entry) throw new Error("A passport's chain has a gap");
  return {
    id: record.id,
    head: decodeRecord<Signed<AuthorityOperation>>(entry).op,
    headHash: record.headHash,
    dseq: record.dseq,
  };
}

/** The passport as it is handed around. @throws Error for a chain with a gap. */
export async function bundleOf(snapshot: Snapshot, record: PassportRecord): Promise<Bundle> {
  return { id: record.id, head: { auth: await authorityOfRecord(snapshot, record), data: record.data } };
}

/** Whether this very operation was taken before, now or long ago. */
export async function isKnown(snapshot: Snapshot, id: PassportId, hash: string): Promise<boolean> {
  return (await snapshot.get("operation", id, `h${hash}`)) !== null;
}

/** Authority operations stay whole; of data records only the hash does, so that none is taken twice. */
export function putOperation(transaction: Transaction, id: PassportId, signed: Signed, hash: string): void {
  const { op } = signed;
  if (op.t !== "data") transaction.put("operation", id, itemOf(op.seq), encodeRecord(signed));
  transaction.put("operation", id, `h${hash}`, encodeRecord({}));
}

/** Writes the record and its index by pod. */
export function putPassport(transaction: Transaction, record: PassportRecord): void {
  transaction.put("passport", "", record.id, encodeRecord(record));
  if (record.pod !== null) transaction.put("passport", "pod", record.pod, encodeRecord({ id: record.id }));
}

/** For a passport nobody has ever been told of: the account it was made for was never opened. */
export async function dropPassport(transaction: Transaction, record: PassportRecord): Promise<void> {
  for await (const { item } of transaction.list("operation", record.id))
    transaction.delete("operation", record.id, item);
  transaction.delete("passport", "", record.id);
}
