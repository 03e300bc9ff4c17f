/** What a reader remembers from one answer to the next, so that nobody can lead back to what was. */
import type { PassportId } from "../passport/identifier.ts";
import type { Seen } from "../passport/verify.ts";
import type { RootRecord } from "./model.ts";

/** A root's record that was believed, and when it was last asked for. */
export interface PinnedRoot {
  readonly record: RootRecord;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Where the root's index said that a passport is. */
export interface SeenPorted {
  readonly zone: string;
  /** Of the root's log. */
  readonly shard: string;
  readonly epoch: number;
  /** Until when its witnesses had signed it: milliseconds since 1970. */
  readonly at: number;
}

/** Remembers the newest state seen of each passport, and the root that each resolver showed first or followed from. */
export interface Memory {
  get(id: PassportId): Promise<Seen | null>;
  set(id: PassportId, seen: Seen): Promise<void>;
  /** @param of Base address of a resolver, or what stands for a root's record that was given. */
  root(of: string): Promise<PinnedRoot | null>;
  /** @param pinned Null forgets: the next answer is believed again. */
  setRoot(of: string, pinned: PinnedRoot | null): Promise<void>;
  /** @param of A passport, and by whose index: other roots may say something else. */
  ported(of: string): Promise<SeenPorted | null>;
  setPorted(of: string, seen: SeenPorted): Promise<void>;
}

const REMEMBERED_MAX = 10_000; // The oldest is forgotten first.

export const isOlder = (now: Seen, before: Seen): boolean =>
  before.aseq > now.aseq || (before.aseq === now.aseq && before.dseq > now.dseq);

/** Of one root's index: years have logs of their own. */
export const isOlderPorted = (now: SeenPorted, before: SeenPorted): boolean =>
  now.shard < before.shard || (now.shard === before.shard && now.epoch < before.epoch);

/** The newest last; the oldest is forgotten first. */
function put<K, V>(kept: Map<K, V>, key: K, value: V): void {
  kept.delete(key);
  kept.set(key, value);
  for (const oldest of kept.keys()) {
    if (kept.size <= REMEMBERED_MAX) break;
    kept.delete(oldest);
  }
}

/** A memory that lasts as long as it is held. */
export function createMemory(): Memory {
  const seen = new Map<PassportId, Seen>();
  const roots = new Map<string, PinnedRoot>();
  const ported = new Map<string, SeenPorted>();
  return {
    get: async (id) => seen.get(id) ?? null,
    async set(id, now) {
      const before = seen.get(id);
      if (before && isOlder(now, before)) return; // Of two answers at once the older may come last.
      put(seen, id, now);
    },
    root: async (of) => roots.get(of) ?? null,
    async setRoot(of, pinned) {
      if (pinned) roots.set(of, pinned);
      else roots.delete(of);
    },
    ported: async (of) => ported.get(of) ?? null,
    async setPorted(of, now) {
      const before = ported.get(of);
      if (!before || !isOlderPorted(now, before)) put(ported, of, now);
    },
  };
}

/** As long as this program runs, for whoever gives no other. */
export const ownMemory: Memory = createMemory();
