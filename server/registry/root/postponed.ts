/**
 * News of the root that a zone's clerk could not do as they ask. What fails may pass later: clocks are apart, a newer record of
 * the root has not come yet, somebody does not answer. So they are kept beside the desk's cursor, and hold up nothing.
 */
import type { Log } from "../../log.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { PodId, Store } from "../../store/store.ts";
import { REGISTRY } from "../zone/state.ts";
import type { DeskNews } from "./model.ts";

export interface PostponedDeps {
  readonly zone: string;
  readonly store: Store;
  /** The zone's own. */
  readonly pod: PodId;
  readonly now: () => Date;
  readonly log: Log;
}

export interface Postponed {
  /** Does as they ask; what fails is kept, in the place of older news of the same. @throws when it cannot be kept. */
  heed(news: DeskNews): Promise<void>;
  /** Tries those again whose turn it is. */
  retry(): Promise<void>;
}

interface Kept {
  readonly news: DeskNews;
  /** Then nobody tries any more: milliseconds since 1970. */
  readonly until: number;
}

const POSTPONED = "desk-postponed"; // item: hash of the operation that they are about
const FIRST_MS = 1_000;
const LATER_MS_MAX = 300_000; // Who waits to be taken in is nowhere meanwhile.
const KEPT_MS = 30 * 24 * 3_600_000; // Time enough for an operator to see it in the log, and to mend it.
const TRIED_AT_ONCE = 16; // Beside what is new: each may take seconds.

const hashOf = (news: DeskNews): string => (news.kind === "port" ? news.port.hash : news.hash);

/** @param act What the clerk does; may be called again for the same. */
export function createPostponed(
  { zone, store, pod, now, log }: PostponedDeps,
  act: (news: DeskNews) => Promise<void>,
): Postponed {
  /** When each is tried next; all of them at once after a start, which may have mended it. */
  let turns: Map<string, { readonly tries: number; readonly at: number }> | null = null;

  async function readTurns(): Promise<NonNullable<typeof turns>> {
    turns ??= await store.read(pod, async (snapshot) => {
      const found: NonNullable<typeof turns> = new Map();
      for await (const { item } of snapshot.list(REGISTRY, POSTPONED)) found.set(item, { tries: 1, at: 0 });
      return found;
    });
    return turns;
  }

  async function put(hash: string, kept: Kept | null): Promise<void> {
    await store.write(pod, async (transaction) => {
      if (kept) transaction.put(REGISTRY, POSTPONED, hash, encodeRecord(kept));
      else transaction.delete(REGISTRY, POSTPONED, hash);
    });
    if (!kept) turns?.delete(hash);
  }

  const told = (news: DeskNews, cause: unknown, tries: number) => ({
    zone,
    kind: news.kind,
    tries,
    cause: cause instanceof Error ? cause.message : String(cause),
  });

  return {
    async heed(news) {
      const hash = hashOf(news);
      const known = await readTurns();
      try {
        await act(news);
      } catch (cause) {
        const at = now().getTime();
        await put(hash, { news, until: news.kind === "inbox" ? news.due : at + KEPT_MS });
        known.set(hash, { tries: 1, at: at + FIRST_MS });
        log.warn("registry.news-postponed", told(news, cause, 1));
        return;
      }
      if (known.has(hash)) await put(hash, null);
    },
    async retry() {
      const known = await readTurns();
      const at = now().getTime();
      const isDue = ([, turn]: readonly [string, { readonly at: number }]): boolean =>
        turn.at <= at || turn.at > at + LATER_MS_MAX; // The clock was ahead.
      for (const [hash, { tries }] of [...known].filter(isDue).slice(0, TRIED_AT_ONCE)) {
        const entry = await store.read(pod, (snapshot) => snapshot.get(REGISTRY, POSTPONED, hash));
        if (!entry) {
          known.delete(hash);
          continue;
        }
        const { news, until } = decodeRecord<Kept>(entry);
        try {
          await act(news);
          await put(hash, null);
        } catch (cause) {
          const isOver = now().getTime() >= until;
          const again = Math.min(FIRST_MS * 2 ** tries, LATER_MS_MAX);
          known.delete(hash); // Those that have waited longest come first.
          known.set(hash, { tries: tries + 1, at: now().getTime() + again });
          if (isOver) await put(hash, null);
          if (isOver) log.error("registry.news-refused", told(news, cause, tries + 1));
          else log.warn("registry.news-postponed", told(news, cause, tries + 1));
        }
      }
    },
  };
}
