/** `GET /v1/pins`: what a zone saw of other logs, and `GET /v1/evidence`: where two things were shown. */
import { isZone, ROOT_NAME } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { openDoors, type RegistryDoor } from "../doors/door.ts";
import type { Pins } from "./pins.ts";

const json = (value: unknown) => ({
  status: 200,
  headers: { "content-type": "application/json", "cache-control": "public, max-age=60" },
  body: JSON.stringify(value),
});

export const pinDoors = (pins: Pins): readonly RegistryDoor[] =>
  openDoors([
    {
      verb: "get",
      path: "/v1/pins",
      door: async ({ url }) => {
        const zone = url.searchParams.get("zone") ?? undefined;
        if (zone !== undefined && zone !== ROOT_NAME && !isZone(zone))
          throw new Problem("input-invalid", "zone is two characters, or root");
        return json(await pins.list(zone));
      },
    },
    { verb: "get", path: "/v1/evidence", door: async () => json(await pins.evidence()) },
  ]);
