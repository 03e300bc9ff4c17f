/**
 * The clock of a meter: offset from UTC and the two days on which it is changed, as Green Button writes them.
 * @see https://www.naesb.org/ESPI_Standards.asp (REQ.21, LocalTimeParameters, DstRuleType)
 */

export interface LocalTime {
  /** Seconds to add to UTC at that moment. @param epoch Seconds since 1970. */
  offsetAt(epoch: number): number;
  /** `2026-03-29T03:00:00+02:00` */
  format(epoch: number): string;
  /** The day on the wall, `2026-03-29`. */
  dayOf(epoch: number): string;
}

export interface LocalTimeParameters {
  /** Seconds, without summer time. */
  readonly tzOffset: number;
  /** Seconds that summer time adds. */
  readonly dstOffset: number;
  /** 32 bits in hexadecimal; `FFFFFFFF` for a place without summer time. */
  readonly dstStartRule: string | null;
  readonly dstEndRule: string | null;
}

const DAY = 86_400;

interface DstRule {
  readonly month: number;
  readonly operator: number;
  readonly dayOfMonth: number;
  /** Monday is 1, Sunday 7, not applicable 0. */
  readonly dayOfWeek: number;
  /** Seconds after midnight. */
  readonly time: number;
}

/** Bits from low to high: 12 seconds of the hour, 5 hour, 3 day of the week, 5 day of the month, 3 operator, 4 month. */
function parseRule(hex: string | null): DstRule | null {
  if (!hex || !/^[0-9a-f]{8}$/i.test(hex) || /^f{8}$/i.test(hex)) return null;
  const bits = Number.parseInt(hex, 16);
  const field = (from: number, width: number): number => Math.floor(bits / 2 ** from) % 2 ** width;
  const rule = {
    time: field(0, 12) + field(12, 5) * 3_600,
    dayOfWeek: field(17, 3),
    dayOfMonth: field(20, 5),
    operator: field(25, 3),
    month: field(28, 4),
  };
  return rule.month >= 1 && rule.month <= 12 ? rule : null;
}

/** Seconds since 1970 on the wall clock (as if it were UTC) at which the rule applies in that year. */
function momentOf(rule: DstRule, year: number): number {
  const first = Date.UTC(year, rule.month - 1, 1) / 1000;
  const weekdayOf = (time: number): number => ((Math.floor(time / DAY) + 3) % 7) + 1; // 1970-01-01 was a Thursday.
  const onOrAfter = (time: number): number => time + ((rule.dayOfWeek - weekdayOf(time) + 7) % 7) * DAY;
  const atDay = first + (Math.max(rule.dayOfMonth, 1) - 1) * DAY;
  if (rule.operator === 0 || rule.dayOfWeek === 0) return atDay + rule.time;
  if (rule.operator === 1) return onOrAfter(atDay) + rule.time;
  if (rule.operator < 7) return onOrAfter(first) + (rule.operator - 2) * 7 * DAY + rule.time;
  const next = Date.UTC(year, rule.month, 1) / 1000;
  return onOrAfter(next - 7 * DAY) + rule.time; // The last one of the month.
}

const two = (number: number): string => String(number).padStart(2, "0");

/** @param parameters Null when the file says nothing: then the clock shows UTC. */
export function createLocalTime(parameters: LocalTimeParameters | null): LocalTime {
  const { tzOffset, dstOffset } = parameters ?? { tzOffset: 0, dstOffset: 0 };
  const start = parseRule(parameters?.dstStartRule ?? null);
  const end = parseRule(parameters?.dstEndRule ?? null);
  const changes = new Map<number, readonly [start: number, end: number]>();

  const changesOf = (year: number, starts: DstRule, ends: DstRule): readonly [start: number, end: number] => {
    let moments = changes.get(year);
    if (!moments) {
      moments = [momentOf(starts, year) - tzOffset, momentOf(ends, year) - tzOffset - dstOffset]; // Each on the clock before it.
      changes.set(year, moments);
    }
    return moments;
  };
  const offsetAt = (epoch: number): number => {
    if (!start || !end) return tzOffset;
    const [begins, ceases] = changesOf(new Date((epoch + tzOffset) * 1000).getUTCFullYear(), start, end);
    // South of the equator summer is around New Year.
    const isSummer = begins < ceases ? epoch >= begins && epoch < ceases : epoch >= begins || epoch < ceases;
    return isSummer ? tzOffset + dstOffset : tzOffset;
  };
  return {
    offsetAt,
    format(epoch) {
      const offset = offsetAt(epoch);
      const size = Math.abs(offset);
      const zone =
        offset === 0
          ? "Z"
          : `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 3_600))}:${two(Math.floor((size % 3_600) / 60))}`;
      return `${new Date((epoch + offset) * 1000).toISOString().slice(0, 19)}${zone}`;
    },
    dayOf: (epoch) => new Date((epoch + offsetAt(epoch)) * 1000).toISOString().slice(0, 10),
  };
}
