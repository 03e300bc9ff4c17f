/**
 * Functions on dates and times, and their arithmetic. SPARQL 1.1 knows those of xsd:dateTime; xsd:date, xsd:time and
 * durations are where XPath has them, which is the room that https://www.w3.org/TR/sparql11-query/#operatorExtensibility leaves.
 */
import { ERROR, type Id, KINDS } from "../index/view.ts";
import { type Code, define, type Function, numberCode, type Tools, termCode, textCode } from "./code.ts";
import type { Compute, Row } from "./contract.ts";
import * as moments from "./moments.ts";
import { type Arithmetic, integerOf, type Numeric } from "./numbers.ts";

type Found = moments.Moment & { readonly kind: moments.MomentKind };

const momentCode =
  ({ reader }: Tools, operand: Code) =>
  (row: Row): Found | null => {
    const id = operand.id(row);
    return id >= ERROR ? null : reader.moment(id);
  };

/** @param without What the part is not a part of. */
const part = (without: moments.MomentKind, read: (clock: number) => Numeric) =>
  define(([operand], tools) => {
    const find = momentCode(tools, operand!);
    return numberCode(tools, (row) => {
      const moment = find(row);
      return moment === null || moment.kind === without ? null : read(moment.clock);
    });
  }, 1);

const dayPart = (name: keyof moments.CalendarDay) =>
  part("time", (clock) => integerOf(moments.calendarDay(moments.dayNumberOf(clock))[name]));

/** Exact to what a moment's number holds, which is more than a microsecond. */
function secondsAsDecimal(clock: number): Numeric {
  const units = Math.round(moments.secondsOf(clock) * 1_000);
  return { kind: KINDS.decimal, units, scale: 6 };
}

const zoneOf = define(([operand], tools) => {
  const find = momentCode(tools, operand!);
  const { terms } = tools.context;
  return termCode(tools, (row) => {
    const moment = find(row);
    if (moment === null || moment.zone === null) return ERROR;
    return terms.intern(moments.durationLiteral({ months: 0, milliseconds: moment.zone * 60_000 }));
  });
}, 1);

export const MOMENT_FUNCTIONS: readonly (readonly [name: string, found: Function])[] = [
  [
    "NOW",
    define((_, tools) => {
      const id = tools.context.terms.intern(tools.context.now);
      return termCode(tools, () => id);
    }, 0),
  ],
  ["YEAR", dayPart("year")],
  ["MONTH", dayPart("month")],
  ["DAY", dayPart("day")],
  ["HOURS", part("date", (clock) => integerOf(moments.hoursOf(clock)))],
  ["MINUTES", part("date", (clock) => integerOf(moments.minutesOf(clock)))],
  ["SECONDS", part("date", secondsAsDecimal)],
  ["TIMEZONE", zoneOf],
  [
    "TZ",
    define(([operand], tools) => {
      const find = momentCode(tools, operand!);
      return textCode(tools, (row) => {
        const moment = find(row);
        return moment && { value: moments.spellZone(moment.zone), language: "" };
      });
    }, 1),
  ],
];

/**
 * A moment and a duration, two moments, two durations: `NOW() - "P30D"^^xsd:duration`.
 * https://www.w3.org/TR/xpath-functions/#dateTime-arithmetic
 */
export function momentArithmetic(operator: Arithmetic, operands: readonly Code[], tools: Tools): Compute {
  const [left, right] = operands as readonly [Code, Code];
  const { terms } = tools.context;
  const { reader } = tools;
  const direction = operator === "-" ? -1 : 1;
  const durationOf = (id: Id): moments.Duration | null =>
    terms.kind(id) === KINDS.duration ? moments.parseDuration(terms.get(id).value) : null;
  const turned = ({ months, milliseconds }: moments.Duration): moments.Duration => ({
    months: direction * months || 0,
    milliseconds: direction * milliseconds || 0,
  });
  function durations(first: moments.Duration, second: moments.Duration): Id {
    const { months, milliseconds } = turned(second);
    const sum = { months: first.months + months, milliseconds: first.milliseconds + milliseconds };
    // Months and days of different directions have no length together.
    if (sum.months * sum.milliseconds < 0) return ERROR;
    const isOfMonths = first.milliseconds === 0 && second.milliseconds === 0 && first.months !== 0;
    return terms.intern(moments.durationLiteral(sum, isOfMonths));
  }
  if (operator !== "+" && operator !== "-") return () => ERROR;
  return (row) => {
    const a = left.id(row);
    const b = right.id(row);
    if (a >= ERROR || b >= ERROR) return ERROR;
    const moment = reader.moment(a);
    const duration = durationOf(b);
    if (moment && duration) {
      if (moment.kind === "time" && duration.months !== 0) return ERROR;
      const moved = moments.addDuration(moment, turned(duration), moment.kind);
      return Number.isFinite(moved.clock) ? terms.intern(moments.momentLiteral(moved, moment.kind)) : ERROR;
    }
    const first = durationOf(a);
    if (first && duration) return durations(first, duration);
    const other = reader.moment(b);
    if (!moment || other?.kind !== moment.kind || operator !== "-") return ERROR;
    const milliseconds = moments.instantOf(moment) - moments.instantOf(other);
    return terms.intern(moments.durationLiteral({ months: 0, milliseconds }));
  };
}
