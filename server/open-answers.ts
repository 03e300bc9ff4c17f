/**
 * Answers that go out under a grant: they break off when it is not in force any more, however slowly they are read. Looked
 * at when the rules of grants change, and now and then, for time passes, and other servers may write to the same store.
 */
import type { Log } from "./log.ts";
import type { Result } from "./operation.ts";

/** One that is being sent. */
interface Open {
  readonly isStanding: () => Promise<boolean>;
  readonly end: () => void;
}

export interface OpenAnswers {
  /**
   * The answer, ended as soon as what it hangs on does not stand any more.
   * @param pod Its id. @param since From {@link OpenAnswers.moment}, taken before it was decided.
   */
  under(pod: string, result: Result, isStanding: () => Promise<boolean>, since: number): Result;
  /** To be taken before a decision: what changes afterwards is noticed. */
  moment(): number;
  /** The rules of grants have changed; null: perhaps those of any pod. */
  changed(pod: string | null): void;
  close(): void;
}

export function createOpenAnswers(recheckMs: number, log: Log): OpenAnswers {
  const open = new Map<string, Set<Open>>();
  let changes = 0;

  async function check({ isStanding, end }: Open): Promise<void> {
    const isFine = await isStanding().catch((error: unknown) => {
      log.warn("answer.not-rechecked", { cause: String(error) });
      return false; // What cannot be known any more is not told on.
    });
    if (!isFine) end();
  }
  function checkAll(): void {
    for (const some of open.values()) for (const one of some) void check(one);
  }
  const again = setInterval(checkAll, recheckMs).unref();

  return {
    moment: () => changes,
    under: (pod, result, isStanding, since) => ({
      ...result,
      whileSent(end) {
        const before = result.whileSent?.(end);
        const one = { isStanding, end };
        const some = open.get(pod) ?? new Set();
        open.set(pod, some.add(one));
        if (since !== changes) void check(one);
        return () => {
          before?.();
          some.delete(one);
          if (some.size === 0 && open.get(pod) === some) open.delete(pod);
        };
      },
    }),
    changed(pod) {
      changes++;
      if (pod === null) return checkAll();
      for (const one of open.get(pod) ?? []) void check(one);
    },
    close: () => clearInterval(again),
  };
}
