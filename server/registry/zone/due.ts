/** What waits, by the hour in which its wait ends, so that nobody has to look through all passports. */
import type { PassportId } from "@freehold/client/registry";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import type { RecordWrite } from "./stage.ts";
import { REGISTRY } from "./state.ts";

const HOUR_MS = 3_600_000;
export const hourOf = (at: number): number => Math.floor(at / HOUR_MS);
const groupOf = (hour: number): string => `due/${hour}`;

/** An operation may come into force (a port by the root's order only); or that a passport was erased is to be forgotten. */
export interface DueRecord {
  readonly kind: "wait" | "port" | "gone";
  readonly at: number;
}

export interface Due extends DueRecord {
  readonly id: PassportId;
}

export const putDue = (id: PassportId, record: DueRecord): RecordWrite => ({
  group: groupOf(hourOf(record.at)),
  item: id,
  value: encodeRecord(record),
});

export const dropDue = (id: PassportId, at: number): RecordWrite => ({
  group: groupOf(hourOf(at)),
  item: id,
  value: null,
});

/** The first hour in which something may wait; null when nothing ever did. */
export async function readFirstHour(snapshot: Snapshot): Promise<number | null> {
  const entry = await snapshot.get(REGISTRY, "zone", "due");
  return entry && decodeRecord<{ readonly hour: number }>(entry).hour;
}

export const putFirstHour = (hour: number): RecordWrite => ({
  group: "zone",
  item: "due",
  value: encodeRecord({ hour }),
});

/** What is due at `at`, and the first hour that must be looked at again. At most `most`; then the rest is for the next time. */
export async function readDue(
  snapshot: Snapshot,
  at: number,
  most: number,
): Promise<{ readonly due: readonly Due[]; readonly from: number | null; readonly first: number | null }> {
  const due: Due[] = [];
  const from = await readFirstHour(snapshot);
  if (from === null) return { due, from, first: null };
  let first = from;
  for (let hour = from; hour <= hourOf(at) && due.length < most; hour += 1) {
    for await (const entry of snapshot.list(REGISTRY, groupOf(hour))) {
      const record = decodeRecord<DueRecord>(entry);
      if (record.at <= at && due.length < most) due.push({ ...record, id: entry.item as PassportId });
    }
    if (due.length === 0) first = hour; // All hours before are empty, and stay so.
  }
  return { due, from, first };
}
