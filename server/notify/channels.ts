/**
 * Notification channels: what somebody subscribed to, as records in the pod of the topic. A channel says who asked, and
 * whoever sends over it asks each time whether that agent may still read what the message is about.
 */
import { randomBytes } from "node:crypto";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agent } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Snapshot, Store } from "../store/store.ts";

/** https://solid.github.io/notifications/protocol#notification-channel-types */
export type ChannelType =
  | "WebSocketChannel2023"
  | "StreamingHTTPChannel2023"
  | "EventSourceChannel2023"
  | "WebhookChannel2023";

/** As stored: names are part of the format on disk. */
export interface ChannelRecord {
  /** 32 hex digits, random: last part of the channel's own address. */
  readonly id: string;
  readonly type: ChannelType;
  /** Canonical path of the topic resource. */
  readonly topic: string;
  /** Whether messages tell of everything below the topic, too, as far as the subscriber may read it. */
  readonly isSubtree: boolean;
  /** Who subscribed: access is decided for this agent. */
  readonly agent: Agent;
  /** Unguessable part of `receiveFrom`; null where messages are pushed. */
  readonly secret: string | null;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly startAt: number | null;
  readonly endAt: number;
  /** Least time between two messages in milliseconds; 0: none. */
  readonly rateMs: number;
  /** What of message formats the subscriber takes, as in Accept. */
  readonly accept: string | null;
  /** What the subscriber knew of the topic when it subscribed: an ETag. */
  readonly state: string | null;
  /** Where messages are pushed; null where the receiver connects. */
  readonly sendTo: string | null;
  /** Number of the pod's journal when it was made: of what was before, nothing is told. */
  readonly begin: number;
  /** Number of the pod's journal up to which nothing is owed any more. */
  readonly cursor: number;
}

export type NewChannel = Omit<ChannelRecord, "id" | "secret" | "created" | "begin" | "cursor">;

/** One notification, as JSON-LD. https://solid.github.io/notifications/protocol#notification-message-data-model */
export interface Message {
  readonly "@context": readonly (string | Readonly<Record<string, unknown>>)[];
  readonly id: string;
  readonly type: string | readonly string[];
  readonly object: string;
  readonly target?: string;
  readonly state?: string;
  readonly published: string;
  /** Number of the journal's entry: `?after=` and `Last-Event-ID` take it. */
  readonly cursor: number;
}

/** Why nothing comes any more: access is gone, or rests while the owner has frozen the place; its time is over, the channel or the pod is gone, the server stops, or `close` was called. */
export type End =
  | "forbidden"
  | "restricted"
  | "ended"
  | "removed"
  | "pod-gone"
  | "stopping"
  | "closed"
  | "failed";

export interface Following {
  /** Never rejects. */
  readonly ended: Promise<End>;
  close(): void;
}

export interface FollowOptions {
  /** Number of the journal after which to begin; the record's cursor unless said. */
  readonly after?: number;
  /**
   * Sends one message and resolves when it is sent: the next comes no earlier. What it throws ends the following as
   * `failed`. All messages of numbers below `number` are done by then.
   */
  readonly deliver: (message: Message, number: number) => Promise<void>;
  /** Called now and then with a number up to which nothing concerns this channel, so that a cursor can move on. */
  readonly passed?: (number: number) => void;
}

/**
 * Follows the pod's journal for a channel: what there is already, then what comes, without a gap. Access is decided anew
 * before each message. At most one message comes of each entry of the journal.
 */
export type Follow = (pod: Pod, record: ChannelRecord, options: FollowOptions) => Following;

/** What a type of channel adds to the subscription service that all share (`service.ts`). */
export interface ChannelKind {
  readonly type: ChannelType;
  /** Of `startAt`, `endAt`, `rate`, `accept`, `state`, `subtree`: those it advertises. */
  readonly features: readonly string[];
  /**
   * What of the request is this type's own; for pushed ones `sendTo`.
   * @throws Problem `subscription-invalid`, or whatever fits.
   */
  readonly prepare?: (
    request: Readonly<Record<string, unknown>>,
    agent: Agent,
    pod: Pod,
  ) => Promise<{ readonly sendTo: string }>;
  /** Members of the answer beside those that all channels have: `receiveFrom`, or `sendTo` and `sender`. */
  readonly describe: (pod: Pod, record: ChannelRecord) => Readonly<Record<string, unknown>>;
  /** The record is on disk. */
  readonly created?: (pod: Pod, record: ChannelRecord) => Promise<void>;
  /** The record is gone: by DELETE of the subscriber's, or of the owner's. */
  readonly removed?: (pod: Pod, record: ChannelRecord, by: Agent) => Promise<void>;
}

