/**
 * The other engine: Comunica over the same view, for what ours declines, and as its oracle in the tests. Slow, and
 * whole. Loaded on first use: it is large.
 */
import type { QueryEngine } from "@comunica/query-sparql";
import { Problem } from "../errors.ts";
import { defaultGraph, type Quad, quad, type Term, type Value } from "../rdf/terms.ts";
import { compareContent } from "./engine/compare.ts";
import { sortedByHash } from "./engine/settled.ts";
import { type Id, type Order, type Segment, UNBOUND, type View } from "./index/view.ts";

export type SolutionRow = ReadonlyMap<string, Value>;

export type Answers =
  | { readonly kind: "rows"; readonly rows: AsyncIterable<SolutionRow> }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "quads"; readonly quads: AsyncIterable<Quad> };

interface BindingsFactory {
  bindings(entries: (readonly [Term, Term])[]): unknown;
}
type Place = Term | null | undefined;

/** The parts of an RDF/JS source that Comunica asks for. */
export interface Source {
  match(subject?: Place, predicate?: Place, object?: Place, graph?: Place): Iterable<Quad>;
  matchBindings(
    make: BindingsFactory,
    subject: Term,
    predicate: Term,
    object: Term,
    graph: Term,
  ): Iterable<unknown>;
  countQuads(subject?: Place, predicate?: Place, object?: Place, graph?: Place): number;
}

/** Subject, predicate, object, graph slot. The same array each time. */
type Found = [subject: Id, predicate: Id, object: Id, slot: number];
/** A wanted id: `UNBOUND` matches everything. */
type Wanted = readonly [subject: Id, predicate: Id, object: Id];

