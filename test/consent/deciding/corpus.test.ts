/**
 * How often a person is disturbed, and whether anything is given that was not agreed to: a thousand requests in half a year,
 * against one person at a time, who answers and changes nothing else. What is given is held against `checker.ts`.
 */
import { expect } from "chai";
import {
  type DecideContext,
  decide,
  digestDue,
  type Refusal,
} from "../../../server/consent/deciding/decide.ts";
import type { Preferences } from "../../../server/consent/deciding/preferences.ts";
import type { Policy } from "../../../server/consent/model.ts";
import { DELICATE, objections } from "./checker.ts";
import { context, DAY, dpv, HOLDS, NOW, pd, policy, preferences, type Wish, wish } from "./wishes.ts";

const REQUESTS = 1_000;
const WEEKS = 26;
const SEEDS = [20_261_122, 1, 2, 3, 4];
const promptsPerHundredMax = 5;

function seeded(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (share: number): boolean => next() < share,
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T,
  };
}
type Chance = ReturnType<typeof seeded>;

interface Company {
  readonly webid: string;
  readonly kinds: readonly string[];
}
const COMPANIES: readonly Company[] = Array.from({ length: 60 }, (_, n) => ({
  webid: `https://company${n}.example/#org`,
  kinds: n % 3 === 0 ? [] : [["shop", "insurer", "courier", "broker"][n % 4] as string],
}));

const PURPOSES =
  "DeliveryOfGoods RequestedServiceProvision CustomerOrderManagement CommunicationForCustomerCare RepairImpairments PaymentManagement CustomerClaimsManagement ServiceUsageAnalytics ImproveExistingProductsAndServices ServicePersonalisation ProvideProductRecommendations CustomerRelationshipManagement DirectMarketing TargetedAdvertising PersonalisedAdvertising Marketing Advertising CommercialResearch AcademicResearch ProvideOfficialStatistics SellDataToThirdParties SellInsightsFromData SellProductsToDataSubject ServiceProvision ServiceManagement PoliticalCampaign RecruitmentTargetedAdvertising CustomerSolvencyMonitoring IdentityVerification Personalisation";
const KINDS =
  "Purchase EmailAddress PhysicalAddress Name Contact PersonalPossession Preference Favourite Like ServiceConsumptionBehaviour PurchasesAndSpendingHabit AgeRange Region Income BankAccount Location External Identifying";
const TERMS = ["SD-BASE", "SD-BASE-A", "SD-BASE-ATP", "SD-BASE-ATP-S3P", "PDC-GOOD", "PDC-AI", "PDC-INTENT"];

/** What decent companies ask for: purpose, folder, tier, mode. */
const DECENT = [
  "DeliveryOfGoods contact raw view",
  "DeliveryOfGoods orders raw view",
  "CustomerOrderManagement orders raw view",
  "CommunicationForCustomerCare contact raw view",
  "CommunicationForCustomerCare orders raw store",
  "RepairImpairments things raw view",
  "ServiceUsageAnalytics use aggregate query",
  "ServiceUsageAnalytics use raw query",
  "ImproveExistingProductsAndServices use aggregate store",
  "ServicePersonalisation taste aggregate stream",
  "ProvideProductRecommendations taste raw stream",
  "ProvideProductRecommendations things tag query",
  "DirectMarketing taste tag query",
  "TargetedAdvertising taste tag stream",
  "SellProductsToDataSubject things tag query",
  "CommercialResearch use tag query",
  "AcademicResearch use aggregate query",
];

function decent(chance: Chance, at: number): Policy {
  const [purpose = "", folder = "", tier, mode] = chance.pick(DECENT).split(" ");
  return policy({
    purposes: [dpv(purpose)],
    target: { kind: "container", values: [`/ana/${folder}/`] },
    categories: HOLDS[`/ana/${folder}/`] ?? [],
    tier: tier as Policy["tier"],
    mode: mode as Policy["mode"],
    notAfter: at + chance.pick([30, 90, 365]) * DAY,
    dataLife: chance.pick([null, "P30D", "P1Y"]),
  });
}

