import { expect } from "chai";
import { Problem } from "../../server/errors.ts";
import { LIMITS } from "../../server/limits.ts";
import type { RdfLimits } from "../../server/rdf/bounded.ts";
import { parseRdf, prefixesOf } from "../../server/rdf/parse.ts";
import { keyOfTriple } from "../../server/rdf/terms.ts";

const HERE = "https://ana.example/notes/today.ttl";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string | Uint8Array, type = "text/turtle", limits: RdfLimits = LIMITS) =>
  parseRdf(typeof text === "string" ? bytes(text) : text, type, HERE, limits);

async function refusal(promise: Promise<unknown>): Promise<Problem> {
  const error = await promise.then(
    () => new Error("was accepted"),
    (error: unknown) => error,
  );
  if (!(error instanceof Problem)) throw error;
  return error;
}

describe("parsing RDF", () => {
  it("resolves what is relative against the document's own address", async () => {
    const quads = await parse("<#it> <p> <../x> .", "text/turtle; charset=utf-8");
    expect(quads.map(keyOfTriple)).to.deep.equal([
      `<${HERE}#it> <https://ana.example/notes/p> <https://ana.example/x>`,
    ]);
  });

  it("leaves out a byte order mark", async () => {
    expect((await parse("\ufeff<a> <b> <c> .")).length).to.equal(1);
  });

  it("keeps the labels of blank nodes, and does not mistake one of its own for one of the document's", async () => {
    const quads = await parse("_:g1 <p> [] . _:x <p> _:g2 .");
    const labels = quads.flatMap(({ subject, object }) => [subject, object]).map(({ value }) => value);
    expect(labels).to.include("x");
    expect(new Set(labels).size).to.equal(4);
  });

  it("does not make labels longer each time a document is written and read", async () => {
    const { serializeRdf } = await import("../../server/rdf/serialize.ts");
    let written = bytes("[] <p> [ <q> _:x ] .");
    for (let round = 0; round < 3; round++) written = await serializeRdf(await parse(written), "text/turtle");
    expect(new TextDecoder().decode(written).length).to.be.below(120);
  });

  const places: readonly (readonly [string, string, string, string])[] = [
    ["a missing object", "<a> <b> <c> .\n<a> <b> .", "text/turtle", "2:9"],
    ["an unknown prefix", "<a> <b> <c> .\n\n  <a> ex:b 1 .", "text/turtle", "3:7"],
    ["a broken address", "<a> <b> <c> .\n<a> <b> <c d> .", "text/turtle", "2:9"],
    ["an open string", '<a> <b> <c> .\n<a> <b> "c .\n', "text/turtle", "2:9"],
    ["after a long string", '<a> <b> """x\n\ny""" %\n', "text/turtle", "3:6"],
    [
      "an N-Triples line that is Turtle",
      "<http://a/> <http://b/> <http://c/> .\n@prefix a: <http://a/> .",
      "application/n-triples",
      "2:1",
    ],
    ["a broken JSON document", '{\n  "a" 1 }', "application/ld+json", "2:7"],
  ];
  for (const [what, text, type, place] of places) {
    it(`says where the mistake is: ${what}`, async () => {
      const { code, errors } = await refusal(parse(text, type));
      expect(code).to.equal("rdf-invalid");
      expect(errors.map(({ at }) => at)).to.deep.equal([place]);
    });
  }

  const refused: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["bytes that are no UTF-8", Uint8Array.of(0x3c, 0x61, 0xff, 0x3e), "text/turtle"],
    ["half a surrogate pair in UTF-8", Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), "text/turtle"],
    ["half a surrogate pair, escaped", '<a> <b> "\\uD800" .', "text/turtle"],
    ["half a surrogate pair in JSON", '{"http://e/p": "\\ud800"}', "application/ld+json"],
    ["a NUL between terms", "<a> <b>\0<c> .", "text/turtle"],
    ["a NUL in an address", "<a> <b> <c\\u0000> .", "text/turtle"],
    ["a space in an address, escaped", "<a> <b> <c\\u0020d> .", "text/turtle"],
    [
      "a relative address where there is nothing to resolve against",
      "<a> <http://e/b> <http://e/c> .",
      "application/n-triples",
    ],
    ["a named graph in TriG", "<g> { <a> <b> <c> }", "application/trig"],
    [
      "a named graph in N-Quads",
      "<http://e/a> <http://e/b> <http://e/c> <http://e/g> .",
      "application/n-quads",
    ],
    ["triple terms", "<a> <b> <<( <a> <b> <c> )>> .", "text/turtle"],
    ["reified triples", "<< <a> <b> <c> >> <d> <e> .", "text/turtle"],
    ["annotations", "<a> <b> <c> {| <d> <e> |} .", "text/turtle"],
    ["base directions", '<a> <b> "c"@en--ltr .', "text/turtle"],
    ["formulae", "<a> <b> { <c> <d> <e> } .", "text/turtle"],
    ["variables", "?a <b> <c> .", "text/turtle"],
  ];
  for (const [what, text, type] of refused) {
    it(`refuses ${what}`, async () => {
      expect((await refusal(parse(text, type))).code).to.equal("rdf-invalid");
    });
  }

  it("takes TriG and N-Quads that name no graph", async () => {
    expect((await parse("<a> <b> <c> . { <a> <b> <d> }", "application/trig")).length).to.equal(2);
    expect((await parse("<http://e/a> <http://e/b> <http://e/c> .", "application/n-quads")).length).to.equal(
      1,
    );
  });

  it("refuses what is no RDF", async () => {
    expect((await refusal(parse("<a/>", "application/rdf+xml"))).code).to.equal("unsupported-media-type");
  });

  describe("limits", () => {
    const small = {
      ...LIMITS,
      rdfQuadsMax: 3,
      literalBytesMax: 16,
      iriBytesMax: 64,
      turtleDepthMax: 3,
      jsonDepthMax: 5,
    };
    const cases: readonly (readonly [string, string, string])[] = [
      ["too many triples", "<a> <b> 1, 2, 3, 4 .", "text/turtle"],
      ["a long literal", '<a> <b> "12345678901234567" .', "text/turtle"],
      ["a literal of few characters and many bytes", '<a> <b> "€€€€€€" .', "text/turtle"],
      ["a long address", `<a> <b> <http://e/${"x".repeat(60)}> .`, "text/turtle"],
      [
        "a long prefixed name",
        `@prefix e: <http://e/${"x".repeat(40)}> . <a> <b> e:${"y".repeat(40)} .`,
        "text/turtle",
      ],
      ["deep blank nodes", "<a> <b> [ <c> [ <d> [ <e> [] ] ] ] .", "text/turtle"],
      ["deep lists", "<a> <b> ((((1)))) .", "text/turtle"],
      ["deep JSON", '{"http://e/p": [[[[[1]]]]]}', "application/ld+json"],
      ["too many triples in JSON-LD", '{"http://e/p": [1, 2, 3, 4]}', "application/ld+json"],
    ];
    for (const [what, text, type] of cases) {
      it(`refuses ${what}, and takes it under the usual limits`, async () => {
        expect((await refusal(parse(text, type, small))).code).to.equal("rdf-invalid");
        expect((await parse(text, type)).length).to.be.above(0);
      });
    }

    it("refuses more bytes than a document has", async () => {
      expect(
        (await refusal(parse("#".repeat(20), "text/turtle", { ...LIMITS, rdfBytesMax: 19 }))).code,
      ).to.equal("body-too-large");
    });

    it("is not fooled by brackets in strings, addresses and comments", async () => {
      const text = `<a> <b> "((((", '''[[[['''  . # [[[[[\n<http://e/((((> <b> (((1))) .`;
      expect((await parse(text, "text/turtle", { ...small, rdfQuadsMax: 20 })).length).to.equal(9);
    });
  });

  describe("hostile documents take linear time", () => {
    const huge: readonly (readonly [string, string, string])[] = [
      ["100,000 open brackets", "<a> <b> ".concat("[".repeat(100_000)), "text/turtle"],
      ["100,000 open lists", "(".repeat(100_000), "text/turtle"],
      ["100,000 nested JSON arrays", "[".repeat(100_000), "application/ld+json"],
      ["100,000 quotes", '"'.repeat(100_000), "text/turtle"],
      ["a megabyte of backslashes", `<a> <b> "${"\\".repeat(1_000_001)}" .`, "text/turtle"],
      ["many long strings left open", '"""a" '.repeat(100_000), "text/turtle"],
      ["a literal of 3 megabytes", `<a> <b> "${"x".repeat(3_000_000)}" .`, "text/turtle"],
      ["an address of 3 megabytes", `<a> <b> <${"x".repeat(3_000_000)}> .`, "text/turtle"],
      ["an address left open", "<a".repeat(1_000_000), "text/turtle"],
      ["a million dots", ".".repeat(1_000_000), "text/turtle"],
      ["a name of dots", `@prefix e: <http://e/> . <a> <b> e:a${".".repeat(1_000_000)} .`, "text/turtle"],
      ["arrays in an array", `[${"[1],".repeat(500_000)}[1]]`, "application/ld+json"],
      [
        "contexts by the thousand",
        JSON.stringify({
          "@context": Object.fromEntries(
            Array.from({ length: 1_900 }, (_, at) => [`t${at}`, `http://e/${at}`]),
          ),
          "@graph": Array.from({ length: 50_000 }, () => ({ "@context": {}, t1: 1 })),
        }),
        "application/ld+json",
      ],
      [
        "terms that name each other",
        JSON.stringify({
          "@context": Object.fromEntries(
            Array.from({ length: 1_900 }, (_, at) => [`t${at}`, `t${at + 1}:x`]),
          ),
          t0: 1,
        }),
        "application/ld+json",
      ],
    ];
    for (const [what, text, type] of huge) {
      it(what, async () => {
        const started = performance.now();
        expect((await refusal(parse(text, type))).code).to.equal("rdf-invalid");
        expect(performance.now() - started).to.be.below(1_500);
      });
    }

    it("eight times the triples take about eight times the time, not sixty-four", async () => {
      const time = async (count: number): Promise<number> => {
        const text = Array.from({ length: count }, (_, at) => `<#${at}> <p> [ <q> "${at}", (1 2) ] .`).join(
          "\n",
        );
        let best = Number.POSITIVE_INFINITY;
        for (let round = 0; round < 3; round++) {
          const started = performance.now();
          await parse(text);
          best = Math.min(best, performance.now() - started);
        }
        return best;
      };
      await time(2_000);
      expect((await time(12_000)) / (await time(1_500))).to.be.below(30);
    });
  });

  it("knows the prefixes of a document, to write it again in its own words", () => {
    const text = bytes(
      '@prefix ex: <http://e/> .\nPREFIX : <http://d/>\n@prefix rel: <relative/> .\n<a> <b> "@prefix no: <http://no/>" .',
    );
    expect(prefixesOf(text)).to.deep.equal({ ex: "http://e/", "": "http://d/" });
  });
});
