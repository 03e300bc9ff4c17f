/** What becomes of a request before a person is disturbed with it. Long: tables of wishes, and what the owner is told of them. */
import { expect } from "chai";
import {
  type DecideContext,
  decide,
  digestDue,
  narrowStanding,
  type Refusal,
} from "../../../server/consent/deciding/decide.ts";
import { LEVELS, type LevelNumber, type Switch } from "../../../server/consent/deciding/levels.ts";
import {
  NO_PREFERENCES,
  type Preferences,
  parsePreferences,
} from "../../../server/consent/deciding/preferences.ts";
import type { Policy, Terms } from "../../../server/consent/model.ts";
import { context, DAY, dpv, NOW, pd, policy, preferences, SHOP, type Wish, wish } from "./wishes.ts";

const at = (level: LevelNumber, switches: readonly Switch[] = []): Preferences =>
  preferences({ everybody: { level, switches, confirmed: NOW - DAY } });
const outcome = (request: Wish, part: Partial<DecideContext> = {}): string =>
  decide(request, context(part)).outcome;
const of = (part: Partial<Policy>, terms: Partial<Terms> = {}): Wish => wish([policy(part)], terms);
const folder = (name: string) => ({ kind: "container" as const, values: [`/ana/${name}/`] });

const ANALYTICS = { purposes: [dpv("ServiceUsageAnalytics")], target: folder("use"), categories: [] };
const OFFERS = { purposes: [dpv("DirectMarketing")], target: folder("taste"), categories: [] };

