/** What a graph is made of: the client's own bytes, or a listing made for the occasion. */
import { containerTurtle } from "../rdf/container.ts";
import { decodeDocument, decodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Snapshot } from "../store/store.ts";
import type { GraphDocument } from "./documents.ts";
import type { SentDocument } from "./messages.ts";

async function* membersOf(
  snapshot: Snapshot,
  path: string,
): AsyncGenerator<{ name: string; record: ResourceRecord }> {
  for await (const entry of snapshot.list("resource", path))
    yield { name: entry.item, record: decodeRecord<ResourceRecord>(entry) };
}

/**
 * @param origin Of all addresses; no slash at the end.
 * @returns what is to be parsed: of a container its listing, and what is said about it.
 */
export async function partsOf(
  origin: string,
  snapshot: Snapshot,
  document: GraphDocument,
): Promise<SentDocument["parts"]> {
  const { path, kind, sources } = document;
  if (sources)
    return Promise.all(
      sources.map(async ({ contentType, bytes }) => ({ contentType, bytes: await bytes() })),
    );
  if (kind === "rdf") {
    const resource = await snapshot.get(
      "resource",
      path.slice(0, path.lastIndexOf("/") + 1),
      path.slice(path.lastIndexOf("/") + 1),
    );
    const body = await snapshot.get("body", path, "");
    return resource && body
      ? [{ contentType: decodeRecord<ResourceRecord>(resource).contentType, bytes: body.value }]
      : [];
  }
  if (kind !== "container") {
    const entry = await snapshot.get("auxiliary", path.slice(0, -kind.length - 1), kind);
    return entry ? [decodeDocument(entry)].map(({ contentType, bytes }) => ({ contentType, bytes })) : [];
  }
  const stamp = await snapshot.get("stamp", path, "");
  const modified = stamp ? decodeRecord<{ readonly modified: number }>(stamp).modified : 0;
  const listing = Buffer.concat(
    await Array.fromAsync(containerTurtle(`${origin}${path}`, membersOf(snapshot, path), { modified })),
  );
  const meta = await snapshot.get("auxiliary", path, "meta");
  const description = meta
    ? [decodeDocument(meta)].map(({ contentType, bytes }) => ({ contentType, bytes }))
    : [];
  return [{ contentType: "text/turtle", bytes: listing }, ...description];
}
