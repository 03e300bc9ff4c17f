/**
 * Uses of grants: checked once more, counted, receipted and recorded in one commit before a byte leaves. What waits for one
 * pod goes into one commit, so a vendor that asks much does not compete with itself.
 */
import { Problem } from "../errors.ts";
import { createRate, retryAfter } from "../rates.ts";
import type { Pod } from "../store/pods.ts";
import type { PodId, Transaction } from "../store/store.ts";
import { type CountingDeps, createCounting, type Outcome, type UseOperation, type Wish } from "./counting.ts";
import type { Extent } from "./usage.ts";

export interface Uses {
  /**
   * To be awaited before the first byte of what a decision gave by grants is sent.
   * @param grants Ids; of a look any of them will do, a query is under all of them.
   * @returns headers that belong to the answer.
   * @throws Problem `forbidden` for a grant that is not Active any more, `grant-paused` for one that rests or must rest from
   * now on, `grant-spent` where it has no room.
   */
  use(
    pod: Pod,
    operation: UseOperation,
    grants: readonly string[],
    extent: Extent,
  ): Promise<{ readonly headers: Readonly<Record<string, string>> }>;
  /**
   * Whether they could be used so. Nothing is counted; what must rest is made to.
   * @throws Problem as {@link Uses.use}.
   */
  check(pod: Pod, operation: UseOperation, grants: readonly string[], extent: Extent): Promise<void>;
  /**
   * The same for a write, in its own transaction. The journal's entry is the write's.
   * @throws Problem as {@link Uses.use}: then the transaction must not happen.
   */
  useIn(
    transaction: Transaction,
    pod: Pod,
    operation: UseOperation,
    grants: readonly string[],
    extent: Extent,
  ): Promise<{ readonly headers: Readonly<Record<string, string>> }>;
}

const RECEIPT_LINK = "https://w3id.org/freehold/ns#usageReceipt";
const USES_PER_COMMIT = 64;
const MINUTE_MS = 60_000;
const SPENT_MAX = 10_000; // Of those that are forgotten, the wall clock knows when it was.

interface Waiting {
  readonly wish: Wish;
  readonly done: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
}

export function createUses(deps: CountingDeps): Uses {
  const { baseUrl, store, limits, log } = deps;
  const running = (): Date => new Date(performance.now()); // Turning the clock back makes nobody wait.
  const paced = createRate(limits.grantUsesPerMinuteMax, MINUTE_MS, limits.ratesRemembered, running);
  const queues = new Map<PodId, Waiting[]>();
  /** By grant and policy: when the commit that used the last of it was done. */
  const spent = new Map<string, number>();
  const perform = createCounting(deps, (key) => spent.get(key));

  function remember(key: string): void {
    spent.delete(key);
    spent.set(key, performance.now());
    if (spent.size > SPENT_MAX) spent.delete(spent.keys().next().value ?? "");
  }

  async function drain(pod: Pod, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const some = queue.splice(0, USES_PER_COMMIT);
      try {
        const { result } = await store.write(pod.id, async (transaction) => {
          const outcomes: Outcome[] = [];
          for (const { wish } of some) outcomes.push(await perform(transaction, wish));
          return outcomes;
        });
        for (const outcome of result) if (outcome.kind === "served") outcome.spent.forEach(remember);
        for (const [at, { done }] of some.entries()) done(result[at]!);
      } catch (cause) {
        log.error("consent.use-not-written", { cause: String(cause) });
        for (const { fail } of some)
          fail(
            new Problem("unavailable", "This cannot be recorded just now, so it cannot be shown", {
              cause,
              headers: { "retry-after": "5" },
            }),
          );
      }
    }
    queues.delete(pod.id);
  }

  function inTurn(wish: Wish): Promise<Outcome> {
    return new Promise((done, fail) => {
      const queue = queues.get(wish.pod.id) ?? [];
      queue.push({ wish, done, fail });
      if (queues.has(wish.pod.id)) return;
      queues.set(wish.pod.id, queue);
      void drain(wish.pod, queue);
    });
  }

  function pace({ pod, operation: { agent } }: Wish): void {
    const wait = paced(JSON.stringify([pod.id, agent.webid]));
    if (wait > 0) throw new Problem("grant-spent", "Too many in a minute", { headers: retryAfter(wait) });
  }

  function answer({ pod }: Wish, outcome: Outcome): { readonly headers: Readonly<Record<string, string>> } {
    if (outcome.kind === "refused") throw outcome.problem;
    const links = outcome.receipts.map(
      ({ id }) => `<${baseUrl}${pod.name}/.consent/receipts/${id}>; rel="${RECEIPT_LINK}"`,
    );
    return { headers: { link: links.join(", "), ...(outcome.isView && { "cache-control": "no-store" }) } };
  }

  return {
    async use(pod, operation, grants, extent) {
      const wish = { pod, operation, grants, extent };
      pace(wish);
      return answer(wish, await inTurn(wish));
    },
    async check(pod, operation, grants, extent) {
      const wish = { pod, operation, grants, extent };
      const { result } = await store.write(pod.id, (transaction) => perform(transaction, wish, true));
      if (result.kind === "refused") throw result.problem;
    },
    async useIn(transaction, pod, operation, grants, extent) {
      const wish = { pod, operation, grants, extent };
      pace(wish);
      const outcome = await perform(transaction, wish);
      // The write will not happen, and with it would go that the grant rests: so that is a commit of its own.
      if (outcome.kind === "refused")
        void store
          .write(pod.id, (own) => perform(own, wish, true))
          .catch((cause: unknown) => log.error("consent.use-not-written", { cause: String(cause) }));
      return answer(wish, outcome);
    },
  };
}
