/** What this server keeps of the passports that it hosts; all else is the registry's. */
import type { DataOperation, PassportId } from "@freehold/client/passport";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Snapshot, Transaction } from "../store/store.ts";

/** Whether pod and passport name each other, when it was last looked at. */
export interface LinkCheck {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Hash of the data record it was checked for. */
  readonly dataHash: string;
  /** WebIDs of the data record whose profile names the passport. */
  readonly webids: readonly string[];
  /** Whether each of the data record's WebIDs does. */
  readonly isMutual: boolean;
}

/** Table `passport`, group "hosted", item = id. By the name of its pod: group "pod". */
export interface HostedPassport {
  readonly id: PassportId;
  /** The pod of this server that it leads to; null once that was erased, until the registry has been told. */
  readonly pod: string | null;
  /** Milliseconds since 1970. */
  readonly made: number;
  /** What was said last of where it leads: said again when its owner's keys change and the host stays. */
  readonly said: DataOperation | null;
  readonly link: LinkCheck | null;
}

/** @returns null for a passport that is not hosted here. */
export async function findHosted(snapshot: Snapshot, id: PassportId): Promise<HostedPassport | null> {
  const entry = await snapshot.get("passport", "hosted", id);
  return entry && decodeRecord<HostedPassport>(entry);
}

/** @param pod Its name. @returns null for a pod without passport. */
export async function findHostedOfPod(snapshot: Snapshot, pod: string): Promise<HostedPassport | null> {
  const entry = await snapshot.get("passport", "pod", pod);
  return entry && findHosted(snapshot, decodeRecord<{ readonly id: PassportId }>(entry).id);
}

/** Writes the record and its index by pod. */
export function putHosted(transaction: Transaction, hosted: HostedPassport): void {
  transaction.put("passport", "hosted", hosted.id, encodeRecord(hosted));
  if (hosted.pod !== null) transaction.put("passport", "pod", hosted.pod, encodeRecord({ id: hosted.id }));
}

/** Nothing here tells any more that it ever was. */
export function dropHosted(transaction: Transaction, { id, pod }: HostedPassport): void {
  transaction.delete("passport", "hosted", id);
  if (pod !== null) transaction.delete("passport", "pod", pod);
}
