/**
 * Who stands behind a key of the map, for a mirror: the log names those who leave by that key alone. Many to a record, for a
 * record of its own for each passport took a quarter of the time that a copy takes.
 */
import type { PassportId, Shard } from "@freehold/client/registry";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import { headKeyOf } from "../log/hash.ts";
import type { RecordWrite } from "../zone/stage.ts";
import { namesGroup, REGISTRY } from "../zone/state.ts";

/** Ids by the place where they stand. */
export type Names = Map<string, PassportId[]>;

/** Of a key, base64url: 4,096 places, so that there are some 250 of a million passports at each. */
const placeOf = (headKey: string): string => headKey.slice(0, 2);

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

export function addName(names: Names, headKey: string, id: PassportId): void {
  const place = placeOf(headKey);
  const there = names.get(place);
  if (there) there.push(id);
  else names.set(place, [id]);
}

const writeOf = (shard: Shard, place: string, ids: readonly PassportId[]): RecordWrite => ({
  group: namesGroup(shard),
  item: place,
  value: ids.length === 0 ? null : encodeRecord({ ids }),
});

/** Everybody's, where there was nobody. */
export const writesOf = (shard: Shard, names: Names): readonly RecordWrite[] =>
  [...names].map(([place, ids]) => writeOf(shard, place, ids));

/** @param gone Keys of those who have left. @returns what is written, and whose heads go. */
export async function changeNames(
  snapshot: Snapshot,
  shard: Shard,
  added: Names,
  gone: readonly string[],
): Promise<{ readonly records: readonly RecordWrite[]; readonly left: readonly PassportId[] }> {
  const leaving = new Set(gone);
  const left: PassportId[] = [];
  const records: RecordWrite[] = [];
  for (const place of new Set([...added.keys(), ...gone.map(placeOf)])) {
    const entry = await snapshot.get(REGISTRY, namesGroup(shard), place);
    const before = entry ? decodeRecord<{ readonly ids: readonly PassportId[] }>(entry).ids : [];
    const staying = before.filter((id) => {
      const isLeaving = leaving.size > 0 && leaving.has(encode(headKeyOf(shard, id)));
      if (isLeaving) left.push(id);
      return !isLeaving;
    });
    const after = new Set([...staying, ...(added.get(place) ?? [])]);
    if (after.size !== before.length || staying.length !== before.length)
      records.push(writeOf(shard, place, [...after]));
  }
  return { records, left };
}
