/** Who can see what in the owner's pod, and taking it back: the words of the page, and back again. */
import { Problem } from "../errors.ts";
import { parseIri } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Mode } from "../operation.ts";
import { inboxPath, isOpenAtFirst } from "../profile.ts";
import type { Reach } from "../reach.ts";
import type { Pod } from "../store/pods.ts";
import { newId } from "./secret.ts";
import type { SeenAs } from "./seen-as.ts";

/** Everyone on the web; everyone who is signed in anywhere; one person or organisation; a group's list. */
const WHO_KINDS = ["public", "signed-in", "person", "group"] as const;
export type WhoKind = (typeof WHO_KINDS)[number];

export interface Who {
  readonly kind: WhoKind;
  /** Address of the person or the group; null for the first two kinds. */
  readonly iri: string | null;
}

export interface AccessEntry {
  readonly who: Who;
  readonly path: string;
  readonly modes: readonly Mode[];
  /** True when the rule of a folder also holds for what is in it. */
  readonly inherited: boolean;
  /** When not empty: only through these apps. */
  readonly apps: readonly string[];
  /** How many are in the group, as far as the owner may know; null for other kinds. */
  readonly members: number | null;
}

/** What somebody may by a consent that the owner gave. */
export interface ConsentEntry {
  /** Id of the grant. */
  readonly grant: string;
  readonly who: Who;
  readonly path: string;
  readonly modes: readonly Mode[];
  /** Addresses of purposes. */
  readonly purposes: readonly string[];
  readonly apps: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface AccessOverview {
  /** Different people who can see anything beyond the public card: named, in a group, or by a consent. */
  readonly people: number;
  readonly entries: readonly AccessEntry[];
  readonly consents: readonly ConsentEntry[];
  /** Places that have rules of their own. */
  readonly lists: readonly string[];
  /** Whether what holds for a folder also holds where there are rules of its own below it. */
  readonly isAdding: boolean;
}

/** Something was changed; `undo` puts back what was before. */
export interface AccessChange {
  /** How many places it touched. */
  readonly places: number;
  /** @throws Problem `conflict` when somebody has changed the same rules since. */
  readonly undo: () => Promise<void>;
}

/** `owner-access.ts` does this over access lists. The owner's own rules are never listed nor touched. */
export interface OwnerAccess extends SeenAs {
  overview(pod: Pod): Promise<AccessOverview>;
  /** Takes everything from `who`: at `path`, or in the whole pod when it is null. */
  revoke(pod: Pod, who: Who, path: string | null): Promise<AccessChange>;
  /** Gives `who` the modes at `path`; for a folder, in all of it. */
  grant(pod: Pod, who: Who, path: string, modes: readonly Mode[]): Promise<AccessChange>;
}

export interface ConsentedApp {
  readonly grantId: string;
  readonly clientId: string;
  /** What it called itself when it was let in, and the origin that its answers go to. */
  readonly name: string | null;
  readonly address: string | null;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What it may do of what its person may. */
  readonly reach: Reach;
}

/** Apps that people have let in at sign-in: the identity provider keeps them. */
export interface ConsentedApps {
  consentedApps(accountId: string): Promise<readonly ConsentedApp[]>;
  /** Changes what an app may do, at once. @returns false when the account has let in no such app. */
  narrow(accountId: string, grantId: string, reach: Reach): Promise<boolean>;
  /** @returns false when the account has let in no such app. */
  revoke(accountId: string, grantId: string): Promise<boolean>;
  /** Ends the account's sign-ins by way of apps; what it has let in stays. */
  signOut(accountId: string): Promise<void>;
}

export interface Undos {
  /** @returns the name by which {@link Undos.run} finds the change again, for `undoMsMax`. */
  keep(accountId: string, change: AccessChange): string;
  /** @throws Problem `conflict` when it is too late. */
  run(accountId: string, id: string): Promise<void>;
}

/** Kept in memory: an undo is for the minutes after a slip, not an archive. */
export function createUndos(now: () => Date, limits: Limits): Undos {
  const kept = new Map<
    string,
    { readonly id: string; readonly until: number; readonly undo: () => Promise<void> }[]
  >();
  return {
    keep(accountId, { undo }) {
      const id = newId();
      const at = now().getTime();
      const live = (kept.get(accountId) ?? []).filter(({ until }) => until > at);
      kept.set(
        accountId,
        [...live, { id, until: at + limits.undoMsMax, undo }].slice(-limits.undosPerAccountMax),
      );
      return id;
    },
    async run(accountId, id) {
      const list = kept.get(accountId) ?? [];
      const found = list.find((undo) => undo.id === id && undo.until > now().getTime());
      if (!found) throw new Problem("conflict", "It is too late to undo this; give the access again instead");
      kept.set(
        accountId,
        list.filter((undo) => undo !== found),
      );
      await found.undo();
    },
  };
}

/** @throws Problem `input-invalid` */
export function parseWho(value: unknown): Who {
  const { kind, iri = null } = (typeof value === "object" && value !== null ? value : {}) as {
    kind?: unknown;
    iri?: unknown;
  };
  const known = WHO_KINDS.find((name) => name === kind);
  const invalid = (detail: string): Problem =>
    new Problem("input-invalid", detail, { errors: [{ at: "/who", detail }] });
  if (!known) throw invalid("Say who this is about");
  if (known === "public" || known === "signed-in") return { kind: known, iri: null };
  if (typeof iri !== "string" || !/^https?:\/\/[^/]/.test(iri) || !URL.canParse(iri)) {
    throw invalid(
      "Give the person's full address; it begins with https:// and can be copied from their own page",
    );
  }
  return { kind: known, iri: parseIri(iri) };
}

/** A part of an address as people read it; null for one that would look like something else, or is no text. */
function plainText(escaped: string): string | null {
  try {
    const text = decodeURIComponent(escaped);
    return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(text) ? text : null;
  } catch {
    return null;
  }
}

/** Something short that tells people apart: the part of the address that a person chose. */
export function labelOf({ kind, iri }: Who, names: ReadonlyMap<string, string>): string {
  if (kind === "public") return "Everyone";
  if (kind === "signed-in") return "Everyone who is signed in";
  const known = names.get(iri ?? "");
  if (known) return known;
  if (!iri || !URL.canParse(iri)) return "Somebody";
  const { host, pathname } = new URL(iri);
  if (kind === "group") {
    const name = plainText(/([^/]+?)(?:\.ttl)?$/.exec(pathname)?.[1] ?? "");
    return name ? `${name} (${host})` : host;
  }
  const usual =
    /^\/([^/]+)\/(?:profile\/card|profile|card)$/.exec(pathname) ?? /^\/([^/]+)\/?$/.exec(pathname);
  const part =
    usual?.[1] && !["profile", "card", "me", "index.html"].includes(usual[1]) ? plainText(usual[1]) : null;
  return part ? `${part} (${host})` : host;
}

/** What everyone is meant to have of every pod: its card, the list of what is public, and a way to leave a notice. */
export function isCard(pod: Pod, { who, path, modes }: AccessEntry): boolean {
  if (who.kind === "signed-in")
    return path === inboxPath(pod.name) && modes.every((mode) => mode === "append");
  return who.kind === "public" && isOpenAtFirst(pod.name, path) && modes.every((mode) => mode === "read");
}
