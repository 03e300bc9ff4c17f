/** Many rows, some at a time, in the order of their keys. */
import type { Row, Statement, Value } from "./database.ts";

/** Rows fetched at once. */
const PAGE = 256;
const FIRST_KEY = Buffer.alloc(0); // Before every key.

export interface Walk {
  /** Its first parameter says of what, then the columns of `start`, then how many rows; its columns begin with those. */
  readonly statement: Statement;
  /** Before the first row. */
  readonly start: readonly (number | Buffer)[];
}

/** All records of a pod: table, group, item, version, sealed. */
export const RECORDS: Walk = {
  statement: {
    name: "all-records",
    text: "SELECT table_number, group_key, item_key, version, sealed FROM record WHERE pod_id = $1 AND (table_number, group_key, item_key) > ($2, $3, $4) ORDER BY table_number, group_key, item_key LIMIT $5",
  },
  start: [0, FIRST_KEY, FIRST_KEY],
};
/** A pod's journal: number, leaf, sealed. */
export const ENTRIES: Walk = {
  statement: {
    name: "all-entries",
    text: "SELECT number, leaf, sealed FROM journal WHERE pod_id = $1 AND number > $2 ORDER BY number LIMIT $3",
  },
  start: [0],
};

/** @param ask On one connection, or on any. */
export async function* pagesOf(
  ask: (statement: Statement, values: readonly Value[]) => Promise<readonly Row[]>,
  { statement, start }: Walk,
  of: Value,
): AsyncGenerator<readonly Row[]> {
  for (let after = start; ; ) {
    const rows = await ask(statement, [of, ...after, PAGE]);
    yield rows;
    const last = rows.at(-1);
    if (rows.length < PAGE || !last) return;
    after = last.slice(0, start.length) as (number | Buffer)[];
  }
}
