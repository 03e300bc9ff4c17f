/** What a pod's owner may do with what was: look at earlier versions, bring them back, and empty the trash. */
import type { Language } from "../access/language.ts";
import { keepFrozen } from "../access/restriction.ts";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { By, Result } from "../operation.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { namedNode, type Quad, quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import type { Store, Transaction } from "../store/store.ts";
import { link, removeAuxiliary, removeResource } from "./documents.ts";
import type { Edit, Edits } from "./edit.ts";
import { findResource, otherForm } from "./find.ts";
import { inertHeaders } from "./headers.ts";
import { findHistory, forgetDue, readVersion } from "./history.ts";
import {
  allTrashed,
  findTrashed,
  purgeTrashed,
  type Returned,
  returnTrashed,
  type TrashItem,
} from "./trash.ts";
import type { Writer } from "./write.ts";

const NAMES_TRIED = 100; // Of a document that comes back where its name is taken.
const ITEMS_PER_COMMIT = 50;

/** An earlier version of a document, for its owner's eyes. */
export interface VersionRow {
  readonly number: number;
  readonly bytes: number;
  /** Milliseconds since 1970: until when it was what the document said. */
  readonly until: number;
}

export interface TrashRow {
  readonly id: string;
  readonly path: string;
  readonly kind: "document" | "folder" | "access list" | "description";
  readonly contentType: string | null;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly deleted: number;
  /** When it goes for good, unless the pod is full before. */
  readonly until: number;
}

/** What became of a deletion that was brought back. */
export interface BroughtBack {
  /** Where it is now. */
  readonly path: string;
  /** It came back for its owner alone, for the rules that it had are gone, or may not be what the owner wants any more. */
  readonly isPrivate: boolean;
}

export interface Keeping {
  /** Oldest first. @throws Problem `not-found` when nothing stands at the path. */
  versions(pod: Pod, path: string): Promise<readonly VersionRow[]>;
  /** The content of a version, to be saved: inert, whatever it is. @throws Problem `not-found`. */
  readVersion(pod: Pod, path: string, number: number): Promise<Result>;
  /**
   * Writes a version as the document's content; what it said so far becomes a version in turn.
   * @throws Problem `not-found`, and what a PUT of the same content would be refused for.
   */
  restoreVersion(pod: Pod, path: string, number: number, by: By): Promise<void>;
  /** The youngest first, at most `most`. */
  trash(pod: Pod, most: number): Promise<{ readonly items: readonly TrashRow[]; readonly cut: boolean }>;
  /**
   * Brings a deletion back with its access list, description and versions; folders that are gone are made again.
   * @param rename Whether it may come back under another name, if its own is taken.
   * @throws Problem `not-found`; `conflict` for a name that is taken, and for an access list by itself, where lists of the
   * pod were changed since.
   */
  restore(pod: Pod, id: string, rename: boolean, by: By): Promise<BroughtBack>;
  /** Destroys one deletion. @throws Problem `not-found`. */
  purge(pod: Pod, id: string, by: By): Promise<void>;
  /** Destroys all deletions of up to now. @returns how many. */
  empty(pod: Pod, by: By): Promise<number>;
  /**
   * Destroys what stands at the path with its access list, description and versions, and all that the trash holds of it;
   * for a folder, which must be empty, also all that the trash holds of what was in it. Nothing is kept.
   * @param ofTrash Whether to look through the trash, which may be large; not for what is in a folder that goes, too.
   * @returns how many resources and deletions are gone.
   * @throws Problem `container-not-empty`.
   */
  removeForGood(pod: Pod, path: string, by: By, ofTrash?: boolean): Promise<number>;
}

export interface KeepingDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  /** Of the rules. */
  readonly language: Language;
  readonly store: Store;
  readonly edits: Edits;
  readonly writer: Pick<Writer, "replace">;
  readonly limits: Limits;
  readonly now: () => Date;
  /** Notes what is done, in the transaction that does it. */
  readonly record: (
    transaction: Transaction,
    pod: Pod,
    act: "restore" | "erase",
    path: string,
    by: By,
  ) => void;
}

