/** Times and durations as they stand in documents, each read in one way only. */

const DAY = 86_400_000;
const SPAN_MAX = 99_999 * DAY; // What can be written again as it is read.
const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const DURATION =
  /^P(?=.)(?:\d{1,4}Y)?(?:\d{1,4}M)?(?:\d{1,5}D)?(?:T(?=.)(?:\d{1,6}H)?(?:\d{1,6}M)?(?:\d{1,8}S)?)?$/;
const SPAN = /^P(?=.)(?:(\d{1,5})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$/;

/** @returns milliseconds since 1970, null for what is no `xsd:dateTimeStamp` of these centuries. */
export function readMoment(text: unknown): number | null {
  if (typeof text !== "string" || text.length > 40) return null;
  const local = DATE_TIME.exec(text)?.[1];
  const time = Date.parse(text);
  if (local === undefined || Number.isNaN(time)) return null;
  // A day that does not exist is moved on by the platform, so it is held against itself.
  return new Date(Date.parse(`${local}Z`)).toISOString().startsWith(local) ? time : null;
}

/** Of a moment: UTC, to the second where it is one. */
export function writeMoment(time: number): string {
  return new Date(time).toISOString().replace(".000Z", "Z");
}

/** Whether it is an `xsd:duration` in whole parts, and of some length. */
export function isDuration(text: unknown): text is string {
  return typeof text === "string" && DURATION.test(text) && /[1-9]/.test(text);
}

/** @returns milliseconds; null for what is no duration of a length that is always the same (months and years are not). */
export function readSpan(text: unknown): number | null {
  const parts = typeof text === "string" ? SPAN.exec(text) : null;
  if (!parts) return null;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = parts;
  const length =
    Number(days) * DAY + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000;
  return length > 0 && length <= SPAN_MAX ? length : null;
}

/** The shortest text that {@link readSpan} reads as this. @param length Whole seconds, in milliseconds. */
export function writeSpan(length: number): string {
  const days = Math.floor(length / DAY);
  const seconds = Math.floor((length % DAY) / 1_000);
  const [hours, minutes, rest] = [
    Math.floor(seconds / 3_600),
    Math.floor((seconds % 3_600) / 60),
    seconds % 60,
  ];
  const time = `${hours > 0 ? `${hours}H` : ""}${minutes > 0 ? `${minutes}M` : ""}${rest > 0 ? `${rest}S` : ""}`;
  return `P${days > 0 ? `${days}D` : ""}${time === "" ? "" : `T${time}`}`;
}
