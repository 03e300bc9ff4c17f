/**
 * One page of what a search found, made where it is found: rows of one thing become a hit, hits are counted, and only those
 * of the page leave the thread.
 */
import type { Value } from "../../rdf/terms.ts";
import { select } from "../engine/evaluate.ts";
import type { Plan } from "../engine/plan.ts";
import { UNBOUND, type View } from "../index/view.ts";
import type { WrittenAnswers } from "../output.ts";
import type { Room } from "../room.ts";
import { DATES } from "./vocabulary.ts";

/** Values of one facet that are told, those with most hits first. */
const FACET_VALUES_MAX = 50;

export interface SearchRequest {
  readonly text: string;
  /** IRIs: one of them. */
  readonly types: readonly string[];
  /** The address of a folder; with all below. */
  readonly folder: string | null;
  readonly year: number | null;
  readonly limit: number;
  readonly offset: number;
}

/** What a page is made of, beside what is found. */
export interface PageRequest extends SearchRequest {
  /** Of the search, without its parameters. */
  readonly url: string;
  /** So many rows are looked at. */
  readonly rowsMax: number;
}

/** One thing of one document. */
interface Hit {
  readonly document: string;
  readonly subject: string;
  property: string;
  excerpt: string;
  score: number;
  readonly types: Set<string>;
  year: number | null;
}

type Row = Readonly<Record<string, Pick<Value, "termType" | "value"> | undefined>>;

/** Rows of one thing come once for each of its types, dates and texts. */
function hitsOf(rows: readonly Row[]): readonly Hit[] {
  const hits = new Map<string, Hit & { dated: number }>();
  for (const { document, subject, property, excerpt, score, type, dated, date } of rows) {
    if (!document || !subject || !property || !excerpt) continue;
    const name = subject.termType === "BlankNode" ? `_:${subject.value}` : subject.value;
    const key = `${document.value} ${name}`;
    const value = Number(score?.value);
    let hit = hits.get(key);
    if (!hit) {
      hit = {
        document: document.value,
        subject: name,
        property: property.value,
        excerpt: excerpt.value,
        score: value,
        types: new Set(),
        year: null,
        dated: DATES.length,
      };
      hits.set(key, hit);
    }
    if (value > hit.score || (value === hit.score && property.value < hit.property)) {
      hit.score = value;
      hit.property = property.value;
      hit.excerpt = excerpt.value;
    }
    if (type) hit.types.add(type.value);
    const rank = DATES.indexOf(dated?.value ?? "");
    const year = /^(\d{4})-\d\d/.exec(date?.value ?? "")?.[1];
    if (year !== undefined && rank >= 0 && rank < hit.dated) {
      hit.dated = rank;
      hit.year = Number(year);
    }
  }
  return [...hits.values()];
}

const folderOf = (document: string): string =>
  document.slice(0, document.replace(/\/$/, "").lastIndexOf("/") + 1);

interface FacetValue {
  readonly value: string | number;
  readonly count: number;
}

function facet(
  hits: readonly Hit[],
  valuesOf: (hit: Hit) => Iterable<string | number>,
): readonly FacetValue[] {
  const counts = new Map<string | number, number>();
  for (const hit of hits) for (const value of valuesOf(hit)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, FACET_VALUES_MAX);
}

/** What a search answers, before it is JSON. */
function answerOf(request: PageRequest, rows: readonly Row[]) {
  const { text, types, folder, year, limit, offset, url, rowsMax } = request;
  const hits = hitsOf(rows)
    .filter((hit) => types.length === 0 || types.some((type) => hit.types.has(type)))
    .filter((hit) => folder === null || hit.document.startsWith(folder.endsWith("/") ? folder : `${folder}/`))
    .filter((hit) => year === null || hit.year === year)
    .sort(
      (a, b) => b.score - a.score || (`${a.document} ${a.subject}` < `${b.document} ${b.subject}` ? -1 : 1),
    );
  const next = new URLSearchParams({ q: text, limit: String(limit), offset: String(offset + limit) });
  for (const type of types) next.append("type", type);
  if (folder !== null) next.set("folder", folder);
  if (year !== null) next.set("year", String(year));
  return {
    query: text,
    total: hits.length,
    complete: rows.length < rowsMax,
    hits: hits
      .slice(offset, offset + limit)
      .map(({ document, subject, property, excerpt, score, types, year }) => ({
        document,
        subject,
        property,
        excerpt,
        score: Math.round(score * 1_000) / 1_000,
        types: [...types].sort(),
        year,
      })),
    facets: {
      types: facet(hits, (hit) => hit.types),
      folders: facet(hits, (hit) => [folderOf(hit.document)]),
      years: facet(hits, (hit) => (hit.year === null ? [] : [hit.year])),
    },
    next: offset + limit < hits.length ? `${url}?${next}` : null,
  };
}

/** Inside, a blank node's label tells which document it is of; outside, it is only the n-th of this answer. */
function relabelled(): (term: Value) => Row[string] {
  const labels = new Map<string, string>();
  return (term) => {
    if (term.termType !== "BlankNode") return term;
    const label = labels.get(term.value) ?? `b${labels.size}`;
    labels.set(term.value, label);
    return { termType: term.termType, value: label };
  };
}

/** @throws Problem `query-refused`, `query-timeout`. */
export function searchPage(plan: Plan, view: View, request: PageRequest, room: Room): WrittenAnswers {
  const rows: Row[] = [];
  const shown = relabelled();
  select(plan, view, { control: room, now: new Date() }, (row, terms) => {
    room.hold(1);
    const found: Record<string, Row[string]> = {};
    for (const [at, name] of plan.variables.entries())
      if (row[at] !== UNBOUND) found[name] = shown(terms.get(row[at]!));
    rows.push(found);
    return rows.length === request.rowsMax;
  });
  const page = answerOf(request, rows);
  return { bytes: new TextEncoder().encode(JSON.stringify(page)), rows: page.hits.length };
}
