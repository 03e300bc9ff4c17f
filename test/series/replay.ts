/**
 * A client of Linked Data Event Streams, as small as the specification allows: it knows nothing of this server but the
 * address it begins with. https://w3id.org/ldes/specification#traversing-search-tree
 */
import { Parser, type Quad } from "n3";
import type { Fetch } from "../support/dpop.ts";

const TREE = "https://w3id.org/tree#";
const LDES = "https://w3id.org/ldes#";

export interface Member {
  readonly iri: string;
  /** Predicate to value. */
  readonly said: ReadonlyMap<string, string>;
}

export interface Replay {
  /** What came since the last time, in the order of `ldes:timestampPath`. */
  run(): Promise<readonly Member[]>;
  /** Pages asked for in the last run. */
  readonly fetched: readonly string[];
  /** Object of a property of the stream or of the root, after a run. */
  context(property: string): string | undefined;
}

export function createReplay(fetch: Fetch, root: string): Replay {
  const seen = new Set<string>();
  const immutable = new Set<string>();
  let fetched: string[] = [];
  let context: readonly Quad[] = [];

  async function read(url: string): Promise<readonly Quad[]> {
    const response = await fetch(url, { headers: { accept: "text/turtle" } });
    if (!response.ok) throw new Error(`${response.status} of ${url}`);
    fetched.push(url);
    return new Parser({ baseIRI: url }).parse(await response.text());
  }
  const objects = (quads: readonly Quad[], subject: string | null, predicate: string): string[] =>
    quads
      .filter(
        (one) => (subject === null || one.subject.value === subject) && one.predicate.value === predicate,
      )
      .map(({ object }) => object.value);

  return {
    get fetched() {
      return fetched;
    },
    context: (property) => objects(context, null, property)[0],
    async run() {
      fetched = [];
      const members: Member[] = [];
      const visited = new Set<string>();
      const next = [root];
      for (let url = next.shift(); url !== undefined; url = next.shift()) {
        if (visited.has(url) || immutable.has(url)) continue;
        visited.add(url);
        const quads = await read(url);
        if (url === root) context = quads;
        for (const relation of objects(quads, url, `${TREE}relation`))
          next.push(...objects(quads, relation, `${TREE}node`));
        for (const iri of objects(quads, null, `${TREE}member`)) {
          if (seen.has(iri)) continue;
          seen.add(iri);
          const own = quads.filter(({ subject }) => subject.value === iri);
          members.push({
            iri,
            said: new Map(own.map(({ predicate, object }) => [predicate.value, object.value])),
          });
        }
        if (objects(quads, url, `${LDES}immutable`)[0] === "true") immutable.add(url);
      }
      const path = objects(context, null, `${LDES}timestampPath`)[0] ?? "";
      const timeOf = ({ said }: Member): number => Date.parse(said.get(path) ?? "");
      return members.sort((left, right) => timeOf(left) - timeOf(right));
    },
  };
}
