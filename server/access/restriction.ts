/**
 * Places of a pod that are frozen for everybody but its owner, until the owner lifts it: processing is restricted, nothing
 * is deleted, and no access list is touched. https://eur-lex.europa.eu/eli/reg/2016/679/oj (article 18)
 */
import { Problem } from "../errors.ts";
import { nameOf, parentOf } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { By } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Entry, Snapshot, Store, Transaction } from "../store/store.ts";

export interface Restriction {
  /** A document, or a folder with everything in it; the pod's root for all of it. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** All of a pod in one record: every request asks for it, and nearly always it is not there. */
const PLACE = ["restriction", "", ""] as const;

const parsed = new WeakMap<Entry, ReadonlySet<string>>();

function pathsOf(entry: Entry): ReadonlySet<string> {
  let paths = parsed.get(entry);
  if (!paths) {
    paths = new Set(decodeRecord<readonly Restriction[]>(entry).map(({ path }) => path));
    parsed.set(entry, paths);
  }
  return paths;
}

const NONE: ReadonlySet<string> = new Set();

/** The places that are frozen by their own names, in the order in which they are kept. */
export async function frozenPaths(snapshot: Snapshot): Promise<ReadonlySet<string>> {
  const entry = await snapshot.get(...PLACE);
  return entry ? pathsOf(entry) : NONE;
}

/**
 * @returns whether a subject is frozen, in this snapshot: itself or a folder above it. Given to a transaction, it runs anew
 * when that changes.
 */
export async function frozenIn(snapshot: Snapshot): Promise<(subject: string) => boolean> {
  const paths = await frozenPaths(snapshot);
  if (paths.size === 0) return () => false;
  return (subject) => {
    for (let path: string | null = subject; path !== null; path = parentOf(path))
      if (paths.has(path)) return true;
    return false;
  };
}

export interface Restrictions {
  /** By path. */
  list(pod: Pod): Promise<readonly Restriction[]>;
  /**
   * Freezes a place; one that is frozen stays so.
   * @throws Problem `not-found` for what is not there, `conflict` when there are too many.
   */
  restrict(pod: Pod, path: string, by: By): Promise<readonly Restriction[]>;
  /** @throws Problem `not-found` when the place itself is not frozen. */
  release(pod: Pod, path: string, by: By): Promise<readonly Restriction[]>;
}

export interface RestrictionDeps {
  readonly store: Store;
  readonly limits: Limits;
  readonly now: () => Date;
  /** Notes what is done, in the transaction that does it. */
  readonly record: (
    transaction: Transaction,
    pod: Pod,
    act: "restrict" | "release",
    path: string,
    by: By,
  ) => void;
}

async function listIn(snapshot: Snapshot): Promise<readonly Restriction[]> {
  const entry = await snapshot.get(...PLACE);
  return entry ? decodeRecord<readonly Restriction[]>(entry) : [];
}

export function createRestrictions({ store, limits, now, record }: RestrictionDeps): Restrictions {
  return {
    list: (pod) => store.read(pod.id, listIn),
    async restrict(pod, path, by) {
      const { result } = await store.write(pod.id, async (transaction) => {
        const before = await listIn(transaction);
        if (before.some((one) => one.path === path)) return before;
        if (!(await transaction.get("resource", parentOf(path) ?? "", nameOf(path))))
          throw new Problem("not-found", "There is no such place in the pod");
        if (before.length >= limits.restrictionsMax)
          throw new Problem(
            "conflict",
            `At most ${limits.restrictionsMax} places; freeze the folder above them`,
          );
        const after = [...before, { path, since: now().getTime() }];
        after.sort((a, b) => (a.path < b.path ? -1 : 1));
        transaction.put(...PLACE, encodeRecord(after));
        record(transaction, pod, "restrict", path, by);
        return after;
      });
      return result;
    },
    async release(pod, path, by) {
      const { result } = await store.write(pod.id, async (transaction) => {
        const before = await listIn(transaction);
        const after = before.filter((one) => one.path !== path);
        if (after.length === before.length) throw new Problem("not-found", "This place is not frozen");
        if (after.length > 0) transaction.put(...PLACE, encodeRecord(after));
        else transaction.delete(...PLACE);
        record(transaction, pod, "release", path, by);
        return after;
      });
      return result;
    },
  };
}

/**
 * Whatever was frozen by its own name stays so under another.
 * @param from Where it was frozen.
 */
export async function keepFrozen(
  transaction: Transaction,
  from: string,
  to: string,
  now: number,
): Promise<void> {
  const before = await listIn(transaction);
  if (from === to || !before.some(({ path }) => path === from) || before.some(({ path }) => path === to))
    return;
  const after = [...before, { path: to, since: now }].sort((a, b) => (a.path < b.path ? -1 : 1));
  transaction.put(...PLACE, encodeRecord(after));
}
