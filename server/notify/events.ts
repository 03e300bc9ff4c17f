/**
 * From the journal's entries to what subscribers are told. Of an entry only its number, its time, and which resource came,
 * changed or went: never who did it, never what is in it.
 */
import { randomUUID } from "node:crypto";
import { fh } from "@freehold/vocab";
import { isOwnPlace } from "../access/grants.ts";
import { parentOf, parseTarget, type Target } from "../iri.ts";
import type { ChannelRecord, Message } from "./channels.ts";

/** Of the journal's entries what must be known here. */
export interface Deed {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly act: string;
  readonly path: string | null;
  readonly decision: "granted" | "denied";
  readonly status: number | null;
  /** How many folders above the path were made for it. */
  readonly folders: number | null;
}

/** `either` is settled when it is told, by what is there then: an import may have found a document of that name. */
type Kind = "create" | "update" | "delete" | "create-or-update" | "update-or-delete" | "delete-or-nothing";

/** One entry of the journal as subscribers see it. */
export interface Change {
  readonly number: number;
  readonly time: number;
  /** Null for what changes no resource. */
  readonly path: string | null;
  readonly kind: Kind;
  /** Folders above it that were made for it, the nearest first. */
  readonly folders: readonly string[];
  /** Whether who may read what can be otherwise afterwards. */
  readonly turnsAccess: boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  create: "create",
  change: "update",
  append: "update",
  delete: "delete",
  access: "update-or-delete",
  grant: "update-or-delete",
  revoke: "update-or-delete",
  import: "create-or-update",
  restore: "create-or-update",
  erase: "delete-or-nothing",
};
// biome-ignore format: by kind
const TURNING = new Set([
  "access", "grant", "revoke", "pause", "resume", "lapse",
  "restrict", "release", "restore", "delete", "erase",
]);

/** Null for a folder from before that has a name like rules: nobody can ask for it, so nobody is told of it. */
export function addressOf(path: string): Target | null {
  try {
    return parseTarget(path);
  } catch {
    return null;
  }
}

function foldersAbove(path: string, count: number): readonly string[] {
  const folders: string[] = [];
  for (let at = parentOf(path); at !== null && folders.length < count; at = parentOf(at)) folders.push(at);
  return folders.filter(addressOf);
}

/**
 * @param deed Null for an entry that was erased: what it said is told to nobody.
 * @param listEnding How the addresses of access lists end.
 */
export function changeOf(number: number, deed: Deed | null, listEnding: string): Change {
  const kind = deed && KINDS[deed.act];
  const isDone = deed?.decision === "granted" && (deed.status ?? 200) < 300;
  if (!deed || !isDone)
    return { number, time: deed?.time ?? 0, path: null, kind: "update", folders: [], turnsAccess: false };
  const { act, time } = deed;
  // Not "*": several. And a consent or a view is no resource that one could follow.
  const path = deed.path?.startsWith("/") && !isOwnPlace(deed.path) ? deed.path : null;
  // The owner's page names the place; what changed is its list.
  const named = path !== null && (act === "grant" || act === "revoke") ? `${path}${listEnding}` : path;
  const address = named === null ? null : addressOf(named);
  const changed = address && named;
  return {
    number,
    time,
    path: kind ? changed : null,
    folders: changed === null ? [] : foldersAbove(changed, deed.folders ?? 0),
    kind: act === "access" && deed.status === 201 ? "create" : (kind ?? "update"),
    turnsAccess: TURNING.has(act) || address?.auxiliary === "acl",
  };
}

/** What a change is to somebody who follows a topic. */
export interface Concern {
  /** The resource that came, changed or went. */
  readonly path: string;
  readonly kind: Kind;
  /** Its container, where the message is about what that holds; null where it is about the resource itself. */
  readonly container: string | null;
}

/**
 * At most one of each change: a topic that was made for what was put into it was made, that is all; in a subtree, the
 * folders on the way are in the address of what came.
 * @returns null for what is nothing to this subscriber.
 */
export function concernOf(
  { path, kind, folders }: Change,
  { topic, isSubtree }: Pick<ChannelRecord, "topic" | "isSubtree">,
): Concern | null {
  if (path === null || !path.startsWith(topic)) return null; // Also of what begins alike, which the next lines sort out.
  if (path === topic) return { path, kind, container: null };
  if (!topic.endsWith("/")) return null;
  if (folders.includes(topic)) return { path: topic, kind: "create", container: null };
  // A folder's description is part of its representation.
  if (path === `${topic}.meta`) return { path: topic, kind: "update", container: null };
  const parent = parentOf(path);
  if (parent !== topic && !isSubtree) {
    const folder = folders.find((one) => parentOf(one) === topic);
    return folder === undefined ? null : { path: folder, kind: "create", container: topic };
  }
  if (parseTarget(path).auxiliary || kind === "update")
    return isSubtree ? { path, kind, container: null } : null;
  return { path, kind, container: parent };
}

/** What is there when a message goes out. */
export interface Present {
  readonly etag: string;
  readonly created: number;
  readonly modified: number;
}

type Activity = "Create" | "Update" | "Delete" | "Add" | "Remove";

/** @returns null for what turns out to be nothing. */
export function activityOf({ kind, container }: Concern, present: Present | null): Activity | null {
  const [came, went] = container === null ? (["Create", "Delete"] as const) : (["Add", "Remove"] as const);
  if (kind === "create") return came;
  if (kind === "delete") return went;
  if (kind === "delete-or-nothing") return present ? null : went;
  if (kind === "update-or-delete") return present ? "Update" : "Delete";
  const isNew = kind === "create-or-update" && (container !== null || present?.created === present?.modified);
  return isNew ? came : "Update";
}

const CONTEXT: Message["@context"] = Object.freeze([
  "https://www.w3.org/ns/activitystreams",
  "https://www.w3.org/ns/solid/notifications-context/v1",
  { cursor: fh.cursor },
]);

/** https://solid.github.io/notifications/protocol#notification-message-data-model */
export function messageOf(
  origin: string,
  { path, container }: Pick<Concern, "path" | "container">,
  type: Activity,
  { number, time }: Pick<Change, "number" | "time">,
  state: string | null,
): Message {
  return {
    "@context": CONTEXT,
    id: `urn:uuid:${randomUUID()}`,
    type,
    object: `${origin}${path}`,
    ...(container !== null && { target: `${origin}${container}` }),
    ...(state !== null && { state }),
    published: new Date(time).toISOString(),
    cursor: number,
  };
}
