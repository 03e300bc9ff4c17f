/** How often somebody may try, and who counts as one: the generic cell rate algorithm, one number for each key. */
import { isIP } from "node:net";

/** Counts one try of `key`. @returns 0 if it may go on, else in how many ms the next may; a refused try costs nothing. */
export type Rate = (key: string) => number;

/**
 * @param tries So many at once, and so many in each `perMs` after.
 * @param remembered Keys kept, for strangers choose them; the oldest is forgotten first, and a key whose tries are all back is no loss.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export function createRate(tries: number, perMs: number, remembered: number, now: () => Date): Rate {
  const full = new Map<string, number>(); // key → when all its tries will be back, ms since 1970
  const step = perMs / tries;
  return (key) => {
    const at = now().getTime();
    const next = Math.max(full.get(key) ?? 0, at) + step;
    const wait = next - perMs - at;
    if (wait > 0) return wait;
    full.delete(key); // To the end: the map is ordered by the last try.
    full.set(key, next);
    if (full.size > remembered) full.delete(full.keys().next().value ?? "");
    return 0;
  };
}

/** A wait as `Retry-After` has it: whole seconds, never too few. */
export function retryAfter(waitMs: number): { readonly "retry-after": string } {
  return { "retry-after": String(Math.ceil(waitMs / 1_000)) };
}

/** Whom an address counts as: one household has one IPv4 address, or one /64 of IPv6. */
export function networkOf(ip: string): string {
  if (isIP(ip) !== 6 || /^::ffff:\d/i.test(ip)) return ip.replace(/^::ffff:/i, "");
  const [head = "", tail] = (ip.split("%")[0] ?? "").split("::");
  const groups = head.split(":").filter(Boolean);
  if (tail !== undefined) {
    const after = tail.split(":").filter(Boolean);
    while (groups.length + after.length < 8) groups.push("0");
    groups.push(...after);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
