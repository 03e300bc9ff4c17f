/** Which access an operation needs, and on what: the table behind every door to a pod's resources. */
import { ldes, ldp } from "@freehold/vocab";
import { parentOf, type Target } from "../iri.ts";
import type { Mode } from "../operation.ts";
import { modesOfPatch, type Patch } from "../rdf/patch.ts";
import type { Snapshot } from "../store/store.ts";
import { exists, findResource } from "./find.ts";
import type { Prepared } from "./prepare.ts";

export interface Need {
  readonly target: Target;
  readonly modes: readonly Mode[];
  /** Path of what is removed, where that is what Write is needed for. */
  readonly removes?: string;
}

export type Needs = (snapshot: Snapshot, target: Target, prepared: Prepared) => Promise<readonly Need[]>;

function containerTarget(pod: string, path: string): Target {
  return { pod, path, isContainer: true, auxiliary: null, subject: path };
}

/** The nearest container above `path` that exists: creating below it changes its membership. */
async function nearestContainer(snapshot: Snapshot, target: Target): Promise<Target> {
  let path = parentOf(target.path);
  while (path !== null && path !== `/${target.pod}/` && !(await findResource(snapshot, path)))
    path = parentOf(path);
  return containerTarget(target.pod, path ?? `/${target.pod}/`);
}

/** https://solidproject.org/TR/wac#read-operation */
export const needsOfRead: Needs = async (_snapshot, target) => [{ target, modes: ["read"] }];

/**
 * Replacing needs Write; creating needs Append on the container too. The resource comes first: who has no access to it
 * is told the same whether it exists or not. https://solidproject.org/TR/wac#create-operation
 */
export const needsOfPut: Needs = async (snapshot, target, prepared) => {
  const write: Need = {
    target,
    modes: saysWhatIsKept(target, prepared) ? ["write", "control"] : ["write"],
  };
  if (target.auxiliary || (await exists(snapshot, target))) return [write];
  return [write, { target: await nearestContainer(snapshot, target), modes: ["append"] }];
};

export const needsOfPost: Needs = async (_snapshot, target, prepared) => [
  { target, modes: saysWhatIsKept(target, prepared) ? ["append", "control"] : ["append"] },
];

function setsConstraint({ steps }: Patch): boolean {
  return steps.some(({ insertions }) =>
    insertions.some(
      ({ predicate }) => predicate.termType === "Variable" || predicate.value === ldp.constrainedBy,
    ),
  );
}

/** What says for how long a stream is kept: what is not kept is gone for good, with no way back from the trash. */
const KEEPING: ReadonlySet<string> = new Set([ldes.retentionPolicy, ldes.fullLogDuration, ldes.startingFrom]);

/** Whoever may write in a folder may delete, but not for good: that is for those who have Control. */
function saysWhatIsKept(target: Target, prepared: Prepared): boolean {
  const isOfFolder = target.isContainer || (target.auxiliary === "meta" && target.subject.endsWith("/"));
  if (prepared?.kind === "container")
    return prepared.quads.some(({ predicate }) => KEEPING.has(predicate.value));
  if (!isOfFolder) return false;
  if (prepared?.kind === "rdf") return prepared.quads.some(({ predicate }) => KEEPING.has(predicate.value));
  return (
    prepared?.kind === "patch" &&
    prepared.patch.steps.some(({ insertions }) =>
      insertions.some(({ predicate }) => predicate.termType === "Variable" || KEEPING.has(predicate.value)),
    )
  );
}

/** What is patched of a folder is its description, which who may add to it may not thereby add to. */
const changed = (target: Target): Target =>
  target.isContainer
    ? { ...target, path: `${target.path}.meta`, isContainer: false, auxiliary: "meta" }
    : target;

/** Changing a document, or making it where there is none. */
export async function needsOfChange(
  snapshot: Snapshot,
  target: Target,
  modes: readonly Mode[],
): Promise<readonly Need[]> {
  const change: Need = { target: changed(target), modes };
  if (target.auxiliary || (await exists(snapshot, target))) return [change];
  return [change, { target: await nearestContainer(snapshot, target), modes: ["append"] }];
}

/** Each part of a patch is an operation of its own. https://solidproject.org/TR/protocol#server-patch-n3-semantics */
export const needsOfPatch: Needs = async (snapshot, target, prepared) => {
  // Asked once before the patch is read, too: then the least that any patch needs.
  const modes: Mode[] = prepared?.kind === "patch" ? modesOfPatch(prepared.patch) : ["append"];
  // Whoever may add to a folder may not thereby say what others may add.
  const isOfFolder = target.isContainer || target.auxiliary === "meta";
  if (isOfFolder && prepared?.kind === "patch" && setsConstraint(prepared.patch) && !modes.includes("write"))
    modes.push("write");
  if (saysWhatIsKept(target, prepared)) modes.push("control");
  return needsOfChange(snapshot, target, modes);
};

/** https://solidproject.org/TR/wac#delete-operation */
export const needsOfDelete: Needs = async (_snapshot, target) => {
  if (target.auxiliary) return [{ target, modes: ["write"] }];
  const need = { modes: ["write"], removes: target.path } as const;
  return [
    { target: containerTarget(target.pod, parentOf(target.path) ?? "/"), ...need },
    { target, ...need },
  ];
};
