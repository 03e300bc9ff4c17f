/** SPARQL, behind two functions: text to a plan, plan and dataset to answers. Only this file knows the engine. */
import { QueryEngine } from "@comunica/query-sparql";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Quad, Value } from "../rdf/terms.ts";
import type { Dataset } from "./dataset.ts";
import type { DatasetDescription, Reach } from "./scope.ts";

export type QueryForm = "select" | "ask" | "construct" | "describe";

export interface Plan {
  readonly form: QueryForm;
  /** Names after FROM and FROM NAMED; null where the query has no such clause. */
  readonly from: DatasetDescription | null;
  /** The graphs its patterns can look into. */
  readonly reach: Reach;
  /** In the order of SELECT; empty for other forms. */
  readonly variables: readonly string[];
  /** The engine's own form of the query, without its dataset clause. */
  readonly algebra: unknown;
}

export type Row = ReadonlyMap<string, Value>;

export type Answers =
  | { readonly kind: "rows"; readonly rows: AsyncIterable<Row> }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "quads"; readonly quads: AsyncIterable<Quad> };

interface Operation {
  readonly type: string;
  readonly input?: Operation;
  readonly [member: string]: unknown;
}

const engine = new QueryEngine();

const FORMS: Readonly<Record<string, QueryForm>> = {
  project: "select",
  ask: "ask",
  construct: "construct",
  describe: "describe",
};
const REFUSED: Readonly<Record<string, string>> = { service: "SERVICE", load: "LOAD" };
const OF_SELECT = new Set(["slice", "distinct", "reduced", "orderby", "extend", "filter", "group"]);

/** What the engine says of a query is about its text only; the dataset is not there yet, or holds nothing hidden. */
function invalidQuery(error: unknown): Problem {
  const [message = ""] = (error as Error).message.split("Error messages of failing actors"); // What follows is about the engine.
  const text = message.replaceAll(/\s+/g, " ").trim().slice(0, 300);
  return new Problem("query-invalid", text || undefined, { cause: error });
}

/** Refuses what this server does not do, wherever in the query it stands, and finds what it can look into. */
function check(operation: unknown, limits: Limits): Reach {
  let patterns = 0;
  let defaults = false;
  let anyNamed = false;
  const named = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    const { type, operator, args, termType, graph } = value as {
      type?: string;
      operator?: string;
      args?: unknown[];
      termType?: string;
      graph?: { termType: string; value: string };
    };
    if (type !== undefined && REFUSED[type])
      throw new Problem("query-refused", `${REFUSED[type]} is not done here: nothing is fetched for a query`);
    if (termType === "Quad" && type !== "pattern")
      throw new Problem("query-refused", "Triple terms (SPARQL 1.2) are not supported");
    if (termType !== undefined && termType !== "Quad") return;
    if (type === "pattern" || type === "path") {
      if (++patterns > limits.queryPatternsMax) {
        throw new Problem("query-refused", `A query has at most ${limits.queryPatternsMax} patterns`);
      }
      if (graph?.termType === "NamedNode") named.add(graph.value);
      else if (graph?.termType === "DefaultGraph") defaults = true;
      else anyNamed = true;
    } else if (type === "describe") defaults = true;
    if (operator === "regex" || operator === "replace") {
      const pattern = (args?.[1] as { term?: { value: string } } | undefined)?.term?.value ?? "";
      if (Buffer.byteLength(pattern) > limits.queryRegexBytesMax) {
        throw new Problem(
          "query-refused",
          `A regular expression has at most ${limits.queryRegexBytesMax} bytes`,
        );
      }
    }
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(operation);
  return { defaults, named: anyNamed ? "all" : [...named] };
}

/**
 * @param baseIri What relative IRIs in the query are resolved against.
 * @throws Problem `query-invalid`, `query-refused`.
 * @see https://www.w3.org/TR/sparql11-query/
 */
export async function planQuery(text: string, baseIri: string, limits: Limits): Promise<Plan> {
  let operation: Operation;
  try {
    const explained = (await engine.explain(
      text,
      { baseIRI: baseIri, sources: [] },
      "parsed",
    )) as unknown as { data: Operation };
    operation = explained.data;
  } catch (error) {
    throw invalidQuery(error);
  }
  const reach = check(operation, limits);
  const names = (terms: unknown): string[] => (terms as { value: string }[]).map(({ value }) => value);
  const from =
    operation.type === "from" ? { defaults: names(operation.default), named: names(operation.named) } : null;
  const algebra = operation.type === "from" ? operation.input! : operation;
  let outer = algebra;
  while (OF_SELECT.has(outer.type) && outer.input) outer = outer.input;
  const form = FORMS[outer.type];
  if (form === undefined)
    throw new Problem(
      "query-refused",
      "Only SELECT, ASK, CONSTRUCT and DESCRIBE are answered here; nothing is changed by a query",
    );
  return { form, from, reach, variables: form === "select" ? names(outer.variables) : [], algebra };
}

async function* rowsOf(
  bindings: AsyncIterable<Iterable<readonly [{ readonly value: string }, unknown]>>,
): AsyncGenerator<Row> {
  for await (const binding of bindings) {
    const row = new Map<string, Value>();
    for (const [variable, term] of binding) {
      if ((term as { termType: string }).termType === "Quad")
        throw new Problem("query-refused", "Triple terms (SPARQL 1.2) are not supported");
      row.set(variable.value, term as Value);
    }
    yield row;
  }
}

/** What an engine throws while it evaluates, as a problem; ours pass through. */
async function* guarded<T>(answers: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* answers;
  } catch (error) {
    throw error instanceof Problem ? error : invalidQuery(error);
  }
}

const noFetch = (): never => {
  throw new Problem("query-refused", "Nothing is fetched for a query");
};

/**
 * Evaluates a plan over exactly this dataset: there is no other data it could see.
 * @throws Problem `query-invalid` for what only evaluation finds, such as an unknown function.
 */
export async function evaluate({ algebra }: Plan, dataset: Dataset, baseIri: string): Promise<Answers> {
  try {
    const result = await engine.query(
      algebra as never,
      { sources: [dataset as never], baseIRI: baseIri, fetch: noFetch, distinctConstruct: true } as never,
    );
    switch (result.resultType) {
      case "bindings":
        return { kind: "rows", rows: guarded(rowsOf((await result.execute()) as never)) };
      case "boolean":
        return { kind: "boolean", value: await result.execute() };
      case "quads":
        return { kind: "quads", quads: guarded((await result.execute()) as unknown as AsyncIterable<Quad>) };
      default:
        throw new Problem("query-refused", "Nothing is changed by a query");
    }
  } catch (error) {
    throw error instanceof Problem ? error : invalidQuery(error);
  }
}
