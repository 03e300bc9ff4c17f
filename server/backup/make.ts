/** Making backups: the data and the keys apart, for what is erased from the keys must be gone from everywhere soon. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../errors.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { PodId, Store, StoredRow } from "../store/store.ts";
import { type Written, writeArchive } from "./archive-write.ts";
import { FORMAT, type PodInBackup } from "./manifest.ts";
import { encodeRows } from "./rows.ts";
import type { Sealing } from "./seal.ts";
import { freeName, keysFolderOf, noteErased } from "./shelf.ts";

export interface MakeDeps {
  readonly store: Store;
  readonly pods: Pick<Pods, "list">;
  readonly rootKeyFile: string;
  /** Of this program. */
  readonly version: string;
  readonly now: () => Date;
  /** Where a pod's journal stands, signed; null where there is none. */
  readonly signedHead: (pod: Pod) => Promise<unknown>;
}

/** Stage, done so far, and of how much. */
export type Told = (stage: string, done: number, total: number | null, unit: "bytes" | "items") => void;

type Counts = { -readonly [key in keyof PodInBackup]: PodInBackup[key] };

/** Counts what goes by. */
async function* counted(
  rows: AsyncIterable<StoredRow>,
  known: ReadonlyMap<PodId, Pod>,
  counts: Map<PodId, Counts>,
): AsyncGenerator<StoredRow> {
  for await (const row of rows) {
    if (row.kind === "pod") {
      const { pod: id, generation, usage, head } = row;
      const { name = null, owner = null } = known.get(id) ?? {};
      counts.set(id, {
        id,
        name,
        owner,
        generation,
        usage,
        head: { number: head.number, hash: Buffer.from(head.hash).toString("hex") },
        records: 0,
        entries: 0,
        blobs: 0,
      });
    } else {
      const pod = counts.get(row.pod);
      if (pod && row.kind === "record") pod.records += 1;
      if (pod && row.kind === "journal") pod.entries += 1;
    }
    yield row;
  }
}

/**
 * Backs up the whole store, or one pod of it, at one moment; writes go on meanwhile.
 * @param pod Null: all, the server's own records included.
 * @throws OperatorError when there is no room or the store is damaged; then nothing of it is kept.
 */
export async function backUp(
  { store, pods, version, now, signedHead }: MakeDeps,
  { folder, sealing, pod }: { readonly folder: string; readonly sealing: Sealing; readonly pod: Pod | null },
  tell: Told,
): Promise<Written> {
  const time = now();
  const all = await pods.list();
  const known = new Map(all.map((pod) => [pod.id, pod]));
  const erased = await noteErased(
    folder,
    all.filter(({ erased }) => erased !== undefined).map(({ id }) => id),
  );
  const wanted = pod ? [pod] : all.filter(({ erased }) => erased === undefined);
  // Signed first: then the copy has the key that signed, and a journal at least as long.
  const heads: unknown[] = [];
  for (const one of wanted) {
    const head = await signedHead(one).catch(() => null); // It may be erased at this moment.
    if (head !== null) heads.push(head);
  }
  const usages = await Promise.all(wanted.slice(0, 1_000).map(({ id }) => store.usage(id).catch(() => null)));
  const about = usages.reduce((sum, usage) => sum + (usage?.bytes ?? 0), 0);
  const file = await freeName(folder, pod ? `pod-${pod.name}` : "all", time);

  return store.copy(pod ? [pod.id] : null, (copy) =>
    writeArchive(file, sealing, time, async (writer) => {
      const counts = new Map<PodId, Counts>();
      let [parts, rows, blobs, bytes] = [0, 0, 0, 0];
      tell("Copying", 0, about || null, "bytes");
      const rowsOnTheWay = (async function* () {
        for await (const row of counted(copy.rows(), known, counts)) {
          rows += 1;
          yield row;
        }
      })();
      for await (const part of encodeRows(rowsOnTheWay)) {
        parts += 1;
        await writer.addBytes(`rows-${String(parts).padStart(6, "0")}.bin`, part);
        bytes += part.length;
        tell("Copying", bytes, Math.max(about, bytes) || null, "bytes");
      }
      for await (const blob of copy.blobs()) {
        await writer.add(`blobs/${blob.pod}/${blob.hash}`, blob.bytes, blob.content());
        blobs += 1;
        const counted = counts.get(blob.pod);
        if (counted) counted.blobs += 1;
        bytes += blob.bytes;
        tell("Copying", bytes, Math.max(about, bytes), "bytes");
      }
      return {
        format: FORMAT,
        kind: "data",
        server: version,
        time: time.toISOString(),
        storeId: Buffer.from(copy.storeId).toString("hex"),
        isWhole: pod === null,
        pods: [...counts.values()],
        heads,
        erased,
        total: { rows, blobs },
      };
    }),
  );
}

/**
 * Backs up the keys: the wrapped keys of all pods and the root key that opens them. Whoever opens this file and a backup
 * of the data has everything; whoever has only one of them has nothing.
 */
export async function backUpKeys(
  { store, pods, rootKeyFile, version, now }: MakeDeps,
  { folder, sealing }: { readonly folder: string; readonly sealing: Sealing },
): Promise<Written> {
  const time = now();
  const all = await pods.list();
  const erased = await noteErased(
    folder,
    all.filter(({ erased }) => erased !== undefined).map(({ id }) => id),
  );
  const keysFolder = keysFolderOf(folder);
  // Read between two readings of the root key: it may be replaced at this moment, and old and new do not fit each other.
  for (let tries = 0; tries < 3; tries += 1) {
    const before = await readFile(rootKeyFile);
    const keyring = await store.keyring();
    if (!before.equals(await readFile(rootKeyFile))) continue;
    const storeId = await store.copy([], async ({ storeId }) => Buffer.from(storeId).toString("hex"));
    return writeArchive(await freeName(keysFolder, "keys", time), sealing, time, async (writer) => {
      await writer.addBytes("keyring", keyring);
      await writer.addBytes("root.key", before);
      return {
        format: FORMAT,
        kind: "keys",
        server: version,
        time: time.toISOString(),
        storeId,
        isWhole: true,
        pods: [],
        heads: [],
        erased,
        total: { rows: 0, blobs: 0 },
      };
    });
  }
  throw new OperatorError(`The root key in ${join(rootKeyFile)} changes all the time. Run this again.`);
}
