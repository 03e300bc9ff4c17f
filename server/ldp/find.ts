/** Looking things up in a snapshot: what stands at a path, with its representation's bytes. */
import { nameOf, parentOf, type Target } from "../iri.ts";
import { decodeDocument, decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Entry, Snapshot } from "../store/store.ts";

export interface Found {
  readonly entry: Entry;
  readonly record: ResourceRecord;
}

/** The resource at a canonical path, or null. Auxiliary resources are not found here. */
export async function findResource(snapshot: Snapshot, path: string): Promise<Found | null> {
  const entry = await snapshot.get("resource", parentOf(path) ?? "", nameOf(path));
  return entry && { entry, record: decodeRecord<ResourceRecord>(entry) };
}

/** ETag and Last-Modified of a container's representation: those of the youngest thing that shows in it. */
export async function containerState(
  snapshot: Snapshot,
  path: string,
  { entry, record }: Found,
  meta: Entry | null,
): Promise<{ readonly version: number; readonly modified: number }> {
  const stamp = await snapshot.get("stamp", path, "");
  const description = meta && decodeDocument(meta);
  const changes = [
    record.modified,
    stamp ? decodeRecord<{ modified: number }>(stamp).modified : 0,
    description?.modified ?? 0,
  ];
  return {
    version: Math.max(entry.version, stamp?.version ?? 0, description?.version ?? meta?.version ?? 0),
    modified: Math.max(...changes),
  };
}

/** The same name with or without its slash: the two must not both exist. https://solidproject.org/TR/protocol#uri-slash-semantics */
export function otherForm(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
}

/** Something with bytes that are one RDF document or one binary. */
export interface Stored {
  /** Identity for caches. */
  readonly entry: Entry;
  /** What the ETag is made of. */
  readonly version: number;
  readonly contentType: string;
  readonly modified: number;
  readonly isRdf: boolean;
  readonly bytes: Uint8Array | null;
  readonly blob: { readonly hash: string; readonly bytes: number } | null;
}

/** What a GET of a target that is no container would send; null when there is nothing. */
export async function findStored(snapshot: Snapshot, target: Target): Promise<Stored | null> {
  if (target.auxiliary) {
    const entry = await snapshot.get("auxiliary", target.subject, target.auxiliary);
    if (!entry) return null;
    const { contentType, modified, bytes, version = entry.version } = decodeDocument(entry);
    return { entry, version, contentType, modified, isRdf: true, bytes, blob: null };
  }
  const found = await findResource(snapshot, target.path);
  if (!found || found.record.kind === "container") return null;
  const { record, entry } = found;
  const common = {
    entry,
    version: record.version ?? entry.version,
    contentType: record.contentType,
    modified: record.modified,
    isRdf: record.kind === "rdf",
  };
  if (record.blob) return { ...common, bytes: null, blob: { hash: record.blob, bytes: record.bytes } };
  const body = await snapshot.get("body", target.path, "");
  return body && { ...common, bytes: body.value, blob: null };
}

/** Whether anything stands at the target: a resource, or an auxiliary with a representation. */
export async function exists(snapshot: Snapshot, target: Target): Promise<boolean> {
  if (target.auxiliary) return (await snapshot.get("auxiliary", target.subject, target.auxiliary)) !== null;
  return (await findResource(snapshot, target.path)) !== null;
}
