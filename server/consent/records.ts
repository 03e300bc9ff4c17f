/** Where consent stands in a pod's records: one kind a group, so that each can be listed by itself. */
import { nextRandom } from "../random.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import type { Preferences } from "./deciding/preferences.ts";
import type { AccessRequest, Decision, Grant, Usage, UsageReceipt } from "./model.ts";

/** What the owner should look at: kept until it has been seen. */
export interface Attention {
  /** The same for the same thing on the same day: what is repeated is counted. */
  readonly id: string;
  readonly kind: AttentionKind;
  /** Milliseconds since 1970: the first time, and the last. */
  readonly since: number;
  readonly at: number;
  readonly count: number;
  /** The grant that was paused for it, if there was one. */
  readonly grant: string | null;
  readonly agent: string | null;
  readonly client: string | null;
  /** What was looked at, where that matters. */
  readonly path: string | null;
  /** Documents told of that day, and how many are usual. */
  readonly reads: number | null;
  readonly usual: number | null;
}
export type AttentionKind =
  | "unusual-amount"
  | "unknown-client"
  | "honey"
  | "vendor-delisted"
  | "vendor-reinstated"
  | "grant-moved";

/** Places that nobody with good reason reads. */
export interface Honey {
  readonly paths: readonly string[];
  /** Milliseconds since 1970. */
  readonly changed: number;
}

/** That the vendor countersigned the receipt of a grant; whoever verified it writes this. */
export interface Countersigned {
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** For which decision the grants of a request were made, so that no request is answered twice. */
export interface Answered {
  readonly decision: string | null;
  readonly grants: readonly string[];
}

/** By kind; usage receipts have a group for each grant ({@link useGroup}). */
interface Kinds {
  readonly request: AccessRequest;
  readonly grant: Grant;
  readonly decision: Decision;
  readonly usage: Usage;
  readonly attention: Attention;
  readonly honey: Honey;
  readonly countersigned: Countersigned;
  readonly answered: Answered;
  /** Until when the owner waits for the question of a vendor, in milliseconds since 1970; named by a nonce. */
  readonly expected: { readonly until: number };
  /** Item `last`: when the owner was last told of what waits. */
  readonly digest: { readonly at: number };
  /** Item `current`. */
  readonly preference: Preferences;
  /** Item `recent`: when companies were allowed to speak to the owner in the last week. */
  readonly campaigns: { readonly times: readonly number[] };
}
export type Kind = keyof Kinds;

/** 22 characters of base64url: names that nobody guesses. */
export const newId = (): string => nextRandom(16).toString("base64url");

/** @returns the record; null when there is none. */
export async function find<K extends Kind>(
  snapshot: Snapshot,
  kind: K,
  id: string,
): Promise<Kinds[K] | null> {
  const entry = await snapshot.get("consent", kind, id);
  return entry && decodeRecord<Kinds[K]>(entry);
}

export function put<K extends Kind>(transaction: Transaction, kind: K, id: string, value: Kinds[K]): void {
  transaction.put("consent", kind, id, encodeRecord(value));
}

export async function* each<K extends Kind>(snapshot: Snapshot, kind: K): AsyncGenerator<Kinds[K]> {
  for await (const entry of snapshot.list("consent", kind)) yield decodeRecord<Kinds[K]>(entry);
}

/** The group of a grant's usage receipts; the item is the receipt's number in {@link receiptItem}. */
export const useGroup = (grant: string): string => `use:${grant}`;

/** In ten digits, so that the order of names is that of numbers. */
export const receiptItem = (number: number): string => String(number).padStart(10, "0");

/** The name of a usage receipt: its grant and its number, so that both sides see at once if one is missing. */
export const receiptId = (grant: string, number: number): string => `${grant}.${number}`;

/** Where a receipt stands; null for what is no name of one. */
function placeOf(id: string): readonly [group: string, item: string] | null {
  const parts = /^([\w-]{22})\.([1-9]\d{0,9})$/.exec(id);
  return parts && [useGroup(parts[1]!), receiptItem(Number(parts[2]))];
}

/** @returns the usage receipt of this name; null when there is none, or none any more. */
export async function findReceipt(snapshot: Snapshot, id: string): Promise<UsageReceipt | null> {
  const place = placeOf(id);
  const entry = place && (await snapshot.get("consent", ...place));
  return entry && decodeRecord<UsageReceipt>(entry);
}

export function putReceipt(transaction: Transaction, receipt: UsageReceipt): void {
  const place = placeOf(receipt.id);
  if (place) transaction.put("consent", ...place, encodeRecord(receipt));
}

export function dropReceipt(transaction: Transaction, grant: string, number: number): void {
  if (number > 0) transaction.delete("consent", useGroup(grant), receiptItem(number));
}
