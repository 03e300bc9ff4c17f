/** Aggregates: one accumulator for each group. https://www.w3.org/TR/sparql11-query/#aggregateAlgebra */
import { ERROR, type Id, KINDS } from "../index/view.ts";
import type { Aggregate } from "../sparql/algebra.ts";
import { type Code, type Tools, toolsOf } from "./code.ts";
import { compareContent, compareTerms } from "./compare.ts";
import type { Accumulator, ExpressionContext, Row } from "./contract.ts";
import { DoubleSum } from "./double-sum.ts";
import { compileCode } from "./expression.ts";
import { calculate, integerOf, type Numeric } from "./numbers.ts";
import { TEXT_LENGTH_MAX } from "./values.ts";

type Maker = () => Accumulator;

/** Adds up exactly. Small sums are two whole numbers; nothing is made for a value that is added. */
class Sum {
  count = 0;
  #units = 0;
  #scale = 0;
  /** Of `#units`: an integer, or a decimal. */
  #kind: Numeric["kind"] = KINDS.integer;
  /** What did not fit, and is exact. */
  #rest: Numeric | null = null;
  /** What is not exact, and its kind. */
  #doubles: DoubleSum | null = null;
  #doubleKind: Numeric["kind"] = KINDS.float;
  #hasFailed = false;

  fail(): void {
    this.#hasFailed = true;
  }

