/** Whether what is given is within what was asked for: whoever says yes to a request cannot give more by it, whatever a page sends. */
import type { Policy } from "./model.ts";
import { daysOf } from "./odrl/duration.ts";
import { TIERS } from "./shared.ts";

/** Of a set of which any will do; null is everything. */
const isSubset = (given: readonly string[] | null, asked: readonly string[] | null): boolean =>
  asked === null || (given !== null && given.every((one) => asked.includes(one)));

const isAtMost = (given: number | null, asked: number | null): boolean =>
  asked === null || (given !== null && given <= asked);

const isAtLeast = (given: number | null, asked: number | null): boolean =>
  asked === null || (given !== null && given >= asked);

function isTargetWithin(given: Policy["target"], asked: Policy["target"]): boolean {
  if (given.kind === "view" || given.kind === "shape" || asked.kind === "view" || asked.kind === "shape")
    return given.kind === asked.kind && isSubset(given.values, asked.values);
  return given.values.every((path) =>
    asked.values.some((other) => path === other || (other.endsWith("/") && path.startsWith(other))),
  );
}

/** Not more often in any span: the same span with fewer, or a longer one with no more. */
function isFrequencyWithin(given: Policy["frequency"], asked: Policy["frequency"]): boolean {
  if (asked === null) return true;
  return given !== null && given.count <= asked.count && given.per >= asked.per;
}

/** Kept no longer; what cannot be compared is not taken to be less. */
function isLifeWithin(given: string | null, asked: string | null): boolean {
  if (asked === null || given === asked) return true;
  const [life, most] = [given === null ? null : daysOf(given), daysOf(asked)];
  return life !== null && most !== null && life[1] <= most[0];
}

/**
 * @param isNarrower Whether a purpose is another one, or a narrower one.
 * @returns whether every read or write that `given` permits is one that `asked` was about.
 */
export function isWithin(
  given: Policy,
  asked: Policy,
  isNarrower: (purpose: string, of: string) => boolean,
): boolean {
  return (
    given.actions.every((action) => asked.actions.includes(action)) &&
    isTargetWithin(given.target, asked.target) &&
    isSubset(given.clients, asked.clients) &&
    isSubset(given.mediaTypes, asked.mediaTypes) &&
    isSubset(given.types, asked.types) &&
    given.purposes.every((purpose) => asked.purposes.some((other) => isNarrower(purpose, other))) &&
    isAtLeast(given.notBefore, asked.notBefore) &&
    isAtMost(given.notAfter, asked.notAfter) &&
    TIERS.indexOf(given.tier) >= TIERS.indexOf(asked.tier) &&
    (given.mode === asked.mode || given.mode === "view") &&
    isSubset(given.fields, asked.fields) &&
    isAtLeast(given.dataFrom, asked.dataFrom) &&
    isAtMost(given.dataTo, asked.dataTo) &&
    isLifeWithin(given.dataLife, asked.dataLife) &&
    isFrequencyWithin(given.frequency, asked.frequency) &&
    isAtMost(given.queriesMax, asked.queriesMax)
  );
}
