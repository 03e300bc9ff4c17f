/**
 * A pod's imports as its owner meets them: looked at before, run, listed, and taken back whole. All or nothing: what is
 * broken off half-way is taken back at once. What an import wrote is known by what its documents say of their origin, and
 * by when they were written, so that nothing has to be kept beside them.
 */
import { fh, prov, schema } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { parentOf } from "../iri.ts";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { type ImportedDocument, type ImportOptions, importInto } from "./import-file.ts";
import { type Preview, previewFile, remarksShown } from "./preview.ts";
import type { ImportLimits, SourceKind } from "./reading.ts";

const LISTED_MAX = 100; // Earlier imports on one page.
const KEPT_SHOWN = 50; // Paths of what stayed when an import was taken back.
const REMOVED_AT_ONCE = 100;

/** Where the documents of each kind stand, within the pod. */
const FOLDERS: Readonly<Record<SourceKind, string>> = {
  "address-book": "contacts/",
  "bank-statement": "bank/",
  "order-history": "orders/",
  "meter-readings": "energy/",
};

export interface EarlierImport {
  /** Canonical path of its own document. */
  readonly path: string;
  readonly kind: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly written: number;
  readonly skipped: number;
  readonly duplicate: number;
}

export interface TakenBack {
  /** Documents that went to the trash. */
  readonly removed: number;
  /** Documents that say again what they said before. */
  readonly putBack: number;
  /** Documents that were changed since, and stay: how many, and the first of them. */
  readonly kept: number;
  readonly keptPaths: readonly string[];
}

export interface OwnersImports {
  preview(pod: Pod, name: string, content: AsyncIterable<Uint8Array>): Promise<Preview>;
  /** @throws Problem as `importFile`, and `conflict` while another import of the pod runs: then nothing was kept. */
  run(
    pod: Pod,
    name: string,
    content: AsyncIterable<Uint8Array>,
    report: (progress: object) => void,
  ): Promise<object>;
  /** The youngest first. */
  list(pod: Pod): Promise<{ readonly imports: readonly EarlierImport[]; readonly cut: boolean }>;
  /**
   * What it made goes to the trash, what it added to says again what it said before.
   * @param path Of the import's own document.
   * @throws Problem `not-found`.
   */
  undo(pod: Pod, path: string, report: (progress: object) => void): Promise<TakenBack>;
}

export interface OwnersImportsDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly limits: ImportLimits;
  readonly now: () => Date;
  /** @returns the document's bytes, none for a folder, null when nothing is there. */
  readonly readerOf: (pod: Pod) => NonNullable<ImportOptions["read"]>;
  readonly write: (pod: Pod, documents: readonly ImportedDocument[]) => Promise<void>;
  /**
   * To the trash, in one commit: folders that are empty, documents that nobody wrote after `until`.
   * @param until Milliseconds since 1970.
   * @returns what is gone.
   */
  readonly remove: (pod: Pod, paths: readonly string[], until: number) => Promise<readonly string[]>;
  /** Earlier versions of a document, the oldest first; `until` when each was overwritten. */
  readonly versions: (
    pod: Pod,
    path: string,
  ) => Promise<readonly { readonly number: number; readonly until: number }[]>;
  readonly restoreVersion: (pod: Pod, path: string, number: number) => Promise<void>;
}

/** When an import was at work, in milliseconds since 1970. */
interface Span {
  readonly started: number;
  readonly ended: number;
}

async function recordOf(snapshot: Snapshot, path: string): Promise<ResourceRecord | null> {
  const parent = parentOf(path) ?? "/";
  const entry = await snapshot.get("resource", parent, path.slice(parent.length));
  return entry && decodeRecord<ResourceRecord>(entry);
}

async function* documentsIn(snapshot: Snapshot, folder: string, since: number): AsyncGenerator<string> {
  for await (const entry of snapshot.list("resource", folder)) {
    const { kind, modified } = decodeRecord<ResourceRecord>(entry);
    const path = folder + entry.item;
    if (kind === "container") yield* documentsIn(snapshot, path, since);
    else if (kind === "rdf" && modified >= since) yield path;
  }
}

const valueOf = (quads: readonly Quad[], subject: string, property: string): string =>
  quads.find((one) => one.subject.value === subject && one.predicate.value === property)?.object.value ?? "";

