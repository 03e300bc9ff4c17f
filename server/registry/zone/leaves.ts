/** A log's entries in the store, 256 to a record: tile files can be made of them again, by any server on the database. */
import assert from "node:assert/strict";
import { decodeEntries, encodeEntries, TILE_WIDTH } from "@freehold/client/registry";
import type { Snapshot } from "../../store/store.ts";
import type { RecordWrite } from "./stage.ts";
import { REGISTRY } from "./state.ts";

const groupOf = (shard: string): string => `leaves/${shard}`;

async function readTile(snapshot: Snapshot, shard: string, tile: number): Promise<readonly Uint8Array[]> {
  const entry = await snapshot.get(REGISTRY, groupOf(shard), String(tile));
  return entry ? decodeEntries(entry.value) : [];
}

/** Encoded leaves of a log from `from` up to `to`, without it. @throws Error where one is missing. */
export async function readLeaves(
  snapshot: Snapshot,
  shard: string,
  from: number,
  to: number,
): Promise<readonly Uint8Array[]> {
  const leaves: Uint8Array[] = [];
  for (let tile = Math.floor(from / TILE_WIDTH); tile * TILE_WIDTH < to; tile += 1) {
    const start = tile * TILE_WIDTH;
    leaves.push(...(await readTile(snapshot, shard, tile)).slice(Math.max(0, from - start), to - start));
  }
  assert(leaves.length === Math.max(0, to - from), "leaves of the log are missing");
  return leaves;
}

/** The records that hold `leaves` when they are the log's from `from` on. */
export async function recordsOfLeaves(
  snapshot: Snapshot,
  shard: string,
  from: number,
  leaves: readonly Uint8Array[],
): Promise<readonly RecordWrite[]> {
  const first = Math.floor(from / TILE_WIDTH);
  const before = from % TILE_WIDTH === 0 ? [] : await readTile(snapshot, shard, first);
  const all = [...before.slice(0, from % TILE_WIDTH), ...leaves];
  const records: RecordWrite[] = [];
  for (let at = 0; at < all.length; at += TILE_WIDTH)
    records.push({
      group: groupOf(shard),
      item: String(first + at / TILE_WIDTH),
      value: encodeEntries(all.slice(at, at + TILE_WIDTH)),
    });
  return records;
}
