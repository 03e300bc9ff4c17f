/** Being told of changes: by a stream that stays open, or by messages to an address. A message says that something changed, never what. */
import { jsonOf, piecesOf } from "../content.ts";
import { FreeholdError, fetchOk } from "../errors.ts";
import { pause } from "../pause.ts";
import type { Pod } from "../pod.ts";

/** Something changed: read it to know how. */
export interface Change {
  /** `Update`, `Create`, `Delete`, `Add`, `Remove`; `Begin`: from now on no change is missed. */
  readonly type: string;
  /** What changed. */
  readonly object: string;
  /** Grows with each message of a pod; 0 for `Begin`. */
  readonly cursor: number;
}

export interface WatchOptions {
  /** Whether all below a folder counts; so it is for a folder, unless said otherwise. */
  readonly subtree?: boolean;
  readonly signal?: AbortSignal;
}

const CONTEXT = "https://www.w3.org/ns/solid/notifications-context/v1";
const SUBTREE = "https://w3id.org/freehold/ns#subtree";
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 15_000;

interface Channel {
  readonly id: string;
  readonly receiveFrom?: string;
}

/** https://solid.github.io/notifications/protocol#discovery */
async function serviceOf(pod: Pod, type: string, signal?: AbortSignal): Promise<string> {
  const url = `${pod.url}.well-known/solid`;
  const response = await fetchOk(globalThis.fetch, url, {
    headers: { accept: "application/ld+json" },
    ...(signal && { signal }),
  });
  const { subscription } = ((await jsonOf(response, url)) ?? {}) as {
    readonly subscription?: readonly { readonly id: string; readonly channelType: string }[];
  };
  const found = subscription?.find(({ channelType }) => channelType.endsWith(type));
  if (found) return found.id;
  throw new FreeholdError("answer-invalid", "This pod tells nobody of changes in this way", { url });
}

async function subscribe(
  pod: Pod,
  type: string,
  path: string,
  { subtree, signal }: WatchOptions,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Channel> {
  const topic = pod.at(path);
  const service = await serviceOf(pod, type, signal);
  const response = await fetchOk(pod.fetch, service, {
    method: "POST",
    headers: { "content-type": "application/ld+json", accept: "application/ld+json" },
    body: JSON.stringify({
      "@context": [CONTEXT],
      type,
      topic,
      ...((subtree ?? topic.endsWith("/")) && { [SUBTREE]: true }),
      ...more,
    }),
    ...(signal && { signal }),
  });
  const channel = (await jsonOf(response, service)) as Partial<Channel> | null;
  if (typeof channel?.id === "string") return channel as Channel;
  throw new FreeholdError("answer-invalid", "This is no channel", { url: service });
}

/** A message as it is sent. @returns null for what is none. */
function changeOf(value: unknown): Change | null {
  const { type, object, cursor } = (value ?? {}) as Record<string, unknown>;
  if (typeof object !== "string" || typeof cursor !== "number") return null;
  return { type: String(Array.isArray(type) ? type[0] : type), object, cursor };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof FreeholdError && error.status >= 400 && error.status < 500 && error.status !== 429;

/**
 * Tells of changes until it is left, called off, or not allowed any more: then it throws the server's reason. A connection
 * that breaks is made anew. Each time it begins to listen it says `Begin`: whoever reads at each message, that one
 * included, has what is there now.
 * ```ts
 * for await (const _ of watch(under(pod, { grant }), "contacts/me.ttl")) await read();
 * ```
 * @param path A document, or a folder, in the pod.
 * @throws FreeholdError while iterating: `forbidden`, `grant-paused` or `not-found` once the grant rests or is over.
 */
export async function* watch(
  pod: Pod,
  path: string,
  options: WatchOptions = {},
): AsyncGenerator<Change, void, undefined> {
  const { signal } = options;
  let wait = PAUSE_MS;
  for (;;) {
    if (signal?.aborted) return;
    try {
      const { receiveFrom } = await subscribe(pod, "StreamingHTTPChannel2023", path, options);
      const stream = await fetchOk(pod.fetch, receiveFrom ?? "", signal ? { signal } : {});
      yield { type: "Begin", object: pod.at(path), cursor: 0 };
      wait = PAUSE_MS;
      let rest = "";
      if (stream.body)
        for await (const piece of piecesOf(stream.body, receiveFrom ?? "")) {
          const lines = (rest + piece).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) {
            const change = line === "" ? null : changeOf(parsed(line));
            if (change) yield change;
          }
        }
    } catch (error) {
      if (signal?.aborted) return;
      if (isRefusal(error) || !(error instanceof FreeholdError)) throw error;
    }
    await pause(wait, signal).catch(() => undefined); // Called off: the loop sees it.
    wait = Math.min(wait * 2, PAUSE_MS_MAX);
  }
}

/** A subscription that stands until it is ended. */
export interface Webhook {
  readonly id: string;
  end(): Promise<void>;
}

/**
 * Has messages sent to an address of the vendor's own, whose server answers them with {@link receiveWebhook}.
 * @param sendTo Must listen already: the pod's server asks it first.
 * @throws FreeholdError `forbidden`, `subscription-invalid` where the address does not agree, …
 */
export async function watchByWebhook(
  pod: Pod,
  path: string,
  sendTo: string,
  options: WatchOptions = {},
): Promise<Webhook> {
  const { id } = await subscribe(pod, "WebhookChannel2023", path, options, { sendTo });
  return {
    id,
    async end() {
      const response = await fetchOk(pod.fetch, id, { method: "DELETE" }, [404]);
      await response.body?.cancel();
    },
  };
}

/**
 * What was POSTed to a webhook, and what to answer. A message is a reason to look, and nothing more: whoever forges one
 * makes the vendor read what it may read anyhow.
 * @param text Content of the request.
 */
export function receiveWebhook(text: string): {
  readonly status: number;
  readonly body: string;
  readonly change: Change | null;
} {
  const value = parsed(text);
  const { type, challenge } = (value ?? {}) as Record<string, unknown>;
  if (type === "TargetVerification" && typeof challenge === "string")
    return { status: 200, body: challenge, change: null };
  const change = changeOf(value);
  return { status: change ? 204 : 400, body: "", change };
}
