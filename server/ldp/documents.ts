/** Storing documents and folders with all that hangs on them: the records of a resource change here and nowhere else. */
import { Problem } from "../errors.ts";
import { nameOf, parentOf } from "../iri.ts";
import { encodeDocument, encodeRecord, type ResourceRecord } from "../store/record.ts";
import type { Transaction } from "../store/store.ts";
import { findResource, otherForm } from "./find.ts";

export interface Content {
  readonly kind: "rdf" | "binary";
  readonly contentType: string;
  readonly bytes: Uint8Array | { readonly hash: string; readonly bytes: number };
}

/** Creates missing containers up to the pod's root and marks the parent's listing as changed. */
export async function link(transaction: Transaction, path: string, now: number): Promise<void> {
  const parent = parentOf(path);
  if (parent === null || parent === "/") return;
  transaction.put("stamp", parent, "", encodeRecord({ modified: now })); // Blind: writers to one folder do not conflict.
  if (await findResource(transaction, parent)) return;
  if (await findResource(transaction, otherForm(parent)))
    throw new Problem("conflict", `${nameOf(parent)} is a document, not a folder`);
  putContainer(transaction, parent, now);
  await link(transaction, parent, now);
}

export function putContainer(transaction: Transaction, path: string, now: number): void {
  const record: ResourceRecord = {
    kind: "container",
    contentType: "text/turtle",
    bytes: 0,
    created: now,
    modified: now,
  };
  transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
  transaction.put("stamp", path, "", encodeRecord({ modified: now }));
}

/** Stores a document or binary with all that hangs on it. @returns the file it used before, if that is free now. */
export async function putDocument(
  transaction: Transaction,
  path: string,
  content: Content,
  now: number,
): Promise<readonly string[]> {
  const before = await findResource(transaction, path);
  if (!before && (await findResource(transaction, otherForm(path))))
    throw new Problem("conflict", `${nameOf(path)} is a folder`);
  const blob = "hash" in content.bytes ? content.bytes.hash : undefined;
  const bytes = "hash" in content.bytes ? content.bytes.bytes : content.bytes.length;
  const record: ResourceRecord = {
    kind: content.kind,
    contentType: content.contentType,
    bytes,
    created: before?.record.created ?? now,
    modified: now,
    ...(blob !== undefined && { blob }),
  };
  transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
  if (content.bytes instanceof Uint8Array) transaction.put("body", path, "", content.bytes);
  else transaction.delete("body", path, "");
  if (blob !== undefined) transaction.put("blob", blob, path, new Uint8Array());
  await link(transaction, path, now);
  const old = before?.record.blob;
  if (old === undefined || old === blob) return [];
  transaction.delete("blob", old, path);
  return [old];
}

/**
 * Removes a resource with its auxiliaries.
 * @returns the file it used, if that is free now.
 * @throws Problem `container-not-empty`.
 */
export async function removeResource(
  transaction: Transaction,
  path: string,
  { kind, blob }: ResourceRecord,
  now: number,
): Promise<readonly string[]> {
  if (kind === "container") {
    for await (const _member of transaction.list("resource", path)) throw new Problem("container-not-empty");
    transaction.delete("stamp", path, "");
  }
  transaction.delete("resource", parentOf(path) ?? "", nameOf(path));
  transaction.delete("body", path, "");
  for await (const { group, item } of transaction.list("auxiliary", path))
    transaction.delete("auxiliary", group, item);
  await link(transaction, path, now);
  if (blob === undefined) return [];
  transaction.delete("blob", blob, path);
  return [blob];
}

/** A document that the server itself writes: the first documents of a pod, imports. Paths are canonical. */
export interface NewDocument {
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** Turtle of the access list, if the document has one of its own. */
  readonly acl?: string;
  readonly meta?: string;
}

/** Writes documents without a request; their bytes must be valid, for nobody checks them here. */
export async function putDocuments(
  transaction: Transaction,
  documents: readonly NewDocument[],
  now: number,
): Promise<void> {
  const text = new TextEncoder();
  const putAuxiliary = (path: string, item: "acl" | "meta", turtle: string | undefined) => {
    if (turtle === undefined) return;
    transaction.put(
      "auxiliary",
      path,
      item,
      encodeDocument({ contentType: "text/turtle", modified: now, bytes: text.encode(turtle) }),
    );
  };
  for (const { path, contentType, bytes, acl, meta } of documents) {
    if (path.endsWith("/")) {
      if (!(await findResource(transaction, path))) putContainer(transaction, path, now);
      await link(transaction, path, now);
    } else {
      const kind = contentType.startsWith("text/turtle") ? "rdf" : "binary";
      await putDocument(transaction, path, { kind, contentType, bytes }, now);
    }
    putAuxiliary(path, "acl", acl);
    putAuxiliary(path, "meta", meta);
  }
}
