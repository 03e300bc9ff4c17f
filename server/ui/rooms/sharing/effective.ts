/** Who can see one place, and why: by rules of its own, by those of a folder above it, or by a yes to a request. */
import type { AccessEntry, ConsentEntry, Overview } from "../../parts/model.ts";

export interface Found {
  readonly entry: AccessEntry;
  /** The place itself is shared; else the folder that the entry names is. */
  readonly isDirect: boolean;
}

const isAbove = (place: string, path: string): boolean => place.endsWith("/") && path.startsWith(place);

/** @returns what holds at a place; rules of its own leave out those from above, unless the server's rules add up. */
export function accessAt(
  path: string,
  { entries, lists, isAdding }: Pick<Overview, "entries" | "lists" | "isAdding">,
): readonly Found[] {
  const ruling = lists
    .filter((list) => list === path || isAbove(list, path))
    .reduce((nearest, list) => (list.length > nearest.length ? list : nearest), "");
  const holds = (entry: AccessEntry): boolean =>
    entry.inherited && isAbove(entry.path, path) && (isAdding || entry.path === ruling);
  return entries
    .filter((entry) => entry.path === path || holds(entry))
    .map((entry) => ({ entry, isDirect: entry.path === path }));
}

/** Consents that reach a place, or something in it. */
export const consentsAt = (path: string, consents: readonly ConsentEntry[]): readonly ConsentEntry[] =>
  consents.filter((consent) => consent.path === path || isAbove(consent.path, path));

/** Places in a folder that have something open which the folder itself has not. */
export function openBelow(path: string, { entries }: Pick<Overview, "entries">): number {
  if (!path.endsWith("/")) return 0;
  return new Set(
    entries
      .filter((entry) => !entry.card && entry.path !== path && entry.path.startsWith(path))
      .map((entry) => entry.path),
  ).size;
}
