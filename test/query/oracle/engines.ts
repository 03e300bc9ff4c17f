/** Engines that answer SPARQL, behind one function: what is put in once runs in every comparison and measurement. */
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../../../server/errors.ts";
import { LIMITS } from "../../../server/limits.ts";
import { answerQuery } from "../../../server/query/answer.ts";
import { evaluateInComunica, type Source, sourceOf } from "../../../server/query/comunica.ts";
import { createPodIndex } from "../../../server/query/index/pod-index.ts";
import type { View } from "../../../server/query/index/view.ts";
import { ROOM } from "../../../server/query/messages.ts";
import { JSON_TYPE, type ResultLimits } from "../../../server/query/output.ts";
import { createPlans, type PlannedQuery } from "../../../server/query/plans.ts";
import { createRoom } from "../../../server/query/room.ts";
import { parseQuery } from "../../../server/query/sparql/query.ts";
import { parseText } from "../../../server/rdf/parse.ts";
import {
  blankNode,
  keyOf,
  keyOfTriple,
  namedNode,
  type Quad,
  quad,
  type Term,
  type Value,
} from "../../../server/rdf/terms.ts";
import { createChance } from "./chance.ts";
import { referenceAnswer } from "./reference.ts";
import { Free } from "./reference-values.ts";
import { fromJson } from "./results.ts";

/** A graph with a name, and where a query finds it. */
export interface GraphDocument {
  readonly name: string;
  readonly quads: readonly Quad[];
  readonly isDefault: boolean;
  readonly isNamed: boolean;
}

export type Solution = ReadonlyMap<string, Value>;
export type Outcome =
  | { readonly kind: "rows"; readonly rows: readonly Solution[] }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "graph"; readonly quads: readonly Quad[] }
  /** The engine does not take the query, or fails. */
  | { readonly kind: "refused"; readonly why: string };

export interface Engine {
  readonly name: string;
  /** @returns why this is no query; null if it is one. */
  parse(text: string, baseIri: string): Promise<string | null>;
  /** @returns what answers queries over these graphs; FROM clauses are left out of account. */
  open(graphs: readonly GraphDocument[]): (text: string, baseIri: string) => Promise<Outcome>;
}

/** Blank nodes of two documents are never the same. */
export function apart(quads: readonly Quad[], prefix: string): Quad[] {
  const own = <T extends Term>(term: T): T =>
    term.termType === "BlankNode" ? (blankNode(`${prefix}${term.value}`) as T) : term;
  return quads.map((each) => quad(own(each.subject), each.predicate, own(each.object)));
}

/** The default graph: each triple once. */
export function merged(graphs: readonly GraphDocument[]): Quad[] {
  const triples = new Map<string, Quad>();
  for (const { quads, isDefault } of graphs)
    if (isDefault) for (const each of quads) triples.set(keyOfTriple(each), each);
  return [...triples.values()];
}

/** Graphs as lists that are searched from end to end: nothing that could be wrong. */
function plainSource(graphs: readonly GraphDocument[]): Source {
  const defaults = merged(graphs).map((triple) => ({ triple, name: null as Term | null }));
  const named = graphs
    .filter(({ isNamed }) => isNamed)
    .flatMap(({ name, quads }) => {
      const graph: Term = namedNode(name);
      const triples = new Map(quads.map((each) => [keyOfTriple(each), each]));
      return [...triples.values()].map((triple) => ({ triple, name: graph as Term | null }));
    });
  const termsOf = ({ triple, name }: (typeof defaults)[number]) => [
    triple.subject,
    triple.predicate,
    triple.object,
    name,
  ];
  const all = (graph: Term | null | undefined) => (graph?.termType === "DefaultGraph" ? defaults : named);
  const find = (places: readonly (Term | null | undefined)[]) =>
    all(places[3]).filter((each) =>
      termsOf(each).every((term, at) => {
        const place = places[at];
        return (
          !place ||
          place.termType === "Variable" ||
          place.termType === "DefaultGraph" ||
          keyOf(place) === keyOf(term!)
        );
      }),
    );
  return {
    *match(...places) {
      for (const { triple, name } of find(places))
        yield quad(triple.subject, triple.predicate, triple.object, (name as Quad["graph"]) ?? undefined);
    },
    *matchBindings(make, ...places) {
      for (const each of find(places)) {
        const values = new Map<string, readonly [Term, Term]>();
        const isMatch = termsOf(each).every((term, at) => {
          const place = places[at]!;
          if (place.termType !== "Variable") return true;
          const known = values.get(place.value);
          if (!known) values.set(place.value, [place, term!]);
          return !known || keyOf(known[1]) === keyOf(term!);
        });
        if (isMatch) yield make.bindings([...values.values()]);
      }
    },
    countQuads: (...places) => find(places).length,
  };
}

const refused = (error: unknown): Outcome => ({ kind: "refused", why: (error as Error).message });

async function collected(text: string, baseIri: string, source: Source): Promise<Outcome> {
  const answers = await evaluateInComunica(text, baseIri, source);
  if (answers.kind === "boolean") return answers;
  return answers.kind === "rows"
    ? { kind: "rows", rows: await Array.fromAsync(answers.rows) }
    : { kind: "graph", quads: await Array.fromAsync(answers.quads) };
}

