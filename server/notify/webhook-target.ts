/**
 * One POST to a receiver, and the question that comes before all messages: do you want this?
 *
 * The handshake: before a channel exists, its target gets a signed POST like any message, of type
 * `https://w3id.org/freehold/ns#TargetVerification`, with the topic, the sender and a random `challenge`. Whoever wants
 * messages of this topic answers 200 with exactly the challenge as its content (`text/plain`). What only repeats what it
 * was sent, or answers something else, too long, elsewhere, or not in time, is no target.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { fh } from "@freehold/vocab";
import { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { createRate, retryAfter } from "../rates.ts";
import type { SafeSend, Sent } from "../safe-fetch.ts";
import type { WebhookSender } from "./webhook-sender.ts";

export interface WebhookTarget {
  /**
   * The address in `sendTo`, if it is one that may be sent to: https, its own port, no credentials, not this server.
   * @throws Problem `subscription-invalid`.
   * @see https://solid.github.io/notifications/webhook-channel-2023#channel-type
   */
  parse(sendTo: unknown): string;
  /**
   * Asks the target whether it wants messages about `topic`.
   * @param agent On whose behalf: it has so many tries a minute, and the target is asked only so often.
   * @throws Problem `target-not-verified`, always the same: why is nobody's business, for it may be about our neighbours.
   * Problem `too-many-requests`.
   */
  verify(sendTo: string, topic: string, agent: string): Promise<void>;
  /** One attempt. @throws Problem `fetch-failed`. */
  post(sendTo: string, content: unknown, signal: AbortSignal): Promise<Sent>;
}

export interface WebhookTargetDependencies {
  /** Ends in `/`. */
  readonly baseUrl: string;
  readonly sender: WebhookSender;
  readonly send: SafeSend;
  readonly limits: Limits;
  readonly now: () => Date;
}

const KIND = "webhook";
const NOTIFICATIONS = "http://www.w3.org/ns/solid/notifications#";
/** All of it, so that a receiver needs to fetch nothing to understand it. */
const CONTEXT = {
  id: "@id",
  type: "@type",
  topic: { "@id": `${NOTIFICATIONS}topic`, "@type": "@id" },
  sender: { "@id": `${NOTIFICATIONS}sender`, "@type": "@id" },
  TargetVerification: fh.TargetVerification,
  challenge: fh.challenge,
};
const CHALLENGE_BYTES = 32;
const MINUTE_MS = 60_000;

export function createWebhookTarget({
  baseUrl,
  sender,
  send,
  limits,
  now,
}: WebhookTargetDependencies): WebhookTarget {
  const ownOrigin = new URL(baseUrl).origin;
  const triesOfAgent = createRate(limits.webhookTriesPerAgentMax, MINUTE_MS, limits.ratesRemembered, now);
  const triesOfTarget = createRate(limits.webhookTriesPerTargetMax, MINUTE_MS, limits.ratesRemembered, now);

  async function post(sendTo: string, content: unknown, signal: AbortSignal): Promise<Sent> {
    const body = Buffer.from(JSON.stringify(content));
    const headers = { accept: "text/plain, */*;q=0.1", ...(await sender.sign(sendTo, body)) };
    return send(sendTo, { headers, body, bytesMax: limits.webhookAnswerBytesMax, kind: KIND, signal });
  }

  return {
    post,
    parse(sendTo) {
      const refuse = (detail: string, cause?: unknown): Problem =>
        new Problem("subscription-invalid", detail, {
          errors: [{ detail, at: "/sendTo" }],
          ...(cause === undefined ? {} : { cause }),
        });
      if (typeof sendTo !== "string" || sendTo === "") throw refuse("sendTo is an https address");
      if (Buffer.byteLength(sendTo) > limits.webhookUrlBytesMax)
        throw refuse(`sendTo has at most ${limits.webhookUrlBytesMax} bytes`);
      let url: URL;
      try {
        url = send.check(sendTo, KIND);
      } catch (cause) {
        throw refuse("sendTo is an https address on its usual port, without credentials", cause);
      }
      // Here the sender would be one of us.
      if (url.origin === ownOrigin) throw refuse("sendTo is an address of another server");
      return url.href;
    },
    async verify(sendTo, topic, agent) {
      const wait = triesOfAgent(agent) || triesOfTarget(new URL(sendTo).origin);
      if (wait > 0) {
        throw new Problem(
          "too-many-requests",
          "Too many addresses are to be asked whether they want messages",
          {
            headers: retryAfter(wait),
          },
        );
      }
      const challenge = randomBytes(CHALLENGE_BYTES).toString("base64url");
      const question = {
        "@context": CONTEXT,
        id: `urn:uuid:${randomUUID()}`,
        type: "TargetVerification",
        topic,
        sender: sender.webid,
        challenge,
      };
      const answer = await post(sendTo, question, new AbortController().signal).catch((error: unknown) => {
        if (error instanceof Problem) return null;
        throw error;
      });
      const text = answer?.bytes && Buffer.from(answer.bytes).toString("utf8").trimEnd();
      if (answer?.status !== 200 || text !== challenge) throw new Problem("target-not-verified");
    },
  };
}
