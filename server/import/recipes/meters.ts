/**
 * Meter readings in Green Button (ESPI): an Atom feed whose entries name each other by links. A meter is one
 * `MeterReading`: one quantity of one connection. One document holds one day of one meter, by the meter's own clock.
 * @see https://www.naesb.org/ESPI_Standards.asp (REQ.21)
 */
import { shapeNamed } from "@freehold/shapes";
import { qudt, schema, sosa } from "@freehold/vocab";
import { oneLine, redact, stableHash } from "../clean.ts";
import { parseDecimal, shift } from "../decimal.ts";
import { dateTime, decimal, describe, ref, text } from "../frame.ts";
import { createLocalTime, type LocalTime } from "../local-time.ts";
import { type Context, type ImportRecord, type Reading, type Source, skipped } from "../reading.ts";
import { refuse } from "../source.ts";
import { at, readXml, textAt, type XmlNode } from "../xml.ts";
import { COST_POWER, CURRENCIES, propertyOf, UNITS } from "./meter-codes.ts";

const OBSERVATION = shapeNamed("Observation").iri;
const SENSOR = shapeNamed("Sensor").iri;

interface Interval {
  readonly line: number;
  readonly start: number;
  readonly duration: number;
  readonly value: string;
  readonly cost: string | null;
}

interface ReadingType {
  readonly uom: string;
  readonly power: number;
  readonly currency: string | null;
  readonly property: string;
}

interface Links {
  readonly self: string;
  readonly up: string;
  readonly related: readonly string[];
}

interface Entry {
  readonly links: Links;
  readonly title: string | null;
  readonly content: XmlNode;
}

interface Meter {
  readonly folder: string;
  readonly iri: string;
  readonly name: string | null;
  readonly type: ReadingType;
  readonly clock: LocalTime;
  /** Days that may still grow, oldest use first. */
  readonly days: Map<string, ImportRecord[]>;
  readonly starts: Set<number>;
  readonly written: Set<string>;
}

function linksOf(entry: XmlNode): Links {
  const hrefs = (rel: string): string[] =>
    at(entry, "link")
      .filter(({ attributes }) => attributes.rel === rel)
      .map(({ attributes }) => (attributes.href ?? "").replace(/\/+$/, ""));
  return { self: hrefs("self")[0] ?? "", up: hrefs("up")[0] ?? "", related: hrefs("related") };
}

/** Entries by kind. `isLast` is said when no more will come: only then may the only one of a kind do without links. */
function createIndex() {
  const entries = new Map<string, Entry[]>();
  const find = (name: string, isLast: boolean, fits: (links: Links) => boolean): Entry | null => {
    const all = entries.get(name) ?? [];
    return all.find(({ links }) => fits(links)) ?? (isLast && all.length === 1 ? (all[0] ?? null) : null);
  };
  let count = 0;
  return {
    add: (entry: Entry): void => {
      count += 1;
      const all = entries.get(entry.content.name);
      if (all) all.push(entry);
      else entries.set(entry.content.name, [entry]);
    },
    count: (): number => count,
    /** The entry that `links` point to. */
    related: (name: string, links: Links, isLast: boolean): Entry | null =>
      find(name, isLast, ({ self }) => self !== "" && links.related.includes(self)),
    /** The entry in whose list `links` are, or under whose address. */
    above: (name: string, links: Links, isLast: boolean): Entry | null =>
      find(
        name,
        isLast,
        ({ self, related }) =>
          (links.up !== "" && related.includes(links.up)) ||
          (self !== "" && links.self.startsWith(`${self}/`)),
      ),
  };
}
type Index = ReturnType<typeof createIndex>;

function readingTypeOf(node: XmlNode): ReadingType | null {
  const uom = textAt(node, "uom") ?? "0";
  const power = Number(textAt(node, "powerOfTenMultiplier") ?? "0");
  if (!UNITS[uom] || !Number.isInteger(power) || Math.abs(power) > 12) return null;
  return {
    uom,
    power,
    currency: CURRENCIES[Number(textAt(node, "currency") ?? "0")] ?? null,
    property: propertyOf(textAt(node, "commodity"), textAt(node, "flowDirection"), uom),
  };
}

