/**
 * Earlier versions of documents: a few sealed records for each, counted where the document itself is recorded. Where they
 * become too many they are thinned out, so that nobody who may write pushes out what was there before by writing often.
 */
import { Problem } from "../errors.ts";
import { nameOf, parentOf, parseTarget } from "../iri.ts";
import { randomHex } from "../random.ts";
import {
  decodeDocument,
  decodeRecord,
  encodeDocument,
  encodeRecord,
  type History,
  type Kept,
  type ResourceRecord,
  type StoredDocument,
} from "../store/record.ts";
import type { Snapshot } from "../store/store.ts";
import type { Edit } from "./edit.ts";

const DAY_MS = 24 * 3_600_000;
export const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** In table `version`: which documents have versions that ended on this day. No history's id looks like it. */
export const dueGroup = (day: number): string => `due ${day}`;

/** A version as it is stored. A large binary has no bytes here but a file. */
export interface Version extends StoredDocument {
  readonly kind: "rdf" | "binary";
  readonly size: number;
  readonly blob?: string;
}

/** What is about to be overwritten. */
export interface Former {
  readonly history: History | undefined;
  readonly version: Version;
}

const fileUse = (id: string, slot: number): string => `version ${id} ${slot}`;

export function historyBytes(history: History | undefined): number {
  return history?.kept.reduce((sum, [, , bytes]) => sum + bytes, 0) ?? 0;
}

/** Removes one version's content: its place is free then. */
function drop(edit: Edit, id: string, [, slot, bytes, , blob]: Kept): void {
  edit.transaction.delete("version", id, String(slot));
  if (blob !== undefined) edit.dropFile(blob, fileUse(id, slot));
  edit.count(-bytes, 0);
}

/** Removes what is left of a document's history. */
export function dropHistory(edit: Edit, history: History | undefined): void {
  for (const kept of history?.kept ?? []) drop(edit, history?.id ?? "", kept);
}

function freeSlot(kept: readonly Kept[]): number {
  const taken = new Set(kept.map(([, slot]) => slot));
  let slot = 0;
  while (taken.has(slot)) slot++;
  return slot;
}

/**
 * Which of several versions is missed least: the one that was what the document said for the shortest time, counted from
 * the version that is kept before it. The oldest is the last to go. Of those alike the oldest goes, so that what
 * changes regularly is kept at gaps that grow with age.
 * @param kept Not empty; oldest first.
 */
function leastMissed(kept: readonly Kept[]): number {
  let least = 0;
  let shortest = Number.POSITIVE_INFINITY;
  for (const [index, [, , , until]] of kept.entries()) {
    const since = kept[index - 1]?.[3] ?? Number.NEGATIVE_INFINITY;
    if (until - since < shortest) [least, shortest] = [index, until - since];
  }
  return least;
}

/**
 * Makes what a document said a version of it. Where there is no room for both, earlier versions of this document go;
 * where even that is not enough, it is not kept: history never makes a write fail.
 * @param growth Bytes by which the document itself becomes larger.
 * @returns the history to be recorded with the new content.
 */
export function keepVersion(edit: Edit, path: string, former: Former, growth: number): History | undefined {
  const { limits, now, transaction } = edit;
  const { version } = former;
  const history = former.history ?? { id: randomHex(12), count: 0, kept: [] };
  const kept = [...history.kept];
  const dropAt = (index: number): number => {
    const [gone] = kept.splice(index, 1);
    if (!gone) return 0;
    drop(edit, history.id, gone);
    return gone[2];
  };
  while (kept[0] && kept[0][3] + limits.versionMsKept <= now) dropAt(0);
  while (kept.length > Math.max(0, limits.versionsMax)) dropAt(leastMissed(kept));

  const room = edit.room() - growth;
  const held = kept.reduce((sum, [, , bytes]) => sum + bytes, 0);
  const isKept = edit.keepsHistory && limits.versionsMax > 0 && version.size <= room + held;
  let missing = isKept ? version.size - room : -room;
  while (missing > 0 && kept.length > 0) missing -= dropAt(leastMissed(kept));
  if (!isKept) return kept.length === 0 && history.count === 0 ? undefined : { ...history, kept };

  if (kept.length === limits.versionsMax) dropAt(leastMissed(kept));
  const slot = freeSlot(kept);
  transaction.put("version", history.id, String(slot), encodeDocument(version));
  if (version.blob !== undefined) edit.useFile(version.blob, fileUse(history.id, slot));
  edit.count(version.size, 0);
  const last = kept.at(-1);
  if (!last || dayOf(last[3]) !== dayOf(now))
    transaction.put("version", dueGroup(dayOf(now)), path, new Uint8Array());
  const number = history.count + 1;
  kept.push(
    version.blob === undefined
      ? [number, slot, version.size, now]
      : [number, slot, version.size, now, version.blob],
  );
  return { ...history, count: number, kept };
}

