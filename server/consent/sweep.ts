/** Writes down what the clock has done to grants: for their owners and vendors to see; decisions never wait for it. */

import type { Pod } from "../store/pods.ts";
import type { Snapshot, Transaction } from "../store/store.ts";
import { type GrantsDeps, SERVER, type Settle } from "./change.ts";
import type { Grant, Usage } from "./model.ts";
import { each, find } from "./records.ts";
import { type GrantReason, isEnd, stateAt } from "./states.ts";
import { isSignatureDue, isUnused } from "./usage.ts";

export interface SweepDeps extends GrantsDeps {
  readonly settle: Settle;
  readonly usageOf: (snapshot: Snapshot, id: string) => Promise<Usage>;
}

interface Due {
  readonly state: "Expired" | "Paused";
  readonly reason: GrantReason;
}

/** @returns a function that resolves with the number of grants it changed. */
export function createSweep({
  store,
  pods,
  limits,
  now,
  log,
  settle,
  usageOf,
}: SweepDeps): () => Promise<number> {
  /** What has become due; null for nothing. */
  async function dueOf(snapshot: Snapshot, grant: Grant): Promise<Due | null> {
    const time = now().getTime();
    if (isEnd(grant.state)) return null;
    if (stateAt(grant, time) === "Expired") return { state: "Expired", reason: "expired" };
    if (grant.state !== "Active") return null;
    if (isUnused(grant, await usageOf(snapshot, grant.id), time, limits))
      return { state: "Paused", reason: "unused" };
    if (isSignatureDue(grant, time, limits) && !(await find(snapshot, "countersigned", grant.id)))
      return { state: "Paused", reason: "unsigned" };
    return null;
  }

  async function change(transaction: Transaction, pod: Pod, id: string): Promise<boolean> {
    const grant = await find(transaction, "grant", id);
    const due = grant && (await dueOf(transaction, grant));
    if (!grant || !due) return false;
    await settle(transaction, pod, grant, due, { agent: SERVER });
    return true;
  }

  async function sweepPod(pod: Pod): Promise<number> {
    const ids = await store.read(pod.id, async (snapshot) => {
      const found: string[] = [];
      for await (const grant of each(snapshot, "grant"))
        if (await dueOf(snapshot, grant)) found.push(grant.id);
      return found;
    });
    let count = 0;
    for (const id of ids)
      if ((await store.write(pod.id, (transaction) => change(transaction, pod, id))).result) count++;
    return count;
  }

  return async () => {
    let count = 0;
    for (const pod of await pods.list()) {
      if (pod.erased !== undefined || pod.movedTo !== undefined) continue;
      try {
        count += await sweepPod(pod);
      } catch (error) {
        log.error("consent.sweep-failed", { pod: pod.id, cause: String(error) });
      }
    }
    return count;
  };
}
