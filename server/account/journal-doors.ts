/** What was done to the owner's pod, and who looked at it: for a page, in its words; as a file; and whether it is whole. */
import { Problem } from "../errors.ts";
import type { Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, createGuards, done, type SignedIn } from "./guards.ts";
import { type JournalRows, numberOf, parseQuestion, searchJournal, sumJournal } from "./journal-search.ts";
import { appLabel, placeOf, purposeLabel, type ShownEntry, shownEntry, whoOf } from "./journal-words.ts";
import { told } from "./told.ts";

/** Where a journal stood at a moment, signed: who keeps one can tell later whether what it said then is still there. */
export interface KeptHead {
  readonly pod: string;
  readonly number: number;
  readonly hash: string;
  readonly time: string;
  readonly key: string;
  readonly signature: string;
}

interface CheckReport {
  readonly entries: number;
  readonly forgotten: number;
  readonly heads: number;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** `server/journal/` does this. */
export interface OwnerJournal extends JournalRows {
  /** Writes what was only counted until now. */
  flush(): Promise<void>;
  head(pod: Pod): Promise<KeptHead>;
  /** Reads all of it, and holds it against the chain, the heads that are kept with it, and those from `outside`. */
  verify(
    pod: Pod,
    outside: readonly KeptHead[],
    progress: (done: number, total: number) => void,
  ): Promise<CheckReport>;
  /** @throws Problem `input-invalid` for what is no signed head, nor a list of them. */
  parseHeads(text: string): readonly KeptHead[];
  note(
    pod: Pod,
    deed: { readonly act: "verify"; readonly agent: string; readonly client: string },
  ): Promise<void>;
}

const ROWS_MAX = 200;
const ROWS = 50;
const DAYS = 30;
const DAYS_MAX = 400; // As long as anybody compares with the year before.
const FILE_PAGE = 500;
const HEADS_MAX = 200;
const DAY_MS = 86_400_000;

const COLUMNS = [
  "Number",
  "Time",
  "Times",
  "Who",
  "Address",
  "App",
  "What",
  "Place",
  "Refused",
  "Purpose",
  "Answers",
  "Files",
  "Bytes",
  "Request",
] as const;

/** One cell of RFC 4180. What a table program would take for a formula is made text: strangers chose the words. */
function cell(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  const plain = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${plain.replaceAll('"', '""')}"`;
}

const line = (cells: readonly (string | number | null)[]): string => `${cells.map(cell).join(",")}\r\n`;

export function journalDoors(accounts: AccountService, journal: OwnerJournal): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods, config, now, log } = accounts.deps;
  const { baseUrl } = config;
  /** Pods whose journal is being read through: once at a time. */
  const checking = new Set<string>();

  async function podOf({ account }: SignedIn): Promise<Pod> {
    const pod = await pods.find(account.pod);
    if (!pod) throw new Problem("not-found", "The pod of this account is gone");
    return pod;
  }

  const namesIn = (entries: readonly (ShownEntry | null)[]): Promise<ReadonlyMap<string, string>> =>
    accounts.namesOf(entries.flatMap((entry) => entry?.agent ?? []));

  /** Oldest first, a page at a time, so that nobody holds more of it than that. */
  async function* asFile(pod: Pod, fits: (entry: ShownEntry | null) => boolean): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`\ufeff${line(COLUMNS)}`); // The mark tells table programs that this is UTF-8.
    const end = await journal.length(pod);
    for (let after = 0; after < end; after += FILE_PAGE) {
      const page = await journal.read(pod, after, Math.min(FILE_PAGE, end - after));
      const names = await namesIn(page.map(({ entry }) => entry));
      const rows = page.flatMap((numbered) => {
        if (!fits(numbered.entry)) return [];
        const row = shownEntry(numbered, pod, names, baseUrl);
        if ("erased" in row) return [line([row.number, null, null, null, null, null, "Erased"])];
        const { number, time, count, who, app, did, place, refused, purpose, rows, documents, bytes } = row;
        const iso = new Date(time).toISOString();
        const what = [number, iso, count, who.label, who.iri, app, did, place, refused ? "yes" : "no"];
        return [line([...what, purpose, rows, documents, bytes, row.request])];
      });
      if (rows.length > 0) yield Buffer.from(rows.join(""));
    }
  }

  /** @returns what the page is told at the end. @throws Problem `too-many-requests` while it runs already. */
  async function check(
    { account }: SignedIn,
    pod: Pod,
    outside: readonly KeptHead[],
    progress: (done: number, total: number) => void,
  ): Promise<object> {
    if (checking.has(pod.id)) throw new Problem("too-many-requests", "This check is running already");
    checking.add(pod.id);
    try {
      await journal.flush();
      const [first] = await journal.read(pod, 0, 1);
      const report = await journal.verify(pod, outside, progress);
      await journal.note(pod, { act: "verify", agent: pod.owner, client: `${baseUrl}.account/` });
      const at = now().getTime();
      await accounts.noteJournalChecked(account, { at, isSound: report.faults.length === 0 });
      return { ...report, at, since: first?.entry?.time ?? null, given: outside.length };
    } finally {
      checking.delete(pod.id);
    }
  }

  return [
    {
      verb: "get",
      path: "/.account/journal",
      door: guards.see(async (who, { url }) => {
        const pod = await podOf(who);
        const question = parseQuestion(url, pod);
        await journal.flush();
        const end = (await journal.length(pod)) + 1;
        const before = Math.min(numberOf(url.searchParams.get("before"), end, Number.MAX_SAFE_INTEGER), end);
        const limit = Math.max(1, numberOf(url.searchParams.get("limit"), ROWS, ROWS_MAX));
        const { found, next } = await searchJournal(journal, pod, question, before, limit);
        const names = await namesIn(found.map(({ entry }) => entry));
        const entries = found.map((row) => shownEntry(row, pod, names, baseUrl));
        return done({ entries, total: end - 1, next });
      }),
    },
    {
      verb: "get",
      path: "/.account/journal/summary",
      door: guards.see(async (who, { url }) => {
        const pod = await podOf(who);
        const days = Math.max(1, numberOf(url.searchParams.get("days"), DAYS, DAYS_MAX));
        await journal.flush();
        const sums = await sumJournal(journal, pod, now().getTime() - days * DAY_MS, baseUrl);
        const names = await accounts.namesOf(sums.people.map(({ name }) => name));
        return done({
          ...sums,
          total: await journal.length(pod),
          people: sums.people.map(({ name, ...sum }) => ({ who: whoOf(name || null, pod, names), ...sum })),
          purposes: sums.purposes.map(({ name, ...sum }) => ({
            purpose: name,
            label: purposeLabel(name),
            ...sum,
          })),
          places: sums.places.map(({ name, ...sum }) => ({ path: name, place: placeOf(name, pod), ...sum })),
          apps: sums.apps.map(({ places, ...app }) => ({
            ...app,
            app: appLabel(app.client, baseUrl),
            places: places.map(({ name, ...sum }) => ({ path: name, place: placeOf(name, pod), ...sum })),
          })),
        });
      }),
    },
    {
      verb: "get",
      path: "/.account/journal/file",
      // From our own page only: it is everything that happened.
      door: guards.remove(async (who, { url }): Promise<Result> => {
        const pod = await podOf(who);
        const { fits } = parseQuestion(url, pod);
        await journal.flush();
        return {
          status: 200,
          headers: {
            "content-type": "text/csv; charset=utf-8",
            "content-disposition": `attachment; filename="${pod.name}-activity.csv"`,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
          },
          body: asFile(pod, fits),
        };
      }),
    },
    {
      verb: "get",
      path: "/.account/journal/head",
      door: guards.see(async (who) => {
        await journal.flush();
        return done(await journal.head(await podOf(who)));
      }),
    },
    {
      verb: "post",
      path: "/.account/journal/verify",
      door: guards.own(async (who, input): Promise<Result> => {
        const pod = await podOf(who);
        const given = input.raw("heads") ?? [];
        const outside = journal.parseHeads(JSON.stringify(given));
        if (outside.length > HEADS_MAX)
          throw new Problem("input-invalid", `At most ${HEADS_MAX} signed heads`);
        return {
          status: 200,
          headers: {
            "content-type": "application/x-ndjson",
            "cache-control": "no-store",
            "cross-origin-resource-policy": "same-origin",
          },
          body: told(
            (report) => check(who, pod, outside, (passed, total) => report({ done: passed, total })),
            (cause) => log.error("journal.check-failed", { cause }),
          ),
        };
      }),
    },
  ];
}
