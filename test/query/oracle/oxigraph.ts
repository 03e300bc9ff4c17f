/** Oxigraph, from the workspace: an engine that shares nothing with the others. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { serializeRdf } from "../../../server/rdf/serialize.ts";
import { blankNode, literal, namedNode, type Quad, quad, type Value } from "../../../server/rdf/terms.ts";
import { installWorkspace } from "../../support/workspace.ts";
import { apart, type Engine, type GraphDocument, merged, type Outcome } from "./engines.ts";

interface OxigraphTerm {
  readonly termType: string;
  readonly value: string;
  readonly language?: string;
  readonly datatype?: { readonly value: string };
}

interface LoadOptions {
  readonly format: string;
  readonly to_graph_name?: unknown;
}
export interface OxigraphStore {
  load(text: string, options: LoadOptions): void;
  query(text: string, options?: Readonly<Record<string, unknown>>): unknown;
}
export interface Oxigraph {
  readonly Store: new () => OxigraphStore;
  namedNode(iri: string): unknown;
}

/** Where the packages are that only these comparisons need; null where they cannot be had. */
export const installOracles = (): Promise<string | null> =>
  installWorkspace(resolve(import.meta.dirname, "workspace"), "oracles");

export const loadOxigraph = async (folder: string): Promise<Oxigraph> =>
  (await import(pathToFileURL(resolve(folder, "node_modules/oxigraph/node.js")).href)) as Oxigraph;

function termOf({ termType, value, language, datatype }: OxigraphTerm): Value {
  if (termType === "NamedNode") return namedNode(value);
  return termType === "BlankNode" ? blankNode(value) : literal(value, language || namedNode(datatype!.value));
}

/** All at once, for what is loaded later has blank nodes of its own. */
async function fill(oxigraph: Oxigraph, graphs: readonly GraphDocument[]): Promise<OxigraphStore> {
  const store = new oxigraph.Store();
  const own = graphs.map((graph, at) => ({ ...graph, quads: apart(graph.quads, `d${at}x`) }));
  const named = own.flatMap(({ name, quads, isNamed }) =>
    isNamed ? quads.map((each) => quad(each.subject, each.predicate, each.object, namedNode(name))) : [],
  );
  const text = (
    await Promise.all([merged(own), named].map((quads) => serializeRdf(quads, "application/n-quads")))
  )
    .map((bytes) => new TextDecoder().decode(bytes))
    .join("\n");
  store.load(text, { format: "application/n-quads" });
  return store;
}

export function oxigraphEngine(oxigraph: Oxigraph): Engine {
  const answer = (store: OxigraphStore, text: string, baseIri: string): Outcome => {
    try {
      const result = store.query(text, { base_iri: baseIri });
      if (typeof result === "boolean") return { kind: "boolean", value: result };
      const items = result as readonly unknown[];
      if (!/\bCONSTRUCT\b|\bDESCRIBE\b/.test(text)) {
        const rows = (items as readonly ReadonlyMap<string, OxigraphTerm>[]).map(
          (row) => new Map([...row].map(([name, term]) => [name, termOf(term)])),
        );
        return { kind: "rows", rows };
      }
      type OxigraphQuad = Readonly<Record<"subject" | "predicate" | "object", OxigraphTerm>>;
      const quads = (items as readonly OxigraphQuad[]).map(({ subject, predicate, object }) =>
        quad(termOf(subject) as Quad["subject"], termOf(predicate) as Quad["predicate"], termOf(object)),
      );
      return { kind: "graph", quads };
    } catch (error) {
      return { kind: "refused", why: String(error) };
    }
  };
  return {
    name: "Oxigraph",
    parse(text, baseIri) {
      const outcome = answer(new oxigraph.Store(), text, baseIri);
      return Promise.resolve(outcome.kind === "refused" ? outcome.why : null);
    },
    open(graphs) {
      const filled = fill(oxigraph, graphs);
      return async (text, baseIri) => answer(await filled, text, baseIri);
    },
  };
}
