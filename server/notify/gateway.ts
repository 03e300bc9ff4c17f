/**
 * Notifications as `@inrupt/solid-client-notifications` negotiates them: a gateway that the origin names says where to ask,
 * and there a WebSocket for a topic is asked for. What comes of it is a channel like any other.
 */
import { json, readJson } from "../body.ts";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { Agent, Door, DoorRequest, Operation } from "../operation.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { ChannelKind, ChannelRecord } from "./channels.ts";
import { type RequestDeps, readAsked } from "./request.ts";
import type { Services } from "./service.ts";

export interface GatewayDeps extends RequestDeps {
  readonly pods: Pick<Pods, "find">;
  readonly verify: (request: {
    method: string;
    url: string;
    headers: DoorRequest["headers"];
    ip: string;
  }) => Promise<Agent>;
  readonly services: Pick<Services, "create">;
  readonly socket: ChannelKind;
  readonly receiveFrom: (pod: Pod, record: ChannelRecord) => string;
}

export interface GatewayRoute {
  readonly verb: "post";
  readonly path: string;
  readonly door: Door;
}

/** First part of the path; the origin's own. */
const GATEWAY = ".notifications/gateway";
const SUBSCRIBE = ".notifications/subscription";
const SUBPROTOCOL = "solid-0.2";

/** Where the gateway is, for `/.well-known/solid`. */
export const gatewayUrl = (baseUrl: string): string => `${baseUrl}${GATEWAY}`;

export function gatewayDoors(deps: GatewayDeps): readonly GatewayRoute[] {
  const { baseUrl, limits, pods, verify, services, socket, receiveFrom } = deps;
  const { features } = socket;

  const negotiate: Door = async ({ body }) => {
    const { protocols } = await readJson(body, limits.subscriptionBytesMax);
    if (!Array.isArray(protocols) || !protocols.includes("ws"))
      throw new Problem("subscription-invalid", "Of protocols there is ws");
    return json(200, { endpoint: `${baseUrl}${SUBSCRIBE}`, protocol: "ws", features });
  };

  /** A pod that stands here; whether there is any other is told to nobody. */
  async function podOf(topic: string): Promise<Pod> {
    const name = topic.startsWith(baseUrl) ? (topic.slice(baseUrl.length).split("/", 1)[0] ?? "") : "";
    const pod = await pods.find(name);
    if (!pod || pod.erased !== undefined || pod.movedTo !== undefined)
      throw new Problem("subscription-invalid", "The topic is no resource of this server");
    return pod;
  }

  const subscribe: Door = async ({ id, method, url, headers, ip, body }) => {
    const agent = await verify({ method, url: `${url.origin}${url.pathname}`, headers, ip });
    const said = await readJson(body, limits.subscriptionBytesMax);
    const text = (name: string): string | undefined => {
      const value = said[name];
      if (value === undefined) return undefined;
      if (typeof value !== "string") throw new Problem("subscription-invalid", `${name} is a text`);
      return value;
    };
    const topic = text("topic") ?? "";
    const pod = await podOf(topic);
    const asked = {
      topic,
      startAt: text("startAt"),
      endAt: text("endAt"),
      rate: text("rate"),
      accept: text("accept"),
      state: text("state"),
    };
    const wanted = { ...readAsked(asked, socket, pod.name, deps), agent, sendTo: null };
    const operation: Operation = {
      id,
      method: "POST",
      target: parseTarget(wanted.topic),
      url: topic,
      query: "",
      agent,
      headers,
      body: null,
    };
    const { made, headers: fields } = await services.create(operation, pod, wanted, ip);
    const found = { endpoint: receiveFrom(pod, made), protocol: "ws", subprotocol: SUBPROTOCOL };
    return json(200, found, fields);
  };

  return [
    { verb: "post", path: `/${GATEWAY}`, door: negotiate },
    { verb: "post", path: `/${SUBSCRIBE}`, door: subscribe },
  ];
}
