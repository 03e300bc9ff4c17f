/** What only a look into the stopped server's folder shows: the database's own order, left-over files, counters, journals. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decodeEntry } from "../../server/journal/entry.ts";
import { measureUsage } from "../../server/ldp/quota.ts";
import type { PodId, Store } from "../../server/store/store.ts";
import { openPostgresIn, openStoreIn } from "../support/store.ts";
import { podsAndFilesIn } from "./place.ts";

const STORED = /([0-9a-f]{32})[/\\][0-9a-f]{2}[/\\]([0-9a-f]{64})$/;

/** Each of these looks is taken while no server runs. @returns what is wrong. */
export function auditFiles(folder: string): readonly string[] {
  const drafts = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".draft"),
  );
  return drafts.map((draft) => `${draft} was left behind`);
}

export function auditDatabase(folder: string): readonly string[] {
  const database = new DatabaseSync(join(folder, "freehold.db"));
  try {
    const verdict = JSON.stringify(database.prepare("PRAGMA integrity_check").all());
    return verdict.includes('"ok"') ? [] : [`The database is damaged: ${verdict}`];
  } finally {
    database.close();
  }
}

export interface AuditOptions {
  /** Nothing should be left of uploads that no record names. */
  readonly swept: boolean;
  /** How many writes by people the journals must tell of. */
  readonly writes?: { readonly least: number; readonly most: number };
}

const WRITES: ReadonlySet<string> = new Set(["create", "change", "append", "delete", "access"]);

/** @returns writes by people, not by the server or whoever runs it. */
async function writesIn(store: Store, pod: PodId): Promise<number> {
  let [count, last] = [0, 0];
  for (;;) {
    const rows = await store.journal.read(pod, last, 1_000);
    for (const { entry } of rows) {
      const { act, agent, decision } = decodeEntry(entry ?? new Uint8Array());
      if (WRITES.has(act) && decision === "granted" && agent?.startsWith("http")) count += 1;
    }
    last = rows.at(-1)?.number ?? last;
    if (rows.length < 1_000) return count;
  }
}

/** Large files that are there, by pod. */
function filesIn(folder: string): ReadonlyMap<string, ReadonlySet<string>> {
  const files = new Map<string, Set<string>>();
  for (const path of readdirSync(join(folder, "blobs"), { recursive: true, encoding: "utf8" })) {
    const [, pod = "", hash = ""] = STORED.exec(path) ?? [];
    if (hash) files.set(pod, (files.get(pod) ?? new Set()).add(hash));
  }
  return files;
}

/**
 * Counters equal a recount, journals verify, and the large files are exactly those that records name.
 * @param database Null: all is in the folder.
 */
export async function auditStore(
  folder: string,
  { swept, writes }: AuditOptions,
  database: string | null = null,
): Promise<readonly string[]> {
  const faults: string[] = [];
  let recorded = 0;
  const events: string[] = [];
  if (database !== null && swept) {
    // The first sweep only hides a file, for somebody may still be reading it; the next removes it.
    const sweeper = await openPostgresIn(database, folder, { limits: { orphanMsKept: 1 } }, events);
    await sweeper.close();
  }
  const { pods, files, halves } =
    database === null
      ? { pods: podsIn(folder), files: filesIn(folder), halves: 0 }
      : await podsAndFilesIn(database);
  if (swept && halves > 0) faults.push(`${halves} rows of files that are not whole were left behind`);
  const store = await (database === null
    ? openStoreIn(folder, {}, events)
    : openPostgresIn(database, folder, {}, events));
  try {
    for (const pod of pods) {
      const named = await store.read(pod, async (snapshot) => {
        const hashes = new Set<string>();
        for await (const { group } of snapshot.all("blob")) hashes.add(group);
        return hashes;
      });
      const stored = files.get(pod) ?? new Set<string>();
      for (const hash of named.difference(stored)) faults.push(`A file of pod ${pod} is gone: ${hash}`);
      const orphans = stored.difference(named).size;
      if (swept && orphans > 0) faults.push(`${orphans} files of pod ${pod} are named by nothing`);
      const [usage, counted] = [await store.usage(pod), await store.read(pod, measureUsage)];
      if (usage.bytes !== counted.bytes || usage.resources !== counted.resources)
        faults.push(
          `Pod ${pod} holds ${JSON.stringify(counted)}, and its counters say ${JSON.stringify(usage)}`,
        );
      const { faults: broken } = await store.journal.verify(pod, []);
      recorded += await writesIn(store, pod);
      for (const fault of broken) faults.push(`The journal of pod ${pod}: ${fault}`);
    }
  } finally {
    await store.close();
  }
  if (writes && (recorded < writes.least || recorded > writes.most))
    faults.push(`The journals tell of ${recorded} writes, and there were ${writes.least} to ${writes.most}`);
  const damaged = events.filter((event) => /damaged|missing|failed|stopped/.test(event));
  if (damaged.length > 0) faults.push(`The store complains: ${damaged.join(", ")}`);
  return faults;
}

function podsIn(folder: string): readonly PodId[] {
  const database = new DatabaseSync(join(folder, "freehold.db"));
  try {
    return database
      .prepare("SELECT pod_id FROM pod")
      .all()
      .map(({ pod_id: id }) => Buffer.from(id as Uint8Array).toString("hex") as PodId);
  } finally {
    database.close();
  }
}
