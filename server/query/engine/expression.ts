/** Expressions as closures over rows. https://www.w3.org/TR/sparql11-query/#expressions */
import { ERROR, type Id, KINDS, UNBOUND } from "../index/view.ts";
import type { Expression } from "../sparql/algebra.ts";
import { castTo, isCast } from "./casts.ts";
import {
  applyFunction,
  type Code,
  constantCode,
  numberCode,
  type Tools,
  termCode,
  toolsOf,
  truthCode,
  variableCode,
} from "./code.ts";
import { comparisonCode, equalityCode } from "./comparisons.ts";
import { type Compute, type ExpressionContext, type Row, type Test, Unsupported } from "./contract.ts";
import { HASH_FUNCTIONS } from "./functions-hash.ts";
import { MOMENT_FUNCTIONS, momentArithmetic } from "./functions-moment.ts";
import { NUMBER_FUNCTIONS } from "./functions-number.ts";
import { SEARCH_FUNCTIONS } from "./functions-search.ts";
import { TERM_FUNCTIONS } from "./functions-term.ts";
import { TEXT_FUNCTIONS } from "./functions-text.ts";
import { type Arithmetic, calculate, negated } from "./numbers.ts";
import { FAILED, FALSE, TRUE, type Truth } from "./values.ts";

const FUNCTIONS = new Map([
  ...TERM_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...MOMENT_FUNCTIONS,
  ...HASH_FUNCTIONS,
]);

type Of<Kind extends Expression["kind"]> = Extract<Expression, { readonly kind: Kind }>;

/** https://www.w3.org/TR/sparql11-query/#func-logical-or: true wins over an error. */
function logical(tools: Tools, operator: "&&" | "||", operands: readonly Code[]): Code {
  const decisive: Truth = operator === "||" ? TRUE : FALSE;
  const [{ truth: left }, { truth: right }] = operands as readonly [Code, Code];
  return truthCode(tools, (row) => {
    const first = left(row);
    if (first === decisive) return decisive;
    const second = right(row);
    return second === decisive ? decisive : first === FAILED ? FAILED : second;
  });
}

function arithmetic(tools: Tools, operator: Arithmetic, operands: readonly Code[]): Code {
  const [{ number: left, sort: leftSort }, { number: right, sort: rightSort }] = operands as readonly [
    Code,
    Code,
  ];
  const numeric = numberCode(tools, (row) => {
    const a = left(row);
    if (a === null) return null;
    const b = right(row);
    return b === null ? null : calculate(operator, a, b);
  });
  if (leftSort === "number" || rightSort === "number" || operator === "*" || operator === "/") return numeric;
  // Both may be moments: then the numbers fail.
  const moments = momentArithmetic(operator, operands, tools);
  const term = termCode(tools, (row) => {
    const id = numeric.id(row);
    return id === ERROR ? moments(row) : id;
  });
  return { ...term, sort: "sum", number: numeric.number };
}

function operatorCode(tools: Tools, { operator }: Of<"operator">, operands: readonly Code[]): Code {
  const first = operands[0]!;
  switch (operator) {
    case "&&":
    case "||":
      return logical(tools, operator, operands);
    case "!":
      return truthCode(tools, (row) => {
        const truth = first.truth(row);
        return truth === FAILED ? FAILED : truth === TRUE ? FALSE : TRUE;
      });
    case "=":
    case "!=":
      return equalityCode(tools, first, operands[1]!, operator === "!=");
    case "<":
    case ">":
    case "<=":
    case ">=":
      return comparisonCode(tools, operator, first, operands[1]!);
    case "unary-":
      return numberCode(tools, (row) => {
        const value = first.number(row);
        return value && negated(value);
      });
    case "unary+":
      return numberCode(tools, first.number);
    default:
      return arithmetic(tools, operator, operands);
  }
}

