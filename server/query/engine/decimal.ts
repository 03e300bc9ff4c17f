/**
 * Exact decimal numbers: money is never a binary fraction. Small ones are computed with numbers that are whole and safe,
 * large ones with BigInt; which of both is never seen from outside.
 * https://www.w3.org/TR/xmlschema11-2/#decimal
 */

/** `units / 10^scale`. */
export interface Decimal {
  /** A number only if it is a safe integer. */
  readonly units: number | bigint;
  readonly scale: number;
}

/** Digits of one number: far more than any use, few enough that no operation takes long. */
const DIGITS_MAX = 1_024;
const UNITS_MAX = 10n ** BigInt(2 * DIGITS_MAX);
/** Digits after the point of a quotient that has no end: https://www.w3.org/TR/xpath-functions/#op.numeric asks for 18. */
const QUOTIENT_DIGITS = 20;

// What a double holds exactly.
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const power = (exponent: number): bigint => 10n ** BigInt(exponent);
const isSafe = (value: number): boolean =>
  value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER;

function smallest(units: bigint, scale: number): Decimal | null {
  if (units <= Number.MAX_SAFE_INTEGER && units >= Number.MIN_SAFE_INTEGER)
    return { units: Number(units), scale };
  return units > UNITS_MAX || units < -UNITS_MAX || scale > 2 * DIGITS_MAX ? null : { units, scale };
}

/** @returns null where the number has too many digits; the text must be one of xsd:decimal, or xsd:integer. */
export function parseDecimal(text: string): Decimal | null {
  if (text.length > DIGITS_MAX) return null;
  const point = text.indexOf(".");
  const scale = point < 0 ? 0 : text.length - point - 1;
  const digits = point < 0 ? text : text.slice(0, point) + text.slice(point + 1);
  if (digits.length <= 16) {
    const units = Number(digits);
    if (isSafe(units)) return { units: units === 0 ? 0 : units, scale };
  }
  return smallest(BigInt(digits.startsWith("+") ? digits.slice(1) : digits), scale);
}

/** The units of a number at a greater scale. */
function unitsAt({ units, scale }: Decimal, wanted: number): number | bigint {
  if (scale === wanted) return units;
  if (typeof units === "number" && wanted - scale < POWERS.length) {
    const scaled = units * POWERS[wanted - scale]!;
    if (isSafe(scaled)) return scaled;
  }
  return BigInt(units) * power(wanted - scale);
}

/** @returns null beyond all limits, as the other operations do. */
export function add(a: Decimal, b: Decimal): Decimal | null {
  const scale = a.scale > b.scale ? a.scale : b.scale;
  const left = unitsAt(a, scale);
  const right = unitsAt(b, scale);
  if (typeof left === "number" && typeof right === "number") {
    const units = left + right;
    if (isSafe(units)) return { units, scale };
  }
  return smallest(BigInt(left) + BigInt(right), scale);
}

export const negate = ({ units, scale }: Decimal): Decimal => ({ units: units === 0 ? 0 : -units, scale });
export const subtract = (a: Decimal, b: Decimal): Decimal | null => add(a, negate(b));

export function multiply(a: Decimal, b: Decimal): Decimal | null {
  const scale = a.scale + b.scale;
  if (typeof a.units === "number" && typeof b.units === "number") {
    const units = a.units * b.units;
    if (isSafe(units)) return { units: units === 0 ? 0 : units, scale };
  }
  return smallest(BigInt(a.units) * BigInt(b.units), scale);
}

/** Halves away from zero, as one rounds money. */
function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const isHalf = 2n * (rest < 0n ? -rest : rest) >= (divisor < 0n ? -divisor : divisor);
  if (!isHalf) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** @returns null for a division by zero too. */
export function divide(a: Decimal, b: Decimal): Decimal | null {
  if (b.units === 0) return null;
  if (a.units === 0) return { units: 0, scale: 0 };
  if (typeof a.units === "number" && typeof b.units === "number") {
    // Most quotients end after a few digits.
    for (let digits = 0; digits <= 6; digits++) {
      const scale = a.scale - b.scale + digits;
      const dividend = a.units * POWERS[digits]!;
      if (!isSafe(dividend)) break;
      if (scale >= 0 && dividend % b.units === 0) return { units: dividend / b.units, scale };
    }
  }
  const scale = QUOTIENT_DIGITS + Math.max(0, a.scale - b.scale);
  const dividend = BigInt(a.units) * power(scale + b.scale - a.scale);
  return smallest(divideRounded(dividend, BigInt(b.units)), scale);
}

/** Negative, zero or positive. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = a.scale > b.scale ? a.scale : b.scale;
  const left = unitsAt(a, scale);
  const right = unitsAt(b, scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** To a whole number: `half` is what ROUND does, towards positive infinity at halves. https://www.w3.org/TR/xpath-functions/#func-round */
export function toWhole({ units, scale }: Decimal, way: "floor" | "ceiling" | "half" | "truncate"): Decimal {
  if (scale === 0) return { units, scale };
  const divisor = power(scale);
  const exact = BigInt(units);
  const truncated = exact / divisor;
  const rest = exact % divisor;
  const floor = rest < 0n ? truncated - 1n : truncated;
  const whole =
    way === "truncate"
      ? truncated
      : way === "floor" || rest === 0n
        ? floor
        : way === "ceiling"
          ? floor + 1n
          : 2n * (exact - floor * divisor) >= divisor
            ? floor + 1n
            : floor;
  return smallest(whole, 0) ?? { units: whole, scale: 0 };
}

export function toNumber({ units, scale }: Decimal): number {
  if (scale === 0) return Number(units);
  // Both are exact, so the quotient is the nearest there is.
  if (typeof units === "number" && scale < POWERS.length) return units / POWERS[scale]!;
  return Number(spellDecimal({ units, scale }));
}

/** The canonical text: no needless zeros, no point without a fraction. https://www.w3.org/TR/xmlschema11-2/#f-decimalLexmap */
export function spellDecimal({ units, scale }: Decimal): string {
  if (scale === 0) return String(units);
  const isNegative = units < 0;
  const digits = String(isNegative ? -units : units).padStart(scale + 1, "0");
  const point = digits.length - scale;
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === 48) end--;
  const fraction = end > point ? `.${digits.slice(point, end)}` : "";
  const text = digits.slice(0, point) + fraction;
  return isNegative && text !== "0" ? `-${text}` : text;
}

/** @returns null for what no decimal number is. */
export function decimalOf(value: number): Decimal | null {
  if (!Number.isFinite(value)) return null;
  if (Number.isSafeInteger(value)) return { units: value === 0 ? 0 : value, scale: 0 };
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const { units, scale } = parseDecimal(mantissa)!;
  const places = scale - Number(exponent);
  return places >= 0 ? smallest(BigInt(units), places) : smallest(BigInt(units) * power(-places), 0);
}
