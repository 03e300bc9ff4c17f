import { foaf, rdf, schema, vcard } from "@freehold/vocab";
import { expect } from "chai";
import * as fc from "fast-check";
import { namesOfBlanks, pairKey, rename } from "../../../server/consent/views/pairwise.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import { serializeRdf } from "../../../server/rdf/serialize.ts";
import {
  blankNode,
  keyOf,
  keyOfTriple,
  literal,
  namedNode,
  type Quad,
  quad,
} from "../../../server/rdf/terms.ts";

const BASE = "https://pods.example/";
const OWNER = "https://ana.elsewhere.example/card#me";
const OWNER_DOCUMENT = "https://ana.elsewhere.example/card";
const secret = Buffer.alloc(32, 7);
const keyFor = (who: string): Uint8Array => pairKey(secret, who);
const SHOP = keyFor("https://shop.example/#us");
const BANK = keyFor("https://bank.example/#us");

const seenBy = (
  key: Uint8Array,
  quads: readonly Quad[],
  fields: readonly string[] | null = null,
): readonly Quad[] => rename(quads, { key, baseUrl: BASE, own: [OWNER_DOCUMENT], all: quads, fields });
const read = (turtle: string): Promise<Quad[]> =>
  parseRdf(
    Buffer.from(`@prefix vcard: <http://www.w3.org/2006/vcard/ns#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
      @prefix schema: <https://schema.org/> . ${turtle}`),
    "text/turtle",
    `${BASE}ana/doc`,
  );
const text = async (quads: readonly Quad[]): Promise<string> =>
  Buffer.from(await serializeRdf(quads, "application/n-triples")).toString();
/** All names of things: what a vendor could use to tell two of them apart, or find one again. */
const namesIn = (quads: readonly Quad[]): ReadonlySet<string> =>
  new Set(
    quads.flatMap(({ subject, predicate, object }) => [
      subject.value,
      ...(object.termType !== "Literal" && predicate.value !== rdf.type ? [object.value] : []),
    ]),
  );

