/**
 * `GET /v1/feed`: the leaves of a zone's log as they are published, so that a cache stays true without asking after
 * anybody. Nothing is queued: who comes back, or is behind, is read to from the log, no faster than it takes.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { encodeBase64url, encodeLeaf } from "@freehold/client/registry";
import { Problem } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Door, DoorRequest, Result } from "../../operation.ts";
import { networkOf } from "../../rates.ts";
import type { Published, Zone } from "../port.ts";

const LEAVES_PER_EVENT = 64; // Some are always on their way to each listener.
const INDEX = /^(?:0|[1-9]\d{0,14})$/;

/** Why a feed ended; each says how to go on. */
const REASONS = {
  future: "The log is not that long: begin at its size, or at none",
  outdated: "The log is read from its tiles, and then from here",
  "too slow": "Read from the tiles what was missed, and then from here",
  year: "The log of the year has ended: begin with that of the new one",
  closing: "The server stops: connect again",
} as const;
type Reason = keyof typeof REASONS;

const event = (name: string, value: object, id?: number): Uint8Array =>
  Buffer.from(`${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(value)}\n\n`);

const closing = (reason: Reason, { shard, size }: Published): Uint8Array =>
  event("close", { reason, next: REASONS[reason], shard, size });

/** @throws Problem `input-invalid`. */
function indexOf(text: string | null | undefined, name: string): number | null {
  if (text === null || text === undefined || text === "") return null;
  if (!INDEX.test(text)) throw new Problem("input-invalid", `${name} is the index of a leaf`);
  return Number(text);
}

export interface FeedDeps {
  readonly zones: readonly Zone[];
  readonly limits: Limits;
}

export interface Feed {
  readonly door: Door;
  /** Tells all who listen that the server stops, and lets them go. */
  close(): void;
}

/** Somebody who listens: asleep until there is news, or a moment has passed. */
function createListener() {
  let wake = (): void => {};
  return {
    isGone: false,
    wake: (): void => wake(),
    sleep: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
type Listener = ReturnType<typeof createListener>;

export function createFeed({ zones, limits }: FeedDeps): Feed {
  const { listenersMax, listenersPerAgentMax, listenerPingMs, listenerStuckMsMax, feedLeavesBehindMax } =
    limits;
  const listeners = new Set<Listener>();
  const networks = new Map<string, number>();
  let isClosing = false;

  /** @throws Problem `too-many-requests`. @returns what gives the seat back, once. */
  function takeSeat(listener: Listener, ip: string): () => void {
    const network = networkOf(ip);
    const own = networks.get(network) ?? 0;
    if (listeners.size >= listenersMax || own >= listenersPerAgentMax)
      throw new Problem("too-many-requests", "Too many follow this feed", {
        headers: { "retry-after": "60" },
      });
    networks.set(network, own + 1);
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener)) return;
      const left = (networks.get(network) ?? 1) - 1;
      if (left > 0) networks.set(network, left);
      else networks.delete(network);
      listener.isGone = true;
      listener.wake(); // Or it would sleep on, with all that it holds.
    };
  }

  async function leavesText(zone: Zone, from: number, to: number): Promise<readonly string[]> {
    const leaves: string[] = [];
    for await (const leaf of zone.leaves(from, to)) leaves.push(encodeBase64url(encodeLeaf(leaf)));
    return leaves;
  }

  /** Why it cannot go on from `at`; null while it can. */
  function endOf(now: Published, shard: string, at: number): Reason | null {
    if (isClosing) return "closing";
    if (now.shard !== shard) return "year";
    return now.size - at > feedLeavesBehindMax ? "too slow" : null;
  }

  /** Why it cannot begin there. */
  function refusalOf(begun: Published, at: number, shard: string | null): Reason | null {
    if (shard !== null && shard !== begun.shard) return "outdated";
    if (at > begun.size) return "future";
    return begun.size - at > feedLeavesBehindMax ? "outdated" : null;
  }

  /** Some leaves in one event, and after the last the checkpoint that proves them. */
  async function* follow(
    zone: Zone,
    asked: number | null,
    shard: string | null,
    listener: Listener,
  ): AsyncGenerator<Uint8Array> {
    const unlisten = zone.onPublished(listener.wake);
    try {
      const begun = zone.published();
      let at = asked ?? begun.size;
      const refusal = refusalOf(begun, at, shard);
      if (refusal) {
        yield closing(refusal, begun);
        return;
      }
      let told: Published | null = null;
      while (!listener.isGone) {
        const now = zone.published();
        const end = endOf(now, begun.shard, at);
        if (end) {
          yield closing(end, now);
          return;
        }
        if (at < now.size) {
          const to = Math.min(now.size, at + LEAVES_PER_EVENT);
          const leaves = await leavesText(zone, at, to);
          yield event("leaves", { shard: now.shard, from: at, leaves }, to);
          at = to;
        } else if (now !== told) {
          // Renewed cosignatures are told, too: they say that nothing has changed until then.
          const { shard: log, size, checkpoint } = now;
          yield event("checkpoint", { shard: log, size, checkpoint }, at);
          told = now;
        } else {
          await listener.sleep(listenerPingMs);
          if (zone.published() === now && !isClosing && !listener.isGone)
            yield Buffer.from(": still here\n\n");
        }
      }
    } finally {
      unlisten();
    }
  }

  /** Who takes nothing for so long is cut off, and may go on later from where that was. */
  async function* cutWhenStuck(
    parts: AsyncIterable<Uint8Array>,
    end: () => void,
  ): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      const cut = setTimeout(end, listenerStuckMsMax);
      try {
        yield part;
      } finally {
        clearTimeout(cut);
      }
    }
  }

  function zoneOf(request: DoorRequest): Zone {
    const name = request.url.searchParams.get("zone");
    const zone = name === null ? zones[0] : zones.find((one) => one.name === name);
    if (!zone) throw new Problem("not-found", "There is no such zone here");
    return zone;
  }

  return {
    async door(request): Promise<Result> {
      const zone = zoneOf(request);
      const { searchParams } = request.url;
      const asked =
        indexOf(request.headers["last-event-id"], "Last-Event-ID") ??
        indexOf(searchParams.get("from"), "from");
      const headers = {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      };
      if (request.method === "HEAD") return { status: 200, headers, body: null };
      const listener = createListener();
      const leave = takeSeat(listener, request.ip);
      // Who went away before the answer began is never told of as closed.
      const forgotten = setTimeout(leave, listenerStuckMsMax);
      let end = (): void => {};
      const parts = follow(zone, asked, searchParams.get("shard"), listener);
      return {
        status: 200,
        headers,
        body: cutWhenStuck(parts, () => end()),
        whileSent(breakOff) {
          clearTimeout(forgotten);
          end = breakOff;
          return leave;
        },
      };
    },
    close() {
      isClosing = true;
      for (const listener of listeners) listener.wake();
    },
  };
}
