/** What time does to requests: what nobody answers ends, what ended long ago is forgotten, and what waits is shown to the owner all at once. */
import type { Limits } from "../limits.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot } from "../store/store.ts";
import { SERVER } from "./change.ts";
import { digestDue } from "./deciding/decide.ts";
import type { AccessRequest } from "./model.ts";
import { each, find, put } from "./records.ts";
import { dropRequests } from "./request-drop.ts";
import { isOpen, type Requests, type RequestsDeps } from "./requests-port.ts";

export interface RequestSweepDeps
  extends Pick<RequestsDeps, "baseUrl" | "store" | "now" | "commit" | "record"> {
  readonly limits: Pick<Limits, "requestMsKept">;
  readonly requests: Pick<Requests, "list" | "shown">;
}

const SWEPT_AT_ONCE = 200;

/** @returns what is to be called hourly, for each pod: how many requests it changed. */
export function createRequestSweep(deps: RequestSweepDeps): (pod: Pod) => Promise<number> {
  const { baseUrl, store, now, requests } = deps;
  const placeOf = (pod: Pod): string => `/${pod.name}/.consent/requests`;

  async function waiting(snapshot: Snapshot): Promise<readonly AccessRequest[]> {
    const last = (await find(snapshot, "digest", "last"))?.at ?? 0;
    const all = await requests.list(snapshot);
    return all.filter(({ state, received }) => state === "Deferred" && received > last);
  }

  /** So that nobody is interrupted for each. */
  async function summarise(pod: Pod): Promise<void> {
    const at = now().getTime();
    const { found, last } = await store.read(pod.id, async (snapshot) => ({
      found: await waiting(snapshot),
      last: (await find(snapshot, "digest", "last"))?.at ?? 0,
    }));
    const since = found.map(({ received }) => received);
    if (!digestDue(since, at, last)) return;
    await deps.commit(pod, async (transaction, leave) => {
      const { length } = await waiting(transaction);
      put(transaction, "digest", "last", { at });
      deps.record(transaction, pod, { act: "decide", agent: SERVER, path: placeOf(pod) });
      await leave({
        type: "Offer",
        actor: `${baseUrl}.notifications/sender#it`,
        object: `${baseUrl}${pod.name}/.consent/requests?status=Deferred`,
        summary:
          length === 1
            ? "One request for access waits for you."
            : `${length} requests for access wait for you.`,
        at,
      });
    });
  }

  const isOld = ({ state, received }: AccessRequest): boolean =>
    !isOpen(state) && now().getTime() - received > deps.limits.requestMsKept;

  async function settle(pod: Pod): Promise<number> {
    const due = await store.read(pod.id, async (snapshot) => {
      const ids: string[] = [];
      for await (const stored of each(snapshot, "request")) {
        const request = requests.shown(stored);
        if (request.state !== stored.state || isOld(request)) ids.push(stored.id);
        if (ids.length === SWEPT_AT_ONCE) break;
      }
      return ids;
    });
    if (due.length === 0) return 0;
    await deps.commit(pod, async (transaction) => {
      const old = new Set<string>();
      for (const id of due) {
        const stored = await find(transaction, "request", id);
        if (!stored) continue;
        const request = requests.shown(stored);
        if (isOld(request)) old.add(id);
        else put(transaction, "request", id, request);
      }
      await dropRequests(transaction, old);
      deps.record(transaction, pod, { act: "decide", agent: SERVER, path: placeOf(pod) });
    });
    return due.length;
  }

  return async (pod) => {
    await summarise(pod);
    return settle(pod);
  };
}
