/**
 * Dates, times and durations. A moment without a time zone is taken as UTC wherever two are compared: the implicit time
 * zone of https://www.w3.org/TR/xpath-functions/#dates-times, which is the server's to choose.
 */
import { xsd } from "@freehold/vocab";
import { type Literal, literal, namedNode } from "../../rdf/terms.ts";

export interface Moment {
  /** Milliseconds since 1970 on its own clock, as if that were UTC; of a time, since midnight. */
  readonly clock: number;
  /** Minutes east of UTC; null without a zone. */
  readonly zone: number | null;
}

export type MomentKind = "dateTime" | "date" | "time";

export interface Duration {
  readonly months: number;
  readonly milliseconds: number;
}

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

const ZONE = "(Z|[+-](?:0\\d|1[0-3]):[0-5]\\d|[+-]14:00)?";
const DATE = "(-?(?:[1-9]\\d{3,8}|0\\d{3}))-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])";
const TIME = "(?:([01]\\d|2[0-3]):([0-5]\\d):([0-5]\\d)(?:\\.(\\d+))?|24:00:00(?:\\.0+)?)";
const DATE_TIME_TEXT = new RegExp(`^${DATE}T${TIME}${ZONE}$`);
const DATE_TEXT = new RegExp(`^${DATE}${ZONE}$`);
const TIME_TEXT = new RegExp(`^${TIME}${ZONE}$`);
const DURATION_TEXT =
  /^(-)?P(?=\d|T\d)(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d+)?)S)?)?$/;

/** Days from 1970-01-01 in the proleptic Gregorian calendar, by whole eras of 400 years that begin in March. */
export function daysOf(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
}

export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The inverse of `daysOf`. */
export function calendarDay(days: number): CalendarDay {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const position = Math.floor((5 * dayOfYear + 2) / 153);
  const month = position < 10 ? position + 3 : position - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * position + 2) / 5) + 1,
  };
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number): number =>
  month === 2
    ? isLeap(year)
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31;

function zoneOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (text === "Z") return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4));
  return text.startsWith("-") ? -minutes : minutes;
}

/** A fraction of a second in milliseconds, as near as a number can be. */
const fractionOf = (digits: string | undefined): number =>
  digits === undefined ? 0 : Number(`${digits.slice(0, 3).padEnd(3, "0")}.${digits.slice(3)}`);

/** Milliseconds since midnight; without an hour it is 24:00:00. */
function timeOf(
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
  fraction?: string,
): number {
  if (hour === undefined) return DAY;
  return Number(hour) * HOUR + Number(minute) * MINUTE + Number(second) * SECOND + fractionOf(fraction);
}

function dayOf(year: string | undefined, month: string | undefined, day: string | undefined): number | null {
  const [numberOfYear, numberOfMonth, numberOfDay] = [Number(year), Number(month), Number(day)];
  return numberOfDay > daysIn(numberOfYear, numberOfMonth)
    ? null
    : daysOf(numberOfYear, numberOfMonth, numberOfDay);
}

/** @returns null for a text that is none of the type. */
export function parseMoment(text: string, kind: MomentKind): Moment | null {
  if (kind === "time") {
    const parts = TIME_TEXT.exec(text);
    return parts && { clock: timeOf(parts[1], parts[2], parts[3], parts[4]) % DAY, zone: zoneOf(parts[5]) };
  }
  const parts = (kind === "date" ? DATE_TEXT : DATE_TIME_TEXT).exec(text);
  if (!parts) return null;
  const days = dayOf(parts[1], parts[2], parts[3]);
  if (days === null) return null;
  if (kind === "date") return { clock: days * DAY, zone: zoneOf(parts[4]) };
  return { clock: days * DAY + timeOf(parts[4], parts[5], parts[6], parts[7]), zone: zoneOf(parts[8]) };
}

/** Milliseconds since 1970, or since midnight, in UTC. */
export const instantOf = ({ clock, zone }: Moment): number => clock - (zone ?? 0) * MINUTE;

/** Decides between two of the same instant what a number could not hold: fractions beyond microseconds. */
export function compareFractions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => /\.(\d+)/.exec(text)?.[1]?.replace(/0+$/, "") ?? "") as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}

