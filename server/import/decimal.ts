/** Exact decimal numbers: money and meter readings are never floating point. */

/** `units` × 10^-`scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const DIGITS_MAX = 30;

/** A number with a point and no grouping, as machines write it. @returns null for anything else. */
export function parseDecimal(text: string): Decimal | null {
  const found = /^([+-]?)(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text.trim());
  if (!found) return null;
  const [, sign = "", whole = "", fraction = ""] = found;
  if (whole.length + fraction.length > DIGITS_MAX) return null;
  return { units: BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction}`), scale: fraction.length };
}

/**
 * A number as people write it: `1,234.50`, `1.234,50`, `1'234.50`, `R 1 234,50`. A single separator before exactly three
 * digits groups thousands; before any other number of digits it is the decimal point.
 * @returns null for text without a number, or with more than one.
 */
export function parseLocalDecimal(text: string): Decimal | null {
  const bare = text
    .trim()
    .replace(/^(-?)[\p{Sc}A-Za-z]{1,4}\s*/u, "$1")
    .replace(/\s*[\p{Sc}A-Za-z]{1,4}$/u, "")
    .replaceAll(/[\s'’]/gu, "");
  if (!/^[+-]?\d[\d.,]*$/.test(bare)) return null;
  const last = Math.max(bare.lastIndexOf("."), bare.lastIndexOf(","));
  if (last < 0) return parseDecimal(bare);
  const mark = bare[last] ?? "";
  const repeated = bare.indexOf(mark) !== last;
  const mixed = bare.includes(mark === "." ? "," : ".");
  const groups = repeated || (!mixed && bare.length - last === 4 && !/^[+-]?0/.test(bare));
  if (groups) return parseDecimal(bare.replaceAll(mark, ""));
  return parseDecimal(`${bare.slice(0, last).replaceAll(/[.,]/g, "")}.${bare.slice(last + 1)}`);
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return {
    units: a.units * 10n ** BigInt(scale - a.scale) + b.units * 10n ** BigInt(scale - b.scale),
    scale,
  };
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

/** Times ten to the power of `exponent`. */
export function shift({ units, scale }: Decimal, exponent: number): Decimal {
  const moved = scale - exponent;
  return moved >= 0 ? { units, scale: moved } : { units: units * 10n ** BigInt(-moved), scale: 0 };
}

export const ZERO: Decimal = Object.freeze({ units: 0n, scale: 0 });

/** Always with a point, so that it is one token of `xsd:decimal` in Turtle; `12.40` stays `12.40`. */
export function formatDecimal({ units, scale }: Decimal): string {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  return scale === 0 ? `${sign}${digits}.0` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
