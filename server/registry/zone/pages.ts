/**
 * A log that begins with all that there is already: at New Year, and when an emergency operator takes over. Page by page,
 * each a transaction of its own, into records that nobody reads before its first checkpoint is published.
 */
import { encodeLeaf, type Shard } from "@freehold/client/registry";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { PodId, Snapshot, Store } from "../../store/store.ts";
import { type Edge, emptyEdge, growEdge, type MapSetting, putLeaves } from "./plan.ts";
import { applyRecords, type RecordWrite } from "./stage.ts";
import { REGISTRY } from "./state.ts";
import { commitTurn } from "./turn.ts";

/** Some keys of the new shard, and where to go on; `next` is null with the last. */
export interface Page {
  readonly set: readonly MapSetting[];
  readonly records: readonly RecordWrite[];
  readonly next: string | null;
}

/** @param cursor `next` of the page before; null for the first. */
export type BuildPage = (snapshot: Snapshot, shard: Shard, cursor: string | null) => Promise<Page>;

/** How far the new log has come. */
export interface Progress {
  readonly edge: Edge;
  readonly cursor: string | null;
  readonly isDone: boolean;
}

/** Removed with the first checkpoint. */
export const NO_PROGRESS: RecordWrite = { group: "epoch", item: "year", value: null };

export const putProgress = (progress: Progress): RecordWrite => ({
  group: "epoch",
  item: "year",
  value: encodeRecord(progress),
});

/** @returns null where no new log has been begun. */
export async function readProgress(snapshot: Snapshot): Promise<Progress | null> {
  const entry = await snapshot.get(REGISTRY, "epoch", "year");
  return entry && decodeRecord<Progress>(entry);
}

export const beginProgress = (shard: Shard): Progress => ({
  edge: emptyEdge(shard),
  cursor: null,
  isDone: false,
});

export async function addPage(
  store: Store,
  pod: PodId,
  turn: number,
  { edge }: Progress,
  page: Page,
): Promise<void> {
  const leaves = page.set.map(({ key, commit }) => encodeLeaf({ kind: "set", headKey: key, commit }));
  await commitTurn(store, pod, turn, false, async (transaction) => {
    await putLeaves(transaction, edge.shard, edge.size, leaves, null);
    const isDone = page.next === null;
    const progress: Progress = { edge: growEdge(edge, leaves), cursor: page.next, isDone };
    applyRecords(transaction, [...page.records, putProgress(progress)]);
  });
}
