/** The last step of an epoch: all of it in one transaction, so that readers see the whole of it or nothing. */
import { encodeRecord } from "../../store/record.ts";
import type { PodId, Store } from "../../store/store.ts";
import { putLeaves } from "./plan.ts";
import { applyRecords, type RecordWrite, type Stage } from "./stage.ts";
import { type PublishedRecord, REGISTRY, readPublished } from "./state.ts";
import { putTurn, readTurn } from "./turn.ts";

/**
 * @param at Milliseconds since 1970.
 * @param blocks Of the map, as they were made for the stage; made again when they are not known.
 * @returns what is published then: more than this stage when another server has finished it.
 */
export async function publishStage(
  store: Store,
  pod: PodId,
  at: number,
  stage: Stage,
  blocks: readonly RecordWrite[] | null,
  note: string,
): Promise<PublishedRecord> {
  const { shard } = stage;
  const { result } = await store.write(pod, async (transaction) => {
    const { turn, isStaged } = await readTurn(transaction);
    const before = await readPublished(transaction);
    if (!isStaged || turn !== stage.turn) return before; // Another server has finished it.
    await putLeaves(transaction, shard, stage.from, stage.leaves, blocks);
    applyRecords(transaction, stage.records);
    const record: PublishedRecord = {
      shard,
      turn: (before?.turn ?? 0) + 1,
      size: stage.size,
      logRoot: stage.logRoot,
      frontier: stage.frontier,
      rootLeaf: stage.rootLeaf,
      logPath: stage.logPath,
      checkpoint: note,
      at,
    };
    transaction.put(REGISTRY, "epoch", "published", encodeRecord(record));
    transaction.delete(REGISTRY, "epoch", "staged");
    putTurn(transaction, { turn: turn + 1, isStaged: false });
    return record;
  });
  if (!result) throw new Error("A stage is gone, and nothing was published");
  return result;
}
