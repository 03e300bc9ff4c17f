/**
 * How a request arrives here after all that stands before this server: for `freehold doctor`, which asks its own public
 * address, and for the diagnostics page, whose browser does. There is no such door for who has not been given its name.
 */
import { json } from "./body.ts";
import type { Door, DoorRequest } from "./operation.ts";
import { randomHex } from "./random.ts";

/** What the server saw. */
export interface Arrived {
  readonly host: string;
  /** What proxies said of themselves; null where they said nothing. */
  readonly proto: string | null;
  readonly hasForwardedFor: boolean;
  /** Whether the visitor's address was taken from there. */
  readonly isBelieved: boolean;
  readonly hasVia: boolean;
  /** The address as this server has it, by which proofs of possession are judged. */
  readonly url: string;
  /** Of this server's clock, milliseconds since 1970. */
  readonly at: number;
}

export interface Probes {
  /** @returns where to knock, below the server's own address; what comes after it is spelled so that a change shows. */
  begin(): { readonly token: string; readonly path: string };
  /** What arrived there last; null as long as nothing has. */
  arrived(token: string): Arrived | null;
  readonly path: string;
  /** Whether it was given out, and not long ago. */
  isOpen(request: DoorRequest): boolean;
  readonly door: Door;
}

const PROBE_MS_MAX = 5 * 60_000;
const PROBES_MAX = 50;
/** Whoever decodes, shortens or tidies up an address changes this one. */
const SPELLING = "a%20b/c%2Cd/%C3%A9?x=1%202&y=%2B";

export function createProbes(now: () => Date): Probes {
  const open = new Map<string, { readonly until: number; readonly arrived: Arrived | null }>();

  const live = (token: string) => {
    const found = open.get(token);
    return found && found.until > now().getTime() ? found : null;
  };

  return {
    path: "/.account/probe/:token/{*path}",
    begin() {
      const token = randomHex(16);
      for (const [other, { until }] of open)
        if (until <= now().getTime() || open.size >= PROBES_MAX) open.delete(other);
      open.set(token, { until: now().getTime() + PROBE_MS_MAX, arrived: null });
      return { token, path: `.account/probe/${token}/${SPELLING}` };
    },
    arrived: (token) => live(token)?.arrived ?? null,
    isOpen: ({ params }) => live(params["token"] ?? "") !== null,
    door: async ({ headers, ip, params, url }) => {
      const token = params["token"] ?? "";
      const forwarded = headers["x-forwarded-for"];
      const arrived: Arrived = {
        host: headers["host"] ?? "",
        proto: headers["x-forwarded-proto"] ?? null,
        hasForwardedFor: forwarded !== undefined || headers["forwarded"] !== undefined,
        isBelieved: forwarded?.split(",").some((one) => one.trim() === ip) === true,
        hasVia: headers["via"] !== undefined,
        url: url.href,
        at: now().getTime(),
      };
      const found = live(token);
      if (found) open.set(token, { ...found, arrived });
      return json(200, { arrived: true }, { "cross-origin-resource-policy": "same-origin" });
    },
  };
}
