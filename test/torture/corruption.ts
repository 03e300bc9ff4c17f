/** Flips single bits of a data folder at rest, opens it, and compares every answer with what was acknowledged. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Problem } from "../../server/errors.ts";
import { StoreRefused } from "../../server/store/refused.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { openStoreIn } from "../support/store.ts";
import { createDice, type Dice } from "./model.ts";

/** What became of one flipped bit, by the worst that it did to any answer. */
export type Outcome =
  | "harmless"
  | "refused" // The store does not open, and says why.
  | "unavailable" // Some answers are refused; all others are right.
  | "missing" // Something acknowledged is not there, and nobody says so.
  | "wrong"; // Something that nobody wrote.

export interface Tally {
  /** By file, then by outcome. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<Outcome, number>>;
  readonly faults: readonly string[];
  /** Answers that were asked for after each flip. */
  readonly answers: number;
}

const RECORDS = 120;
const FOLDERS = 6;
const BLOBS = 3;
const BLOB_BYTES = 200_000;

interface Original {
  readonly pod: PodId;
  readonly values: ReadonlyMap<string, string>;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** @param source Made, and copied to `copy` while it is open: as a crash leaves it, with a write-ahead log. */
async function make(source: string, copy: string, dice: Dice): Promise<Original> {
  const store = await openStoreIn(source);
  const pod = await store.createPod();
  const values = new Map<string, string>();
  const blobs = new Map<string, Buffer>();
  for (let n = 0; n < RECORDS; n++) {
    const [group, item] = [`/folder ${n % FOLDERS}/`, `item ${n}`];
    const value = `value ${n} `.repeat(1 + dice(60));
    values.set(`${group}|${item}`, value);
    await store.write(pod, async (transaction) =>
      transaction.put("resource", group, item, Buffer.from(value)),
    );
  }
  for (let n = 0; n < BLOBS; n++) {
    const content = Buffer.alloc(BLOB_BYTES, `blob ${n} `);
    const { hash } = await store.blobs.write(pod, once(content), BLOB_BYTES);
    await store.write(pod, async (transaction) => transaction.put("blob", hash, `/${n}`, new Uint8Array()));
    blobs.set(hash, content);
  }
  await cp(source, copy, { recursive: true });
  await store.close();
  return { pod, values, blobs };
}

const WORST: readonly Outcome[] = ["harmless", "unavailable", "missing", "wrong"];
const worse = (a: Outcome, b: Outcome): Outcome => (WORST.indexOf(a) > WORST.indexOf(b) ? a : b);

async function ask(faults: string[], what: string, answer: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof Problem && (error.code === "unavailable" || error.code === "not-found"))
      return error.code === "unavailable" ? "unavailable" : "missing";
    faults.push(`${what}: ${String(error)}`);
    return "wrong";
  }
}

async function lookAtAll(store: Store, { pod, values, blobs }: Original, faults: string[]): Promise<Outcome> {
  let worst: Outcome = "harmless";
  for (const [place, value] of values) {
    const [group = "", item = ""] = place.split("|");
    const outcome = await ask(faults, place, async () => {
      const entry = await store.read(pod, (snapshot) => snapshot.get("resource", group, item));
      if (!entry) return "missing";
      return Buffer.from(entry.value).toString() === value ? "harmless" : "wrong";
    });
    worst = worse(worst, outcome);
  }
  for (let n = 0; n < FOLDERS; n++) {
    const group = `/folder ${n}/`;
    const outcome = await ask(faults, group, async () => {
      const members = await store.read(pod, (snapshot) => Array.fromAsync(snapshot.list("resource", group)));
      const isRight = members.every(
        ({ item, value }) => values.get(`${group}|${item}`) === Buffer.from(value).toString(),
      );
      if (!isRight || new Set(members.map(({ item }) => item)).size < members.length) return "wrong";
      return members.length === RECORDS / FOLDERS ? "harmless" : "missing";
    });
    worst = worse(worst, outcome);
  }
  for (const [hash, content] of blobs) {
    const outcome = await ask(faults, "blob", async () => {
      const found = Buffer.concat(await store.blobs.read(pod, hash).toArray());
      return found.equals(content) ? "harmless" : "wrong";
    });
    worst = worse(worst, outcome);
  }
  return worst;
}

/** @param flips Bits flipped one at a time, each in a fresh copy of the folder; every file has its share. */
export async function corrupt({
  flips,
  seed,
}: {
  readonly flips: number;
  readonly seed: number;
}): Promise<Tally> {
  const dice = createDice(seed);
  const home = await mkdtemp(join(tmpdir(), "freehold-corruption-"));
  const outcomes = new Map<string, Map<Outcome, number>>();
  const faults: string[] = [];
  try {
    const crashed = join(home, "crashed");
    const closed = join(home, "closed");
    const original = await make(closed, crashed, dice);
    for (let n = 0; n < flips; n++) {
      const source = n % 2 === 0 ? closed : crashed;
      const folder = join(home, "flipped");
      await cp(source, folder, { recursive: true });
      const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile() && !/lock\.db|reserve|-shm/.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name));
      const file = files[dice(files.length)] ?? "";
      const bytes = await readFile(file);
      if (bytes.length > 0) {
        const bit = dice(bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await writeFile(file, bytes);
        const name = relative(folder, file).replace(/^blobs.*/, "blob");
        const where =
          name === "blob" || name === "keyring" || name === "root.key"
            ? name
            : `${name} ${n % 2 === 0 ? "closed" : "crashed"}`;
        const told: string[] = [];
        let outcome: Outcome;
        try {
          const store = await openStoreIn(folder);
          try {
            outcome = await lookAtAll(store, original, told);
          } finally {
            await store.close();
          }
        } catch (error) {
          outcome = "refused";
          if (!(error instanceof StoreRefused)) told.push(`opening: ${String(error)}`);
        }
        for (const fault of told) faults.push(`bit ${bit} of ${where}: ${fault}`);
        if (outcome === "wrong") faults.push(`bit ${bit} of ${where}, seed ${seed}: a wrong answer`);
        const counts = outcomes.get(where) ?? new Map<Outcome, number>();
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        outcomes.set(where, counts);
      }
      await rm(folder, { recursive: true });
    }
    return { outcomes, faults, answers: original.values.size + FOLDERS + BLOBS };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
