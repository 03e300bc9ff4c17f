/** What a registry says of itself: `GET /v1/help`, and `GET /v1/zones`, the root's record that everything is verified by. */
import { RULES, type SignedRootRecord } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { DoorRequest, Result } from "../../operation.ts";
import type { Zone } from "../port.ts";
import { CONFORMS, cached, type RegistryDoor } from "./door.ts";

export interface AboutDeps {
  readonly zones: readonly Zone[];
  readonly root: () => SignedRootRecord | null;
  /** Former versions, as far as they are known here. */
  readonly rootVersion?: (version: number) => SignedRootRecord | null;
  readonly limits: Limits;
}

/** What this registry is and by which rules it takes operations. @see https://www.rfc-editor.org/rfc/rfc9083#section-7 */
export function helpOf({ zones, limits }: AboutDeps, doors: readonly RegistryDoor[]): Result {
  const body = {
    rdapConformance: CONFORMS,
    notices: [
      {
        title: "Registry of data passports",
        description: [
          "Its zones are named here; every answer can be verified without trusting this server.",
          "Nobody is listed: whoever knows an identifier may ask for it.",
        ],
      },
    ],
    zones: zones.map((zone) => ({ name: zone.name, shard: zone.shard() })),
    limits: {
      operationBytes: limits.operationBytesMax,
      batchIdentifiers: limits.batchIdentifiersMax,
      feedLeavesBehind: limits.feedLeavesBehindMax,
    },
    doors: doors.map(({ verb, path }) => `${verb.toUpperCase()} ${path}`),
    rules: RULES.map(({ id, says, on, by }) => ({ id, says, on, by })),
  };
  return {
    status: 200,
    headers: { "content-type": "application/json", "cache-control": "public, max-age=3600" },
    body: JSON.stringify(body),
  };
}

/** With `?version=`, for those who follow the record from one that they trust. */
export function zonesOf(
  { root, rootVersion }: Pick<AboutDeps, "root" | "rootVersion">,
  request: DoorRequest,
): Result {
  const version = request.url.searchParams.get("version");
  if (version !== null && !/^[1-9]\d{0,8}$/.test(version))
    throw new Problem("input-invalid", "A version is a whole number");
  const signed = version === null ? root() : (rootVersion?.(Number(version)) ?? null);
  if (!signed) throw new Problem("not-found", "No such version of the root's record is known here");
  const etag = `"${signed.record.version}.${signed.sigs.map(({ s }) => s.slice(0, 8)).join("")}"`;
  return cached(request, etag, "application/json", JSON.stringify(signed));
}
