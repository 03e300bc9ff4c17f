/**
 * What SHACL core cannot say: named functions beside the shapes. They take quads of any library, as long as terms
 * have `termType` and `value`.
 */
import { dcterms, fh, schema } from "@freehold/vocab";
import { cardNumbersIn, ibansIn, isGtin } from "./numbers.ts";

export interface CheckTerm {
  readonly termType: string;
  readonly value: string;
}

export interface CheckQuad {
  readonly subject: CheckTerm;
  readonly predicate: CheckTerm;
  readonly object: CheckTerm;
}

/** One thing that is wrong, in words that never repeat the value. */
export interface Finding {
  readonly check: string;
  /** A warning does not stop a write. */
  readonly severity: "violation" | "warning";
  /** Subject and predicate it was found at. */
  readonly focus: string;
  readonly path: string;
  readonly message: string;
}

export interface Check {
  readonly name: string;
  readonly severity: Finding["severity"];
  readonly message: string;
  /** @returns the triples that are wrong. */
  readonly find: (quads: readonly CheckQuad[]) => readonly CheckQuad[];
}

const isText = (quad: CheckQuad): boolean => quad.object.termType === "Literal";

/** Product numbers may look like card numbers and are judged by their own check digit. */
const PRODUCT_NUMBERS: ReadonlySet<string> = new Set([
  schema.gtin,
  `${schema.gtin}8`,
  `${schema.gtin}12`,
  `${schema.gtin}13`,
  `${schema.gtin}14`,
]);

/** Where bank documents hold text; elsewhere (an invoice's “pay to”) a full account number may be meant. */
const BANK_TEXTS: ReadonlySet<string> = new Set([
  fh.accountRef,
  fh.counterpartyRef,
  fh.counterpartyName,
  fh.remittance,
  dcterms.identifier,
]);

/** Each `late` that comes before the `early` of the same subject. Dates and times in ISO 8601 of one zone sort as text. */
function outOfOrder(quads: readonly CheckQuad[], early: string, late: string): readonly CheckQuad[] {
  const starts = new Map<string, string>();
  for (const { subject, predicate, object } of quads)
    if (predicate.value === early) starts.set(subject.value, object.value);
  return quads.filter(({ subject, predicate, object }) => {
    const start = predicate.value === late ? starts.get(subject.value) : undefined;
    if (start === undefined) return false;
    const [from, until] = [Date.parse(start), Date.parse(object.value)];
    return until < from; // False for what is no date: that is the shape's to say.
  });
}

/** Totals that differ from the sum of their lines by more than a cent a line. */
function wrongTotals(quads: readonly CheckQuad[]): readonly CheckQuad[] {
  const of = (subject: string, predicate: string): CheckQuad[] =>
    quads.filter((quad) => quad.subject.value === subject && quad.predicate.value === predicate);
  return quads.filter(({ subject, predicate, object }) => {
    if (predicate.value !== schema.totalPaymentDue) return false;
    const lines = of(subject.value, schema.orderedItem);
    const prices = lines.map((line) => Number(of(line.object.value, schema.price)[0]?.object.value));
    const total = Number(of(object.value, schema.value)[0]?.object.value);
    const difference = Math.abs(prices.reduce((sum, price) => sum + price, 0) - total);
    return difference > 0.01 * Math.max(lines.length, 1) + 1e-9; // False for what is not a number.
  });
}

export const CHECKS: readonly Check[] = Object.freeze([
  {
    name: "no-card-numbers",
    severity: "violation",
    message: "Leave out numbers of payment cards; the last four digits are enough.",
    find: (quads) =>
      quads.filter(
        (quad) =>
          isText(quad) &&
          !PRODUCT_NUMBERS.has(quad.predicate.value) &&
          cardNumbersIn(quad.object.value).length > 0,
      ),
  },
  {
    name: "product-number",
    severity: "violation",
    message: "The product number is mistyped: its last digit does not fit the others.",
    find: (quads) =>
      quads.filter(
        (quad) => isText(quad) && PRODUCT_NUMBERS.has(quad.predicate.value) && !isGtin(quad.object.value),
      ),
  },
  {
    name: "no-account-numbers",
    severity: "violation",
    message: "Leave out account numbers in full; the last four characters are enough.",
    find: (quads) =>
      quads.filter(
        (quad) =>
          isText(quad) && BANK_TEXTS.has(quad.predicate.value) && ibansIn(quad.object.value).length > 0,
      ),
  },
  {
    name: "ends-after-start",
    severity: "violation",
    message: "The end comes before the start.",
    find: (quads) => [
      ...outOfOrder(quads, schema.validFrom, schema.validThrough),
      ...outOfOrder(quads, schema.startTime, schema.endTime),
    ],
  },
  {
    name: "order-total",
    severity: "warning",
    message: "The total is not the sum of the items.",
    find: wrongTotals,
  },
] satisfies readonly Check[]);

/** @returns everything all checks find, violations and warnings. */
export function runChecks(quads: readonly CheckQuad[]): readonly Finding[] {
  return CHECKS.flatMap(({ name, severity, message, find }) =>
    find(quads).map(({ subject, predicate }) => ({
      check: name,
      severity,
      focus: subject.value,
      path: predicate.value,
      message,
    })),
  );
}
