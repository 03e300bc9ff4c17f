/**
 * An audit of whole registries from outside: every log that the root's record names is read from its first leaf, and held
 * against its signatures, its witnesses, its mirrors, what other zones saw of it, and what this auditor saw the last time.
 */
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  decodeBase64url,
  encodeBase64url,
  PassportError,
  ROOT_NAME,
  type RootRecord,
  type Shard,
} from "@freehold/client/registry";
import { writeDurably } from "../../store/durable.ts";
import { type LogPlace, presentLog, verifyTree } from "../mirror/source.ts";
import { fetchPins, type PinRecord, placeOf, treeOfPin } from "../pins/pins.ts";
import { type Fetch, getText } from "../root/wire.ts";
import { type Fault, type Replay, replay, type Waypoint } from "./replay.ts";

export interface AuditDeps {
  readonly fetch: Fetch;
  readonly record: RootRecord;
  readonly now: () => Date;
  /** Where the auditor remembers what it saw; null: nowhere. */
  readonly folder: string | null;
  readonly progress?: (zone: string, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface ZoneAudit {
  readonly zone: string;
  readonly shard: Shard | null;
  /** Null: the log could not be read. */
  readonly replay: Replay | null;
  /** Who had trees of this log that it was held against. */
  readonly heldAgainst: readonly string[];
  readonly witnesses: readonly string[];
  /** Milliseconds since 1970: as of when the quorum stands. */
  readonly asOf: number | null;
  readonly faults: readonly Fault[];
}

interface Remembered {
  readonly size: number;
  readonly root: string;
  readonly checkpoint: string;
}

const AGE_SECONDS_MAX = 86_400;

async function readOrNull<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** What all zones have pinned, with who did. Who does not answer has pinned nothing. */
async function allPins({
  fetch,
  record,
}: AuditDeps): Promise<readonly (readonly [by: string, pin: PinRecord])[]> {
  const found: (readonly [string, PinRecord])[] = [];
  for (const [name, { urls }] of Object.entries(record.zones)) {
    const pins = await fetchPins(fetch, urls[0] ?? "").catch(() => []);
    found.push(...pins.map((pin) => [name, pin] as const));
  }
  return found;
}

/** Trees of a log that others show: what was pinned, what mirrors serve, and what was seen before. */
async function waypointsOf(
  deps: AuditDeps,
  name: string,
  shard: Shard,
  place: LogPlace,
  pins: readonly (readonly [by: string, pin: PinRecord])[],
  before: Remembered | null,
): Promise<{ readonly waypoints: readonly Waypoint[]; readonly faults: readonly Fault[] }> {
  const { record, fetch } = deps;
  const at = deps.now().getTime();
  const waypoints: Waypoint[] = [];
  const faults: Fault[] = [];
  // After an emergency the same year has another log: the former one is no part of its history.
  const isOfThisLog = (checkpoint: string): boolean => checkpoint.startsWith(`${place.log.origin}/`);
  const root = before && isOfThisLog(before.checkpoint) ? decodeBase64url(before.root, 32) : null;
  if (before && root) waypoints.push({ size: before.size, root, by: "the last audit" });
  for (const [by, entry] of pins) {
    if (entry.pin.shard !== shard || !isOfThisLog(entry.pin.checkpoint)) continue;
    const tree = await treeOfPin(entry, record, at);
    if (tree) waypoints.push({ ...tree, by: `zone ${by}` });
    else
      faults.push({
        at: entry.pin.size,
        what: "It is said to be pinned, and is not signed",
        by: `zone ${by}`,
      });
  }
  const [, ...mirrors] = placeUrls(record, name);
  for (const url of mirrors) {
    try {
      const text = await getText(fetch, `${url}log/${shard}/checkpoint`);
      waypoints.push({ ...(await verifyTree(text, shard, place, at, 100 * AGE_SECONDS_MAX)), by: url });
    } catch (error) {
      if (error instanceof PassportError)
        faults.push({ at: 0, what: `A checkpoint that does not hold: ${error.message}`, by: url });
    }
  }
  return { waypoints, faults };
}

const placeUrls = (record: RootRecord, name: string): readonly string[] =>
  (name === ROOT_NAME ? record.root.urls : record.zones[name]?.urls) ?? [];

async function auditLog(
  deps: AuditDeps,
  name: string,
  place: LogPlace,
  pins: readonly (readonly [by: string, pin: PinRecord])[],
): Promise<ZoneAudit> {
  const { fetch, now, folder } = deps;
  const nothing = { zone: name, shard: null, replay: null, heldAgainst: [], witnesses: [], asOf: null };
  try {
    const { source, text, tree } = await presentLog(fetch, name, place, now().getTime(), AGE_SECONDS_MAX);
    const { shard } = source;
    const path = folder && join(folder, "audit", `${shard.replace("/", "-")}.json`);
    const before = path === null ? null : await readOrNull<Remembered>(path);
    const { waypoints, faults } = await waypointsOf(deps, name, shard, place, pins, before);
    // What others were shown may be a little longer than this checkpoint: then the log has grown meanwhile, and shows it.
    const most = Math.max(tree.size, ...waypoints.map(({ size }) => size));
    const newer = most === tree.size ? null : await source.checkpoint(now().getTime(), AGE_SECONDS_MAX);
    const end = newer && newer.tree.size > tree.size ? newer : { text, tree };
    const done = await replay({
      fetchTile: source.fetchTile,
      size: end.tree.size,
      waypoints: [...waypoints, { ...end.tree, by: "its own checkpoint" }],
      ...(deps.progress && { progress: (one, all) => deps.progress?.(name, one, all) }),
      ...(deps.signal && { signal: deps.signal }),
    });
    const all = [...faults, ...done.faults];
    if (path !== null && all.length === 0) {
      await mkdir(dirname(path), { recursive: true });
      const seen: Remembered = { size: done.size, root: encodeBase64url(done.root), checkpoint: end.text };
      await writeDurably(path, Buffer.from(`${JSON.stringify(seen)}\n`));
    }
    const { witnesses, at: asOf } = end.tree;
    return {
      zone: name,
      shard,
      replay: done,
      heldAgainst: waypoints.map(({ by }) => by),
      witnesses,
      asOf,
      faults: all,
    };
  } catch (error) {
    if (deps.signal?.aborted) throw error;
    return { ...nothing, faults: [{ at: 0, what: `The log cannot be read: ${(error as Error).message}` }] };
  }
}

/** @param only These zones, or `root`; all by default. One after the other, for each is read whole. */
export async function* audit(deps: AuditDeps, only: readonly string[] = []): AsyncGenerator<ZoneAudit> {
  const { record } = deps;
  const names = only.length > 0 ? only : [...Object.keys(record.zones).toSorted(), ROOT_NAME];
  const pins = await allPins(deps);
  for (const name of names) {
    const place = placeOf(record, name);
    if (place) yield await auditLog(deps, name, place, pins);
  }
}
