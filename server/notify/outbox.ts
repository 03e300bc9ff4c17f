/**
 * The outbox: what is owed to receivers that are sent to. It holds no messages: each channel has a cursor in the pod's
 * journal, moved on when a message was taken, so nothing is lost by whatever ends this process. Each channel sends by
 * itself and in order, and before every attempt access is decided anew, at the second and the hundredth too.
 */
import type { Problem } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Pod, Pods } from "../store/pods.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import type { ChannelRecord, Channels, ChannelType, End, Follow, Message } from "./channels.ts";
import { retryAfterMs, waitMs } from "./outbox-retry.ts";
import { createSlots, type Slot } from "./outbox-slots.ts";
import { createTurn, enlist, enlisted } from "./outbox-turn.ts";

/** What a receiver answered to one attempt; status null when nobody answered. */
export interface Answer {
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OutboxDependencies {
  readonly type: ChannelType;
  readonly store: Store;
  readonly pods: Pick<Pods, "find">;
  readonly channels: Channels;
  readonly follow: Follow;
  /** One attempt. Never rejects but for faults of our own. */
  readonly post: (record: ChannelRecord, message: Message, signal: AbortSignal) => Promise<Answer>;
  /** Tells the pod's owner that nothing is sent any more, for the receiver or access is gone. */
  readonly gaveUp: (pod: Pod, record: ChannelRecord, status: number | null) => Promise<void>;
  /** Whether other servers may work on the same store. */
  readonly isShared: boolean;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly log: Log;
}

export interface Outbox {
  /** Goes on with what is owed from before. Nobody waits for it. */
  begin(): void;
  /** To be awaited before a channel is made in this pod. */
  enlist(pod: Pod): Promise<void>;
  /** A channel was made. */
  open(pod: Pod, record: ChannelRecord): Promise<void>;
  /** A channel is gone: ends also what is under way, and resolves when nothing comes any more. */
  drop(pod: Pod, record: ChannelRecord): Promise<void>;
  /** Ends what is under way; it is sent again after the next start. */
  close(): Promise<void>;
}

interface Line {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** What is known of a channel beside its cursor; in its pod, so that it outlives this process. */
interface Standing {
  /** Since when nothing gets through, in ms since 1970. */
  readonly failingSince: number | null;
  /** Whether it was told, if need be, that its topic is not any more what the subscriber knew. */
  readonly isStateTold: boolean;
}

/** A channel at work. */
interface Work {
  readonly pod: Pod;
  readonly id: string;
  readonly signal: AbortSignal;
  standing: Standing;
  /** Attempts in a row that came to nothing. */
  failures: number;
  /** Up to where nothing is owed, as it is on disk. */
  cursor: number;
  /** When that was written, in ms since 1970. */
  advanced: number;
  /** Had to be waited for; kept until everything was decided anew. */
  reserved: Slot | null;
}

/** How one attempt went. */
type Outcome =
  | { readonly kind: "taken" }
  | { readonly kind: "gone" }
  | { readonly kind: "refused"; readonly status: number | null; readonly restMs: number }
  /** Time has passed, or something has changed: everything is to be decided anew. */
  | { readonly kind: "again"; readonly isAtOnce: boolean };

const STANDING = "standing";
const NEW: Standing = { failingSince: null, isStateTold: false };
const GONE = 410;
const RESERVED_MS = 1_000; // Nobody waits longer for a place that is not used.
const ADVANCE_MS = 60_000; // What concerns nobody is passed over in memory; on disk now and then.

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    signal.addEventListener("abort", done);
  });
}

