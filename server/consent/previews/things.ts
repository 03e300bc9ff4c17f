/** What a few triples tell of, as a person would look at it: things, and of each what is said. Pure. */
import { rdf } from "@freehold/vocab";
import { keyOf, type Quad, type Value } from "../../rdf/terms.ts";
import { aboutIn, classesOf, type Graph, graphOf, pointingIn } from "../views/graph.ts";
import { VALUES } from "../views/project.ts";

/** One thing, as far as it is shown. */
export interface Thing {
  /** Address of its class; null when it names none. */
  readonly kind: string | null;
  readonly says: readonly {
    /** Address of the property. */
    readonly property: string;
    readonly values: readonly string[];
    /** Further values that are not shown. */
    readonly more: number;
  }[];
}

/** A property that could be left out. */
export interface Field {
  readonly property: string;
  /** Properties of whole things by which it is reached; itself, where it is one of them. */
  readonly via: readonly string[];
}

export interface Told {
  readonly things: readonly Thing[];
  /** Of how many the things are the first. */
  readonly total: number;
  readonly fields: readonly Field[];
}

const THINGS_MAX = 3;
const SAYS_MAX = 12;
const VALUES_MAX = 3;
const VALUE_LENGTH_MAX = 160;
const FIELDS_MAX = 64;
const DEEP = 3;
const PARTS_MAX = 8;

/** What stands in the place of a name that only the vendor gets. */
const CODE_NAME = "a code name";

const cut = (text: string): string =>
  text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX).trimEnd()}…`;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param genid Where names begin that are made for one vendor. */
function nameOf(iri: string, genid: string): string {
  if (iri.startsWith(genid)) return CODE_NAME;
  if (/^(?:mailto|tel):/.test(iri)) return decoded(iri.slice(iri.indexOf(":") + 1));
  if (/^https?:/.test(iri)) {
    const last = /([^/#]*)[/#]*$/.exec(iri)?.[1] ?? "";
    return last === "" ? iri : decoded(last);
  }
  return iri;
}

/** A value in words; of a part of the thing what is said of it. */
function textOf(graph: Graph, value: Value, genid: string, deep: number): string {
  if (value.termType === "Literal") return value.value;
  const about = deep < DEEP ? aboutIn(graph, keyOf(value)) : [];
  const parts = about
    .filter(({ predicate }) => predicate.value !== rdf.type)
    .slice(0, PARTS_MAX)
    .map(({ object }) => textOf(graph, object, genid, deep + 1))
    .filter((text) => text !== "" && text !== CODE_NAME);
  // "12.50 EUR", whichever of the two is said first.
  const inOrder = parts.toSorted((a, b) => Number(/^[\d.-]+$/.test(b)) - Number(/^[\d.-]+$/.test(a)));
  if (inOrder.length > 0) return inOrder.join(" ");
  return value.termType === "NamedNode" ? nameOf(value.value, genid) : "";
}

function shown(graph: Graph, key: string, genid: string): Thing {
  const said = aboutIn(graph, key).filter(({ predicate }) => predicate.value !== rdf.type);
  const groups = [...Map.groupBy(said, ({ predicate }) => predicate.value)].slice(0, SAYS_MAX);
  return {
    kind: classesOf(graph, key)[0] ?? null,
    says: groups.map(([property, quads]) => {
      const values = [...new Set(quads.map(({ object }) => textOf(graph, object, genid, 0)))].filter(Boolean);
      return {
        property,
        values: values.slice(0, VALUES_MAX).map(cut),
        more: Math.max(0, values.length - VALUES_MAX),
      };
    }),
  };
}

/** Each property, with those at the top of a thing through which it is told. */
function fieldsOf(graph: Graph, roots: readonly string[]): readonly Field[] {
  const via = new Map<string, Set<string>>();
  const note = (property: string, top: string): void =>
    void via.set(property, (via.get(property) ?? new Set()).add(top));
  const go = (key: string, top: string, deep: number): void => {
    if (deep > DEEP) return;
    for (const { predicate, object } of aboutIn(graph, key)) {
      if (predicate.value === rdf.type) continue;
      if (!VALUES.has(predicate.value)) note(predicate.value, top);
      if (object.termType !== "Literal") go(keyOf(object), top, deep + 1);
    }
  };
  for (const root of roots)
    for (const { predicate, object } of aboutIn(graph, root)) {
      if (predicate.value === rdf.type) continue;
      note(predicate.value, predicate.value);
      if (object.termType !== "Literal") go(keyOf(object), predicate.value, 1);
    }
  return [...via].slice(0, FIELDS_MAX).map(([property, tops]) => ({ property, via: [...tops] }));
}

const FIELD_ROOTS_MAX = 500; // Things of one kind say much the same.

/** @param genid Where names begin that are made for one vendor. */
export function tell(quads: readonly Quad[], genid: string): Told {
  const graph = graphOf(quads);
  const all = [...graph.about.keys()];
  const isPart = (key: string): boolean =>
    pointingIn(graph, key).some(({ subject }) => keyOf(subject) !== key);
  const roots = all.filter((key) => !isPart(key));
  const tops = roots.length > 0 ? roots : all; // They may name each other in a circle.
  const telling = tops.filter((key) =>
    aboutIn(graph, key).some(({ predicate }) => predicate.value !== rdf.type),
  );
  return {
    things: telling.slice(0, THINGS_MAX).map((key) => shown(graph, key, genid)),
    total: telling.length,
    fields: fieldsOf(graph, telling.slice(0, FIELD_ROOTS_MAX)),
  };
}
