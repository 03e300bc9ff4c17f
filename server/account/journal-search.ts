/** Going through a pod's journal for its owner: entries that fit a question, page by page, and what they add up to. */
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import { parseOwnPath } from "./contents.ts";
import { isLook, isOwnPage, type ShownEntry } from "./journal-words.ts";

export interface NumberedEntry {
  readonly number: number;
  /** Null when what it says was erased. */
  readonly entry: ShownEntry | null;
}

export interface JournalRows {
  length(pod: Pod): Promise<number>;
  /** Entries after number `after`, oldest first. */
  read(pod: Pod, after: number, most: number): Promise<readonly NumberedEntry[]>;
}

const PAGE = 500;
const SCANNED_MAX = 20_000; // Of one request: who filters for what is rare asks again for what is older.
const SUMMED_MAX = 50_000;
const DAY_MS = 86_400_000;
const BUCKET_MS = 900_000; // Every time zone there is begins its days at one of these.
const KINDS_MAX = 50; // Of people, purposes, places and apps: more than a page would list.
const TEXT_MAX = 2_000;

export type Fits = (entry: ShownEntry | null) => boolean;

export interface Question {
  readonly fits: Fits;
  /** Nothing is asked for: every entry fits. */
  readonly isPlain: boolean;
  /** Milliseconds since 1970: nothing from before counts. */
  readonly from: number;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Problem("input-invalid", "Send a whole number");
  return Number(text);
}

/** @throws Problem `input-invalid` */
export function numberOf(text: string | null, fallback: number, most: number): number {
  if (text === null) return fallback;
  if (!/^\d{1,10}$/.test(text)) throw new Problem("input-invalid", "Send a whole number");
  return Math.min(Number(text), most);
}

const AGENTS: Readonly<Record<string, string | null>> = {
  operator: "operator",
  server: "server",
  several: "*",
  anonymous: null,
};

/** Neither the owner nor what the server does of itself. */
const isByOthers = ({ agent }: ShownEntry, pod: Pod): boolean => agent !== pod.owner && agent !== "server";

const isAt = (path: string | null, place: string): boolean =>
  path !== null && (path === place || (place.endsWith("/") && path.startsWith(place)));

/** What is asked for one after the other; each value has its test. */
const TESTS: Readonly<Record<string, (value: string, pod: Pod) => (entry: ShownEntry) => boolean>> = {
  by: (value, pod) => {
    if (value !== "others") throw new Problem("input-invalid", "by is others");
    return (entry) => isByOthers(entry, pod);
  },
  who: (value, pod) => {
    const agent = value === "you" ? pod.owner : Object.hasOwn(AGENTS, value) ? AGENTS[value] : value;
    return (entry) => entry.agent === agent;
  },
  client: (value) => (entry) => entry.client === value,
  purpose: (value) => (entry) => entry.purpose === value,
  place: (value, pod) => {
    const path = parseOwnPath(value, pod);
    return (entry) => isAt(entry.path, path);
  },
  refused: (value) => {
    if (value !== "only") throw new Problem("input-invalid", "refused is only");
    return ({ decision }) => decision === "denied";
  },
  what: (value) => {
    if (value !== "looks" && value !== "changes")
      throw new Problem("input-invalid", "what is looks or changes");
    return (entry) => isLook(entry) === (value === "looks");
  },
  from: (value) => {
    const from = wholeNumber(value);
    return ({ time }) => time >= from;
  },
  to: (value) => {
    const to = wholeNumber(value);
    return ({ time, since }) => (since ?? time) < to;
  },
};

/**
 * What a page asks for: `by=others`, `who` (you, operator, server, several, anonymous or a WebID), `client`, `purpose`,
 * `place` (a path, with all below it), `refused=only`, `what` (looks or changes), `from` and `to` in ms since 1970.
 * @throws Problem `input-invalid`; `not-found` for a place outside the pod.
 */
export function parseQuestion({ searchParams }: URL, pod: Pod): Question {
  const tests = Object.entries(TESTS).flatMap(([name, make]) => {
    const value = searchParams.get(name);
    if (value === null || value === "") return [];
    if (value.length > TEXT_MAX) throw new Problem("input-invalid", `${name} is too long`);
    return [make(value, pod)];
  });
  const from = searchParams.get("from");
  return {
    fits: (entry) => tests.length === 0 || (entry !== null && tests.every((test) => test(entry))),
    isPlain: tests.length === 0,
    from: from ? wholeNumber(from) : 0,
  };
}

/** A clock that was set back a day hides nothing. */
const isAllBefore = (page: readonly NumberedEntry[], from: number): boolean =>
  from > 0 && page.length > 0 && page.every(({ entry }) => entry !== null && entry.time < from - DAY_MS);

/** Entries from the youngest back, a page at a time. */
async function* backwards(
  journal: JournalRows,
  pod: Pod,
  end: number,
  most: number,
): AsyncGenerator<readonly NumberedEntry[]> {
  for (let before = end; before > 0; ) {
    const after = Math.max(0, before - most);
    yield (await journal.read(pod, after, before - after)).toReversed();
    before = after;
  }
}

