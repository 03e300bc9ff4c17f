/** One shape against some triples, straight through the engine, for tests of the shapes themselves. */
import { readFileSync } from "node:fs";
import type { Shape } from "@freehold/shapes";
import { sh } from "@freehold/vocab";
import { Parser, type Quad, Store } from "n3";
import SHACLValidator from "rdf-validate-shacl";

const validators = new Map<string, SHACLValidator>();

/** The shape of that name alone: others of its file must not add to what it says. */
function validatorOf(shape: Shape): SHACLValidator {
  let validator = validators.get(shape.iri);
  if (!validator) {
    const quads = new Parser().parse(readFileSync(shape.file, "utf8"));
    const others = quads.filter(
      (quad) => quad.predicate.value === sh.targetClass && quad.subject.value !== shape.iri,
    );
    validator = new SHACLValidator(new Store(quads.filter((quad) => !others.includes(quad))));
    validators.set(shape.iri, validator);
  }
  return validator;
}

/** @returns what is wrong, in the shape's own words; empty when nothing is. */
export async function validateShape(shape: Shape, quads: readonly Quad[]): Promise<readonly string[]> {
  const report = await validatorOf(shape).validate(new Store([...quads]));
  return report.results.map((result) => result.message.map(({ value }) => value).join(" "));
}
