/** What is in a pod, for its owner's page: names, sizes and dates of one folder, straight from the store. */
import { Problem } from "../errors.ts";
import { nameOf, parentOf, parseTarget } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Store } from "../store/store.ts";

export interface Item {
  /** Decoded, without the slash of a folder. */
  readonly name: string;
  /** Canonical, within the server; ends in `/` for a folder. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly contentType: string;
  /** Size in bytes; 0 for folders. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Folder {
  readonly path: string;
  readonly items: readonly Item[];
  /** True when there is more than `folderRowsMax` shows. */
  readonly cut: boolean;
  /** Where the next part begins; null when there is none. */
  readonly next: string | null;
}

/**
 * Parses a path that the page names, within the owner's pod only.
 * @throws Problem `path-invalid`, `not-found` for a place outside the pod.
 */
export function parseOwnPath(text: string, pod: Pod): string {
  const target = parseTarget(text);
  if (target.pod !== pod.name || target.auxiliary)
    throw new Problem("not-found", "There is no such place in your pod");
  return target.path;
}

const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function toItem(container: string, entry: Entry): Item {
  const { kind, contentType, bytes, modified } = decodeRecord<ResourceRecord>(entry);
  const isFolder = kind === "container";
  return {
    name: decodeURIComponent(isFolder ? entry.item.slice(0, -1) : entry.item),
    path: `${container}${entry.item}`,
    isFolder,
    contentType,
    bytes,
    modified,
  };
}

/**
 * A folder, or as much of it as a page shows: folders first, in the order of names. Of one with more than `folderRowsMax`
 * entries each part is in order, and comes after another in none.
 * @param after `next` of the part before; null for the first.
 * @throws Problem `not-found`; `input-invalid` for an `after` that is none of this folder.
 */
export function readFolder(
  store: Store,
  pod: Pod,
  path: string,
  limits: Limits,
  after: string | null = null,
): Promise<Folder> {
  return store.read(pod.id, async (snapshot) => {
    const self = await snapshot.get("resource", parentOf(path) ?? "/", nameOf(path));
    if (!self || !path.endsWith("/")) throw new Problem("not-found", "There is no such folder");
    const { entries, next } = await snapshot.page("resource", path, after, limits.folderRowsMax);
    const items = entries.map((entry) => toItem(path, entry));
    items.sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || order.compare(a.name, b.name));
    return { path, items, cut: next !== null, next };
  });
}
