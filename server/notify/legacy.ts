/**
 * Live updates as rdflib and SolidOS know them: `Updates-Via` names a WebSocket, over which one says `sub`, is told `ack`,
 * and then `pub` whenever the resource has changed. https://github.com/solid/solid-spec/blob/main/api-websockets.md
 *
 * A page cannot log in on a WebSocket, so whoever has read something while logged in is given an address with a ticket in
 * it: sealed, for that agent, for some hours. It opens nothing by itself: what may be subscribed to is decided each time.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from "node:crypto";
import { Problem } from "../errors.ts";
import { parseTarget, type Target } from "../iri.ts";
import type { Limits } from "../limits.ts";
import { Lru } from "../lru.ts";
import type { Agent, Operation } from "../operation.ts";
import type { Pod } from "../store/pods.ts";
import { SERVER_POD, type Store } from "../store/store.ts";
import type { ChannelRecord, Follow, Following } from "./channels.ts";
import type { Line, Served } from "./sockets.ts";

export interface Tickets {
  /** Good for this agent, who has logged in, and this pod. */
  give(pod: Pod, agent: Agent): string;
  /** @throws Problem `token-invalid`. */
  agentOf(pod: Pod, ticket: string): Agent;
}

const KEY = ["setting", "notify", "ticket-key"] as const;
const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
const TICKETS_KEPT = 10_000;

type Sealed = readonly [
  until: number,
  webid: string,
  client: string | null,
  issuer: string | null,
  origin: string | null,
  purpose?: string | null,
  grant?: string | null,
  isOnlyGrant?: boolean,
];

/** @param key 32 bytes, from {@link ticketKey}. */
export function createTickets(
  key: Uint8Array,
  { socketTicketMsMax }: Pick<Limits, "socketTicketMsMax">,
  now: () => Date,
): Tickets {
  const given = new Lru<string, { readonly ticket: string; readonly until: number }>(TICKETS_KEPT);

  function seal(pod: Pod, sealed: Sealed): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(pod.id));
    return Buffer.concat([
      iv,
      cipher.update(JSON.stringify(sealed)),
      cipher.final(),
      cipher.getAuthTag(),
    ]).toString("base64url");
  }

  return {
    give(pod, { webid, client, issuer, origin, purpose, grant, isOnlyGrant }) {
      const said = [purpose ?? null, grant ?? null, isOnlyGrant === true] as const;
      const name = JSON.stringify([pod.id, webid, client, issuer, origin, ...said]);
      const at = now().getTime();
      const known = given.get(name);
      if (known && known.until > at) return known.ticket;
      // The same for half its time: then the next is given, so that none is near its end.
      const ticket = seal(pod, [at + socketTicketMsMax, webid ?? "", client, issuer, origin, ...said]);
      given.set(name, { ticket, until: at + socketTicketMsMax / 2 }, 1);
      return ticket;
    },
    agentOf(pod, ticket) {
      const bytes = Buffer.from(ticket, "base64url");
      try {
        const opened = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES))
          .setAAD(Buffer.from(pod.id))
          .setAuthTag(bytes.subarray(-TAG_BYTES));
        const text =
          opened.update(bytes.subarray(IV_BYTES, -TAG_BYTES)).toString("utf8") + opened.final("utf8");
        const [until, webid, client, issuer, origin, purpose = null, grant = null, isOnlyGrant] = JSON.parse(
          text,
        ) as Sealed;
        if (until > now().getTime())
          return {
            webid: webid as Agent["webid"],
            client,
            issuer,
            origin,
            ...(purpose !== null && { purpose }),
            ...(grant !== null && { grant }),
            ...(isOnlyGrant && { isOnlyGrant }),
          };
      } catch (cause) {
        throw new Problem("token-invalid", "This address of live updates is not valid", { cause });
      }
      throw new Problem("token-invalid", "This address of live updates is too old");
    },
  };
}

