/** Graphs in memory, the default graph among them: what an update does to documents, without the documents. */
import { match } from "../../../server/query/update/match.ts";
import { type GraphName, type Graphs } from "../../../server/query/update/perform.ts";
import { blankNode, keyOfTriple, type Quad, quad } from "../../../server/rdf/terms.ts";

/** Names the default graph within the index; nobody can write it. */
const DEFAULT = "urn:x-default:";

export type Dataset = Map<GraphName, Quad[]>;

/** @param dataset Changed in place. */
export function graphsIn(dataset: Dataset, baseIri: string): Graphs {
  const triplesOf = (name: GraphName): Map<string, Quad> =>
    new Map((dataset.get(name) ?? []).map((triple) => [keyOfTriple(triple), triple]));
  return {
    has: async (name) => dataset.has(name),
    read: async (name) => dataset.get(name) ?? [],
    insert: async (name, triples) => {
      const all = triplesOf(name);
      for (const triple of triples) all.set(keyOfTriple(triple), triple);
      dataset.set(name, [...all.values()]);
    },
    remove: async (name, triples) => {
      const all = triplesOf(name);
      for (const triple of triples) all.delete(keyOfTriple(triple));
      if (dataset.has(name)) dataset.set(name, [...all.values()]);
    },
    clear: async (name) => void dataset.set(name, []),
    create: async (name) => void dataset.set(name, []),
    drop: async (name) => void (name === null ? dataset.set(null, []) : dataset.delete(name)),
    names: async () => [...dataset.keys()].filter((name) => name !== null),
    match: async (operation, at) => {
      const usesDefault = operation.using === null && operation.with === null;
      const defaults = operation.using?.defaults ?? [operation.with ?? ""];
      const named = operation.using?.named ?? null;
      const documents = [...dataset].map(([name, quads], place) => ({
        number: place + 1,
        graph: name ?? DEFAULT,
        quads,
        isDefault: name === null ? usesDefault : defaults.includes(name),
        isNamed: name !== null && (named === null || named.includes(name)),
      }));
      const control = { check: () => {}, hold: () => {} };
      const options = { control, now: new Date(0), baseIri, at, quadsMax: 1_000 };
      const { remove, insert } = match(operation, documents, options);
      // Blank nodes of the dataset are what they were.
      const labels = new Map(documents.map(({ number }) => [number, ""]));
      const own = <T extends Quad["object"]>(term: T): T => {
        if (term.termType !== "BlankNode") return term;
        const [number = "", ...rest] = term.value.split(".");
        return labels.has(Number(number)) ? (blankNode(rest.join(".")) as T) : term;
      };
      const back = (triples: typeof remove) =>
        new Map(
          [...triples].map(([name, list]) => [
            name,
            list.map(({ subject, predicate, object }) => quad(own(subject), predicate, own(object))),
          ]),
        );
      return { remove: back(remove), insert: back(insert) };
    },
  };
}
