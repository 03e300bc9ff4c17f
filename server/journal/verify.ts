/** Does the journal say what was recorded, all of it, in that order? */
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { JournalReport, JournalRow, Store } from "../store/store.ts";
import { decodeEntry, type JournalEntry } from "./entry.ts";
import { asHead, type HeadKeys, listHeads, type SignedHead } from "./heads.ts";

export interface VerifyReport {
  readonly entries: number;
  /** Entries whose content was erased. */
  readonly forgotten: number;
  /** Signed heads that the chain passes through, those from outside included. */
  readonly heads: number;
  /** What is wrong, in words; empty when nothing is. */
  readonly faults: readonly string[];
  /** What is odd and may be right: a clock that was set. */
  readonly warnings: readonly string[];
}

export type VerifyProgress = (done: number, total: number) => void;

const PAGE = 500;
const SAID_MAX = 20; // Of a kind; what comes after is only counted.
/** Entries are stamped before they wait for their commit, so neighbours may be in the other order by this much. */
const JITTER_MS = 10_000;

/** Findings of one kind, the first ones said and the others counted. */
function createFindings() {
  const said: string[] = [];
  let unsaid = 0;
  return {
    add(text: string): void {
      if (said.length < SAID_MAX) said.push(text);
      else unsaid++;
    },
    all: (): readonly string[] => (unsaid > 0 ? [...said, `… and ${unsaid} more`] : said),
  };
}

/** Checks of what entries say, in the order of their numbers. */
function createContentCheck(now: number) {
  const faults = createFindings();
  const warnings = createFindings();
  const forgotten = new Set<number>();
  /** By number, that of the entry that says so. */
  const named: { readonly by: number; readonly first: number; readonly last: number }[] = [];
  const signed = new Map<number, number>();
  let latest = Number.NEGATIVE_INFINITY;

  function checkTime(number: number, { time }: JournalEntry): void {
    const back = latest - time;
    if (back > JITTER_MS)
      warnings.add(`At entry ${number} the clock was set back by ${Math.round(back / 1_000)} seconds`);
    if (time > now + JITTER_MS) warnings.add(`Entry ${number} is from the future`);
    latest = back > JITTER_MS ? time : Math.max(latest, time); // Said once, where it happened.
  }

  return {
    add({ number, entry: bytes }: JournalRow): void {
      if (bytes === null) {
        forgotten.add(number);
        return;
      }
      let entry: JournalEntry;
      try {
        entry = decodeEntry(bytes);
      } catch {
        faults.add(`Entry ${number} is not one that this server understands`);
        return;
      }
      checkTime(number, entry);
      if (entry.act === "erase")
        for (const [first, last] of entry.numbers) named.push({ by: number, first, last });
      if (entry.act === "sign-head") for (const [, last] of entry.numbers) signed.set(last, number);
    },
    /** @param kept Numbers of the signed heads that are there. */
    report(kept: ReadonlySet<number>) {
      for (const number of forgotten) {
        const isNamed = named.some(({ by, first, last }) => by > number && first <= number && number <= last);
        if (!isNamed) faults.add(`Entry ${number} was emptied, and no later entry says that it was erased`);
      }
      for (const [number, by] of signed)
        if (!kept.has(number)) faults.add(`The signed head of entry ${number}, made at entry ${by}, is gone`);
      return { faults: faults.all(), warnings: warnings.all() };
    },
  };
}

/** All rows that can be read; what cannot is a fault that the store reports itself. */
async function* readable(store: Store, pod: Pod): AsyncGenerator<JournalRow> {
  const { number: end } = await store.journal.head(pod.id);
  for (let after = 0; after < end; after += PAGE) {
    const most = Math.min(PAGE, end - after);
    let rows: readonly JournalRow[];
    try {
      rows = await store.journal.read(pod.id, after, most);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      rows = await oneByOne(store, pod, after, most);
    }
    // Numbers may be wrong where rows were moved: which are where is for the chain to say.
    yield* rows;
  }
}

async function oneByOne(store: Store, pod: Pod, after: number, most: number): Promise<readonly JournalRow[]> {
  const rows: JournalRow[] = [];
  for (let number = after; number < after + most; number++) {
    try {
      const [row] = await store.journal.read(pod.id, number, 1);
      if (row && row.number <= after + most) rows.push(row);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
  return rows;
}

/**
 * @param outside Heads that were kept elsewhere: they find what one who has all of the server's keys would do.
 * @throws Problem `not-found` for a pod that is gone.
 */
export async function verifyJournal(
  { store, keys, now }: { readonly store: Store; readonly keys: HeadKeys; readonly now: () => Date },
  pod: Pod,
  outside: readonly SignedHead[],
  progress: VerifyProgress = () => {},
): Promise<VerifyReport> {
  const faults: string[] = [];
  const good: SignedHead[] = [];
  /** What cannot be read is damaged: a fault like any other. */
  async function orFault<T>(work: Promise<T>, otherwise: T, fault: string): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "unavailable") throw error;
      faults.push(fault);
      return otherwise;
    }
  }
  const kept = await orFault<readonly SignedHead[]>(
    store.read(pod.id, listHeads),
    [],
    "The signed heads are damaged",
  );
  for (const [heads, whose] of [
    [kept, "stored"],
    [outside, "given"],
  ] as const) {
    for (const head of heads) {
      if (head.pod !== pod.name) faults.push(`A ${whose} head is of ${head.pod}, not of ${pod.name}`);
      else if (!(await keys.isValid(head)))
        faults.push(`The ${whose} head of entry ${head.number} was not signed by this server`);
      else good.push(head);
    }
  }
  const chain = await orFault<JournalReport>(
    store.journal.verify(pod.id, good.map(asHead), (done, total) => progress(done, total * 2)),
    { entries: 0, forgotten: [], faults: [] },
    "The journal is damaged",
  );
  const content = createContentCheck(now().getTime());
  let done = chain.entries;
  for await (const row of readable(store, pod)) {
    content.add(row);
    if (++done % PAGE === 0) progress(done, chain.entries * 2);
  }
  const said = content.report(new Set(kept.map(({ number }) => number)));
  progress(chain.entries * 2, chain.entries * 2);
  return {
    entries: chain.entries,
    forgotten: chain.forgotten.length,
    heads: good.length,
    faults: [...faults, ...chain.faults, ...said.faults],
    warnings: said.warnings,
  };
}
