/** The statements of a commit. Many rows go in one: their bytes end to end in one parameter, with where each begins. */

import { placeOf } from "../pending.ts";
import type { LookupKey } from "../sealed/seal.ts";
import type { ReadRange, ReadRecord } from "../sqlite/batch.ts";
import type { Connection, Statement, Value } from "./database.ts";
import type { Proposal } from "./transaction.ts";

export const BEGIN: Statement = { name: "begin", text: "BEGIN" };
export const COMMIT: Statement = { name: "commit", text: "COMMIT" };
export const ROLLBACK = "ROLLBACK";
const COLUMNS = "generation, turn, key_version, bytes, resources, journal_number, journal_hash";
export const LOCK: Statement = {
  name: "pod-lock",
  text: `SELECT ${COLUMNS} FROM pod WHERE pod_id = $1 FOR UPDATE`,
};
export const PODS: Statement = {
  name: "pods",
  text: `SELECT ${COLUMNS}, pod_id FROM pod WHERE pod_id = ANY($1::bytea[])`,
};
export const TICKET: Statement = {
  name: "pod-ticket",
  text: "SELECT turn, ticket FROM pod WHERE pod_id = $1 FOR UPDATE",
};
export const PASS: Statement = { name: "pod-pass", text: "UPDATE pod SET turn = turn + 1 WHERE pod_id = $1" };
export const MOVE: Statement = {
  name: "pod-move",
  text: "UPDATE pod SET turn = turn + 1, generation = $3, bytes = $4, resources = $5, journal_number = $6, journal_hash = $7, ticket = $8 WHERE pod_id = $1 AND turn = $2",
};

/** What MOVE did not do, these do not either. */
const IF_MOVED = "EXISTS (SELECT 1 FROM pod WHERE pod_id = $1 AND ticket = $2)";
const PUT: Statement = {
  name: "record-put",
  text: `INSERT INTO record (pod_id, table_number, group_key, item_key, version, sealed)
    SELECT $1::bytea, t.table_number, substring($3::bytea FROM t.at FOR 16), substring($3::bytea FROM t.at + 16 FOR 16), t.version, substring($3::bytea FROM t.at + 32 FOR t.size)
    FROM unnest($4::smallint[], $5::int[], $6::int[], $7::bigint[]) AS t(table_number, at, size, version) WHERE ${IF_MOVED}
    ON CONFLICT (pod_id, table_number, group_key, item_key) DO UPDATE SET version = excluded.version, sealed = excluded.sealed`,
};
const DELETE: Statement = {
  name: "record-delete",
  text: `DELETE FROM record r USING unnest($4::smallint[], $5::int[]) AS t(table_number, at)
    WHERE r.pod_id = $1 AND r.table_number = t.table_number AND r.group_key = substring($3::bytea FROM t.at FOR 16)
      AND r.item_key = substring($3::bytea FROM t.at + 16 FOR 16) AND ${IF_MOVED}`,
};
const RECORD: Statement = {
  name: "journal-add",
  text: `INSERT INTO journal (pod_id, number, leaf, sealed)
    SELECT $1::bytea, t.number, substring($3::bytea FROM t.at FOR 32), substring($3::bytea FROM t.at + 32 FOR t.size)
    FROM unnest($4::bigint[], $5::int[], $6::int[]) AS t(number, at, size) WHERE ${IF_MOVED}`,
};
const VERSIONS: Statement = {
  name: "record-versions",
  text: `SELECT r.table_number, r.group_key, r.item_key, r.version FROM unnest($3::smallint[], $4::int[]) AS t(table_number, at)
    JOIN record r ON r.pod_id = $1 AND r.table_number = t.table_number AND r.group_key = substring($2::bytea FROM t.at FOR 16)
      AND r.item_key = substring($2::bytea FROM t.at + 16 FOR 16)`,
};
const RANGE =
  "SELECT count(*), coalesce(max(version), 0) FROM record WHERE pod_id = $1 AND table_number = $2";
const TABLE_NOW: Statement = { name: "range-table", text: RANGE };
const GROUP_NOW: Statement = { name: "range-group", text: `${RANGE} AND group_key = $3` };

const keyOf = (bytes: unknown): LookupKey => (bytes as Buffer).toString("latin1") as LookupKey;

