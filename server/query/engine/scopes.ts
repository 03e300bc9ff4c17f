/** Where variables and terms of a query stand in the row, and what the patterns of a query can see of them. */
import { keyOf, type Value } from "../../rdf/terms.ts";
import type { Place } from "../sparql/algebra.ts";
import {
  type ActiveGraph,
  type Condition,
  NOWHERE,
  type Node,
  type PlaceNumber,
  type Plan,
  type Scoped,
} from "./plan.ts";

/** Names to places. What is local to a part of the query gets places that nothing else has. */
export interface Scope {
  place(name: string): PlaceNumber;
  find(name: string): PlaceNumber;
}

/** Where a pattern stands. */
export interface Frame {
  readonly scope: Scope;
  readonly graph: ActiveGraph;
  /** Variables that EXISTS puts values in for: everything inside can see them. */
  readonly given: ReadonlySet<string>;
  /** Expressions see these too: what is given, and the variable of GRAPH. */
  readonly seen: ReadonlySet<string>;
}

/** The parts of a join, while it is put together. */
export interface Parts {
  first: Node | null;
  readonly items: Node[];
  readonly optionals: Node[];
  readonly assignments: { place: PlaceNumber; scoped: Scoped }[];
  readonly conditions: Condition[];
}

export const EMPTY: ReadonlySet<string> = new Set();

export const flat = (lists: readonly (readonly PlaceNumber[])[]): readonly PlaceNumber[] => [
  ...new Set(lists.flat()),
];
export const restrict = (names: ReadonlySet<string>, to: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...names].filter((name) => to.has(name)));
export const add = (names: ReadonlySet<string>, more: ReadonlySet<string>): ReadonlySet<string> =>
  more.size === 0 ? names : new Set([...names, ...more]);

export const noParts = (): Parts => ({
  first: null,
  items: [],
  optionals: [],
  assignments: [],
  conditions: [],
});

/** The places of one query. */
export class Places {
  /** Place 0 is NOWHERE. */
  #width = 1;
  readonly #constants = new Map<string, { readonly place: PlaceNumber; readonly term: Value }>();
  readonly names = new Map<PlaceNumber, string>();
  get width(): number {
    return this.#width;
  }

  get constants(): Plan["constants"] {
    return [...this.#constants.values()];
  }

  fresh(): PlaceNumber {
    return this.#width++;
  }

  scope(shared: Iterable<readonly [string, PlaceNumber]> = []): Scope {
    const places = new Map(shared);
    return {
      place: (name) => {
        let place = places.get(name);
        if (place === undefined) {
          places.set(name, (place = this.fresh()));
          this.names.set(place, name);
        }
        return place;
      },
      find: (name) => places.get(name) ?? NOWHERE,
    };
  }

  position(position: Place, scope: Scope): PlaceNumber {
    if (position.termType === "Variable") return scope.place(position.value);
    const key = keyOf(position);
    let known = this.#constants.get(key);
    if (!known) this.#constants.set(key, (known = { place: this.fresh(), term: position }));
    return known.place;
  }
}
