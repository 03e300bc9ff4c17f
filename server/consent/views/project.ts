/** Less of some triples: things of a kind, of a time, and only some of what is said of them. */
import { qudt, rdf, schema, vcard } from "@freehold/vocab";
import { keyOf, type Quad } from "../../rdf/terms.ts";
import { classesOf, type Graph, graphOf, pointingIn, withParts } from "./graph.ts";
import { isWithin, momentsOf } from "./moments.ts";

/** What a shape's things are, and what it says of them. */
export interface ShapeFields {
  readonly classes: readonly string[];
  /** The addresses of its properties; each with the shape of what it leads to, if that has one. */
  readonly properties: ReadonlyMap<string, ShapeFields | null>;
}

export interface Projection {
  /** Null: things of all kinds. */
  readonly types: readonly string[] | null;
  readonly shapes: readonly ShapeFields[] | null;
  readonly fields: readonly string[] | null;
  readonly dataFrom: number | null;
  readonly dataTo: number | null;
}

/**
 * Properties that say a value and not of what: they mean what led to them. So they come with what leads to them, and
 * never by themselves.
 */
export const VALUES: ReadonlySet<string> = new Set([
  rdf.value,
  vcard.value,
  schema.value,
  schema.currency,
  schema.unitCode,
  qudt.numericValue,
  qudt.hasUnit,
]);

/**
 * Statements by what is said: of each thing what `isGiven` names, and the values of what that leads to. A part to which
 * something hidden leads, too, keeps its value to itself, for then it is not known of which of the two it is the value.
 */
function pick(quads: readonly Quad[], isGiven: (quad: Quad) => boolean): readonly Quad[] {
  const graph = graphOf(quads);
  const given = new Set(quads.filter((quad) => !VALUES.has(quad.predicate.value) && isGiven(quad)));
  const isReached = (key: string): boolean => {
    const pointing = pointingIn(graph, key);
    return pointing.length > 0 && pointing.every((link) => given.has(link));
  };
  return quads.filter(
    (quad) => given.has(quad) || (VALUES.has(quad.predicate.value) && isReached(keyOf(quad.subject))),
  );
}

/** @param fields Addresses of properties. */
export function pickFields(quads: readonly Quad[], fields: readonly string[]): readonly Quad[] {
  const wanted = new Set(fields);
  return pick(quads, ({ predicate }) => wanted.has(predicate.value));
}

/** What one shape says of its things, and of what these lead to. */
function givenByShape(graph: Graph, shape: ShapeFields, roots: Iterable<string>, given: Set<Quad>): void {
  const nested = new Map<ShapeFields, Set<string>>();
  for (const key of roots)
    for (const quad of graph.about.get(key) ?? []) {
      const { predicate, object } = quad;
      if (predicate.value === rdf.type) {
        if (shape.classes.includes(object.value)) given.add(quad);
        continue;
      }
      const inner = shape.properties.get(predicate.value);
      if (inner === undefined) continue;
      given.add(quad);
      if (inner && object.termType !== "Literal") {
        const keys = nested.get(inner) ?? new Set();
        nested.set(inner, keys.add(keyOf(object)));
      }
    }
  for (const [inner, keys] of nested) givenByShape(graph, inner, keys, given);
}

/** Things of these shapes, wherever they are, with what the shapes say of them. */
export function pickShapes(quads: readonly Quad[], shapes: readonly ShapeFields[]): readonly Quad[] {
  const graph = graphOf(quads);
  const given = new Set<Quad>();
  for (const shape of shapes) {
    const things = [...graph.about.keys()].filter((key) =>
      classesOf(graph, key).some((name) => shape.classes.includes(name)),
    );
    givenByShape(graph, shape, things, given);
  }
  const named = new Set(given);
  const picked = new Set(pick(quads, (quad) => named.has(quad)));
  // A shape may name such a value itself, as a property of its things.
  return quads.filter((quad) => named.has(quad) || picked.has(quad));
}

/** Things that have one of these classes, with what belongs to them alone. */
export function pickTypes(quads: readonly Quad[], types: readonly string[]): readonly Quad[] {
  const graph = graphOf(quads);
  const things = [...graph.about.keys()].filter((key) =>
    classesOf(graph, key).some((name) => types.includes(name)),
  );
  const kept = withParts(graph, things);
  return quads.filter(({ subject }) => kept.has(keyOf(subject)));
}

/** What happened between these times, both inclusive; null: open. What does not say when it was is left out. */
export function pickTimes(quads: readonly Quad[], from: number | null, to: number | null): readonly Quad[] {
  const graph = graphOf(quads);
  const kept = new Set([...graph.about.keys()].filter((key) => isWithin(momentsOf(graph, key), from, to)));
  return quads.filter(({ subject }) => kept.has(keyOf(subject)));
}

/** Kinds and times first, for what says them may be no field that is given. */
export function project(quads: readonly Quad[], projection: Projection): readonly Quad[] {
  const { types, shapes, fields, dataFrom, dataTo } = projection;
  let left = quads;
  if (types) left = pickTypes(left, types);
  if (dataFrom !== null || dataTo !== null) left = pickTimes(left, dataFrom, dataTo);
  if (shapes) left = pickShapes(left, shapes);
  return fields ? pickFields(left, fields) : left;
}
