/** A pod's resources, folder by folder, each with its name in an archive. */
import type { Pod } from "../store/pods.ts";
import { decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import { createFolderNames } from "./names.ts";

export interface Visited {
  /** Canonical, within the server. */
  readonly path: string;
  readonly record: ResourceRecord;
  /** Name in the archive; of folders with a slash at the end. */
  readonly entry: string;
}

/** Everything below the pod's root and the root itself; a folder comes before what is in it. */
export async function* walkPod(snapshot: Snapshot, pod: Pod, top: string): AsyncGenerator<Visited> {
  const root = await snapshot.get("resource", "/", `${pod.name}/`);
  if (!root) return;
  const path = `/${pod.name}/`;
  yield { path, record: decodeRecord<ResourceRecord>(root), entry: top };
  yield* walkFolder(snapshot, path, top);
}

async function* walkFolder(snapshot: Snapshot, path: string, entryOf: string): AsyncGenerator<Visited> {
  const names = createFolderNames(entryOf);
  const visit = (member: Entry): Visited => ({
    path: path + member.item,
    record: decodeRecord<ResourceRecord>(member),
    entry: names.nameOf(member.item),
  });
  for await (const member of snapshot.list("resource", path)) {
    const visited = visit(member);
    yield visited;
    if (visited.record.kind === "container") yield* walkFolder(snapshot, visited.path, visited.entry);
  }
}
