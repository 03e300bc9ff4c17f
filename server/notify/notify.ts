/**
 * The Solid Notifications Protocol: the pods' journals, followed by whoever may read what they tell of.
 * https://solid.github.io/notifications/protocol
 */
import type { IncomingMessage } from "node:http";
import type { Access } from "../access/authorize.ts";
import { Problem } from "../errors.ts";
import { parseTarget, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Agent, DoorRequest, Operation } from "../operation.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { PodId, Snapshot, Store } from "../store/store.ts";
import {
  type ChannelKind,
  type ChannelRecord,
  type Channels,
  createChannels,
  type Follow,
  type FollowOptions,
} from "./channels.ts";
import type { Deed, Present } from "./events.ts";
import { createFeeds } from "./feed.ts";
import { createFollowers } from "./follow.ts";
import { type GatewayRoute, gatewayDoors } from "./gateway.ts";
import { createLegacy, createTickets, ticketKey } from "./legacy.ts";
import { afterOf, channelOf, createReceiving, type Receiving } from "./receive.ts";
import { createSeats, listenerOf } from "./seats.ts";
import { createServices, NOTIFICATIONS, type Services } from "./service.ts";
import { type Admitted, createSockets, type Line, type Sockets } from "./sockets.ts";

export interface NotifyDeps {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pick<Pods, "find">;
  readonly access: Pick<Access, "authorize" | "language">;
  readonly limits: Limits;
  readonly log: Log;
  readonly now: () => Date;
  /** What an entry of the journal says. */
  readonly entryOf: (bytes: Uint8Array) => Deed;
  /** What stands at a path; null when nothing does. */
  readonly presentOf: (snapshot: Snapshot, path: string) => Promise<Present | null>;
  /** Whether something can be stored there. */
  readonly isResource: (target: Target) => boolean;
  readonly verify: (request: {
    method: string;
    url: string;
    headers: DoorRequest["headers"];
    ip: string;
  }) => Promise<Agent>;
  /** Notes in the pod's journal that somebody is told of a topic from now on. */
  readonly record: (
    pod: Pod,
    operation: Operation,
    topic: string,
  ) => Promise<Readonly<Record<string, string>>>;
  /** Whether other processes commit to the same store. */
  readonly isShared: boolean;
  /** Of the client. */
  readonly ipOf: (request: IncomingMessage) => string;
}

export interface Notifications {
  readonly channels: Channels;
  readonly follow: Follow;
  readonly services: Services;
  readonly receiving: Receiving;
  readonly sockets: Sockets;
  readonly doors: readonly GatewayRoute[];
  /** Further types of channels, made of the above. */
  add(kind: ChannelKind): void;
  /** Somebody has committed to the pod; null: to any. */
  hint(pod: PodId | null, areGrantsNew?: boolean): void;
  /** Value of `Updates-Via` for who has read something of the pod. */
  updatesVia(pod: Pod, agent: Agent): string;
  close(): Promise<void>;
}

const FEATURES: readonly string[] = ["startAt", "endAt", "rate", "accept", "state", "subtree"];
const LEGACY = "solid-0.1";

function headersOf({ headers }: IncomingMessage): DoorRequest["headers"] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}

