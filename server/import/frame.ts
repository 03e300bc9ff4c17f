/** From fields to triples: what a thing is and what is said of it, as one table. */
import { rdf, xsd } from "@freehold/vocab";
import { literal, namedNode, type Quad, quad, type Value } from "../rdf/terms.ts";
import { type Decimal, formatDecimal } from "./decimal.ts";

const TYPE = namedNode(rdf.type);
const datatypes = {
  date: namedNode(xsd.date),
  monthDay: namedNode(xsd.gMonthDay),
  dateTime: namedNode(xsd.dateTime),
  decimal: namedNode(xsd.decimal),
  integer: namedNode(xsd.integer),
  boolean: namedNode(xsd.boolean),
};
type Maybe<T> = T | null | undefined;
const typed = (datatype: (typeof datatypes)[keyof typeof datatypes]) => (value: Maybe<string>) =>
  value === null || value === undefined ? null : literal(value, datatype);

export const text = (value: Maybe<string>): Value | null => (value ? literal(value) : null);
export const ref = (iri: Maybe<string>): Value | null => (iri ? namedNode(iri) : null);
export const date: (value: Maybe<string>) => Value | null = typed(datatypes.date);
export const monthDay: (value: Maybe<string>) => Value | null = typed(datatypes.monthDay);
export const dateTime: (value: Maybe<string>) => Value | null = typed(datatypes.dateTime);
export const decimal = (value: Maybe<Decimal>): Value | null =>
  value ? literal(formatDecimal(value), datatypes.decimal) : null;
export const integer = (value: number | bigint): Value => literal(String(value), datatypes.integer);
export const boolean = (value: boolean): Value => literal(String(value), datatypes.boolean);

/** @param said From predicate to value, values, or null for “not known”. */
export function describe(
  subject: string,
  types: readonly string[],
  said: Readonly<Record<string, Value | null | readonly (Value | null)[]>>,
): Quad[] {
  const node = namedNode(subject);
  const quads = types.map((type) => quad(node, TYPE, namedNode(type)));
  for (const [predicate, values] of Object.entries(said)) {
    if (values === null) continue;
    const property = namedNode(predicate);
    for (const value of Array.isArray(values) ? (values as readonly (Value | null)[]) : [values as Value]) {
      if (value) quads.push(quad(node, property, value));
    }
  }
  return quads;
}
