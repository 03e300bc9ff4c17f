import { fh, foaf, qudt, rdf, schema, sosa, vcard, xsd } from "@freehold/vocab";
import { expect } from "chai";
import * as fc from "fast-check";
import { TIERS } from "../../../server/consent/model.ts";
import { bandOf } from "../../../server/consent/views/summarise.ts";
import { coarsest, isCoarser, STEPS, toTier } from "../../../server/consent/views/tiers.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import { serializeRdf } from "../../../server/rdf/serialize.ts";
import { keyOfTriple, literal, namedNode, type Quad, quad } from "../../../server/rdf/terms.ts";

const PREFIXES = `
  @prefix vcard: <http://www.w3.org/2006/vcard/ns#> . @prefix schema: <https://schema.org/> .
  @prefix sosa: <http://www.w3.org/ns/sosa/> . @prefix qudt: <http://qudt.org/schema/qudt/> .
  @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
  @prefix unit: <http://qudt.org/vocab/unit/> . @prefix ex: <https://ex.example/ns#> .`;
const read = (turtle: string): Promise<Quad[]> =>
  parseRdf(Buffer.from(PREFIXES + turtle), "text/turtle", "https://pod.example/ana/doc");
const text = async (quads: readonly Quad[]): Promise<string> =>
  Buffer.from(await serializeRdf(quads, "application/n-triples")).toString();
/** Of two digits as it is. */
const isRough = (value: string): boolean => Number(value) === Number(Number(value).toPrecision(2));
const values = (quads: readonly Quad[], property: string): readonly string[] =>
  quads
    .filter(({ predicate }) => predicate.value === property)
    .map(({ object }) => object.value)
    .sort();
const same = (quads: readonly Quad[]): readonly string[] => quads.map(keyOfTriple).sort();

