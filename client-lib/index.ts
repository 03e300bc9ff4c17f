/** What an application needs of a pod: open it, ask it, change it, and decide who else may. For browser and Node. */

import type { Grant, Revocation } from "./access.ts";
import type { JoinOptions } from "./join.ts";
import type { Access, AccessMode } from "./modes.ts";
import type { Pod } from "./pod.ts";
import type { Row } from "./query.ts";

export type { Grant, Revocation } from "./access.ts";
export { type CacheCounts, type CacheOptions, createPassportCache, type PassportCache } from "./cache.ts";
export {
  type AskOptions,
  accessGrant,
  accessGrants,
  accessRequest,
  accessRequests,
  cancelRequest,
  endGrant,
  type GrantedAccess,
  type RequestedAccess,
  requestAccess,
  type WantedAccess,
  type Wish,
  waitForDecision,
} from "./consent/access.ts";
export {
  describeKey,
  publishSigningKey,
  type SigningIdentity,
  verificationMethodOf,
  withdrawSigningKey,
} from "./consent/identity.ts";
export type { Action, ConsentMode, Policy, PolicyTarget, Terms, Tier } from "./consent/model.ts";
export {
  type Decided,
  type Decision,
  decideRequest,
  giveAccess,
  type Preview,
  type PreviewedThing,
  pauseGrant,
  preferences,
  previewAccess,
  previewRequest,
  resumeGrant,
  revokeGrant,
  setPreferences,
  undoDecision,
} from "./consent/owner.ts";
export { generateSigningKey, type SigningKey } from "./consent/proof.ts";
export {
  consentReceiptOf,
  countersign,
  type Receipt,
  type Reconciliation,
  receipts,
  reconcile,
} from "./consent/receipts.ts";
export {
  type Basis,
  createLedger,
  type Ledger,
  queryUnder,
  type Use,
  under,
  writeBack,
} from "./consent/under.ts";
export {
  type Change,
  receiveWebhook,
  type WatchOptions,
  type Webhook,
  watch,
  watchByWebhook,
} from "./consent/watch.ts";
export { type DcannResolver, type DidResolution, getResolver } from "./did.ts";
export { type ErrorDetail, type ErrorFacts, type Fetch, FreeholdError, fetchOk } from "./errors.ts";
export {
  type Combining,
  combine,
  type Federated,
  type FederatedRow,
  type FederationOptions,
  queryAll,
  queryTogether,
  type Source,
} from "./federation.ts";
export type { JoinOptions } from "./join.ts";
export type { Merging, Order } from "./merge.ts";
export type { Access, AccessMode } from "./modes.ts";
export {
  createPassportFetch,
  createPlaces,
  type PassportFetch,
  type PassportFetchOptions,
  type Place,
  type Places,
} from "./moved.ts";
export {
  portStandingOf,
  type RegistryOptions,
  requestPort,
  type Standing,
  sendOperation,
  standingOf,
  vetoPort,
  type WaitingOperation,
  waitingOperation,
} from "./operations.ts";
export { confirmsPassport, type Dataset, type OpenOptions, openPod, type Pod } from "./pod.ts";
export {
  ask,
  construct,
  type Endpoint,
  explain,
  type PlanStep,
  type QueryOptions,
  type QueryPlan,
  query,
  type Row,
  UNION_DEFAULT_GRAPH,
} from "./query.ts";
export { createMemory, type Memory, type PinnedRoot } from "./registry/memory.ts";
export { forgetRoot, type TrustOptions, trustOf } from "./registry/trust.ts";
export { askResolver, findAnswer, type Resolution, type ResolveOptions, resolve } from "./resolve.ts";
export { type Cell, nativeOf } from "./rows.ts";
export {
  type Facets,
  type FacetValue,
  type Hit,
  type SearchOptions,
  type SearchPage,
  search,
} from "./search.ts";
export {
  type Observation,
  type Observed,
  observations,
  record,
  type Summary,
  summarise,
  type TimeRange,
} from "./series.ts";
export { type UpdateEndpoint, type UpdateOptions, update } from "./update.ts";

/**
 * Joins across pods, in your program: rows of a SELECT over several pods as if they were one. Loads a query engine on
 * first use. Where each row can be had of one pod alone, `queryAll` is many times faster.
 * @throws FreeholdError while iterating: `query-invalid`, `unreachable`, or the reason of the pod that refused: what is
 * missing from a join could not be seen in its rows.
 */
export async function* joinPods<V extends string = string>(
  pods: readonly Pod[],
  sparql: string,
  options?: JoinOptions,
): AsyncGenerator<Row<V>, void, undefined> {
  yield* (await import("./join.ts")).joinPods<V>(pods, sparql, options);
}

// Loaded when access is looked at or changed: whoever only reads and asks need not carry an RDF parser.
const access = () => import("./access.ts");

/**
 * Gives access to a document, or to a folder and all in it that has no list of its own. What was inherited is kept.
 * ```ts
 * await grant(pod, "orders/", { to: "https://shop.example/card#us", modes: ["read"] });
 * ```
 * @param path Place in the pod.
 * @returns who has access now.
 * @throws FreeholdError `forbidden` without control, `precondition-failed` when others keep changing the list.
 */
export const grant = async (pod: Pod, path: string, to: Grant): Promise<readonly Access[]> =>
  (await access()).grant(pod, path, to);

/**
 * Takes access away from whom a rule names; others that the rule names keep it.
 * Whoever also has access through a group, or with everybody, keeps that: look at the answer.
 * @param path Place in the pod.
 * @returns who has access now.
 * @throws FreeholdError `owner-locked-out`, `forbidden`.
 */
export const revoke = async (pod: Pod, path: string, from: Revocation): Promise<readonly Access[]> =>
  (await access()).revoke(pod, path, from);

/**
 * Who has access to a document or folder.
 * @param path Place in the pod; its root, if none is named.
 * @throws FreeholdError `forbidden` without control.
 */
export const inspect = async (pod: Pod, path?: string): Promise<readonly Access[]> =>
  (await access()).inspect(pod, path);

/**
 * Every access list of the pod, folder by folder: the root's first, then each that differs. Asks once for every
 * document, so it takes its time; stop whenever enough is known.
 * @param path The folder to begin at, instead of the root.
 * @throws FreeholdError while iterating: `forbidden` without control.
 */
export async function* inspectAll(pod: Pod, path?: string): AsyncGenerator<Access, void, undefined> {
  yield* (await access()).inspectAll(pod, path);
}

/** Every mode that can be given, from the least to the most. */
export const ACCESS_MODES: readonly AccessMode[] = ["append", "read", "write", "control"];
