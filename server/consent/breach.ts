/**
 * What a person must be told when data got into wrong hands, from the journal: what was read in some time, of which
 * categories, by whom, for what it had been given, and what was done about it since. It says what the articles ask for, and
 * leaves open what no journal knows.
 * @see https://eur-lex.europa.eu/eli/reg/2016/679/oj (articles 33 and 34)
 */
import { isSpecialCategory, sureLabelOf } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Pod } from "../store/pods.ts";
import type { Store } from "../store/store.ts";
import { DAY_MS } from "./anomaly.ts";
import type { Grants } from "./grants.ts";
import type { Grant } from "./model.ts";

/** Of the journal's entries what must be known here. */
export interface BreachEntry {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly since: number | null;
  readonly count: number;
  readonly act: string;
  readonly agent: string | null;
  readonly client: string | null;
  readonly path: string | null;
  readonly decision: "granted" | "denied";
  readonly purpose: string | null;
  readonly grant: string | null;
  readonly rows: number | null;
  readonly documents: number | null;
  readonly bytes: number | null;
}

export interface BreachJournal {
  /** Writes what was only counted until now. */
  flush(): Promise<void>;
  length(pod: Pod): Promise<number>;
  read(
    pod: Pod,
    after: number,
    most: number,
  ): Promise<readonly { readonly number: number; readonly entry: BreachEntry | null }[]>;
}

/** What is asked: a time, and perhaps only one vendor. Milliseconds since 1970, both inclusive. */
export interface BreachQuestion {
  readonly from: number;
  readonly to: number;
  /** WebID. */
  readonly vendor: string | null;
  /** When it was noticed: from then the time for telling the authority runs. */
  readonly known: number;
}

interface Category {
  readonly category: string;
  readonly label: string;
  /** Of article 9. */
  readonly isSpecial: boolean;
}

interface Reader {
  readonly agent: string;
  readonly controllers: readonly string[];
  readonly clients: readonly string[];
  readonly grants: readonly string[];
  readonly purposes: readonly string[];
  readonly categories: readonly Category[];
  readonly first: string;
  readonly last: string;
  readonly reads: number;
  readonly documents: number;
  readonly rows: number;
  readonly bytes: number;
  /** Reads that access lists allowed: of what category is not known then. */
  readonly readsWithoutGrant: number;
  /** Addresses, the first 1,000; "*" where there were too many to be kept apart. */
  readonly places: readonly string[];
}

export interface BreachNotice {
  readonly type: "BreachNotice";
  readonly storage: string;
  readonly dataSubject: string;
  readonly from: string;
  readonly to: string;
  readonly composed: string;
  /** Article 33(1): 72 hours after it was noticed. */
  readonly authorityBy: string;
  readonly reads: number;
  readonly documents: number;
  readonly categories: readonly Category[];
  readonly readers: readonly Reader[];
  /** What the owner or the server has done about it since. */
  readonly measures: readonly { readonly at: string; readonly act: string; readonly grant: string | null }[];
  /** Entries of that time that were erased: what they said nobody knows. */
  readonly erasedEntries: number;
  /** What whoever sends this has to add. */
  readonly toAdd: readonly string[];
}

const READS: ReadonlySet<string> = new Set(["look", "query", "export"]);
const MEASURES: ReadonlySet<string> = new Set(["pause", "revoke", "alarm", "restrict", "keys"]);
const PLACES_MAX = 1_000;
const PAGE_ENTRIES = 500;
const AUTHORITY_MS = 72 * 3_600_000;
const SERVER = "server";

const TO_ADD: readonly string[] = Object.freeze([
  "Name and contact of the data protection officer, or of somebody else who can say more: article 33(3)(b)",
  "What is likely to come of it for the person: article 33(3)(c)",
  "What else was done, or is planned, against it: article 33(3)(d)",
]);

