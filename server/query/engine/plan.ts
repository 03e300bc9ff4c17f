/**
 * A compiled query: what is to be done, with a place in the row for each variable, and nothing said of the data. The
 * same plan serves every dataset; which order is best is decided when one is there.
 */
import type { Value } from "../../rdf/terms.ts";
import type { Aggregate, Expression, Path, Pattern, Query, TriplePattern } from "../sparql/algebra.ts";

/** The place of a variable in the row. */
export type PlaceNumber = number;
/** No variable has this place: it is never bound. What is not in scope is read from here. */
export const NOWHERE: PlaceNumber = 0;

/** Where patterns are matched: null is the default graph; else the place of the graph's name. */
export type ActiveGraph = PlaceNumber | null;

/** An expression together with what it can see. */
export interface Scoped {
  readonly expression: Expression;
  place(variable: string): PlaceNumber;
  /** Places that must be bound before it means what it should; `null` when only the end of its pattern will do. */
  readonly needs: readonly PlaceNumber[] | null;
  /** The patterns of its EXISTS, compiled. */
  readonly patterns: ReadonlyMap<Pattern, Node>;
}

/**
 * What keeps or drops a row, and binds nothing.
 * @property after It comes before the optional of that number at the latest: those may bind what it sees unbound.
 */
export type Condition =
  | { readonly kind: "test"; readonly scoped: Scoped; readonly after: number }
  /** MINUS with variables that both sides always bind: no solution of `right` has these values. */
  | {
      readonly kind: "absent";
      readonly right: Node;
      readonly needs: readonly PlaceNumber[];
      readonly after: number;
    };

export interface Assignment {
  readonly place: PlaceNumber;
  readonly scoped: Scoped;
  /** Nothing else in its join can bind the place, so it has all that it will ever have. */
  readonly isFinal: boolean;
}

interface Binding {
  /** Places that it can bind. */
  readonly binds: readonly PlaceNumber[];
  /** Those that have a value after it, always. */
  readonly always: readonly PlaceNumber[];
  /** Those that must have a value before it. */
  readonly wants: readonly PlaceNumber[];
}

/** A term of the query has a place too, which is filled before anything else. */
export interface ScanNode extends Binding {
  readonly kind: "scan";
  readonly subject: PlaceNumber;
  readonly predicate: PlaceNumber;
  readonly object: PlaceNumber;
  readonly graph: ActiveGraph;
  /** A variable that stands twice is matched into a place of its own, then compared. */
  readonly same: readonly (readonly [PlaceNumber, PlaceNumber])[];
}

export interface PathNode extends Binding {
  readonly kind: "path";
  readonly subject: PlaceNumber;
  readonly path: Path;
  readonly object: PlaceNumber;
  readonly graph: ActiveGraph;
  /** A term of the query, or put in by EXISTS: an empty path fits it whether or not it stands in the graph. */
  readonly isTerm: { readonly subject: boolean; readonly object: boolean };
}

export interface ValuesNode extends Binding {
  readonly kind: "values";
  readonly places: readonly PlaceNumber[];
  readonly rows: readonly (readonly (Value | null)[])[];
}

/** Texts of the pod that match; only beside what finds them in a graph, for not all of them may be visible. */
export interface TextsNode extends Binding {
  readonly kind: "texts";
  readonly place: PlaceNumber;
  readonly query: string;
}

/** The named graphs, or one of them if it is there. */
export interface GraphsNode extends Binding {
  readonly kind: "graphs";
  readonly name: PlaceNumber;
}

export interface UnionNode extends Binding {
  readonly kind: "union";
  readonly branches: readonly Node[];
}

export interface JoinNode extends Binding {
  readonly kind: "join";
  /** Evaluated before all else: what the others bind must not be bound before it. */
  readonly first: Node | null;
  /** In any order. */
  readonly items: readonly Node[];
  /** In this order, after all items. */
  readonly optionals: readonly Node[];
  readonly assignments: readonly Assignment[];
  readonly conditions: readonly Condition[];
}

