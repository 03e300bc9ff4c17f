/** Doors for this server's own pages. */
import { Problem } from "./errors.ts";
import type { DoorRequest } from "./operation.ts";

/**
 * A door that changes something answers only to the pages of this very server: other sites, and what is uploaded
 * into pods (whose origin is `null`), cannot make a signed-in person's browser do anything.
 * @throws Problem `cross-origin`
 */
export function requireSameOrigin({ headers }: Pick<DoorRequest, "headers">, baseUrl: string): void {
  const { origin, "sec-fetch-site": site } = headers;
  const isOurs =
    origin === undefined
      ? site === "same-origin"
      : origin === new URL(baseUrl).origin && (site ?? "same-origin") === "same-origin";
  if (!isOurs) throw new Problem("cross-origin", `Open ${baseUrl} in the browser and do it there`);
}
