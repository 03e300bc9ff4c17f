/**
 * What kind of term a literal is and which number it stands for: decided once, when it is read.
 * @see https://www.w3.org/TR/xmlschema11-2/#built-in-datatypes
 */
import { rdf, xsd } from "@freehold/vocab";
import { KINDS, type Kind } from "./view.ts";

interface Datatype {
  readonly iri: string;
  /** Of a literal whose text is one of the datatype's values. */
  readonly kind: Kind;
  /** @returns whether the text is one of its values. */
  readonly test: (text: string) => boolean;
}

const anything = (): boolean => true;
const matches = (pattern: RegExp): Datatype["test"] => pattern.test.bind(pattern);

const INTEGER = /^[+-]?[0-9]+$/;
const SAFE_DIGITS = 15;
/** @param least Inclusive, as is `most`; null: no bound. */
function integerBetween(least: bigint | null, most: bigint | null): Datatype["test"] {
  return (text) => {
    if (!INTEGER.test(text)) return false;
    const value =
      text.length <= SAFE_DIGITS ? Number(text) : BigInt(text.startsWith("+") ? text.slice(1) : text);
    return (least === null || value >= least) && (most === null || value <= most);
  };
}

const ZONE = "(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?";
const DURATION_TIME = "T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\\.[0-9]+)?S)?";
const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/;
const DOUBLE = /^(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN)$/;

/** Their places are part of the format on disk: never reorder. */
const DATATYPES: readonly Datatype[] = [
  { iri: xsd.string, kind: KINDS.string, test: anything },
  { iri: xsd.integer, kind: KINDS.integer, test: matches(INTEGER) },
  { iri: xsd.decimal, kind: KINDS.decimal, test: matches(DECIMAL) },
  { iri: xsd.float, kind: KINDS.float, test: matches(DOUBLE) },
  { iri: xsd.double, kind: KINDS.double, test: matches(DOUBLE) },
  { iri: xsd.boolean, kind: KINDS.boolean, test: matches(/^(?:true|false|0|1)$/) },
  { iri: xsd.dateTime, kind: KINDS.dateTime, test: (text) => !Number.isNaN(momentOf(text)) },
  { iri: xsd.date, kind: KINDS.date, test: (text) => !Number.isNaN(dateOf(text)) },
  { iri: xsd.time, kind: KINDS.time, test: (text) => !Number.isNaN(timeOf(text)) },
  { iri: xsd.nonPositiveInteger, kind: KINDS.integer, test: integerBetween(null, 0n) },
  { iri: xsd.negativeInteger, kind: KINDS.integer, test: integerBetween(null, -1n) },
  { iri: xsd.long, kind: KINDS.integer, test: integerBetween(-(2n ** 63n), 2n ** 63n - 1n) },
  { iri: xsd.int, kind: KINDS.integer, test: integerBetween(-(2n ** 31n), 2n ** 31n - 1n) },
  { iri: xsd.short, kind: KINDS.integer, test: integerBetween(-32_768n, 32_767n) },
  { iri: xsd.byte, kind: KINDS.integer, test: integerBetween(-128n, 127n) },
  { iri: xsd.nonNegativeInteger, kind: KINDS.integer, test: integerBetween(0n, null) },
  { iri: xsd.unsignedLong, kind: KINDS.integer, test: integerBetween(0n, 2n ** 64n - 1n) },
  { iri: xsd.unsignedInt, kind: KINDS.integer, test: integerBetween(0n, 2n ** 32n - 1n) },
  { iri: xsd.unsignedShort, kind: KINDS.integer, test: integerBetween(0n, 65_535n) },
  { iri: xsd.unsignedByte, kind: KINDS.integer, test: integerBetween(0n, 255n) },
  { iri: xsd.positiveInteger, kind: KINDS.integer, test: integerBetween(1n, null) },
  {
    iri: xsd.duration,
    kind: KINDS.duration,
    test: matches(new RegExp(`^-?P(?=[0-9T])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:${DURATION_TIME})?$`)),
  },
  {
    iri: xsd.dayTimeDuration,
    kind: KINDS.duration,
    test: matches(new RegExp(`^-?P(?=[0-9T])(?:[0-9]+D)?(?:${DURATION_TIME})?$`)),
  },
  {
    iri: xsd.yearMonthDuration,
    kind: KINDS.duration,
    test: matches(/^-?P(?=[0-9])(?:[0-9]+Y)?(?:[0-9]+M)?$/),
  },
  { iri: xsd.anyURI, kind: KINDS.other, test: anything },
  { iri: xsd.gYear, kind: KINDS.other, test: anything },
  { iri: xsd.gYearMonth, kind: KINDS.other, test: anything },
  { iri: xsd.gMonthDay, kind: KINDS.other, test: anything },
  { iri: xsd.base64Binary, kind: KINDS.other, test: anything },
  { iri: xsd.hexBinary, kind: KINDS.other, test: anything },
  { iri: rdf.HTML, kind: KINDS.other, test: anything },
  {
    iri: xsd.dateTimeStamp,
    kind: KINDS.dateTime,
    test: (text) => hasZone(text) && !Number.isNaN(momentOf(text)),
  },
];
const places = new Map(DATATYPES.map(({ iri }, place) => [iri, place]));

