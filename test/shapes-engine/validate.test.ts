import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import { parseRdf } from "../../server/rdf/parse.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import { createShapes, type ShapeReport } from "../../server/shapes/validate.ts";

const PREFIXES = `
@prefix ex: <https://ex.example/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <https://schema.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
`;
const DOCUMENT = "https://pods.example/ana/orders/1";
const SHAPE = "https://ex.example/OrderShape";
const parse = (text: string, base = DOCUMENT): Promise<Quad[]> =>
  parseRdf(new TextEncoder().encode(PREFIXES + text), "text/turtle", base);
const limited = (limits: Partial<Record<keyof typeof LIMITS, number>>) =>
  ({ ...LIMITS, ...limits }) as unknown as typeof LIMITS;

async function validate(
  shape: string,
  data: string,
  limits = LIMITS,
  clock?: () => number,
): Promise<ShapeReport> {
  const shapes = createShapes(limits, { shapes: [], checks: () => [] }, clock);
  return shapes.validate(await parse(data), SHAPE, await parse(shape, "https://ex.example/shapes"));
}
async function refusal(
  shape: string,
  data = "<#it> a ex:Order .",
  limits = LIMITS,
  clock?: () => number,
): Promise<string> {
  try {
    await validate(shape, data, limits, clock);
  } catch (error) {
    expect(error).to.be.instanceOf(Problem).with.property("code", "shape-invalid");
    return (error as Problem).detail ?? "";
  }
  return expect.fail("accepted");
}

const ORDER = `ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order;
  sh:property [ sh:path ex:number; sh:minCount 1; sh:maxCount 1; sh:datatype xsd:string; sh:pattern "^[A-Z]" ],
    [ sh:path ex:price; sh:name "Price"; sh:minInclusive 0; sh:message "Give a price that is not negative."@en, "Der Preis ist nicht negativ."@de ],
    [ sh:path ex:note; sh:maxLength 10; sh:severity sh:Warning ],
    [ sh:path ex:seller; sh:node ex:SellerShape ] .
ex:SellerShape a sh:NodeShape; sh:property [ sh:path ex:name; sh:name "Name of the shop"; sh:minCount 1 ] .`;

describe("shapes: what is accepted and what is refused", () => {
  const cases: readonly [story: string, data: string, conforms: boolean][] = [
    ["an order that fits", '<#it> a ex:Order; ex:number "A1"; ex:price 3 .', true],
    ["an order without a number", "<#it> a ex:Order .", false],
    ["two numbers", '<#it> a ex:Order; ex:number "A1", "A2" .', false],
    ["a number that is no text", "<#it> a ex:Order; ex:number 1 .", false],
    ["a number in another form", '<#it> a ex:Order; ex:number "1A" .', false],
    ["a negative price", '<#it> a ex:Order; ex:number "A1"; ex:price -3 .', false],
    ["a long note is a warning only", '<#it> a ex:Order; ex:number "A1"; ex:note "longer than ten" .', true],
    [
      "one good order does not save a bad one",
      '<#it> a ex:Order; ex:number "A1" . <#other> a ex:Order .',
      false,
    ],
    ["nothing at all", "", false],
    ["something else", '<#it> a ex:Invoice; ex:number "A1" .', false],
    ["only talk of the class", "ex:Order a rdfs:Class .", false],
    ["an order beside other things", '<#it> a ex:Order; ex:number "A1" . <#me> ex:likes "cake" .', true],
    [
      "an order of a class that the document declares",
      '<#it> a ex:GiftOrder; ex:number "A1" . ex:GiftOrder rdfs:subClassOf ex:Order .',
      true,
    ],
    ["which must fit too", "<#it> a ex:GiftOrder . ex:GiftOrder rdfs:subClassOf ex:Order .", false],
    ["a shop without a name", '<#it> a ex:Order; ex:number "A1"; ex:seller [ ex:place "here" ] .', false],
    ["a blank order", '[] a ex:Order; ex:number "A1" .', true],
  ];
  for (const [story, data, conforms] of cases) {
    it(`${story}: ${conforms ? "accepted" : "refused"}`, async () => {
      const report = await validate(ORDER, data);
      expect(report.conforms).to.equal(conforms);
      expect(report.errors.length > 0).to.equal(!conforms);
    });
  }

  it("all targeted shapes of the document apply, but the named one must find something", async () => {
    const two = `${ORDER} ex:InvoiceShape a sh:NodeShape; sh:targetClass ex:Invoice; sh:property [ sh:path ex:sum; sh:minCount 1 ] .`;
    expect((await validate(two, '<#it> a ex:Order; ex:number "A1" .')).conforms).to.equal(true);
    expect((await validate(two, '<#it> a ex:Order; ex:number "A1" . <#i> a ex:Invoice .')).conforms).to.equal(
      false,
    );
    expect((await validate(two, "<#i> a ex:Invoice; ex:sum 1 .")).conforms).to.equal(false);
  });

  it("a node that is named as target counts only if the document speaks of it", async () => {
    const shape = `ex:OrderShape a sh:NodeShape; sh:targetNode <${DOCUMENT}>; sh:property [ sh:path ex:x; sh:maxCount 1 ] .`;
    expect((await validate(shape, "<#other> ex:x 1 .")).conforms).to.equal(false);
    expect((await validate(shape, "<> ex:x 1 .")).conforms).to.equal(true);
  });
});

