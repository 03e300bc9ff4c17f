/** What was done to the owner's pod, and who looked at it: for a page, in its words. */
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { AccountService } from "./accounts.ts";
import { type AccountDoor, createGuards, done } from "./guards.ts";
import { labelOf } from "./owner.ts";

/** As much of an entry of the journal as is shown. */
export interface ShownEntry {
  readonly time: number;
  readonly since: number | null;
  readonly count: number;
  readonly act: string;
  readonly agent: string | null;
  readonly client: string | null;
  readonly path: string | null;
  readonly decision: "granted" | "denied";
  readonly purpose: string | null;
  readonly rows: number | null;
  readonly documents: number | null;
  readonly bytes: number | null;
}

/** `server/journal/` does this. */
export interface OwnerJournal {
  length(pod: Pod): Promise<number>;
  /** Entries after number `after`, oldest first; an entry is null when what it says was erased. */
  read(
    pod: Pod,
    after: number,
    most: number,
  ): Promise<readonly { readonly number: number; readonly entry: ShownEntry | null }[]>;
  /** Writes what was only counted until now. */
  flush(): Promise<void>;
}

const ROWS_MAX = 200;
const ROWS = 50;

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
};
/** The same when it was refused. */
const TRIED: Readonly<Record<string, string>> = {
  change: "tried to change",
  delete: "tried to delete",
  look: "tried to look at",
  query: "tried to ask about",
  access: "tried to change who may see",
};

const CLIENT_NAMES_LENGTH_MAX = 60;

/** Short enough for a line: the host of an app's address, or the name it was let in under. */
function appLabel(client: string, baseUrl: string): string | null {
  if (client === `${baseUrl}.ui/` || client === `${baseUrl}.account/`) return null; // Our own pages.
  if (client.startsWith("program-")) return "a program of theirs"; // A name that nobody gave it.
  const text = URL.canParse(client) ? new URL(client).host || client : client;
  return text.slice(0, CLIENT_NAMES_LENGTH_MAX);
}

/** A path as its owner reads it: without the pod's name, decoded; null for the whole pod, or several places. */
function placeOf(path: string | null, pod: Pod): string | null {
  const root = `/${pod.name}/`;
  if (path === null || !path.startsWith(root) || path === root) return null;
  try {
    return decodeURIComponent(path.slice(root.length)).replace(/\.(?:acl|meta)$/, "");
  } catch {
    return path.slice(root.length);
  }
}

function numberOf(text: string | null, fallback: number, most: number): number {
  if (text === null) return fallback;
  if (!/^\d{1,10}$/.test(text)) throw new Problem("input-invalid", "Send a whole number");
  return Math.min(Number(text), most);
}

export function journalDoors(accounts: AccountService, journal: OwnerJournal): readonly AccountDoor[] {
  const guards = createGuards(accounts);
  const { pods, config } = accounts.deps;

  function whoOf(agent: string | null, pod: Pod, names: ReadonlyMap<string, string>) {
    if (agent === pod.owner) return { kind: "you", iri: agent, label: "You" };
    if (agent === "operator") return { kind: "operator", iri: null, label: "Whoever runs the server" };
    if (agent === "server") return { kind: "server", iri: null, label: "The server" };
    if (agent === "*") return { kind: "several", iri: null, label: "Several others" };
    if (agent === null) return { kind: "anonymous", iri: null, label: "Somebody who did not say who" };
    return { kind: "person", iri: agent, label: labelOf({ kind: "person", iri: agent }, names) };
  }

  return [
    {
      verb: "get",
      path: "/.account/journal",
      door: guards.see(async ({ account }, { url }) => {
        const pod = await pods.find(account.pod);
        if (!pod) throw new Problem("not-found", "The pod of this account is gone");
        await journal.flush();
        const end = (await journal.length(pod)) + 1;
        const before = Math.min(numberOf(url.searchParams.get("before"), end, Number.MAX_SAFE_INTEGER), end);
        const limit = Math.max(1, numberOf(url.searchParams.get("limit"), ROWS, ROWS_MAX));
        const after = Math.max(0, before - 1 - limit);
        const found = await journal.read(pod, after, Math.max(0, before - 1 - after));
        const names = await accounts.namesOf(found.flatMap(({ entry }) => entry?.agent ?? []));
        const entries = found.toReversed().map(({ number, entry }) => {
          if (entry === null) return { number, erased: true };
          const { time, since, count, act, decision, purpose, rows, documents, bytes, path } = entry;
          const did = (decision === "denied" ? TRIED[act] : DONE[act]) ?? "did something to";
          return {
            number,
            time,
            since,
            who: whoOf(entry.agent, pod, names),
            app: entry.client === null ? null : appLabel(entry.client, config.baseUrl),
            act,
            did,
            place: placeOf(path, pod),
            path,
            refused: decision === "denied",
            count,
            purpose,
            rows,
            documents,
            bytes,
          };
        });
        return done({ entries, total: end - 1, next: after > 0 ? after + 1 : null });
      }),
    },
  ];
}