export function createOutbox(dependencies: OutboxDependencies): Outbox {
  const { type, store, pods, channels, follow, limits, now, log, isShared } = dependencies;
  const slots = createSlots(limits.webhooksSendingMax);
  const turn = createTurn(store, limits, now, isShared);
  const lines = new Map<string, Line>();
  const seen = new Map<string, string>(); // Pod's name → its stamp when its channels were looked at.
  const closing = new AbortController();
  let ticking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const failed = (event: string) => (cause: unknown) => log.error(event, { cause: String(cause) });

  /** A place to send from. Whoever had to wait for it gets null, and has it the next time: meanwhile all may be otherwise. */
  async function slotFor(work: Work, sendTo: string): Promise<Slot | null> {
    const { reserved } = work;
    work.reserved = null;
    if (reserved) return reserved;
    const keys = [
      [`pod ${work.pod.id}`, limits.webhooksSendingPerPodMax],
      [`to ${new URL(sendTo).origin}`, limits.webhooksSendingPerTargetMax],
    ] as const;
    const slot = await slots.take(keys, work.signal);
    if (!slot || slot.isFresh) return slot;
    work.reserved = slot;
    setTimeout(() => {
      if (work.reserved !== slot) return;
      work.reserved = null;
      slot.release();
    }, RESERVED_MS).unref();
    return null;
  }

  async function attempt(
    work: Work,
    record: ChannelRecord,
    sendTo: string,
    message: Message,
  ): Promise<Outcome> {
    const { pod, id, signal } = work;
    const slot = await slotFor(work, sendTo);
    if (!slot) return { kind: "again", isAtOnce: true };
    try {
      // Also when it was another server that was told to end it.
      const isStanding = turn.holds() && (await channels.find(pod, id)) !== null;
      if (!isStanding || signal.aborted) return { kind: "again", isAtOnce: false };
      const { status, headers } = await dependencies.post(record, message, signal);
      if (status !== null && status >= 200 && status < 300) return { kind: "taken" };
      if (status === GONE) return { kind: "gone" };
      return { kind: "refused", status, restMs: retryAfterMs(headers["retry-after"], now().getTime()) };
    } finally {
      slot.release();
    }
  }

  const standingOf = async (pod: Pod, id: string): Promise<Standing> => {
    const entry = await store.read(pod.id, (snapshot) => snapshot.get("outbox", STANDING, id));
    return entry ? decodeRecord<Standing>(entry) : NEW;
  };

  async function setStanding(work: Work, change: Partial<Standing>): Promise<void> {
    const standing = { ...work.standing, ...change };
    work.standing = standing;
    await store.write(work.pod.id, async (transaction) =>
      transaction.put("outbox", STANDING, work.id, encodeRecord(standing)),
    );
  }

  const clear = async (pod: Pod, id: string): Promise<void> => {
    await store.write(pod.id, async (transaction) => transaction.delete("outbox", STANDING, id));
  };

  async function advance(work: Work, number: number): Promise<void> {
    await channels.advance(work.pod, work.id, number);
    work.cursor = Math.max(work.cursor, number);
    work.advanced = now().getTime();
  }

  async function taken(work: Work, number: number): Promise<void> {
    await advance(work, number);
    work.failures = 0;
    if (work.standing.failingSince !== null || !work.standing.isStateTold)
      await setStanding(work, { failingSince: null, isStateTold: true });
  }

  /** Follows the journal until something ends it. @returns what, and how the last attempt went. */
  async function followOnce(
    work: Work,
    record: ChannelRecord,
    sendTo: string,
  ): Promise<{ readonly end: End; readonly outcome: Outcome }> {
    let outcome: Outcome = { kind: "taken" };
    const following = follow(work.pod, record, {
      ...(work.standing.isStateTold ? { after: record.cursor } : {}),
      async deliver(message, number) {
        outcome = { kind: "again", isAtOnce: false }; // Unless we get to know better.
        const found = await attempt(work, record, sendTo, message);
        if (found.kind !== "taken") {
          outcome = found;
          throw new Error("Not taken"); // Ends the following: before the next attempt, access is decided anew.
        }
        await taken(work, number);
        outcome = found;
      },
      passed(number) {
        // Whatever it knew was looked at first.
        if (!work.standing.isStateTold)
          setStanding(work, { isStateTold: true }).catch(failed("outbox.not-advanced"));
        if (number <= work.cursor || now().getTime() - work.advanced < ADVANCE_MS) return;
        advance(work, number).catch(failed("outbox.not-advanced"));
      },
    });
    const stop = (): void => following.close();
    work.signal.addEventListener("abort", stop);
    if (work.signal.aborted) stop();
    const end = await following.ended;
    work.signal.removeEventListener("abort", stop);
    return { end, outcome };
  }

  async function endChannel({ pod, id }: Work, record: ChannelRecord, status: number | null): Promise<void> {
    const removed = await channels.remove(pod, id);
    await clear(pod, id);
    if (removed) await dependencies.gaveUp(pod, record, status);
  }

  /** @returns how long to wait, in ms; null when it was tried for long enough. */
  async function noteFailure(work: Work, restMs: number): Promise<number | null> {
    work.failures += 1;
    const at = now().getTime();
    const since = work.standing.failingSince ?? at;
    if (work.standing.failingSince === null) await setStanding(work, { failingSince: since });
    const left = since + limits.webhookGiveUpMs - at;
    return left <= 0 ? null : Math.min(left, waitMs(work.failures, restMs, limits));
  }

  /** Sends over one channel for as long as there is one. */
  async function run(pod: Pod, id: string, signal: AbortSignal): Promise<void> {
    const standing = await standingOf(pod, id);
    const work: Work = { pod, id, signal, standing, failures: 0, cursor: 0, advanced: 0, reserved: null };
    while (!signal.aborted) {
      const record = await channels.find(pod, id);
      if (!record?.sendTo) return clear(pod, id);
      work.cursor = record.cursor;
      if (record.state === null) work.standing = { ...work.standing, isStateTold: true };
      const { end, outcome } = await followOnce(work, record, record.sendTo);
      if (signal.aborted || end === "pod-gone" || end === "stopping" || end === "closed") return;
      if (end === "forbidden") return endChannel(work, record, 403);
      // Nothing is sent of what is frozen, and nothing is lost: what happened is told when the owner lifts it.
      let wait: number | null = end === "restricted" ? limits.listenerRecheckMs : limits.webhookRetryMsMin;
      if (end === "failed") {
        if (outcome.kind === "gone") return endChannel(work, record, GONE);
        if (outcome.kind === "again" && outcome.isAtOnce) continue;
        if (outcome.kind === "refused") wait = await noteFailure(work, outcome.restMs);
        if (wait === null)
          return endChannel(work, record, outcome.kind === "refused" ? outcome.status : null);
      }
      await sleep(wait, signal);
    }
  }

  function start(pod: Pod, { id }: ChannelRecord): void {
    if (lines.has(id) || closing.signal.aborted) return;
    const stop = new AbortController();
    const keepOn = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          return await run(pod, id, stop.signal);
        } catch (error) {
          if ((error as Problem).code === "not-found") return; // The pod is gone.
          failed("outbox.failed")(error); // The store, hardly anything else: it may come back.
          await sleep(limits.webhookRetryMsMin, stop.signal);
        }
      }
    };
    const line: Line = {
      stop,
      done: keepOn().finally(() => {
        if (lines.get(id) === line) lines.delete(id);
      }),
    };
    lines.set(id, line);
  }

  function stopAll(): Promise<unknown> {
    const all = [...lines.values()];
    for (const { stop } of all) stop.abort();
    return Promise.all(all.map(({ done }) => done));
  }

  /** Starts every channel that is not known yet. */
  async function look(): Promise<void> {
    if (!(await turn.take())) {
      seen.clear();
      await stopAll();
      return;
    }
    for (const [name, stamp] of await enlisted(store)) {
      if (closing.signal.aborted) return;
      if (seen.get(name) === stamp) continue;
      const pod = await pods.find(name);
      if (pod && pod.erased === undefined)
        for (const record of await channels.list(pod)) if (record.type === type) start(pod, record);
      seen.set(name, stamp);
    }
  }

  /** Again and again where another server may have made a channel, or may have ended; else until it was done once. */
  function tick(): void {
    let isDone = false;
    ticking = look()
      .then(() => {
        isDone = !isShared;
      }, failed("outbox.not-looked"))
      .then(() => {
        if (!isDone && !closing.signal.aborted)
          timer = setTimeout(tick, isShared ? limits.webhookLeaseMs / 4 : limits.webhookRetryMsMin).unref();
      });
  }

  return {
    begin: tick,
    enlist: ({ name }) => enlist(store, name),
    async open(pod, record) {
      // Whoever sends for all finds it by the new stamp: the first was for a channel that was not there yet.
      if (isShared) await enlist(store, pod.name);
      if (turn.holds()) start(pod, record);
    },
    async drop(pod, { id }) {
      const line = lines.get(id);
      line?.stop.abort();
      await line?.done;
      await clear(pod, id);
    },
    async close() {
      closing.abort();
      clearTimeout(timer);
      await stopAll();
      await ticking;
      await stopAll();
      await turn.release().catch(failed("outbox.not-released"));
    },
  };
}