describe("shapes: what a person reads", () => {
  it("what to do, and where", async () => {
    const { errors, warnings } = await validate(
      ORDER,
      '<#it> a ex:Order; ex:number 12345; ex:price -3; ex:note "a secret that is long"; ex:seller [] .',
    );
    expect(errors).to.have.deep.members([
      {
        detail: "number: give a value of the type string (found a value of the type integer)",
        at: `${DOCUMENT}#it https://ex.example/number`,
      },
      { detail: "number: write it in the form ^[A-Z]", at: `${DOCUMENT}#it https://ex.example/number` },
      { detail: "Give a price that is not negative.", at: `${DOCUMENT}#it https://ex.example/price` },
      {
        detail: "Name of the shop: give at least 1 value",
        at: "(a node without an address) https://ex.example/name",
      },
    ]);
    expect(warnings).to.deep.equal([
      { detail: "note: give at most 10 characters", at: `${DOCUMENT}#it https://ex.example/note` },
    ]);
  });
  it("values of the document are never repeated, for the reader may only append", async () => {
    const { errors, warnings } = await validate(
      ORDER,
      '<#it> a ex:Order; ex:number "secret-1", "secret-2", 77777; ex:price -88888; ex:note "secret note" .',
    );
    expect(JSON.stringify([errors, warnings])).to.not.match(/secret|77777|88888/);
  });
  it("a document with nothing in it is told so", async () => {
    expect((await validate(ORDER, "")).errors).to.deep.equal([
      { detail: "The document holds nothing that the shape of the folder is for", at: SHAPE },
    ]);
  });
  it("a thousand mistakes are cut short", async () => {
    const { errors } = await validate(
      ORDER,
      Array.from({ length: 1_000 }, (_, index) => `<#o${index}> a ex:Order .`).join("\n"),
    );
    expect(errors).to.have.length(101);
    expect(errors.at(-1)).to.deep.equal({ detail: "And 900 more" });
  });
  it("the report is a sh:ValidationReport that can be written as Turtle", async () => {
    const good = await validate(ORDER, '<#it> a ex:Order; ex:number "A1" .');
    const bad = await validate(ORDER, "<#it> a ex:Order .");
    const empty = await validate(ORDER, "");
    for (const [{ report }, conforms, results] of [
      [good, "true", 0],
      [bad, "false", 1],
      [empty, "false", 1],
    ] as const) {
      const text = new TextDecoder().decode(await serializeRdf(report, "text/turtle"));
      const quads = await parse(text);
      const of = (name: string) =>
        quads.filter(({ predicate }) => predicate.value === `http://www.w3.org/ns/shacl#${name}`);
      expect(of("conforms").map(({ object }) => object.value)).to.deep.equal([conforms]);
      expect(of("result")).to.have.length(results);
    }
  });
  it("blank nodes of the document are not taken for those of the report", async () => {
    const { report } = await validate(ORDER, "_:b1 a ex:Order . _:b2 a ex:Order . _:report a ex:Order .");
    const focus = report
      .filter(({ predicate }) => predicate.value === "http://www.w3.org/ns/shacl#focusNode")
      .map(({ object }) => object.value);
    const results = report
      .filter(({ predicate }) => predicate.value === "http://www.w3.org/ns/shacl#result")
      .map(({ object }) => object.value);
    expect(new Set(results).size).to.equal(3);
    expect(results.filter((label) => focus.includes(label))).to.deep.equal([]);
  });
});

