/** What became of each operation: by its hash, and by its passport, so that an erasure leaves none. */
import type { PassportId } from "@freehold/client/registry";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import type { OperationStanding } from "../port.ts";
import type { RecordWrite } from "./stage.ts";
import { REGISTRY } from "./state.ts";

const OPERATION = "operation";
const groupOf = (id: PassportId): string => `operations/${id}`;
const NOTHING = encodeRecord({});

export async function readStanding(snapshot: Snapshot, hash: string): Promise<OperationStanding | null> {
  const entry = await snapshot.get(REGISTRY, OPERATION, hash);
  return entry && decodeRecord<OperationStanding>(entry);
}

export const putStanding = (
  id: PassportId,
  hash: string,
  standing: OperationStanding,
): readonly RecordWrite[] => [
  { group: OPERATION, item: hash, value: encodeRecord(standing) },
  { group: groupOf(id), item: hash, value: NOTHING },
];

/** Operations of a passport are forgotten: at most `most`, for one commit must hold it. `isAll`: none is left. */
export async function dropStandings(
  snapshot: Snapshot,
  id: PassportId,
  most: number,
): Promise<{ readonly records: readonly RecordWrite[]; readonly isAll: boolean }> {
  const { entries, next } = await snapshot.page(REGISTRY, groupOf(id), null, most);
  const records = entries.flatMap(({ item }): RecordWrite[] => [
    { group: OPERATION, item, value: null },
    { group: groupOf(id), item, value: null },
  ]);
  return { records, isAll: next === null };
}
