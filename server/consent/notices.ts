/**
 * What vendors are told: notices in the commit of what they tell of, sent until each is taken, at least once. Whoever sends
 * one claims it first, so that servers on one database do not all send the same.
 * @see https://w3c.github.io/lws-protocol/lws10-notifications/#notification-envelope
 */
import { randomInt, randomUUID } from "node:crypto";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Pod, Pods } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { type PodId, SERVER_POD, type Store, type Transaction } from "../store/store.ts";
import { LWS_CONTEXT, writeMoment } from "./shared.ts";

const GROUP = "notices"; // In each pod.
const PODS = "noticing"; // In the server's own.
const TOUCHED_MS = 10_000; // No transaction takes longer, hardly ever; who did is found by the next look.
const CLAIM_MS = 60_000; // Longer than any attempt: who claimed a notice and is gone has lost it.
const ACTIVITY_CONTEXT = "https://www.w3.org/ns/activitystreams";

/** What happened to a request or a grant. */
export interface Happening {
  /** Types of Activity Streams, the most general first. */
  readonly types: readonly string[];
  /** Address of what it happened to. */
  readonly object: string;
  readonly objectType: "AccessRequest" | "AccessGrant";
  /** Its state from now on. */
  readonly state: string;
  /** Milliseconds since 1970: before that, nobody is told. */
  readonly from?: number | null;
}

