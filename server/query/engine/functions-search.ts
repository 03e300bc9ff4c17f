/** Full-text search as functions, by their IRIs. What a query for texts says: `search/text-query.ts`. */

import { excerptOf, matches, parseTextQuery, scoreOf, type TextQuery } from "../search/text-query.ts";
import { EXCERPT, MATCHES, SCORE } from "../search/vocabulary.ts";
import { type Code, define, type Function, numberCode, textCode, truthCode } from "./code.ts";
import type { Row } from "./contract.ts";
import { doubleOf } from "./numbers.ts";
import { FAILED, FALSE, TRUE } from "./values.ts";

/** Nearly always a constant; null for what says nothing to look for. */
function queryOf({ constant, text }: Code): (row: Row) => TextQuery | null {
  const read = (row: Row): TextQuery | null => {
    const found = text(row);
    return found && parseTextQuery(found.value);
  };
  if (constant === null) return read;
  const query = read(new Uint32Array());
  return () => query;
}

export const SEARCH_FUNCTIONS: ReadonlyMap<string, Function> = new Map([
  [
    MATCHES,
    define(([text, wanted], tools) => {
      const find = queryOf(wanted!);
      return truthCode(tools, (row) => {
        const found = text!.text(row);
        if (found === null) return FAILED;
        const query = find(row);
        return query && matches(query, found.value) ? TRUE : FALSE;
      });
    }, 2),
  ],
  [
    SCORE,
    define(([text, wanted], tools) => {
      const find = queryOf(wanted!);
      return numberCode(tools, (row) => {
        const found = text!.text(row);
        const query = found && find(row);
        return found && doubleOf(query ? scoreOf(query, found.value) : 0);
      });
    }, 2),
  ],
  [
    EXCERPT,
    define(([text, wanted], tools) => {
      const find = queryOf(wanted!);
      return textCode(tools, (row) => {
        const found = text!.text(row);
        const query = found && find(row);
        return found && query ? { value: excerptOf(query, found.value), language: found.language } : null;
      });
    }, 2),
  ],
]);
