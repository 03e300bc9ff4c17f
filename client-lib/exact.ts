/** Numbers of an answer, exact where XML Schema's are: amounts of money are added without a rounding. */
import type { Cell } from "./rows.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";
// biome-ignore format: a list
const INTEGERS: ReadonlySet<string> = new Set(
  ["integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
   "negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"].map((name) => XSD + name),
);

/** A number as the answer wrote it. `units` are tenth, hundredths, … as `scale` says; null where only `value` is known. */
export interface Exact {
  readonly kind: "integer" | "decimal" | "float" | "double";
  readonly value: number;
  readonly units: bigint | null;
  readonly scale: number;
}

const DIGITS_MAX = 1_000; // Longer numbers are a mistake or an attack; sums of them take for ever.

/** @returns null for what is no number. https://www.w3.org/TR/xmlschema11-2/#decimal */
export function exactOf(cell: Cell | undefined): Exact | null {
  if (cell?.type !== "literal" || !cell.datatype?.startsWith(XSD)) return null;
  const name = cell.datatype.slice(XSD.length);
  const text = cell.value.trim();
  if (name === "double" || name === "float") {
    const isNumber = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|INF)$|^NaN$/.test(text);
    const value = Number(text.replace("INF", "Infinity"));
    return isNumber ? { kind: name, value, units: null, scale: 0 } : null;
  }
  if (name !== "decimal" && !INTEGERS.has(cell.datatype)) return null;
  const [, sign = "", whole = "", part = ""] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole + part === "" || whole.length + part.length > DIGITS_MAX) return null;
  const units = BigInt(whole + part) * (sign === "-" ? -1n : 1n);
  const kind = name === "decimal" ? "decimal" : "integer";
  return { kind, value: Number(text), units, scale: part.length };
}

const widened = (units: bigint, from: number, to: number): bigint => units * 10n ** BigInt(to - from);

/** Negative, zero or positive; NaN is below all other numbers, so that an order stays one. */
export function compareExact(left: Exact, right: Exact): number {
  if (left.units !== null && right.units !== null) {
    const scale = Math.max(left.scale, right.scale);
    const [a, b] = [widened(left.units, left.scale, scale), widened(right.units, right.scale, scale)];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (Number.isNaN(left.value) || Number.isNaN(right.value))
    return Number(Number.isNaN(right.value)) - Number(Number.isNaN(left.value));
  return left.value < right.value ? -1 : left.value > right.value ? 1 : 0;
}

const RANKS = ["integer", "decimal", "float", "double"] as const;

/** The wider type of both, as SPARQL's `+` has it. https://www.w3.org/TR/sparql11-query/#operandDataTypes */
export function add(left: Exact, right: Exact): Exact {
  const kind = RANKS[Math.max(RANKS.indexOf(left.kind), RANKS.indexOf(right.kind))] ?? "double";
  const value = left.value + right.value;
  if (left.units === null || right.units === null) return { kind, value, units: null, scale: 0 };
  const scale = Math.max(left.scale, right.scale);
  return {
    kind,
    value,
    units: widened(left.units, left.scale, scale) + widened(right.units, right.scale, scale),
    scale,
  };
}

export function cellOf({ kind, value, units, scale }: Exact): Cell {
  const datatype = XSD + kind;
  if (units === null) return { type: "literal", value: String(value).replace("Infinity", "INF"), datatype };
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const text = `${units < 0n ? "-" : ""}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ""}`;
  return { type: "literal", value: text, datatype };
}
