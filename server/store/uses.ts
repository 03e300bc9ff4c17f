/** What one transaction adds to the pod's usage, and whether there is room for it: the same sum for every engine. */
import type { Usage } from "./store.ts";

export interface Uses {
  add(change: Usage, most: Usage): void;
  isNothing(): boolean;
  /** The sums, and the quota they are checked against; infinite where nothing grows. */
  total(): { readonly change: Usage; readonly most: Usage };
  after(before: Usage): Usage;
  exceeds(before: Usage): boolean;
}

/** Only what grows is refused: over its quota, a pod can still be emptied. */
export function isOver(before: number, change: number, most: number): boolean {
  return change > 0 && before + change > most;
}

export function createUses(): Uses {
  let bytes = 0;
  let resources = 0;
  let bytesMax = Number.POSITIVE_INFINITY;
  let resourcesMax = Number.POSITIVE_INFINITY;

  return {
    add(change, most) {
      bytes += change.bytes;
      resources += change.resources;
      bytesMax = Math.min(bytesMax, most.bytes);
      resourcesMax = Math.min(resourcesMax, most.resources);
    },
    isNothing: () => bytes === 0 && resources === 0,
    total: () => ({
      change: { bytes, resources },
      most: { bytes: bytesMax, resources: resourcesMax },
    }),
    after: (before) => ({ bytes: before.bytes + bytes, resources: before.resources + resources }),
    exceeds: (before) =>
      isOver(before.bytes, bytes, bytesMax) || isOver(before.resources, resources, resourcesMax),
  };
}
