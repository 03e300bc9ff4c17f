/**
 * The journal of a pod, followed: entries in the order of their numbers, without a gap, from any number on. A hint says that
 * there may be more; what there is, is read from the store. Pods that nobody listens to cost nothing.
 */
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Pod, Pods } from "../store/pods.ts";
import { type PodId, SERVER_POD, type Store } from "../store/store.ts";
import { type Change, changeOf, type Deed } from "./events.ts";

export interface PodFeed {
  /** Entries after a number, a bounded many in their order; none when there are none yet. @throws Problem `not-found` when the pod is gone. */
  after(number: number): Promise<readonly Change[]>;
  /** Number of the last entry that is known of. */
  readonly end: number;
  readonly isGone: boolean;
  /** Called whenever there may be more, when the pod is gone, and now and then: access may have changed elsewhere. @returns what ends it. */
  onWake(wake: (why: "entries" | "recheck") => void): () => void;
}

export interface Feeds {
  /**
   * Somebody has committed to the pod; null: to any. Returns at once.
   * @param areGrantsNew Whether what consents permit may be otherwise now.
   */
  hint(pod: PodId | null, areGrantsNew?: boolean): void;
  /** To be released as often as it is opened. */
  open(pod: Pod): Promise<{ readonly feed: PodFeed; readonly release: () => void }>;
  /** How many pods are followed. */
  readonly size: number;
  close(): void;
}

export interface FeedDeps {
  readonly store: Pick<Store, "journal">;
  readonly pods: Pick<Pods, "find">;
  readonly limits: Pick<Limits, "feedEntriesKept" | "feedPageEntries" | "feedPollMs" | "listenerRecheckMs">;
  readonly log: Log;
  /** What an entry of the journal says. */
  readonly entryOf: (bytes: Uint8Array) => Deed;
  /** How the addresses of access lists end. */
  readonly listEnding: string;
  /** Whether other processes commit to the same store, so that some hints may be missed. */
  readonly isShared: boolean;
}

const AGAIN_MS = 1_000;
const SETTLE_MS = 1_000; // After changes access is looked at again so often, for a group's members may have changed.
const PODS_LOOK_MS = 100; // Accounts write to the server's own records all the time.

interface OpenFeed extends PodFeed {
  pump(): void;
  wake(why: "entries" | "recheck"): void;
  lookAtPod(): Promise<void>;
  close(): void;
}

export function createFeeds({ store, pods, limits, log, entryOf, listEnding, isShared }: FeedDeps): Feeds {
  const open = new Map<PodId, { readonly feed: OpenFeed; users: number }>();
  let look: NodeJS.Timeout | null = null;

  async function read(pod: Pod, after: number): Promise<readonly Change[]> {
    const rows = await store.journal.read(pod.id, after, limits.feedPageEntries);
    return rows.map(({ number, entry }) => changeOf(number, entry && entryOf(entry), listEnding));
  }

  function follow(pod: Pod, head: number): OpenFeed {
    const wakers = new Set<(why: "entries" | "recheck") => void>();
    let kept: Change[] = []; // The last so many: all numbers from the first to `end`.
    let end = head;
    let isGone = false;
    let isClosed = false;
    let isPumping = false;
    let isHinted = false;
    let again: NodeJS.Timeout | null = null;
    let settle: NodeJS.Timeout | null = null;
    const recheck = setInterval(() => wake("recheck"), limits.listenerRecheckMs).unref();
    const poll = isShared ? setInterval(() => pump(), limits.feedPollMs).unref() : null;

    function wake(why: "entries" | "recheck"): void {
      for (const waker of wakers) waker(why);
    }

    function gone(): void {
      isGone = true;
      wake("recheck");
    }

    function take(changes: readonly Change[]): void {
      kept = [...kept, ...changes].slice(-limits.feedEntriesKept);
      end = changes.at(-1)?.number ?? end;
      wake("entries");
      if (changes.some(({ path }) => path !== null))
        settle ??= setTimeout(() => {
          settle = null;
          wake("recheck");
        }, SETTLE_MS).unref();
    }

    async function readOn(): Promise<void> {
      let changes: readonly Change[];
      do {
        isHinted = false;
        changes = await read(pod, end);
        if (isClosed) return;
        if (changes.length > 0) take(changes);
      } while (isHinted || changes.length === limits.feedPageEntries);
    }

    function pump(): void {
      isHinted = true;
      if (isPumping || isClosed || isGone) return;
      isPumping = true;
      readOn()
        .catch((error: unknown) => {
          if (error instanceof Problem && error.code === "not-found") return gone();
          log.warn("notify.feed-behind", { pod: pod.id, cause: String(error) });
          again ??= setTimeout(() => {
            again = null;
            pump();
          }, AGAIN_MS).unref();
        })
        .finally(() => {
          isPumping = false;
          if (isHinted && !again) pump();
        });
    }

    return {
      get end() {
        return end;
      },
      get isGone() {
        return isGone;
      },
      async after(number) {
        if (isGone) throw new Problem("not-found");
        if (number >= end) return [];
        const first = kept[0]?.number ?? Number.POSITIVE_INFINITY;
        return number + 1 >= first
          ? kept.slice(number + 1 - first, number + 1 - first + limits.feedPageEntries)
          : read(pod, number);
      },
      onWake(waker) {
        wakers.add(waker);
        return () => void wakers.delete(waker);
      },
      pump,
      wake,
      async lookAtPod() {
        const now = await pods.find(pod.name);
        if (now?.id !== pod.id || now.erased !== undefined || now.movedTo !== undefined) gone();
        else wake("recheck");
      },
      close() {
        isClosed = true;
        clearInterval(recheck);
        for (const timer of [poll, again, settle]) if (timer) clearTimeout(timer);
      },
    };
  }

  function lookAtPods(): void {
    look ??= setTimeout(() => {
      look = null;
      for (const { feed } of open.values())
        feed.lookAtPod().catch((error: unknown) => log.warn("notify.feed-behind", { cause: String(error) }));
    }, PODS_LOOK_MS).unref();
  }

  return {
    hint(pod, areGrantsNew = false) {
      if (open.size === 0) return;
      if (pod === SERVER_POD) return lookAtPods();
      if (pod !== null) {
        const feed = open.get(pod)?.feed;
        if (areGrantsNew) feed?.wake("recheck");
        return feed?.pump();
      }
      for (const { feed } of open.values()) feed.pump();
      lookAtPods();
    },
    async open(pod) {
      let one = open.get(pod.id);
      if (!one) {
        const { number } = await store.journal.head(pod.id);
        one = open.get(pod.id) ?? { feed: follow(pod, number), users: 0 };
        open.set(pod.id, one);
        one.feed.pump(); // What was committed while its head was read.
      }
      const here = one;
      here.users += 1;
      let isReleased = false;
      return {
        feed: here.feed,
        release() {
          if (isReleased) return;
          isReleased = true;
          here.users -= 1;
          if (here.users > 0) return;
          here.feed.close();
          if (open.get(pod.id) === here) open.delete(pod.id);
        },
      };
    },
    get size() {
      return open.size;
    },
    close() {
      if (look) clearTimeout(look);
      for (const { feed } of open.values()) feed.close();
      open.clear();
    },
  };
}
