/** Casts: functions named by a datatype. https://www.w3.org/TR/sparql11-query/#FunctionMapping */
import { xsd } from "@freehold/vocab";
import { literal, namedNode } from "../../rdf/terms.ts";
import { kindOf } from "../index/kinds.ts";
import { ERROR, type Id, KINDS, type Kind } from "../index/view.ts";
import { type Code, numberCode, type Tools, termCode, textCode, truthCode } from "./code.ts";
import type { Row } from "./contract.ts";
import { parseDecimal } from "./decimal.ts";
import * as moments from "./moments.ts";
import { type Numeric, spellPlain, toKind } from "./numbers.ts";
import { FAILED, FALSE, type Text, TRUE, type Truth } from "./values.ts";

const NUMBERS: Readonly<Record<string, Kind>> = {
  [xsd.integer]: KINDS.integer,
  [xsd.decimal]: KINDS.decimal,
  [xsd.float]: KINDS.float,
  [xsd.double]: KINDS.double,
};
const MOMENTS: Readonly<Record<string, moments.MomentKind>> = {
  [xsd.dateTime]: "dateTime",
  [xsd.date]: "date",
  [xsd.time]: "time",
};
const DURATIONS: ReadonlySet<string> = new Set([xsd.duration, xsd.dayTimeDuration, xsd.yearMonthDuration]);

export const isCast = (iri: string): boolean =>
  iri === xsd.string || iri === xsd.boolean || iri in NUMBERS || iri in MOMENTS || DURATIONS.has(iri);

/** White space around a number, a truth value or a moment does not count. https://www.w3.org/TR/xpath-functions/#casting-from-strings */
const trimmed = (text: string): string => text.replace(/^[ \t\n\r]+|[ \t\n\r]+$/g, "");

const EXPONENTIAL = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?INF|NaN)$/;

function numberFromText(text: string, kind: Kind): Numeric | null {
  const value = trimmed(text);
  if (kind <= KINDS.decimal) {
    const type = kind === KINDS.integer ? xsd.integer : xsd.decimal;
    const exact = kindOf(type, value) === kind ? parseDecimal(value) : null;
    return exact && { kind, units: exact.units, scale: exact.scale };
  }
  if (!EXPONENTIAL.test(value)) return null;
  const units = Number(value.replace("INF", "Infinity"));
  return toKind({ kind: KINDS.double, units, scale: 0 }, kind);
}

export function castTo(iri: string, operand: Code, tools: Tools): Code {
  const { terms } = tools.context;
  const { reader } = tools;
  const idOf = (row: Row): Id => operand.id(row);

  /** https://www.w3.org/TR/xpath-functions/#casting-to-string */
  function toText(row: Row): Text | null {
    const numeric = operand.number(row);
    if (numeric) return { value: spellPlain(numeric), language: "" };
    const text = operand.text(row);
    if (text) return text.language === "" ? text : null;
    const id = idOf(row);
    if (id >= ERROR) return null;
    const { termType, value } = terms.get(id);
    if (termType === "BlankNode") return null;
    if (terms.kind(id) !== KINDS.boolean) return { value, language: "" };
    return { value: terms.num(id) === 1 ? "true" : "false", language: "" };
  }

  function toTruth(row: Row): Truth {
    const numeric = operand.number(row);
    if (numeric) return numeric.units === 0 || Number.isNaN(numeric.units) ? FALSE : TRUE;
    const text = operand.text(row);
    if (text) {
      const value = text.language === "" ? trimmed(text.value) : "";
      return value === "true" || value === "1" ? TRUE : value === "false" || value === "0" ? FALSE : FAILED;
    }
    const id = idOf(row);
    return id < ERROR && terms.kind(id) === KINDS.boolean ? (terms.num(id) as Truth) : FAILED;
  }

  function toNumeric(row: Row, kind: Kind): Numeric | null {
    const numeric = operand.number(row);
    if (numeric) return toKind(numeric, kind);
    const text = operand.text(row);
    if (text) return text.language === "" ? numberFromText(text.value, kind) : null;
    const id = idOf(row);
    if (id >= ERROR || terms.kind(id) !== KINDS.boolean) return null;
    return toKind({ kind: KINDS.integer, units: terms.num(id), scale: 0 }, kind);
  }

  function toMoment(row: Row, kind: moments.MomentKind): Id {
    const id = idOf(row);
    if (id >= ERROR) return ERROR;
    const text = reader.text(id);
    if (text) {
      const value = trimmed(text.value);
      const isOne = text.language === "" && moments.parseMoment(value, kind) !== null;
      return isOne ? terms.intern(literal(value, namedNode(iri))) : ERROR;
    }
    const found = reader.moment(id);
    if (!found) return ERROR;
    if (found.kind === kind)
      return iri === datatypeOf(id) ? id : terms.intern(literal(terms.get(id).value, namedNode(iri)));
    if (found.kind === "time" || (found.kind === "date" && kind === "time")) return ERROR;
    const day = moments.dayNumberOf(found.clock) * 86_400_000;
    const clock = kind === "time" ? found.clock - day : day;
    return terms.intern(moments.momentLiteral({ clock, zone: found.zone }, kind));
  }

  function datatypeOf(id: Id): string {
    const term = terms.get(id);
    return term.termType === "Literal" ? term.datatype.value : "";
  }

  function toDuration(row: Row): Id {
    const id = idOf(row);
    if (id >= ERROR) return ERROR;
    const kind = terms.kind(id);
    const { value } = terms.get(id);
    if (kind === KINDS.string)
      return kindOf(iri, trimmed(value)) === KINDS.duration
        ? terms.intern(literal(trimmed(value), namedNode(iri)))
        : ERROR;
    const duration = kind === KINDS.duration ? moments.parseDuration(value) : null;
    if (!duration) return ERROR;
    // The part that the other type has no room for is lost.
    const kept =
      iri === xsd.dayTimeDuration
        ? { months: 0, milliseconds: duration.milliseconds }
        : iri === xsd.yearMonthDuration
          ? { months: duration.months, milliseconds: 0 }
          : duration;
    const text = moments.durationLiteral(kept, iri === xsd.yearMonthDuration).value;
    return terms.intern(literal(text, namedNode(iri)));
  }

  const number = NUMBERS[iri];
  if (number !== undefined) return numberCode(tools, (row) => toNumeric(row, number));
  const moment = MOMENTS[iri];
  if (moment !== undefined) return termCode(tools, (row) => toMoment(row, moment));
  if (iri === xsd.boolean) return truthCode(tools, toTruth);
  if (iri === xsd.string) return textCode(tools, toText);
  return termCode(tools, toDuration);
}
