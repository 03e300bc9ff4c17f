/**
 * The constraints of a policy: the five of the LWS access profile, and what this profile adds. All hold together, so two
 * about the same thing leave what fits both.
 * @see https://w3c.github.io/lws-protocol/lws10-core/#odrl-constraint
 */
import { isObject, type Json } from "../passport/form.ts";
import {
  CONSENT_MODES,
  type ConsentMode,
  type DraftPolicy,
  type Flaw,
  FREEHOLD,
  type Frequency,
  LWS,
  ODRL,
  type Policy,
  TIERS,
  type Tier,
} from "./model.ts";
import { isDuration, readMoment, readSpan, writeMoment, writeSpan } from "./moments.ts";

export const IRI_LENGTH_MAX = 2_048;
const VALUES_MAX = 64;
const CONSTRAINTS_MAX = 32;
const COUNT_MAX = 1_000_000_000;

type Limits = Pick<
  DraftPolicy,
  | "clients"
  | "mediaTypes"
  | "types"
  | "purposes"
  | "notBefore"
  | "notAfter"
  | "tier"
  | "mode"
  | "fields"
  | "dataFrom"
  | "dataTo"
  | "dataLife"
  | "frequency"
  | "queriesMax"
>;

const OPEN: Limits = Object.freeze({
  clients: null,
  mediaTypes: null,
  types: null,
  purposes: [],
  notBefore: null,
  notAfter: null,
  tier: null,
  mode: null,
  fields: null,
  dataFrom: null,
  dataTo: null,
  dataLife: null,
  frequency: null,
  queriesMax: null,
});

type Operator = "eq" | "isAnyOf" | "lteq" | "gteq";
const OPERATORS: readonly Operator[] = ["eq", "isAnyOf", "lteq", "gteq"];

