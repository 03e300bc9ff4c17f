/**
 * One file into the pod: told by its content, read as a stream, written as documents that fit their shapes.
 * A record that cannot be used is left out with a remark; a file that cannot be read on stops the import. Nothing is
 * fetched, and nothing is kept that a recipe does not name.
 */
import { ldp, prov } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import { parentOf } from "../iri.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import { namedNode, type Quad, quad } from "../rdf/terms.ts";
import { type ImportRun, RUN_SHAPE, runQuads, startRun } from "./import-run.ts";
import { PREFIXES } from "./prefixes.ts";
import type { Context, ImportLimits, ImportRecord, Reading, Remark } from "./reading.ts";
import { recipeFor } from "./recipes.ts";
import { openSource } from "./source.ts";

export interface ImportOptions {
  /** What the person calls the file. */
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array>;
  readonly pod: {
    readonly name: string;
    /** Absolute, ends in `/`. */
    readonly url: string;
    /** Known to this server only, the same for all imports of the pod: its id will do. Keeps hashes from being guessed. */
    readonly secret: string;
  };
  readonly now: () => Date;
  readonly limits: ImportLimits;
  /** What the pod has at a canonical path: the document's bytes (none for a container), or null. Without it the pod counts as empty. */
  readonly read?: (path: string) => Promise<Uint8Array | null>;
}

/** A document to write, or a container to make (path ends in `/`, no bytes) before the documents in it. */
export interface ImportedDocument {
  /** Canonical server path, such as `/ana/orders/2026/4f….ttl`. */
  readonly path: string;
  readonly contentType: "text/turtle";
  readonly bytes: Uint8Array;
  /** Turtle; of containers: which shape their documents are held to. */
  readonly meta?: string;
  /** What the document fits; null for containers. */
  readonly shape: string | null;
}

const NOTHING = new Uint8Array();

const containerMeta = (shape: string): string => `<./> <${ldp.constrainedBy}> <${shape}>.\n`;

