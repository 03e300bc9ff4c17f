import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect } from "chai";
import { Parser, Store } from "n3";
import { LIMITS } from "../../server/limits.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import { createEngine, type ValidationResult } from "../../server/shapes/engine.ts";
import { skip } from "../support/skip.ts";

const SUITE = pathToFileURL(
  `${process.env["FREEHOLD_VECTORS"] ?? fileURLToPath(new URL("../../../shared/vectors", import.meta.url))}/shacl-core/`,
);
const MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const SHT = "http://www.w3.org/ns/shacl-test#";
const SH = "http://www.w3.org/ns/shacl#";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

interface Case {
  readonly name: string;
  readonly data: URL;
  readonly shapes: URL;
  /** Focus node, path, value, component and severity of each expected result, in order. */
  readonly expected: readonly string[];
}

/** Blank nodes have other labels in every document. */
const spell = (term: { termType: string; value: string } | undefined | null): string =>
  !term ? "-" : term.termType === "BlankNode" ? "_:" : `${term.termType} ${term.value}`;

function read(file: URL): Store {
  return new Store(new Parser({ baseIRI: file.href }).parse(readFileSync(file, "utf8")));
}

function* casesOf(manifest: URL): Iterable<Case> {
  const store = read(manifest);
  for (const { value } of store.getObjects(null, `${MF}include`, null)) yield* casesOf(new URL(value));
  for (const test of store.getSubjects(TYPE, `${SHT}Validate`, null)) {
    const object = (subject: Parameters<Store["getObjects"]>[0], predicate: string) =>
      store.getObjects(subject, predicate, null)[0];
    const action = object(test, `${MF}action`)!;
    const expected = store.getObjects(object(test, `${MF}result`)!, `${SH}result`, null).map((result) => {
      const of = (name: string) => spell(object(result, SH + name));
      return ["focusNode", "resultPath", "value", "sourceConstraintComponent", "resultSeverity"]
        .map(of)
        .join(" | ");
    });
    yield {
      name: test.value.slice(SUITE.href.length),
      data: new URL(object(action, `${SHT}dataGraph`)!.value),
      shapes: new URL(object(action, `${SHT}shapesGraph`)!.value),
      expected: expected.sort(),
    };
  }
}

const describeResult = ({
  focusNode,
  path,
  value,
  sourceConstraintComponent,
  severity,
}: ValidationResult): string =>
  [focusNode, path, value, sourceConstraintComponent, severity].map(spell).join(" | ");

describe("W3C SHACL core suite", () => {
  if (!existsSync(SUITE)) {
    it("is not here: put it into ../shared/vectors or name its folder in FREEHOLD_VECTORS", function () {
      skip(this, "the W3C suite is not on this machine");
    });
    return;
  }
  const cases = [...casesOf(new URL("manifest.ttl", SUITE))];
  it("has the tests it should have", () => expect(cases).to.have.length(98));

  for (const { name, data, shapes, expected } of cases) {
    it(name, async () => {
      const engine = await createEngine([...read(shapes)] as unknown as Quad[], LIMITS, () => 0);
      const { results, report } = await engine.run([...read(data)] as unknown as Quad[], "urn:none");
      const conforms = report.find(({ predicate }) => predicate.value === `${SH}conforms`)?.object.value;
      expect({ conforms, found: results.map(describeResult).sort() }).to.deep.equal({
        conforms: String(expected.length === 0),
        found: expected,
      });
    });
  }
});
