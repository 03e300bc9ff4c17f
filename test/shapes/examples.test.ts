import { readdirSync, readFileSync } from "node:fs";
import { runChecks, SHAPES } from "@freehold/shapes";
import { sh } from "@freehold/vocab";
import { expect } from "chai";
import { Parser, type Quad } from "n3";
import { LIMITS } from "../../server/limits.ts";
import type { Quad as OurQuad } from "../../server/rdf/terms.ts";
import { createShapes } from "../../server/shapes/validate.ts";

const shapes = createShapes(LIMITS);
const EXAMPLES = new URL("../../shapes/examples/", import.meta.url);
const parse = (text: string): Quad[] =>
  new Parser({ baseIRI: "https://pods.example/ana/example.ttl" }).parse(text);

describe("the shapes, by their examples", () => {
  for (const shape of SHAPES) {
    describe(shape.name, () => {
      const folder = new URL(`${shape.name}/`, EXAMPLES);
      for (const file of readdirSync(folder).sort()) {
        const text = readFileSync(new URL(file, folder), "utf8");
        const why = /^# (.+)\n/.exec(text)?.[1];
        it(`${file}: ${why}`, async () => {
          expect(why, "the first line says why").to.be.a("string");
          const quads = parse(text);
          const { conforms, errors } = await shapes.validate(quads as OurQuad[], shape.iri);
          if (file.startsWith("valid-")) expect(errors).to.deep.equal([]);
          else expect(errors, "something is found").to.have.length.greaterThan(0);
          expect(conforms).to.equal(file.startsWith("valid-"));
          expect(JSON.stringify(errors), "it is the shape that is not met, not missing").not.to.contain(
            "holds nothing",
          );
        });
      }
      it("has a valid and an invalid example", () => {
        const files = readdirSync(folder);
        expect(files.some((file) => file.startsWith("valid-"))).to.equal(true);
        expect(files.some((file) => file.startsWith("invalid-"))).to.equal(true);
      });
    });
  }

  it("only warns when the total is not the sum of the items", () => {
    const of = (file: string) => runChecks(parse(readFileSync(new URL(`Order/${file}`, EXAMPLES), "utf8")));
    expect(of("valid-full.ttl")).to.deep.equal([]);
    expect(of("valid-total-differs.ttl").map(({ check, severity }) => [check, severity])).to.deep.equal([
      ["order-total", "warning"],
    ]);
  });

  it("never repeats the value it found", () => {
    const findings = runChecks(
      parse(readFileSync(new URL("Contact/invalid-card-number.ttl", EXAMPLES), "utf8")),
    );
    expect(findings).to.have.length(1);
    expect(JSON.stringify(findings)).not.to.contain("4111");
  });
});

describe("the shapes, as forms read them", () => {
  const files = [...new Set(SHAPES.map(({ file }) => file.href))];
  const quads = files.flatMap((file) => new Parser().parse(readFileSync(new URL(file), "utf8")));
  const objects = (subject: string, predicate: string): Quad["object"][] =>
    quads
      .filter((quad) => quad.subject.value === subject && quad.predicate.value === predicate)
      .map((quad) => quad.object);
  const languages = (subject: string, predicate: string): string[] =>
    objects(subject, predicate).map((label) => (label.termType === "Literal" ? label.language : ""));

  it("the list of shapes is what the files hold, and the labels agree", () => {
    const published = quads.filter(
      (quad) => quad.predicate.value.endsWith("#type") && quad.object.value === sh.NodeShape,
    );
    expect(SHAPES.map(({ iri }) => iri)).to.have.members(published.map((quad) => quad.subject.value));
    for (const shape of SHAPES) {
      expect(objects(shape.iri, sh.targetClass).map(({ value }) => value)).to.include(shape.targetClass);
      expect(objects(shape.iri, sh.codeIdentifier).map(({ value }) => value)).to.deep.equal([shape.name]);
      const names = Object.fromEntries(
        objects(shape.iri, sh.name).map((label) => [
          label.termType === "Literal" && label.language,
          label.value,
        ]),
      );
      expect(names).to.deep.equal(shape.label);
    }
  });

  it("every field has a name in English and German, a code name, an order, and a plain message", () => {
    for (const { iri } of SHAPES) {
      const fields = objects(iri, sh.property).map(({ value }) => value);
      expect(languages(iri, sh.description), iri).to.have.members(["en", "de"]);
      for (const field of fields) {
        expect(languages(field, sh.name), `${iri} ${field}`).to.have.members(["en", "de"]);
        expect(objects(field, sh.codeIdentifier)[0]?.value).to.match(/^[a-z][A-Za-z]*$/);
        expect(objects(field, sh.order)).to.have.length(1);
        expect(objects(field, sh.message)[0]?.value, `${iri} ${field}`)
          .to.match(/\.$/)
          .and.not.match(/IRI|literal|datatype|node\b|Violation/i);
      }
      for (const predicate of [sh.codeIdentifier, sh.order]) {
        const values = fields.map((field) => objects(field, predicate)[0]?.value);
        expect(new Set(values).size, `${iri} repeats ${predicate}`).to.equal(values.length);
      }
    }
  });
});