/** A history that comes back is swept like one that never went. */
export function markDue({ transaction }: Edit, path: string, history: History | undefined): void {
  for (const day of new Set(history?.kept.map(([, , , until]) => dayOf(until)) ?? []))
    transaction.put("version", dueGroup(day), path, new Uint8Array());
}

/** Nothing tells any more that there were versions of these. */
export function forgetDue({ transaction, limits, now }: Edit, paths: readonly string[]): void {
  for (let day = dayOf(now - limits.versionMsKept); day <= dayOf(now); day++)
    for (const path of paths) transaction.delete("version", dueGroup(day), path);
}

/** The history of a document, a description or an access list; null when nothing stands at the path. */
export async function findHistory(
  snapshot: Snapshot,
  path: string,
): Promise<{ readonly history: History | undefined } | null> {
  const { auxiliary, subject } = parseTarget(path);
  if (auxiliary) {
    const entry = await snapshot.get("auxiliary", subject, auxiliary);
    return entry && { history: decodeDocument(entry).history };
  }
  const entry = await snapshot.get("resource", parentOf(path) ?? "", nameOf(path));
  return entry && { history: decodeRecord<ResourceRecord>(entry).history };
}

/** @throws Problem `not-found` when there is no such version (any more). */
export async function readVersion(
  snapshot: Snapshot,
  history: History | undefined,
  number: number,
): Promise<Version> {
  const kept = history?.kept.find(([one]) => one === number);
  const entry = kept && (await snapshot.get("version", history?.id ?? "", String(kept[1])));
  if (!entry) throw new Problem("not-found", "This version is not kept any more");
  return decodeDocument(entry) as Version;
}

/**
 * Drops the versions that ended at `until` or before, and records what is left. The document stays as it is, its ETag too.
 * @returns how many were dropped.
 */
export async function shortenHistory(edit: Edit, path: string, until: number): Promise<number> {
  const { transaction } = edit;
  const { auxiliary, subject } = parseTarget(path);
  const [table, group, item] = auxiliary
    ? (["auxiliary", subject, auxiliary] as const)
    : (["resource", parentOf(path) ?? "", nameOf(path)] as const);
  const entry = await transaction.get(table, group, item);
  if (!entry) return 0;
  const holder = auxiliary ? decodeDocument(entry) : decodeRecord<ResourceRecord>(entry);
  const { history } = holder;
  const gone = history?.kept.filter(([, , , ended]) => ended <= until) ?? [];
  if (!history || gone.length === 0) return 0;
  for (const kept of gone) drop(edit, history.id, kept);
  const shorter = {
    ...holder,
    history: { ...history, kept: history.kept.filter((kept) => !gone.includes(kept)) },
    // Unless this very edit has written it: then its version is the one of the commit.
    ...(entry.version > 0 && { version: holder.version ?? entry.version }),
  };
  transaction.put(
    table,
    group,
    item,
    "bytes" in shorter && shorter.bytes instanceof Uint8Array
      ? encodeDocument({ ...shorter, bytes: shorter.bytes })
      : encodeRecord(shorter),
  );
  return gone.length;
}
