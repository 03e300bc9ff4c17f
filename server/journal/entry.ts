/** One entry of a pod's journal: who did what, where, and what came of it. Never what was read, written or asked. */
import { Problem } from "../errors.ts";

const ACTS = [
  "create",
  "change",
  "append",
  "delete",
  "look",
  "query",
  "access", // An access list was written as a document.
  "grant", // The owner gave somebody access on the account page …
  "revoke", // … or took it back.
  "export",
  "import",
  "erase",
  "restore",
  "restrict",
  "release",
  "move",
  "backup",
  "verify",
  "keys", // What is stored was sealed with new keys.
  "sign-head",
  "subscribe", // From now on, what is new here is told to somewhere outside …
  "unsubscribe", // … and from now on it is not: for what reason, the status says, if somebody gave one.
  "pause", // A grant rests …
  "resume", // … and goes on …
  "lapse", // … or has ended by itself: its time is over, all of it is used, another took its place.
  "alarm", // Something was read as nobody with good reason would.
  "ask", // Somebody asked for access, or asks no more.
  "decide", // What was asked was decided, or that was taken back.
] as const;
export type Act = (typeof ACTS)[number];

/** Whoever runs the server. Not an address, so no WebID can pass for it. */
export const OPERATOR = "operator";
/** What the server does of itself. */
export const SERVER = "server";
/** In the place of an agent or a path: more of them than are kept apart. */
export const SEVERAL = "*";

export interface JournalEntry {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** For several alike that were counted together: when the first of them was. */
  readonly since: number | null;
  /** How many times; 1 unless they were counted together. */
  readonly count: number;
  readonly act: Act;
  /** A WebID, {@link OPERATOR}, {@link SERVER}, {@link SEVERAL}, or null: nobody said who it was. */
  readonly agent: string | null;
  readonly client: string | null;
  readonly issuer: string | null;
  readonly origin: string | null;
  /** Canonical path in the server, or {@link SEVERAL}. */
  readonly path: string | null;
  readonly decision: "granted" | "denied";
  /** What for, as the agent says. */
  readonly purpose: string | null;
  /** By which consent. */
  readonly grant: string | null;
  /** HTTP status of the answer. */
  readonly status: number | null;
  /** Of a query's answer. */
  readonly rows: number | null;
  /** How many a query ranged over. */
  readonly documents: number | null;
  /** Of content: what went out, or came in. */
  readonly bytes: number | null;
  /** The request's id, as in the log. */
  readonly request: string | null;
  /** How many folders above the path were made for it. */
  readonly folders: number | null;
  /** First and last numbers of entries that this one is about: those that were erased, or up to where was signed. */
  readonly numbers: readonly (readonly [first: number, last: number])[];
}

/** An entry before it has its time: what is left out is null, granted, and once. */
export type Deed = Pick<JournalEntry, "act"> & Partial<Omit<JournalEntry, "act" | "time">>;

/** Names on disk, never to be used for anything else. */
const NAMES = {
  time: "t",
  since: "f",
  count: "n",
  act: "x",
  agent: "a",
  client: "c",
  issuer: "i",
  origin: "o",
  path: "p",
  purpose: "u",
  grant: "g",
  status: "s",
  rows: "r",
  documents: "k",
  bytes: "b",
  request: "q",
  folders: "m",
  numbers: "e",
} as const satisfies Partial<Record<keyof JournalEntry, string>>;
type Name = keyof typeof NAMES;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** @param time Milliseconds since 1970. */
export function encodeEntry(deed: Deed, time: number): Uint8Array {
  const kept: Record<string, unknown> = { [NAMES.time]: time };
  for (const name in NAMES) {
    const value = (deed as Partial<JournalEntry>)[name as Name];
    if (value === undefined || value === null || name === "time" || (name === "count" && value === 1))
      continue;
    if (name !== "numbers" || (value as readonly unknown[]).length > 0) kept[NAMES[name as Name]] = value;
  }
  if (deed.decision === "denied") kept["d"] = 0;
  return encoder.encode(JSON.stringify(kept));
}

/** @throws Problem `unavailable` for bytes that are no entry: the store proved them, so a newer server wrote them. */
export function decodeEntry(bytes: Uint8Array): JournalEntry {
  let kept: Record<string, unknown>;
  try {
    kept = JSON.parse(decoder.decode(bytes)) as Record<string, unknown>;
  } catch (cause) {
    throw new Problem("unavailable", "An entry of the journal cannot be read", { cause });
  }
  if (typeof kept[NAMES.time] !== "number" || !ACTS.includes(kept[NAMES.act] as Act))
    throw new Problem("unavailable", "An entry of the journal is of a kind that is not known here");
  const text = (name: Name): string | null => (kept[NAMES[name]] as string | undefined) ?? null;
  const number = (name: Name): number | null => (kept[NAMES[name]] as number | undefined) ?? null;
  return {
    time: kept[NAMES.time] as number,
    since: number("since"),
    count: number("count") ?? 1,
    act: kept[NAMES.act] as Act,
    agent: text("agent"),
    client: text("client"),
    issuer: text("issuer"),
    origin: text("origin"),
    path: text("path"),
    decision: kept["d"] === 0 ? "denied" : "granted",
    purpose: text("purpose"),
    grant: text("grant"),
    status: number("status"),
    rows: number("rows"),
    documents: number("documents"),
    bytes: number("bytes"),
    request: text("request"),
    folders: number("folders"),
    numbers: (kept[NAMES.numbers] as JournalEntry["numbers"] | undefined) ?? [],
  };
}

/** Numbers in ascending order as ranges. */
export function rangesOf(numbers: Iterable<number>): [first: number, last: number][] {
  const ranges: [number, number][] = [];
  for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}
