/**
 * A stream is a folder: one folder in it for each month, and in that the pages, named after their first observation. What
 * it is about stands in the folder's own description, where its owner writes it.
 */
import { ldes, sosa } from "@freehold/vocab";
import { parseRdf } from "../rdf/parse.ts";
import { decodeDocument, decodeRecord, encodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Snapshot, Transaction } from "../store/store.ts";
import { type Defaults, parseTime } from "./observation.ts";

export interface Page {
  readonly path: string;
  readonly entry: Entry;
  readonly record: ResourceRecord;
}

export interface Description extends Defaults {
  /** For how long observations are kept, in milliseconds; null: for ever. */
  readonly keptMs: number | null;
  /** Milliseconds since 1970: what was observed before is not kept. */
  readonly keptFrom: number | null;
}

const MONTH = /^\d{4}-\d\d\/$/;
const PAGE = /^\d{4}-\d\d-\d\dT[\d-]+Z(?:_\d+)?\.ttl$/;
const NOTHING_SAID: Description = { sensor: null, property: null, keptMs: null, keptFrom: null };

/** `/ana/meter/` → `2026-02/`, `2026-03/`: only folders that pages can be in. */
export async function monthsOf(snapshot: Snapshot, folder: string): Promise<readonly string[]> {
  const months: string[] = [];
  for await (const { item } of snapshot.list("resource", folder)) if (MONTH.test(item)) months.push(item);
  return months.sort();
}

/** In the order of their time. */
export async function pagesOf(snapshot: Snapshot, folder: string, month: string): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const entry of snapshot.list("resource", `${folder}${month}`)) {
    if (!PAGE.test(entry.item)) continue;
    const record = decodeRecord<ResourceRecord>(entry);
    if (record.kind === "rdf") pages.push({ path: `${entry.group}${entry.item}`, entry, record });
  }
  return pages.sort((left, right) => (left.path < right.path ? -1 : 1));
}

const pad = (number: number, length = 2): string => String(number).padStart(length, "0");

export function monthOf(time: number): string {
  const date = new Date(time);
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1)}/`;
}

/** When a month begins, and when the next one does. */
export function boundsOf(month: string): readonly [from: number, to: number] {
  const [year = 0, number = 1] = month.split(/[-/]/).map(Number);
  return [Date.UTC(year, number - 1), Date.UTC(year, number)];
}

/** @param times How many pages begin at this very moment already. */
export function pageName(first: number, times: number): string {
  const moment = new Date(first).toISOString().replaceAll(/[:.]/g, "-");
  return times === 0 ? `${moment}.ttl` : `${moment}_${pad(times, 6)}.ttl`;
}

const DURATION = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const DAY_MS = 86_400_000;

/**
 * Years and months at their longest, so that nothing goes too early.
 * @returns milliseconds; null for what is no duration, or none at all. https://www.w3.org/TR/xmlschema11-2/#duration
 */
export function durationMs(text: string): number | null {
  const parts = DURATION.exec(text);
  if (!parts) return null;
  const [years, months, days, hours, minutes, seconds] = parts
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const ms =
    (years * 366 + months * 31 + days) * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000;
  return ms > 0 ? ms : null;
}

/** There when a batch ever came to the pod: most have no streams, and need not be looked through. */
const STREAMS = ["stamp", "", "series"] as const;

export async function noteStreams(transaction: Transaction): Promise<void> {
  if (!(await transaction.get(...STREAMS))) transaction.put(...STREAMS, encodeRecord({}));
}

/** Folders whose description says that not everything is kept. */
export async function limitedStreams(snapshot: Snapshot): Promise<readonly string[]> {
  const folders: string[] = [];
  if (!(await snapshot.get(...STREAMS))) return folders;
  for await (const { group, item, value } of snapshot.all("auxiliary"))
    if (item === "meta" && group.endsWith("/") && Buffer.from(value).includes("retentionPolicy"))
      folders.push(group);
  return folders;
}

const known = new WeakMap<Entry, Description>();

/** What the description says of the folder `<./>` or of the stream `<./#stream>`. */
export async function descriptionOf(snapshot: Snapshot, folder: string, url: string): Promise<Description> {
  const meta = await snapshot.get("auxiliary", folder, "meta");
  if (!meta) return NOTHING_SAID;
  let description = known.get(meta);
  if (!description) {
    const { bytes, contentType } = decodeDocument(meta);
    const quads = await parseRdf(bytes, contentType, `${url}.meta`);
    const said = (subjects: readonly string[], term: string): string | null =>
      quads.find(({ subject, predicate }) => subjects.includes(subject.value) && predicate.value === term)
        ?.object.value ?? null;
    const stream = [`${url}#stream`, url];
    const policy = [said(stream, ldes.retentionPolicy) ?? ""];
    description = {
      sensor: said(stream, sosa.madeBySensor),
      property: said(stream, sosa.observedProperty),
      keptMs: durationMs(said(policy, ldes.fullLogDuration) ?? ""),
      keptFrom: parseTime(said(policy, ldes.startingFrom)),
    };
    known.set(meta, description);
  }
  return description;
}

/** Before this, nothing is kept. @param now Milliseconds since 1970. */
export const horizonOf = ({ keptMs, keptFrom }: Description, now: number): number =>
  Math.max(keptMs === null ? -Infinity : now - keptMs, keptFrom ?? -Infinity);