describe("names of things that one vendor alone knows", () => {
  const cases: readonly (readonly [
    what: string,
    turtle: string,
    mustNot: readonly string[],
    must: readonly string[],
  ])[] = [
    ["a subject", `<#me> vcard:fn "Ana" .`, ["ana/doc", "#me"], ['"Ana"']],
    [
      "an object that is a thing",
      `<#me> vcard:hasAddress <#home> . <#home> vcard:locality "Zug" .`,
      ["#home"],
      ['"Zug"'],
    ],
    [
      "an object that is a thing elsewhere",
      `<#me> foaf:knows <https://ben.example/#me> . <https://ben.example/#me> foaf:name "B" .`,
      ["ben.example"],
      ['"B"'],
    ],
    [
      "an address of this server of which nothing is said",
      `<#me> foaf:page <${BASE}ana/private/page> .`,
      ["ana/private"],
      [],
    ],
    [
      "the owner, who is elsewhere",
      `<#doc> foaf:maker <${OWNER}> ; foaf:page <${OWNER_DOCUMENT}> .`,
      ["ana.elsewhere"],
      [],
    ],
    [
      "names that programs make",
      `<#o> schema:identifier <urn:uuid:0f0e0d0c-0000-4000-8000-000000000000>, <did:fh:zabc> .`,
      ["urn:uuid", "did:fh"],
      [],
    ],
    [
      "an address in a text",
      `<#n> schema:text "See <${BASE}ana/private/x>, and ${OWNER}." .`,
      ["ana/private", "ana.elsewhere"],
      ["See <", ", and "],
    ],
    [
      "a property that the owner made up",
      `<#n> <${BASE}ana/private/vocabulary#illness> "x" .`,
      ["ana/private", "illness"],
      ['"x"'],
    ],
    [
      "a type of values that the owner made up",
      `<#n> schema:text "x"^^<${BASE}ana/private/vocabulary#illness> .`,
      ["ana/private", "illness"],
      ['"x"'],
    ],
    [
      "a kind of thing that the owner made up",
      `<#n> a <${BASE}ana/private/vocabulary#Illness> .`,
      ["ana/private", "Illness"],
      [],
    ],
    [
      "a value that is an address stays",
      `<#m> vcard:value <mailto:ana@mail.example> ; schema:url <https://shop.example/p/1> .`,
      ["ana/doc"],
      ["mailto:ana@mail.example", "https://shop.example/p/1"],
    ],
    [
      "a kind of thing stays, also where something is said of it",
      `<#m> a schema:Order . schema:Order schema:name "order" .`,
      ["ana/doc"],
      ["type> <https://schema.org/Order>"],
    ],
  ];
  for (const [what, turtle, mustNot, must] of cases)
    it(what, async () => {
      const seen = await text(seenBy(SHOP, await read(turtle)));
      for (const hidden of mustNot) expect(seen).not.to.include(hidden);
      for (const shown of must) expect(seen).to.include(shown);
    });

  it("a property that the vendor has asked for by its name keeps it", async () => {
    const own = `${BASE}ana/vocabulary#size`;
    const quads = await read(`<#n> <${own}> "42" .`);
    expect(await text(seenBy(SHOP, quads, [own]))).to.include(own);
    expect(await text(seenBy(SHOP, quads, [schema.name]))).not.to.include(own);
  });

  it("what is a thing stays one when what is said of it is left out", async () => {
    const all = await read(
      `<#me> vcard:hasEmail <https://mail.example/ana> . <https://mail.example/ana> vcard:note "x" .`,
    );
    const given = all.filter(({ predicate }) => predicate.value === vcard.hasEmail);
    const seen = await text(rename(given, { key: SHOP, baseUrl: BASE, own: [], all, fields: null }));
    expect(seen).not.to.include("mail.example");
  });

  it("without the pod's secret nobody can try names out", async () => {
    const quads = await read(`<#me> vcard:fn "Ana" .`);
    const guess = pairKey(Buffer.alloc(32), "https://shop.example/#us");
    expect(await text(seenBy(guess, quads))).not.to.equal(await text(seenBy(SHOP, quads)));
  });

  describe("nodes without a name", () => {
    const nameOf = async (turtle: string, value: string): Promise<string> => {
      const found = seenBy(SHOP, await read(turtle)).find(({ object }) => object.value === value);
      return found!.subject.value;
    };
    const address = (street: string): string =>
      `<#me> vcard:hasAddress [ vcard:street-address "${street}" ; vcard:country-name "CH" ] .`;

    it("keep theirs when their values change", async () => {
      expect(await nameOf(address("Old Street"), "CH")).to.equal(await nameOf(address("New Street"), "CH"));
    });
    it("keep theirs when others come before them in the document", async () => {
      const more = `<#other> foaf:knows [ foaf:name "x" ], [ foaf:name "y" ] . [] foaf:name "z" .`;
      expect(await nameOf(more + address("Street"), "CH")).to.equal(await nameOf(address("Street"), "CH"));
    });
    it("are told apart, also when they say the same", async () => {
      const quads = await read(`<#me> foaf:knows [ foaf:name "x" ], [ foaf:name "x" ], [ foaf:name "y" ] .`);
      expect(new Set(namesOfBlanks(quads).values()).size).to.equal(3);
    });
    it("of circles and long chains have some, too", async () => {
      const chain = Array.from({ length: 20_000 }, (_, at) =>
        quad(blankNode(`b${at}`), namedNode(rdf.rest), blankNode(`b${at + 1}`)),
      );
      expect(namesOfBlanks(chain).size).to.equal(20_001);
      const circle = await read(`_:a foaf:knows _:b . _:b foaf:knows _:a .`);
      expect(new Set(namesOfBlanks(circle).values()).size).to.equal(2);
    });
  });

  describe("whatever the data are", () => {
    const iri = fc.oneof(
      fc.nat(9).map((at) => `${BASE}ana/doc${at % 3}#n${at}`),
      fc.nat(3).map((at) => `https://elsewhere.example/thing${at}`),
      fc.constant(OWNER),
      fc.uuid().map((id) => `urn:uuid:${id}`),
    );
    const node = fc.oneof(
      iri.map((one) => namedNode(one)),
      fc.nat(6).map((at) => blankNode(`b${at}`)),
    );
    const value = fc.oneof(
      node,
      fc.string({ maxLength: 8 }).map((one) => literal(one)),
      iri.map((one) => literal(`see ${one} there`)),
    );
    const property = fc.constantFrom(foaf.knows, schema.name, vcard.hasAddress, `${BASE}ana/own#p`, rdf.type);
    const data = fc.array(
      fc.tuple(node, property, value).map(([s, p, o]) => quad(s, namedNode(p), o)),
      { maxLength: 30 },
    );
    const isThing = (quads: readonly Quad[]) => {
      const subjects = new Set(quads.map(({ subject }) => keyOf(subject)));
      return (one: Quad): boolean => one.object.termType === "Literal" || subjects.has(keyOf(one.object));
    };

    it("two vendors' answers share no name of a thing", () => {
      fc.assert(
        fc.property(data, (quads) => {
          // An address of which nothing is said is a value like any other.
          const things = quads.filter(isThing(quads));
          const seen = (key: Uint8Array) =>
            namesIn(rename(things, { key, baseUrl: BASE, own: [OWNER_DOCUMENT], all: quads, fields: null }));
          const [one, other] = [seen(SHOP), seen(BANK)];
          expect([...one].filter((name) => other.has(name))).to.deep.equal([]);
        }),
        { numRuns: 500 },
      );
    });

    it("no name of this server or of the owner is left, nor the order in which things were said", async () => {
      await fc.assert(
        fc.asyncProperty(data, async (quads) => {
          const seen = await text(seenBy(SHOP, quads));
          expect(seen).not.to.include(`${BASE}ana/`);
          expect(seen).not.to.include(OWNER);
          expect(seen).not.to.match(/(^| )_:\w/m);
          expect(await text(seenBy(SHOP, quads.toReversed()))).to.have.length(seen.length);
        }),
        { numRuns: 300 },
      );
    });

    it("what is named is the same all the time", () => {
      const named = data.map((quads) =>
        quads.filter(
          ({ subject, object }) => subject.termType !== "BlankNode" && object.termType !== "BlankNode",
        ),
      );
      fc.assert(
        fc.property(named, named, (quads, more) => {
          const names = (all: readonly Quad[]) =>
            new Set(
              rename(quads, { key: SHOP, baseUrl: BASE, own: [OWNER_DOCUMENT], all, fields: null }).map(
                keyOfTriple,
              ),
            );
          expect(names([...quads, ...quads])).to.deep.equal(names(quads));
          expect(
            [...seenBy(SHOP, quads)].every(({ subject }) =>
              namesIn(seenBy(SHOP, [...quads, ...more])).has(subject.value),
            ),
          ).to.equal(true);
        }),
        { numRuns: 200 },
      );
    });
  });
});