export interface Channels {
  /** @throws Problem `too-many-requests` when the agent or the pod has as many as are allowed. */
  create(pod: Pod, wanted: NewChannel): Promise<ChannelRecord>;
  /** Null also for one whose time is over. */
  find(pod: Pod, id: string): Promise<ChannelRecord | null>;
  /** Oldest first; without those whose time is over. */
  list(pod: Pod): Promise<readonly ChannelRecord[]>;
  /** @returns what was removed; null when there was none. */
  remove(pod: Pod, id: string): Promise<ChannelRecord | null>;
  /** Durable: everything up to this number of the journal is sent. Never goes back. */
  advance(pod: Pod, id: string, number: number): Promise<void>;
}

export interface ChannelsDeps {
  readonly store: Store;
  readonly limits: Limits;
  readonly now: () => Date;
  /** Whether somebody is connected to it just now: then it does not make room for another. */
  readonly isConnected: (id: string) => boolean;
}

const SECRET_BYTES = 32;
const ID = /^[0-9a-f]{32}$/;

/** Whose channel it is, for counting: all whom nobody knows are one. */
const subscriberOf = ({ agent }: Pick<ChannelRecord, "agent">): string => agent.webid ?? "";

async function allIn(snapshot: Snapshot): Promise<readonly ChannelRecord[]> {
  const records: ChannelRecord[] = [];
  for await (const entry of snapshot.list("channel", "")) records.push(decodeRecord<ChannelRecord>(entry));
  return records.sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
}

/** The channels of all pods of a store. Those whose time is over go when another is made. */
export function createChannels({ store, limits, now, isConnected }: ChannelsDeps): Channels {
  const isOver = ({ endAt }: ChannelRecord): boolean => endAt <= now().getTime();

  return {
    async create(pod, wanted) {
      // Before the record is there: what is committed from now on is told.
      const { number: cursor } = await store.journal.head(pod.id);
      const record: ChannelRecord = {
        ...wanted,
        id: randomBytes(16).toString("hex"),
        secret: wanted.sendTo === null ? randomBytes(SECRET_BYTES).toString("base64url") : null,
        created: now().getTime(),
        begin: cursor,
        cursor,
      };
      await store.write(pod.id, async (transaction) => {
        const all = await allIn(transaction);
        for (const { id } of all.filter(isOver)) transaction.delete("channel", "", id);
        const standing = all.filter((one) => !isOver(one));
        const own = standing.filter((one) => subscriberOf(one) === subscriberOf(wanted));
        const isFull = standing.length >= limits.channelsPerPodMax;
        if (isFull || own.length >= limits.channelsPerAgentMax) {
          // Pages that are closed leave theirs behind: the oldest that nobody listens to goes. In a full pod it is one of
          // whoever has more, for WebIDs cost nothing, and whoever has many of them is not to keep out the others.
          const isGreedy = own.length >= limits.channelsPerAgentMax;
          const larger = [...Map.groupBy(isGreedy ? [] : standing, subscriberOf).values()]
            .filter(({ length }) => length > own.length)
            .sort((a, b) => b.length - a.length);
          const spare = [...larger, own].flat().find(({ id, sendTo }) => sendTo === null && !isConnected(id));
          if (!spare)
            throw new Problem(
              "too-many-requests",
              isFull
                ? `This pod has ${limits.channelsPerPodMax} channels already`
                : `At most ${limits.channelsPerAgentMax} channels for one subscriber; unsubscribe from some by DELETE`,
              { headers: { "retry-after": "60" } },
            );
          transaction.delete("channel", "", spare.id);
        }
        transaction.put("channel", "", record.id, encodeRecord(record));
      });
      return record;
    },
    async find(pod, id) {
      if (!ID.test(id)) return null;
      const entry = await store.read(pod.id, (snapshot) => snapshot.get("channel", "", id));
      const record = entry && decodeRecord<ChannelRecord>(entry);
      return record && !isOver(record) ? record : null;
    },
    list: (pod) =>
      store.read(pod.id, async (snapshot) => (await allIn(snapshot)).filter((one) => !isOver(one))),
    async remove(pod, id) {
      if (!ID.test(id)) return null;
      const { result } = await store.write(pod.id, async (transaction) => {
        const entry = await transaction.get("channel", "", id);
        if (entry) transaction.delete("channel", "", id);
        return entry && decodeRecord<ChannelRecord>(entry);
      });
      return result;
    },
    async advance(pod, id, number) {
      await store.write(pod.id, async (transaction) => {
        const entry = await transaction.get("channel", "", id);
        if (!entry) return;
        const record = decodeRecord<ChannelRecord>(entry);
        if (number > record.cursor)
          transaction.put("channel", "", id, encodeRecord({ ...record, cursor: number }));
      });
    },
  };
}