export interface ExtendNode extends Binding {
  readonly kind: "extend";
  readonly input: Node;
  readonly place: PlaceNumber;
  readonly scoped: Scoped;
}

export interface FilterNode extends Binding {
  readonly kind: "filter";
  readonly input: Node;
  readonly conditions: readonly Scoped[];
}

/** Evaluated by itself, with places of its own, and joined as a table. */
export interface TableNode extends Binding {
  readonly kind: "table";
  readonly root: Node;
  readonly columns: readonly {
    readonly from: PlaceNumber;
    readonly to: PlaceNumber;
    readonly isCertain: boolean;
  }[];
  /** Its solutions depend on what stands here; without any it is evaluated once. */
  readonly depends: readonly PlaceNumber[];
  /** Values that EXISTS puts in. */
  readonly given: readonly { readonly from: PlaceNumber; readonly to: PlaceNumber }[];
}

/** MINUS where a variable that both sides can bind may be unbound in one. */
export interface MinusNode extends Binding {
  readonly kind: "minus";
  readonly input: Node;
  readonly right: TableNode;
}

export interface GroupNode extends Binding {
  readonly kind: "group";
  readonly input: Node;
  readonly keys: readonly { readonly place: PlaceNumber; readonly scoped: Scoped }[];
  readonly aggregates: readonly {
    readonly place: PlaceNumber;
    readonly aggregate: Aggregate;
    readonly scoped: Scoped | null;
  }[];
  /** Places of the variables in scope: what makes two solutions different. */
  readonly visible: readonly PlaceNumber[];
}

export interface OrderNode extends Binding {
  readonly kind: "order";
  readonly input: Node;
  readonly by: readonly { readonly scoped: Scoped; readonly isDescending: boolean }[];
  /** What must be kept of each row. */
  readonly places: readonly PlaceNumber[];
  /** Only the first so many are wanted. */
  readonly first: number | null;
  /**
   * What decides between rows that are equal by all keys: what the terms at these places say. They are among `places`.
   * Null: they stay in the order in which they came, which hangs on what else is in the pod.
   */
  readonly tie: readonly PlaceNumber[] | null;
  /** Each row is a row of the answer: when there are more than it may have, no more are wanted. */
  readonly isAnswer: boolean;
}

export interface DistinctNode extends Binding {
  readonly kind: "distinct";
  readonly input: Node;
  readonly places: readonly PlaceNumber[];
}

export interface SliceNode extends Binding {
  readonly kind: "slice";
  readonly input: Node;
  readonly offset: number;
  readonly limit: number | null;
}

export type Node =
  | ScanNode
  | PathNode
  | ValuesNode
  | TextsNode
  | GraphsNode
  | UnionNode
  | JoinNode
  | ExtendNode
  | FilterNode
  | TableNode
  | MinusNode
  | GroupNode
  | OrderNode
  | DistinctNode
  | SliceNode;

export interface Plan {
  /** Whether the order of the answer hangs on nothing but what stands in it: see `settled.ts`. */
  readonly isSettled: boolean;
  readonly form: Query["form"];
  readonly baseIri: string;
  /** How many places a row has. */
  readonly width: number;
  /** The terms of the query's patterns, and their places. */
  readonly constants: readonly { readonly place: PlaceNumber; readonly term: Value }[];
  readonly root: Node;
  /** Of SELECT, in its order; empty for other forms. */
  readonly variables: readonly string[];
  /** Where the variables of SELECT stand. */
  readonly places: readonly PlaceNumber[];
  /** Of CONSTRUCT. */
  readonly template: readonly TriplePattern[];
  /** Of DESCRIBE: places, of which some are terms of the query. */
  readonly targets: readonly PlaceNumber[];
  /** What variables are called, by place: for EXPLAIN. */
  readonly names: ReadonlyMap<PlaceNumber, string>;
  /** The place of a variable of the template; NOWHERE for one that no solution binds. */
  place(variable: string): PlaceNumber;
}
