import { SHAPES_NAMESPACE } from "@freehold/vocab";
import { expect } from "chai";
import { agrees, compilePreferences } from "../../../server/consent/deciding/compile.ts";
import { decide } from "../../../server/consent/deciding/decide.ts";
import { preferenceQuads } from "../../../server/consent/deciding/describe.ts";
import { LEVELS, type LevelNumber, SWITCHES } from "../../../server/consent/deciding/levels.ts";
import { NO_PREFERENCES, type Preferences } from "../../../server/consent/deciding/preferences.ts";
import type { Policy, Terms } from "../../../server/consent/model.ts";
import { policyQuads, readPolicies } from "../../../server/consent/odrl/rdf.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createShapes } from "../../../server/shapes/validate.ts";
import { context, DAY, dpv, NOW, pd, policy, preferences, SHOP, wish } from "./wishes.ts";

const shapes = createShapes(LIMITS);
const confirmed = NOW - DAY;
const at = (level: LevelNumber): Preferences =>
  preferences({ everybody: { level, switches: [], confirmed } });
const rich = preferences({
  everybody: { level: 4, switches: [...SWITCHES], confirmed },
  vendorCategories: {
    insurer: { level: 1, switches: [], confirmed },
    shop: { level: 3, switches: [], confirmed },
  },
  vendorKinds: { "https://known.example/#org": ["insurer", "shop"] },
  vendors: { "https://friend.example/#org": { level: 5, switches: [], confirmed } },
  blocked: ["https://foe.example/#org"],
  never: { purposes: [dpv("TargetedAdvertising")], categories: [pd("Opinion")] },
  campaigns: {
    channels: ["email", "app"],
    places: ["DE-BY"],
    topics: [dpv("DirectMarketing")],
    quiet: [
      { from: "20:00", until: "08:00" },
      { from: "12:00", until: "13:00" },
    ],
    maxPerWeek: 1,
    timeZone: "Europe/Berlin",
    confirmed,
  },
});

describe("preferences as ODRL", () => {
  const all: readonly (readonly [string, Preferences])[] = [
    ["of nobody", NO_PREFERENCES],
    ...([1, 2, 3, 4, 5] as const).map((level) => [`at level ${level}`, at(level)] as const),
    ["with everything that can be said", rich],
  ];
  for (const [who, said] of all)
    it(`${who}: fit their shapes, and come back the same`, async () => {
      const quads = preferenceQuads(said, "https://pods.example/ana/.consent/preferences");
      for (const name of ["PreferencePolicy", "OptInLevel"]) {
        const report = await shapes.validate(quads, `${SHAPES_NAMESPACE}preferences#${name}Shape`);
        expect(report.errors, name).to.deep.equal([]);
      }
      const text = compilePreferences(said, "urn:policy");
      expect(readPolicies(policyQuads(text))).to.deep.equal([text]);
    });

  it("say of each rule in a few words what it is for, and name the agreement of the level", () => {
    const { rules } = compilePreferences(at(2), "urn:policy");
    expect(rules.map(({ kind, description }) => [kind, description])).to.deep.equal([
      ["permission", "For doing what you asked for."],
      ["permission", "For improving the service."],
      ["prohibition", "For this, never."],
    ]);
    expect(JSON.stringify(rules)).to.contain(LEVELS[2]?.terms).and.not.contain(LEVELS[3]?.terms);
  });

  it("at level 0 permit nothing", () => {
    expect(compilePreferences(at(0), "urn:policy").rules).to.deep.equal([]);
  });

  it("ways to be reached fit their shape, each quiet time with its own node", async () => {
    const quads = preferenceQuads(rich, "https://pods.example/ana/.consent/preferences");
    const shape = `${SHAPES_NAMESPACE}preferences#CommunicationPreferenceShape`;
    expect((await shapes.validate(quads, shape)).errors).to.deep.equal([]);
    expect(quads.filter(({ predicate }) => predicate.value.endsWith("#quietFrom"))).to.have.length(2);
  });
});

describe("the text says no by itself, whatever the engine made of it", () => {
  const vendor = { categories: [] };
  const says = (part: Partial<Policy>, terms: Partial<Terms> = {}, said: Preferences = at(2)): boolean =>
    agrees(said, wish([], terms), vendor, [policy({ dataLife: "P30D", ...part })], NOW);

  it("and yes to what is within it", () => {
    expect(says({})).to.equal(true);
  });
  // biome-ignore format: a table
  const wrong: readonly (readonly [string, Partial<Policy>, Partial<Terms>, Preferences?])[] = [
    ["another purpose", { purposes: [dpv("DirectMarketing")] }, {}],
    ["a second purpose beside a good one", { purposes: [dpv("DeliveryOfGoods"), dpv("DirectMarketing")] }, {}],
    ["a broader purpose", { purposes: [dpv("ServiceProvision")] }, {}],
    ["no purpose", { purposes: [] }, {}],
    ["a second kind beside a good one", { categories: [pd("Purchase"), pd("Income")] }, {}],
    ["a folder that holds something else", { target: { kind: "container", values: ["/ana/bank/"] } }, {}],
    ["a folder nobody named", { target: { kind: "container", values: ["/ana/attic/"] } }, {}],
    ["a finer tier", { purposes: [dpv("ServiceUsageAnalytics")], tier: "reduced" }, {}],
    ["another mode", { mode: "store" }, {}],
    ["a longer life", { dataLife: "P91D" }, {}],
    ["a life without end", { dataLife: null }, {}],
    ["a life in words", { dataLife: "for ever" }, {}],
    ["a longer grant", { notAfter: NOW + 366 * DAY }, {}],
    ["writing", { actions: ["read", "create"] }, {}],
    ["another legal basis", {}, { legalBasis: dpv("LegitimateInterest") }],
    ["terms that allow more", {}, { terms: LEVELS[3]?.terms ?? "" }],
    ["terms of its own", {}, { terms: "https://shop.example/terms" }],
    ["preferences of long ago", {}, {}, preferences({ everybody: { level: 5, switches: [], confirmed: NOW - 400 * DAY } })],
    ["who is blocked", {}, {}, preferences({ blocked: [SHOP] })],
    ["what is never given", {}, {}, preferences({ never: { purposes: [dpv("ServiceManagement")], categories: [] } })],
    ["a kind that is never given", {}, {}, preferences({ never: { purposes: [], categories: [pd("Financial")] } })],
    ["a level that is lower for this one", {}, {}, preferences({ vendors: { [SHOP]: { level: 0, switches: [], confirmed } } })],
    ["a level that is lower for its kind", {}, {}, preferences({ vendorCategories: { shop: { level: 0, switches: [], confirmed } }, vendorKinds: { [SHOP]: ["shop"] } })],
  ];
  for (const [what, part, terms, said] of wrong)
    it(`no to ${what}`, () => {
      expect(says(part, terms, said)).to.equal(false);
    });

  it("of several kinds of company the most closed counts, as the engine has it", () => {
    const asked = policy({
      purposes: [dpv("ServicePersonalisation")],
      target: { kind: "container", values: ["/ana/things/"] },
      categories: [],
      tier: "tag",
    });
    const as = (who: string) =>
      decide(wish([asked], { assignee: who, controller: who }), context({ preferences: rich })).outcome;
    expect(as("https://known.example/#org")).to.equal("defer");
    expect(as("https://unknown.example/#org")).to.equal("grant");
    expect(as("https://friend.example/#org")).to.equal("grant");
    expect(as("https://foe.example/#org")).to.equal("deny");
  });
});
