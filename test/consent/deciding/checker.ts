/**
 * What the levels promise, in words and lists: the tests' own reading, which lists names instead of walking a hierarchy, and
 * shares no code with what it checks.
 */
import type { DecideContext } from "../../../server/consent/deciding/decide.ts";
import type { LevelNumber, Switch } from "../../../server/consent/deciding/levels.ts";
import type { Policy } from "../../../server/consent/model.ts";
import { DAY, HOLDS, type Wish } from "./wishes.ts";

/** Kinds that nobody is given without a question. */
export const DELICATE =
  "Religion Health Fingerprint SexualPreference PoliticalOpinion MedicalHealth CriminalConviction";

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
interface Promise_ {
  readonly from: LevelNumber | Switch;
  readonly purposes: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
  readonly tiers: ReadonlySet<string>;
  readonly modes: ReadonlySet<string>;
  readonly days: number;
  readonly keep: number;
}
const POSSESSION = "PersonalPossession";
const BUYING = "Purchase PurchasesAndSpendingHabit";
const LIKING =
  "Preference Favourite FavouriteColour FavouriteFood FavouriteMusic Interest Like Dislike Intention Opinion PrivacyPreference";
const USING = "ServiceConsumptionBehaviour TVViewingBehaviour";
const BEING = "AgeRange AgeExact Region Language Accent Dialect";
const PROMISES: readonly Promise_[] = [
  {
    from: 1, // Do what I asked for: names, ways to reach me, what I bought and have, as it is, to look at.
    purposes: words(
      "RequestedServiceProvision DeliveryOfGoods CustomerOrderManagement CommunicationForCustomerCare CustomerClaimsManagement RepairImpairments PaymentManagement FulfilmentOfContractualObligation",
    ),
    kinds: words(
      `Name Contact EmailAddress EmailAddressPersonal EmailAddressWork TelephoneNumber PhysicalAddress Street City HouseNumber Locality PostalCode Region RoomNumber Purchase ${POSSESSION}`,
    ),
    tiers: words("raw reduced aggregate tag"),
    modes: words("view"),
    days: 365,
    keep: 90,
  },
  {
    from: 2, // Count how I use it.
    purposes: words(
      "ServiceUsageAnalytics ImproveExistingProductsAndServices OptimisationForConsumer OptimiseUserInterface",
    ),
    kinds: words(`${USING} DeviceSoftware DeviceApplications DeviceOperatingSystem ${BUYING}`),
    tiers: words("aggregate tag"),
    modes: words("view query"),
    days: 180,
    keep: 180,
  },
  {
    from: 3, // Remember what I like.
    purposes: words(
      "ServicePersonalisation PersonalisedBenefits ProvidePersonalisedRecommendations ProvideEventRecommendations ProvideProductRecommendations UserInterfacePersonalisation CustomerRelationshipManagement ImproveInternalCRMProcesses",
    ),
    kinds: words(`${LIKING} ${USING} ${BUYING} ${POSSESSION}`),
    tiers: words("aggregate tag"),
    modes: words("view query stream"),
    days: 180,
    keep: 180,
  },
  {
    from: 4, // Make me offers.
    purposes: words("DirectMarketing PersonalisedAdvertising TargetedAdvertising SellProductsToDataSubject"),
    kinds: words(`${LIKING} ${USING} ${BUYING} ${POSSESSION} ${BEING}`),
    tiers: words("tag"),
    modes: words("view query stream"),
    days: 180,
    keep: 180,
  },
  {
    from: 5, // Count me in.
    purposes: words("ProvideOfficialStatistics CommercialResearch"),
    kinds: words(
      `${LIKING} ${USING} ${BUYING} ${POSSESSION} ${BEING} DeviceSoftware DeviceApplications DeviceOperatingSystem`,
    ),
    tiers: words("tag"),
    modes: words("view query"),
    days: 180,
    keep: 365,
  },
  {
    from: "good",
    purposes: words(
      "AcademicResearch ScientificResearch NonCommercialResearch CombatClimateChange ImproveHealthcare ImprovePublicServices ImproveTransportMobility ProvideOfficialStatistics",
    ),
    kinds: words(
      `${LIKING} ${USING} ${BUYING} ${POSSESSION} ${BEING} DeviceSoftware DeviceApplications DeviceOperatingSystem`,
    ),
    tiers: words("aggregate tag"),
    modes: words("view query"),
    days: 365,
    keep: 365,
  },
  {
    from: "ai",
    purposes: words(
      "ResearchAndDevelopment AcademicResearch CommercialResearch NonCommercialResearch ScientificResearch",
    ),
    kinds: words(
      `${LIKING} ${USING} ${BUYING} ${POSSESSION} DeviceSoftware DeviceApplications DeviceOperatingSystem`,
    ),
    tiers: words("aggregate tag"),
    modes: words("view query"),
    days: 180,
    keep: 365,
  },
  {
    from: "intent",
    purposes: words("SellProductsToDataSubject ProvideProductRecommendations"),
    kinds: words(`Intention ${POSSESSION} ${BEING}`),
    tiers: words("tag"),
    modes: words("view query"),
    days: 90,
    keep: 30,
  },
];
const SWITCH_TERMS: Readonly<Record<Switch, string>> = {
  good: "PDC-GOOD",
  ai: "PDC-AI",
  intent: "PDC-INTENT",
};
const LEVEL_TERMS = ["", "SD-BASE", "SD-BASE-A", "SD-BASE-AT", "SD-BASE-ATP", "SD-BASE-ATP-S3P"];
/** Kinds that are delicate, or that have delicate ones among them. */
const ALWAYS_ASKED = words(
  `${DELICATE} External Identifying Social Internal Tracking PersonalData PublicLife Criminal Offspring FamilyStructure Family`,
);
const SOLD = words(
  "DirectMarketing TargetedAdvertising PersonalisedAdvertising Marketing Advertising PoliticalCampaign RecruitmentTargetedAdvertising RecruitmentAdvertising CommercialResearch SellDataToThirdParties SellInsightsFromData SellProductsToDataSubject SellProducts",
);
const RANKS = ["raw", "reduced", "aggregate", "tag"];
const last = (iri: string): string => iri.replace(/^.*[#/]/, "");

/** What lies there, by Ana's own words; "?" for what she has not said. */
function contents({ target, fields }: Policy): readonly string[] {
  if (fields)
    return fields.map(
      (field) =>
        ({ hasEmail: "EmailAddress", hasAddress: "PhysicalAddress", bday: "BirthDate" })[last(field)] ?? "?",
    );
  return target.values.flatMap((value) => {
    if (target.kind === "shape")
      return value.endsWith("#OrderShape")
        ? ["Purchase"]
        : value.endsWith("#BankTransactionShape")
          ? ["Transaction", "BankAccount"]
          : ["?"];
    const folder = /^\/ana\/[a-z]+\//.exec(value)?.[0] ?? "";
    return target.kind === "view" ? ["?"] : (HOLDS[folder]?.map(last) ?? ["?"]);
  });
}

/** What Ana says lies in the folders that are named, whichever of its fields are asked for. */
const places = ({ target }: Policy): readonly string[] =>
  target.values.flatMap((value) => (HOLDS[/^\/ana\/[a-z]+\//.exec(value)?.[0] ?? ""] ?? []).map(last));

/** @returns everything that is wrong with giving this without a question. */
export function objections(
  asked: Wish,
  given: readonly Policy[],
  { preferences: said, vendor, refusals, now }: DecideContext,
): readonly string[] {
  const found: string[] = [];
  const object = (isWrong: boolean, what: string): void => {
    if (isWrong) found.push(what);
  };
  const kinds = vendor.categories.flatMap((kind) => said.vendorCategories[kind] ?? []);
  const standing =
    said.vendors[asked.assignee] ?? kinds.sort((a, b) => a.level - b.level)[0] ?? said.everybody;
  object(standing.level === 0, "closed");
  object(now - standing.confirmed > 396 * DAY, "confirmed too long ago");
  object(
    [asked.assignee, asked.controller].some((who) => said.blocked.includes(who)),
    "blocked",
  );
  object(!vendor.isKnown, "never met");
  object(last(asked.legalBasis) !== "Consent", "no consent");
  object(asked.recipients.length > 0, "passed on");
  object(asked.decidesAboutPerson || asked.automation !== null, "decided by machine");
  object(
    said.locations !== null && !asked.locations.every((place) => said.locations?.includes(place)),
    "kept elsewhere",
  );
  const named = asked.terms === null ? null : last(asked.terms);
  const own = standing.switches.find((each) => SWITCH_TERMS[each] === named);
  object(named !== null && !own && !LEVEL_TERMS.slice(1, standing.level + 1).includes(named), "terms");
  for (const each of given) {
    const origin = asked.policies.find(
      (one) =>
        one.target === each.target &&
        each.purposes.every((purpose) => one.purposes.includes(purpose)) &&
        one.fields === each.fields &&
        one.queriesMax === each.queriesMax &&
        one.notBefore === each.notBefore &&
        one.frequency === each.frequency,
    );
    object(!origin, "not asked for");
    if (!origin) continue;
    const holds = [...contents(origin), ...origin.categories.map(last)];
    object(each.actions.join() !== "read" || !origin.actions.includes("read"), "more than reading");
    object(RANKS.indexOf(each.tier) < RANKS.indexOf(origin.tier), "finer than asked");
    object(each.mode !== origin.mode && each.mode !== "view", "another mode than asked");
    object(each.notAfter > origin.notAfter, "longer than asked");
    object(origin.mode === "store" && !vendor.hasStored, "kept for the first time");
    const around = [...holds, ...places(origin)];
    object(
      around.some((kind) => ALWAYS_ASKED.has(kind)),
      "delicate",
    );
    object(
      around.some((kind) => said.never.categories.map(last).includes(kind)),
      "never this kind",
    );
    object(
      each.purposes.some((purpose) => said.never.purposes.includes(purpose)),
      "never for this",
    );
    const isSold = origin.purposes.some(
      (purpose) => SOLD.has(last(purpose)) && each.purposes.includes(purpose),
    );
    object(
      said.priceFloor !== null && isSold && Number(asked.price?.amount ?? 0) < Number(said.priceFloor.amount),
      "too cheap",
    );
    const kept = /^P(\d+)(D|Y)$/.exec(each.dataLife ?? "");
    const keptDays = kept ? Number(kept[1]) * (kept[2] === "Y" ? 366 : 1) : Number.POSITIVE_INFINITY;
    for (const purpose of each.purposes) {
      const promise = PROMISES.some(
        ({ from, ...bounds }) =>
          (typeof from === "number" ? !own && from <= standing.level : from === own) &&
          bounds.purposes.has(last(purpose)) &&
          holds.every((kind) => bounds.kinds.has(kind)) &&
          bounds.tiers.has(each.tier) &&
          bounds.modes.has(each.mode) &&
          each.notAfter - now <= bounds.days * DAY &&
          keptDays <= bounds.keep,
      );
      object(!promise, `not promised: ${last(purpose)} of ${holds.join("+")} as ${each.tier}`);
      object(
        refusals.some((no) => no.at > standing.confirmed && no.purposes.includes(purpose)),
        "refused since",
      );
    }
  }
  return found;
}
