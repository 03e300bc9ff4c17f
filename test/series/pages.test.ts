import { expect } from "chai";
import fc from "fast-check";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import {
  CSV,
  NDJSON,
  OBSERVATION_SHAPE,
  type Observation,
  parseTime,
  type Reading,
  readBatch,
} from "../../server/series/observation.ts";
import { type Columns, draftPage, readPage, scanPage } from "../../server/series/page.ts";
import { answerRange, parseRange } from "../../server/series/range.ts";
import { durationMs, monthOf, pageName } from "../../server/series/stream.ts";
import { createShapes } from "../../server/shapes/validate.ts";

const NOW = Date.UTC(2026, 5, 1);
const PAGE_URL = "https://pod.example/ana/meter/2026-03/x.ttl";
const reading: Reading = {
  base: "https://pod.example/ana/meter/",
  defaults: { sensor: null, property: null },
  limits: LIMITS,
  now: NOW,
};
const read = (text: string, type = NDJSON, more: Partial<Reading> = {}) =>
  readBatch(Buffer.from(text), type, { ...reading, ...more });

/** What is wrong, line by line. */
function faults(text: string, type = NDJSON): readonly string[] {
  try {
    read(text, type);
  } catch (error) {
    if (error instanceof Problem)
      return [error.code, ...(error.errors ?? []).map(({ detail, at }) => `${at}: ${detail}`)];
    throw error;
  }
  return [];
}

const pageOf = (observations: readonly Observation[]): Uint8Array => {
  const draft = draftPage(null);
  for (const observation of observations) draft.add(observation);
  draft.close();
  return draft.bytes();
};
const listOf = ({ count, times, values, sensors, properties, sensorNames, propertyNames }: Columns) =>
  Array.from({ length: count }, (_, row) => ({
    time: times[row],
    value: values[row],
    sensor: sensorNames[sensors[row] ?? 0],
    property: propertyNames[properties[row] ?? 0],
  }));

const observation: fc.Arbitrary<Observation> = fc.record({
  time: fc.integer({ min: Date.UTC(1970, 0), max: NOW }),
  // Twelve digits, as meters have them: longer ones may look like the number of a card.
  value: fc
    .double({ min: -1e9, max: 1e9, noNaN: true })
    .map((value) => Number(value.toPrecision(12)) + 0 || 0),
  sensor: fc.constantFrom("https://pod.example/ana/devices#meter", "urn:zähler:1", "urn:zähler:2"),
  property: fc.constantFrom("urn:power", "urn:energy"),
});
const observations = fc
  .array(observation, { minLength: 1, maxLength: 40 })
  .map((some) => some.toSorted((left, right) => left.time - right.time));