/** Reading backwards until everything is older; a clock that was set back a day hides nothing. */
export async function readPeriod(
  journal: BreachJournal,
  pod: Pod,
  { from, to }: BreachQuestion,
  { breachEntriesMax }: Pick<Limits, "breachEntriesMax">,
): Promise<{ readonly entries: readonly BreachEntry[]; readonly erased: number }> {
  const entries: BreachEntry[] = [];
  let erased = 0;
  let seen = 0;
  for (let end = await journal.length(pod); end > 0; end -= PAGE_ENTRIES) {
    const first = Math.max(0, end - PAGE_ENTRIES);
    const page = await journal.read(pod, first, end - first);
    seen += page.length;
    if (seen > breachEntriesMax)
      throw new Problem(
        "input-invalid",
        `At most ${breachEntriesMax} entries of the journal: ask for less time`,
      );
    const isInTime = ({ time, since }: BreachEntry): boolean => time >= from && (since ?? time) <= to;
    const known = page.flatMap(({ entry }) => entry ?? []);
    entries.unshift(
      ...known.filter((entry) => isInTime(entry) || (entry.time > to && MEASURES.has(entry.act))),
    );
    const isAround = known.some(({ time }) => time >= from - DAY_MS);
    if (isAround || known.length === 0) erased += page.length - known.length;
    if (known.length > 0 && !isAround) break;
  }
  return { entries, erased };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const sorted = (words: Iterable<string | null>): readonly string[] =>
  [...new Set(words)].filter((word) => word !== null).sort();
const sum = <T>(of: readonly T[], number: (one: T) => number): number =>
  of.reduce((all, one) => all + number(one), 0);

function categoriesOf(grants: readonly Grant[]): readonly Category[] {
  const all = sorted(grants.flatMap(({ policies }) => policies.flatMap(({ categories }) => categories)));
  return all.map((category) => ({
    category,
    label: sureLabelOf(category),
    isSpecial: isSpecialCategory(category),
  }));
}

/** A look is of one document each time, a query says of how many. */
const documentsOf = ({ act, documents, count }: BreachEntry): number =>
  act === "look" ? (documents ?? count) : (documents ?? 0);

function readerOf(
  agent: string,
  entries: readonly BreachEntry[],
  grants: ReadonlyMap<string, Grant>,
): Reader {
  const urls = sorted(entries.map(({ grant }) => grant));
  const known = urls.flatMap((url) => grants.get(url) ?? []);
  const categories = categoriesOf(known);
  return {
    agent,
    controllers: sorted(known.map(({ controller }) => controller)),
    clients: sorted(entries.map(({ client }) => client)),
    grants: urls,
    purposes: sorted(entries.map(({ purpose }) => purpose)),
    categories,
    first: iso(Math.min(...entries.map(({ time, since }) => since ?? time))),
    last: iso(Math.max(...entries.map(({ time }) => time))),
    reads: sum(entries, ({ count }) => count),
    documents: sum(entries, documentsOf),
    rows: sum(entries, ({ rows }) => rows ?? 0),
    bytes: sum(entries, ({ bytes }) => bytes ?? 0),
    readsWithoutGrant: sum(entries, ({ grant, count }) => (grant === null ? count : 0)),
    places: sorted(entries.map(({ path }) => path)).slice(0, PLACES_MAX),
  };
}

/**
 * @param storage Root of the pod.
 * @param grants By address: all that there ever were.
 * @param composed Milliseconds since 1970.
 */
export function composeBreach(
  { pod, storage, composed }: { readonly pod: Pod; readonly storage: string; readonly composed: number },
  question: BreachQuestion,
  { entries, erased }: Awaited<ReturnType<typeof readPeriod>>,
  grants: ReadonlyMap<string, Grant>,
): BreachNotice {
  const { from, to, vendor, known } = question;
  const isRead = ({ act, agent, decision, time, since }: BreachEntry): boolean =>
    READS.has(act) &&
    decision === "granted" &&
    agent !== pod.owner &&
    agent !== SERVER &&
    time >= from &&
    (since ?? time) <= to;
  // What everybody may read is no breach when somebody does.
  const reads = entries.filter((entry) => isRead(entry) && entry.agent !== null);
  const ofVendor = vendor === null ? reads : reads.filter(({ agent }) => agent === vendor);
  const readers = [...Map.groupBy(ofVendor, ({ agent }) => agent!)].map(([agent, some]) =>
    readerOf(agent, some, grants),
  );
  const isTheirs = ({ grant }: BreachEntry): boolean =>
    vendor === null || grant === null || grants.get(grant)?.assignee === vendor;
  const measures = entries.filter(
    (entry) => MEASURES.has(entry.act) && entry.time >= from && isTheirs(entry),
  );
  const categories = new Map(
    readers.flatMap((reader) => reader.categories.map((one) => [one.category, one])),
  );
  return {
    type: "BreachNotice",
    storage,
    dataSubject: pod.owner,
    from: iso(from),
    to: iso(to),
    composed: iso(composed),
    authorityBy: iso(known + AUTHORITY_MS),
    reads: sum(readers, (reader) => reader.reads),
    documents: sum(readers, (reader) => reader.documents),
    categories: [...categories.values()],
    readers: readers.sort((a, b) => b.documents - a.documents || (a.agent < b.agent ? -1 : 1)),
    measures: measures.map(({ time, act, grant }) => ({ at: iso(time), act, grant })),
    erasedEntries: erased,
    toAdd: TO_ADD,
  };
}

/** As a door or a command is asked: `from` and `to` (now), `known` (now) and `vendor` (any). @throws Problem `input-invalid`. */
export function parseBreachQuestion(
  asked: { readonly [name in "from" | "to" | "known" | "vendor"]?: string | null | undefined },
  now: number,
): BreachQuestion {
  const momentOf = (name: "from" | "to" | "known", fallback: number): number => {
    const text = asked[name] ?? null;
    if (text === null) return fallback;
    const time = /^\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(time)) return time;
    const detail = `${name} is a day, or a moment in UTC, such as 2026-11-22T10:00:00Z`;
    throw new Problem("input-invalid", detail);
  };
  if ((asked.from ?? null) === null) throw new Problem("input-invalid", "Say from when: from=2026-11-22");
  return {
    from: momentOf("from", now),
    to: momentOf("to", now),
    known: momentOf("known", now),
    vendor: asked.vendor ?? null,
  };
}

