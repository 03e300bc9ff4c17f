/**
 * Histories at the store's port, and whether they are strictly serializable.
 *
 * Every commit has its generation, so the order of the commits is known, and with it every state that ever was. What is
 * left to ask: did each commit see the state before its own? Can each read be given one state, all of which it saw, that
 * is no older than what was acknowledged, or read by anybody, before it began, and no newer than what had begun when it ended?
 */
import type { Entry, PodId, Snapshot, Store, Table, Transaction } from "../../server/store/store.ts";

/** `table group item` → version and value; what is not there is null. */
export type State = ReadonlyMap<string, string>;

/** What a client did in one call, and what it saw. */
export interface Act {
  /** Readings of one clock that never gives the same twice. */
  readonly began: number;
  readonly ended: number;
  /** What was seen of single places: version and value, or null. Own writes are left out. */
  readonly seen: ReadonlyMap<string, string | null>;
  /** What was seen of whole ranges, by the beginning of their places. */
  readonly ranges: ReadonlyMap<string, State>;
  /** Value, or null for a deletion. Empty for a read. */
  readonly writes: ReadonlyMap<string, string | null>;
  /** That of the commit; for a read, the one it was told, or null if it did not ask. */
  readonly generation: number | null;
}

export interface History {
  /** The state before, and its generation. */
  readonly state: State;
  readonly generation: number;
  readonly acts: readonly Act[];
}

const show = (act: Act): string =>
  JSON.stringify({
    ...act,
    seen: [...act.seen],
    ranges: [...act.ranges].map(([range, state]) => [range, ...state]),
    writes: [...act.writes],
  });

/** Whether all that an act saw is so in `state`. */
function fits(act: Act, state: State): boolean {
  for (const [place, seen] of act.seen) if ((state.get(place) ?? null) !== seen) return false;
  for (const [range, seen] of act.ranges) {
    let count = 0;
    for (const [place, is] of state) {
      if (!place.startsWith(range)) continue;
      if (seen.get(place) !== is) return false;
      count++;
    }
    if (count !== seen.size) return false;
  }
  return true;
}

function after(state: State, act: Act): State {
  const next = new Map(state);
  for (const [place, value] of act.writes) {
    if (value === null) next.delete(place);
    else next.set(place, `${act.generation}:${value}`);
  }
  return next;
}

/** @returns what is wrong with the history, or null; and the state that it leaves. */
export function checkSerial({ state, generation, acts }: History): {
  readonly fault: string | null;
  readonly state: State;
  readonly generation: number;
} {
  const commits = acts
    .filter((act) => act.writes.size > 0)
    .sort((a, b) => (a.generation ?? 0) - (b.generation ?? 0));
  const states = [state];
  const end = (): { state: State; generation: number } => ({
    state: states.at(-1) ?? state,
    generation: generation + commits.length,
  });
  const fail = (fault: string) => ({ fault, ...end() });
  for (const [index, commit] of commits.entries()) {
    if (commit.generation !== generation + index + 1)
      return fail(`a generation is not the next: ${show(commit)}`);
    const before = states[index] ?? state;
    if (!fits(commit, before)) return fail(`a commit did not see the state before it: ${show(commit)}`);
    const early = commits.slice(index + 1).find((later) => later.ended < commit.began);
    if (early) return fail(`a commit came before one that was acknowledged: ${show(commit)} ${show(early)}`);
    states.push(after(before, commit));
  }
  // In the order of their beginnings, each the oldest state that it may have seen: that leaves most room for the others.
  const placed: { readonly ended: number; readonly at: number }[] = commits.map(({ ended }, index) => ({
    ended,
    at: index + 1,
  }));
  for (const read of acts.filter((act) => act.writes.size === 0).sort((a, b) => a.began - b.began)) {
    const least = placed.reduce((most, { ended, at }) => (ended < read.began ? Math.max(most, at) : most), 0);
    const first = commits.findIndex(({ began }) => began > read.ended);
    const most = first < 0 ? commits.length : first; // Commits in the order of generations: none after may show.
    let found = -1;
    for (let at = least; at <= most && found < 0; at++) {
      const isTold = read.generation === null || read.generation === generation + at;
      if (isTold && fits(read, states[at] ?? state)) found = at;
    }
    if (found < 0) {
      const anywhere = states.findIndex((one) => fits(read, one));
      const why = anywhere < 0 ? "is of no state at all" : `is of ${anywhere + generation}`;
      return fail(`a read between ${least + generation} and ${most + generation} ${why}: ${show(read)}`);
    }
    placed.push({ ended: read.ended, at: found });
  }
  return { fault: null, ...end() };
}

