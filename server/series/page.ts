/**
 * A page of a stream: an ordinary Turtle document in which each observation is one line, so that a page grows by lines
 * and is read by lines. It is a node of the stream's LDES as it stands. https://w3id.org/ldes
 */
import { ldes, rdf, sosa, tree, xsd } from "@freehold/vocab";
import { parseRdf } from "../rdf/parse.ts";
import type { Quad } from "../rdf/terms.ts";
import type { Observation } from "./observation.ts";

/** Many observations, as small as they can be: 20 bytes each. */
export interface Columns {
  readonly count: number;
  /** Milliseconds since 1970, in order. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Places in the lists of names. */
  readonly sensors: Uint16Array;
  readonly properties: Uint16Array;
  readonly sensorNames: readonly string[];
  readonly propertyNames: readonly string[];
}

/**
 * What all pages begin with: prefixes that stand for one word each, for a line of many words would be twice as long. `e:`
 * is the stream: a page is two folders below what its address is made from.
 */
const HEAD = `@prefix O: <${sosa.Observation}> .
@prefix m: <${sosa.madeBySensor}> .
@prefix o: <${sosa.observedProperty}> .
@prefix t: <${sosa.resultTime}> .
@prefix x: <${xsd.dateTime}> .
@prefix r: <${sosa.hasSimpleResult}> .
@prefix h: <${tree.member}> .
@prefix e: <../#stream> .
<> a <${tree.Node}> .
`;
const CLOSED = `<> <${ldes.immutable}> true .\n`;
const NAME = /@prefix ([sp])(\d+): <([^>]*)> \.\n/g;

/** A page while it is written. */
export interface Draft {
  add(observation: Observation): void;
  /** Nothing will be added any more. https://w3id.org/ldes#immutable */
  close(): void;
  /** Of what there is so far; characters, for those that are more than a byte are few. */
  size(): number;
  bytes(): Uint8Array;
}

/** Prefixes that stand for one IRI each: lines name it with three letters. */
function createNames(letter: "s" | "p", known: readonly string[], declare: (line: string) => void) {
  const short = new Map(known.map((iri, at) => [iri, `${letter}${at}:`]));
  return (iri: string): string => {
    let name = short.get(iri);
    if (name === undefined) {
      name = `${letter}${short.size}:`;
      short.set(iri, name);
      declare(`@prefix ${name} <${iri}> .\n`);
    }
    return name;
  };
}

const isoOf = (time: number): string => new Date(time).toISOString().replace(".000Z", "Z");

/** @param before A page of this server's that is not closed, to be gone on with. */
export function draftPage(before: { readonly bytes: Uint8Array; readonly count: number } | null): Draft {
  const known = { s: [] as string[], p: [] as string[] };
  if (before)
    for (const [, letter, , iri = ""] of Buffer.from(before.bytes).toString("latin1").matchAll(NAME))
      known[letter as "s" | "p"].push(Buffer.from(iri, "latin1").toString());
  const lines: string[] = [];
  let size = before?.bytes.length ?? 0;
  const write = (line: string): void => {
    lines.push(line);
    size += line.length;
  };
  if (!before) write(HEAD);
  const [sensorName, propertyName] = [createNames("s", known.s, write), createNames("p", known.p, write)];
  let count = before?.count ?? 0;
  return {
    add({ time, value, sensor, property }) {
      const [s, p] = [sensorName(sensor), propertyName(property)];
      const id = `<#${count}>`;
      write(`${id} a O: ; m: ${s} ; o: ${p} ; t: "${isoOf(time)}"^^x: ; r: ${value} . e: h: ${id} .\n`);
      count += 1;
    },
    close: () => write(CLOSED),
    size: () => size,
    bytes: () => Buffer.concat([before?.bytes ?? new Uint8Array(), Buffer.from(lines.join(""))]),
  };
}

/** What stands between the parts of a line, by length: the line is `<#12> a O: ; m: s0: ; o: p0: ; t: "…"^^x: ; r: 21.5 . …`. */
const BEFORE = {
  sensor: "> a O: ; m: s".length,
  property: ": ; o: p".length,
  time: ': ; t: "'.length,
  value: '"^^x: ; r: '.length,
};
const [LESS, HASH, DIGIT_0, DIGIT_9, POINT, SPACE, MINUS, LINE_END, AT] = Buffer.from("<#09. -\n@") as unknown as [
  number, number, number, number, number, number, number, number, number,
]; // biome-ignore format: one line
const EXACT_MAX = 9e14; // Below, a digit more is added without loss.

/**
 * Reads a page that this server wrote, as it wrote it. Nothing else may come in here: what its lines look like is
 * known, not checked.
 */
