/**
 * A compiled expression, in four ways to ask for its value, so that nothing is made a term that only passes through:
 * `?price * ?count > 100` computes two numbers, and `CONTAINS(LCASE(?name), "a")` one text, and neither is ever stored.
 */
import { ERROR, type Id, UNBOUND } from "../index/view.ts";
import { type Comparison, createComparison } from "./compare.ts";
import { type Compute, type ExpressionContext, type QueryTerms, type Row, Unsupported } from "./contract.ts";
import type { Numeric } from "./numbers.ts";
import type { Spelling } from "./spelling.ts";
import {
  createReader,
  createWriter,
  FAILED,
  type Reader,
  type Text,
  TRUE,
  type Truth,
  type Writer,
} from "./values.ts";

export interface Code {
  /** What it makes when it is no error; `term` is anything, known by its id, and `sum` a number, or else a moment. */
  readonly sort: "term" | "truth" | "number" | "text" | "sum";
  readonly id: Compute;
  readonly truth: (row: Row) => Truth;
  /** Null for an error, and for what is no number. */
  readonly number: (row: Row) => Numeric | null;
  /** Null for an error, and for what is no string. */
  readonly text: (row: Row) => Text | null;
  /** Of a constant: its term. */
  readonly constant: Id | null;
  /** Of a variable: its place in the row; -1 for all else. */
  readonly place: number;
  /** Of the text of a variable: how its bytes stand for it. */
  readonly spelling?: Spelling;
}

/** What the functions of one query share. */
export interface Tools {
  readonly context: ExpressionContext;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly comparison: Comparison;
  readonly labels: Labels;
}

/** Blank nodes that BNODE() made for labels, in one solution. */
export interface Labels {
  solution: number;
  readonly nodes: Map<string, Id>;
}

type Shared = Omit<Tools, "context">;
const shared = new WeakMap<QueryTerms, Shared>();

/** Each expression has a context of its own; what they know of the query's terms they share. */
export function toolsOf(context: ExpressionContext): Tools {
  const { terms } = context;
  let known = shared.get(terms);
  if (!known) {
    const reader = createReader(terms);
    const comparison = createComparison(terms, reader);
    known = { reader, comparison, writer: createWriter(terms), labels: { solution: -1, nodes: new Map() } };
    shared.set(terms, known);
  }
  return { context, ...known };
}

/** Whatever is done with a longer text takes so long that the time must be looked at, too. */
const LONG_TEXT = 10_000;

const nothing = (): null => null;

/** @param id May give `UNBOUND` for an error too. */
export function termCode({ reader, context: { control } }: Tools, id: Compute, place = -1): Code {
  return {
    sort: "term",
    id,
    truth(row) {
      const term = id(row);
      return term >= ERROR ? FAILED : reader.truth(term);
    },
    number(row) {
      const term = id(row);
      return term >= ERROR ? null : reader.numeric(term);
    },
    text(row) {
      const term = id(row);
      const text = term >= ERROR ? null : reader.text(term);
      if (text !== null && text.value.length > LONG_TEXT) control.check();
      return text;
    },
    constant: null,
    place,
  };
}

export function variableCode(tools: Tools, place: number): Code {
  const code = termCode(
    tools,
    (row) => {
      const id = row[place]!;
      return id === UNBOUND ? ERROR : id;
    },
    place,
  );
  return { ...code, spelling: { place, fold: "none", isAny: false } };
}

export function constantCode({ reader }: Tools, term: Id): Code {
  const [truth, number, text] = [reader.truth(term), reader.numeric(term), reader.text(term)];
  return {
    sort: "term",
    id: () => term,
    truth: () => truth,
    number: () => number,
    text: () => text,
    constant: term,
    place: -1,
  };
}

export function truthCode({ writer }: Tools, truth: Code["truth"]): Code {
  return {
    sort: "truth",
    id: (row) => writer.truth(truth(row)),
    truth,
    number: nothing,
    text: nothing,
    constant: null,
    place: -1,
  };
}

export function numberCode({ writer }: Tools, number: Code["number"]): Code {
  return {
    sort: "number",
    id: (row) => writer.numeric(number(row)),
    truth(row) {
      const value = number(row);
      if (value === null) return FAILED;
      return value.units === 0 || Number.isNaN(value.units) ? 0 : TRUE;
    },
    number,
    text: nothing,
    constant: null,
    place: -1,
  };
}

export function textCode({ writer }: Tools, text: Code["text"]): Code {
  return {
    sort: "text",
    id: (row) => writer.text(text(row)),
    truth(row) {
      const value = text(row);
      return value === null ? FAILED : value.value === "" ? 0 : TRUE;
    },
    number: nothing,
    text,
    constant: null,
    place: -1,
  };
}

/** A function: what it makes of its operands, once, when a query is compiled. */
export interface Function {
  readonly least: number;
  readonly most: number;
  readonly make: (operands: readonly Code[], tools: Tools) => Code;
}

/** Short for a table's rows. @param most As many as `least` when it is not given. */
export function define(make: Function["make"], least: number, most = least): Function {
  return { least, most, make };
}

export function applyFunction(
  name: string,
  found: Function | undefined,
  operands: readonly Code[],
  tools: Tools,
): Code {
  if (!found) throw new Unsupported(`${name} is not known`);
  if (operands.length < found.least || operands.length > found.most)
    throw new Unsupported(`${name} does not take ${operands.length} operands`);
  return found.make(operands, tools);
}
