/**
 * SPARQL queries and updates as values: what the parser makes, and all that the evaluator knows of a query.
 * The operators are those of https://www.w3.org/TR/sparql11-query/#sparqlAlgebra, made by its section 18.2.
 */
import type { Literal, NamedNode, Value } from "../../rdf/terms.ts";

/**
 * A variable by its name, without the question mark. A blank node of a pattern is a variable too, whose name begins
 * with `_:`: it can be joined, never projected. Names that begin with `.` are the translation's own.
 */
export interface Variable {
  readonly termType: "Variable";
  readonly value: string;
}

/** A place in a pattern. Blank nodes are variables there; in a template of CONSTRUCT or INSERT they are themselves. */
export type Place = Value | Variable;

export interface TriplePattern {
  readonly subject: Place;
  readonly predicate: NamedNode | Variable;
  readonly object: Place;
}

/** https://www.w3.org/TR/sparql11-query/#propertypaths: what is no plain predicate, sequence or inverse (those become triples). */
export type Path =
  | { readonly kind: "link"; readonly predicate: NamedNode }
  | { readonly kind: "inverse"; readonly path: Path }
  | { readonly kind: "sequence"; readonly paths: readonly Path[] }
  | { readonly kind: "alternative"; readonly paths: readonly Path[] }
  | { readonly kind: "zeroOrMore" | "oneOrMore" | "zeroOrOne"; readonly path: Path }
  /** `!(a|^b)` */
  | { readonly kind: "not"; readonly forward: readonly NamedNode[]; readonly backward: readonly NamedNode[] };

export type Expression =
  | { readonly kind: "term"; readonly term: NamedNode | Literal }
  | { readonly kind: "variable"; readonly name: string }
  /** `=`, `!=`, `<`, `>`, `<=`, `>=`, `+`, `-`, `*`, `/`, `&&`, `||`, `!`, `unary-`, `unary+`. */
  | { readonly kind: "operator"; readonly operator: Operator; readonly operands: readonly Expression[] }
  | {
      readonly kind: "in";
      readonly negated: boolean;
      readonly operand: Expression;
      readonly list: readonly Expression[];
    }
  /** A built-in by its name in capitals (`REGEX`, `COALESCE`, `IF`, `BOUND`, …), operands in order. */
  | { readonly kind: "call"; readonly name: string; readonly operands: readonly Expression[] }
  /** A function named by an IRI: the casts of XML Schema, or one that is unknown. */
  | { readonly kind: "function"; readonly iri: string; readonly operands: readonly Expression[] }
  | { readonly kind: "exists"; readonly negated: boolean; readonly pattern: Pattern };

export type Operator =
  | "=" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "-" | "*" | "/" | "&&" | "||" | "!" | "unary-" | "unary+"; // biome-ignore format: a list

export interface Aggregate {
  readonly name: "COUNT" | "SUM" | "MIN" | "MAX" | "AVG" | "SAMPLE" | "GROUP_CONCAT";
  readonly distinct: boolean;
  /** Null for `COUNT(*)`. */
  readonly operand: Expression | null;
  /** Of GROUP_CONCAT; a space unless said. */
  readonly separator: string;
}

export type Pattern =
  /** An empty one is the pattern that matches once and binds nothing. */
  | { readonly kind: "bgp"; readonly triples: readonly TriplePattern[] }
  | { readonly kind: "path"; readonly subject: Place; readonly path: Path; readonly object: Place }
  | { readonly kind: "join"; readonly left: Pattern; readonly right: Pattern }
  | {
      readonly kind: "leftJoin";
      readonly left: Pattern;
      readonly right: Pattern;
      readonly condition: Expression | null;
    }
  | { readonly kind: "union"; readonly left: Pattern; readonly right: Pattern }
  | { readonly kind: "minus"; readonly left: Pattern; readonly right: Pattern }
  | { readonly kind: "filter"; readonly input: Pattern; readonly condition: Expression }
  | {
      readonly kind: "extend";
      readonly input: Pattern;
      readonly variable: string;
      readonly expression: Expression;
    }
  | {
      readonly kind: "values";
      readonly variables: readonly string[];
      readonly rows: readonly (readonly (NamedNode | Literal | null)[])[];
    }
  | { readonly kind: "graph"; readonly name: NamedNode | Variable; readonly input: Pattern }
  | {
      readonly kind: "service";
      readonly name: NamedNode | Variable;
      readonly silent: boolean;
      readonly input: Pattern;
    }
  /** Keys are evaluated into their variables, aggregates into theirs; one group without keys when there are none. */
  | {
      readonly kind: "group";
      readonly input: Pattern;
      readonly keys: readonly { readonly variable: string; readonly expression: Expression }[];
      readonly aggregates: readonly { readonly variable: string; readonly aggregate: Aggregate }[];
    }
  | {
      readonly kind: "order";
      readonly input: Pattern;
      readonly by: readonly { readonly expression: Expression; readonly descending: boolean }[];
    }
  /** A sub-select is a pattern that ends in one of these: variables that it does not project are its own. */
  | { readonly kind: "project"; readonly input: Pattern; readonly variables: readonly string[] }
  | { readonly kind: "distinct" | "reduced"; readonly input: Pattern }
  /** @param limit Null: all. */
  | {
      readonly kind: "slice";
      readonly input: Pattern;
      readonly offset: number;
      readonly limit: number | null;
    };

/** `FROM` and `FROM NAMED`; null where the query has neither. */
export interface DatasetClause {
  readonly defaults: readonly string[];
  readonly named: readonly string[];
}

interface QueryParts {
  readonly from: DatasetClause | null;
  readonly baseIri: string;
}

export type Query =
  /** `pattern` ends in project, and around it distinct, reduced, slice. */
  | (QueryParts & {
      readonly form: "select";
      readonly variables: readonly string[];
      readonly pattern: Pattern;
    })
  | (QueryParts & { readonly form: "ask"; readonly pattern: Pattern })
  | (QueryParts & {
      readonly form: "construct";
      readonly template: readonly TriplePattern[];
      readonly pattern: Pattern;
    })
  /** What is described: IRIs as they are, variables from the pattern. */
  | (QueryParts & {
      readonly form: "describe";
      readonly targets: readonly (NamedNode | Variable)[];
      readonly pattern: Pattern;
    });

export interface QuadPattern extends TriplePattern {
  /** Null: the default graph, or the one that WITH names. */
  readonly graph: NamedNode | Variable | null;
}
/** What CLEAR, DROP, ADD, MOVE and COPY act on. */
export type GraphReference =
  | { readonly kind: "default" | "named" | "all" }
  | { readonly kind: "graph"; readonly name: string };

/** https://www.w3.org/TR/sparql11-update/ */
export type UpdateOperation =
  | { readonly kind: "insertData" | "deleteData"; readonly quads: readonly QuadPattern[] }
  | {
      readonly kind: "modify";
      readonly with: string | null;
      readonly using: DatasetClause | null;
      readonly remove: readonly QuadPattern[];
      readonly insert: readonly QuadPattern[];
      readonly where: Pattern;
    }
  | { readonly kind: "load"; readonly silent: boolean; readonly from: string; readonly into: string | null }
  | { readonly kind: "clear" | "drop"; readonly silent: boolean; readonly graph: GraphReference }
  | { readonly kind: "create"; readonly silent: boolean; readonly graph: string }
  | {
      readonly kind: "add" | "move" | "copy";
      readonly silent: boolean;
      readonly from: GraphReference;
      readonly to: GraphReference;
    };

export interface Update {
  readonly baseIri: string;
  readonly operations: readonly UpdateOperation[];
}
