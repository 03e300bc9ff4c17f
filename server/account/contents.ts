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

/** @throws Problem `not-found` */
export function readFolder(store: Store, pod: Pod, path: string, limits: Limits): Promise<Folder> {
  return store.read(pod.id, async (snapshot) => {
    const self = await snapshot.get("resource", parentOf(path) ?? "/", nameOf(path));
    if (!self || !path.endsWith("/")) throw new Problem("not-found", "There is no such folder");
    const items: Item[] = [];
    let cut = false;
    for await (const entry of snapshot.list("resource", path)) {
      if (items.length === limits.folderRowsMax) {
        cut = true;
        break;
      }
      items.push(toItem(path, entry));
    }
    items.sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || order.compare(a.name, b.name));
    return { path, items, cut };
  });
}

interface Size {
  readonly files: number;
  readonly bytes: number;
}

const PODS_REMEMBERED = 1_000;

/** How much there is in a whole pod: counted once for each state of it, since a large pod takes a while. */
export function createMeasure(store: Store): (pod: Pod) => Promise<Size> {
  const known = new Map<string, Size & { readonly generation: number }>();
  return (pod) =>
    store.read(pod.id, async (snapshot) => {
      const former = known.get(pod.id);
      if (former?.generation === snapshot.generation) return former;
      let files = 0;
      let bytes = 0;
      for await (const entry of snapshot.all("resource")) {
        const record = decodeRecord<ResourceRecord>(entry);
        if (record.kind === "container") continue;
        files += 1;
        bytes += record.bytes;
      }
      known.set(pod.id, { files, bytes, generation: snapshot.generation });
      if (known.size > PODS_REMEMBERED) known.delete(known.keys().next().value ?? "");
      return { files, bytes };
    });
}
