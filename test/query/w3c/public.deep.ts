/** The official count: the public runner of the W3C's tests, with our parser and evaluator behind its interface. Needs a package registry once. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { LIMITS } from "../../../server/limits.ts";
import type { DatasetClause } from "../../../server/query/sparql/algebra.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { parseUpdate } from "../../../server/query/sparql/update.ts";
import { perform } from "../../../server/query/update/perform.ts";
import { namedNode, type Quad, quad } from "../../../server/rdf/terms.ts";
import { skipWithoutVectors, vectors } from "../../rdf/vectors.ts";
import { skip } from "../../support/skip.ts";
import { type GraphDocument, type Outcome, ours } from "../oracle/engines.ts";
import { installOracles } from "../oracle/oxigraph.ts";
import { type Dataset, graphsIn } from "../update/memory-graphs.ts";

const HOME = "http://w3c.github.io/rdf-tests/sparql/sparql11/";

interface Settings {
  readonly baseIRI: string;
  readonly checkOrder?: boolean;
}
interface TestResult {
  readonly test: { readonly uri: string };
  readonly ok: boolean;
  readonly skipped?: boolean;
  readonly error?: Error;
}
interface PublicRunner {
  readonly TestSuiteRunner: new () => {
    runManifest(manifest: string, engine: unknown, config: unknown): Promise<TestResult[]>;
  };
  readonly QueryResultBindings: new (variables: string[], rows: unknown[], checkOrder: boolean) => unknown;
  readonly QueryResultBoolean: new (value: boolean) => unknown;
  readonly QueryResultQuads: new (quads: unknown[]) => unknown;
  readonly Util: { readonly extensionToContentType: Record<string, string> };
}

/** Graphs by their names. */
function graphsOf(quads: readonly Quad[]): Map<string | null, Quad[]> {
  const graphs = new Map<string | null, Quad[]>([[null, []]]);
  for (const each of quads) {
    const name = each.graph.termType === "DefaultGraph" ? null : each.graph.value;
    graphs.set(name, [...(graphs.get(name) ?? []), quad(each.subject, each.predicate, each.object)]);
  }
  return graphs;
}

/** What a FROM clause names is given as named graphs. */
function documentsOf(quads: readonly Quad[], from: DatasetClause | null): GraphDocument[] {
  return [...graphsOf(quads)].map(([name, own]) => ({
    name: name ?? "urn:default",
    quads: own,
    isDefault: from === null ? name === null : from.defaults.includes(name ?? ""),
    isNamed: name !== null && (from === null || from.named.includes(name)),
  }));
}

function engineFor(runner: PublicRunner) {
  const resultOf = (outcome: Outcome, text: string, { checkOrder = false }: Settings): unknown => {
    if (outcome.kind === "boolean") return new runner.QueryResultBoolean(outcome.value);
    if (outcome.kind === "graph") return new runner.QueryResultQuads([...outcome.quads]);
    if (outcome.kind === "refused") throw new Error(outcome.why);
    const query = parseQuery(text, { baseIri: HOME, limits: LIMITS });
    const variables = query.form === "select" ? query.variables.map((name) => `?${name}`) : [];
    const rows = outcome.rows.map((row) =>
      Object.fromEntries([...row].map(([name, term]) => [`?${name}`, term])),
    );
    return new runner.QueryResultBindings(variables, rows, checkOrder);
  };
  return {
    async parse(text: string, { baseIRI }: Settings): Promise<void> {
      const fault = await ours.parse(text, baseIRI);
      if (fault === null) return;
      parseUpdate(text, { baseIri: baseIRI, limits: LIMITS });
    },
    async query(data: Quad[], text: string, settings: Settings): Promise<unknown> {
      const { from } = parseQuery(text, { baseIri: settings.baseIRI, limits: LIMITS });
      return resultOf(await ours.open(documentsOf(data, from))(text, settings.baseIRI), text, settings);
    },
    async update(data: Quad[], text: string, { baseIRI }: Settings): Promise<Quad[]> {
      const dataset: Dataset = graphsOf(data);
      const update = parseUpdate(text, { baseIri: baseIRI, limits: LIMITS });
      await perform(update, graphsIn(dataset, baseIRI));
      return [...dataset].flatMap(([name, quads]) =>
        quads.map((each) =>
          quad(each.subject, each.predicate, each.object, name === null ? undefined : namedNode(name)),
        ),
      );
    },
  };
}

describe("the public runner of the W3C's SPARQL 1.1 tests", () => {
  const SUITES = [
    ["manifest-sparql11-query.ttl", 328],
    ["manifest-sparql11-update.ttl", 157],
  ] as const;
  for (const [manifest, count] of SUITES)
    it(`${manifest}: ${count} of ${count}`, async function () {
      this.timeout(600_000);
      skipWithoutVectors(this, "sparql11");
      const folder = await installOracles();
      if (folder === null)
        skip(this, "no package registry can be reached from here, and the runner is not installed");
      const runner = createRequire(join(folder, "package.json"))("rdf-test-suite") as PublicRunner;
      runner.Util.extensionToContentType["rdf"] = "application/rdf+xml"; // It knows the type, and not the ending.
      const config = {
        exitWithStatusCode0: true,
        outputFormat: "summary",
        timeOutDuration: 20_000,
        customEngingeOptions: {},
        testRegex: /(?:)/u,
        urlToFileMapping: `${HOME}~${vectors("sparql11")}/`,
      };
      const results = await new runner.TestSuiteRunner().runManifest(
        HOME + manifest,
        engineFor(runner),
        config,
      );
      const failed = results
        .filter(({ ok }) => !ok)
        .map(({ test, error }) => `${test.uri}: ${error?.message.slice(0, 300)}`);
      expect(failed.join("\n")).to.equal("");
      expect(results.filter(({ skipped }) => !skipped).length).to.equal(count);
    });
});
