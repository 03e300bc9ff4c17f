/** `freehold healthcheck`: for containers, without curl. */
import type { Config } from "../config.ts";

/** @returns 0 when the server on this machine is ready, else 1. */
export async function healthcheck(config: Config): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${config.port}/readyz`, {
      signal: AbortSignal.timeout(5_000),
    });
    return response.ok ? 0 : 1;
  } catch {
    return 1;
  }
}
