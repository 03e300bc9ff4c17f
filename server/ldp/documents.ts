/** Storing documents and folders with all that hangs on them: the records of a resource change here and nowhere else. */
import { type Auxiliary, nameOf, parentOf, parseTarget } from "../iri.ts";
import type { Pod } from "../store/pods.ts";
import {
  decodeDocument,
  encodeDocument,
  encodeRecord,
  type ResourceRecord,
  type StoredDocument,
  type StreamPage,
} from "../store/record.ts";
import type { Committed, Transaction } from "../store/store.ts";
import { CLAUSES, refusal } from "./constraints.ts";
import type { Edit, Edits } from "./edit.ts";
import { type Found, findResource, otherForm } from "./find.ts";
import { keepVersion } from "./history.ts";
import { stampAccess, trashAuxiliary, trashResource } from "./trash.ts";

export interface Content {
  readonly kind: "rdf" | "binary";
  readonly contentType: string;
  readonly bytes: Uint8Array | { readonly hash: string; readonly bytes: number };
  /** Of a page that the server writes: what is in it. */
  readonly page?: StreamPage;
}

/**
 * Creates missing containers up to the pod's root and marks the parent's listing as changed.
 * @throws Problem `path-invalid` for a container that could not be asked for.
 */
export async function link(edit: Edit, path: string): Promise<void> {
  const { transaction, now } = edit;
  const parent = parentOf(path);
  if (parent === null || parent === "/") return;
  transaction.put("stamp", parent, "", encodeRecord({ modified: now })); // Blind: writers to one folder do not conflict.
  if (await findResource(transaction, parent)) return;
  if (await findResource(transaction, otherForm(parent)))
    throw refusal("conflict", CLAUSES.slash, `${nameOf(parent)} is a document, not a folder`);
  parseTarget(parent);
  putContainer(edit, parent);
  edit.made.push(parent);
  await link(edit, parent);
}

/** Records a folder where there is none. */
export function putContainer(edit: Edit, path: string): void {
  const { transaction, now } = edit;
  const record: ResourceRecord = {
    kind: "container",
    contentType: "text/turtle",
    bytes: 0,
    created: now,
    modified: now,
    ...(edit.creator !== null && { creator: edit.creator }),
  };
  transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
  transaction.put("stamp", path, "", encodeRecord({ modified: now }));
  edit.count(0, 1);
}

/** Whether writing it again would change nothing that anybody could miss. */
function isSame(former: ResourceRecord, body: Uint8Array | null, content: Content): boolean {
  if (former.kind !== content.kind || former.contentType !== content.contentType) return false;
  if (content.bytes instanceof Uint8Array) return body !== null && Buffer.compare(body, content.bytes) === 0;
  return former.blob === content.bytes.hash;
}

/** Stores a document or binary with all that hangs on it; what was there becomes a version of it. */
export async function putDocument(edit: Edit, path: string, content: Content): Promise<void> {
  const { transaction, now } = edit;
  const before = await findResource(transaction, path);
  if (!before && (await findResource(transaction, otherForm(path))))
    throw refusal("conflict", CLAUSES.slash, `${nameOf(path)} is a folder`);
  const blob = "hash" in content.bytes ? content.bytes.hash : undefined;
  const bytes = "hash" in content.bytes ? content.bytes.bytes : content.bytes.length;
  const history = before && (await formerly(edit, path, before, content, bytes));
  const creator = before ? before.record.creator : (edit.creator ?? undefined);
  const record: ResourceRecord = {
    kind: content.kind,
    contentType: content.contentType,
    bytes,
    created: before?.record.created ?? now,
    modified: now,
    ...(creator !== undefined && { creator }),
    ...(blob !== undefined && { blob }),
    ...(history && { history }),
    ...(content.page && { page: content.page }),
  };
  edit.count(bytes - (before?.record.bytes ?? 0), before ? 0 : 1);
  transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
  if (content.bytes instanceof Uint8Array) transaction.put("body", path, "", content.bytes);
  else transaction.delete("body", path, "");
  if (blob !== undefined) edit.useFile(blob, path);
  await link(edit, path);
  const old = before?.record.blob;
  if (old !== undefined && old !== blob) edit.dropFile(old, path);
}

