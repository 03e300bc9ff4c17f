/** What an agent may not read makes no difference to any update of theirs, and nothing changes that they may not change. */
import { expect } from "chai";
import { Problem } from "../../../server/errors.ts";
import { LIMITS } from "../../../server/limits.ts";
import type { Mode } from "../../../server/operation.ts";
import { parseUpdate } from "../../../server/query/sparql/update.ts";
import { type Changed, createDocumentGraphs } from "../../../server/query/update/documents.ts";
import { matchSent } from "../../../server/query/update/match-sent.ts";
import { perform } from "../../../server/query/update/perform.ts";
import { receiveMatch } from "../../../server/query/update/task.ts";
import { keyOfTriple } from "../../../server/rdf/terms.ts";
import { createMemoryStore } from "../../../server/store/memory.ts";
import type { Pod } from "../../../server/store/pods.ts";
import { encodeRecord } from "../../../server/store/record.ts";
import type { PodId } from "../../../server/store/store.ts";

const ORIGIN = "https://pod.example";
const CASES = 600;
const pod = { id: "p" as PodId, name: "ana", owner: `${ORIGIN}/ana/card#me`, created: 0 } as Pod;
const RIGHTS: readonly (readonly Mode[])[] = [
  [],
  ["read"],
  ["append"],
  ["write"],
  ["read", "append"],
  ["read", "write"],
];