/** First place from `from` up to `to` in a sorted column where the value is at least `id`. */
function lowerBound(column: Uint32Array, id: Id, from: number, to: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The order that has most of what is wanted in front, and which columns of it are subject, predicate and object. */
function orderOf({ spo, pos, osp }: Segment, [s, p, o]: Wanted): readonly [Order, number, number, number] {
  if (s !== UNBOUND && (p !== UNBOUND || o === UNBOUND)) return [spo, 0, 1, 2];
  if (p !== UNBOUND) return [pos, 2, 0, 1];
  return o === UNBOUND ? [spo, 0, 1, 2] : [osp, 1, 2, 0];
}

function* scanSegment(segment: Segment, wanted: Wanted, visible: Uint8Array): Generator<Found> {
  const [order, ...places] = orderOf(segment, wanted);
  const columns = [order.first, order.second, order.third];
  const key = [0, 0, 0];
  for (const [at, place] of places.entries()) key[place] = wanted[at]!;
  let [from, to] = [0, segment.length];
  if (key[0] !== UNBOUND) {
    from = order.start(key[0]!);
    to = order.end(key[0]!);
    if (key[1] !== UNBOUND) {
      from = lowerBound(order.second, key[1]!, from, to);
      to = lowerBound(order.second, key[1]! + 1, from, to);
    }
  }
  const found: Found = [0, 0, 0, 0];
  for (let row = from; row < to; row++) {
    const slot = order.graph[row]!;
    if (visible[slot] !== 1) continue;
    if (columns.some((column, place) => key[place] !== UNBOUND && column[row] !== key[place])) continue;
    for (const [at, place] of places.entries()) found[at] = columns[place]![row]!;
    found[3] = slot;
    yield found;
  }
}

/** @param slot Only that graph; null for all visible ones. */
function* scan(view: View, wanted: Wanted, visible: Uint8Array, slot: number | null): Generator<Found> {
  for (const segment of view.segments) {
    if (slot === null) {
      yield* scanSegment(segment, wanted, visible);
      continue;
    }
    if (visible[slot] !== 1) continue;
    const { subject, predicate, object } = segment.byGraph;
    for (let row = segment.graphStart(slot); row < segment.graphEnd(slot); row++) {
      const found: Found = [subject[row]!, predicate[row]!, object[row]!, slot];
      if (wanted.every((id, at) => id === UNBOUND || id === found[at])) yield found;
    }
  }
}

/** Each triple once, however many of the graphs say it: the RDF merge. */
function* onceEach(all: Iterable<Found>): Generator<Found> {
  const seen = new Set<string>();
  for (const found of all) {
    const key = `${found[0]} ${found[1]} ${found[2]}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield found;
  }
}

/** By what is said, so that what the engine makes of the order does not tell what else is in the pod. */
function settled(view: View, all: Iterable<Found>): readonly Found[] {
  const { terms } = view;
  const byContent = compareContent(terms);
  const found = Array.from(all, ([s, p, o, slot]): Found => [s, p, o, slot]);
  const hashOf = ([s, p, o]: Found): number =>
    (Math.imul(terms.hash(s) ^ Math.imul(terms.hash(p), 31), 31) ^ terms.hash(o)) >>> 0;
  const numbers = sortedByHash(
    found.length,
    (number) => hashOf(found[number]!),
    (left, right) => {
      const [a, b] = [found[left]!, found[right]!];
      return (
        byContent(a[0], b[0]) ||
        byContent(a[1], b[1]) ||
        byContent(a[2], b[2]) ||
        byContent(view.nameOf(a[3]), view.nameOf(b[3]))
      );
    },
  );
  return Array.from(numbers, (number) => found[number]!);
}

/** A view as Comunica wants it. @param isSettled Whether the order must hang on nothing but what is visible. */
export function sourceOf(view: View, isSettled: boolean): Source {
  const { terms } = view;
  const isDefault = (graph: Place): boolean => graph?.termType === "DefaultGraph";
  /** Null: nothing can match. */
  const idOf = (term: Place): Id | null => {
    if (!term || term.termType === "Variable" || term.termType === "DefaultGraph") return UNBOUND;
    const id = terms.find(term);
    return id < 0 ? null : id;
  };
  function find(places: readonly Place[], inDefault: boolean): Iterable<Found> {
    const found = findAny(places, inDefault);
    return isSettled ? settled(view, found) : found;
  }
  function* findAny(places: readonly Place[], inDefault: boolean): Generator<Found> {
    const [s = null, p = null, o = null] = places.slice(0, 3).map(idOf);
    if (s === null || p === null || o === null) return;
    if (inDefault) {
      const all = scan(view, [s, p, o], view.defaults, null);
      yield* view.mayRepeat ? onceEach(all) : all;
      return;
    }
    const graph = idOf(places[3]);
    if (graph === null) return;
    const slot = graph === UNBOUND ? null : view.slotOf(graph);
    if (slot !== -1) yield* scan(view, [s, p, o], view.named, slot);
  }
  const quadOf = ([s, p, o, slot]: Found, inDefault: boolean): Quad =>
    quad(
      terms.get(s) as Quad["subject"],
      terms.get(p) as Quad["predicate"],
      terms.get(o),
      inDefault ? defaultGraph() : (terms.get(view.nameOf(slot)) as Quad["graph"]),
    );

  return {
    *match(...places) {
      const graph = places[3];
      if (!graph || isDefault(graph)) for (const found of find(places, true)) yield quadOf(found, true);
      if (!isDefault(graph)) for (const found of find(places, false)) yield quadOf(found, false);
    },
    *matchBindings(make, ...places) {
      for (const found of find(places, isDefault(places[3]))) {
        const values = new Map<string, readonly [Term, Id]>();
        const ids = [found[0], found[1], found[2], view.nameOf(found[3])];
        const isMatch = places.every((place, at) => {
          if (place.termType !== "Variable") return true;
          const known = values.get(place.value);
          if (!known) values.set(place.value, [place, ids[at]!]);
          return !known || known[1] === ids[at];
        });
        if (isMatch) yield make.bindings([...values.values()].map(([place, id]) => [place, terms.get(id)]));
      }
    },
    countQuads(...places) {
      let count = 0;
      // Comunica asks without a graph only for variables, which range over the named graphs.
      for (const _ of findAny(places, isDefault(places[3]))) count++;
      return count;
    },
  };
}

const noFetch = (): never => {
  throw new Problem("query-refused", "Nothing is fetched for a query");
};

/** What the engine says of a query is about its text only, or about data that the agent may read. */
function invalidQuery(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const [message = ""] = (error as Error).message.split("Error messages of failing actors"); // What follows is about the engine.
  const text = message.replaceAll(/\s+/g, " ").trim().slice(0, 300);
  return new Problem("query-invalid", text || undefined, { cause: error });
}

function checkedTerm(term: Term | { readonly termType: "Quad" }): Value {
  if (term.termType === "Quad")
    throw new Problem("query-refused", "Triple terms (SPARQL 1.2) are not supported");
  return term as Value;
}

async function* rowsOf(
  bindings: AsyncIterable<Iterable<readonly [{ readonly value: string }, Term]>>,
): AsyncGenerator<SolutionRow> {
  for await (const binding of bindings)
    yield new Map([...binding].map(([variable, term]) => [variable.value, checkedTerm(term)]));
}

async function* quadsOf(quads: AsyncIterable<Quad>): AsyncGenerator<Quad> {
  for await (const { subject, predicate, object } of quads) {
    for (const term of [subject, predicate, object]) checkedTerm(term);
    // Where a template makes no triple, it makes none; Comunica gives it all the same.
    if ((subject.termType as string) !== "Literal") yield quad(subject, predicate, object);
  }
}

async function* guarded<T>(answers: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* answers;
  } catch (error) {
    throw invalidQuery(error);
  }
}

interface Operation {
  readonly type: string;
  readonly input?: Operation;
}

let loading: Promise<QueryEngine> | null = null;
const load = (): NonNullable<typeof loading> =>
  (loading ??= import("@comunica/query-sparql").then(({ QueryEngine }) => new QueryEngine()));

/** The query in the engine's own form, without its dataset clause if it has one. */
async function withoutDataset(engine: QueryEngine, text: string, baseIri: string): Promise<unknown> {
  const explained: unknown = await engine.explain(text, { baseIRI: baseIri, sources: [] }, "parsed");
  const parsed = (explained as { data: Operation }).data;
  return parsed.type === "from" ? parsed.input : text;
}

/**
 * Evaluates a query over exactly this source: there is no other data it could see.
 * @param text Parsed and found good already, limits included; its FROM clauses are in the source, and not looked at.
 * @param baseIri After the query's own BASE.
 * @throws Problem `query-invalid`, `query-refused`; also from the iteration of what it gives.
 * @see https://www.w3.org/TR/sparql11-query/
 */
export async function evaluateInComunica(text: string, baseIri: string, source: Source): Promise<Answers> {
  const engine = await load();
  try {
    const operation = /\bfrom\b/i.test(text) ? await withoutDataset(engine, text, baseIri) : text;
    const context = { sources: [source], baseIRI: baseIri, fetch: noFetch, distinctConstruct: true };
    const result = await engine.query(operation as never, context as never);
    switch (result.resultType) {
      case "bindings":
        return { kind: "rows", rows: guarded(rowsOf((await result.execute()) as never)) };
      case "boolean":
        return { kind: "boolean", value: await result.execute() };
      case "quads":
        return { kind: "quads", quads: guarded(quadsOf((await result.execute()) as never)) };
      default:
        throw new Problem("query-refused", "Nothing is changed by a query");
    }
  } catch (error) {
    throw invalidQuery(error);
  }
}
