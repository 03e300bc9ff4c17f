/** What a listing is made of, for every engine that keeps sealed records in the order of their keys. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../errors.ts";
import type { Entry, Page } from "../store.ts";
import { cursorOf, itemKeyOf, itemOfCursor, type LookupKey, type PodKeys } from "./seal.ts";

export interface Member {
  readonly groupKey: LookupKey;
  readonly entry: Entry;
  readonly itemKey: LookupKey;
}

export async function* entriesOf(members: AsyncIterable<Member>): AsyncGenerator<Entry> {
  for await (const { entry } of members) yield entry;
}

/** A group whose records come from the database some at a time. */
export interface PagedGroup<Found> {
  readonly keys: PodKeys;
  readonly table: number;
  readonly groupKey: LookupKey;
  /** Records loaded and opened in one go. */
  readonly atOnce: number;
  /** The next `most` after this one; fewer only where the group ends. */
  readonly load: (after: LookupKey | null, most: number) => readonly Found[] | Promise<readonly Found[]>;
  readonly open: (found: Found) => Entry;
}

/**
 * @param after `next` of the page before; null for the first.
 * @throws Problem `input-invalid` for an `after` that no page of this group ended with.
 */
export async function pageOf<Found extends { readonly itemKey: LookupKey }>(
  { keys, table, groupKey, atOnce, load, open }: PagedGroup<Found>,
  after: string | null,
  most: number,
): Promise<Page> {
  const from = after === null ? null : itemOfCursor(keys, table, groupKey, after);
  if (after !== null && from === null) throw new Problem("input-invalid", "This is no place in the listing");
  const entries: Entry[] = [];
  let last = from === null ? null : itemKeyOf(keys, table, groupKey, from);
  for (;;) {
    // One more than is wanted tells whether there is another page.
    const wanted = Math.min(atOnce, most + 1 - entries.length);
    const found = await load(last, wanted);
    for (const one of found) {
      if (entries.length === most)
        return { entries, next: cursorOf(keys, table, groupKey, entries.at(-1)?.item ?? "") };
      entries.push(open(one));
      last = one.itemKey;
    }
    if (found.length < wanted) return { entries, next: null };
    await nextTurn(); // Opening them took its time: now others.
  }
}
