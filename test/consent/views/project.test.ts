import { expect } from "chai";
import * as fc from "fast-check";
import {
  type Projection,
  pickFields,
  pickShapes,
  pickTimes,
  pickTypes,
  project,
} from "../../../server/consent/views/project.ts";
import { shapeFields } from "../../../server/consent/views/shapes.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import { literal, namedNode, type Quad, quad } from "../../../server/rdf/terms.ts";
import { CONTACT, PREFIXES } from "./view-fixture.ts";

const DOC = "https://pods.example/ana/doc";
const read = (turtle: string): Promise<Quad[]> =>
  parseRdf(Buffer.from(PREFIXES + turtle), "text/turtle", DOC);
const said = (quads: readonly Quad[]): readonly string[] =>
  quads
    .map(({ subject, predicate, object }) =>
      [subject, predicate, object].map(({ value }) => value.replace(/^.*[#/](?=.)/, "")).join(" "),
    )
    .sort();
const vcard = (name: string): string => `http://www.w3.org/2006/vcard/ns#${name}`;

describe("projections", () => {
  describe("fields", () => {
    it("what leads to a value brings it along", async () => {
      expect(said(pickFields(await read(CONTACT), [vcard("hasEmail")]))).to.deep.equal([
        "ana hasEmail mail",
        "mail value mailto:ana@mail.example",
      ]);
    });
    it("a value by itself is not given, for nobody knows of what it is one", async () => {
      expect(said(pickFields(await read(CONTACT), [vcard("value")]))).to.deep.equal([]);
      expect(said(pickFields(await read(`<#x> vcard:value <tel:+1> .`), [vcard("value")]))).to.deep.equal([]);
    });
    it("a value to which something hidden leads, too, stays hidden", async () => {
      const shared = `<#me> vcard:hasEmail <#one> ; vcard:hasTelephone <#one> . <#one> vcard:value <tel:+1> .`;
      expect(said(pickFields(await read(shared), [vcard("hasEmail")]))).to.deep.equal(["me hasEmail one"]);
    });
    it("nothing else of a part comes along", async () => {
      const quads = await read(
        `<#me> vcard:hasEmail [ vcard:value <mailto:a@b> ; vcard:note "hidden" ; vcard:hasTelephone [ vcard:value <tel:+1> ] ] .`,
      );
      expect(pickFields(quads, [vcard("hasEmail")]).map(({ object }) => object.value)).to.include(
        "mailto:a@b",
      );
      expect(pickFields(quads, [vcard("hasEmail")])).to.have.length(2);
    });
    it("whatever the data are, only what was named, and values of that", () => {
      const node = fc.nat(8).map((at) => namedNode(`${DOC}#n${at}`));
      const property = fc.constantFrom("hasEmail", "hasTelephone", "value", "note", "fn").map(vcard);
      const data = fc.array(
        fc
          .tuple(
            node,
            property,
            fc.oneof(
              node,
              fc.string().map((one) => literal(one)),
            ),
          )
          .map(([s, p, o]) => quad(s, namedNode(p), o)),
      );
      fc.assert(
        fc.property(data, (quads) => {
          const given = pickFields(quads, [vcard("hasEmail"), vcard("fn")]);
          const reached = new Set(
            given
              .filter(({ predicate }) => predicate.value !== vcard("value"))
              .map(({ object }) => object.value),
          );
          const hidden = new Set(
            quads
              .filter(({ predicate }) => [vcard("hasTelephone"), vcard("note")].includes(predicate.value))
              .map(({ object }) => (object.termType === "Literal" ? "" : object.value)),
          );
          for (const { subject, predicate } of given) {
            expect(predicate.value).to.be.oneOf([vcard("hasEmail"), vcard("fn"), vcard("value")]);
            if (predicate.value !== vcard("value")) continue;
            expect(reached.has(subject.value)).to.equal(true);
            expect(hidden.has(subject.value)).to.equal(false);
          }
        }),
        { numRuns: 500 },
      );
    });
  });

  describe("shapes", () => {
    const shape = async (name: string) =>
      (await shapeFields(`https://w3id.org/freehold/shapes/${name}Shape`))!;
    it("what our shapes name is read from them", async () => {
      const address = await shape("profile#PostalAddress");
      expect(address.classes).to.deep.equal([vcard("Address")]);
      expect([...address.properties.keys()])
        .to.have.length(9)
        .and.to.include(vcard("street-address"));
      const payment = await shape("commerce#BankTransaction");
      expect([...payment.properties.get("https://schema.org/amount")!.properties.keys()]).to.include(
        "https://schema.org/value",
      );
      expect(await shapeFields("https://w3id.org/freehold/shapes/none#NoneShape")).to.equal(null);
    });
    it("a thing of the shape is given with what the shape names, and no other thing", async () => {
      const given = said(pickShapes(await read(CONTACT), [await shape("profile#PostalAddress")]));
      expect(given).to.include("home street-address Bahnhofstrasse 1").and.to.include("home type Address");
      expect(given.filter((one) => !one.startsWith("home "))).to.deep.equal([]);
      expect(given.join()).not.to.include("canary");
    });
    it("what a shape leads to is given as its own shape says", async () => {
      const quads = await read(
        `<#p> a schema:MoneyTransfer ; schema:amount [ schema:value 5 ; schema:currency "CHF" ; schema:description "hidden" ] ; schema:description "hidden" .`,
      );
      const given = pickShapes(quads, [await shape("commerce#BankTransaction")]);
      expect(given.map(({ object }) => object.value))
        .to.include("CHF")
        .and.not.to.include("hidden");
    });
  });

  it("kinds: a thing with what belongs to it alone", async () => {
    const quads =
      await read(`<#o> a schema:Order ; schema:seller <#s> ; schema:orderedItem [ schema:name "item" ] , _:b .
      _:b schema:name "shared" . <#other> schema:orderedItem _:b . <#s> a schema:Organization ; schema:name "hidden" .`);
    const values = pickTypes(quads, ["https://schema.org/Order"]).map(({ object }) => object.value);
    expect(values).to.include("item").and.not.to.include("shared").and.not.to.include("hidden");
  });

  describe("times", () => {
    const cases: readonly (readonly [what: string, turtle: string, count: number])[] = [
      ["within", `<#o> schema:orderDate "2026-01-15T10:00:00Z"^^xsd:dateTime .`, 1],
      ["before", `<#o> schema:orderDate "2025-12-31T23:59:59Z"^^xsd:dateTime .`, 0],
      ["before, by its zone", `<#o> schema:orderDate "2026-01-01T00:30:00+02:00"^^xsd:dateTime .`, 0],
      ["a day", `<#o> schema:orderDate "2026-01-01"^^xsd:date .`, 1],
      ["after", `<#o> schema:orderDate "2026-02-01"^^xsd:date .`, 0],
      [
        "two times, one of them outside",
        `<#o> schema:orderDate "2026-01-01"^^xsd:date, "2027-01-01"^^xsd:date .`,
        0,
      ],
      ["none", `<#o> schema:name "x" .`, 0],
      ["no time", `<#o> schema:orderDate "soon"^^xsd:dateTime .`, 0],
      [
        "a part, when its whole was",
        `<#o> schema:orderDate "2026-01-01"^^xsd:date ; schema:orderedItem [ schema:name "x" ] .`,
        3,
      ],
      ["a circle", `<#a> schema:item <#b> . <#b> schema:item <#a> .`, 0],
    ];
    for (const [what, turtle, count] of cases)
      it(what, async () =>
        expect(
          pickTimes(await read(turtle), Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 31, 23, 59, 59)),
        ).to.have.length(count),
      );
    it("open on one side", async () => {
      const quads = await read(`<#o> schema:orderDate "2020-01-01"^^xsd:date .`);
      expect(pickTimes(quads, null, Date.UTC(2021))).to.have.length(1);
      expect(pickTimes(quads, Date.UTC(2021), null)).to.have.length(0);
    });
  });

  it("a projection never says what was not said", () => {
    const node = fc.nat(5).map((at) => namedNode(`${DOC}#n${at}`));
    const property = fc.constantFrom(
      vcard("hasEmail"),
      vcard("value"),
      vcard("fn"),
      "https://schema.org/orderDate",
    );
    const data = fc.array(fc.tuple(node, property, node).map(([s, p, o]) => quad(s, namedNode(p), o)));
    const projection: fc.Arbitrary<Projection> = fc.record({
      types: fc.option(fc.constant([vcard("Address")])),
      shapes: fc.constant(null),
      fields: fc.option(fc.subarray([vcard("hasEmail"), vcard("fn")])),
      dataFrom: fc.option(fc.constant(0)),
      dataTo: fc.constant(null),
    });
    fc.assert(
      fc.property(data, projection, (quads, one) => {
        for (const given of project(quads, one)) expect(quads).to.include(given);
      }),
    );
  });
});