/** The same numbers for the same seed. */
function createChance(seed: number) {
  let state = seed;
  const below = (most: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
  return { below, pick: <T>(list: readonly T[]): T => list[below(list.length)]! };
}
type Chance = ReturnType<typeof createChance>;

const term = (chance: Chance) => chance.pick(["<urn:a>", "<urn:b>", "<urn:c>", "1", '"x"@en']);
const subject = (chance: Chance) => chance.pick(["<urn:a>", "<urn:b>", "<urn:c>"]);
const node = (chance: Chance) => chance.pick(["_:x", "_:y", "<urn:a>", "<urn:b>"]);
const predicate = (chance: Chance) => chance.pick(["<urn:p>", "<urn:q>"]);
const content = (chance: Chance) =>
  Array.from(
    { length: chance.below(5) },
    () => `${node(chance)} ${predicate(chance)} ${chance.below(3) ? term(chance) : node(chance)} .`,
  ).join("\n");

const NAMES = ["d0", "d1", "d2", "d3", "d4", "new"];
const graph = (chance: Chance) => `<${ORIGIN}/ana/${chance.pick(NAMES)}>`;
const place = (chance: Chance) => chance.pick(["?s", "?o", term(chance)]);
const pattern = (chance: Chance) =>
  `${chance.pick(["?s", "?o", subject(chance)])} ${chance.pick(["?p", predicate(chance)])} ${place(chance)}`;
const inGraph = (chance: Chance, inner: string) => `GRAPH ${chance.pick(["?g", graph(chance)])} { ${inner} }`;

function where(chance: Chance): string {
  const first = chance.below(4) ? inGraph(chance, pattern(chance)) : pattern(chance);
  const more = inGraph(chance, pattern(chance));
  return chance.pick([
    first,
    `${first} . ${more}`,
    `${first} OPTIONAL { ${more} }`,
    `${first} MINUS { ${more} }`,
    `${first} FILTER NOT EXISTS { ${more} }`,
    `{ SELECT (COUNT(*) AS ?o) { ${first} } } BIND(<urn:count> AS ?s)`,
    `{ SELECT ?s ?g (MAX(?x) AS ?o) { GRAPH ?g { ?s ?p ?x } } GROUP BY ?s ?g }`,
  ]);
}

function operation(chance: Chance): string {
  const data = `GRAPH ${graph(chance)} { ${subject(chance)} ${predicate(chance)} ${term(chance)} }`;
  const template = inGraph(
    chance,
    `${chance.pick(["?s", subject(chance)])} <urn:new> ${chance.pick(["?o", "1"])}`,
  );
  const using = chance.below(4)
    ? ""
    : `USING ${chance.pick([graph(chance), "<http://www.w3.org/ns/solid/sparql#union-default-graph>"])}`;
  return chance.pick([
    `INSERT DATA { ${data} }`,
    `DELETE DATA { ${data} }`,
    `INSERT { ${template} } ${using} WHERE { ${where(chance)} }`,
    `INSERT { ${template} } ${using} WHERE { ${where(chance)} }`,
    `DELETE { ${inGraph(chance, "?s ?p ?o")} } ${using} WHERE { ${where(chance)} }`,
    `DELETE { ${inGraph(chance, "?s ?p ?o")} } INSERT { ${template} } WHERE { ${where(chance)} }`,
    `${chance.pick(["CLEAR", "DROP"])} ${chance.pick(["", "SILENT"])} GRAPH ${graph(chance)}`,
    `${chance.pick(["COPY", "MOVE", "ADD"])} ${chance.pick(["", "SILENT"])} ${graph(chance)} TO ${graph(chance)}`,
    `CREATE ${chance.pick(["", "SILENT"])} GRAPH ${graph(chance)}`,
  ]);
}

type Contents = ReadonlyMap<string, string>;
interface Outcome {
  readonly problem: string | null;
  readonly changed: readonly Changed[];
}

async function run(
  text: string,
  contents: Contents,
  rights: ReadonlyMap<string, readonly Mode[]>,
): Promise<Outcome> {
  const store = createMemoryStore({ limits: LIMITS });
  const id = await store.createPod();
  await store.write(id, async (transaction) => {
    for (const name of contents.keys()) {
      const record = { kind: "rdf" as const, contentType: "text/turtle", bytes: 1, created: 0, modified: 0 };
      transaction.put("resource", "/ana/", name, encodeRecord(record));
    }
  });
  const may = (path: string, mode: Mode): boolean => {
    const modes = rights.get(path.slice("/ana/".length)) ?? [];
    return modes.includes(mode) || (mode === "append" && modes.includes("write"));
  };
  const baseIri = `${ORIGIN}/ana/sparql-update`;
  return store.read(id, async (snapshot) => {
    const graphs = createDocumentGraphs({
      origin: ORIGIN,
      pod,
      documentsMax: 100,
      bytesMax: 1_000_000,
      snapshot,
      may: async (path, mode) => may(path, mode),
      reader: async () => async (path) => may(path, "read"),
      async demand({ path }, mode) {
        if (!may(path, mode)) throw new Problem("forbidden", `Missing: ${mode} (${path})`);
      },
      async stored({ path }) {
        const found = contents.get(path.slice("/ana/".length));
        return found === undefined
          ? null
          : { contentType: "text/turtle", isRdf: true, bytes: new TextEncoder().encode(found) };
      },
      checkPlace: () => {},
      evaluate: async ({ using }, at, gather) => {
        const documents = await gather(() => {});
        for (const { graph: name } of documents)
          expect(may(new URL(name).pathname, "read"), name).to.equal(true);
        const task = { kind: "match", text, baseIri, at, using, documents, msMax: 10_000 } as const;
        return receiveMatch(await matchSent(task, LIMITS));
      },
    });
    try {
      await perform(parseUpdate(text, { baseIri, limits: LIMITS }), graphs);
      return { problem: null, changed: graphs.changed() };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { problem: `${error.code}: ${error.detail}`, changed: [] };
    }
  });
}

describe("updates of somebody who may not read everything", () => {
  it(`${CASES} of them are the same whatever stands in what is hidden, and change only what they may`, async () => {
    const seen = { done: 0, refused: 0, changing: 0 };
    for (let seed = 1; seed <= CASES; seed++) {
      const chance = createChance(seed * 7_919);
      const rights = new Map(NAMES.map((name) => [name, chance.pick(RIGHTS)]));
      const isHidden = (name: string) => !rights.get(name)!.includes("read");
      const one = new Map(NAMES.slice(0, 5).map((name) => [name, content(chance)]));
      // Whoever may write without reading learns whether there is a document, as by PUT.
      const isSecret = (name: string) => isHidden(name) && !rights.get(name)!.includes("write");
      const other = new Map(
        [...one].flatMap(([name, text]): [string, string][] => {
          if (!isHidden(name)) return [[name, text]];
          return isSecret(name) && chance.below(3) === 0 ? [] : [[name, content(chance)]];
        }),
      );
      const text = Array.from({ length: 1 + chance.below(3) }, () => operation(chance)).join(" ;\n");
      const [first, second] = [await run(text, one, rights), await run(text, other, rights)];
      const context = `seed ${seed}: ${text}`;
      expect(second.problem, context).to.equal(first.problem);
      const told = ({ changed }: Outcome) =>
        changed.map(({ url, modes, outcome, triples }) =>
          isHidden(url.split("/").at(-1)!)
            ? { url, modes }
            : { url, modes, outcome, triples: triples.map(keyOfTriple) },
        );
      expect(told(second), context).to.deep.equal(told(first));
      for (const { url, modes } of first.changed) {
        const held = rights.get(url.split("/").at(-1)!)!;
        for (const mode of modes)
          expect(
            held.includes("write") || (mode === "append" && held.includes("append")),
            `${context} ${url}`,
          ).to.equal(true);
      }
      if (first.problem === null) seen.done++;
      else seen.refused++;
      if (first.changed.some(({ outcome }) => outcome !== "none")) seen.changing++;
    }
    expect(seen.done).to.be.above(CASES / 5);
    expect(seen.refused).to.be.above(CASES / 5);
    expect(seen.changing).to.be.above(CASES / 10);
  });
});
