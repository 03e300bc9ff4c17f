/**
 * `/v1/replica`: passports whole, as NDJSON, for mirrors under contract. GET gives all, a page at a time; POST those whose keys
 * the log has named.
 */
import { isHash, isList, isObject } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { DoorRequest, Result } from "../../operation.ts";
import { type RegistryDoor, readStrict } from "../doors/door.ts";
import type { Replica, Zone } from "../port.ts";
import { mirrorOf } from "./secrets.ts";

const REPLICAS_AT_ONCE = 1_000; // About 3 MiB.
const KEYS_BYTES_MAX = 64 * 1024;

export interface ReplicaDoorsDeps {
  readonly zone: Zone;
  /** Where the mirrors' secrets are. */
  readonly folder: string;
}

async function requireMirror(folder: string, { headers }: DoorRequest): Promise<void> {
  const [, secret = ""] = /^Bearer ([A-Za-z0-9_-]{43})$/.exec(headers["authorization"] ?? "") ?? [];
  if (secret === "" || (await mirrorOf(folder, secret)) === null)
    throw new Problem("token-invalid", "This is for mirrors under contract, each with its own secret", {
      headers: { "www-authenticate": "Bearer" },
    });
}

/** The last line says where to go on: null after the last page. */
function lines(heads: readonly Replica[], next: string | null): Result {
  const body = [...heads.map((head) => JSON.stringify(head)), JSON.stringify({ next })].join("\n");
  return {
    status: 200,
    headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
    body: `${body}\n`,
  };
}

export const replicaDoors = ({ zone, folder }: ReplicaDoorsDeps): readonly RegistryDoor[] => [
  {
    verb: "get",
    path: "/v1/replica",
    async door(request) {
      await requireMirror(folder, request);
      const after = request.url.searchParams.get("after");
      const { heads, next } = await zone.replicas(after === "" ? null : after, REPLICAS_AT_ONCE);
      return lines(heads, next);
    },
  },
  {
    verb: "post",
    path: "/v1/replica",
    async door(request) {
      await requireMirror(folder, request);
      const { value } = await readStrict(request, KEYS_BYTES_MAX);
      const keys = isObject(value) ? value["headKeys"] : null;
      if (!isList(keys, 1, REPLICAS_AT_ONCE) || !keys.every(isHash))
        throw new Problem("input-invalid", `headKeys is not 1 to ${REPLICAS_AT_ONCE} keys of the map`);
      return lines(await zone.replicasOf(keys), null);
    },
  },
];
