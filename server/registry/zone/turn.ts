/** Compare-and-swap among the servers on one database: each commit of the engine is a turn, and a stage holds the turn. */
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { PodId, Snapshot, Store, Transaction } from "../../store/store.ts";
import { REGISTRY } from "./state.ts";

export interface TurnRecord {
  /** Grows with every commit of the engine. */
  readonly turn: number;
  /** Then nothing else is committed before it is published. */
  readonly isStaged: boolean;
}

export async function readTurn(snapshot: Snapshot): Promise<TurnRecord> {
  const entry = await snapshot.get(REGISTRY, "epoch", "turn");
  return entry ? decodeRecord<TurnRecord>(entry) : { turn: 0, isStaged: false };
}

export const putTurn = (transaction: Transaction, turn: TurnRecord): void =>
  transaction.put(REGISTRY, "epoch", "turn", encodeRecord(turn));

/** @returns false when another server was sooner, and nothing was written: then there is something new to begin from. */
export async function commitTurn(
  store: Store,
  pod: PodId,
  turn: number,
  isStaged: boolean,
  work: (transaction: Transaction) => void | Promise<void>,
): Promise<boolean> {
  const { result } = await store.write(pod, async (transaction) => {
    const found = await readTurn(transaction);
    if (found.isStaged || found.turn !== turn) return false;
    await work(transaction);
    putTurn(transaction, { turn: isStaged ? turn : turn + 1, isStaged });
    return true;
  });
  return result;
}