/** Absolute, of bounded length, and nothing in it that could end an IRI where it is written down. */
export function isIri(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length <= IRI_LENGTH_MAX &&
    /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`\p{C}]+$/iu.test(value) &&
    URL.canParse(value)
  );
}

/** Without parameters, in lower case: https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
const isMediaType = (value: unknown): value is string =>
  typeof value === "string" &&
  /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/.test(value);

const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= COUNT_MAX;

/** The term that a name or an address stands for; null for none of these namespaces. */
export function termOf(value: unknown, namespaces: readonly string[] = [LWS, ODRL, FREEHOLD]): string | null {
  if (typeof value !== "string") return null;
  if (/^[A-Za-z]+$/.test(value)) return value;
  const namespace = namespaces.find((one) => value.startsWith(one));
  const name = namespace === undefined ? "" : value.slice(namespace.length);
  return /^[A-Za-z]+$/.test(name) ? name : null;
}

type Reading = Partial<Limits> | string;
const isText = (value: unknown): value is string => typeof value === "string";

/** Of a set of which any will do: what of it is left beside what was there. */
function anyOf<K extends "clients" | "mediaTypes" | "types" | "purposes" | "fields">(
  name: K,
  isOne: (value: unknown) => boolean,
) {
  return (before: Limits, operator: Operator, right: unknown): Reading => {
    const values: unknown = operator === "isAnyOf" ? right : [right];
    if (operator !== "eq" && operator !== "isAnyOf") return "takes eq or isAnyOf";
    if (!Array.isArray(values) || values.length === 0 || values.length > VALUES_MAX)
      return `names 1 to ${VALUES_MAX} values`;
    if (!values.every((one) => isText(one) && isOne(one))) return "names what is none";
    const known = before[name];
    const isFirst = known === null || known.length === 0;
    const left = [...new Set(values as string[])].filter((one) => isFirst || known.includes(one));
    return left.length === 0 ? "leaves nothing beside another constraint" : { [name]: left };
  };
}

/** Between two moments, both inclusive. */
function between(from: "notBefore" | "dataFrom", to: "notAfter" | "dataTo") {
  return (before: Limits, operator: Operator, right: unknown): Reading => {
    const time = readMoment(right);
    if (time === null) return "names no xsd:dateTimeStamp, such as 2026-11-22T10:00:00Z";
    if (operator === "gteq") return { [from]: Math.max(time, before[from] ?? time) };
    if (operator === "lteq") return { [to]: Math.min(time, before[to] ?? time) };
    return "takes gteq or lteq";
  };
}

function frequencyOf(right: unknown): Frequency | null {
  if (!isObject(right) || Object.keys(right).some((name) => name !== "count" && name !== "per")) return null;
  const per = readSpan(right["per"]);
  return isWhole(right["count"]) && per !== null ? { count: right["count"], per } : null;
}

const OPERANDS: Readonly<Record<string, (before: Limits, operator: Operator, right: unknown) => Reading>> = {
  client: anyOf("clients", isIri),
  mediaType: anyOf("mediaTypes", isMediaType),
  type: anyOf("types", isIri),
  purpose: anyOf("purposes", isIri),
  dateTime: between("notBefore", "notAfter"),
  field: anyOf("fields", isIri),
  dataRange: between("dataFrom", "dataTo"),
  tier(before, operator, right) {
    const tier = termOf(right) as Tier | null;
    if (operator !== "eq" || tier === null || !TIERS.includes(tier))
      return `takes eq, and ${TIERS.join(", ")}`;
    return { tier: before.tier && TIERS.indexOf(before.tier) > TIERS.indexOf(tier) ? before.tier : tier };
  },
  consentMode(before, operator, right) {
    const mode = termOf(right) as ConsentMode | null;
    if (operator !== "eq" || mode === null || !CONSENT_MODES.includes(mode))
      return `takes eq, and ${CONSENT_MODES.join(", ")}`;
    return before.mode !== null && before.mode !== mode
      ? "leaves nothing beside another constraint"
      : { mode };
  },
  dataLife(before, operator, right) {
    if (operator !== "lteq" || !isDuration(right)) return "takes lteq, and an xsd:duration such as P90D";
    return before.dataLife === null ? { dataLife: right } : "is there twice";
  },
  frequency(before, operator, right) {
    const frequency = operator === "lteq" ? frequencyOf(right) : null;
    if (!frequency) return 'takes lteq, and a value such as {"count": 1, "per": "P1D"}';
    return before.frequency === null ? { frequency } : "is there twice";
  },
  maxQueries(before, operator, right) {
    if (operator !== "lteq" || !isWhole(right)) return "takes lteq, and a whole number";
    return { queriesMax: Math.min(right, before.queriesMax ?? right) };
  },
};

const MEMBERS: ReadonlySet<string> = new Set(["type", "leftOperand", "operator", "rightOperand"]);

/** Reads the constraints of one policy; what is not understood is a flaw, for it could narrow. */
export function readConstraints(value: unknown, at: string, flaws: Flaw[]): Limits {
  if (value === undefined) return OPEN;
  if (!Array.isArray(value) || value.length > CONSTRAINTS_MAX) {
    flaws.push({ at, detail: `A list of at most ${CONSTRAINTS_MAX} constraints` });
    return OPEN;
  }
  let limits = OPEN;
  for (const [index, one] of value.entries()) {
    const place = `${at}/${index}`;
    const odd = isObject(one) ? Object.keys(one).find((name) => !MEMBERS.has(name)) : "";
    if (!isObject(one) || odd !== undefined) {
      flaws.push({
        at: place,
        detail: "A constraint has leftOperand, operator and rightOperand, and nothing else",
      });
      continue;
    }
    const name = termOf(one["leftOperand"]);
    const operator = termOf(one["operator"]) as Operator | null;
    const read = name !== null && Object.hasOwn(OPERANDS, name) ? OPERANDS[name] : undefined;
    if (!read) flaws.push({ at: `${place}/leftOperand`, detail: "This operand is not known here" });
    else if (operator === null || !OPERATORS.includes(operator))
      flaws.push({ at: `${place}/operator`, detail: `One of ${OPERATORS.join(", ")}` });
    else {
      const reading = read(limits, operator, one["rightOperand"]);
      if (typeof reading === "string")
        flaws.push({ at: `${place}/rightOperand`, detail: `${name} ${reading}` });
      else limits = { ...limits, ...reading };
    }
  }
  return limits;
}

const constraint = (leftOperand: string, operator: Operator, rightOperand: unknown): Json => ({
  leftOperand,
  operator,
  rightOperand,
});

/** The constraints that {@link readConstraints} reads as this policy. */
export function writeConstraints(policy: DraftPolicy | Policy): readonly Json[] {
  const any = (name: string, values: readonly string[] | null): readonly Json[] => {
    if (values === null || values.length === 0) return [];
    return [values.length === 1 ? constraint(name, "eq", values[0]) : constraint(name, "isAnyOf", values)];
  };
  const moment = (name: string, operator: Operator, time: number | null): readonly Json[] =>
    time === null ? [] : [constraint(name, operator, writeMoment(time))];
  const { frequency, dataLife, queriesMax } = policy;
  return [
    ...any("purpose", policy.purposes),
    ...any("client", policy.clients),
    ...any("mediaType", policy.mediaTypes),
    ...any("type", policy.types),
    ...moment("dateTime", "gteq", policy.notBefore),
    ...moment("dateTime", "lteq", policy.notAfter),
    ...(policy.tier === null ? [] : [constraint("tier", "eq", policy.tier)]),
    ...(policy.mode === null ? [] : [constraint("consentMode", "eq", policy.mode)]),
    ...any("field", policy.fields),
    ...moment("dataRange", "gteq", policy.dataFrom),
    ...moment("dataRange", "lteq", policy.dataTo),
    ...(dataLife === null ? [] : [constraint("dataLife", "lteq", dataLife)]),
    ...(frequency
      ? [constraint("frequency", "lteq", { count: frequency.count, per: writeSpan(frequency.per) })]
      : []),
    ...(queriesMax === null ? [] : [constraint("maxQueries", "lteq", queriesMax)]),
  ];
}
