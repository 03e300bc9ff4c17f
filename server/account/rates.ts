/** How often somebody may try: the generic cell rate algorithm, one number for each key, bounded. */
import { Problem } from "../errors.ts";

export interface Rate {
  /** Counts one try of `key`. @throws Problem `too-many-requests` with Retry-After in seconds. */
  spend(key: string): void;
}

/**
 * @param tries So many at once, and so many in each `perMs` after.
 * @param remembered Keys kept; the oldest is forgotten first, and a key whose tries are all back is no loss.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export function createRate(tries: number, perMs: number, remembered: number, now: () => Date): Rate {
  const full = new Map<string, number>(); // key → when all its tries will be back, ms since 1970
  const step = perMs / tries;
  return {
    spend(key) {
      const at = now().getTime();
      const next = Math.max(full.get(key) ?? 0, at) + step;
      const wait = next - perMs - at;
      if (wait > 0) {
        const seconds = Math.ceil(wait / 1_000);
        throw new Problem(
          "too-many-requests",
          `Try again in ${seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}`,
          {
            headers: { "retry-after": String(seconds) },
          },
        );
      }
      full.delete(key); // To the end: the map is ordered by the last try.
      full.set(key, next);
      if (full.size > remembered) full.delete(full.keys().next().value ?? "");
    },
  };
}

/** One household has one IPv4 address or one /64 of IPv6. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped?.[1]) return mapped[1];
  if (!ip.includes(":")) return ip;
  const [head = "", tail] = ip.toLowerCase().split("%")[0]?.split("::") ?? [];
  const before = head.split(":").filter(Boolean);
  const after = (tail ?? "").split(":").filter(Boolean);
  const zeros =
    tail === undefined
      ? []
      : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