/** @returns null for a document that the owner has made into something else: then it is left alone. */
async function parseOwn(bytes: Uint8Array, url: string): Promise<readonly Quad[] | null> {
  try {
    return await parseRdf(bytes, "text/turtle", url);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

/** Adds up what happens, and turns readings into documents of the pod. */
function createWriter(
  run: ImportRun,
  { pod, limits, read = async () => null }: ImportOptions,
  context: Context,
) {
  const containers = new Set<string>();
  const runNode = namedNode(run.iri);

  const note = (remark: Remark): void => {
    if (run.warnings.length < limits.importWarningsMax) run.warnings.push(remark);
    else run.warningsLeftOut += 1;
  };

  async function* containerOf(path: string, shape: string): AsyncGenerator<ImportedDocument> {
    const container = parentOf(path) ?? "/";
    if (containers.has(container)) return;
    containers.add(container);
    if ((await read(container)) === null) {
      yield {
        path: container,
        contentType: "text/turtle",
        bytes: NOTHING,
        meta: containerMeta(shape),
        shape: null,
      };
    }
  }

  /** What is there stays as it is, with the owner's changes; records that are not there yet are added. */
  async function* write(
    relative: string,
    shape: string,
    records: readonly ImportRecord[],
  ): AsyncGenerator<ImportedDocument> {
    const path = `/${pod.name}/${relative}`;
    const url = context.urlOf(relative);
    const present = await read(path);
    const before = present ? await parseOwn(present, url) : [];
    const known = new Set(before?.map(({ subject }) => subject.value));
    const fresh = before ? records.filter(({ subject }) => !known.has(subject)) : [];
    const weigh = (all: readonly ImportRecord[]): number => all.reduce((sum, { weight }) => sum + weight, 0);
    run.duplicate += weigh(records) - weigh(fresh);
    if (before === null || fresh.length === 0) return;
    run.written += weigh(fresh);
    run.documents += 1;
    if (!present && run.listed.length < limits.importDocumentsListed) run.listed.push(url);
    const origin = quad(namedNode(url), namedNode(prov.wasGeneratedBy), runNode);
    const quads: Quad[] = [...before, origin, ...fresh.flatMap((record) => record.quads)];
    yield* containerOf(path, shape);
    yield {
      path,
      contentType: "text/turtle",
      bytes: await serializeRdf(quads, "text/turtle", { prefixes: PREFIXES[shape] ?? {}, baseIri: url }),
      shape,
    };
  }

  return {
    note,
    async *take(reading: Reading): AsyncGenerator<ImportedDocument> {
      if (reading.kind === "document") {
        run.read += reading.records.reduce((sum, { weight }) => sum + weight, 0);
        yield* write(reading.path, reading.shape, reading.records);
      } else if (reading.kind === "skipped") {
        run.read += 1;
        run.skipped += 1;
        note(reading.remark);
      } else if (reading.kind === "duplicate") {
        run.read += 1;
        run.duplicate += 1;
      } else note(reading.remark);
      if (run.read > limits.importRecordsMax)
        throw new Problem("input-invalid", `One file has at most ${limits.importRecordsMax} records`);
    },
    /** The import's own document: what it wrote can be found, and taken back, by it. */
    async *finish(): AsyncGenerator<ImportedDocument> {
      if (run.documents === 0) return; // An import that wrote nothing leaves nothing.
      const path = `/${pod.name}/${run.path}`;
      yield* containerOf(path, RUN_SHAPE);
      const bytes = await serializeRdf(runQuads(run), "text/turtle", {
        prefixes: PREFIXES[RUN_SHAPE] ?? {},
        baseIri: context.urlOf(run.path),
      });
      yield { path, contentType: "text/turtle", bytes, shape: RUN_SHAPE };
    },
  };
}

/**
 * Documents in the order in which they are to be written, the import's own last; then the summary. The same file into
 * the same pod gives the same paths, so reading it again gives nothing.
 * @throws Problem `input-invalid` for a file of no known kind, without any record that can be used, or that cannot be
 *   read on; errors[] names the lines. If documents came before, the import's own document still comes first, so that
 *   they can be taken back. `body-too-large` beyond `importBytesMax`.
 */
export async function* importFile(options: ImportOptions): AsyncGenerator<ImportedDocument, ImportRun> {
  const { content, limits, pod } = options;
  const source = await openSource(content, limits.importBytesMax);
  const recipe = recipeFor(source.head);
  const urlOf = (path: string): string => pod.url + path;
  const context: Context = { limits, secret: pod.secret, urlOf };
  const run = startRun(recipe, options.name, options.now(), source.head, context);
  const writer = createWriter(run, options, context);
  try {
    const readings = await recipe.load();
    for await (const reading of readings(source, context)) yield* writer.take(reading);
  } catch (error) {
    run.fileHash = source.hash();
    if (error instanceof Problem)
      writer.note({ line: 0, detail: `The import stopped before the end: ${error.detail ?? error.code}` });
    yield* writer.finish();
    throw error;
  }
  run.fileHash = source.hash();
  run.bytes = source.size();
  if (run.written === 0 && run.duplicate === 0) {
    throw new Problem(
      "input-invalid",
      run.read === 0 ? "The file has no records" : "None of the file's records can be used",
      {
        errors: run.warnings.map(({ line, detail }) => ({ detail, at: `${line}:1` })),
      },
    );
  }
  yield* writer.finish();
  return run;
}

/**
 * {@link importFile}, written in batches. A file that turns out to be unreadable within the first batch writes nothing.
 * @param write Called with at most `importBatchDocuments` documents, one call after the other.
 */
export async function importInto(
  options: ImportOptions,
  write: (documents: readonly ImportedDocument[]) => Promise<void>,
): Promise<ImportRun> {
  let batch: ImportedDocument[] = [];
  let hasWritten = false;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    await write(batch);
    hasWritten = true;
    batch = [];
  };
  const documents = importFile(options);
  try {
    for (;;) {
      const next = await documents.next();
      if (next.done) {
        await flush();
        return next.value;
      }
      batch.push(next.value);
      if (batch.length >= options.limits.importBatchDocuments) await flush();
    }
  } catch (error) {
    if (hasWritten) await flush();
    throw error;
  }
}
