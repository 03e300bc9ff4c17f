/** All doors of a registry, as a pod server mounts them among its own, and a registry's server alone. */
import type { SignedRootRecord } from "@freehold/client/registry";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { Zone } from "../port.ts";
import { helpOf, zonesOf } from "./about.ts";
import { openDoors, type RegistryDoor } from "./door.ts";
import { createFeed } from "./feed.ts";
import { createFilters } from "./filter.ts";
import { createIdentifierDoors } from "./identifiers.ts";
import { createLogDoor } from "./log-files.ts";
import { createOperationDoors } from "./operations.ts";
import { createPassportDoor, createReadyBundles, type ReadyBundles } from "./passports.ts";
import { createRdapDoor } from "./rdap.ts";
import { createResolveDoor } from "./resolve.ts";
import { createWebIdDoors } from "./webid.ts";

export interface RegistryDoorsDeps {
  /** Ends in a slash: this server's own, by which its doors are reached. */
  readonly baseUrl: string;
  /** The first is meant where a door is asked of none. */
  readonly zones: readonly Zone[];
  /** The newest root's record that is known here; null before there is one. */
  readonly root: () => SignedRootRecord | null;
  /** Its former versions, as far as they are known here. */
  readonly rootVersion?: (version: number) => SignedRootRecord | null;
  /** Where the files of a log are, of a zone and a year. */
  readonly folderOf: (zone: string, year: string) => string;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
  /** Of governance, of a root, for mirrors: opened to all origins, and named in the help like these. */
  readonly others?: readonly RegistryDoor[];
}

export interface RegistryDoors {
  readonly doors: readonly RegistryDoor[];
  /** For a shorter way to the door that is asked most. */
  readonly ready: ReadyBundles;
  /** Lets those go who follow the feed, and ends what is being written. */
  close(): Promise<void>;
}

/** The root's record alone: what can be shown before anything is signed. */
export const recordDoors = (deps: Pick<RegistryDoorsDeps, "root" | "rootVersion">): readonly RegistryDoor[] =>
  openDoors([{ verb: "get", path: "/v1/zones", door: async (request) => zonesOf(deps, request) }]);

export function createRegistryDoors(deps: RegistryDoorsDeps): RegistryDoors {
  const ready = createReadyBundles(deps, deps.limits.bundlesKeptBytesMax);
  const identifiers = createIdentifierDoors(deps);
  const operations = createOperationDoors(deps);
  const webids = createWebIdDoors(deps);
  const feed = createFeed(deps);
  const filters = createFilters(deps);
  const logFile = createLogDoor(deps);
  const doors: readonly RegistryDoor[] = openDoors([
    { verb: "get", path: "/v1/identifiers/{*did}", door: identifiers.get },
    { verb: "post", path: "/v1/identifiers/{*did}", door: identifiers.post },
    { verb: "get", path: "/v1/passports/:id", door: createPassportDoor({ ...deps, ready }) },
    { verb: "post", path: "/v1/resolve", door: createResolveDoor(deps) },
    { verb: "post", path: "/v1/ops", door: operations.submit },
    { verb: "get", path: "/v1/ops/:hash", door: operations.show },
    { verb: "get", path: "/v1/id/:id", door: webids.document },
    { verb: "get", path: "/v1/id/:id/pod/{*place}", door: webids.place },
    { verb: "get", path: "/v1/feed", door: feed.door },
    { verb: "get", path: "/v1/filter/:day", door: filters.door },
    { verb: "get", path: "/v1/zones", door: async (request) => zonesOf(deps, request) },
    { verb: "get", path: "/v1/help", door: async () => helpOf(deps, doors) },
    { verb: "get", path: "/rdap/help", door: async () => helpOf(deps, doors) },
    { verb: "get", path: "/rdap/entity/:id", door: createRdapDoor(deps) },
    // Narrow, so that a pod of that name, which may be older than these doors, keeps all other addresses.
    { verb: "get", path: "/log/:zone/:year/checkpoint", door: logFile },
    { verb: "get", path: "/log/:zone/:year/checkpoint.pq", door: logFile },
    { verb: "get", path: "/log/:zone/:year/tile/{*file}", door: logFile },
    ...(deps.others ?? []),
  ]);
  return {
    doors,
    ready,
    async close() {
      feed.close();
      await filters.close();
    },
  };
}
