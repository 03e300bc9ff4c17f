/**
 * What the registry says of a vendor, and what comes of it here. One that is suspended is given nothing new; one that is
 * delisted is given nothing at all: its grants rest until it is reinstated, and their owners are told. What an owner has
 * written into access lists is the owner's own word, and stays.
 */
import { isNarrower } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import { attend } from "./attention.ts";
import { type GrantsDeps, SERVER, type Settle } from "./change.ts";
import type { Grant, Policy } from "./model.ts";
import type { OwnersNotice } from "./notices.ts";
import { each, find } from "./records.ts";
import { stateAt } from "./states.ts";

export interface KnownVendor {
  /** Of the organisation. */
  readonly name: string;
  readonly status: "active" | "suspended" | "delisted";
  /** Why, in the registry's words; null for one that is active. */
  readonly says: string | null;
  /** For what it has registered to ask: addresses of DPV purposes. */
  readonly purposes: readonly string[];
}

/** The registry's list of vendors, as `context.ts` hands it over. */
export interface VendorList {
  /** The vendor that has one of these names (WebIDs, applications); null for one that is not entered. */
  find(names: readonly (string | null)[]): KnownVendor | null;
  /** Whether any vendor was ever sanctioned. */
  hasSanctions(): boolean;
}

type Named = Pick<Grant, "assignee" | "controller">;

const isDelisted = (vendors: VendorList, { assignee, controller }: Named): boolean =>
  vendors.find([assignee, controller])?.status === "delisted";

/** @throws Problem `vendor-delisted` for one that may not do this. */
export function refuseSanctioned(
  vendors: VendorList,
  names: readonly (string | null)[],
  isNew: boolean,
): void {
  const found = vendors.find(names);
  if (!found || found.status === "active" || (found.status === "suspended" && !isNew)) return;
  const detail = `${found.name} is ${found.status}${found.says === null ? "" : `: ${found.says}`}`;
  throw new Problem("vendor-delisted", detail, { members: { vendorStatus: found.status } });
}

/** @throws Problem `consent-invalid` where a vendor that is entered asks for what it has not registered. */
export function refuseUnregistered(
  vendors: VendorList,
  assignee: string,
  policies: readonly Pick<Policy, "purposes">[],
): void {
  const known = vendors.find([assignee]);
  if (!known) return;
  const errors = policies.flatMap(({ purposes }, at) =>
    purposes
      .filter((purpose) => !known.purposes.some((registered) => isNarrower(purpose, registered)))
      .map((purpose) => ({
        at: `/access/${at}/constraint`,
        detail: `${known.name} has not registered the purpose ${purpose}`,
      })),
  );
  if (errors.length > 0)
    throw new Problem("consent-invalid", errors.map(({ detail }) => detail).join("; "), { errors });
}

export interface EnforcingDeps extends Pick<GrantsDeps, "store" | "pods" | "limits" | "now" | "log"> {
  readonly vendors: VendorList;
  readonly settle: Settle;
  readonly urlOf: (pod: Pod, id: string) => string;
  readonly commit: <T>(
    pod: Pod,
    work: (transaction: Transaction, leave: (notice: OwnersNotice) => Promise<void>) => Promise<T>,
  ) => Promise<T>;
  /** To be awaited before a transaction that tells a vendor something. */
  readonly enlist: (pod: Pod) => Promise<void>;
}

/** What a grant's state must become by what is said of its vendor; null where it fits. */
function dueOf(vendors: VendorList, grant: Grant, time: number): "Paused" | "Active" | null {
  const state = stateAt(grant, time);
  if (state === "Active") return isDelisted(vendors, grant) ? "Paused" : null;
  const restsForIt = state === "Paused" && grant.reason === "delisted";
  return restsForIt && !isDelisted(vendors, grant) ? "Active" : null;
}

const SENTENCES = {
  Paused: (name: string, says: string | null): string =>
    `The registry has delisted ${name}${says === null ? "" : ` (${says})`}: what you gave it rests.`,
  Active: (name: string): string => `The registry has reinstated ${name}: what you gave it goes on.`,
};

/**
 * Makes all grants of all pods fit what is said of their vendors now: to be called after each change, and at the start. What
 * was cut short is found by the next run.
 * @returns how many grants changed.
 */
export type Enforce = (signal?: AbortSignal) => Promise<number>;

export function createEnforcing(deps: EnforcingDeps): Enforce {
  const { vendors, store, pods, limits, now, log, settle, urlOf, commit, enlist } = deps;

  const due = async (snapshot: Snapshot): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const grant of each(snapshot, "grant"))
      if (dueOf(vendors, grant, now().getTime())) found.push(grant.id);
    return found;
  };

  async function change(
    transaction: Transaction,
    pod: Pod,
    id: string,
    leave: (notice: OwnersNotice) => Promise<void>,
  ): Promise<boolean> {
    const grant = await find(transaction, "grant", id);
    const at = now().getTime();
    const state = grant && dueOf(vendors, grant, at);
    if (!grant || !state) return false;
    await settle(transaction, pod, grant, { state, reason: "delisted" }, { agent: SERVER });
    const known = vendors.find([grant.assignee, grant.controller]);
    const name = known?.name ?? new URL(grant.controller).hostname;
    const kind = state === "Paused" ? "vendor-delisted" : "vendor-reinstated";
    const alert = { kind, grant: id, agent: grant.assignee, client: null, path: null } as const;
    await attend(transaction, alert, at, limits);
    await leave({
      type: "Announce",
      actor: grant.assignee,
      object: urlOf(pod, id),
      summary: SENTENCES[state](name, known?.says ?? null),
      at,
    });
    return true;
  }

  async function enforceIn(pod: Pod): Promise<number> {
    const ids = await store.read(pod.id, due);
    if (ids.length > 0) await enlist(pod);
    let count = 0;
    for (const id of ids)
      if (await commit(pod, (transaction, leave) => change(transaction, pod, id, leave))) count += 1;
    return count;
  }

  return async (signal) => {
    if (!vendors.hasSanctions()) return 0;
    let count = 0;
    for (const pod of await pods.list()) {
      if (signal?.aborted) break; // The next start goes on with it.
      if (pod.erased !== undefined || pod.movedTo !== undefined) continue;
      try {
        count += await enforceIn(pod);
      } catch (error) {
        log.error("consent.vendor-not-enforced", { pod: pod.id, cause: String(error) });
      }
    }
    if (count > 0) log.info("consent.vendors-enforced", { grants: count });
    return count;
  };
}
