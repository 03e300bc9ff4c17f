/** What a stream has between two times: as rows, or as one row for each hour, day or month. */
import { setImmediate } from "node:timers/promises";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { CSV, NDJSON, parseTime } from "./observation.ts";
import type { Columns } from "./page.ts";
import { durationMs } from "./stream.ts";

export interface Range {
  /** Milliseconds since 1970: from the first on, up to the second, which is not in it. */
  readonly from: number;
  readonly to: number;
  /** IRIs; null: all. */
  readonly sensor: string | null;
  readonly property: string | null;
  /** How long one row stands for: in milliseconds, by the calendar, or null for each observation by itself. */
  readonly every: number | "month" | null;
}

export const RANGE_TYPES: readonly string[] = ["application/json", NDJSON, CSV];

const PARAMETERS: ReadonlySet<string> = new Set(["from", "to", "sensor", "property", "every"]);

function timeOf(parameters: URLSearchParams, name: string, otherwise: number): number {
  const text = parameters.get(name);
  const time = text === null ? otherwise : parseTime(text);
  if (time === null)
    throw new Problem("bad-request", `${name} is a time with a zone, such as 2026-03-01T00:00:00Z`);
  return time;
}

/** @returns null when nothing of it was asked for. @throws Problem `bad-request`. */
export function parseRange(parameters: URLSearchParams): Range | null {
  if (![...parameters.keys()].some((name) => PARAMETERS.has(name))) return null;
  for (const name of parameters.keys())
    if (!PARAMETERS.has(name) || parameters.getAll(name).length > 1)
      throw new Problem("bad-request", `A range has from, to, sensor, property and every, each once`);
  const text = parameters.get("every");
  const every = text === null ? null : text === "P1M" ? "month" : durationMs(text);
  if (text !== null && every === null)
    throw new Problem("bad-request", "every is a duration, such as PT1H, P1D or P1M");
  return {
    from: timeOf(parameters, "from", -Infinity),
    to: timeOf(parameters, "to", Infinity),
    sensor: parameters.get("sensor"),
    property: parameters.get("property"),
    every,
  };
}

/** The first place at which time is not before `time`. */
function placeOf(times: Float64Array, count: number, time: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Calls `visit` for each row of the range. */
function scan(columns: Columns, { from, to, sensor, property }: Range, visit: (row: number) => void): void {
  const { count, times, sensors, properties, sensorNames, propertyNames } = columns;
  const ofSensor = sensor === null ? -1 : sensorNames.indexOf(sensor);
  const ofProperty = property === null ? -1 : propertyNames.indexOf(property);
  if ((sensor !== null && ofSensor < 0) || (property !== null && ofProperty < 0)) return;
  const end = placeOf(times, count, to);
  for (let row = placeOf(times, count, from); row < end; row += 1)
    if ((ofSensor < 0 || sensors[row] === ofSensor) && (ofProperty < 0 || properties[row] === ofProperty))
      visit(row);
}

function countIn(pages: readonly Columns[], range: Range): number {
  let rows = 0;
  for (const page of pages)
    scan(page, range, () => {
      rows += 1;
    });
  return rows;
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));
const DAY_MS = 86_400_000;

/** ISO 8601 in UTC; the day is spelled once for all that follow in it. */
function createClock(): (time: number) => string {
  let start = Number.NaN;
  let day = "";
  return (time) => {
    if (!(time >= start && time < start + DAY_MS)) {
      start = Math.floor(time / DAY_MS) * DAY_MS;
      day = new Date(start).toISOString().slice(0, 11);
    }
    const rest = time - start;
    const seconds = Math.floor(rest / 1_000);
    const millis = rest % 1_000;
    const [hour, minute] = [
      TWO_DIGITS[Math.floor(seconds / 3_600)],
      TWO_DIGITS[Math.floor(seconds / 60) % 60],
    ];
    const fraction = millis === 0 ? "" : `.${String(millis).padStart(3, "0")}`;
    return `${day}${hour}:${minute}:${TWO_DIGITS[seconds % 60]}${fraction}Z`;
  };
}

/** Turns rows into lines of the format; what ends a line is spelled once for each sensor and property. */
function createWriter(contentType: string, numbers: readonly string[]) {
  const ends = new Map<string, Map<string, string>>();
  const clock = createClock();
  const isCsv = contentType === CSV;
  const isList = !isCsv && contentType !== NDJSON;
  const names = numbers.map((name) => `,"${name}":`);
  const fields = ["time", ...numbers, "sensor", "property"];
  let isFirst = true;

  function endOf(sensor: string, property: string): string {
    let ofSensor = ends.get(sensor);
    if (!ofSensor) ends.set(sensor, (ofSensor = new Map()));
    let end = ofSensor.get(property);
    if (end === undefined) {
      end = isCsv
        ? `,${quoted(sensor)},${quoted(property)}\r\n`
        : `,"sensor":${JSON.stringify(sensor)},"property":${JSON.stringify(property)}}${isList ? "" : "\n"}`;
      ofSensor.set(property, end);
    }
    return end;
  }

  return {
    head: isCsv ? `${fields.join(",")}\r\n` : isList ? "[" : "",
    tail: isList ? "]\n" : "",
    row: (time: number, values: readonly number[], sensor: string, property: string): string => {
      let line = isCsv ? clock(time) : `{"time":"${clock(time)}"`;
      for (const [at, value] of values.entries()) line += isCsv ? `,${value}` : `${names[at] ?? ""}${value}`;
      const end = endOf(sensor, property);
      if (!isList) return line + end;
      const separator = isFirst ? "\n" : ",\n";
      isFirst = false;
      return separator + line + end;
    },
    /** The same for one number, of which there may be very many. */
    one: (time: number, value: number, sensor: string, property: string): string => {
      const end = endOf(sensor, property);
      if (isCsv) return `${clock(time)},${value}${end}`;
      const line = `{"time":"${clock(time)}"${names[0] ?? ""}${value}${end}`;
      if (!isList) return line;
      const separator = isFirst ? "\n" : ",\n";
      isFirst = false;
      return separator + line;
    },
  };
}