describe("observations as they come in", () => {
  const line = (fields: object): string =>
    JSON.stringify({ time: "2026-03-01T12:00:00Z", value: 1, sensor: "urn:s", property: "urn:p", ...fields });

  it("are lines of JSON, or of CSV with the same names", () => {
    const [first] = read(line({ time: "2026-03-01T13:00:00+01:00" }));
    expect(first).to.deep.equal({
      time: Date.UTC(2026, 2, 1, 12),
      value: 1,
      sensor: "urn:s",
      property: "urn:p",
    });
    expect(
      read('time,value,sensor,property\r\n2026-03-01T12:00:00Z,1.0,"urn:s",urn:p\r\n\r\n', CSV),
    ).to.deep.equal([first]);
  });

  it("are put in the order of time, and take what the stream's description says", () => {
    const found = read(
      '{"time":"2026-03-01T12:00:01Z","value":2}\n{"time":"2026-03-01T12:00:00.5Z","value":-0,"sensor":"#other"}',
      NDJSON,
      { defaults: { sensor: "urn:s", property: "urn:p" } },
    );
    expect(found.map(({ value, sensor }) => [value, sensor])).to.deep.equal([
      [0, "https://pod.example/ana/meter/#other"],
      [2, "urn:s"],
    ]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["no time zone", line({ time: "2026-03-01T12:00:00" }), /time zone/],
    ["no such day", line({ time: "2026-02-30T12:00:00Z" }), /time zone/],
    ["more than milliseconds, which would be lost", line({ time: "2026-03-01T12:00:00.0001Z" }), /time zone/],
    ["a time to come", line({ time: "2027-03-01T12:00:00Z" }), /not been measured/],
    ["no value", line({ value: undefined }), /value/],
    ["a value that is text", line({ value: "1" }), /value/],
    ["a value beyond all numbers", line({}).replace(":1,", ":1e999,"), /value/],
    ["the number of a payment card", line({ value: 4111111111111111 }), /card/],
    ["no sensor", line({ sensor: undefined }), /meter/],
    [
      "a sensor that would end its place in the page",
      line({ sensor: "urn:s> . <urn:x> <urn:y> <urn:z" }),
      /address/,
    ],
    ["a property that is no address", line({ property: 7 }), /property/],
    ["a field that nobody knows", line({ unit: "kWh" }), /unit/],
    ["no JSON", "{", /JSON/],
    ["a list", "[1]", /JSON/],
  ];
  for (const [name, text, reason] of refused) {
    it(`are refused with ${name}, and all that came with them`, () => {
      const [code, fault] = faults(`${line({})}\n\n${text}\n${line({})}`);
      expect(code).to.equal("shape-violation");
      expect(fault)
        .to.match(/^line 3: /)
        .and.match(reason);
    });
  }

  it("are refused in CSV with the wrong columns or quotes", () => {
    expect(faults("time,amount\n", CSV)).to.deep.equal(["input-invalid"]);
    expect(
      faults('time,value,sensor,property\n2026-03-01T12:00:00Z,1,"urn:s,urn:p\n1,2\n', CSV),
    ).to.have.length(3);
    expect(faults("time,value\n", CSV)).to.deep.equal(["input-invalid"]);
  });

  it("are few at a time", () => {
    const few = { ...LIMITS, seriesBatchObservationsMax: 2 };
    expect(() => read([1, 2, 3].map(() => line({})).join("\n"), NDJSON, { limits: few })).to.throw(
      /at most 2/,
    );
  });

  it("have the time that JavaScript reads, for all times", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(NOW), noInvalidDate: true }), (date) => {
        expect(parseTime(date.toISOString())).to.equal(date.getTime());
      }),
    );
  });
});