const integerAt = (node: XmlNode, path: string, fallback: string): number =>
  Number(/^-?\d{1,10}$/.exec(textAt(node, path) ?? fallback)?.[0] ?? "0");

/** @returns null as long as the clock may still come. */
function clockOf(usagePoint: Entry | null, index: Index, isLast: boolean): LocalTime | null {
  const links = usagePoint?.links ?? { self: "", up: "", related: [] };
  const isNamed = links.related.some((href) => href.includes("LocalTimeParameters"));
  const content = index.related("LocalTimeParameters", links, isLast || !isNamed)?.content;
  if (!content) return isLast ? createLocalTime(null) : null;
  return createLocalTime({
    tzOffset: integerAt(content, "tzOffset", "0"),
    dstOffset: integerAt(content, "dstOffset", "0"),
    dstStartRule: textAt(content, "dstStartRule"),
    dstEndRule: textAt(content, "dstEndRule"),
  });
}

/** @returns null as long as something that describes the meter may still come. */
function meterOf(reading: Entry, index: Index, isLast: boolean, { secret, urlOf }: Context): Meter | null {
  const described = index.related("ReadingType", reading.links, isLast);
  const type = described && readingTypeOf(described.content);
  const usagePoint = index.above("UsagePoint", reading.links, isLast);
  const clock = clockOf(usagePoint, index, isLast);
  if (!type || !clock || !(usagePoint || isLast)) return null;
  const id = stableHash(
    secret,
    ["meter", usagePoint?.links.self ?? "", reading.links.self, type.property],
    12,
  );
  const folder = `energy/${id}/`;
  const iri = `${urlOf(`${folder}meter.ttl`)}#it`;
  return {
    folder,
    iri,
    name: reading.title ?? usagePoint?.title ?? null,
    type,
    clock,
    days: new Map(),
    starts: new Set(),
    written: new Set(),
  };
}

function sensorReading(meter: Meter): Reading {
  const quads = describe(meter.iri, [sosa.Sensor], {
    [schema.name]: text(redact(oneLine(meter.name, 200)) ?? "Meter"),
    [sosa.observes]: ref(meter.type.property),
  });
  return {
    kind: "document",
    path: `${meter.folder}meter.ttl`,
    shape: SENSOR,
    records: [{ subject: meter.iri, quads, weight: 0 }],
  };
}

const pathOf = (meter: Meter, day: string): string =>
  `${meter.folder}${day.slice(0, 4)}/${day.slice(5, 7)}/${day}.ttl`;

/** @returns the observation, or null when the value is no whole number. */
function toRecord(interval: Interval, meter: Meter, url: string): ImportRecord | null {
  const { type, clock } = meter;
  const [unitIri, unitPower] = UNITS[type.uom] ?? ["", 0];
  const counted = parseDecimal(interval.value);
  if (!counted) return null;
  const value = decimal(shift(counted, type.power + unitPower));
  const cost = type.currency ? parseDecimal(interval.cost ?? "") : null;
  const subject = `${url}#t${interval.start}`;
  const quads = [
    ...describe(subject, [sosa.Observation], {
      [sosa.madeBySensor]: ref(meter.iri),
      [sosa.observedProperty]: ref(type.property),
      [schema.startTime]: dateTime(clock.format(interval.start)),
      [sosa.resultTime]: dateTime(clock.format(interval.start + interval.duration)),
      [sosa.hasSimpleResult]: value,
      [sosa.hasResult]: ref(`${subject}-result`),
      [schema.price]: decimal(cost && shift(cost, COST_POWER)),
      [schema.priceCurrency]: text(cost && type.currency),
    }),
    ...describe(`${subject}-result`, [qudt.QuantityValue], {
      [qudt.numericValue]: value,
      [qudt.hasUnit]: ref(unitIri),
    }),
  ];
  return { subject, quads, weight: 1 };
}