  add(value: Numeric): void {
    this.count++;
    const { kind, units, scale } = value;
    if (kind <= KINDS.decimal && typeof units === "number" && scale <= this.#scale) {
      const scaled = scale === this.#scale ? units : units * 10 ** (this.#scale - scale);
      const sum = this.#units + scaled;
      if (Number.isSafeInteger(scaled) && Number.isSafeInteger(sum)) {
        this.#units = sum;
        if (kind > this.#kind) this.#kind = kind;
        return;
      }
    }
    this.#addSlowly(value);
  }

  #addSlowly(value: Numeric): void {
    if (value.kind > KINDS.decimal) {
      if (value.kind > this.#doubleKind) this.#doubleKind = value.kind;
      (this.#doubles ??= new DoubleSum()).add(value.units as number);
      return;
    }
    const sum = calculate("+", this.#exact(), value);
    if (sum && typeof sum.units === "number") {
      this.#units = sum.units;
      this.#scale = sum.scale;
      this.#kind = sum.kind;
      return;
    }
    this.#rest = this.#rest === null ? value : calculate("+", this.#rest, value);
    if (this.#rest === null) this.#hasFailed = true;
  }

  #exact(): Numeric {
    return { kind: this.#kind, units: this.#units, scale: this.#scale };
  }

  /** Null after a failure. */
  total(): Numeric | null {
    if (this.#hasFailed) return null;
    const exact = this.#rest === null ? this.#exact() : calculate("+", this.#exact(), this.#rest);
    if (this.#doubles === null || exact === null) return exact;
    const doubles = this.#doubles.total();
    return calculate("+", exact, {
      kind: this.#doubleKind,
      units: this.#doubleKind === KINDS.float ? Math.fround(doubles) : doubles,
      scale: 0,
    });
  }
}

function sumMaker({ writer }: Tools, { number }: Code, isAverage: boolean): Maker {
  return () => {
    const sum = new Sum();
    return {
      add(row) {
        const value = number(row);
        if (value === null) sum.fail();
        else sum.add(value);
      },
      finish() {
        const total = sum.total();
        if (!isAverage || total === null) return writer.numeric(total);
        return writer.numeric(sum.count === 0 ? integerOf(0) : calculate("/", total, integerOf(sum.count)));
      },
    };
  };
}

/** @param direction 1 for the greatest, -1 for the least. */
function extremeMaker({ context }: Tools, { id }: Code, direction: 1 | -1): Maker {
  const byValue = compareTerms(context.terms);
  const byContent = compareContent(context.terms);
  // Of several that have the same value, which is first must not hang on the order of rows.
  const compare = (a: Id, b: Id): number => byValue(a, b) || byContent(a, b);
  return () => {
    let best: Id | null = null;
    let hasFailed = false;
    return {
      add(row) {
        const found = id(row);
        if (found >= ERROR) hasFailed = true;
        else if (best === null || compare(found, best) * direction > 0) best = found;
      },
      finish: () => (hasFailed || best === null ? ERROR : best),
    };
  };
}

function countMaker({ writer }: Tools, isThere: (row: Row) => boolean): Maker {
  return () => {
    let count = 0;
    return {
      add(row) {
        if (isThere(row)) count++;
      },
      finish: () => writer.numeric(integerOf(count)),
    };
  };
}

/** Any will do; but where no order may hang on what is hidden, the least by a hash of what it says. */
function settledSampleMaker({ context: { terms } }: Tools, { id }: Code): Maker {
  const byContent = compareContent(terms);
  return () => {
    let best: Id = ERROR;
    let bestHash = 0;
    return {
      add(row) {
        const found = id(row);
        if (found >= ERROR || found === best) return;
        const hash = terms.hash(found);
        if (best !== ERROR && (hash > bestHash || (hash === bestHash && byContent(found, best) > 0))) return;
        best = found;
        bestHash = hash;
      },
      finish: () => best,
    };
  };
}

function sampleMaker({ id }: Code): Maker {
  return () => {
    let found = ERROR;
    return {
      add(row) {
        if (found >= ERROR) found = Math.min(id(row), ERROR);
      },
      finish: () => found,
    };
  };
}

function concatMaker({ context, writer }: Tools, code: Code, separator: string): Maker {
  const { terms } = context;
  /** As STR() would say it. */
  const textOf = (row: Row): string | null => {
    if (code.sort === "text") return code.text(row)?.value ?? null;
    const id = code.id(row);
    return id >= ERROR || terms.kind(id) === KINDS.blank ? null : terms.get(id).value;
  };
  return () => {
    let value: string | null = null;
    let hasFailed = false;
    return {
      add(row) {
        const text = hasFailed ? null : textOf(row);
        if (text === null) hasFailed = true;
        else value = value === null ? text : value + separator + text;
        if (value !== null && value.length > TEXT_LENGTH_MAX) hasFailed = true;
      },
      finish: () => writer.text(hasFailed ? null : { value: value ?? "", language: "" }),
    };
  };
}

function countDistinctMaker({ context, writer }: Tools, { id }: Code): Maker {
  const { control } = context;
  return () => {
    const seen = new Set<Id>();
    return {
      add(row) {
        const found = id(row);
        if (found >= ERROR || seen.has(found)) return;
        control.hold(1);
        seen.add(found);
      },
      finish: () => writer.numeric(integerOf(seen.size)),
    };
  };
}

/** Hands on only the first row of each value. Errors are handed on all: what they mean is the aggregate's. */
function distinctMaker({ context }: Tools, { id }: Code, maker: Maker): Maker {
  return () => {
    const seen = new Set<Id>();
    const inner = maker();
    return {
      add(row) {
        const found = id(row);
        if (found < ERROR) {
          if (seen.has(found)) return;
          context.control.hold(1);
          seen.add(found);
        }
        inner.add(row);
      },
      finish: () => inner.finish(),
    };
  };
}

/** `COUNT(DISTINCT *)`: solutions that differ. */
function distinctRowsMaker({ context, writer }: Tools, visible: readonly number[]): Maker {
  return () => {
    const seen = new Set<string>();
    return {
      add(row) {
        const key = visible.map((place) => row[place]).join(" ");
        if (seen.has(key)) return;
        context.control.hold(1);
        seen.add(key);
      },
      finish: () => writer.numeric(integerOf(seen.size)),
    };
  };
}

/**
 * What an error in one row means: COUNT and SAMPLE pass over it, for all others the group has no value.
 * @param visible Places of the variables that are in scope, for `COUNT(DISTINCT *)` alone.
 * @returns A maker of one accumulator for each group.
 */
export function createAccumulator(
  { name, distinct, operand, separator }: Aggregate,
  context: ExpressionContext,
  visible: readonly number[] = [],
): Maker {
  const tools = toolsOf(context);
  if (operand === null) return distinct ? distinctRowsMaker(tools, visible) : countMaker(tools, () => true);
  const code = compileCode(operand, tools);
  if (name === "COUNT" && distinct) return countDistinctMaker(tools, code);
  const maker = makerOf(name, tools, code, separator);
  const isSame = name === "MIN" || name === "MAX" || name === "SAMPLE"; // Once or twice, they are the same.
  return distinct && !isSame ? distinctMaker(tools, code, maker) : maker;
}

function makerOf(name: Aggregate["name"], tools: Tools, code: Code, separator: string): Maker {
  switch (name) {
    case "COUNT":
      return countMaker(
        tools,
        code.sort === "number" ? (row) => code.number(row) !== null : (row) => code.id(row) < ERROR,
      );
    case "SUM":
    case "AVG":
      return sumMaker(tools, code, name === "AVG");
    case "MIN":
      return extremeMaker(tools, code, -1);
    case "MAX":
      return extremeMaker(tools, code, 1);
    case "SAMPLE":
      return tools.context.isSettled ? settledSampleMaker(tools, code) : sampleMaker(code);
    default:
      return concatMaker(tools, code, separator);
  }
}
