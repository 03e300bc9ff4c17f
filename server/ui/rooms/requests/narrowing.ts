/** Less than was asked for: parts, details, how exact, how long. Pure; the pod checks that it is less. */
import {
  type DraftPolicy,
  type Preview,
  TIERS,
  type Tier,
  type WantedAccess,
} from "@freehold/client/consent";

const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const DAY = 86_400_000;
/** Who leaves the end open gets at most this much: the pod ends all after 13 months. */
const OPEN_DAYS = 360;

/** What somebody has chosen of a request. */
export interface Choice {
  /** Numbers of parts that are left out. */
  readonly without: ReadonlySet<number>;
  /** By part, properties that are left out: `0 http://…`. */
  readonly hidden: ReadonlySet<string>;
  /** Null: as exact as they ask. */
  readonly tier: Tier | null;
  /** Null: as long as they ask. */
  readonly days: number | null;
  /** They look, and keep no copy. */
  readonly isLookOnly: boolean;
}

export const ALL: Choice = Object.freeze({
  without: new Set<number>(),
  hidden: new Set<string>(),
  tier: null,
  days: null,
  isLookOnly: false,
});

export const fieldKey = (part: number, property: string): string => `${part} ${property}`;

/** Details that can be left out by themselves. */
export const topFields = ({ fields }: Preview): readonly string[] => [
  ...new Set(fields.flatMap(({ via }) => via)),
];

export const coarser = (asked: Tier | null): readonly Tier[] =>
  TIERS.slice(TIERS.indexOf(asked ?? "raw") + 1);

function fieldsOf(
  policy: DraftPolicy,
  preview: Preview | undefined,
  part: number,
  { hidden }: Choice,
): readonly string[] | null {
  if (!preview) return policy.fields;
  const isHidden = (property: string): boolean => hidden.has(fieldKey(part, property));
  const tops = topFields(preview);
  if (!tops.some(isHidden)) return policy.fields;
  const left = preview.fields
    .filter(({ via }) => via.some((top) => !isHidden(top)))
    .map(({ property }) => property)
    .filter((property) => !isHidden(property));
  if (policy.fields) return policy.fields.filter((property) => left.includes(property) || property === TYPE);
  return [...left, TYPE]; // What kind of thing it is, is no detail of it.
}

/** @returns what is given; empty where nothing is left. */
export function narrowed(
  policies: readonly DraftPolicy[],
  previews: readonly Preview[],
  choice: Choice,
  now: number,
): readonly WantedAccess[] {
  return policies.flatMap((policy, part): readonly WantedAccess[] => {
    const fields = fieldsOf(policy, previews[part], part, choice);
    const isEmpty = fields !== null && fields.every((property) => property === TYPE);
    if (choice.without.has(part) || isEmpty) return [];
    const { target, purposes, notBefore, notAfter, tier, mode, necessity, ...rest } = policy;
    const ends = [
      notAfter ?? now + OPEN_DAYS * DAY,
      ...(choice.days === null ? [] : [now + choice.days * DAY]),
    ];
    const least = choice.tier ?? "raw";
    const own = tier ?? "raw";
    return [
      {
        ...rest,
        target,
        purposes,
        until: new Date(Math.min(...ends)),
        ...(notBefore !== null && { from: new Date(notBefore) }),
        ...(necessity !== null && { necessity }),
        fields,
        tier: TIERS.indexOf(least) > TIERS.indexOf(own) ? least : own,
        mode: choice.isLookOnly ? "view" : (mode ?? "view"),
      },
    ];
  });
}
