/**
 * What of consent a pod takes along when it moves, record by record, and what becomes of each at its new address. Whatever
 * gives access comes last: its budgets and its uses are there before it.
 */

import { decodeRecord } from "../../store/record.ts";
import type { Snapshot } from "../../store/store.ts";
import type { Preferences } from "../deciding/preferences.ts";
import type { AccessRequest, Grant, Policy } from "../model.ts";
import type { Honey } from "../records.ts";
import type { ViewDefinition } from "../views/definitions.ts";

/** One record. */
export interface Packed {
  readonly group: string;
  readonly item: string;
  readonly value: unknown;
}

/** Receipts of consents as a former host signed them, while their vendors have not. */
export const FORMER_RECEIPTS = "former-receipt";

/** In this order. What waits for somebody here (alarms, expectations, credentials by this server) stays behind. */
export const GROUPS = [
  "secret",
  "view",
  "preference",
  "campaigns",
  "honey",
  "request",
  "decision",
  "answered",
  "countersigned",
  "receipt",
  FORMER_RECEIPTS,
  "former",
  "usage",
] as const;

/** From one root of a pod to another, as paths of a server and as addresses. */
export interface Rooted {
  /** `/ana/` */
  readonly fromPath: string;
  readonly toPath: string;
  /** Ends in `/`. */
  readonly from: string;
  readonly to: string;
  /** WebID at the new place. */
  readonly owner: string;
}

const pathIn = (path: string, { fromPath, toPath }: Rooted): string =>
  path.startsWith(fromPath) ? toPath + path.slice(fromPath.length) : path;

function policyIn(policy: Policy, move: Rooted): Policy {
  const { kind, values } = policy.target;
  if (kind === "view" || kind === "shape") return policy; // Names, and addresses of words.
  return { ...policy, target: { kind, values: values.map((path) => pathIn(path, move)) } };
}

const policiesIn = <T extends { readonly policies: readonly Policy[] }>(one: T, move: Rooted): T => ({
  ...one,
  policies: one.policies.map((policy) => policyIn(policy, move)),
});

const grantIn = (grant: Grant, move: Rooted): Grant => ({ ...policiesIn(grant, move), assigner: move.owner });

function preferencesIn(preferences: Preferences, move: Rooted): Preferences {
  const holds = Object.entries(preferences.holds).map(
    ([path, kinds]) => [pathIn(path, move), kinds] as const,
  );
  return { ...preferences, holds: Object.fromEntries(holds) };
}

/** The names that a vendor knows things by hang on where they were first, so that they stay. */
export interface Secret {
  readonly key: string;
  /** Root of the pod when the first name was given; absent: where it is. */
  readonly home?: string;
}

const placesIn = (definition: ViewDefinition, move: Rooted): ViewDefinition => ({
  ...definition,
  places: definition.places.map((path) => pathIn(path, move)),
  construct: definition.construct?.replaceAll(move.from, move.to) ?? null,
});

/** A record as it is at its new address. What others have signed stays as they signed it. */
export function unpacked({ group, item, value }: Packed, move: Rooted): Packed {
  const at = (changed: unknown): Packed => ({ group, item, value: changed });
  if (group === "secret") return at({ home: move.from, ...(value as Secret) } satisfies Secret);
  if (group === "view") return at(placesIn(value as ViewDefinition, move));
  if (group === "preference") return at(preferencesIn(value as Preferences, move));
  if (group === "honey") {
    const honey = value as Honey;
    return at({ ...honey, paths: honey.paths.map((path) => pathIn(path, move)) } satisfies Honey);
  }
  if (group === "request") return at(policiesIn(value as AccessRequest, move));
  if (group === "grant") return at(grantIn(value as Grant, move));
  return { group, item, value };
}

/** All records of a group. */
export async function* recordsOf(snapshot: Snapshot, group: string): AsyncGenerator<Packed> {
  for await (const entry of snapshot.list("consent", group))
    yield { group, item: entry.item, value: decodeRecord<unknown>(entry) };
}