const ROWS_PER_CHUNK = 1_000;
const PAGES_AT_ONCE = 8; // Some milliseconds, in which nobody else is served.

/** Each observation, in pieces, so that a slow reader holds nothing but numbers. */
async function* rowsOf(
  pages: readonly Columns[],
  range: Range,
  contentType: string,
): AsyncGenerator<Uint8Array> {
  const { head, tail, one } = createWriter(contentType, ["value"]);
  let text = head;
  let waiting = 0;
  for (const page of pages) {
    const { times, values, sensors, properties, sensorNames, propertyNames } = page;
    const rows: number[] = [];
    scan(page, range, (row) => void rows.push(row));
    for (const row of rows) {
      const [sensor, property] = [sensorNames[sensors[row] ?? 0], propertyNames[properties[row] ?? 0]];
      text += one(times[row] ?? 0, values[row] ?? 0, sensor ?? "", property ?? "");
      waiting += 1;
      if (waiting < ROWS_PER_CHUNK) continue;
      yield Buffer.from(text);
      text = "";
      waiting = 0;
    }
  }
  yield Buffer.from(text + tail);
}

interface Bucket {
  readonly time: number;
  readonly sensor: string;
  readonly property: string;
  count: number;
  sum: number;
  min: number;
  max: number;
}

function startOf(time: number, every: number | "month"): number {
  if (every !== "month") return Math.floor(time / every) * every;
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/**
 * Count, sum, mean, least and most of each stretch of time, sensor and property.
 * @throws Problem `query-refused` for more stretches than rows may be asked for.
 */
async function summarise(
  pages: readonly Columns[],
  range: Range,
  every: number | "month",
  most: number,
): Promise<Bucket[]> {
  const buckets = new Map<string, Bucket>();
  for (const [at, page] of pages.entries()) {
    if (at % PAGES_AT_ONCE === PAGES_AT_ONCE - 1) await setImmediate();
    const { times, values, sensors, properties, sensorNames, propertyNames } = page;
    let [before, bucket]: [number, Bucket | null] = [-1, null];
    let until = -Infinity;
    scan(page, range, (row) => {
      const [time, value] = [times[row] ?? 0, values[row] ?? 0];
      const kind = (sensors[row] ?? 0) * 65_536 + (properties[row] ?? 0);
      if (bucket === null || time >= until || kind !== before) {
        const start = startOf(time, every);
        until = every === "month" ? startOf(start + 32 * 86_400_000, every) : start + every;
        before = kind;
        const [sensor, property] = [
          sensorNames[sensors[row] ?? 0] ?? "",
          propertyNames[properties[row] ?? 0] ?? "",
        ];
        const key = `${start} ${sensor} ${property}`;
        bucket = buckets.get(key) ?? null;
        if (!bucket) {
          if (buckets.size >= most)
            throw new Problem(
              "query-refused",
              `An answer has at most ${most} rows; ask for less, or for longer ones`,
            );
          bucket = { time: start, sensor, property, count: 0, sum: 0, min: value, max: value };
          buckets.set(key, bucket);
        }
      }
      bucket.count += 1;
      bucket.sum += value;
      if (value < bucket.min) bucket.min = value;
      if (value > bucket.max) bucket.max = value;
    });
  }
  return [...buckets.values()].sort((left, right) => left.time - right.time);
}

/** @returns the answer, and how many rows it has: known before its first byte is sent. */
export async function answerRange(
  pages: readonly Columns[],
  range: Range,
  contentType: string,
  limits: Limits,
): Promise<{ readonly body: AsyncIterable<Uint8Array> | Uint8Array; readonly rows: number }> {
  if (range.every === null) return { body: rowsOf(pages, range, contentType), rows: countIn(pages, range) };
  const buckets = await summarise(pages, range, range.every, limits.queryOwnerRowsMax);
  const { head, tail, row } = createWriter(contentType, ["count", "sum", "mean", "min", "max"]);
  const lines = buckets.map(({ time, count, sum, min, max, sensor, property }) =>
    row(time, [count, sum, sum / count, min, max], sensor, property),
  );
  return { body: Buffer.from(`${head}${lines.join("")}${tail}`), rows: buckets.length };
}
