/** What a server knows of a pod without asking, and what may be committed on top of it. Decides, and sends nothing. */
import { placeOf } from "../pending.ts";
import { nextHead } from "../sealed/chain.ts";
import type { JournalHead, Usage } from "../store.ts";
import { LOST } from "../turns.ts";
import { isOver } from "../uses.ts";
import type { Row } from "./database.ts";
import type { Proposal } from "./transaction.ts";

/** The pod's own row. */
export interface PodState {
  readonly generation: number;
  /** Commits of any kind. */
  readonly turn: number;
  readonly keyVersion: number;
  readonly usage: Usage;
  readonly head: JournalHead;
}

export function podStateOf(row: Row): PodState {
  const [generation, turn, keyVersion, bytes, resources, number] = row as readonly number[];
  return {
    generation: generation ?? 0,
    turn: turn ?? 0,
    keyVersion: keyVersion ?? 0,
    usage: { bytes: bytes ?? 0, resources: resources ?? 0 },
    head: { number: number ?? 0, hash: Buffer.from(row[6] as Buffer) },
  };
}

export interface Waiting {
  readonly proposal: Proposal;
  readonly resolve: (answer: number | typeof LOST) => void;
  readonly reject: (error: unknown) => void;
  /** Then it is over for this proposal, even if others of its group are tried again. */
  isAnswered: boolean;
}
export interface Accepted {
  readonly waiting: Waiting;
  readonly generation: number;
}

/** What this server knows of a pod's last commits: enough to check what was read without asking. */
export interface PodCommits {
  state: PodState | null;
  /** All commits after this generation are in the maps. */
  floor: number;
  readonly changed: Map<string, number>;
  readonly waiting: Waiting[];
  isRunning: boolean;
  /** The group that is on its way. */
  flight: Promise<void> | null;
  used: number;
}

export const tableOf = (table: number): string => String.fromCharCode(table);

export function know(known: PodCommits, state: PodState | null): void {
  known.state = state;
  known.floor = state?.generation ?? 0;
  known.changed.clear();
}

/** By what this server wrote itself. Null: it does not know. */
export function isUnchanged(known: PodCommits, proposal: Proposal): boolean | null {
  const { generation, keyVersion, records, ranges } = proposal;
  if (!known.state || keyVersion > known.state.keyVersion || generation < known.floor) return null;
  const since = (name: string): number => known.changed.get(name) ?? 0;
  for (const { table, groupKey, itemKey } of records)
    if (since(placeOf(table, groupKey, itemKey)) > generation) return false;
  for (const { table, groupKey } of ranges)
    if (since(groupKey === null ? tableOf(table) : tableOf(table) + groupKey) > generation) return false;
  return true;
}

/** What was committed at `generation`, to be compared with what others have read before. */
export function remember(known: PodCommits, { writes }: Proposal, generation: number): void {
  for (const { table, groupKey, itemKey } of writes) {
    known.changed.set(placeOf(table, groupKey, itemKey), generation);
    known.changed.set(tableOf(table) + groupKey, generation);
    known.changed.set(tableOf(table), generation);
  }
}

/** Those of the group that may be committed, one after the other on `state`; the others are answered. */
export function decide(
  group: readonly Waiting[],
  state: PodState,
  isUnchangedBefore: (proposal: Proposal) => boolean,
): {
  readonly accepted: readonly Accepted[];
  readonly after: PodState;
  readonly overQuota: readonly Waiting[];
} {
  const touched = new Set<string>();
  const accepted: Accepted[] = [];
  const overQuota: Waiting[] = [];
  let { generation, usage, head } = state;
  for (const waiting of group) {
    if (waiting.isAnswered) continue;
    const { proposal } = waiting;
    const { records, ranges, writes, use } = proposal;
    const isLost =
      proposal.keyVersion !== state.keyVersion ||
      records.some(({ table, groupKey, itemKey }) => touched.has(placeOf(table, groupKey, itemKey))) ||
      ranges.some(({ table, groupKey }) =>
        touched.has(groupKey === null ? tableOf(table) : tableOf(table) + groupKey),
      ) ||
      (proposal.generation !== state.generation && !isUnchangedBefore(proposal));
    if (isLost) {
      waiting.resolve(LOST);
      continue;
    }
    if (
      use &&
      (isOver(usage.bytes, use.change.bytes, use.most.bytes) ||
        isOver(usage.resources, use.change.resources, use.most.resources))
    ) {
      overQuota.push(waiting);
      continue;
    }
    if (use)
      usage = {
        bytes: usage.bytes + use.change.bytes,
        resources: usage.resources + use.change.resources,
      };
    if (writes.length > 0) generation++;
    for (const { table, groupKey, itemKey } of writes)
      touched
        .add(placeOf(table, groupKey, itemKey))
        .add(tableOf(table) + groupKey)
        .add(tableOf(table));
    const chainKey = proposal.entries.length > 0 ? proposal.keys.journal : null;
    if (chainKey)
      for (const { leaf } of proposal.entries) head = nextHead(chainKey, head, Buffer.from(leaf, "latin1"));
    accepted.push({ waiting, generation });
  }
  return { accepted, overQuota, after: { ...state, turn: state.turn + 1, generation, usage, head } };
}