/** Of a datatype that has a number of its own; -1 for all others. */
export const placeOfDatatype = (iri: string): number => places.get(iri) ?? -1;
/** The IRI of a datatype with a number of its own. */
export const datatypeAt = (place: number): string => DATATYPES[place]!.iri;

/** @param datatype Its IRI. @param text The lexical form, exactly: white space around it makes it no value. */
export function kindOf(datatype: string, text: string): Kind {
  const place = places.get(datatype);
  return place === undefined ? KINDS.other : kindAt(place, text);
}
/** As {@link kindOf}, by the datatype's number. */
export function kindAt(place: number, text: string): Kind {
  const { kind, test } = DATATYPES[place]!;
  if (!test(text)) return KINDS.other;
  return kind === KINDS.dateTime && !hasZone(text) ? KINDS.localDateTime : kind;
}

/** What {@link Terms.num} says of a literal of this kind: a date is the moment it begins, a time the milliseconds since midnight. */
export function numberOf(kind: Kind, text: string): number {
  switch (kind) {
    case KINDS.integer:
    case KINDS.decimal:
      return Number(text);
    case KINDS.double:
      return doubleOf(text);
    case KINDS.float:
      return Math.fround(doubleOf(text));
    case KINDS.boolean:
      return text === "true" || text === "1" ? 1 : 0;
    case KINDS.dateTime:
    case KINDS.localDateTime:
      return momentOf(text);
    case KINDS.date:
      return dateOf(text);
    case KINDS.time:
      return timeOf(text);
    default:
      return Number.NaN;
  }
}

function doubleOf(text: string): number {
  if (!text.endsWith("INF")) return Number(text); // "NaN" is itself.
  return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

const DATE = new RegExp(`^(-?(?:[1-9][0-9]{3,}|0[0-9]{3}))-([0-9]{2})-([0-9]{2})(${ZONE})$`);
const MOMENT = new RegExp(
  `^(-?(?:[1-9][0-9]{3,}|0[0-9]{3}))-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2}(?:\\.[0-9]+)?)(${ZONE})$`,
);
const TIME = new RegExp(`^([0-9]{2}):([0-9]{2}):([0-9]{2}(?:\\.[0-9]+)?)(${ZONE})$`);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NO_VALUE = Number.NaN;

/** Of a date or a time: whether it says its time zone. */
const hasZone = (text: string): boolean => text.endsWith("Z") || /[+-][0-9]{2}:[0-9]{2}$/.test(text);

/** Minutes east of Greenwich; 0 without a zone. */
function zoneMinutes(zone: string): number {
  if (zone === "" || zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return zone.startsWith("-") ? -minutes : minutes;
}

/** Days since 1970-01-01 in the calendar that XML Schema has for all times; NaN for a day that there is not. */
function daysSince1970(year: number, month: number, day: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days =
    month === 2 ? (isLeap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  if (month < 1 || month > 12 || day < 1 || day > days) return NO_VALUE;
  // Years that begin in March: the leap day is the last one.
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Milliseconds since midnight; 24:00:00 is the end of the day. NaN for a time that there is not. */
function timeMs(hours: number, minutes: number, seconds: number): number {
  const isEnd = hours === 24 && minutes === 0 && seconds === 0;
  if ((hours > 23 && !isEnd) || minutes > 59 || seconds >= 60) return NO_VALUE;
  return hours * 3_600_000 + minutes * MINUTE_MS + Math.round(seconds * 1e6) / 1e3;
}

/** Of an xsd:dateTime: milliseconds since 1970, as if it were UTC when it has no zone. NaN when it is none. */
export function momentOf(text: string): number {
  const found = MOMENT.exec(text);
  if (!found) return NO_VALUE;
  const days = daysSince1970(Number(found[1]), Number(found[2]), Number(found[3]));
  const time = timeMs(Number(found[4]), Number(found[5]), Number(found[6]));
  return days * DAY_MS + time - zoneMinutes(found[7]!) * MINUTE_MS;
}

function dateOf(text: string): number {
  const found = DATE.exec(text);
  if (!found) return NO_VALUE;
  const days = daysSince1970(Number(found[1]), Number(found[2]), Number(found[3]));
  return days * DAY_MS - zoneMinutes(found[4]!) * MINUTE_MS;
}

function timeOf(text: string): number {
  const found = TIME.exec(text);
  if (!found) return NO_VALUE;
  return (
    (timeMs(Number(found[1]), Number(found[2]), Number(found[3])) % DAY_MS) -
    zoneMinutes(found[4]!) * MINUTE_MS
  );
}