/** https://www.w3.org/TR/sparql11-query/#func-in */
function inCode(tools: Tools, { negated: isNegated }: Of<"in">, operand: Code, list: readonly Code[]): Code {
  const { terms } = tools.context;
  const constants = new Set<Id>();
  for (const { constant } of list) if (constant !== null) constants.add(constant);
  const areAllIris =
    constants.size > 0 &&
    list.every(({ constant }) => constant !== null && terms.kind(constant) === KINDS.iri);
  const [found, missing]: [Truth, Truth] = isNegated ? [FALSE, TRUE] : [TRUE, FALSE];
  if (areAllIris)
    return truthCode(tools, (row) => {
      const id = operand.id(row);
      return id >= ERROR ? FAILED : constants.has(id) ? found : missing;
    });
  const equalities = list.map((item) => equalityCode(tools, operand, item, false).truth);
  return truthCode(tools, (row) => {
    let hasFailed = false;
    for (const equality of equalities) {
      const truth = equality(row);
      if (truth === TRUE) return found;
      if (truth === FAILED) hasFailed = true;
    }
    return hasFailed ? FAILED : missing;
  });
}

function ifCode(condition: Code, yes: Code, no: Code): Code {
  const choose = (row: Row): Code | null => {
    const truth = condition.truth(row);
    return truth === FAILED ? null : truth === TRUE ? yes : no;
  };
  return {
    sort: yes.sort === no.sort ? yes.sort : "term",
    id: (row) => choose(row)?.id(row) ?? ERROR,
    truth: (row) => choose(row)?.truth(row) ?? FAILED,
    number: (row) => choose(row)?.number(row) ?? null,
    text: (row) => choose(row)?.text(row) ?? null,
    constant: null,
    place: -1,
  };
}

function coalesceCode(tools: Tools, operands: readonly Code[]): Code {
  return termCode(tools, (row) => {
    for (const { id } of operands) {
      const found = id(row);
      if (found < ERROR) return found;
    }
    return ERROR;
  });
}

/** What only the expression itself can compile: its operands are not simply evaluated. */
function formCode(tools: Tools, { name, operands }: Of<"call">): Code | null {
  if (name === "BOUND") {
    const [operand] = operands;
    if (operand?.kind !== "variable") throw new Unsupported("BOUND takes a variable");
    const place = tools.context.place(operand.name);
    return truthCode(tools, (row) => (row[place] === UNBOUND ? FALSE : TRUE));
  }
  if (name === "COALESCE")
    return coalesceCode(
      tools,
      operands.map((operand) => compileCode(operand, tools)),
    );
  if (name !== "IF" || operands.length !== 3) return null;
  const [condition, yes, no] = operands.map((operand) => compileCode(operand, tools));
  return ifCode(condition!, yes!, no!);
}

export function compileCode(expression: Expression, tools: Tools): Code {
  const { context } = tools;
  const compileAll = (operands: readonly Expression[]): Code[] =>
    operands.map((operand) => compileCode(operand, tools));
  switch (expression.kind) {
    case "term":
      return constantCode(tools, context.terms.intern(expression.term));
    case "variable":
      return variableCode(tools, context.place(expression.name));
    case "operator":
      return operatorCode(tools, expression, compileAll(expression.operands));
    case "in":
      return inCode(tools, expression, compileCode(expression.operand, tools), compileAll(expression.list));
    case "exists": {
      const exists = context.exists(expression.pattern);
      return truthCode(tools, (row) => (exists(row) !== expression.negated ? TRUE : FALSE));
    }
    case "function": {
      const operands = compileAll(expression.operands);
      if (isCast(expression.iri) && operands.length === 1) return castTo(expression.iri, operands[0]!, tools);
      const search = SEARCH_FUNCTIONS.get(expression.iri);
      if (search && operands.length === search.least) return search.make(operands, tools);
      return termCode(tools, () => ERROR); // Not known: an error wherever it is evaluated.
    }
    default:
      return (
        formCode(tools, expression) ??
        applyFunction(expression.name, FUNCTIONS.get(expression.name), compileAll(expression.operands), tools)
      );
  }
}

/**
 * @param context The same object for all expressions of a query: they share what they know of its terms.
 * @throws Unsupported for a function that is not there.
 */
export function compileExpression(expression: Expression, context: ExpressionContext): Compute {
  return compileCode(expression, toolsOf(context)).id;
}

/** The effective boolean value, as FILTER, HAVING and the condition of OPTIONAL use it. */
export function compileTest(expression: Expression, context: ExpressionContext): Test {
  const { truth } = compileCode(expression, toolsOf(context));
  return (row) => truth(row) === TRUE;
}
