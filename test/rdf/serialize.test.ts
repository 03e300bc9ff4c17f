import { expect } from "chai";
import fc from "fast-check";
import jsonld from "jsonld";
import { parseRdf } from "../../server/rdf/parse.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import { blankNode, literal, namedNode, type Quad, quad, type Value } from "../../server/rdf/terms.ts";
import { graphOf } from "./same-graph.ts";

const HERE = "https://ana.example/doc";
const XSD = "http://www.w3.org/2001/XMLSchema#";

const text = fc.string({ unit: "binary" }).filter((value) => value.isWellFormed());
const iri = fc
  .oneof(
    fc.constantFrom(
      "http://e/a",
      "http://e/ns#b",
      `${HERE}#it`,
      HERE,
      `${HERE}/deeper`,
      "urn:x:y",
      "http://e/",
      "http://e/a-",
      "http://e/1",
      "http://e/%20",
      "http://e/é",
    ),
    fc.webUrl().filter((url) => !/[<>"{}|\\^`]/.test(url)),
  )
  .map(namedNode);
const node = fc.oneof(iri, fc.constantFrom("a", "b", "g1", "x.y").map(blankNode));
const value: fc.Arbitrary<Value> = fc.oneof(
  node,
  text.map((lexical) => literal(lexical)),
  fc.tuple(text, fc.constantFrom("en", "de-ch")).map(([lexical, language]) => literal(lexical, language)),
  fc
    .tuple(
      fc.oneof(text, fc.constantFrom("1", "-1", "+1.5", "true", "1e3", "01", ".5")),
      fc.constantFrom("integer", "decimal", "boolean", "double", "string"),
    )
    .map(([lexical, name]) => literal(lexical, namedNode(`${XSD}${name}`))),
);
const graph = fc.array(
  fc.tuple(node, iri, value).map(([subject, predicate, object]) => quad(subject, predicate, object)),
  { maxLength: 12 },
);

describe("writing RDF", () => {
  for (const type of [
    "text/turtle",
    "application/n-triples",
    "application/ld+json",
    "application/n-quads",
    "application/trig",
  ]) {
    it(`${type} means what was written`, async () => {
      await fc.assert(
        fc.asyncProperty(graph, async (quads) => {
          const written = await serializeRdf(quads, type, {
            prefixes: { e: "http://e/", ns: "http://e/ns#", "": "urn:x:" },
            baseIri: HERE,
          });
          expect(graphOf(await parseRdf(written, type, HERE))).to.equal(graphOf(quads));
        }),
        { numRuns: 200 },
      );
    });
  }

  it("JSON-LD means the same to jsonld.js", async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (quads) => {
        const written = JSON.parse(
          new TextDecoder().decode(await serializeRdf(quads, "application/ld+json")),
        ) as never;
        // jsonld.js rewrites doubles and keeps plain objects for terms; what it says must be the same.
        const read = ((await jsonld.toRDF(written)) as Quad[]).map(({ subject, predicate, object }) =>
          quad(subject, predicate, object),
        );
        const isDouble = ({ object }: Quad): boolean =>
          object.termType === "Literal" && object.datatype.value === `${XSD}double`;
        expect(graphOf(read.filter((other) => !isDouble(other)))).to.equal(
          graphOf(quads.filter((other) => !isDouble(other))),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("the same triples give the same bytes, grouped, with the type first and the prefixes kept", async () => {
    const quads = [
      quad(namedNode(`${HERE}#it`), namedNode("http://e/p"), literal("1", namedNode(`${XSD}integer`))),
      quad(blankNode("x"), namedNode("http://e/p"), namedNode("http://f/y")),
      quad(
        namedNode(`${HERE}#it`),
        namedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
        namedNode("http://e/T"),
      ),
      quad(namedNode(`${HERE}#it`), namedNode("http://e/p"), literal('say "hi"\n', "en")),
    ];
    const written = new TextDecoder().decode(
      await serializeRdf(quads, "text/turtle; charset=utf-8", {
        prefixes: { e: "http://e/", unused: "http://u/" },
        baseIri: HERE,
      }),
    );
    expect(written).to.equal(`@prefix e: <http://e/>.
@prefix unused: <http://u/>.

<#it> a e:T;
    e:p 1, "say \\"hi\\"\\n"@en.

_:x e:p <http://f/y>.
`);
  });

  it("an empty graph is an empty document", async () => {
    expect((await serializeRdf([], "text/turtle")).length).to.equal(0);
    expect(new TextDecoder().decode(await serializeRdf([], "application/ld+json"))).to.equal("[]");
  });

  it("no address can end the brackets it stands in", async () => {
    const evil = quad(
      namedNode("http://e/> <http://e/p> <http://e/o> . <http://e/x"),
      namedNode("http://e/p"),
      literal("x"),
    );
    expect(new TextDecoder().decode(await serializeRdf([evil], "application/n-triples"))).to.match(
      /^<[^<>]*> <http:\/\/e\/p> "x" \.\n$/,
    );
  });

  it("offers no other formats", async () => {
    const error = await serializeRdf([], "application/rdf+xml").then(
      () => null,
      (error: { code: string }) => error,
    );
    expect(error?.code).to.equal("not-acceptable");
  });
});
