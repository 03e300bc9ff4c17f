/** Values and functions of SPARQL for the reference: the few that generated queries use, by their definitions. https://www.w3.org/TR/sparql11-query/#SparqlOps */
import { xsd } from "@freehold/vocab";
import { keyOf, literal, namedNode, type Value } from "../../../server/rdf/terms.ts";

/** The specification leaves the answer open, so there is nothing to compare. */
export class Free extends Error {}

/** An error of evaluation, which is no error of the program. */
export class Failed extends Error {}

const XSD = xsd.integer.replace("integer", "");
const NUMERIC = ["integer", "decimal", "float", "double"] as const;
type Numeric = (typeof NUMERIC)[number];

/** Integers and decimals are `units` over ten to the power of `scale`; floats and doubles are `real`. */
export interface Num {
  readonly type: Numeric;
  readonly units: bigint;
  readonly scale: number;
  readonly real: number;
}

export const number = (whole: number): Num => ({
  type: "integer",
  units: BigInt(whole),
  scale: 0,
  real: whole,
});
const real = (value: number): Num => ({ type: "double", units: 0n, scale: 0, real: value });
function exact(type: "integer" | "decimal", units: bigint, scale: number): Num {
  return { type, units, scale, real: Number(units) / 10 ** scale };
}

/** @throws Failed for what is no number. */
function toNumber(term: Value): Num {
  if (term.termType !== "Literal") throw new Failed("no literal");
  const text = term.value.trim();
  switch (term.datatype.value) {
    case `${XSD}integer`:
      if (/^[+-]?\d+$/.test(text)) return exact("integer", BigInt(text.replace("+", "")), 0);
      break;
    case `${XSD}decimal`: {
      const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
      if (match && /\d/.test(text)) {
        const [, sign = "", whole = "", fraction = ""] = match;
        return exact("decimal", BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction}`), fraction.length);
      }
      break;
    }
    case `${XSD}double`:
    case `${XSD}float`:
      if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) || /^([+-]?INF|NaN)$/.test(text))
        return {
          ...real(Number(text.replace("INF", "Infinity"))),
          type: term.datatype.value.endsWith("float") ? "float" : "double",
        };
      break;
    default:
  }
  throw new Failed("no number");
}

export function numberTerm({ type, units, scale, real: value }: Num): Value {
  if (type === "integer") return literal(String(units), namedNode(`${XSD}integer`));
  if (type !== "decimal")
    return literal(
      Number.isFinite(value) ? value.toExponential() : String(value).replace("Infinity", "INF"),
      namedNode(XSD + type),
    );
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return literal(`${units < 0n ? "-" : ""}${text}`, namedNode(`${XSD}decimal`));
}

function arithmetic(operator: string, a: Num, b: Num): Num {
  const type = NUMERIC[Math.max(NUMERIC.indexOf(a.type), NUMERIC.indexOf(b.type))]!;
  if (type === "double" || type === "float") {
    const results = {
      "+": a.real + b.real,
      "-": a.real - b.real,
      "*": a.real * b.real,
      "/": a.real / b.real,
    };
    return { ...real(results[operator as "+"]), type };
  }
  const scale = Math.max(a.scale, b.scale);
  const [left, right] = [a, b].map((each) => each.units * 10n ** BigInt(scale - each.scale)) as [
    bigint,
    bigint,
  ];
  if (operator === "+") return exact(type, left + right, scale);
  if (operator === "-") return exact(type, left - right, scale);
  if (operator === "*") return exact(type, a.units * b.units, a.scale + b.scale);
  if (right === 0n) throw new Failed("division by zero");
  return exact("decimal", (left * 10n ** 24n) / right, 24);
}

const MOMENT = /^(-?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)$/;
const isString = (term: Value): boolean =>
  term.termType === "Literal" && term.datatype.value === `${XSD}string`;
const isBoolean = (term: Value): boolean =>
  term.termType === "Literal" &&
  term.datatype.value === `${XSD}boolean` &&
  /^(true|false|0|1)$/.test(term.value);
const isMoment = (term: Value): boolean =>
  term.termType === "Literal" && term.datatype.value === `${XSD}dateTime` && MOMENT.test(term.value);
function isNumber(term: Value): boolean {
  try {
    toNumber(term);
    return true;
  } catch {
    return false;
  }
}
const toBoolean = ({ value }: Value): boolean => value === "true" || value === "1";

/** @returns less than, equal to or more than 0; NaN where no comparison holds. @throws Failed */
export function compare(a: Value, b: Value): number {
  if (isNumber(a) && isNumber(b)) {
    const [one, two] = [toNumber(a), toNumber(b)];
    if ([one, two].some(({ type }) => type === "double" || type === "float")) {
      if (one.real === two.real) return 0;
      return one.real < two.real ? -1 : one.real > two.real ? 1 : Number.NaN;
    }
    const { units } = arithmetic("-", one, two);
    return units === 0n ? 0 : units < 0n ? -1 : 1;
  }
  if (isString(a) && isString(b)) return a.value === b.value ? 0 : a.value < b.value ? -1 : 1;
  if (isBoolean(a) && isBoolean(b)) return Number(toBoolean(a)) - Number(toBoolean(b));
  if (isMoment(a) && isMoment(b)) return Date.parse(a.value) - Date.parse(b.value);
  throw new Failed("not comparable");
}

/** `=`: https://www.w3.org/TR/sparql11-query/#func-RDFterm-equal. @throws Failed */
export function isSame(a: Value, b: Value): boolean {
  if (a.termType !== "Literal" || b.termType !== "Literal") return keyOf(a) === keyOf(b);
  try {
    return compare(a, b) === 0;
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    if (keyOf(a) === keyOf(b)) return true;
    const known = (term: Value): boolean =>
      isNumber(term) ||
      isString(term) ||
      isBoolean(term) ||
      isMoment(term) ||
      (term.termType === "Literal" && term.language !== "");
    if (known(a) && known(b)) {
      // By the letter an error, by what is meant a no, and engines differ: https://www.w3.org/TR/sparql11-query/#func-RDFterm-equal
      if (a.datatype.value !== b.datatype.value) throw new Free("literals of two known datatypes");
      return false;
    }
    throw new Failed("two literals that may mean the same");
  }
}

/** https://www.w3.org/TR/sparql11-query/#ebv. @throws Failed */
export function isTrue(term: Value): boolean {
  if (term.termType !== "Literal") throw new Failed("no literal");
  if (term.datatype.value === `${XSD}boolean`) return isBoolean(term) && toBoolean(term);
  if (isString(term) || term.language) return term.value !== "";
  const { real: value } = toNumber(term);
  return value !== 0 && !Number.isNaN(value);
}

const truth = (value: boolean): Value => literal(String(value), namedNode(`${XSD}boolean`));

function textOf(term: Value | undefined): string {
  if (!term || !(isString(term) || (term.termType === "Literal" && term.language)))
    throw new Failed("no text");
  return term.value;
}

function cast(type: string, term: Value): Value {
  if (term.termType !== "Literal") throw new Failed("no literal");
  const make = (text: string): Value => literal(text, namedNode(XSD + type));
  const from = isBoolean(term) ? number(Number(toBoolean(term))) : isNumber(term) ? toNumber(term) : null;
  if (type === "boolean") {
    if (from) return truth(from.real !== 0 && !Number.isNaN(from.real));
    if (!isString(term)) throw new Failed("cast");
    if (!isBoolean(make(term.value))) throw new Failed("cast");
    return truth(toBoolean(make(term.value)));
  }
  if (from) {
    if (type === "double") return numberTerm(real(from.real));
    const isReal = from.type === "double" || from.type === "float";
    if (isReal && !Number.isFinite(from.real)) throw new Failed("cast");
    if (type === "integer")
      return numberTerm(
        exact("integer", isReal ? BigInt(Math.trunc(from.real)) : from.units / 10n ** BigInt(from.scale), 0),
      );
    if (!isReal) return numberTerm({ ...from, type: "decimal" });
    return numberTerm(toNumber(literal(String(from.real), namedNode(`${XSD}decimal`))));
  }
  if (!isString(term)) throw new Failed("cast");
  return numberTerm(toNumber(make(term.value)));
}

/** Operators, functions and casts, over values that are there. @throws Failed */
export function call(name: string, operands: readonly Value[], baseIri = ""): Value {
  const [one, two, three] = operands as [Value, Value, Value];
  if (name.startsWith(XSD)) return cast(name.slice(XSD.length), one);
  switch (name) {
    case "=":
      return truth(isSame(one, two));
    case "!=":
      return truth(!isSame(one, two));
    case "<":
      return truth(compare(one, two) < 0);
    case ">":
      return truth(compare(one, two) > 0);
    case "<=":
      return truth(compare(one, two) <= 0);
    case ">=":
      return truth(compare(one, two) >= 0);
    case "+":
    case "-":
    case "*":
    case "/":
      if (isMoment(one)) throw new Free("arithmetic of moments"); // An extension that engines may have.
      return numberTerm(arithmetic(name, toNumber(one), toNumber(two)));
    case "unary-":
      return numberTerm(arithmetic("-", { ...number(0), real: -0 }, toNumber(one)));
    case "unary+":
      return numberTerm(toNumber(one));
    case "!":
      return truth(!isTrue(one));
    case "STR":
      if (one.termType === "BlankNode") throw new Failed("no text");
      return literal(one.value);
    case "LANG":
      if (one.termType !== "Literal") throw new Failed("no literal");
      return literal(one.language);
    case "DATATYPE":
      if (one.termType !== "Literal") throw new Failed("no literal");
      return namedNode(one.datatype.value);
    case "UCASE":
      return literal(textOf(one).toUpperCase());
    case "CONCAT":
      return literal(operands.map(textOf).join(""));
    case "STRLEN":
      return numberTerm(number(Array.from(textOf(one)).length));
    case "SUBSTR":
      return literal(
        Array.from(textOf(one))
          .slice(toNumber(two).real - 1)
          .join(""),
      );
    case "ABS": {
      const value = toNumber(one);
      return numberTerm({
        ...value,
        units: value.units < 0n ? -value.units : value.units,
        real: Math.abs(value.real),
      });
    }
    case "ROUND": {
      const value = toNumber(one);
      if (value.type === "double" || value.type === "float")
        return numberTerm({ ...value, real: Math.round(value.real) });
      const unit = 10n ** BigInt(value.scale);
      const shifted = value.units * 2n + unit;
      const floor = shifted / (unit * 2n) - (shifted % (unit * 2n) < 0n ? 1n : 0n);
      return numberTerm({ ...exact("integer", floor, 0), type: value.type });
    }
    case "IRI":
    case "URI":
      if (one.termType === "NamedNode") return one;
      if (!isString(one)) throw new Failed("no text");
      if (/^[^a-z/][^/]*:|[^!-~]/i.test(one.value)) throw new Free("no reference by RFC 3986, section 4.2");
      return namedNode(new URL(one.value, baseIri).href);
    case "YEAR":
      if (!isMoment(one)) throw new Failed("no moment");
      return numberTerm(number(Number(MOMENT.exec(one.value)![1])));
    case "STRLANG":
      if (!isString(one)) throw new Failed("no text");
      return literal(one.value, two.value);
    case "ISIRI":
      return truth(one.termType === "NamedNode");
    case "ISBLANK":
      return truth(one.termType === "BlankNode");
    case "ISLITERAL":
      return truth(one.termType === "Literal");
    case "ISNUMERIC":
      return truth(isNumber(one));
    case "SAMETERM":
      return truth(keyOf(one) === keyOf(two));
    case "CONTAINS":
      return truth(textOf(one).includes(textOf(two)));
    case "STRSTARTS":
      return truth(textOf(one).startsWith(textOf(two)));
    case "STRENDS":
      return truth(textOf(one).endsWith(textOf(two)));
    case "LANGMATCHES":
      return truth(
        textOf(two) === "*" ? textOf(one) !== "" : textOf(one).toLowerCase() === textOf(two).toLowerCase(),
      );
    case "REGEX":
      return truth(new RegExp(textOf(two), three ? textOf(three) : "").test(textOf(one)));
    default:
      throw new Error(`the reference has no ${name}`);
  }
}
