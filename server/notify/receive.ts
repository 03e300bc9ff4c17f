/**
 * Receiving over HTTP: EventSourceChannel2023 and StreamingHTTPChannel2023. The answer stays open; what is sent is one
 * message at a time, and the next is looked for only when the last was taken.
 * @see https://solid.github.io/notifications/streaming-http-channel-2023 https://solid.github.io/notifications/eventsource-channel-2023
 */
import { timingSafeEqual } from "node:crypto";
import type { Access } from "../access/authorize.ts";
import { forPurpose } from "../access/demand.ts";
import { Problem } from "../errors.ts";
import { parseTarget } from "../iri.ts";
import type { Limits } from "../limits.ts";
import type { Agent, Operation, Result } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import type { Store } from "../store/store.ts";
import type { ChannelRecord, Channels, Follow, Message } from "./channels.ts";
import { listenerOf, type Seats } from "./seats.ts";

export interface ReceiveDeps {
  readonly store: Pick<Store, "read" | "journal">;
  readonly access: Pick<Access, "authorize">;
  readonly channels: Pick<Channels, "find">;
  readonly follow: Follow;
  readonly seats: Seats;
  readonly limits: Pick<Limits, "listenerPingMs" | "listenerStuckMsMax" | "replayEntriesMax">;
}

export interface Receiving {
  /** GET of `receiveFrom`. @param ip Of the client, for what strangers may do. */
  readonly receive: (operation: Operation, pod: Pod, ip: string) => Promise<Result>;
}

/** How messages of a type stand in the stream. Each begins with something, so that the head of the answer leaves at once. */
const FORMATS = {
  EventSourceChannel2023: {
    contentType: "text/event-stream",
    first: "retry: 3000\n\n",
    ping: ":\n\n",
    write: (message: Message) => `id: ${message.cursor}\ndata: ${JSON.stringify(message)}\n\n`,
  },
  // A line each: parts of a stream are not messages, whatever the wire makes of them.
  StreamingHTTPChannel2023: {
    contentType: "application/x-ndjson",
    first: "\n",
    ping: "\n",
    write: (message: Message) => `${JSON.stringify(message)}\n`,
  },
} as const;

/**
 * The channel of an address that says its secret.
 * @throws Problem `not-found`, for any that is not right.
 */
export async function channelOf(
  channels: Pick<Channels, "find">,
  pod: Pod,
  path: string,
): Promise<ChannelRecord> {
  const [id = "", said = ""] = path.split("/").slice(-2);
  const record = await channels.find(pod, id);
  const secret = Buffer.from(record?.secret ?? "");
  const given = Buffer.from(said);
  if (!record?.secret || given.length !== secret.length || !timingSafeEqual(given, secret))
    throw new Problem("not-found");
  return record;
}

/**
 * Where a receiver goes on; undefined: where the channel was left.
 * @param said `?after=` or `Last-Event-ID`.
 * @throws Problem `input-invalid` for what is no number of this journal, too long ago, or before the channel was made: what
 * is there now says nothing of who could see what was there then.
 */
export async function afterOf(
  store: Pick<Store, "journal">,
  pod: Pod,
  { begin, cursor }: ChannelRecord,
  said: string | null | undefined,
  { replayEntriesMax }: Pick<Limits, "replayEntriesMax">,
): Promise<number | undefined> {
  const isSaid = said !== null && said !== undefined && said !== "";
  const number = !isSaid ? cursor : /^\d{1,15}$/.test(said) ? Number(said) : Number.NaN;
  const { number: head } = await store.journal.head(pod.id);
  // Beyond its end: of another pod, or of one that was restored from a backup. To wait for it would be to miss what comes.
  if (!(number <= head)) throw new Problem("input-invalid", "after is the cursor of a message from this pod");
  if (number < begin)
    throw new Problem(
      "input-invalid",
      "This was before the channel: read what you need, and go on from here",
    );
  if (head - number > replayEntriesMax)
    throw new Problem("input-invalid", "This was too long ago: read what you need, and subscribe anew");
  return isSaid ? number : undefined;
}

