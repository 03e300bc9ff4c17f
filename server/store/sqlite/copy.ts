/** A copy of one moment of the SQLite engine, and the way back. Both go beside the others' reads and commits. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { loadCopy } from "../load.ts";
import type { Keyring } from "../sealed/keyring.ts";
import { idOf } from "../sealed/keyring-format.ts";
import { keysOfPlace, openRecord, versionOf } from "../sealed/seal.ts";
import { type Copy, type PodId, type Store, type StoredBlob, type StoredRow, TABLES } from "../store.ts";
import type { Absences } from "./absences.ts";
import type { BlobFiles } from "./blobs.ts";
import { encodePodState, encodeRows, LOAD, LOADED, UNLOAD } from "./bulk.ts";
import type { RecordCache } from "./cache.ts";
import type { Gate } from "./gate.ts";
import type { Proofs } from "./proof.ts";
import type { Readers } from "./readers.ts";
import { openScan, type Scan, type ScanPage, type StoredAt } from "./scan.ts";
import type { WriterThread } from "./writer-thread.ts";

export interface CopyGround {
  readonly file: string;
  readonly keyring: Keyring;
  readonly writer: Pick<WriterThread, "bulk">;
  readonly readers: Pick<Readers, "renew">;
  readonly cache: Pick<RecordCache, "drop">;
  readonly blobs: Pick<BlobFiles, "hold" | "stored" | "place">;
  readonly gate: Gate;
  readonly log: Log;
  /** Pods that nobody may read or write: they are being loaded, or a load of them was cut short. */
  readonly loading: Set<PodId>;
  readonly beOpen: () => void;
  /** @throws Problem `unavailable` for a pod of which some cannot be found. */
  readonly beSure: (pod: PodId) => Promise<void>;
  readonly proofs: Pick<Proofs, "forget">;
  readonly absences: Pick<Absences, "drop">;
}

export function createCopies(ground: CopyGround): Pick<Store, "copy" | "load"> {
  const {
    file,
    keyring,
    writer,
    readers,
    cache,
    blobs,
    gate,
    log,
    loading,
    beOpen,
    beSure,
    proofs,
    absences,
  } = ground;

  async function* rowsOf(scan: Scan, pods: ReturnType<Scan["pods"]>): AsyncGenerator<StoredRow> {
    for (const own of pods) {
      const { pod } = own;
      yield { kind: "pod", ...own };
      for (let after: StoredAt | null = null; ; ) {
        const page: ScanPage = scan.records(pod, after, null);
        for (const { table, place, version, sealed } of page.rows) {
          const [groupKey, itemKey] = [place.subarray(0, 16), place.subarray(16)];
          if (sealed) yield { kind: "record", pod, table, groupKey, itemKey, version, sealed };
        }
        if (!page.last) break;
        after = page.last;
        await nextTurn();
        beOpen();
      }
      for (let after: StoredAt | null = null; ; ) {
        const page: ScanPage = scan.entries(pod, after, null);
        for (const { version: number, place: leaf, sealed } of page.rows)
          yield { kind: "journal", pod, number, leaf, sealed };
        if (!page.last) break;
        after = page.last;
        await nextTurn();
        beOpen();
      }
    }
  }

  /** What the records of table `blob` name at this moment: their hashes are in the sealed names of the groups. */
  async function* hashesOf(scan: Scan, pod: PodId): AsyncGenerator<string> {
    const keys = keyring.keys(pod);
    let group = "";
    let after: Pick<StoredAt, "table" | "place"> | null = { table: TABLES.blob, place: Buffer.alloc(0) };
    if (!keys) return; // Erased meanwhile.
    while (after) {
      const page: ScanPage = scan.records(pod, after, null);
      for (const { table, place, sealed } of page.rows) {
        if (table !== TABLES.blob) return;
        const [groupKey, itemKey] = keysOfPlace(place);
        if (groupKey === group || !sealed) continue;
        const opened = openRecord(keys, table, groupKey, itemKey, sealed);
        if (!opened) log.error("store.record.damaged", { table });
        else yield opened.group;
        group = opened ? groupKey : group;
      }
      after = page.last;
      await nextTurn();
      beOpen();
    }
  }

  async function* blobsOf(scan: Scan, pods: readonly PodId[]): AsyncGenerator<StoredBlob> {
    for (const pod of pods) {
      for await (const hash of hashesOf(scan, pod)) {
        const stored = await blobs.stored(pod, hash);
        if (stored) yield { pod, hash, ...stored };
        else if (!keyring.isErased(pod)) log.error("store.blob.missing");
      }
    }
  }

  /** @throws Problem `not-found` for a pod that is not there, `unavailable` for one of which only a part is. */
  function chosen(scan: Scan, wanted: readonly PodId[] | null): ReturnType<Scan["pods"]> {
    const there = scan.pods().filter(({ pod }) => keyring.versions(pod).length > 0);
    const pods = wanted ? there.filter(({ pod }) => wanted.includes(pod)) : there;
    if (wanted && pods.length < new Set(wanted).size) throw new Problem("not-found");
    if (pods.some(({ pod }) => loading.has(pod)))
      throw new Problem("unavailable", "A pod was restored in part only: restore it again");
    return pods;
  }

  return {
    async copy<T>(wanted: readonly PodId[] | null, work: (copy: Copy) => Promise<T>): Promise<T> {
      beOpen();
      const leave = await gate.enter("copy");
      const release = blobs.hold(); // First, so that no file goes of which the moment knows.
      const scan = openScan(file);
      try {
        scan.begin();
        const pods = chosen(scan, wanted);
        const ids = pods.map(({ pod }) => pod);
        for (const pod of ids) if (!keyring.isErased(pod)) await beSure(pod); // A copy without what cannot be found is none.
        return await work({
          storeId: keyring.storeId,
          pods: ids,
          rows: () => rowsOf(scan, pods),
          blobs: () => blobsOf(scan, ids),
        });
      } finally {
        scan.close();
        release();
        leave();
      }
    },
    async load(copy, progress) {
      beOpen();
      const leave = await gate.enter("load");
      try {
        return await loadCopy(
          copy,
          {
            storeId: keyring.storeId,
            opens: (pod, sealed) => {
              const versions = keyring.versions(pod);
              return versions.length > 0 && (sealed === null || versions.includes(versionOf(sealed)));
            },
            async begin(pod) {
              loading.add(pod);
              cache.drop(pod);
              absences.drop(pod);
              while ((await writer.bulk(UNLOAD, idOf(pod), new Uint8Array())) > 0) beOpen();
            },
            async rows(pod, rows) {
              await writer.bulk(LOAD, idOf(pod), encodeRows(rows));
              beOpen();
            },
            blob: (pod, hash, content) => blobs.place(pod, hash, content),
            async finish(pod, state) {
              await writer.bulk(LOADED, idOf(pod), encodePodState(state));
              cache.drop(pod);
              readers.renew();
              absences.drop(pod); // Other records are there now: the next proof says which.
              proofs.forget(pod);
              loading.delete(pod);
            },
          },
          progress,
        );
      } finally {
        leave();
      }
    },
  };
}
