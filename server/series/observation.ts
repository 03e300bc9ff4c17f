/**
 * Observations as they come in: lines of JSON or CSV, each of which becomes a `sosa:Observation` that fits
 * `iot:ObservationShape` by what is checked here. https://www.w3.org/TR/vocab-ssn/#SOSAObservation
 */
import { cardNumbersIn } from "@freehold/shapes";
import { Problem, type ProblemDetail } from "../errors.ts";
import { parseIri } from "../iri.ts";
import type { Limits } from "../limits.ts";

export interface Observation {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly value: number;
  /** IRIs. */
  readonly sensor: string;
  readonly property: string;
}

/** What a line need not say, because the stream's description does. */
export interface Defaults {
  readonly sensor: string | null;
  readonly property: string | null;
}

export interface Reading {
  /** What relative IRIs are relative to. */
  readonly base: string;
  readonly defaults: Defaults;
  readonly limits: Limits;
  /** Milliseconds since 1970: nothing was observed much later than now. */
  readonly now: number;
}

export const NDJSON = "application/x-ndjson";
export const CSV = "text/csv";
export const OBSERVATION_SHAPE = "https://w3id.org/freehold/shapes/iot#ObservationShape";

const ERRORS_SHOWN = 100; // Whoever sent more mistakes can come back for the rest.
const FIELDS: ReadonlySet<string> = new Set(["time", "value", "sensor", "property"]);
const TIME = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

type Fields = Readonly<Record<string, unknown>>;

/** A time with its zone, to the millisecond; null for all else, also for the 30th of February. */
export function parseTime(text: unknown): number | null {
  const parts = typeof text === "string" ? TIME.exec(text) : null;
  if (!parts) return null;
  const [, year, month, day] = parts.map(Number) as [number, number, number, number];
  if (day > 28 && new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return null;
  const time = Date.parse(parts[0]);
  return Number.isNaN(time) ? null : time;
}

/** Each IRI is read once, however many lines have it. */
function createIris(base: string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    let iri = known.get(text);
    if (iri === undefined) {
      // Absolute ones stay as they are spelled: another spelling is another name.
      iri = parseIri(/^[a-z][a-z0-9+.-]*:/i.test(text) ? text : new URL(text, base).href);
      known.set(text, iri);
    }
    return iri;
  };
}

/** @returns what is wrong with the line, in words, or the observation. */
function readFields(
  fields: Fields,
  { defaults, limits, now }: Reading,
  iriOf: (text: string) => string,
): Observation | string {
  const { time: timeText, value, sensor = defaults.sensor, property = defaults.property } = fields;
  for (const name of Object.keys(fields)) if (!FIELDS.has(name)) return `There is no field ${name}`;
  const time = parseTime(timeText);
  if (time === null) return "Say when it was measured, with a time zone: 2026-03-01T12:00:00Z";
  if (time > now + limits.seriesFutureMsMax) return "This has not been measured yet";
  if (typeof value !== "number" || !Number.isFinite(value)) return "Give the measured value, a number";
  // As in any document of a folder with a shape; what a meter measures after the point is no number of a card.
  if (Number.isInteger(value) && cardNumbersIn(String(value)).length > 0)
    return "Leave out numbers of payment cards";
  try {
    if (typeof sensor !== "string" || sensor === "") return "Name one meter, in the field sensor";
    if (typeof property !== "string" || property === "")
      return "Say what was measured, in the field property";
    return { time, value: value === 0 ? 0 : value, sensor: iriOf(sensor), property: iriOf(property) };
  } catch {
    return "sensor and property are addresses";
  }
}

function* linesOf(text: string): Generator<readonly [line: string, number: number]> {
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end).trimEnd();
    number += 1;
    if (line !== "") yield [line, number];
    at = end < 0 ? text.length : end + 1;
  }
}

function* ndjson(text: string): Generator<readonly [Fields | string, number]> {
  for (const [line, number] of linesOf(text)) {
    let value: unknown = null;
    try {
      value = JSON.parse(line);
    } catch {
      // Told with the line's number below.
    }
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    yield [isObject ? (value as Fields) : "The line is no JSON object", number];
  }
}

const CELL = /(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/gy;

/** @returns null for a line whose quotes do not match. https://www.rfc-editor.org/rfc/rfc4180 */
function cellsOf(line: string): readonly string[] | null {
  if (!line.includes('"')) return line.split(",");
  const cells: string[] = [];
  let end = 0;
  for (const match of line.matchAll(CELL)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    end = match.index + match[0].length;
  }
  return end === line.length ? cells : null;
}

function* csv(text: string): Generator<readonly [Fields | string, number]> {
  let names: readonly string[] | null = null;
  for (const [line, number] of linesOf(text)) {
    const cells = cellsOf(line);
    if (!names) {
      names = cells?.map((cell) => cell.trim()) ?? [];
      if (!names.includes("time") || !names.includes("value"))
        throw new Problem("input-invalid", "The first line names the columns: time, value, sensor, property");
      continue;
    }
    if (cells?.length !== names.length) {
      yield ["The line has not as many columns as the first", number];
      continue;
    }
    const fields: Record<string, unknown> = {};
    for (const [at, name] of names.entries()) {
      const cell = cells[at]?.trim() ?? "";
      if (cell !== "") fields[name] = name === "value" && NUMBER.test(cell) ? Number(cell) : cell;
    }
    yield [fields, number];
  }
}

/**
 * All observations of a batch, in the order of their time; those of one time stay in the order they came in.
 * @throws Problem `shape-violation` with each line that does not fit: then nothing of the batch is stored; `input-invalid`,
 * `body-too-large`, `unsupported-media-type`.
 */
export function readBatch(bytes: Uint8Array, contentType: string, reading: Reading): Observation[] {
  const { limits, base } = reading;
  if (contentType !== NDJSON && contentType !== CSV)
    throw new Problem("unsupported-media-type", `Send ${NDJSON} or ${CSV}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("input-invalid", "The content is not UTF-8", { cause });
  }
  const iriOf = createIris(base);
  const found: Observation[] = [];
  const errors: ProblemDetail[] = [];
  let wrong = 0;
  for (const [fields, number] of contentType === CSV ? csv(text) : ndjson(text)) {
    const read = typeof fields === "string" ? fields : readFields(fields, reading, iriOf);
    if (typeof read !== "string") found.push(read);
    else if (++wrong <= ERRORS_SHOWN) errors.push({ detail: read, at: `line ${number}` });
    if (found.length > limits.seriesBatchObservationsMax)
      throw new Problem("body-too-large", `A batch has at most ${limits.seriesBatchObservationsMax} lines`);
  }
  if (wrong > ERRORS_SHOWN) errors.push({ detail: `And ${wrong - ERRORS_SHOWN} more` });
  if (wrong > 0) throw new Problem("shape-violation", `A stream wants ${OBSERVATION_SHAPE}`, { errors });
  if (found.length === 0) throw new Problem("input-invalid", "There is no observation in this");
  return found.sort((left, right) => left.time - right.time);
}
