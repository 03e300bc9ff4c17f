/**
 * What servers of one database tell one another: which pods have changed. Nothing depends on it, for every read asks for its
 * pod's generation: it frees memory early, and wakes whoever waits for changes. After a gap all may have changed.
 */
import { randomBytes } from "node:crypto";
import type { Log } from "../../log.ts";
import type { PodId } from "../store.ts";
import type { Database } from "./database.ts";

const CHANNEL = "freehold_pod";
const NOTIFY = { name: "notify", text: `SELECT pg_notify('${CHANNEL}', $1)` };
/** A notice holds fewer than 8,000 bytes. https://www.postgresql.org/docs/15/sql-notify.html */
const PODS_PER_NOTICE = 120;
const AGAIN_MS = 1_000;

export interface Notices {
  /** Here and in the other servers. */
  changed(pod: PodId, generation: number): void;
  /** @param heard Null: any pod may have changed. @returns what ends it. */
  readonly listen: (heard: (pod: PodId | null, generation: number) => void) => () => void;
  close(): Promise<void>;
}

/** @param others Called with what another server has committed, before those who listen. */
export function createNotices(
  database: Database,
  log: Log,
  others: (pod: PodId, generation: number) => void,
): Notices {
  const self = randomBytes(6).toString("hex");
  const listeners = new Set<(pod: PodId | null, generation: number) => void>();
  let waiting = new Map<PodId, number>();
  let isSending = false;
  let isOpen = true;
  let stop: (() => Promise<void>) | null = null;
  let timer: NodeJS.Timeout | undefined;

  function tell(pod: PodId | null, generation: number): void {
    for (const listener of listeners) listener(pod, generation);
  }

  function heard(payload: string): void {
    const [from, ...changes] = payload.split(" ");
    if (from === self) return;
    for (const change of changes) {
      const [pod = "", generation = ""] = change.split(":");
      others(pod as PodId, Number(generation));
      tell(pod as PodId, Number(generation));
    }
  }

  async function start(): Promise<void> {
    try {
      stop = await database.listen(CHANNEL, heard, again);
      tell(null, 0);
    } catch (error) {
      log.warn("store.notices.lost", { cause: String((error as { code?: unknown }).code ?? error) });
      again();
    }
  }
  function again(): void {
    stop = null;
    if (isOpen) timer = setTimeout(() => void start(), AGAIN_MS).unref();
  }

  /** Not in the commits themselves: the database lets only one transaction that notifies commit at a time. */
  async function send(): Promise<void> {
    isSending = true;
    await new Promise((resolve) => setImmediate(resolve));
    // oxlint-disable-next-line no-unmodified-loop-condition -- `close` ends it
    while (waiting.size > 0 && isOpen) {
      const changes = [...waiting];
      waiting = new Map();
      for (let from = 0; from < changes.length; from += PODS_PER_NOTICE) {
        const some = changes
          .slice(from, from + PODS_PER_NOTICE)
          .map(([pod, generation]) => `${pod}:${generation}`);
        await database.read(NOTIFY, [`${self} ${some.join(" ")}`]).catch(() => {}); // Those who listen ask again after a gap.
      }
    }
    isSending = false;
  }

  const started = start();
  return {
    changed(pod, generation) {
      waiting.set(pod, generation);
      if (!isSending) void send();
      tell(pod, generation);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      isOpen = false;
      clearTimeout(timer);
      await started;
      await stop?.();
    },
  };
}
