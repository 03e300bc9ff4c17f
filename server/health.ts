/** Doors for whoever runs the server: alive, ready, and which version. No login, and nothing about any pod. */
import { readFileSync } from "node:fs";
import { json } from "./body.ts";
import type { Door } from "./operation.ts";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

export const VERSION: string = manifest.version;

/** @param check Resolves when the server can do its work. */
export function healthDoors(
  check: () => Promise<void>,
): readonly { readonly verb: "get"; readonly path: string; readonly door: Door }[] {
  return [
    { verb: "get", path: "/healthz", door: async () => json(200, { status: "ok" }) },
    {
      verb: "get",
      path: "/readyz",
      door: async () => {
        await check();
        return json(200, { status: "ready" });
      },
    },
    { verb: "get", path: "/version", door: async () => json(200, { name: "freehold", version: VERSION }) },
  ];
}
