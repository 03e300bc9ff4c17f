/** What an import must know of a pod: what stands at a path already. */
import { parseTarget } from "../iri.ts";
import { findResource, findStored } from "../ldp/find.ts";
import type { Pod } from "../store/pods.ts";
import type { Store } from "../store/store.ts";

/** @returns the document's bytes, none for a folder, null when nothing is there. */
export function createPodReader(store: Store, pod: Pod): (path: string) => Promise<Uint8Array | null> {
  return (path) =>
    store.read(pod.id, async (snapshot) => {
      const target = parseTarget(path);
      if (target.isContainer) return (await findResource(snapshot, path)) ? new Uint8Array() : null;
      return (await findStored(snapshot, target))?.bytes ?? null;
    });
}
