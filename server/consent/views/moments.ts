/** When something happened, as far as the data say. */
import { dcterms, fh, schema, sosa, xsd } from "@freehold/vocab";
import { keyOf, type Literal, type Quad } from "../../rdf/terms.ts";
import { aboutIn, type Graph, pointingIn } from "./graph.ts";

/** What says when a thing was, the first that it has. */
const WHEN: readonly string[] = [
  sosa.resultTime,
  schema.orderDate,
  fh.bookingDate,
  schema.startTime,
  schema.startDate,
  dcterms.created,
  schema.dateCreated,
  schema.datePublished,
  dcterms.issued,
];
const PARTS_DEEP = 8;
const DAY = /^(-?\d{4,}-\d\d-\d\d)/;
const ZONE = /(Z|[+-]\d\d:\d\d)$/;

export const isDated = ({ datatype }: Literal): boolean =>
  datatype.value === xsd.dateTime || datatype.value === xsd.dateTimeStamp || datatype.value === xsd.date;

/** The day in the literal's own zone; null for what is no date. */
export const dayOf = ({ value }: Literal): string | null => DAY.exec(value)?.[1] ?? null;

/** Milliseconds since 1970, of a day its beginning; without a zone it is UTC. NaN for what is none. */
function instantOf(literal: Literal): number {
  const day = dayOf(literal);
  if (day === null) return Number.NaN;
  const zone = ZONE.exec(literal.value.slice(day.length))?.[1] ?? "Z";
  const time = /^T([\d:.]+)/.exec(literal.value.slice(day.length))?.[1] ?? "00:00:00";
  return Date.parse(`${day}T${time}${zone}`);
}

const datesOf = (quads: readonly Quad[]): readonly Literal[] =>
  quads.flatMap(({ object }) => (object.termType === "Literal" && isDated(object) ? [object] : []));

/** The literals that say when a node was; what has none of the usual ones is held to all that it has. */
function whenOf(quads: readonly Quad[]): readonly Literal[] {
  for (const property of WHEN) {
    const found = datesOf(quads.filter(({ predicate }) => predicate.value === property));
    if (found.length > 0) return found;
  }
  return datesOf(quads);
}

/** When a node was; of a part that does not say so, when the whole was. */
export function momentsOf(graph: Graph, key: string): readonly Literal[] {
  let level = [key];
  for (let deep = 0; deep <= PARTS_DEEP && level.length > 0; deep++) {
    const found = level.flatMap((one) => whenOf(aboutIn(graph, one)));
    if (found.length > 0) return found;
    level = [...new Set(level.flatMap((one) => pointingIn(graph, one).map(({ subject }) => keyOf(subject))))];
  }
  return [];
}

/** @param from Milliseconds since 1970, inclusive, as `to`; null: open. What has no time is not within. */
export function isWithin(moments: readonly Literal[], from: number | null, to: number | null): boolean {
  return (
    moments.length > 0 &&
    moments.every((moment) => {
      const instant = instantOf(moment);
      return !Number.isNaN(instant) && (from === null || instant >= from) && (to === null || instant <= to);
    })
  );
}
