/** What is usual for a grant: how much is read in a day, and by which applications. Pure. */
import type { Limits } from "../limits.ts";
import type { Usage } from "./model.ts";

export const DAY_MS = 24 * 3_600_000;
const DAYS_KEPT = 30;
const DAYS_KNOWN_MIN = 3; // Of fewer nobody can say what is usual.
const TIMES_USUAL = 10;

export const dayOf = (time: number): number => Math.floor(time / DAY_MS);

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The median of what was read in a day, of the days of the last 30 on which anything was; null while too few are known.
 * @param today Days since 1970; not counted itself.
 */
function usualReads({ days }: Pick<Usage, "days">, today: number): number | null {
  const known = days.filter(([day, reads]) => day < today && day >= today - DAYS_KEPT && reads > 0);
  return known.length < DAYS_KNOWN_MIN ? null : median(known.map(([, reads]) => reads));
}

/** The same with some more reads today; days that no longer count are left out. */
export function withReads(days: Usage["days"], today: number, reads: number): Usage["days"] {
  const kept = days.filter(([day]) => day > today - DAYS_KEPT && day !== today);
  const before = days.find(([day]) => day === today)?.[1] ?? 0;
  return [...kept, [today, before + reads] as const].slice(-DAYS_KEPT - 1);
}

export interface Unusual {
  readonly reads: number;
  readonly usual: number;
}

/**
 * Whether with these reads the day comes to more than ten times what is usual, and to more than a handful.
 * @returns null where it does not.
 */
export function unusualIn(
  usage: Pick<Usage, "days" | "forgiven">,
  today: number,
  reads: number,
  { grantReadsUnremarkable }: Pick<Limits, "grantReadsUnremarkable">,
): Unusual | null {
  const before = usage.days.find(([day]) => day === today)?.[1] ?? 0;
  const forgiven = usage.forgiven?.[0] === today ? usage.forgiven[1] : 0;
  const inAll = before - forgiven + reads;
  const usual = usualReads(usage, today);
  if (usual === null || inAll <= grantReadsUnremarkable || inAll <= TIMES_USUAL * usual) return null;
  return { reads: before + reads, usual };
}
