/**
 * Which of two terms is greater, and whether two have the same value. By kinds and numbers as far as possible; texts are
 * read only where those cannot tell.
 */
import { type Id, KINDS, type Kind, type Terms, UNBOUND } from "../index/view.ts";
import { compareFractions, parseDuration } from "./moments.ts";
import { compareNumbers, isNumericKind } from "./numbers.ts";
import { createReader, FAILED, FALSE, type Reader, TRUE, type Truth } from "./values.ts";

/** Of `order`: one of both is NaN, so no comparison holds. */
export const UNORDERED = 2;
/** Of `order`: the operator is not defined for them. */
export const INCOMPARABLE = 3;

export interface Comparison {
  /** Negative, 0, 1, `UNORDERED`, `INCOMPARABLE`. https://www.w3.org/TR/sparql11-query/#OperatorMapping */
  readonly order: (a: Id, b: Id) => number;
  /** The operator `=`. https://www.w3.org/TR/sparql11-query/#func-RDFterm-equal */
  readonly equals: (a: Id, b: Id) => Truth;
}

/** By code points: https://www.w3.org/TR/xpath-functions/#func-compare; JavaScript's own order is by halves of them. */
export function compareText(a: string, b: string): number {
  const length = a.length < b.length ? a.length : b.length;
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    // A half of a pair stands for more than any single one.
    const isPairLeft = left >= 0xd800 && left <= 0xdfff;
    const isPairRight = right >= 0xd800 && right <= 0xdfff;
    if (isPairLeft !== isPairRight) return isPairLeft ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

const isDateTime = (kind: Kind): boolean => kind === KINDS.dateTime || kind === KINDS.localDateTime;
const isText = (kind: Kind): boolean => kind === KINDS.string || kind === KINDS.langString;

function compareDurations(a: string, b: string): number {
  const [left, right] = [parseDuration(a), parseDuration(b)];
  if (!left || !right) return INCOMPARABLE;
  const months = left.months - right.months;
  const milliseconds = left.milliseconds - right.milliseconds;
  if (months !== 0 && milliseconds !== 0) return INCOMPARABLE;
  return Math.sign(months || milliseconds);
}

/** Both are numbers. */
function orderNumbers(terms: Terms, reader: Reader, a: Id, b: Id): number {
  const kindA = terms.kind(a);
  const kindB = terms.kind(b);
  // A float is compared with what the other is as a float.
  const isRounded = kindA === KINDS.float || kindB === KINDS.float;
  if (!isRounded) {
    const left = terms.num(a);
    const right = terms.num(b);
    // Rounding keeps the order: only equal ones may differ in what was rounded away.
    if (left < right) return -1;
    if (left > right) return 1;
    if (left !== right) return UNORDERED;
    if (a === b || kindA > KINDS.decimal || kindB > KINDS.decimal) return 0;
    if (terms.exact?.(a) && terms.exact(b)) return 0;
  }
  const [left, right] = [reader.numeric(a), reader.numeric(b)];
  if (!left || !right) return INCOMPARABLE;
  const order = compareNumbers(left, right);
  return Number.isNaN(order) ? UNORDERED : order;
}

/**
 * A total order of what terms say, in which only the same term is equal: for where nothing else decides. What stands in
 * documents that may not be read has no part in it. Blank nodes, which say nothing, are in the order of their numbers.
 */
export function compareContent(terms: Terms): (a: Id, b: Id) => number {
  return (a, b) => {
    if (a === b) return 0;
    if (a === UNBOUND || b === UNBOUND) return a === UNBOUND ? -1 : 1;
    const isBlank = terms.kind(a) === KINDS.blank;
    if (isBlank !== (terms.kind(b) === KINDS.blank)) return isBlank ? -1 : 1;
    if (isBlank) return a - b;
    const [left, right] = [terms.get(a), terms.get(b)];
    const found = compareText(left.value, right.value) || compareText(left.termType, right.termType);
    if (found !== 0 || left.termType !== "Literal" || right.termType !== "Literal") return found;
    return (
      compareText(left.language, right.language) || compareText(left.datatype.value, right.datatype.value)
    );
  };
}

/** @returns functions for ids of terms: neither `ERROR` nor `UNBOUND`. */
export function createComparison(terms: Terms, reader: Reader): Comparison {
  const textOf = (id: Id): string => terms.get(id).value;
  const byNumber = (a: Id, b: Id): number => Math.sign(terms.num(a) - terms.num(b));

  function order(a: Id, b: Id): number {
    const kind = terms.kind(a);
    const other = terms.kind(b);
    if (isNumericKind(kind)) return isNumericKind(other) ? orderNumbers(terms, reader, a, b) : INCOMPARABLE;
    if (isDateTime(kind)) {
      if (!isDateTime(other)) return INCOMPARABLE;
      return byNumber(a, b) || (a === b ? 0 : compareFractions(textOf(a), textOf(b)));
    }
    if (kind !== other) return INCOMPARABLE;
    switch (kind) {
      case KINDS.string:
        return compareText(textOf(a), textOf(b));
      case KINDS.boolean:
      case KINDS.date:
      case KINDS.time:
        return byNumber(a, b);
      case KINDS.duration:
        return compareDurations(textOf(a), textOf(b));
      default:
        return INCOMPARABLE;
    }
  }

  return {
    order,
    equals(a, b) {
      const kind = terms.kind(a);
      if (a === b) return isNumericKind(kind) && Number.isNaN(terms.num(a)) ? FALSE : TRUE;
      const other = terms.kind(b);
      if (kind <= KINDS.blank || other <= KINDS.blank) return FALSE;
      if (isText(kind) && isText(other)) return FALSE;
      if (kind === KINDS.duration && other === kind) {
        const [left, right] = [parseDuration(textOf(a)), parseDuration(textOf(b))];
        if (!left || !right) return FAILED;
        return left.months === right.months && left.milliseconds === right.milliseconds ? TRUE : FALSE;
      }
      // Different literals whose values are not known to differ: an error, says the specification.
      const difference = order(a, b);
      return difference === INCOMPARABLE ? FAILED : difference === 0 ? TRUE : FALSE;
    },
  };
}

/** Literals that `<` does not compare are apart by what they are; the specification leaves their order open. */
// biome-ignore format: by kind
const RANKS: Readonly<Record<Kind, number>> = {
  [KINDS.blank]: 0, [KINDS.iri]: 1, [KINDS.string]: 2, [KINDS.langString]: 3, [KINDS.integer]: 4, [KINDS.decimal]: 4,
  [KINDS.float]: 4, [KINDS.double]: 4, [KINDS.boolean]: 5, [KINDS.dateTime]: 6, [KINDS.localDateTime]: 6,
  [KINDS.date]: 7, [KINDS.time]: 8, [KINDS.duration]: 9, [KINDS.other]: 10,
};
const MONTH_MS = 30.436_875 * 86_400_000;

/**
 * The order of ORDER BY, MIN and MAX: a total one, in which terms of equal value are equal. `UNBOUND` and `ERROR` are
 * the least. https://www.w3.org/TR/sparql11-query/#modOrderBy
 */
export function compareTerms(terms: Terms & { readonly computedFrom?: Id }): (a: Id, b: Id) => number {
  const { computedFrom = UNBOUND } = terms;
  const reader = createReader(terms);
  const { order } = createComparison(terms, reader);
  const lengthOf = (id: Id): number => {
    const duration = parseDuration(terms.get(id).value);
    return duration ? duration.months * MONTH_MS + duration.milliseconds : 0;
  };
  const isNone = (id: Id): boolean => id > UNBOUND - 2;

  return (a, b) => {
    if (a === b) return 0;
    if (isNone(a) || isNone(b)) return isNone(a) ? (isNone(b) ? 0 : -1) : 1;
    const kind = terms.kind(a);
    const other = terms.kind(b);
    // Most that is sorted: numbers and moments that differ.
    if (kind === other && kind >= KINDS.integer && kind <= KINDS.dateTime) {
      const left = terms.num(a);
      const right = terms.num(b);
      if (left < right) return -1;
      if (left > right) return 1;
    }
    const rank = RANKS[kind];
    const difference = rank - RANKS[other];
    if (difference !== 0) return difference;
    // Labels of blank nodes are numbers of the pod, which count what may not be read, too. Those that a query makes are
    // made in the order in which rows come.
    if (kind === KINDS.blank) return Math.min(a, computedFrom) - Math.min(b, computedFrom);
    if (rank === RANKS[KINDS.integer]) {
      const found = order(a, b);
      if (found < UNORDERED) return found;
      return Number(Number.isNaN(terms.num(b))) - Number(Number.isNaN(terms.num(a))); // NaN is the least number.
    }
    if (kind >= KINDS.boolean && kind <= KINDS.time) return order(a, b);
    const [left, right] = [terms.get(a), terms.get(b)];
    if (kind === KINDS.duration) {
      const found = lengthOf(a) - lengthOf(b);
      if (found !== 0) return found;
    }
    const found = compareText(left.value, right.value);
    if (found !== 0 || left.termType !== "Literal" || right.termType !== "Literal") return found;
    return (
      compareText(left.language, right.language) || compareText(left.datatype.value, right.datatype.value)
    );
  };
}