describe("what becomes of a request, by the level", () => {
  const LETTERS = { grant: "G", narrow: "N", deny: "D", defer: "·", ask: "A" } as const;
  // biome-ignore format: a table; each letter is what a level from 0 to 5 makes of the wish.
  const golden: readonly (readonly [string, Wish, string])[] = [
    ["delivery, to look up orders",            of({}),                                                         "DGGGGG"],
    ["delivery, to keep them",                 of({ mode: "store" }),                                           "DNNNNN"],
    ["delivery, for two years",                of({ notAfter: NOW + 700 * DAY }),                                "DNNNNN"],
    ["delivery, the address as a field",       of({ target: { kind: "storage", values: ["/ana/"] }, fields: ["http://www.w3.org/2006/vcard/ns#hasAddress"], categories: [] }), "DGGGGG"],
    ["delivery, addresses wherever they are",  of({ target: { kind: "shape", values: ["https://w3id.org/freehold/shapes/profile#PostalAddressShape"] }, categories: [] }), "DGGGGG"],
    ["customer care, orders and contact",      wish([policy({ purposes: [dpv("CommunicationForCustomerCare")] }), policy({ purposes: [dpv("CommunicationForCustomerCare")], target: folder("contact"), categories: [] })]), "DGGGGG"],
    ["delivery of what the bank knows",        of({ target: folder("bank"), categories: [] }),                   "D·····"],
    ["bank data that is called an order",      of({ target: folder("bank"), categories: [pd("Purchase")] }),     "D·····"],
    ["a folder that nobody has named",         of({ target: folder("attic") }),                                  "D·····"],
    ["everything",                             of({ target: { kind: "storage", values: ["/ana/"] } }),           "D·····"],
    ["a view, of which only its maker knows",  of({ target: { kind: "view", values: ["7"] } }),                  "D·····"],
    ["harmless fields of a view",              of({ target: { kind: "view", values: ["7"] }, fields: ["http://www.w3.org/2006/vcard/ns#fn"], categories: [] }), "D·····"],
    ["harmless fields of what lies with health", of({ target: folder("health"), fields: ["http://www.w3.org/2006/vcard/ns#fn"], categories: [] }), "DAAAAA"],
    ["to count use, as totals",                of({ ...ANALYTICS, tier: "aggregate" }),                          "D·GGGG"],
    ["to count use, every single one",         of(ANALYTICS),                                                    "D·NNNN"],
    ["to remember tastes, as totals",          of({ purposes: [dpv("ServicePersonalisation")], target: folder("taste"), categories: [], tier: "aggregate" }), "D··GGG"],
    ["offers by kind of customer",             of({ ...OFFERS, tier: "tag" }),                                   "D···GG"],
    ["offers by every taste there is",         of(OFFERS),                                                       "D···NN"],
    ["statistics, yes or no",                  of({ ...OFFERS, purposes: [dpv("CommercialResearch")], tier: "tag" }), "D····G"],
    ["delivery and offers in one",             of({ purposes: [dpv("DeliveryOfGoods"), dpv("DirectMarketing")] }), "DNNNNN"],
    ["delivery, and offers if you like",       wish([policy(), policy({ ...OFFERS, necessity: "optional" })]),    "DNNNNN"],
    ["delivery, and offers or nothing",        wish([policy(), policy(OFFERS)]),                                  "D···NN"],
    ["service in general",                     of({ purposes: [dpv("ServiceProvision")] }),                       "D·····"],
    ["to sell what it learns",                 of({ purposes: [dpv("SellInsightsFromData")] }),                   "D·····"],
    ["a political campaign",                   of({ purposes: [dpv("PoliticalCampaign")], target: folder("taste"), categories: [], tier: "tag" }), "D·····"],
    ["a purpose of its own",                   of({ purposes: ["https://shop.example/purposes#care"] }),          "D·····"],
    ["to write orders",                        of({ actions: ["create"] }),                                      "D·····"],
    ["to read and change orders",              of({ actions: ["read", "modify"] }),                              "DNNNNN"],
    ["under terms that allow more",            of({}, { terms: LEVELS[4]?.terms ?? "" }),                        "D···GG"],
    ["under terms that allow less",            of({}, { terms: LEVELS[1]?.terms ?? "" }),                        "DGGGGG"],
    ["under terms of its own",                 of({}, { terms: "https://shop.example/terms" }),                  "D·····"],
    ["health, for delivery",                   of({ target: folder("health"), categories: [] }),                 "DAAAAA"],
    ["what may hide health",                   of({ categories: [pd("External")] }),                             "DAAAAA"],
    ["a decision by machine alone",            of({}, { decidesAboutPerson: true }),                             "DAAAAA"],
    ["to pass it on",                          of({}, { recipients: ["https://courier.example/#org"] }),         "DAAAAA"],
    ["not by consent",                         of({}, { legalBasis: dpv("LegitimateInterest") }),                "DAAAAA"],
    ["children",                               of({ categories: [pd("Offspring")] }),                            "DAAAAA"],
  ];
  for (const [what, request, letters] of golden)
    it(`${what}: ${letters}`, () => {
      const found = ([0, 1, 2, 3, 4, 5] as const).map(
        (level) => LETTERS[decide(request, context({ preferences: at(level) })).outcome],
      );
      expect(found.join("")).to.equal(letters);
    });
});