const comunicaMsMax = 3_000; // Now and then it waits for ever.

async function outcomeOf(text: string, baseIri: string, source: Source): Promise<Outcome> {
  const enough = new AbortController();
  const { signal } = enough;
  try {
    const late = sleep(comunicaMsMax, { kind: "refused", why: "no answer" } as const, { signal });
    late.catch(() => undefined);
    return await Promise.race([collected(text, baseIri, source), late]);
  } catch (error) {
    return refused(error);
  } finally {
    enough.abort();
  }
}

/** Comunica over plain lists: none of our own code but the list. */
export const comunica: Engine = {
  name: "Comunica",
  async parse(text, baseIri) {
    const outcome = await outcomeOf(text, baseIri, plainSource([]));
    return outcome.kind === "refused" && !outcome.why.includes("function evaluator") ? outcome.why : null;
  },
  open(graphs) {
    const source = plainSource(
      graphs.map((graph, at) => ({ ...graph, quads: apart(graph.quads, `d${at}.`) })),
    );
    return (text, baseIri) => outcomeOf(text, baseIri, source);
  },
};

const settings = (baseIri: string) => ({ baseIri, limits: LIMITS });
function faultOf(text: string, baseIri: string): string | null {
  try {
    parseQuery(text, settings(baseIri));
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.message;
  }
}

/**
 * An index that was lived in: older versions of the same documents, some forgotten, some only invisible, in a base and
 * in what came later.
 */
export function viewOf(graphs: readonly GraphDocument[]): View {
  const index = createPodIndex();
  const chance = createChance(graphs.reduce((sum, { quads }) => sum * 31 + quads.length, 7));
  let last = 0;
  const add = ({ name, quads }: GraphDocument): number => {
    index.add({ number: ++last, graph: name, quads });
    return last;
  };
  for (const graph of graphs) if (chance.is(50)) add(graph);
  if (chance.is(50)) index.compact();
  for (const number of index.numbers()) if (chance.is(50)) index.drop([number]);
  const numbers = graphs.map((graph) => {
    const number = add(graph);
    if (chance.is(20)) index.compact();
    if (chance.is(20)) index.view(Uint32Array.of(number), Uint32Array.of());
    return number;
  });
  const those = (key: "isDefault" | "isNamed") =>
    Uint32Array.from(numbers.filter((_, at) => graphs[at]![key]));
  return index.view(those("isDefault"), those("isNamed"));
}

/** What the server does with what our own engine declines. */
export const fallback: Engine = {
  name: "Comunica over a view",
  parse: (text, baseIri) => comunica.parse(text, baseIri),
  open(graphs) {
    const source = sourceOf(viewOf(graphs), true);
    return (text, baseIri) => outcomeOf(text, baseIri, source);
  },
};

const plans = createPlans(LIMITS);
const answerLimits: ResultLimits = { rowsMax: 10_000_000, bytesMax: 2 ** 31 };

/** All of an answer, as the query thread writes it. */
export async function answerBytes(
  planned: PlannedQuery,
  view: View,
  contentType: string,
  msMax: number,
  limits = answerLimits,
): Promise<{ readonly bytes: Uint8Array; readonly rows: number }> {
  const pieces: Uint8Array[] = [];
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const room = createRoom(shared, msMax, LIMITS, (bytes) => void pieces.push(bytes));
  shared[ROOM] = 2 ** 31 - 1;
  const task = { contentType, limits };
  const { bytes, rows } = await answerQuery(planned, view, task, room);
  return { bytes: pieces.length === 0 ? bytes : Buffer.concat([...pieces, bytes]), rows };
}

/** What the query thread does, from the text to the bytes. */
export const ours: Engine = {
  name: "Freehold",
  parse: (text, baseIri) => Promise.resolve(faultOf(text, baseIri)),
  open(graphs) {
    const view = viewOf(graphs);
    return async (text, baseIri) => {
      try {
        // As an owner, or as anybody else.
        const planned = plans.get(text, baseIri, text.length % 2 === 0);
        const isGraph = planned.query.form === "construct" || planned.query.form === "describe";
        const contentType = isGraph ? "application/n-triples" : JSON_TYPE;
        const { bytes } = await answerBytes(planned, view, contentType, 20_000);
        const answer = new TextDecoder().decode(bytes);
        return isGraph
          ? { kind: "graph", quads: parseText(answer, "application/n-triples", baseIri) }
          : fromJson(answer);
      } catch (error) {
        if (error instanceof Problem) return refused(error);
        throw error;
      }
    };
  },
};

/** Our parser, and the specification's definitions. */
export const reference: Engine = {
  name: "the definitions",
  parse: (text, baseIri) => Promise.resolve(faultOf(text, baseIri)),
  open(graphs) {
    return async (text, baseIri) => {
      try {
        return referenceAnswer(parseQuery(text, settings(baseIri)), graphs);
      } catch (error) {
        if (error instanceof Problem || error instanceof Free) return refused(error);
        throw error;
      }
    };
  },
};
