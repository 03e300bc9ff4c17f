import { expect } from "chai";
import { parseText } from "../../../server/rdf/parse.ts";
import { serializeRdf } from "../../../server/rdf/serialize.ts";
import { skipWithoutVectors, vectors } from "../../rdf/vectors.ts";
import { createTestPod, type TestPod, UNION } from "../fixture.ts";
import { difference } from "../oracle/compare.ts";
import { fromJson, fromTsv } from "../oracle/results.ts";
import { readGraph, readResult, readTests, textOf } from "./manifest.ts";

/** Over the endpoint, with the test's data as the only document of a pod. */
async function withPod<T>(data: readonly string[], work: (pod: TestPod) => Promise<T>): Promise<T> {
  const text = new TextDecoder().decode(await serializeRdf(data.flatMap(readGraph), "application/n-triples"));
  const pod = await createTestPod(
    { data: { contentType: "application/n-triples", text } },
    (_webid, name) => name === "data",
  );
  try {
    return await work(pod);
  } finally {
    await pod.close();
  }
}

const TYPES = {
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  srj: "application/sparql-results+json",
} as const;

/** CSV as rows of cells, blank nodes without their labels: the format tells no more of them. */
function cellsOf(text: string): string {
  const rows = text.trimEnd().split(/\r?\n/);
  const plain = rows.map((row) => row.replaceAll(/_:\w+/g, "_:"));
  return [plain[0], ...plain.slice(1).sort()].join("\n");
}

describe("W3C SPARQL 1.1 result formats", () => {
  const tests = vectors("sparql11") ? [...readTests("csv-tsv-res"), ...readTests("json-res")] : [];

  it("are 10", function () {
    skipWithoutVectors(this, "sparql11");
    expect(tests.length).to.equal(10);
  });
  for (const { id, query, data, result } of tests) {
    it(id, () =>
      withPod(data, async (pod) => {
        const ending = result!.slice(result!.lastIndexOf(".") + 1) as keyof typeof TYPES;
        const accept = TYPES[ending];
        const asked = `query=${encodeURIComponent(textOf(query))}&default-graph-uri=${encodeURIComponent(UNION)}`;
        const answer = await pod.ask(null, { query: asked, accept });
        expect(answer.status, answer.detail).to.equal(200);
        expect(String(answer.headers["content-type"])).to.match(new RegExp(`^${accept.replace("+", "\\+")}`));
        if (ending === "csv") {
          expect(cellsOf(answer.text)).to.equal(cellsOf(textOf(result!)));
          return;
        }
        const found = ending === "tsv" ? fromTsv(answer.text) : fromJson(answer.text);
        expect(difference(found, readResult(result!))).to.equal(null);
      }),
    );
  }
});

const SD = "http://www.w3.org/ns/sparql-service-description#";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

/** Of the schema's properties: what its subject is, and what its object must be. https://www.w3.org/TR/sparql11-service-description/ */
const SCHEMA: Readonly<Record<string, { readonly of: string; readonly object: "iri" | "node" | "integer" }>> =
  {
    endpoint: { of: "Service", object: "iri" },
    feature: { of: "Service", object: "iri" },
    defaultEntailmentRegime: { of: "Service", object: "iri" },
    extensionFunction: { of: "Service", object: "iri" },
    extensionAggregate: { of: "Service", object: "iri" },
    languageExtension: { of: "Service", object: "iri" },
    supportedLanguage: { of: "Service", object: "iri" },
    propertyFeature: { of: "Service", object: "iri" },
    defaultDataset: { of: "Service", object: "node" },
    availableGraphs: { of: "Service", object: "node" },
    resultFormat: { of: "Service", object: "iri" },
    inputFormat: { of: "Service", object: "iri" },
  };

describe("W3C SPARQL 1.1 service description", () => {
  it("are 3 tests", function () {
    skipWithoutVectors(this, "sparql11");
    expect(readTests("service-description").length).to.equal(3);
  });

  for (const accept of ["text/turtle", "application/ld+json"] as const)
    it(`returns-rdf, has-endpoint-triple, conforms-to-schema: ${accept}`, () =>
      withPod([], async (pod) => {
        const answer = await pod.ask(null, { query: "", accept });
        expect(answer.status).to.equal(200);
        expect(String(answer.headers["content-type"])).to.match(new RegExp(`^${accept.replace("+", "\\+")}`));
        if (accept !== "text/turtle") {
          expect(() => void JSON.parse(answer.text)).to.not.throw();
          return;
        }
        const quads = parseText(answer.text, accept, pod.root);
        const endpoints = quads.filter(({ predicate }) => predicate.value === `${SD}endpoint`);
        expect(endpoints.map(({ object }) => object.value)).to.deep.equal([`${pod.root}sparql`]);
        const typed = (node: string, name: string): boolean =>
          quads.some(
            (each) =>
              each.subject.value === node && each.predicate.value === TYPE && each.object.value === SD + name,
          );
        for (const { subject, predicate, object } of quads) {
          if (!predicate.value.startsWith(SD)) continue;
          const rule = SCHEMA[predicate.value.slice(SD.length)];
          expect(rule, `${predicate.value} is in the schema`).to.not.equal(undefined);
          expect(typed(subject.value, rule!.of), `${subject.value} is a ${rule!.of}`).to.equal(true);
          if (rule!.object === "iri") expect(object.termType).to.equal("NamedNode");
        }
        // What it must not say: which graphs there are.
        expect(answer.text).to.not.match(
          /availableGraphs|namedGraph|UnionDefaultGraph>|sd:UnionDefaultGraph\b/,
        );
      }));
});