/** What the owner finds in the inbox. */
export interface OwnersNotice {
  /** A type of Activity Streams. */
  readonly type: "Offer" | "Accept" | "Announce";
  /** WebID. */
  readonly actor: string;
  /** Address of the request, or of the grant. */
  readonly object: string;
  /** One plain sentence. */
  readonly summary: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Notice {
  readonly id: string;
  readonly inbox: string;
  /** Address of what it tells of. */
  readonly about: string;
  readonly body: string;
  /** Attempts so far. */
  readonly tries: number;
  /** Milliseconds since 1970: since when, and when next. */
  readonly since: number;
  readonly next: number;
}

/** How one attempt went: taken, refused for good, or to be tried again. */
export type Delivery = "taken" | "refused" | "failed";

export interface NoticesDeps {
  readonly baseUrl: string;
  readonly store: Store;
  readonly pods: Pick<Pods, "find">;
  /** One attempt. Never rejects but for faults of our own. */
  readonly post: (inbox: string, body: Uint8Array, signal: AbortSignal) => Promise<Delivery>;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
}

export interface Notices {
  /** To be awaited before a transaction that adds one. */
  enlist(pod: Pod): Promise<void>;
  add(transaction: Transaction, pod: Pod, inbox: string, happening: Happening): void;
  /** What was not sent yet about something is not sent any more. */
  withdraw(transaction: Transaction, about: string): Promise<void>;
  /** After each commit of any pod; returns at once. @param pod Null: nobody knows of which. */
  committed(pod: PodId | null): void;
  begin(): void;
  close(): Promise<void>;
}

export function createNotices(deps: NoticesDeps): Notices {
  const { baseUrl, store, pods, limits, now, log } = deps;
  const known = new Set<string>();
  const waking = new Map<string, NodeJS.Timeout>();
  const running = new Map<string, Promise<void>>();
  /** Pods to which a notice was added lately, in transactions that are perhaps not committed yet. */
  const touched = new Map<PodId, { readonly pod: Pod; readonly until: number }>();
  const closing = new AbortController();
  let looking: NodeJS.Timeout | undefined;

  const failed = (error: unknown): void => log.error("notice.failed", { cause: String(error) });

  /** Nobody else sends it for a while. @returns null when there is none to send, or somebody else does. */
  async function claim(pod: Pod, id: string): Promise<Notice | null> {
    const at = now().getTime();
    const { result } = await store.write(pod.id, async (transaction) => {
      const entry = await transaction.get("outbox", GROUP, id);
      const notice = entry && decodeRecord<Notice>(entry);
      if (!notice || notice.next > at) return null;
      const claimed = { ...notice, tries: notice.tries + 1, next: at + CLAIM_MS };
      transaction.put("outbox", GROUP, id, encodeRecord(claimed));
      return claimed;
    });
    return result;
  }

  async function settle(pod: Pod, notice: Notice, delivery: Delivery): Promise<void> {
    const at = now().getTime();
    const isOver = delivery !== "failed" || at - notice.since >= limits.webhookGiveUpMs;
    const doubled = Math.min(
      limits.webhookRetryMsMax,
      limits.webhookRetryMsMin * 2 ** Math.min(notice.tries - 1, 32),
    );
    const wait = doubled / 2 + randomInt(Math.ceil(doubled / 2) + 1); // Not all come back at once.
    await store.write(pod.id, async (transaction) => {
      if (!(await transaction.get("outbox", GROUP, notice.id))) return; // It was withdrawn meanwhile.
      if (isOver) transaction.delete("outbox", GROUP, notice.id);
      else transaction.put("outbox", GROUP, notice.id, encodeRecord({ ...notice, next: at + wait }));
    });
    if (isOver && delivery !== "taken") log.warn("notice.given-up", { tries: notice.tries });
  }

  /** Sends what is due. @returns when the next is, in ms since 1970; null when nothing is owed. */
  async function sendDue(pod: Pod): Promise<number | null> {
    for (;;) {
      const owed = await store.read(pod.id, async (snapshot) => {
        const all: Notice[] = [];
        for await (const entry of snapshot.list("outbox", GROUP)) all.push(decodeRecord<Notice>(entry));
        return all.sort((a, b) => a.since - b.since);
      });
      const due = owed.filter(({ next }) => next <= now().getTime());
      if (due.length === 0) return owed.length === 0 ? null : Math.min(...owed.map(({ next }) => next));
      for (const { id } of due) {
        if (closing.signal.aborted) return null;
        const notice = await claim(pod, id);
        if (!notice) continue;
        const body = new TextEncoder().encode(notice.body);
        await settle(pod, notice, await deps.post(notice.inbox, body, closing.signal));
      }
    }
  }

  function wake(pod: Pod, inMs: number): void {
    if (closing.signal.aborted) return;
    clearTimeout(waking.get(pod.name));
    const timer = setTimeout(() => void run(pod), Math.min(Math.max(inMs, 0), limits.webhookRetryMsMax));
    waking.set(pod.name, timer.unref());
  }

  /** One at a time for each pod, so that a vendor is told of things in their order. */
  async function run(pod: Pod): Promise<void> {
    if (running.has(pod.name)) return wake(pod, limits.webhookRetryMsMin);
    const work = sendDue(pod)
      .then((next) => {
        if (next !== null) wake(pod, next - now().getTime());
      })
      .catch((error: unknown) => {
        failed(error);
        wake(pod, limits.webhookRetryMsMax);
      })
      .finally(() => running.delete(pod.name));
    running.set(pod.name, work);
    await work;
  }

  /** All pods that ever had a notice: after a start, and where other servers may have ended. */
  async function look(): Promise<void> {
    const names = await store.read(SERVER_POD, async (snapshot) => {
      const all: string[] = [];
      for await (const { item } of snapshot.list("outbox", PODS)) all.push(item);
      return all;
    });
    for (const name of names) {
      if (closing.signal.aborted) return;
      known.add(name);
      const pod = await pods.find(name);
      if (pod && pod.erased === undefined && !waking.has(name)) await run(pod);
    }
  }

  function lookAgain(): void {
    looking = setTimeout(() => {
      look()
        .catch(failed)
        .finally(() => !closing.signal.aborted && lookAgain());
    }, limits.webhookRetryMsMax / 12).unref();
  }

  return {
    async enlist({ name }) {
      if (known.has(name)) return;
      await store.write(SERVER_POD, async (transaction) => {
        if (!(await transaction.get("outbox", PODS, name)))
          transaction.put("outbox", PODS, name, encodeRecord({}));
      });
      known.add(name);
    },
    add(transaction, pod, inbox, { types, object, objectType, state, from }) {
      const at = now().getTime();
      const id = randomUUID();
      const body = {
        "@context": [LWS_CONTEXT, ACTIVITY_CONTEXT],
        id: `urn:uuid:${id}`,
        type: "Notification",
        storage: `${baseUrl}${pod.name}/`,
        activity: {
          id: `urn:uuid:${id}`, // The same for each attempt: so a receiver can tell what it has already.
          type: types,
          actor: pod.owner,
          object: { id: object, type: [objectType], state },
          published: writeMoment(Math.floor(at / 1_000) * 1_000),
        },
      };
      const notice: Notice = {
        id,
        inbox,
        about: object,
        body: JSON.stringify(body),
        tries: 0,
        since: Math.max(at, from ?? at),
        next: Math.max(at, from ?? at),
      };
      transaction.put("outbox", GROUP, id, encodeRecord(notice));
      touched.set(pod.id, { pod, until: at + TOUCHED_MS });
    },
    async withdraw(transaction, about) {
      for await (const entry of transaction.list("outbox", GROUP))
        if (decodeRecord<Notice>(entry).about === about) transaction.delete("outbox", GROUP, entry.item);
    },
    committed(id) {
      if (touched.size === 0) return;
      for (const [known, { pod, until }] of touched) {
        if (id !== null && id !== known) continue;
        if (now().getTime() < until) wake(pod, 0);
        else touched.delete(known);
      }
    },
    begin() {
      look().catch(failed);
      lookAgain();
    },
    async close() {
      closing.abort();
      clearTimeout(looking);
      for (const timer of waking.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}

/** What the owner finds in the inbox: an activity, as Linked Data Notifications have them. https://www.w3.org/TR/ldn/ */
export function writeOwnersNotice(
  { type, actor, object, summary, at }: OwnersNotice,
  storage: string,
): Uint8Array {
  const activity = {
    "@context": ACTIVITY_CONTEXT,
    type,
    actor,
    object,
    target: storage,
    summary,
    published: writeMoment(Math.floor(at / 1_000) * 1_000),
  };
  return new TextEncoder().encode(JSON.stringify(activity));
}
