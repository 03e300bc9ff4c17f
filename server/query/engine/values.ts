/** From ids to values and back: what functions compute with, read from a term only as far as it is needed. */
import { xsd } from "@freehold/vocab";
import { type Literal, literal, namedNode } from "../../rdf/terms.ts";
import { ERROR, type Id, KINDS, type Terms } from "../index/view.ts";
import type { QueryTerms } from "./contract.ts";
import { parseDecimal } from "./decimal.ts";
import { type Moment, type MomentKind, parseMoment } from "./moments.ts";
import { isNumericKind, type Numeric, numericLiteral } from "./numbers.ts";

/** Three-valued logic. https://www.w3.org/TR/sparql11-query/#evaluation */
export type Truth = 0 | 1 | 2;
export const FALSE = 0;
export const TRUE = 1;
export const FAILED = 2;

/** Characters of a text that a function makes: doubled a few times, a text fills any memory. Longer is an error. */
export const TEXT_LENGTH_MAX = 4_194_304;

/** A string with its language tag, or the empty one; a literal is one already. */
export interface Text {
  readonly value: string;
  readonly language: string;
}

/** Ids are those of terms, never `ERROR` or `UNBOUND`. */
export interface Reader {
  /** Null for what is no number, or one with too many digits. */
  numeric(id: Id): Numeric | null;
  /** Null for what is neither a string nor one with a language. */
  text(id: Id): Text | null;
  /** https://www.w3.org/TR/sparql11-query/#ebv */
  truth(id: Id): Truth;
  /** Null for what is no date or time. */
  moment(id: Id): (Moment & { readonly kind: MomentKind }) | null;
}

const MOMENTS: Readonly<Record<number, MomentKind>> = {
  [KINDS.dateTime]: "dateTime",
  [KINDS.localDateTime]: "dateTime",
  [KINDS.date]: "date",
  [KINDS.time]: "time",
};

// biome-ignore format: a list
const FALSE_IF_NONE: ReadonlySet<string> = new Set([
  xsd.boolean, xsd.decimal, xsd.float, xsd.double, xsd.integer, xsd.nonPositiveInteger, xsd.negativeInteger, xsd.long,
  xsd.int, xsd.short, xsd.byte, xsd.nonNegativeInteger, xsd.unsignedLong, xsd.unsignedInt, xsd.unsignedShort,
  xsd.unsignedByte, xsd.positiveInteger,
]);

const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

const DIGITS_15 = 1e15;
/** Prices have as many digits as the price before. */
let lastScale = 0;

/** The decimal of at most 15 digits whose nearest number this is: there is only one. */
function decimalOfNumber(value: number): Numeric {
  const likely = Math.round(value * POWERS[lastScale]!);
  if (value === likely / POWERS[lastScale]! && likely < DIGITS_15 && likely > -DIGITS_15)
    return { kind: KINDS.decimal, units: likely === 0 ? 0 : likely, scale: lastScale };
  for (let scale = 0; scale < POWERS.length; scale++) {
    const units = Math.round(value * POWERS[scale]!);
    if (value !== units / POWERS[scale]!) continue;
    lastScale = scale;
    return { kind: KINDS.decimal, units: units === 0 ? 0 : units, scale };
  }
  return { kind: KINDS.decimal, ...parseDecimal(value.toFixed(15))! };
}

export function createReader(terms: Terms): Reader {
  let lastId = -1;
  let lastMoment: ReturnType<Reader["moment"]> = null;
  return {
    numeric(id) {
      const kind = terms.kind(id);
      if (!isNumericKind(kind)) return null;
      const value = terms.num(id);
      if (kind > KINDS.decimal) return { kind, units: value, scale: 0 };
      if (kind === KINDS.integer && Number.isSafeInteger(value))
        return { kind, units: value === 0 ? 0 : value, scale: 0 };
      if (kind === KINDS.decimal && terms.exact?.(id)) return decimalOfNumber(value);
      const exact = parseDecimal(terms.get(id).value);
      return exact && { kind, units: exact.units, scale: exact.scale };
    },
    text(id) {
      const kind = terms.kind(id);
      return kind === KINDS.string || kind === KINDS.langString ? (terms.get(id) as Literal) : null;
    },
    truth(id) {
      const kind = terms.kind(id);
      if (kind === KINDS.boolean) return terms.num(id) as Truth;
      if (isNumericKind(kind)) return terms.num(id) === 0 || Number.isNaN(terms.num(id)) ? FALSE : TRUE;
      if (kind === KINDS.string || kind === KINDS.langString)
        return terms.get(id).value === "" ? FALSE : TRUE;
      if (kind !== KINDS.other) return FAILED;
      return FALSE_IF_NONE.has((terms.get(id) as Literal).datatype.value) ? FALSE : FAILED;
    },
    moment(id) {
      if (id === lastId) return lastMoment; // YEAR, MONTH and DAY of the same term.
      const term = terms.kind(id);
      const kind = MOMENTS[term];
      let moment: Moment | null = null;
      if (term === KINDS.dateTime && terms.exact?.(id)) moment = { clock: terms.num(id), zone: 0 };
      else if (kind) moment = parseMoment(terms.get(id).value, kind);
      lastId = id;
      lastMoment = moment && kind ? { clock: moment.clock, zone: moment.zone, kind } : null;
      return lastMoment;
    },
  };
}

/** Computed values as terms. */
export interface Writer {
  numeric(value: Numeric | null): Id;
  text(value: Text | null): Id;
  truth(value: Truth): Id;
}

/** What is computed often is looked up by its value first. */
const CACHED_MAX = 65_536;

export function createWriter(terms: QueryTerms): Writer {
  const integers = new Map<number, Id>();
  const doubles = new Map<number, Id>();
  const truths: Id[] = [];
  const BOOLEAN = namedNode(xsd.boolean);
  return {
    numeric(value) {
      if (value === null) return ERROR;
      const { kind, units } = value;
      const cache = kind === KINDS.integer ? integers : kind === KINDS.double ? doubles : null;
      // A Map takes both zeros for one.
      if (cache === null || typeof units !== "number" || Object.is(units, -0))
        return terms.intern(numericLiteral(value));
      let id = cache.get(units);
      if (id === undefined) {
        id = terms.intern(numericLiteral(value));
        if (cache.size < CACHED_MAX) cache.set(units, id);
      }
      return id;
    },
    text: (value) => (value === null ? ERROR : terms.intern(literal(value.value, value.language))),
    truth(value) {
      if (value === FAILED) return ERROR;
      return (truths[value] ??= terms.intern(literal(value === TRUE ? "true" : "false", BOOLEAN)));
    },
  };
}