/** One of a thousand: as often decent as not; then greedy, and now and then sly. */
function dream(chance: Chance, company: Company, at: number): Wish {
  const one = (): Policy => {
    const folder = chance.pick(
      Object.keys(HOLDS).filter((path) => chance.chance(0.1) || !path.includes("health")),
    );
    const target = chance.pick<Policy["target"]>([
      { kind: "container", values: [folder] },
      { kind: "container", values: [folder] },
      { kind: "resource", values: [`${folder}2026.ttl`] },
      { kind: "container", values: ["/ana/attic/"] },
      { kind: "container", values: ["/ana/"] },
      { kind: "storage", values: ["/ana/"] },
      { kind: "view", values: ["7"] },
      { kind: "shape", values: ["https://w3id.org/freehold/shapes/commerce#OrderShape"] },
      { kind: "shape", values: ["https://w3id.org/freehold/shapes/commerce#BankTransactionShape"] },
      { kind: "shape", values: ["https://shop.example/shapes#Own"] },
    ]);
    const vcard = "http://www.w3.org/2006/vcard/ns#";
    return policy({
      actions: chance.pick<Policy["actions"]>([["read"], ["read"], ["read"], ["read", "modify"], ["create"]]),
      target,
      necessity: chance.pick(["required", "required", "optional"]),
      purposes: [
        ...new Set([
          chance.pick(PURPOSES.split(" ")),
          ...(chance.chance(0.2) ? [chance.pick(PURPOSES.split(" "))] : []),
        ]),
      ].map(dpv),
      notBefore: chance.chance(0.2) ? at + 3 * DAY : null,
      notAfter: at + chance.pick([7, 30, 90, 200, 396]) * DAY,
      tier: chance.pick(["raw", "raw", "reduced", "aggregate", "tag"]),
      mode: chance.pick([
        "view",
        "view",
        "query",
        "stream",
        ...(chance.chance(0.2) ? (["store"] as const) : []),
      ]),
      categories: [chance.pick((chance.chance(0.03) ? DELICATE : KINDS).split(" "))].map(pd),
      fields: chance.chance(0.2)
        ? [`${vcard}${chance.pick(["hasEmail", "hasAddress", "bday", "note"])}`]
        : null,
      dataLife: chance.pick([null, "P30D", "P1Y", "P10Y", "forever"]),
      queriesMax: chance.chance(0.2) ? 100 : null,
    });
  };
  const each = (): Policy => (chance.chance(0.6) ? decent(chance, at) : one());
  return wish(chance.chance(0.2) ? [each(), each()] : [each()], {
    assignee: company.webid,
    controller: chance.chance(0.03) ? "https://holding.example/#us" : company.webid,
    legalBasis: dpv(chance.chance(0.05) ? "LegitimateInterest" : "Consent"),
    recipients: chance.chance(0.05) ? ["https://data.example/#us"] : [],
    locations: [`https://w3id.org/dpv/loc#${chance.pick(["DE", "DE", "AT", "US"])}`],
    automation: chance.chance(0.02) ? dpv("AutomatedDecisionMaking") : null,
    decidesAboutPerson: chance.chance(0.02),
    price: chance.chance(0.1) ? { amount: chance.pick(["0.10", "5"]), currency: "EUR" } : null,
    terms: chance.chance(0.2) ? `https://w3id.org/dpv/standards/ieee/7012#${chance.pick(TERMS)}` : null,
  });
}

// ── Half a year ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface HalfYear {
  readonly prompts: number;
  readonly summaries: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly falseGrants: readonly string[];
}

/** The person says yes to most of what they began, to some of what waits, and no to the rest. */
function live(said: Preferences, seed: number, decideIt: typeof decide = decide): HalfYear {
  const chance = seeded(seed);
  const known = new Set(COMPANIES.filter(() => chance.chance(0.4)).map(({ webid }) => webid));
  const stored = new Set([...known].filter(() => chance.chance(0.2)));
  const refusals = new Map<string, Refusal[]>();
  const outcomes: Record<string, number> = { grant: 0, narrow: 0, deny: 0, defer: 0, ask: 0 };
  const falseGrants: string[] = [];
  let waiting: { readonly at: number; readonly request: Wish }[] = [];
  let askedAt: number | null = null;
  let [prompts, summaries] = [0, 0];
  for (let n = 0; n < REQUESTS; n++) {
    const now = NOW + (n / REQUESTS) * WEEKS * 7 * DAY;
    const answer = (request: Wish, isYes: boolean): void => {
      if (isYes) {
        known.add(request.assignee);
        if (request.policies.some(({ mode }) => mode === "store")) stored.add(request.assignee);
      } else {
        const purposes = request.policies.flatMap((each) => each.purposes);
        refusals.set(request.assignee, [
          ...(refusals.get(request.assignee) ?? []),
          { kind: "refused", purposes, at: now },
        ]);
      }
    };
    if (
      digestDue(
        waiting.map(({ at }) => at),
        now,
      )
    ) {
      summaries += 1;
      for (const { request } of waiting) answer(request, chance.chance(0.2));
      waiting = [];
    }
    const company = chance.pick(COMPANIES);
    const request = dream(chance, company, now);
    const isOwn = request.controller === request.assignee;
    const moment: DecideContext = {
      now,
      preferences: said,
      vendor: {
        categories: company.kinds,
        isKnown: isOwn && known.has(company.webid),
        hasStored: isOwn && stored.has(company.webid),
      },
      refusals: refusals.get(company.webid) ?? [],
      userInitiated: chance.chance(0.03),
      askedAt,
      ownerIsMinor: false,
    };
    const verdict = decideIt(request, moment);
    outcomes[verdict.outcome] = (outcomes[verdict.outcome] ?? 0) + 1;
    if (verdict.outcome === "grant" || verdict.outcome === "narrow") {
      falseGrants.push(
        ...objections(request, verdict.policies, moment).map((what) => `request ${n}: ${what}`),
      );
      if (verdict.policies.length === 0) falseGrants.push(`request ${n}: a grant of nothing`);
    } else if (verdict.outcome === "ask") {
      prompts += 1;
      if (!moment.userInitiated) askedAt = now;
      answer(request, chance.chance(moment.userInitiated ? 0.8 : 0.3));
    } else if (verdict.outcome === "defer") waiting.push({ at: now, request });
  }
  return { prompts, summaries, outcomes, falseGrants };
}