export function scanPage(bytes: Uint8Array, count: number): Columns {
  const names = { s: [] as string[], p: [] as string[] };
  const [times, values] = [new Float64Array(count), new Float64Array(count)];
  const [sensors, properties] = [new Uint16Array(count), new Uint16Array(count)];
  let at = 0;
  let row = 0;
  let [day, dayStart] = [-1, 0];

  const byte = (place: number): number => bytes[place] ?? 0;
  /** Digits from `at` on, which moves behind them. */
  const digits = (): number => {
    let number = 0;
    for (let digit = byte(at); digit >= DIGIT_0 && digit <= DIGIT_9; digit = byte(++at))
      number = number * 10 + digit - DIGIT_0;
    return number;
  };
  const pair = (place: number): number => (byte(place) - DIGIT_0) * 10 + byte(place + 1) - DIGIT_0;
  /** `2026-03-01T12:00:00Z`, or with milliseconds. */
  const time = (): number => {
    const year = pair(at) * 100 + pair(at + 2);
    const date = (year * 100 + pair(at + 5)) * 100 + pair(at + 8);
    if (date !== day) {
      day = date;
      dayStart = Date.UTC(year, pair(at + 5) - 1, pair(at + 8));
    }
    const seconds = pair(at + 11) * 3_600 + pair(at + 14) * 60 + pair(at + 17);
    at += 19;
    let millis = 0;
    if (byte(at) === POINT) {
      at += 1;
      millis = digits();
    }
    at += 1;
    return dayStart + seconds * 1_000 + millis;
  };
  /** As `Number` reads it: both parts of the quotient are exact, so it is rounded once. */
  const value = (): number => {
    const start = at;
    const isNegative = byte(at) === MINUS;
    if (isNegative) at += 1;
    let number = 0;
    let scale = 1;
    let isPlain = true;
    let isFraction = false;
    for (let next = byte(at); next !== SPACE && at < bytes.length; next = byte(++at)) {
      if (next === POINT) isFraction = true;
      else if (next < DIGIT_0 || next > DIGIT_9 || number >= EXACT_MAX || scale > 1e21) isPlain = false;
      else {
        number = number * 10 + (next - DIGIT_0);
        if (isFraction) scale *= 10;
      }
    }
    if (!isPlain) return Number(Buffer.from(bytes.subarray(start, at)).toString("latin1"));
    return isNegative ? -number / scale : number / scale;
  };

  while (at < bytes.length && row < count) {
    if (byte(at) === LESS && byte(at + 1) === HASH) {
      at += 2;
      digits();
      at += BEFORE.sensor;
      sensors[row] = digits();
      at += BEFORE.property;
      properties[row] = digits();
      at += BEFORE.time;
      times[row] = time();
      at += BEFORE.value;
      values[row] = value();
      row += 1;
    } else if (byte(at) === AT) {
      const end = bytes.indexOf(LINE_END, at);
      const line = Buffer.from(bytes.subarray(at, end + 1)).toString();
      for (const [, letter, , iri = ""] of line.matchAll(NAME)) names[letter as "s" | "p"].push(iri);
    }
    at = bytes.indexOf(LINE_END, at) + 1;
    if (at === 0) break;
  }
  return { count: row, times, values, sensors, properties, sensorNames: names.s, propertyNames: names.p };
}

export function columnsOf(observations: readonly Observation[]): Columns {
  const sensorNames = [...new Set(observations.map(({ sensor }) => sensor))];
  const propertyNames = [...new Set(observations.map(({ property }) => property))];
  const places = (names: readonly string[]) => new Map(names.map((name, at) => [name, at]));
  const [ofSensor, ofProperty] = [places(sensorNames), places(propertyNames)];
  return {
    count: observations.length,
    times: Float64Array.from(observations, ({ time }) => time),
    values: Float64Array.from(observations, ({ value }) => value),
    sensors: Uint16Array.from(observations, ({ sensor }) => ofSensor.get(sensor) ?? 0),
    properties: Uint16Array.from(observations, ({ property }) => ofProperty.get(property) ?? 0),
    sensorNames,
    propertyNames,
  };
}

/** Observations of a document that somebody else wrote, or that came with an archive: what it says, not how. */
export async function readPage(bytes: Uint8Array, contentType: string, url: string): Promise<Columns> {
  const subjects = new Map<string, Map<string, Quad["object"]>>();
  for (const { subject, predicate, object } of await parseRdf(bytes, contentType, url)) {
    const said = subjects.get(subject.value) ?? new Map<string, Quad["object"]>();
    if (predicate.value !== rdf.type || object.value === sosa.Observation) said.set(predicate.value, object);
    subjects.set(subject.value, said);
  }
  const observations = [...subjects.values()].flatMap((said): Observation[] => {
    const of = (term: string): string => said.get(term)?.value ?? "";
    const [time, value] = [Date.parse(of(sosa.resultTime)), Number(of(sosa.hasSimpleResult) || Number.NaN)];
    if (!said.has(rdf.type) || Number.isNaN(time) || Number.isNaN(value)) return [];
    return [{ time, value, sensor: of(sosa.madeBySensor), property: of(sosa.observedProperty) }];
  });
  return columnsOf(observations.sort((left, right) => left.time - right.time));
}
