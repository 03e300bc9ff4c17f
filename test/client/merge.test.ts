import { expect } from "chai";
import fc from "fast-check";
import { add, cellOf, type Exact, exactOf } from "../../client-lib/exact.ts";
import { createBelt, createLanes } from "../../client-lib/lanes.ts";
import { compareCells, createGroups } from "../../client-lib/merge.ts";
import type { Cell } from "../../client-lib/rows.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";
const typed = (value: string, datatype: string): Cell => ({
  type: "literal",
  value,
  datatype: `${XSD}${datatype}`,
});
const exact = (value: string, datatype = "decimal"): Exact => exactOf(typed(value, datatype))!;

describe("numbers of an answer", () => {
  const sums: readonly (readonly [string, readonly (readonly [string, string])[], string, string])[] = [
    ["no cent is lost", [["0.10", "decimal"], ["0.20", "decimal"]], "0.30", "decimal"],
    ["debts count", [["-0.05", "decimal"], ["0.02", "decimal"]], "-0.03", "decimal"],
    ["counts stay whole", [["3", "integer"], ["4", "int"]], "7", "integer"],
    ["beyond what a double holds", [["9007199254740993", "integer"], ["0.1", "decimal"]], "9007199254740993.1", "decimal"],
    ["a double makes all of it one", [["1", "integer"], ["1.5E0", "double"]], "2.5", "double"],
    ["infinity is spelled as XML Schema has it", [["INF", "double"], ["1", "integer"]], "INF", "double"],
  ]; // biome-ignore format: a table
  for (const [name, cells, value, datatype] of sums) {
    it(`are added: ${name}`, () => {
      const sum = cells.map(([text, type]) => exact(text, type)).reduce(add);
      expect(cellOf(sum)).to.deep.equal(typed(value, datatype));
    });
  }

  it("are added exactly, whatever they are and in whatever order", () => {
    const money = fc.record({ units: fc.bigInt(-(10n ** 24n), 10n ** 24n), scale: fc.nat({ max: 12 }) });
    fc.assert(
      fc.property(fc.array(money, { minLength: 1 }), (amounts) => {
        const cells = amounts.map(({ units, scale }) =>
          cellOf({ kind: "decimal", units, scale, value: Number(units) / 10 ** scale }),
        );
        const sum = cells.map((cell) => exact(cell.value)).reduce(add);
        const expected = amounts.reduce(
          (all, { units, scale }) => all + units * 10n ** BigInt(12 - scale),
          0n,
        );
        expect(sum.units! * 10n ** BigInt(12 - sum.scale)).to.equal(expected);
      }),
    );
  });

  it("are none where the text is not one", () => {
    for (const [
      text,
      type,
    ] of [["", "integer"], [".", "decimal"], ["0x10", "integer"], ["1e3", "decimal"], ["1", "string"], ["Infinity", "double"]] as const) // biome-ignore format: a list
      expect(exactOf(typed(text, type)), text).to.equal(null);
    expect(exactOf({ type: "uri", value: "1", datatype: `${XSD}integer` })).to.equal(null);
  });
});

describe("cells in order", () => {
  const ascending: readonly (Cell | undefined)[] = [
    undefined,
    { type: "bnode", value: "b0" },
    { type: "uri", value: "urn:a" },
    { type: "uri", value: "urn:b" },
    { type: "literal", value: "z" },
    { type: "literal", value: "\u{ffff}" },
    { type: "literal", value: "\u{10000}" },
  ];

  it("are as ORDER BY has them", () => {
    const bound = ascending.filter((cell) => cell !== undefined);
    expect([...bound].reverse().sort(compareCells)).to.deep.equal(bound);
    expect(compareCells(undefined, ascending[1])).to.be.below(0);
    expect(compareCells(typed("9", "integer"), typed("10.0", "decimal"))).to.be.below(0);
    expect(compareCells(typed("10.0", "decimal"), typed("1E1", "double"))).to.equal(0);
    expect(compareCells(typed("2026-01-01T00:00:00Z", "dateTime"), typed("2026-01-01T00:30:00+01:00", "dateTime"))).to.be.above(0); // biome-ignore format: one line
  });

  it("have one order, whichever two are compared", () => {
    const cell: fc.Arbitrary<Cell | undefined> = fc.oneof(
      fc.constantFrom(...ascending),
      fc.integer().map((n) => typed(String(n), "integer")),
      fc.double().map((n) => typed(String(n).replace("Infinity", "INF"), "double")),
      fc.integer({ min: 1, max: 28 }).map((n) => typed(`2026-02-${String(n).padStart(2, "0")}`, "date")),
    );
    fc.assert(
      fc.property(cell, cell, cell, (a, b, c) => {
        expect(Math.sign(compareCells(a, b)) + Math.sign(compareCells(b, a))).to.equal(0);
        if (compareCells(a, b) <= 0 && compareCells(b, c) <= 0) expect(compareCells(a, c)).to.be.at.most(0);
      }),
    );
  });
});

describe("groups of several pods", () => {
  it("are those that agree in all that is no aggregate", () => {
    const groups = createGroups({ n: "sum", least: "min" });
    const of = (value: string, language: string | undefined, n: string, least?: string) =>
      groups.add({
        kind: { type: "literal", value, ...(language && { language }) },
        n: typed(n, "integer"),
        ...(least !== undefined && { least: typed(least, "integer") }),
      });
    of("tea", "en", "1", "5");
    of("tea", "EN", "2", "3");
    of("tea", "de", "4");
    of("tea", "de", "8", "7");
    groups.add({ n: typed("16", "integer") });
    expect(groups.rows().map(({ n, least }) => [n?.value, least?.value])).to.deep.equal([
      ["3", "3"],
      ["12", "7"],
      ["16", undefined],
    ]);
    expect(() => groups.add({ n: { type: "literal", value: "many" } })).to.throw(/no number/);
  });
});

describe("turns", () => {
  it("are few in each lane, and all come", async () => {
    const take = createLanes(2);
    const most: Record<string, number> = {};
    const now: Record<string, number> = {};
    const done = await Promise.allSettled(
      Array.from({ length: 30 }, (_, at) =>
        take(at % 2 ? "a" : "b", async () => {
          const lane = at % 2 ? "a" : "b";
          now[lane] = (now[lane] ?? 0) + 1;
          most[lane] = Math.max(most[lane] ?? 0, now[lane]);
          await new Promise((next) => setTimeout(next, 1));
          now[lane] -= 1;
          if (at % 5 === 0) throw new Error("a turn that failed is over too");
        }),
      ),
    );
    expect(most).to.deep.equal({ a: 2, b: 2 });
    expect(done.filter(({ status }) => status === "rejected")).to.have.length(6);
  });

  it("hold back who puts until somebody takes", async () => {
    const belt = createBelt<number>(4);
    let put = 0;
    const putting = (async () => {
      for (let item = 0; item < 20; item += 1) {
        await belt.put(item);
        put += 1;
      }
      belt.end();
    })();
    await new Promise((next) => setTimeout(next, 5));
    expect(put).to.equal(4);
    expect(await Array.fromAsync(belt.take())).to.deep.equal(Array.from({ length: 20 }, (_, item) => item));
    await putting;
  });
});
