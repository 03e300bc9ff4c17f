/**
 * Flips single bits of a data folder at rest, opens it, and compares every answer with what was acknowledged.
 *
 * Three classes: harmless (every answer right), detected (the store does not open and says why, or some answers are
 * refused and all others right), wrong (anything else: another value or version, an absence that is none, a file cut short).
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Problem } from "../../server/errors.ts";
import { StoreRefused } from "../../server/store/refused.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn } from "../support/store.ts";
import { createDice, type Dice } from "./model.ts";
import { goesOn, type Order, type Outcome } from "./suite.ts";

/** What became of one flipped bit, by the worst that it did to any answer. */
export type Effect =
  | "harmless"
  | "refused" // The store does not open, and says why.
  | "unavailable" // Some answers are refused; all others are right.
  | "missing" // Something acknowledged is not there, and nobody says so.
  | "wrong"; // Something that nobody wrote.

export interface CorruptionOutcome extends Outcome {
  /** By file, then by effect. */
  readonly effects: ReadonlyMap<string, ReadonlyMap<Effect, number>>;
}

const RECORDS = 120;
const FOLDERS = 6;
const DELETED_ONE_IN = 10;
const BLOBS = 3;
const BLOB_BYTES = 200_000;
const FLIPS_PER_FOLDER = 300; // Then a new one is made: other values, another tree.

interface Kept {
  readonly value: string;
  readonly version: number;
}

interface Original {
  readonly pod: PodId;
  readonly values: ReadonlyMap<string, Kept>;
  /** Places where there is nothing any more. */
  readonly gone: ReadonlySet<string>;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** @param source Made, and copied to `copy` while it is open: as a crash leaves it, with a write-ahead log. */
async function make(source: string, copy: string, dice: Dice): Promise<Original> {
  const store = await openStoreIn(source);
  const pod = await store.createPod();
  const values = new Map<string, Kept>();
  const gone = new Set<string>();
  const blobs = new Map<string, Buffer>();
  for (let n = 0; n < RECORDS; n++) {
    const [group, item] = [`/folder ${n % FOLDERS}/`, `item ${n}`];
    const value = `value ${n} `.repeat(1 + dice(60));
    const { generation } = await store.write(pod, async (transaction) =>
      transaction.put("resource", group, item, Buffer.from(value)),
    );
    values.set(`${group}|${item}`, { value, version: generation });
    if (n % DELETED_ONE_IN > 0) continue;
    await store.write(pod, async (transaction) => transaction.delete("resource", group, item));
    values.delete(`${group}|${item}`);
    gone.add(`${group}|${item}`);
  }
  for (let n = 0; n < BLOBS; n++) {
    const content = Buffer.alloc(BLOB_BYTES, `blob ${n} `);
    const { hash } = await store.blobs.write(pod, once(content), BLOB_BYTES);
    await store.write(pod, async (transaction) => transaction.put("blob", hash, `/${n}`, new Uint8Array()));
    blobs.set(hash, content);
  }
  await cp(source, copy, { recursive: true });
  await store.close();
  return { pod, values, gone, blobs };
}

const WORST: readonly Effect[] = ["harmless", "unavailable", "missing", "wrong"];
const worse = (a: Effect, b: Effect): Effect => (WORST.indexOf(a) > WORST.indexOf(b) ? a : b);

async function ask(faults: string[], what: string, answer: () => Promise<Effect>): Promise<Effect> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof Problem && (error.code === "unavailable" || error.code === "not-found"))
      return error.code === "unavailable" ? "unavailable" : "missing";
    faults.push(`${what}: ${String(error)}`);
    return "wrong";
  }
}

const splitPlace = (place: string): readonly [string, string] => {
  const [group = "", item = ""] = place.split("|");
  return [group, item];
};

