import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LIMITS } from "../../../server/limits.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { parseUpdate } from "../../../server/query/sparql/update.ts";
import { parseRdf } from "../../../server/rdf/parse.ts";
import type { Quad } from "../../../server/rdf/terms.ts";
import { skipWithoutVectors, vectors } from "../../rdf/vectors.ts";

const FOLDER = vectors("sparql11");
const HOME = "http://w3c.example/sparql11/";
const MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const QUERY = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#query";
const REQUEST = "http://www.w3.org/2009/sparql/tests/test-update#request";

interface Case {
  readonly id: string;
  readonly type: string;
  /** Path within the suite. */
  readonly file: string;
}

/** Every text of the suite, with the kind of its test. */
async function casesOf(folder: string, suite: string): Promise<Case[]> {
  const base = `${HOME}${suite}/manifest.ttl`;
  const quads = await parseRdf(readFileSync(join(folder, suite, "manifest.ttl")), "text/turtle", base);
  const objects = (subject: Quad["object"], predicate: string): Quad["object"][] =>
    quads
      .filter((quad) => quad.subject.equals(subject) && quad.predicate.value === predicate)
      .map(({ object }) => object);
  return quads.flatMap(({ subject, predicate, object }) => {
    if (predicate.value !== `${MF}action`) return [];
    const type = objects(subject, `${RDF}type`)[0]!.value.slice(MF.length);
    const file = [...objects(object, QUERY), ...objects(object, REQUEST), object][0]!.value;
    if (!file.endsWith(".rq") && !file.endsWith(".ru")) return [];
    return [{ id: subject.value.slice(HOME.length), type, file: file.slice(HOME.length) }];
  });
}

const parse = (file: string, text: string) =>
  (file.endsWith(".ru") ? parseUpdate : parseQuery)(text, { baseIri: `${HOME}${file}`, limits: LIMITS });

const suites = FOLDER
  ? readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, "manifest.ttl")))
  : [];
const cases = (await Promise.all(suites.map((suite) => casesOf(FOLDER!, suite)))).flat();

describe("every query and update of the W3C suites for SPARQL 1.1", () => {
  it("there are so many", function () {
    skipWithoutVectors(this, "sparql11");
    const isNegative = ({ type }: Case) => type.startsWith("Negative");
    expect([cases.length, cases.filter(isNegative).length]).to.deep.equal([495, 61]);
  });

  for (const { id, type, file } of cases) {
    const text = readFileSync(join(FOLDER!, file), "utf8");
    if (type.startsWith("Negative"))
      it(`refuses ${file} (${id})`, () => {
        const refusal = expect(() => parse(file, text)).to.throw();
        refusal.with.property("code", "query-invalid");
        refusal.with.nested.property("errors[0].at").that.matches(/^\d+:\d+$/);
      });
    else it(`reads ${file} (${id})`, () => void parse(file, text));
  }
});