describe("value tiers", () => {
  it("raw is what the documents say", async () => {
    const quads = await read(`<#me> vcard:fn "Ana Example" .`);
    expect(same(toTier(quads, "raw"))).to.deep.equal(same(quads));
  });

  describe("reduced", () => {
    const cases: readonly (readonly [
      what: string,
      turtle: string,
      property: string,
      values: readonly string[],
    ])[] = [
      [
        "a time is its day",
        `<#a> schema:orderDate "2026-03-05T21:04:09+02:00"^^xsd:dateTime .`,
        schema.orderDate,
        ["2026-03-05"],
      ],
      ["a birthday is its year", `<#a> vcard:bday "1984-03-05"^^xsd:date .`, vcard.bday, ["1984"]],
      [
        "so is one with a time",
        `<#a> schema:birthDate "1984-03-05T00:00:00Z"^^xsd:dateTime .`,
        schema.birthDate,
        ["1984"],
      ],
      [
        "a postcode is its area",
        `<#a> vcard:postal-code "8001" . <#b> vcard:postal-code "SW1A 1AA" .`,
        vcard["postal-code"],
        ["80", "SW"],
      ],
      [
        "a postcode that is something else is left out",
        `<#a> schema:postalCode "the old mill" .`,
        schema.postalCode,
        [],
      ],
      ["a number has two digits", `<#a> schema:price 1234.56 .`, schema.price, ["1200.0"]],
      [
        "a whole number has two digits",
        `<#a> schema:orderQuantity 4012888888881881 .`,
        schema.orderQuantity,
        ["4000000000000000.0"],
      ],
      [
        "a place is about ten kilometres",
        `<#a> schema:latitude 47.37688 ; schema:longitude -0.01234 .`,
        schema.longitude,
        ["0.0"],
      ],
      [
        "free text is left out",
        `<#a> schema:description "CANARY" ; schema:name "CANARY"@en .`,
        schema.description,
        [],
      ],
      [
        "a code is kept",
        `<#a> schema:addressCountry "CH" ; schema:priceCurrency "CHF" .`,
        schema.addressCountry,
        ["CH"],
      ],
      [
        "free text in the place of a code is left out",
        `<#a> schema:addressCountry "CANARY of the north" .`,
        schema.addressCountry,
        [],
      ],
      [
        "mail, phone and web addresses are left out",
        `<#a> vcard:value <mailto:canary@ana.example> , <tel:+41441234567> ; vcard:hasURL <https://canary.example/> .`,
        vcard.value,
        [],
      ],
      [
        "a kind of thing is kept",
        `<#a> schema:orderStatus schema:OrderDelivered .`,
        schema.orderStatus,
        [schema.OrderDelivered],
      ],
      [
        "a kind that somebody made up is left out",
        `<#a> a <https://canary.example/ns#Patient> .`,
        rdf.type,
        [],
      ],
      ["yes and no are kept", `<#a> <https://w3id.org/freehold/ns#gift> true .`, fh.gift, ["true"]],
      [
        "what nobody thought of is left out",
        `<#a> ex:code "CANARY"^^ex:type ; ex:length "P3D"^^xsd:duration .`,
        "https://ex.example/ns#code",
        [],
      ],
      [
        "a date that is none is left out",
        `<#a> schema:orderDate "CANARY"^^xsd:dateTime .`,
        schema.orderDate,
        [],
      ],
    ];
    for (const [what, turtle, property, expected] of cases)
      it(what, async () => {
        const reduced = toTier(await read(turtle), "reduced");
        expect(values(reduced, property)).to.deep.equal(expected);
        expect(await text(reduced)).not.to.match(/canary/i);
      });

    it("a link to a part stays a link", async () => {
      const quads = await read(
        `<#me> vcard:hasAddress [ vcard:postal-code "8001" ; vcard:street-address "CANARY 1" ] .`,
      );
      const reduced = toTier(quads, "reduced");
      expect(values(reduced, vcard.hasAddress)).to.have.length(1);
      expect(values(reduced, vcard["street-address"])).to.deep.equal([]);
    });
  });

  const readings = (count: number, month = "10"): string =>
    Array.from({ length: count }, (_, at) => {
      const day = String(at + 1).padStart(2, "0");
      return `<#o${month}-${at}> a sosa:Observation ; sosa:resultTime "2026-${month}-${day}T08:00:00Z"^^xsd:dateTime ;
        sosa:hasResult [ qudt:numericValue ${100 + at}.125 ; qudt:hasUnit unit:KiloW-HR ] .`;
    }).join("\n");

  describe("aggregate", () => {
    it("is a mean for each kind, property, unit and month, of whole fives", async () => {
      const made = toTier(await read(readings(12) + readings(6, "11")), "aggregate");
      expect(values(made, fh.inMonth)).to.deep.equal(["2026-10", "2026-11"]);
      expect(values(made, fh.atLeast)).to.deep.equal(["10", "15", "5"]);
      expect(values(made, fh.ofProperty)).to.deep.equal([qudt.numericValue, qudt.numericValue]);
      expect(values(made, fh.inUnit)).to.deep.equal(Array(2).fill("http://qudt.org/vocab/unit/KiloW-HR"));
      expect(values(made, fh.mean)).to.deep.equal(["100.0", "110.0"].sort());
    });

    it("tells of fewer than five only that there are some", async () => {
      const made = toTier(await read(readings(4)), "aggregate");
      expect(values(made, fh.mean)).to.deep.equal([]);
      expect(values(made, fh.atLeast)).to.deep.equal(["1"]);
    });

    it("does not change when one more comes, until five have come", async () => {
      const five = same(toTier(await read(readings(5)), "aggregate"));
      expect(same(toTier(await read(readings(9)), "aggregate"))).to.deep.equal(five);
      expect(same(toTier(await read(readings(10)), "aggregate"))).not.to.deep.equal(five);
    });

    it("does not add up amounts in two currencies", async () => {
      const orders = (currency: string): string =>
        Array.from(
          { length: 5 },
          (_, at) =>
            `<#${currency}${at}> a schema:Order ; schema:price 10 ; schema:priceCurrency "${currency}" .`,
        ).join("\n");
      const made = toTier(await read(orders("CHF") + orders("ZAR")), "aggregate");
      expect(values(made, fh.inUnit)).to.deep.equal(["CHF", "ZAR"]);
    });
  });

  describe("tag", () => {
    it("is whether there are such things, and in which power of ten their values are", async () => {
      const made = toTier(await read(`${readings(12)} <#p> a schema:Product .`), "tag");
      expect(values(made, fh.ofClass)).to.deep.equal(
        [sosa.Observation, sosa.Observation, schema.Product].sort(),
      );
      expect(values(made, fh.band)).to.deep.equal(["100 to 1000"]);
      expect(values(made, fh.mean)).to.deep.equal([]);
      expect(values(made, fh.atLeast)).to.deep.equal([]);
    });

    for (const [number, band] of [
      [0, "0"],
      [1, "1 to 10"],
      [9.99, "1 to 10"],
      [10, "10 to 100"],
      [1000, "1000 to 10000"],
      [0.02, "0.01 to 0.1"],
      [-42, "-100 to -10"],
    ] as const)
      it(`${number} is in ${band}`, () => expect(bandOf(number)).to.equal(band));
  });

  describe("whatever the data are", () => {
    const name = fc.integer({ min: 0, max: 12 }).map((at) => `https://pod.example/ana/doc#n${at}`);
    const node = name.map((iri) => namedNode(iri));
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((value) => value.toFixed(6));
    const secret = fc.uuid().map((id) => literal(`CANARY ${id}`));
    const object = fc.oneof(
      node,
      secret,
      number.map((value) => literal(value, namedNode(xsd.decimal))),
      fc
        .date({ min: new Date("2020-01-01"), max: new Date("2027-01-01"), noInvalidDate: true })
        .map((date) => literal(date.toISOString(), namedNode(xsd.dateTime))),
      fc.constantFrom(literal("CHF"), literal("8001"), literal("canary", "en")),
      fc.uuid().map((id) => namedNode(`mailto:canary-${id}@ana.example`)),
      fc.uuid().map((id) => literal(`canary ${id}`, namedNode("https://canary.example/type"))),
    );
    const property = fc.constantFrom(
      schema.price,
      schema.priceCurrency,
      schema.orderDate,
      schema.name,
      schema.description,
      vcard.value,
      vcard.hasAddress,
      vcard["postal-code"],
      vcard.bday,
      foaf.knows,
      schema.addressCountry,
      schema.addressRegion,
      qudt.numericValue,
      "https://canary.example/property-that-is-no-canary-itself",
    );
    const statement = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(node, property, object).map(([s, p, o]) => quad(s, namedNode(p), o)) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            node,
            fc.constantFrom(schema.Order, sosa.Observation, foaf.Person, "https://canary.example/ns#Patient"),
          )
          .map(([s, type]) => quad(s, namedNode(rdf.type), namedNode(type))),
      },
    );
    const data = fc.array(statement, { maxLength: 60 });

    it("a coarser tier is made of the finer one alone", () => {
      fc.assert(
        fc.property(data, (quads) => {
          for (const [at, tier] of TIERS.entries()) {
            const finer = TIERS[at - 1];
            if (finer !== undefined && tier !== "raw")
              expect(same(toTier(quads, tier))).to.deep.equal(same(STEPS[tier](toTier(quads, finer))));
          }
        }),
        { numRuns: 300 },
      );
    });

    it("reducing what is reduced changes nothing", () => {
      fc.assert(
        fc.property(data, (quads) => {
          const once = toTier(quads, "reduced");
          expect(same(STEPS.reduced(once))).to.deep.equal(same(once));
        }),
        { numRuns: 300 },
      );
    });

    it("the order of the statements does not matter", () => {
      fc.assert(
        fc.property(data, (quads) => {
          for (const tier of TIERS)
            expect(same(toTier(quads.toReversed(), tier))).to.deep.equal(same(toTier(quads, tier)));
        }),
        { numRuns: 200 },
      );
    });

    it("no raw text, time or number is in a coarser tier", async () => {
      await fc.assert(
        fc.asyncProperty(data, async (quads) => {
          const raw = quads.flatMap(({ object }) =>
            object.termType === "Literal" && object.value.length > 8 && !isRough(object.value)
              ? [object.value]
              : [],
          );
          for (const tier of ["reduced", "aggregate", "tag"] as const) {
            const given = (await text(toTier(quads, tier))).replaceAll(
              "property-that-is-no-canary-itself",
              "",
            );
            expect(given.replaceAll("https://canary.example/", "")).not.to.match(/canary/i);
            for (const value of raw) expect(given).not.to.include(`"${value}"`);
          }
        }),
        { numRuns: 300 },
      );
    });

    it("aggregates and tags name none of the things", async () => {
      await fc.assert(
        fc.asyncProperty(data, async (quads) => {
          for (const tier of ["aggregate", "tag"] as const)
            expect(await text(toTier(quads, tier))).not.to.include("https://pod.example/");
        }),
        { numRuns: 200 },
      );
    });
  });

  it("of two tiers the coarser holds", () => {
    expect(coarsest("raw", "aggregate")).to.equal("aggregate");
    expect(coarsest("tag", "reduced")).to.equal("tag");
    expect(isCoarser("raw", "raw")).to.equal(false);
  });
});
