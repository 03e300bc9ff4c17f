/** What a zone's server does in the federation: its clerk at the root, its pins of other zones, and what mirrors copy. */
import type { SignedRootRecord } from "@freehold/client/registry";
import type { RegistryDoor } from "../../registry/doors/door.ts";
import { replicaDoors } from "../../registry/mirror/doors.ts";
import { pinDoors } from "../../registry/pins/doors.ts";
import { createPins } from "../../registry/pins/pins.ts";
import type { Zone } from "../../registry/port.ts";
import { createClerk } from "../../registry/root/clerk.ts";
import { portDoors } from "../../registry/root/zone-doors.ts";
import type { Registry } from "./registry.ts";

export interface Federation {
  /** The zone, as doors are to use it. */
  readonly zone: Zone;
  readonly doors: readonly RegistryDoor[];
  /** Never throws: the root and other zones may be away. */
  tick(): Promise<void>;
}

export function openFederation(registry: Registry): Federation {
  const { zone, store, pod, keys, root, config, now, log, allowUrl } = registry;
  const replicas = replicaDoors({ zone, folder: config.folder });
  if (config.root === null) return { zone, doors: replicas, tick: async () => {} };
  const newest = (): SignedRootRecord["record"] | null => root.newest()?.record ?? null;
  const shared = { zone, store, pod, fetch, now, log };
  const clerk = createClerk({ ...shared, signer: keys.zone, record: newest, allowUrl });
  const pins = createPins({
    ...shared,
    record: () => {
      const record = newest();
      if (!record) throw new Error("The root has not been reached yet");
      return record;
    },
  });
  return {
    zone: clerk.zone,
    doors: [...replicas, ...portDoors(clerk), ...pinDoors(pins)],
    async tick() {
      if (!newest()) return;
      for (const [what, work] of Object.entries({ desk: () => clerk.tick(), pins: () => pins.tick() }))
        await work().catch((cause: unknown) =>
          log.warn("registry.federation", { what, cause: String(cause) }),
        );
    },
  };
}
