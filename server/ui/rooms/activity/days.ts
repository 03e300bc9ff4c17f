/** The journal's sums as days and weeks of the person who looks at them; and what a filter asks for. */
import { dayOf } from "../../parts/words.ts";

/** Where a quarter of an hour begins, in ms since 1970, and what others did in it. */
export type Bucket = readonly [start: number, looks: number, refused: number];

export interface Bar {
  readonly from: number;
  /** Where the next one begins. */
  readonly to: number;
  readonly label: string;
  readonly looks: number;
  readonly refused: number;
}

export type Unit = "day" | "week";

/** Midnight of the day, or of its Monday, by the clock of this device; `steps` days or weeks on. */
function startOf(at: number, unit: Unit, steps = 0): number {
  const date = new Date(at);
  const back = unit === "week" ? (date.getDay() + 6) % 7 : 0;
  const days = steps * (unit === "week" ? 7 : 1);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - back + days).getTime();
}

/**
 * @param from Milliseconds since 1970.
 * @returns a bar for each day or week until now, those without anything too.
 */
export function barsOf(times: readonly Bucket[], from: number, now: number, unit: Unit): readonly Bar[] {
  const bars: Bar[] = [];
  for (let start = startOf(from, unit); start <= now; start = startOf(start, unit, 1)) {
    const to = startOf(start, unit, 1);
    const inside = times.filter(([at]) => at >= start && at < to);
    bars.push({
      from: start,
      to,
      label: unit === "day" ? dayOf(start) : `Week from ${dayOf(start)}`,
      looks: inside.reduce((sum, [, looks]) => sum + looks, 0),
      refused: inside.reduce((sum, [, , refused]) => sum + refused, 0),
    });
  }
  return bars;
}

const NAMES = ["by", "who", "client", "purpose", "place", "refused", "what", "from", "to"] as const;
export type FilterName = (typeof NAMES)[number];
/** What is asked for; a name that is left out asks for nothing. */
export type Filter = Readonly<Partial<Record<FilterName, string>>>;

/** @param rest What follows the room in the address: `?who=…`. */
export function filterIn(rest: string): Filter {
  const given = new URLSearchParams(rest.replace(/^\?/, ""));
  const filter: Partial<Record<FilterName, string>> = {};
  for (const name of NAMES) {
    const value = given.get(name);
    if (value) filter[name] = value;
  }
  return Object.keys(filter).length === 0 ? { by: "others" } : filter;
}

/** The same as it stands in an address, without the question mark. */
export const queryOf = (filter: Filter): string =>
  new URLSearchParams(NAMES.flatMap((name) => (filter[name] ? [[name, filter[name]]] : []))).toString();
