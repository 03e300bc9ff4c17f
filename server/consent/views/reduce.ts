/**
 * The second tier: no free text and no identifiers, times to the day, places to the postcode area, numbers to two digits.
 * What is kept is listed; whatever nobody thought of is left out.
 */
import { fh, foaf, rdf, schema, sosa, vcard, wgs84, xsd } from "@freehold/vocab";
import { keyOf, type Literal, literal, namedNode, type Quad, quad } from "../../rdf/terms.ts";
import { dayOf, isDated } from "./moments.ts";

const DIGITS = 2;
/** 0.1 of a degree is about 11 km. */
const DEGREE_DECIMALS = 1;
const DEGREES: ReadonlySet<string> = new Set([schema.latitude, schema.longitude, wgs84.lat, wgs84.long]);
const BIRTHDAYS: ReadonlySet<string> = new Set([
  vcard.bday,
  vcard.anniversary,
  schema.birthDate,
  foaf.birthday,
]);
const POSTCODES: ReadonlySet<string> = new Set([vcard["postal-code"], schema.postalCode]);
/** Texts that are one of few, and what they look like. */
const CODES: ReadonlyMap<string, RegExp> = new Map([
  [schema.addressCountry, /^[A-Za-z]{2,3}$/],
  [vcard["country-name"], /^[\p{L} .'-]{2,60}$/u],
  [schema.addressRegion, /^[\p{L} .'-]{2,60}$/u],
  [vcard.region, /^[\p{L} .'-]{2,60}$/u],
  [schema.knowsLanguage, /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$/],
  [vcard.language, /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$/],
  [schema.priceCurrency, /^[A-Z]{3}$/],
  [schema.currency, /^[A-Z]{3}$/],
  [schema.unitCode, /^[A-Z0-9]{2,3}$/],
]);
/** What is named in these is a kind of thing, and nobody's own. */
const VOCABULARIES: readonly string[] = [
  "https://schema.org/",
  "http://schema.org/",
  "http://qudt.org/vocab/",
  "http://www.w3.org/2006/vcard/ns#",
  "http://xmlns.com/foaf/0.1/",
  sosa.Observation.slice(0, -"Observation".length),
  fh.role.slice(0, -"role".length),
  "https://w3id.org/dpv#",
];
const INTEGERS: ReadonlySet<string> = new Set(
  [
    "integer",
    "int",
    "long",
    "short",
    "byte",
    "nonNegativeInteger",
    "positiveInteger",
    "nonPositiveInteger",
    "negativeInteger",
    "unsignedInt",
    "unsignedLong",
    "unsignedShort",
    "unsignedByte",
  ].map((name) => xsd.integer.slice(0, -"integer".length) + name),
);
const REALS: ReadonlySet<string> = new Set([xsd.decimal, xsd.double, xsd.float]);

export const isVocabulary = (iri: string): boolean =>
  VOCABULARIES.some((namespace) => iri.startsWith(namespace));

/** A number to so few digits that it is nobody's; a decimal where it can be written as one. */
export function roughly(value: number): Literal {
  const rough = Number(value.toPrecision(DIGITS));
  const text = String(rough === 0 ? 0 : rough);
  if (text.includes("e")) return literal(text, namedNode(xsd.double));
  return literal(text.includes(".") ? text : `${text}.0`, namedNode(xsd.decimal));
}

/** The number that a literal says; null for what is none. */
export function numberOf({ value, datatype }: Literal): number | null {
  if (!INTEGERS.has(datatype.value) && !REALS.has(datatype.value)) return null;
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

function roughNumber(value: number, { datatype }: Literal, property: string): Literal {
  if (DEGREES.has(property)) {
    const degrees = Number(value.toFixed(DEGREE_DECIMALS));
    return literal((degrees === 0 ? 0 : degrees).toFixed(DEGREE_DECIMALS), namedNode(xsd.decimal));
  }
  if (!INTEGERS.has(datatype.value)) return roughly(value);
  const rough = Number(value.toPrecision(DIGITS));
  // Beyond this an integer is a number of something, and not how many: an account, a card.
  return Math.abs(rough) < 1e15
    ? literal(String(rough === 0 ? 0 : rough), namedNode(xsd.integer))
    : roughly(value);
}

/** The letters that a postcode begins with, or its first two digits. */
function areaOf(postcode: string): string | null {
  return /^\s*([A-Za-z]{1,2}(?![A-Za-z])|\d{2})/.exec(postcode)?.[1]?.toUpperCase() ?? null;
}

function reducedLiteral(property: string, value: Literal): Literal | null {
  const { datatype } = value;
  const number = numberOf(value);
  if (number !== null) return roughNumber(number, value, property);
  if (datatype.value === xsd.boolean) return value;
  if (datatype.value === xsd.gYear || datatype.value === xsd.gYearMonth)
    return /^\d{4}(-\d\d)?$/.test(value.value) ? value : null;
  if (isDated(value)) {
    const day = dayOf(value);
    if (day === null) return null;
    if (BIRTHDAYS.has(property)) return literal(day.slice(0, -"-01-01".length), namedNode(xsd.gYear));
    return literal(day, namedNode(xsd.date));
  }
  if (datatype.value !== xsd.string) return null;
  if (POSTCODES.has(property)) {
    const area = areaOf(value.value);
    return area === null ? null : literal(area);
  }
  return CODES.get(property)?.test(value.value) ? value : null;
}

/** What leads to nothing any more is left out, and whatever then leads to nothing. */
function withoutLooseEnds(quads: readonly Quad[], isLink: (quad: Quad) => boolean): readonly Quad[] {
  const counts = new Map<string, number>();
  for (const { subject } of quads) counts.set(keyOf(subject), (counts.get(keyOf(subject)) ?? 0) + 1);
  const links = Map.groupBy(quads.filter(isLink), ({ object }) => keyOf(object));
  const gone = new Set<Quad>();
  const empty = [...links.keys()].filter((key) => !counts.has(key));
  for (const key of empty)
    for (const link of links.get(key) ?? []) {
      gone.add(link);
      const from = keyOf(link.subject);
      const left = counts.get(from)! - 1;
      counts.set(from, left);
      if (left === 0) empty.push(from);
    }
  return quads.filter((quad) => !gone.has(quad));
}

/** Whether it leads to another node, and not to a kind of thing. */
const isLink = ({ predicate, object }: Quad): boolean =>
  predicate.value !== rdf.type &&
  object.termType !== "Literal" &&
  (object.termType === "BlankNode" || !isVocabulary(object.value));

export function reduce(quads: readonly Quad[]): readonly Quad[] {
  const left = quads.flatMap((one) => {
    const { subject, predicate, object } = one;
    if (predicate.value === rdf.type) return isVocabulary(object.value) ? [one] : [];
    if (object.termType !== "Literal") return [one];
    const value = reducedLiteral(predicate.value, object);
    if (value === null) return [];
    return value === object ? [one] : [quad(subject, predicate, value)];
  });
  return withoutLooseEnds(left, isLink);
}
