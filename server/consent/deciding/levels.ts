/**
 * The six steps from closed to open, as what each lets pass without a question. Each step adds to those before it, and
 * stands for an agreement of IEEE 7012. What is not here is asked of the person.
 * @see https://w3id.org/dpv/standards/ieee/7012
 */
import { ieee7012 } from "@freehold/vocab";
import type { ConsentMode, Tier } from "../model.ts";

export type LevelNumber = 0 | 1 | 2 | 3 | 4 | 5;

/** Contributions beside the levels, each on or off by itself. */
export const SWITCHES = Object.freeze(["intent", "ai", "good"] as const);
export type Switch = (typeof SWITCHES)[number];

/** One thing that may be given without a question. */
export interface Allowance {
  /** The rule's name in decisions. */
  readonly name: string;
  /** For people: what it is for, after "for". */
  readonly words: string;
  readonly purposes: readonly string[];
  /** Purposes under those above that are not meant all the same. */
  readonly except: readonly string[];
  /** Kinds of data, each with all below it. */
  readonly categories: readonly string[];
  /** The finest tier. */
  readonly tier: Tier;
  /** Always with "view", which any other becomes. */
  readonly modes: readonly ConsentMode[];
  /** How long such a grant lasts at most, in days. */
  readonly grantDays: number;
  /** How long the data may be kept at most, in days. */
  readonly keepDays: number;
  /** A contribution is only meant by who asks under its own agreement; null: any agreement of the level. */
  readonly onlyUnder: string | null;
}

export interface Level {
  readonly number: LevelNumber;
  readonly name: string;
  readonly words: string;
  /** The agreement the person offers; null: none, all is refused. */
  readonly terms: string | null;
  /** What this level adds to the one before. */
  readonly adds: readonly Allowance[];
}

const dpv = (names: string): readonly string[] =>
  Object.freeze(names.split(" ").map((name) => `https://w3id.org/dpv#${name}`));
const pd = (names: string): readonly string[] =>
  Object.freeze(names.split(" ").map((name) => `https://w3id.org/dpv/pd#${name}`));

/** The vocabulary puts selling data under providing a service; no person who says "serve me" means that. */
const SELLING = dpv("SellDataToThirdParties SellInsightsFromData");

const ORDERS = pd("Name Contact Purchase PersonalPossession");
const USE = pd("ServiceConsumptionBehaviour DeviceSoftware Purchase PurchasesAndSpendingHabit");
const TASTE = pd(
  "Preference ServiceConsumptionBehaviour Purchase PurchasesAndSpendingHabit PersonalPossession",
);
const SELF = pd("AgeRange Region Language");

const allow = (
  allowance: Omit<Allowance, "onlyUnder" | "except"> & Partial<Pick<Allowance, "onlyUnder" | "except">>,
) => Object.freeze<Allowance>({ onlyUnder: null, except: SELLING, ...allowance });

