/** How many of something may be under way: for all, and of them for one network. */
import { Problem } from "../../errors.ts";
import { networkOf } from "../../rates.ts";

export interface SeatsOptions {
  readonly most: number;
  readonly perNetwork: number;
  /** Why somebody has to wait. */
  readonly says: string;
  readonly retrySeconds: number;
}

/** @returns what takes a seat for an address, and itself returns what gives it back, once. */
export function createSeats({ most, perNetwork, says, retrySeconds }: SeatsOptions) {
  const taken = new Map<string, number>();
  let all = 0;
  return (ip: string): (() => void) => {
    const network = networkOf(ip);
    const own = taken.get(network) ?? 0;
    if (all >= most || own >= perNetwork)
      throw new Problem("too-many-requests", says, { headers: { "retry-after": String(retrySeconds) } });
    taken.set(network, own + 1);
    all += 1;
    let isFree = false;
    return () => {
      if (isFree) return;
      isFree = true;
      all -= 1;
      const left = (taken.get(network) ?? 1) - 1;
      if (left > 0) taken.set(network, left);
      else taken.delete(network);
    };
  };
}
