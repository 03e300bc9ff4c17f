/** What a person let an app do in their name: never more than the person may, often less. */
import { type ProblemDetail } from "./errors.ts";
import { parseTarget } from "./iri.ts";
import type { Mode } from "./operation.ts";

/** An app's share of what its person may do. What everybody may do, the app may do in any case. */
export interface Reach {
  /** Canonical paths of folders, each with all that is in it; null is everywhere, pods of others included. */
  readonly folders: readonly string[] | null;
  /** None at all: the app learns who the person is, and nothing else. */
  readonly modes: readonly Mode[];
}

const REACH_MODES: readonly Mode[] = Object.freeze(["read", "append", "write", "control"]);

/** No app narrows it: the person's own programs and pages, and issuers elsewhere, for whom we keep no consents. */
export const UNNARROWED: Reach = Object.freeze({ folders: null, modes: REACH_MODES });

/** What a plain yes gives: everything but deciding about others' access. */
export const USUAL: Reach = Object.freeze({
  folders: null,
  modes: Object.freeze(["read", "append", "write"] as const),
});

const FOLDERS_MAX = 50; // More than a person would tick.

/**
 * Whether the app was given this mode there. Write includes append, as in the access lists.
 * @param path Canonical; of an access list or description, that of its subject.
 */
export function isWithin({ folders, modes }: Reach, path: string, mode: Mode): boolean {
  if (!modes.includes(mode) && !(mode === "append" && modes.includes("write"))) return false;
  return folders === null || folders.some((folder) => path.startsWith(folder));
}

/** Is it a folder's address in its one spelling? */
function isFolder(value: unknown): value is string {
  if (typeof value !== "string" || value === "/" || !value.endsWith("/")) return false;
  try {
    return parseTarget(value).path === value;
  } catch {
    return false;
  }
}

/**
 * Reads what a page sent. Who may share may do all else, too: whoever decides about access is trusted with the rest.
 * @param folders A list of paths, or null for everywhere.
 * @param modes Any of read, append, write and control.
 * @param fault Told of each mistake, with a JSON pointer; what is returned counts only when it was not called.
 */
export function parseReach(folders: unknown, modes: unknown, fault: (detail: ProblemDetail) => void): Reach {
  const isPlaces =
    folders === null || (Array.isArray(folders) && folders.length <= FOLDERS_MAX && folders.every(isFolder));
  if (!isPlaces)
    fault({
      detail: `Send null, or at most ${FOLDERS_MAX} paths of folders, each ending in /`,
      at: "/folders",
    });
  const isModes =
    Array.isArray(modes) && modes.every((mode) => (REACH_MODES as readonly unknown[]).includes(mode));
  if (!isModes) fault({ detail: `Send any of ${REACH_MODES.join(", ")}`, at: "/modes" });
  const asked: readonly unknown[] = isModes ? modes : [];
  return {
    folders: isPlaces && folders !== null ? [...new Set(folders)].sort() : null,
    modes: asked.includes("control") ? REACH_MODES : REACH_MODES.filter((mode) => asked.includes(mode)),
  };
}
