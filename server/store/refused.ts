import { OperatorError } from "../errors.ts";

/** Why a store was not opened: the message tells the operator what is wrong and what to do. */
export class StoreRefused extends OperatorError {
  override readonly name = "StoreRefused";
}

/** Commits are lost in rare cases by older ones (WAL reset). https://www.sqlite.org/wal.html#walresetbug */
const SQLITE_LEAST = "3.51.3";

function isOlder(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split(".").map(Number));
  for (const [index, part] of (b ?? []).entries()) {
    const found = a?.[index] ?? 0;
    if (found !== part) return found < part;
  }
  return false;
}

/** @throws StoreRefused for an SQLite that is known to lose commits. */
export function checkSqlite(version: string): void {
  if (isOlder(version, SQLITE_LEAST)) {
    throw new StoreRefused(
      `This Node brings SQLite ${version}; Freehold needs ${SQLITE_LEAST} or newer. Update Node.`,
    );
  }
}