/** Whole number below `below`. */
export type Dice = (below: number) => number;

const TABLES: readonly Table[] = ["resource", "body"];
const GROUPS = ["/a/", "/b/", ""];
const ITEMS = ["", "x", "y", "z"];

export interface Recording {
  readonly store: Pick<Store, "read" | "write">;
  readonly pod: PodId;
  readonly clients: number;
  readonly actsEach: number;
  /** Called between the steps of an act. */
  readonly pause: () => Promise<void>;
  readonly dice: Dice;
}

const pick = <T>(dice: Dice, choices: readonly T[]): T => choices[dice(choices.length)] as T;
const shown = (entry: Entry): string => `${entry.version}:${Buffer.from(entry.value).toString()}`;

/** What one run of an act's work saw and wrote; the last run counts. */
interface Run {
  readonly seen: Map<string, string | null>;
  readonly ranges: Map<string, State>;
  readonly writes: Map<string, string | null>;
  generation: number | null;
}

const REFUSED = new Error("refused");

/** Lets clients act on one pod at the same time, and writes down what they saw. */
export async function record(recording: Recording): Promise<Act[]> {
  const { store, pod, clients, actsEach, pause, dice } = recording;
  const acts: Act[] = [];
  let clock = 0;

  async function look(snapshot: Snapshot, run: Run): Promise<void> {
    const [table, group, item] = [pick(dice, TABLES), pick(dice, GROUPS), pick(dice, ITEMS)];
    const range = dice(8) === 0 ? `${table}|` : dice(3) === 0 ? `${table}|${group}|` : null;
    if (range === null) {
      const place = `${table}|${group}|${item}`;
      const entry = await snapshot.get(table, group, item);
      if (run.writes.has(place)) return;
      const value = entry && shown(entry);
      if (run.seen.has(place) && run.seen.get(place) !== value)
        run.seen.set(place, "twice, and not the same");
      else run.seen.set(place, value);
      return;
    }
    if (run.writes.size > 0) return; // Lists show own writes, too.
    const members = new Map<string, string>();
    const all = range === `${table}|`;
    for await (const entry of all ? snapshot.all(table) : snapshot.list(table, group)) {
      members.set(`${table}|${entry.group}|${entry.item}`, shown(entry));
      if (dice(6) === 0) await pause();
    }
    run.ranges.set(range, members);
  }

  function write(transaction: Transaction, run: Run, value: string): void {
    const [table, group, item] = [pick(dice, TABLES), pick(dice, GROUPS), pick(dice, ITEMS)];
    const isDeletion = dice(4) === 0;
    run.writes.set(`${table}|${group}|${item}`, isDeletion ? null : value);
    if (isDeletion) transaction.delete(table, group, item);
    else transaction.put(table, group, item, Buffer.from(value));
  }

  async function act(name: string): Promise<void> {
    const kind = pick(dice, ["read", "read", "write", "write", "blind", "look", "refused"] as const);
    const steps = 1 + dice(4);
    const asks = dice(5) === 0;
    let run: Run = { seen: new Map(), ranges: new Map(), writes: new Map(), generation: null };
    const begin = (snapshot: Snapshot): void => {
      run = { seen: new Map(), ranges: new Map(), writes: new Map(), generation: null };
      if (asks) run.generation = snapshot.generation;
    };
    const began = ++clock;
    let generation: number | null = null;
    if (kind === "read") {
      await store.read(pod, async (snapshot) => {
        begin(snapshot);
        for (let step = 0; step < steps; step++) {
          await pause();
          await look(snapshot, run);
        }
      });
      ({ generation } = run);
    } else {
      const writing = store.write(pod, async (transaction) => {
        begin(transaction);
        for (let step = 0; step < steps; step++) {
          await pause();
          if (kind !== "blind") await look(transaction, run);
          if (kind === "write" && dice(2) === 0) write(transaction, run, `${name}.${step}`);
        }
        if (kind === "refused") throw REFUSED;
        if (kind === "write" || kind === "blind") write(transaction, run, name);
      });
      const committed = await writing.catch((error: unknown) => {
        if (error !== REFUSED) throw error;
        run.writes.clear();
        return null;
      });
      generation = run.writes.size > 0 ? (committed?.generation ?? null) : run.generation;
    }
    acts.push({ began, ended: ++clock, seen: run.seen, ranges: run.ranges, writes: run.writes, generation });
  }

  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let n = 0; n < actsEach; n++) {
        await act(`${client}.${n}`);
        if (dice(2) === 0) await pause();
      }
    }),
  );
  return acts;
}