function* toDays(meter: Meter, intervals: readonly Interval[], context: Context): Generator<Reading> {
  for (const interval of intervals) {
    const day = meter.clock.dayOf(interval.start);
    if (meter.starts.has(interval.start)) {
      yield { kind: "duplicate" };
      continue;
    }
    if (meter.written.has(day)) {
      yield skipped(interval.line, "the reading comes long after the others of its day");
      continue;
    }
    const record = toRecord(interval, meter, context.urlOf(pathOf(meter, day)));
    if (!record) {
      yield skipped(interval.line, "the reading has no value that can be read");
      continue;
    }
    meter.starts.add(interval.start);
    const records = meter.days.get(day) ?? [];
    records.push(record);
    meter.days.delete(day); // To the end: last used.
    meter.days.set(day, records);
    if (meter.days.size > context.limits.importDaysHeld) yield* writeDays(meter, 1);
  }
}

function* writeDays(meter: Meter, count: number): Generator<Reading> {
  for (const [day, records] of [...meter.days].slice(0, count)) {
    meter.days.delete(day);
    meter.written.add(day);
    yield { kind: "document", path: pathOf(meter, day), shape: OBSERVATION, records };
  }
}

function intervalOf(node: XmlNode, line: number): Interval | null {
  const start = textAt(node, "timePeriod/start");
  const value = textAt(node, "value");
  if (!value || !/^\d{1,11}$/.test(start ?? "")) return null;
  return {
    line,
    start: Number(start),
    duration: Math.max(integerAt(node, "timePeriod/duration", "0"), 0),
    value,
    cost: textAt(node, "cost"),
  };
}

/** Entries may come in any order: readings whose meter is not known yet wait, at most `importRecordsHeld` of them. */
export async function* readMeters(source: Source, context: Context): AsyncGenerator<Reading> {
  const { limits } = context;
  const index = createIndex();
  const meters = new Map<string, Meter>();
  let block: Interval[] = []; // Of the entry that is being read.
  let waiting: { readonly links: Links; readonly intervals: readonly Interval[] }[] = [];
  let held = 0;

  function* settle(
    links: Links,
    intervals: readonly Interval[],
    isLast: boolean,
  ): Generator<Reading, boolean> {
    const reading = index.above("MeterReading", links, isLast);
    if (!reading) return false;
    let meter = meters.get(reading.links.self);
    if (!meter) {
      const found = meterOf(reading, index, isLast, context);
      if (!found) return false;
      meter = found;
      meters.set(reading.links.self, meter);
      yield sensorReading(meter);
    }
    yield* toDays(meter, intervals, context);
    return true;
  }

  for await (const { node, line, tooLarge } of readXml(
    source,
    new Set(["entry", "IntervalReading"]),
    limits,
  )) {
    if (node.name === "IntervalReading") {
      const interval = tooLarge ? null : intervalOf(node, line);
      if (interval) block.push(interval);
      else yield skipped(line, "the reading has no time or no value that can be read");
      held += interval ? 1 : 0;
      if (held > limits.importRecordsHeld)
        refuse(`At most ${limits.importRecordsHeld} readings may come before their meter is described`, line);
      continue;
    }
    const content = at(node, "content")[0]?.children[0];
    if (tooLarge || !content) {
      for (const interval of block)
        yield skipped(interval.line, "the entry around the reading is too large, or empty");
      held -= block.length;
      block = [];
      continue;
    }
    const entry: Entry = { links: linksOf(node), title: textAt(node, "title"), content };
    if (content.name === "IntervalBlock") {
      waiting.push({ links: entry.links, intervals: block });
      block = [];
    } else {
      index.add(entry);
      if (index.count() > limits.importRecordsHeld) refuse("The feed has too many entries", line);
    }
    const still: typeof waiting = [];
    for (const item of waiting) {
      if (yield* settle(item.links, item.intervals, false)) held -= item.intervals.length;
      else still.push(item);
    }
    waiting = still;
  }
  for (const { links, intervals } of waiting) {
    const isDone = yield* settle(links, intervals, true);
    if (!isDone)
      for (const { line } of intervals)
        yield skipped(line, "the reading belongs to no meter whose unit is known");
  }
  for (const meter of meters.values()) yield* writeDays(meter, meter.days.size);
}
