/** Full-text search of a pod: what texts say of it, among all that the asker may read. */
import { jsonOf } from "./content.ts";
import { FreeholdError, fetchOk } from "./errors.ts";
import type { Pod } from "./pod.ts";

/** One thing that a document says something about, in words that were looked for. */
export interface Hit {
  /** Address of the document. */
  readonly document: string;
  /** What it is about: an address, or `_:` and a label that means something in this document only. */
  readonly subject: string;
  /** Address of the property whose text fits best. */
  readonly property: string;
  /** The part of that text that shows why. */
  readonly excerpt: string;
  /** The more, the better it fits; says something only beside others of the same search. */
  readonly score: number;
  /** Addresses of its classes. */
  readonly types: readonly string[];
  /** When it was, as far as it says so. */
  readonly year: number | null;
}

/** How many hits there are of one kind. */
export interface FacetValue<T extends string | number = string> {
  readonly value: T;
  readonly count: number;
}

/** Hits by type, folder and year. Those with most hits come first; a thing of two types counts for both. */
export interface Facets {
  readonly types: readonly FacetValue[];
  /** Addresses of the folders that the documents are in. */
  readonly folders: readonly FacetValue[];
  readonly years: readonly FacetValue<number>[];
}

/** A page of what was found, the best first. To go through it is to go through all that follow, too. */
export interface SearchPage extends AsyncIterable<Hit> {
  /** Of all pages, as the facets are. */
  readonly total: number;
  /** False when so much matches that the server did not look at all of it; then look for more words. */
  readonly complete: boolean;
  readonly hits: readonly Hit[];
  readonly facets: Facets;
  /** Null after the last. What changes meanwhile may be on two pages, or on none. @throws FreeholdError */
  nextPage(): Promise<SearchPage | null>;
}

/** What narrows a search, and how it comes. */
export interface SearchOptions {
  /** Addresses of classes: things of one of them. */
  readonly types?: readonly string[];
  /** A place in the pod, with all below. */
  readonly folder?: string;
  readonly year?: number;
  /** Hits of one page: 20 unless told, 1 to 100. */
  readonly perPage?: number;
  readonly signal?: AbortSignal;
}

/** What a search needs of a pod. */
export type Searched = Pick<Pod, "search" | "at" | "fetch">;

type Answer = Pick<SearchPage, "total" | "complete" | "hits" | "facets"> & { readonly next: string | null };

function isAnswer(value: unknown): value is Answer {
  const { total, hits, facets, next } = (value ?? {}) as Partial<Answer>;
  const lists: readonly unknown[] = [hits, facets?.types, facets?.folders, facets?.years];
  const isNext = next === null || (typeof next === "string" && URL.canParse(next));
  return typeof total === "number" && lists.every(Array.isArray) && isNext;
}

const invalid = (url: string): FreeholdError =>
  new FreeholdError("answer-invalid", "This is not what a search answers", {
    url,
    detail: "Does this server have full-text search?",
  });

async function load(pod: Searched, url: URL, signal: AbortSignal | undefined): Promise<SearchPage> {
  const response = await fetchOk(pod.fetch, url.href, {
    // That nothing was granted is said, not shown as nothing found.
    headers: { accept: "application/json", prefer: "handling=strict" },
    ...(signal && { signal }),
  });
  const answer = await jsonOf(response, url.href);
  if (!isAnswer(answer)) throw invalid(url.href);
  const { total, complete, hits, facets, next } = answer;
  const found: SearchPage = {
    total,
    complete,
    hits,
    facets,
    async nextPage() {
      if (next === null || hits.length === 0) return null; // A page of none would be followed by the same.
      const after = new URL(next);
      // Whoever asks is not led elsewhere.
      if (after.origin + after.pathname !== url.origin + url.pathname) throw invalid(next);
      return load(pod, after, signal);
    },
    async *[Symbol.asyncIterator]() {
      for (let page: SearchPage | null = found; page; page = await page.nextPage()) yield* page.hits;
    },
  };
  return found;
}

/**
 * Finds texts by their words, without case and accents: all of them must be there. `"a phrase"` keeps words together,
 * `begin*` finds beginnings, `-word` is what must not be there.
 * ```ts
 * const found = await search(pod, 'garden "summer party"', { folder: "notes/", year: 2026 });
 * console.log(found.total, found.facets.types); // of all pages
 * for await (const { excerpt, document } of found) console.log(excerpt, document); // loads page after page
 * ```
 * @throws FreeholdError `bad-request` for a text with no word to look for, `forbidden` and `login-required` where nothing
 * was granted, `input-invalid` for a folder elsewhere, `query-timeout`, …
 */
export async function search(pod: Searched, text: string, options: SearchOptions = {}): Promise<SearchPage> {
  const { types = [], folder, year, perPage, signal } = options;
  const url = new URL(pod.search);
  url.searchParams.set("q", text);
  for (const type of types) url.searchParams.append("type", type);
  if (folder !== undefined) url.searchParams.set("folder", pod.at(folder));
  if (year !== undefined) url.searchParams.set("year", String(year));
  if (perPage !== undefined) url.searchParams.set("limit", String(perPage));
  return load(pod, url, signal);
}