export function createOwnersImports(deps: OwnersImportsDeps): OwnersImports {
  const { baseUrl, store, limits, now, readerOf, write, remove, versions, restoreVersion } = deps;
  const origin = baseUrl.slice(0, -1);
  const busy = new Set<string>();

  const optionsOf = (pod: Pod, name: string, content: AsyncIterable<Uint8Array>): ImportOptions => ({
    name,
    content,
    pod: { name: pod.name, url: `${baseUrl}${pod.name}/`, secret: pod.id },
    now,
    limits,
    read: readerOf(pod),
  });

  /** @throws Problem `conflict` */
  async function alone<T>(pod: Pod, work: () => Promise<T>): Promise<T> {
    if (busy.has(pod.id)) throw new Problem("conflict", "Another import of this pod is under way");
    busy.add(pod.id);
    try {
      return await work();
    } finally {
      busy.delete(pod.id);
    }
  }

  /** What the import's own document says; null for what is none. */
  async function importAt(pod: Pod, path: string): Promise<(EarlierImport & Span) | null> {
    const bytes = await readerOf(pod)(path);
    const record = await store.read(pod.id, (snapshot) => recordOf(snapshot, path));
    const quads = bytes && record && (await parseRdf(bytes, "text/turtle", origin + path).catch(() => null));
    const it = `${origin}${path}#it`;
    const started = Date.parse(quads ? valueOf(quads, it, prov.startedAtTime) : "");
    if (!quads || !record || Number.isNaN(started)) return null;
    const amount = (property: string): number => Number(valueOf(quads, it, property));
    return {
      path,
      kind: valueOf(quads, it, fh.sourceKind),
      name: valueOf(quads, it, schema.name),
      started,
      ended: record.created, // It is written last.
      written: amount(fh.recordsWritten),
      skipped: amount(fh.recordsSkipped),
      duplicate: amount(fh.recordsDuplicate),
    };
  }

  /** Folders that came with an import and are empty now, the deepest first. */
  async function removeEmpty(pod: Pod, paths: readonly string[], { started }: Span): Promise<void> {
    const folders = new Set<string>();
    for (const path of paths)
      for (let up = parentOf(path); up !== null && up !== `/${pod.name}/` && up !== "/"; up = parentOf(up))
        folders.add(up);
    const deepestFirst = [...folders].sort((a, b) => b.length - a.length);
    for (const folder of deepestFirst) {
      const record = await store.read(pod.id, (snapshot) => recordOf(snapshot, folder));
      if (record && record.created >= started) await remove(pod, [folder], Number.POSITIVE_INFINITY);
    }
  }

  async function takeBack(
    pod: Pod,
    paths: readonly string[],
    span: Span,
    report: (progress: object) => void = () => {},
  ): Promise<TakenBack> {
    const { started, ended } = span;
    const kept: string[] = [];
    const made: string[] = [];
    let removed = 0;
    let putBack = 0;
    const flush = async (): Promise<void> => {
      const gone = new Set(await remove(pod, made, ended));
      removed += gone.size;
      kept.push(...made.filter((path) => !gone.has(path)));
      made.length = 0;
    };
    for (const [place, path] of paths.entries()) {
      const record = await store.read(pod.id, (snapshot) => recordOf(snapshot, path));
      if (!record) continue; // Its owner has deleted it already.
      if (record.modified > ended) kept.push(path);
      else if (record.created >= started) made.push(path);
      else {
        const before = (await versions(pod, path)).find(({ until }) => until >= started);
        if (before) {
          await restoreVersion(pod, path, before.number);
          putBack += 1;
        } else kept.push(path);
      }
      if (made.length >= REMOVED_AT_ONCE) await flush();
      report({ done: place + 1, total: paths.length });
    }
    await flush();
    await removeEmpty(pod, paths, span);
    return { removed, putBack, kept: kept.length, keptPaths: kept.slice(0, KEPT_SHOWN) };
  }

  return {
    preview: (pod, name, content) => previewFile(optionsOf(pod, name, content)),

    run: (pod, name, content, report) =>
      alone(pod, async () => {
        const started = now().getTime();
        const written: string[] = [];
        try {
          const run = await importInto(optionsOf(pod, name, content), async (documents) => {
            written.push(...documents.map(({ path }) => path).filter((path) => !path.endsWith("/")));
            await write(pod, documents);
            report({ done: written.length });
          });
          const { kind, read, skipped, duplicate, documents, bytes } = run;
          return {
            path: run.documents > 0 ? `/${pod.name}/${run.path}` : null,
            kind,
            bytes,
            read,
            written: run.written,
            skipped,
            duplicate,
            documents,
            ...remarksShown(run),
          };
        } catch (error) {
          await takeBack(pod, [...new Set(written)], { started, ended: now().getTime() });
          throw error;
        }
      }),

    async list(pod) {
      const folder = `/${pod.name}/imports/`;
      const paths = await store.read(pod.id, async (snapshot) => {
        const found: string[] = [];
        for await (const { item } of snapshot.list("resource", folder))
          if (item.endsWith(".ttl")) found.push(folder + item);
        return found.sort().reverse(); // Their names begin with the time.
      });
      const imports: EarlierImport[] = [];
      for (const path of paths.slice(0, LISTED_MAX)) {
        const found = await importAt(pod, path);
        if (!found) continue;
        const { ended: _ended, ...shown } = found;
        imports.push(shown);
      }
      return { imports, cut: paths.length > LISTED_MAX };
    },

    undo: (pod, path, report) =>
      alone(pod, async () => {
        const found = path.startsWith(`/${pod.name}/imports/`) ? await importAt(pod, path) : null;
        if (!found || !Object.hasOwn(FOLDERS, found.kind))
          throw new Problem("not-found", "There is no such import");
        const folder = `/${pod.name}/${FOLDERS[found.kind as SourceKind]}`;
        const isFrom = (quads: readonly Quad[], url: string): boolean =>
          quads.some(
            ({ subject, predicate, object }) =>
              subject.value === url &&
              predicate.value === prov.wasGeneratedBy &&
              object.value === `${origin}${path}#it`,
          );
        const candidates = await store.read(pod.id, (snapshot) =>
          Array.fromAsync(documentsIn(snapshot, folder, found.started)),
        );
        const paths: string[] = [];
        for (const candidate of candidates) {
          const bytes = await readerOf(pod)(candidate);
          const url = origin + candidate;
          const quads = bytes && (await parseRdf(bytes, "text/turtle", url).catch(() => null));
          if (quads && isFrom(quads, url)) paths.push(candidate);
        }
        const taken = await takeBack(pod, paths, found, report);
        if (taken.kept === 0) {
          await remove(pod, [path], Number.POSITIVE_INFINITY);
          await removeEmpty(pod, [path], found);
        }
        return taken;
      }),
  };
}
