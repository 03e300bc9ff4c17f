/** Journal entries as they are stored: sealed like records, with their leaf in the place of a record's keys. */
import { nextRandom } from "../../random.ts";
import type { JournalRow } from "../store.ts";
import { leafOf, SALT_BYTES } from "./chain.ts";
import { type LookupKey, openRecord, type PodKeys, plainOf, sealRecord } from "./seal.ts";

/** No table of the store has this number. */
export const JOURNAL_PLACE = 255;

/** The two halves of a leaf, where a record has its group and its item. */
export function placeOfLeaf(leaf: Uint8Array): readonly [LookupKey, LookupKey] {
  const text = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength).toString("latin1");
  return [text.slice(0, 16) as LookupKey, text.slice(16) as LookupKey];
}

/** @param generation The pod's, to choose the key's epoch. */
export function sealEntry(
  keys: PodKeys,
  generation: number,
  entry: Uint8Array,
): { readonly leaf: string; readonly sealed: Uint8Array } {
  const salted = Buffer.concat([nextRandom(SALT_BYTES), entry]);
  const [first, second] = placeOfLeaf(leafOf(salted.subarray(0, SALT_BYTES), entry));
  const sealed = sealRecord(keys, generation, JOURNAL_PLACE, first, second, plainOf("", "", salted));
  return { leaf: first + second, sealed };
}

/** @returns null for an entry that is damaged. */
export function openEntry(
  keys: PodKeys,
  found: { readonly number: number; readonly leaf: Uint8Array; readonly sealed: Uint8Array | null },
): JournalRow | null {
  const { number, leaf, sealed } = found;
  if (sealed === null) return { number, leaf, salt: null, entry: null };
  const opened =
    leaf instanceof Uint8Array && leaf.length === 32
      ? openRecord(keys, JOURNAL_PLACE, ...placeOfLeaf(leaf), sealed)
      : null;
  if (!opened) return null;
  return {
    number,
    leaf,
    salt: opened.value.subarray(0, SALT_BYTES),
    entry: opened.value.subarray(SALT_BYTES),
  };
}