describe("what is given beforehand is narrowed to what was agreed", () => {
  it("by tier, mode, time, life, purpose and action, and to nothing finer", () => {
    const asked = policy({
      ...ANALYTICS,
      purposes: [dpv("ServiceUsageAnalytics"), dpv("DirectMarketing")],
      actions: ["read", "delete"],
      mode: "store",
      notAfter: NOW + 390 * DAY,
      dataLife: "P5Y",
      queriesMax: 10,
      frequency: { count: 1, per: DAY },
    });
    const verdict = decide(wish([asked]), context({ preferences: at(2) }));
    expect(verdict.outcome).to.equal("narrow");
    expect(verdict.policies).to.deep.equal([
      {
        ...asked,
        purposes: [dpv("ServiceUsageAnalytics")],
        actions: ["read"],
        tier: "aggregate",
        mode: "view",
        notAfter: NOW + 180 * DAY,
        dataLife: "P180D",
      },
    ]);
    expect(verdict.rules).to.include.members(["everybody", "improve", "preferences:7"]);
  });

  it("two purposes under two rules become two policies, each with its own bounds", () => {
    const asked = policy({ purposes: [dpv("DeliveryOfGoods"), dpv("ServiceUsageAnalytics")] });
    const { policies } = decide(wish([asked]), context({ preferences: at(2) }));
    expect(policies.map(({ purposes, tier }) => [purposes, tier])).to.deep.equal([
      [[dpv("DeliveryOfGoods")], "raw"],
      [[dpv("ServiceUsageAnalytics")], "aggregate"],
    ]);
  });

  it("a coarser tier than agreed stays as it is asked", () => {
    const { policies, outcome: result } = decide(of({ tier: "tag" }), context());
    expect([result, policies[0]?.tier]).to.deep.equal(["grant", "tag"]);
  });

  it("switches count each by itself, and only under their own agreement", () => {
    const good = of(
      { ...OFFERS, purposes: [dpv("AcademicResearch")], tier: "aggregate" },
      { terms: "https://w3id.org/dpv/standards/ieee/7012#PDC-GOOD" },
    );
    expect(outcome(good, { preferences: at(1, ["good"]) })).to.equal("grant");
    expect(outcome(good, { preferences: at(5) })).to.equal("defer");
    expect(outcome({ ...good, terms: null }, { preferences: at(1, ["good"]) })).to.equal("defer");
    expect(outcome({ ...of({}), terms: good.terms }, { preferences: at(1, ["good"]) })).to.equal("defer");
    expect(outcome(good, { preferences: at(0, ["good"]) })).to.equal("deny");
  });

  it("the most particular word counts: of a company, else of its kind (the most closed), else of everybody", () => {
    const confirmed = NOW - DAY;
    const mixed = preferences({
      everybody: { level: 4, switches: [], confirmed },
      vendorCategories: {
        insurer: { level: 0, switches: [], confirmed },
        shop: { level: 1, switches: [], confirmed },
      },
      vendors: { "https://friend.example/#org": { level: 5, switches: [], confirmed } },
    });
    const offers = of({ ...OFFERS, tier: "tag" });
    const as = (who: string, categories: readonly string[]) =>
      outcome(
        { ...offers, assignee: who, controller: who },
        { preferences: mixed, vendor: { categories, isKnown: true, hasStored: true } },
      );
    expect(as(SHOP, [])).to.equal("grant");
    expect(as(SHOP, ["shop"])).to.equal("defer");
    expect(as(SHOP, ["shop", "insurer"])).to.equal("deny");
    expect(as(SHOP, ["constructor"])).to.equal("grant");
    expect(as("https://friend.example/#org", ["insurer"])).to.equal("grant");
  });

  it("what was confirmed more than thirteen months ago grants nothing more, but still refuses", () => {
    const old = (level: LevelNumber) =>
      preferences({ everybody: { level, switches: [], confirmed: NOW - 397 * DAY } });
    expect(outcome(of({}), { preferences: old(5) })).to.equal("defer");
    expect(outcome(of({}), { preferences: old(0) })).to.equal("deny");
    expect(outcome(of({}), { preferences: NO_PREFERENCES })).to.equal("defer");
  });

  it("what is looked at flows at once and can be undone for a day; what is kept elsewhere waits for that day", () => {
    const stream = of({
      purposes: [dpv("ServicePersonalisation")],
      target: folder("taste"),
      categories: [],
      tier: "tag",
      mode: "stream",
    });
    const [look, kept] = [of({}), stream].map((each) => decide(each, context({ preferences: at(3) })));
    expect([look?.undoUntil, look?.heldUntil]).to.deep.equal([NOW + DAY, null]);
    expect([kept?.outcome, kept?.undoUntil, kept?.heldUntil]).to.deep.equal(["grant", NOW + DAY, NOW + DAY]);
  });
});

