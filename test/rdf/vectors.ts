/** The W3C's test suites, where the folder is that holds them. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseText } from "../../server/rdf/parse.ts";
import type { Quad } from "../../server/rdf/terms.ts";
import { mf, rdf } from "./names.ts";

const FOLDER = process.env.FREEHOLD_VECTORS ?? resolve(import.meta.dirname, "../../../shared/vectors");

/** @returns the folder of a suite, or null where it is not. */
export function vectors(suite: string): string | null {
  const folder = join(FOLDER, suite);
  return existsSync(folder) ? folder : null;
}

/** Skips the test that calls it, and says why. */
export function skipWithoutVectors(test: Mocha.Context, suite: string): void {
  if (vectors(suite)) return;
  process.stdout.write(`      (skipped: no test vectors at ${join(FOLDER, suite)})\n`);
  test.skip();
}

export interface W3cTest {
  readonly name: string;
  /** `TestTurtleEval`, `TestTurtleNegativeSyntax`, … */
  readonly type: string;
  readonly base: string;
  readonly action: string;
  readonly result: string | null;
}

export function readManifest(folder: string): W3cTest[] {
  const here = "http://manifest.example/";
  const quads = parseText(readFileSync(join(folder, "manifest.ttl"), "utf8"), "text/turtle", here);
  const find = (subject: string, predicate: string) =>
    quads.find((quad) => quad.subject.value === subject && quad.predicate.value === predicate)?.object.value;
  const base = find(here, mf("assumedTestBase")) ?? here;
  return quads
    .filter((quad: Quad) => quad.predicate.value === mf("action"))
    .map(({ subject, object }) => {
      const action = object.value.slice(here.length);
      return {
        name: subject.value.split("#")[1] ?? "",
        type: find(subject.value, rdf("type"))?.split("#")[1] ?? "",
        base: `${base}${action}`,
        action: join(folder, action),
        result: find(subject.value, mf("result"))?.replace(here, `${folder}/`) ?? null,
      };
    });
}
