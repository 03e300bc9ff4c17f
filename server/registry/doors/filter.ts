/**
 * `GET /v1/filter/{day}`: for phones, which passports changed on a day that is over, without asking after any of them.
 * The log has no times in it, so the first publication of each day is noted beside it.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeFilter } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { Door } from "../../operation.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";
import type { Published, Zone } from "../port.ts";
import { cached, IMMUTABLE } from "./door.ts";
import { makeFilter } from "./fuse.ts";

const DAY = /^[2-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Of a day, how long the log was before its first publication. */
type Days = readonly (readonly [day: string, size: number])[];

async function readDays(file: string): Promise<Days> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return [...text.matchAll(/^(\S+) (\d+)$/gm)].map(([, day = "", size = ""]) => [day, Number(size)] as const);
}

/**
 * What is noted once more for a publication; null when its day is known. A day whose note was lost begins where the one
 * before it did: its filter then holds more than it need, and never less.
 */
function noteDay(days: Days, published: Pick<Published, "at" | "size">, before: number | null): Days | null {
  const day = dayOf(published.at);
  const [last, start] = days.at(-1) ?? ["", 0];
  if (day <= last) return null;
  return [...days, [day, before ?? start]];
}

/** Leaves of a day: null for one that is not noted. */
function leavesOf(
  days: Days,
  day: string,
  size: number,
): { readonly from: number; readonly to: number } | null {
  const [first] = days;
  if (!first || day < first[0]) return null;
  const start = days.find(([noted]) => noted >= day);
  const next = days.find(([noted]) => noted > day);
  return { from: start?.[1] ?? size, to: next?.[1] ?? size };
}

export interface FilterDeps {
  readonly zones: readonly Zone[];
  readonly folderOf: (zone: string, year: string) => string;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
}

export interface Filters {
  readonly door: Door;
  close(): Promise<void>;
}

const yearOf = (shard: string): string => shard.split("/")[1] ?? "";

async function readKept(file: string): Promise<Uint8Array | null> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

/** Of one zone: notes days, and makes each day's filter once. */
function createZoneFilters(zone: Zone, { folderOf, limits, log, now }: FilterDeps) {
  /** One after the other: each takes time and room, and strangers may ask for all days of a year at once. */
  let making: Promise<unknown> = Promise.resolve();
  let before: Published | null = null;
  let turn: Promise<void> = Promise.resolve();

  async function note(published: Published, size: number | null): Promise<void> {
    const folder = folderOf(zone.name, yearOf(published.shard));
    const file = join(folder, "days");
    const days = noteDay(await readDays(file), published, size);
    if (!days) return;
    await makeFolder(folder);
    await writeDurably(file, Buffer.from(days.map(([day, start]) => `${day} ${start}\n`).join("")));
  }

  function noticed(published: Published): void {
    const isNext = before?.shard === published.shard;
    if (isNext && before && dayOf(before.at) === dayOf(published.at)) {
      before = published;
      return;
    }
    const size = isNext && before ? before.size : null;
    before = published;
    turn = turn
      .then(() => note(published, size))
      .catch((cause: unknown) => log.warn("registry.day-not-noted", { cause: String(cause) }));
  }

  async function make(day: string, file: string, folder: string): Promise<Uint8Array> {
    const published = zone.published();
    const days = await readDays(join(folderOf(zone.name, yearOf(published.shard)), "days"));
    const leaves = yearOf(published.shard) === day.slice(0, 4) ? leavesOf(days, day, published.size) : null;
    if (!leaves) throw new Problem("not-found", "Nothing is known here of that day");
    if (leaves.to - leaves.from > limits.filterLeavesMax)
      throw new Problem("not-found", "More changed than a filter is made of: read the log's tiles");
    const keys = new Map<string, Uint8Array>();
    for await (const leaf of zone.leaves(leaves.from, leaves.to))
      if (leaf.kind === "set" || leaf.kind === "delete")
        keys.set(Buffer.from(leaf.headKey).toString("latin1"), leaf.headKey);
    const bytes = encodeFilter(await makeFilter([...keys.values()], leaves.from, leaves.to));
    await makeFolder(folder);
    await writeDurably(file, bytes);
    return bytes;
  }

  noticed(zone.published());
  const unlisten = zone.onPublished(noticed);
  return {
    async close() {
      unlisten();
      await turn;
      await making;
    },
    async of(day: string): Promise<Uint8Array> {
      if (day >= dayOf(now().getTime()))
        throw new Problem("not-found", "That day is not over yet, by the clock of UTC");
      await turn;
      const folder = join(folderOf(zone.name, day.slice(0, 4)), "filter");
      const file = join(folder, day);
      const kept = await readKept(file);
      if (kept) return kept;
      const made = making.then(async () => (await readKept(file)) ?? make(day, file, folder));
      making = made.catch(() => {});
      return made;
    },
  };
}

export function createFilters(deps: FilterDeps): Filters {
  const zones = deps.zones.map((zone) => [zone.name, createZoneFilters(zone, deps)] as const);
  return {
    async door(request) {
      const day = request.params["day"] ?? "";
      const isDay = DAY.test(day) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
      if (!isDay) throw new Problem("input-invalid", "A day is written as 2026-11-22");
      const name = request.url.searchParams.get("zone");
      const found = name === null ? zones[0] : zones.find(([zone]) => zone === name);
      if (!found) throw new Problem("not-found", "There is no such zone here");
      const bytes = await found[1].of(day);
      const etag = `"${found[0]}.${day}.${bytes.length}"`;
      return cached(request, etag, "application/octet-stream", bytes, { "cache-control": IMMUTABLE });
    },
    async close() {
      await Promise.all(zones.map(([, filters]) => filters.close()));
    },
  };
}