async function formerly(edit: Edit, path: string, { record }: Found, content: Content, bytes: number) {
  const body = record.blob === undefined ? await edit.transaction.get("body", path, "") : null;
  if (record.kind === "container" || isSame(record, body?.value ?? null, content)) return record.history;
  const { kind, contentType, modified, blob } = record;
  const version = {
    kind,
    contentType,
    modified,
    size: record.bytes,
    bytes: body?.value ?? new Uint8Array(),
    ...(blob !== undefined && { blob }),
  };
  return keepVersion(edit, path, { history: record.history, version }, bytes - record.bytes);
}

/** Stores an access list or a description; what was there becomes a version of it. */
export async function putAuxiliary(
  edit: Edit,
  subject: string,
  item: Auxiliary,
  { contentType, bytes }: Pick<StoredDocument, "contentType" | "bytes">,
): Promise<void> {
  const { transaction, now } = edit;
  const entry = await transaction.get("auxiliary", subject, item);
  const before = entry && decodeDocument(entry);
  const growth = bytes.length - (before?.bytes.length ?? 0);
  let history = before?.history;
  if (before && (before.contentType !== contentType || Buffer.compare(before.bytes, bytes) !== 0)) {
    const version = {
      kind: "rdf" as const,
      contentType: before.contentType,
      modified: before.modified,
      size: before.bytes.length,
      bytes: before.bytes,
    };
    history = keepVersion(edit, `${subject}.${item}`, { history, version }, growth);
  }
  edit.count(growth, 0);
  if (item === "acl") stampAccess(edit);
  transaction.put(
    "auxiliary",
    subject,
    item,
    encodeDocument({ contentType, modified: now, bytes, ...(history && { history }) }),
  );
}

/** Moves an access list or a description to the trash, if there is one. @returns the id of the deletion. */
export async function removeAuxiliary(edit: Edit, subject: string, item: Auxiliary): Promise<string | null> {
  const id = await trashAuxiliary(edit, subject, item);
  if (item === "acl" && id !== null) stampAccess(edit);
  // The listing shows the description: without it, it is another one.
  if (item === "meta" && subject.endsWith("/"))
    edit.transaction.put("stamp", subject, "", encodeRecord({ modified: edit.now }));
  return id;
}

/**
 * Moves a resource to the trash, with its auxiliaries.
 * @returns the id of the deletion.
 * @throws Problem `container-not-empty`.
 */
export async function removeResource(edit: Edit, path: string, record: ResourceRecord): Promise<string> {
  if (record.kind === "container") {
    for await (const _member of edit.transaction.list("resource", path))
      throw refusal("container-not-empty", CLAUSES.nonEmpty, "Delete what is in it first");
  }
  const id = await trashResource(edit, path, record);
  await link(edit, path);
  return id;
}

/** @returns what changes access lists for the owner's page: under a quota, with a history, as any other write. */
export function changeLists(edits: Edits) {
  return <T>(
    pod: Pod,
    work: (
      transaction: Transaction,
      put: (path: string, turtle: Uint8Array | null) => Promise<void>,
    ) => Promise<T>,
  ): Promise<Committed<T>> =>
    edits.write(pod, (edit) =>
      work(edit.transaction, async (path, turtle) => {
        if (turtle) await putAuxiliary(edit, path, "acl", { contentType: "text/turtle", bytes: turtle });
        else await removeAuxiliary(edit, path, "acl");
      }),
    );
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
export async function putDocuments(edit: Edit, documents: readonly NewDocument[]): Promise<void> {
  const text = new TextEncoder();
  for (const { path, contentType, bytes, acl, meta } of documents) {
    if (path.endsWith("/")) {
      if (!(await findResource(edit.transaction, path))) putContainer(edit, path);
      await link(edit, path);
    } else {
      const kind = contentType.startsWith("text/turtle") ? "rdf" : "binary";
      await putDocument(edit, path, { kind, contentType, bytes });
    }
    for (const [item, turtle] of [
      ["acl", acl],
      ["meta", meta],
    ] as const) {
      if (turtle === undefined) continue;
      await putAuxiliary(edit, path, item, { contentType: "text/turtle", bytes: text.encode(turtle) });
    }
  }
}