describe("shapes: of ours", () => {
  const shapes = createShapes(LIMITS);
  it("are known by their IRI, and others are not", async () => {
    expect(shapes.has("https://w3id.org/freehold/shapes/commerce#OrderShape")).to.equal(true);
    expect(shapes.has("https://w3id.org/freehold/shapes/commerce#None")).to.equal(false);
    const error = await shapes
      .validate([], "https://w3id.org/freehold/shapes/commerce#None")
      .catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(Problem).with.property("code", "shape-invalid");
  });
  it("each can be used: none is refused by our own limits, and none takes an empty document", async () => {
    const { SHAPES } = await import("@freehold/shapes");
    for (const { iri } of SHAPES) {
      const { conforms, errors } = await shapes.validate([], iri);
      expect(conforms, iri).to.equal(false);
      expect(errors).to.have.length(1);
    }
  });
  it("checks beside the shapes join the errors and the report", async () => {
    const order =
      '<#it> a schema:Order; schema:orderNumber "4111 1111 1111 1111"; schema:orderDate "2026-01-01"^^xsd:date; schema:seller <#s>; schema:orderedItem <#i>; schema:priceCurrency "EUR" .';
    const { conforms, errors, report } = await shapes.validate(
      await parse(order),
      "https://w3id.org/freehold/shapes/commerce#OrderShape",
    );
    expect(conforms).to.equal(false);
    expect(errors.map(({ at }) => at)).to.deep.equal([`${DOCUMENT}#it https://schema.org/orderNumber`]);
    expect(JSON.stringify(errors)).to.not.include("4111");
    const conformsInReport = report.filter(
      ({ predicate }) => predicate.value === "http://www.w3.org/ns/shacl#conforms",
    );
    expect(conformsInReport.map(({ object }) => object.value)).to.deep.equal(["false"]);
  });
  it("the same engine serves several at once", async () => {
    const good = await parse(
      '<#it> a schema:Order; schema:orderNumber "1"; schema:orderDate "2026-01-01"^^xsd:date; schema:seller <#s>; schema:orderedItem <#i>; schema:priceCurrency "EUR" .',
    );
    const iri = "https://w3id.org/freehold/shapes/commerce#OrderShape";
    const reports = await Promise.all(
      Array.from({ length: 20 }, (_, index) => shapes.validate(index % 2 ? good : [], iri)),
    );
    expect(reports.map(({ conforms }) => conforms)).to.deep.equal(
      Array.from({ length: 20 }, (_, index) => index % 2 === 1),
    );
  });
});

describe("shapes of others: refused rather than half applied", () => {
  const shape = (body: string, more = "") =>
    `ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order; ${body} . ${more}`;
  const cases: readonly [story: string, shape: string, why: string][] = [
    ["SPARQL constraints", shape('sh:sparql [ sh:select "SELECT $this {}" ]'), "is not evaluated here"],
    ["SPARQL targets", shape("sh:target [ a sh:SPARQLTarget ]"), "sh:target"],
    ["JavaScript", shape('sh:js [ sh:jsFunctionName "f" ]'), "sh:js"],
    ["rules", shape("sh:rule [ a sh:TripleRule ]"), "sh:rule"],
    [
      "components of its own",
      shape("sh:closed false", "ex:Own sh:parameter [ sh:path ex:most ] ."),
      "sh:parameter",
    ],
    [
      "another shape's target",
      shape("sh:closed false", "ex:B sh:target ex:all; sh:closed true ."),
      "sh:target",
    ],
    [
      "a word deep inside a shape",
      shape("sh:or ( [ sh:node [ sh:closed false ] ] [ sh:nodeShape ex:Other ] )"),
      "sh:nodeShape",
    ],
    ["a word that SHACL does not have", shape("sh:property [ sh:path ex:a; sh:minCuont 1 ]"), "sh:minCuont"],
    [
      "imports",
      shape("sh:closed false", "<> <http://www.w3.org/2002/07/owl#imports> <https://ex.example/other> ."),
      "owl:imports",
    ],
    ["a shape that is not there", shape("sh:node ex:Missing"), "ex.example/Missing"],
    ["a missing shape in a list", shape("sh:or ( [ sh:nodeKind sh:IRI ] ex:Missing )"), "ex.example/Missing"],
    [
      "a shape that leads back to itself",
      shape("sh:property [ sh:path ex:a; sh:node ex:OrderShape ]"),
      "back to itself",
    ],
    [
      "two that lead to each other",
      shape("sh:node ex:B", "ex:B a sh:NodeShape; sh:not ex:OrderShape ."),
      "back to itself",
    ],
    [
      "a path that leads to itself",
      shape("sh:property [ sh:path _:p; sh:minCount 1 ]", "_:p sh:inversePath _:p ."),
      "back to itself",
    ],
    [
      "a list that comes back to itself",
      shape("sh:in _:l", "_:l rdf:first 1; rdf:rest _:l ."),
      "back to itself",
    ],
    ["a list that splits", shape("sh:in _:l", "_:l rdf:first 1, 2; rdf:rest () ."), "not well-formed"],
    ["a pattern with look-ahead", shape('sh:property [ sh:path ex:a; sh:pattern "^(?=a)" ]'), "look-around"],
    [
      "a pattern with a back-reference",
      shape('sh:property [ sh:path ex:a; sh:pattern "(a)\\\\1" ]'),
      "back-references",
    ],
    [
      "a shape without a target",
      "ex:OrderShape a sh:NodeShape; sh:property [ sh:path ex:a; sh:minCount 1 ] .",
      "no target",
    ],
    [
      "a shape that is not in the document",
      "ex:OtherShape a sh:NodeShape; sh:targetClass ex:Order; sh:closed false .",
      "no target",
    ],
    ["an empty document", "", "no target"],
    ["a count on a node", shape("sh:minCount 1"), "could not be applied"],
  ];
  for (const [story, text, why] of cases) it(story, async () => expect(await refusal(text)).to.include(why));

  it("too many triples", async () => {
    expect(await refusal(ORDER, "", limited({ shapeQuadsMax: 5 }))).to.include("at most 5 triples");
  });
  it("nesting that is too deep", async () => {
    const deep = Array.from(
      { length: 40 },
      (_, index) => `ex:S${index} a sh:NodeShape; sh:node ex:S${index + 1} .`,
    ).join("\n");
    expect(
      await refusal(shape("sh:node ex:S0", `${deep} ex:S40 a sh:NodeShape; sh:nodeKind sh:IRI .`)),
    ).to.include("nest at most 32 deep");
  });
});

