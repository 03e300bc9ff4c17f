/** Subscribing to webhooks, as an app does that knows nothing but the pod's address. */
import type { Fetch } from "../support/dpop.ts";
import type { Person, TestServer } from "../support/server.ts";

export const CONTEXT = "https://www.w3.org/ns/solid/notifications-context/v1";

/** Fast, so that what takes days is seen in a second. */
export const QUICK: readonly string[] = [
  "webhookRetryMsMin=20",
  "webhookRetryMsMax=80",
  "egressMsMax=400",
  "webhookTriesPerAgentMax=1000",
  "webhookTriesPerTargetMax=1000",
];

export interface Channel {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly sender: string;
  readonly [member: string]: unknown;
}

interface Service {
  readonly id: string;
  readonly channelType: string;
  readonly feature: readonly string[];
}

const isWebhook = (type: unknown): boolean => /(?:^|[#:])WebhookChannel2023$/.test(String(type));

/** From the pod's description. https://solid.github.io/notifications/protocol#discovery */
export async function findService(fetchAs: Fetch, pod: string): Promise<Service> {
  const head = await fetchAs(pod, { method: "HEAD" });
  const links = head.headers.get("link") ?? "";
  const [, description = ""] =
    /<([^>]*)>; *rel="http:\/\/www\.w3\.org\/ns\/solid\/terms#storageDescription"/.exec(links) ?? [];
  const response = await fetchAs(new URL(description, pod).href, {
    headers: { accept: "application/ld+json" },
  });
  const { subscription } = (await response.json()) as { subscription: readonly Service[] };
  const found = subscription.find(({ channelType }) => isWebhook(channelType));
  if (!found) throw new Error(`No webhooks: ${JSON.stringify(subscription)}`);
  return found;
}

export async function post(
  fetchAs: Fetch,
  pod: string,
  members: Readonly<Record<string, unknown>>,
): Promise<Response> {
  const { id } = await findService(fetch, pod);
  return fetchAs(id, {
    method: "POST",
    headers: { "content-type": "application/ld+json", accept: "application/ld+json" },
    body: JSON.stringify({ "@context": [CONTEXT], type: "WebhookChannel2023", ...members }),
  });
}

/** @throws Error when it is refused. */
export async function subscribe(
  fetchAs: Fetch,
  pod: string,
  topic: string,
  sendTo: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Channel> {
  const response = await post(fetchAs, pod, { topic, sendTo, ...more });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text) as Channel;
}

/** What the owner's journal says of webhooks: act, path, status. */
export async function recordedOf(
  server: TestServer,
  person: Person,
): Promise<readonly (readonly [string, string | null, number | null])[]> {
  const pod = await server.context.pods.find(new URL(person.pod).pathname.slice(1, -1));
  if (!pod) throw new Error("No pod");
  const entries = await server.context.journal.read(pod, 0, 10_000);
  return entries.flatMap(({ entry }) =>
    entry && ["subscribe", "unsubscribe"].includes(entry.act)
      ? [[entry.act, entry.path, entry.status] as const]
      : [],
  );
}