describe(`${REQUESTS} requests in half a year`, () => {
  const confirmed = NOW - DAY;
  const people: readonly (readonly [string, Preferences])[] = [
    ...([0, 1, 2, 3, 4, 5] as const).map(
      (level) =>
        [`at level ${level}`, preferences({ everybody: { level, switches: [], confirmed } })] as const,
    ),
    [
      "who never said anything",
      preferences({ version: 0, everybody: { level: 1, switches: [], confirmed: 0 }, holds: {} }),
    ],
    [
      "with all switches on, a price, places, and things never given",
      preferences({
        everybody: { level: 4, switches: ["good", "ai", "intent"], confirmed },
        vendorCategories: {
          insurer: { level: 1, switches: [], confirmed },
          broker: { level: 0, switches: [], confirmed },
        },
        vendors: { [COMPANIES[0]?.webid ?? ""]: { level: 5, switches: ["good"], confirmed } },
        blocked: [COMPANIES[1]?.webid ?? ""],
        never: { purposes: [dpv("TargetedAdvertising")], categories: [pd("PurchasesAndSpendingHabit")] },
        locations: ["DE", "AT"].map((code) => `https://w3id.org/dpv/loc#${code}`),
        priceFloor: { amount: "1.00", currency: "EUR" },
      }),
    ],
  ];
  for (const [who, said] of people)
    it(`disturb a person ${who} at most ${promptsPerHundredMax} times in a hundred, and give nothing that was not agreed to`, () => {
      for (const seed of SEEDS) {
        const year = live(said, seed);
        expect(year.falseGrants).to.deep.equal([]);
        expect((year.prompts * 100) / REQUESTS, `seed ${seed}`).to.be.at.most(promptsPerHundredMax);
      }
    });

  it("give something to whoever agreed to something, and at each level all that was given below it", () => {
    const chance = seeded(7);
    const wishes = Array.from({ length: REQUESTS }, () => dream(chance, chance.pick(COMPANIES), NOW));
    const given = people.slice(0, 6).map(([, said]) => {
      const isGiven = (one: Wish): boolean =>
        /grant|narrow/.test(decide(one, context({ preferences: said })).outcome);
      return new Set(wishes.filter(isGiven));
    });
    expect(given[0]?.size).to.equal(0);
    for (const [level, set] of given.entries())
      if (level > 0) {
        expect(set.size, `level ${level}`).to.be.greaterThan(given[level - 1]?.size ?? 0);
        expect([...(given[level - 1] ?? [])].every((one) => set.has(one))).to.equal(true);
      }
  });

  it("what is given is given again when it is asked for so, and nothing more is left out", () => {
    const chance = seeded(11);
    let given = 0;
    for (let n = 0; n < REQUESTS; n++) {
      const asked = dream(chance, chance.pick(COMPANIES), NOW);
      for (const [who, said] of people) {
        const first = decide(asked, context({ preferences: said }));
        if (first.outcome !== "grant" && first.outcome !== "narrow") continue;
        given += 1;
        const again = decide({ ...asked, policies: first.policies }, context({ preferences: said }));
        expect([again.outcome, again.policies], who).to.deep.equal(["grant", first.policies]);
      }
    }
    expect(given).to.be.greaterThan(500);
  });

  it("and the checker would find what is given too much", () => {
    const generous: typeof decide = (request, moment) => {
      const verdict = decide(request, moment);
      return verdict.outcome === "defer"
        ? { ...verdict, outcome: "grant", policies: request.policies }
        : verdict;
    };
    const [, said] = people[4] ?? people[0] ?? ["", preferences()];
    expect(live(said, 7, generous).falseGrants.length).to.be.greaterThan(100);
  });
});