function kindOf({ record, parts }: TrashItem): TrashRow["kind"] {
  if (record) return record.kind === "container" ? "folder" : "document";
  return parts[0] === "acl" ? "access list" : "description";
}

function youngest(rows: TrashRow[], most: number): TrashRow[] {
  return rows.sort((a, b) => b.deleted - a.deleted || (a.path < b.path ? -1 : 1)).slice(0, most);
}

/** `/ana/note.ttl` → `/ana/note-2.ttl`. */
function numbered(path: string, number: number): string {
  const [, stem = path, ending = ""] = /^(.*?[^/])((?:\.[^./]+)?\/?)$/s.exec(path) ?? [];
  return `${stem}-${number}${ending}`;
}

export function createKeeping(deps: KeepingDeps): Keeping {
  const { baseUrl, language, store, edits, writer, limits, now, record } = deps;
  const origin = baseUrl.slice(0, -1);

  /** An access list for the new address of what it was written for. */
  async function moveList(
    bytes: Uint8Array,
    contentType: string,
    from: string,
    to: string,
  ): Promise<Uint8Array> {
    const moved = <T extends Quad["subject"] | Quad["object"]>(node: T): T => {
      if (node.termType !== "NamedNode" || !node.value.startsWith(from)) return node;
      const rest = node.value.slice(from.length);
      return (/^(\.ac[lr])?(#.*)?$/s.test(rest) ? namedNode(`${to}${rest}`) : node) as T;
    };
    const quads = await parseRdf(bytes, contentType, from + language.ending, limits);
    const copies = quads.map(({ subject, predicate, object }) =>
      quad(moved(subject), predicate, moved(object)),
    );
    return serializeRdf(copies, contentType, { baseIri: to + language.ending });
  }

  async function isTaken({ transaction }: Edit, path: string): Promise<boolean> {
    return Boolean(
      (await findResource(transaction, path)) ?? (await findResource(transaction, otherForm(path))),
    );
  }

  /** @throws Problem `conflict`. */
  async function placeFor(edit: Edit, item: TrashItem, rename: boolean): Promise<string> {
    if (!item.record) {
      const { subject, auxiliary } = parseTarget(item.path);
      if (!(await findResource(edit.transaction, subject)))
        throw new Problem("conflict", "What this belonged to is not there; bring that back first");
      if (await edit.transaction.get("auxiliary", subject, auxiliary ?? "acl"))
        throw new Problem("conflict", "There is another one in its place");
      return item.path;
    }
    if (!(await isTaken(edit, item.path))) return item.path;
    if (!rename) throw new Problem("conflict", "There is something else in its place; choose another name");
    for (let number = 2; number < NAMES_TRIED; number++) {
      const path = numbered(item.path, number);
      if (!(await isTaken(edit, path))) return path;
    }
    throw new Problem("conflict", "There are too many of this name");
  }

  async function idsWhere(pod: Pod, fits: (item: TrashItem) => boolean): Promise<readonly string[]> {
    return store.read(pod.id, async (snapshot) => {
      const ids: string[] = [];
      for await (const item of allTrashed(snapshot)) if (fits(item)) ids.push(item.id);
      return ids;
    });
  }

  /** Small commits, for there may be very many. */
  async function purgeAll(pod: Pod, ids: readonly string[], by: By): Promise<number> {
    let purged = 0;
    for (let from = 0; from < ids.length; from += ITEMS_PER_COMMIT) {
      const { result } = await edits.write(pod, async (edit) => {
        let here = 0;
        for (const id of ids.slice(from, from + ITEMS_PER_COMMIT)) {
          const item = await findTrashed(edit.transaction, id);
          if (!item) continue;
          await purgeTrashed(edit, item);
          record(edit.transaction, pod, "erase", item.path, by);
          here++;
        }
        return here;
      });
      purged += result;
    }
    return purged;
  }

  return {
    versions: (pod, path) =>
      store.read(pod.id, async (snapshot) => {
        const found = await findHistory(snapshot, path);
        if (!found) throw new Problem("not-found", "There is nothing at this place");
        return (found.history?.kept ?? [])
          .filter(([, , , until]) => until + limits.versionMsKept > now().getTime())
          .map(([number, , bytes, until]) => ({ number, bytes, until }));
      }),
    readVersion: (pod, path, number) =>
      store.read(pod.id, async (snapshot) => {
        const found = await findHistory(snapshot, path);
        const version = await readVersion(snapshot, found?.history, number);
        return {
          status: 200,
          headers: {
            ...inertHeaders(version.contentType),
            "content-type": version.contentType,
            "content-length": String(version.size),
            "content-disposition": "attachment",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "private, no-store",
            "last-modified": new Date(version.modified).toUTCString(),
          },
          body: version.blob === undefined ? version.bytes : store.blobs.read(pod.id, version.blob),
        };
      }),
    async restoreVersion(pod, path, number, by) {
      await edits.write(pod, async (edit) => {
        const found = await findHistory(edit.transaction, path);
        const { kind, contentType, bytes, blob, size } = await readVersion(
          edit.transaction,
          found?.history,
          number,
        );
        await writer.replace(edit, pod, parseTarget(path), {
          kind,
          contentType,
          bytes: blob === undefined ? bytes : { hash: blob, bytes: size },
        });
        record(edit.transaction, pod, "restore", path, by);
      });
    },
    trash: (pod, most) =>
      store.read(pod.id, async (snapshot) => {
        let rows: TrashRow[] = [];
        let count = 0;
        for await (const item of allTrashed(snapshot)) {
          const until = item.deleted + limits.trashMsKept;
          if (until <= now().getTime()) continue;
          const { id, path, bytes, deleted, record } = item;
          const contentType = record?.contentType ?? null;
          rows.push({ id, path, kind: kindOf(item), contentType, bytes, deleted, until });
          count += 1;
          if (rows.length > 2 * most) rows = youngest(rows, most); // There may be a million.
        }
        return { items: youngest(rows, most), cut: count > most };
      }),
    async restore(pod, id, rename, by) {
      const { result } = await edits.write(pod, async (edit) => {
        const item = await findTrashed(edit.transaction, id);
        if (!item) throw new Problem("not-found", "This is not in the trash any more");
        const path = await placeFor(edit, item, rename);
        if (item.record) await link(edit, path);
        const [from, to] = [`${origin}${item.path}`, `${origin}${path}`];
        const ownerOnly = Buffer.from(language.ownerOnly(pod.owner, to));
        const returned: Returned = {
          rewriteList: (bytes, contentType) => moveList(bytes, contentType, from, to),
          privateList: () => ownerOnly,
        };
        const isPrivate = await returnTrashed(edit, item, path, returned);
        await keepFrozen(edit.transaction, item.path, path, edit.now);
        for (const folder of edit.made) record(edit.transaction, pod, "restore", folder, by);
        record(edit.transaction, pod, "restore", path, by);
        return { path, isPrivate };
      });
      return result;
    },
    async purge(pod, id, by) {
      if ((await purgeAll(pod, [id], by)) === 0)
        throw new Problem("not-found", "This is not in the trash any more");
    },
    empty: async (pod, by) => purgeAll(pod, await idsWhere(pod, () => true), by),
    async removeForGood(pod, path, by, ofTrash = true) {
      const { auxiliary, subject } = parseTarget(path);
      const kept = auxiliary ? `${subject}.${auxiliary}` : path; // Its name in the trash, whatever its address ends in.
      const { result } = await edits.write(pod, async (edit) => {
        const found = auxiliary ? null : await findResource(edit.transaction, path);
        const id = auxiliary
          ? await removeAuxiliary(edit, subject, auxiliary)
          : found && (await removeResource(edit, path, found.record));
        const item = id && (await findTrashed(edit.transaction, id));
        if (item) {
          await purgeTrashed(edit, item);
          record(edit.transaction, pod, "erase", path, by);
        }
        forgetDue(edit, auxiliary ? [kept] : [path, `${path}.acl`, `${path}.meta`]);
        return item ? 1 : 0;
      });
      if (!ofTrash) return result;
      const isOfPath = (item: TrashItem): boolean =>
        item.path === kept ||
        [".acl", ".meta"].some((ending) => item.path === `${path}${ending}`) ||
        (path.endsWith("/") && item.path.startsWith(path));
      return result + (await purgeAll(pod, await idsWhere(pod, isOfPath), by));
    },
  };
}