async function lookAtAll(
  store: Store,
  { pod, values, gone, blobs }: Original,
  faults: string[],
): Promise<Effect> {
  let worst: Effect = "harmless";
  for (const [place, { value, version }] of values) {
    const effect = await ask(faults, place, async () => {
      const entry = await store.read(pod, (snapshot) => snapshot.get("resource", ...splitPlace(place)));
      if (!entry) return "missing";
      return Buffer.from(entry.value).toString() === value && entry.version === version
        ? "harmless"
        : "wrong";
    });
    worst = worse(worst, effect);
  }
  for (const place of gone) {
    const effect = await ask(faults, place, async () => {
      const entry = await store.read(pod, (snapshot) => snapshot.get("resource", ...splitPlace(place)));
      return entry ? "wrong" : "harmless";
    });
    worst = worse(worst, effect);
  }
  for (let n = 0; n < FOLDERS; n++) {
    const group = `/folder ${n}/`;
    const effect = await ask(faults, group, async () => {
      const members = await store.read(pod, (snapshot) => Array.fromAsync(snapshot.list("resource", group)));
      const isRight = members.every(
        ({ item, value, version }) =>
          values.get(`${group}|${item}`)?.value === Buffer.from(value).toString() &&
          values.get(`${group}|${item}`)?.version === version,
      );
      if (!isRight || new Set(members.map(({ item }) => item)).size < members.length) return "wrong";
      const all = [...values.keys()].filter((place) => place.startsWith(`${group}|`));
      return members.length === all.length ? "harmless" : "missing";
    });
    worst = worse(worst, effect);
  }
  for (const [hash, content] of blobs) {
    const effect = await ask(faults, "blob", async () => {
      const found = Buffer.concat(await store.blobs.read(pod, hash).toArray());
      return found.equals(content) ? "harmless" : "wrong";
    });
    worst = worse(worst, effect);
  }
  return worst;
}

/** The database and its log have the most to lose, so most flips are theirs. */
const WEIGHTS: readonly (readonly [RegExp, number])[] = [
  [/freehold\.db$/, 6],
  [/freehold\.db-wal$/, 6],
  [/keyring|root\.key/, 1],
  [/blobs/, 1],
  [/mark/, 1],
];

/** @returns one bit of the folder, flipped, and where it is. */
async function flipOne(
  folder: string,
  dice: Dice,
): Promise<{ readonly where: string; readonly bit: number }> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !/lock\.db|reserve|-shm/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .flatMap((file) => {
      const weight = WEIGHTS.find(([pattern]) => pattern.test(relative(folder, file)))?.[1] ?? 1;
      return Array.from({ length: weight }, () => file);
    });
  for (;;) {
    const file = files[dice(files.length)] ?? "";
    const bytes = await readFile(file);
    if (bytes.length === 0) continue;
    const bit = dice(bytes.length * 8);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await writeFile(file, bytes);
    return { where: relative(folder, file).replace(/^blobs.*/, "blob"), bit };
  }
}

async function lookInto(folder: string, original: Original, told: string[]): Promise<Effect> {
  let store: Store;
  try {
    store = await openStoreIn(folder);
  } catch (error) {
    if (!(error instanceof StoreRefused)) told.push(`opening: ${String(error)}`);
    return "refused";
  }
  try {
    return await lookAtAll(store, original, told);
  } finally {
    await store.close().catch((error: unknown) => told.push(`closing: ${String(error)}`));
  }
}

/** Each trial is one bit, flipped in a fresh copy of a folder that was closed in order, or left by a crash. */
export async function flipBits(order: Order): Promise<CorruptionOutcome> {
  const dice = createDice(order.seed);
  const home = await mkdtemp(join(tmpdir(), "freehold-corruption-"));
  const effects = new Map<string, Map<Effect, number>>();
  const faults: string[] = [];
  const classes = { harmless: 0, detected: 0, wrong: 0 };
  let flips = 0;
  try {
    const [crashed, closed, folder] = [join(home, "crashed"), join(home, "closed"), join(home, "flipped")];
    let original: Original | null = null;
    for (; goesOn(order, flips); flips++) {
      if (!original || flips % FLIPS_PER_FOLDER === 0) {
        for (const old of [crashed, closed]) await rm(old, { recursive: true, force: true });
        original = await make(closed, crashed, dice);
      }
      const isClosed = flips % 2 === 0;
      await cp(isClosed ? closed : crashed, folder, { recursive: true });
      const { where, bit } = await flipOne(folder, dice);
      const told: string[] = [];
      const effect = await lookInto(folder, original, told);
      if (effect === "wrong" || effect === "missing") told.push(`the answer is ${effect}`);
      const name = where.startsWith("freehold.db") ? `${where} ${isClosed ? "closed" : "crashed"}` : where;
      for (const fault of told) faults.push(`bit ${bit} (byte ${bit >> 3}) of ${name}: ${fault}`);
      const counts = effects.get(name) ?? new Map<Effect, number>();
      counts.set(effect, (counts.get(effect) ?? 0) + 1);
      effects.set(name, counts);
      if (told.length > 0) classes.wrong += 1;
      else classes[effect === "harmless" ? "harmless" : "detected"] += 1;
      await rm(folder, { recursive: true });
      order.progress?.(flips + 1);
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  return { skipped: null, trials: flips, faults, figures: classes, effects };
}
