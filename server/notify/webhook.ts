/**
 * `WebhookChannel2023`: messages are POSTed to an address that wants them.
 *
 * The target is asked first (`webhook-target.ts`), every message is signed by the server's own identity
 * (`webhook-sender.ts`), and the outbox (`outbox.ts`) sends until each is taken, or says that it gave up.
 * @see https://solid.github.io/notifications/webhook-channel-2023
 */
import { createHash } from "node:crypto";
import type { Provider } from "../auth/provider.ts";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Agent, Door } from "../operation.ts";
import type { SafeSend } from "../safe-fetch.ts";
import type { Pod, Pods } from "../store/pods.ts";
import type { Store } from "../store/store.ts";
import type { ChannelKind, ChannelRecord, Channels, Follow } from "./channels.ts";
import { type Answer, createOutbox } from "./outbox.ts";
import { createWebhookSender, type WebhookSender } from "./webhook-sender.ts";
import { createWebhookTarget } from "./webhook-target.ts";

export interface Webhooks {
  /** What the subscription service offers of it. */
  readonly kind: ChannelKind;
  /** `GET /.notifications/sender`: the WebID document of whoever sends, for everybody; RDF. */
  readonly senderDocument: Door;
  /** Goes on with what is owed from before the start. Nobody waits for it. */
  begin(): void;
  /** Proves a POST of this server's own, also of one that is no webhook's. */
  readonly sign: WebhookSender["sign"];
  close(): Promise<void>;
}

export interface WebhooksDependencies {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pick<Pods, "find">;
  readonly signing: Provider["signing"];
  readonly send: SafeSend;
  readonly channels: Channels;
  readonly follow: Follow;
  /**
   * For the owner's journal: it began, or it ended.
   * @param by Null: the server itself, for the receiver or access is gone.
   * @param status Why, then.
   */
  readonly record: (
    pod: Pod,
    act: "subscribe" | "unsubscribe",
    channel: ChannelRecord,
    by: Agent | null,
    status: number | null,
  ) => Promise<void>;
  /** Whether other servers may work on the same store. */
  readonly isShared: boolean;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
}

const TYPE = "WebhookChannel2023";

/** The same for each attempt, so that a receiver can tell what it has already. https://www.rfc-editor.org/rfc/rfc9562#section-5.8 */
function messageId(channel: string, number: number): string {
  const bytes = createHash("sha256").update(`${channel} ${number}`).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return `urn:uuid:${parts.join("-")}`;
}

export function createWebhooks(dependencies: WebhooksDependencies): Webhooks {
  const { channels, limits, log, record } = dependencies;
  const sender = createWebhookSender(dependencies);
  const target = createWebhookTarget({ ...dependencies, sender });

  const outbox = createOutbox({
    ...dependencies,
    type: TYPE,
    async post({ id, sendTo }, message, signal): Promise<Answer> {
      if (sendTo === null) return { status: null, headers: {} };
      try {
        return await target.post(sendTo, { ...message, id: messageId(id, message.cursor) }, signal);
      } catch (error) {
        if (error instanceof Problem && error.code === "fetch-failed") return { status: null, headers: {} };
        throw error;
      }
    },
    gaveUp: async (pod, channel, status) => {
      log.warn("webhook.given-up", { channel: channel.id, status });
      await record(pod, "unsubscribe", channel, null, status);
    },
  });

  return {
    kind: {
      type: TYPE,
      features: ["startAt", "endAt", "rate", "state"],
      async prepare(request, agent, pod) {
        // https://solid.github.io/notifications/webhook-channel-2023#auth
        if (agent.webid === null) throw new Problem("login-required");
        const sendTo = target.parse(request["sendTo"]);
        const standing = (await channels.list(pod)).filter(({ type }) => type === TYPE);
        const own = standing.filter((one) => one.agent.webid === agent.webid);
        const isFull = standing.length >= limits.webhooksPerPodMax && agent.webid !== pod.owner; // Others cannot keep the owner out.
        if (isFull || own.length >= limits.webhooksPerAgentMax) {
          throw new Problem(
            "too-many-requests",
            `At most ${limits.webhooksPerAgentMax} webhooks for one subscriber and ${limits.webhooksPerPodMax} in a pod; unsubscribe from some by DELETE`,
            { headers: { "retry-after": "60" } },
          );
        }
        await target.verify(sendTo, String(request["topic"]), agent.webid);
        await outbox.enlist(pod);
        return { sendTo };
      },
      describe: (_pod, { sendTo }) => ({ sendTo, sender: sender.webid }),
      async created(pod, channel) {
        await record(pod, "subscribe", channel, channel.agent, null);
        await outbox.open(pod, channel);
      },
      async removed(pod, channel, by) {
        await outbox.drop(pod, channel);
        await record(pod, "unsubscribe", channel, by, null);
      },
    },
    senderDocument: sender.document,
    begin: () => outbox.begin(),
    sign: (...message) => sender.sign(...message),
    close: () => outbox.close(),
  };
}
