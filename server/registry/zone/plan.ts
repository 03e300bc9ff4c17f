/** What an epoch will be, before anything of it is written: leaves, map, tree, and the text that is to be signed. */
import {
  type Bytes,
  decodeLeaf,
  encodeLeaf,
  formatCheckpoint,
  type Leaf,
  type Shard,
  TILE_WIDTH,
} from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Snapshot, Transaction } from "../../store/store.ts";
import { appendLeaves, rootOf, rootPathOfLast } from "../log/tree.ts";
import { type MapChange, updateMap } from "../map/map.ts";
import { recordsOfLeaves } from "./leaves.ts";
import { applyRecords, type RecordWrite, type Stage } from "./stage.ts";
import { blocksOf, mapGroup, type PublishedRecord } from "./state.ts";

/** What an epoch is added to. */
export interface EpochBase {
  readonly shard: Shard;
  /** Leaves so far: the first new one has this index. */
  readonly size: number;
  /** Number that the next published checkpoint will have. */
  readonly epoch: number;
}

/** What shall be. The leaves stand in this order, the root leaf after them. At most one of `set` and `delete` for a key. */
export interface EpochChange {
  readonly set: readonly MapSetting[];
  readonly delete: readonly Uint8Array[];
  readonly governance: readonly Uint8Array[];
  /** Written in the transaction that publishes. */
  readonly records: readonly RecordWrite[];
}

export interface MapSetting {
  readonly key: Uint8Array;
  readonly commit: Uint8Array;
}

/** Called with the newest state, perhaps several times: must have no effect. Null: there is nothing to do. */
export type BuildEpoch = (snapshot: Snapshot, base: EpochBase) => Promise<EpochChange | null>;

export const NO_CHANGE: EpochChange = { set: [], delete: [], governance: [], records: [] };

/** What is made before a stage: the stage, and the blocks of the map as it will be. */
export interface Plan {
  readonly stage: Stage;
  readonly blocks: readonly RecordWrite[];
}

/** What a log is continued from. */
export interface Edge {
  readonly shard: Shard;
  readonly size: number;
  readonly frontier: readonly string[];
  readonly epoch: number;
}

export const emptyEdge = (shard: Shard): Edge => ({ shard, size: 0, frontier: [], epoch: 0 });

export const edgeOf = ({ shard, size, frontier, rootLeaf }: PublishedRecord): Edge => ({
  shard,
  size,
  frontier,
  epoch: rootLeaf.epoch,
});

const TILE_BYTES = TILE_WIDTH * 67; // Of the longest leaves, in a record of the store.

const decode = (text: string): Bytes => new Uint8Array(Buffer.from(text, "base64url"));
const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** The commit that publishes writes these as well: the checkpoint, the turn, the stage, and tiles of leaves. */
const writesBeside = (leaves: number): number => 4 + Math.ceil(leaves / TILE_WIDTH);

/** What is staged must be published: so nothing is staged that one commit of the store could not take. */
function refuseTooLarge({ stage, blocks }: Plan, limits: Limits): void {
  const all = [...stage.records, ...blocks];
  const bytes = all.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  if (all.length + writesBeside(stage.leaves.length) > limits.transactionWritesMax)
    throw new Problem("body-too-large", "An epoch writes more records than one commit takes");
  if (bytes + 2 * TILE_BYTES > limits.transactionBytesMax)
    throw new Problem("body-too-large", "An epoch writes more bytes than one commit takes");
}

/** @param origin Of the log of this shard. @throws Problem `body-too-large` */
export async function planEpoch(
  snapshot: Snapshot,
  turn: number,
  edge: Edge,
  origin: string,
  change: EpochChange,
  limits: Limits,
): Promise<Plan> {
  const { shard } = edge;
  const blocks: RecordWrite[] = [];
  const changes: readonly MapChange[] = [
    ...change.set.map(({ key, commit }) => ({ key, commit })),
    ...change.delete.map((key) => ({ key, commit: null })),
  ];
  const { root, count } = await updateMap(
    blocksOf(snapshot, shard),
    (item, value) => void blocks.push({ group: mapGroup(shard), item, value }),
    changes,
  );
  const rootLeaf = { epoch: edge.epoch + 1, count, root };
  const all: readonly Leaf[] = [
    ...change.set.map(({ key, commit }): Leaf => ({ kind: "set", headKey: key, commit })),
    ...change.delete.map((headKey): Leaf => ({ kind: "delete", headKey })),
    ...change.governance.map((hash): Leaf => ({ kind: "governance", hash })),
    { kind: "root", ...rootLeaf, root: decode(root) },
  ];
  const leaves = all.map(encodeLeaf);
  const before = appendLeaves({ size: edge.size, frontier: edge.frontier.map(decode) }, leaves.slice(0, -1));
  const { size, frontier } = appendLeaves(before, leaves.slice(-1));
  const logRoot = rootOf({ size, frontier });
  const stage: Stage = {
    turn,
    shard,
    from: edge.size,
    size,
    logRoot: encode(logRoot),
    frontier: frontier.map(encode),
    rootLeaf,
    logPath: rootPathOfLast(before).map(encode),
    body: formatCheckpoint({ origin: origin, size, root: logRoot }),
    leaves,
    records: change.records,
  };
  refuseTooLarge({ stage, blocks }, limits);
  return { stage, blocks };
}

/** Which keys these leaves change, and how. */
const changesOf = (leaves: readonly Uint8Array[]): readonly MapChange[] =>
  leaves.map(decodeLeaf).flatMap((leaf): MapChange[] => {
    if (leaf.kind === "set") return [{ key: leaf.headKey, commit: leaf.commit }];
    return leaf.kind === "delete" ? [{ key: leaf.headKey, commit: null }] : [];
  });

/** Puts leaves into a shard's log and map. @param blocks Of the map, where they are known already. */
export async function putLeaves(
  transaction: Transaction,
  shard: Shard,
  from: number,
  leaves: readonly Uint8Array[],
  blocks: readonly RecordWrite[] | null,
): Promise<void> {
  const put = (item: string, value: Uint8Array | null): void =>
    applyRecords(transaction, [{ group: mapGroup(shard), item, value }]);
  if (blocks) applyRecords(transaction, blocks);
  else await updateMap(blocksOf(transaction, shard), put, changesOf(leaves));
  applyRecords(transaction, await recordsOfLeaves(transaction, shard, from, leaves));
}

/** The edge after leaves without a checkpoint. */
export function growEdge(edge: Edge, leaves: readonly Uint8Array[]): Edge {
  const { size, frontier } = appendLeaves({ size: edge.size, frontier: edge.frontier.map(decode) }, leaves);
  return { ...edge, size, frontier: frontier.map(encode) };
}