describe("shapes of others: cannot hold the server", () => {
  it("shapes that branch at every level run out of time", async () => {
    const next = (index: number) => `[ sh:node ex:S${index} ]`;
    const levels = Array.from(
      { length: 14 },
      (_, index) => `ex:S${index} a sh:NodeShape; sh:and ( ${next(index + 1).repeat(4)} ) .`,
    );
    const shape = `ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order; sh:node ex:S0 . ${levels.join("\n")} ex:S14 a sh:NodeShape; sh:nodeKind sh:IRI .`;
    const started = performance.now();
    expect(
      await refusal(shape, "<#it> a ex:Order .", limited({ shapeMsMax: 200 }), () => performance.now()),
    ).to.include("longer than 200 ms");
    expect(performance.now() - started).to.be.below(2_000);
  });
  it("a pattern that would backtrack for years does not", async () => {
    const shape =
      'ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order; sh:property [ sh:path ex:a; sh:pattern "^(a+)+$" ] .';
    const started = performance.now();
    const { conforms } = await validate(shape, `<#it> a ex:Order; ex:a "${"a".repeat(10_000)}!" .`);
    expect(conforms).to.equal(false);
    expect(performance.now() - started).to.be.below(2_000);
  });
  it("a long text on a costly pattern runs out of time", async () => {
    const shape =
      'ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order; sh:property [ sh:path ex:a; sh:pattern "(a?){900}$" ] .';
    const text = `<#it> a ex:Order; ex:a "${"a".repeat(100_000)}!" .`;
    expect(await refusal(shape, text, limited({ shapeMsMax: 200 }))).to.include("longer than 200 ms");
  });
  it("classes in a circle are refused", async () => {
    expect(
      await refusal(ORDER, "<#it> a ex:A . ex:A rdfs:subClassOf ex:B . ex:B rdfs:subClassOf ex:A ."),
    ).to.include("circle");
  });
  it("a chain that is too long for the stack is refused, and the server lives", async () => {
    const shape =
      "ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order; sh:property [ sh:path [ sh:zeroOrMorePath ex:next ]; sh:nodeKind sh:IRI ] .";
    const chain = Array.from(
      { length: 20_000 },
      (_, index) => `<#n${index}> ex:next <#n${index + 1}> .`,
    ).join("\n");
    expect(await refusal(shape, `<#it> a ex:Order; ex:next <#n0> . ${chain}`)).to.match(
      /too deep|longer than/,
    );
  });
  it("comparing all with all is refused", async () => {
    const shape =
      "ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order; sh:property [ sh:path ex:a; sh:lessThan ex:b ] .";
    const values = Array.from({ length: 1_100 }, (_, index) => index).join(", ");
    expect(await refusal(shape, `<#it> a ex:Order; ex:a ${values}; ex:b ${values} .`)).to.include(
      "sh:lessThan",
    );
  });
  it("languages are ranges: de is not den", async () => {
    const shape =
      'ex:OrderShape a sh:NodeShape; sh:targetClass ex:Order; sh:property [ sh:path ex:a; sh:languageIn ( "de" "EN" ) ] .';
    for (const [language, conforms] of [
      ["de", true],
      ["de-at", true],
      ["en", true],
      ["den", false],
      ["fr", false],
    ] as const) {
      expect((await validate(shape, `<#it> a ex:Order; ex:a "x"@${language} .`)).conforms, language).to.equal(
        conforms,
      );
    }
  });
});
