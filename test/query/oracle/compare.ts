/** Whether two engines gave the same answer: rows in any order, blank nodes under any labels. */
import { xsd } from "@freehold/vocab";
import { keyOf, keyOfTriple, literal, quad, type Value } from "../../../server/rdf/terms.ts";
import { graphOf } from "../../rdf/same-graph.ts";
import type { Outcome, Solution } from "./engines.ts";

const DECIMAL = /^([+-]?)0*(\d*?)(?:\.(\d*?)0*)?$/;

/** Numbers by value and datatype, for an engine may spell a computed one as it likes; all else as it is. */
export function spell(term: Value): string {
  if (term.termType !== "Literal") return keyOf(term);
  const { value, datatype } = term;
  switch (datatype.value) {
    case xsd.integer:
      return /^[+-]?\d+$/.test(value) ? `integer ${BigInt(value.replace("+", ""))}` : keyOf(term);
    case xsd.decimal: {
      const [, sign = "", whole = "", fraction = ""] = DECIMAL.exec(value) ?? [];
      if (!DECIMAL.test(value)) return keyOf(term);
      const digits = `${whole || "0"}.${fraction || "0"}`;
      return `decimal ${sign === "-" && digits !== "0.0" ? "-" : ""}${digits}`;
    }
    case `${xsd.decimal.replace("decimal", "")}double`:
    case `${xsd.decimal.replace("decimal", "")}float`: {
      const number = Number(value.replace("INF", "Infinity"));
      return Number.isNaN(number)
        ? keyOf(term)
        : `${datatype.value} ${number === 0 ? 0 : number.toPrecision(12)}`;
    }
    default:
      return keyOf(term);
  }
}

const byValue = (term: Value): Value => (term.termType === "Literal" ? literal(spell(term)) : term);

/** Each row as a line; a blank node is named after the rows it stands in, nearer and nearer until nothing changes. */
export function linesOf(rows: readonly Solution[]): string[] {
  const colours = new Map<string, string>();
  const byNode = new Map<string, Solution[]>();
  for (const row of rows)
    for (const term of new Set([...row.values()].filter(({ termType }) => termType === "BlankNode"))) {
      const known = byNode.get(term.value);
      if (!known) byNode.set(term.value, [row]);
      else if (known.at(-1) !== row) known.push(row);
    }
  const line = (row: Solution, self: string | null): string =>
    [...row]
      .map(([name, term]) => {
        if (term.termType !== "BlankNode") return `${name}=${spell(term)}`;
        return `${name}=_:${term.value === self ? "self" : (colours.get(term.value) ?? "")}`;
      })
      .sort()
      .join(" ");
  for (let round = 0, groups = 0; round <= byNode.size; round++) {
    const texts = [...byNode].map(
      ([label, all]) =>
        [
          label,
          all
            .map((row) => line(row, label))
            .sort()
            .join("\n"),
        ] as const,
    );
    const kinds = [...new Set(texts.map(([, text]) => text))].sort();
    if (kinds.length === groups) break;
    groups = kinds.length;
    for (const [label, text] of texts) colours.set(label, `c${kinds.indexOf(text)}`);
  }
  return rows.map((row) => line(row, null));
}

export interface Comparison {
  /** Rows must come in the same order. */
  readonly isOrdered?: boolean;
  /** REDUCED: each row at least once, at most as often as without it. */
  readonly isReduced?: boolean;
}

/** @returns null if they say the same, else what each says, as text. */
export function difference(
  found: Outcome,
  expected: Outcome,
  { isOrdered = false, isReduced = false }: Comparison = {},
): string | null {
  const [left, right] = [found, expected].map((outcome) => {
    switch (outcome.kind) {
      case "rows": {
        const lines = linesOf(outcome.rows);
        if (isReduced) return [...new Set(lines)].sort().join("\n");
        return (isOrdered ? lines : lines.sort()).join("\n");
      }
      case "graph":
        return graphOf(
          new Map(
            outcome.quads
              .map(({ subject, predicate, object }) => quad(subject, predicate, byValue(object)))
              .map((each) => [keyOfTriple(each), each]),
          ).values(),
        );
      case "boolean":
        return String(outcome.value);
      default:
        return "refused";
    }
  });
  if (found.kind === expected.kind && left === right) return null;
  const why = (outcome: Outcome): string => (outcome.kind === "refused" ? `: ${outcome.why}` : "");
  return `${found.kind}${why(found)}\n${left}\n--- and not ---\n${expected.kind}${why(expected)}\n${right}`;
}