/** In order; the index is the number. */
export const LEVELS: readonly Level[] = Object.freeze([
  { number: 0, name: "Closed", words: "Nobody gets anything.", terms: null, adds: [] },
  {
    number: 1,
    name: "Just serve me",
    words: "Companies I deal with may look up what they need to do what I asked for.",
    terms: ieee7012["SD-BASE"],
    adds: [
      allow({
        name: "serve",
        words: "doing what you asked for",
        purposes: dpv(
          "RequestedServiceProvision CustomerOrderManagement CommunicationForCustomerCare CustomerClaimsManagement RepairImpairments PaymentManagement FulfilmentOfContractualObligation",
        ),
        categories: ORDERS,
        tier: "raw",
        modes: ["view"],
        grantDays: 365,
        keepDays: 90,
      }),
    ],
  },
  {
    number: 2,
    name: "Improve the service",
    words: "They may also count how I use what they offer.",
    terms: ieee7012["SD-BASE-A"],
    adds: [
      allow({
        name: "improve",
        words: "improving the service",
        purposes: dpv("ServiceUsageAnalytics ImproveExistingProductsAndServices OptimisationForConsumer"),
        categories: USE,
        tier: "aggregate",
        modes: ["view", "query"],
        grantDays: 180,
        keepDays: 180,
      }),
    ],
  },
  {
    number: 3,
    name: "Remember me",
    words: "They may also remember what I like, as a summary.",
    terms: ieee7012["SD-BASE-AT"],
    adds: [
      allow({
        name: "remember",
        words: "remembering what you like",
        purposes: dpv("ServicePersonalisation CustomerRelationshipManagement"),
        categories: TASTE,
        tier: "aggregate",
        modes: ["view", "query", "stream"],
        grantDays: 180,
        keepDays: 180,
      }),
    ],
  },
  {
    number: 4,
    name: "Personal offers",
    words: "They may also make me offers by what kind of customer I am.",
    terms: ieee7012["SD-BASE-ATP"],
    adds: [
      allow({
        name: "offer",
        words: "making you offers",
        purposes: dpv("DirectMarketing PersonalisedAdvertising SellProductsToDataSubject"),
        except: Object.freeze([...SELLING, ...dpv("PoliticalCampaign RecruitmentAdvertising")]),
        categories: Object.freeze([...TASTE, ...SELF]),
        tier: "tag",
        modes: ["view", "query", "stream"],
        grantDays: 180,
        keepDays: 180,
      }),
    ],
  },
  {
    number: 5,
    name: "Share summaries",
    words: "My summaries may also be part of statistics.",
    terms: ieee7012["SD-BASE-ATP-S3P"],
    adds: [
      allow({
        name: "statistics",
        words: "statistics",
        purposes: dpv("ProvideOfficialStatistics CommercialResearch"),
        categories: Object.freeze([...TASTE, ...USE, ...SELF]),
        tier: "tag",
        modes: ["view", "query"],
        grantDays: 180,
        keepDays: 365,
      }),
    ],
  },
]);

const SWITCH_ALLOWANCES: Readonly<Record<Switch, Allowance>> = Object.freeze({
  intent: allow({
    name: "intent",
    words: "answering what you look for",
    purposes: dpv("SellProductsToDataSubject ProvideProductRecommendations"),
    categories: Object.freeze([...pd("Intention PersonalPossession"), ...SELF]),
    tier: "tag",
    modes: ["view", "query"],
    grantDays: 90,
    keepDays: 30,
    onlyUnder: ieee7012["PDC-INTENT"],
  }),
  ai: allow({
    name: "ai",
    words: "training machines",
    purposes: dpv("ResearchAndDevelopment"),
    categories: Object.freeze([...TASTE, ...USE]),
    tier: "aggregate",
    modes: ["view", "query"],
    grantDays: 180,
    keepDays: 365,
    onlyUnder: ieee7012["PDC-AI"],
  }),
  good: allow({
    name: "good",
    words: "the public good",
    purposes: dpv(
      "AcademicResearch ScientificResearch NonCommercialResearch CombatClimateChange ImproveHealthcare ImprovePublicServices ImproveTransportMobility ProvideOfficialStatistics",
    ),
    categories: Object.freeze([...TASTE, ...USE, ...SELF]),
    tier: "aggregate",
    modes: ["view", "query"],
    grantDays: 365,
    keepDays: 365,
    onlyUnder: ieee7012["PDC-GOOD"],
  }),
});

/**
 * @returns what a level with these switches lets pass, the narrowest level first.
 */
export function allowancesOf(level: LevelNumber, switches: readonly Switch[]): readonly Allowance[] {
  if (level === 0) return []; // Closed is closed, whatever is switched on.
  return [
    ...LEVELS.slice(0, level + 1).flatMap(({ adds }) => adds),
    ...SWITCHES.filter((name) => switches.includes(name)).map((name) => SWITCH_ALLOWANCES[name]),
  ];
}

/** @returns agreements that a person of this level has accepted: that of the level, and the stricter ones below it. */
export function acceptedTerms(level: LevelNumber): readonly string[] {
  return LEVELS.slice(0, level + 1).flatMap(({ terms }) => terms ?? []);
}