describe("a page of a stream", () => {
  it("fits the shape of observations, whatever was let in", async () => {
    const shapes = createShapes(LIMITS);
    await fc.assert(
      fc.asyncProperty(observations, async (some) => {
        const lines = some.map(({ time, ...rest }) =>
          JSON.stringify({ time: new Date(time).toISOString(), ...rest }),
        );
        const page = pageOf(read(lines.join("\n")));
        const quads = await parseRdf(page, "text/turtle", PAGE_URL, LIMITS);
        const { conforms, errors } = await shapes.validate(quads, OBSERVATION_SHAPE);
        expect(errors).to.deep.equal([]);
        expect(conforms).to.equal(true);
      }),
      { numRuns: 30 },
    );
  });

  it("is read by lines as it is read as Turtle", async () => {
    await fc.assert(
      fc.asyncProperty(observations, async (some) => {
        const page = pageOf(some);
        const byLines = listOf(scanPage(page, some.length));
        expect(byLines).to.deep.equal(some);
        expect(listOf(await readPage(page, "text/turtle", PAGE_URL))).to.deep.equal(some);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps every number to its last bit", () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
    fc.assert(
      fc.property(fc.oneof(any, fc.maxSafeInteger(), any.map(Math.fround)), (value) => {
        const page = pageOf([{ time: 0, value, sensor: "urn:s", property: "urn:p" }]);
        expect(scanPage(page, 1).values[0]).to.equal(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it("grows at its end only, and says when it will not any more", () => {
    fc.assert(
      fc.property(observations, observations, (some, more) => {
        const first = draftPage(null);
        for (const one of some) first.add(one);
        const before = first.bytes();
        const second = draftPage({ bytes: before, count: some.length });
        for (const one of more) second.add(one);
        second.close();
        const after = second.bytes();
        expect(Buffer.compare(after.subarray(0, before.length), before)).to.equal(0);
        expect(second.size()).to.be.at.most(after.length);
        expect(listOf(scanPage(after, some.length + more.length))).to.deep.equal([...some, ...more]);
        expect(Buffer.from(before).includes("immutable")).to.equal(false);
        expect(
          Buffer.from(after)
            .toString()
            .match(/ldes#immutable> true/g),
        ).to.have.length(1);
      }),
      { numRuns: 50 },
    );
  });

  it("has a name in the order of time", () => {
    const times = [0, 999, 1000, Date.UTC(2026, 2, 1)];
    const names = times.flatMap((time) => [pageName(time, 0), pageName(time, 1), pageName(time, 12)]);
    expect(names.toSorted()).to.deep.equal(names);
    expect(monthOf(Date.UTC(2026, 1, 28, 23, 59))).to.equal("2026-02/");
  });
});

describe("a range", () => {
  const columns = (some: readonly Observation[]): Columns => scanPage(pageOf(some), some.length);
  const parse = (query: string) => parseRange(new URLSearchParams(query))!;
  async function answer(pages: readonly Columns[], query: string, type = NDJSON): Promise<string> {
    const { body } = await answerRange(pages, parse(query), type, LIMITS);
    if (body instanceof Uint8Array) return Buffer.from(body).toString();
    return Buffer.concat(await Array.fromAsync(body)).toString();
  }

  it("gives back what was put in, in the form it was put in", async () => {
    await fc.assert(
      fc.asyncProperty(observations, observations, fc.constantFrom(NDJSON, CSV), async (some, more, type) => {
        const text = await answer([columns(some), columns(more)], "from=1970-01-01T00:00:00Z", type);
        expect(read(text, type)).to.deep.equal([...some, ...more].toSorted((a, b) => a.time - b.time));
      }),
      { numRuns: 50 },
    );
  });

  it("is what a plain filter would give, counted and summed as well", async () => {
    const bounds = fc.tuple(fc.integer({ min: 0, max: NOW }), fc.integer({ min: 0, max: NOW }));
    await fc.assert(
      fc.asyncProperty(observations, bounds, fc.boolean(), async (some, [a, b], isOne) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const query = new URLSearchParams({
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          ...(isOne && { sensor: "urn:zähler:1" }),
        });
        const expected = some.filter(
          ({ time, sensor }) => time >= from && time < to && (!isOne || sensor === "urn:zähler:1"),
        );
        const rows = JSON.parse(
          await answer([columns(some)], String(query), "application/json"),
        ) as unknown[];
        expect(rows).to.have.length(expected.length);
        const days = JSON.parse(
          await answer([columns(some)], `${String(query)}&every=P1D`, "application/json"),
        ) as { count: number; min: number; max: number; mean: number; sum: number }[];
        expect(days.reduce((sum, { count }) => sum + count, 0)).to.equal(expected.length);
        if (expected.length > 0) {
          expect(Math.max(...days.map(({ max }) => max))).to.equal(
            Math.max(...expected.map(({ value }) => value)),
          );
          expect(Math.min(...days.map(({ min }) => min))).to.equal(
            Math.min(...expected.map(({ value }) => value)),
          );
        }
        for (const { sum, count, mean } of days) expect(mean).to.equal(sum / count);
      }),
      { numRuns: 100 },
    );
  });

  it("is summed up by the calendar's months", async () => {
    const at = (time: string, value: number): Observation => ({ time: Date.parse(time), value, sensor: "urn:s", property: "urn:p" }); // biome-ignore format: one line
    const some = [at("2026-01-31T23:59:59Z", 1), at("2026-02-01T00:00:00Z", 2), at("2026-02-28T12:00:00Z", 4), at("2026-03-01T00:00:00Z", 8)]; // biome-ignore format: one line
    expect(await answer([columns(some)], "every=P1M", CSV)).to.equal(
      [
        "time,count,sum,mean,min,max,sensor,property",
        "2026-01-01T00:00:00Z,1,1,1,1,1,urn:s,urn:p",
        "2026-02-01T00:00:00Z,2,6,3,2,4,urn:s,urn:p",
        "2026-03-01T00:00:00Z,1,8,8,8,8,urn:s,urn:p",
        "",
      ].join("\r\n"),
    );
  });

  it("is asked for in words that can be understood", () => {
    expect(parseRange(new URLSearchParams())).to.equal(null);
    for (const query of ["from=yesterday", "every=P0D", "every=month", "from=&x=1", "sensor=a&sensor=b"])
      expect(() => parse(query), query).to.throw(Problem);
    expect(durationMs("P1Y2DT3H4M5.5S")).to.equal(
      (366 + 2) * 86_400_000 + 3 * 3_600_000 + 4 * 60_000 + 5_500,
    );
  });
});
