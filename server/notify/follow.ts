/**
 * One subscriber, followed through the journal of a pod: what concerns it, whether it may know, and when. Nothing is
 * queued: who is slow reads later from the journal. Access is decided before each message, and whenever it may have changed.
 */
import type { Access } from "../access/authorize.ts";
import { isOwnPlace } from "../access/grants.ts";
import { Problem } from "../errors.ts";
import { parentOf, parseTarget } from "../iri.ts";
import type { Log } from "../log.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord } from "../store/record.ts";
import type { Snapshot, Store } from "../store/store.ts";
import type { ChannelRecord, End, Follow, Following, FollowOptions, Message } from "./channels.ts";
import {
  activityOf,
  addressOf,
  type Change,
  type Concern,
  concernOf,
  messageOf,
  type Present,
} from "./events.ts";
import type { Feeds, PodFeed } from "./feed.ts";

export interface FollowDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly feeds: Feeds;
  readonly store: Pick<Store, "read">;
  readonly access: Pick<Access, "authorize">;
  /** What stands at a path; null when nothing does. */
  readonly presentOf: (snapshot: Snapshot, path: string) => Promise<Present | null>;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Followers {
  readonly follow: Follow;
  /** Whether somebody is connected to the channel. */
  isFollowed(id: string): boolean;
  /** Ends what follows a channel that was removed. */
  end(id: string): void;
  /** Ends all, and lets nobody begin. */
  close(): Promise<void>;
}

/** How long until a view that could not be made is looked at again: at first, and at most. */
const VIEW_AGAIN_MS = 500;
const VIEW_AGAIN_MS_MAX = 60_000;
const TIMER_MS_MAX = 2 ** 31 - 1;