describe("what is refused in silence", () => {
  it("who is blocked, as agent or as controller", () => {
    const blocked = preferences({ blocked: [SHOP] });
    expect(outcome(of({}), { preferences: blocked, userInitiated: true })).to.equal("deny");
    expect(outcome(of({}, { assignee: "https://front.example/#us" }), { preferences: blocked })).to.equal(
      "deny",
    );
  });

  it("what is never given, by kind and purpose, whole or as part of something larger", () => {
    const never = preferences({
      everybody: { level: 5, switches: [], confirmed: NOW - DAY },
      never: { purposes: [dpv("Marketing")], categories: [pd("Interest")] },
    });
    expect(outcome(of({ ...OFFERS, tier: "tag" }), { preferences: never })).to.equal("deny");
    expect(
      outcome(of({ purposes: [dpv("ServicePersonalisation")], target: folder("taste"), tier: "tag" }), {
        preferences: never,
      }),
      "tastes hold interests",
    ).to.equal("deny");
    expect(outcome(of({}), { preferences: never })).to.equal("grant");
    const both = wish([policy(), policy({ ...OFFERS, necessity: "optional" })]);
    expect(decide(both, context({ preferences: never })).policies).to.have.length(1);
  });

  it("what was refused less than six months ago, even where it would be asked", () => {
    const refusals = [{ kind: "refused" as const, purposes: [dpv("DirectMarketing")], at: NOW - 100 * DAY }];
    const offers = of({ ...OFFERS, tier: "tag" });
    expect(outcome(offers, { refusals })).to.equal("deny");
    expect(outcome(offers, { refusals, userInitiated: true })).to.equal("deny");
    expect(outcome(of({ ...OFFERS, categories: [pd("Religion")] }), { refusals })).to.equal("deny");
    expect(
      outcome(of({ ...OFFERS, purposes: [dpv("Marketing")] }), { refusals }),
      "more of the same",
    ).to.equal("deny");
    expect(outcome(of({}), { refusals }), "something else").to.equal("grant");
    expect(
      outcome(offers, {
        refusals: [{ kind: "refused" as const, purposes: [dpv("DirectMarketing")], at: NOW - 184 * DAY }],
      }),
    ).to.equal("defer");
  });

  it("a no to one company is not undone by an older yes to everybody, not even after six months", () => {
    const yes = preferences({ everybody: { level: 1, switches: [], confirmed: NOW - 300 * DAY } });
    const no = (kind: Refusal["kind"]) => (days: number) => [
      { kind, purposes: [dpv("DeliveryOfGoods")], at: NOW - days * DAY },
    ];
    const refused = no("refused");
    expect(outcome(of({}), { preferences: yes, refusals: refused(10) })).to.equal("deny");
    expect(outcome(of({}), { preferences: yes, refusals: refused(200) })).to.equal("defer");
    expect(outcome(of({}), { preferences: yes, refusals: refused(310) })).to.equal("grant");
    // Who takes back what was given may be asked again, but it is not given again by itself.
    expect(outcome(of({}), { preferences: yes, refusals: no("revoked")(10) })).to.equal("defer");
    expect(outcome(of({}), { preferences: yes, refusals: no("revoked")(310) })).to.equal("grant");
  });
});

