/** Entries of the journal in the words of their owner: who, what was done, where, with which app, and what for. */
import { labelOf as labelOfTerm, sureLabelOf } from "@freehold/vocab";
import type { Pod } from "../store/pods.ts";
import { labelOf } from "./owner.ts";

/** As much of an entry of the journal as is shown. */
export interface ShownEntry {
  readonly time: number;
  readonly since: number | null;
  readonly count: number;
  readonly act: string;
  readonly agent: string | null;
  readonly client: string | null;
  readonly issuer: string | null;
  readonly path: string | null;
  readonly decision: "granted" | "denied";
  readonly purpose: string | null;
  readonly grant: string | null;
  readonly rows: number | null;
  readonly documents: number | null;
  readonly bytes: number | null;
  readonly request: string | null;
}

/** What was done, after the name of who did it. */
const DONE: Readonly<Record<string, string>> = {
  create: "added",
  change: "changed",
  append: "added to",
  delete: "deleted",
  look: "looked at",
  query: "asked about",
  access: "changed who may see",
  grant: "gave access to",
  revoke: "took back access to",
  export: "took a copy of",
  import: "brought in",
  erase: "erased for good",
  restore: "brought back",
  restrict: "froze",
  release: "unfroze",
  move: "moved",
  backup: "made a backup of",
  verify: "checked the record of",
  keys: "made new keys for",
  "sign-head": "signed the record of",
  subscribe: "began to send word of changes in",
  unsubscribe: "stopped sending word of changes in",
  pause: "let access rest to",
  resume: "let access go on to",
  lapse: "ended access to",
  alarm: "raised an alarm about",
  ask: "asked for access to",
  decide: "decided about a request for",
};
/** The same when it was refused. */
const TRIED: Readonly<Record<string, string>> = {
  change: "tried to change",
  delete: "tried to delete",
  look: "tried to look at",
  query: "tried to ask about",
  access: "tried to change who may see",
};
/** Acts by which somebody learns what is in the pod. */
const LOOKS: ReadonlySet<string> = new Set(["look", "query", "export"]);

export const isLook = ({ act }: Pick<ShownEntry, "act">): boolean => LOOKS.has(act);

const CLIENT_NAMES_LENGTH_MAX = 60;

/** Our own pages are no app. */
export const isOwnPage = (client: string, baseUrl: string): boolean =>
  client === `${baseUrl}.ui/` || client === `${baseUrl}.account/`;

/** Short enough for a line: the host of an app's address, or the name it was let in under; null for our own pages. */
export function appLabel(client: string, baseUrl: string): string | null {
  if (isOwnPage(client, baseUrl)) return null;
  if (client.startsWith("program-")) return "a program of theirs"; // A name that nobody gave it.
  const text = URL.canParse(client) ? new URL(client).host || client : client;
  return text.slice(0, CLIENT_NAMES_LENGTH_MAX);
}

/** A path as its owner reads it: without the pod's name, decoded; null for the whole pod, or several places. */
export function placeOf(path: string | null, pod: Pod): string | null {
  const root = `/${pod.name}/`;
  if (path === null || !path.startsWith(root) || path === root) return null;
  try {
    return decodeURIComponent(path.slice(root.length)).replace(/\.(?:acl|meta)$/, "");
  } catch {
    return path.slice(root.length);
  }
}

/** What something was for: the vocabulary's word, or the last part of an address of somebody else's. */
export function purposeLabel(purpose: string): string {
  const sure = sureLabelOf(purpose);
  return sure === purpose ? `“${labelOfTerm(purpose).slice(0, CLIENT_NAMES_LENGTH_MAX)}”` : sure;
}

const UNNAMED: Readonly<Record<string, readonly [kind: string, label: string]>> = {
  operator: ["operator", "Whoever runs the server"],
  server: ["server", "The server"],
  "*": ["several", "Several others"],
};

export interface ShownWho {
  readonly kind: string;
  readonly iri: string | null;
  readonly label: string;
}

/** @param names What people of this server want to be called, by WebID. */
export function whoOf(agent: string | null, pod: Pod, names: ReadonlyMap<string, string>): ShownWho {
  if (agent === pod.owner) return { kind: "you", iri: agent, label: "You" };
  if (agent === null) return { kind: "anonymous", iri: null, label: "Somebody who did not say who" };
  const [kind, label] = UNNAMED[agent] ?? [];
  if (kind !== undefined && label !== undefined) return { kind, iri: null, label };
  return { kind: "person", iri: agent, label: labelOf({ kind: "person", iri: agent }, names) };
}

/** One entry for a page. @param entry null for one whose content was erased. */
export function shownEntry(
  { number, entry }: { readonly number: number; readonly entry: ShownEntry | null },
  pod: Pod,
  names: ReadonlyMap<string, string>,
  baseUrl: string,
) {
  if (entry === null) return { number, erased: true as const };
  const { agent, decision, act, path, purpose, client, ...kept } = entry;
  return {
    number,
    time: kept.time,
    since: kept.since,
    who: whoOf(agent, pod, names),
    app: client === null ? null : appLabel(client, baseUrl),
    client,
    act,
    did: (decision === "denied" ? TRIED[act] : DONE[act]) ?? "did something to",
    place: placeOf(path, pod),
    path,
    refused: decision === "denied",
    count: kept.count,
    purpose,
    purposeLabel: purpose === null ? null : purposeLabel(purpose),
    rows: kept.rows,
    documents: kept.documents,
    bytes: kept.bytes,
    issuer: kept.issuer,
    grant: kept.grant,
    request: kept.request,
  };
}
