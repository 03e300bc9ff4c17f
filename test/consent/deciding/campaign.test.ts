import { expect } from "chai";
import fc from "fast-check";
import {
  type CampaignPreference,
  CHANNELS,
  type Channel,
  campaignAllowed,
  campaignObstacle,
} from "../../../server/consent/deciding/campaign.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string): { at: number; before: number[] } => ({ at: Date.parse(text), before: [] });

const ana: CampaignPreference = {
  channels: ["email", "app", "post"],
  places: ["DE-BY", "AT"],
  topics: null,
  quiet: [{ from: "20:00", until: "08:00" }],
  maxPerWeek: 2,
  timeZone: "Europe/Berlin",
  confirmed: 0,
};
const noon = at("2026-11-22T11:00:00Z");

describe("campaigns: where, when and through which channel", () => {
  // biome-ignore format: a table
  const cases: readonly (readonly [string, ReturnType<typeof at>, Channel, string | null, ReturnType<typeof campaignObstacle>])[] = [
    ["by email at noon in Bavaria",              noon, "email", "DE-BY", null],
    ["by phone",                                 noon, "phone", "DE-BY", "channel"],
    ["anywhere in Austria",                      noon, "app", "AT-9", null],
    ["in Germany, which is more than Bavaria",   noon, "app", "DE", "place"],
    ["in a place that only begins alike",        noon, "app", "ATX", "place"],
    ["nowhere in particular",                    noon, "app", null, "place"],
    ["at 19:59 of the person's clock",           at("2026-11-22T18:59:59Z"), "app", "AT", null],
    ["at 20:00",                                 at("2026-11-22T19:00:00Z"), "app", "AT", "quiet"],
    ["after midnight",                           at("2026-11-22T23:30:00Z"), "app", "AT", "quiet"],
    ["at 08:00",                                 at("2026-11-22T07:00:00Z"), "app", "AT", null],
    ["at 19:30 in summer, 17:30 elsewhere",      at("2026-07-22T17:30:00Z"), "app", "AT", null],
    ["at 20:30 in summer, 18:30 elsewhere",      at("2026-07-22T18:30:00Z"), "app", "AT", "quiet"],
    ["by post at night: letters make no noise",  at("2026-11-22T23:30:00Z"), "post", "AT", null],
  ];
  for (const [what, moment, channel, place, obstacle] of cases)
    it(`${what}: ${obstacle ?? "yes"}`, () => {
      expect(campaignObstacle(ana, moment, channel, place)).to.equal(obstacle);
    });

  it("twice in seven days is enough, and the eighth day is new", () => {
    const before = (...days: number[]) => ({ at: noon.at, before: days.map((day) => noon.at - day * DAY) });
    expect(campaignAllowed(ana, before(1), "app", "AT")).to.equal(true);
    expect(campaignAllowed(ana, before(1, 6.9), "app", "AT")).to.equal(false);
    expect(campaignAllowed(ana, before(7, 8), "app", "AT")).to.equal(true);
    expect(campaignAllowed({ ...ana, maxPerWeek: 0 }, before(), "app", "AT")).to.equal(false);
    expect(campaignAllowed({ ...ana, maxPerWeek: null }, before(1, 1, 1, 1), "app", "AT")).to.equal(true);
  });

  it("topics count where there are any", () => {
    const picky = { ...ana, topics: ["https://topics.example/bicycles"] };
    expect(campaignAllowed(picky, noon, "app", "AT", "https://topics.example/bicycles")).to.equal(true);
    expect(campaignAllowed(picky, noon, "app", "AT", "https://topics.example/cars")).to.equal(false);
    expect(campaignAllowed(picky, noon, "app", "AT")).to.equal(false);
  });

  it("the same hour twice is quiet all day", () => {
    expect(
      campaignObstacle({ ...ana, quiet: [{ from: "08:00", until: "08:00" }] }, noon, "app", "AT"),
    ).to.equal("quiet");
  });

  it("whoever said nothing takes part in nothing; saying less never allows more", () => {
    const moment = fc.record({
      at: fc.integer({ min: 1.7e12, max: 1.9e12 }),
      before: fc.array(fc.integer({ min: 1.7e12, max: 1.9e12 }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(
        moment,
        fc.constantFrom(...CHANNELS),
        fc.constantFrom("DE-BY", "AT", "FR", null),
        (when, channel, place) => {
          expect(campaignAllowed({ ...ana, channels: [] }, when, channel, place)).to.equal(false);
          if (!campaignAllowed({ ...ana, places: null, quiet: [], maxPerWeek: null }, when, channel, place))
            expect(campaignAllowed(ana, when, channel, place)).to.equal(false);
        },
      ),
    );
  });
});
