/**
 * What outlives a process: which pods have anybody to send to, and, where servers share a database, which of them sends.
 * One sends for all; another takes over when it has not said so again for a while. What both send meanwhile has the same
 * numbers, so a receiver can tell.
 */
import { randomUUID } from "node:crypto";
import type { Limits } from "../limits.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { SERVER_POD, type Store } from "../store/store.ts";

export interface Turn {
  /** Whether this server is the one that sends, as far as it knows. */
  holds(): boolean;
  /** Says so again, or finds out whether it may. */
  take(): Promise<boolean>;
  /** So that another need not wait. */
  release(): Promise<void>;
}

interface Lease {
  readonly server: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const ALONE: Turn = { holds: () => true, take: async () => true, release: async () => {} };
const PODS = "pods";
const LEASE = "lease";

/** @param isShared Whether other servers may work on the same store. */
export function createTurn(
  store: Store,
  limits: Pick<Limits, "webhookLeaseMs">,
  now: () => Date,
  isShared: boolean,
): Turn {
  if (!isShared) return ALONE;
  const server = randomUUID();
  let until = 0;
  const put = (lease: (at: number, other: Lease | null) => Lease | null) =>
    store.write(SERVER_POD, async (transaction) => {
      const entry = await transaction.get("outbox", LEASE, "");
      const mine = lease(now().getTime(), entry && decodeRecord<Lease>(entry));
      if (mine) transaction.put("outbox", LEASE, "", encodeRecord(mine));
      return mine;
    });
  return {
    holds: () => until > now().getTime(),
    async take() {
      const { result } = await put((at, other) =>
        other && other.server !== server && other.until > at
          ? null
          : { server, until: at + limits.webhookLeaseMs },
      );
      until = result?.until ?? 0;
      return result !== null;
    },
    async release() {
      if (until === 0) return;
      until = 0;
      await put((_, other) => (other?.server === server ? { server, until: 0 } : null));
    },
  };
}

/**
 * Remembers that there may be something to send from a pod: before its first channel is on disk, so that none is
 * forgotten. Stays for as long as the server's own records do: looking in vain costs one read at a start.
 */
export async function enlist(store: Store, podName: string): Promise<void> {
  await store.write(SERVER_POD, async (transaction) => {
    transaction.put("outbox", PODS, podName, encodeRecord({ stamp: randomUUID() }));
  });
}

/** @returns names of pods, each with what changes whenever a channel is made there. */
export function enlisted(store: Store): Promise<ReadonlyMap<string, string>> {
  return store.read(SERVER_POD, async (snapshot) => {
    const pods = new Map<string, string>();
    for await (const entry of snapshot.list("outbox", PODS))
      pods.set(entry.item, decodeRecord<{ readonly stamp: string }>(entry).stamp);
    return pods;
  });
}
