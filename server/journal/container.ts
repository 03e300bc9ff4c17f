/**
 * The journal as its owner reads it: the container `{pod}/.journal/` and its pages `1`, `2`, …, which are stored nowhere.
 * A page that is full never changes, unless what an entry says is erased.
 */
import { createHash } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Operation, Result } from "../operation.ts";
import { negotiate, RDF_TYPES } from "../rdf/media.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Pod } from "../store/pods.ts";
import { containerQuads, entryQuads, PREFIXES } from "./graph.ts";
import type { NumberedEntry, PodJournal } from "./journal.ts";

/** First part of the path in each pod. */
const JOURNAL_NAME = ".journal/";
const PAGE_ENTRIES = 500; // Part of the addresses of entries: never to be changed.

/** One page as a query ranges over it. */
export interface JournalGraph {
  /** The name of the graph: the page's address, or the container's, which stands for all pages. */
  readonly graph: string;
  /** The same for the same content, and for nothing else. */
  readonly version: string;
  readonly contentType: "text/turtle";
  readonly bytes: () => Promise<Uint8Array>;
}

export interface JournalReader {
  /** GET and HEAD, by the owner. @throws Problem `not-found`, `not-acceptable`. */
  read(pod: Pod, operation: Operation): Promise<Result>;
  /**
   * What a graph of this name holds; empty when there is none.
   * @throws Problem `query-refused` for more entries than a query may range over.
   */
  graphs(pod: Pod, name: string): Promise<readonly JournalGraph[]>;
}

export interface JournalReaderDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly journal: Pick<PodJournal, "read" | "length">;
  readonly limits: Limits;
}

/** Of which entries are there, and which were erased. Their times tell them from others, if an old copy was restored. */
function versionOf(pod: Pod, graph: string, entries: readonly NumberedEntry[]): string {
  const hash = createHash("sha256").update(`${pod.id} ${graph}`);
  for (const { number, entry } of entries) hash.update(entry ? ` ${number}.${entry.time}` : ` -${number}`);
  return hash.digest("base64url").slice(0, 22);
}

/** @returns the number of a page's name; null for what is none, or spelled in another way. */
function pageOf(name: string): number | null {
  return /^[1-9]\d{0,9}$/.test(name) ? Number(name) : null;
}

export function createJournalReader({ baseUrl, journal, limits }: JournalReaderDeps): JournalReader {
  const origin = baseUrl.slice(0, -1);
  const urlOf = (pod: Pod): string => `${baseUrl}${pod.name}/${JOURNAL_NAME}`;
  const entriesOf = (pod: Pod, page: number): Promise<readonly NumberedEntry[]> =>
    journal.read(pod, (page - 1) * PAGE_ENTRIES, PAGE_ENTRIES);
  const pagesOf = async (pod: Pod): Promise<number> => Math.ceil((await journal.length(pod)) / PAGE_ENTRIES);

  async function answer(
    operation: Operation,
    type: string,
    version: string,
    maxAge: number,
    quads: () => readonly Quad[],
  ): Promise<Result> {
    const etag = `"${version}-${RDF_TYPES.findIndex((known) => known === type)}"`;
    const headers = {
      etag,
      vary: "Accept, Authorization, Origin",
      "cache-control": maxAge > 0 ? `private, max-age=${maxAge}` : "private, no-cache",
      "x-content-type-options": "nosniff",
    };
    const known = operation.headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    if (known?.includes(etag) || known?.includes("*")) return { status: 304, headers, body: null };
    const bytes = await serializeRdf(quads(), type, { prefixes: PREFIXES, baseIri: operation.url });
    return {
      status: 200,
      headers: { ...headers, "content-type": type, "content-length": String(bytes.length) },
      body: operation.method === "HEAD" ? null : bytes,
    };
  }

  return {
    async read(pod, operation) {
      const { path } = operation.target;
      const root = `/${pod.name}/${JOURNAL_NAME}`;
      if (path === root.slice(0, -1))
        return { status: 301, headers: { location: `${origin}${root}` }, body: null };
      const isContainer = path === root;
      const page = isContainer ? null : pageOf(path.slice(root.length));
      if (!isContainer && page === null) throw new Problem("not-found");
      const type = negotiate(operation.headers.accept, RDF_TYPES);
      if (type === null) throw new Problem("not-acceptable", `Available: ${RDF_TYPES.join(", ")}`);
      if (page === null) {
        const pages = await pagesOf(pod);
        return answer(operation, type, `j${pages}`, 0, () => containerQuads(operation.url, pages));
      }
      const entries = await entriesOf(pod, page);
      if (entries.length === 0) throw new Problem("not-found", "The journal has no such page");
      const maxAge = entries.length === PAGE_ENTRIES ? limits.journalPageSecondsKept : 0;
      return answer(operation, type, versionOf(pod, operation.url, entries), maxAge, () =>
        entries.flatMap((entry) => entryQuads(entry, operation.url, baseUrl)),
      );
    },
    async graphs(pod, name) {
      const root = urlOf(pod);
      if (!name.startsWith(root)) return [];
      const only = name === root ? null : pageOf(name.slice(root.length));
      if (name !== root && only === null) return [];
      const length = await journal.length(pod);
      if (only === null && length > limits.journalQueryEntriesMax)
        throw new Problem(
          "query-refused",
          `A query ranges over at most ${limits.journalQueryEntriesMax} entries of the journal; name its pages with FROM`,
        );
      const last = Math.ceil(length / PAGE_ENTRIES);
      const pages = only === null ? Array.from({ length: last }, (_, index) => index + 1) : [only];
      const graphs: JournalGraph[] = [];
      for (const page of pages) {
        const entries = await entriesOf(pod, page);
        if (entries.length === 0) continue;
        graphs.push({
          graph: name,
          version: versionOf(pod, `${name} ${page}`, entries),
          contentType: "text/turtle",
          bytes: () =>
            serializeRdf(
              entries.flatMap((entry) => entryQuads(entry, `${root}${page}`, baseUrl)),
              "text/turtle",
              { prefixes: PREFIXES, baseIri: name },
            ),
        });
      }
      return graphs;
    },
  };
}
