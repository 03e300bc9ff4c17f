/**
 * The lock file: the newest tree that this server has bound itself to. It stands outside the store and outside backups, so
 * that a store which was brought back from a copy cannot lead to a second log with the same name.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OperatorError } from "../../errors.ts";
import { makeFolder, writeDurably } from "../../store/durable.ts";

/** A tree of one log. */
export interface Tree {
  /** With the year. */
  readonly origin: string;
  readonly size: number;
  /** base64url. */
  readonly root: string;
}

export interface Lock {
  /** Null: this server never signed anything. */
  read(): Promise<Tree | null>;
  /** Durable when resolved. @throws Error for a tree that is older than the lock, or another one of the same size. */
  forward(tree: Tree): Promise<void>;
}

export type Order = "same" | "older" | "newer" | "other";

const YEAR = /^(.+)\/(\d{4})$/;

/** How `a` stands to `b`. Years of one log follow each other; `other` is what can never be reached from there. */
export function orderOf(a: Tree, b: Tree): Order {
  if (a.origin === b.origin) {
    if (a.size === b.size) return a.root === b.root ? "same" : "other";
    return a.size < b.size ? "older" : "newer";
  }
  const [, logOfA, yearOfA = ""] = YEAR.exec(a.origin) ?? [];
  const [, logOfB, yearOfB = ""] = YEAR.exec(b.origin) ?? [];
  if (logOfA === undefined || logOfA !== logOfB) return "other";
  return yearOfA < yearOfB ? "older" : "newer";
}

function treeIn(text: string): Tree | null {
  try {
    const { origin, size, root } = JSON.parse(text) as Record<keyof Tree, unknown>;
    const isTree = typeof origin === "string" && Number.isSafeInteger(size) && typeof root === "string";
    return isTree ? { origin, size: size as number, root } : null;
  } catch {
    return null;
  }
}

/** @param folder Of the zone. */
export function createLock(folder: string): Lock {
  const path = join(folder, "lock");
  let known: Tree | null = null;

  async function read(): Promise<Tree | null> {
    if (known) return known;
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return null;
    }
    known = treeIn(text);
    if (!known)
      throw new OperatorError(
        `${path} is damaged: it says what this server signed last. Bring it back; or remove it, but only where the store is surely the newest that there ever was, for two logs of one name would cost all trust in this one.`,
      );
    return known;
  }

  return {
    read,
    async forward({ origin, size, root }) {
      const tree: Tree = { origin, size, root };
      const now = await read();
      const order = now ? orderOf(now, tree) : "older";
      if (order === "same") return;
      if (order !== "older")
        throw new Error(`The lock is at ${now?.size} of ${now?.origin}: not to be moved back`);
      await makeFolder(dirname(path));
      await writeDurably(path, new TextEncoder().encode(`${JSON.stringify(tree)}\n`));
      known = tree;
    },
  };
}