/** @throws what the store throws. */
export async function createNotifications(deps: NotifyDeps): Promise<Notifications> {
  const { baseUrl, store, pods, access, limits, log, now, entryOf, presentOf, isResource, verify } = deps;
  const socketBase = baseUrl.replace(/^http/, "ws");
  const feeds = createFeeds({
    store,
    pods,
    limits,
    log,
    entryOf,
    listEnding: access.language.ending,
    isShared: deps.isShared,
  });
  const followers = createFollowers({ baseUrl, feeds, store, access, presentOf, log, now });
  const channels = createChannels({ store, limits, now, isConnected: (id) => followers.isFollowed(id) });
  const seats = createSeats(limits);
  const tickets = createTickets(await ticketKey(store), limits, now);
  const leaving = new Set<Promise<void>>();

  /** Who connects without saying from where goes on where the channel was left. */
  const follow: Follow = (pod, record, options) => {
    let reached = record.cursor;
    const reach = (number: number): void => void (reached = Math.max(reached, number));
    const whole: FollowOptions = {
      ...options,
      async deliver(message, number) {
        await options.deliver(message, number);
        reach(number);
      },
      passed: reach,
    };
    const following = followers.follow(pod, record, whole);
    const left = following.ended
      .then((why) => {
        const isKept = why !== "removed" && why !== "pod-gone" && reached > record.cursor;
        return isKept ? channels.advance(pod, record.id, reached) : undefined;
      })
      .catch((error: unknown) => log.warn("notify.cursor-not-kept", { cause: String(error) }))
      .finally(() => leaving.delete(left));
    leaving.add(left);
    return following;
  };

  const addressOf = (pod: Pod, { id, secret }: ChannelRecord): string =>
    `${pod.name}/${NOTIFICATIONS}channels/${id}/${secret}`;
  const overHttp = (pod: Pod, record: ChannelRecord) => ({
    receiveFrom: `${baseUrl}${addressOf(pod, record)}`,
  });
  const overSocket = (pod: Pod, record: ChannelRecord) => ({
    receiveFrom: `${socketBase}${addressOf(pod, record)}`,
  });
  const socket: ChannelKind = { type: "WebSocketChannel2023", features: FEATURES, describe: overSocket };
  const kinds: ChannelKind[] = [
    socket,
    { type: "StreamingHTTPChannel2023", features: FEATURES, describe: overHttp },
    { type: "EventSourceChannel2023", features: FEATURES, describe: overHttp },
  ];
  const asking = { baseUrl, limits, now, isResource };
  const services = createServices({
    ...asking,
    store,
    access,
    channels,
    kinds,
    record: deps.record,
    ended: (id) => followers.end(id),
  });

  const mayRead = (pod: Pod, agent: Agent, target: Target): Promise<boolean> =>
    store.read(
      pod.id,
      async (snapshot) => (await access.authorize(snapshot, pod, agent, target, ["read"])).kind === "granted",
    );
  const legacy = createLegacy({
    baseUrl,
    store,
    follow: (...args) => followers.follow(...args),
    limits,
    mayRead,
    record: deps.record,
  });

  /** A stranger, unless the address or the request says otherwise. */
  async function legacyAgent(request: IncomingMessage, pod: Pod, path: string, ip: string): Promise<Agent> {
    const [, ticket] = path.split(`/${LEGACY}/`, 2);
    const headers = headersOf(request);
    if (ticket === undefined)
      return verify({ method: "GET", url: `${baseUrl.slice(0, -1)}${path}`, headers, ip });
    return tickets.agentOf(pod, ticket);
  }

  async function admit(request: IncomingMessage, ip: string): Promise<Admitted> {
    const [path = "", query = ""] = (request.url ?? "").replace(/^https?:\/\/[^/?#]*/i, "").split("?", 2);
    const pod = await pods.find(parseTarget(path).pod);
    if (!pod || pod.erased !== undefined || pod.movedTo !== undefined) throw new Problem("not-found");
    if (path.startsWith(`/${pod.name}/${NOTIFICATIONS}${LEGACY}`)) {
      const agent = await legacyAgent(request, pod, path, ip);
      return { pod, agent, serve: legacy(pod, agent, listenerOf(agent, ip)) };
    }
    const record = await channelOf(channels, pod, path);
    if (record.type !== "WebSocketChannel2023") throw new Problem("bad-request", "This is received by GET");
    if (!(await mayRead(pod, record.agent, parseTarget(record.topic)))) throw new Problem("forbidden");
    const after = await afterOf(store, pod, record, new URLSearchParams(query).get("after"), limits);
    const serve = (line: Line) => {
      const following = follow(pod, record, {
        ...(after !== undefined && { after }),
        deliver: (message) => line.send(JSON.stringify(message)),
      });
      void following.ended.then((why) => line.close(why));
      return { heard() {}, gone: () => following.close() };
    };
    return { pod, agent: record.agent, serve };
  }

  const sockets = createSockets({
    isOurs: (path) =>
      /^\/[^/]+\/\.notifications\/(?:channels\/[^/]+\/[^/]+|solid-0\.1(?:\/[\w-]+)?)$/.test(path),
    admit,
    seats,
    limits,
    log,
    now,
    ipOf: deps.ipOf,
  });

  return {
    channels,
    follow: (...args) => followers.follow(...args),
    services,
    receiving: createReceiving({ store, access, channels, follow, seats, limits }),
    sockets,
    doors: gatewayDoors({
      ...asking,
      pods,
      verify,
      services,
      socket,
      receiveFrom: (pod, record) => overSocket(pod, record).receiveFrom,
    }),
    add: (kind) => void kinds.push(kind),
    hint: (pod, areGrantsNew = false) => feeds.hint(pod, areGrantsNew),
    updatesVia(pod, agent) {
      const ticket = agent.webid === null ? "" : `/${tickets.give(pod, agent)}`;
      return `${socketBase}${pod.name}/${NOTIFICATIONS}${LEGACY}${ticket}`;
    },
    async close() {
      await Promise.all([followers.close(), sockets.close()]);
      await Promise.all(leaving);
      feeds.close();
    },
  };
}
