import { readFileSync } from "node:fs";
import { expect } from "chai";
import { mediaTypeOf } from "../../server/rdf/media.ts";
import { parseDataset, parseRdf } from "../../server/rdf/parse.ts";
import { serializeRdf } from "../../server/rdf/serialize.ts";
import { graphOf } from "./same-graph.ts";
import { readManifest, skipWithoutVectors, vectors } from "./vectors.ts";

const TYPES = {
  ttl: "text/turtle",
  nt: "application/n-triples",
  nq: "application/n-quads",
  trig: "application/trig",
} as const;
const typeOf = (file: string) => TYPES[file.slice(file.lastIndexOf(".") + 1) as keyof typeof TYPES];

describe("W3C RDF 1.1 test suites", () => {
  for (const [suite, count] of [
    ["rdf-turtle", 313],
    ["rdf-n-triples", 70],
    ["rdf-n-quads", 87],
    ["rdf-trig", 356],
  ] as const) {
    const folder = vectors(suite);
    describe(suite, () => {
      it(`has ${count} tests`, function () {
        skipWithoutVectors(this, suite);
        expect(readManifest(folder!).length).to.equal(count);
      });
      for (const { name, type, base, action, result } of folder ? readManifest(folder) : []) {
        it(`${name} (${type})`, async () => {
          const bytes = readFileSync(action);
          if (type.includes("Negative")) {
            expect(() => parseDataset(bytes, typeOf(action), base))
              .to.throw()
              .with.property("code", "rdf-invalid");
            return;
          }
          const quads = parseDataset(bytes, typeOf(action), base);
          if (result) {
            const expected = parseDataset(readFileSync(result), typeOf(result), base);
            expect(graphOf(quads)).to.equal(graphOf(expected));
          }
          const isOneGraph = quads.every(({ graph }) => graph.termType === "DefaultGraph");
          const parsed = await parseRdf(bytes, typeOf(action), base).catch(
            (error: { code: string }) => error.code,
          );
          expect(typeof parsed === "string" ? parsed : "a document").to.equal(
            isOneGraph ? "a document" : "rdf-invalid",
          );
          if (!isOneGraph) return;
          for (const format of ["text/turtle", "application/n-triples", "application/ld+json"]) {
            const written = await serializeRdf(quads, format);
            const again = await parseRdf(written, mediaTypeOf(format), "http://other.example/");
            expect(graphOf(again), format).to.equal(graphOf(quads));
          }
        });
      }
    });
  }
});
