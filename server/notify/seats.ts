/** How many may listen at once: in all, to one pod, and of one agent. What is taken is given back when the connection ends. */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent } from "../operation.ts";
import { networkOf } from "../rates.ts";
import type { Pod } from "../store/pods.ts";

export interface Seats {
  /** @throws Problem `too-many-requests`. */
  check(pod: Pod, who: string): void;
  /** @returns what gives it back. @throws Problem `too-many-requests`. */
  take(pod: Pod, who: string): () => void;
}

/** Whom a listener counts as: strangers by the network they come from. */
export const listenerOf = ({ webid }: Agent, ip: string): string => webid ?? `ip ${networkOf(ip)}`;

/** However many others come, a pod's owner finds a seat. */
const OTHERS_SHARE = 0.9;

export function createSeats(
  limits: Pick<Limits, "listenersMax" | "listenersPerPodMax" | "listenersPerAgentMax">,
): Seats {
  const taken = new Map<string, number>();
  function most(key: string, isOwner: boolean): number {
    if (key.startsWith("agent ")) return limits.listenersPerAgentMax;
    const seats = key === "" ? limits.listenersMax : limits.listenersPerPodMax;
    return isOwner ? seats : Math.floor(seats * OTHERS_SHARE);
  }
  const keysOf = (pod: Pod, who: string): readonly string[] => ["", `pod ${pod.id}`, `agent ${who}`];

  function check(pod: Pod, who: string): void {
    if (keysOf(pod, who).some((key) => (taken.get(key) ?? 0) >= most(key, who === pod.owner)))
      throw new Problem("too-many-requests", "Too many connections listen for notifications already", {
        headers: { "retry-after": "60" },
      });
  }

  return {
    check,
    take(pod, who) {
      check(pod, who);
      const keys = keysOf(pod, who);
      for (const key of keys) taken.set(key, (taken.get(key) ?? 0) + 1);
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        for (const key of keys) {
          const left = (taken.get(key) ?? 1) - 1;
          if (left > 0) taken.set(key, left);
          else taken.delete(key);
        }
      };
    },
  };
}