/** Bytes end to end, and where each begins, from 1 on as SQL counts. */
function createHeap() {
  const parts: Uint8Array[] = [];
  let at = 1;
  return {
    add(...bytes: readonly Uint8Array[]): number {
      const start = at;
      for (const one of bytes) {
        parts.push(one);
        at += one.length;
      }
      return start;
    },
    bytes: (): Buffer => Buffer.concat(parts),
  };
}
const latin1 = (key: string): Buffer => Buffer.from(key, "latin1");

/** What the accepted proposals write, one after the other: of several writes of one place the last counts. */
export function statementsOf(
  id: Buffer,
  ticket: Buffer,
  journalNumber: number,
  accepted: readonly { readonly waiting: { readonly proposal: Proposal }; readonly generation: number }[],
): readonly (readonly [Statement, readonly Value[]])[] {
  const last = new Map<string, { readonly write: Proposal["writes"][number]; readonly generation: number }>();
  const entries: Proposal["entries"][number][] = [];
  for (const { waiting, generation } of accepted) {
    for (const write of waiting.proposal.writes)
      last.set(placeOf(write.table, write.groupKey, write.itemKey), { write, generation });
    entries.push(...waiting.proposal.entries);
  }
  const puts = {
    heap: createHeap(),
    tables: [] as number[],
    ats: [] as number[],
    sizes: [] as number[],
    versions: [] as number[],
  };
  const gone = { heap: createHeap(), tables: [] as number[], ats: [] as number[] };
  for (const { write, generation } of last.values()) {
    const { table, groupKey, itemKey, sealed } = write;
    if (sealed) {
      puts.tables.push(table);
      puts.ats.push(puts.heap.add(latin1(groupKey), latin1(itemKey), sealed));
      puts.sizes.push(sealed.length);
      puts.versions.push(generation);
    } else {
      gone.tables.push(table);
      gone.ats.push(gone.heap.add(latin1(groupKey), latin1(itemKey)));
    }
  }
  const statements: (readonly [Statement, readonly Value[]])[] = [];
  if (puts.ats.length > 0)
    statements.push([PUT, [id, ticket, puts.heap.bytes(), puts.tables, puts.ats, puts.sizes, puts.versions]]);
  if (gone.ats.length > 0) statements.push([DELETE, [id, ticket, gone.heap.bytes(), gone.tables, gone.ats]]);
  if (entries.length > 0) {
    const heap = createHeap();
    const ats = entries.map(({ leaf, sealed }) => heap.add(latin1(leaf), sealed));
    const numbers = entries.map((_, index) => journalNumber + index + 1);
    statements.push([
      RECORD,
      [id, ticket, heap.bytes(), numbers, ats, entries.map(({ sealed }) => sealed.length)],
    ]);
  }
  return statements;
}

/** Versions of records as they are now; what is not there is not in it. */
export async function versionsNow(
  connection: Connection,
  id: Buffer,
  records: readonly ReadRecord[],
): Promise<ReadonlyMap<string, number>> {
  const versions = new Map<string, number>();
  if (records.length === 0) return versions;
  const heap = createHeap();
  const tables = records.map(({ table }) => table);
  const ats = records.map(({ groupKey, itemKey }) => heap.add(latin1(groupKey), latin1(itemKey)));
  const { rows } = await connection.run(VERSIONS, [id, heap.bytes(), tables, ats]);
  for (const [table, group, item, version] of rows)
    versions.set(placeOf(table as number, keyOf(group), keyOf(item)), version as number);
  return versions;
}

/** Counts and greatest versions of ranges as they are now, by table and group. */
export async function rangesNow(
  connection: Connection,
  id: Buffer,
  ranges: readonly ReadRange[],
): Promise<ReadonlyMap<string, { readonly count: number; readonly version: number }>> {
  const places = new Map(
    ranges.map((range) => [String.fromCharCode(range.table) + (range.groupKey ?? ""), range] as const),
  );
  const states = await Promise.all(
    [...places].map(async ([place, { table, groupKey }]) => {
      const { rows } =
        groupKey === null
          ? await connection.run(TABLE_NOW, [id, table])
          : await connection.run(GROUP_NOW, [id, table, latin1(groupKey)]);
      return [place, { count: rows[0]?.[0] as number, version: rows[0]?.[1] as number }] as const;
    }),
  );
  return new Map(states);
}
