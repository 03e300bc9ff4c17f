/** The manifest's rows, found by the names of entries. In an archive as it was written both come in one order. */
import { Problem } from "../errors.ts";
import { MANIFEST, type Member, membersOf, type Source } from "./archive.ts";
import { type Manifest, type Row, readManifest } from "./manifest.ts";

export interface Rows {
  readonly manifest: Manifest;
  /** Null for an entry that is not in the manifest, or comes twice. */
  of(entry: string): Promise<Row | null>;
  /** Folders that had no entry. @throws Problem `archive-invalid` when a document had none. */
  foldersLeft(): Promise<readonly Row[]>;
}

const bad = (detail: string): Problem => new Problem("archive-invalid", detail);

async function findManifest(source: Source): Promise<Member> {
  for await (const member of membersOf(source)) if (member.name === MANIFEST) return member;
  throw bad("There is no manifest");
}

const PASSED_MAX = 100_000; // Some 50 MiB: an archive made to do harm must not fill the memory.

/** Rows that were passed by on the way to another are kept: none, unless somebody packed the archive anew. */
export async function createRows(source: Source): Promise<Rows> {
  const steps = readManifest((await (await findManifest(source)).open()) as AsyncIterable<Uint8Array>);
  const first = await steps.next();
  if (first.done || !("manifest" in first.value)) throw bad("The manifest is empty");
  const { manifest } = first.value;
  const passed = new Map<string, Row>();
  const next = async (): Promise<Row | null> => {
    const step = await steps.next();
    return step.done || !("row" in step.value) ? null : step.value.row;
  };
  function pass(row: Row): void {
    if (passed.size >= PASSED_MAX) throw bad("Its entries are not in the order of its manifest");
    passed.set(row.entry, row);
  }
  return {
    manifest,
    async of(entry) {
      const known = passed.get(entry);
      if (known) {
        passed.delete(entry);
        return known;
      }
      for (let row = await next(); row; row = await next()) {
        if (row.entry === entry) return row;
        if (passed.has(row.entry))
          throw bad(`The manifest names ${JSON.stringify(row.entry.slice(0, 100))} twice`);
        pass(row);
      }
      return null;
    },
    async foldersLeft() {
      for (let row = await next(); row; row = await next()) pass(row);
      const left = [...passed.values()];
      const missing = left.find(({ kind }) => kind !== "container");
      if (missing)
        throw bad(`${JSON.stringify(missing.entry.slice(0, 100))} is in the manifest and not in the archive`);
      return left;
    },
  };
}
