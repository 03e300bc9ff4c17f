/** What was deleted and can be brought back: the records move aside whole, so that nothing is lost and nothing is inherited. */
import { Problem } from "../errors.ts";
import { type Auxiliary, nameOf, parentOf } from "../iri.ts";
import { randomHex } from "../random.ts";
import {
  decodeDocument,
  decodeRecord,
  encodeDocument,
  encodeRecord,
  type ResourceRecord,
} from "../store/record.ts";
import type { Entry, Snapshot } from "../store/store.ts";
import type { Edit } from "./edit.ts";
import { dayOf, dropHistory, historyBytes, markDue } from "./history.ts";

type Part = "body" | Auxiliary;

/** What the trash says of one deletion; its content is in table `version`. */
export interface Trashed {
  /** Where it was: a document, a folder, or an access list or description that was deleted by itself. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly deleted: number;
  /** All that counts against the quota: content, descriptions, access lists and versions. */
  readonly bytes: number;
  /** Absent for an auxiliary. */
  readonly record?: ResourceRecord;
  readonly parts: readonly Part[];
  /** The body in base64, if it is so small that a record of its own would cost more. */
  readonly small?: string;
  /** The place whose access list was in force, when it had none of its own … */
  readonly governed: string | null;
  /** … and when that was made: one that is made anew under the same name has other rules. */
  readonly governedSince?: number;
}

export interface TrashItem extends Trashed {
  readonly id: string;
}

const SMALL_BYTES = 2_048; // The list of the trash is read with them.

/** In table `version`: the content of one deletion. No history's id looks like it. */
const contentGroup = (id: string): string => `trash ${id}`;
const dayOfId = (id: string): string => id.slice(0, id.indexOf("-"));

/** The place of the access list that is in force at `path`, and when it was made; null where there is none. */
async function governorOf(
  snapshot: Snapshot,
  path: string,
): Promise<Pick<Trashed, "governed" | "governedSince">> {
  for (let place: string | null = path; place !== null && place !== "/"; place = parentOf(place)) {
    if (!(await snapshot.get("auxiliary", place, "acl"))) continue;
    const entry = await snapshot.get("resource", parentOf(place) ?? "", nameOf(place));
    return {
      governed: place,
      ...(entry && { governedSince: decodeRecord<ResourceRecord>(entry).created }),
    };
  }
  return { governed: null };
}

function putItem(
  { transaction, now }: Edit,
  trashed: Omit<Trashed, "deleted">,
  contents: readonly [Part, Uint8Array][],
) {
  const id = `${dayOf(now)}-${randomHex(9)}`;
  transaction.put("trash", dayOfId(id), id, encodeRecord({ ...trashed, deleted: now } satisfies Trashed));
  for (const [part, bytes] of contents) transaction.put("version", contentGroup(id), part, bytes);
  return id;
}

/**
 * Takes a resource away with its auxiliaries. Its versions stay where they are, for they go by their own name.
 * @returns the id of the deletion.
 */
export async function trashResource(edit: Edit, path: string, record: ResourceRecord): Promise<string> {
  const { transaction } = edit;
  const contents: [Part, Uint8Array][] = [];
  let bytes = record.bytes + historyBytes(record.history);
  const governor = await governorOf(transaction, path);
  const body = record.kind === "container" || record.blob ? null : await transaction.get("body", path, "");
  if (body) transaction.delete("body", path, "");
  const isSmall = body !== null && body.value.length <= SMALL_BYTES;
  if (body && !isSmall) contents.push(["body", body.value]);
  for (const item of ["acl", "meta"] as const) {
    const entry = await transaction.get("auxiliary", path, item);
    if (!entry) continue;
    const document = decodeDocument(entry);
    bytes += document.bytes.length + historyBytes(document.history);
    contents.push([item, entry.value]);
    transaction.delete("auxiliary", path, item);
  }
  if (record.kind === "container") transaction.delete("stamp", path, "");
  transaction.delete("resource", parentOf(path) ?? "", nameOf(path));
  const { version: _version, ...kept } = record; // Where it comes back it is new, and so is its ETag.
  const id = putItem(
    edit,
    {
      path,
      bytes,
      record: kept,
      parts: contents.map(([part]) => part),
      ...(isSmall && { small: Buffer.from(body.value).toString("base64") }),
      ...governor,
    },
    contents,
  );
  if (record.blob !== undefined) {
    edit.useFile(record.blob, contentGroup(id));
    edit.dropFile(record.blob, path);
  }
  return id;
}

/** Takes an access list or a description away. @returns the id of the deletion, null when there was nothing. */
export async function trashAuxiliary(edit: Edit, subject: string, item: Auxiliary): Promise<string | null> {
  const entry = await edit.transaction.get("auxiliary", subject, item);
  if (!entry) return null;
  const { bytes, history } = decodeDocument(entry);
  const size = bytes.length + historyBytes(history);
  const trashed = { path: `${subject}.${item}`, bytes: size, parts: [item], governed: null };
  edit.transaction.delete("auxiliary", subject, item);
  return putItem(edit, trashed, [[item, entry.value]]);
}

function toItem(entry: Entry): TrashItem {
  return { id: entry.item, ...decodeRecord<Trashed>(entry) };
}

/** Null when it is not there (any more). */
export async function findTrashed(snapshot: Snapshot, id: string): Promise<TrashItem | null> {
  const entry = await snapshot.get("trash", dayOfId(id), id);
  return entry && toItem(entry);
}

