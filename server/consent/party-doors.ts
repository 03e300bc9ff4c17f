/** With whom the owner has to do: everybody who asked for something or was given something, in one list, for the owner alone. */
import { sureLabelOf } from "@freehold/vocab";
import { json } from "../body.ts";
import { Problem } from "../errors.ts";
import type { Agent, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord } from "../store/record.ts";
import type { Snapshot, Store } from "../store/store.ts";
import { nameOf } from "./deciding/explain.ts";
import { type Call, type ConsentDoor, namedAgent } from "./doors.ts";
import type { Grants } from "./grants.ts";
import { preferencesIn } from "./judging.ts";
import type { Grant, UsageReceipt } from "./model.ts";
import { useGroup } from "./records.ts";
import { isOpen, type Requests } from "./requests-port.ts";
import type { VendorList } from "./vendors.ts";

export interface PartyDoorsDeps {
  readonly store: Pick<Store, "read">;
  readonly now: () => Date;
  readonly vendors: VendorList;
  readonly grants: Pick<Grants, "list" | "usage">;
  readonly requests: Pick<Requests, "list">;
  readonly isOwner: (snapshot: Snapshot, pod: Pod, agent: Agent) => Promise<boolean>;
}

const WEEK_MS = 7 * 86_400_000;
const WEEKS = 12;

/** One of those the owner has to do with. */
interface Party {
  /** WebID. */
  readonly id: string;
  /** What its address shows, which it cannot choose freely. */
  readonly host: string;
  /** As the registry has entered it; null for one that is not entered. */
  readonly entry: {
    readonly name: string;
    readonly status: string;
    readonly says: string | null;
    readonly purposes: readonly string[];
  } | null;
  readonly isBlocked: boolean;
  /** How many of its requests wait, and how many of its grants have not ended. */
  readonly waiting: number;
  readonly grants: number;
  /** Uses of all its grants, and the last of them, in milliseconds since 1970. */
  readonly uses: number;
  readonly firstUse: number | null;
  readonly lastUse: number | null;
  /** Uses in each of the last twelve weeks, the oldest first, as far as their receipts are kept; only of one that is asked for. */
  readonly weeks?: readonly number[];
}

export function partyDoors(deps: PartyDoorsDeps): readonly ConsentDoor[] {
  const { store, now, vendors, grants, requests } = deps;

  async function countWeeks(snapshot: Snapshot, ids: readonly string[], at: number): Promise<number[]> {
    const weeks = Array.from({ length: WEEKS }, () => 0);
    for (const id of ids)
      for await (const entry of snapshot.list("consent", useGroup(id))) {
        const ago = Math.floor((at - decodeRecord<UsageReceipt>(entry).published) / WEEK_MS);
        if (ago >= 0 && ago < WEEKS) weeks[WEEKS - 1 - ago]! += 1;
      }
    return weeks;
  }

  async function partyOf(
    snapshot: Snapshot,
    id: string,
    own: { readonly grants: readonly Grant[]; readonly waiting: number; readonly isBlocked: boolean },
    isWhole: boolean,
  ): Promise<Party> {
    const found = vendors.find([id]);
    const usages = await Promise.all(own.grants.map((grant) => grants.usage(snapshot, grant.id)));
    const moments = (which: "firstUse" | "lastUse"): readonly number[] =>
      usages.flatMap((usage) => usage[which] ?? []);
    const used = own.grants.filter((_, at) => (usages[at]?.count ?? 0) > 0).map((grant) => grant.id);
    const [first, last] = [moments("firstUse"), moments("lastUse")];
    return {
      id,
      host: nameOf(id),
      entry: found && {
        name: found.name,
        status: found.status,
        says: found.says,
        purposes: found.purposes.map(sureLabelOf),
      },
      isBlocked: own.isBlocked,
      waiting: own.waiting,
      grants: own.grants.filter(({ state }) => state === "Active" || state === "Paused").length,
      uses: usages.reduce((sum, { count }) => sum + count, 0),
      firstUse: first.length > 0 ? Math.min(...first) : null,
      lastUse: last.length > 0 ? Math.max(...last) : null,
      ...(isWhole && { weeks: await countWeeks(snapshot, used, now().getTime()) }),
    };
  }

  async function list(call: Call): Promise<Result> {
    namedAgent(call);
    const { pod, operation } = call;
    const of = new URLSearchParams(operation.query).get("of");
    const items = await store.read(pod.id, async (snapshot) => {
      if (!(await deps.isOwner(snapshot, pod, operation.agent)))
        throw new Problem("forbidden", "This is for the owner of the pod");
      const [asked, given] = [await requests.list(snapshot), await grants.list(snapshot)];
      const { blocked } = await preferencesIn(snapshot);
      const ids = new Set([...asked, ...given].map(({ assignee }) => assignee).concat(blocked));
      return Promise.all(
        [...ids]
          .filter((id) => of === null || id === of)
          .map((id) => {
            const own = {
              grants: given.filter(({ assignee }) => assignee === id),
              waiting: asked.filter(({ assignee, state }) => assignee === id && isOpen(state)).length,
              isBlocked: blocked.includes(id),
            };
            return partyOf(snapshot, id, own, of !== null);
          }),
      );
    });
    return json(200, { items });
  }

  return [{ verb: "get", path: ".consent/parties", act: list }];
}
