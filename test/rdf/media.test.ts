import { expect } from "chai";
import { isRdfType, mediaTypeOf, negotiate } from "../../server/rdf/media.ts";

const OFFERED = ["text/turtle", "application/ld+json", "application/n-triples"];

describe("content negotiation", () => {
  const cases: readonly (readonly [string | undefined, string | null])[] = [
    [undefined, "text/turtle"],
    ["", "text/turtle"],
    ["*/*", "text/turtle"],
    ["application/ld+json", "application/ld+json"],
    ['APPLICATION/LD+JSON ; Profile="http://a,b;c"', "application/ld+json"],
    ["text/turtle;q=0.5, application/ld+json", "application/ld+json"],
    ["application/*", "application/ld+json"],
    ["application/*;q=0.2, text/*;q=0.1", "application/ld+json"],
    ["application/ld+json;q=0, application/*", "application/n-triples"],
    ["text/turtle;q=0, */*", "application/ld+json"],
    ["text/html, */*;q=0.1", "text/turtle"],
    ["text/html", null],
    ["text/turtle;q=0", null],
    ["text/turtle;q=2", null],
    ["text/turtle;q=x", null],
    ["text/turtle;q=0.0", null],
    ["nonsense", null],
    [",,,", null],
  ];
  for (const [accept, expected] of cases) {
    it(`${accept ?? "no header"} → ${expected ?? "nothing"}`, () => {
      expect(negotiate(accept, OFFERED)).to.equal(expected);
    });
  }

  it("reads few ranges of a long header", () => {
    expect(negotiate(`${"a/b,".repeat(10_000)}text/turtle`, OFFERED)).to.equal(null);
  });

  it("knows RDF by its type, whatever the parameters", () => {
    expect(isRdfType("Text/Turtle; charset=utf-8")).to.equal(true);
    expect(isRdfType("text/turtles")).to.equal(false);
    expect(mediaTypeOf(undefined)).to.equal("");
  });
});