/** The key of all servers of a store. */
export async function ticketKey(store: Pick<Store, "write">): Promise<Uint8Array> {
  const { result } = await store.write(SERVER_POD, async (transaction) => {
    const kept = await transaction.get(...KEY);
    if (kept) return kept.value;
    const fresh = new Uint8Array(randomBytes(32));
    transaction.put(...KEY, fresh);
    return fresh;
  });
  return result;
}

export interface LegacyDeps {
  readonly baseUrl: string;
  readonly store: Pick<Store, "journal">;
  readonly follow: Follow;
  readonly limits: Pick<Limits, "legacyTopicsMax">;
  /** Whether the agent may read it just now. */
  readonly mayRead: (pod: Pod, agent: Agent, target: Target) => Promise<boolean>;
  /** Notes in the pod's journal that somebody is told of a topic from now on. */
  readonly record: (pod: Pod, operation: Operation, topic: string) => Promise<unknown>;
}

/** Serves one connection of whom `who` names, as seats are counted. @returns what is to be done with what it says. */
export function createLegacy({ baseUrl, store, follow, limits, mayRead, record }: LegacyDeps) {
  const origin = baseUrl.slice(0, -1);
  const topics = new Map<string, number>(); // Of each listener, over all its connections: each costs something with every write.

  function count(who: string, by: 1 | -1): void {
    const all = (topics.get(who) ?? 0) + by;
    if (all > 0) topics.set(who, all);
    else topics.delete(who);
  }

  return function serve(pod: Pod, agent: Agent, who: string): (line: Line) => Served {
    return (line) => {
      const following = new Map<string, Following>();
      let isGone = false;
      let work: Promise<void> = line.send("protocol solid-0.1").catch(() => {}); // Gone already.

      /** One after the other, in the order in which they came; what cannot be said is for nobody. */
      const queue = (step: () => Promise<void>): void => {
        work = work.then(step).catch(() => {});
      };

      async function subscribe(url: string): Promise<void> {
        if (following.has(url)) return line.send(`ack ${url}`);
        let target: Target;
        try {
          if (!url.startsWith(`${baseUrl}${pod.name}/`) || /[?#]/.test(url))
            throw new Problem("path-invalid");
          target = parseTarget(url.slice(origin.length));
        } catch {
          return line.send(`err ${url} not a resource of this pod`);
        }
        if ((topics.get(who) ?? 0) >= limits.legacyTopicsMax)
          return line.send(`err ${url} too many subscriptions`);
        if (!(await mayRead(pod, agent, target))) return line.send(`err ${url} forbidden`);
        const operation = { id: randomUUID(), method: "GET", target, url, query: "", agent } as const;
        await record(pod, { ...operation, headers: {}, body: null }, target.path);
        const { number: cursor } = await store.journal.head(pod.id);
        await line.send(`ack ${url}`);
        const channel: ChannelRecord = {
          id: "",
          type: "WebSocketChannel2023",
          topic: target.path,
          isSubtree: false,
          agent,
          secret: null,
          created: 0,
          startAt: null,
          endAt: Number.POSITIVE_INFINITY,
          rateMs: 0,
          accept: null,
          state: null,
          sendTo: null,
          begin: cursor,
          cursor,
        };
        if (isGone) return;
        const one = follow(pod, channel, { deliver: () => line.send(`pub ${url}`) });
        following.set(url, one);
        count(who, 1);
        void one.ended.then((why) => {
          following.delete(url);
          count(who, -1);
          if (why === "forbidden" || why === "restricted") queue(() => line.send(`err ${url} forbidden`));
          else if (why !== "closed") line.close(why);
        });
      }

      return {
        heard(text) {
          const [verb = "", url = ""] = text.trim().split(/\s+/, 2);
          if (verb === "sub") queue(() => subscribe(url));
          else if (verb === "unsub") queue(async () => following.get(url)?.close());
          else if (verb === "ping") queue(() => line.send(`pong ${url}`.trim()));
          else queue(() => line.send("err - say sub, unsub or ping"));
        },
        gone() {
          isGone = true;
          for (const one of following.values()) one.close();
        },
      };
    };
  };
}
