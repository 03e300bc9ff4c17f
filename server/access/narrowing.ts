/** The part of a decision that is about the app: of what its person may do, what the person let it do. */
import type { Agent, Mode } from "../operation.ts";
import { isWithin, type Reach, UNNARROWED } from "../reach.ts";
import type { Pod } from "../store/pods.ts";
import type { Snapshot } from "../store/store.ts";

/**
 * What a person of this server let an app do; null when the person never let it in, or has shown it out.
 * @param client As in the token: an app's address, the name it got when it registered, or one of the person's programs.
 */
export type ReachOf = (webid: string, client: string) => Promise<Reach | null>;

/** Whether an agent acts with the owner's own power: not with a token that stands for one grant alone. */
export const isOwnerOf = (pod: Pod, { webid, isOnlyGrant }: Agent): boolean =>
  webid === pod.owner && isOnlyGrant !== true;

const NOTHING: Reach = Object.freeze({ folders: [], modes: [] });

export interface Narrowing {
  /** What the agent's app was given, in this snapshot. */
  reachIn(snapshot: Snapshot, agent: Agent): Promise<Reach>;
  /** Those of `wanted` that the agent's app was not given at the path. */
  missing(snapshot: Snapshot, agent: Agent, path: string, wanted: readonly Mode[]): Promise<readonly Mode[]>;
  /** Whether the app was given a mode at a path: for asking about many paths of one snapshot. */
  reader(snapshot: Snapshot, agent: Agent): Promise<(path: string, mode: Mode) => boolean>;
}

/**
 * Applies to tokens that this server issued. Of people who log in elsewhere we know no consents: their apps have what
 * the person has, and the access lists' conditions on clients narrow those. https://solidproject.org/TR/wac#access-conditions
 * @param baseUrl This server's name as an issuer.
 */
export function createNarrowing(baseUrl: string, reachOf: ReachOf): Narrowing {
  // As long-lived as a snapshot: a request asks once, and whoever holds an agent for longer is told of every change.
  const known = new WeakMap<Snapshot, Map<string, Promise<Reach>>>();

  async function reachIn(snapshot: Snapshot, { webid, client, issuer }: Agent): Promise<Reach> {
    if (webid === null || issuer !== baseUrl) return UNNARROWED;
    if (client === null) return NOTHING; // Every token of ours names who asked for it.
    let here = known.get(snapshot);
    if (!here) known.set(snapshot, (here = new Map()));
    const key = `${webid} ${client}`;
    let reach = here.get(key);
    if (!reach) here.set(key, (reach = reachOf(webid, client).then((found) => found ?? NOTHING)));
    return reach;
  }

  return {
    reachIn,
    async missing(snapshot, agent, path, wanted) {
      const reach = await reachIn(snapshot, agent);
      return wanted.filter((mode) => !isWithin(reach, path, mode));
    },
    async reader(snapshot, agent) {
      const reach = await reachIn(snapshot, agent);
      return (path, mode) => isWithin(reach, path, mode);
    },
  };
}
