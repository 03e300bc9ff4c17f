/**
 * Subscription services and the channels they make, as resources: what each type can do, how to subscribe, and how to end
 * it. https://solid.github.io/notifications/protocol#subscription
 */
import { fh } from "@freehold/vocab";
import type { Access } from "../access/authorize.ts";
import { refusalOf } from "../access/demand.ts";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { Agent, Operation, Result } from "../operation.ts";
import { createRate, networkOf, retryAfter } from "../rates.ts";
import { negotiate } from "../rdf/media.ts";
import { parseRdf } from "../rdf/parse.ts";
import { serializeRdf } from "../rdf/serialize.ts";
import type { Pod } from "../store/pods.ts";
import type { Store } from "../store/store.ts";
import type { ChannelKind, ChannelRecord, Channels } from "./channels.ts";
import { CONTEXT, JSON_LD, type RequestDeps, readRequest, SUBSCRIPTION_TYPES } from "./request.ts";

/** What a service says of itself. https://solid.github.io/notifications/protocol#subscription-service-data-model */
export interface ServiceDescription {
  readonly id: string;
  readonly channelType: string;
  readonly feature: readonly string[];
}

export interface ServiceDeps extends RequestDeps {
  readonly store: Pick<Store, "read">;
  readonly access: Pick<Access, "authorize">;
  readonly channels: Channels;
  readonly kinds: readonly ChannelKind[];
  /** Notes in the pod's journal that somebody is told of a topic from now on. @returns header fields of the answer. */
  readonly record: (
    pod: Pod,
    operation: Operation,
    topic: string,
  ) => Promise<Readonly<Record<string, string>>>;
  /** Ends whoever follows a channel. */
  readonly ended: (id: string) => void;
}

export interface Services {
  /** All services of a pod. */
  describe(pod: Pod): readonly ServiceDescription[];
  /** GET of the folder of services: they, and the channels of the person who asks, as far as the app may know; all of the pod for its owner. */
  readonly overview: (operation: Operation, pod: Pod) => Promise<Result>;
  /** GET of one service. @throws Problem `not-found`, `not-acceptable`. */
  readonly show: (operation: Operation, pod: Pod) => Promise<Result>;
  /** POST to one service. @param ip Of the client, for what strangers may do. */
  readonly subscribe: (operation: Operation, pod: Pod, ip: string) => Promise<Result>;
  /** GET of a channel, by whoever subscribed, an app of theirs that may read the topic, or the pod's owner. */
  readonly showChannel: (operation: Operation, pod: Pod) => Promise<Result>;
  /** DELETE of a channel, by the same. */
  readonly unsubscribe: (operation: Operation, pod: Pod) => Promise<Result>;
  /**
   * Makes a channel after it was decided that its subscriber may read the topic.
   * @returns it, and header fields that belong to the answer.
   * @throws Problem `login-required`, `forbidden`, `restricted`, `too-many-requests`.
   */
  create(
    operation: Operation,
    pod: Pod,
    wanted: Parameters<Channels["create"]>[1],
    ip: string,
  ): Promise<{ readonly made: ChannelRecord; readonly headers: Readonly<Record<string, string>> }>;
}

const MINUTE_MS = 60_000;
const CONTEXTS = [CONTEXT, { subtree: fh.subtree }] as const;

/** Paths of a pod that are notifications' own. */
export const NOTIFICATIONS = ".notifications/";

const lastOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** JSON-LD as it is, or the same in another format of RDF. @throws Problem `not-acceptable`. */
async function represent(
  value: Readonly<Record<string, unknown>>,
  { headers, url, method }: Operation,
): Promise<Pick<Result, "headers" | "body">> {
  const type = chooseType(headers.accept);
  const text = JSON.stringify({ "@context": CONTEXTS, ...value });
  const body =
    type === JSON_LD
      ? text
      : await serializeRdf(await parseRdf(new TextEncoder().encode(text), JSON_LD, url), type, {
          baseIri: url,
        });
  const fields = {
    "content-type": type,
    "cache-control": "private, no-store",
    vary: "Accept, Authorization, Origin",
  };
  return { headers: fields, body: method === "HEAD" ? null : body };
}

