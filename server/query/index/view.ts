/**
 * What a query sees: quads as numbers, in several sorted orders, and which graphs of them it may look into.
 * Nothing that is not visible is ever scanned past the test of its graph.
 */
import type { Value } from "../../rdf/terms.ts";

/** Stands for one term: two terms have the same id exactly if they are the same term. Valid within one view. */
export type Id = number;
/** In a row: the variable has no value. */
export const UNBOUND: Id = 0xffff_ffff;
/** Of an expression: its evaluation is an error. Never in a row. */
export const ERROR: Id = 0xffff_fffe;

/**
 * What kind of term an id is, so that comparing needs no strings. Numeric kinds are from `integer` to `double`.
 * `kindOf` and `numberOf` in kinds.ts decide it, for the terms that a query computes too.
 */
export const KINDS = Object.freeze({
  iri: 0,
  blank: 1,
  /** xsd:string */
  string: 2,
  langString: 3,
  /** xsd:integer and all that is derived from it. */
  integer: 4,
  decimal: 5,
  float: 6,
  double: 7,
  boolean: 8,
  /** xsd:dateTime with a time zone; `num` is milliseconds since 1970, with a fraction. */
  dateTime: 9,
  /** xsd:dateTime without a time zone; `num` as if it were UTC. */
  localDateTime: 10,
  date: 11,
  time: 12,
  duration: 13,
  /** Any other datatype, known or not; and a known one whose text is not one of its values. */
  other: 14,
});
export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** Where a text stands: filled by whoever is asked, so that nothing is made for each. */
export interface Span {
  /** UTF-8. */
  heap: Uint8Array;
  from: number;
  to: number;
}

/** The terms of one pod, by id from 0 to `size - 1`. */
export interface Terms {
  readonly size: number;
  /** @returns -1 when there is no such term. */
  find(term: Value): Id;
  get(id: Id): Value;
  kind(id: Id): Kind;
  /** The value of a number, a boolean (0, 1) or a moment; NaN for all else. An integer or decimal may be rounded: see its text then. */
  num(id: Id): number;
  /**
   * Whether `num` says all that the text does, so that the text need not be read: an integer or decimal of at most 15
   * digits, a dateTime in UTC (`Z`) to the millisecond. Without it the text is read (see `valueOf` in `engine/values.ts`).
   */
  exact?(id: Id): boolean;
  /**
   * Where the bytes of an IRI, or of a literal without its language or datatype, stand.
   * @returns false where they stand nowhere: of a blank node, and of what a query computed.
   */
  span?(id: Id, into: Span): boolean;
  /**
   * 32 bits of what the term says: the same for the same term, whatever else is there, and whoever else wrote it. Of a
   * blank node, which says nothing: 0.
   */
  hash(id: Id): number;
}

/**
 * Rows sorted by (first, second, third, graph). Rows whose first is `id` stand from `start(id)` up to, and without,
 * `end(id)`; both are equal when there is none.
 */
export interface Order {
  start(first: Id): number;
  end(first: Id): number;
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly third: Uint32Array;
  /** Graph slots. */
  readonly graph: Uint32Array;
}

export interface Segment {
  readonly length: number;
  readonly spo: Order;
  readonly pos: Order;
  readonly osp: Order;
  /** Sorted by (graph, subject, predicate, object): rows of slot `g` from `graphStart(g)` to `graphEnd(g)`. */
  readonly byGraph: {
    readonly subject: Uint32Array;
    readonly predicate: Uint32Array;
    readonly object: Uint32Array;
  };
  graphStart(slot: number): number;
  graphEnd(slot: number): number;
}

/**
 * One dataset. A graph slot is one version of one document (a graph with one name); within a view each visible slot has
 * a name of its own. The same triple may be in several slots, and then in several segments: in the default graph it is
 * one triple (RDF merge), so whoever scans it must give it once.
 */
export interface View {
  readonly terms: Terms;
  /** Few; the largest first. */
  readonly segments: readonly Segment[];
  readonly slotCount: number;
  /** By slot, 1 where the graph is part of the default graph. */
  readonly defaults: Uint8Array;
  /** By slot, 1 where it is a named graph. */
  readonly named: Uint8Array;
  /** How many slots are 1 in `defaults`, in `named`. */
  readonly defaultCount: number;
  readonly namedCount: number;
  /** The id of a slot's name. */
  nameOf(slot: number): Id;
  /** The visible named slot of that name; -1 when there is none. */
  slotOf(name: Id): number;
  /** Whether any triple stands in more than one visible slot of `defaults`; false saves the test. */
  readonly mayRepeat: boolean;
}
