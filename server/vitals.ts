/** How the server itself has been doing for the last hour, and the last lines of its log: in memory, for whoever runs it. Nothing of any pod. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Level, Log, LogFields } from "./log.ts";

/** One minute. */
export interface Minute {
  /** Its beginning, milliseconds since 1970. */
  readonly at: number;
  readonly requests: number;
  /** Of the requests, those that the server could not answer as it should (5xx). */
  readonly failed: number;
  /** Milliseconds that the slowest request took. */
  readonly slowestMs: number;
  /** The longest that everything had to wait for one thing, in milliseconds. */
  readonly pauseMs: number;
  /** Memory of the process at its end, in bytes. */
  readonly memoryBytes: number;
}

/** A line of the log without what could name anybody. */
export interface LogLine {
  readonly at: number;
  readonly level: Level;
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export interface Vitals {
  /** The log that is watched: all that is written to it is written on. */
  readonly log: Log;
  /** The last hour, the oldest first; minutes in which nothing was running are not there. */
  minutes(): readonly Minute[];
  /** The newest first. */
  lines(levels: readonly Level[]): readonly LogLine[];
  /** When this server began, milliseconds since 1970. */
  readonly since: number;
  close(): void;
}

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 60;
const LINES_KEPT = 500;
const SAMPLE_MS = 10_000;
const LOOP_RESOLUTION_MS = 50; // Twenty wake-ups a second, outside of the language.

/** What these fields hold is a number, a switch, or one of a few words of ours; all others may name somebody. */
const SHOWN = new Set(
  "status ms task exit kind code rows blobs documents bytes seconds pods count tries days discarded passkey passport by type table number grants passports trouble zone zones epochs".split(
    " ",
  ),
);
const WORD = /^[a-z0-9][a-z0-9 ._-]{0,40}$/i;
/** Of a cause only what kind of error it is: the rest of its words may be anybody's. */
const KIND_OF_ERROR = /^(?:[A-Z][A-Za-z]*(?:Error|Refused)|Problem)\b|\bE[A-Z]{3,20}\b/;

function shownOf(fields: LogFields): LogLine["fields"] {
  const shown: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "number" || typeof value === "boolean") {
      if (SHOWN.has(name)) shown[name] = value;
    } else if (typeof value === "string") {
      if (name === "cause") {
        const [kind] = KIND_OF_ERROR.exec(value) ?? [];
        if (kind !== undefined) shown["cause"] = kind;
      } else if (SHOWN.has(name) && WORD.test(value)) shown[name] = value;
    }
  }
  return shown;
}

/** @param inner Where lines go. */
export function createVitals(inner: Log, now: () => Date): Vitals {
  const minutes: { -readonly [name in keyof Minute]: Minute[name] }[] = [];
  const lines: LogLine[] = [];
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();

  function thisMinute(): (typeof minutes)[number] {
    const at = Math.floor(now().getTime() / MINUTE_MS) * MINUTE_MS;
    let minute = minutes.at(-1);
    if (minute?.at !== at) {
      minute = { at, requests: 0, failed: 0, slowestMs: 0, pauseMs: 0, memoryBytes: 0 };
      minutes.push(minute);
      if (minutes.length > MINUTES_KEPT) minutes.shift();
    }
    return minute;
  }

  function sample(): void {
    const minute = thisMinute();
    const pauseMs = Math.max(0, loop.max / 1e6 - LOOP_RESOLUTION_MS); // It counts from the last tick on.
    if (Number.isFinite(pauseMs)) minute.pauseMs = Math.max(minute.pauseMs, Math.round(pauseMs * 10) / 10);
    minute.memoryBytes = process.memoryUsage.rss();
    loop.reset();
  }

  function keep(level: Level, event: string, fields: LogFields = {}): void {
    if (event !== "request") {
      lines.push({ at: now().getTime(), level, event, fields: shownOf(fields) });
      if (lines.length > LINES_KEPT) lines.shift();
      return;
    }
    const minute = thisMinute();
    const { status, ms } = fields;
    minute.requests += 1;
    if (typeof status === "number" && status >= 500) minute.failed += 1;
    if (typeof ms === "number") minute.slowestMs = Math.max(minute.slowestMs, ms);
  }

  const watched =
    (level: "info" | "warn" | "error") =>
    (event: string, fields?: LogFields): void => {
      inner[level](event, fields);
      keep(level, event, fields);
    };
  const timer = setInterval(sample, SAMPLE_MS).unref();
  return {
    log: { ...inner, info: watched("info"), warn: watched("warn"), error: watched("error") },
    since: now().getTime(),
    minutes() {
      sample();
      return minutes.map((minute) => ({ ...minute }));
    },
    lines: (levels) => lines.filter(({ level }) => levels.includes(level)).reverse(),
    close() {
      clearInterval(timer);
      loop.disable();
    },
  };
}
