/** `POST /v1/ports` at a zone: whoever wants to come here has the port sponsored, and sent to the root. */
import { isExactly, isList, isObject, readSigned } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import { openDoors, type RegistryDoor, readStrict } from "../doors/door.ts";
import type { Clerk } from "./clerk.ts";

const POST_BYTES_MAX = 256 * 1024;

export const portDoors = (clerk: Clerk): readonly RegistryDoor[] =>
  openDoors([
    {
      verb: "post",
      path: "/v1/ports",
      async door(request) {
        const { value } = await readStrict(request, POST_BYTES_MAX);
        if (
          !isExactly(value, ["operations", "bundle"]) ||
          !isList(value["operations"], 1, 2) ||
          !isObject(value["bundle"])
        )
          throw new Problem(
            "input-invalid",
            "It is not an object with operations (a port, perhaps after an unlock) and bundle",
          );
        const operations = value["operations"].map((one) => readSigned(isObject(one) ? one : {}));
        const view = await clerk.sponsor({ operations, bundle: value["bundle"] });
        return {
          status: 202,
          headers: { "content-type": "application/json", "cache-control": "no-store" },
          body: JSON.stringify(view),
        };
      },
    },
  ]);
