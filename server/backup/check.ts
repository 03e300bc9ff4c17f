/** Looks at every record, file and journal of a store that was made from a backup, and chooses what is asked for over HTTP. */
import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../errors.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import { type PodId, type Store, TABLES, type Table } from "../store/store.ts";
import type { Told } from "./make.ts";
import type { Manifest, PodInBackup } from "./manifest.ts";

const SAMPLES = 100;
const FAULTS_SAID = 20;
const TURN_MS = 5;

/** A document as it is stored, to be compared with what a server gives out. */
export interface Sample {
  readonly pod: PodInBackup;
  readonly path: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Findings {
  readonly records: number;
  readonly blobs: number;
  readonly entries: number;
  readonly bytes: number;
  readonly samples: readonly Sample[];
  /** What is wrong, in words; empty when nothing is. */
  readonly faults: readonly string[];
}

/** Some of many, each as likely as any other. */
function createReservoir<T>(size: number, random: () => number) {
  const kept: T[] = [];
  let seen = 0;
  return {
    kept,
    offer(item: T): void {
      seen += 1;
      if (kept.length < size) kept.push(item);
      else {
        const place = Math.floor(random() * seen);
        if (place < size) kept[place] = item;
      }
    },
  };
}

/** Others have their turn every 5 ms. */
export function createTurns(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN_MS) return;
    await nextTurn();
    since = performance.now();
  };
}

async function digestOf(
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of content) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * Opens everything once.
 * @param left Pods that the keyring has no key for.
 * @param random Below 1: chooses the samples.
 */
export async function checkStore(
  store: Store,
  manifest: Manifest,
  left: ReadonlySet<PodId>,
  random: () => number,
  tell: Told,
): Promise<Findings> {
  const turn = createTurns();
  const faults: string[] = [];
  const fault = (pod: PodInBackup, what: string): void => {
    if (faults.length < FAULTS_SAID) faults.push(`${pod.name ?? pod.id}: ${what}`);
  };
  const chosen = createReservoir<{ pod: PodInBackup; path: string; record: ResourceRecord }>(SAMPLES, random);
  const total = manifest.total.rows + manifest.total.blobs;
  const sum = { records: 0, blobs: 0, entries: 0, bytes: 0 };
  let done = 0;
  const step = async (count = 1): Promise<void> => {
    done += count;
    if (done % 256 < count) tell("Checking", done, total, "items");
    await turn();
  };

  /** @returns hashes of the pod's files. */
  const readRecords = (pod: PodInBackup): Promise<ReadonlySet<string>> =>
    store.read(pod.id, async (snapshot) => {
      const files = new Set<string>();
      let records = 0;
      for (const table of Object.keys(TABLES) as Table[])
        for await (const entry of snapshot.all(table)) {
          records += 1;
          sum.bytes += entry.value.length;
          if (table === "blob") files.add(entry.group);
          if (table === "resource") {
            const record = decodeRecord<ResourceRecord>(entry);
            if (record.kind !== "container")
              chosen.offer({ pod, path: `${entry.group}${entry.item}`, record });
          }
          await step();
        }
      if (records !== pod.records) fault(pod, `${records} records open, and ${pod.records} were saved`);
      sum.records += records;
      return files;
    });

  async function checkPod(pod: PodInBackup): Promise<void> {
    const files = await readRecords(pod);
    for (const hash of files) {
      try {
        sum.bytes += (await digestOf(store.blobs.read(pod.id, hash))).bytes;
        sum.blobs += 1;
      } catch (error) {
        fault(pod, `a file does not open (${(error as Error).message})`);
      }
      await step();
    }
    const head = { number: pod.head.number, hash: Buffer.from(pod.head.hash, "hex") };
    const journal = await store.journal.verify(pod.id, [head]);
    if (journal.entries !== pod.head.number)
      fault(pod, `its journal has ${journal.entries} entries, and its head says ${pod.head.number}`);
    for (const what of journal.faults) fault(pod, `its journal: ${what}`);
    sum.entries += journal.entries;
    await step(journal.entries);
  }

  for (const pod of manifest.pods) {
    if (left.has(pod.id)) continue;
    try {
      await checkPod(pod);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      fault(pod, `not all of it opens (${error.detail ?? error.code})`);
    }
  }
  const samples: Sample[] = [];
  for (const { pod, path, record } of chosen.kept) {
    const digest = await store.read(pod.id, async (snapshot) => {
      if (record.blob !== undefined) return digestOf(store.blobs.read(pod.id, record.blob));
      const body = await snapshot.get("body", path, "");
      return body ? digestOf(one(body.value)) : null;
    });
    if (digest) samples.push({ pod, path, contentType: record.contentType, ...digest });
    else fault(pod, "a document has no content");
  }
  return { ...sum, samples, faults };
}
