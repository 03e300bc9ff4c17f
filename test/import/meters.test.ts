import { fh, qudt, schema, sosa, unit } from "@freehold/vocab";
import { expect } from "chai";
import { importAll, recordsIn, refusalOf, textOf, valuesOf } from "./support.ts";

const URL_OF = "https://power.example/espi/1_1/resource";
const link = (rel: string, path: string): string => `<link rel="${rel}" href="${URL_OF}/${path}"/>`;
const entry = (links: readonly string[], content: string, title = ""): string =>
  `<entry>${links.join("")}<title>${title}</title><content>${content}</content></entry>\n`;

const POINT = "User/1/UsagePoint/1";
const usagePoint = entry(
  [link("self", POINT), link("related", `${POINT}/MeterReading`), link("related", "LocalTimeParameters/1")],
  "<e:UsagePoint/>",
);
const clock = (tz: number, dst: number, start: string, end: string): string =>
  entry(
    [link("self", "LocalTimeParameters/1")],
    `<e:LocalTimeParameters><e:dstEndRule>${end}</e:dstEndRule><e:dstOffset>${dst}</e:dstOffset><e:dstStartRule>${start}</e:dstStartRule><e:tzOffset>${tz}</e:tzOffset></e:LocalTimeParameters>`,
  );
const zurich = clock(3_600, 3_600, "3E0E2000", "AE0E3000");
const meter = (place: number, title = "Meter"): string =>
  entry(
    [
      link("self", `${POINT}/MeterReading/${place}`),
      link("up", `${POINT}/MeterReading`),
      link("related", `${POINT}/MeterReading/${place}/IntervalBlock`),
      link("related", `ReadingType/${place}`),
    ],
    "<e:MeterReading/>",
    title,
  );
const type = (place: number, fields: Readonly<Record<string, number>> = {}): string =>
  entry(
    [link("self", `ReadingType/${place}`)],
    `<e:ReadingType>${Object.entries({
      commodity: 1,
      flowDirection: 1,
      powerOfTenMultiplier: 0,
      uom: 72,
      ...fields,
    })
      .map(([name, value]) => `<e:${name}>${value}</e:${name}>`)
      .join("")}</e:ReadingType>`,
  );
const reading = (start: number, value: number | string, more = ""): string =>
  `<e:IntervalReading>${more}<e:timePeriod><e:duration>3600</e:duration><e:start>${start}</e:start></e:timePeriod><e:value>${value}</e:value></e:IntervalReading>`;
const block = (place: number, ...readings: readonly string[]): string =>
  entry(
    [
      link("self", `${POINT}/MeterReading/${place}/IntervalBlock/1`),
      link("up", `${POINT}/MeterReading/${place}/IntervalBlock`),
    ],
    `<e:IntervalBlock>${readings.join("\n")}</e:IntervalBlock>`,
  );
const feed = (...entries: readonly string[]): string =>
  `<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">\n${entries.join("")}</feed>`;

const utc = (text: string): number => Date.parse(text) / 1000;
const NOON = utc("2026-03-10T12:00:00Z");

async function days(content: string, limits = {}) {
  const { documents, run } = await importAll(content, { limits });
  const all = recordsIn(documents);
  return {
    run,
    meters: all.filter(({ path }) => path.endsWith("meter.ttl")),
    days: all.filter(({ path }) => !path.endsWith("meter.ttl")),
  };
}