/** A stream that somebody else writes into: what is put is taken before the next is asked for. */
function createStream(
  first: string,
  ping: string,
  limits: Pick<Limits, "listenerPingMs" | "listenerStuckMsMax">,
) {
  const encoder = new TextEncoder();
  let ready: { readonly text: string; readonly taken: () => void } | null = { text: first, taken: () => {} };
  let asked: ((result: IteratorResult<Uint8Array>) => void) | null = null;
  let isOver = false;
  let onLeft: () => void = () => {};
  const over = { done: true, value: undefined } as const;
  const pings = setInterval(() => {
    if (asked) answer(ping);
  }, limits.listenerPingMs).unref();

  function answer(text: string): void {
    const resolve = asked;
    asked = null;
    resolve?.({ done: false, value: encoder.encode(text) });
  }

  function end(): void {
    isOver = true;
    clearInterval(pings);
    asked?.(over);
    asked = null;
    ready?.taken();
    ready = null;
  }

  return {
    /** Resolves when it is taken. @throws Error when the receiver takes nothing, or has left. */
    async put(text: string): Promise<void> {
      if (isOver) throw new Error("The receiver has left");
      if (asked) return answer(text);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stuck = setTimeout(
        () => reject(new Error("The receiver takes nothing")),
        limits.listenerStuckMsMax,
      );
      ready = { text, taken: resolve };
      await promise.finally(() => clearTimeout(stuck));
    },
    end,
    whenLeft(work: () => void): void {
      onLeft = work;
    },
    iterator: {
      next: () =>
        new Promise<IteratorResult<Uint8Array>>((resolve) => {
          if (isOver) return resolve(over);
          asked = resolve;
          if (!ready) return;
          const { text, taken } = ready;
          ready = null;
          answer(text);
          taken();
        }),
      return: async () => {
        end();
        onLeft();
        return over;
      },
    } satisfies AsyncIterator<Uint8Array>,
  };
}

export function createReceiving(deps: ReceiveDeps): Receiving {
  const { store, access, channels, follow, seats, limits } = deps;

  /** Who gets it: over this type of channel whoever proves it, over the other whoever knows the address. */
  function receiverOf({ agent }: Operation, record: ChannelRecord): Agent {
    if (record.type !== "StreamingHTTPChannel2023" || record.agent.webid === null) return record.agent;
    if (agent.webid === record.agent.webid) return forPurpose(agent, record.agent);
    throw new Problem(
      agent.webid === null ? "login-required" : "forbidden",
      "The channel is its subscriber's own",
    );
  }

  return {
    async receive(operation, pod, ip) {
      const record = await channelOf(channels, pod, operation.target.path);
      const format = FORMATS[record.type as keyof typeof FORMATS];
      if (!format)
        throw new Problem("upgrade-required", undefined, {
          headers: { upgrade: "websocket", connection: "Upgrade" },
        });
      const agent = receiverOf(operation, record);
      const decision = await store.read(pod.id, (snapshot) =>
        access.authorize(snapshot, pod, agent, parseTarget(record.topic), ["read"]),
      );
      if (decision.kind === "denied") throw new Problem("forbidden", "Missing: read on the topic");
      const said = operation.headers["last-event-id"] ?? new URLSearchParams(operation.query).get("after");
      const after = await afterOf(store, pod, record, said, limits);
      const who = listenerOf(agent, ip);
      seats.check(pod, who);

      /** Begins when somebody reads, so that nothing is open of an answer that never left. */
      function open(): AsyncIterator<Uint8Array> {
        const stream = createStream(format.first, format.ping, limits);
        let release: () => void;
        try {
          release = seats.take(pod, who);
        } catch {
          stream.end();
          return stream.iterator;
        }
        const following = follow(
          pod,
          { ...record, agent },
          { ...(after !== undefined && { after }), deliver: (message) => stream.put(format.write(message)) },
        );
        stream.whenLeft(() => following.close());
        void following.ended.then(() => {
          stream.end();
          release();
        });
        return stream.iterator;
      }
      const headers = {
        "content-type": format.contentType,
        "cache-control": "no-store",
        "x-accel-buffering": "no", // A proxy that waits for more would keep the message to itself.
        vary: "Authorization, Origin",
      };
      return {
        status: 200,
        headers,
        body: operation.method === "HEAD" ? null : { [Symbol.asyncIterator]: open },
      };
    },
  };
}
