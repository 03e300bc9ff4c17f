/** Which proofs were used already: exact, atomic, bounded, and never silently forgetful. */
import { hash, randomBytes } from "node:crypto";
import { Problem } from "../errors.ts";

export interface ReplayMemory {
  /** Has this proof been admitted? For saving work; only {@link ReplayMemory.admit} decides. */
  readonly has: (thumbprint: string, jti: string) => boolean;
  /**
   * Admits a proof once: the check and the insertion are one step.
   * @param payers Who is charged; each may fill its share only, so a flood hits the flooder.
   * @returns false if it was admitted before.
   * @throws Problem `too-many-requests` when there is no room: forgetting would let an old proof in again.
   */
  readonly admit: (thumbprint: string, jti: string, payers: readonly string[]) => boolean;
}

export interface ReplayOptions {
  /** At least the whole time in which one proof would be accepted, in ms. */
  readonly retentionMs: number;
  readonly capacity: number;
  readonly perPayerMax: number;
  readonly now: () => Date;
}

interface Generation {
  readonly began: number;
  readonly seen: Set<string>;
  readonly shares: Map<string, number>;
}

/**
 * Two generations, each as long as the retention: what was admitted stays for one to two of them.
 * Keys are 16 bytes of a keyed hash, so nobody can choose proofs that collide.
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-11.1
 */
export function createReplayMemory({ retentionMs, capacity, perPayerMax, now }: ReplayOptions): ReplayMemory {
  const secret = randomBytes(32).toString("base64url");
  let current: Generation = { began: now().getTime(), seen: new Set(), shares: new Map() };
  let previous: Generation = { ...current, seen: new Set(), shares: new Map() };

  const keyOf = (thumbprint: string, jti: string): string =>
    hash("sha256", `${secret}${thumbprint}\n${jti}`, "buffer").toString("latin1", 0, 16);

  function turn(): void {
    const at = now().getTime();
    if (at - current.began < retentionMs) return;
    const isOld = at - current.began >= 2 * retentionMs;
    previous = isOld ? { began: at, seen: new Set(), shares: new Map() } : current;
    current = { began: at, seen: new Set(), shares: new Map() };
  }

  return {
    has(thumbprint, jti) {
      turn();
      const key = keyOf(thumbprint, jti);
      return current.seen.has(key) || previous.seen.has(key);
    },
    admit(thumbprint, jti, payers) {
      turn();
      const key = keyOf(thumbprint, jti);
      if (current.seen.has(key) || previous.seen.has(key)) return false;
      const isFull =
        current.seen.size + previous.seen.size >= capacity ||
        payers.some(
          (payer) => (current.shares.get(payer) ?? 0) + (previous.shares.get(payer) ?? 0) >= perPayerMax,
        );
      if (isFull) {
        throw new Problem("too-many-requests", "Too many proofs in a short time", {
          headers: { "retry-after": String(Math.ceil(retentionMs / 1_000)) },
        });
      }
      current.seen.add(key);
      for (const payer of payers) current.shares.set(payer, (current.shares.get(payer) ?? 0) + 1);
      return true;
    },
  };
}
