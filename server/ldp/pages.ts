/** Documents that the server writes line by line: pages of streams, under the same rules of folders as any other document. */
import { parentOf } from "../iri.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { StreamPage } from "../store/record.ts";
import { putDocument, removeResource } from "./documents.ts";
import type { Edit } from "./edit.ts";
import { findResource } from "./find.ts";
import { shapeProblem, shapesIn } from "./shape.ts";
import { findTrashed, purgeTrashed } from "./trash.ts";
import type { WriterDeps } from "./write.ts";

export interface Pages {
  /**
   * Stores a page. Nothing is kept of what it was: it only grows.
   * @throws Problem `shape-violation` when the folder, or the one above, asks for more than `fitting`.
   */
  put(edit: Edit, path: string, bytes: Uint8Array, page: StreamPage): Promise<void>;
  /** Removes it for good, as it was kept long enough; its folder too, once nothing is in it. */
  remove(edit: Edit, path: string): Promise<void>;
}

/** @param fitting The shape that pages fit by the way they are made. */
export function createPages(
  { baseUrl, validate, limits }: Pick<WriterDeps, "baseUrl" | "validate" | "limits">,
  fitting: string,
): Pages {
  const origin = baseUrl.slice(0, -1);

  async function checkShapes(edit: Edit, path: string, bytes: Uint8Array): Promise<void> {
    const folder = parentOf(path) ?? "/";
    for (const above of [folder, parentOf(folder)]) {
      const meta = above && (await edit.transaction.get("auxiliary", above, "meta"));
      const shapes = meta ? await shapesIn(meta, `${origin}${above}`) : [];
      for (const shape of shapes) {
        if (shape === fitting) continue;
        const quads = await parseRdf(bytes, "text/turtle", `${origin}${path}`, limits);
        const violation = await validate(quads, shape);
        if (violation) throw shapeProblem(shape, violation, true);
      }
    }
  }

  async function purge(edit: Edit, id: string): Promise<void> {
    const trashed = await findTrashed(edit.transaction, id);
    if (trashed) await purgeTrashed(edit, trashed);
  }

  return {
    async put(edit, path, bytes, page) {
      await checkShapes(edit, path, bytes);
      const content = { kind: "rdf", contentType: "text/turtle", bytes, page } as const;
      await putDocument({ ...edit, keepsHistory: false }, path, content);
    },
    async remove(edit, path) {
      const found = await findResource(edit.transaction, path);
      if (!found) return;
      await purge(edit, await removeResource(edit, path, found.record));
      const folder = parentOf(path) ?? "/";
      for await (const _member of edit.transaction.list("resource", folder)) return;
      const left = await findResource(edit.transaction, folder);
      if (left) await purge(edit, await removeResource(edit, folder, left.record));
    },
  };
}
