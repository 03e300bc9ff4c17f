/** How many operations a passport takes: a person needs a handful a year, a thief or a loop many more. */
import type { OperationType, Signed } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";

/** The week is the longest: what is older is forgotten. */
const QUOTAS: readonly (readonly [ms: number, most: number])[] = [
  [3_600_000, 10],
  [24 * 3_600_000, 30],
  [7 * 24 * 3_600_000, 100],
];
const LONGEST_MS = 7 * 24 * 3_600_000;

/** Whoever is being robbed must always be heard; and what the zone itself does is no flood. */
export const isExempt = ({ op, sigs }: Signed): boolean =>
  op.t === "recover" || op.t === "veto" || sigs.some(({ k }) => k === "z");

/** Whoever has today's keys only must not use up what their owner needs to end that: a rotation finds twice the room. */
const ROTATION_ROOM = 2;

/**
 * The times with `at` among them.
 * @throws Problem `too-many-requests` that says when to come again.
 */
export function counted(taken: readonly number[], at: number, type: OperationType): readonly number[] {
  for (const [ms, few] of QUOTAS) {
    const most = type === "rotate" ? ROTATION_ROOM * few : few;
    const recent = taken.filter((time) => time > at - ms);
    if (recent.length < most) continue;
    const waitSeconds = Math.ceil(((recent.at(-most) ?? at) + ms - at) / 1_000);
    throw new Problem("too-many-requests", `A passport takes ${most} operations in ${ms / 3_600_000} hours`, {
      headers: { "retry-after": String(waitSeconds) },
    });
  }
  return [...taken.filter((time) => time > at - LONGEST_MS), at];
}