describe("meter readings", () => {
  it("a value is counts × ten to the multiplier, in the unit that is named", async () => {
    const cases: readonly [
      fields: Readonly<Record<string, number>>,
      value: string,
      result: string,
      unitIri: string,
      property: string,
    ][] = [
      [{ uom: 72 }, "412", "0.412", unit["KiloW-HR"], fh.electricityConsumed],
      [{ uom: 72, powerOfTenMultiplier: 3 }, "412", "412.0", unit["KiloW-HR"], fh.electricityConsumed],
      [
        { uom: 72, powerOfTenMultiplier: -1, flowDirection: 19 },
        "412",
        "0.0412",
        unit["KiloW-HR"],
        fh.electricityProduced,
      ],
      [{ uom: 42, powerOfTenMultiplier: -3, commodity: 7 }, "2412", "2.412", unit.M3, fh.gasConsumed],
      [
        { uom: 169, powerOfTenMultiplier: -5, commodity: 7 },
        "100001",
        "1.00001",
        unit.THM_US,
        fh.gasConsumed,
      ],
      [{ uom: 134, commodity: 9 }, "17", "17.0", unit.L, fh.waterConsumed],
      [{ uom: 38 }, "1500", "1500.0", unit.W, fh.meteredQuantity],
      [{ uom: 72 }, "-5", "-0.005", unit["KiloW-HR"], fh.electricityConsumed],
    ];
    for (const [fields, value, result, unitIri, property] of cases) {
      const {
        days: [day],
      } = await days(feed(usagePoint, zurich, meter(1), type(1, fields), block(1, reading(NOON, value))));
      if (!day) throw new Error("There is no day");
      expect(
        [
          valuesOf(day, sosa.hasSimpleResult),
          valuesOf(day, qudt.numericValue),
          valuesOf(day, qudt.hasUnit),
          valuesOf(day, sosa.observedProperty),
        ],
        JSON.stringify(fields),
      ).to.deep.equal([[result], [result], [unitIri], [property]]);
    }
  });

  it("costs are hundred-thousandths of the currency", async () => {
    const {
      days: [day],
    } = await days(
      feed(
        usagePoint,
        zurich,
        meter(1),
        type(1, { currency: 756 }),
        block(1, reading(NOON, 412, "<e:cost>11124</e:cost>")),
      ),
    );
    expect(day && [valuesOf(day, schema.price), valuesOf(day, schema.priceCurrency)]).to.deep.equal([
      ["0.11124"],
      ["CHF"],
    ]);
  });

  it("several meters are kept apart by links alone, also when entries come in another order", async () => {
    const parts = [
      usagePoint,
      zurich,
      meter(1, "Day"),
      type(1),
      meter(2, "Sun"),
      type(2, { flowDirection: 19 }),
      block(2, reading(NOON, 7)),
      block(1, reading(NOON, 1_000)),
    ];
    const results = await Promise.all([parts, [...parts].reverse()].map(async (some) => days(feed(...some))));
    for (const { meters, days: found } of results) {
      expect(meters.map((document) => valuesOf(document, schema.name)[0])).to.have.members(["Day", "Sun"]);
      const values = found.map((day) => [
        valuesOf(day, sosa.observedProperty)[0],
        valuesOf(day, sosa.hasSimpleResult)[0],
      ]);
      expect(values).to.have.deep.members([
        [fh.electricityProduced, "0.007"],
        [fh.electricityConsumed, "1.000"],
      ]);
    }
    const paths = results.map(({ days: found }) => found.map(({ path }) => path).sort());
    expect(paths[0]).to.deep.equal(paths[1]);
  });

  it("a feed of one meter may do without links", async () => {
    const bare = (content: string): string => entry([], content);
    const text = feed(
      bare("<e:MeterReading/>"),
      bare("<e:ReadingType><e:uom>72</e:uom></e:ReadingType>"),
      bare(`<e:IntervalBlock>${reading(NOON, 5)}</e:IntervalBlock>`),
    );
    const {
      days: [day],
    } = await days(text);
    expect(day && valuesOf(day, sosa.resultTime)).to.deep.equal(["2026-03-10T13:00:00Z"]);
  });

  const clocks: readonly [where: string, rules: string, moment: string, wall: string][] = [
    ["Zürich in winter", zurich, "2026-03-29T00:59:59Z", "2026-03-29T01:59:59+01:00"],
    ["Zürich when summer begins", zurich, "2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00"],
    ["Zürich before summer ends", zurich, "2025-10-26T00:59:59Z", "2025-10-26T02:59:59+02:00"],
    ["Zürich when summer ends", zurich, "2025-10-26T01:00:00Z", "2025-10-26T02:00:00+01:00"],
    [
      "Toronto, second Sunday of March",
      clock(-18_000, 3_600, "360E2000", "B40E2000"),
      "2026-03-08T07:00:00Z",
      "2026-03-08T03:00:00-04:00",
    ],
    [
      "Toronto, first Sunday of November",
      clock(-18_000, 3_600, "360E2000", "B40E2000"),
      "2026-11-01T06:00:00Z",
      "2026-11-01T01:00:00-05:00",
    ],
    [
      "Johannesburg has no summer time",
      clock(7_200, 0, "FFFFFFFF", "FFFFFFFF"),
      "2026-03-29T01:00:00Z",
      "2026-03-29T03:00:00+02:00",
    ],
    [
      "Hobart in January is in summer",
      clock(36_000, 3_600, "A40E2000", "440E3000"),
      "2026-01-10T00:00:00Z",
      "2026-01-10T11:00:00+11:00",
    ],
    [
      "Hobart in July is not",
      clock(36_000, 3_600, "A40E2000", "440E3000"),
      "2026-07-10T00:00:00Z",
      "2026-07-10T10:00:00+10:00",
    ],
    [
      "St. John’s is half an hour off",
      clock(-12_600, 3_600, "FFFFFFFF", "FFFFFFFF"),
      "2026-01-10T00:00:00Z",
      "2026-01-09T20:30:00-03:30",
    ],
    [
      "a broken rule is no rule",
      clock(3_600, 3_600, "zz", "00000000"),
      "2026-07-10T00:00:00Z",
      "2026-07-10T01:00:00+01:00",
    ],
  ];
  for (const [where, rules, moment, wall] of clocks) {
    it(`${where}: ${moment} is ${wall}`, async () => {
      const {
        days: [day],
      } = await days(feed(usagePoint, rules, meter(1), type(1), block(1, reading(utc(moment), 1))));
      expect(day && valuesOf(day, schema.startTime)).to.deep.equal([wall]);
      expect(day?.path).to.contain(`/${wall.slice(0, 10)}.ttl`);
    });
  }

  it("an overlap of two blocks is met before; a day may come in pieces", async () => {
    const { run, days: found } = await days(
      feed(
        usagePoint,
        zurich,
        meter(1),
        type(1),
        block(1, reading(NOON, 1), reading(NOON + 3_600, 2)),
        block(1, reading(NOON + 3_600, 2), reading(NOON + 7_200, 3)),
      ),
    );
    expect([run.read, run.written, run.duplicate]).to.deep.equal([4, 3, 1]);
    expect(found).to.have.length(1);
  });

  it("a second file adds to a day what it did not have, and leaves the rest as it is", async () => {
    const whole = (...readings: readonly string[]): string =>
      feed(usagePoint, zurich, meter(1), type(1), block(1, ...readings));
    const first = await importAll(whole(reading(NOON, 1)));
    const day = recordsIn(first.documents).at(-1);
    if (!day) throw new Error("There is no day");
    const edited = Buffer.from(textOf(day).replace("hasSimpleResult 0.001", "hasSimpleResult 0.999"));
    first.pod.set(day.path, { ...day, bytes: edited });
    const second = await importAll(
      whole(reading(NOON, 1), reading(NOON + 3_600, 2)),
      { now: new Date("2026-12-01T00:00:00Z") },
      first.pod,
    );
    const written = recordsIn(second.documents);
    expect(written.map(({ path }) => path)).to.deep.equal([day.path]);
    expect(written[0] && valuesOf(written[0], sosa.hasSimpleResult)).to.deep.equal(["0.999", "0.002"]);
    expect([second.run.written, second.run.duplicate, second.run.listed.length]).to.deep.equal([1, 1, 0]);
  });

  it("a document that the owner has made into something else is left alone", async () => {
    const content = feed(usagePoint, zurich, meter(1), type(1), block(1, reading(NOON, 1)));
    const first = await importAll(content);
    const day = recordsIn(first.documents).at(-1);
    if (!day) throw new Error("There is no day");
    first.pod.set(day.path, { ...day, bytes: Buffer.from('{"@id": "no Turtle"}') });
    const second = await importAll(content, {}, first.pod);
    expect(second.documents).to.deep.equal([]);
    expect(second.run.duplicate).to.equal(1);
  });

  it("days are handed over when enough others wait, and what comes too late is said", async () => {
    const day = (place: number): string => reading(NOON + place * 86_400, 1);
    const all = Array.from({ length: 10 }, (_, place) => day(place));
    const { run } = await days(
      feed(usagePoint, zurich, meter(1), type(1), block(1, ...all, reading(NOON + 3_600, 2))),
      { importDaysHeld: 3 },
    );
    expect([run.written, run.skipped]).to.deep.equal([10, 1]);
    expect(run.warnings[0]?.detail).to.match(/long after/);
  });

  const bad: readonly [why: string, reading: string][] = [
    ["no value", "<e:IntervalReading><e:timePeriod><e:start>1</e:start></e:timePeriod></e:IntervalReading>"],
    ["no time", "<e:IntervalReading><e:value>1</e:value></e:IntervalReading>"],
    ["a value in words", reading(NOON, "much")],
    ["a value without end", reading(NOON, "1e999")],
    ["a time beyond all calendars", reading(999_999_999_999, 1)],
  ];
  for (const [why, wrong] of bad) {
    it(`a reading with ${why} is left out, and the next is read`, async () => {
      const { run } = await days(
        feed(usagePoint, zurich, meter(1), type(1), block(1, wrong, reading(NOON, 1))),
      );
      expect([run.written, run.skipped]).to.deep.equal([1, 1]);
    });
  }

  it("readings of a unit that is not known are not guessed", async () => {
    const problem = await refusalOf(
      feed(usagePoint, zurich, meter(1), type(1, { uom: 109 }), block(1, reading(NOON, 1))),
    );
    expect(problem.errors[0]?.detail).to.match(/no meter whose unit is known/);
    expect(
      (
        await refusalOf(
          feed(
            usagePoint,
            meter(1),
            type(1, { powerOfTenMultiplier: 999_999_999 }),
            block(1, reading(NOON, 1)),
          ),
        )
      ).code,
    ).to.equal("input-invalid");
  });

  it("nothing of where the meter is, or whose it is, is kept", async () => {
    const where = entry(
      [
        link("self", POINT),
        link("related", `${POINT}/MeterReading`),
        link("related", "LocalTimeParameters/1"),
      ],
      "<e:UsagePoint><e:ServiceLocation><e:addressGeneral>Secret Street 5</e:addressGeneral></e:ServiceLocation></e:UsagePoint>",
      "Ana at Secret Street 5",
    );
    const { documents } = await importAll(feed(where, zurich, meter(1), type(1), block(1, reading(NOON, 1))));
    expect(documents.map(textOf).join("")).not.to.contain("Secret");
  });
});
