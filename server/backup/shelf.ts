/** The folder of backups: what lies there, what was proved, and what may go. */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeFolder, syncFolder, writeDurably } from "../store/durable.ts";
import type { PodId } from "../store/store.ts";

/** How many of the newest days, weeks and months keep their last backup. */
export interface Keep {
  readonly days: number;
  readonly weeks: number;
  readonly months: number;
}

export interface Proof {
  /** SHA-256 of the backup's manifest. */
  readonly manifest: string;
  /** ISO 8601. */
  readonly time: string;
  readonly seconds: number;
  readonly rows: number;
  readonly blobs: number;
  readonly documents: number;
}

export interface Shelved {
  readonly file: string;
  /** `all`, `keys`, or `pod-` and a pod's name. */
  readonly what: string;
  /** Milliseconds since 1970, from its name. */
  readonly time: number;
  readonly bytes: number;
  readonly proof: Proof | null;
}

const NAME =
  /^freehold-(all|keys|pod-[a-z0-9-]+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-(\d+))?\.backup$/;
const DAY_MS = 24 * 3_600_000;
/** An erased pod's key must not outlive this in any copy. */
export const KEYS_MS_MAX = 30 * DAY_MS;

/** `freehold-all-20261122T041500Z.backup` */
export function nameOf(what: string, time: Date): string {
  return `freehold-${what}-${time.toISOString().replace(/[-:]|\.\d+/g, "")}.backup`;
}

/** Keys lie in a folder of their own, to be kept elsewhere and shorter. */
export const keysFolderOf = (folder: string): string => join(folder, "keys");

const proofFileOf = (file: string): string => `${file}.proved`;

async function readProof(file: string): Promise<Proof | null> {
  try {
    return JSON.parse(await readFile(proofFileOf(file), "utf8")) as Proof;
  } catch {
    return null;
  }
}

/** Whole backups only (their names say so), oldest first. A folder that is not there has none. */
export async function listShelf(folder: string): Promise<readonly Shelved[]> {
  const shelved: Shelved[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const [, what, ...parts] = NAME.exec(name) ?? [];
    if (what === undefined) continue;
    const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, place = 0] = parts.map((part) =>
      Number(part ?? 0),
    );
    const file = join(folder, name);
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) continue;
    const time = Date.UTC(year, month - 1, day, hour, minute, second, place);
    shelved.push({ file, what, time, bytes: found.size, proof: await readProof(file) });
  }
  return shelved.sort((a, b) => a.time - b.time || (a.file < b.file ? -1 : 1));
}

export async function markProved(file: string, proof: Proof): Promise<void> {
  await writeDurably(proofFileOf(file), Buffer.from(`${JSON.stringify(proof, null, 1)}\n`));
}

/** Monday of the week, as a day number. 1970-01-01 was a Thursday. */
const weekOf = (time: number): number => Math.floor((Math.floor(time / DAY_MS) + 3) / 7);
const monthOf = (time: number): number => new Date(time).getUTCFullYear() * 12 + new Date(time).getUTCMonth();

/**
 * What retention lets go: pure. Nothing goes that is not older than a proved one, for only that one is known to be good.
 * @param shelved Of one kind (`what`).
 */
export function expired<T extends Pick<Shelved, "time" | "proof">>(
  shelved: readonly T[],
  keep: Keep,
): readonly T[] {
  const newest = [...shelved].sort((a, b) => b.time - a.time);
  const proved = newest.find(({ proof }) => proof !== null);
  if (!proved) return [];
  const kept = new Set<T>();
  for (const [periodOf, most] of [
    [(time: number) => Math.floor(time / DAY_MS), keep.days],
    [weekOf, keep.weeks],
    [monthOf, keep.months],
  ] as const) {
    const periods = new Set<number>();
    for (const backup of newest) {
      const period = periodOf(backup.time);
      if (periods.has(period) || periods.size >= most) continue;
      periods.add(period);
      kept.add(backup);
    }
  }
  return newest.filter((backup) => backup.time < proved.time && !kept.has(backup));
}

/** Keys of more than 30 days ago, but never the last ones there are. */
export function expiredKeys<T extends Pick<Shelved, "time">>(
  shelved: readonly T[],
  now: number,
): readonly T[] {
  const newest = Math.max(...shelved.map(({ time }) => time));
  return shelved.filter(({ time }) => time < newest && now - time > KEYS_MS_MAX);
}

export async function discard(backups: readonly Pick<Shelved, "file">[]): Promise<void> {
  for (const { file } of backups) {
    await rm(file, { force: true });
    await rm(proofFileOf(file), { force: true });
  }
}

const ERASED_FILE = "freehold-erased.json";

/** Pods that backups in this folder may still hold, and that must not come back. Ids are random and name nobody. */
export async function readErased(folder: string): Promise<readonly PodId[]> {
  try {
    return JSON.parse(await readFile(join(folder, ERASED_FILE), "utf8")) as PodId[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Adds to the list; nothing is ever taken from it. */
export async function noteErased(folder: string, pods: readonly PodId[]): Promise<readonly PodId[]> {
  const known = await readErased(folder);
  const all = [...new Set([...known, ...pods])].sort();
  if (all.length > known.length) {
    await makeFolder(folder);
    await writeDurably(join(folder, ERASED_FILE), Buffer.from(`${JSON.stringify(all)}\n`));
    await syncFolder(folder);
  }
  return all;
}

/** A name that is free: two backups of one second must not replace each other. */
export async function freeName(folder: string, what: string, time: Date): Promise<string> {
  const taken = new Set((await readdir(folder).catch(() => [])).map((name) => basename(name)));
  const name = nameOf(what, time);
  for (let count = 0; ; count += 1) {
    const candidate = count === 0 ? name : name.replace(".backup", `-${count}.backup`);
    if (!taken.has(candidate)) return join(folder, candidate);
  }
}