export const hoursOf = (clock: number): number => Math.floor((((clock % DAY) + DAY) % DAY) / HOUR);
export const minutesOf = (clock: number): number => Math.floor((((clock % HOUR) + HOUR) % HOUR) / MINUTE);
/** Milliseconds of the minute. */
export const secondsOf = (clock: number): number => ((clock % MINUTE) + MINUTE) % MINUTE;
export const dayNumberOf = (clock: number): number => Math.floor(clock / DAY);

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** Seconds from milliseconds, with the digits that there are, at most nine. */
function spellSeconds(milliseconds: number): string {
  const [seconds = "", fraction = ""] = (milliseconds / SECOND).toFixed(9).split(".");
  const digits = fraction.replace(/0+$/, "");
  return digits === "" ? seconds : `${seconds}.${digits}`;
}

/** As TZ() writes it. */
export function spellZone(zone: number | null): string {
  if (zone === null) return "";
  if (zone === 0) return "Z";
  const size = Math.abs(zone);
  return `${zone < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const TYPES = { dateTime: namedNode(xsd.dateTime), date: namedNode(xsd.date), time: namedNode(xsd.time) };

export function momentLiteral({ clock, zone }: Moment, kind: MomentKind): Literal {
  const { year, month, day } = calendarDay(dayNumberOf(clock));
  const digits = String(Math.abs(year)).padStart(4, "0");
  const date = `${year < 0 ? "-" : ""}${digits}-${two(month)}-${two(day)}`;
  const seconds = spellSeconds(Math.round(secondsOf(clock) * 1_000) / 1_000);
  const time = `${two(hoursOf(clock))}:${two(minutesOf(clock))}:${/^\d(?:\.|$)/.test(seconds) ? "0" : ""}${seconds}`;
  const text = kind === "date" ? date : kind === "time" ? time : `${date}T${time}`;
  return literal(text + spellZone(zone), TYPES[kind]);
}

export function parseDuration(text: string): Duration | null {
  const parts = DURATION_TEXT.exec(text);
  if (!parts) return null;
  const [, sign, years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = "0"] = parts;
  const direction = sign ? -1 : 1;
  const [whole, fraction] = seconds.split(".");
  const milliseconds =
    Number(days) * DAY +
    Number(hours) * HOUR +
    Number(minutes) * MINUTE +
    Number(whole) * SECOND +
    fractionOf(fraction);
  // No negative zero: two durations of nothing are one.
  return {
    months: direction * (Number(years) * 12 + Number(months)) || 0,
    milliseconds: direction * milliseconds || 0,
  };
}

const DURATION = namedNode(xsd.duration);
const DAY_TIME = namedNode(xsd.dayTimeDuration);
const YEAR_MONTH = namedNode(xsd.yearMonthDuration);

/** @param isOfMonths Of no length, whether it is no month or no second. */
export function durationLiteral({ months, milliseconds }: Duration, isOfMonths = false): Literal {
  if (months === 0 && milliseconds === 0)
    return isOfMonths ? literal("P0M", YEAR_MONTH) : literal("PT0S", DAY_TIME);
  const [allMonths, rest] = [Math.abs(months), Math.abs(milliseconds)];
  const part = (value: number | string, unit: string): string =>
    Number(value) === 0 ? "" : `${value}${unit}`;
  const years = part(Math.floor(allMonths / 12), "Y") + part(allMonths % 12, "M");
  const days = part(Math.floor(rest / DAY), "D");
  const time =
    part(hoursOf(rest), "H") + part(minutesOf(rest), "M") + part(spellSeconds(secondsOf(rest)), "S");
  const sign = months < 0 || milliseconds < 0 ? "-" : "";
  const type = months === 0 ? DAY_TIME : milliseconds === 0 ? YEAR_MONTH : DURATION;
  return literal(`${sign}P${years}${days}${time && `T${time}`}`, type);
}

/** The day of the month stays, or becomes the last there is. https://www.w3.org/TR/xmlschema11-2/#vp-dt-dateTimePlusDuration */
export function addDuration(
  { clock, zone }: Moment,
  { months, milliseconds }: Duration,
  kind: MomentKind,
): Moment {
  if (kind === "time") return { clock: (((clock + milliseconds) % DAY) + DAY) % DAY, zone };
  let moved = clock;
  if (months !== 0) {
    const { year, month, day } = calendarDay(dayNumberOf(clock));
    const count = year * 12 + month - 1 + months;
    const [newYear, newMonth] = [Math.floor(count / 12), (((count % 12) + 12) % 12) + 1];
    const newDay = Math.min(day, daysIn(newYear, newMonth));
    moved = daysOf(newYear, newMonth, newDay) * DAY + (clock - dayNumberOf(clock) * DAY);
  }
  moved += milliseconds;
  return { clock: kind === "date" ? dayNumberOf(moved) * DAY : moved, zone };
}
