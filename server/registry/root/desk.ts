/** What waits at the root for each zone: news in their order, until the zone has fetched them. */
import type { Snapshot } from "../../store/store.ts";
import type { RecordWrite } from "../zone/stage.ts";
import { getRecord, listRecords, recordOf } from "./ledger.ts";
import type { DeskItem } from "./model.ts";

const groupOf = (zone: string): string => `desk/${zone}`;
const COUNT = "desk";

type Entry = Omit<DeskItem, "seq">;

/** Records that put news on the desks of zones. @param news Zone and item; a zone may be there several times. */
export async function tell(
  snapshot: Snapshot,
  news: readonly (readonly [zone: string, item: Entry])[],
): Promise<RecordWrite[]> {
  const counts = new Map<string, number>();
  const records: RecordWrite[] = [];
  for (const [zone, item] of news) {
    const last = counts.get(zone) ?? (await getRecord<{ last: number }>(snapshot, COUNT, zone))?.last ?? 0;
    const seq = last + 1;
    counts.set(zone, seq);
    records.push(recordOf(groupOf(zone), String(seq), { ...item, seq }));
  }
  for (const [zone, last] of counts) records.push(recordOf(COUNT, zone, { last }));
  return records;
}

/**
 * What a zone has not fetched yet, oldest first; what it has, unless there is newer news of the same; and the records that
 * forget what it has.
 */
export async function newsFor(
  snapshot: Snapshot,
  zone: string,
  after: number,
  most: number,
): Promise<{
  readonly items: readonly DeskItem[];
  readonly fetched: readonly DeskItem[];
  readonly forget: readonly RecordWrite[];
}> {
  const all = await listRecords<DeskItem>(snapshot, groupOf(zone));
  const items = all.filter(({ seq }) => seq > after).sort((a, b) => a.seq - b.seq);
  const before = all.filter(({ seq }) => seq <= after);
  const waiting = new Set(items.map(({ hash }) => hash));
  const fetched = before.filter(({ hash }) => !waiting.has(hash));
  const forget = before.map(({ seq }) => recordOf(groupOf(zone), String(seq), null));
  return { items: items.slice(0, most), fetched, forget };
}
