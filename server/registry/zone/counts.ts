/** What a registrar has sent, counted by day: for its quota, and for its scorecard. */
import { decodeRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import { REGISTRY } from "./state.ts";

type CountRecord = Readonly<Record<string, number>>;

/** What a registrar's operations were counted by, of each type, in a day (UTC). */
export async function readCounts(snapshot: Snapshot, day: string, registrar: string): Promise<CountRecord> {
  const entry = await snapshot.get(REGISTRY, `count/${day}`, registrar);
  return entry ? decodeRecord<CountRecord>(entry) : {};
}

export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