export interface BreachDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Pick<Store, "read">;
  readonly grants: Pick<Grants, "list" | "urlOf">;
  readonly journal: BreachJournal;
  readonly limits: Pick<Limits, "breachEntriesMax">;
  readonly now: () => Date;
}

/** @returns what composes the notice of one pod. */
export function createBreachNotices(deps: BreachDeps) {
  const { baseUrl, store, grants, journal, limits, now } = deps;
  return async (pod: Pod, question: BreachQuestion): Promise<BreachNotice> => {
    await journal.flush();
    const all = await store.read(pod.id, (snapshot) => grants.list(snapshot));
    const byUrl = new Map<string, Grant>(all.map((grant) => [grants.urlOf(pod, grant.id), grant]));
    const place = { pod, storage: `${baseUrl}${pod.name}/`, composed: now().getTime() };
    return composeBreach(place, question, await readPeriod(journal, pod, question, limits), byUrl);
  };
}
export type BreachNotices = ReturnType<typeof createBreachNotices>;

const MEASURE_WORDS: Readonly<Record<string, string>> = {
  pause: "Access under this consent was stopped for the time being",
  revoke: "Access was taken back",
  alarm: "Something unusual was noticed, and the owner was told",
  restrict: "A part of the storage was closed to everybody but its owner",
  keys: "Everything that is stored was sealed with new keys",
};

const many = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

function readerText(reader: Reader): string {
  const { agent, controllers, clients, categories, purposes, first, last, reads, documents } = reader;
  const lines = [
    `${agent}${controllers.some((one) => one !== agent) ? `, for ${controllers.join(", ")}` : ""}`,
    `  read ${many(documents, "document")} in ${many(reads, "request")}, from ${first} to ${last}`,
    `  kinds of data: ${categories.map(({ label, isSpecial }) => label + (isSpecial ? " (special category)" : "")).join(", ") || "not known"}`,
    `  agreed purposes: ${purposes.map(sureLabelOf).join(", ") || "none was said"}`,
    ...(clients.length > 0 ? [`  with: ${clients.join(", ")}`] : []),
    ...(reader.readsWithoutGrant > 0
      ? [`  ${many(reader.readsWithoutGrant, "request")} of these by an access list, not under a consent`]
      : []),
    ...reader.places.map((place) => `  - ${place}`),
  ];
  return lines.join("\n");
}

/** The same for a person to read: article 34 asks for clear and plain language. */
export function breachText(notice: BreachNotice): string {
  const { storage, dataSubject, from, to, categories, readers, measures, erasedEntries } = notice;
  const special = categories.filter(({ isSpecial }) => isSpecial);
  const parts = [
    `What was read from ${storage}\nfrom ${from} to ${to}, by others than its owner`,
    `Whose data: ${dataSubject}`,
    readers.length === 0
      ? "Nothing was read."
      : `In all: ${many(notice.documents, "document")} in ${many(notice.reads, "request")}, by ${readers.length} other${readers.length === 1 ? "" : "s"}.`,
    ...(special.length > 0
      ? [`Among them special categories: ${special.map(({ label }) => label).join(", ")}.`]
      : []),
    ...readers.map(readerText),
    measures.length === 0
      ? "Nothing was done about it yet."
      : `What was done:\n${measures.map(({ at, act, grant }) => `  ${at}  ${MEASURE_WORDS[act] ?? act}${grant === null ? "" : ` (${grant})`}`).join("\n")}`,
    ...(erasedEntries > 0
      ? [
          `${many(erasedEntries, "entry").replace(/entrys$/, "entries")} of the journal around that time were erased: what they said is not known any more.`,
        ]
      : []),
    `The supervisory authority is to be told by ${notice.authorityBy}.`,
    `To be added by whoever sends this:\n${notice.toAdd.map((one) => `  - ${one}`).join("\n")}`,
  ];
  return `${parts.join("\n\n")}\n`;
}
