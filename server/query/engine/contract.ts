/** How the parts of the evaluator fit: rows of ids, expressions over rows, and what stops an evaluation. */
import type { Literal, Value } from "../../rdf/terms.ts";
import type { Id, Terms } from "../index/view.ts";
import type { Pattern } from "../sparql/algebra.ts";

/** The current solution: one place for each variable of the query, `UNBOUND` where it has no value. */
export type Row = Uint32Array;

/** Terms of the pod, and above them those that this query computed. Gone with the query. */
export interface QueryTerms extends Terms {
  /** From here on, ids are of terms that this query computed. */
  readonly computedFrom: Id;
  /** The id of a term, be it in the pod or not: the same for the same term, always. */
  intern(term: Value): Id;
}

/** A query that the evaluator does not do: it goes to the other engine. Thrown while compiling only. */
export class Unsupported extends Error {}

/** Stops what takes too long or too much. */
export interface Control {
  /** Called at least once in 4,096 steps of any loop. @throws Problem `query-timeout` when the time is over. */
  check(): void;
  /** Rows, groups or terms that are held at once; below zero, that are not held any more. @throws Problem `query-refused` beyond the limit. */
  hold(count: number): void;
}

/** What an expression needs while it is compiled. */
export interface ExpressionContext {
  /** Whether no order may hang on what else is in the pod. */
  readonly isSettled?: boolean;
  readonly terms: QueryTerms;
  readonly control: Control;
  /** The place of a variable in a row. */
  place(variable: string): number;
  readonly baseIri: string;
  /** NOW(): the same in the whole query. */
  readonly now: Literal;
  /**
   * Another number for each solution, for `BNODE("label")` is one node within a solution and another in the next: raised
   * for each row that reaches the first of a chain of `extend`.
   */
  solution(): number;
  /** EXISTS, with the row's bindings put in. */
  exists(pattern: Pattern): (row: Row) => boolean;
}

/** @returns `ERROR` for an error, an unbound variable included. */
export type Compute = (row: Row) => Id;
/** FILTER: an error is false. */
export type Test = (row: Row) => boolean;

/** Of one group; `finish` gives `ERROR` where the aggregate is an error. */
export interface Accumulator {
  add(row: Row): void;
  finish(): Id;
}
