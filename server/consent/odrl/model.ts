/**
 * ODRL 2.2 as far as this server uses it: sets of permissions and prohibitions, with duties, constraints and logical
 * constraints. What is not here is not passed over but refused when read.
 * @see https://www.w3.org/TR/odrl-model/
 */

/** An address, or a literal of a datatype. */
export interface OdrlValue {
  readonly value: string;
  /** Address of the datatype; null: the value is an address itself. */
  readonly datatype: string | null;
}

export type Operator =
  | "eq"
  | "neq"
  | "lt"
  | "lteq"
  | "gt"
  | "gteq"
  | "isA"
  | "isPartOf"
  | "hasPart"
  | "isAnyOf"
  | "isAllOf"
  | "isNoneOf";

export type Logic = "and" | "or" | "xone" | "andSequence";

export type OdrlConstraint =
  | {
      readonly kind: "comparison";
      readonly uid: string | null;
      readonly leftOperand: string;
      readonly operator: Operator;
      readonly rightOperand: readonly OdrlValue[];
    }
  | {
      readonly kind: "logical";
      readonly uid: string | null;
      readonly logic: Logic;
      readonly operands: readonly OdrlConstraint[];
    };

/** Nothing said of action, assignee or target means any. Of several, one is enough: they are as many rules in one. */
export interface OdrlRule {
  readonly uid: string | null;
  readonly kind: "permission" | "prohibition";
  /** For people; null: nothing is said. */
  readonly description: string | null;
  readonly actions: readonly string[];
  readonly assignees: readonly string[];
  readonly targets: readonly string[];
  readonly constraints: readonly OdrlConstraint[];
  /** Duties that a permission comes with. */
  readonly duties: readonly OdrlDuty[];
}

export interface OdrlDuty {
  readonly uid: string | null;
  readonly action: string;
}

/** What counts where a permission and a prohibition both apply. */
export type Conflict = "perm" | "prohibit" | "invalid";

export interface OdrlPolicy {
  readonly uid: string;
  readonly type: "Set" | "Agreement" | "Offer";
  readonly conflict: Conflict;
  readonly rules: readonly OdrlRule[];
}

/** What somebody wants to do. */
export interface OdrlRequest {
  readonly action: string;
  readonly assignee: string;
  readonly target: string;
}

/** What is so at the moment of asking. */
export interface World {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Values of left operands, but `odrl:dateTime`, which is the clock. */
  readonly operands: ReadonlyMap<string, readonly OdrlValue[]>;
  /** Whether one is the other or stands under it: `skos:broader*` or `rdfs:subClassOf*`, as ODRL itself does not say. */
  readonly isA: (narrow: string, broad: string) => boolean;
  /** Whether a person or thing belongs to a collection. */
  readonly isPartOf: (member: string, collection: string) => boolean;
  /** What became of a duty, by its name; unknown while it can still be fulfilled. */
  readonly dutyState: (uid: string | null) => "fulfilled" | "violated" | "unknown";
}
