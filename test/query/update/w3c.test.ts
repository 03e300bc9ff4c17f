import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LIMITS } from "../../../server/limits.ts";
import { parseUpdate } from "../../../server/query/sparql/update.ts";
import { perform } from "../../../server/query/update/perform.ts";
import { parseText } from "../../../server/rdf/parse.ts";
import type { Quad } from "../../../server/rdf/terms.ts";
import { graphOf } from "../../rdf/same-graph.ts";
import { skipWithoutVectors, vectors } from "../../rdf/vectors.ts";
import { type Dataset, graphsIn } from "./memory-graphs.ts";

const FOLDER = vectors("sparql11");
const HOME = "http://w3c.example/sparql11/";
const MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const UT = "http://www.w3.org/2009/sparql/tests/test-update#";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const LABEL = "http://www.w3.org/2000/01/rdf-schema#label";
const quadsOf = (address: string): Quad[] =>
  parseText(readFileSync(join(FOLDER!, address.slice(HOME.length)), "utf8"), "text/turtle", address);

/** Graphs that are empty are as good as none: no test tells them apart. */
const shown = (dataset: Dataset): Record<string, string> =>
  Object.fromEntries(
    [...dataset]
      .filter(([, quads]) => quads.length > 0)
      .map(([name, quads]) => [name ?? "default", graphOf(quads)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

interface Case {
  readonly id: string;
  readonly request: string;
  readonly before: Dataset;
  readonly after: Dataset;
}

function casesOf(suite: string): Case[] {
  const base = `${HOME}${suite}/manifest.ttl`;
  const manifest = quadsOf(base);
  const objects = (subject: Quad["object"], predicate: string): Quad["object"][] =>
    manifest.flatMap((one) =>
      one.subject.equals(subject) && one.predicate.value === predicate ? [one.object] : [],
    );
  const datasetOf = (node: Quad["object"]): Dataset => {
    const dataset: Dataset = new Map([
      [null, objects(node, `${UT}data`).flatMap(({ value }) => quadsOf(value))],
    ]);
    for (const graph of objects(node, `${UT}graphData`))
      dataset.set(objects(graph, LABEL)[0]!.value, quadsOf(objects(graph, `${UT}graph`)[0]!.value));
    return dataset;
  };
  return manifest.flatMap(({ subject, predicate, object }) => {
    if (predicate.value !== TYPE || object.value !== `${MF}UpdateEvaluationTest`) return [];
    const [action] = objects(subject, `${MF}action`);
    const [result] = objects(subject, `${MF}result`);
    return [
      {
        id: subject.value.slice(HOME.length),
        request: objects(action!, `${UT}request`)[0]!.value,
        before: datasetOf(action!),
        after: datasetOf(result!),
      },
    ];
  });
}

const SUITES = [
  "add", "basic-update", "clear", "copy", "delete", "delete-data", "delete-insert", "delete-where", "drop", "move",
  "update-silent",
]; // biome-ignore format: a list

describe("W3C SPARQL 1.1 Update: what updates do", () => {
  const cases = FOLDER ? SUITES.flatMap(casesOf) : [];
  it("there are so many", function () {
    skipWithoutVectors(this, "sparql11");
    expect(cases.length).to.equal(94);
  });
  for (const { id, request, before, after } of cases)
    it(id, async () => {
      const text = readFileSync(join(FOLDER!, request.slice(HOME.length)), "utf8");
      const update = parseUpdate(text, { baseIri: request, limits: LIMITS });
      await perform(update, graphsIn(before, request));
      expect(shown(before)).to.deep.equal(shown(after));
    });
});
