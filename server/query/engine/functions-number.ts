/** Functions on numbers. https://www.w3.org/TR/sparql11-query/#func-numerics */
import { define, type Function, numberCode } from "./code.ts";
import { absolute, doubleOf, type Numeric, whole } from "./numbers.ts";

const mapped = (change: (value: Numeric) => Numeric) =>
  define(
    ([operand], tools) =>
      numberCode(tools, (row) => {
        const value = operand!.number(row);
        return value && change(value);
      }),
    1,
  );

export const NUMBER_FUNCTIONS: readonly (readonly [name: string, found: Function])[] = [
  ["ABS", mapped(absolute)],
  ["ROUND", mapped((value) => whole(value, "half"))],
  ["CEIL", mapped((value) => whole(value, "ceiling"))],
  ["FLOOR", mapped((value) => whole(value, "floor"))],
  ["RAND", define((_, tools) => numberCode(tools, () => doubleOf(Math.random())), 0)],
];
