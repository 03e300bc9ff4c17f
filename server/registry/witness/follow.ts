/** Which logs a witness follows: those named by key, and those of all zones in a root's record. */
import { decodeKey, type VerifierKey, verifierKeyOf, type ZoneRecord } from "@freehold/client/registry";
import { createRootRelay, type RootRelay, type RootRelayDeps } from "../root/relay.ts";
import type { LogKeys } from "./witness.ts";

/** The log of a zone, whatever the year. */
export type ZoneLog = Pick<ZoneRecord["log"], "origin" | "key">;

export interface FollowOptions extends Omit<RootRelayDeps, "url"> {
  /** Keys of logs; the name of each is the origin of its log. */
  readonly logs: readonly VerifierKey[];
  /** Zones that are followed though no root names them. */
  readonly zones?: readonly ZoneLog[];
  /** Where the root's record is to be had; null follows no zones but those named. Ends in a slash. */
  readonly root: string | null;
}

/** @returns the log's key, when this is the log of a year: last year's is still renewed, next year's may begin. */
async function keyOfYear(log: ZoneLog, origin: string, now: Date): Promise<readonly VerifierKey[]> {
  const year = origin.startsWith(`${log.origin}/`) ? origin.slice(log.origin.length + 1) : "";
  const key = decodeKey(log.key);
  if (!/^[1-9]\d{3}$/.test(year) || !key) return [];
  const isNear = Math.abs(Number(year) - now.getUTCFullYear()) <= 1;
  return isNear ? [await verifierKeyOf(origin, 1, key)] : [];
}

export async function createLogKeys(options: FollowOptions): Promise<LogKeys> {
  const { logs, zones = [], root, now } = options;
  const relay: RootRelay | null = root === null ? null : await createRootRelay({ ...options, url: root });

  async function find(origin: string): Promise<readonly VerifierKey[]> {
    const named = logs.filter(({ name }) => name === origin);
    const record = relay?.newest()?.record;
    if (named.length > 0) return named;
    const active = Object.values(record?.zones ?? {}).filter(
      ({ status }) => status === "active" || status === "emergency",
    );
    const all = [...zones, ...[...active, ...(record ? [record.root] : [])].map(({ log }) => log)];
    return (await Promise.all(all.map((log) => keyOfYear(log, origin, now())))).flat();
  }

  return async (origin) => {
    const keys = await find(origin);
    const renewed = relay?.renew();
    if (keys.length > 0) return keys; // What is known is not held up by the root; what it says anew counts from the next.
    await renewed;
    return find(origin);
  };
}
