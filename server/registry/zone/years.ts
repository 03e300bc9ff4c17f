/** New Year: every passport is committed to anew, with a new opening, in a log that knows it by another key. */
import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { headRecordText, type Shard } from "@freehold/client/registry";
import { encodeRecord } from "../../store/record.ts";
import type { PodId, Store } from "../../store/store.ts";
import { commitOf, headKeyOf } from "../log/hash.ts";
import { type BuildPage, beginProgress, putProgress, readProgress } from "./pages.ts";
import type { MapSetting } from "./plan.ts";
import { applyRecords, type RecordWrite } from "./stage.ts";
import {
  decodeHead,
  encodeHead,
  erasedGroup,
  type HeadFields,
  inShard,
  keyGroup,
  mapGroup,
  namesGroup,
  REGISTRY,
  readPublished,
  type StoredHead,
  YEARS_SERVED,
} from "./state.ts";

const RECORDS_SWEPT = 2_000;

/** All of a head that is stored apart from its text. */
export function fieldsOf(head: StoredHead): HeadFields {
  const { text: _, parts: _parts, state: _state, ...fields } = head;
  return fields;
}

/** The commitment to a head in another shard. */
function commitIn(shard: Shard, head: StoredHead): MapSetting & { readonly opening: Uint8Array } {
  const key = headKeyOf(shard, head.id);
  const opening = randomBytes(32);
  const text = headRecordText({
    a: head.headHash,
    aseq: head.aseq,
    d: head.dataHash,
    dseq: head.dataHash === null ? 0 : head.dseq,
    ...(head.hold !== null && { h: head.hold }),
  });
  return { key, commit: commitOf(opening, key, text), opening };
}

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** All passports for a new log. @param most Of one transaction. */
export const recommitAll =
  (most: number): BuildPage =>
  async (snapshot, shard, cursor) => {
    const published = await readPublished(snapshot);
    const { entries, next } = await snapshot.page(REGISTRY, "head", cursor, most);
    const set: MapSetting[] = [];
    const records: RecordWrite[] = [];
    for (const entry of entries) {
      const head = inShard(decodeHead(entry), published?.shard ?? shard);
      const { key, commit, opening } = commitIn(shard, head);
      const fields: HeadFields = {
        ...fieldsOf(head),
        next: { shard, headKey: encode(key), opening: encode(opening), commit: encode(commit) },
      };
      set.push({ key, commit });
      records.push(
        { group: "head", item: head.id, value: encodeHead(fields, head.text) },
        { group: keyGroup(shard), item: encode(key), value: encodeRecord({ id: head.id }) },
      );
    }
    return { set, records, next };
  };

/**
 * Removes, some at a time, what years before need no longer: of the last one its map, for its log stands alone; of those
 * whose log has been served for two years after its end, all.
 */
export async function sweepYears(store: Store, pod: PodId, folder: string, shard: Shard): Promise<void> {
  const [zone = "", yearText = ""] = shard.split("/");
  const year = Number(yearText);
  await sweepGroups(
    store,
    pod,
    [mapGroup, keyGroup, namesGroup].map((group) => group(`${zone}/${year - 1}`)),
  );
  const found = await readdir(folder).catch(() => []);
  for (const name of found) {
    if (!/^\d{4}$/.test(name) || Number(name) >= year - YEARS_SERVED) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
  const ended = `${zone}/${year - YEARS_SERVED - 1}`;
  await sweepGroups(store, pod, [`leaves/${ended}`, erasedGroup(ended)]);
}

/** @returns whether there was anything. */
async function sweepGroups(store: Store, pod: PodId, groups: readonly string[]): Promise<boolean> {
  let isAny = false;
  for (const group of groups) {
    const { entries } = await store.read(pod, (snapshot) =>
      snapshot.page(REGISTRY, group, null, RECORDS_SWEPT),
    );
    if (entries.length === 0) continue;
    isAny = true;
    await store.write(pod, async (transaction) => {
      for (const { item } of entries) transaction.delete(REGISTRY, group, item);
    });
  }
  return isAny;
}

/**
 * Makes a mirror's pod ready for an emergency operator: `createZone` with another origin, other keys and a folder without
 * lock then begins a log from its first leaf, in which everything that is here is committed to anew.
 * @param shard The present year's.
 */
export async function prepareTakeover(store: Store, pod: PodId, shard: Shard): Promise<void> {
  if (await store.read(pod, readProgress)) return; // It was interrupted, and goes on where it was.
  const groups = [mapGroup(shard), namesGroup(shard), `leaves/${shard}`];
  while (await sweepGroups(store, pod, groups)); // What is left would be in the new map.
  await store.write(pod, async (transaction) => {
    for (const item of ["published", "staged", "turn"]) transaction.delete(REGISTRY, "epoch", item);
    applyRecords(transaction, [putProgress(beginProgress(shard))]);
  });
}