/** The deletions of one day, the oldest first; of very many, some of them. */
export async function trashedOn(
  snapshot: Snapshot,
  day: number,
  most: number,
): Promise<readonly TrashItem[]> {
  const items: TrashItem[] = [];
  for await (const entry of snapshot.list("trash", String(day))) {
    if (items.length === most) break;
    items.push(toItem(entry));
  }
  return items.sort((a, b) => a.deleted - b.deleted);
}

/** Everything in the trash, in no order. For its owner's page. */
export async function* allTrashed(snapshot: Snapshot): AsyncGenerator<TrashItem> {
  for await (const entry of snapshot.all("trash")) yield toItem(entry);
}

/** Destroys one deletion with its versions. */
export async function purgeTrashed(edit: Edit, item: TrashItem): Promise<void> {
  const { transaction } = edit;
  const { id, record, parts } = item;
  for (const part of parts) {
    if (part !== "body") {
      const entry = await transaction.get("version", contentGroup(id), part);
      if (entry) {
        const { history, bytes: content } = decodeDocument(entry);
        dropHistory(edit, history);
        edit.count(-content.length, 0);
      }
    }
    transaction.delete("version", contentGroup(id), part);
  }
  if (record) {
    dropHistory(edit, record.history);
    edit.count(-record.bytes, -1);
    if (record.blob !== undefined) edit.dropFile(record.blob, contentGroup(id));
  }
  transaction.delete("trash", dayOfId(id), id);
}

/** Says, blindly, that who may do what in the pod is not what it was: writers of access lists do not conflict by it. */
export function stampAccess({ transaction, now }: Edit): void {
  transaction.put("stamp", "", "acl", encodeRecord({ modified: now }));
}

/** Whether access lists of the pod were written or taken away after this deletion, by the number of the commit. */
async function hasAccessChanged({ transaction }: Edit, { id }: TrashItem): Promise<boolean> {
  const stamp = await transaction.get("stamp", "", "acl");
  const deletion = await transaction.get("trash", dayOfId(id), id);
  return (stamp?.version ?? 0) > (deletion?.version ?? 0);
}

/** What comes back beside the document itself. */
export interface Returned {
  /** Rewrites an access list for its new place. */
  readonly rewriteList: (bytes: Uint8Array, contentType: string) => Promise<Uint8Array>;
  /** An access list that names the owner only. */
  readonly privateList: () => Uint8Array;
}

/**
 * Puts a deletion back to `path`, which is free and whose folder is there. Nobody gains access by it: where the rules that
 * held are gone with their folder, or access lists of the pod were changed since, so that its own may let in whom the owner
 * has shut out meanwhile, it comes back for its owner's eyes only.
 * @returns whether it did.
 * @throws Problem `conflict` for an access list by itself, where lists were changed since.
 */
export async function returnTrashed(
  edit: Edit,
  item: TrashItem,
  path: string,
  { rewriteList, privateList }: Returned,
): Promise<boolean> {
  const { transaction, now } = edit;
  const { id, record, parts } = item;
  const group = contentGroup(id);
  const isOutdated = parts.includes("acl") && (await hasAccessChanged(edit, item));
  if (isOutdated && !record)
    throw new Problem(
      "conflict",
      "Who may do what was changed since this was deleted, so it could let in again whom you have shut out; share anew instead",
    );
  const put = async (part: Auxiliary): Promise<void> => {
    const entry = await transaction.get("version", group, part);
    if (!entry) throw new Problem("unavailable", "A part of what was deleted is missing");
    const document = decodeDocument(entry);
    const { version: _version, ...kept } = document;
    const isPrivate = part === "acl" && isOutdated;
    const contentType = isPrivate ? "text/turtle" : document.contentType;
    const bytes = isPrivate
      ? privateList()
      : part === "acl" && path !== item.path
        ? await rewriteList(document.bytes, contentType)
        : document.bytes;
    edit.count(bytes.length - document.bytes.length, 0);
    const subject = record ? path : path.slice(0, -part.length - 1);
    transaction.put(
      "auxiliary",
      subject,
      part,
      encodeDocument({ ...kept, contentType, bytes, modified: now }),
    );
    markDue(edit, `${subject}.${part}`, document.history);
    if (subject.endsWith("/")) transaction.put("stamp", subject, "", encodeRecord({ modified: now }));
  };
  if (record) {
    transaction.put("resource", parentOf(path) ?? "", nameOf(path), encodeRecord(record));
    markDue(edit, path, record.history);
    if (record.kind === "container") transaction.put("stamp", path, "", encodeRecord({ modified: now }));
    if (record.blob !== undefined) {
      edit.useFile(record.blob, path);
      edit.dropFile(record.blob, group);
    }
  }
  if (item.small !== undefined) transaction.put("body", path, "", Buffer.from(item.small, "base64"));
  for (const part of parts) {
    if (part !== "body") await put(part);
    else {
      const body = await transaction.get("version", group, "body");
      if (!body) throw new Problem("unavailable", "The content of what was deleted is missing");
      transaction.put("body", path, "", body.value);
    }
    transaction.delete("version", group, part);
  }
  transaction.delete("trash", dayOfId(id), id);
  if (!record || parts.includes("acl")) return isOutdated;
  const { governed, governedSince } = await governorOf(transaction, path);
  const isSame = governedSince === (item.governedSince ?? governedSince); // Older servers did not keep it.
  if (governed === item.governed && isSame) return false;
  const bytes = privateList();
  transaction.put(
    "auxiliary",
    path,
    "acl",
    encodeDocument({ contentType: "text/turtle", modified: now, bytes }),
  );
  edit.count(bytes.length, 0);
  return true;
}
