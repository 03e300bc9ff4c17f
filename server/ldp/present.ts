/** What stands at an address, as a notification may say it: not the content, but whether it is another. */
import { parseTarget } from "../iri.ts";
import { decodeDocument } from "../store/record.ts";
import type { Snapshot } from "../store/store.ts";
import { etagOf, FORMS } from "./conditions.ts";
import { containerState, findResource } from "./find.ts";

export interface Present {
  /** Of the stored form; of a container, of its Turtle. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly modified: number;
}

/** @returns null when nothing stands there. */
export async function findPresent(snapshot: Snapshot, path: string): Promise<Present | null> {
  const { auxiliary, subject } = parseTarget(path);
  if (auxiliary) {
    const entry = await snapshot.get("auxiliary", subject, auxiliary);
    if (!entry) return null;
    const { modified, version = entry.version } = decodeDocument(entry);
    return { etag: etagOf(version), created: Number.NaN, modified }; // Nobody keeps when it was made.
  }
  const found = await findResource(snapshot, path);
  if (!found) return null;
  const { record, entry } = found;
  if (record.kind !== "container")
    return {
      etag: etagOf(record.version ?? entry.version),
      created: record.created,
      modified: record.modified,
    };
  const meta = await snapshot.get("auxiliary", path, "meta");
  const state = await containerState(snapshot, path, found, meta);
  return {
    etag: etagOf(state.version, FORMS["text/turtle"]),
    created: record.created,
    modified: state.modified,
  };
}