function chooseType(accept: string | undefined): string {
  const type = negotiate(accept, SUBSCRIPTION_TYPES);
  if (type === null) throw new Problem("not-acceptable", `Available: ${SUBSCRIPTION_TYPES.join(", ")}`);
  return type;
}

const iso = (time: number): string => new Date(time).toISOString();

/** https://solid.github.io/notifications/protocol#notification-channel-data-model */
function channelMembers(
  origin: string,
  id: string,
  record: ChannelRecord,
): Readonly<Record<string, unknown>> {
  const { type, topic, startAt, endAt, rateMs, accept, state, isSubtree } = record;
  return {
    id,
    type,
    topic: `${origin}${topic}`,
    ...(startAt !== null && { startAt: iso(startAt) }),
    endAt: iso(endAt),
    ...(rateMs > 0 && { rate: `PT${rateMs / 1_000}S` }),
    ...(accept !== null && { accept }),
    ...(state !== null && { state }),
    ...(isSubtree && { subtree: true }),
  };
}

export function createServices(deps: ServiceDeps): Services {
  const { baseUrl, limits, now, store, access, channels, kinds, record, ended } = deps;
  const origin = baseUrl.slice(0, -1);
  const tries = createRate(limits.subscriptionsPerAgentMax, MINUTE_MS, limits.ratesRemembered, now);

  const homeOf = (pod: Pod): string => `${baseUrl}${pod.name}/${NOTIFICATIONS}`;
  const channelUrl = (pod: Pod, id: string): string => `${homeOf(pod)}channels/${id}`;

  const describeOne = (pod: Pod, { type, features }: ChannelKind): ServiceDescription => ({
    id: `${homeOf(pod)}${type}`,
    channelType: type,
    feature: features.map((feature) => (feature === "subtree" ? fh.subtree : feature)),
  });

  function kindOf({ target }: Operation): ChannelKind {
    const kind = kinds.find(({ type }) => type === lastOf(target.path));
    if (!kind) throw new Problem("not-found", "There is no such service");
    return kind;
  }

  function membersOf(pod: Pod, one: ChannelRecord): Readonly<Record<string, unknown>> {
    const kind = kinds.find(({ type }) => type === one.type);
    return { ...channelMembers(origin, channelUrl(pod, one.id), one), ...kind?.describe(pod, one) };
  }

  /** The very app that asked: only it is told where the channel is received, for whoever knows that hears all of it. */
  const isSubscriber = (asker: Agent, { agent }: ChannelRecord): boolean =>
    agent.webid === asker.webid &&
    agent.client === asker.client &&
    agent.issuer === asker.issuer &&
    (!asker.isOnlyGrant || (agent.isOnlyGrant === true && agent.grant === asker.grant));

  /** Another app of the same person may know of what it could have asked for itself. */
  const mayKnow = (pod: Pod, agent: Agent, one: ChannelRecord): Promise<boolean> =>
    store.read(pod.id, async (snapshot) => {
      if (agent.webid === null || one.agent.webid !== agent.webid) return false;
      const topic = parseTarget(one.topic);
      return (await access.authorize(snapshot, pod, agent, topic, ["read"])).kind === "granted";
    });

  async function mayAll(pod: Pod, agent: Agent): Promise<boolean> {
    if (agent.webid === null) return false;
    const root = parseTarget(`/${pod.name}/`);
    const decision = await store.read(pod.id, (snapshot) =>
      access.authorize(snapshot, pod, agent, root, ["control"]),
    );
    return decision.kind === "granted";
  }

  /** Who knows the address of a stranger's channel may see and end it: nobody can guess it. @throws Problem `not-found`. */
  async function channelFor({ agent, target }: Operation, pod: Pod): Promise<ChannelRecord> {
    const one = await channels.find(pod, lastOf(target.path));
    if (!one) throw new Problem("not-found");
    if (isSubscriber(agent, one) || (await mayKnow(pod, agent, one)) || (await mayAll(pod, agent)))
      return one;
    throw new Problem(agent.webid === null ? "login-required" : "not-found");
  }

  const create: Services["create"] = async (operation, pod, wanted, ip) => {
    const { agent } = operation;
    if (agent.webid !== pod.owner) {
      const wait = tries(agent.webid ?? networkOf(ip));
      if (wait > 0) throw new Problem("too-many-requests", undefined, { headers: retryAfter(wait) });
    }
    const decision = await store.read(pod.id, (snapshot) =>
      access.authorize(snapshot, pod, agent, parseTarget(wanted.topic), ["read"]),
    );
    if (decision.kind === "denied") throw refusalOf(decision, agent, {}, " on the topic");
    // Before anything is told, as of any look. What is pushed is recorded as such; under a grant it counts as a look, too.
    const isLook = wanted.sendTo === null || decision.grants !== undefined;
    const headers = isLook ? await record(pod, operation, wanted.topic) : {};
    // What it is for is settled now: being given more, for something else, raises no question about this.
    const asker = { ...wanted.agent, ...(decision.purpose !== undefined && { purpose: decision.purpose }) };
    return { made: await channels.create(pod, { ...wanted, agent: asker }), headers };
  };

  return {
    describe: (pod) => kinds.map((kind) => describeOne(pod, kind)),
    async overview(operation, pod) {
      const { agent } = operation;
      const isAll = await mayAll(pod, agent);
      const all = agent.webid === null ? [] : await channels.list(pod);
      const shown: ChannelRecord[] = [];
      for (const one of all)
        if (isAll || isSubscriber(agent, one) || (await mayKnow(pod, agent, one))) shown.push(one);
      const members = shown.map((one) =>
        isSubscriber(agent, one) ? membersOf(pod, one) : channelMembers(origin, channelUrl(pod, one.id), one),
      );
      const value = {
        id: homeOf(pod),
        subscription: kinds.map((kind) => describeOne(pod, kind)),
        ...(members.length > 0 && { channel: members }),
      };
      return { status: 200, ...(await represent(value, operation)) };
    },
    async show(operation, pod) {
      const value = { ...describeOne(pod, kindOf(operation)) };
      return { status: 200, ...(await represent(value, operation)) };
    },
    async subscribe(operation, pod, ip) {
      const kind = kindOf(operation);
      const { said, ...wanted } = await readRequest(operation, kind, deps);
      chooseType(operation.headers.accept); // Before anything is made.
      const { agent } = operation;
      // Whoever may not read the topic learns nothing from what else may be wrong with the request.
      const prepared = kind.prepare ? async () => kind.prepare?.(said, agent, pod) : async () => null;
      const may = await store.read(pod.id, (snapshot) =>
        access.authorize(snapshot, pod, agent, parseTarget(wanted.topic), ["read"]),
      );
      const sendTo = may.kind === "granted" ? ((await prepared())?.sendTo ?? null) : null;
      const { made, headers } = await create(operation, pod, { ...wanted, agent, sendTo }, ip);
      await kind.created?.(pod, made);
      const shown = await represent(membersOf(pod, made), operation);
      return { status: 200, ...shown, headers: { ...shown.headers, ...headers } };
    },
    async showChannel(operation, pod) {
      const one = await channelFor(operation, pod);
      const members = isSubscriber(operation.agent, one)
        ? membersOf(pod, one)
        : channelMembers(origin, channelUrl(pod, one.id), one);
      return { status: 200, ...(await represent(members, operation)) };
    },
    async unsubscribe(operation, pod) {
      const { id } = await channelFor(operation, pod);
      const removed = await channels.remove(pod, id);
      ended(id);
      if (removed)
        await kinds.find(({ type }) => type === removed.type)?.removed?.(pod, removed, operation.agent);
      return { status: 204, headers: {}, body: null };
    },
    create,
  };
}
