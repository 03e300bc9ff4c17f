/** The operators that compare, each compiled for what its operands are. */
import { ERROR, type Id, KINDS, type Terms } from "../index/view.ts";
import { type Code, type Tools, truthCode } from "./code.ts";
import { compareText, UNORDERED } from "./compare.ts";
import type { Row } from "./contract.ts";
import { compareNumbers, isNumericKind } from "./numbers.ts";
import { FAILED, FALSE, TRUE, type Truth } from "./values.ts";

type Operator = "<" | ">" | "<=" | ">=";

/** By `order + 1`: for less, equal, greater, `UNORDERED`, `INCOMPARABLE`. */
const OUTCOMES: Readonly<Record<Operator, readonly Truth[]>> = {
  "<": [TRUE, FALSE, FALSE, FALSE, FAILED],
  "<=": [TRUE, TRUE, FALSE, FALSE, FAILED],
  ">": [FALSE, FALSE, TRUE, FALSE, FAILED],
  ">=": [FALSE, TRUE, TRUE, FALSE, FAILED],
};
const TURNED: Readonly<Record<Operator, Operator>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

const isNumber = ({ sort }: Code): boolean => sort === "number" || sort === "sum";
const isFloat = (terms: Terms, id: Id): boolean => terms.kind(id) === KINDS.float;

/** What is compared with a constant most often: a number or a moment, decided by two numbers. */
function withConstant(tools: Tools, operator: Operator, { id: operand }: Code, constant: Id): Code | null {
  const { terms } = tools.context;
  const { order } = tools.comparison;
  const kind = terms.kind(constant);
  const outcomes = OUTCOMES[operator];
  const limit = terms.num(constant);
  const isMoment = kind === KINDS.dateTime || kind === KINDS.localDateTime;
  const isNumber = isNumericKind(kind) && !Number.isNaN(limit) && !isFloat(terms, constant);
  if (!isMoment && !isNumber) return null;
  const [least, most] = isMoment ? [KINDS.dateTime, KINDS.localDateTime] : [KINDS.integer, KINDS.double];
  return truthCode(tools, (row) => {
    const id = operand(row);
    if (id >= ERROR) return FAILED;
    const found = terms.kind(id);
    if (found < least || found > most) return FAILED;
    if (found !== KINDS.float) {
      const value = terms.num(id);
      if (value < limit) return outcomes[0]!;
      if (value > limit) return outcomes[2]!;
    }
    return outcomes[order(id, constant) + 1]!;
  });
}

export function comparisonCode(tools: Tools, operator: Operator, left: Code, right: Code): Code {
  const outcomes = OUTCOMES[operator];
  const { order } = tools.comparison;
  const byTerms = (row: Row): Truth => {
    const a = left.id(row);
    if (a >= ERROR) return FAILED;
    const b = right.id(row);
    return b >= ERROR ? FAILED : outcomes[order(a, b) + 1]!;
  };
  if (isNumber(left) || isNumber(right))
    return truthCode(tools, (row) => {
      const a = left.number(row);
      const b = a && right.number(row);
      if (!a || !b) return left.sort === "number" || right.sort === "number" ? FAILED : byTerms(row);
      const found = compareNumbers(a, b);
      return outcomes[(Number.isNaN(found) ? UNORDERED : found) + 1]!;
    });
  if (left.sort === "text" || right.sort === "text")
    return truthCode(tools, (row) => {
      const a = left.text(row);
      const b = a && right.text(row);
      if (!a || !b || a.language !== "" || b.language !== "") return FAILED;
      return outcomes[compareText(a.value, b.value) + 1]!;
    });
  const quick =
    right.constant !== null
      ? withConstant(tools, operator, left, right.constant)
      : left.constant !== null
        ? withConstant(tools, TURNED[operator], right, left.constant)
        : null;
  return quick ?? truthCode(tools, byTerms);
}

/** Two computed values, compared without becoming terms; null where that cannot tell. */
function computedEquality(left: Code, right: Code): ((row: Row) => Truth | null) | null {
  if (isNumber(left) || isNumber(right))
    return (row) => {
      const a = left.number(row);
      const b = a && right.number(row);
      return a && b ? (compareNumbers(a, b) === 0 ? TRUE : FALSE) : null;
    };
  if (left.sort === "text" || right.sort === "text")
    return (row) => {
      const a = left.text(row);
      const b = a && right.text(row);
      return a && b ? (a.value === b.value && a.language === b.language ? TRUE : FALSE) : null;
    };
  return null;
}

/** What equals a constant: most often decided by the id alone, or by two numbers. */
function withConstantTerm(
  { context, comparison }: Tools,
  { id: operand }: Code,
  constant: Id,
): (row: Row) => Truth {
  const { terms } = context;
  const { equals } = comparison;
  const kind = terms.kind(constant);
  const value = terms.num(constant);
  const isExactNumber = isNumericKind(kind) && kind !== KINDS.float;
  const isName = kind === KINDS.iri;
  return (row) => {
    const id = operand(row);
    if (id >= ERROR) return FAILED;
    if (isName) return id === constant ? TRUE : FALSE;
    if (isExactNumber) {
      const found = terms.kind(id);
      if (found !== KINDS.float && isNumericKind(found) && terms.num(id) !== value) return FALSE;
    }
    return equals(id, constant);
  };
}

export function equalityCode(tools: Tools, left: Code, right: Code, isNegated: boolean): Code {
  const { equals } = tools.comparison;
  const computed = computedEquality(left, right);
  const opposite = (truth: Truth): Truth => (truth === FAILED ? FAILED : truth === TRUE ? FALSE : TRUE);
  const byTerms = (row: Row): Truth => {
    const a = left.id(row);
    if (a >= ERROR) return FAILED;
    const b = right.id(row);
    return b >= ERROR ? FAILED : equals(a, b);
  };
  const truth = computed
    ? (row: Row) => computed(row) ?? byTerms(row)
    : right.constant !== null
      ? withConstantTerm(tools, left, right.constant)
      : left.constant !== null
        ? withConstantTerm(tools, right, left.constant)
        : byTerms;
  return truthCode(tools, isNegated ? (row) => opposite(truth(row)) : truth);
}
