/** Why a person is always asked, whatever was agreed to beforehand. */
import { isConsent, isNarrower, mayBeSpecial } from "@freehold/vocab";
import type { Policy, Terms } from "../model.ts";
import { kindsAround, kindsOf } from "./data-kinds.ts";
import type { DecideContext } from "./decide.ts";

/** Names of the rules, in the order in which they are told. */
const HARD_REASONS = Object.freeze([
  "special-category",
  "automated-decision",
  "child",
  "first-time-controller",
  "onward-sharing",
  "legal-basis",
  "first-store",
  "location",
  "price-floor",
] as const);
export type HardReason = (typeof HARD_REASONS)[number];

const dpv = (name: string): string => `https://w3id.org/dpv#${name}`;
const pd = (name: string): string => `https://w3id.org/dpv/pd#${name}`;

/** Article 10 of the GDPR stands beside article 9, and tells as much of a person. */
const CRIMINAL = pd("Criminal");
const CHILDREN = pd("Offspring");
/** Levels of automation at which a person still decides; at any other, and at what nobody knows, perhaps none does. */
const HAND_IN_HAND: ReadonlySet<string> = new Set(
  ["NotAutomated", "AssistiveAutomation", "PartialAutomation", "ConditionalAutomation"].map(dpv),
);
const FOR_A_PRICE: readonly string[] = [
  dpv("Marketing"),
  dpv("PersonalisedAdvertising"),
  dpv("SellProducts"),
  dpv("CommercialResearch"),
];

const touches = (kind: string, root: string): boolean => isNarrower(kind, root) || isNarrower(root, kind);

/** Amounts are told as text, so that none is rounded; here they are only compared. */
function isBelow(
  price: Terms["price"],
  floor: { readonly amount: string; readonly currency: string },
): boolean {
  if (!price || price.currency !== floor.currency) return true; // Another currency may be worth anything.
  return !(Number(price.amount) >= Number(floor.amount));
}

/**
 * @param policies Those left of the request after what is never given is taken out.
 * @returns every reason, in the order of {@link HARD_REASONS}.
 */
export function hardReasons(
  request: Terms,
  policies: readonly Policy[],
  context: Pick<DecideContext, "preferences" | "vendor" | "ownerIsMinor">,
): readonly HardReason[] {
  const { preferences, vendor } = context;
  const found = new Set<HardReason>();
  for (const policy of policies) {
    const { holds } = preferences;
    const kinds = [...(kindsOf(policy, holds) ?? policy.categories), ...kindsAround(policy, holds)];
    for (const kind of kinds) {
      if (mayBeSpecial(kind) || touches(kind, CRIMINAL)) found.add("special-category");
      if (touches(kind, CHILDREN)) found.add("child");
    }
    if (policy.mode === "store" && !vendor.hasStored) found.add("first-store");
    const { priceFloor } = preferences;
    const isCommerce = policy.purposes.some((purpose) =>
      FOR_A_PRICE.some((root) => isNarrower(purpose, root)),
    );
    if (priceFloor && isCommerce && isBelow(request.price, priceFloor)) found.add("price-floor");
  }
  if (request.decidesAboutPerson || !(request.automation === null || HAND_IN_HAND.has(request.automation)))
    found.add("automated-decision");
  if (context.ownerIsMinor) found.add("child");
  if (!vendor.isKnown) found.add("first-time-controller");
  if (
    request.recipients.some((recipient) => recipient !== request.assignee && recipient !== request.controller)
  )
    found.add("onward-sharing");
  if (!isConsent(request.legalBasis)) found.add("legal-basis");
  const places = preferences.locations;
  if (
    places &&
    (request.locations.length === 0 || !request.locations.every((place) => places.includes(place)))
  )
    found.add("location");
  return HARD_REASONS.filter((reason) => found.has(reason));
}