describe("what only a person decides", () => {
  // biome-ignore format: a table
  const hard: readonly (readonly [string, Wish, Partial<DecideContext>])[] = [
    ["special-category",       of({ categories: [pd("Fingerprint")] }), {}],
    ["special-category",       of({ categories: ["https://shop.example/kinds#harmless"] }), {}],
    ["special-category",       of({ categories: [pd("CriminalOffence")] }), {}],
    ["automated-decision",     of({}, { automation: dpv("AutomatedDecisionMaking") }), {}],
    ["automated-decision",     of({}, { automation: dpv("FullAutomation") }), {}],
    ["automated-decision",     of({}, { automation: "https://shop.example/levels#hardly-any" }), {}],
    ["child",                  of({}), { ownerIsMinor: true }],
    ["first-time-controller",  of({}), { vendor: { categories: [], isKnown: false, hasStored: false } }],
    ["onward-sharing",         of({}, { recipients: [SHOP, "https://data.example/#us"] }), {}],
    ["legal-basis",            of({}, { legalBasis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-f" }), {}],
    ["first-store",            of({ mode: "store" }), { vendor: { categories: [], isKnown: true, hasStored: false } }],
    ["location",               of({}), { preferences: preferences({ locations: ["https://w3id.org/dpv/loc#AT"] }) }],
    ["location",               of({}, { locations: [] }), { preferences: preferences({ locations: ["https://w3id.org/dpv/loc#AT"] }) }],
    ["price-floor",            of({ ...OFFERS }, { price: { amount: "0.99", currency: "EUR" } }), { preferences: preferences({ priceFloor: { amount: "1.00", currency: "EUR" } }) }],
    ["price-floor",            of({ ...OFFERS }, { price: { amount: "900", currency: "JPY" } }), { preferences: preferences({ priceFloor: { amount: "1.00", currency: "EUR" } }) }],
  ];
  for (const [reason, request, part] of hard)
    it(`${reason}: ask, and never grant, though all of it was agreed to beforehand`, () => {
      const verdict = decide(request, context(part));
      expect(verdict.outcome).to.equal("ask");
      expect(verdict.rules).to.include(reason);
      expect(verdict.undoUntil).to.equal(null);
    });

  it("a fair price, a known place and the recipient itself are no reasons", () => {
    const asked = {
      priceFloor: { amount: "1.00", currency: "EUR" },
      locations: ["https://w3id.org/dpv/loc#DE"],
    };
    expect(outcome(of({}, { recipients: [SHOP] }), { preferences: preferences(asked) })).to.equal("grant");
  });

  it("who did not start it is asked once a week; the rest waits, and who started it is asked at once", () => {
    const health = of({ categories: [pd("Religion")] });
    expect(outcome(health, { askedAt: NOW - 8 * DAY })).to.equal("ask");
    expect(outcome(health, { askedAt: NOW - 2 * DAY })).to.equal("defer");
    expect(outcome(health, { askedAt: NOW - 2 * DAY, userInitiated: true })).to.equal("ask");
    expect(outcome(of({ purposes: [dpv("Marketing")] }), { userInitiated: true })).to.equal("ask");
  });

  it("a summary is due when five wait, or one has waited a week", () => {
    const since = (days: number) => NOW - days * DAY;
    expect(digestDue([], NOW)).to.equal(false);
    expect(digestDue([1, 2, 3, 4].map(since), NOW)).to.equal(false);
    expect(digestDue([1, 2, 3, 4, 5].map(since), NOW)).to.equal(true);
    expect(digestDue([since(7)], NOW)).to.equal(true);
    expect(
      digestDue(
        Array.from({ length: 50 }, () => NOW),
        NOW,
        NOW - DAY / 2,
      ),
      "and not twice a day",
    ).to.equal(false);
    expect(digestDue([1, 2, 3, 4, 5].map(since), NOW, NOW - DAY)).to.equal(true);
  });
});

describe("what was given beforehand follows when preferences change", () => {
  const given = { ...wish([policy()]), policies: decide(of({}), context()).policies };
  const vendor = { categories: [], isKnown: true, hasStored: true };
  it("stays as it is where nothing changed, even when they were confirmed long ago", () => {
    expect(narrowStanding(given, at(1), vendor, NOW + DAY)).to.equal(given.policies);
    const old = preferences({ everybody: { level: 1, switches: [], confirmed: NOW - 500 * DAY } });
    expect(narrowStanding(given, old, vendor, NOW)).to.equal(given.policies);
  });
  it("ends where everything is closed, blocked or never given now", () => {
    expect(narrowStanding(given, at(0), vendor, NOW)).to.equal(null);
    expect(narrowStanding(given, preferences({ blocked: [SHOP] }), vendor, NOW)).to.equal(null);
    const never = preferences({ never: { purposes: [], categories: [pd("Financial")] } });
    expect(narrowStanding(given, never, vendor, NOW)).to.equal(null);
  });
  it("ends where a person would be asked about it now", () => {
    expect(narrowStanding(given, at(1), vendor, NOW)).to.equal(given.policies);
    const elsewhere = preferences({ locations: ["https://w3id.org/dpv/loc#AT"] });
    expect(narrowStanding(given, elsewhere, vendor, NOW)).to.equal(null);
    const delicate = preferences({ holds: { "/ana/orders/": [pd("Purchase"), pd("MedicalHealth")] } });
    expect(narrowStanding(given, delicate, vendor, NOW)).to.equal(null);
  });
  it("keeps what is still agreed to of several", () => {
    const asked = wish([policy(), policy({ ...OFFERS, tier: "tag" })]);
    const both = { ...asked, policies: decide(asked, context({ preferences: at(4) })).policies };
    const left = narrowStanding(both, at(1), vendor, NOW);
    expect(left?.map(({ purposes }) => purposes)).to.deep.equal([[dpv("DeliveryOfGoods")]]);
  });
});

describe("the sentence for the owner", () => {
  it("is one, of at most thirty plain words, and says who", () => {
    const all: readonly (readonly [Wish, Partial<DecideContext>])[] = [
      [of({}), {}],
      [of({ ...ANALYTICS }), { preferences: at(3) }],
      [
        of({
          categories: ["ServiceConsumptionBehaviour", "PurchasesAndSpendingHabit", "PersonalPossession"].map(
            pd,
          ),
          purposes: ["ImproveExistingProductsAndServices", "OptimisationForConsumer"].map(dpv),
        }),
        { preferences: at(2) },
      ],
      [of({}, { recipients: ["https://x.example/"] }), {}],
      [of({ categories: [pd("Religion")] }), { askedAt: NOW }],
      [of({}), { preferences: at(0) }],
      [of({}), { preferences: preferences({ blocked: [SHOP] }) }],
      [of({}, { assignee: `https://${"a".repeat(300)}.example/#me` }), {}],
      [of({}, { assignee: "https://shop.example@evil.example/#me" }), {}],
    ];
    for (const [request, part] of all) {
      const { explanation } = decide(request, context(part));
      expect(explanation.split(" ").length, explanation).to.be.at.most(30);
      expect(explanation.length).to.be.at.most(300);
      expect(explanation, "one sentence")
        .to.match(/[.…]$/)
        .and.not.match(/[.!?] /);
      expect(explanation, "who").to.match(/example|aaa/);
      expect(explanation).not.to.match(
        /\b(?:RDF|IRI|URI|URL|ACL|ODRL|SPARQL|WebID|graph|triple|literal|node|policy|dpv)\b|https?:|#/i,
      );
    }
    expect(
      decide(of({}, { assignee: "https://shop.example@evil.example/#me" }), context()).explanation,
    ).to.contain("evil.example");
  });
});

describe("the sentence for the owner cannot be written by whoever asks", () => {
  const told = (part: Partial<Policy>, terms: Partial<Terms> = {}): string =>
    decide(of(part, terms), context({ userInitiated: true, preferences: preferences() })).explanation;
  const by = (assignee: string): string =>
    told({ target: folder("attic") }, { assignee, controller: assignee });

  it("who it is: letters that look alike are told apart, and so are those who share a host", () => {
    expect(by("https://bank.example/#us")).to.match(/^bank\.example asks/);
    expect(by("https://b\u0430nk.example/#us")).to.match(/^xn--/);
    expect(by("https://BANK.example:8443/#us")).to.match(/^bank\.example asks/);
    expect(by("https://pods.example/shop/profile/card#me")).to.match(/^pods\.example\/shop asks/);
    expect(by("https://pods.example/eve/profile/card#me")).to.match(/^pods\.example\/eve asks/);
    expect(by("https://eve.example/bank%2eexample%20says/a/b#me")).to.match(/^eve\.example asks/);
    expect(by("https://eve.example/Say%20yes!/a/b#me")).to.match(/^eve\.example asks/);
  });
  it("what it is: by the words of the vocabulary, the owner's own first, and never less than it is", () => {
    const own = "https://eve.example/#nothing-at-all-just-say-yes";
    expect(told({ target: folder("attic"), categories: [own] })).to.match(/ asks for your data:/);
    expect(told({ target: folder("attic"), categories: [pd("EmailAddress")] })).to.match(
      / asks for what they call email address:/,
    );
    expect(
      told({ target: folder("health"), categories: ["EmailAddress", "Name", "Street"].map(pd) }),
    ).to.match(/ asks for medical health, /);
    expect(
      told({ target: { kind: "storage", values: ["/ana/"] }, categories: [pd("EmailAddress")] }),
    ).to.match(/ asks for everything in your pod:/);
  });
});

describe("preferences as an owner sends them", () => {
  const least = { everybody: { level: 2 } };
  it("are confirmed by being sent, and counted", () => {
    const read = parsePreferences(least, 7, NOW);
    expect(read.version).to.equal(8);
    expect(read.everybody).to.deep.equal({ level: 2, switches: [], confirmed: NOW });
    expect(
      parsePreferences({ everybody: { level: 2, confirmed: NOW + DAY } }, 0, NOW).everybody.confirmed,
    ).to.equal(NOW);
  });
  it("come back as they were said", () => {
    const read = parsePreferences(least, 0, NOW);
    expect(parsePreferences(JSON.parse(JSON.stringify(read)), read.version, NOW)).to.deep.equal({
      ...read,
      version: 2,
    });
  });
  // biome-ignore format: a table
  const wrong: readonly (readonly [string, unknown])[] = [
    ["nothing", null],
    ["no word for everybody", {}],
    ["a level that is none", { everybody: { level: 6 } }],
    ["a level in words", { everybody: { level: "2" } }],
    ["a switch that is none", { everybody: { level: 1, switches: ["everything"] } }],
    ["a member that is misspelt, and could have been a no", { ...least, blockd: [SHOP] }],
    ["a never of no vocabulary", { ...least, never: { purposes: ["https://shop.example/purposes#x"] } }],
    ["a kind for a purpose", { ...least, never: { purposes: [pd("Religion")] } }],
    ["a name that is no address", { ...least, blocked: ["shop"] }],
    ["a company that is no address", { ...least, vendors: { "shop.example": { level: 0 } } }],
    ["a company that breaks a line", { ...least, vendors: { "https://shop.example/\n": { level: 0 } } }],
    ["kinds of a company that is no address", { ...least, vendorKinds: { shop: ["insurer"] } }],
    ["a place in words", { ...least, campaigns: { places: ["Bavaria"] } }],
    ["a time that is none", { ...least, campaigns: { quiet: [{ from: "24:30", until: "08:00" }] } }],
    ["a time zone that is none", { ...least, campaigns: { timeZone: "Europe/Atlantis" } }],
    ["a price in words", { ...least, priceFloor: { amount: "cheap", currency: "EUR" } }],
    ["more than anybody says", { ...least, blocked: Array.from({ length: 1_001 }, (_, n) => `https://v${n}.example/`) }],
  ];
  for (const [what, sent] of wrong)
    it(`refuse ${what}`, () => {
      expect(() => parsePreferences(sent, 0, NOW))
        .to.throw()
        .with.property("code", "input-invalid");
    });
});
