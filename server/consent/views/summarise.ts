/**
 * The two coarsest tiers. Aggregates: what at least five things come to, by kind, property, unit and month, and always whole
 * fives, so that who asks every day does not see one of them come. Tags: that there are such things, and in which power of
 * ten their values lie.
 */
import { createHash } from "node:crypto";
import { fh, qudt, rdf, schema, xsd } from "@freehold/vocab";
import { keyOf, literal, namedNode, type Quad, quad, type Value } from "../../rdf/terms.ts";
import { aboutIn, classesOf, type Graph, graphOf, pointingIn } from "./graph.ts";
import { momentsOf } from "./moments.ts";
import { numberOf, roughly } from "./reduce.ts";

/** So many together, or nothing is told of any of them. */
const TOGETHER = 5;
const PARTS_DEEP = 4;
const UNITS: readonly string[] = [qudt.hasUnit, schema.currency, schema.priceCurrency, schema.unitCode];

interface Measured {
  readonly number: number;
  readonly day: string;
}
/** What is summed up together. */
interface Group {
  readonly of: string;
  readonly property: string;
  readonly unit: Value | null;
  /** `2026-10`; null where the things do not say when they were. */
  readonly month: string | null;
  readonly measured: Measured[];
}

/** A node and what leads to it, the nearest first. */
function upwards(graph: Graph, key: string): readonly string[] {
  const found = new Set([key]);
  let level = [key];
  for (let deep = 0; deep < PARTS_DEEP && level.length > 0; deep++) {
    level = level.flatMap((one) => pointingIn(graph, one).map(({ subject }) => keyOf(subject))).sort();
    for (const one of level) found.add(one);
  }
  return [...found];
}

/** What kind of thing something is about: of a part, what it is a part of. */
const kindsOf = (graph: Graph, path: readonly string[]): readonly string[] =>
  path.map((key) => classesOf(graph, key)).find((classes) => classes.length > 0) ?? [];

function unitOf(graph: Graph, path: readonly string[]): Value | null {
  for (const key of path)
    for (const { predicate, object } of aboutIn(graph, key))
      if (UNITS.includes(predicate.value)) return object;
  return null;
}

function dayOf(graph: Graph, key: string): string | null {
  const days = momentsOf(graph, key).map(({ value }) => value.slice(0, "2026-01-01".length));
  return days.sort()[0] ?? null;
}

const inFives = (count: number): number => count - (count % TOGETHER);

/** The same name for the same kind of answer, and no name of anything else. */
const nodeNamed = (...parts: readonly (string | null)[]) =>
  namedNode(
    `urn:freehold:summary:${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32)}`,
  );

function aggregateOf({ of, property, unit, month, measured }: Group): readonly Quad[] {
  const count = inFives(measured.length);
  if (count === 0) return [];
  // The oldest, so that what comes next stands for itself only when five have come.
  measured.sort((a, b) => (a.day === b.day ? a.number - b.number : a.day < b.day ? -1 : 1));
  const mean = measured.slice(0, count).reduce((sum, { number }) => sum + number / count, 0);
  const node = nodeNamed("aggregate", of, property, unit && keyOf(unit), month);
  const say = (name: string, value: Value): Quad => quad(node, namedNode(name), value);
  return [
    say(rdf.type, namedNode(fh.Aggregate)),
    say(fh.ofClass, namedNode(of)),
    say(fh.ofProperty, namedNode(property)),
    say(fh.atLeast, literal(String(count), namedNode(xsd.integer))),
    say(fh.mean, roughly(mean)),
    ...(unit ? [say(fh.inUnit, unit)] : []),
    ...(month === null ? [] : [say(fh.inMonth, literal(month, namedNode(xsd.gYearMonth)))]),
  ];
}

/** @param quads Reduced. */
export function aggregate(quads: readonly Quad[]): readonly Quad[] {
  const graph = graphOf(quads);
  const groups = new Map<string, Group>();
  const counts = new Map<string, number>();
  for (const [key, about] of graph.about) {
    for (const of of new Set(classesOf(graph, key))) counts.set(of, (counts.get(of) ?? 0) + 1);
    let path: readonly string[] | null = null;
    for (const { predicate, object } of about) {
      const number = object.termType === "Literal" ? numberOf(object) : null;
      if (number === null) continue;
      path ??= upwards(graph, key);
      const day = dayOf(graph, key);
      const month = day?.slice(0, "2026-01".length) ?? null;
      const unit = unitOf(graph, path);
      for (const of of new Set(kindsOf(graph, path))) {
        const name = JSON.stringify([of, predicate.value, unit && keyOf(unit), month]);
        const group = groups.get(name) ?? { of, property: predicate.value, unit, month, measured: [] };
        groups.set(name, group);
        group.measured.push({ number, day: day ?? "" });
      }
    }
  }
  const counted = [...counts].flatMap(([of, count]) => {
    const node = nodeNamed("count", of);
    return [
      quad(node, namedNode(rdf.type), namedNode(fh.Aggregate)),
      quad(node, namedNode(fh.ofClass), namedNode(of)),
      quad(node, namedNode(fh.atLeast), literal(String(Math.max(1, inFives(count))), namedNode(xsd.integer))),
    ];
  });
  return [...counted, ...[...groups.values()].flatMap(aggregateOf)];
}

/** Between which powers of ten a number is. */
export function bandOf(number: number): string {
  if (number === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(number)) + 1e-12);
  const [low, high] = [10 ** power, 10 ** (power + 1)].map((edge) => String(Number(edge.toPrecision(1))));
  return number > 0 ? `${low} to ${high}` : `-${high} to -${low}`;
}

interface Tagged {
  readonly of: string;
  readonly property: string | null;
  readonly unit: Value | null;
  sum: number;
  count: number;
}

/** @param quads Aggregates. */
export function tag(quads: readonly Quad[]): readonly Quad[] {
  const tags = new Map<string, Tagged>();
  for (const about of graphOf(quads).about.values()) {
    const value = (name: string): Value | undefined =>
      about.find(({ predicate }) => predicate.value === name)?.object;
    const [of, property, unit] = [value(fh.ofClass), value(fh.ofProperty), value(fh.inUnit) ?? null];
    if (!of) continue;
    const name = JSON.stringify([of.value, property?.value ?? null, unit && keyOf(unit)]);
    const found = tags.get(name) ?? {
      of: of.value,
      property: property?.value ?? null,
      unit,
      sum: 0,
      count: 0,
    };
    tags.set(name, found);
    const numbers = [fh.mean, fh.atLeast].map((name) => {
      const term = value(name);
      return term?.termType === "Literal" ? (numberOf(term) ?? 0) : 0;
    });
    const [mean = 0, count = 0] = numbers;
    found.sum += mean * count;
    found.count += count;
  }
  return [...tags.values()].flatMap(({ of, property, unit, sum, count }) => {
    const node = nodeNamed("tag", of, property, unit && keyOf(unit));
    const say = (name: string, object: Value): Quad => quad(node, namedNode(name), object);
    return [
      say(rdf.type, namedNode(fh.TagAssignment)),
      say(fh.ofClass, namedNode(of)),
      ...(property === null
        ? []
        : [say(fh.ofProperty, namedNode(property)), say(fh.band, literal(bandOf(sum / count)))]),
      ...(unit ? [say(fh.inUnit, unit)] : []),
    ];
  });
}
