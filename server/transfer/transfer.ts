/** Taking everything and leaving: export, import, and saying where one has gone. */
import { Problem } from "../errors.ts";
import { type Pod, type Pods, quotaOf } from "../store/pods.ts";
import type { PodId } from "../store/store.ts";
import type { Source } from "./archive.ts";
import { createExporter, type ExportDeps, type Exported, type ExportProgress } from "./export.ts";
import {
  createImporter,
  type ImportDeps,
  type Importer,
  type ImportOptions,
  type ImportProgress,
  type ImportReport,
} from "./import.ts";
import { createMoves, type MoveDeps, type Moves } from "./moved.ts";

export interface TransferDeps extends ExportDeps, ImportDeps, Omit<MoveDeps, "pods"> {
  readonly pods: Pods;
}

export interface Transfer {
  /**
   * Everything of the pod as one ZIP file; nothing happens until its content is asked for.
   * @throws Problem `conflict` while it is being exported already, `unavailable` while too many others are.
   */
  exportPod(pod: Pod, report?: (progress: ExportProgress) => void): Exported;
  /**
   * @throws Problem `archive-invalid`, `quota-exceeded`, `conflict` for a pod that holds something already; what was
   *   imported until then stays, and the same archive may be imported again.
   */
  importArchive: Importer;
  /** As `importArchive`, from content that comes in; it waits in a sealed file of the pod until it is all there. */
  importUpload(
    pod: Pod,
    content: AsyncIterable<Uint8Array>,
    options: ImportOptions,
  ): Promise<(report: (progress: ImportProgress) => void) => Promise<ImportReport>>;
  readonly moves: Moves;
}

/** What an archive has beside the content that counts: directory, manifest, journal. */
const OVERHEAD_BYTES = 256 * 1024 * 1024;

export function createTransfer(deps: TransferDeps): Transfer {
  const { blobs } = deps.store;
  const importArchive = createImporter(deps);
  /** By pod: the archive that is there and not begun yet, which a newer one takes the place of; null while one is busy. */
  const waiting = new Map<PodId, string | null>();
  return {
    exportPod: createExporter(deps),
    importArchive,
    async importUpload(pod, content, options) {
      // What waits is in nobody's quota, so there is one of it.
      const busy = (): Problem => new Problem("conflict", "An import into this pod is under way");
      const former = waiting.get(pod.id);
      if (former === null) throw busy();
      waiting.set(pod.id, null);
      let stored: { readonly hash: string; readonly bytes: number };
      try {
        if (former !== undefined) await blobs.release(pod.id, former);
        stored = await blobs.write(pod.id, content, quotaOf(pod, deps.limits).bytes + OVERHEAD_BYTES);
      } catch (error) {
        waiting.delete(pod.id);
        throw error;
      }
      const { hash, bytes } = stored;
      waiting.set(pod.id, hash);
      const source: Source = { bytes, read: (first, last) => blobs.read(pod.id, hash, { first, last }) };
      return async (report) => {
        if (waiting.get(pod.id) !== hash) throw busy();
        waiting.set(pod.id, null);
        try {
          return await importArchive(pod, source, options, report);
        } finally {
          waiting.delete(pod.id);
          await blobs.release(pod.id, hash);
        }
      };
    },
    moves: createMoves(deps),
  };
}
