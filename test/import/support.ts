/** A pod in memory to import into, and short ways to ask what came of it. */
import { Parser, type Quad } from "n3";
import { Problem } from "../../server/errors.ts";
import { type ImportedDocument, importFile, importInto } from "../../server/import/import-file.ts";
import type { ImportRun } from "../../server/import/import-run.ts";
import type { ImportLimits } from "../../server/import/reading.ts";
import { LIMITS } from "../../server/limits.ts";

export const BASE = "https://pods.example";
export const SECRET = "0123456789abcdef0123456789abcdef";

/** In pieces of any size, as from a socket. */
export async function* inPieces(content: string | Uint8Array, bytes = 65_536): AsyncGenerator<Uint8Array> {
  const all = typeof content === "string" ? Buffer.from(content) : content;
  for (let from = 0; from < all.length; from += bytes) yield all.subarray(from, from + bytes);
}

export interface Options {
  readonly pod?: string;
  readonly secret?: string;
  readonly limits?: Partial<ImportLimits>;
  readonly now?: Date;
  readonly pieceBytes?: number;
}

export type PodDocuments = Map<string, ImportedDocument>;

function optionsOf(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  pod: PodDocuments,
  options: Options,
) {
  const {
    pod: name = "ana",
    secret = SECRET,
    limits = {},
    now = new Date("2026-11-22T10:15:00Z"),
    pieceBytes,
  } = options;
  return {
    name: "a file",
    content:
      typeof content === "string" || content instanceof Uint8Array ? inPieces(content, pieceBytes) : content,
    pod: { name, url: `${BASE}/${name}/`, secret },
    now: () => now,
    limits: { ...LIMITS, ...limits },
    read: async (path: string) => pod.get(path)?.bytes ?? null,
  };
}

/** Everything the file gives, into a pod that may hold something already. */
export async function importAll(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: Options = {},
  pod: PodDocuments = new Map(),
): Promise<{
  readonly run: ImportRun;
  readonly documents: readonly ImportedDocument[];
  readonly pod: PodDocuments;
}> {
  const given: ImportedDocument[] = [];
  const documents = importFile(optionsOf(content, pod, options));
  for (;;) {
    const next = await documents.next();
    if (next.done) return { run: next.value, documents: given, pod };
    given.push(next.value);
    pod.set(next.value.path, next.value);
  }
}

/** In batches, as the server does. */
export async function importBatches(
  content: string | Uint8Array,
  options: Options = {},
  pod: PodDocuments = new Map(),
) {
  const batches: number[] = [];
  let problem: Problem | null = null;
  let run: ImportRun | null = null;
  try {
    run = await importInto(optionsOf(content, pod, options), async (documents) => {
      batches.push(documents.length);
      for (const document of documents) pod.set(document.path, document);
    });
  } catch (error) {
    problem = asProblem(error);
  }
  return { batches, problem, run, pod };
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}

/** @returns the refusal; fails when there is none. */
export async function refusalOf(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: Options = {},
): Promise<Problem> {
  try {
    await importAll(content, options);
  } catch (error) {
    return asProblem(error);
  }
  throw new Error("The file was accepted");
}

export const textOf = ({ bytes }: ImportedDocument): string => Buffer.from(bytes).toString();
export const quadsOf = (document: ImportedDocument): Quad[] =>
  new Parser({ baseIRI: BASE + document.path }).parse(textOf(document));

/** Documents that are records: neither containers nor the import's own. */
export const recordsIn = (documents: Iterable<ImportedDocument>): readonly ImportedDocument[] =>
  [...documents].filter(({ shape, path }) => shape !== null && !path.includes("/imports/"));

/** All values of a property in a document, of any subject or of one fragment. */
export const valuesOf = (
  document: ImportedDocument,
  predicate: string,
  fragment?: string,
): readonly string[] =>
  quadsOf(document)
    .filter(
      (quad) =>
        quad.predicate.value === predicate &&
        (fragment === undefined || quad.subject.value.endsWith(`#${fragment}`)),
    )
    .map((quad) => quad.object.value);