/** `"k3-ttl"`, `W/"k3"` and `"k3"` are of one version. */
const versionOf = (etag: string): string => etag.replace(/^(?:W\/)?"?([^"-]*)(?:-[^"]*)?"?$/, "$1");

/** Whether access lists of the pod were written or taken away after a moment, in ms since 1970. */
async function wereListsWritten(snapshot: Snapshot, since: number): Promise<boolean> {
  const stamp = await snapshot.get("stamp", "", "acl");
  return stamp !== null && decodeRecord<{ readonly modified: number }>(stamp).modified > since;
}

/** Waiting that somebody else can end; to be woken while nobody waits is not forgotten. */
function createPause() {
  let isWoken = false;
  let resume: (() => void) | null = null;
  return {
    wake: (): void => {
      isWoken = true;
      resume?.();
    },
    pause: async (ms: number): Promise<void> => {
      if (!isWoken)
        await new Promise<void>((resolve) => {
          const timer = Number.isFinite(ms) ? setTimeout(resolve, Math.min(ms, TIMER_MS_MAX)) : null;
          resume = () => {
            if (timer) clearTimeout(timer);
            resolve();
          };
        });
      resume = null;
      isWoken = false;
    },
  };
}

type Refusal = Extract<End, "forbidden" | "restricted">;

/** What waits for its turn where messages are not to come too often. */
interface Held {
  readonly concern: Concern;
  readonly change: Change;
}

export function createFollowers(deps: FollowDeps): Followers {
  const { baseUrl, feeds, store, access, presentOf, log, now } = deps;
  const origin = baseUrl.slice(0, -1);
  const open = new Map<Following, { readonly id: string; end(why: End): void }>();
  let isClosed = false;

  /** @param entitled Told until when it is so, where a consent gives it: milliseconds since 1970. */
  async function refusalOf(
    snapshot: Snapshot,
    pod: Pod,
    { agent, topic }: ChannelRecord,
    entitled: (until: number) => void = () => {},
  ): Promise<Refusal | null> {
    const decision = await access.authorize(snapshot, pod, agent, parseTarget(topic), ["read"]);
    if (decision.kind === "denied") return decision.restricted ? "restricted" : "forbidden";
    entitled(decision.until ?? Number.POSITIVE_INFINITY);
    return null;
  }

  /**
   * The message of a change, decided on one snapshot. Whoever may read a folder sees the names of what is in it, as GET of
   * the folder shows them; what else is below a topic is told only to whom GET would show it.
   */
  function messageFor(
    pod: Pod,
    record: ChannelRecord,
    { concern, change }: Held,
  ): Promise<Message | null | Refusal> {
    const { path, container } = concern;
    const { topic, agent } = record;
    return store.read(pod.id, async (snapshot) => {
      const may = async (one: string): Promise<boolean> => {
        const target = addressOf(one);
        return (
          target !== null &&
          (await access.authorize(snapshot, pod, agent, target, ["read"])).kind === "granted"
        );
      };
      const refusal = await refusalOf(snapshot, pod, record);
      if (refusal) return refusal;
      const present = await presentOf(snapshot, path);
      const type = activityOf(concern, present);
      if (type === null) return null;
      const state = async (one: Present | null) => one?.etag ?? null;
      if (path === topic) return messageOf(origin, concern, type, change, await state(present));
      // Of a name that is not there any more nobody knows whether it could be seen then, if lists were written since.
      const isUnsure =
        present === null && agent.webid !== pod.owner && (await wereListsWritten(snapshot, change.time));
      const unnamed = async () =>
        messageOf(
          origin,
          { path: topic, container: null },
          "Update",
          change,
          await state(await presentOf(snapshot, topic)),
        );
      if (!record.isSubtree && isUnsure) return unnamed();
      if (!record.isSubtree)
        return messageOf(origin, concern, type, change, await state(await presentOf(snapshot, topic)));
      const { auxiliary } = parseTarget(path);
      const isReadable = await may(path);
      const folder = parentOf(path) ?? topic;
      // Of a folder that is gone the rules are gone, too: who could see what was in it, nobody knows any more.
      const isListed = !auxiliary && (await presentOf(snapshot, folder)) !== null && (await may(folder));
      // The rules of what is gone are gone, too: of that, only a name is told, to whom the folder shows names.
      const isShown =
        present === null && !auxiliary ? isListed : isReadable || (container !== null && isListed);
      if (!isShown) return null;
      if (isUnsure) return unnamed();
      return messageOf(origin, concern, type, change, isReadable ? await state(present) : null);
    });
  }

  async function run(
    pod: Pod,
    record: ChannelRecord,
    { after, deliver, passed }: FollowOptions,
    feed: PodFeed,
    ending: { readonly why: End | null; pause(ms: number): Promise<void>; mustDecide: boolean },
  ): Promise<End> {
    const { topic, rateMs, endAt, startAt } = record;
    let position = after ?? record.cursor;
    let entitledUntil = Number.POSITIVE_INFINITY;
    let sent = Number.NEGATIVE_INFINITY;
    let held: Held | null = null;
    const due = (): number => (held ? sent + rateMs - now().getTime() : Number.POSITIVE_INFINITY);

    /** Whether the channel stands and its subscriber may read the topic. */
    function isEntitled(): Promise<End | null> {
      return store.read(pod.id, async (snapshot) => {
        if (record.id !== "" && !(await snapshot.get("channel", "", record.id))) return "removed";
        return refusalOf(snapshot, pod, record, (until) => (entitledUntil = until));
      });
    }

    async function send(one: Held): Promise<End | null> {
      const message = await messageFor(pod, record, one);
      if (ending.why !== null) return ending.why;
      if (message === null || typeof message === "string") return message;
      await deliver(message, one.change.number);
      sent = now().getTime();
      return null;
    }

    /** What the subscriber knew when it subscribed is not what is there any more. */
    async function sendIfStale(): Promise<End | null> {
      const { state } = record;
      if (state === null || after !== undefined) return null;
      const present = await store.read(pod.id, (snapshot) => presentOf(snapshot, topic));
      if (present !== null && versionOf(present.etag) === versionOf(state)) return null;
      const concern: Concern = { path: topic, kind: "update-or-delete", container: null };
      const change: Change = {
        number: position,
        time: now().getTime(),
        path: topic,
        kind: "update",
        folders: [],
        turnsAccess: false,
      };
      return send({ concern, change });
    }

    /**
     * A view changes when what it says does: whatever else happens in the pod, nobody is told. So it is looked at after
     * several changes at once, and who comes back is told to look, whether or not there was any.
     */
    let viewed: string | null | undefined = null;
    let failures = 0;
    const isView = isOwnPlace(topic);
    /** Undefined: it cannot be made just now. */
    const stateOfView = (): Promise<string | null | undefined> =>
      store
        .read(pod.id, (snapshot) => presentOf(snapshot, topic))
        .then(
          (present) => present?.etag ?? null,
          (error: unknown) => {
            if (error instanceof Problem && error.code === "unavailable") return undefined;
            throw error;
          },
        );

    async function beginView(): Promise<End | null> {
      viewed = await stateOfView();
      const isBack = after !== undefined || record.cursor > record.begin;
      const change = { number: position, time: now().getTime(), path: null, folders: [] } as const;
      return isBack ? tellOfView({ ...change, kind: "update", turnsAccess: false }) : null;
    }

    async function takeForView(changes: readonly Change[]): Promise<End | "again" | null> {
      const last = changes.at(-1);
      if (!last) return null;
      const why = changes.some(({ turnsAccess }) => turnsAccess) ? await isEntitled() : null;
      if (why) return why;
      const before = viewed;
      const present = await stateOfView();
      if (present === undefined) return "again";
      viewed = present;
      failures = 0;
      return viewed === before ? null : tellOfView(last);
    }

    async function tellOfView(change: Change): Promise<End | null> {
      const one: Held = { change, concern: { path: topic, kind: "update", container: null } };
      if (rateMs === 0) return send(one);
      held = one;
      return null;
    }

    /** @returns why it is over. */
    async function take(change: Change): Promise<End | null> {
      if (change.turnsAccess) {
        const why = await isEntitled();
        if (why) return why;
      }
      const concern = change.time >= (startAt ?? 0) ? concernOf(change, record) : null;
      if (!concern) return null;
      if (rateMs === 0) return send({ concern, change });
      // Only what would be told by itself counts: when something happens to what is hidden is nobody's business either.
      const alone = await messageFor(pod, record, { concern, change });
      if (alone === null || typeof alone === "string") return alone;
      // One for several: that there was something, at the topic; what it was is there to be read.
      held = { change, concern: held ? { path: topic, kind: "update-or-delete", container: null } : concern };
      return null;
    }

    let why = (await isEntitled()) ?? (await sendIfStale()) ?? (isView ? await beginView() : null);
    while (why === null && ending.why === null) {
      if (feed.isGone) return "pod-gone";
      if (now().getTime() >= endAt) return "ended";
      if (ending.mustDecide || now().getTime() > entitledUntil) {
        ending.mustDecide = false;
        why = await isEntitled();
        if (why) return why;
      }
      if (held && due() <= 0) {
        const one: Held = held;
        held = null;
        why = await send(one);
        if (why) return why;
      }
      const changes = await feed.after(position);
      if (isView) {
        const taken = ending.why ?? (await takeForView(changes));
        if (taken === "again") {
          await ending.pause(Math.min(VIEW_AGAIN_MS_MAX, VIEW_AGAIN_MS * 2 ** failures++));
          continue;
        }
        if (taken) return taken;
        position = changes.at(-1)?.number ?? position;
      } else
        for (const change of changes) {
          why = ending.why ?? (await take(change));
          if (why) return why;
          position = change.number;
        }
      if (!held) passed?.(position);
      if (changes.length === 0)
        await ending.pause(Math.min(due(), Math.min(endAt, entitledUntil + 1) - now().getTime()));
    }
    return ending.why ?? why ?? "closed";
  }

  async function begin(
    pod: Pod,
    record: ChannelRecord,
    options: FollowOptions,
    ending: Parameters<typeof run>[4],
    wake: (why: "entries" | "recheck") => void,
  ): Promise<End> {
    try {
      const { feed, release } = await feeds.open(pod);
      const unhook = feed.onWake(wake);
      try {
        return await run(pod, record, options, feed, ending);
      } finally {
        unhook();
        release();
      }
    } catch (error) {
      if (error instanceof Problem && error.code === "not-found") return "pod-gone";
      if (ending.why === null) log.warn("notify.failed", { type: record.type, cause: String(error) });
      return "failed";
    }
  }

  return {
    follow(pod, record, options) {
      const { wake, pause } = createPause();
      const { promise: ended, resolve: settle } = Promise.withResolvers<End>();
      let stopped: End | null = null;
      const ending = {
        mustDecide: false,
        get why() {
          return stopped;
        },
        pause,
      };
      /** At once, also while a message waits for a receiver that takes nothing. */
      const end = (reason: End): void => {
        stopped ??= reason;
        wake();
        settle(stopped);
      };
      const woken = (reason: "entries" | "recheck"): void => {
        if (reason === "recheck") ending.mustDecide = true;
        wake();
      };
      if (isClosed) end("stopping");
      else void begin(pod, record, options, ending, woken).then(end);
      const following: Following = { ended, close: () => end("closed") };
      open.set(following, { id: record.id, end });
      void ended.then(() => open.delete(following));
      return following;
    },
    isFollowed: (id) => open.values().some((one) => one.id === id),
    end(id) {
      for (const one of open.values()) if (one.id === id) one.end("removed");
    },
    async close() {
      isClosed = true;
      const all = [...open.keys()];
      for (const one of open.values()) one.end("stopping");
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
