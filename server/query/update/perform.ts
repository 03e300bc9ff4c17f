/**
 * What an update does, operation by operation, to graphs of whatever kind.
 * @see https://www.w3.org/TR/sparql11-update/#updateLanguage
 */
import { Problem } from "../../errors.ts";
import { blankNode, type Quad, quad, type Value } from "../../rdf/terms.ts";
import { type Scope, scopeOf } from "../scope.ts";
import type { GraphReference, QuadPattern, Update, UpdateOperation } from "../sparql/algebra.ts";

export type Modify = Extract<UpdateOperation, { kind: "modify" }>;

/** Null is the default graph. */
export type GraphName = string | null;

/** Triples by the graph that they go into, or are taken from. */
export type ByGraph = ReadonlyMap<GraphName, readonly Quad[]>;

/** What the templates of DELETE and INSERT make of all solutions. */
export interface Matched {
  readonly remove: ByGraph;
  readonly insert: ByGraph;
}

/** What an update works on. Each operation sees what those before it did. */
export interface Graphs {
  /** Whether there is such a graph, for whoever asks. */
  has(name: string): Promise<boolean>;
  /** Of a graph that there is; as far as whoever asks may see it. */
  read(name: GraphName): Promise<readonly Quad[]>;
  /** Adds triples; a graph that is not there is made. */
  insert(name: GraphName, triples: readonly Quad[]): Promise<void>;
  /** Removes triples, whether they are there or not. */
  remove(name: GraphName, triples: readonly Quad[]): Promise<void>;
  clear(name: GraphName): Promise<void>;
  create(name: string): Promise<void>;
  drop(name: GraphName): Promise<void>;
  /** Names of all graphs but the default one. @throws Problem `query-refused` where nobody should mean all of them. */
  names(): Promise<readonly string[]>;
  /** Evaluates WHERE. @param at Which operation of the update it is, from 0. */
  match(operation: Modify, at: number): Promise<Matched>;
}

/** What WHERE looks into. https://www.w3.org/TR/sparql11-update/#deleteInsert */
export function scopeOfModify(operation: Modify): Scope {
  if (operation.using === null && operation.with !== null)
    return { defaults: [operation.with], named: "all" };
  return scopeOf(operation.using);
}

/** Triples of INSERT DATA and DELETE DATA: labels mean fresh nodes. */
function dataOf(quads: readonly QuadPattern[]): ByGraph {
  const nodes = new Map<string, Value>();
  const termOf = (term: QuadPattern["object"]): Value => {
    if (term.termType !== "BlankNode") return term as Value;
    const node = nodes.get(term.value) ?? blankNode();
    nodes.set(term.value, node);
    return node;
  };
  const byGraph = new Map<GraphName, Quad[]>();
  for (const { subject, predicate, object, graph } of quads) {
    const from = termOf(subject);
    if (from.termType === "Literal" || predicate.termType !== "NamedNode") continue; // No triple.
    const name = graph?.value ?? null;
    const triples = byGraph.get(name) ?? [];
    byGraph.set(name, triples);
    triples.push(quad(from, predicate, termOf(object)));
  }
  return byGraph;
}

/** A failure that SILENT makes none: something is not there, or there already. */
class Absence extends Problem {}

async function mustHave(graphs: Graphs, name: GraphName): Promise<void> {
  if (name !== null && !(await graphs.has(name)))
    throw new Absence("conflict", `There is no graph <${name.slice(0, 256)}>`);
}

async function namesOf(graphs: Graphs, reference: GraphReference): Promise<readonly GraphName[]> {
  switch (reference.kind) {
    case "default":
      return [null];
    case "named":
      return graphs.names();
    case "all":
      return [null, ...(await graphs.names())];
    default:
      await mustHave(graphs, reference.name);
      return [reference.name];
  }
}

const nameOf = (reference: GraphReference): GraphName => (reference.kind === "graph" ? reference.name : null);

/** ADD, MOVE and COPY. https://www.w3.org/TR/sparql11-update/#graphManagement */
async function transfer(
  graphs: Graphs,
  { kind, from, to }: Extract<UpdateOperation, { kind: "add" | "move" | "copy" }>,
): Promise<void> {
  const [source, target] = [nameOf(from), nameOf(to)];
  await mustHave(graphs, source);
  if (source === target) return;
  const triples = await graphs.read(source);
  if (kind !== "add" && (target === null || (await graphs.has(target)))) await graphs.clear(target);
  await graphs.insert(target, triples);
  if (kind === "move") await graphs.drop(source);
}

async function performOne(graphs: Graphs, operation: UpdateOperation, at: number): Promise<void> {
  switch (operation.kind) {
    case "insertData":
      for (const [name, triples] of dataOf(operation.quads)) await graphs.insert(name, triples);
      return;
    case "deleteData":
      for (const [name, triples] of dataOf(operation.quads)) await graphs.remove(name, triples);
      return;
    case "modify": {
      const { remove, insert } = await graphs.match(operation, at);
      for (const [name, triples] of remove) await graphs.remove(name, triples);
      for (const [name, triples] of insert) await graphs.insert(name, triples);
      return;
    }
    case "load":
      throw new Absence("query-refused", "LOAD is not done here: nothing is fetched for an update");
    case "clear":
      for (const name of await namesOf(graphs, operation.graph)) await graphs.clear(name);
      return;
    case "drop":
      for (const name of await namesOf(graphs, operation.graph)) await graphs.drop(name);
      return;
    case "create":
      if (await graphs.has(operation.graph))
        throw new Absence("conflict", `There is a graph <${operation.graph.slice(0, 256)}> already`);
      return graphs.create(operation.graph);
    default:
      return transfer(graphs, operation);
  }
}

/**
 * @throws Problem `conflict` for a graph that is not there, or there already, unless the operation is SILENT; whatever
 *   `graphs` throws. What was done before stays done: atomic is whoever gives the graphs.
 */
export async function perform(update: Update, graphs: Graphs): Promise<void> {
  for (const [at, operation] of update.operations.entries()) {
    try {
      await performOne(graphs, operation, at);
    } catch (error) {
      if (!(error instanceof Absence && "silent" in operation && operation.silent)) throw error;
    }
  }
}
