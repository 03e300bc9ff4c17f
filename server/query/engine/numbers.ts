/** The four kinds of numbers that SPARQL computes with. https://www.w3.org/TR/sparql11-query/#OperatorMapping */
import { xsd } from "@freehold/vocab";
import { type Literal, literal, namedNode } from "../../rdf/terms.ts";
import { KINDS, type Kind } from "../index/view.ts";
import * as decimal from "./decimal.ts";

/** An integer or a decimal is exactly `units / 10^scale`; of a float or a double `units` is the value, and `scale` 0. */
export interface Numeric extends decimal.Decimal {
  readonly kind: Kind;
}

const INTEGER = namedNode(xsd.integer);
const DECIMAL = namedNode(xsd.decimal);
const FLOAT = namedNode(xsd.float);
const DOUBLE = namedNode(xsd.double);

export const isNumericKind = (kind: Kind): boolean => kind >= KINDS.integer && kind <= KINDS.double;

export const integerOf = (units: number): Numeric => ({ kind: KINDS.integer, units, scale: 0 });
export const doubleOf = (units: number): Numeric => ({ kind: KINDS.double, units, scale: 0 });
const isExact = ({ kind }: Numeric): boolean => kind <= KINDS.decimal;
const withKind = (kind: Kind, exact: decimal.Decimal | null): Numeric | null =>
  exact && { kind, units: exact.units, scale: exact.scale };

/** As a float or double: the nearest there is. */
export function toDouble(value: Numeric): number {
  return isExact(value) ? decimal.toNumber(value) : (value.units as number);
}

/** https://www.w3.org/TR/xmlschema11-2/#f-doubleLexmap, with the fewest digits that say this value. */
function spellScientific(value: number, digits: string): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "INF" : "-INF";
  const [mantissa = "", exponent = ""] = digits.split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

/** The shortest text that is read as the same single-precision number. */
function digitsOfFloat(value: number): string {
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential(9);
}

const isNegativeZero = (value: number): boolean => Object.is(value, -0);

/** The canonical text of a value. */
export function spell(value: Numeric): string {
  if (isExact(value)) return decimal.spellDecimal(value);
  const number = value.units as number;
  if (isNegativeZero(number)) return "-0.0E0";
  return spellScientific(number, value.kind === KINDS.float ? digitsOfFloat(number) : number.toExponential());
}

/** What a person reads: the float 1.1 is the decimal 1.1. */
function shortest({ kind, units }: Numeric): decimal.Decimal | null {
  const number = units as number;
  return decimal.decimalOf(
    kind === KINDS.float && Number.isFinite(number) ? Number(digitsOfFloat(number)) : number,
  );
}

/** As `xsd:string(…)` writes it: without an exponent where numbers are small. https://www.w3.org/TR/xpath-functions/#casting-to-string */
export function spellPlain(value: Numeric): string {
  if (isExact(value)) return decimal.spellDecimal(value);
  const number = value.units as number;
  const size = Math.abs(number);
  if (isNegativeZero(number)) return "-0";
  if (number !== 0 && !(size >= 1e-6 && size < 1e6)) return spell(value);
  return decimal.spellDecimal(shortest(value)!);
}

export function numericLiteral(value: Numeric): Literal {
  const type =
    value.kind === KINDS.integer
      ? INTEGER
      : value.kind === KINDS.decimal
        ? DECIMAL
        : value.kind === KINDS.float
          ? FLOAT
          : DOUBLE;
  return literal(spell(value), type);
}

const finish = (kind: Kind, value: number): Numeric => ({
  kind,
  units: kind === KINDS.float ? Math.fround(value) : value,
  scale: 0,
});

export type Arithmetic = "+" | "-" | "*" | "/";
const EXACT = { "+": decimal.add, "-": decimal.subtract, "*": decimal.multiply, "/": decimal.divide };

/**
 * The operands become of the greater kind; integers divide to a decimal.
 * @returns null for an exact division by zero, and for what has too many digits.
 */
export function calculate(operator: Arithmetic, a: Numeric, b: Numeric): Numeric | null {
  const kind = a.kind > b.kind ? a.kind : b.kind;
  if (kind <= KINDS.decimal) return withKind(operator === "/" ? KINDS.decimal : kind, EXACT[operator](a, b));
  const left = toDouble(a);
  const right = toDouble(b);
  switch (operator) {
    case "+":
      return finish(kind, left + right);
    case "-":
      return finish(kind, left - right);
    case "*":
      return finish(kind, left * right);
    default:
      return finish(kind, left / right);
  }
}

export function negated(value: Numeric): Numeric {
  return isExact(value)
    ? { kind: value.kind, ...decimal.negate(value) }
    : { kind: value.kind, units: -(value.units as number), scale: 0 };
}

export function absolute(value: Numeric): Numeric {
  return value.units < 0 || isNegativeZero(value.units as number) ? negated(value) : value;
}

const WHOLE = {
  floor: Math.floor,
  ceiling: Math.ceil,
  // Halves go up, and what is rounded to zero from below is negative zero.
  half: (value: number) =>
    value < 0 && value >= -0.5 ? -0 : Math.floor(value) + (value - Math.floor(value) >= 0.5 ? 1 : 0),
  truncate: Math.trunc,
};

/** FLOOR, CEIL and ROUND keep the kind. */
export function whole(value: Numeric, way: keyof typeof WHOLE): Numeric {
  if (isExact(value)) return { kind: value.kind, ...decimal.toWhole(value, way) };
  return { kind: value.kind, units: WHOLE[way](value.units as number), scale: 0 };
}

/** Negative, zero, positive; NaN where one of both is NaN. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  const kind = a.kind > b.kind ? a.kind : b.kind;
  if (kind <= KINDS.decimal) return decimal.compareDecimals(a, b);
  const round = kind === KINDS.float ? Math.fround : (value: number) => value;
  const left = round(toDouble(a));
  const right = round(toDouble(b));
  return left < right ? -1 : left > right ? 1 : left === right ? 0 : Number.NaN;
}

/** @returns null for what the kind cannot hold: NaN and infinity are no decimals. */
export function toKind(value: Numeric, kind: Kind): Numeric | null {
  if (kind >= KINDS.float) return finish(kind, toDouble(value));
  const exact = isExact(value) ? value : shortest(value);
  if (exact === null) return null;
  return withKind(kind, kind === KINDS.integer ? decimal.toWhole(exact, "truncate") : exact);
}