/**
 * @param before Only entries with smaller numbers.
 * @returns at most `most` entries that fit, the youngest first; `next` is what to give as `before` for more, null at the end.
 */
export async function searchJournal(
  journal: JournalRows,
  pod: Pod,
  { fits, isPlain, from }: Question,
  before: number,
  most: number,
): Promise<{ readonly found: readonly NumberedEntry[]; readonly next: number | null }> {
  const found: NumberedEntry[] = [];
  let end = before - 1;
  let scanned = 0;
  for await (const page of backwards(journal, pod, end, isPlain ? most : PAGE)) {
    for (const row of page) {
      if (found.length === most) return { found, next: end + 1 };
      end = row.number - 1;
      if (fits(row.entry)) found.push(row);
    }
    scanned += page.length;
    if (isAllBefore(page, from)) return { found, next: null };
    if (found.length === most || scanned >= SCANNED_MAX) break;
  }
  return { found, next: end > 0 ? end + 1 : null };
}

interface Tally {
  looks: number;
  refused: number;
  changes: number;
  last: number;
}

/** What several entries of one kind add up to. */
function createTallies() {
  const kept = new Map<string, Tally>();
  return {
    add(name: string, { count, decision, time, ...entry }: ShownEntry): void {
      const tally = kept.get(name) ?? { looks: 0, refused: 0, changes: 0, last: 0 };
      const kind = decision === "denied" ? "refused" : isLook(entry) ? "looks" : "changes";
      tally[kind] += count;
      tally.last = Math.max(tally.last, time);
      kept.set(name, tally);
    },
    /** Those with most first. */
    all: () =>
      [...kept]
        .map(([name, tally]) => ({ name, ...tally }))
        .sort((a, b) => b.looks + b.refused + b.changes - (a.looks + a.refused + a.changes))
        .slice(0, KINDS_MAX),
  };
}

/** The first folder, or a document that lies in none. */
function firstFolder(path: string | null, pod: Pod): string | null {
  const root = `/${pod.name}/`;
  if (path === null || !path.startsWith(root) || path === root) return null;
  const end = path.indexOf("/", root.length);
  return end === -1 ? path : path.slice(0, end + 1);
}

/**
 * What others did since a moment, and what the owner's apps did: sums, by time, person, purpose and place.
 * @param from Milliseconds since 1970.
 */
export async function sumJournal(journal: JournalRows, pod: Pod, from: number, baseUrl: string) {
  const times = new Map<number, { looks: number; refused: number }>();
  const [people, purposes, places] = [createTallies(), createTallies(), createTallies()];
  const apps = new Map<
    string,
    { readonly all: ReturnType<typeof createTallies>; readonly places: ReturnType<typeof createTallies> }
  >();
  let summed = 0;
  let since = from;

  function addOfOthers(entry: ShownEntry): void {
    people.add(entry.agent ?? "", entry);
    if (entry.purpose !== null) purposes.add(entry.purpose, entry);
    const place = firstFolder(entry.path, pod);
    if (place !== null) places.add(place, entry);
    const isDenied = entry.decision === "denied";
    if (!isDenied && !isLook(entry)) return;
    const start = Math.floor((entry.since ?? entry.time) / BUCKET_MS) * BUCKET_MS;
    const bucket = times.get(start) ?? { looks: 0, refused: 0 };
    bucket[isDenied ? "refused" : "looks"] += entry.count;
    times.set(start, bucket);
  }

  function addOfApps(client: string, entry: ShownEntry): void {
    const app = apps.get(client) ?? { all: createTallies(), places: createTallies() };
    apps.set(client, app);
    app.all.add("", entry);
    const place = firstFolder(entry.path, pod);
    if (place !== null) app.places.add(place, entry);
  }

  for await (const page of backwards(journal, pod, await journal.length(pod), PAGE)) {
    for (const { entry } of page) {
      if (entry === null || entry.time < from) continue;
      if (isByOthers(entry, pod)) addOfOthers(entry);
      else if (entry.client !== null && entry.agent === pod.owner && !isOwnPage(entry.client, baseUrl))
        addOfApps(entry.client, entry);
    }
    summed += page.length;
    if (isAllBefore(page, from)) break;
    if (summed >= SUMMED_MAX) {
      since = page.findLast(({ entry }) => entry !== null)?.entry?.time ?? from;
      break;
    }
  }
  return {
    from: Math.max(from, since),
    /** There was more than can be added up at once: what is older than `from` is not in it. */
    cut: since > from,
    times: [...times]
      .map(([start, { looks, refused }]) => [start, looks, refused] as const)
      .sort(([a], [b]) => a - b),
    people: people.all(),
    purposes: purposes.all(),
    places: places.all(),
    apps: [...apps].slice(0, KINDS_MAX).map(([client, app]) => ({
      client,
      ...(app.all.all()[0] as Tally),
      places: app.places.all(),
    })),
  };
}
